"""One schedule means the same in every driver: what is enabled, what happens, and how it ends.

One body does all of it. A source makes the token of a run of a generated system; a replay takes the token into
one driver and says what it saw there. Every pair must agree. Real threads have no total order of steps, so
there it is what each process did, and how everybody ended.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from random import Random

import generated
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from replays import in_execute, in_kernel, in_kernel_by_process, in_machine, in_simulate

from simcore import Model
from simcore.execute import execute
from simcore.explore import explore
from simcore.kernel import Kernel
from simcore.model import Verdict, build
from simcore.schedule import Schedule
from simcore.simulate import simulate
from simcore.stateful import machine

FEW = settings(max_examples=4, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much])
STATES = 1_000


# ---- sources: a driver makes a run of a model, and its token ------------------------------------------------


def from_explore(model: Model, seed: int) -> Schedule:
    """Return the counterexample, or where there is none a random run."""
    result = explore(model, max_states=STATES)
    if result.verdict is Verdict.VIOLATED:
        return result.counterexample.schedule
    return walked(Kernel(model), seed)


def from_simulate(model: Model, seed: int) -> Schedule:
    """Return one run in virtual time."""
    return simulate(model, seed=seed).schedule


def from_machine(model: Model, seed: int) -> Schedule:
    """Return one run of the state machine, to its violation or its end."""
    run = machine(model)()
    random = Random(seed)
    try:
        while (offers := run.offers()) != [None]:
            run.step(step=random.choice(offers))
        run.step(step=None)
    except AssertionError as violation:
        return Schedule.from_token(str(violation).rpartition("simcore replay ")[2])
    return Schedule.of(run.kernel, run.path)


def from_execute(model: Model, seed: int) -> Schedule:
    """Return one free run on real threads, as the kernel explains it."""
    run = execute(model)
    assert run.explained, f"{run}\n{model.origin}"
    return run.schedule


def walked(kernel: Kernel, seed: int, path: list[tuple[int, int]] | None = None) -> Schedule:
    """Return a random run to its end, from the end of ``path`` on."""
    random, path = Random(seed), list(path or [])
    state = Schedule.of(kernel, path).states(kernel)[-1]
    while choices := kernel.successors(state):
        process, outcome, state = random.choice(choices)
        path.append((process, outcome))
    return Schedule.of(kernel, path)


def from_a_slow_machine(model: Model, seed: int) -> Schedule:
    """Return a random run in which time-outs fire at any moment."""
    return walked(Kernel(model, "anytime"), seed)


SOURCES = [from_explore, from_simulate, from_machine, from_a_slow_machine]
REPLAYS = [in_machine, in_simulate]

SYSTEM = {"description": generated.descriptions(), "seed": st.integers(0, 9)}
ANY_SYSTEM = given(**SYSTEM)
ANY_SYSTEM_AND_SOURCE = given(source=st.sampled_from(SOURCES), **SYSTEM)


def agree(source: Callable[[Model, int], Schedule], description: str, seed: int) -> None:
    """Require that every driver sees in a token of ``source`` what the kernel sees."""
    schedule = source(generated.system(description=description), seed)
    assert Schedule.from_token(schedule.token) == schedule
    seen = in_kernel(schedule.token)
    for replay in REPLAYS:
        assert replay(schedule.token) == seen


@pytest.mark.some(2)
@pytest.mark.parametrize("source", SOURCES)
@FEW
@ANY_SYSTEM
def test_a_token_means_the_same_in_every_driver(source, description, seed):
    agree(source, description, seed)


@pytest.mark.slow
@pytest.mark.parametrize("source", SOURCES)
@settings(FEW, max_examples=generated.MANY // 4)
@ANY_SYSTEM
def test_a_token_means_the_same_in_every_driver_over_many_systems(source, description, seed):
    agree(source, description, seed)


def agree_for_real(source: Callable[[Model, int], Schedule], description: str, seed: int) -> None:
    """Require that real threads do what the kernel says, to the end of a run that begins as ``source`` does."""
    begun = source(generated.system(description=description), seed)
    kernel = Kernel(build(begun.origin))
    token = walked(kernel, seed, begun.path(kernel)).token
    assert in_execute(token) == in_kernel_by_process(token)


@FEW
@ANY_SYSTEM_AND_SOURCE
def test_a_token_of_any_driver_replays_on_real_threads(source, description, seed):
    agree_for_real(source, description, seed)


@pytest.mark.slow
@settings(FEW, max_examples=generated.MANY // 4)
@ANY_SYSTEM_AND_SOURCE
def test_a_token_of_any_driver_replays_on_real_threads_over_many_systems(source, description, seed):
    agree_for_real(source, description, seed)


@FEW
@ANY_SYSTEM
def test_the_token_of_a_free_real_run_replays_in_every_driver(description, seed):
    agree(from_execute, description, seed)


@pytest.mark.slow
@settings(FEW, max_examples=generated.MANY // 4)
@ANY_SYSTEM
def test_the_token_of_a_free_real_run_replays_in_every_driver_over_many_systems(description, seed):
    agree(from_execute, description, seed)


def holds(description: str, timeouts: str) -> bool:
    """Tell whether a system is proved to be free of deadlocks, under a rule for time-outs that its runs keep."""
    result = explore(generated.system(description=description), timeouts=timeouts, max_states=STATES)
    return result.verdict is Verdict.HOLDS


@pytest.mark.slow
@FEW
@given(description=generated.descriptions())
def test_what_explore_proves_completes_on_real_threads(description):
    assume(holds(description, "anytime"))
    assert execute(generated.system(description=description)).status == "completed"


@FEW
@given(description=generated.descriptions())
def test_a_counterexample_of_explore_hangs_on_real_threads(description):
    result = explore(generated.system(description=description), max_states=STATES)
    assume(result.verdict is Verdict.VIOLATED)
    assert execute(generated.system(description=description), schedule=result.counterexample.schedule).status == "stuck"


@FEW
@given(description=generated.descriptions())
def test_a_counterexample_of_explore_ends_stuck_in_virtual_time_whatever_comes_after_it(description):
    result = explore(generated.system(description=description), max_states=STATES)
    assume(result.verdict is Verdict.VIOLATED)
    assert (
        simulate(generated.system(description=description), schedule=result.counterexample.schedule).status == "stuck"
    )


TWO_WAKE_AT_ONCE = {
    "lock": 0,
    "event": 1,
    "future": 0,
    "semaphore": [],
    "queue": [],
    "pool": [],
    "tasks": [],
    "processes": [[["sleep", 0.02], ["set", 0]], [["sleep", 0.02], ["clear", 0]], [["wait", 0, None]]],
}
"""The third is lost when the first two wake at the same moment, and set and clear before it looks."""


def test_what_holds_where_one_wakes_at_a_time_need_not_hold_where_several_do():
    description = json.dumps(TWO_WAKE_AT_ONCE)
    assert holds(description, "when_stuck")
    assert not holds(description, "in_order")
    ends = {simulate(generated.system(description=description), seed=seed).status for seed in range(10)}
    assert ends == {"completed", "stuck"}


@pytest.mark.slow
@FEW
@given(description=generated.descriptions(), seed=st.integers(0, 9))
def test_what_explore_proves_completes_in_virtual_time_for_every_seed(description, seed):
    assume(holds(description, "in_order"))
    assert simulate(generated.system(description=description), seed=seed).status == "completed"
