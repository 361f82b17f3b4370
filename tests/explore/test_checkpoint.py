"""A search that was killed, wherever that was, goes on from its file and ends as if nothing had happened."""

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path
from unittest.mock import patch

import pytest
import small
import toys
from claims import claims_of, quick_claims
from compared import TOYS
from families import transfers
from generated import MANY, systems
from hypothesis import HealthCheck, given, note, settings
from hypothesis import strategies as st
from kept import told

from simcore import Model, Verdict, always, explore, sometimes
from simcore.errors import OptionError
from simcore.explore.checkpoint import Checkpoint
from simcore.explore.reduction.partial_order import PartialOrder
from simcore.models import pool_starvation
from simcore.properties import lock_order_acyclic

SUPPORT = Path(__file__).parents[1] / "support"  # where a child finds the systems that it is told of
TIMEOUTS = ["never", "when_stuck", "in_order", "anytime"]
WHOLE = {"symmetry": False, "partial_order": False}
explore_module = sys.modules[explore.__module__]
checkpoint_module = sys.modules[Checkpoint.__module__]
knot_module = sys.modules["simcore.explain.knot"]
limits_module = sys.modules["simcore.explore.limits"]
search_module = sys.modules["simcore.explore.search"]
no_return_module = sys.modules["simcore.explore.no_return"]


class Killed(BaseException):
    """In place of a kill: raised just after the file was written."""


def interrupted(file, build, *properties, chances, **options):
    """Explore until there is an answer, killed each time after so many chances to write the file."""
    keep, chances, resumed = Checkpoint.keep, list(chances), []

    def killing(checkpoint, search):
        if chances:
            chances[0] -= 1
            if chances[0] <= 0:
                checkpoint._next = 0
                keep(checkpoint, search)
                chances.pop(0)
                raise Killed

    with patch.object(Checkpoint, "keep", killing):
        while True:
            try:
                return explore(build(), *properties, checkpoint=file, **options), resumed
            except Killed:
                resumed.append(file.stat().st_size)


