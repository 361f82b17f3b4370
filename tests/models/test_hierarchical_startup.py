"""Hierarchical start-up (#4209): the outcome table of the report, row by row, small and at its scale."""

import re
from pathlib import Path

import pytest

from simcore import Verdict, always, execute, explore, simulate
from simcore.models.hierarchical_startup import (
    CLAIMS,
    LOST,
    REFUSED,
    SPARE,
    TWO_SLOW,
    WELL,
    Job,
    buggy,
    fixed,
    nobody_ends,
    reported_after_seen,
    starts_with,
)
from simcore.properties import completes

ROOT = Path(__file__).parents[2]
UNENDING = "round 0 never ends"
BAD_DEPLOYMENT, BAD_START, ABORTED = Job.NOT_DEPLOYED, Job.NOT_STARTED, Job.ABORTED
ALL, ONE_LESS = Job.finished(2), Job.finished(1)


def asked(build, *properties, **parameters):
    return explore(build(**parameters), *properties, timeouts="in_order", max_states=300_000)


def ends(build, **parameters):
    """Return how the job ends, which must be the same in every run; `UNENDING` when it does not in some."""
    seen = set()

    def note(state):
        return seen.add(state.process("job").result) is None

    result = asked(build, always(note, "noted"), completes("job"), **parameters)
    assert result.verdict is not Verdict.UNDETERMINED
    if result.verdict is Verdict.VIOLATED:  # of the second, for which the whole graph is looked at first
        seen.add(UNENDING)
    (end,) = seen - {None}
    return end


# ---- the outcome table -------------------------------------------------------------------------------------

NEEDED, SPARED = {**WELL, "min_clients": 2}, {**WELL, **SPARE}
"""Two clients, of which the slow one is needed or not: m = n and m = n - 1 of the table."""

TABLE = [
    ("1, needed", NEEDED, ALL, ALL, ALL),
    ("1, spared", SPARED, ALL, ALL, ALL),
    ("2", {**NEEDED, "deploy": "11"}, ALL, BAD_DEPLOYMENT, BAD_DEPLOYMENT),
    ("3", {**SPARED, "deploy": "11"}, ALL, ONE_LESS, ONE_LESS),
    ("4, needed", {**NEEDED, "deploy": "13"}, BAD_START, BAD_DEPLOYMENT, BAD_DEPLOYMENT),
    ("4, spared", {**SPARED, "deploy": "13"}, BAD_START, ONE_LESS, ONE_LESS),
    ("5", {**WELL, **TWO_SLOW, "deploy": "11"}, Job.finished(3), BAD_DEPLOYMENT, BAD_DEPLOYMENT),
    ("5 or 4", {**WELL, **TWO_SLOW, "deploy": "13"}, BAD_START, BAD_DEPLOYMENT, BAD_DEPLOYMENT),
    ("6", {**NEEDED, "start": "25"}, ALL, ALL, BAD_START),
    ("7", {**NEEDED, "start": "25", "life": "50"}, ABORTED, ALL, BAD_START),
    ("7, longer R", {**NEEDED, "start": "75"}, ABORTED, ALL, BAD_START),
    ("8", {**SPARED, "start": "25"}, ALL, ALL, ALL),
    ("9", {**NEEDED, "start": "never"}, ABORTED, UNENDING, BAD_START),
    ("10", {**SPARED, "start": "never"}, ONE_LESS, UNENDING, UNENDING),
    ("11", {**SPARED, "life": "dies"}, ONE_LESS, ONE_LESS, ONE_LESS),
    ("12", {**SPARED, "life": "host-dies"}, ONE_LESS, ONE_LESS, ONE_LESS),
    ("13, needed", {**NEEDED, "start": "error"}, BAD_START, BAD_START, BAD_START),
    ("13, spared", {**SPARED, "start": "error"}, BAD_START, BAD_START, BAD_START),
    ("14, needed", {**NEEDED, "deploy": "leaves"}, BAD_START, BAD_START, BAD_START),
    ("14, spared", {**SPARED, "deploy": "leaves"}, BAD_START, BAD_START, BAD_START),
    ("15", {**SPARED, "deploy": "11", "required": True}, ALL, BAD_DEPLOYMENT, BAD_DEPLOYMENT),
]
"""Row, scenario, and how the job ends before, after, and after in the strict mode."""

