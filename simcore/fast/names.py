"""The numbers that the compiled loop and Python use for the same things."""

from __future__ import annotations

(
    DONE,
    MOVES,
    EXPIRY,
    FUTURES,
    WITHOUT,
    RENAME,
    WAITS,
    MAY,
    QUEUED,
    DEAD,
    DEADLOCK,
    ROOM,
    LIMIT,
    FAILED,
    PAUSED,
    UNFIT,
) = range(16)
"""Why a call has returned: nothing left to do, what is missing, or what was met."""

(
    POSITION,
    UNTIL,
    STATES,
    EDGES,
    LEVEL,
    ABOVE,
    LEVEL_END,
    LIMIT_STATES,
    PAUSE_STATES,
    LOOK,
    ALIVE,
    JUDGED,
    READY,
    LEVELLED,
    WRONG,
    LOG,
    STEPS,
    ASK_1,
    ASK_2,
    ASK_3,
    WAITING,
    ENDED,
) = range(22)
"""Registers: where a search is, its limits, and what it asks for."""

REGISTERS = 22

NEVER, WHEN_STUCK, ANYTIME = range(3)

HAS_FAILED, IS_IDLE, IS_TIMED, IS_SLEEP, CREATES, IN_TASK, UNDONE = (1 << bit for bit in range(7))
"""What is known of a process's own part of a state."""

AT, VALUE, VALUE_CODE, LOCAL, LOCAL_CODE, LOST, CREATED, DELTA = range(8)
"""Columns of the table of moves."""

MOST_FUTURES = 61
MOST_PROCESSES = 64
EXPIRES = MOST_FUTURES + 2
MOST_STEPS = 4096
