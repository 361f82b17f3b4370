"""Models whose verdict at each size is known beforehand, and sweeps that were never explored."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Mapping
from itertools import product
from pathlib import Path
from typing import Any

from simcore import Model, Sweep, Verdict
from simcore.sizes import Cell


def of_two(hangs: bool) -> Model:
    """Two processes that take two locks, in opposite orders where that hangs."""
    model = Model("two locks")
    a, b = model.lock("a"), model.lock("b")

    def take(first: Any, second: Any) -> Any:
        yield first.acquire()
        yield second.acquire()
        yield second.release()
        yield first.release()

    model.process("left", take, a, b)
    model.process("right", take, *((b, a) if hangs else (a, b)))
    return model


def below(*, workers: int = 1, tasks: int = 1) -> Model:
    """Hangs where workers <= tasks."""
    return of_two(workers <= tasks)


def band(*, n: int = 1, other: int = 1) -> Model:
    """Hangs for n from 5 to 8, which is not monotone."""
    return of_two(5 <= n <= 8)


def not_built(*, workers: int = 1, tasks: int = 1) -> Model:
    """A model that wants a worker at least."""
    if workers < 1:
        raise ValueError("a pool without workers")
    return of_two(workers <= tasks)


def killed(*, n: int = 1, at: int = 3, times: int = 99, marks: str = "") -> Model:
    """Kills its own process at one size, so many times; ``marks`` is a folder in which that is counted."""
    if n == at:
        begun = len(list(Path(marks).iterdir()))
        if begun < times:
            (Path(marks) / str(begun)).touch()
            os.kill(os.getpid(), signal.SIGKILL)
    return of_two(n < 3)


def marked(*, n: int = 1, marks: str = "", wait: float = 0.0) -> Model:
    """Leaves a file for each time that a size is built, and waits for something that takes as long."""
    for attempt in range(100):
        try:
            (Path(marks) / f"{n}.{attempt}").touch(exist_ok=False)
            break
        except FileExistsError:
            continue
    time.sleep(wait)
    return of_two(n < 3)


def cells(verdict: Callable[..., Verdict | bool], **values: Any) -> list[Cell]:
    """Return the cells of a grid as if they had been explored: violated where ``verdict`` says so or is true."""
    found = []
    for chosen in product(*values.values()):
        parameters = dict(zip(values, chosen, strict=True))
        said = verdict(**parameters)
        if isinstance(said, bool):
            said = Verdict.VIOLATED if said else Verdict.HOLDS
        found.append(Cell(parameters, said, hangs=said is Verdict.VIOLATED))
    return found


def swept(verdict: Callable[..., Verdict | bool], fixed: Mapping[str, Any] | None = None, **values: Any) -> Sweep:
    """Return a sweep of these cells."""
    given = {name: tuple(each) for name, each in values.items()}
    return Sweep("known:model", tuple(cells(verdict, **given)), given, fixed or {}, ("deadlock free",), "when_stuck")
