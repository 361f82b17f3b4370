"""What somebody waits for is given once."""

from __future__ import annotations

from collections.abc import Iterator

from simcore import Property, State, always
from simcore.model.objects import Future
from simcore.model.operations import Raised


def resolved_once() -> Property:
    """Require that nobody sets the result of a future that has a result already.

    An invariant over attempts, as a future keeps its first outcome anyway. A future that has failed may be set: that
    is how whoever finishes late learns that it is too late. It comes from NVFlare's `StreamFuture`, which a reader
    resolves with the bytes of a stream.
    """

    def once(state: State) -> bool:
        for future in _resolving(state):
            value = state.values[future]
            if value.done and not isinstance(value.result, Raised):  # type: ignore[attr-defined]
                return False
        return True

    return always(
        once,
        "a future is resolved at most once with a value",
        premise=lambda state: any(True for _ in _resolving(state)),
    )


def _resolving(state: State) -> Iterator[Future]:
    """Yield each future that somebody is about to give a result to."""
    for process in state.processes:
        operation = process.operation
        if operation is not None and isinstance(operation.target, Future) and operation.name == "set_result":
            yield operation.target
