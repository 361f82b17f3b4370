"""Where no run ends, the point of no return is where not everybody can go on for ever any more."""

from __future__ import annotations

import sys

import networkx as nx
import pytest

from simcore import Model, explore
from simcore.kernel import Kernel

no_return_module = sys.modules["simcore.explore.no_return"]


def one_condition(*, producers: int = 2, consumers: int = 1, heart: bool = False) -> Model:
    """A buffer for one item whose producers and consumers share a condition and wake one of the others, for ever."""
    model = Model("one condition")
    cond, count = model.condition("cond"), model.variable("count", 0)

    def work(empty, full):
        while True:
            yield cond.acquire()
            while (yield count.get()) != empty:
                yield cond.wait()
            yield count.set(full)
            yield cond.notify()
            yield cond.release()

    def beat():
        while True:
            yield count.get()

    for number in range(producers):
        model.process(f"producer {number}", work, 0, 1)
    for number in range(consumers):
        model.process(f"consumer {number}", work, 1, 0)
    if heart:
        model.process("heart", beat, daemon=True)
    return model


def all_can_go_on(kernel: Kernel, start) -> bool:
    """Look at the graph of all that can follow, by the definition."""
    graph, stack = nx.MultiDiGraph(), [start]
    graph.add_node(start)
    while stack:
        state = stack.pop()
        for choice in kernel.successors(state):
            if choice.state not in graph:
                stack.append(choice.state)
            graph.add_edge(state, choice.state, mover=choice.process)
    owing = {process.index for process in kernel.processes if not process.daemon}
    return any(
        owing <= {mover for _, _, mover in graph.subgraph(part).edges(data="mover")}
        for part in nx.strongly_connected_components(graph)
    )


@pytest.mark.parametrize("heart", [False, True])
def test_the_point_of_no_return_of_servers_is_where_not_all_can_go_on_for_ever(heart):
    found = explore(one_condition(heart=heart), symmetry=False).counterexample
    kernel = Kernel(one_condition(heart=heart))
    goes_on = [all_can_go_on(kernel, state) for state in found.schedule.states(kernel)]
    assert found.no_return.exact
    assert not found.no_return.ends
    assert 0 < found.no_return.step == goes_on.index(False)
    assert "after it not everybody can go on for ever" in found.no_return.describe(found.schedule)


def test_a_budget_that_does_not_suffice_is_said(monkeypatch):
    monkeypatch.setattr(no_return_module, "NO_RETURN_STATES", 10)
    found = explore(one_condition(), symmetry=False).counterexample.no_return
    assert not found.exact


def test_a_budget_of_proofs_that_does_not_suffice_is_said(monkeypatch):
    assert explore(one_condition(), symmetry=False).counterexample.no_return.exact
    monkeypatch.setattr(no_return_module, "_FOLLOWED", -1)
    assert not explore(one_condition(), symmetry=False).counterexample.no_return.exact


def test_a_budget_that_tells_that_no_run_ends_and_no_more_is_said(monkeypatch):
    monkeypatch.setattr(no_return_module, "all_go_on_from", lambda *_: None)
    text = str(explore(one_condition()))
    assert "no run of this model ends; a budget of 10,000 states did not suffice to tell" in " ".join(text.split())


def always_stuck() -> Model:
    model = Model("always stuck")
    lock = model.lock("lock")

    def twice():
        yield lock.acquire()
        yield lock.acquire()

    def beat():
        while True:
            yield lock.locked()

    model.process("main", twice)
    model.process("heart", beat, daemon=True)
    return model


def test_a_heartbeat_is_no_run_that_goes_on_well():
    found = explore(always_stuck()).counterexample
    assert found.no_return.step == 0
    assert "lost from the start" in found.no_return.describe(found.schedule)
