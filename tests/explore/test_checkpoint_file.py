"""A search that a limit has stopped goes on from its file; the file of anything else is refused, and left alone."""

import sys
from dataclasses import replace
from functools import partial
from unittest.mock import patch

import pytest
import toys
from kept import told

from simcore import Model, Verdict, always, explore
from simcore.errors import OptionError
from simcore.explore.checkpoint import Checkpoint
from simcore.models import pool_starvation

WHOLE = {"symmetry": False, "partial_order": False}
explore_module = sys.modules[explore.__module__]
checkpoint_module = sys.modules[Checkpoint.__module__]
limits_module = sys.modules["simcore.explore.limits"]


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


@pytest.mark.some(6)
@pytest.mark.parametrize(("options", "fast_after"), LOOPS.values(), ids=LOOPS)
def test_what_was_met_before_a_limit_is_kept_however_soon_the_limit_comes(tmp_path, monkeypatch, options, fast_after):
    monkeypatch.setattr(explore_module, "FAST_AFTER", fast_after)
    file = tmp_path / "search.ck"
    build = partial(pool_starvation.fixed, downloads=2, workers=2, callback_workers=3)
    once = explore(build(), **options)
    for limit in (*range(1, once.states, once.states // 11), None):
        before = file.exists()
        result = explore(build(), checkpoint=file, max_states=limit, **options)
        assert file.exists() == (limit is not None)
        resumed = [note for note in result.notes if note.startswith("resumed at ")]
        assert bool(resumed) == before
    assert told(result) == told(once)


def pointless(result):
    """Return ``result`` without the point of no return, for which the last round may have had no time."""
    found = result.counterexample
    return result if found is None else replace(result, counterexample=replace(found, no_return=None))


@pytest.mark.slow
@pytest.mark.some(2)
@pytest.mark.parametrize(("options", "seconds"), [({}, 0.1), (WHOLE, 0.1)], ids=["reduced", "whole"])
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
    assert told(pointless(result)) == told(pointless(once))


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
    with pytest.raises(
        OptionError, match=r"search\.ck: no checkpoint, or damaged; name another file, or remove it to begin anew"
    ):
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
