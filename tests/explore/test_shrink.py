"""Nothing that can be left out is left in."""

import sys
from array import array

import pytest
import small
import toys
from served import served

from simcore import Model, Verdict, explore
from simcore.explore import without_laps
from simcore.explore.graph import Graph
from simcore.explore.reduction import Symmetry
from simcore.explore.reduction.colours import told_apart
from simcore.explore.shrink import fewest_switches, without_needless
from simcore.kernel import Kernel
from simcore.models import pool_starvation

symmetry_module = sys.modules[Symmetry.__module__]
colours_module = sys.modules[told_apart.__module__]


def path_of(kernel, *names):
    index = {process.name: process.index for process in kernel.processes}
    return [(index[name], 0) for name in names]


def names_of(kernel, path):
    return [kernel.processes[process].name for process, _ in path]


def deadlocked(kernel):
    return lambda state: kernel.view(state).deadlocked


def locked_by_both(kernel):
    """Whether left and right hold a lock each."""
    return lambda state: {kernel.view(state)[name].owner for name in "ab"} == set(kernel.processes[:2])


@pytest.mark.parametrize("shorten", [without_needless, without_laps])
def test_steps_of_processes_that_do_not_matter_are_left_out(shorten):
    kernel = Kernel(small.crossed(beating=True))
    beats = ["heartbeat"] * 3
    long = path_of(kernel, *beats, "left", *beats, "right", *beats)
    assert names_of(kernel, shorten(kernel, long, locked_by_both(kernel))) == ["left", "right"]


@pytest.mark.parametrize("shorten", [without_needless, without_laps])
def test_a_schedule_that_cannot_be_shortened_stays(shorten):
    kernel = Kernel(small.crossed())
    path = path_of(kernel, "left", "right")
    assert shorten(kernel, path, deadlocked(kernel)) == path


@pytest.mark.parametrize("shorten", [without_needless, without_laps])
def test_a_schedule_that_does_not_violate_stays(shorten):
    kernel = Kernel(small.crossed())
    path = path_of(kernel, "left", "left")
    assert shorten(kernel, path, deadlocked(kernel)) == path


@pytest.mark.parametrize("shorten", [without_needless, without_laps])
@pytest.mark.parametrize(("timeouts", "left"), [("when_stuck", ["other", "patient"]), ("anytime", ["patient"])])
def test_what_must_be_done_before_time_runs_out_is_not_left_out(shorten, timeouts, left):
    model = Model("patient")
    event, lock = model.event("event"), model.lock("lock")

    def wait(operation):
        yield operation

    model.process("other", wait, lock.acquire())
    model.process("patient", wait, event.wait(timeout=1.0))
    kernel = Kernel(model, timeouts)
    path = path_of(kernel, "other", "patient")
    assert names_of(kernel, shorten(kernel, path, lambda state: kernel.view(state).process("patient").done)) == left


def test_what_comes_after_the_violation_is_left_out():
    kernel = Kernel(small.flicker())
    path = path_of(kernel, "blinker", "blinker", "blinker", "blinker")
    lit = kernel.step(kernel.initial, 0, 0)
    assert names_of(kernel, without_needless(kernel, path, lambda state: state == lit)) == ["blinker"]


def test_no_single_step_can_be_left_out_of_the_result():
    kernel = Kernel(toys.pool_system(requesters=3, workers=2, chunks=1))
    path = []
    state = kernel.initial
    while choices := kernel.successors(state):
        choice = choices[len(path) * 7 % len(choices)]
        path.append((choice.process, choice.outcome))
        state = choice.state
    if not kernel.view(state).deadlocked:
        found = explore(toys.pool_system(requesters=3, workers=2, chunks=1), strategy="depth").counterexample
        path = found.schedule.path(kernel)

    def both_wait(reached):
        workers = [kernel.view(reached).process(f"stream[{i}]") for i in range(2)]
        return all(worker.blocked and worker.task for worker in workers)

    short = without_needless(kernel, path, both_wait)
    assert both_wait(follow(kernel, short))
    for place in range(len(short)):
        assert not both_wait(follow(kernel, short[:place] + short[place + 1 :]))


def follow(kernel, path):
    """Take those steps that are possible."""
    state = kernel.initial
    for process, outcome in path:
        state = kernel.step(state, process, outcome) or state
    return state


def test_a_lap_around_a_loop_is_left_out():
    kernel = Kernel(small.flicker())
    path = path_of(kernel, "blinker", "blinker", "blinker", "waiter")
    assert names_of(kernel, without_laps(kernel, path, kernel.finished)) == ["blinker", "waiter"]


def test_among_shortest_paths_one_with_the_fewest_switches_is_chosen():
    kernel = Kernel(small.steps(length=2, processes=2))
    space = list(toys.space(kernel).distance.items())
    states = [state for state, _ in space]
    graph = Graph()
    for state in states:
        for process, outcome, after in kernel.successors(state):
            graph.targets.append(states.index(after))
            graph.processes.append(process)
            graph.outcomes.append(outcome)
        graph.starts.append(len(graph.targets))
    depths = array("I", [distance for _, distance in space])
    path, exact = fewest_switches(kernel, Symmetry(kernel), states, graph, depths, {len(states) - 1})
    assert exact
    assert names_of(kernel, path) in (["walker[0]"] * 2 + ["walker[1]"] * 2, ["walker[1]"] * 2 + ["walker[0]"] * 2)


@pytest.mark.parametrize(
    "build",
    [
        lambda: served(seed=1090, clients=2, P=1, Q=2, s=2, capacity=3),
        lambda: pool_starvation.buggy(downloads=3, workers=2),
    ],
)
@pytest.mark.parametrize("weak", [False, True])
def test_a_schedule_is_told_where_an_orbit_may_have_several_representatives(monkeypatch, build, weak):
    if weak:
        monkeypatch.setattr(symmetry_module, "MOST_TRIED", 1)
        monkeypatch.setattr(colours_module, "mixed", lambda number: 7)
        monkeypatch.setattr(colours_module, "_copies", lambda *_: {})
    assert explore(build()).verdict is Verdict.VIOLATED
