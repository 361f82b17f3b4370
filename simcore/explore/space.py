"""What a search has met: numbers for states, in the order in which they came, and what is known of each."""

from __future__ import annotations

from array import array
from dataclasses import dataclass, field
from typing import Any

from simcore.explore.graph import Graph
from simcore.kernel import Packed


@dataclass
class Space:
    """What a search has met: each state once, where it came from, and the edges of those expanded."""

    states: list[Packed] = field(default_factory=list)
    index: dict[Packed, int] = field(default_factory=dict)
    depths: array[int] = field(default_factory=lambda: array("I"))
    parents: array[int] = field(default_factory=lambda: array("q"))
    marks: list[tuple[int, int]] = field(default_factory=list)
    graph: Graph = field(default_factory=Graph)
    expanded: array[int] = field(default_factory=lambda: array("I"))
    done: bytearray = field(default_factory=bytearray)

    def add(self, state: Packed, parent: int, mark: tuple[int, int] = (0, 0)) -> int:
        """Remember a new state and return its number."""
        number = self.index[state] = len(self.states)
        self.states.append(state)
        self.parents.append(parent)
        self.depths.append(self.depths[parent] + 1 if parent >= 0 else 0)
        self.marks.append(mark)
        self.done.append(0)
        return number

    def take_back(self) -> None:
        """Forget the steps of a state that a limit came in between of; it is the next one to expand."""
        number, graph = len(self.expanded), self.graph
        if number == len(self.states) or not self.done[number]:
            return
        self.done[number] = 0
        while len(self.states) > 1 and self.parents[-1] == number:
            del self.index[self.states.pop()]
            for column in (self.parents, self.depths, self.marks, self.done):
                column.pop()
        for edges in (graph.targets, graph.processes, graph.outcomes):
            del edges[graph.starts[-1] :]

    @property
    def depth(self) -> int:
        """The steps from the initial state to the farthest."""
        return max(self.depths, default=0)

    @property
    def transitions(self) -> int:
        """The number of edges."""
        return len(self.graph.targets)

    @property
    def covered(self) -> int:
        """All states that are at most so many steps from the initial one have been expanded; -1 when not even that."""
        return self.depths[len(self.graph)] - 1 if len(self.graph) < len(self.states) else self.depth

    @property
    def omission(self) -> float:
        """A bound on the probability that a state was omitted."""
        return 0.0

    @property
    def notes(self) -> tuple[str, ...]:
        """What a report should say about how the states are kept."""
        return ()

    def forward(self) -> bool:
        """Tell whether every step leads to a state with a higher number; then no run goes round."""
        return self.graph.forward()

    def deepen(self, search: Any, distance: int) -> None:
        """Expand the states nearer than ``distance``, without looking at them."""
        for number in range(len(self.graph), len(self.states)):
            if self.depths[number] >= distance:
                break
            self.marks[number] = (0, 0)  # nobody has looked who waits here
            search.follow(self, number, search.kernel.successors(self.states[number]), [])
