"""A proof counts only where time can pass: whoever waits for it beside others that never stop moving is not forgotten.

Where time-outs fire, and sleeps end, only when nothing else can move, a process that always can move keeps them from
ever doing so, and what comes after them is never looked at. To call that *holds* would be wrong: in no machine does
time stand still. Whether it does is decided on the graph that the search has met.

Time *passes* in a state of which a time-out is a step. It *stands still* where no such state can be reached any more,
although a run goes on for ever and is weakly fair, and somebody waits for time on the way: in a strongly connected
component with a step inside it, from which time never passes, in some state of which somebody waits for time, and each
process is disabled in some state of which or takes a step inside it (as in `liveness.py`). Each part is needed:

* if time can pass later, it is looked at there what happens when it does: that others come first, even others that
  go round for a while, is the rule that was asked for ("a machine that is fast beside its time-outs");
* if no run goes round, everything else comes to rest, and then time passes, or nobody waits for it;
* if only an unfair run goes round, a step that was put off ends it, as where somebody polls what another one sets;
* if nobody waits for time there, nothing is kept from happening, as beside a server loop that nobody times.

Where it does, a violation that is told from what can never happen any more is none, if such a round can be reached from
there: what never moves or ends again may only be waiting for somebody who waits for time.

On a graph of representatives processes change their names along a round, so fairness cannot be told of those that are
interchangeable: where it matters, it is asked of the states themselves (`NamesMatter`). Where steps were left out
because order does not count, the round is there in some order: none is put off for ever (`partial_order.py`).
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator

from simcore.explore.graph import Graph
from simcore.kernel import Kernel, Packed


class Standstill:
    """Where a run goes round and somebody waits for time that cannot pass.

    Attributes
    ----------
    states : set of int
        The component.
    waiting, movers : set of int
        Processes that wait for time, and those that go round, by the names that representatives give them.
    starved : set of int
        Processes that could move all the time and never do: if there are any, the run is not fair.
    """

    def __init__(self, kernel: Kernel, states: list[Packed], graph: Graph, component: list[int]) -> None:
        self.states = inside = set(component)
        self.waiting: set[int] = set()
        self.movers: set[int] = set()
        self.starved = set(range(len(kernel.processes)))
        self._kernel = kernel
        for number in component:
            self.waiting |= {process for process in self.starved if kernel.waits_for_time(states[number], process)}
            self.movers |= {graph.processes[edge] for edge in graph.edges(number) if graph.targets[edge] in inside}
        self.starved -= self.movers
        for number in component:
            if not self.starved:
                break
            self.starved &= {choice.process for choice in kernel.successors(states[number])}

    def __str__(self) -> str:
        """Say who waits, who keeps it waiting, and what to do, in one line."""
        waiting, movers = self._names(self.waiting), self._names(self.movers)
        return (
            f"no time passes beside what never stops moving: {waiting} would wait for ever beside {movers}, so what "
            f"comes after that wait was not looked at; use timeouts='anytime' (--timeouts anytime), or put a sleep "
            f"into the loop of {movers}"
        )

    def _names(self, processes: set[int]) -> str:
        names = [self._kernel.processes[process].name for process in sorted(processes)]
        return ", ".join(names[:3]) + (f" and {len(names) - 3} others" if len(names) > 3 else "")


def standstills(kernel: Kernel, states: list[Packed], graph: Graph) -> Iterator[Standstill]:
    """Yield where time stands still, fair or not."""
    if kernel.timeouts == "anytime" or not kernel.timed_locals():
        return
    waits, passes = _waits_and_passes(kernel, states, graph)
    still = _never_reaching(graph, passes)
    if not any(wait and here for wait, here in zip(waits, still, strict=True)):
        return
    for component in _rounds(graph, still):
        if any(waits[number] for number in component):
            found = Standstill(kernel, states, graph, component)
            if found.waiting:
                yield found


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


def _waits_and_passes(kernel: Kernel, states: list[Packed], graph: Graph) -> tuple[bytearray, list[int]]:
    """Return where somebody may be waiting for time, and the states in which it passes."""
    timed = kernel.timed_locals()
    first, last = kernel.first_process, kernel.first_future
    waits, passes = bytearray(len(graph)), []
    for number in range(len(graph)):
        state = states[number]
        if timed.isdisjoint(state[first:last]):
            continue
        waits[number] = 1
        if any(kernel.takes_time(state, graph.processes[e], graph.outcomes[e]) for e in graph.edges(number)):
            passes.append(number)
    return waits, passes


def _never_reaching(graph: Graph, goals: list[int]) -> bytearray:
    """Return, for each state, whether no state of ``goals`` can be reached from it."""
    size = len(graph)
    before: list[array[int]] = [array("I") for _ in range(size)] if goals else []
    for source in range(size) if goals else ():
        for target in graph.successors(source):
            before[target].append(source)
    left = bytearray(b"\1" * size)
    stack = list(goals)
    for goal in goals:
        left[goal] = 0
    while stack:
        for source in before[stack.pop()]:
            if left[source]:
                left[source] = 0
                stack.append(source)
    return left


def _rounds(graph: Graph, inside: bytearray) -> Iterator[list[int]]:
    """Yield the strongly connected components of ``inside`` that have a step in them (Tarjan, 1972)."""
    number, low, count = array("q", [0]) * len(graph), array("q", [0]) * len(graph), 0
    path: list[int] = []
    on_path = bytearray(len(graph))
    for root in range(len(graph)):
        if not inside[root] or number[root]:
            continue
        count = _enter(root, number, low, count, path, on_path)
        calls = [(root, iter(graph.successors(root)))]
        while calls:
            state, rest = calls[-1]
            following = next((each for each in rest if inside[each] and (not number[each] or on_path[each])), None)
            if following is None:
                calls.pop()
                if calls:
                    low[calls[-1][0]] = min(low[calls[-1][0]], low[state])
                if low[state] == number[state]:
                    component = _leave(state, path, on_path)
                    if len(component) > 1 or state in graph.successors(state):
                        yield component
            elif number[following]:
                low[state] = min(low[state], number[following])
            else:
                count = _enter(following, number, low, count, path, on_path)
                calls.append((following, iter(graph.successors(following))))


def _enter(state: int, number: array[int], low: array[int], count: int, path: list[int], on_path: bytearray) -> int:
    number[state] = low[state] = count + 1
    path.append(state)
    on_path[state] = 1
    return count + 1


def _leave(state: int, path: list[int], on_path: bytearray) -> list[int]:
    component = []
    while on_path[state]:
        component.append(path.pop())
        on_path[component[-1]] = 0
    return component