BUILD = {"before": (buggy, {}), "after": (fixed, {}), "strict": (fixed, {"strict": True})}


def rows(table):
    return pytest.mark.parametrize(("row", "scenario", "before", "after", "strict"), table, ids=[r[0] for r in table])


@pytest.mark.some(6)
@rows(TABLE)
def test_the_job_ends_as_the_outcome_table_says(row, scenario, before, after, strict):
    found = [ends(build, **scenario, **more) for build, more in BUILD.values()]
    assert found == [before, after, strict]


def one_more(text):
    return re.sub(r"(?<=finished with )\d+", lambda number: str(int(number[0]) + 1), text)


@pytest.mark.slow
@rows(TABLE[::2])
def test_it_ends_so_with_a_third_client_that_is_well(row, scenario, before, after, strict):
    sizes = {"clients": scenario.get("clients", 2) + 1, "min_clients": scenario["min_clients"] + 1}
    found = [ends(build, **{**scenario, **sizes, **more}) for build, more in BUILD.values()]
    assert found == [one_more(before), one_more(after), one_more(strict)]


@pytest.mark.some(3)
@pytest.mark.parametrize(("slow", "min_clients"), [(1, 2), (1, 3), (2, 1), (2, 2), (3, 1)])
def test_a_late_deployment_ends_the_job_exactly_when_too_few_are_left(slow, min_clients):
    sizes = {**WELL, "clients": 3, "slow": slow, "min_clients": min_clients, "deploy": "11"}
    assert ends(buggy, **sizes) == Job.finished(3)
    assert ends(fixed, **sizes) == (Job.finished(3 - slow) if 3 - slow >= min_clients else BAD_DEPLOYMENT)


@pytest.mark.some(8)
@pytest.mark.parametrize(
    ("stall", "min_clients", "before", "after"),
    [("9", 3, 3, 3), ("11", 2, 3, 2), ("11", 3, 3, BAD_DEPLOYMENT), ("13", 2, 3, 2)],
)
def test_a_relay_that_stalls_makes_its_clients_late(stall, min_clients, before, after):
    """The chain of section 11: relay stall, late replies, rows 2 to 5; the apps are there, so START is not refused."""
    sizes = {**WELL, "clients": 3, "min_clients": min_clients, "relays": 3, "stall": stall}
    found = ends(buggy, **sizes), ends(fixed, **sizes)
    assert found == tuple(end if end == BAD_DEPLOYMENT else Job.finished(end) for end in (before, after))


SMALL_SCOPE = [
    pytest.param(clients, min_clients, required, marks=[pytest.mark.slow] if clients == 3 else [])
    for clients in (2, 3)
    for min_clients in ((1, 2) if clients == 2 else (3,))
    for required in (False, True)
]


@pytest.mark.some(2)
@pytest.mark.parametrize(("clients", "min_clients", "required"), SMALL_SCOPE)
def test_in_the_small_scope_safety_holds_after_the_fix_and_every_job_ends_before_it(clients, min_clients, required):
    """All clients but one may be fast, late or lost in each phase. What either version has, (j) has."""
    sizes = {"clients": clients, "slow": clients - 1, "min_clients": min_clients, "required": required}
    ready = starts_with(min_clients, *[f"slow client[{number}]" for number in range(required * (clients - 1))])
    assert asked(fixed, ready, reported_after_seen(), **sizes).verdict is Verdict.HOLDS
    assert asked(buggy, completes("job"), **sizes).verdict is Verdict.HOLDS
    assert asked(fixed, ready, completes("job"), **sizes, startup_grace=60.0).verdict is Verdict.HOLDS


# ---- the cascade, and what is left -------------------------------------------------------------------------


def test_start_goes_to_a_client_whose_silence_counted_as_success():
    found = asked(buggy, starts_with(2)).counterexample
    steps = [(step.process, step.text.partition(" ")[0]) for step in found.schedule.steps]
    assert len(steps) == 7
    assert steps[2] == ("job", "gives")  # the deployment's time-out
    assert steps[-1] == ("job", "sets")
    assert [str(name) for name in found.state["job entry"].unready] == ["slow client[0]"]


