"""The command line and what it printed, and the systems that it is tried on."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).parents[2]
SIMCORE = shutil.which("simcore", path=str(Path(sys.executable).parent))
BUGGY = ("simcore.models.pool_starvation:buggy", "-p", "downloads=2", "-p", "workers=2")
CERTAIN = ("simcore.models.pool_starvation:buggy", "-p", "downloads=1", "-p", "workers=1")
FIXED = ("simcore.models.download_path:fixed", "-p", "downloads=2", "-p", "workers=2")
FREE = ("simcore.models.pool_starvation:buggy", "-p", "downloads=1", "-p", "workers=2")

SYSTEMS = '''
"""Systems for the command line."""
from simcore import Model, always, sleep

def locks(*, opposed: bool = True) -> Model:
    """Two locks."""
    model = Model("two locks")
    a, b = model.lock("a"), model.lock("b")

    def take(first, second):
        yield first.acquire()
        yield second.acquire()
        yield second.release()
        yield first.release()

    model.process("left", take, a, b)
    model.process("right", take, *((b, a) if opposed else (a, b)))
    return model

def one(name):
    model = Model(name)
    lock = model.lock("lock")

    def process():
        yield lock.acquire()

    model.process("only", process)
    return model

def typed(*, n: int = 1, x: float = 1.0, b: bool = False, t: str = "text") -> Model:
    return one(f"{n!r} {x!r} {b!r} {t!r}")

def needs(n, m=2) -> Model:
    return one("needs a parameter")

def many(*args, **more) -> Model:
    return one(f"many {sorted(more.items())}")

def nothing() -> Model:
    return None

def divides() -> Model:
    return 1 / 0

def ranges(*, n=3) -> Model:
    model = Model("ranges")
    for number in range(n):
        model.lock(f"lock {number}")
    return model

def leaves() -> Model:
    raise SystemExit(0)

def dies() -> Model:
    model = Model("dies")
    lock = model.lock("lock")

    def process():
        yield lock.acquire()
        raise ValueError("of a bad value")

    model.process("victim", process)
    return model

def endless() -> Model:
    model = Model("endless")
    numbers = model.queue("numbers")

    def count():
        while True:
            yield numbers.put(0)

    model.process("count", count)
    return model

def beside_a_heartbeat() -> Model:
    model = Model("beside a heartbeat")
    lock = model.lock("lock")

    def twice():
        yield lock.acquire()
        yield lock.acquire()

    def beat():
        while True:
            yield sleep(1)

    model.process("victim", twice)
    model.process("heart", beat, daemon=True)
    return model

def slow() -> Model:
    model = Model("slow")

    def nap():
        yield sleep(60)

    for name in ("a", "b"):
        model.process(name, nap)
    return model

def waits(*, timeout: float = 0.01) -> Model:
    model = Model("waits")
    never = model.event("never")

    def wait():
        yield never.wait(timeout=timeout)

    model.process("waiter", wait)
    return model

def broken(state):
    return state["lock"].no_such_thing

def of_locks():
    return always(broken, "of locks")

def of_nothing(argument):
    return 3
'''


class Run(NamedTuple):
    status: int
    out: str
    err: str

    @property
    def object(self):
        """The only thing printed is one JSON object."""
        found = json.loads(self.out, parse_constant=lambda name: pytest.fail(f"{name} is not JSON"))
        assert isinstance(found, dict)
        return found


def assert_one_line(run: Run, *words: str) -> None:
    assert run.status == 2, run
    assert run.out == ""
    assert run.err.startswith("simcore: "), run.err
    assert run.err.count("\n") == 1, run.err
    assert "Traceback" not in run.err
    for word in words:
        assert word in run.err


def token_of(simcore, *model: str) -> str:
    return simcore("explore", *model, "--json").object["token"]
