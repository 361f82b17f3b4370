"""All states of a model, met by a kernel as one would write it in an hour: every schedule is run from its start.

States are told apart by all that there is: what the objects hold, and for each process the line and the variables of
its generators. That is enough for `interpreted.py`, which has nothing else. Nobody learns, packs or interns anything.
"""

from __future__ import annotations

import weakref
from collections import Counter, deque
from collections.abc import Callable, Hashable
from functools import partial
from typing import Any, NamedTuple

from interpreted import Program
from naive import Naive
from naive_objects import Way

from simcore.model import Model, Process
from simcore.model.objects import Future
from simcore.model.operations import Operation, Raised, SharedObject


class Space(NamedTuple):
    """What there is to know of all states of a model.

    Attributes
    ----------
    states, transitions, deadlocks : int
        How many; a deadlock is a state without steps in which somebody has not finished who must.
    levels : Counter
        How many states are so many steps away from the first one.
    failure, hang : int, optional
        Steps to the nearest state in which a process has died of an exception; and to the nearest one in which somebody
        who must still finish is lost: he takes no step any more, whatever the others do. None without such a state.
    starved : bool
        Whether somebody waits for time to pass, and others can go on for ever, so that it never does.
    failed, lost : frozenset
        All those states.
    resting : dict
        For each state who has begun, has not ended, and takes no step any more, whether he must finish or not.
    start : function
        Schedule to the run along it.
    """

    states: int
    transitions: int
    deadlocks: int
    levels: Counter[int]
    failure: int | None
    hang: int | None
    starved: bool
    failed: frozenset[Hashable]
    lost: frozenset[Hashable]
    resting: dict[Hashable, frozenset[int]]
    start: Callable[[Schedule], Counted]

    @property
    def free(self) -> bool:
        """Whether nobody is ever lost, and nobody dies."""
        return self.failure is None and self.hang is None


class Facts(NamedTuple):
    """What one state shows: who has died, who must still finish, who has not ended, and who waits with a limit."""

    failed: bool
    owing: frozenset[int]
    live: frozenset[int]
    timed: frozenset[int]


Edges = list[tuple[int, int]]
Schedule = list[tuple[int, int]]


def naive_space(model: Model, timeouts: str, most: int) -> Space | None:
    """Return the space of ``model``, or None if it has more than ``most`` states.

    Each run goes on into states that are new, so that there is one for each step that leads to a known one.
    """
    numbers: dict[Hashable, int] = {}
    start = partial(Counted, Bodies(), model, timeouts)
    facts: list[Facts] = []
    edges: list[Edges] = []
    waiting: list[tuple[Schedule, int]] = [([], -1)]
    while waiting:
        schedule, before = waiting.pop()
        run = start(schedule)
        while True:
            key = run.key()
            new = key not in numbers
            number = numbers.setdefault(key, len(numbers))
            if before >= 0:
                edges[before].append((schedule[-1][0], number))
            if not new:
                break
            if len(numbers) > most:
                return None
            facts.append(run.facts())
            edges.append([])
            enabled = run.enabled()
            if not enabled:
                break
            waiting += [([*schedule, step], number) for step in enabled[1:]]
            schedule, before = [*schedule, enabled[0]], number
            run.take(*enabled[0])
    return _judged(list(numbers), facts, edges, start, timed=timeouts != "anytime")


def _judged(
    keys: list[Hashable], facts: list[Facts], edges: list[Edges], start: Callable[[Schedule], Counted], timed: bool
) -> Space:
    distance = {0: 0}
    queue = deque([0])
    while queue:
        state = queue.popleft()
        for _, target in edges[state]:
            if target not in distance:
                distance[target] = distance[state] + 1
                queue.append(target)
    moving = _reachable_movers(edges)
    failed = [s for s, fact in enumerate(facts) if fact.failed]
    lost = [s for s, fact in enumerate(facts) if not fact.failed and fact.owing - moving[s]]
    return Space(
        states=len(facts),
        transitions=sum(map(len, edges)),
        deadlocks=sum(bool(fact.owing) and not steps for fact, steps in zip(facts, edges, strict=True)),
        levels=Counter(distance.values()),
        failure=min((distance[s] for s in failed), default=None),
        hang=min((distance[s] for s in lost), default=None),
        starved=timed and any(fact.timed - moving[s] for s, fact in enumerate(facts)),
        failed=frozenset(keys[s] for s in failed),
        lost=frozenset(keys[s] for s in lost),
        resting={keys[s]: fact.live - moving[s] for s, fact in enumerate(facts)},
        start=start,
    )