def test_the_first_heartbeat_without_the_job_is_reported():
    steps = asked(buggy, reported_after_seen()).counterexample.schedule.steps
    beats = [step for step in steps if step.process == "heartbeats of slow client[0]" and "gives up" in step.text]
    assert len(beats) == 1
    assert steps[-1].process == "heartbeats of slow client[0]"
    assert "watch(slow client[0])" in steps[-1].text


def test_a_job_that_waits_for_a_lost_start_goes_round_in_heartbeats_for_ever():
    found = asked(fixed, completes("job"), **LOST).counterexample
    movers = {step.process for step in found.lasso.steps}
    assert movers == {"heartbeats of slow client[0]", "heartbeats of client[0]"}
    assert found.state.process("job").blocked


def test_a_job_process_that_ends_before_a_heartbeat_told_of_it_is_missed_too():
    crashed = {**SPARED, "life": "crashes"}
    assert [ends(build, **crashed) for build in (buggy, fixed)] == [ONE_LESS, UNENDING]


@pytest.mark.parametrize("scenario", [LOST, {**SPARED, "life": "crashes"}, {**SPARED, "start": "75"}])
def test_with_a_start_up_grace_every_job_ends(scenario):
    late = scenario["start"] == "75"
    assert ends(fixed, **scenario, startup_grace=60.0) == (ALL if late else ONE_LESS)


@pytest.mark.parametrize(("grace", "seconds"), [(30.0, 92), (60.0, 122), (65.0, 132)])
def test_with_a_start_up_grace_a_lost_start_costs_that_and_the_grace_of_the_watch_list(grace, seconds):
    """From START at 2 s on: the first heartbeat not before the start-up grace is over, and 60 s more."""
    run = simulate(fixed(**LOST, startup_grace=grace))
    assert (run.results["job"], run.time) == (ONE_LESS, seconds)


@pytest.mark.some(4)
@pytest.mark.parametrize(
    "claim", [claim for claim in CLAIMS if claim.version == "2.7.2" and "clients" not in claim.parameters], ids=str
)
def test_with_the_fix_taken_out_the_model_answers_as_before(claim):
    before = asked(buggy, claim.property, **claim.parameters)
    without = asked(fixed, claim.property, **claim.parameters, fix=False)
    assert (without.verdict, without.states) == (before.verdict, before.states)


@pytest.mark.parametrize(("build", "says"), [(buggy, "TypeError"), (fixed, "RuntimeError")])
def test_a_job_process_that_comes_too_late_dies_of(build, says):
    result = asked(build, nobody_ends(f"{says}, as it came up"), **REFUSED)
    assert result.verdict is Verdict.VIOLATED


@pytest.mark.slow
def test_after_the_fix_safety_does_not_depend_on_how_long_anything_takes():
    result = explore(
        fixed(), starts_with(2), reported_after_seen(), timeouts="anytime", partial_order=False, max_states=100_000
    )
    assert (result.verdict, result.states) == (Verdict.HOLDS, 51_409)


# ---- the spaces --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("build", "parameters", "states"),
    [
        (buggy, {}, 1_589),
        (fixed, {}, 909),
        (fixed, SPARE, 1_161),
        (fixed, {"startup_grace": 60.0}, 986),
        pytest.param(fixed, TWO_SLOW, 27_291, marks=pytest.mark.slow),
    ],
)
def test_so_many_states_are_met(build, parameters, states):
    assert explore(build(**parameters), always(bool), timeouts="in_order", partial_order=False).states == states


# ---- for real ----------------------------------------------------------------------------------------------


def test_start_is_sent_too_early_for_real_on_the_first_try():
    found = asked(buggy, starts_with(2), second=0.01).counterexample
    run = execute(buggy(second=0.01), schedule=found.schedule)
    assert (run.status, run.explained) == ("completed", True)
    assert run.results["job"] == BAD_START


