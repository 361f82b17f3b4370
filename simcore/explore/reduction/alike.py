"""A predicate is asked of representatives only where it was seen to say the same of every state that they stand for.

What it says of a representative is the answer for the whole orbit only if no permutation of names changes it. A
predicate is any Python there is: it may ask for a process by its name, compare a value with a certain index, look at
the third of a list, or read a text. So it is not looked at how it looks. It is **asked** of the states that
exchanges of neighbouring names lead to, of those that they lead to from there, and so on: that is the whole orbit,
as such exchanges generate all permutations (what `exchanges.py` does to the steps of a model). Asking a
representative and its neighbours alone would not do: "client[0] has the least and client[1] the largest" tells
cyclic permutations apart and no neighbours. A family whose exchange changes an answer is told apart; a model is
never refused for it, and never guessed about.

An orbit may be as large as what symmetry has saved, so it is not gone through state by state but **view** by view: a
view is what this predicate ever looks at, for all things that differ in names alone. What is outside of it cannot
change the answer, and what an exchange makes of a view depends on the view alone. So states with one view have one
answer, each view is asked once in a search, and from a view that was met before the exchanges lead to nothing new.
"Every client is done" is asked of as many views as there are sets of clients that are done, however many states
there are, and a state in which nothing that is looked at has changed is not asked about at all. Where even the views
are too many beside the states (`MOST_ASKED`), symmetry costs more than it saves, and is switched off.

An answer that changes when the same state is asked about again rests on a memory, and then on the order in which
states are met; so it must be shown all of them. Rejected: a view in which names have no text, which every C function
of Python sees through; a promise of whoever writes the predicate, which is what went wrong; random permutations,
which prove nothing.
"""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any

from simcore.explore.limits import OutOfBudget
from simcore.explore.reduction.names import NotSymmetric
from simcore.explore.reduction.symmetry import Symmetry
from simcore.kernel import Kernel, Packed, parts
from simcore.kernel.freeze import Everything, Freezer, operation_key
from simcore.model import Predicate, Watched

MOST_ASKED = 20_000
"""Views of one predicate that are asked about in any case; beyond it so many for each state."""
_FOR_EACH_STATE = 20

View = tuple[Hashable, ...]


class NamesMatter(Exception):
    """What is asked cannot be told from representatives; the text says why."""


class Alike:
    """A predicate that treats names alike, as it was seen to do.

    Parameters
    ----------
    kernel : Kernel
        Of the model.
    symmetry : Symmetry
        Which states stand for each other.
    predicate : function
        What is asked.
    told : str
        What it is called.
    watched : Watched, optional
        Where to keep what it looks at.
    """

    def __init__(
        self, kernel: Kernel, symmetry: Symmetry, predicate: Predicate, told: str, watched: Watched | None = None
    ) -> None:
        self.kernel, self.symmetry, self.predicate, self.told = kernel, symmetry, predicate, told
        self._watched = watched
        self._looked = Watched()
        self._answers: dict[View, bool] = {}
        self._begun: list[Packed] = []
        self._futures = kernel.futures
        self._views = _Views(kernel, symmetry, self._looked)
        self._states = self._asked = 0

    def holds(self, state: Packed) -> bool:
        """Tell whether the predicate holds of ``state``, and so of all states that differ from it in names.

        Raises
        ------
        NotSymmetric
            When it does not hold of all of them, or of none: the family is to be told apart.
        NamesMatter
            When that is not worth finding out.
        """
        if self.symmetry.trivial:
            return bool(self.predicate(self.kernel.view(state, self._watched)))
        self._states += 1
        if self.kernel.futures != self._futures:
            self._ask_again()
        return self._known(state)

    def _ask_again(self) -> None:
        """Ask about all orbits once more: there are more places for futures, and so more permutations, than before."""
        self._futures = self.kernel.futures
        begun, self._begun = self._begun, []
        self._answers.clear()
        for state in begun:
            self._known(state)

    def _known(self, state: Packed) -> bool:
        answer = self._answers.get(self._views.of(state))
        while answer is None:
            answer = self._settled(state)
        return answer

    def _settled(self, state: Packed) -> bool | None:
        """Ask about the orbit of ``state``; None when more was looked at than before, so that views are others."""
        answer, error = self._answer(state)
        known = self._views.version
        met = {self._views.of(state)}
        queue = [state]
        for one in queue:
            for family, name, other in self.symmetry.exchanged(one):
                view = self._views.of(other)
                if view in met:
                    continue
                if self._answer(other)[0] != answer:
                    raise self._told_apart(family, name)
                met.add(view)
                queue.append(other)
            if self._views.version != known:
                return None
        if self._answer(state)[0] != answer:
            raise NamesMatter(f"{self.told!r} says something else of the same state when it is asked again")
        if self._views.version != known:
            return None
        if error is not None:
            raise error
        self._answers.update(dict.fromkeys(met, bool(answer)))
        self._begun.append(state)
        return bool(answer)

    def _answer(self, state: Packed) -> tuple[bool | type, Exception | None]:
        """Ask about one state; an exception is an answer, too, which others must give as well."""
        self._asked += 1
        if self._asked > MOST_ASKED + _FOR_EACH_STATE * self._states:
            raise NamesMatter(f"{self.told!r} would have to be asked under more names than there are states")
        self.kernel.look()
        try:
            return bool(self.predicate(self.kernel.view(state, self._looked))), None
        except OutOfBudget:
            raise
        except Exception as error:
            return type(error), error
        finally:
            if self._views.refresh():
                self._looked_further()

    def _looked_further(self) -> None:
        """Forget answers to views that are others now, and note what is looked at."""
        self._answers.clear()
        if self._watched is not None:
            self._watched.add(self._looked)
            self._watched.processes |= self._views.alike(self._looked.processes)

    def _told_apart(self, family: str, name: int) -> Exception:
        one, other = (self.symmetry.names.thing(n) for n in (name, name + 1))
        reason = f"{self.told!r} tells {one} from {other}"
        return NamesMatter(reason) if family == "workers" else NotSymmetric(family, reason)


