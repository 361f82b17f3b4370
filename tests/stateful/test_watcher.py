"""A small search, or a few sampled runs, find a way into a violation, and the run along it is the simplest one."""

from __future__ import annotations

import os
import re
import subprocess
import sys

import pytest
from hypothesis import Phase, reproduce_failure, settings
from hypothesis.stateful import invariant, rule, run_state_machine_as_test
from toys import opposed_locks, pool_system

from simcore import Model, explore
from simcore.explore import without_needless
from simcore.kernel import Kernel
from simcore.model import always
from simcore.models import nested_futures, pool_starvation
from simcore.stateful import machine, way
from simcore.stateful.failure import STEP, Violation
from simcore.stateful.watcher import Watcher

FIXED = settings(max_examples=200, stateful_step_count=40, deadline=None, database=None, derandomize=True)


def watching(model, *properties):
    return Watcher(Kernel(model), properties)


def budget(monkeypatch, steps, runs=0):
    monkeypatch.setattr(way, "MOST_STEPS", steps)
    monkeypatch.setattr(way, "SAMPLED_RUNS", runs)


def names(watch, path):
    return [watch.kernel.processes[process].name for process, _ in path]


def end_of(watch, path):
    state = watch.kernel.initial
    for process, outcome in path:
        state = watch.kernel.step(state, process, outcome)
    return state


def watched(machine_class, how=FIXED):
    """Return the runs that Hypothesis makes of a machine, and how the last of them failed."""
    runs = []

    class Watched(machine_class):
        def teardown(self):
            super().teardown()
            runs.append(self.path)

    with pytest.raises(AssertionError) as caught:
        run_state_machine_as_test(Watched, settings=how)
    return runs, caught.value


def counter(limit=3):
    """Build one who counts, and another one who may count, too: the first alone is enough."""
    model = Model("counter")
    count = model.variable("count", 0)

    def add():
        for _ in range(limit):
            yield count.set((yield count.get()) + 1)

    model.process("one", add)
    model.process("other", add)
    return model


def two_ways():
    """Build two who are wrong as soon as one of them says so; the second begins, and could go on alone."""
    model = Model("two ways")
    begun, said = model.event("begun"), model.variable("said", "")

    def first():
        yield begun.wait()
        yield said.set("wrong")

    def second():
        yield begun.set()
        yield said.set("nearly")
        yield said.set("wrong")

    model.process("first", first)
    model.process("second", second)
    return model


def hidden(distance):
    """Build one who waits for nobody after so many steps, beside two who make the space large."""
    model = Model("hidden")
    never, steps = model.event("never"), model.variable("steps", 0)

    def walk():
        for _ in range(distance):
            yield steps.set((yield steps.get()) + 1)
        yield never.wait()

    model.process("walker", walk)
    for n in range(2):
        own = model.variable(f"own {n}", 0)
        model.process(f"other {n}", lambda own=own: (own.set(step) for step in range(distance)))
    return model


# ---- the way -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "model",
    [
        opposed_locks(),
        pool_system(requesters=2, workers=2, chunks=1),
        pool_starvation.buggy(downloads=2, workers=2),
        nested_futures.one_pool(workers=2, depth=3, roots=2),
    ],
    ids=str,
)
def test_it_is_as_long_as_the_shortest_schedule_of_a_search(model):
    watch = watching(model)
    assert len(watch.way()) == len(explore(model).counterexample.schedule)
    assert watch.violated_in(end_of(watch, watch.way())) == "deadlock free"


def test_of_those_that_are_as_short_it_goes_on_with_the_process_that_moved_last():
    watch = watching(two_ways(), always(lambda state: state["said"] != "wrong", "well said"))
    assert names(watch, watch.way()) == ["second", "second", "second"]


def test_there_is_none_where_nothing_is_wrong():
    assert watching(pool_starvation.fixed(downloads=1, workers=1)).way() == []


def test_it_is_found_within_the_budget_or_not_at_all(monkeypatch):
    assert len(watching(hidden(3)).way()) == 6
    budget(monkeypatch, steps=10)
    assert watching(hidden(3)).way() == []


def test_the_search_and_the_runs_ask_no_more_than_the_budget(monkeypatch):
    asked = []
    successors = Kernel.successors
    monkeypatch.setattr(Kernel, "successors", lambda kernel, state: asked.append(state) or successors(kernel, state))
    assert watching(hidden(60)).way() == []
    assert len(asked) < way.MOST_STEPS + 50 * way.SAMPLED_RUNS


@pytest.mark.parametrize("sizes", [(3, 3, 3), (4, 3, 3)])
def test_what_is_too_far_for_the_search_is_met_by_a_run_of_which_no_step_can_be_left_out(sizes):
    watch = watching(nested_futures.one_pool(**dict(zip(("workers", "depth", "roots"), sizes, strict=True))))
    found = watch.way()
    assert watch.violated_in(end_of(watch, found)) == "deadlock free"
    assert without_needless(watch.kernel, found, lambda state: watch.violated_in(state) is not None) == found


