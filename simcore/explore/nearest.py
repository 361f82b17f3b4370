"""The schedule into a hang is called shortest only if nobody is lost in any state that is nearer.

Somebody is *lost* where no run lets him move again. A search reports that where it shows: in a state without steps,
or where a knot has closed that can be proved (`knot.py`). Everybody may have been lost long before. An event is set
and cleared again while its waiter was not yet there, and he seems to wait for what goes on; two downloads wait for
ever from the moment in which the second one is queued behind the first, and the workers still go on to the knot. So
the search looks once more at all nearer states for one in which it shows (`first_stuck`), and then "shortest to
where it shows" is true. "Shortest" without a word more is a claim about all nearer states, and is made where it is
seen to be true:

from a state from which a **clear** one can be reached, in which whoever must finish and has not can move, nobody is
lost, as on the way there everybody has moved, or stands where he stood and can move now. That is asked of
representatives, too: it names nobody (`lost.py` uses it in the same way). Nearly always the clear state lies among
those that the search has met; from those of the others a bounded search looks for one. Where that finds none the
words stay at what is known.
"""

from __future__ import annotations

from collections.abc import Callable

from simcore.explain import Knots, reach
from simcore.explore.graph import Graph
from simcore.kernel import Kernel, Packed

MOST_NEARER = 50_000  # met by the search; beyond it the question takes longer than its answer is worth
_BUDGET = 2_000  # states looked at beyond those
_MOST_DOUBTFUL = 100  # states for which they are


def first_stuck(kernel: Kernel, knots: Knots, states: list[Packed], near: int) -> int | None:
    """Return the first of ``near`` states in which it shows that somebody waits for ever; None without one.

    A search asks about those who have just begun to wait. A knot may close, too, because somebody else has taken
    another way and will not do any more what he might have done.
    """
    stuck = (number for number in range(near) if knots.stuck(states[number], kernel.successors(states[number])))
    return next(stuck, None)


def nobody_lost(
    kernel: Kernel, canonical: Callable[[Packed], Packed], states: list[Packed], graph: Graph, near: int
) -> bool:
    """Tell whether it is known that nobody is lost in any of the first ``near`` states.

    Parameters
    ----------
    states, graph
        What a breadth-first search has met; the edges are there at least of those states.
    near : int
        The number of states that are nearer than the violation.
    """
    if len(states) > MOST_NEARER:
        return False
    doubtful = _doubtful(kernel, states, graph, near)
    if len(doubtful) > _MOST_DOUBTFUL:
        return False
    return all(
        reach(kernel, states[number], lambda state: is_clear(kernel, state), _BUDGET, None, canonical)
        for number in reversed(doubtful)
    )


def is_clear(kernel: Kernel, state: Packed) -> bool:
    """Tell whether everybody who must finish and has not can move, or will when nothing else can."""
    waiting, _ = kernel.waiting(state, {choice.process for choice in kernel.successors(state)})
    return not any(waiting >> p.index & 1 and kernel.process_state(state, p.index).owes for p in kernel.processes)


def _doubtful(kernel: Kernel, states: list[Packed], graph: Graph, near: int) -> list[int]:
    """Return those of the first ``near`` states from which the graph leads to no state that is clear."""
    before: list[list[int]] = [[] for _ in states]
    for state in range(len(graph)):
        for target in graph.successors(state):
            before[target].append(state)
    reached = [number for number, state in enumerate(states) if is_clear(kernel, state)]
    good = set(reached)
    while reached:
        for state in before[reached.pop()]:
            if state not in good:
                good.add(state)
                reached.append(state)
    return [number for number in range(near) if number not in good]