def spread(file, build, *properties, kills=5, **options):
    """Return chances that are spread over the whole search, and those that it began and gave up before."""
    count = [0]
    with patch.object(Checkpoint, "keep", lambda *_: count.__setitem__(0, count[0] + 1)):
        explore(build(), *properties, checkpoint=file, **options)
    return [max(1, count[0] // (kills + 1))] * kills if count[0] > kills else []


def same(tmp_path, build, *properties, chances=None, **options):
    """Insist that kills change nothing, and return the answer and how many there were."""
    after = sys.maxsize if options.get("partial_order", True) else explore_module.FAST_AFTER
    with patch.object(explore_module, "FAST_AFTER", after):  # with a file reduced searches are plain
        once = explore(build(), *properties, **options)
    file = tmp_path / "search.ck"
    file.unlink(missing_ok=True)  # of another example, if that failed
    if chances is None:
        chances = spread(file, build, *properties, **options)
    result, kills = interrupted(file, build, *properties, chances=chances, **options)
    assert told(result) == told(once)
    left = list(tmp_path.iterdir())
    file.unlink(missing_ok=True)
    assert left == [] or (left == [file] and result.verdict is Verdict.UNDETERMINED)
    return result, len(kills)


# ---- the same answer -------------------------------------------------------------------------------------------


@pytest.mark.some(20)
@pytest.mark.parametrize("timeouts", TIMEOUTS)
@pytest.mark.parametrize("model", TOYS.values(), ids=TOYS)
def test_every_toy_has_the_same_answer(tmp_path, model, timeouts):
    same(tmp_path, model, timeouts=timeouts)
    same(tmp_path, model, timeouts=timeouts, **WHOLE)


@pytest.mark.some(2)
@pytest.mark.parametrize(
    "options",
    [
        {},
        {"partial_order": False},
        pytest.param({"symmetry": False}, marks=pytest.mark.slow),
        WHOLE,
        {**WHOLE, "compact": True},
    ],
    ids=str,
)
def test_each_reduction_has_the_same_answer(tmp_path, options):
    build = lambda: pool_starvation.fixed(downloads=3, workers=2, callback_workers=2)  # noqa: E731
    result, kills = same(tmp_path, build, **options)
    assert result.verdict is Verdict.HOLDS
    assert kills == 5
    assert any(note.startswith("resumed at ") for note in result.notes)


@pytest.mark.some(4)
@pytest.mark.parametrize("compact", [False, True])
@pytest.mark.parametrize("cores", [1, 2])
def test_the_compiled_loop_goes_on_where_it_was(tmp_path, compact, cores):
    build = lambda: toys.pool_system(requesters=4, workers=2, chunks=1, callback_workers=2)  # noqa: E731
    with patch.object(explore_module, "FAST_AFTER", 500):
        chances = (50, 100, 60, 3, 5, 7, 2)  # the compiled loop begins after 202 expansions; then each batch is one
        result, kills = same(tmp_path, build, chances=chances, cores=cores, compact=compact, **WHOLE)
    assert result.states == 188_685
    assert kills == 7
    assert int(result.notes[-1].split()[2].replace(",", "")) > 500  # the compiled loop was killed, too


@pytest.mark.parametrize("after", [100, sys.maxsize], ids=["compiled", "plain"])
def test_what_is_counted_at_a_limit_does_not_depend_on_a_file(tmp_path, after):
    """The file holds whole states alone, so the steps of a state that the limit came in between of are not in it."""
    build = lambda: pool_starvation.fixed(downloads=3, workers=2, callback_workers=2)  # noqa: E731
    with patch.object(explore_module, "FAST_AFTER", after):
        for limit in range(300, 304):
            same(tmp_path, build, chances=[20], max_states=limit, **WHOLE)


@pytest.mark.some(2)
@pytest.mark.parametrize("options", [{}, WHOLE], ids=["reduced", "whole"])
def test_the_same_schedule_is_found(tmp_path, options):
    result, kills = same(tmp_path, lambda: pool_starvation.buggy(downloads=3, workers=3), **options)
    assert result.counterexample is not None
    assert kills == 5


def test_a_violation_that_was_met_by_looking_ahead_is_remembered(tmp_path, monkeypatch):
    monkeypatch.setattr(search_module, "HUNT_AFTER", 200)
    monkeypatch.setattr(limits_module, "SHORTEN_STATES", 1_000)
    shallow = always(lambda state: state["fault"] < 25, "no fault")
    result, kills = same(tmp_path, lambda: small.deep(length=25, width=5), shallow, chances=[150, 100], **WHOLE)
    assert result.verdict is Verdict.VIOLATED
    assert "ran out of budget" in result.counterexample.shortest
    assert kills == 2


def test_what_was_switched_off_stays_switched_off(tmp_path):
    """The first search is given up when all states were met: some run goes round."""
    build = lambda: pool_starvation.fixed(downloads=1, workers=1, callback_workers=1, chunks=None)  # noqa: E731
    result, kills = same(tmp_path, build, pool_starvation.answered())
    assert kills == 5
    assert any("switched off" in note for note in result.notes)


def test_a_family_that_was_told_apart_stays_apart(tmp_path):
    def build():
        model = Model("ordered")
        names = model.indices("one", 3)
        last = model.variable("last", names[0])

        def write(name):
            for _ in range(3):
                before = yield last.get()
                if before is names[0]:
                    yield last.set(name)

        for name in names:
            model.process(name, write, name)
        return model

    result, kills = same(tmp_path, build)
    assert kills == 5
    assert any("told apart" in note for note in result.notes)


@pytest.mark.parametrize("options", [{}, WHOLE], ids=["reduced", "whole"])
def test_what_was_met_once_need_not_be_met_again(tmp_path, options):
    begins = sometimes(lambda state: not any(state.values.values()), "nobody has begun")
    result, kills = same(tmp_path, lambda: small.steps(length=4, processes=3), begins, **options)
    assert result.verdict is Verdict.HOLDS
    assert kills == 5


def test_suspicions_that_were_not_proved_are_remembered(tmp_path, monkeypatch):
    monkeypatch.setattr(knot_module, "_CONFIRM_STATES", 1)
    file, seen = tmp_path / "search.ck", []
    restored = Checkpoint.resume
    monkeypatch.setattr(Checkpoint, "resume", lambda kept, search: (restored(kept, search), seen.append(search)))
    interrupted(file, lambda: small.crossed(beating=True), chances=[20], **WHOLE)
    first, second = seen[:2]
    states = [state for state, _ in first.knots.suspected]
    assert states
    assert [state for state, _ in second.knots.suspected][: len(states)] == states


def test_a_search_that_began_again_goes_on_with_what_it_had_learned(tmp_path):
    build = lambda: toys.pool_system(requesters=3, workers=2, chunks=1, callback_workers=2)  # noqa: E731
    begun = []

    def noted(order):
        begun.append(order)
        return justified(order)

    justified = PartialOrder.justified
    with patch.object(PartialOrder, "justified", noted):
        explore(build())
        assert len(begun) == 2  # the first search relied on too little
    for chances in ((2, 2), (150, 60, 60), (300, 30), (10, 390, 5)):
        same(tmp_path, build, chances=chances)


@given(systems(longest=3, every_kind=True), st.sampled_from(TIMEOUTS), st.booleans(), st.data())
@settings(max_examples=10, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_generated_systems_have_the_same_answer(tmp_path, model, timeouts, reduced, data):
    generated(tmp_path, model, timeouts, reduced, data)


@pytest.mark.slow
@given(systems(longest=3, every_kind=True), st.sampled_from(TIMEOUTS), st.booleans(), st.data())
@settings(max_examples=MANY, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_many_generated_systems_have_the_same_answer(tmp_path, model, timeouts, reduced, data):
    generated(tmp_path, model, timeouts, reduced, data)


def generated(tmp_path, model, timeouts, reduced, data):
    note(str(model.origin))
    chances = data.draw(st.lists(st.integers(1, 60), min_size=1, max_size=4))
    options = {"symmetry": reduced, "partial_order": reduced, "timeouts": timeouts, "max_states": 1_000}
    with (
        patch.object(no_return_module, "NO_RETURN_STATES", 20),
        patch.object(explore_module, "FAST_AFTER", 40),
    ):
        same(tmp_path, lambda: model, chances=chances, **options)


@pytest.mark.slow
@pytest.mark.parametrize(("module", "position"), quick_claims(60))
def test_a_quick_claim_has_the_same_answer(tmp_path, module, position):
    claim = claims_of(module)[position]
    options = {"timeouts": claim.timeouts, "max_states": claim.max_states}
    same(tmp_path, claim.build, claim.property, **options)


# ---- killed for real -------------------------------------------------------------------------------------------


def written(file):
    """Return when a file was written; None when there is none."""
    try:
        return file.stat().st_mtime_ns
    except FileNotFoundError:
        return None


def killed(folder, arguments, moments, seeds):
    """Run the command line, killed after each of ``moments`` (seconds after it wrote the file); then to its end."""
    file = folder / "search.ck"
    command = [sys.executable, "-c", "from simcore.command.cli import main; main()", "explore", *arguments, "--json"]
    command += ["--checkpoint", str(file), "--checkpoint-every", "0"]
    for kills, (seed, moment) in enumerate(zip(seeds, [*moments, None], strict=True)):
        environment = {**os.environ, "PYTHONHASHSEED": str(seed)}
        before = written(file)
        with subprocess.Popen(command, cwd=SUPPORT, stdout=subprocess.PIPE, text=True, env=environment) as child:
            if moment is not None:
                while written(file) in (before, None) and child.poll() is None:
                    time.sleep(0.005)
                time.sleep(moment)
                child.send_signal(signal.SIGKILL)
            out = child.communicate()[0]
        if child.returncode != -signal.SIGKILL or not file.exists():  # it had its answer
            return json.loads(out), kills, list(folder.iterdir())
    raise AssertionError("it was killed each time")


POOL = ("toys:pool_system", "-p", "requesters=4", "-p", "workers=2", "-p", "callback_workers=2")


@pytest.mark.slow
def test_a_search_that_is_killed_by_the_system_ends_with_the_same_counts(tmp_path):
    arguments = (*POOL, "-p", "chunks=1", "--no-symmetry", "--no-partial-order")
    found, kills, left = killed(tmp_path, arguments, [0.0, 0.05, 0.05], [0, 1, 2, 3])
    assert (found["verdict"], found["states"], found["transitions"], found["depth"]) == ("holds", 188_685, 669_384, 40)
    assert kills >= 2
    assert left == []


@pytest.mark.slow
def test_with_both_reductions_names_that_hash_otherwise_do_not_matter(tmp_path):
    sizes = {"downloads": 6, "workers": 4, "callback_workers": 6}
    once = explore(pool_starvation.fixed(**sizes))
    arguments = (
        "simcore.models.pool_starvation:fixed",
        *(word for name in sizes for word in ("-p", f"{name}={sizes[name]}")),
    )
    found, kills, left = killed(tmp_path, arguments, [0.0, 0.1, 0.1], [5, 6, 7, 8])
    assert (found["verdict"], found["states"], found["transitions"]) == ("holds", once.states, once.transitions)
    assert any(note.startswith("resumed at ") for note in found["notes"])
    assert kills == 3
    assert left == []


@pytest.mark.slow
def test_millions_of_states_killed_ten_times_at_random_moments_end_with_the_same_counts(tmp_path):
    chance = random.Random(20)
    moments = [chance.uniform(0.0, 0.12) for _ in range(10)]
    arguments = (*POOL, "-p", "chunks=2", "--no-symmetry", "--no-partial-order", "--cores", "1")
    found, kills, left = killed(tmp_path, arguments, moments, range(11))
    assert (found["verdict"], found["states"], found["transitions"]) == ("holds", 2_699_817, 9_687_328)
    assert any(note.startswith("resumed at ") for note in found["notes"])
    assert kills == 10
    assert left == []


# ---- these tests can fail --------------------------------------------------------------------------------------


@pytest.mark.some(2)
@pytest.mark.parametrize("lesson", ["learn_moves", "learn_component", "learn_moved", "learn_images", "symmetry"])
def test_a_lesson_that_is_left_out_is_noticed(tmp_path, lesson):
    teach = Checkpoint._lesson

    def forgetful(checkpoint, name, args):
        if name != lesson:
            teach(checkpoint, name, args)

    with patch.object(Checkpoint, "_lesson", forgetful), pytest.raises((OptionError, AssertionError)):
        same(tmp_path, lambda: pool_starvation.fixed(downloads=3, workers=2, callback_workers=2), chances=[100])


def test_what_a_property_remembers_is_there_again_after_an_interruption(tmp_path):
    """The order of locks is known from states that were met before."""
    whole = explore(transfers(), lock_order_acyclic(), **WHOLE)
    assert whole.verdict is Verdict.VIOLATED
    for states in range(1, whole.states):
        kept = {"checkpoint": tmp_path / str(states), **WHOLE}
        explore(transfers(), lock_order_acyclic(), max_states=states, **kept)
        again = explore(transfers(), lock_order_acyclic(), **kept)
        assert (again.verdict, again.states) == (whole.verdict, whole.states)
