"""Programs of the same kind are alike in all that the argument asks, so it is enough to count who stands where.

Two places of a program are one where they wait for the same, hold the same and keep the same futures; two programs are
of one kind where their places are, so what is called ``client[0]`` and what is called ``client[1]`` are of one kind, at
each size of the model. A lock that each client has of its own keeps them apart: merged into one count it would look
like a lock that they share, and two people who wait for each other like two who wait for one that is free.

Two premises of `net.py` are checked here, as they are about one program alone: whoever holds something comes to an end
of that or waits, so no place where something is held leads back to itself; and no task submits itself again.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from simcore.explain import components
from simcore.model.objects import Lock
from simcore.model.operations import SharedObject
from simcore.sizes.structure.reading import Reading, Walk
from simcore.sizes.structure.steps import Child, Need, Refused, Work, placed

Count = tuple[tuple[int, int], ...]
"""How many tasks of each kind, by the numbers of the kinds."""


@dataclass(frozen=True)
class Stop:
    """Where one of a kind may be.

    Attributes
    ----------
    needs : str
        The resource of which it waits for a unit; empty where it does not.
    child : int
        The kind of the task that it waits for; -1 where it does not.
    held : tuple of (str, int)
        Units that it holds.
    kept : tuple of (int, int)
        How many tasks of which kinds it may still wait for.
    rests : bool
        Whether it may stay there for ever: it has ended, or goes round with nothing in its hands.
    """

    needs: str = ""
    child: int = -1
    held: tuple[tuple[str, int], ...] = ()
    kept: Count = ()
    rests: bool = False


@dataclass(frozen=True)
class Kind:
    """All that the argument asks of a program.

    Attributes
    ----------
    pool : str
        Whose workers run it; empty for a process.
    stops : frozenset of Stop
        Where one may be; that of a task which has ended is left out, as it is not there any more.
    start : Stop
        Where it begins; for a task, the queue.
    submits : tuple of (int, int)
        How many tasks of each kind one makes at most; -1 where there is no bound.
    drops : frozenset of int
        Kinds of tasks that it may forget before they have ended.
    """

    pool: str
    stops: frozenset[Stop]
    start: Stop
    submits: Count = ()
    drops: frozenset[int] = frozenset()


class Kinds:
    """The kinds of programs that were met, in whatever models, each with a number.

    Attributes
    ----------
    known : list of Kind
        By number; whatever a kind submits has a lower number.
    names : list of str
        What one of each was called.
    """

    def __init__(self) -> None:
        self.known: list[Kind] = []
        self.names: list[str] = []
        self._numbers: dict[Kind, int] = {}

    def of(self, reading: Reading, things: Mapping[str, SharedObject]) -> dict[Work, int]:
        """Return the number of the kind of each program of ``reading``.

        Raises
        ------
        Refused
            When one of the two premises does not hold.
        """
        numbers: dict[Work, int] = {}
        for work in _children_first(reading):
            kind = _kind(work, reading.walks[work], numbers, things)
            if kind not in self._numbers:
                self._numbers[kind] = len(self.known)
                self.known.append(kind)
                self.names.append(work.program.name)
            numbers[work] = self._numbers[kind]
        return numbers


def _children_first(reading: Reading) -> Iterable[Work]:
    """Yield each program after those that it submits; refuse what submits itself."""
    works = list(reading.walks)
    numbers = {work: number for number, work in enumerate(works)}
    after = [sorted({numbers[made] for _, made in reading.walks[work].submits}) for work in works]
    for component in components(bytes([1] * len(works)), after.__getitem__):
        if _goes_round(component, after):
            name = works[component[0]].program.name
            raise Refused(f"{name} is submitted by what it submits, again and again, so there may be any number of it")
        yield works[component[0]]


def _goes_round(component: list[int], after: list[list[int]]) -> bool:
    return len(component) > 1 or component[0] in after[component[0]]


def _kind(work: Work, walk: Walk, numbers: Mapping[Work, int], things: Mapping[str, SharedObject]) -> Kind:
    _let_go(work, walk)
    whole = list(components(bytes([1] * len(walk.places)), walk.after.__getitem__))
    round_about = {at for component in whole if _goes_round(component, walk.after) for at in component}
    stops = [_stop(walk, at, at in round_about, numbers, things) for at in range(len(walk.places))]
    pool, start, there = "", stops[0], stops
    if work.pool is not None:
        pool, start = work.pool.name, Stop(needs=work.pool.name)
        there = [
            start,
            *(stop for stop, place in zip(stops, walk.places, strict=True) if place.point.status == "ready"),
        ]
    return Kind(
        pool, frozenset(there), start, _submits(walk, whole, numbers), frozenset(map(numbers.__getitem__, walk.drops))
    )


def _stop(
    walk: Walk, at: int, round_about: bool, numbers: Mapping[Work, int], things: Mapping[str, SharedObject]
) -> Stop:
    place, wait = walk.places[at], walk.waits[at]
    held = tuple((name, 1 if isinstance(things[name], Lock) else depth) for name, depth in place.held)
    kept = sorted(numbers[work] for work in place.awaited)
    return Stop(
        wait.resource if isinstance(wait, Need) else "",
        numbers[wait.work] if isinstance(wait, Child) else -1,
        held,
        tuple((kind, kept.count(kind)) for kind in sorted(set(kept))),
        place.point.status != "ready" or (round_about and not held),
    )


def _let_go(work: Work, walk: Walk) -> None:
    """Refuse a program that may go round with something in its hands; a task has its worker."""
    busy = bytes(bool(place.held) for place in walk.places)

    def after(at: int) -> list[int]:
        return [to for to in walk.after[at] if busy[to]]

    for component in components(busy, after):
        if len(component) > 1 or component[0] in walk.after[component[0]]:
            place = walk.places[component[0]]
            held = ", ".join(name for name, _ in place.held)
            raise Refused(f"{placed(place)}: may go round for ever and keep {held} meanwhile")


def _submits(walk: Walk, whole: list[list[int]], numbers: Mapping[Work, int]) -> Count:
    """Return how many tasks of each kind are made at most, on the way from the start to wherever it goes."""
    made: dict[int, list[int]] = {}
    for at, work in walk.submits:
        made.setdefault(numbers[work], []).append(at)
    return tuple((kind, _most(walk, whole, places)) for kind, places in sorted(made.items()))


def _most(walk: Walk, whole: list[list[int]], counted: list[int]) -> int:
    """Return how often a run may pass the places ``counted`` at most; -1 where it may go round through one."""
    most = [0] * len(walk.places)
    for component in whole:  # each after those that it leads to
        here = sum(at in counted for at in component)
        if here and _goes_round(component, walk.after):
            return -1
        ahead = max((most[to] for at in component for to in walk.after[at] if to not in component), default=0)
        for at in component:
            most[at] = here + ahead
    return most[0]
