"""A proof counts only where time can pass: whoever waits for it beside others that never stop moving is not forgotten.

Where time-outs fire, and sleeps end, only when nothing else can move, a process that always can move keeps them from
ever doing so, and what comes after them is never looked at. To call that *holds* would be wrong: in no machine does
time stand still. Whether it does is decided on the graph that the search has met.

Time *passes* in a state of which a time-out is a step. It *stands still* for a process that waits for it where no such
state can be reached any more, although a weakly fair run goes on for ever in which the process takes no step: in a
strongly connected component of the steps of others, from which time never passes, in all states of which the process is
in one wait with a limit, in some of which it is blocked, and in which each of the others is disabled in some state or
takes a step inside (as in `liveness.py`). Each part is needed:

* if time can pass later, it is looked at there what happens when it does: that others come first, even others that
  go round for a while, is the rule that was asked for ("a machine that is fast beside its time-outs");
* if no run goes round, everything else comes to rest, and then time passes, or nobody waits for it;
* if only an unfair run goes round, a step that was put off ends it, as where somebody polls what another one sets;
* if the run goes round only as long as a `choose` is answered in one way, it ends, as a stream of any number of chunks
  does: of several outcomes of one operation each must lead back into the component;
* if the process itself moves on each round, each of its waits is ended in no time, as on a fast machine, though the run
  has no end: a client that is answered each time needs no time-out;
* if nobody waits for time there, nothing is kept from happening, as beside a server loop that nobody times.

Where it does, a violation that is told from what can never happen any more is none, if such a round can be reached from
there: what never moves or ends again may only be waiting for somebody who waits for time.

On a graph of representatives processes change their names along a round, so neither who takes no step nor who is
treated fairly can be told of those that are interchangeable: where it matters, it is asked of the states themselves
(`NamesMatter`). Where steps were left out because order does not count, the round is there in some order: none is put
off for ever (`partial_order.py`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

from simcore.explain import Knots, components
from simcore.explore.graph import Graph, all_from, never_reaching
from simcore.kernel import SLEEPS, Kernel, Packed

_Who = tuple[int, set[int]]
"""A process that waits, and the steps that cannot be taken again and again."""


class Standstill:
    """Where a run goes round while a process waits for time that cannot pass.

    Attributes
    ----------
    process : int
        Who waits.
    states : set of int
        The component.
    movers : set of int
        Who goes round.
    starved : set of int
        Processes that could move all the time and never do: if there are any, the run is not fair.
    """

    def __init__(self, kernel: Kernel, states: list[Packed], graph: Graph, component: list[int], who: _Who) -> None:
        process, left_out = self.process, _ = who
        self.states = set(component)
        inner = [e for number in component for e in graph.edges(number) if graph.targets[e] in self.states]
        self.movers = {graph.processes[edge] for edge in inner if edge not in left_out} - {process}
        self.starved = set(range(len(kernel.processes))) - self.movers - {process}
        for number in component:
            if not self.starved:
                break
            self.starved &= {choice.process for choice in kernel.successors(states[number])}


def told(kernel: Kernel, found: list[Standstill]) -> str:
    """Say who waits, who keeps it waiting, and what to do, in one line."""
    waiting = _names(kernel, {each.process for each in found})
    movers = _names(kernel, set().union(*(each.movers for each in found)))
    return (
        f"no time passes beside what never stops moving: {waiting} would wait for ever beside {movers}, so what "
        f"comes after that wait was not looked at; use `timeouts='anytime'`, or put a sleep "
        f"into the loop of {movers}"
    )


def _names(kernel: Kernel, processes: set[int]) -> str:
    names = [kernel.processes[process].name for process in sorted(processes)]
    others = f" and {len(names) - 3} other{'s' * (len(names) > 4)}" if len(names) > 3 else ""
    return ", ".join(names[:3]) + others


def standstills(
    kernel: Kernel, states: list[Packed], graph: Graph, renamed: Callable[[int], bool]
) -> Iterator[Standstill]:
    """Yield where time stands still for somebody, whether the run that goes round is fair or not.

    One who is ``renamed`` is taken to wait wherever somebody in its place does, even if it moves in between.
    """
    timed = timed_locals(kernel)
    still = never_reaching(graph, _passing(kernel, states, graph, timed), len(graph))
    for process in range(len(kernel.processes)):
        place = kernel.first_process + process
        inside = bytearray(here and states[number][place] in timed for number, here in enumerate(still))
        if not any(inside):
            continue
        alike = renamed(process)
        lasting, left_out = _lasting(graph, still if alike else inside, -1 if alike else process)
        for component in lasting:
            if any(_waits_for_time(kernel, states[number], process) for number in component if inside[number]):
                yield Standstill(kernel, states, graph, component, (process, left_out))


def stands_still(kernel: Kernel, start: Packed) -> bool:
    """Tell whether time may stand still for somebody from ``start`` on; all that can be reached from there is met."""
    if kernel.timeouts == "anytime" or not timed_locals(kernel):
        return False
    found = all_from(start, kernel.successors)
    assert found is not None  # without a limit
    states, graph = found
    return not graph.forward() and any(standstills(kernel, states, graph, lambda _: False))


def new_knots(kernel: Kernel) -> Knots:
    """Return what finds processes that can never move again, and has judged nothing yet."""
    return Knots(kernel, partial(stands_still, kernel))


def can_reach(graph: Graph, start: int, goals: set[int]) -> bool:
    """Tell whether a run from ``start`` can come to one of ``goals``."""
    seen, stack = {start}, [start]
    while stack:
        state = stack.pop()
        if state in goals:
            return True
        new = set(graph.successors(state)) - seen
        seen |= new
        stack += new
    return False


def timed_locals(kernel: Kernel) -> frozenset[int]:
    """Return what a process is in while it may wait for time: a sleep, and any limit unless none is ever met."""
    limited = (
        (n, about) for n in range(len(kernel.locals)) if (about := kernel.about(n)) is not None and about.timeout
    )
    return frozenset(number for number, about in limited if kernel.timeouts != "never" or about.name in SLEEPS)


def _waits_for_time(kernel: Kernel, state: Packed, process: int) -> bool:
    """Tell whether ``process`` can do nothing in ``state``, and could once time has passed."""
    return kernel.may_expire(state, process) and not kernel.moves(state, process)


def _passing(kernel: Kernel, states: list[Packed], graph: Graph, timed: frozenset[int]) -> list[int]:
    """Return the states in which time passes."""
    first, last = kernel.first_process, kernel.first_future
    some = [number for number in range(len(graph)) if not timed.isdisjoint(states[number][first:last])]
    steps = graph.processes, graph.outcomes
    return [n for n in some if any(kernel.takes_time(states[n], *(s[e] for s in steps)) for e in graph.edges(n))]


def _lasting(graph: Graph, inside: bytearray, without: int) -> tuple[list[list[int]], set[int]]:
    """Return the components of ``inside`` in which a run may stay, and the steps that it takes only so often.

    Each choice is made each way in the end.
    """
    left_out: set[int] = set()
    while True:
        lasting = list(_rounds(graph, inside, without, left_out))
        leaving = set().union(*(_leaving(graph, set(component), without) for component in lasting)) - left_out
        if not leaving:
            return lasting, left_out
        left_out |= leaving


def _leaving(graph: Graph, component: set[int], without: int) -> set[int]:
    """Return the steps of ``component`` of which another outcome leads out of it."""
    found: set[int] = set()
    for state in component:
        outcomes: dict[int, list[int]] = {}
        for edge in graph.edges(state):
            outcomes.setdefault(graph.processes[edge], []).append(edge)
        for process, edges in outcomes.items():
            if process != without and not all(graph.targets[edge] in component for edge in edges):
                found.update(edges)
    return found


def _rounds(graph: Graph, inside: bytearray, without: int, left_out: set[int]) -> Iterator[list[int]]:
    """Yield the strongly connected components of ``inside`` that have a step in them.

    Steps of the process ``without``, and those of ``left_out``, do not count.
    """

    def after(state: int) -> Iterator[int]:
        edges = (edge for edge in graph.edges(state) if graph.processes[edge] != without and edge not in left_out)
        return (graph.targets[edge] for edge in edges)

    for component in components(inside, after):
        if len(component) > 1 or component[0] in after(component[0]):
            yield component
