"""The exported Promela says what the model says, and the command writes all of it or nothing."""

from __future__ import annotations

import re

import pytest
import small
import toys
from claims import models_named
from exported import asked_for, handed_over
from generated import system, systems
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from simcore import Model
from simcore.command.cli import main
from simcore.errors import OptionError
from simcore.kernel import Kernel
from simcore.model import RULES
from simcore.report.promela.program import promela


def program(model, **options):
    """Return the text without line numbers, which change with this file."""
    return re.sub(r"\.py:\d+\)", ".py)", promela(model, **options).text)


# ---- what the program says -----------------------------------------------------------------------------------


def test_a_program_names_each_variable_each_value_and_each_step():
    assert program(handed_over()) == HANDED_OVER


HANDED_OVER = """\
/* handed over: a model of simcore as a program for Spin.
   exported:handed_over()
   Of time: time-outs and sleeps end when no other step is enabled.

   simcore has met 3 states. In 0 of them no step is enabled and
   somebody must still finish. With the name of this file in the place of FILE,

   spin -a FILE && cc -O2 -DNOREDUCE -DSAFETY -o pan pan.c
   ./pan -c0 -A -m10003

   must tell of as many "states, stored", and count as many errors, all of them invalid end states.
   Without -A it counts, too, how often a process dies of an exception that nobody catches.
   Without -c0 it stops at the first error, and spin -t -p FILE shows how to get there.
   With -DBFS for cc, too, that is a shortest way. */

/* event ready
   1: not set
   2: set */
byte event_ready = 1;

/* process giver
   1: returned None
   2: ready.set() -- give (exported.py) */
byte at_giver = 2;

/* process taker
   1: ready.wait(), for 1 s at most -- take (exported.py)
   2: returned True */
byte at_taker = 1;

active proctype process_giver() {
  do
  /* 2: ready.set() -- give (exported.py) */
  :: d_step { at_giver == 2 && event_ready == 1 -> event_ready = 2; at_giver = 1 }
  od
}

active proctype process_taker() {
  do
  /* 1: ready.wait(), for 1 s at most -- take (exported.py) */
  :: d_step { at_taker == 1 && event_ready == 2 -> at_taker = 2 }
  od
}

/* Nothing is left to do, and nobody must go on: this is no deadlock. */
active proctype good_end() {
  do
  :: timeout && at_giver <= 1
  od
}
"""


@pytest.mark.parametrize(
    ("rule", "guard"),
    [
        ("never", None),
        ("when_stuck", "atomic { at_left == 3 && timeout && lock_b == 3 -> at_left = 5 }"),
        ("in_order", "atomic { at_left == 3 && timeout && clock == 2 && lock_b == 3 -> at_left = 5; clock = 1 }"),
        ("anytime", "d_step { at_left == 3 && lock_b == 3 -> at_left = 5 }"),
    ],
)
def test_a_time_out_follows_the_rule(rule, guard):
    guards = re.findall(r":: (.*at_left .*lock_b == 3 .*)", program(small.impatient(), timeouts=rule))
    assert (guard in guards) if guard else not guards


def test_a_future_that_nobody_mentions_is_dropped_in_the_same_step():
    text = program(asked_for())
    assert (
        "inline drop_0() {\n  if\n  :: task_future_0 != 0 && !(at_main == 3 || at_main == 4 || at_main == 5) -> "
        in text
    )
    assert re.findall(r":: (.*drop_0.*)", text) == [
        "d_step { at_main == 5 && event_gate == 2 -> at_main = 6; drop_0() }"
    ]


def test_a_submit_makes_the_future_of_the_lowest_free_place():
    text = program(toys.nested_futures(roots=2, levels=2, workers=2))
    assert "task_future_0 == 0 -> " in text
    assert "task_future_0 != 0 && task_future_1 == 0 -> " in text


def test_a_future_that_nobody_keeps_has_no_place():
    assert "task_future" not in program(toys.pool_system(requesters=2, workers=2, chunks=1))


def test_a_process_that_never_moves_is_left_out():
    text = program(small.patient(), timeouts="in_order")  # time never passes beside a heartbeat
    assert re.findall(r"active proctype (\w+)", text) == ["process_heartbeat", "good_end"]


def test_a_process_that_dies_fails_an_assertion():
    assert "-> at_use = 3; assert(false) }" in program(small.raising())


def test_names_are_words_of_promela_once_each_whatever_they_were():
    model = Model("a comment /* and its end */ in 'quotes', \N{SNOWMAN}\nand a line")
    first, second, third = (model.lock(name) for name in ("a b", "a_b", "*/ byte"))

    def take(*locks):
        for lock in locks:
            yield lock.acquire()

    model.process("init", take, first, second, third)
    model.process("do", take, second)
    text = promela(model).text
    assert "byte lock_a_b = 1;" in text
    assert "byte lock_a_b_2 = 1;" in text
    assert "byte lock_byte = 1;" in text
    assert "active proctype process_init()" in text
    assert text.startswith("/* a comment / * and its end * / in 'quotes', \\u2603 and a line: a model of simcore")
    assert text.isascii()


