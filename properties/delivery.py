"""What was sent is what was received: looked at in the results of processes that have returned.

A receiver returns the tuple of the numbers it was given, 0 for the first; the properties compare that with
the numbers from 0 to ``count - 1``. Who has not returned yet is not judged here: see `completes`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from simcore import ModelError, Property, State, always
from simcore.properties.completion import family


def in_order(name: str, count: int) -> Property:
    """Require that whoever has returned was given 0, 1, ..., ``count - 1`` in this order.

    An invariant. It comes from the streams of NVFlare, whose frames carry a sequence number each, and where a
    frame that overtakes another one is an error that ends the stream.

    Parameters
    ----------
    name : str
        A process, or a family of processes ``name[...]``, that returns what it received as a tuple.
    count : int
        How many were sent to each.

    Raises
    ------
    ModelError
        While exploring, when the model has no such process, or one returned something else than a tuple.
    """
    return _received(name, lambda numbers: numbers == tuple(range(count)), f"{name} receives 0 to {count - 1} in order")


def nothing_lost_or_duplicated(name: str, count: int) -> Property:
    """Require that whoever has returned was given each of 0, 1, ..., ``count - 1`` once, in any order.

    An invariant, weaker than `in_order`: for receivers fed by several senders or pool workers. It comes from the
    report NVFlare #4171, where a download counts only if every one of its chunks arrived with the right bytes.

    Parameters
    ----------
    name : str
        A process, or a family of processes ``name[...]``, that returns what it received as a tuple.
    count : int
        How many were sent to each.

    Raises
    ------
    ModelError
        While exploring, when the model has no such process, or one returned something else than a tuple.
    """
    whole = f"{name} receives each of 0 to {count - 1} once"
    return _received(name, lambda numbers: sorted(numbers) == list(range(count)), whole)


def _received(name: str, right: Callable[[tuple[Any, ...]], bool], says: str) -> Property:
    return always(
        lambda state: all(right(numbers) for numbers in _results(state, name)),
        says,
        premise=lambda state: any(process.done for process in family(state, name)),
    )


def _results(state: State, name: str) -> Iterator[tuple[Any, ...]]:
    for process in family(state, name):
        if not process.done:
            continue
        if not isinstance(process.result, tuple):
            raise ModelError(
                f"process {process.name!r} returned {process.result!r}; to be judged by what it received it must "
                f"return that as a tuple of numbers"
            )
        yield process.result
