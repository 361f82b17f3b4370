"""Spin, which shares no code with us, finds the same states and the same deadlocks in an exported program."""

from __future__ import annotations

import pkgutil

import pytest
import small
import toys
from claims import models_named
from exported import asked_for, handed_over
from generated import systems
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from run_spin import MISSING, run_spin

from simcore import Model, Verdict, models, sleep
from simcore.errors import OptionError
from simcore.kernel import Kernel
from simcore.model import claims_of
from simcore.report.promela.program import promela

slow = pytest.mark.slow
RULES = ("never", "when_stuck", "in_order", "anytime")


# ---- what Spin finds in it ---------------------------------------------------------------------------------


@pytest.fixture
def spin():
    """Spin must be there: a second opinion that was not asked is none."""
    if MISSING:
        pytest.fail(MISSING)


def check(model, timeouts="when_stuck", max_states=None):
    """Compare the states and the deadlocks that Spin finds with those of a plain search; return their numbers."""
    found = promela(model, timeouts=timeouts, max_states=max_states)
    space = toys.space(Kernel(model, timeouts))
    assert (found.states, found.deadlocks) == (space.states, len(space.deadlocks))
    spin = run_spin(found.text)
    assert (spin.states, spin.errors) == (space.states, len(space.deadlocks))
    return spin.states, spin.errors


COUNTED = {
    "opposed locks": (toys.opposed_locks, 19, 1),
    "two-phase commit, 3": (lambda: toys.two_phase_commit(n=3), 288, 0),
    "two-phase commit, 5": (lambda: toys.two_phase_commit(n=5), 8_832, 0),  # in arrays of more than one part
    "philosophers, 7": (lambda: toys.philosophers(n=7), 478, 1),
    "philosophers who release one by one, 7": (lambda: toys.philosophers(n=7, together=False), 2_186, 1),
    "philosophers with a global order, 7": (lambda: toys.philosophers(n=7, ordered=True), 408, 0),
    "philosophers with one meal, 6": (lambda: toys.philosophers(n=6, cyclic=False), 2_041, 1),
    "bounded buffer, 1 1 1": (lambda: toys.bounded_buffer(producers=1, consumers=1, capacity=1), 8, 0),
    "bounded buffer, 2 2 3": (lambda: toys.bounded_buffer(producers=2, consumers=2, capacity=3), 216, 0),
    "bounded buffer, 3 3 3": (lambda: toys.bounded_buffer(producers=3, consumers=3, capacity=3), 698, 0),
    "bounded buffer, mutex first, 3 3 3": (
        lambda: toys.bounded_buffer(producers=3, consumers=3, capacity=3, mutex_first=True),
        504,
        6,
    ),
    "pool system before, 2 1 1": (lambda: toys.pool_system(requesters=2, workers=1, chunks=1), 15, 4),
    "pool system before, 4 2 1": (lambda: toys.pool_system(requesters=4, workers=2, chunks=1), 8_061, 456),
    "pool system before, 4 2 2": (lambda: toys.pool_system(requesters=4, workers=2, chunks=2), 99_273, 5_856),
    "pool system before, 4 4 1": (lambda: toys.pool_system(requesters=4, workers=4, chunks=1), 132_873, 576),
    "pool system after, 2 2 1": (
        lambda: toys.pool_system(requesters=2, workers=2, chunks=1, callback_workers=2),
        551,
        0,
    ),
    "pool system after, 3 2 1": (
        lambda: toys.pool_system(requesters=3, workers=2, chunks=1, callback_workers=2),
        10_380,
        0,
    ),
    "pool system after, 4 2 1": (
        lambda: toys.pool_system(requesters=4, workers=2, chunks=1, callback_workers=2),
        188_685,
        0,
    ),
}


@slow
@pytest.mark.usefixtures("spin")
@pytest.mark.parametrize("name", COUNTED)
def test_spin_counts_what_every_tool_has_counted(name):
    build, states, deadlocks = COUNTED[name]
    assert check(build()) == (states, deadlocks)


@slow
@pytest.mark.usefixtures("spin")
@pytest.mark.parametrize(("roots", "levels", "workers"), [(1, 2, 1), (1, 2, 2), (2, 2, 2), (2, 2, 3), (2, 3, 2)])
def test_spin_sees_nested_futures_hang_exactly_with_too_few_workers(roots, levels, workers):
    _, deadlocks = check(toys.nested_futures(roots=roots, levels=levels, workers=workers))
    assert bool(deadlocks) == (workers <= roots * (levels - 1))


def returned_futures(*, tasks: int = 2, looked_at: bool = True) -> Model:
    """Tasks return the futures of tasks that they have submitted: one that nobody has looked at drops the other."""
    model = Model("returned futures")
    pool = model.thread_pool("pool", 2)

    def inner(number):
        yield from ()
        return number

    def outer(number):
        return ((yield pool.submit(inner, number)), number)

    def ask():
        for number in range(tasks):
            future = yield pool.submit(outer, number)
            if looked_at:
                inside, _ = yield future.result()
                yield inside.result()
            else:
                yield future.exception()

    model.process("main", ask)
    return model


