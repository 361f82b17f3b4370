"""A counterexample leads to what it reports, by the shortest way, and says from where nothing can end well."""

import sys
from itertools import groupby

import pytest
import small
import toys

from simcore import Model, Verdict, always, explore
from simcore.explain import wait_for_graph
from simcore.kernel import Kernel

limits_module = sys.modules["simcore.explore.limits"]
no_return_module = sys.modules["simcore.explore.no_return"]
search_module = sys.modules["simcore.explore.search"]
VIOLATED, HOLDS = Verdict.VIOLATED, Verdict.HOLDS


# ---- schedules ---------------------------------------------------------------------------------------------


def naive_violations(kernel, wrong):
    """Return the states at the least distance in which ``wrong``, and all shortest paths to them."""
    paths = {kernel.initial: [()]}
    seen = {kernel.initial}
    while paths:
        found = [path for state, those in paths.items() if wrong(kernel, state) for path in those]
        if found:
            return found
        following = {}
        for state, those in paths.items():
            for process, _, after in kernel.successors(state):
                if after not in seen:
                    following.setdefault(after, []).extend((*path, process) for path in those)
        seen |= set(following)
        paths = following
    return []


def never_moves(kernel, state):
    """Tell, by walking everything that follows, whether somebody who must finish never moves again."""
    owing = {p.process.index for p in kernel.view(state).processes if p.owes}
    seen, stack = {state}, [state]
    while stack and owing:
        choices = kernel.successors(stack.pop())
        owing -= {choice.process for choice in choices}
        new = {choice.state for choice in choices} - seen
        seen |= new
        stack += new
    return bool(owing)


def switches(path):
    return max(0, len(list(groupby(path))) - 1)


def lost_write(kernel, state):
    return kernel.finished(state) and kernel.view(state)["total"] < 2


def knot_closed(kernel, state):
    return any(edge.process.owes for edge in wait_for_graph(kernel.view(state)).dead)


@pytest.mark.parametrize("in_a_task", [True, False])
def test_who_never_moves_again_is_reached_by_a_shortest_path_with_the_fewest_switches(in_a_task):
    paths = naive_violations(Kernel(small.hidden(in_a_task=in_a_task)), never_moves)
    schedule = explore(small.hidden(in_a_task=in_a_task)).counterexample.schedule
    assert (len(schedule), schedule.switches) == (len(paths[0]), min(map(switches, paths)))


@pytest.mark.parametrize("symmetry", [True, False])
@pytest.mark.parametrize(
    "model",
    [
        small.crossed,
        lambda: small.crossed(beating=True),
        lambda: small.nested_submit(workers=1, tasks=2),
        lambda: small.nested_submit(workers=2, tasks=2),
        lambda: small.nested_submit(workers=2, tasks=3),
        small.locked_tasks,
    ],
)
def test_a_knot_is_reached_by_a_shortest_path_with_the_fewest_switches(model, symmetry):
    kernel = Kernel(model())
    paths = naive_violations(kernel, knot_closed)
    schedule = explore(model(), symmetry=symmetry).counterexample.schedule
    assert (len(schedule), schedule.switches) == (len(paths[0]), min(map(switches, paths)))


def test_an_invariant_is_violated_by_a_shortest_path_with_the_fewest_switches():
    model = small.first_come()
    paths = naive_violations(Kernel(model), lost_write)
    no_loss = always(lambda s: not (all(p.done for p in s.processes) and s["total"] < 2), "no write is lost")
    counterexample = explore(model, no_loss).counterexample
    assert (len(counterexample.schedule), counterexample.schedule.switches) == (6, min(map(switches, paths)))
    assert counterexample.shortest == "shortest, with the fewest switches between processes"


def test_the_nearest_violation_with_the_fewest_switches_need_not_be_the_first_that_is_met():
    model = Model("two ways")
    a, b, late = model.variable("a", 0), model.variable("b", 0), model.variable("late", 0)

    def once(variable):
        yield variable.set(1)

    def twice():
        yield late.set(1)
        yield late.set(2)

    model.process("one", once, a)
    model.process("other", once, b)
    model.process("twice", twice)
    prop = always(lambda s: not (s["a"] and s["b"]) and s["late"] < 2, "neither both nor twice")
    assert explore(model, prop).counterexample.schedule.processes == ["twice", "twice"]


def test_a_depth_first_schedule_does_not_claim_to_be_shortest():
    assert explore(small.crossed(), strategy="depth").counterexample.shortest == "depth-first, so not the shortest"


