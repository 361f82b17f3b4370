"""The pictures of a report, drawn with matplotlib into bytes: who waits for whom, and what is in use over time.

matplotlib takes a quarter of a second to import, so whoever draws imports this module when it draws. Where it is not
installed, that import fails with one line that says how to get it.
"""

from __future__ import annotations

import io
import math
from collections.abc import Mapping, Sequence
from textwrap import wrap
from typing import Any, NamedTuple

from simcore.errors import extra
from simcore.explain import WaitForGraph
from simcore.simulate import Occupancy, Simulation

with extra("plots", "a picture"):
    import matplotlib as mpl
    from matplotlib.figure import Figure
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

Series = Mapping[str, tuple[Sequence[tuple[float, float]], int | None]]
"""Curves to draw: name to ((seconds, slots in use) at every change, slots there are)."""

_as_written = mpl.rc_context({"text.parse_math": False})  # a dollar in a name begins no formula


@_as_written
def picture_of_waits(graph: WaitForGraph, title: str) -> bytes:
    """Draw the wait-for graph as PNG: processes as boxes, objects rounded, the knot in red."""
    drawn = graph.graph
    knot = {name for name, about in drawn.nodes(data=True) if about["knot"]}
    columns = _columns(drawn, knot)
    tallest = max(map(len, columns), default=1)
    figure = Figure(figsize=(2.2 + 2.9 * len(columns), 1.4 + 0.75 * tallest), layout="constrained")
    axes = figure.add_subplot()
    axes.set_title(title, fontsize=11)
    axes.set_axis_off()
    places = {name: (x, -(y + 0.5) / len(column)) for x, column in enumerate(columns) for y, name in enumerate(column)}
    boxes = {}
    for name, about in drawn.nodes(data=True):
        rounded = "round,pad=0.4" if about["kind"] != "process" else "square,pad=0.4"
        edge, face = ("#c0392b", "#fdecea") if name in knot else ("#7f8c8d", "#f4f6f6")
        box = {"boxstyle": rounded, "facecolor": face, "edgecolor": edge}
        text = about["text"]
        boxes[name] = axes.text(*places[name], text, ha="center", va="center", fontsize=8, bbox=box, zorder=3)
    for source, target, about in drawn.edges(data=True):
        red = source in knot and target in knot
        style: dict[str, Any] = {"arrowstyle": "-|>", "color": "#c0392b" if red else "#7f8c8d", "linewidth": 1.1}
        style |= {"linestyle": ":" if about["mode"] == "any of" else "-"}
        back = places[target][0] < places[source][0]
        style |= {"connectionstyle": "arc3,rad=0.18" if back else "arc3,rad=0.0"}
        style |= {"patchA": boxes[source].get_bbox_patch(), "patchB": boxes[target].get_bbox_patch()}
        axes.annotate("", places[target], places[source], arrowprops=style, zorder=2)
    axes.set_xlim(-0.45, max(len(columns) - 1, 1) + 0.45)
    axes.set_ylim(-1.08, 0.05)
    axes.text(-0.4, -1.06, "solid: all of     dotted: any of     red: the knot", fontsize=8, color="#555555")
    return _png(figure)


def _columns(drawn: Any, knot: set[str]) -> list[list[str]]:
    """Place whoever waits behind the knot left, then what they wait for, then the knot: processes, results, slots."""
    kind = {name: "process" if about["kind"] == "process" else about["kind"] for name, about in drawn.nodes(data=True)}
    columns = [
        [n for n in drawn if n not in knot and kind[n] == "process"],
        [n for n in drawn if n not in knot and kind[n] != "process"],
        [n for n in drawn if n in knot and kind[n] == "process"],
        [n for n in drawn if n in knot and kind[n] not in ("process", "pool")],
        [n for n in drawn if n in knot and kind[n] == "pool"],
    ]
    return [column for column in columns if column]