def futures_in_a_queue(*, tasks: int = 2) -> Model:
    """Each task takes a future from a queue, some task's own perhaps, and returns it: futures that mention futures."""
    model = Model("futures in a queue")
    pool, queue = model.thread_pool("pool", 2), model.queue("futures")

    def task():
        return (yield queue.get())

    def ask():
        for _ in range(tasks):
            future = yield pool.submit(task)
            yield queue.put(future)
        yield pool.shutdown()

    model.process("main", ask)
    return model


def thrown_away(submits: int) -> Model:
    """A process submits again and again, and gives up each future with the next submit; the last one at once."""
    model = Model("thrown away")
    pool = model.thread_pool("pool", 1)

    def task():
        yield sleep(0.1)

    def begin():
        future = None
        for _ in range(submits):
            future = yield pool.submit(task)
        return future is None

    model.process("main", begin)
    model.process("late", begin)
    return model


FUTURES = {
    "asked for": asked_for,
    "given up": lambda: asked_for(given_up=True),
    "of a task that dies": lambda: asked_for(dies=True),
    "of a task that dies, given up": lambda: asked_for(given_up=True, dies=True),
    "returned": returned_futures,
    "returned, three": lambda: returned_futures(tasks=3),
    "returned, not looked at": lambda: returned_futures(looked_at=False),
    "thrown away two at once": lambda: thrown_away(2),
    "in a queue": futures_in_a_queue,
    "in a queue, three": lambda: futures_in_a_queue(tasks=3),
    "nested": lambda: small.nested_submit(workers=2, tasks=2),
}


@slow
@pytest.mark.usefixtures("spin")
@pytest.mark.parametrize("name", FUTURES)
def test_spin_drops_futures_as_the_kernel_does(name):
    check(FUTURES[name]())


def naps() -> Model:
    """Sleeps, a timer and a wait whose order the clock decides."""
    model = Model("naps")
    fired = model.event("fired")

    def fire():
        yield fired.set()

    timer = model.timer("timer", 2.0, fire)

    def nap(seconds):
        yield sleep(seconds)
        yield timer.cancel()

    def begin():
        yield timer.start()
        yield fired.wait(timeout=3.0)

    model.process("begin", begin)
    model.process("short", nap, 1.0)
    model.process("long", nap, 5.0)
    return model


@slow
@pytest.mark.usefixtures("spin")
@pytest.mark.parametrize("timeouts", RULES)
@pytest.mark.parametrize("build", [naps, small.impatient, small.patient, handed_over])
def test_spin_lets_time_pass_by_the_same_rule(build, timeouts):
    check(build(), timeouts)


@slow
@pytest.mark.usefixtures("spin")
@pytest.mark.parametrize("build", [small.raising, lambda: asked_for(given_up=True, dies=True)])
def test_spin_counts_the_steps_in_which_somebody_dies(build):
    kernel = Kernel(build())
    states = toys.space(kernel).distance
    steps = [(before, choice.state) for before in states for choice in kernel.successors(before)]
    deaths = [step for step in steps if kernel.failed(step[0]) is None and kernel.failed(step[1]) is not None]
    assert deaths
    assert run_spin(promela(build()).text, search=("-E",)).errors == len(deaths)  # invalid end states are left out


@slow
@pytest.mark.usefixtures("spin")
@pytest.mark.parametrize("build", [toys.opposed_locks, small.impatient, asked_for])
def test_spin_may_search_breadth_first_where_no_array_is_needed(build):
    found = promela(build())
    assert "With -DBFS" in found.text
    spin = run_spin(found.text, compiler=("-O0", "-DBFS"))
    assert (spin.states, spin.errors) == (found.states, found.deadlocks)


def claims_about_deadlocks():
    """Yield every quick claim about deadlocks, and the first two of each model, once for each size and rule."""
    seen = set()
    for found in pkgutil.iter_modules(models.__path__):
        claims = claims_of(models_named(found.name)) if not found.ispkg else ()
        for number, claim in enumerate(claims):
            size = (claim.function, *claim.parameters.items(), claim.timeouts)
            about = claim.property.kind in ("deadlock", "finish") or number < 2
            if about and not claim.slow and size not in seen:
                seen.add(size)
                yield pytest.param(claim, id=f"{claim.function}-{claim.id}-{len(seen)}")


@slow
@pytest.mark.usefixtures("spin")
@pytest.mark.parametrize("claim", list(claims_about_deadlocks())[::6])
def test_spin_agrees_on_every_model_that_is_claimed_something_about(claim):
    deadlocks, refused = 0, ""
    try:
        _, deadlocks = check(claim.build(), claim.timeouts, max_states=100_000)
    except OptionError as error:
        refused = str(error)
    assert not refused or "has more than 100,000 states" in refused  # too large to be met as a whole
    if claim.property.kind == "deadlock" and deadlocks:
        assert claim.expected is Verdict.VIOLATED


@slow
@pytest.mark.usefixtures("spin")
@given(model=systems(), timeouts=st.sampled_from(RULES))
@settings(max_examples=50, deadline=None, suppress_health_check=list(HealthCheck))
def test_spin_agrees_on_generated_systems(model, timeouts):
    try:
        check(model, timeouts, max_states=20_000)
    except OptionError:
        assume(False)
