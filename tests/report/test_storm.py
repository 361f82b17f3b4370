"""Who solves the chain that is written for Storm, without us, comes to the odds; the command writes all or nothing."""

from __future__ import annotations

from fractions import Fraction
from functools import partial

import pytest
from drn import Chain, reaches, read
from generated import descriptions, system
from hypothesis import HealthCheck, assume, given, seed, settings
from hypothesis import strategies as st
from toys import nested_futures, opposed_locks, philosophers, pool_system

from simcore import Model, ModelError, choose, odds, sleep
from simcore.command.cli import main
from simcore.errors import OptionError
from simcore.model import RULES
from simcore.report.storm import storm

ONE_MEAL = {2: (1, 2), 3: (1, 3), 4: (11, 48), 5: (19, 120)}


def gambler(*, start: int = 1, goal: int = 4) -> Model:
    """Goes up or down with the same chance, so that states lead back to each other; hangs at 0, ends at the goal."""
    model = Model("gambler")
    lock = model.lock("lock")

    def play():
        at = start
        while 0 < at < goal:
            at += yield choose(-1, 1)
        if at == 0:
            yield lock.acquire()
            yield lock.acquire()

    model.process("gambler", play)
    return model


def uneven() -> Model:
    """Hangs at three of four outcomes, one of which it has twice, and dies at the fourth."""
    model = Model("uneven")
    lock = model.lock("lock")

    def main():
        if (yield choose("hang", "hang too", "hang", "die")) == "die":
            raise ValueError("dead")
        yield lock.acquire()
        yield lock.acquire()

    model.process("main", main)
    return model


def hanging_and_dying() -> Model:
    """One hangs in one of two cases, another one dies in one of two."""
    model = opposed_locks()

    def main():
        if (yield choose("live", "die")) == "die":
            raise ValueError("dead")

    model.process("main", main)
    return model


def chain_of(model: Model, **options) -> Chain:
    return read(storm(model, **options).text)


# ---- the same odds -------------------------------------------------------------------------------------


@pytest.mark.parametrize("n", ONE_MEAL)
def test_philosophers_who_eat_once(n):
    chain = chain_of(philosophers(n=n, cyclic=False))
    assert reaches(chain, "hang") == Fraction(*ONE_MEAL[n])
    assert reaches(chain, "done") == 1 - Fraction(*ONE_MEAL[n])


@pytest.mark.parametrize(
    "model",
    [
        opposed_locks,
        gambler,
        partial(gambler, start=3, goal=7),
        uneven,
        hanging_and_dying,
        partial(philosophers, n=3),
        partial(philosophers, n=3, ordered=True),
        partial(nested_futures, roots=2, levels=2, workers=2),
        partial(pool_system, requesters=2, workers=1, chunks=1),
        partial(pool_system, requesters=2, workers=1, chunks=1, callback_workers=1),
    ],
)
def test_the_chain_solved_without_us_has_the_odds(model):
    written, found = storm(model()), odds(model())
    chain = read(written.text)
    assert reaches(chain, "hang") == found.probability
    assert reaches(chain, "raised") == found.dies
    assert len(chain.rows) == written.states == found.states
    assert written.labels == {
        label: sum(label in each for each in chain.labels) for label in ("init", "hang", "done", "raised")
    }


def test_the_gambler_is_ruined_as_he_is_known_to_be():
    assert reaches(chain_of(gambler(start=2, goal=5)), "hang") == Fraction(3, 5)


def test_a_run_is_done_hangs_or_has_died():
    chain = chain_of(hanging_and_dying())
    assert reaches(chain, "done") == Fraction(1, 4)
    assert reaches(chain, "hang") == Fraction(1, 2)
    assert reaches(chain, "raised") == Fraction(1, 2)
    assert not any("done" in each and each & {"hang", "raised"} for each in chain.labels)


def test_what_leads_to_one_state_by_two_steps_is_there_once():
    chain = chain_of(uneven())
    assert sorted(chain.rows[0].values()) == [Fraction(1, 4), Fraction(3, 4)]


