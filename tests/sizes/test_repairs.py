"""A repaired model is the same system with one pool changed: as somebody would have written it, state by state."""

from __future__ import annotations

from functools import partial
from itertools import product
from typing import Any

import pytest
import repaired_by_hand as by_hand

from simcore import Model, ModelError, Verdict, always, execute, explore, simulate
from simcore.errors import OptionError
from simcore.kernel import Kernel
from simcore.model import Origin, build, import_module, models_of
from simcore.models import nested_futures, pool_starvation
from simcore.schedule import Schedule
from simcore.sizes import repaired
from simcore.sizes.repairs import BY_NAME, KINDS, Repair, Repaired, origin_of, rebuild

LIBRARY = (
    "callback_starvation", "download_path", "download_retry", "head_of_line_stall", "nested_futures", "pool_starvation",
    "produce_item", "rxtask_self_deadlock", "self_message",
)  # fmt: skip
POOLS = [
    pytest.param(f"simcore.models.{module}:{function}", pool.name, id=f"{module}:{function} {pool.name}")
    for module in LIBRARY
    for function in models_of(import_module(f"simcore.models.{module}"))
    for pool, _ in build(Origin(f"simcore.models.{module}:{function}", {})).pools()
]
SIZES = [dict(zip(("roots", "depth", "workers"), each, strict=True)) for each in product((1, 2), (1, 2, 3), (2, 3))]


def of(builder, kind: str, size: int = 1, pool: str = "pool") -> Repaired:
    return rebuild(builder, Repair(kind, pool, size))


def nested(**sizes: int) -> partial[Model]:
    return partial(nested_futures.one_pool, **sizes)


def whole(model: Model, **options: Any) -> tuple[bool, int, int, int]:
    """Walk through all states without reductions, hangs or not, so that what is counted is the model's own."""
    everything = always(lambda state: True, "anything")
    found = explore(model, everything, symmetry=False, partial_order=False, **{"max_states": 600, **options})
    return found.verdict is Verdict.VIOLATED, found.states, found.transitions, found.depth


def verdict(model: Model) -> Verdict:
    return explore(model, witness="any").verdict


# ---- nothing but the repair --------------------------------------------------------------------------


@pytest.mark.some(6)
@pytest.mark.parametrize(("function", "pool"), POOLS)
def test_a_model_that_is_driven_and_not_repaired_has_the_same_states(function, pool):
    builder = partial(build, Origin(function, {}))
    assert whole(of(builder, "none", pool=pool)) == whole(builder())


@pytest.mark.parametrize("timeouts", ["never", "in_order", "anytime"])
def test_so_it_has_under_every_rule_for_time_outs(timeouts):
    builder = partial(build, Origin("callback_starvation:buggy", {"nested_timeout": 1.0, "request_timeout": 3.0}))
    assert whole(of(builder, "none", pool="callback"), timeouts=timeouts) == whole(builder(), timeouts=timeouts)


@pytest.mark.some(3)
@pytest.mark.parametrize("sizes", SIZES, ids=str)
def test_it_has_the_same_representatives(sizes):
    before, after = explore(nested(**sizes)()), explore(of(nested(**sizes), "none"))
    assert (before.verdict, before.strategy, before.notes) == (after.verdict, after.strategy, after.notes)
    assert before.states == after.states or before.verdict is Verdict.VIOLATED  # a knot may be seen elsewhere


def test_its_report_is_the_same_and_names_the_places_of_the_process():
    before = explore(nested_futures.one_pool()).counterexample
    after = explore(of(nested_futures.one_pool, "none")).counterexample
    assert [line for line in after.lines() if "replay" not in line] == [
        line for line in before.lines() if "replay" not in line
    ]
    assert [p.where for p in after.state.processes] == [p.where for p in before.state.processes]
    assert "task (nested_futures.py:" in after.state.process("pool[0]").where


class Countdown:
    """A task that is an object, and has no name."""

    def __init__(self, pool):
        self.pool = pool

    def __call__(self, left):
        if left:
            future = yield self.pool.submit(self, left - 1)
            yield future.result()


def without_a_name(*, kind: str = "object") -> Model:
    model = Model("a task without a name")
    pool = model.thread_pool("pool", 1)

    def countdown(left):
        return Countdown(pool)(left)

    def root():
        task = {"object": Countdown(pool), "partial": partial(countdown), "lambda": lambda left: countdown(left)}[kind]
        future = yield pool.submit(task, 1)
        yield future.result()

    model.process("root", root)
    return model