def _reachable_movers(edges: list[Edges]) -> list[frozenset[int]]:
    """Return for each state who takes a step in it or after it."""
    moving = [frozenset(process for process, _ in steps) for steps in edges]
    before: list[list[int]] = [[] for _ in edges]
    for state, steps in enumerate(edges):
        for _, target in steps:
            before[target].append(state)
    changed = deque(range(len(edges)))
    while changed:
        state = changed.popleft()
        for earlier in before[state]:
            if not moving[state] <= moving[earlier]:
                moving[earlier] |= moving[state]
                changed.append(earlier)
    return moving


class Bodies:
    """What is constant in a model, the bodies of its programs, with a number for each that differs in its value."""

    def __init__(self) -> None:
        self._by_id: dict[int, tuple[int, Any]] = {}
        self._by_value: dict[Hashable, int] = {}

    def number(self, body: tuple[Any, ...], frozen: Callable[[Any], Hashable]) -> int:
        """Return the number; ``body`` is kept, so that no other one has its place in memory."""
        if id(body) not in self._by_id:
            number = self._by_value.setdefault(tuple(map(frozen, body)), len(self._by_value))
            self._by_id[id(body)] = number, body
        return self._by_id[id(body)][0]


class Counted(Naive):
    """A run whose states can be told apart: each future that a submit makes has the lowest number that is free."""

    def __init__(self, bodies: Bodies, *args: Any) -> None:
        self.bodies = bodies
        self.places: weakref.WeakKeyDictionary[Future, int] = weakref.WeakKeyDictionary()
        super().__init__(*args)

    def pool_submit(self, process: Process, pool: Any, fn: Any, args: tuple[Any, ...]) -> list[Way]:
        (way,) = super().pool_submit(process, pool, fn, args)

        def submit() -> Future:
            future: Future = way()
            taken = set(self.places.values())
            self.places[future] = next(n for n in range(len(taken) + 1) if n not in taken)
            return future

        return [submit]

    def facts(self) -> Facts:
        """Say who has died, must still finish, has not ended, and waits with a limit, as `Naive.settle` has left it."""
        failed, owing, timed = False, set(), set()
        for process in self.model.processes:
            p = process.index
            died = self.ended.get(p, ("", None))[0] == "failed"
            failed |= died and (p not in self.task or self.lost(p))
            begun = self.pending[p] is None or self.pending[p].name != "armed"  # nobody must start a timer
            thread = process.pool is None and not process.daemon and begun and (p in self.live or died)
            if thread or (p in self.task and not (died and self.lost(p))):
                owing.add(p)
            if self.late(process):
                timed.add(p)
        return Facts(failed, frozenset(owing), frozenset(self.live), frozenset(timed))

    def key(self) -> Hashable:
        """Return all that makes this state different from others."""
        self.settle()
        objects = [self._frozen(self.state[thing]) for thing in self.model.objects]
        futures = [(place, self._frozen(self.state[future])) for future, place in self.places.items()]
        processes = [self._process(process.index) for process in self.model.processes]
        left = sorted(self.left.items()) if self.timeouts == "in_order" else []
        return (*objects, *sorted(futures), *processes, *left)

    def _process(self, p: int) -> Hashable:
        task = self.task.get(p)
        told = () if task is None else (task[0].__qualname__, self._frozen(task[1]), self._frozen(task[2]))
        points, generator = [], self.live.get(p)
        while generator is not None:
            frame = generator.gi_frame
            points.append((frame.f_code.co_qualname, frame.f_lasti, self._variables(frame.f_locals)))
            generator = generator.gi_yieldfrom
        return self._frozen(self.pending[p]), self._frozen(self.ended.get(p)), told, tuple(points)

    def _variables(self, variables: dict[str, Any]) -> Hashable:
        """Return the values of a generator's variables; a tuple among them is a part of its program.

        Before 3.13 ``f_locals`` is a copy that stays with the frame, and would keep a future alive.
        """
        seen = tuple(
            (name, self.bodies.number(value, self._frozen) if isinstance(value, tuple) else self._frozen(value))
            for name, value in sorted(variables.items())
        )
        if isinstance(variables, dict):
            variables.clear()
        return seen

    def _frozen(self, value: Any) -> Hashable:
        if isinstance(value, str | int | float):
            return str(value) if isinstance(value, bool) else value
        if isinstance(value, dict):
            return tuple(map(self._frozen, value.values()))
        if isinstance(value, tuple | list):
            return value.name if isinstance(value, Program) else tuple(map(self._frozen, value))
        if isinstance(value, SharedObject):
            return value.name if value not in self.places else ("future", self.places[value])
        if isinstance(value, weakref.ref):
            return self._frozen(value())
        if isinstance(value, Operation):
            return value.name, value.target.name, self._frozen(value.args), value.timeout
        if isinstance(value, BaseException | Raised):
            return (type(value) if isinstance(value, BaseException) else value.type).__name__, value.args
        return str(value)
