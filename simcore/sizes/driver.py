"""A sweep explores each of its cells for itself; only where it is told to, it says of one what was found of others."""

from __future__ import annotations

import inspect
import os
import time
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import Executor
from contextlib import closing
from dataclasses import replace
from typing import Any, NamedTuple

from simcore.errors import ModelError, OptionError
from simcore.explore import usable_cores
from simcore.model import (
    DEADLOCK_FREE,
    Model,
    Property,
    Timeouts,
    check_kinds,
    check_limit,
    check_numbers,
    check_properties,
    check_timeouts,
)
from simcore.sizes.cell import Cell, counted
from simcore.sizes.executors import answers, check_executor, travels
from simcore.sizes.grid import Grid, Subject
from simcore.sizes.kept import Kept
from simcore.sizes.monotone import Monotone
from simcore.sizes.sources import digest
from simcore.sizes.sweep import Sweep
from simcore.sizes.work import Asked, Found, Place, Task


class Progress(NamedTuple):
    """How far a sweep has come.

    Attributes
    ----------
    explored, kept, total : int
        Cells that were explored, that were kept from before, and all that are to be known.
    seconds : float
        Since it was begun.
    """

    explored: int
    kept: int
    total: int
    seconds: float

    @property
    def rate(self) -> float:
        """Cells explored per second."""
        return self.explored / self.seconds if self.seconds > 0 else 0.0

    @property
    def left(self) -> float | None:
        """Seconds that are left if the others take as long as these have; None while there is none."""
        return (self.total - self.kept - self.explored) / self.rate if self.rate else None

    def __str__(self) -> str:
        left = "" if self.left is None else f", {self.left:.0f} s left"
        kept = f", {self.kept:,} kept from before" if self.kept else ""
        done = f"{self.explored + self.kept:,} of {counted(self.total, 'cell')}{kept}"
        return f"{done}, {self.rate:.1f} per second{left}"


def sweep(
    model: Callable[..., Model] | str,
    *,
    asked: Asked | Iterable[Asked] = (),
    executor: Executor | str | None = None,
    jobs: int | None = None,
    keep: str | os.PathLike[str] | None = None,
    infer: str | Iterable[str] = (),
    max_states: int | None = None,
    max_seconds: float | None = None,
    max_memory: int | None = None,
    timeouts: Timeouts = "when_stuck",
    progress: Callable[[Progress], None] | None = None,
    grid: Mapping[str, object] | None = None,
    **grids: object,
) -> Sweep:
    """Explore every size of a model, in a grid of its parameters.

    ``sweep(pool_starvation.buggy, workers=range(1, 17), downloads=[1, 2, 4, 8])`` explores 64 cells.

    Parameters
    ----------
    model : function or str
        What builds the model, or its name as on the command line: "pool_starvation:buggy".
    asked : Property or function, or iterable of them
        What must hold in each cell; deadlock freedom when none is given. A function, called without arguments, returns
        the property: it can be sent to another process where a property with functions of its own cannot.
    executor : Executor or {"processes", "here"}, optional
        Who explores: any ``concurrent.futures.Executor``, a pool of threads or Dask's ``Client(...).get_executor()``;
        "here" is this process, one cell after the other. By default processes, which are begun and ended here.
        What cannot be sent to a process is explored here, and a note says so.
    jobs : int, optional
        Processes; one for each CPU by default. Of an executor that is given, workers to keep busy, if it has more than
        16 and does not say so.
    keep : path, optional
        A folder in which cells are kept as they are explored, so that a sweep that was ended goes on, and what has not
        changed is not explored again: the model's source with what it imports, what is asked, the limits, simcore,
        Python. Cells that a limit left undetermined are kept under that limit.
    infer : str or iterable of str
        Parameters along which a cell that lies between explored cells of one verdict is not explored, and is marked as
        inferred, as long as no explored cell of this sweep contradicts: see `Monotone`.
    max_states, max_seconds, max_memory : number, optional
        Limits of each cell, as those of `explore`.
    timeouts : {"never", "when_stuck", "in_order", "anytime"}
        When time-outs may fire.
    progress : function, optional
        Called with a `Progress` whenever something was found, and once a second.
    grid : mapping of str to values, optional
        The values of parameters that are called like an option of this function.
    **grids : iterable, or int, float, str, bool or None
        The values of each parameter, or its one value.

    Returns
    -------
    Sweep
        A cell for each combination. The token of one that is violated replays the first violation that was met
        (``witness="any"`` of `explore`), and its states are those met until then. One whose model cannot be built says
        why; one whose worker was lost three times, or had no memory left, is undetermined.

    Raises
    ------
    ModelError
        When no cell can be explored; the line is that of the first.
    OptionError
        When the function has no such parameter, or an option is unknown.
    """
    check_kinds(
        keep=(keep, str | os.PathLike, "the path of a folder"),
        infer=(infer, Iterable, "the name of a parameter, or several"),
        progress=(progress, callable, "a function that is called with a Progress"),
        grid=(grid, Mapping, "a dict of values by the names of parameters"),
    )
    for name in grids.keys() & (grid or {}).keys():
        raise OptionError(f"{name} is given twice, in grid and beside it; give its values once")
    task, cells = _task(model, asked, {**(grid or {}), **grids}, timeouts, max_states, max_seconds, max_memory)
    check_executor(executor)
    check_numbers(whole=True, least=1, jobs=jobs)
    names = (infer,) if isinstance(infer, str) else tuple(infer)
    order = Monotone(cells, names) if names else None
    run = _Run(task, cells, executor or "processes", jobs or usable_cores(), progress)
    kept = Kept(keep, digest(task)) if keep is not None else None
    try:
        run.all_of(order, kept)
    finally:
        if kept is not None:
            kept.close()
    return run.sweep()


