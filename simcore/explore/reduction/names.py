"""A name is what a permutation moves: an index of a family, a worker of a pool, a future that a submit has made.

Names are small integers here: first the indices, family by family, then the workers, then the futures by their
place, of which there may be more later. An object or a process belongs to the indices whose text stands in its
name as whole words (``left of download[0]``), and what it is moved to is found by the moved name.
"""

from __future__ import annotations

import re
import sys
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from simcore.kernel import Kernel
from simcore.kernel.freeze import value_key
from simcore.model import Index, Process
from simcore.model.objects import Future
from simcore.model.operations import SharedObject

FUTURES = "futures"
"""What the futures that submits have made are called where a family is."""

Moves = Mapping[int, int]
"""The names that a permutation moves, and where to."""


_LONGEST = 200  # letters of a reason: a value that is named in it may be of any length


class NotSymmetric(Exception):
    """A family of names that the model tells apart, and what shows it."""

    def __init__(self, family: str, reason: str) -> None:
        reason = reason if len(reason) <= _LONGEST else f"{reason[:_LONGEST]}..."
        super().__init__(f"{family}: {reason}")
        self.family, self.reason = family, reason


class Label(NamedTuple):
    """A text in which names are left out, and the names."""

    template: tuple[object, ...]
    names: tuple[int, ...]


class Block(NamedTuple):
    """The names of one family: so many from the first one on."""

    family: str
    first: int
    size: int


