"""Every counterexample is followed again before it is returned, and one that shows nothing is our bug."""

import sys

import pytest
import small
from generated import systems
from hypothesis import given, settings
from interchangeable import clients

from simcore import Model, Verdict, always, choose, eventually, explore, leads_to, sleep
from simcore.errors import InternalError
from simcore.explore.counterexamples import Counterexamples
from simcore.explore.graph import Lasso
from simcore.explore.runs import Runs
from simcore.explore.witness import check_end, check_lasso
from simcore.kernel import Kernel
from simcore.model import DEADLOCK_FREE, NO_FAILURE
from simcore.properties import no_stuck_subset
from simcore.schedule import Schedule


def pick_any(*, n: int = 2, how: str = "transition") -> Model:
    """A boss picks any one of n workers; who is picked writes something else than the others."""
    model = Model("pick any")
    names = model.indices("worker", n)
    there, picked = model.variable("there", frozenset()), model.variable("picked", None)
    out = model.variable("out", ())

    def enter(names, me):
        return names | {me}

    def full(names):
        return len(names) == n

    def pick(_value, names):
        return tuple((one, None) for one in names)

    def decided(value):
        return value is not None

    def worker(me):
        yield there.update(enter, me)
        who = yield picked.wait_for(decided)
        yield out.set("bad" if who == me else "fine")

    def boss():
        everybody = yield there.wait_for(full)
        if how == "transition":
            yield picked.transition(pick, everybody)
        else:
            who = yield choose(*names)
            yield picked.set(who)

    for name in names:
        model.process(name, worker, name)
    model.process("boss", boss)
    return model


def wake_any(*, n: int = 2) -> Model:
    """A boss wakes any one of n workers that sleep; whoever is awake waits for ever."""
    model = Model("wake any")
    asleep, never = model.variable("asleep", frozenset()), model.event("never")

    def lie_down(names, me):
        return names | {me}

    def wake(names):
        return tuple((names - {one}, None) for one in names) if len(names) == n else ()

    def awake(names, me):
        return me not in names

    def worker(me):
        yield asleep.update(lie_down, me)
        yield asleep.wait_for(awake, me)
        yield never.wait()

    def boss():
        yield asleep.transition(wake)

    for name in model.indices("worker", n):
        model.process(name, worker, name)
    model.process("boss", boss)
    return model


def pairs(*, n: int = 3) -> Model:
    """Each chooses a partner, twice; outcomes with the same representative come one after the other."""
    model = Model("pairs")
    names = model.indices("guest", n)
    chosen = model.variable("chosen", frozenset())

    def add(known, me, other):
        return known | {(me, other)}

    def guest(me):
        for _ in range(2):
            other = yield choose(*names)
            yield chosen.update(add, me, other)

    for name in names:
        model.process(name, guest, name)
    return model


GOOD = always(lambda state: state["out"] != "bad", "nothing bad is written")


def in_the_middle(state):
    chosen = state["chosen"]
    return any((b, c) in chosen and a != b != c != a for a, b in chosen for _, c in chosen)


NOBODY = always(lambda state: not in_the_middle(state), "nobody is in the middle")


def length(result):
    assert result.verdict is Verdict.VIOLATED
    return len(result.counterexample.schedule)


@pytest.mark.parametrize("n", [2, 3])
@pytest.mark.parametrize("how", ["transition", "choose"])
def test_of_several_outcomes_that_differ_in_names_the_schedule_follows_the_one_that_it_takes(n, how):
    reduced = explore(pick_any(n=n, how=how), GOOD)
    assert "worker[*] interchangeable" in reduced.strategy
    assert length(reduced) == length(explore(pick_any(n=n, how=how), GOOD, symmetry=False))
    assert reduced.counterexample.state["out"] == "bad"


@pytest.mark.parametrize("n", [2, 3, 4])
def test_whoever_is_woken_is_the_one_who_goes_on(n):
    reduced = explore(wake_any(n=n))
    assert length(reduced) == length(explore(wake_any(n=n), symmetry=False))
    assert reduced.counterexample.state.deadlocked


def test_outcomes_alike_one_after_the_other_lead_where_the_schedule_says():
    reduced, full = (explore(pairs(), NOBODY, symmetry=on) for on in (True, False))
    assert length(reduced) == length(full)
    assert reduced.counterexample.schedule.switches >= full.counterexample.schedule.switches


