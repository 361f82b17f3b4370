"""Exchanging two neighbouring names must move every step that a process can take to a step that another can take.

That is tested, for everything that has been learned: the point that follows a point for a result must be moved
to the point that follows the moved point for the moved result, and the two must be about to do the same but for
the names. The moved steps are learned by that and tested in turn, until nothing new comes: then the exchanges
are automorphisms of all that is known, and so are all their products, which is every permutation. A process that
looks into a name, goes through names in the order in which they were made, or treats one of them in a way of its
own comes to another operation, and the family is told apart. Neither types nor good will are trusted.

Functions that update a variable are tested in the same way, at all values that differ by a permutation, but where one
run shows that the function cannot tell names apart (`natural.py`): then one value tells of all. Futures that
submits have made are data, and tested as such (`forms.py`). So an exchange moves forms, and of the steps that differ
in futures alone the first is tested: that the others lead where it leads, but for the futures, is known of both ends.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterator
from dataclasses import dataclass, field, fields
from itertools import islice
from types import FunctionType
from typing import Any

from simcore.errors import SimcoreError
from simcore.explore.reduction.forms import Form, Forms, deed
from simcore.explore.reduction.names import FUTURES, Moves, Names, NotSymmetric
from simcore.explore.reduction.natural import Natural
from simcore.explore.reduction.orbits import Label, Orbits
from simcore.explore.reduction.pairing import Pairing
from simcore.explore.reduction.renaming import Renaming
from simcore.kernel import Applied, Journal, Kernel, Learned, Point, lesson
from simcore.kernel.freeze import is_frozen_dataclass, value_key
from simcore.model import Process
from simcore.model.objects import LOCAL
from simcore.model.operations import Operation, Outcomes

MOST_ADDED = 20_000
"""Steps that are learned for this test alone, at most."""

_AT_ONCE = 8  # steps of an exchange that are tested in one lesson


@dataclass
class Exchange:
    """A name is exchanged with the next one.

    Attributes
    ----------
    forms : dict
        What each form is moved to; the futures stay where they are.
    """

    family: str
    moves: Moves
    forms: dict[Form, Form] = field(default_factory=dict)


class Checked:
    """What is known of the names of a model, tested on all that its kernel has learned.

    Parameters
    ----------
    kernel : Kernel
        Whose points are moved.
    names : Names
        What may be exchanged.

    Raises
    ------
    NotSymmetric
        When exchanging two names does not leave the model what it is. Every method may raise it.
    """

    def __init__(self, kernel: Kernel, names: Names) -> None:
        self.kernel, self.names = kernel, names
        self.renaming = Renaming(names, self)
        self._log = kernel.points.learned
        self._exchanges: dict[int, Exchange] = {}
        self._pairings: dict[int, Pairing] = {}
        for block in names.blocks:
            for name in range(block.first, block.first + block.size - 1):
                moves = {name: name + 1, name + 1: name}
                self._pairings[name] = Pairing(names, block.family, moves)
                self._exchanges[name] = Exchange(block.family, moves)
        self._things = {number: thing for p in self._pairings.values() for number, thing in p.things.items()}
        self._opaque = Orbits(lambda thing, name: self._pairings[name].image.get(thing, thing), names.blocks)
        self.forms = Forms(kernel, names, self.renaming)
        self._natural = Natural(self.renaming, [exchange.moves for exchange in self._exchanges.values()])
        self._orbits = Orbits(self._exchanged, names.blocks, self._seen_in)
        self._values_seen: set[Hashable] = set()
        self._applied: set[Hashable] = set()
        self._functions: dict[Any, Hashable] = {}
        self._firsts: dict[Process, Point] = {}
        self._futures_in: dict[Point, tuple[int, ...]] = {}
        self._added = 0
        self._tested = -1
        self._left: Iterator[None] | None = None  # of a test that goes on with the next lesson
        self._check_actions()
        for exchange in self._exchanges.values():
            self.look()
            self._start(exchange)
        self.test()

    def _check_actions(self) -> None:
        """Exchanges must do to things with an identity what exchanges do: as often as one likes, in any order."""
        for one, first in self._pairings.items():
            for other, second in self._pairings.items():
                times = {0: 1, 1: 3}.get(abs(one - other), 2)
                for start in self._things:
                    thing = start
                    for _ in range(times):
                        thing = second.image.get(first.image.get(thing, thing), first.image.get(thing, thing))
                    if thing != start:
                        raise NotSymmetric(first.family, f"{self._things[start]!r} belongs to no name in particular")

    # ---- things with an identity, and points ---------------------------------------------------------

    def label_of(self, thing: Any) -> tuple[Hashable, tuple[int, ...]] | None:
        """Return what a thing with an identity is but for its names, and its names; None when it is not known."""
        if id(thing) not in self._things:
            return None
        orbit, classes = self._opaque.label(id(thing))
        return ("orbit", orbit, tuple(map(len, classes))), tuple(name for alike in classes for name in alike)

    def moved(self, thing: Any, moves: Moves) -> Any:
        """Return what a thing with an identity is moved to."""
        return self._things[self._opaque.moved(id(thing), moves)]  # type: ignore[index]

    def label(self, point: Point) -> Label:
        """Return the orbit of a program point, and the names that it depends on."""
        form, futures = self.forms.of(point)
        orbit, classes = self._orbits.label(form)
        return Label(orbit, (*classes, *((name,) for name in futures)))

    def point(self, point: Point, moves: Moves) -> Point:
        """Return the program point that ``point`` is moved to."""
        form, futures = self.forms.of(point)
        moved: Any = self._orbits.moved(form, moves)
        return self.forms.placed(moved, tuple([moves.get(name, name) for name in futures]))

    def _exchanged(self, form: Any, name: int) -> Form:
        """Return what exchanging a name with the next one moves a form to."""
        return self._exchanges[name].forms[form]

    def _futures(self, point: Point) -> tuple[int, ...]:
        known = self._futures_in.get(point)
        if known is None:
            made = (self.names.of_future(thing) for thing in point.objects)
            known = self._futures_in[point] = tuple(sorted(name for name in made if name is not None))
        return known

    def _seen_in(self, form: Any) -> frozenset[int]:
        return frozenset(self.renaming.names_in(form.point.key))

    # ---- the test ------------------------------------------------------------------------------------

    def test(self) -> None:
        """Test what has been learned since the last time."""
        while self.behind:
            self.learn_images()

    @property
    def behind(self) -> bool:
        """Whether something has been learned since the last time: in nearly every state nothing has."""
        return self._left is not None or self._tested != len(self._log)

    @property
    def journal(self) -> Journal | None:
        """Who notes what is learned."""
        return self.kernel.journal

    def look(self) -> None:
        """Look at the limits, as the kernel does."""
        self.kernel.look()

    @lesson
    def learn_images(self) -> None:
        """Learn what some more of the program points that were learned are moved to."""
        left, self._left = self._left or self._images(), None
        tested = sum(1 for _ in islice(left, _AT_ONCE))
        self._left = left if tested == _AT_ONCE else None

    def _images(self) -> Iterator[None]:
        """Learn what all of them are moved to, one after the other."""
        while self._tested != len(self._log):
            before, after = self._tested, len(self._log)
            self._tested = after
            new = []
            for entry in self._log[max(before, 0) : after]:
                if isinstance(entry, Applied) and self._exchanges and self._natural(entry):
                    yield
                elif self._first_of_its_form(entry):
                    new.append(entry)
                    yield
            for exchange in self._exchanges.values():
                yield from self._move(exchange, new, after)
            self._added += len(self._log) - after

    def _start(self, exchange: Exchange) -> None:
        for process in self.kernel.processes:
            if process.fn is not None:
                other = self.names.moved(process, exchange.moves)
                self._match(exchange, self._first(process), self._first(other))

    def _first(self, process: Process) -> Point:
        assert process.fn is not None
        if process not in self._firsts:
            self._firsts[process] = self.kernel.points.start(process.name, process.fn, process.args)
        return self._firsts[process]

    def _first_of_its_form(self, entry: Any) -> bool:
        """Tell whether no entry of the log before differs from this one in futures alone, which is tested."""
        if not self.names.futures:
            return True
        if isinstance(entry, Applied):
            self._apply_to_others(entry)
            return True
        return self.forms.test(entry)

    def _move(self, exchange: Exchange, entries: list[Any], end: int) -> Iterator[None]:
        """Test that an exchange moves what has been learned, until the ``end`` of the log, to what can be learned."""
        for entry in entries:
            if self._added + len(self._log) - end > MOST_ADDED:
                raise NotSymmetric(exchange.family, f"more than {MOST_ADDED} steps would have to be tested")
            try:
                if isinstance(entry, Applied):
                    self._apply(exchange, entry)
                else:
                    self._follow(exchange, entry)
            except SimcoreError as error:
                raise NotSymmetric(exchange.family, f"with other names, {error}") from error
            yield

    def _follow(self, exchange: Exchange, learned: Learned) -> None:
        """Let the process that a step is moved to take the step that it is moved to."""
        before, result, after = learned
        other = self.renaming.renamed(result, exchange.moves)
        if before is None:
            name = self.names.text(after.program.name, exchange.moves)
            self._match(exchange, after, self.kernel.points.start(name, *other))
            return
        form, futures = self.forms.of(before)
        moved = self.forms.placed(exchange.forms[form], futures)
        if moved is before and _identical(other, result):
            self._match(exchange, after, after)
            return
        self._match(exchange, after, self.kernel.points.advance(moved, other))
        turned = _turned(other)
        if turned is not other:  # the order of a set must not matter either
            self._match(exchange, after, self.kernel.points.advance(moved, turned))

    def _match(self, exchange: Exchange, point: Point, other: Point) -> None:
        (form, futures), (image, others) = self.forms.of(point), self.forms.of(other)
        known = exchange.forms.get(form)
        if known is image and futures == others:
            return
        if known is not None or not self._alike(exchange, point, other):
            raise NotSymmetric(exchange.family, _told(exchange, self.names, point, other))
        if futures != others:
            raise NotSymmetric(FUTURES, f"{point.program.name} has them in an order of names")
        exchange.forms[form] = image

    def _alike(self, exchange: Exchange, point: Point, other: Point) -> bool:
        """Tell whether two points are about to do the same, but for the names."""
        moves = exchange.moves
        futures = tuple(sorted(moves.get(name, name) for name in self._futures(point)))
        if point.status != other.status or futures != self._futures(other):
            return False
        if point.operation is None or other.operation is None:
            return _same(self.renaming.renamed(point.outcome, moves), other.outcome)
        return _same_operation(self.renaming.renamed(point.operation, moves), other.operation)

    def _apply(self, exchange: Exchange, applied: Applied) -> None:
        """Test an operation that looks inside values, at the value that its value is moved to."""
        moves, kernel = exchange.moves, self.kernel
        process = self.names.moved(applied.process, moves) if applied.process.fn is not None else applied.process
        operation = self.renaming.renamed(applied.operation, moves)
        value = kernel.intern_value(self.renaming.renamed(kernel.values[applied.value], moves))
        outcomes = self._outcomes(exchange, operation, value, process)
        self._applied.add(self._key(applied))
        moved = Applied(process, operation, value, outcomes)
        key = self._key(moved)
        if key not in self._applied:
            self._applied.add(key)
            self._log.append(moved)
        expected = self.renaming.renamed(applied.outcomes, moves)
        if not _identical(expected, outcomes) and _counted(expected) != _counted(outcomes):
            told = f"{applied.operation} does something else to {_first_moved(self.names, moves)}"
            raise NotSymmetric(exchange.family, told)

    def _apply_to_others(self, applied: Applied) -> None:
        """Test an operation that looks inside values with other futures, once for all that differ in these alone."""
        _, operation, value, _ = applied
        described = self.renaming.described((operation.name, operation.args, self.kernel.values[value]))
        futures = [name for name in described.names if name >= self.names.first_future]
        key = (applied.process, operation.target, described.shape)
        if futures and key not in self._values_seen:
            self._values_seen.add(key)
            for moves in self.forms.others(futures):
                self._apply(Exchange(FUTURES, moves), applied)

    def _outcomes(self, exchange: Exchange, operation: Operation, value: int, process: Process) -> Outcomes:
        try:
            return operation.target.outcomes(self.kernel.values[value], operation, process)
        except Exception as error:
            raise NotSymmetric(exchange.family, f"with other names, {operation} raises {error!r}") from error

    def _key(self, applied: Applied) -> Hashable:
        """Return what tells applied operations apart."""
        operation = applied.operation
        return (applied.process, operation.target, operation.name, applied.value, self._key_of(operation.args))

    def _key_of(self, thing: Any) -> Hashable:
        """Return a key by value. A function that was passed on must not change, so it is looked at once."""
        kind: Any = type(thing)
        if kind is tuple:
            return tuple(map(self._key_of, thing))
        if is_frozen_dataclass(kind):
            return (kind, *(self._key_of(getattr(thing, field.name)) for field in fields(kind)))
        if not isinstance(thing, FunctionType):
            return value_key(thing)
        if thing not in self._functions:
            self._functions[thing] = value_key(thing)
        return self._functions[thing]


def _same(one: Any, other: Any) -> bool:
    return _identical(one, other) or value_key(one) == value_key(other)


def _identical(one: Any, other: Any) -> bool:
    """Tell whether two values are made of the very same things; then they need not be frozen to be compared."""
    if one is other:
        return True
    kind = type(one)
    if kind is not type(other):
        return False
    if kind in (str, int):
        return bool(one == other)
    if isinstance(one, tuple):
        return len(one) == len(other) and all(map(_identical, one, other))
    if kind is frozenset:
        return set(map(id, one)) == set(map(id, other))
    if is_frozen_dataclass(kind):
        return all(_identical(getattr(one, field.name), getattr(other, field.name)) for field in fields(kind))
    return False


def _same_operation(one: Operation, other: Operation) -> bool:
    if (one.target, one.name, one.timeout) != (other.target, other.name, other.timeout):
        return False
    if one.target is LOCAL and one.name == "choose":  # which option comes first does not matter
        return Counter(map(value_key, one.args)) == Counter(map(value_key, other.args))
    return _same(one.args, other.args)


def _counted(outcomes: Outcomes) -> Counter[Hashable]:
    return Counter(value_key((outcome.value, outcome.result)) for outcome in outcomes)


def _turned(thing: Any) -> Any:
    """Return ``thing`` with its sets filled the other way round; itself when there are none."""
    if isinstance(thing, frozenset):
        return frozenset(reversed([*map(_turned, thing)])) if len(thing) > 1 else thing
    if isinstance(thing, tuple):
        parts = [_turned(part) for part in thing]
        if any(part is not old for part, old in zip(parts, thing, strict=True)):
            return type(thing)(*parts) if hasattr(thing, "_fields") else tuple(parts)
    return thing


def _first_moved(names: Names, moves: Moves) -> str:
    first = min(moves)
    return f"{names.thing(first)} than to {names.thing(moves[first])}"


def _told(exchange: Exchange, names: Names, point: Point, other: Point) -> str:
    one, two = deed(point), deed(other)
    if one == two:
        one, two = f"{one} in one way", "in another"
    exchanged = " and ".join(str(names.thing(name)) for name in sorted(exchange.moves))
    return f"with {exchanged} exchanged, {point.program.name} comes to {one}, then to {two}"
