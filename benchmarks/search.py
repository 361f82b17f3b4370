"""One search of ours, or of minicheck, of the pool system of one size: what a child process of `benchmarks` does.

``python -m benchmarks.search SEARCHER REQUESTERS WORKERS CHUNKS CALLBACK_WORKERS [ready]`` prints what it found as
JSON: the verdict, the number of states, the steps of the shortest schedule into a deadlock, the CPU seconds from the
model to the verdict, and whether anything was imported on the way. With ``ready`` that has been imported before.
"""

from __future__ import annotations

import gc
import importlib
import json
import sys
import time
from collections.abc import Callable
from functools import partial
from typing import Any

from benchmarks.pool_system import FIELDS, Size, ended, initial, model, steps
from simcore import Result, always, explore

Found = tuple[str, int, int | None]
MOST_STATES = 1_000_000_000  # minicheck stops at 200,000 unless it is told otherwise


def found(result: Result) -> Found:
    witness = result.counterexample
    return result.verdict.value, result.states, len(witness.schedule.steps) if witness else None


def unreduced(size: Size) -> Found:
    return found(explore(model(size), symmetry=False, partial_order=False, cores=1))


def counted(size: Size) -> Found:
    """Walk all states, of the buggy system too: `explore` stops at a deadlock when it is asked for one."""
    return found(explore(model(size), always(lambda state: True), symmetry=False, partial_order=False, cores=1))


def reduced(size: Size) -> Found:
    return found(explore(model(size)))


def counted_by_minicheck(size: Size) -> Found:
    """Let minicheck walk all states, and ask for nothing."""
    return "holds", minichecked(size, {})["reachable_states"], None


def by_minicheck(size: Size) -> Found:
    """Ask minicheck for a state in which nothing is enabled though not all have ended; it has no word for it."""
    deadlock_free = "deadlock free"

    def can_go_on(fields: dict[str, object]) -> bool:
        state = tuple(fields[name] for name in FIELDS)
        return ended(size, state) or any(True for _ in steps(size, state))

    report = minichecked(size, {deadlock_free: can_go_on})
    answer = report["properties"][deadlock_free]
    trace = answer["counterexample"]  # with the initial state
    return "holds" if answer["holds"] else "violated", report["reachable_states"], len(trace) - 1 if trace else None


def minichecked(size: Size, invariants: dict[str, Callable[[dict[str, object]], bool]]) -> dict[str, Any]:
    import minicheck

    protocol = minicheck.Protocol("pool system", False, FIELDS, initial(size), partial(steps, size), invariants)
    gc.disable()  # as `explore` does for itself
    report = minicheck.check_safety(protocol, max_states=MOST_STATES)
    if not report["exhaustive"]:
        raise SystemExit(f"minicheck stopped early: {report['incomplete_reason']}")
    return report


SEARCHERS: dict[str, Callable[[Size], Found]] = {
    "unreduced": unreduced,
    "counted": counted,
    "reduced": reduced,
    "minicheck": by_minicheck,
    "counted by minicheck": counted_by_minicheck,
}

ON_ITS_WAY = ("minicheck", "simcore.explore.compiled.loops")
"""What a search imports when it needs it."""


def load(searcher: str) -> None:
    """Import what a search imports on its way."""
    if "minicheck" in searcher:
        importlib.import_module("minicheck")
    else:
        importlib.import_module("simcore.explore.compiled.loops")
        importlib.import_module("simcore.explore.compiled.native").machine_code()


if __name__ == "__main__":
    _, searcher, *size, ready = sys.argv if sys.argv[-1] == "ready" else [*sys.argv, ""]
    if ready:
        load(searcher)
    begun = time.process_time()
    answer = SEARCHERS[searcher](Size(*map(int, size)))
    print(json.dumps([*answer, time.process_time() - begun, any(name in sys.modules for name in ON_ITS_WAY)]))
