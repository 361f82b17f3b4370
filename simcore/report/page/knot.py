"""The wait-for graph as it is drawn: what is alike is one box where there would be too many, and the knot is whole.

Parts are alike when they differ in their numbers alone and wait for, and are waited for by, parts that are alike: the
coarsest stable partition, by refinement (Hopcroft, 1971). So four workers that wait for four results of one pool are
three boxes, and a ring of philosophers stays a ring.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from simcore.explain import WaitForGraph, summary
from simcore.report.page.film import Drawing, Film, Node

PLAIN = 10
"""Parts up to which only those are one box that wait for the very same, and for which the same wait."""

MOST = 40
"""Boxes that are drawn at most."""

_NUMBER = re.compile(r"\d+")


def with_waits(film: Film, graph: WaitForGraph) -> Film:
    """Return ``film`` with who waits for whom at its end; servers that just wait for work are no knot."""
    drawing = drawing_of(graph)
    film = replace(film, counted=_counted(graph))
    if not graph.servers and not any(edge.process.owes for edge in graph.stuck):
        return replace(film, drawing=replace(drawing, nodes=tuple(replace(node, knot=False) for node in drawing.nodes)))
    known = graph.proved is not None or bool(graph.servers)
    stuck = tuple(edge.process.name for edge in graph.stuck) if known else ()
    return replace(film, drawing=drawing, knot=tuple(edge.process.name for edge in graph.knot), stuck=stuck)


def _counted(graph: WaitForGraph) -> str:
    """Return of whom the headline of ``graph`` tells how many can never move again."""
    asked = [actor for actor in graph.actors if actor.must_finish]
    others = [actor for actor in graph.actors if not actor.must_finish]
    ended = sum(actor.status == "done" for actor in others)
    left = [f"{ended} that ended"] if ended else []
    left += [f"{len(others) - ended} that need not finish (daemons, workers without a task)"] * (len(others) > ended)
    beside = f"; {' and '.join(left)} {'is' if len(others) == 1 else 'are'} not counted" if left else ""
    return f"counted are the {len(asked)} that must finish{beside}" if graph.headline else ""


def drawing_of(graph: WaitForGraph) -> Drawing:
    """Return what is drawn of ``graph``."""
    drawn = graph.graph
    names = list(drawn)
    group = _groups(drawn) if len(names) > PLAIN else _twins(drawn)
    members: dict[int, list[str]] = {}
    for name in names:
        members.setdefault(group[name], []).append(name)
    order = sorted(
        members, key=lambda number: (not drawn.nodes[members[number][0]]["knot"], names.index(members[number][0]))
    )
    kept = {number: place for place, number in enumerate(order[:MOST])}
    nodes = tuple(_node(drawn, members[number]) for number in order[:MOST])
    arrows: dict[tuple[int, int], str] = {}
    for source, target, about in drawn.edges(data=True):
        if group[source] in kept and group[target] in kept:
            arrows.setdefault((kept[group[source]], kept[group[target]]), about["mode"])
    more = len(order) - len(kept)
    left_out = f"{more} more are not drawn; the text has them" if more else ""
    return Drawing(nodes, tuple((*arrow, mode) for arrow, mode in arrows.items()), left_out)


def _looks(drawn: Any) -> dict[str, tuple[str, bool]]:
    """Return what each node looks like, its numbers aside."""
    return {
        name: (_NUMBER.sub("#", f"{name}\n{about['text']}") if about["kind"] != "pool" else name, about["knot"])
        for name, about in drawn.nodes(data=True)
    }


def _twins(drawn: Any) -> dict[str, int]:
    """Return a number for each node, the same for those that look alike and have the same neighbours."""
    numbers: dict[Any, int] = {}
    about = {
        name: (look, frozenset(drawn.successors(name)), frozenset(drawn.predecessors(name)))
        for name, look in _looks(drawn).items()
    }
    return {name: numbers.setdefault(about[name], len(numbers)) for name in drawn}


def _groups(drawn: Any) -> dict[str, int]:
    """Return a number for each node, the same for those that are alike."""
    colours: Mapping[str, Any] = _looks(drawn)
    count = 0
    while True:
        numbers: dict[Any, int] = {}
        colours = {name: numbers.setdefault(colours[name], len(numbers)) for name in drawn}
        if len(numbers) == count:
            return dict(colours)
        count = len(numbers)
        colours = {
            name: (
                colours[name],
                frozenset(colours[other] for other in drawn.successors(name)),
                frozenset(colours[other] for other in drawn.predecessors(name)),
            )
            for name in drawn
        }


def _node(drawn: Any, members: list[str]) -> Node:
    """Return one box for ``members``, which are alike: each line tells what stands in that line of all of them."""
    about = drawn.nodes[members[0]]
    texts = [drawn.nodes[name]["text"].split("\n") for name in members]
    lines = [summary(dict.fromkeys(column)) for column in zip(*texts, strict=True)]
    used, limit = about["slots"] if len(members) == 1 and about["slots"] is not None else (None, None)
    names = tuple(" ".join(text) for text in texts) if about["kind"] != "process" else ()
    return Node(tuple(lines), about["kind"], about["knot"], len(members), used, limit, names)