def _task(
    model: object, asked: Any, given: Mapping[str, object], timeouts: Timeouts, *limits: float | None
) -> tuple[Task, Grid]:
    """Return what is done in each cell, and the cells, when all of it can be meant."""
    subject = Subject.of(model)
    grid = Grid.of(subject, given)
    check_timeouts(timeouts)
    states, seconds, memory = limits
    check_numbers(whole=True, least=1, max_states=states, max_memory=memory)
    check_limit(max_seconds=seconds)
    properties = _properties(tuple(asked) if isinstance(asked, Iterable) and not isinstance(asked, str) else (asked,))
    options = {
        "max_states": states,
        "max_seconds": seconds,
        "max_memory": memory,
        "timeouts": timeouts,
        "witness": "any",
    }
    return Task(subject, properties, options), grid


def _properties(asked: tuple[Any, ...]) -> tuple[Asked, ...]:
    for each in asked:
        made = each
        if not isinstance(each, Property) and callable(each) and _needs_nothing(each):
            made = each()
        check_properties([made], "sweep")
    return asked or (DEADLOCK_FREE,)


def _needs_nothing(function: Callable[..., Any]) -> bool:
    try:
        inspect.signature(function).bind()
    except (TypeError, ValueError):
        return False
    return True


class _Run:
    """A sweep under way: the cells that are known, by their number, and what is to be said of it."""

    def __init__(
        self,
        task: Task,
        grid: Grid,
        executor: Executor | str,
        jobs: int,
        progress: Callable[[Progress], None] | None,
    ) -> None:
        self._task, self._grid, self._executor, self._jobs, self._tell = task, grid, executor, jobs, progress
        self._started = time.monotonic()
        self._places = [Place(number, parameters) for number, parameters in enumerate(grid.cells())]
        self._known: dict[int, Cell] = {}
        self._explored = self._kept = 0
        self._ahead = len(self._places)
        self._notes: list[str] = []
        why = "" if executor == "here" or jobs == 1 else travels(task, executor)
        if why:
            self._executor = "here"
            self._notes.append(f"explored in this process: {why}")

    def all_of(self, order: Monotone | None, kept: Kept | None) -> None:
        """Find all cells out, by exploring them or, along the parameters of ``order``, by inference."""
        if order is None:
            self._explore(range(len(self._places)), kept)
            return
        self._explore(order.first(), kept)
        inferred = order.inferred(self._known)
        against = order.contradiction(self._known)
        if not against:
            self._explore((n for n in range(len(self._places)) if n not in inferred), kept)
            against = order.contradiction(self._known)
        if against:
            self._notes.append(against)
            self._explore(range(len(self._places)), kept)
            return
        for number, verdict in inferred.items():
            self._known[number] = Cell(self._places[number].parameters, verdict, inferred=True)

    def _explore(self, numbers: Iterable[int], kept: Kept | None) -> None:
        """Explore those cells that are not known, and not kept."""
        ahead = []
        for place in (self._places[number] for number in numbers if number not in self._known):
            cell = kept.get(place.parameters) if kept is not None else None
            if cell is None:
                ahead.append(place)
            else:
                self._known[place.number] = replace(cell, parameters=place.parameters)
                self._kept += 1
        self._ahead = len(self._known) + len(ahead)
        self._told()
        if ahead:
            options = {**self._task.options, **({} if self._executor == "here" else {"cores": 1})}
            task = self._task._replace(options=options)
            with closing(answers(task, ahead, self._executor, self._jobs)) as coming:
                for found in coming:
                    self._take(found, kept)

    def _take(self, found: list[Found], kept: Kept | None) -> None:
        if kept is not None:
            kept.add(each.cell for each in found if each.repeatable)
        self._known |= {
            each.number: replace(each.cell, parameters=self._places[each.number].parameters) for each in found
        }
        self._explored += len(found)
        self._told()

    def _told(self) -> None:
        if self._tell is not None:
            self._tell(Progress(self._explored, self._kept, self._ahead, time.monotonic() - self._started))

    def sweep(self) -> Sweep:
        """Return the cells, in the order of the grid."""
        cells = tuple(self._known[place.number] for place in self._places)
        if all(cell.error for cell in cells):
            raise ModelError(cells[0].error)
        if self._kept:
            self._notes.append(f"{counted(self._kept, 'cell')} kept from before, {self._explored:,} explored now")
        task, values = self._task, self._grid.values
        fixed = {name: value for name, value in task.subject.defaults.items() if name not in values}
        asked = tuple(each.name for each in task.properties())
        seconds = time.monotonic() - self._started
        timeouts = str(task.options["timeouts"])
        notes = tuple(self._notes)
        return Sweep(task.subject.name, cells, values, fixed, asked, timeouts, notes, seconds, task.subject)
