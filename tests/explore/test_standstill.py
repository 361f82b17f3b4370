"""Beside what never stops moving no time passes, and a proof that has not seen what comes after a wait is none."""

from __future__ import annotations

import pytest

from simcore import Model, Verdict, choose, eventually, explore, sleep, sometimes
from simcore.properties import no_stuck_subset

FAST = ("never", "when_stuck", "in_order")
REDUCTIONS = (
    {},
    {"symmetry": False},
    {"partial_order": False},
    {"symmetry": False, "partial_order": False},
    {"strategy": "depth"},
)
EVERY = pytest.mark.parametrize("options", REDUCTIONS, ids=str)
RULES = pytest.mark.parametrize("timeouts", FAST)


def spinner(model, *, daemon=True, stop=None, pause=None):
    """Add a process that goes round for ever, or until ``stop`` is set, or with a pause in each round."""
    beat = model.variable("beat", 0)

    def spin():
        while stop is None or not (yield stop.is_set()):
            yield beat.set(1)
            if pause is not None:
                yield sleep(pause)

    model.process("spinner", spin, daemon=daemon)


def opposed(*, size=2, **how) -> Model:
    """Processes that take locks in a circle after a sleep, beside a spinner."""
    model = Model("opposed")
    locks = [model.lock(f"lock {n}") for n in range(size)]
    spinner(model, **how)

    def take(first, second):
        yield sleep(1)
        yield first.acquire()
        yield second.acquire()
        yield second.release()
        yield first.release()

    for n in range(size):
        model.process(f"p{n}", take, locks[n], locks[(n + 1) % size])
    return model


def alike() -> Model:
    """Interchangeable sleepers that die after their sleep."""
    model = Model("alike")
    spinner(model)
    never = model.event("never")

    def sleeper():
        yield sleep(1)
        yield never.wait()

    for name in model.indices("sleeper", 3):
        model.process(name, sleeper)
    return model


def awake() -> Model:
    """Two daemons that hand a ball to and fro for ever, and a task that waits for a time-out that it needs."""
    model = Model("awake")
    ping, pong, never = model.queue("ping"), model.queue("pong"), model.event("never")
    pool = model.thread_pool("pool", 1)

    def play(mine, other):
        while True:
            yield other.put((yield mine.get()))

    def task():
        yield sleep(1)
        yield never.wait()

    def main():
        yield ping.put("ball")
        yield (yield pool.submit(task)).result()

    model.process("one", play, ping, pong, daemon=True)
    model.process("two", play, pong, ping, daemon=True)
    model.process("main", main)
    return model


def passed_on(*, beating=True, heals=True) -> Model:
    """Somebody waits for an event that its only helper gets from a queue behind a sleep: nothing shows that before."""
    model = Model("passed on")
    event, box = model.event("event"), model.queue("box")
    if beating:
        spinner(model)

    def sleeper():
        yield sleep(1)
        found = yield box.get()
        if heals:
            yield found.set()

    def giver():
        yield box.put(event)
        yield event.wait()

    model.process("sleeper", sleeper)
    model.process("giver", giver)
    return model


def wide() -> Model:
    """More states than the compiled loops leave to the plain one."""
    model = Model("wide")
    spinner(model)
    never = model.event("never")
    shared = model.variable("shared", 0)

    def count():
        for _ in range(5):
            yield shared.update(lambda old: (old + 1) % 7)

    def sleeper():
        yield sleep(1)
        yield never.wait()

    for n in range(4):
        model.process(f"c{n}", count)
    model.process("sleeper", sleeper)
    return model


@EVERY
@RULES
@pytest.mark.parametrize("make", [opposed, alike, awake])
def test_what_comes_after_a_sleep_beside_a_spinner_is_not_proved(make, timeouts, options):
    result = explore(make(), timeouts=timeouts, **options)
    assert result.verdict is Verdict.UNDETERMINED
    assert "no time passes" in result.reason
    assert "timeouts='anytime'" in result.reason
    assert "\n" not in result.reason


@pytest.mark.parametrize("make", [opposed, alike, awake])
def test_it_is_found_where_time_outs_may_fire_at_any_moment(make):
    assert explore(make(), timeouts="anytime").verdict is Verdict.VIOLATED


def test_it_is_found_where_the_spinner_sleeps():
    assert explore(opposed(pause=0.1), timeouts="in_order").verdict is Verdict.VIOLATED


def test_a_deadlock_that_needs_no_time_is_one_all_the_same():
    model = opposed()
    never = model.event("never")

    def stuck():
        yield never.wait()

    model.process("stuck", stuck)
    assert explore(model).verdict is Verdict.VIOLATED