@pytest.mark.parametrize("model", [wake_any, pick_any, small.crossed, small.hidden, clients])
def test_a_schedule_leads_a_kernel_that_knows_nothing_yet_to_a_violation(model):
    result = explore(model(), *([GOOD] if model is pick_any else []))
    if result.counterexample is not None and not result.counterexample.lost:
        kernel = Kernel(model())
        states = result.counterexample.schedule.states(kernel)
        check_end(kernel, [GOOD if model is pick_any else DEADLOCK_FREE], result.property, states)


# ---- what is none is refused -------------------------------------------------------------------------------


@pytest.mark.parametrize("prop", [DEADLOCK_FREE, always(lambda _state: True, "whatever")])
def test_a_schedule_into_a_state_that_violates_nothing_is_refused(prop):
    kernel = Kernel(small.crossed())
    with pytest.raises(InternalError, match=f"{prop.name}' is none"):
        check_end(kernel, [prop], prop.name, [kernel.initial])
    with pytest.raises(InternalError, match="is none"):
        check_end(kernel, [prop], NO_FAILURE, [kernel.initial])


@pytest.mark.parametrize("prop", [DEADLOCK_FREE, no_stuck_subset()])
def test_somebody_who_can_move_again_is_not_lost(prop):
    kernel = Kernel(small.crossed())
    with pytest.raises(InternalError, match="is none"):
        check_end(kernel, [prop], prop.name, [kernel.initial], 0)


def beating(*, long: bool = False) -> Model:
    """Two hearts that beat for ever, and an event that nobody sets."""
    model = Model("beating")
    on = model.variable("on", 0)

    def beat(value):
        while True:
            yield on.set(value)
            if long:
                yield sleep(1)

    model.process("one", beat, 1)
    model.process("two", beat, 2)
    return model


@pytest.mark.parametrize(
    ("prop", "cycle", "why"),
    [
        (eventually(lambda state: state["on"] == 3, "three"), [(0, 0), (0, 0)], "could always move"),
        (eventually(lambda state: state["on"] == 1, "one"), [(0, 0), (1, 0)], "meets the goal"),
        (leads_to(lambda s: s["on"] == 2, lambda s: s["on"] == 1, "2 to 1"), [(0, 0), (1, 0)], "come back"),
        (
            leads_to(lambda s: s["on"] == 3, lambda s: s["on"] == 4, "3 to 4"),
            [(1, 0), (0, 0), (1, 0)],
            "meets the goal",
        ),
        (eventually(lambda state: state["on"] == 3, "three"), [], "could always move"),
        (eventually(lambda state: state["on"] == 3, "three"), [(0, 7)], "cannot be taken"),
    ],
)
def test_a_run_that_is_unfair_or_meets_its_goal_or_does_not_come_back_is_refused(prop, cycle, why):
    prefix = {"come back": [], "could always move": [(1, 0), (0, 0)]}.get(why, [(0, 0), (1, 0)])
    with pytest.raises(InternalError, match=why):
        check_lasso(Kernel(beating()), [prop], prop.name, prefix, cycle)


def test_a_fair_run_that_avoids_its_goal_is_a_witness():
    prop = eventually(lambda state: state["on"] == 3, "three")
    check_lasso(Kernel(beating()), [prop], prop.name, [(0, 0), (1, 0)], [(0, 0), (1, 0)])
    found = explore(beating(), prop).counterexample
    assert found.lasso is not None


def test_a_wrong_schedule_is_never_returned(monkeypatch):
    monkeypatch.setattr(sys.modules[Counterexamples.__module__], "fewest_switches", lambda *_: ([(0, 0)], True))
    with pytest.raises(InternalError, match="deadlock free' is none"):
        explore(small.crossed())


def test_a_wrong_lasso_is_never_returned(monkeypatch):
    monkeypatch.setattr(Runs, "violating", lambda *_: Lasso([], [(0, 0)], 0))
    with pytest.raises(InternalError, match="is none"):
        explore(beating(), eventually(lambda state: state["on"] == 3, "three"))


@given(systems(longest=4, every_kind=True))
@settings(max_examples=8)
def test_generated_systems_give_only_schedules_that_a_fresh_kernel_follows_into_what_they_show(model):
    result = explore(model, max_states=500)
    found = result.counterexample
    if found is not None and not found.lost:
        kernel = Kernel(model)
        check_end(kernel, [DEADLOCK_FREE], found.property, found.schedule.states(kernel))
        assert Schedule.of(kernel, found.schedule.path(kernel)).steps == found.schedule.steps