@_as_written
def picture_of_occupancy(panels: Mapping[str, Series], title: str) -> bytes:
    """Draw slots in use over time as PNG, one panel per run, one line per pool or link."""
    figure = Figure(figsize=(9, 2.7 * len(panels) + 0.6), layout="constrained")
    figure.suptitle(title, fontsize=11)
    all_axes = figure.subplots(len(panels), 1, sharex=True, squeeze=False)[:, 0]
    for axes, (name, series) in zip(all_axes, panels.items(), strict=True):
        axes.set_title(name, fontsize=10, loc="left")
        for label, (changes, capacity) in series.items():
            times = [1000 * at for at, _ in changes]
            used = [count for _, count in changes]
            line = axes.step(times, used, where="post", label=label if capacity is None else f"{label} (of {capacity})")
            if capacity is not None:
                axes.axhline(capacity, color=line[0].get_color(), linewidth=0.7, linestyle=":")
        axes.set_ylabel("in use")
        axes.set_ylim(bottom=0)
        axes.margins(x=0.01)
        if series:
            axes.legend(fontsize=8, loc="center right")
    all_axes[-1].set_xlabel("milliseconds of virtual time")
    return _png(figure)


def in_use(run: Simulation, end: float) -> Series:
    """Return how many workers of each pool were busy, averaged over slices of the time up to ``end`` seconds.

    In a model without pools: how much of everything else was in use.
    """
    names = [pool.name for pool, _ in run.kernel.model.pools()] or list(run.occupancy)
    return {name: (_averaged(run.occupancy[name].series, end), _limit(run.occupancy[name])) for name in names}


def _limit(occupancy: Occupancy) -> int | None:
    """Return how much there is, where it fits the picture of what was in use."""
    there = occupancy.capacity
    return there if there is not None and there <= 4 * max(1, occupancy.peak) else None


def _averaged(series: list[tuple[float, int]], end: float, bins: int = 240) -> list[tuple[float, float]]:
    """Return the mean use in equal slices of the time up to ``end``; what was in use last lasts."""
    if end <= 0:
        return [(at, float(used)) for at, used in series]
    width = end / bins
    area = [0.0] * bins
    for (start, used), (stop, _) in zip(series, [*series[1:], (end, 0)], strict=True):
        for number in range(int(start / width), min(bins - 1, int(stop / width)) + 1):
            area[number] += used * max(0.0, min(stop, (number + 1) * width) - max(start, number * width))
    means = [(number * width, used / width) for number, used in enumerate(area)]
    return [*means, (end, float(series[-1][1])), (end * 1.05, float(series[-1][1]))]


# ---- sizes ---------------------------------------------------------------------------------------------


class Size(NamedTuple):
    """One size of a pool.

    Attributes
    ----------
    name : str
        As the axis shows it.
    safety : {"safe", "unsafe", "unknown"}
        What was explored.
    throughput : float, optional
        Processes per virtual second; None where it is not known.
    p99 : float, optional
        Virtual seconds; infinite where too many never complete, None where it is not known.
    """

    name: str
    safety: str
    throughput: float | None
    p99: float | None


_SHADES = {
    "unsafe": ("#f6c9ae", "#d55e00", "//", "unsafe: a schedule violates what was asked"),
    "unknown": ("#e4e4e4", "#7a7a7a", "..", "not known to be safe: undetermined, or inferred"),
}
"""Behind the curves: fill, edge of the hatch, hatch, what it means. Colours are those of Okabe and Ito (2008)."""

_BLUE, _GREEN = "#0072b2", "#007a5a"
_TICKS, _TITLE = 20, 72


@mpl.rc_context({"text.parse_math": False, "font.size": 13, "hatch.linewidth": 0.8, "svg.hashsalt": "simcore"})
def picture_of_sizes(
    sizes: Sequence[Size], parameter: str, chosen: int | None, title: str, verdict: str, kind: str
) -> bytes:
    """Draw throughput and p99 of completion over the sizes of a pool, as "png" or "svg", one above the other.

    Sizes stand beside each other at equal distances, whatever lies between them.

    Parameters
    ----------
    sizes : sequence of Size
        The smallest first.
    parameter : str
        What varies.
    chosen : int, optional
        The place of the recommended one.
    title, verdict : str
        What it is about, and which size is recommended. They are wrapped; a very long one is shortened.
    """
    about = [*_wrapped(title), *_wrapped(verdict)]
    figure = Figure(figsize=(9, 6.6 + 0.27 * len(about)), layout="constrained")
    _fit(figure.suptitle("\n".join(about), fontsize=14), 0.95 * figure.bbox.width)
    upper, lower = figure.subplots(2, 1, sharex=True)
    _draw_curve(upper, [size.throughput for size in sizes], "o")
    upper.set_ylabel("throughput\n(processes per\nvirtual second)")
    _draw_curve(lower, [size.p99 for size in sizes], "s")
    lower.set_ylabel("p99 of completion\n(virtual seconds)")
    for axes in (upper, lower):
        _shade(axes, [size.safety for size in sizes])
        if chosen is not None:
            axes.axvline(chosen, color=_GREEN, linewidth=2, linestyle="--", zorder=2)
    every = math.ceil(len(sizes) / _TICKS)
    lower.set_xticks(range(0, len(sizes), every), [_plain(size.name) for size in sizes[::every]])
    _fit(lower.set_xlabel(_wrapped(parameter, 1)[0]), 0.8 * figure.bbox.width)
    figure.legend(handles=_legend(sizes, chosen), loc="outside lower center", ncols=1, fontsize=12, frameon=False)
    return _png(figure) if kind == "png" else _svg(figure)


