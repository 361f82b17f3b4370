"""The tables of a model, complete: every state has been met once, so nothing is left to be learned.

A kernel learns what an operation does when a search needs it. Whoever wants all of it as data, to hand it to
another checker, walks the whole space first, without a reduction, and then reads the tables. The values that one
part of a state can have are numbered from 1 here, and steps of the same process at the same point that differ in
nothing but the value that they find and leave are one `Step`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from simcore.errors import OptionError
from simcore.kernel import FREE, Kernel, Move, Packed, left_of
from simcore.model import Model, Timeouts
from simcore.model.operations import shown


class Part(NamedTuple):
    """One position of a state.

    Attributes
    ----------
    kind, name : str
        "lock", "queue"...; "process", whose value is its point; "task" for the place of a submit's future.
    texts : list of str
        What the values are. That of number 1 is first; for the place of a future it is number 0, that it is free.
    initial : int
        The number of the value before the first step.
    resting : int
        Processes: up to this number it need not go on (see `ProcessState.owes`).
    dead : frozenset of int
        Processes: it has died of an exception that nobody can catch.
    pool : str
        The pool whose worker it is; all workers of a pool are numbered alike.
    """

    kind: str
    name: str
    texts: list[str]
    initial: int
    resting: int = 0
    dead: frozenset[int] = frozenset()
    pool: str = ""

    @property
    def most(self) -> int:
        """The largest number."""
        return len(self.texts) - (self.kind == "task")

    @property
    def constant(self) -> bool:
        """Whether it is an object that never changes."""
        return len(self.texts) == 1 and self.kind != "process"


class Step(NamedTuple):
    """What a process does at one of its points, for every value that its operation may find there.

    Attributes
    ----------
    process, before, after : int
        The position of the process, and its points.
    operation : str
        The operation's name.
    expired : bool
        Whether this is its time-out.
    position, values : int and dict of int to int
        The position of what it operates on, and the value before and after.
    created : int
        The future that it makes, where that one is the lowest free place; or -1.
    lost : tuple of int
        Futures that may have lost their last mention, in the order in which they are looked at.
    now, later : dict of int to int
        With a clock: its value before and after, where no time must pass first, and where some must.
    """

    process: int
    before: int
    after: int
    operation: str
    expired: bool
    position: int
    values: dict[int, int]
    created: int
    lost: tuple[int, ...]
    now: dict[int, int]
    later: dict[int, int]


class Drop(NamedTuple):
    """What happens to the future of a submit when it may have lost its last mention.

    Attributes
    ----------
    keeps : dict of int to set of int
        For each position the values that mention it: with any of these it stays.
    inside : dict of tuple of int to set of int
        The futures that its own values mention, which may then have lost their last mention in turn.
    forgets : list of (int, dict of int to int)
        Positions of workers, then of pools: what their values become without it. Either one worker has its task,
        or some pools have.
    """

    keeps: dict[int, set[int]]
    inside: dict[tuple[int, ...], set[int]]
    forgets: list[tuple[int, dict[int, int]]]


class Learned(NamedTuple):
    """Everything that can happen in a model.

    Attributes
    ----------
    states, deadlocks : int
        How many there are, and in how many of them no step is enabled and somebody must still finish.
    parts : list of Part
        Of a state: objects, a clock with ``timeouts="in_order"``, processes, futures of submits.
    steps : list of Step
        By process and point.
    drops : list of Drop
        One for each future of a submit.
    pending : int
        What a future is when it is made.
    """

    states: int
    deadlocks: int
    parts: list[Part]
    steps: list[Step]
    drops: list[Drop]
    pending: int


def learn(model: Model, timeouts: Timeouts = "when_stuck", max_states: int | None = None) -> Learned:
    """Meet all states of ``model``, and return what was learned.

    Raises
    ------
    OptionError
        When there are more than ``max_states``, or the future of a task is set by hand.
    """
    if max_states is not None and max_states < 1:
        raise OptionError(f"`max_states={max_states}`: use at least 1, or `max_states=None` for no limit")
    kernel = _Complete(model, timeouts)
    states, deadlocks = kernel.meet_all(max_states)
    if kernel.by_hand:
        raise OptionError(
            f"model {model.name!r} sets the future of a task by hand, which its worker may die of: that is not told in "
            f"these tables, where a step looks at one object only; use a future of the model (model.future)"
        )
    return kernel.learned(states, deadlocks)


class _Entries(NamedTuple):
    """Entries of the tables whose effects differ in the value alone."""

    process: int
    local: int
    move: Move
    expired: bool
    values: dict[int, int]


class _Complete(Kernel):
    """A kernel whose tables are read, once it has met all states."""

    def meet_all(self, most: int | None) -> tuple[int, int]:
        """Return the number of states, and of those that deadlock."""
        seen: set[Packed] = {self.initial}
        ahead = [self.initial]
        deadlocks = 0
        while ahead:
            state = ahead.pop()
            choices = self.successors(state)
            if not choices:
                deadlocks += self.view(state).deadlocked
            for choice in choices:
                if choice.state not in seen:
                    if most is not None and len(seen) >= most:
                        raise OptionError(
                            f"model {self.model.name!r} has more than {most:,} states, and it is not known what its "
                            f"processes do before all were met; raise `max_states`, or choose smaller parameters"
                        )
                    seen.add(choice.state)
                    ahead.append(choice.state)
        return len(seen), deadlocks

    def learned(self, states: int, deadlocks: int) -> Learned:
        """Return the tables, with the values of each position numbered."""
        entries = self._grouped()
        self._met = self._all_values(entries)
        self._numbers = [self._numbered(position) for position in range(len(self._met))]
        self._known_ticks: dict[tuple[int, float | None, bool], tuple[dict[int, int], dict[int, int]]] = {}
        parts = [self._part(position) for position in range(len(self._met))]
        steps = sorted((self._step(one) for one in entries), key=lambda step: (step.process, step.before))
        drops = [self._drop(number) for number in range(len(self._met) - self.first_future)]
        pending = self._numbers[-1][self._pending] if drops else 0
        return Learned(states, deadlocks, parts, steps, drops, pending)

    # ---- entries ---------------------------------------------------------------------------------------

    def _grouped(self) -> list[_Entries]:
        """Put entries together whose effects differ in the value alone, and the outcomes of one entry apart."""
        found: dict[tuple[int, int, Move, bool], list[_Entries]] = {}
        for process, local, value, move, expired in self._entries():
            key = (process, local, move._replace(value=FREE), expired)
            alike = found.setdefault(key, [])
            for entries in alike:
                if entries.values.setdefault(value, move.value) == move.value:
                    break
            else:
                alike.append(_Entries(*key, {value: move.value}))
        return [entries for alike in found.values() for entries in alike]

    def _entries(self) -> Iterator[tuple[int, int, int, Move, bool]]:
        for process in range(len(self.processes)):
            made = [(key[:2], moves) for key, moves in self._creating[process].items()]
            for (local, value), moves in [*self._moves[process].items(), *made]:
                yield from ((process, local, value, move, False) for move in moves)
            for (local, value), moves in self._expiries[process].items():
                yield from ((process, local, value, move, True) for move in moves)

    def _step(self, entries: _Entries) -> Step:
        process, local, move, expired, values = entries
        position, operation = self.first_process + process, self._operations[local]
        assert operation is not None
        before, after = self._numbers[position][local], self._numbers[position][move.point]
        waits = (process, self._limit(move.point), expired)
        if waits not in self._known_ticks:
            self._known_ticks[waits] = self._ticks(*waits)
        now, later = self._known_ticks[waits]
        found = self._renumbered(move.position, values)
        return Step(
            position, before, after, operation.name, expired, move.position, found, move.created, move.lost, now, later
        )

    def _ticks(self, process: int, limit: float | None, expired: bool) -> tuple[dict[int, int], dict[int, int]]:
        """Return what becomes of the clock when ``process`` steps and then waits with ``limit``; see `Step`."""
        now: dict[int, int] = {}
        later: dict[int, int] = {}
        if self._clock is None:
            return now, later
        for (clock, seconds, mover, local), after in self._moved.items():
            if (mover, self._limit(local)) == (process, limit) and clock in self._met[self._clock.index]:
                left = left_of(self.values[clock], self.processes[process]) if expired else 0.0
                if seconds == left:
                    (later if seconds else now)[clock] = after
        return self._renumbered(self._clock.index, now), self._renumbered(self._clock.index, later)

    def _limit(self, local: int) -> float | None:
        operation = self._operations[local]
        return None if operation is None else operation.timeout

    # ---- values ----------------------------------------------------------------------------------------

    def _all_values(self, entries: list[_Entries]) -> list[set[int]]:
        """Return the values that each position can have; those between the parts of one step included."""
        places = max(one.move.created for one in entries) + 1 if entries else 0
        met = [{number} for number in self.initial] + [{FREE, self._pending} for _ in range(places)]
        for process, _, move, _, values in entries:
            met[self.first_process + process].add(move.point)
            met[move.position] |= {*values, *values.values()}
        if self._clock is not None:
            met[self._clock.index] |= set(self._moved.values())
        before = 0
        while before < (before := sum(map(len, met))):
            for number in range(places):
                for place, becomes in self._forgetting(number, met):
                    met[place] |= set(becomes.values())
        return met

    def _forgetting(self, number: int, met: list[set[int]]) -> Iterator[tuple[int, dict[int, int]]]:
        """Yield what the workers, and then the pools, become when future ``number`` is dropped; see `Drop`."""
        for place in self._worker_places:
            pool = self.processes[place - self.first_process].pool
            owners = [local for local in sorted(met[place]) if self._task_futures[local] == number]
            yield place, {local: self._alone[local, pool] for local in owners if (local, pool) in self._alone}
        known = self._without[number]
        for place in self._pool_places:
            yield place, {value: known[value] for value in sorted(met[place] & set(known)) if known[value] != value}

    def _drop(self, number: int) -> Drop:
        place = self.first_future + number
        keeps: dict[int, set[int]] = {}
        for position, met in enumerate(self._met):
            local = self.first_process <= position < self.first_future
            kept = met & (self._mentioning_locals if local else self._mentioning_values)[number]
            if kept and position != place:  # it does not keep itself
                keeps[position] = {self._numbers[position][value] for value in kept}
        inside: dict[tuple[int, ...], set[int]] = {}
        for value in sorted(self._met[place] - {FREE}):
            inside.setdefault(tuple(self._value_futures[value]), set()).add(self._numbers[place][value])
        forgets = [(p, self._renumbered(p, becomes)) for p, becomes in self._forgetting(number, self._met) if becomes]
        return Drop(keeps, inside, forgets)

    def _renumbered(self, position: int, becomes: Mapping[int, int]) -> dict[int, int]:
        numbers = self._numbers[position]
        return {numbers[before]: numbers[after] for before, after in becomes.items()}

    def _numbered(self, position: int) -> dict[int, int]:
        """Number the values of a position from 1, and a free place 0; processes that may rest go first."""
        if position >= self.first_future:
            return {value: number for number, value in enumerate(sorted(self._met[position]))}
        if position < self.first_process:
            return {value: number for number, value in enumerate(sorted(self._met[position]), 1)}
        process = self.processes[position - self.first_process]
        team = [other for other in self.processes if other is process or (other.pool and other.pool is process.pool)]
        met = sorted(set().union(*(self._met[self.first_process + other.index] for other in team)))
        met.sort(key=lambda local: not self._rests(process.index, local))
        return {local: number for number, local in enumerate(met, 1)}

    def _rests(self, process: int, local: int) -> bool:
        about = self.processes[process]
        if about.pool is not None:
            return self.locals[local].task is None or local in self._failed
        operation = self._operations[local]
        ended = local not in self._failed if operation is None else operation.rests
        return about.daemon or ended

    # ---- for people ------------------------------------------------------------------------------------

    def _part(self, position: int) -> Part:
        numbers = self._numbers[position]
        if position >= self.first_future:
            texts = ["free", *(self._futures[0].show(self.values[value]) for value in numbers if value != FREE)]
            return Part("task", f"future#{position - self.first_future}", texts, numbers[FREE])
        initial = numbers[self.initial[position]]
        if position < self.first_process:
            thing, values = self.objects[position], [self.values[number] for number in numbers]
            show = _left if thing is self._clock else thing.show
            texts = _told_apart(list(map(show, values)), map(_in_full, values))
            return Part(thing.kind, thing.name, texts, initial)
        process = self.processes[position - self.first_process]
        told = list(map(self._told, numbers))
        texts = _told_apart(told, (f"{text} (variables differ)" for text in told))
        resting = sum(self._rests(process.index, local) for local in numbers)
        dead = frozenset(numbers[local] for local in numbers if local in self._failed)
        return Part("process", process.name, texts, initial, resting, dead, process.pool.name if process.pool else "")

    def _told(self, local: int) -> str:
        point, task, status = self.locals[local]
        if point is None:
            return "idle" if status == "idle" else "has left"
        operation = self._operations[local]
        parts = [] if task is None else [str(task)]
        if operation is None:
            parts.append(f"{'died of' if status == 'failed' else 'returned'} {point.outcome}")
        else:
            parts.append(str(operation))
            if operation.timeout is not None:
                parts.append(f"for {operation.timeout:g} s at most")
        return ", ".join(parts) + f" -- {point.where}" * bool(point.where)


def _told_apart(texts: list[str], full: Iterable[str]) -> list[str]:
    """Return ``texts``, with one of ``full`` in the place of each that is not the only one of its kind."""
    often = Counter(texts)
    return [text if often[text] == 1 else longer for text, longer in zip(texts, full, strict=True)]


def _left(pending: Any) -> str:
    """Say whose deadlines are in how many seconds."""
    return ", ".join(f"{process} in {left:g} s" for left, process in pending) or "nobody has a deadline"


def _in_full(value: Any) -> str:
    """Return all there is of a value, whatever `SharedObject.show` leaves out."""
    if not isinstance(value, tuple):
        return shown(value)
    names, parts = getattr(value, "_fields", None), list(map(_in_full, value))
    if names is None:
        return f"({', '.join(parts)})"
    return f"{type(value).__name__}({', '.join(map('='.join, zip(names, parts, strict=True)))})"