@pytest.mark.parametrize("strategy", ["breadth", "depth", "random", "pct"])
@pytest.mark.parametrize(
    "model", [small.crossed, small.locked_tasks, small.raising, lambda: small.nested_submit(workers=2, tasks=2)]
)
def test_a_schedule_leads_to_the_state_that_is_reported(strategy, model):
    counterexample = explore(model(), strategy=strategy).counterexample
    kernel = Kernel(model())
    reached = kernel.view(counterexample.schedule.states(kernel)[-1])
    assert str(reached) == str(counterexample.state)
    assert [p.status for p in reached.processes] == [p.status for p in counterexample.state.processes]


# ---- bugs that lie deep ------------------------------------------------------------------------------------


def no_fault(length):
    return always(lambda state: state["fault"] < length, "no fault")


def test_a_deep_bug_is_found_by_looking_ahead(monkeypatch):
    monkeypatch.setattr(search_module, "HUNT_AFTER", 100)
    monkeypatch.setattr(limits_module, "SHORTEN_STATES", 1_000)
    result = explore(small.deep(length=25, width=5), no_fault(25))
    assert (result.verdict, result.property) == (VIOLATED, "no fault")
    assert result.counterexample.schedule.processes == ["sink"] * 25
    assert "ran out of budget" in result.counterexample.shortest


def test_a_bug_that_looking_ahead_has_found_may_still_be_met_by_the_shortest_way(monkeypatch):
    monkeypatch.setattr(search_module, "HUNT_AFTER", 10)
    result = explore(small.deep(length=4, width=2), no_fault(4))
    assert result.counterexample.schedule.processes == ["sink"] * 4
    assert result.counterexample.shortest.startswith("shortest, with the fewest")


def test_looking_ahead_does_not_make_a_verdict(monkeypatch):
    monkeypatch.setattr(search_module, "HUNT_AFTER", 10)
    assert explore(small.deep(length=4, width=2), no_fault(5)).verdict is HOLDS


def test_time_that_is_up_while_looking_ahead_does_not_lose_what_was_found(monkeypatch):
    monkeypatch.setattr(search_module, "HUNT_AFTER", 10)
    monkeypatch.setattr(search_module, "_HUNTS", 1_000_000)
    result = explore(small.deep(length=25, width=5), no_fault(25), max_seconds=0.3)
    assert result.verdict is VIOLATED


# ---- the point of no return --------------------------------------------------------------------------------


def test_the_point_of_no_return_is_the_step_after_which_nothing_can_end_well():
    counterexample = explore(small.nested_submit(workers=2, tasks=3)).counterexample
    kernel = Kernel(small.nested_submit(workers=2, tasks=3))
    states = counterexample.schedule.states(kernel)
    ends_well = [can_end_well(kernel, state) for state in states]
    assert counterexample.no_return.exact
    assert counterexample.no_return.step == ends_well.index(False)


def can_end_well(kernel, state):
    seen, stack = {state}, [state]
    while stack:
        reached = stack.pop()
        if kernel.finished(reached):
            return True
        new = {choice.state for choice in kernel.successors(reached)} - seen
        seen |= new
        stack += new
    return False


def test_where_no_run_ends_well_that_is_said_instead_of_a_point_of_no_return():
    counterexample = explore(small.hidden()).counterexample
    assert counterexample.no_return.step == 0
    assert "no run of this model ends well" in str(explore(small.hidden()))


def test_time_that_is_up_cuts_the_search_for_the_point_of_no_return_short(monkeypatch):
    """Each question may then look at a twentieth of its states, and what is left open is an interval."""
    monkeypatch.setattr(search_module, "HUNT_AFTER", 100)
    monkeypatch.setattr(no_return_module, "NO_RETURN_STATES", 2_000)
    monkeypatch.setattr(search_module, "_HUNTS", 5)
    looked = []
    real = no_return_module.reach

    def counted(kernel, start, goal, budget, prune, *reductions):
        def pruned(state):
            looked[-1] += 1
            return prune(state)

        looked.append(0)
        return real(kernel, start, goal, budget, pruned, *reductions)

    monkeypatch.setattr(no_return_module, "reach", counted)
    for seconds in (0.5, 2.0, 8.0):  # on a slow machine the first may be over before anything is looked at
        result = explore(toys.pool_system(requesters=7, workers=4, chunks=1), max_seconds=seconds)
        assert result.verdict is VIOLATED
        if max(looked):
            break
    assert 0 < max(looked) <= 101
