"""Verdicts, limits and reports of `explore`, on systems small enough to check by hand."""

from typing import get_args

import pytest
import small
import toys

from simcore import (
    Model,
    Schedule,
    Verdict,
    always,
    eventually,
    explore,
    leads_to,
    sometimes,
)
from simcore.errors import OptionError
from simcore.explore import StrategyName
from simcore.kernel import Kernel
from simcore.model import RULES
from simcore.properties import no_stuck_subset
from simcore.schedule import PCT, POS, SAMPLING, URW, RandomWalk

VIOLATED, HOLDS, UNDETERMINED = Verdict.VIOLATED, Verdict.HOLDS, Verdict.UNDETERMINED
EXHAUSTIVE = ["breadth", "depth"]


# ---- what is hidden by what goes on ------------------------------------------------------------------------


@pytest.mark.parametrize("strategy", EXHAUSTIVE)
@pytest.mark.parametrize("in_a_task", [False, True])
def test_who_can_never_move_again_is_found_although_a_heartbeat_looks_able_to_help(strategy, in_a_task):
    result = explore(small.hidden(in_a_task=in_a_task), strategy=strategy)
    assert (result.verdict, result.property) == (VIOLATED, "deadlock free")


@pytest.mark.parametrize("strategy", EXHAUSTIVE)
@pytest.mark.parametrize("in_a_task", [False, True])
def test_who_waits_for_a_heartbeat_that_does_help_is_not_stuck(strategy, in_a_task):
    assert explore(small.hidden(in_a_task=in_a_task, alone=False), strategy=strategy).verdict is HOLDS


def test_the_first_state_from_which_somebody_never_moves_again_is_reported():
    """The task is stuck as soon as a worker has taken it: after the submit and the take, whoever arms."""
    assert explore(small.hidden(in_a_task=True)).counterexample.schedule.processes == ["main", "pool[0]"]


@pytest.mark.parametrize("strategy", EXHAUSTIVE)
def test_a_wait_with_a_time_out_is_no_deadlock_beside_a_heartbeat_that_never_sleeps_and_no_proof(strategy):
    assert explore(small.patient(), strategy=strategy).verdict is UNDETERMINED
    assert explore(small.patient(), strategy=strategy, timeouts="anytime").verdict is HOLDS


def test_without_time_outs_it_is_one():
    assert explore(small.patient(), timeouts="never").verdict is VIOLATED


def test_a_report_says_who_can_never_move_again_where_only_the_graph_tells():
    assert "violated: 1 of 2 processes can never move again" in str(explore(small.hidden()))


# ---- verdicts ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("strategy", EXHAUSTIVE)
def test_opposed_locks_deadlock(strategy):
    result = explore(small.crossed(), strategy=strategy)
    assert (result.verdict, result.property) == (VIOLATED, "deadlock free")
    assert result.counterexample.state.deadlocked


@pytest.mark.parametrize("strategy", EXHAUSTIVE)
def test_a_whole_space_without_a_violation_holds(strategy):
    result = explore(small.steps(length=3, processes=2), partial_order=False, strategy=strategy)
    assert (result.verdict, result.states, result.transitions) == (HOLDS, 16, 24)
    assert (result.reason, result.counterexample) == ("", None)


@pytest.mark.parametrize("strategy", SAMPLING)
def test_samples_never_prove(strategy):
    result = explore(small.steps(length=1), strategy=strategy)
    assert result.verdict is UNDETERMINED
    assert "samples prove nothing" in result.reason


@pytest.mark.parametrize("strategy", SAMPLING)
@pytest.mark.parametrize(
    ("limit", "steps"), [({"max_states": 5}, 5), ({"max_seconds": 1e-9}, 0), ({"max_memory": 1}, 0)]
)
def test_a_first_sampled_run_that_a_limit_cuts_says_so(strategy, limit, steps):
    result = explore(small.steps(length=10), strategy=strategy, **limit)
    ((option, value),) = limit.items()
    reached = f"`{option}={value}` was reached after {steps} steps of the first sampled run"
    assert result.reason == f"{reached}, so not one has ended: raise `{option}`"
    assert (result.verdict, result.states, result.depth) == (UNDETERMINED, steps, steps)


@pytest.mark.parametrize("strategy", [*get_args(StrategyName), RandomWalk(3), PCT(depth=2, seed=3), POS(4), URW(5)])
@pytest.mark.parametrize("model", [small.crossed, small.raising, lambda: small.nested_submit(workers=2, tasks=2)])
def test_all_strategies_find_what_is_wrong(strategy, model):
    assert explore(model(), strategy=strategy).property == explore(model()).property


def test_a_sampled_counterexample_is_shortened():
    counterexample = explore(small.crossed(beating=True), strategy="random").counterexample
    assert sorted(counterexample.schedule.processes) == ["left", "right"]
    assert "these processes alone" in counterexample.shortest


@pytest.mark.parametrize("strategy", EXHAUSTIVE)
def test_a_process_that_dies_of_an_exception_is_a_violation_with_its_place(strategy):
    result = explore(small.raising(), strategy=strategy)
    assert (result.verdict, result.property) == (VIOLATED, "no process fails")
    assert result.counterexample.failure.startswith("use died of ValueError: used before it was ready at small.py:")


