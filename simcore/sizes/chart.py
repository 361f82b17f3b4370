"""A chart is of what was found, one size after the other: proofs and schedules of the sweep, and runs in virtual time.

It joins two answers that are of a different kind. Which sizes are safe is explored, for every schedule; how fast they
are is seen in some runs, which prove nothing. So a size that is not known to be safe is never recommended, however fast
it is, and neither is one of which a run did not complete.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from simcore.errors import MissingExtra, OptionError
from simcore.model import Parameter, Verdict, check_kinds, check_numbers
from simcore.report import check_file, file_beside
from simcore.simulate import Delay
from simcore.sizes.cell import Cell, at, in_words
from simcore.sizes.grid import Subject
from simcore.sizes.measure import Measured, measure
from simcore.sizes.monotone import is_number
from simcore.sizes.sweep import Sweep

KINDS = (".png", ".svg")

_NEAR = 0.95

_MOST = 8
"""Sizes that a note names; the table has them all."""


@dataclass(frozen=True)
class Point:
    """One size of a chart.

    Attributes
    ----------
    size : int or float
        The value of the parameter.
    cell : Cell
        What was explored.
    measured : Measured, optional
        What the runs came to; None where the model cannot be built.
    """

    size: float
    cell: Cell
    measured: Measured | None

    @property
    def safety(self) -> str:
        """Whether it is "safe" (explored, and holds), "unsafe" (violated) or "unknown"; inferred to hold is unknown."""
        if self.cell.verdict is Verdict.VIOLATED:
            return "unsafe"
        return "safe" if self.cell.verdict is Verdict.HOLDS and not self.cell.inferred else "unknown"

    @property
    def usable(self) -> bool:
        """Whether it is safe, and all its runs completed."""
        return self.safety == "safe" and self.measured is not None and self.measured.clean

    @property
    def throughput(self) -> float | None:
        """Processes completed per virtual second, where that is known."""
        return None if self.measured is None else self.measured.throughput

    def row(self) -> dict[str, Any]:
        """Return it as plain data; of a model that cannot be built nothing was measured."""
        found = self.measured or Measured(0, 0, 0, 0, None, None)
        return {"size": self.size, "explored": self.cell.told, "safety": self.safety, **found._asdict()}


@dataclass(frozen=True)
class Chart:
    """Safety and performance over the size of a pool.

    Attributes
    ----------
    model : str
        The function.
    parameter : str
        The one that varies.
    others : mapping of str to int, float, str, bool or None
        All other parameters.
    asked : tuple of str
        What was explored.
    timeouts : str
        When time-outs, and sleeps, might fire there; the runs have virtual time.
    slow : tuple of str
        What took time in the runs, as "name=seconds"; what is in the model itself is not repeated here.
    seed : int
        Of the first run of each size; the others have those that follow.
    points : tuple of Point
        The sizes, the smallest first.
    """

    model: str
    parameter: str
    others: Mapping[str, Parameter]
    asked: tuple[str, ...]
    timeouts: str
    slow: tuple[str, ...]
    seed: int
    points: tuple[Point, ...]

    @property
    def recommended(self) -> float | None:
        """The smallest size that is safe and within 5 % of the best throughput of a safe size; None where none is.

        A size of which a run did not complete is left out, whatever was explored of it.
        """
        best = self._best
        if best is None:
            return None
        return next(p.size for p in self.points if p.usable and _rate(p) >= _NEAR * _rate(best))

    @property
    def reason(self) -> str:
        """Why that size, or why none."""
        best = self._best
        if best is None:
            counts = Counter(point.safety for point in self.points)
            found = ", ".join(f"{counts[kind]} {kind}" for kind in ("safe", "unsafe", "unknown") if counts[kind])
            late = ", and of each of the safe ones a run did not complete" if counts["safe"] else ""
            return f"no size is known to be safe and completes in all runs: {found}{late}"
        told = f"{_number(best.throughput)} processes per virtual second at {self.parameter}={best.size}"
        return f"the smallest that is safe and within 5 % of the best throughput of a safe size, {told}"

    @property
    def _best(self) -> Point | None:
        """The safe size with the most throughput, the smallest of these."""
        return max((p for p in self.points if p.usable), key=lambda p: (_rate(p), -p.size), default=None)

    def rows(self) -> list[dict[str, Any]]:
        """Return the sizes as plain data, one dict for each."""
        return [point.row() for point in self.points]

    def table(self) -> str:
        """Return the numbers as text: throughput in processes per virtual second, p99 in virtual seconds."""
        head = [self.parameter, "explored", "throughput", "p99", "runs", "hung", "died", "given up"]
        lines = [head, *(_line(point) for point in self.points)]
        widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
        return "\n".join("  ".join(map(str.rjust, line, widths)) for line in lines)

    def picture(self, kind: str = "png") -> bytes:
        """Return it drawn, as "png" or "svg"; raise a `MissingExtra` where matplotlib is not installed."""
        if f".{kind}" not in KINDS:
            raise OptionError(f"picture({kind!r}): use 'png' or 'svg'")
        from simcore.report.pictures import Size, picture_of_sizes

        sizes = [
            Size(str(p.size), p.safety, p.throughput, None if p.measured is None else p.measured.p99)
            for p in self.points
        ]
        chosen = None if self.recommended is None else [p.size for p in self.points].index(self.recommended)
        return picture_of_sizes(sizes, self.parameter, chosen, self._about, self._verdict, kind)

    def write(self, path: str | os.PathLike[str]) -> None:
        """Write the picture to a file, whole or not at all: ``.png`` or ``.svg``.

        Raises
        ------
        OptionError
            When its name ends otherwise, or it cannot be written, or matplotlib is not installed.
        """
        check_kinds(path=(path, str | os.PathLike, "the path of a file"))
        place = Path(path)
        check_chart(place)
        drawn = self.picture(place.suffix[1:])
        with file_beside(place, "--chart") as beside:
            beside.write_bytes(drawn)

    @property
    def _about(self) -> str:
        return f"{self.model}{f' ({at(self.others)})' if self.others else ''}"

    @property
    def _verdict(self) -> str:
        chosen = self.recommended
        return "no size is recommended" if chosen is None else f"recommended: {self.parameter}={chosen}"

    def __str__(self) -> str:
        runs = max((p.measured.runs for p in self.points if p.measured is not None), default=0)
        simulated = f"{runs:,} simulated runs of each size, seeds {self.seed} to {self.seed + runs - 1}"
        if runs <= 1:
            simulated = f"one simulated run of each size, seed {self.seed}"
        slow = f", with {', '.join(self.slow)}" if self.slow else ""
        lines = [
            f"{self._verdict} ({self.reason})",
            f"  {self._about}; asked: {', '.join(self.asked)}; time-outs: {self.timeouts}",
        ]
        lines += [f"  {simulated}{slow}: one that completes proves nothing"]
        return "\n".join([*lines, *(f"  {note}" for note in self._notes())])

    def _notes(self) -> list[str]:
        """Say which sizes the runs speak against, and which unsafe ones look better than they are."""
        notes = []
        for kind, told in (("hung", "hung"), ("died", "died of an exception"), ("given_up", "were given up")):
            found = [(p.size, getattr(p.measured, kind)) for p in self.points if getattr(p.measured, kind, 0)]
            sizes = [f"{count:,} at {self.parameter}={size}" for size, count in found[:_MOST]]
            sizes += [f"{sum(count for _, count in found[_MOST:]):,} at others"] * (len(found) > _MOST)
            notes += [f"of the runs {in_words(sizes)} {told}"] if found else []
        best = self._best
        most = _rate(best) if best is not None else 0.0
        faster = [str(p.size) for p in self.points if p.safety != "safe" and _rate(p) > most]
        notes += [f"faster, and not known to be safe: {self.parameter}={', '.join(faster)}"] if faster else []
        return notes

    __repr__ = __str__

    def _repr_png_(self) -> bytes | None:
        """Return the picture for a notebook; None, for the text instead, where matplotlib is not installed."""
        try:
            return self.picture()
        except MissingExtra:
            return None


def _rate(point: Point) -> float:
    return point.throughput or 0.0


def _line(point: Point) -> list[str]:
    found = point.measured
    if found is None:
        return [str(point.size), point.cell.told, "-", "-", "0", "0", "0", "0"]
    counts = (found.runs, found.hung, found.died, found.given_up)
    return [str(point.size), point.cell.told, _number(found.throughput), _seconds(found.p99), *map(str, counts)]


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.4g}"


def _seconds(value: float | None) -> str:
    return "-" if value is None else "never" if value == float("inf") else f"{value:.4g} s"


def check_chart(path: Path, values: Mapping[str, Sequence[Parameter]] | None = None) -> None:
    """Raise OptionError unless a chart of these values can be written to ``path``, before anything is explored."""
    if values is not None:
        _varying(values)
    if path.suffix not in KINDS:
        raise OptionError(f"{path}: a chart is written as .png or .svg; give the file one of these endings")
    from simcore.report import pictures  # noqa: F401  # wanted when all is explored, which may be an hour later

    check_file(path, "--chart")


def chart(
    found: Sweep,
    *,
    latency: Mapping[str, Delay] | None = None,
    load: Mapping[str, Delay] | None = None,
    runs: int = 20,
    seed: int = 0,
) -> Chart:
    """Return the sizes of a sweep with how fast they are, from runs in virtual time, for one picture.

    Throughput is how many processes complete per virtual second, and p99 the virtual second by which 99 % of them have
    completed, over all runs (the nearest rank). A run in which somebody can never move again, or dies, has no
    throughput, and whoever does not complete in it never does; none is left out.

    Parameters
    ----------
    found : Sweep
        In which one parameter has several values, all of them numbers: the size of a pool.
    latency, load : mapping of str to Delay, optional
        Virtual seconds, as those of `simulate`: before what is slow, and between the starts of processes.
    runs : int
        Simulated runs of each size, of 200,000 steps at most; where one takes more, no other is begun.
    seed : int
        Of the first of them; the others have those that follow.

    Returns
    -------
    Chart
        The numbers, the smallest size that is safe and nearly as fast as the best one, and the picture.

    Raises
    ------
    ModelError
        When a model cannot be run.
    OptionError
        When not exactly one parameter varies, no virtual time passes, or an option is not of its kind.
    """
    check_kinds(found=(found, Sweep, "the answer of sweep(...), with one value for all but the pool's size"))
    check_numbers(whole=True, least=1, none=False, runs=runs)
    check_numbers(whole=True, none=False, seed=seed)
    check_kinds(
        latency=(latency, Mapping, "a dict of seconds by what is slow"),
        load=(load, Mapping, "a dict of seconds by the names of processes"),
    )
    name = _varying(found.values)
    subject = found.subject or Subject.of(found.model)
    measured = partial(measure, latency=latency or {}, load=load or {}, runs=runs, seed=seed)
    points = []
    for cell in found:
        model = None if cell.error else subject.build(cell.parameters)
        where = f"{subject.name} at {at(cell.parameters)}"
        size: Any = cell.parameters[name]
        points.append(Point(size, cell, None if model is None else measured(model, where=where)))
    others = {other: values[0] for other, values in found.values.items() if other != name} | dict(found.fixed)
    slow = tuple(_told(key, delay) for each in (latency, load) for key, delay in (each or {}).items())
    in_order = tuple(sorted(points, key=lambda point: point.size))
    return Chart(found.model, name, others, found.asked, found.timeouts, slow, seed, in_order)


def _told(key: str, delay: Delay) -> str:
    return f"{key} drawn" if callable(delay) else f"{key}={delay:g}"


def _varying(values: Mapping[str, Sequence[Parameter]]) -> str:
    """Return the parameter that varies; raise OptionError unless it is one, and its values are numbers."""
    names = [name for name, each in values.items() if len(each) > 1] or [*values][:1]
    if len(names) != 1:
        raise OptionError(
            f"a chart is of one parameter with several values, the pool's size, and here {in_words(names)} have; "
            f"give each of the others one value"
        )
    if not all(map(is_number, values[names[0]])):
        raise OptionError(f"a chart is of a pool's size, and {names[0]} is none, as its values are not all numbers")
    return names[0]