@pytest.mark.slow
def test_it_is_the_same_in_each_process():
    code = (
        "from simcore.kernel import Kernel; from simcore.models import nested_futures;"
        "from simcore.stateful.watcher import Watcher;"
        "print(*(Watcher(Kernel(nested_futures.one_pool(workers=n, depth=3, roots=3)), ()).way() for n in (2, 4)))"
    )
    told = set()
    for seed in "12":
        asked, env = [sys.executable, "-c", code], {**os.environ, "PYTHONHASHSEED": seed}
        told.add(subprocess.run(asked, env=env, capture_output=True, check=True).stdout)
    near, met = (watching(nested_futures.one_pool(workers=n, depth=3, roots=3)).way() for n in (2, 4))
    assert near
    assert met
    assert told == {f"{near} {met}\n".encode()}


def test_what_the_search_has_judged_is_not_held_against_the_runs():
    asked = []
    seen = always(lambda state: asked.append(state["count"]) is None, "seen")
    watch = watching(counter(1), seen)
    watch.way()
    before = len(asked)
    watch.violated_in(watch.kernel.initial)
    assert len(asked) == before + 1


# ---- what is offered ---------------------------------------------------------------------------------------


def test_on_the_way_its_next_step_comes_first():
    watch = watching(opposed_locks())
    for taken in range(len(watch.way())):
        path = watch.way()[:taken]
        assert watch.offered(end_of(watch, path), path)[0][:2] == watch.way()[taken]


def test_beside_it_the_process_that_moved_last_goes_on():
    watch = watching(counter(), always(lambda state: state["count"] < 3, "below three"))
    assert names(watch, watch.way()) == ["one"] * 6
    beside = watch.offered(watch.kernel.initial, [])[1]
    offered = watch.offered(beside.state, [beside[:2]])
    assert names(watch, [choice[:2] for choice in [beside, *offered]]) == ["other", "other", "one"]


def test_every_enabled_step_is_offered_once():
    watch = watching(pool_system(requesters=2, workers=2, chunks=1))
    offered = watch.offered(watch.kernel.initial, [])
    assert sorted(offered) == sorted(watch.kernel.successors(watch.kernel.initial))


# ---- runs --------------------------------------------------------------------------------------------------


def test_the_first_run_follows_it_and_nothing_is_left_to_shrink():
    model = pool_starvation.buggy(downloads=2, workers=2)
    runs, error = watched(machine(model))
    assert runs[0] == runs[-1] == watching(model).way()
    assert f"{len(runs[0])} transitions" in str(error)
    assert len(runs) <= 15, "ten of Hypothesis' own, and a few to see that it shrinks no more"


def test_what_is_far_is_found_and_shrunk_as_ever(monkeypatch):
    budget(monkeypatch, steps=0)
    runs, error = watched(machine(opposed_locks()))
    assert runs[-1] == [(0, 0), (1, 0)]
    assert "2 transitions" in str(error)


def test_an_invariant_of_the_user_is_shrunk_beside_it():
    class Mine(machine(opposed_locks())):
        @invariant()
        def left_begins(self):
            assert names(self.watcher, self.path[:1]) != ["right"]

    with pytest.raises(BaseExceptionGroup) as caught:
        run_state_machine_as_test(Mine, settings=FIXED)
    mine, ours = sorted(caught.value.exceptions, key=lambda error: isinstance(error, Violation))
    assert [note for note in mine.__notes__ if note.startswith(STEP)] == [f"{STEP}right acquires b)"]
    assert "2 transitions" in str(ours)


def test_rules_of_the_user_come_between_its_steps():
    class Mine(machine(opposed_locks())):
        pauses = 0

        @rule()
        def pause(self):
            self.pauses += 1

        def _check(self):
            if self.pauses:
                super()._check()

    runs, error = watched(Mine)
    assert "2 transitions" in str(error)
    assert error.__notes__.count("state.pause()") == 1
    assert runs[-1] == watching(opposed_locks()).way()


def test_a_predicate_that_cannot_be_asked_fails_in_the_run_that_comes_there():
    def below(state):
        if state["count"] == 2:
            raise ZeroDivisionError("two")
        return True

    runs = []

    class Watched(machine(counter(), always(below, "below"))):
        def teardown(self):
            super().teardown()
            runs.append(self.path)

    with pytest.raises(ZeroDivisionError, match="two"):
        run_state_machine_as_test(Watched, settings=FIXED)
    assert len(runs[0]) == len(runs[-1]) == 4


@pytest.mark.parametrize(("steps", "runs"), [(500, 0), (0, 5), (0, 0)])
def test_the_run_that_hypothesis_prints_fails_again_when_it_is_run(monkeypatch, steps, runs):
    budget(monkeypatch, steps, runs)
    model = pool_system(requesters=2, workers=1, chunks=1)
    made, error = watched(machine(model), settings(FIXED, print_blob=True))
    version, blob = re.search(r"@reproduce_failure\('(.*)', (b'.*')\)", "\n".join(error.__notes__)).groups()
    again = []

    @reproduce_failure(version, eval(blob))
    class Again(machine(model)):
        def teardown(self):
            super().teardown()
            again.append(self.path)

    with pytest.raises(AssertionError) as caught:
        run_state_machine_as_test(Again, settings=settings(FIXED, phases=[Phase.generate]))
    assert again[-1] == made[-1]
    assert str(caught.value).splitlines()[0] == str(error).splitlines()[0]
