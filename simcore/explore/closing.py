"""Why somebody can never move again is told where it shows: where the knot closes, which may be steps later.

On the whole graph (`lost.py`) a process is found in the first state from which no run lets it move again. Often nothing
in that state says why: whoever waits for a task that is queued before two workers is lost while both still run, if each
of them is going to wait for the other. So the run is followed on, by a shortest way, to a state in which it shows:

* everybody whom the process waits for, directly or not, can never move again either, so that the wait-for graph of that
  state has the whole reason in it; or
* whatever follows, nobody else who must finish gets stuck any more, so that no later state can say more. There always
  is such a state, and it is where guesses about who might help never end.

All that follows the state is looked at, within a budget; beyond it the state itself is what is reported.
"""

from __future__ import annotations

from functools import cached_property

from simcore.explain import history_of, wait_for_graph
from simcore.explore.graph import Graph, Path, all_from
from simcore.explore.lost import reached
from simcore.kernel import Kernel, Packed

_BUDGET = 20_000  # states


def way_on(kernel: Kernel, path: Path, process: int) -> Path:
    """Return the steps, after ``path``, to the nearest state in which it shows why ``process`` never moves again.

    No steps where that is the end of ``path``, where the process goes on to move, or where the budget is used up.
    """
    found = all_from(history_of(kernel, path)[0], kernel.successors, _BUDGET)
    if found is None:
        return []
    after = _After(kernel, path, process, *found)
    return next((after.way(number) for number in range(len(after.states)) if after.shows(number)), [])


class _After:
    """All that follows a state in which a process is lost; nearer states come first."""

    def __init__(self, kernel: Kernel, path: Path, process: int, states: list[Packed], graph: Graph) -> None:
        self.kernel, self.path, self.process = kernel, path, process
        self.states, self._graph = states, graph
        self._met_by = [(0, -1)]  # of each state: another one, and its edge to it
        for source in range(len(graph)):
            for edge in graph.edges(source):
                if graph.targets[edge] == len(self._met_by):
                    self._met_by.append((source, edge))

    def way(self, number: int) -> Path:
        """Return the steps to one of the states."""
        edges = []
        while number:
            number, edge = self._met_by[number]
            edges.append(edge)
        return self._graph.steps(reversed(edges))

    def shows(self, number: int) -> bool:
        """Tell whether it shows in a state why the process never moves again."""
        stuck = self._stuck[number]
        if not stuck >> self.process & 1 or self.kernel.failed(self.states[number]) is not None:
            return False
        if self._owing(number) == self._owing_later[number]:
            return True
        return (not number or stuck != self._stuck[self._met_by[number][0]]) and self._closed(number)

    @cached_property
    def _stuck(self) -> list[int]:
        """For each state, who waits in it and can never move again, as bits."""
        movers = self._graph.movers
        waiting = [self.kernel.waiting(state, movers(number))[0] for number, state in enumerate(self.states)]
        everybody = (1 << len(self.kernel.processes)) - 1
        able = reached(self._graph, [everybody & ~bits for bits in waiting])
        return [bits & ~can for bits, can in zip(waiting, able, strict=True)]

    @cached_property
    def _owing_later(self) -> list[int]:
        """For each state, who must finish and is stuck in some state that it leads to."""
        return reached(self._graph, [self._owing(number) for number in range(len(self.states))])

    def _owing(self, number: int) -> int:
        state, stuck = self.states[number], self._stuck[number]
        owing = (p.index for p in self.kernel.processes if stuck >> p.index & 1)
        return sum(1 << index for index in owing if self.kernel.process_state(state, index).owes)

    def _closed(self, number: int) -> bool:
        """Tell whether everybody whom the process waits for, directly or not, is stuck."""
        state, history = history_of(self.kernel, [*self.path, *self.way(number)])
        names = frozenset(p.name for p in self.kernel.processes if self._stuck[number] >> p.index & 1)
        helpers = wait_for_graph(self.kernel.view(state), history=history, proved=names).helpers
        left, seen = [self.kernel.processes[self.process].name], set[str]()
        while left:
            name = left.pop()
            if name not in seen:
                seen.add(name)
                left += helpers.get(name, ())
        return seen <= names
