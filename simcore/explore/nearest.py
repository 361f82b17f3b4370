"""The schedule into a hang is called shortest only if nobody is lost in any state that is nearer.

Somebody is *lost* where no run lets him move again. A search reports that where it shows: in a state without steps,
or where a knot has closed that can be proved (`knot.py`). Everybody may have been lost long before. An event is set
and cleared again while its waiter was not yet there, and he seems to wait for what goes on; two downloads wait for
ever from the moment in which the second one is queued behind the first, and the workers still go on to the knot.
"Shortest" without a word more is a claim about all nearer states, and is made where it is seen to be true:

from a state from which a **clear** one can be reached, in which whoever must finish and has not can move, nobody is
lost, as on the way there everybody has moved, or stands where he stood and can move now. That is asked of
representatives, too: it names nobody (`lost.py` uses it in the same way). Nearly always the clear state lies among
those that the search has met; the states without one are *doubtful*. They are looked at once more, for one in which it
shows (`first_stuck`), which makes "shortest to where it shows" true. From a few of them a bounded search looks for a
clear state. Where that finds none, or there are too many, the words stay at what is known.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Sequence

from simcore.explain import Knots, reach
from simcore.explore.graph import Graph, never_reaching
from simcore.kernel import Kernel, Packed

MOST_NEARER = 10_000  # met by the search; beyond it the question takes longer than its answer is worth
MOST_ASKED = 5_000  # of them, in which somebody may be lost
_BUDGET = 2_000  # states looked at beyond those
_MOST_DOUBTFUL = 100  # states for which they are


def doubtful(kernel: Kernel, states: Sequence[Packed], graph: Graph, near: int) -> list[int]:
    """Return those of the first ``near`` states from which the graph leads to no state that is clear.

    Parameters
    ----------
    states, graph
        What a breadth-first search has met; the edges are there at least of those states, and all of each.
    near : int
        The number of states that are nearer than the violation.
    """
    expanded = len(graph)
    clear = [n for n, s in enumerate(states) if is_clear(kernel, s, graph.movers(n) if n < expanded else None)]
    left = never_reaching(graph, clear, len(states))
    return [number for number in range(near) if left[number]]


def first_stuck(kernel: Kernel, knots: Knots, states: Sequence[Packed], seem_lost: Iterable[int]) -> int | None:
    """Return the first of ``seem_lost`` states in which it shows that somebody waits for ever; None without one.

    A search asks about those who have just begun to wait. A knot may close, too, because somebody else has taken
    another way and will not do any more what he might have done.
    """
    return next((number for number in seem_lost if shows(kernel, knots, states[number])), None)


def shows(kernel: Kernel, knots: Knots, state: Packed) -> bool:
    """Tell whether it shows in ``state`` that somebody waits for ever: a report must be able to say why.

    It is not enough that a search of all that follows would find it out (`Knots.explained`). Where a stalled stream
    is queued for the only worker, whoever waits for a later stream is lost, and nothing in that state says so; what
    the report is about is the worker that stands in the socket, some steps later.
    """
    choices = kernel.successors(state)
    return knots.stuck(state, choices) and (not choices or knots.explained(state))


def nobody_lost(
    kernel: Kernel, canonical: Callable[[Packed], Packed], states: Sequence[Packed], seem_lost: Sequence[int]
) -> bool:
    """Tell whether it is known that nobody is lost in any of the states in which somebody seems to be."""
    return len(seem_lost) <= _MOST_DOUBTFUL and all(
        reach(kernel, states[number], lambda state: is_clear(kernel, state), _BUDGET, None, canonical)
        for number in reversed(seem_lost)
    )


def is_clear(kernel: Kernel, state: Packed, movers: Container[int] | None = None) -> bool:
    """Tell whether everybody who must finish and has not can move, or will when nothing else can.

    ``movers`` are the processes that have a step, where they are known.
    """
    if movers is None:
        movers = {choice.process for choice in kernel.successors(state)}
    waiting, _ = kernel.waiting(state, movers)
    return not any(waiting >> p.index & 1 and kernel.process_state(state, p.index).owes for p in kernel.processes)