@seed(0)
@settings(max_examples=15, deadline=None, database=None, suppress_health_check=list(HealthCheck))
@given(descriptions(longest=2, every_kind=True), st.sampled_from(list(RULES)))
def test_random_systems_have_the_same_odds(description, timeouts):
    try:
        found = odds(system(description=description), timeouts=timeouts, max_states=150, runs=1)
    except ModelError:
        assume(False)
    assume(found.exact)
    chain = chain_of(system(description=description), timeouts=timeouts, max_states=150)
    assert (reaches(chain, "hang"), reaches(chain, "raised")) == (found.probability, found.dies)


def test_the_file_is_as_it_is_known_to_be():
    assert storm(opposed_locks()).text.startswith(
        "// opposed locks; time-outs: when_stuck\n"
        "// every enabled step with the same probability\n"
        "// init: 1 of the states\n"
    )
    assert storm(uneven()).text.partition("@type")[2].partition("state 1")[0] == (
        ": DTMC\n@parameters\n\n@reward_models\n\n@nr_states\n4\n@nr_choices\n4\n@model\n"
        "state 0 init\n\taction 0\n\t\t1 : 3/4\n\t\t2 : 1/4\n"
    )


# ---- what cannot be written ----------------------------------------------------------------------------


def bored() -> Model:
    """Sleeps beside somebody who never stops, so that no time passes."""
    model = Model("bored")
    event = model.event("beat")

    def beat():
        while True:
            yield event.set()
            yield event.clear()

    def main():
        yield sleep(1.0)

    model.process("heart", beat, daemon=True)
    model.process("main", main)
    return model


def test_what_is_not_known_is_not_written():
    with pytest.raises(OptionError, match="has no such chain"):
        storm(bored())
    assert reaches(chain_of(bored(), timeouts="anytime"), "done") == 0  # as the heartbeat goes on


@pytest.mark.parametrize("options", [{"max_states": 18}, {"max_states": 0}, {"timeouts": "soon"}])
def test_a_limit_and_a_mistake_are_errors(options):
    with pytest.raises(OptionError):
        storm(opposed_locks(), **options)


@pytest.mark.parametrize("name", ["a\n@type: MDP\n", "\x1b[31m", "x" * 10_000, "漢字"])
def test_a_name_stays_in_its_comment(name):
    model = Model(name)

    def main():
        yield from ()

    model.process("main", main)
    text = storm(model).text
    assert read(text).labels == [{"init", "done"}]
    assert max(map(len, text.split("\n"))) <= 203
    assert "\x1b" not in text


# ---- the command ---------------------------------------------------------------------------------------

SMALL = ("export", "nested_futures:one_pool", "-p", "roots=1", "-p", "workers=1")


def run(capsys, *arguments):
    with pytest.raises(SystemExit) as left:
        main(arguments)
    printed = capsys.readouterr()
    return left.value.code, printed.out, printed.err


def test_the_command_writes_the_chain_whole(capsys, tmp_path):
    file = tmp_path / "chain.drn"
    status, out, err = run(capsys, *SMALL, "--storm", str(file))
    assert (status, err) == (0, "")
    assert out == f"written: {file}, with 4 states: 1 init, 3 hang\n"
    assert reaches(read(file.read_text()), "hang") == 1
    assert list(tmp_path.iterdir()) == [file]


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (("--out", "other.drn"), "--out is the file of --promela"),
        (("--max-states", "3"), "has more than 3 states"),
    ],
)
def test_a_mistake_is_one_line_and_leaves_the_file_that_was_there(capsys, tmp_path, arguments, line):
    file = tmp_path / "chain.drn"
    file.write_text("before")
    status, out, err = run(capsys, *SMALL, "--storm", str(file), *arguments)
    assert (status, out, err.count("\n")) == (2, "", 1)
    assert line in err
    assert file.read_text() == "before"
    assert list(tmp_path.iterdir()) == [file]


def test_a_place_that_cannot_be_written_is_one_line(capsys, tmp_path):
    status, _, err = run(capsys, *SMALL, "--storm", str(tmp_path / "missing" / "chain.drn"))
    assert (status, err.count("\n")) == (2, 1)
    assert "name another one with --storm" in err
