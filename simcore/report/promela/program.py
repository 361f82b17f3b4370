"""A Promela program that has the states of the model, one for one: a second opinion from Spin.

Spin (Holzmann, https://spinroot.com) shares no code with simcore, so when it stores as many states and says the
same of them, the search is right. What an operation *means* is not judged anew: the program is written from
the tables of a kernel that has met every state (`learned.py`), and a wrong table is wrong in both.

One variable stands for each part of a state. A step is one guarded sequence that nothing interrupts, so Spin
stores no state in between; a choice between outcomes is a choice between sequences. The point of a process is a
variable too, and not a place in a Promela process, because dropping the future of a task can change the point of
the worker that runs it. So Spin sees every process wait in one place, and ``end`` labels could not tell where it
may do so for good. A process of the program itself, ``good_end``, turns round on the spot when nothing is left to do
and nobody has to go on: what Spin then calls an invalid end state is a state where no step is enabled and
somebody must still finish.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from itertools import groupby, product
from textwrap import fill
from typing import NamedTuple

from simcore.model import Model, Timeouts
from simcore.report.promela.learned import Drop, Learned, Part, Step, learn

_FEW = 4
"""Values for which conditions are spelled out; more are looked up in an array, which Spin calls hidden."""

_LONGEST = 4096
"""Cells of an array; the parser of Spin gives up at 10,000."""

_WIDTH = 160

_RULES: Mapping[Timeouts, str] = {
    "never": "time-outs never fire; a sleep ends when no other step is enabled",
    "when_stuck": "time-outs and sleeps end when no other step is enabled",
    "in_order": "time passes when no other step is enabled, and the nearest deadline is met first",
    "anytime": "time-outs and sleeps may end at any moment",
}


class Program(NamedTuple):
    """A Promela program, and what Spin must find in it.

    Attributes
    ----------
    text : str
        The program.
    states, deadlocks : int
        How many states it has, and how many of them are invalid end states.
    """

    text: str
    states: int
    deadlocks: int


def promela(model: Model, *, timeouts: Timeouts = "when_stuck", max_states: int | None = None) -> Program:
    """Return ``model`` as a program for Spin.

    Parameters
    ----------
    model : Model
        What to write down. All of its states are met first, without a reduction.
    timeouts : {"never", "when_stuck", "in_order", "anytime"}
        When time-outs may fire; see `Kernel`.
    max_states : int, optional
        How many states it may have.

    Raises
    ------
    OptionError
        When it has more states than that.
    """
    learned = learn(model, timeouts, max_states)
    return Program(_Writer(model, timeouts, learned).text(), learned.states, learned.deadlocks)


class _Names:
    """Identifiers for whatever a user has named, each used once."""

    def __init__(self) -> None:
        self._used: set[str] = set()

    def new(self, kind: str, name: str) -> str:
        """Return an identifier for ``name``; it begins with ``kind``, so that it is no keyword of Promela or C."""
        stem = re.sub(r"[\W_]+", "_", kind if name == kind else f"{kind}_{name}", flags=re.ASCII).strip("_")
        found, number = stem, 2
        while found in self._used:
            found, number = f"{stem}_{number}", number + 1
        self._used.add(found)
        return found


class _Arrays:
    """Functions of a variable as constant arrays, each written down once."""

    def __init__(self, names: _Names) -> None:
        self._names = names
        self._known: dict[tuple[str, str, tuple[int, ...]], str] = {}
        self.lines: list[str] = []

    def at(self, variable: str, owner: str, told: str, cells: tuple[int, ...]) -> str:
        """Return the expression for the cell of ``variable``; the array is named after an owner and what it tells."""
        name = self._known.get((owner, told, cells))
        if name is None:
            name = self._known[owner, told, cells] = self._names.new(owner, told)
            self._declare(name, cells)
        return f"{name}[{variable}]" if len(cells) <= _LONGEST else f"{name}({variable})"

    def _declare(self, name: str, cells: tuple[int, ...]) -> None:
        size = _type(max(2, *cells))  # Spin hides no bits
        parts = [cells[start : start + _LONGEST] for start in range(0, len(cells), _LONGEST)]
        names = [name] if len(parts) == 1 else [self._names.new(name, f"part_{n}") for n in range(len(parts))]
        for within, part in zip(names, parts, strict=True):
            inside = fill(", ".join(map(str, part)), 118, initial_indent="  ", subsequent_indent="  ")
            self.lines.append(f"hidden {size} {within}[{len(part)}] = {{\n{inside} }};")
        if len(parts) > 1:
            starts = range(0, len(cells), _LONGEST)
            picked = f"{names[-1]}[(v) - {starts[-1]}]"
            for within, start in reversed(list(zip(names[:-1], starts[:-1], strict=True))):
                picked = f"((v) < {start + _LONGEST} -> {within}[(v) - {start}] : {picked})"
            self.lines.append(f"#define {name}(v) {picked}")


def _type(most: int) -> str:
    """Return the smallest type that holds the numbers up to ``most``."""
    return next((name for name, last in (("bit", 1), ("byte", 255), ("short", 32_767)) if most <= last), "int")


def _comment(*lines: str) -> str:
    """Return ``lines`` as a comment, whatever is in them."""
    plain = [_short(line.encode("ascii", "backslashreplace").decode()) for line in lines]
    safe = [line.replace("*/", "* /").replace("/*", "/ *") for line in plain]
    return "/* " + "\n".join(f"   {line}".rstrip() for line in safe).lstrip() + " */"


def _short(text: str) -> str:
    """Return ``text`` in one line, without its middle when it is long."""
    line = " ".join(text.split())
    return line if len(line) <= _WIDTH else f"{line[: _WIDTH - 40]} ... {line[-35:]}"


_ABOUT_ARRAYS = (
    "What an operation makes of a value: `x_after_get[x]`, 0 where it cannot happen. Where a worker or a queue of",
    "tasks comes to when future 3 is dropped: `x_without_3[x]`. Whether a value mentions it: `x_keeps_3[x]`.",
)
_ABOUT_DROPS = (
    "Futures of tasks. A submit takes the lowest free place. A place is free again as soon as nobody mentions the",
    "future any more, its own task not counted; then the task goes on without one, and a task that has ended is over.",
)

_Change = tuple[list[str], list[str]]
"""Conditions, and statements."""


class _Writer:
    """One program, written from top to bottom; names, arrays and inlines come up on the way."""

    def __init__(self, model: Model, timeouts: Timeouts, learned: Learned) -> None:
        self.model, self.timeouts, self.learned = model, timeouts, learned
        names = _Names()
        self._names, self._arrays = names, _Arrays(names)
        kinds = [("at" if part.kind == "process" else part.kind) for part in learned.parts]
        self._variables = [names.new(kind, part.name) for kind, part in zip(kinds, learned.parts, strict=True)]
        self._tasks = [name for name, kind in zip(self._variables, kinds, strict=True) if kind == "task"]
        self._inlines: dict[tuple[int, frozenset[int]], str] = {}
        self._drops: list[str] = []

    def text(self) -> str:
        """Return the whole program."""
        processes = list(self._processes())  # first, as they tell which arrays and inlines there must be
        arrays = [_comment(*_ABOUT_ARRAYS)] * bool(self._arrays.lines) + self._arrays.lines
        drops = [_comment(*_ABOUT_DROPS)] * bool(self._drops) + self._drops
        parts = [self._head(), *self._declarations(), *arrays, *drops, *processes, self._end()]
        return "\n\n".join(parts) + "\n"

    # ---- what it says of itself, and its variables -----------------------------------------------------------

    def _head(self) -> str:
        learned, origin = self.learned, self.model.origin
        given = ", ".join(f"{name}={value!r}" for name, value in origin.parameters.items()) if origin else ""
        lines = [
            f"{self.model.name}: a model of simcore as a program for Spin.",
            *([f"{origin.function}({given})"] if origin else []),
            f"Of time: {_RULES[self.timeouts]}.",
            "",
            f"simcore has met {learned.states:,} states. In {learned.deadlocks:,} of them no step is enabled and",
            "somebody must still finish. With the name of this file in the place of FILE,",
            "",
            "spin -a FILE && cc -O2 -DNOREDUCE -DSAFETY -o pan pan.c",
            f"./pan -c0 -A -m{learned.states + 10_000}",
            "",
            'must tell of as many "states, stored", and count as many errors, all of them invalid end states.',
            "Without -A it counts, too, how often a process dies of an exception that nobody catches.",
            "Without -c0 it stops at the first error, and spin -t -p FILE shows how to get there.",
            *["With -DBFS for cc, too, that is a shortest way."] * (not self._arrays.lines),  # Spin refuses it then
        ]
        return _comment(*lines)

    def _declarations(self) -> Iterator[str]:
        numbered: dict[str, str] = {}
        for part, variable in zip(self.learned.parts, self._variables, strict=True):
            named = f"{part.kind} {part.name}" if part.name != part.kind else part.name
            lines = [named, *_numbered(part)]
            if part.pool and numbered.setdefault(part.pool, part.name) != part.name:
                lines = [f"process {part.name}, numbered as {numbered[part.pool]} is"]
            if not part.constant:
                starts = f" = {part.initial}" * bool(part.initial)
                yield f"{_comment(*lines)}\n{_type(part.most)} {variable}{starts};"
            elif part.kind != "local":
                yield _comment(f"{named} never changes: {part.texts[0]}")

    # ---- what processes do -----------------------------------------------------------------------------------

    def _processes(self) -> Iterator[str]:
        """Yield a process for each that ever moves."""
        for process, own in groupby(self.learned.steps, key=lambda step: step.process):
            part = self.learned.parts[process]
            told, lines = _numbered(part), []
            for before, alike in groupby(own, key=lambda step: step.before):
                options = [f"  :: {option}" for step in alike for option in self._options(step)]
                lines += [f"  {_comment(told[before - 1])}", *options] * bool(options)
            if lines:
                name = self._names.new("process", part.name)
                yield "\n".join([f"active proctype {name}() {{", "  do", *lines, "  od", "}"])

    def _options(self, step: Step) -> Iterator[str]:
        """Yield the guarded sequences for one step."""
        at = f"{self._variables[step.process]} == {step.before}"
        free, made = self._created(step.created)
        moved = self._moved(step.process, step.before, step.after)
        drops = [self._drop(number) for number in step.lost]
        told = f"after_{step.operation}" + "_expired" * step.expired
        for (found, change), (due, tick) in product(self._changes(step.position, told, step.values), self._times(step)):
            body = "; ".join([*change, *made, *moved, *tick, *drops]) or "skip"
            # Spin warns of a `timeout` in a d_step; it stores no state inside an atomic sequence either.
            kind = "atomic" if "timeout" in due else "d_step"
            yield f"{kind} {{ {' && '.join([at, *due, *found, *free])} -> {body} }}"

    def _created(self, number: int) -> tuple[list[str], list[str]]:
        """Return when future ``number`` is the one that is made, and what makes it."""
        if number < 0:
            return [], []
        place, taken = self._tasks[number], [f"{place} != 0" for place in self._tasks[:number]]
        return [*taken, f"{place} == 0"], [f"{place} = {self.learned.pending}"]

    def _moved(self, position: int, before: int, after: int) -> list[str]:
        """Return what takes a process from one point to another."""
        moved = [f"{self._variables[position]} = {after}"] if before != after else []
        return [*moved, "assert(false)"] if after in self.learned.parts[position].dead else moved

    def _times(self, step: Step) -> list[_Change]:
        """Return when the rule for time-outs lets a step happen, and what it does to the clock."""
        if self.timeouts != "in_order":
            return [(["timeout"] if step.expired and self.timeouts != "anytime" else [], [])]
        if not step.expired and all(before == after for before, after in step.now.items()):
            return [([], [])]
        clock = next(position for position, part in enumerate(self.learned.parts) if part.kind == "clock")
        told = f"after_{self.learned.parts[step.process].name}"
        later = [(["timeout", *due], tick) for due, tick in self._changes(clock, told, step.later)]
        return self._changes(clock, told, step.now) + later

    def _changes(self, position: int, told: str, becomes: Mapping[int, int]) -> list[_Change]:
        """Return conditions on the value of ``position``, each with what it becomes there."""
        if self.learned.parts[position].constant:  # it has no variable
            return [([], [])] if becomes else []
        variable = self._variables[position]
        if len(becomes) <= _FEW:
            return [([f"{variable} == {a}"], [f"{variable} = {b}"] if a != b else []) for a, b in becomes.items()]
        cell = self._cell(position, told, becomes)
        return [([cell], [f"{variable} = {cell}"] if any(a != b for a, b in becomes.items()) else [])]

    def _cell(self, position: int, told: str, cells: Mapping[int, int]) -> str:
        """Return the expression for what ``cells`` have for the value of ``position``, 0 where they have nothing."""
        part, variable = self.learned.parts[position], self._variables[position]
        whole = tuple(cells.get(number, 0) for number in range(part.most + 1))
        return self._arrays.at(variable, f"at_{part.pool}" if part.pool else variable, told, whole)

    # ---- futures that nobody mentions any more ---------------------------------------------------------------

    def _drop(self, number: int, gone: frozenset[int] = frozenset()) -> str:
        """Return the call that drops future ``number`` unless it is mentioned, when those ``gone`` just were."""
        name = self._inlines.get((number, gone))
        if name is None:
            name = self._inlines[number, gone] = self._names.new("drop", str(number))
            lines = [f"  :: {case}" for case in self._dropping(number, self.learned.drops[number], gone | {number})]
            self._drops.append("\n".join([f"inline {name}() {{", "  if", *lines, "  :: else", "  fi", "}"]))
        return f"{name}()"

    def _dropping(self, number: int, drop: Drop, gone: frozenset[int]) -> Iterator[str]:
        place, position = self._tasks[number], len(self._variables) - len(self._tasks) + number
        kept = [self._one_of(other, f"keeps_{number}", values) for other, values in drop.keeps.items()]
        unless = [f"!({' || '.join(kept)})" if len(kept) > 1 else f"!{kept[0]}"] if kept else []
        for inside, values in drop.inside.items():
            found = f"{place} != 0" if len(drop.inside) == 1 else self._one_of(position, "with", values)
            drops = [self._drop(other, gone) for other in inside if other not in gone]
            yield f"{' && '.join([found, *unless])} -> {'; '.join([f'{place} = 0', *self._forgetting(number), *drops])}"

    def _forgetting(self, number: int) -> list[str]:
        """Return what takes future ``number`` from its task, on a worker or in the queue of a pool."""
        running, queued = [], []
        for position, becomes in self.learned.drops[number].forgets:
            variable = self._variables[position]
            if self.learned.parts[position].kind == "process":
                for before, after in becomes.items():
                    running.append(f":: {variable} == {before} -> {'; '.join(self._moved(position, before, after))}")
            else:
                changes = self._changes(position, f"without_{number}", becomes)
                cases = [f":: {' && '.join(found)} -> {'; '.join(change)}" for found, change in changes]
                queued.append(f"if {' '.join(cases)} :: else fi")
        if not running:
            return queued
        return [f"if {' '.join(running)} :: else -> {'; '.join(queued) or 'skip'} fi"]

    def _one_of(self, position: int, told: str, values: Collection[int]) -> str:
        """Return the condition that ``position`` has one of ``values``."""
        variable, found = self._variables[position], sorted(values)
        if len(found) <= _FEW:
            return f"({' || '.join(f'{variable} == {number}' for number in found)})"
        if found == [*range(found[0], found[-1] + 1)]:
            return f"({found[0]} <= {variable} && {variable} <= {found[-1]})"
        return self._cell(position, told, dict.fromkeys(found, 1))

    # ---- where it may end ------------------------------------------------------------------------------------

    def _end(self) -> str:
        rest = ["timeout"]
        for part, variable in zip(self.learned.parts, self._variables, strict=True):
            if part.kind == "process" and part.resting < part.most:
                rest.append(f"{variable} <= {part.resting}")
        about = _comment("Nothing is left to do, and nobody must go on: this is no deadlock.")
        return "\n".join([about, "active proctype good_end() {", "  do", f"  :: {' && '.join(rest)}", "  od", "}"])


def _numbered(part: Part) -> list[str]:
    return [f"{number}: {text}" for number, text in enumerate(part.texts, part.kind != "task")]
