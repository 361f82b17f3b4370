"""The graph of all states is five flat arrays, and a search only ever appends to them.

Nothing here asks a question about whole runs (`liveness.py`, `lost.py`) but one that the numbers of the states
answer by themselves: where every step leads to a state that was met later, no run goes round. How what follows one
state becomes a graph, and which states lead to which, is the same for whoever asks.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass, field
from itertools import chain, repeat
from operator import lt, sub
from typing import TypeVar

State = TypeVar("State", bound=Hashable)

Path = list[tuple[int, int]]
"""Steps as pairs (process, outcome)."""


@dataclass(frozen=True)
class Lasso:
    """A run for ever: ``prefix``, then ``cycle`` again and again; an empty cycle stays in the last state.

    ``state`` is the last one of the prefix, which the cycle comes back to.
    """

    prefix: Path
    cycle: Path
    state: int


@dataclass
class Graph:
    """All states that a search has expanded, as flat arrays.

    State ``s`` has the edges ``starts[s]`` to ``starts[s + 1]``; edge ``e`` is a step of process
    ``processes[e]``, outcome ``outcomes[e]``, to state ``targets[e]``.
    """

    starts: array[int] = field(default_factory=lambda: array("Q", [0]))
    targets: array[int] = field(default_factory=lambda: array("I"))
    processes: array[int] = field(default_factory=lambda: array("H"))
    outcomes: array[int] = field(default_factory=lambda: array("H"))

    def __len__(self) -> int:
        return len(self.starts) - 1

    def edges(self, state: int) -> range:
        """Return the numbers of the edges that leave ``state``."""
        return range(self.starts[state], self.starts[state + 1])

    def successors(self, state: int) -> array[int]:
        """Return the states that follow ``state``."""
        return self.targets[self.starts[state] : self.starts[state + 1]]

    def movers(self, state: int) -> array[int]:
        """Return the processes that take the steps of ``state``."""
        return self.processes[self.starts[state] : self.starts[state + 1]]

    def steps(self, edges: Iterable[int]) -> Path:
        """Return the steps that ``edges`` stand for."""
        return [(self.processes[edge], self.outcomes[edge]) for edge in edges]

    def ends(self) -> list[int]:
        """Return the states without steps."""
        return [state for state in range(len(self)) if self.starts[state] == self.starts[state + 1]]

    def forward(self) -> bool:
        """Tell whether every edge leads to a state with a higher number, so that the graph has no cycle.

        A breadth-first search numbers states by their distance. Where all ways to a state have the same length, as
        they have when every step counts towards the end, this settles what `liveness.acyclic` decides in general.
        """
        lengths = map(sub, self.starts[1:], self.starts)
        sources = chain.from_iterable(map(repeat, range(len(self)), lengths))
        return all(map(lt, sources, self.targets))

    def arranged(self, order: Sequence[int]) -> Graph:
        """Return the graph of a search that expanded its states in ``order``, row by row, with rows by state."""
        graph = Graph()
        rows = {state: row for row, state in enumerate(order)}
        for state in range(len(order)):
            edges = self.edges(rows[state])
            graph.targets.extend(self.targets[edges.start : edges.stop])
            graph.processes.extend(self.processes[edges.start : edges.stop])
            graph.outcomes.extend(self.outcomes[edges.start : edges.stop])
            graph.starts.append(len(graph.targets))
        return graph


def all_from(
    start: State, after: Callable[[State], Iterable[tuple[int, int, State]]], most: int | None = None
) -> tuple[list[State], Graph] | None:
    """Return all that ``start`` leads to, the nearest first, and every step; None for more than ``most`` states.

    Parameters
    ----------
    after : function
        Gives the steps of a state: process, outcome, and the state that it leads to.
    """
    states, numbers, graph = [start], {start: 0}, Graph()
    for state in states:  # it grows
        for process, outcome, following in after(state):
            if following not in numbers:
                if most is not None and len(states) >= most:
                    return None
                numbers[following] = len(states)
                states.append(following)
            graph.targets.append(numbers[following])
            graph.processes.append(process)
            graph.outcomes.append(outcome)
        graph.starts.append(len(graph.targets))
    return states, graph


def never_reaching(graph: Graph, goals: Iterable[int], size: int) -> bytearray:
    """Return, for each of ``size`` states, whether no state of ``goals`` can be reached from it.

    The graph may have the edges of the first states alone.
    """
    left, stack = bytearray(b"\1" * size), list(goals)
    before: list[array[int]] = [array("I") for _ in range(size)] if stack else []
    for source in range(len(graph)) if stack else ():
        for target in graph.successors(source):
            before[target].append(source)
    for goal in stack:
        left[goal] = 0
    while stack:
        for source in before[stack.pop()]:
            if left[source]:
                left[source] = 0
                stack.append(source)
    return left
