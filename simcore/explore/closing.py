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

from collections import deque
from functools import cached_property

from simcore.explain import history_of, wait_for_graph
from simcore.explore.graph import Graph, Path
from simcore.explore.lost import reached
from simcore.kernel import Kernel

_BUDGET = 20_000  # states


def way_on(kernel: Kernel, path: Path, process: int) -> Path:
    """Return the steps, after ``path``, to the nearest state in which it shows why ``process`` never moves again.

    No steps where that is the end of ``path``, where the process goes on to move, or where the budget is used up.
    """
    after = _After(kernel, path, process)
    if not after.whole:
        return []
    return next((after.way(number) for number in range(len(after.states)) if after.shows(number)), [])


class _After:
    """All that follows a state in which a process is lost; nearer states come first.

    Attributes
    ----------
    states : list
        The states.
    whole : bool
        Whether these are all.
    """

    def __init__(self, kernel: Kernel, path: Path, process: int) -> None:
        self.kernel, self.path, self.process = kernel, path, process
        self.states = [history_of(kernel, path)[0]]
        self._graph = Graph()
        self._before = [0]
        self._steps: Path = [(-1, 0)]
        self.whole = self._follow()

    def _follow(self) -> bool:
        numbers, queue = {self.states[0]: 0}, deque([0])
        while queue:
            number = queue.popleft()
            for process, outcome, state in self.kernel.successors(self.states[number]):
                if state not in numbers:
                    if len(numbers) >= _BUDGET:
                        return False
                    numbers[state] = len(numbers)
                    queue.append(numbers[state])
                    self.states.append(state)
                    self._before.append(number)
                    self._steps.append((process, outcome))
                self._graph.targets.append(numbers[state])
                self._graph.processes.append(process)
                self._graph.outcomes.append(outcome)
            self._graph.starts.append(len(self._graph.targets))
        return True

    def way(self, number: int) -> Path:
        """Return the steps to one of the states."""
        steps = []
        while number:
            steps.append(self._steps[number])
            number = self._before[number]
        return steps[::-1]

    def shows(self, number: int) -> bool:
        """Tell whether it shows in a state why the process never moves again."""
        stuck = self._stuck[number]
        if not stuck >> self.process & 1 or self.kernel.failed(self.states[number]) is not None:
            return False
        if self._owing(number) == self._owing_later[number]:
            return True
        return (not number or stuck != self._stuck[self._before[number]]) and self._closed(number)

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
        waits = wait_for_graph(self.kernel.view(state), history=history, proved=names).waits
        left, seen = [self.kernel.processes[self.process].name], set[str]()
        while left:
            name = left.pop()
            if name not in seen:
                seen.add(name)
                left += waits.successors(name)
        return seen <= names
