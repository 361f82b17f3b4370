"""A knot is reported in the state where it closes, and never on a suspicion.

A search asks `Knots.dead` in each state in which a process has just become blocked. The answer starts from
the wait-for graph's guess (`waitfor.py`), kept as small tables so that the usual answer, "alive", costs a
few look-ups. A guess that somebody is dead is then proved, in one of two ways: by its shape (every one of
them waits for the result of a task that only they could run, and nobody else holds its future), or by
searching everything that the others can still do. What cannot be proved within the budget is not reported:
the search goes on, and meets the deadlock when all else has run dry. Where the others go round while somebody waits
for time, what comes after that wait has not been looked at (`explore/standstill.py`): then it is, as if time-outs could
fire at any moment.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from functools import partial

from simcore.explain.edges import Edge
from simcore.explain.enabling import may_enable, queued_may_enable
from simcore.explain.reading import wait_for_graph
from simcore.explain.waitfor import WaitForGraph
from simcore.kernel import Choice, Kernel, Packed
from simcore.kernel.freeze import mentioned_by
from simcore.model import State
from simcore.model.objects import Future, Task

_CONFIRM_STATES = 20_000
_REMEMBERED = 5 * _CONFIRM_STATES  # states of which it is known who never moves again
_MOST_REFUTED = 20  # wrong guesses before guessing is given up for this search

StandsStill = Callable[[Packed], bool]
"""Tells whether, from a state on, somebody may wait for time that cannot pass."""


class Knots:
    """Finds processes that can never move again.

    Parameters
    ----------
    kernel : Kernel
        Whose states are judged.
    stands_still : function
        Tells whether, from a state on, somebody may wait for time that cannot pass.

    Attributes
    ----------
    followed : int
        How many states all proofs together have followed.
    """

    def __init__(self, kernel: Kernel, stands_still: StandsStill) -> None:
        self.kernel, self.followed = kernel, 0
        self._stands_still = stands_still
        self._pools = [(pool.index, [w.index for w in workers]) for pool, workers in kernel.model.pools()]
        self._enables: dict[tuple[int, int, int], list[dict[int, bool]]] = {}
        self._queued: dict[tuple[int, int, int], bool] = {}
        self._queues: dict[int, int] = {}
        self._tasks: dict[frozenset[Task], int] = {}
        self._refuted = 0
        self._judged: dict[Packed, bool] = {}
        self._never_move: dict[Packed, int] = {}  # who was proved to, as bits

    def dead(self, state: Packed, waiting: int, new: int | None = None) -> list[Edge]:
        """Return who can never move again, proved, when somebody among ``new`` seems so; else nothing.

        Parameters
        ----------
        state : tuple of int
            The state.
        waiting : int
            The processes that wait in it, as bits.
        new : int, optional
            Those that did not in the state before; by default everybody who waits.
        """
        if not self.guessing:
            return []
        new = waiting if new is None else new
        while new and self._lives(state, new.bit_length() - 1, waiting, set()):
            new ^= 1 << new.bit_length() - 1
        if not new:
            return []
        graph = wait_for_graph(self.kernel.view(state))
        if not any(edge.process.owes for edge in graph.dead):
            return []
        if state not in self._judged:
            self._judged[state] = self._proved(state, graph)
            self._refuted += not self._judged[state]
        return graph.dead if self._judged[state] else []

    def stuck(self, state: Packed, choices: Collection[Choice]) -> bool:
        """Tell whether somebody who must finish can never move again in ``state``, whose steps are ``choices``."""
        if not choices:
            return self.kernel.view(state).deadlocked
        waiting, _ = self.kernel.waiting(state, {choice.process for choice in choices})
        return bool(self.dead(state, waiting, waiting & ~self.kernel.idle(state)))

    def explained(self, state: Packed) -> bool:
        """Tell whether the wait-for graph says by itself who is stuck in ``state``, in which somebody is.

        It does not where it has said the same of a state in which they could move again: then they wait for what is
        not to be seen in it, and were lost before a knot has closed.
        """
        seem = self._seem_dead(state)
        return not any(seem <= self._seem_dead(other) for other, dead in self._judged.items() if not dead)

    def _seem_dead(self, state: Packed) -> set[str]:
        return {edge.process.name for edge in wait_for_graph(self.kernel.view(state)).dead}

    def _proved(self, state: Packed, graph: WaitForGraph) -> bool:
        closed = closed_by_shape(self.kernel.view(state), graph)
        if any(edge.process.owes and edge.process.name in closed for edge in graph.dead):
            return True
        dead = {edge.process.name for edge in graph.dead}
        indices = [process.index for process in self.kernel.processes if process.name in dead]
        return self._none_moves(state, indices)

    def _none_moves(self, state: Packed, processes: Collection[int]) -> bool:
        """Follow everything that the others can still do; true when none of ``processes`` is ever enabled.

        Then none is in any state that was met on the way, so that it need not be followed from there again.
        """
        kernel, met = self.kernel, list[Packed]()
        who = sum(1 << process for process in processes)
        if not who & ~self._never_move.get(state, 0):
            return True

        def lives(reached: Packed) -> bool:
            self.followed += 1
            met.append(reached)
            return any(_enabled(kernel, reached, process) for process in processes)

        if reach(kernel, state, lives, _CONFIRM_STATES) is not False:
            return False
        whenever = partial(_whenever, kernel)
        if self._stands_still(state) and reach(kernel, state, lives, _CONFIRM_STATES, steps=whenever) is not False:
            return False
        if len(self._never_move) < _REMEMBERED:
            for each in met:
                self._never_move[each] = self._never_move.get(each, 0) | who
        return True

    def _lives(self, state: Packed, process: int, waiting: int, seen: set[int]) -> bool:
        """Tell whether ``process`` can step or somebody who lives may enable it, following any one of them."""
        if not waiting >> process & 1:
            return self.kernel.operation(state, process) is not None
        seen.add(process)
        key = (process, *self._key(state, process))
        known = self._known(key)
        helpers = []
        for other, local in enumerate(state[self.kernel.first_process : self.kernel.first_future]):
            may = known[other].get(local)
            if may is None:
                may = self._learn(state, key, other)
            if may:
                if not waiting >> other & 1:
                    return True  # the usual answer
                helpers.append(other)
        return self._one_lives(state, helpers, waiting, seen) or any(
            self._queue_may(state, process, state[place]) and self._one_lives(state, workers, waiting, seen)
            for place, workers in self._pools
        )

    def may_enable(self, state: Packed, process: int, other: int) -> bool:
        """Tell whether ``other`` may enable what ``process`` waits for in ``state`` by what it does itself: a guess."""
        key = (process, *self._key(state, process))
        may = self._known(key)[other].get(state[self.kernel.first_process + other])
        return self._learn(state, key, other) if may is None else may

    def queued_may_enable(self, state: Packed, process: int, place: int) -> bool:
        """Tell whether a task in the queue of the pool at ``place`` may enable what ``process`` waits for: a guess."""
        return self._queue_may(state, process, state[place])

    def tasks_in(self, queue: int) -> int:
        """Return a number for the tasks that are queued in the value of a pool, in whatever order."""
        number = self._queues.get(queue)
        if number is None:
            tasks = frozenset(self.kernel.values[queue].tasks)
            number = self._queues[queue] = self._tasks.setdefault(tasks, len(self._tasks))
        return number

    @property
    def suspected(self) -> list[tuple[Packed, bool]]:
        """The states in which somebody seemed dead, and whether that was proved."""
        return list(self._judged.items())

    @suspected.setter
    def suspected(self, states: list[tuple[Packed, bool]]) -> None:
        self._judged = dict(states)
        self._refuted = sum(not dead for _, dead in states)

    @property
    def guessing(self) -> bool:
        """Whether it still looks for knots: too many wrong guesses, and it gives up."""
        return self._refuted < _MOST_REFUTED

    def _one_lives(self, state: Packed, processes: list[int], waiting: int, seen: set[int]) -> bool:
        return any(process not in seen and self._lives(state, process, waiting, seen) for process in processes)

    def _key(self, state: Packed, process: int) -> tuple[int, int]:
        local = state[self.kernel.first_process + process]
        return local, state[self.kernel.target(local)]

    def _known(self, key: tuple[int, int, int]) -> list[dict[int, bool]]:
        """Return, for each other process by its own part of a state, whether it may enable a process that waits."""
        known = self._enables.get(key)
        if known is None:
            known = self._enables[key] = [{} for _ in self.kernel.processes]
        return known

    def _learn(self, state: Packed, key: tuple[int, int, int], other: int) -> bool:
        """Find out whether ``other`` may enable a process by what it does itself; one that has ended may not."""
        process, _, value = key
        one, two = self.kernel.process_state(state, process), self.kernel.process_state(state, other)
        may = may_enable(one, self.kernel.values[value], two) is not None
        self._enables[key][other][state[self.kernel.first_process + other]] = may
        return may

    def _queue_may(self, state: Packed, process: int, queue: int) -> bool:
        local, value = self._key(state, process)
        key = (local, value, self.tasks_in(queue))
        if key not in self._queued:
            waiting = self.kernel.process_state(state, process)
            tasks = self.kernel.values[queue].tasks
            self._queued[key] = queued_may_enable(waiting, self.kernel.values[value], tasks)
        return self._queued[key]


def closed_by_shape(state: State, graph: WaitForGraph) -> frozenset[str]:
    """Return who waits for a task's result that only such as they could run and hold.

    The future of a submit is set by its task alone, unless another process holds it. If the task is queued in
    a pool whose workers are all dead, or runs on a dead worker, it never ends.
    """
    dead = {edge.process.name for edge in graph.dead}
    living = [process for process in state.processes if process.name not in dead]
    passed_on = mentioned_by(state.values.values())
    closed: set[str] = set()
    for edge in graph.dead:
        target = edge.target
        if not isinstance(target, Future) or target.index >= 0 or edge.through:
            continue
        held = target in passed_on or any(target in process.objects for process in living)
        if not held and edge.helpers and dead.issuperset(edge.helpers):
            closed.add(edge.process.name)
    helpers = {edge.process.name: edge.helpers for edge in graph.dead}
    shrinking = True
    while shrinking:
        still = {process for process in closed if closed.issuperset(helpers[process])}
        shrinking, closed = len(still) < len(closed), still
    return frozenset(closed)


def never_enabled(
    kernel: Kernel, state: Packed, processes: Collection[int], stands_still: StandsStill | None = None
) -> list[int] | None:
    """Follow all that can happen after ``state``; return which of ``processes`` are never enabled.

    None when that is more than the budget allows. ``stands_still`` is as in `Knots`.
    """
    left = set(processes)

    def all_moved(reached: Packed) -> bool:
        left.difference_update([process for process in left if _enabled(kernel, reached, process)])
        return not left

    found = reach(kernel, state, all_moved, budget=_CONFIRM_STATES)
    if found is False and stands_still is not None and stands_still(state):
        found = reach(kernel, state, all_moved, budget=_CONFIRM_STATES, steps=partial(_whenever, kernel))
    return None if found is None else sorted(left)


def _enabled(kernel: Kernel, state: Packed, process: int) -> bool:
    return bool(kernel.moves(state, process)) or kernel.may_expire(state, process)


def reach(
    kernel: Kernel,
    start: Packed,
    goal: Callable[[Packed], bool],
    budget: int,
    prune: Callable[[Packed], bool] | None = None,
    representative: Callable[[Packed], Packed] | None = None,
    enough: Callable[[Packed, list[Choice], Callable[[Choice], bool]], list[Choice]] | None = None,
    steps: Callable[[Packed], Iterable[Packed]] | None = None,
) -> bool | None:
    """Tell whether a state with ``goal`` can be reached from ``start``, depth first.

    Parameters
    ----------
    budget : int
        States to look at; None is returned when they are used up.
    prune : function, optional
        States from which the goal is known to be out of reach.
    representative : function, optional
        A reduction under which ``goal`` and ``prune`` are the same for the whole orbit.
    enough : function, optional
        Which steps to follow in place of all: of the state, its steps, and what tells of a step whether it leads to
        a state that is not expanded yet.
    steps : function, optional
        What a state leads to, in place of the kernel's successors.
    """
    canonical = representative or (lambda state: state)
    seen = {canonical(start)}
    expanded: set[Packed] = set()
    stack = [start]
    while stack:
        state = stack.pop()
        if goal(state):
            return True
        if prune is not None and prune(state):
            continue
        if steps is not None:
            ahead = list(steps(state))
        else:
            choices = kernel.successors(state)
            if enough is not None:
                expanded.add(canonical(state))
                choices = enough(state, choices, lambda choice: canonical(choice.state) not in expanded)
            ahead = [choice.state for choice in choices]
        for after in reversed(ahead):
            following = canonical(after)
            if following not in seen:
                if len(seen) >= budget:
                    return None
                seen.add(following)
                stack.append(following)
    return False


def _whenever(kernel: Kernel, state: Packed) -> Iterator[Packed]:
    """Yield the states that one step leads to if a time-out, or the end of a sleep, may come at any moment."""
    for process in range(len(kernel.processes)):
        late = kernel.expiries(state, process) if kernel.may_expire(state, process) else ()
        for move in (*kernel.moves(state, process), *late):
            yield kernel.after(state, process, move)
