"""What anybody has ever done in a space, names as far as they stand for each other.

Whatever happens in a model has been learned by its kernel (`Tables.effects`), so once the whole space is known this is
everything that can happen. With names interchangeable a deed was met under one of the names that it can have: a deed is
kept by what a permutation leaves alone, the texts of process and object without their names, and which of the names are
the same. So a deed of ``client[0]`` counts for ``client[1]``, and one that ``client[0]`` does to ``inbox of client[1]``
does not count for its own inbox. Where steps were left out because their order does not count, nothing is missing: each
run has one with the same steps, in another order, among those that were followed.
"""

from __future__ import annotations

from collections.abc import Iterable

from simcore.explore.reduction import Symmetry
from simcore.kernel import Kernel
from simcore.model import Process
from simcore.model.operations import SharedObject

_FUTURE = ("future",)  # one that a submit has made: any of them


class Deeds:
    """Who has done what.

    Parameters
    ----------
    kernel : Kernel
        Has met what is asked about.
    symmetry : Symmetry
        Which names stand for each other in it.
    """

    def __init__(self, kernel: Kernel, symmetry: Symmetry) -> None:
        self._names = symmetry.names
        self._known: set[tuple[object, ...]] = set()
        for effect in kernel.effects:
            done = kernel.about(effect.local)
            if done is not None and effect.move.position >= 0:
                process = kernel.processes[effect.process]
                self._known |= {
                    self._alike(process, done.target, done.name),
                    self._alike(None, done.target, done.name),
                    self._alike(process, None, ""),
                }

    def include(self, process: Process, target: SharedObject, names: Iterable[str]) -> bool:
        """Tell whether ``process`` has ever done one of ``names`` to ``target``."""
        return any(self._alike(process, target, name) in self._known for name in names)

    def any_of(self, target: SharedObject, names: Iterable[str]) -> bool:
        """Tell whether anybody has ever done one of ``names`` to ``target``."""
        return any(self._alike(None, target, name) in self._known for name in names)

    def any_by(self, process: Process) -> bool:
        """Tell whether ``process`` has ever taken a step."""
        return self._alike(process, None, "") in self._known

    def _alike(self, process: Process | None, target: SharedObject | None, name: str) -> tuple[object, ...]:
        who, whose = self._label(process)
        what, more = self._label(target)
        names = (*whose, *more)
        return who, what, name, tuple(map(names.index, names))

    def _label(self, thing: Process | SharedObject | None) -> tuple[tuple[object, ...], tuple[int, ...]]:
        if thing is None:
            return (), ()
        if not self._names.belongs(thing):
            return _FUTURE, ()
        label = self._names.label(thing)
        return label.template, label.names
