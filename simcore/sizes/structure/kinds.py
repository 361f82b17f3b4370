"""Programs of the same kind are alike in all that the argument asks, so it is enough to count who stands where.

Two places of a program are one where they wait for the same, hold the same and keep the same futures; two programs are
of one kind where their places are, so what is called ``client[0]`` and what is called ``client[1]`` are of one kind, at
each size of the model. A lock that each client has of its own keeps them apart: merged into one count it would look
like a lock that they share, and two people who wait for each other like two who wait for one that is free.

Two premises of `net.py` are checked here, as they are about one program alone: whoever holds something comes to an end
of that or waits, so no place where something is held leads back to itself; and no task submits itself again.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from simcore.explain import components
from simcore.model.objects import Lock
from simcore.model.operations import SharedObject
from simcore.sizes.structure.reading import Reading
from simcore.sizes.structure.steps import Child, Mail, Need, Refused, Work, placed
from simcore.sizes.structure.walk import Walk

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
    mail : str
        The queue of its own in which it waits; empty where it does not. Of all queues that differ in an index alone
        the name is the same.
    asked : int
        How many answers are on their way to its own queue.
    carries : str
        The queue into which it has still to see to it that something is put; empty where there is none.
    """

    needs: str = ""
    child: int = -1
    held: tuple[tuple[str, int], ...] = ()
    kept: Count = ()
    rests: bool = False
    mail: str = ""
    asked: int = 0
    carries: str = ""


@dataclass(frozen=True)
class Kind:
    """All that the argument asks of a program.

    Attributes
    ----------
    host : str
        The pool or server that runs it; empty for a process.
    mail : str
        The queue that it owns; empty where it owns none.
    stops : frozenset of Stop
        Where one may be; that of a task which has ended is left out, as it is not there any more.
    start : Stop
        Where it begins; for a task, the queue.
    submits : tuple of (int, int)
        How many tasks of each kind one makes at most; -1 where there is no bound.
    drops : frozenset of int
        Kinds of tasks that it may forget before they have ended.
    """

    host: str
    stops: frozenset[Stop]
    start: Stop
    mail: str = ""
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
        reader = _Reader(reading, things, numbers)
        for work in _children_first(reading):
            kind = reader.kind(work)
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
    after = [
        sorted({numbers[made] for _, made in reading.walks[work].submits} | {numbers[each.work] for each in work.given})
        for work in works
    ]
    for component in components(bytes([1] * len(works)), after.__getitem__):
        if _goes_round(component, after):
            name = works[component[0]].program.name
            raise Refused(f"{name} is submitted by what it submits, again and again, so there may be any number of it")
        yield works[component[0]]


def _goes_round(component: list[int], after: list[list[int]]) -> bool:
    return len(component) > 1 or component[0] in after[component[0]]


class _Reader:
    """Turns the walks of one model into kinds."""

    def __init__(self, reading: Reading, things: Mapping[str, SharedObject], numbers: Mapping[Work, int]) -> None:
        self._reading, self._things, self._numbers = reading, things, numbers
        self._empties = {server: name for name, server in reading.servers.items()}

    def kind(self, work: Work) -> Kind:
        """Return the kind of a program; those that it submits have numbers already."""
        walk, mail = self._reading.walks[work], self._reading.answers.owners.get(work, "")
        _let_go(walk)
        whole = list(components(bytes([1] * len(walk.places)), walk.after.__getitem__))
        round_about = {at for component in whole if _goes_round(component, walk.after) for at in component}
        stops = [self._stop(work, at, at in round_about) for at in range(len(walk.places))]
        start = stops[0]
        if work.host:
            start = self._queued(work)
            stops = [start, *(stop for stop, ended in zip(stops, walk.ended, strict=True) if not ended)]
        drops = frozenset(self._numbers[made] for made in walk.drops)
        return Kind(work.host, frozenset(stops), start, alike(mail), self._submits(walk, whole), drops)

    def _queued(self, work: Work) -> Stop:
        """Return where a task or message waits for whoever takes it; a message takes a place there."""
        name = self._empties.get(work._replace(message=None), "")
        bounded = name and getattr(self._things[name], "capacity", None) is not None
        carries = alike(self._reading.answers.carried.get(work, ""))
        kept = self._counted([each.work for each in work.given if each.awaited])
        return Stop(needs=work.host, held=((name, 1),) if bounded else (), kept=kept, carries=carries)

    def _stop(self, work: Work, at: int, round_about: bool) -> Stop:
        walk, answers = self._reading.walks[work], self._reading.answers
        place, wait = walk.places[at], walk.waits[at]
        return Stop(
            wait.resource if isinstance(wait, Need) else "",
            self._numbers[wait.work] if isinstance(wait, Child) else -1,
            tuple((name, 1 if isinstance(self._things.get(name), Lock) else depth) for name, depth in place.held),
            self._counted(place.awaited),
            walk.ended[at] or (round_about and not place.held),
            alike(wait.queue) if isinstance(wait, Mail) else "",
            place.owes if work in answers.owners else 0,
            alike(answers.carried[work]) if place.owes and work in answers.carried else "",
        )

    def _counted(self, works: Iterable[Work]) -> Count:
        """Return how many of each kind there are among ``works``."""
        return tuple(sorted(Counter(self._numbers[work] for work in works).items()))

    def _submits(self, walk: Walk, whole: list[list[int]]) -> Count:
        """Return how many tasks of each kind are made at most, on the way from a start to wherever it goes."""
        made: dict[int, list[int]] = {}
        for at, work in walk.submits:
            made.setdefault(self._numbers[work], []).append(at)
        return tuple((kind, _most(walk, whole, places)) for kind, places in sorted(made.items()))


def alike(name: str) -> str:
    """Return the name of a queue without its index: what is argued of each of them holds of their sum."""
    return re.sub(r"\[[^]]*\]", "[*]", name)


def _let_go(walk: Walk) -> None:
    """Refuse a program that may go round with something in its hands; a task has its worker."""
    busy = bytes(bool(place.held) for place in walk.places)

    def after(at: int) -> list[int]:
        return [to for to in walk.after[at] if busy[to]]

    for component in components(busy, after):
        if _goes_round(component, walk.after):
            place = walk.places[component[0]]
            held = ", ".join(name for name, _ in place.held)
            raise Refused(f"{placed(place)}: may go round for ever and keep {held} meanwhile")


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
    return max(most[: walk.starts])