def test_an_invariant_is_violated_by_the_nearest_state():
    result = explore(small.steps(length=3), always(lambda state: state["variable 0"] < 1, "below 1"))
    assert (result.property, len(result.counterexample.schedule)) == ("below 1", 2)


def test_an_invariant_may_be_violated_in_the_initial_state():
    result = explore(small.steps(length=3), always(lambda state: state["variable 0"] >= 0, "not below 0"))
    assert result.counterexample.schedule.steps == ()
    assert "(in the initial state)" in str(result)


def test_what_sometimes_happens_holds():
    assert explore(small.steps(length=3), sometimes(lambda state: state["variable 0"] == 2)).verdict is HOLDS


def test_what_never_happens_violates_sometimes_and_has_no_schedule():
    result = explore(small.steps(length=3), sometimes(lambda state: state["variable 0"] == 7, "seven"))
    assert (result.verdict, result.property, result.counterexample) == (VIOLATED, "seven", None)


def test_what_has_not_happened_within_a_limit_is_undetermined():
    result = explore(small.steps(length=3), sometimes(lambda state: state["variable 0"] == 2), max_states=2)
    assert result.verdict is UNDETERMINED


def test_all_of_several_properties_must_hold():
    below = always(lambda state: state["variable 0"] < 1, "below 1")
    within = always(lambda state: state["variable 0"] < 9, "below 9")
    assert explore(small.steps(length=3), within, below).property == "below 1"


def test_an_idle_worker_is_no_deadlock():
    assert explore(small.nested_submit(workers=3, tasks=2)).verdict is HOLDS


def test_a_daemon_may_wait_for_ever():
    model = Model("server")
    inbox = model.queue("inbox")

    def serve():
        while True:
            yield inbox.get()

    model.process("server", serve, daemon=True)
    assert explore(model).verdict is HOLDS


def test_the_same_process_must_finish_when_it_is_no_daemon():
    model = Model("server")
    inbox = model.queue("inbox")

    def serve():
        while True:
            yield inbox.get()

    model.process("server", serve)
    assert explore(model).property == "deadlock free"


def test_a_knot_behind_a_heartbeat_is_reported_in_the_state_where_it_closes():
    counterexample = explore(small.crossed(beating=True)).counterexample
    assert counterexample.schedule.processes == ["left", "right"]
    assert not counterexample.state.deadlocked


def test_a_knot_of_workers_is_reported_before_everything_else_has_run_dry():
    counterexample = explore(small.nested_submit(workers=2, tasks=3)).counterexample
    assert len(counterexample.schedule) == 6
    assert not counterexample.state.deadlocked


# ---- time-outs ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("timeouts", "verdict"), [("never", VIOLATED), ("when_stuck", HOLDS), ("anytime", HOLDS)])
@pytest.mark.parametrize("strategy", EXHAUSTIVE)
def test_a_time_out_hides_a_knot_unless_it_is_taken_out(timeouts, verdict, strategy):
    assert explore(small.impatient(), timeouts=timeouts, strategy=strategy).verdict is verdict


@pytest.mark.parametrize("timeouts", RULES)
def test_a_report_names_the_rule_for_time_outs_where_one_was_met(timeouts):
    assert f"\n  {RULES[timeouts]}\n" in f"{explore(small.impatient(), timeouts=timeouts)}\n"
    assert RULES[timeouts] not in str(explore(small.crossed(), timeouts=timeouts))


@pytest.mark.parametrize(("timeouts", "verdict"), [("never", HOLDS), ("when_stuck", HOLDS), ("anytime", VIOLATED)])
def test_only_a_slow_machine_meets_a_time_out_that_others_would_have_prevented(timeouts, verdict):
    model = Model("in time")
    event = model.event("event")

    def wait():
        return (yield event.wait(timeout=1.0))

    def set_it():
        yield event.set()

    model.process("waiter", wait)
    model.process("setter", set_it)
    in_time = always(lambda state: state.process("waiter").result is not False, "in time")
    assert explore(model, in_time, timeouts=timeouts).verdict is verdict


# ---- limits ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("strategy", EXHAUSTIVE)
@pytest.mark.parametrize("limit", [1, 10, 15])
def test_a_limit_on_states_is_exact(limit, strategy):
    result = explore(small.steps(length=3, processes=2), partial_order=False, max_states=limit, strategy=strategy)
    assert (result.verdict, result.states) == (UNDETERMINED, limit)
    assert result.reason == f"`max_states={limit}` was reached"


@pytest.mark.parametrize("strategy", EXHAUSTIVE)
def test_a_limit_that_is_just_large_enough_does_not_matter(strategy):
    result = explore(small.steps(length=3, processes=2), partial_order=False, max_states=16, strategy=strategy)
    assert (result.verdict, result.states) == (HOLDS, 16)


def test_a_limit_on_states_counts_the_steps_of_samples():
    result = explore(small.steps(length=3), strategy="random", max_states=10)
    assert (result.verdict, result.states) == (UNDETERMINED, 10)  # three whole runs, and a step of the fourth