@pytest.mark.parametrize("kind", ["object", "partial", "lambda"])
def test_a_task_needs_no_name(kind):
    builder = partial(without_a_name, kind=kind)
    assert whole(of(builder, "none")) == whole(builder())
    before, after = (explore(each).counterexample.schedule for each in (builder(), of(builder, "none")))
    assert [step.text for step in after.steps] == [step.text for step in before.steps]  # of a lambda, with its line
    assert verdict(of(builder, "caller")) is Verdict.HOLDS


def test_results_and_exceptions_pass_through():
    results = {kind: simulate(of(by_hand.ends_in_all_ways, kind, 3)).results["main"] for kind in KINDS}
    assert set(results.values()) == {("1", 2, "cannot schedule new futures after shutdown")}


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_what_ends_in_all_ways_does_so_in_all_schedules(kind):
    found = explore(of(by_hand.ends_in_all_ways, kind, 3), max_states=20_000)
    assert found.verdict is Verdict.HOLDS


# ---- as written by hand ------------------------------------------------------------------------------


@pytest.mark.some(3)
@pytest.mark.parametrize("sizes", SIZES, ids=str)
def test_another_size_is_the_model_of_that_size(sizes):
    mine, other = of(nested(**sizes), "size", 4), nested_futures.one_pool(**{**sizes, "workers": 4})
    assert whole(mine) == whole(other)
    assert verdict(mine) is verdict(other)


@pytest.mark.some(3)
@pytest.mark.parametrize("sizes", SIZES, ids=str)
def test_a_pool_for_each_level_is_the_fixed_model(sizes):
    fixed = nested_futures.pool_for_each_level(**sizes)
    mine = of(nested(**sizes), "levels", sizes["depth"])
    assert whole(mine) == whole(fixed)
    assert verdict(mine) is verdict(fixed) is Verdict.HOLDS
    assert [team for _, team in map(len_of, mine.pools())] == [sizes["workers"]] * sizes["depth"]


def len_of(pool_and_team: Any) -> tuple[str, int]:
    pool, team = pool_and_team
    return pool.name, len(team)


@pytest.mark.some(5)
@pytest.mark.parametrize("at_once", [1, 2, 3])
@pytest.mark.parametrize("sizes", SIZES, ids=str)
def test_a_bound_on_roots_is_a_semaphore(sizes, at_once):
    mine, hand = of(nested(**sizes), "bound", at_once), by_hand.bounded(**sizes, at_once=at_once)
    assert whole(mine) == whole(hand)
    assert verdict(mine) is verdict(hand)
    hangs = sizes["workers"] <= min(at_once, sizes["roots"]) * (sizes["depth"] - 1)  # the law of the model
    assert verdict(mine) is (Verdict.VIOLATED if hangs else Verdict.HOLDS)


@pytest.mark.some(3)
@pytest.mark.parametrize("sizes", SIZES, ids=str)
def test_a_reserved_worker_hangs_where_one_written_out_does(sizes):
    hand = explore(by_hand.reserved(**sizes))
    for options in ({}, {"symmetry": False, "partial_order": False}):
        assert explore(of(nested(**sizes), "reserve"), witness="any", **options).verdict is hand.verdict


def test_it_does_hang_one_level_deeper():
    verdicts = [verdict(by_hand.reserved(roots=2, depth=depth, workers=2)) for depth in (2, 3)]
    assert verdicts == [Verdict.HOLDS, Verdict.VIOLATED]
    assert verdicts == [verdict(of(nested(roots=2, depth=depth, workers=2), "reserve")) for depth in (2, 3)]


@pytest.mark.some(3)
@pytest.mark.parametrize("sizes", SIZES, ids=str)
def test_what_runs_in_the_caller_never_hangs_as_it_does_not_where_it_is_inlined(sizes):
    mine = of(nested(**sizes), "caller")
    assert explore(mine).verdict is explore(by_hand.inline(**sizes)).verdict is Verdict.HOLDS
    run = simulate(mine, latency={"task": 1.0})
    assert run.takes["pool"] == sizes["roots"]
    assert run.time == sizes["depth"] * (1 if sizes["roots"] <= sizes["workers"] else 2)


