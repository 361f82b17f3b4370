"""Numbers by which Python and the compiled functions understand each other."""

from __future__ import annotations

import numpy as np

(
    DONE,
    MOVES,
    EXPIRY,
    FUTURES,
    WITHOUT,
    WAITS,
    MAY,
    QUEUED,
    CROWDED,
    ROOM,
    DEAD,
    DEADLOCK,
    LIMIT,
    FAILED,
    PAUSED,
    COMPONENT,
    MOVED,
    CANONICAL,
    UNTESTED,
    NEEDS,
    TAKE_IN,
) = range(21)
"""Why a call has returned: nothing left to do, what is missing, or what was met."""

(
    POSITION,
    UNTIL,
    LEVEL,
    LOOK,
    BASE,
    FIRST,
    STEPS,
    BEGUN,
    LOOKED,
    ALIVE,
    ASK_1,
    ASK_2,
    ASK_3,
    WAITING,
    STATES,
    EDGES,
    LEVEL_END,
    LIMIT_STATES,
    PAUSE_STATES,
    PAUSE_EDGES,
    LEVELLED,
    WRONG,
    LOG,
    STEP,
    REMEMBERED,
    TIMED_OUT,
    TESTED,
    TAKEN_IN,
    LAST_TAKEN_IN,
    CHOSEN,
) = range(30)
"""Registers of a search and of its shares: where they are, their limits, and what they ask for."""

REGISTERS = 30

NEVER, WHEN_STUCK, ANYTIME = range(3)

HAS_FAILED, IS_IDLE, IS_TIMED, IS_SLEEP, CREATES, IN_TASK, UNDONE = (1 << bit for bit in range(7))
"""What is known of a process's own part of a state."""

AT, VALUE, VALUE_CODE, LOCAL, LOCAL_CODE, LOST, CREATED = range(7)
"""Columns of the table of moves."""

OWNER, KIND, SHAPE, FIRST_NAME, NAMES, FIRST_COLOUR, COLOURS, FIRST_FACT, FACTS, EXACT = range(10)
"""Columns of what is known about a component."""

FIRST_TOGETHER, TOGETHER, RIGID = range(3)
"""Columns of what is known about a fact."""

PENDING = 1
"""Code of a future that is not set, in the columns of futures; 0 is that of a free place."""

MOST_FUTURES = 61
MOST_PROCESSES = 64
EXPIRES = MOST_FUTURES + 2

U = np.uint64

ZERO, ONE, LOW = U(0), U(1), U(0xFFFFFFFF)