def _draw_curve(axes: Any, values: Sequence[float | None], marker: str) -> None:
    """Draw what is known and finite; what never comes is a cross above all that does."""
    finite = [math.nan if value is None or math.isinf(value) else value for value in values]
    axes.plot(finite, color=_BLUE, marker=marker, markersize=min(8, 256 / len(values)))
    never = [place for place, value in enumerate(values) if value == math.inf]
    if never:
        edge = axes.get_xaxis_transform()
        axes.plot(never, [0.92] * len(never), "X", color="black", markersize=9, transform=edge, zorder=3)
        axes.text(1.01, 0.92, "never", transform=axes.transAxes, va="center")
    axes.set_xlim(-0.5, len(values) - 0.5)
    most = max((value for value in finite if value > 0), default=1.0)
    axes.set_ylim(0, most * (1.2 if never else 1.08))
    axes.grid(axis="y", color="#cccccc", linewidth=0.6)
    axes.set_axisbelow(True)


def _shade(axes: Any, safeties: Sequence[str]) -> None:
    for place, safety in enumerate(safeties):
        if safety in _SHADES:
            face, edge, hatch, _ = _SHADES[safety]
            style = {"facecolor": face, "edgecolor": edge, "hatch": hatch, "linewidth": 0, "zorder": 0}
            axes.axvspan(place - 0.5, place + 0.5, **style)


def _legend(sizes: Sequence[Size], chosen: int | None) -> list[Any]:
    """Say what stands for what, of what there is to be seen."""
    entries: list[Any] = [
        Patch(facecolor=face, edgecolor=edge, hatch=hatch, linewidth=0, label=means)
        for safety, (face, edge, hatch, means) in _SHADES.items()
        if any(size.safety == safety for size in sizes)
    ]
    if any(size.p99 == math.inf for size in sizes):
        told = "never: more than 1 % of the processes do not complete"
        entries.append(Line2D([], [], color="black", marker="X", markersize=9, linestyle="", label=told))
    if chosen is not None:
        told = "the smallest safe size within 5 % of the best throughput"
        entries.append(Line2D([], [], color=_GREEN, linewidth=2, linestyle="--", label=told))
    return entries


def _fit(text: Any, room: float) -> None:
    """Make letters smaller where a text, of wide letters, is wider than there is room for."""
    text.set_fontsize(text.get_fontsize() * min(1.0, room / text.get_window_extent().width))


def _wrapped(text: str, most: int = 6) -> list[str]:
    """Return a text as lines that fit the picture; of more than ``most`` these, and dots say that there is more."""
    lines = wrap(_plain(text), _TITLE)
    return lines if len(lines) <= most else [*lines[: most - 1], f"{lines[most - 1][: _TITLE - 3]}..."]


def _plain(text: str) -> str:
    """Return a text whose characters the font has: control characters, and those of far scripts, are escaped."""
    return "".join(c if c.isprintable() and ord(c) < 0x250 else ascii(c)[1:-1] for c in text)


def _svg(figure: Figure) -> bytes:
    buffer = io.BytesIO()
    figure.savefig(buffer, format="svg", metadata={"Date": None})
    return buffer.getvalue()


def _png(figure: Figure) -> bytes:
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=110, metadata={"Software": None})
    return buffer.getvalue()
