"""If the rows of no case have a solution at some sizes, then no process or task can ever be blocked for good there.

The argument. Let somebody X be blocked for ever from a reachable state on. Let all others go on until each is blocked,
has ended, or is a process that goes round and stands where it has nothing in its hands. That comes to an end: whoever
holds something, and each task, passes no place twice, and no task submits itself (`kinds.py`). In the state that is
reached, call a resource *short* if somebody blocked waits for a unit of it; then no unit is free. Whoever is blocked
waits for a unit of what is short, or for a task of his own that has not ended; that one is blocked, too, for tasks do
not rest. So all the blocked stand at stops of the *dead* set: the greatest set of stops of which each waits for
something short or for a kind with a stop in the set. A task in a queue waits for a worker: its pool takes tasks in
order, so the first of them could be taken if one was free. A message is the task of a server, a pool of one worker, and
takes a place in its link until it is taken (`reading.py`). Who waits in a queue of his own waits for who carries the
answer: that is a task or a message, so it is blocked, too (`answers.py`). Hence the number of those at each stop,
``m``, solves for the right guess of what is short:

    m >= 0 at the dead stops and where one may rest, 0 elsewhere, and some of it at the dead ones;
    for each kind of process, the sum of its m is how many there are;
    for each resource, what is held of it is at most its capacity, and all of it where it is short;
    for each kind of task, those who wait for one of it are at most those of it that are dead, each having his own: a
        future is one task's, and one at a time has it;
    for each queue with an owner, or many alike, those who wait there are at most the dead who carry an answer to it;
    and the invariants about how many tasks there are (`Net._tasks`).

Each of these rows holds in every reachable state, or in the one that was come to. So where no guess has a solution,
nobody is ever blocked for good. The other direction is not true and is not used: a solution may not be reachable.

After the siphons of Ezpeleta, Colom and Martinez (1995) and Tricas (2003): what is short, and the places outside of the
dead set that hold it, are a siphon that is marked insufficiently. Looked at with linear programming as in Esparza and
Melzer (2000). Nothing is used of when such systems are live.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import product
from typing import Any, NamedTuple

from simcore.sizes.structure.kinds import Kinds, Stop
from simcore.sizes.structure.linear import ONE, Row, plus, project, row, value
from simcore.sizes.structure.steps import Refused

MOST_RESOURCES = 12


class Spot(NamedTuple):
    """An unknown: how many of a kind are at a stop of it."""

    kind: int
    stop: int


@dataclass
class Net:
    """Kinds and resources, with how many there are of each as sums over the parameters of the model.

    Parameters
    ----------
    kinds : Kinds
        Where the numbers of kinds are looked up.
    people : dict of int to dict
        How many processes there are of each kind.
    capacity : dict of str to dict
        How many units there are of each resource.
    """

    kinds: Kinds
    people: Mapping[int, Row]
    capacity: Mapping[str, Row]
    stops: dict[Spot, Stop] = field(default_factory=dict)
    equal: list[Row] = field(default_factory=list)
    rows: list[Row] = field(default_factory=list)
    mail: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        for number in self._there():
            stops = sorted(self.kinds.known[number].stops, key=repr)
            self.stops |= {Spot(number, place): stop for place, stop in enumerate(stops)}
        if len(self.capacity) > MOST_RESOURCES:
            raise Refused(f"there are {len(self.capacity)} locks, semaphores and pools; {MOST_RESOURCES} can be tried")
        for number, many in self.people.items():
            self.equal.append(plus(row(*((spot, 1) for spot in self._of(number))), many, 1, -1))
        for number in self._tasks():
            self.rows += self._invariants(number)
        self.mail = {stop.mail for stop in self.stops.values()} - {""}
        for queue in sorted(self.mail):
            asked = ((spot, stop.asked) for spot, stop in self.stops.items() if self._owns(spot, queue))
            self.rows.append(plus(row(*asked), self._carriers(queue, self.stops), 1, -1))

    # ---- what holds in every state ---------------------------------------------------------------------

    def _there(self) -> list[int]:
        """Return the kinds of processes, and all kinds of tasks that may come of them; those submitted come first."""
        there, ahead = set(self.people), list(self.people)
        while ahead:
            for made, _ in self.kinds.known[ahead.pop()].submits:
                if made not in there:
                    there.add(made)
                    ahead.append(made)
        return sorted(there)

    def _tasks(self) -> list[int]:
        return [number for number in self._there() if self.kinds.known[number].host]

    def _of(self, number: int) -> list[Spot]:
        return [spot for spot in self.stops if spot.kind == number]

    def _invariants(self, number: int) -> list[Row]:
        """Return bounds of how many tasks of a kind there are.

        Each task of it was submitted by somebody, who has its future or has given that to a task. Where nobody forgets
        a future of that kind, each task that has not ended still has its future somewhere; otherwise, as far as none
        is given away, who does forget has made so many at most.
        """
        makers = [maker for maker in self._there() if number in dict(self.kinds.known[maker].submits)]
        given = [other for other in self._there() if number in dict(self.kinds.known[other].start.kept)]
        alive = row(*((spot, -1) for spot in self._of(number)))
        made = {maker: self._made(maker, number) for maker in makers}
        bounds = [list(made.values())]
        holders = dict.fromkeys([*makers, *given])
        if not given or all(self._keeps(each, number) for each in holders):
            bounds.append([self._kept(each, number) if self._keeps(each, number) else made[each] for each in holders])
        return [total for bound in bounds if (total := _sum(alive, bound)) is not None]

    def _owns(self, spot: Spot, queue: str) -> bool:
        return self.kinds.known[spot.kind].mail == queue

    def _carriers(self, queue: str, among: Iterable[Spot]) -> Row:
        """Return how many there are at some stops who have still to see to an answer."""
        return row(*((spot, int(self.stops[spot].carries == queue)) for spot in among))

    def _keeps(self, maker: int, number: int) -> bool:
        return number not in self.kinds.known[maker].drops

    def _kept(self, maker: int, number: int) -> Row:
        return row(*((spot, dict(self.stops[spot].kept).get(number, 0)) for spot in self._of(maker)))

    def _made(self, maker: int, number: int) -> Row | None:
        """Return how many tasks of a kind those of another make at most, all together and ever."""
        each, many = dict(self.kinds.known[maker].submits)[number], self._ever(maker)
        return None if each < 0 or many is None else plus({}, many, 1, each)

    def _ever(self, number: int) -> Row | None:
        """Return a bound of how many of a kind there ever are."""
        if not self.kinds.known[number].host:
            return dict(self.people[number])
        makers = [maker for maker in self._there() if number in dict(self.kinds.known[maker].submits)]
        return _sum({}, [self._made(maker, number) for maker in makers])

    def unmarked(self, at: Mapping[str, int]) -> str:
        """Say which row the initial state does not satisfy at some sizes; nothing where it satisfies all.

        A row that does not even hold there is no invariant, and whatever would be derived from it would be worthless:
        from what is never true anything follows, "no hang" first.

        Parameters
        ----------
        at : dict of str to int
            The values of the parameters.
        """
        marking: dict[Any, int] = dict(at)
        for number, many in self.people.items():
            start = next(spot for spot in self._of(number) if self.stops[spot] == self.kinds.known[number].start)
            marking[start] = value(many, at)
        held = [self._free(name, list(self.stops)) for name in self.capacity]
        for each in [*self.equal, *(plus({}, same, 1, -1) for same in self.equal), *self.rows, *held]:
            if value(each, marking) < 0:
                return " + ".join(f"{factor} {name}" for name, factor in each.items())
        return ""

    # ---- dead markings ---------------------------------------------------------------------------------

    def cases(self) -> Iterator[list[Row]]:
        """Yield, for each guess of what is short, what the parameters must satisfy; nothing where no sizes do."""
        for guess in product((False, True), repeat=len(self.capacity)):
            short = {name for name, is_short in zip(self.capacity, guess, strict=True) if is_short}
            dead = self._dead(short)
            if dead and short <= {self.stops[spot].needs for spot in dead}:
                left = self._case(short, dead)
                if left is not None:
                    yield left

    def _dead(self, short: set[str]) -> set[Spot]:
        dead = set(self.stops)
        while True:
            kinds, carried = {spot.kind for spot in dead}, {self.stops[spot].carries for spot in dead} - {""}
            stops = {spot: self.stops[spot] for spot in dead}
            left = {
                spot
                for spot, stop in stops.items()
                if stop.needs in short or stop.child in kinds or stop.mail in carried
            }
            if left == dead:
                return dead
            dead = left

    def _case(self, short: set[str], dead: set[Spot]) -> list[Row] | None:
        stay = [spot for spot in self.stops if spot in dead or self.stops[spot].rests]
        rows = [*map(dict, self.rows), row((ONE, -1), *((spot, 1) for spot in dead))]
        equal = [dict(each) for each in self.equal]
        for name in self.capacity:
            (equal if name in short else rows).append(self._free(name, stay))
        for number in self._tasks():
            waiting = [(spot, -1) for spot in dead if self.stops[spot].child == number]
            rows.append(row(*waiting, *((spot, 1) for spot in self._of(number) if spot in dead)))
        for queue in self.mail:
            waiting = [(spot, -1) for spot in dead if self.stops[spot].mail == queue]
            rows.append(plus(row(*waiting), self._carriers(queue, dead)))
        gone = set(self.stops) - set(stay)
        return project(_without(gone, rows), _without(gone, equal), stay)

    def _free(self, name: str, stay: list[Spot]) -> Row:
        """Return how many units of a resource are free."""
        held = row(*((spot, -dict(self.stops[spot].held).get(name, 0)) for spot in stay))
        return plus(held, self.capacity[name])


def _sum(start: Row, rows: list[Row | None]) -> Row | None:
    total = start
    for each in rows:
        if each is None:
            return None
        total = plus(total, each)
    return total


def _without(gone: set[Spot], rows: list[Row]) -> list[Row]:
    """Return rows as they are where nobody is at the stops ``gone``."""
    return [{name: factor for name, factor in each.items() if name not in gone} for each in rows]