@pytest.mark.parametrize(
    ("strategy", "told"),
    [
        ("random", "random walk"),
        ("pct", "PCT, depth 3"),
        ("pos", "partial order sampling"),
        ("urw", "uniform random walk"),
        ("even", "even progress"),
        ("portfolio", "portfolio"),
    ],
)
def test_samples_say_how_they_were_taken_and_what_they_promise(strategy, told):
    result = explore(small.steps(length=3, processes=2), strategy=strategy, max_states=60)
    assert result.strategy == f"{told}, 10 runs"
    promised = "; one run of PCT meets a bug of depth 3 with probability at least 0.014" * (
        strategy in ("pct", "portfolio")
    )
    promised += ", and one in 5 is one" * (strategy == "portfolio")
    assert result.reason == f"`max_states=60` was reached after 10 sampled runs without a violation{promised}"


def test_a_limit_on_seconds_ends_the_search():
    result = explore(small.steps(length=9, processes=7), partial_order=False, max_seconds=0.05)
    assert result.verdict is UNDETERMINED
    assert result.reason == "`max_seconds=0.05` was reached"
    assert result.seconds < 2


def test_a_violation_within_the_limit_is_found():
    assert explore(small.crossed(), max_states=19).verdict is VIOLATED


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            {"strategy": "best"},
            "`strategy='best'`: use 'breadth', 'depth', 'random', 'pct', 'pos', 'urw', 'even' or 'portfolio'",
        ),
        ({"max_states": 0}, "`max_states=0`: use at least 1"),
        ({"max_seconds": 0}, "`max_seconds=0`: use more than 0"),
        ({"max_seconds": float("nan")}, "max_seconds=nan"),
        ({"timeouts": "often"}, "`timeouts='often'`: use 'never', 'when_stuck', 'in_order' or 'anytime'"),
    ],
)
def test_an_option_that_means_nothing_is_refused(options, message):
    with pytest.raises(OptionError, match=message):
        explore(small.crossed(), **options)


@pytest.mark.parametrize("strategy", ["depth", "random", "pct", "pos", "urw", "even", "portfolio", PCT()])
@pytest.mark.parametrize(
    "prop", [eventually(bool, "e"), leads_to(bool, bool, "l"), no_stuck_subset()], ids=["eventually", "leads", "stuck"]
)
def test_what_is_about_whole_runs_is_refused_without_the_whole_graph(strategy, prop):
    with pytest.raises(OptionError, match="only `strategy='breadth'` decides"):
        explore(small.crossed(), prop, strategy=strategy)


def test_progress_is_told_while_searching():
    told = []
    explore(small.steps(length=9, processes=6), partial_order=False, max_seconds=0.7, progress=told.append)
    assert told
    assert all(one.states >= 1 and one.frontier >= 0 and one.seconds > 0 for one in told)
    assert [one.states for one in told] == sorted(one.states for one in told)


# ---- reports -----------------------------------------------------------------------------------------------


def test_a_report_says_everything_that_is_needed():
    text = str(explore(toys.pool_system(requesters=2, workers=2, chunks=1)))
    assert text.startswith(
        "violated: 4 of 4 processes can never move again\n  pool system (requesters=2, workers=2, chunks=1, "
    )
    for part in (
        "breadth-first, workers interchangeable:",
        "schedule (shortest to where it shows, with the fewest switches between\n    processes):",
        "   1  requester[0]  submits dispatch(0) to stream",
        "stuck:\n  stream 2/2: every worker is in dispatch(",
        "tried: with 3 workers in stream, not 2, the same steps do not close this",
        "point of no return: step ",
        "replay: simcore replay sc1-",
    ):
        assert part in text, part


def test_a_report_of_a_proof_gives_its_bound():
    text = str(explore(toys.pool_system(requesters=1, workers=2, chunks=1)))
    assert text.startswith("holds: deadlock free\n  pool system (requesters=1, workers=2, chunks=1")
    assert "undetermined" not in text


def test_a_report_without_an_answer_says_why():
    assert "undetermined because `max_states=3` was reached" in str(explore(small.crossed(), max_states=3))


def test_pct_reports_the_probability_that_it_guarantees():
    result = explore(small.steps(length=2, processes=2), strategy=PCT(depth=2))
    assert result.reason.endswith("one run of PCT meets a bug of depth 2 with probability at least 0.12")  # 1 / (2 * 4)


def test_the_token_of_a_report_replays_to_its_state():
    counterexample = explore(toys.pool_system(requesters=2, workers=2, chunks=1)).counterexample
    kernel = Kernel(toys.pool_system(requesters=2, workers=2, chunks=1))
    schedule = Schedule.from_token(counterexample.token)
    assert schedule.processes == counterexample.schedule.processes
    assert str(kernel.view(schedule.states(kernel)[-1])) == str(counterexample.state)


def test_a_model_that_cannot_be_built_again_has_no_token():
    model = Model("on the way")
    event = model.event("event")

    def wait():
        yield event.wait()

    model.process("main", wait)
    result = explore(model)
    assert result.counterexample.token == ""
    assert "replay: explore the same model again" in str(result)