def test_the_same_model_gives_the_same_text():
    build = models_named("pool_starvation").buggy
    assert promela(build(downloads=2, workers=2)).text == promela(build(downloads=2, workers=2)).text


def test_a_program_says_how_many_states_and_deadlocks_there_are():
    found = promela(toys.pool_system(requesters=3, workers=2, chunks=1))
    assert (found.states, found.deadlocks) == (1_020, 48)
    assert "simcore has met 1,020 states. In 48 of them" in found.text


def test_a_model_with_more_states_than_allowed_is_refused():
    assert promela(toys.opposed_locks(), max_states=19).states == 19
    with pytest.raises(OptionError, match="more than 18 states"):
        promela(toys.opposed_locks(), max_states=18)


def test_at_least_one_state_must_be_allowed():
    with pytest.raises(OptionError, match="max_states=0"):
        promela(toys.opposed_locks(), max_states=0)


# ---- the command -------------------------------------------------------------------------------------------

SMALL = ("export", "simcore.models.pool_starvation:buggy", "-p", "downloads=1", "-p", "workers=1")


def run(capsys, *arguments):
    with pytest.raises(SystemExit) as left:
        main(arguments)
    printed = capsys.readouterr()
    return left.value.code, printed.out, printed.err


def test_the_command_prints_the_program(capsys):
    model = models_named("pool_starvation").buggy(downloads=1, workers=1)
    status, out, err = run(capsys, *SMALL, "--promela")
    assert (status, err) == (0, "")
    assert out.partition("*/")[2] == promela(model).text.partition("*/")[2]
    assert "simcore.models.pool_starvation:buggy(downloads=1, workers=1, chunks=1)" in out


def test_the_command_writes_the_program_whole(capsys, tmp_path):
    file = tmp_path / "model.pml"
    status, out, _ = run(capsys, *SMALL, "--promela", "--timeouts", "anytime", "--out", str(file))
    assert (status, out) == (0, f"written: {file}, with 6 states, of which 1 are deadlocks\n")
    assert "time-outs and sleeps may end at any moment" in file.read_text()
    assert list(tmp_path.iterdir()) == [file]


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        ((), "say in which language: simcore export --promela MODEL"),
        (("--promela", "--max-states", "3"), "has more than 3 states"),
        (("--promela", "-p", "workers=0"), "cannot be built"),
        (("--promela", "-p", "workers=none"), "write a whole number"),
        (("--promela", "-p", "people=1"), "has no parameter 'people'"),
        (("--promela", "--timeouts", "sometimes"), "'sometimes' is not one of"),
    ],
)
def test_a_mistake_is_one_line_and_leaves_the_file_that_was_there(capsys, tmp_path, arguments, line):
    file = tmp_path / "model.pml"
    file.write_text("before")
    arguments = [*SMALL[:2], *arguments, *SMALL[2:4]] if "-p" in arguments else [*SMALL, *arguments]
    status, out, err = run(capsys, *arguments, "--out", str(file))
    assert (status, out, err.count("\n")) == (2, "", 1)
    assert line in err
    assert file.read_text() == "before"
    assert list(tmp_path.iterdir()) == [file]


@pytest.mark.parametrize("place", ["", "missing/model.pml"])
def test_a_place_that_cannot_be_written_is_one_line(capsys, tmp_path, place):
    status, _, err = run(capsys, *SMALL, "--promela", "--out", str(tmp_path / place))
    assert (status, err.count("\n")) == (2, 1)
    assert "name another one with --out" in err


LEFT_ALONE = """{"lock":1,"event":0,"future":0,"semaphore":[0],"queue":[],"pool":[1],"tasks":[[["sleep",0.02],
["lock",0,null,[["release",0]]]]],"processes":[[["acquire",0,null],["acquire",0,null]],[["submit",0,0],
["acquire",0,null],["lock",0,0,[["acquire",0,null]]]]]}"""


def test_a_task_whose_future_is_dropped_while_it_runs_and_in_no_other_state_is_told():
    """No pool ever has that future in its queue when it is dropped; only a worker goes on alone."""
    assert promela(system(description=LEFT_ALONE), timeouts="never").states == 18


@given(systems(longest=3), st.sampled_from([*RULES]))
@settings(max_examples=20, deadline=None, suppress_health_check=list(HealthCheck))
def test_a_generated_system_is_told_with_all_its_states(model, timeouts):
    try:
        told = promela(model, timeouts=timeouts, max_states=2_000)
    except OptionError:
        assume(False)
    assert told.states == toys.space(Kernel(model, timeouts)).states