class _Views:
    """What of a state is looked at, in everything that differs from what was looked at in names alone.

    Of a process it is as little as what was looked at tells apart: the operation that it is about to do where that was
    asked for, and not the point of its code, which is another one for each value of its variables.
    """

    def __init__(self, kernel: Kernel, symmetry: Symmetry, looked: Watched) -> None:
        self.kernel, self.names, self.looked = kernel, symmetry.names, looked
        self.version = 0
        self._size = -1
        self.refresh()

    def refresh(self) -> bool:
        """Take in what has been looked at since the last time; tell whether there is any."""
        looked = self.looked
        size = looked.version + len(looked.parts) + looked.made
        if size == self._size:
            return False
        self._size, self.version = size, self.version + 1
        first, label = self.kernel.first_process, self.names.label
        alike = {label(thing).template for thing in looked.objects}
        self._objects = [t.index for t in self.kernel.model.objects if label(t).template in alike]
        fields: dict[Hashable, set[str]] = {}
        for process, part in looked.parts:
            fields.setdefault(label(process).template, set()).add(part)
        self._fields = {
            p.index: fields[label(p).template] for p in self.kernel.processes if label(p).template in fields
        }
        self._rows: list[tuple[int, int, dict[int, tuple[int, dict[int, int]]]]]
        self._rows = [(process, first + process, {}) for process in self._fields]
        self._numbers: dict[Hashable, int] = {}
        return True

    def alike(self, processes: Any) -> set[Any]:
        """Return all processes that differ from some of ``processes`` in names alone."""
        label = self.names.label
        alike = {label(process).template for process in processes}
        return {process for process in self.kernel.processes if alike and label(process).template in alike}

    def of(self, state: Packed) -> View:
        """Return the view of ``state``."""
        view: list[Hashable] = [state[place] for place in self._objects]
        for process, place, rows in self._rows:
            local = state[place]
            known = rows.get(local)
            if known is None:
                known = rows[local] = self._depends_on(process, place, local), {}
            number = known[1].get(state[known[0]])
            if number is None:
                number = known[1][state[known[0]]] = self._row(state, process, local)
            view.append(number)
        if self.looked.made:
            view.append(state[self.kernel.first_future :])
        elif self.looked.futures:
            view.append(tuple(map(bool, state[self.kernel.first_future :])))
        return tuple(view)

    def _depends_on(self, process: int, place: int, local: int) -> int:
        """Return which position of a state, beside its own, tells what is looked at of a process."""
        target = self.kernel.target(local)
        return target if target >= 0 and "status" in self._fields[process] else place

    def _row(self, state: Packed, process: int, local: int) -> int:
        """Return a number for what is looked at of a process."""
        seen = self.kernel.process_state(state, process)
        told: dict[str, Hashable] = {
            "status": seen.status,
            "task": None if seen.task is None else parts(seen.task),
            "operation": None
            if seen.operation is None
            else operation_key(seen.operation, Freezer(outside=Everything())),
            "where": seen.where,
            "result": local if seen.operation is None else None,
        }
        row = tuple([told.get(field, local) for field in sorted(self._fields[process])])
        return self._numbers.setdefault(row, len(self._numbers))
