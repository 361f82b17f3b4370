"""An interpreter is used only if, on it, no two program points were merged that we know how to tell apart.

What a suspended generator shows of itself is no promise of CPython's, and what is not seen is a false "holds": 3.15
put the position of a loop where the old way of looking did not reach. So neither the version nor the name of an
interpreter decides, but a trial of every trap (`traps.py`), once in each process that is to give an answer, before
the first one. A newer Python or another build that passes is used; one that fails is refused with one line. Only
implementations other than CPython are refused unseen: what is read there as an address may be none.

Two points of the same history must have the same key, too, or no loop would ever close. To refuse a value is no
failure: what cannot be compared is not merged. All of it takes 6 ms on CPython 3.11.
"""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Hashable, Iterator
from functools import cache, partial
from itertools import islice
from typing import Any

from simcore.errors import ModelError, SimcoreError
from simcore.kernel.freeze import Unfreezable, freeze
from simcore.kernel.traps import EXPRESSIONS, ITERATORS, LOOPS, walk
from simcore.kernel.traps_in_blocks import BLOCKS
from simcore.kernel.traps_in_statements import STATEMENTS


@cache
def try_interpreter() -> None:
    """Try all the traps, once.

    Raises
    ------
    SimcoreError
        When program points cannot be told apart on this interpreter.
    """
    if sys.implementation.name != "cpython":
        raise _refused(f"{sys.implementation.name} is not CPython")
    for failed in failures():
        raise _refused(failed)


def failures() -> Iterator[str]:
    """Yield what is not told apart on this interpreter, or cannot be read at all."""
    for name, make in LOOPS.items():
        if not _told_apart(partial(_positions, make)):
            yield f"the position of a loop, over: {name}"
    for name, make_iterator in ITERATORS.items():
        if not _told_apart(partial(_states, make_iterator)):
            yield f"the position of an iterator: {name}"
    for name, trap in (EXPRESSIONS | STATEMENTS | BLOCKS).items():
        if not _told_apart(partial(_either, trap)):
            yield f"what it holds in the middle of: {name}"


def _told_apart(keys: Callable[[], Iterator[Hashable]]) -> bool:
    """Tell whether the keys are all different, and the first one is the same each time."""
    try:
        found = list(keys())
        return len(set(found)) == len(found) and next(keys()) == found[0]
    except (Unfreezable, ModelError):
        return True
    except Exception:  # whatever goes wrong here is the interpreter's being another one than we know
        return False


def _positions(make: Callable[[], Any]) -> Iterator[Hashable]:
    generator = walk(make)
    return (freeze(generator) for _ in islice(generator, 2))  # a third one would only take longer


def _states(make: Callable[[], Iterator[Any]]) -> Iterator[Hashable]:
    iterator = make()
    yield freeze(iterator)
    next(iterator)
    yield freeze(iterator)


def _either(trap: Callable[[], Any]) -> Iterator[Hashable]:
    return (_given(trap, given) for given in (0, 1))


def _given(trap: Callable[[], Any], given: int) -> Hashable:
    generator = trap()
    next(generator)
    generator.send(given)
    try:
        return freeze(generator)
    finally:
        close(generator)


def close(generator: Any) -> None:
    """Leave it without a complaint, through the blocks that it is in."""
    for _ in range(3):
        with contextlib.suppress(Exception, BaseExceptionGroup):  # an except* puts the GeneratorExit in one
            generator.close()
            return


def _refused(why: str) -> SimcoreError:
    name = f"Python {sys.version.split()[0]}"
    return SimcoreError(f"simcore cannot read suspended generators on {name} ({why}); use CPython 3.11 to 3.15")
