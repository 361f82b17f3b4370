"""A program point is a form and the futures in it: points of one form differ in nothing but those.

The futures that submits make are alike in a stronger sense than the names of a model are. The kernel makes them, under
numbers that mean nothing, and a process can keep one, hand it on, and see whether two are one, and no more. Whoever
does no more treats them as data that it never looks at, and every permutation of them leaves a model what it is (data
independence: Wolper, Expressing interesting properties of programs in propositional temporal logic, 1986; scalarsets:
Ip and Dill, Better verification through symmetry, 1996). So they are not exchanged two by two until nothing new comes
about, which for a list of eight futures are 40,320 points. The key of a point, each future in it replaced by the number
of its first mention, is the same for all points that differ in futures alone; and a point with certain futures is made
when it is asked for, by its process, which takes the same steps with those.

That processes do no more is tested. A point that is made so must be of the form that was expected. All steps that were
learned at points of one form, with results of one form, must lead to one form. And the first of them is taken again
with other futures: each with the next number, and neighbours exchanged, paired from the first on and from the second. A
process that looks at a future's name, at its hash or at its place in memory, or keeps some in a set and goes through
it, comes to another form, and futures are told apart.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from simcore.errors import SimcoreError
from simcore.explore.reduction.names import FUTURES, Moves, Names, NotSymmetric
from simcore.explore.reduction.renaming import Renaming
from simcore.kernel import Kernel, Learned, Point, Program
from simcore.kernel.freeze import Freezer, operation_key
from simcore.model.operations import Operation, SharedObject

Futures = tuple[int, ...]
"""Names of futures, by their places in a form."""

_SLOT = object()

OTHERS: tuple[Callable[[int], int], ...] = (
    lambda number: number + 1,
    lambda number: number ^ 1,
    lambda number: ((number - 1) ^ 1) + 1 if number else 0,
)
"""With which other futures a step is taken, by their numbers: the next ones, and two pairings of neighbours."""


@dataclass(eq=False)
class Form:
    """What points that differ in futures alone have in common.

    Attributes
    ----------
    point : Point
        The first one that was met.
    futures : tuple of int
        Those of it.
    points : dict
        All that were met, by their futures.
    """

    point: Point
    futures: Futures
    points: dict[Futures, Point] = field(default_factory=dict)


class Forms:
    """The forms of the points of one kernel.

    Parameters
    ----------
    kernel : Kernel
        Whose points they are.
    names : Names
        Futures among them; where futures are told apart, each point is a form.
    renaming : Renaming
        Puts other futures into what processes are given.
    """

    def __init__(self, kernel: Kernel, names: Names, renaming: Renaming) -> None:
        self.kernel, self.names, self.renaming = kernel, names, renaming
        self._forms: dict[Hashable, Form] = {}
        self._of: dict[Point, tuple[Form, Futures]] = {}
        self._programs: dict[Program, Hashable] = {}
        self._steps: dict[Hashable, tuple[Form, tuple[int, ...]]] = {}

    def of(self, point: Point) -> tuple[Form, Futures]:
        """Return the form of a point, and the futures in it."""
        known = self._of.get(point)
        if known is None:
            slots: dict[int, int] = {}
            program = None if point.keyed_alone else self._masked(self._key(point.program), slots)
            mask = (program, point.status, self._masked(point.key, slots))
            futures = tuple(slots)
            form = self._forms.setdefault(mask, Form(point, futures))
            form.points[futures] = point
            known = self._of[point] = form, futures
        return known

    def placed(self, form: Form, futures: Futures) -> Point:
        """Return the point of a form that has certain futures.

        Raises
        ------
        NotSymmetric
            When its process comes to something else with these.
        """
        found = form.points.get(futures)
        return self._made(form, futures) if found is None else found

    def test(self, learned: Learned) -> bool:
        """Test a step that was learned: that it is the one of its form, and of the same form with other futures.

        Returns
        -------
        first : bool
            Whether no step of its form was tested before.

        Raises
        ------
        NotSymmetric
            When it is not.
        """
        before, _, after = learned
        start = None if before is None else self.of(before)
        slots = {} if start is None else {name: number for number, name in enumerate(start[1])}
        given = self._masked(self._given(learned), slots)
        form, futures = self.of(after)
        step = (None if start is None else start[0], given)
        known = self._steps.get(step)
        places = tuple(slots.get(name, -1) for name in futures)
        if known is None:
            self._steps[step] = form, places
            for moves in self.others(slots):
                self._try(learned, start, form, moves)
        elif known != (form, places):
            raise self._differs(after, known[0].point)
        return known is None

    def others(self, futures: Iterable[int]) -> list[Moves]:
        """Return with which other futures something is tried that mentions some."""
        there, first = list(futures), self.names.first_future
        return [{name: first + other(name - first) for name in there} for other in OTHERS] if there else []

    def _try(self, learned: Learned, start: tuple[Form, Futures] | None, form: Form, moves: Moves) -> None:
        """Take a step with other futures."""
        if start is None:
            image = self._started(learned.after.program.name, learned.result, moves)
        else:
            point = self.placed(start[0], _moved(start[1], moves))
            image = self._advanced(point, learned.result, moves)
        if self.of(image) != (form, _moved(self.of(learned.after)[1], moves)):
            raise self._differs(learned.after, image)

    def _made(self, form: Form, futures: Futures) -> Point:
        moves = _permutation(form.futures, futures)
        first, *rest = form.point.history()
        image = self._started(first.program.name, (first.program.fn, first.program.args), moves)
        for passed in rest:
            image = self._advanced(image, passed.result, moves)
        if self.of(image) != (form, futures):
            raise self._differs(form.point, image)
        return image

    def _started(self, name: str, called: tuple[Any, tuple[Any, ...]], moves: Moves) -> Point:
        fn, args = self.renaming.renamed(called, moves)
        return self._taken(lambda: self.kernel.points.start(self.names.text(name, moves), fn, args))

    def _advanced(self, point: Point, result: Any, moves: Moves) -> Point:
        return self._taken(lambda: self.kernel.points.advance(point, self.renaming.renamed(result, moves)))

    def _taken(self, step: Callable[[], Point]) -> Point:
        try:
            return step()
        except SimcoreError as error:
            raise NotSymmetric(FUTURES, f"with other ones, {error}") from error

    def _differs(self, point: Point, other: Point) -> NotSymmetric:
        told, instead = deed(point), deed(other)
        if told == instead:
            instead = "the same with other variables"
        return NotSymmetric(FUTURES, f"with other ones, {point.program.name} comes from {told} to {instead}")

    # ---- keys ------------------------------------------------------------------------------------------

    def _key(self, program: Program) -> Hashable:
        if program not in self._programs:
            self._programs[program] = self._frozen((program.fn, program.args))
        return self._programs[program]

    def _given(self, learned: Learned) -> Hashable:
        result = learned.result
        if isinstance(result, Operation):
            return operation_key(result, Freezer(outside=self.kernel.points.outside))
        return self._frozen(result)

    def _frozen(self, thing: Any) -> Hashable:
        return Freezer(outside=self.kernel.points.outside).freeze(thing)

    def _masked(self, key: Hashable, slots: dict[int, int]) -> Hashable:
        """Replace each future in a key by the number of its first mention; ``slots`` are those that were met."""
        if type(key) is tuple:
            return tuple([self._masked(part, slots) for part in key])
        if isinstance(key, SharedObject):
            name = self.names.of_future(key)
            return key if name is None else (_SLOT, slots.setdefault(name, len(slots)))
        if isinstance(key, str) and "#" in key:
            template, names = self.names.read(key)
            return (_SLOT, template, *(self._masked_name(name, slots) for name in names)) if names else key
        if isinstance(key, frozenset) and any(self._masked(part, {}) != part for part in key):
            raise NotSymmetric(FUTURES, "some are kept in a set")
        return key

    def _masked_name(self, name: int, slots: dict[int, int]) -> Hashable:
        return ("index", name) if name < self.names.first_future else slots.setdefault(name, len(slots))


def deed(point: Point) -> str:
    """Return what a point is about to do, or how its program has ended, for a reason that is told."""
    return str(point.operation) if point.operation is not None else f"{point.status}: {point.outcome!r}"


def _moved(futures: Iterable[int], moves: Moves) -> Futures:
    return tuple([moves.get(name, name) for name in futures])


def _permutation(futures: Futures, others: Futures) -> Mapping[int, int]:
    """Return a permutation that moves ``futures`` to ``others``: a history may have met more of them."""
    moves = dict(zip(futures, others, strict=True))
    left = [name for name in futures if name not in set(others)]
    return {**dict(zip([name for name in others if name not in moves], left, strict=True)), **moves}