def test_no_two_workers_are_interchangeable_where_one_is_reserved():
    model = of(nested(roots=2, depth=2, workers=3), "reserve")
    reduced, full = explore(model), explore(model, symmetry=False, partial_order=False)
    assert reduced.verdict is full.verdict
    assert "workers" not in reduced.strategy
    run = simulate(model, latency={"task": 1.0})  # two of three take roots; the third one's task waits for its turn
    assert run.status == "completed"
    assert {who for who, _ in taken(run, "task(root[0], 1)")} <= {"pool[0]", "pool[1]", "pool[2]"}
    assert {who for who, what in taken(run, "") if what.endswith(", 0)")} == {"pool[0]", "pool[1]"}


def taken(run, task: str) -> list[tuple[str, str]]:
    steps = [(step.process, str(step.result)) for step in run.schedule.steps if "takes" in step.text]
    return [(who, what) for who, what in steps if what.startswith(task)]


def test_symmetry_meets_futures_that_no_submit_has_made():
    model = of(partial(pool_starvation.buggy, downloads=2, workers=2), "caller", pool="stream")
    assert explore(model).verdict is explore(model, symmetry=False, partial_order=False).verdict is Verdict.HOLDS


def test_retries_leave_no_more_tasks_than_before_and_go_on_for_ever():
    model = of(nested(roots=1, depth=2, workers=1), "retry")
    assert verdict(model) is Verdict.VIOLATED
    kernel = Kernel(model)
    states = [kernel.initial]
    for state in states:  # all of them
        assert len(kernel.view(state)["pool"].tasks) <= 1
        states += [c.state for c in kernel.successors(state) if c.state not in states]
    assert len(states) < 100


def test_who_waits_for_a_task_that_another_one_retries_is_refused():
    with pytest.raises(ModelError, match="hands the future of an inner task on"):
        explore(of(by_hand.handed_on, "retry"))


# ---- names and mistakes ------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["size", "bound", "reserve", "retry"])
def test_the_schedule_of_a_repair_that_is_wrong_replays_from_its_token(kind):
    given = {"of_model": "nested_futures:one_pool", "by_kind": kind, "in_pool": "pool", "to_size": 2}
    model = build(Origin(BY_NAME, {**given, "depth": 3, "workers": 2}))
    found = explore(model, witness="any").counterexample
    again = Schedule.from_token(found.token)
    assert again.steps == found.schedule.steps
    assert again.origin.function == BY_NAME
    assert len(again.states(Kernel(build(again.origin)))) == len(again.steps) + 1


def test_the_name_of_a_repaired_model_gives_what_was_repaired():
    repair, origin = Repair("bound", "pool", 1), build(Origin("nested_futures:one_pool", {"roots": 3})).origin
    model = build(origin_of(origin, repair))
    assert (model.repair, whole(model)) == (repair, whole(of(nested(roots=3), "bound", 1)))


def test_a_model_that_has_parameters_of_the_same_names_has_no_token():
    assert origin_of(None, Repair("caller", "pool")) is None
    assert origin_of(Origin("a:b", {"in_pool": 1}), Repair("caller", "pool")) is None


@pytest.mark.parametrize("kind", ["caller", "reserve", "retry"])
def test_what_has_no_counterpart_is_not_run_for_real(kind):
    with pytest.raises(ModelError, match="cannot be run for real; explore or simulate it"):
        execute(of(nested_futures.one_pool, kind))


def test_what_is_made_of_threads_and_semaphores_is_run_for_real():
    assert execute(of(nested_futures.one_pool, "bound")).status == "completed"


def test_mistakes_are_named():
    with pytest.raises(OptionError, match=r"by_kind='larger': there is size, levels"):
        repaired(of_model="nested_futures:one_pool", by_kind="larger", in_pool="pool")
    with pytest.raises(ModelError, match="has no pool 'x'; it has pool"):
        repaired(of_model="nested_futures:one_pool", by_kind="size", in_pool="x")
    with pytest.raises(ModelError, match="at least 1 worker"):
        repaired(of_model="nested_futures:one_pool", by_kind="size", in_pool="pool", to_size=0)
    origin = Origin(BY_NAME, {"of_model": "nested_futures:one_pool", "by_kind": "caller", "in_pool": "pool"})
    with pytest.raises(ModelError, match="is repaired already, and repairs are not combined"):
        rebuild(lambda: build(origin), Repair("size", "pool", 3))
    with pytest.raises(ModelError, match="has one worker"):
        repaired(of_model="nested_futures:one_pool", by_kind="reserve", in_pool="pool", workers=1)
    kept = nested_futures.one_pool()
    with pytest.raises(ModelError, match="returns a model that was built before"):
        of(lambda: kept, "size", 3)