def test_after_the_fix_a_late_client_is_left_out_for_real():
    run = execute(fixed(**{**SPARED, "deploy": "11"}, second=0.01))
    assert (run.status, run.explained, run.results["job"]) == ("completed", True, ONE_LESS)


def test_a_lost_start_ends_the_round_for_real_before_the_fix_and_not_after_it():
    before = execute(buggy(**LOST, second=0.005))
    assert (before.status, before.explained, before.results["job"]) == ("completed", True, ONE_LESS)
    after = execute(fixed(**LOST, second=0.005), max_seconds=3 * before.seconds, explain=False)
    assert after.status == "limit"
    assert "job" not in after.results


# ---- at the scale of the report ----------------------------------------------------------------------------

REPORTED = {**WELL, "clients": 144, "relays": 6}


def job_of(model, **more):
    return simulate(model, **more).results.get("job", UNENDING)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("deploy", "before", "after"),
    [
        ("11", "finished with 144", BAD_DEPLOYMENT),
        pytest.param("13", BAD_START, BAD_DEPLOYMENT, marks=pytest.mark.slow),
    ],
)
def test_ten_late_of_144_where_138_are_needed_end_the_job(deploy, before, after):
    sizes = {**REPORTED, "slow": 10, "min_clients": 138, "deploy": deploy}
    assert [job_of(build(**sizes)) for build in (buggy, fixed)] == [before, after]


@pytest.mark.slow
def test_one_client_of_144_that_starts_late_ends_the_job_a_minute_into_round_0():
    sizes = {**REPORTED, "slow": 1, "min_clients": 144, "start": "75"}
    run = simulate(buggy(**sizes))
    assert (run.results["job"], run.time) == (ABORTED, 72.0)  # START at 2, report at 12
    assert job_of(fixed(**sizes)) == "finished with 144"


ONE_LOST = {**REPORTED, "slow": 1, "min_clients": 138, "start": "never"}


@pytest.mark.slow
def test_one_lost_start_of_144_keeps_143_clients_waiting():
    assert job_of(fixed(**ONE_LOST), until=100) == UNENDING


@pytest.mark.slow
@pytest.mark.parametrize(("build", "more"), [(buggy, {}), (fixed, {"startup_grace": 60.0})])
def test_one_lost_start_of_144_ends_the_round_with_143_where_it_is_reported(build, more):
    assert job_of(build(**ONE_LOST, **more)) == "finished with 143"


@pytest.fixture
def at_scale(monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT))
    from benchmarks import startup_at_scale

    return startup_at_scale


@pytest.mark.slow
def test_a_corner_of_the_table_is_as_it_was(at_scale):
    asked_for = [("before", "storage", 7, 90), ("after", "storage", 7, 90), ("after", "storage", 7, 100)]
    found = [at_scale.outcome(*each, seed=0) for each in asked_for]
    assert found == [BAD_START, "finished with 140", BAD_DEPLOYMENT]


@pytest.mark.slow
@pytest.mark.parametrize(("version", "scenario", "median"), [("after", "storage", 10)])
def test_a_job_that_fails_fails_with_more_clients_needed_too(at_scale, version, scenario, median):
    ended = [at_scale.outcome(version, scenario, median, share, seed=0) for share in at_scale.SHARES]
    failed = [not how.startswith("finished") for how in ended]
    assert failed == sorted(failed)
    assert failed.index(True) == at_scale.fails_from(version, scenario, median, seed=0)


@pytest.mark.slow
def test_the_document_shows_what_the_command_prints(at_scale):
    """One column of one table, all rows, by two of twenty seeds: of the others it says nothing."""
    text = (ROOT / "docs" / "startup-at-scale.md").read_text(encoding="utf-8")
    rows = [line.split("|")[2:-1] for line in text.partition("## Slow storage")[2].splitlines() if "% (1" in line]
    column = [row[1].partition(" / ")[2].strip() for row in rows[: len(at_scale.SHARES)]]
    firsts = [at_scale.fails_from("after", "storage", 5, seed) for seed in (0, 7)]
    for row, text in enumerate(column):
        among = sum(first <= row for first in firsts)
        said = int(text) // 5
        assert among <= said <= 18 + among