class Names:
    """The names of a model that may be exchanged, and what belongs to them.

    Parameters
    ----------
    kernel : Kernel
        Of the model.
    families : sequence of str
        The families whose indices may be exchanged; those of others are texts like any other.
    futures : bool
        Whether the futures that submits make may be.
    """

    def __init__(self, kernel: Kernel, families: Sequence[str], futures: bool) -> None:
        self.kernel, self.futures = kernel, futures
        self.blocks: list[Block] = []
        self.first_worker = 0
        for family in families:
            size = len(kernel.model.families[family])
            self.blocks.append(Block(family, self.first_worker, size))
            self.first_worker += size
        self._block = {block.family: block for block in self.blocks}
        self._pattern = self._compiled(families)
        self._read: dict[str, Label] = {}
        self.first_future = sys.maxsize
        pools = [(pool, team) for pool, team in kernel.model.pools() if pool.interchangeable]
        teams = [team for pool, team in pools if len(team) > 1 or self.read(pool.name).names]
        workers = [worker for team in teams for worker in team]
        self._of_worker = {worker: self.first_worker + number for number, worker in enumerate(workers)}
        self._worker = {name: worker for worker, name in self._of_worker.items()}
        self.first_future = self.first_worker + len(workers)
        things: list[SharedObject | Process] = [*kernel.objects, *kernel.model.conditions, *kernel.processes]
        self.things = [thing for thing in things if thing not in self._of_worker]
        self._labels = {thing: self._labelled(thing) for thing in self.things}
        self._thing = {label: thing for thing, label in self._labels.items()}

    def _compiled(self, families: Iterable[str]) -> re.Pattern[str]:
        longest_first = sorted(map(re.escape, families), key=len, reverse=True)
        index = rf"(?P<family>{'|'.join(longest_first) or '(?!)'})\[(?P<number>0|[1-9]\d*)\]"
        return re.compile(rf"(?<!\w)(?:{index}|future#(?P<future>0|[1-9]\d*)\b)")

    def _labelled(self, thing: SharedObject | Process) -> Label:
        template, names = self.read(thing.name)
        return Label((isinstance(thing, Process), template), names)

    # ---- one name ------------------------------------------------------------------------------------

    def of_index(self, index: Index) -> int | None:
        """Return the name of ``index``; None when it is not to be exchanged."""
        block = self._block.get(index.family)
        return None if block is None else block.first + index.position

    def of_worker(self, process: Process) -> int | None:
        """Return the name of a worker; None for other processes, and for a worker with whom none can be exchanged."""
        return self._of_worker.get(process)

    def of_future(self, thing: SharedObject) -> int | None:
        """Return the name of a future that a submit has made; None for other objects."""
        if not self.futures or not isinstance(thing, Future):
            return None
        number = self.kernel.number_of(thing)
        return None if number is None else self.first_future + number

    def family(self, name: int) -> str:
        """Return the family of a name."""
        if name >= self.first_future:
            return FUTURES
        return next((b.family for b in self.blocks if b.first <= name < b.first + b.size), "workers")

    def thing(self, name: int) -> Any:
        """Return what is called by ``name``: an `Index`, a worker or a future."""
        if name >= self.first_future:
            return self.kernel.future(name - self.first_future)
        if name >= self.first_worker:
            return self._worker[name]
        block = next(b for b in self.blocks if b.first <= name < b.first + b.size)
        return self.kernel.model.families[block.family][name - block.first]

    # ---- texts ---------------------------------------------------------------------------------------

    def read(self, text: str) -> Label:
        """Return ``text`` without its names, and the names."""
        known = self._read.get(text)
        if known is None:
            known = self._read[text] = self._parsed(text)
        return known

    def _parsed(self, text: str) -> Label:
        parts: list[object] = []
        names: list[int] = []
        end = 0
        for found in self._pattern.finditer(text):
            name = self._found(found)
            if name is not None:
                parts += [text[end : found.start()], self.family(name)]
                names.append(name)
                end = found.end()
        return Label((*parts, text[end:]), tuple(names))

    def _found(self, found: re.Match[str]) -> int | None:
        if found["family"]:
            block, number = self._block[found["family"]], int(found["number"])
            return block.first + number if number < block.size else None
        number = int(found["future"])
        return self.first_future + number if self.futures and number < self.kernel.futures else None

    def text(self, text: str, moves: Moves) -> str:
        """Return ``text`` with its names moved."""
        template, names = self.read(text)
        if not any(name in moves for name in names):
            return text
        told = [str(self.thing(moves.get(name, name))) for name in names]
        return "".join(str(part) if n % 2 == 0 else told[n // 2] for n, part in enumerate(template))

    # ---- objects and processes -----------------------------------------------------------------------

    def owners(self, thing: SharedObject | Process) -> tuple[int, ...]:
        """Return the indices that an object or a process belongs to; a worker, to those of its pool."""
        return self.label(thing).names

    def label(self, thing: SharedObject | Process) -> Label:
        """Return the name of an object or a process as a `Label`; workers of a pool all have that of the pool."""
        if thing in self._of_worker:
            assert isinstance(thing, Process)
            assert thing.pool is not None
            template, names = self._labels[thing.pool]
            return Label(("worker", *template), names)
        return self._labels[thing]

    def belongs(self, thing: SharedObject | Process) -> bool:
        """Tell whether ``thing`` is one of the model, or a worker."""
        return thing in self._labels or thing in self._of_worker

    def moved(self, thing: Any, moves: Moves) -> Any:
        """Return the object or process that ``thing`` is moved to.

        Raises
        ------
        NotSymmetric
            When there is none.
        """
        label = self._labels[thing]
        if not any(name in moves for name in label.names):
            return thing
        other = self._thing.get(label._replace(names=tuple(moves.get(name, name) for name in label.names)))
        if other is None:
            asked = next(name for name in label.names if name in moves)
            raise NotSymmetric(self.family(asked), f"there is {thing}, but no {self.text(thing.name, moves)}")
        return other


def alike_but_named_apart(kernel: Kernel) -> Iterator[str]:
    """Yield what `Model.indices` would save: of processes outside of families that run the same with the same.

    That they may stand for each other would have to be tested, as of a family, so it is said that they might.
    """
    names = {str(index) for family in kernel.model.families.values() for index in family}
    groups = defaultdict(list)
    for process in kernel.model.processes:
        if process.fn is not None and process.name not in names:
            groups[process.fn, value_key(process.args), process.daemon].append(process.name)
    for (fn, *_), group in groups.items():
        if len(group) > 2:
            called = getattr(fn, "__name__", fn)
            yield (
                f"{group[0]} to {group[-1]} run {called}() with the same arguments and are told apart; the names of "
                f"model.indices({called!r}, {len(group)}) might stand for each other"
            )
