"""Every order of what threads do to each other, each once, for programs small enough: optimal partial-order reduction.

Two schedules are one order if one becomes the other by swapping neighbours that do nothing to the same thing
(Mazurkiewicz). Of each order one schedule is run. After a run it is asked which two of its steps could have come the
other way round; what leads there is put into the *wake-up tree* of the state where the first was taken. What was tried
in a state *sleeps* in those behind it, until somebody does something that it depends on; where all sleep, the rest is
known (Abdulla, Aronis, Jonsson, Sagonas: Source sets: a foundation for optimal dynamic partial order reduction, 2017).

What a thread waits for is part of its next step, although it cannot take it. So a race of two who want the same lock
counts where one of them never gets it, too. Of what wakes somebody and what it wakes the order is fixed: the thing that
is waited for could not have been had before.

Where time goes on, nobody else can; of several waits that end at the same moment each is tried as the first. That is
not left to races: who was not the first may be woken by what the first does, and then the end of his wait by time is no
step of the run that could be in one. And whoever gives up in the end could have gone on before that, had not somebody
else been the first to take what he waits for: so the end of a wait by time is in the races that it would be in if the
wait had ended otherwise.

Whether all that steps do was seen is not known, but it shows: what a thread does next depends on nothing but the steps
before it, and those that these depend on. `Audit` remembers that for each thread; where it is not so, something is
shared that nobody saw.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import NamedTuple

from simcore.control.baton import GOES_ON, TIMES_OUT, Run
from simcore.control.choosing import Diverged, Redundant
from simcore.control.hears import WRITES, Enabled
from simcore.control.observed import FREE, NEVER, OLD, Access, Accesses, ByThing, Event, Key, Observed, dependent


class Planned(NamedTuple):
    """A step of a schedule that was not run: what it does is known if it has done it elsewhere with the same past."""

    key: Key
    accesses: Accesses | None

    def depends_on(self, other: Planned) -> bool:
        """Tell whether the two may not be swapped; if it is not known of one of them, they may not."""
        if self.key[0] == other.key[0] or self.accesses is None or other.accesses is None:
            return True
        return dependent(self.accesses, other.accesses)


@dataclass
class Branch:
    """A step in a wake-up tree, and what is to come behind it."""

    accesses: Accesses | None
    behind: dict[Key, Branch] = field(default_factory=dict)


class Guide(NamedTuple):
    """Where to go: along a path, then as a wake-up tree has it, then to nobody who sleeps."""

    path: tuple[Key, ...] = ()
    wakeful: tuple[Key, ...] = ()
    asleep: tuple[Planned, ...] = ()


@dataclass(frozen=True)
class Observation:
    """What was seen in a run: its steps, what those would have done who waited at its end, and what was not known."""

    events: list[Event]
    waiting: list[Event]
    unordered: str

    @cached_property
    def past(self) -> Past:
        """What comes before what."""
        return Past(self.events, self.waiting)


def guided(guide: Guide) -> Callable[[Run, Enabled], int]:
    """Return what chooses as a guide has it; where all sleep it raises `Redundant`."""
    told = [*guide.path, *guide.wakeful]
    asleep, last = list(guide.asleep), ""

    def choose(run: Run, candidates: Enabled) -> int:
        nonlocal asleep, last
        assert isinstance(run, Observed)
        number, keys = len(run.events), [(thread.path, outcome) for thread, outcome in candidates]
        if number > len(guide.path):  # what sleeps was told of the state behind the path
            done = Planned(run.events[-1].key, run.events[-1].accesses)
            asleep = [each for each in asleep if not each.depends_on(done)]
        if number < len(guide.path) and told[number] not in keys:
            raise Diverged
        if number < len(told) and told[number] in keys:
            chosen = told[number]
        else:
            del told[number:]  # of a step that cannot be taken what follows cannot either
            sleeping = {each.key for each in asleep}
            free = [key for key in keys if key not in sleeping]
            if not free:
                raise Redundant
            chosen = next((key for key in free if key[0] == last), free[0])
        last = chosen[0]
        return keys.index(chosen)

    return choose


class _State:
    """A state on the path to the run that goes on: what is tried in it, was, and will be."""

    def __init__(self, event: Event, asleep: dict[Key, Accesses], todo: dict[Key, Branch]) -> None:
        self.event, self.asleep, self.todo = event, asleep, todo

    def behind(self) -> dict[Key, Accesses]:
        """Return who sleeps behind the step that goes on."""
        return {
            key: accesses
            for key, accesses in self.asleep.items()
            if key[0] != self.event.key[0] and not dependent(accesses, self.event.accesses)
        }

    def insert(self, steps: list[Planned]) -> None:
        """Have a schedule tried from here, unless that, or what is equal to it, was or will be."""
        if any(_comes_first(Planned(*sleeps), steps) is not None for sleeps in self.asleep.items()):
            return
        tree = self.todo
        while steps:
            for key, branch in tree.items():
                rest = _comes_first(Planned(key, branch.accesses), steps)
                if rest is not None:
                    break
            else:
                for step in steps:
                    tree[step.key] = Branch(step.accesses)
                    tree = tree[step.key].behind
                return
            if not branch.behind:
                return
            tree, steps = branch.behind, rest


def _comes_first(step: Planned, steps: list[Planned]) -> list[Planned] | None:
    """Return what is left of ``steps`` if ``step`` may be taken in front of them all; None if it may not."""
    place = next((n for n, each in enumerate(steps) if each.key[0] == step.key[0]), None)
    if place is None:
        return None if any(step.depends_on(each) for each in steps) else steps
    if steps[place].key != step.key or any(steps[place].depends_on(each) for each in steps[:place]):
        return None
    return steps[:place] + steps[place + 1 :]


class Differs(Exception):
    """The same steps led somewhere else."""

    def __init__(self, step: int) -> None:
        super().__init__(step)
        self.step = step


@dataclass
class Orders:
    """All orders of a program, one run after the other.

    Attributes
    ----------
    runs, redundant : int
        How many there were, and how many of them were not run to their end because the rest was known.
    """

    runs: int = 0
    redundant: int = 0
    _path: list[_State] = field(default_factory=list)

    def guide(self) -> Guide | None:
        """Return where the next run has to go; None when all orders were run."""
        if not self.runs:
            return Guide()
        while self._path:
            state = self._path[-1]
            state.asleep[state.event.key] = state.event.accesses
            for key in [key for key in state.todo if key not in state.event.enabled]:
                del state.todo[key]
            if state.todo:
                break
            self._path.pop()
        else:
            return None
        wakeful, tree = [], state.todo
        while tree:
            wakeful.append(next(iter(tree)))
            tree = tree[wakeful[-1]].behind
        asleep = tuple(Planned(*each) for each in state.asleep.items())
        return Guide(tuple(each.event.key for each in self._path[:-1]), tuple(wakeful), asleep)

    def ran(self, seen: Observation, redundant: bool) -> None:
        """Learn from the run that has gone where it had to.

        Raises
        ------
        Differs
            When it was not what it had been up to there; with the number of the step.
        """
        self.runs += 1
        self.redundant += redundant
        first = max(0, len(self._path) - 1)
        for number, state in enumerate(self._path[:-1]):
            if number >= len(seen.events) or seen.events[number] != state.event:
                raise Differs(number)
        asleep: dict[Key, Accesses] = {}
        todo: dict[Key, Branch] = {}
        if self._path:
            state = self._path.pop()
            asleep, todo = state.asleep, state.todo
        for event in seen.events[first:]:
            wanted = next(iter(todo), None)
            behind = {} if wanted is None else todo.pop(wanted).behind
            self._path.append(_State(event, asleep, todo))
            asleep, todo = self._path[-1].behind(), behind if event.key == wanted else {}
        until = len(seen.events) + (0 if redundant else len(seen.waiting))
        self._race(seen.events, seen.past, range(first, until))

    def _race(self, events: list[Event], past: Past, new: range) -> None:
        """Have each two steps that could have come the other way round tried so, the later one of them being new."""
        for later in new:
            if later < len(events) and events[later].key[1] == TIMES_OUT:
                for key in [key for key in events[later].enabled if key != events[later].key]:
                    self._path[later].insert([Planned(key, None)])
            for earlier in past.races(later):
                between = range(earlier + 1, len(events))
                steps = [
                    Planned(events[n].key, events[n].accesses)
                    for n in between
                    if n != later and not past.before[n] >> earlier & 1
                ]
                self._path[earlier].insert([*steps, Planned((past.events[later].key[0], GOES_ON), None)])


class Past:
    """Which steps of a run come before which others in each run of the same order.

    Attributes
    ----------
    before : list of int
        A bit for each step that comes before.
    """

    def __init__(self, taken: list[Event], waiting: list[Event]) -> None:
        self.events = events = [*taken, *waiting]
        self.before: list[int] = []
        self._own: list[int] = []
        self._conflicts: list[int] = []
        self._wants: list[int] = []
        last: dict[str, int] = {}
        done = ByThing()
        for number, event in enumerate(events):
            own = last.get(event.key[0])
            self._own.append(0 if own is None else self.before[own] | 1 << own)
            self._conflicts.append(done.dependent(event.accesses))
            self._wants.append(self._conflicts[-1])
            if event.key[1] == TIMES_OUT:
                wanted = {} if event.label == "sleep" else {event.waited: Access(WRITES, FREE)}
                self._wants[-1] = done.dependent(wanted)
            before = self._own[-1]
            while conflicts := self._conflicts[-1] & ~before:
                latest = conflicts.bit_length() - 1
                before |= self.before[latest] | 1 << latest
            self.before.append(before)
            last[event.key[0]] = number
            if number < len(taken):
                done.add(number, event.accesses)

    def races(self, later: int) -> Iterator[int]:
        """Yield the steps that a step could have come before, with nothing else between that it depends on."""
        event, left = self.events[later], self._wants[later] & ~self._own[later]
        while left:
            earlier = left.bit_length() - 1
            left ^= 1 << earlier
            other = self.events[earlier]
            access = other.accesses.get(event.waited)
            if event.waited == OLD:  # which may be another thing: whoever comes before may have come later
                yield earlier
                continue
            if access is not None and access.takers not in (FREE, event.key[0]):
                if access.takers != NEVER:
                    continue  # but perhaps before it was taken
            elif other.key[1] == TIMES_OUT:
                continue  # time goes on where nobody can; but perhaps before that
            else:
                yield earlier
            left &= ~self.before[earlier]


class Audit:
    """What each thread did next, given all that came before: where that differs, something else had a part in it."""

    def __init__(self) -> None:
        self._next: dict[tuple[str, int, int], tuple[str, str]] = {}

    def __call__(self, seen: Observation, finished: bool) -> str:
        """Return where a thread did not do what it has done before after the same; empty where all did.

        Parameters
        ----------
        seen : Observation
            A run.
        finished : bool
            Whether it has come to its end.
        """
        marks: list[int] = []
        steps: dict[str, int] = {}
        own: dict[str, tuple[int, int]] = {}

        def differs(thread: str, label: str, waited: str) -> str:
            known = self._next.setdefault((thread, *own.get(thread, (0, 0))), (label, waited))
            return "" if known == (label, waited) else f"{known[0]} in one run, {label} in another"

        for number, event in enumerate(seen.events):
            thread = event.key[0]
            if told := differs(thread, event.label, event.waited):
                return told
            count, _ = own.get(thread, (0, 0))
            past = seen.past.before[number]
            last = [(past & each).bit_length() - 1 for each in steps.values()]  # of each thread; its mark has the rest
            before = sum(marks[n] for n in last if n >= 0)
            marks.append(hash((event.key, count, event.label, event.waited, before)))
            own[thread] = count + 1, marks[-1]
            steps[thread] = steps.get(thread, 0) | 1 << number
        if finished:
            ends = {event.key[0]: (event.label, event.waited) for event in seen.waiting}
            for thread in own:
                if told := differs(thread, *ends.get(thread, ("its end", ""))):
                    return told
        return ""