@pytest.mark.some(3)
@pytest.mark.parametrize(
    "options", [{}, {"symmetry": False, "partial_order": False}, {"partial_order": False}], ids=str
)
@pytest.mark.parametrize("timeouts", ["never", "when_stuck"])
def test_the_compiled_loops_say_the_same(timeouts, options):
    result = explore(wide(), timeouts=timeouts, **options)
    assert result.states > 1_000
    assert (result.verdict, "sleeper would wait" in result.reason) == (Verdict.UNDETERMINED, True)


def test_without_a_graph_it_is_not_known():
    result = explore(wide(), symmetry=False, partial_order=False, compact=True)
    assert (result.verdict, "graph" in result.reason) == (Verdict.UNDETERMINED, True)


@EVERY
@RULES
def test_who_may_be_helped_once_time_has_passed_is_in_no_knot(timeouts, options):
    assert explore(passed_on(), timeouts=timeouts, **options).verdict is Verdict.UNDETERMINED
    assert explore(passed_on(beating=False), timeouts=timeouts, **options).verdict is Verdict.HOLDS


@EVERY
@pytest.mark.parametrize("beating", [True, False])
def test_who_is_not_helped_whenever_it_passes_is(beating, options):
    assert explore(passed_on(beating=beating, heals=False), **options).verdict is Verdict.VIOLATED


def test_the_reason_names_who_waits_and_who_goes_round():
    reason = explore(opposed(size=5)).reason
    assert "p0, p1, p2 and 2 others would wait for ever beside spinner" in reason
    assert "a sleep into the loop of spinner" in reason


@pytest.mark.parametrize(
    "prop", [no_stuck_subset(), eventually(lambda s: s.process("p0").done), sometimes(lambda s: s.process("p0").done)]
)
def test_no_violation_is_made_of_time_that_stands_still(prop):
    assert explore(opposed(), prop).verdict is Verdict.UNDETERMINED


# ---- and where time can pass, or nobody waits for it, nothing changes


def until_set() -> Model:
    """The spinner polls what another one sets, while somebody waits with a limit that he does not need."""
    model = Model("until set")
    stop, done = model.event("stop"), model.event("done")
    spinner(model, daemon=False, stop=stop)

    def waiter():
        yield done.wait(5)

    def setter():
        yield done.set()
        yield stop.set()

    model.process("waiter", waiter)
    model.process("setter", setter)
    return model


def before_it_spins() -> Model:
    """Who waits has gone before the spinner begins."""
    model = Model("before it spins")
    go, beat = model.event("go"), model.variable("beat", 0)

    def spin():
        yield go.wait()
        while True:
            yield beat.set(1)

    def sleeper():
        yield sleep(1)
        yield go.set()

    model.process("spinner", spin, daemon=True)
    model.process("sleeper", sleeper)
    return model


def may_stop() -> Model:
    """The spinner may stop at any round, and what comes then is looked at."""
    model = Model("may stop")
    beat = model.variable("beat", 0)

    def spin():
        while (yield choose("go on", "stop")) == "go on":
            yield beat.set(1)

    def sleeper():
        yield sleep(1)

    model.process("spinner", spin, daemon=True)
    model.process("sleeper", sleeper)
    return model


@EVERY
@RULES
@pytest.mark.parametrize("make", [until_set, before_it_spins, may_stop])
def test_where_time_can_pass_or_nobody_needs_it_the_proof_stands(make, timeouts, options):
    assert explore(make(), timeouts=timeouts, **options).verdict is Verdict.HOLDS


@EVERY
def test_a_limit_that_the_rule_takes_out_is_not_waited_for(options):
    model = Model("limit")
    spinner(model)
    event = model.event("event")

    def waiter():
        yield event.wait(1)

    model.process("waiter", waiter, daemon=True)
    assert explore(model, timeouts="never", **options).verdict is Verdict.HOLDS
    assert explore(model, timeouts="when_stuck", **options).verdict is Verdict.UNDETERMINED


@pytest.mark.parametrize(("waiters", "others"), [(3, ""), (4, " and 1 other"), (5, " and 2 others")])
def test_of_many_who_wait_the_first_are_named_and_the_others_counted(waiters, others):
    model = Model("many")
    never = model.event("never")
    beat = model.variable("beat", 0)

    def heart():
        while True:
            yield beat.set(0)
            yield beat.set(1)

    for number in range(waiters):
        model.process(f"waiter {number}", lambda: (yield never.wait(timeout=1)))
    model.process("heart", heart, daemon=True)
    assert f"waiter 0, waiter 1, waiter 2{others} would wait for ever beside heart" in explore(model).reason
