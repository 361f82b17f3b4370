"""The pictures of a report, drawn with matplotlib into bytes: who waits for whom, and what is in use over time.

matplotlib takes a quarter of a second to import, so whoever draws imports this module when it draws. Where it is not
installed, that import fails with one line that says how to get it.
"""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from typing import Any

from simcore.errors import extra
from simcore.explain import WaitForGraph
from simcore.simulate import Occupancy, Simulation

with extra("plots", "a picture"):
    import matplotlib as mpl
    from matplotlib.figure import Figure

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


def _png(figure: Figure) -> bytes:
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=110, metadata={"Software": None})
    return buffer.getvalue()
