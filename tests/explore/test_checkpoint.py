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
from claims import claims_of, each_claim
from compared import TOYS
from generated import systems
from hypothesis import HealthCheck, given, note, settings
from hypothesis import strategies as st

from simcore import Model, Verdict, always, explore, sometimes
from simcore.errors import OptionError
from simcore.explore.checkpoint import Checkpoint
from simcore.explore.reduction.partial_order import PartialOrder
from simcore.models import pool_starvation

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


def told(result):
    found = result.counterexample
    return (
        (result.verdict, result.property, result.states, result.transitions, result.depth, result.strategy),
        [n for n in result.notes if not n.startswith(("resumed", "checkpoint"))],
        None if found is None else (found.schedule.steps, found.lasso, found.shortest, found.no_return, found.lost),
    )


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
    if chances is None:
        chances = spread(file, build, *properties, **options)
    result, kills = interrupted(file, build, *properties, chances=chances, **options)
    assert told(result) == told(once)
    left = list(tmp_path.iterdir())
    file.unlink(missing_ok=True)
    assert left == [] or (left == [file] and result.verdict is Verdict.UNDETERMINED)
    return result, len(kills)


# ---- the same answer -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("timeouts", TIMEOUTS)
@pytest.mark.parametrize("model", TOYS.values(), ids=TOYS)
def test_every_toy_has_the_same_answer(tmp_path, model, timeouts):
    same(tmp_path, model, timeouts=timeouts)
    same(tmp_path, model, timeouts=timeouts, **WHOLE)


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


@pytest.mark.parametrize("compact", [False, True])
@pytest.mark.parametrize("cores", [1, 2])
def test_the_compiled_loop_goes_on_where_it_was(tmp_path, compact, cores):
    build = lambda: toys.pool_system(requesters=4, workers=2, chunks=1, callback_workers=2)  # noqa: E731
    with patch.object(explore_module, "FAST_AFTER", 500):
        chances = (
            50,
            100,
            60,
            3,
            5,
            7,
            2,
        )  # the compiled loop begins after 202 expansions; then each batch is a chance
        result, kills = same(tmp_path, build, chances=chances, cores=cores, compact=compact, **WHOLE)
    assert result.states == 188_685
    assert kills == 7
    assert int(result.notes[-1].split()[2].replace(",", "")) > 500  # the compiled loop was killed, too


@pytest.mark.parametrize("options", [{}, WHOLE], ids=["reduced", "whole"])
def test_the_same_schedule_is_found(tmp_path, options):
    result, kills = same(tmp_path, lambda: pool_starvation.buggy(downloads=4, workers=3), **options)
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
        names = model.indices("one", 4)
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
@settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_generated_systems_have_the_same_answer(tmp_path, model, timeouts, reduced, data):
    note(str(model.origin))
    chances = data.draw(st.lists(st.integers(1, 60), min_size=1, max_size=4))
    options = {"symmetry": reduced, "partial_order": reduced, "timeouts": timeouts, "max_states": 1_000}
    with (
        patch.object(no_return_module, "NO_RETURN_STATES", 20),
        patch.object(explore_module, "FAST_AFTER", 40),
    ):
        same(tmp_path, lambda: model, chances=chances, **options)


@pytest.mark.slow
@pytest.mark.parametrize(("module", "position"), [claim for claim in each_claim() if not claim.marks][::8])
def test_every_eighth_quick_claim_has_the_same_answer(tmp_path, module, position):
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


# ---- limits, and what is refused -------------------------------------------------------------------------------


def stopped(tmp_path, build=lambda: toys.two_phase_commit(n=3), *properties, **options):
    """Leave a file behind, and return its path."""
    file = tmp_path / "search.ck"
    with patch.object(explore_module, "FAST_AFTER", 10**9):
        result = explore(build(), *properties, checkpoint=file, checkpoint_every=0, max_states=60, **WHOLE, **options)
    assert result.verdict is Verdict.UNDETERMINED
    assert f"checkpoint {file}: explore again with a larger limit to go on from there" in result.notes
    return file


