"""A wait-for graph is made of names: it needs no model, no kernel and no state."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from pathlib import Path

import pytest

import simcore.explain
from simcore.explain import WaitForGraph
from simcore.explain.edges import Edge, Pool, Slots, Why

OF_NAMES = ("waitfor", "words", "edges", "summary", "drawing", "layout")


@pytest.mark.parametrize("module", OF_NAMES)
def test_what_tells_of_waits_knows_no_model(module):
    tree = ast.parse((Path(simcore.explain.__file__).parent / f"{module}.py").read_text())
    imported = [node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
    ours = {(node.module, each.name) for node in imported for each in node.names if node.module.startswith("simcore")}
    shows_itself = ("simcore.model", "Pictured")
    assert not [each for each in ours - {shows_itself} if not each[0].startswith("simcore.explain.")]


@dataclass(frozen=True)
class Lock:
    name: str
    kind: str = "lock"


@dataclass(frozen=True)
class Thread:
    """A thread of a program, as a debugger would see it."""

    name: str
    status: str = "blocked"
    what: str = ""
    owes: bool = True
    must_finish: bool = True
    worker_of: str = ""


def waits(thread: Thread, lock: Lock, holder: Thread) -> Edge:
    return Edge(thread, lock, (holder.name,), Why(f"for {lock.name}", holders=((holder.name, holder.name),)))


def test_threads_of_a_program_are_told_of_like_processes_of_a_model():
    left, right, late = Thread("left", what="left"), Thread("right", what="right"), Thread("late", what="late")
    a, b = Lock("a"), Lock("b")
    edges = [waits(left, b, right), waits(right, a, left), waits(late, a, left)]
    slots = [Slots("a", "lock", 1, 1), Slots("b", "lock", 1, 1)]
    graph = WaitForGraph([left, right, late], edges, [Pool("pool", ())], slots, frozenset({"left", "right", "late"}))
    assert graph.headline == "3 of 3 processes can never move again"
    assert graph.explain() == [
        "left waits for b, held by right",
        "right waits for a, held by left",
        "waiting behind it: late waits for a, held by left",
    ]
    assert set(graph.graph) == {"left", "right", "late", "a", "b"}
    assert graph.mermaid().startswith("flowchart LR")
