"""A failing run is told once, and what Hypothesis does with it costs what it must."""

from __future__ import annotations

import pickle

import pytest
from hypothesis import Phase, settings
from hypothesis.database import InMemoryExampleDatabase
from hypothesis.stateful import invariant, rule, run_state_machine_as_test
from toys import opposed_locks, pool_system

from simcore.stateful import driver, machine, watcher

FIXED = settings(max_examples=200, stateful_step_count=40, deadline=None, database=None, derandomize=True)


def failure_of(machine_class, how=None):
    with pytest.raises(AssertionError) as caught:
        run_state_machine_as_test(machine_class, settings=how)
    return caught.value


def told(error):
    """Return what a person is shown of ``error``."""
    return "\n".join([str(error), *error.__notes__])


@pytest.fixture
def reports(monkeypatch):
    """Return the runs of which a report was made."""
    made = []
    without_laps = watcher.without_laps
    monkeypatch.setattr(watcher, "without_laps", lambda *asked: made.append(asked[1]) or without_laps(*asked))
    return made


def test_the_schedule_is_told_once_and_in_the_words_of_the_model():
    shown = told(failure_of(machine(opposed_locks()), FIXED))
    assert [line.split() for line in shown.splitlines() if "left" in line and "acquires" in line] == [
        ["1", "left", "acquires", "a"]
    ]
    assert "state.step" not in shown


def test_the_rest_of_what_hypothesis_says_stays():
    assert "blocked processes" in told(failure_of(machine(opposed_locks()), FIXED))


def test_rules_of_the_user_are_told_as_hypothesis_tells_them():
    class Visited(machine(opposed_locks())):
        visits = 0

        @rule()
        def visit(self):
            self.visits += 1

        @invariant()
        def seldom(self):
            assert self.visits < 3

    assert told(failure_of(Visited, FIXED)).count("state.visit()\n") == 3


def test_of_many_failing_runs_one_report_is_made(reports):
    runs = []

    class Counted(machine(pool_system(requesters=2, workers=2, chunks=1))):
        def teardown(self):
            super().teardown()
            runs.append(self.path)

    told(failure_of(Counted, FIXED))
    assert len(runs) > 10
    assert len(reports) == 1


def test_a_report_that_nobody_reads_is_not_made_and_one_that_is_read_is_made_once(reports):
    run = machine(opposed_locks())()
    run.step(run.offers()[0])
    with pytest.raises(AssertionError) as caught:
        run.step(run.offers()[0])
    assert not reports
    assert str(caught.value) == str(caught.value)
    assert len(reports) == 1


def test_a_report_says_what_was_when_the_run_failed():
    run = machine(opposed_locks())()
    run.step(run.offers()[0])
    with pytest.raises(AssertionError) as caught:
        run.step(run.offers()[0])
    run.path.clear()
    assert "2 transitions" in str(caught.value)


def test_a_failure_can_be_sent_to_another_process():
    error = failure_of(machine(opposed_locks()), FIXED)
    assert str(pickle.loads(pickle.dumps(error))) == str(error)


# ---- settings ----------------------------------------------------------------------------------------------


def test_no_lines_of_simcore_are_traced_to_explain_a_failure_with_a_schedule():
    assert Phase.explain not in machine(opposed_locks()).TestCase.settings.phases
    assert "Explanation" not in told(failure_of(machine(opposed_locks())))


def test_a_subclass_is_not_traced_either():
    class Mine(machine(opposed_locks())):
        pass

    assert Phase.explain not in Mine.TestCase.settings.phases


def test_the_usual_settings_are_otherwise_those_of_the_profile():
    settings.register_profile("few", settings(max_examples=7, phases=[Phase.reuse, Phase.explain, Phase.generate]))
    before = settings.get_current_profile_name()
    settings.load_profile("few")
    try:
        usual = machine(opposed_locks()).TestCase.settings
    finally:
        settings.load_profile(before)
    assert usual.max_examples == 7
    assert usual.phases == (Phase.reuse, Phase.generate)
    assert usual.deadline is None


def test_settings_of_the_user_are_taken_as_they_are():
    mine = machine(opposed_locks())
    mine.TestCase.settings = settings(FIXED, phases=list(Phase))
    assert Phase.explain in mine.TestCase.settings.phases
    assert "Explanation" in told(failure_of(mine))


def test_the_failing_run_is_kept_in_the_database_and_tried_first():
    runs = []

    class Counted(machine(pool_system(requesters=2, workers=2, chunks=1))):
        def teardown(self):
            super().teardown()
            runs.append(len(self.path))

    usual = settings(Counted.TestCase.settings, database=InMemoryExampleDatabase())
    first = str(failure_of(Counted, usual))
    shortest = runs[-1]
    runs.clear()
    again = str(failure_of(Counted, usual))
    assert runs[0] == shortest
    assert again.splitlines()[3:] == first.splitlines()[3:]


# ---- work --------------------------------------------------------------------------------------------------


def test_what_follows_a_state_is_found_once_however_many_runs_pass_it(monkeypatch):
    asked = []
    successors = driver.Kernel.successors

    def counted(kernel, state):
        asked.append(state)
        return successors(kernel, state)

    monkeypatch.setattr(driver.Kernel, "successors", counted)
    mine = machine(pool_system(requesters=2, workers=2, chunks=1))
    runs = settings(FIXED, phases=[Phase.generate], max_examples=20, stateful_step_count=4)
    run_state_machine_as_test(mine, settings=runs)
    assert len(asked) <= 2 * len(set(asked))
