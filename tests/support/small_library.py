"""A package that makes claims, as the text of its modules, and what the matrix has written of it."""

from __future__ import annotations

import json
from pathlib import Path

LOCKS = '''
"""Two locks are taken in both orders."""
from simcore.properties import deadlock_free, no_stuck_subset
from simcore import Claim, Model, Verdict

def locks(*, opposed: bool = True, rounds: int = 1) -> Model:
    model = Model("two locks")
    a, b = model.lock("a"), model.lock("b")

    def take(first, second):
        for _ in range(rounds):
            yield first.acquire()
            yield second.acquire()
            yield second.release()
            yield first.release()

    model.process("left", take, a, b)
    model.process("right", take, *((b, a) if opposed else (a, b)))
    return model

SAME = {"opposed": False}
CLAIMS = (
    Claim("S10", "1.0", locks, deadlock_free(), Verdict.VIOLATED, note="left | right"),
    Claim("S10", "1.1", locks, deadlock_free(), Verdict.HOLDS, SAME),
    Claim("other", "1.1", locks, no_stuck_subset(), Verdict.HOLDS, SAME, timeouts="never"),
    Claim("S2", "1.1", locks, no_stuck_subset(), Verdict.HOLDS, {**SAME, "rounds": 10}, slow=True),
)
'''

MORE = '''
"""Claims of all sorts."""
import os, signal
from simcore.properties import deadlock_free, no_stuck_subset
from simcore import Claim, Model, Verdict, always
from library.locks import SAME, locks

def one(*, how: str = "") -> Model:
    if how == "cannot be built":
        raise ValueError("no such size")
    model = Model("one")
    lock, numbers = model.lock("lock"), model.queue("numbers")

    def process():
        yield lock.acquire()
        if how == "dies":
            raise ValueError("of a bad value")
        while how.startswith("endless"):
            open(how, "w").close()
            yield numbers.put(0)

    model.process("process", process)
    return model

def broken(state):
    return state["lock"].no_such_thing

def ended(state):
    os.kill(os.getpid(), signal.SIGKILL)

def leaves(state):
    raise SystemExit(0)

def too_large(state):
    raise MemoryError

OF = {
    "wrong": [Claim("S1", "1.1", locks, deadlock_free(), Verdict.HOLDS, note="wrong")],
    "another": [Claim("S1", "1.1", one, deadlock_free(), Verdict.VIOLATED, {"how": "dies"})],
    "bounded": [Claim("L1", "1.1", locks, deadlock_free(), Verdict.UNDETERMINED, SAME, max_states=9)],
    "found": [Claim("L1", "1.1", locks, deadlock_free(), Verdict.UNDETERMINED, max_states=1000)],
    "unfinished": [Claim("L1", "1.1", locks, deadlock_free(), Verdict.HOLDS, SAME, max_states=9)],
    "unbuilt": [Claim("L1", "1.1", one, deadlock_free(), Verdict.HOLDS, {"how": "cannot be built"})],
    "broken": [Claim("L1", "1.1", one, always(broken, "whole"), Verdict.HOLDS)],
    "leaves": [Claim("L1", "1.1", one, always(leaves, "stays"), Verdict.HOLDS)],
    "too_large": [Claim("L1", "1.1", one, always(too_large, "small"), Verdict.HOLDS)],
    "ended": [Claim("L1", "1.1", one, always(ended, "lives"), Verdict.HOLDS)],
    "unnamed": [Claim("L1", "1.1", lambda: one(), deadlock_free(), Verdict.HOLDS)],
    "parameter": [Claim("L1", "1.1", one, deadlock_free(), Verdict.HOLDS, {"size": 3})],
    "endless": [Claim("L1", "1", one, deadlock_free(), Verdict.HOLDS, {"how": f"endless {n}"}) for n in (1, 2, 3)],
    "mixed": [
        Claim("R1", version, locks, asked(), Verdict.HOLDS, SAME)
        for version in ("1.1", "1.2")
        for asked in (no_stuck_subset, deadlock_free)
    ],
    "variant": [Claim("S10", version, locks, deadlock_free(), Verdict.HOLDS, SAME) for version in ("1.0", "(a)")],
    "slow": [Claim("L1", "1.1", locks, deadlock_free(), Verdict.HOLDS, SAME, slow=True)],
    "none": [],
}
'''


def written() -> dict:
    return json.loads(Path("out/matrix.json").read_text())


def ids() -> list[str]:
    return [claim["id"] for claim in written()["claims"]]