def test_a_search_that_met_a_limit_goes_on_with_a_larger_one(tmp_path):
    once = explore(toys.two_phase_commit(n=3), **WHOLE)
    file = stopped(tmp_path)
    result = explore(toys.two_phase_commit(n=3), checkpoint=file, **WHOLE)
    assert told(result)[0] == told(once)[0]
    assert result.notes[-1].startswith("resumed at ")
    assert not file.exists()


LOOPS = {
    "reduced": ({}, 10**9),
    "whole": (WHOLE, 10**9),
    "compiled": ({**WHOLE, "cores": 1}, 50),
    "on two cores": ({**WHOLE, "cores": 2}, 50),
    "compact": ({**WHOLE, "compact": True}, 50),
}


@pytest.mark.parametrize(("options", "fast_after"), LOOPS.values(), ids=LOOPS)
def test_what_was_met_before_a_limit_is_kept_however_soon_the_limit_comes(tmp_path, monkeypatch, options, fast_after):
    monkeypatch.setattr(explore_module, "FAST_AFTER", fast_after)
    file = tmp_path / "search.ck"
    once = explore(pool_starvation.fixed(downloads=3, workers=2, callback_workers=3), **options)
    for limit in (*range(1, once.states, once.states // 11), None):
        before = file.exists()
        model = pool_starvation.fixed(downloads=3, workers=2, callback_workers=3)
        result = explore(model, checkpoint=file, max_states=limit, **options)
        assert file.exists() == (limit is not None)
        resumed = [note for note in result.notes if note.startswith("resumed at ")]
        assert bool(resumed) == before
    assert told(result) == told(once)


@pytest.mark.parametrize(("options", "seconds"), [({}, 0.02), (WHOLE, 0.1)], ids=["reduced", "whole"])
def test_what_was_met_before_time_was_over_is_kept(tmp_path, monkeypatch, options, seconds):
    def milliseconds(limits):
        limits.looks = getattr(limits, "looks", 0) + 1
        return limits.looks / 1_000

    monkeypatch.setattr(limits_module.Limits, "elapsed", property(milliseconds))
    file, once = tmp_path / "search.ck", explore(toys.two_phase_commit(n=3), **options)
    rounds = 1
    while True:
        result = explore(toys.two_phase_commit(n=3), checkpoint=file, max_seconds=seconds, **options)
        if result.verdict is not Verdict.UNDETERMINED:
            break
        assert file.exists()
        rounds += 1
    assert rounds > 2
    assert told(result) == told(once)


def test_what_was_left_by_a_kill_while_it_was_written_does_not_matter(tmp_path):
    file = stopped(tmp_path)
    for every in (0, 60):
        (tmp_path / "search.ck.part").write_bytes(b"half of")
        explore(toys.two_phase_commit(n=3), checkpoint=file, checkpoint_every=every, **WHOLE)
        assert list(tmp_path.iterdir()) == []


def test_a_file_that_cannot_be_written_any_more_is_told_and_the_last_one_stays(tmp_path, monkeypatch):
    file = stopped(tmp_path)
    before = file.read_bytes()

    def full(*_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(checkpoint_module, "_pack", full)
    with pytest.raises(OptionError, match=r"search\.ck: cannot be written: No space left on device"):
        explore(toys.two_phase_commit(n=3), checkpoint=file, checkpoint_every=0, **WHOLE)
    assert file.read_bytes() == before
    assert list(tmp_path.iterdir()) == [file]


@pytest.mark.parametrize("length", [0, 1, 100, 0.5, 0.999])
def test_a_damaged_file_is_refused_and_left_alone(tmp_path, length):
    file = stopped(tmp_path)
    whole = file.read_bytes()
    half = whole[: int(length if length >= 1 else length * len(whole))]
    file.write_bytes(half)
    with pytest.raises(OptionError, match=r"search\.ck: no checkpoint, or damaged; remove it to begin anew"):
        explore(toys.two_phase_commit(n=3), checkpoint=file, **WHOLE)
    assert file.read_bytes() == half


@pytest.mark.parametrize(
    ("build", "properties", "options", "what"),
    [
        (lambda: toys.two_phase_commit(n=2), (), WHOLE, "model"),
        (lambda: toys.two_phase_commit(n=3), (always(lambda state: True, "true"),), WHOLE, "properties"),
        (lambda: toys.two_phase_commit(n=3), (), {**WHOLE, "symmetry": True}, "symmetry"),
        (lambda: toys.two_phase_commit(n=3), (), {**WHOLE, "partial_order": True}, "partial_order"),
        (lambda: toys.two_phase_commit(n=3), (), {**WHOLE, "compact": True}, "compact"),
        (lambda: toys.two_phase_commit(n=3), (), {**WHOLE, "timeouts": "anytime"}, "timeouts"),
    ],
)
def test_what_a_search_is_of_must_be_the_same(tmp_path, build, properties, options, what):
    file = stopped(tmp_path)
    with pytest.raises(OptionError, match=f"written with {what} .*, not .*; explore as before, or remove it"):
        explore(build(), *properties, checkpoint=file, **options)
    assert file.exists()


def named(steps):
    """A model without parameters that does what ``steps`` says: its code is what may change."""
    model = Model("named")
    lock = model.lock("lock")
    for name in ("one", "two", "three"):
        model.process(name, steps, lock)
    return model


def short(lock):
    for _ in range(3):
        yield lock.acquire()
        yield lock.release()


def long(lock):
    for _ in range(4):
        yield lock.acquire()
        yield lock.release()


def given_up(times):
    def steps(lock):
        for _ in range(times):
            yield lock.acquire()
            yield lock.release()

    return steps


def waiting(seconds):
    def steps(lock):
        for _ in range(3):
            if not (yield lock.acquire(timeout=seconds)):
                return
            yield lock.release()

    return steps


def moved(lock):
    for _ in range(3):
        yield lock.acquire()

        yield lock.release()


@pytest.mark.parametrize(
    ("before", "after"),
    [(short, long), (short, moved), (given_up(3), given_up(4)), (waiting(1.0), waiting(2.0))],
    ids=["another loop", "another line", "another count", "another limit"],
)
def test_a_model_whose_code_has_changed_is_told(tmp_path, before, after):
    file = stopped(tmp_path, lambda: named(before))
    with pytest.raises(OptionError, match=r"does something else than it did then .*; remove it to begin anew"):
        explore(named(after), checkpoint=file, **WHOLE)
    assert explore(named(before), checkpoint=file, **WHOLE).notes[-1].startswith("resumed at ")


@pytest.mark.parametrize("place", [".", "no/such/folder/file"])
def test_a_file_that_cannot_be_written_is_refused_before_the_search(tmp_path, place):
    with pytest.raises(OptionError, match="cannot be written; name a file in a folder that exists"):
        explore(toys.two_phase_commit(n=3), checkpoint=tmp_path / place)


@pytest.mark.parametrize(
    ("options", "words"), [({"strategy": "depth"}, "strategy='breadth'"), ({"checkpoint_every": -1}, "0 or more")]
)
def test_options_that_do_not_go_with_it_are_refused(tmp_path, options, words):
    with pytest.raises(OptionError, match=words):
        explore(toys.two_phase_commit(n=3), checkpoint=tmp_path / "search.ck", **options)


# ---- these tests can fail --------------------------------------------------------------------------------------


@pytest.mark.parametrize("lesson", ["learn_moves", "learn_component", "learn_moved", "learn_images", "symmetry"])
def test_a_lesson_that_is_left_out_is_noticed(tmp_path, lesson):
    teach = Checkpoint._lesson

    def forgetful(checkpoint, name, args):
        if name != lesson:
            teach(checkpoint, name, args)

    with patch.object(Checkpoint, "_lesson", forgetful), pytest.raises((OptionError, AssertionError)):
        same(tmp_path, lambda: pool_starvation.fixed(downloads=3, workers=2, callback_workers=2), chances=[100])
