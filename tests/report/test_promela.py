"""The exported Promela: what it says, and that Spin, which shares no code with us, finds the same states in it."""

from __future__ import annotations

import importlib
import pkgutil
import re

import pytest
import small
import toys
from generated import systems
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from run_spin import MISSING, run_spin

from simcore import Model, Verdict, models, sleep
from simcore.command.cli import main
from simcore.errors import OptionError
from simcore.kernel import Kernel
from simcore.model import claims_of
from simcore.report.promela.program import promela

slow = pytest.mark.slow
RULES = ("never", "when_stuck", "in_order", "anytime")


def program(model, **options):
    """Return the text without line numbers, which change with this file."""
    return re.sub(r"\.py:\d+\)", ".py)", promela(model, **options).text)


def handed_over() -> Model:
    """One process waits at most a second for an event that the other one sets."""
    model = Model("handed over")
    ready = model.event("ready")

    def give():
        yield ready.set()

    def take():
        return (yield ready.wait(timeout=1.0))

    model.process("giver", give)
    model.process("taker", take, daemon=True)
    return model


def asked_for(*, given_up: bool = False, dies: bool = False) -> Model:
    """A process takes the result of a task, or gives up its future while the task may be anywhere."""
    model = Model("asked for")
    pool, gate = model.thread_pool("workers", 1), model.event("gate")

    def task():
        yield gate.wait()
        if dies:
            raise ValueError("of a bad value")
        return "done"

    def ask():
        future = yield pool.submit(task)
        yield gate.set()
        if not given_up:
            yield future.exception()
        yield gate.is_set()
        del future
        yield gate.is_set()

    model.process("main", ask)
    return model


# ---- what the program says -----------------------------------------------------------------------------------


def test_a_program_names_each_variable_each_value_and_each_step():
    assert program(handed_over()) == HANDED_OVER


HANDED_OVER = """\
/* handed over: a model of simcore as a program for Spin.
   test_promela:handed_over()
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
   2: ready.set() -- give (test_promela.py) */
byte at_giver = 2;

/* process taker
   1: ready.wait(), for 1 s at most -- take (test_promela.py)
   2: returned True */
byte at_taker = 1;

active proctype process_giver() {
  do
  /* 2: ready.set() -- give (test_promela.py) */
  :: d_step { at_giver == 2 && event_ready == 1 -> event_ready = 2; at_giver = 1 }
  od
}

active proctype process_taker() {
  do
  /* 1: ready.wait(), for 1 s at most -- take (test_promela.py) */
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
        (("--promela", "-p", "workers=none"), "cannot be built"),
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


# ---- what Spin finds in it ---------------------------------------------------------------------------------


@pytest.fixture
def spin():
    """Spin must be there: a second opinion that was not asked is none."""
    if MISSING:
        pytest.fail(MISSING)


def check(model, timeouts="when_stuck", max_states=None):
    """Compare the states and the deadlocks that Spin finds with those of a plain search; return their numbers."""
    found = promela(model, timeouts=timeouts, max_states=max_states)
    space = toys.space(Kernel(model, timeouts))
    assert (found.states, found.deadlocks) == (space.states, len(space.deadlocks))
    spin = run_spin(found.text)
    assert (spin.states, spin.errors) == (space.states, len(space.deadlocks))
    return spin.states, spin.errors


def models_named(name):
    return importlib.import_module(f"simcore.models.{name}")


COUNTED = {
    "opposed locks": (toys.opposed_locks, 19, 1),
    "two-phase commit, 3": (lambda: toys.two_phase_commit(n=3), 288, 0),
    "two-phase commit, 5": (lambda: toys.two_phase_commit(n=5), 8_832, 0),  # in arrays of more than one part
    "philosophers, 7": (lambda: toys.philosophers(n=7), 478, 1),
    "philosophers who release one by one, 7": (lambda: toys.philosophers(n=7, together=False), 2_186, 1),
    "philosophers with a global order, 7": (lambda: toys.philosophers(n=7, ordered=True), 408, 0),
    "philosophers with one meal, 6": (lambda: toys.philosophers(n=6, cyclic=False), 2_041, 1),
    "bounded buffer, 1 1 1": (lambda: toys.bounded_buffer(producers=1, consumers=1, capacity=1), 8, 0),
    "bounded buffer, 2 2 3": (lambda: toys.bounded_buffer(producers=2, consumers=2, capacity=3), 216, 0),
    "bounded buffer, 3 3 3": (lambda: toys.bounded_buffer(producers=3, consumers=3, capacity=3), 698, 0),
    "bounded buffer, mutex first, 3 3 3": (
        lambda: toys.bounded_buffer(producers=3, consumers=3, capacity=3, mutex_first=True),
        504,
        6,
    ),
    "pool system before, 2 1 1": (lambda: toys.pool_system(requesters=2, workers=1, chunks=1), 15, 4),
    "pool system before, 4 2 1": (lambda: toys.pool_system(requesters=4, workers=2, chunks=1), 8_061, 456),
    "pool system before, 4 2 2": (lambda: toys.pool_system(requesters=4, workers=2, chunks=2), 99_273, 5_856),
    "pool system before, 4 4 1": (lambda: toys.pool_system(requesters=4, workers=4, chunks=1), 132_873, 576),
    "pool system after, 2 2 1": (
        lambda: toys.pool_system(requesters=2, workers=2, chunks=1, callback_workers=2),
        551,
        0,
    ),
    "pool system after, 3 2 1": (
        lambda: toys.pool_system(requesters=3, workers=2, chunks=1, callback_workers=2),
        10_380,
        0,
    ),
    "pool system after, 4 2 1": (
        lambda: toys.pool_system(requesters=4, workers=2, chunks=1, callback_workers=2),
        188_685,
        0,
    ),
}


@slow
@pytest.mark.usefixtures("spin")
@pytest.mark.parametrize("name", COUNTED)
def test_spin_counts_what_every_tool_has_counted(name):
    build, states, deadlocks = COUNTED[name]
    assert check(build()) == (states, deadlocks)


@slow
@pytest.mark.usefixtures("spin")
@pytest.mark.parametrize(("roots", "levels", "workers"), [(1, 2, 1), (1, 2, 2), (2, 2, 2), (2, 2, 3), (2, 3, 2)])
def test_spin_sees_nested_futures_hang_exactly_with_too_few_workers(roots, levels, workers):
    _, deadlocks = check(toys.nested_futures(roots=roots, levels=levels, workers=workers))
    assert bool(deadlocks) == (workers <= roots * (levels - 1))


def returned_futures(*, tasks: int = 2, looked_at: bool = True) -> Model:
    """Tasks return the futures of tasks that they have submitted: one that nobody has looked at drops the other."""
    model = Model("returned futures")
    pool = model.thread_pool("pool", 2)

    def inner(number):
        yield from ()
        return number

    def outer(number):
        return ((yield pool.submit(inner, number)), number)

    def ask():
        for number in range(tasks):
            future = yield pool.submit(outer, number)
            if looked_at:
                inside, _ = yield future.result()
                yield inside.result()
            else:
                yield future.exception()

    model.process("main", ask)
    return model


def futures_in_a_queue(*, tasks: int = 2) -> Model:
    """Each task takes a future from a queue, some task's own perhaps, and returns it: futures that mention futures."""
    model = Model("futures in a queue")
    pool, queue = model.thread_pool("pool", 2), model.queue("futures")

    def task():
        return (yield queue.get())

    def ask():
        for _ in range(tasks):
            future = yield pool.submit(task)
            yield queue.put(future)
        yield pool.shutdown()

    model.process("main", ask)
    return model


def thrown_away(submits: int) -> Model:
    """A process submits again and again, and gives up each future with the next submit; the last one at once."""
    model = Model("thrown away")
    pool = model.thread_pool("pool", 1)

    def task():
        yield sleep(0.1)

    def begin():
        future = None
        for _ in range(submits):
            future = yield pool.submit(task)
        return future is None

    model.process("main", begin)
    model.process("late", begin)
    return model


FUTURES = {
    "asked for": asked_for,
    "given up": lambda: asked_for(given_up=True),
    "of a task that dies": lambda: asked_for(dies=True),
    "of a task that dies, given up": lambda: asked_for(given_up=True, dies=True),
    "returned": returned_futures,
    "returned, three": lambda: returned_futures(tasks=3),
    "returned, not looked at": lambda: returned_futures(looked_at=False),
    "thrown away two at once": lambda: thrown_away(2),
    "in a queue": futures_in_a_queue,
    "in a queue, three": lambda: futures_in_a_queue(tasks=3),
    "nested": lambda: small.nested_submit(workers=2, tasks=2),
}


@slow
@pytest.mark.usefixtures("spin")
@pytest.mark.parametrize("name", FUTURES)
def test_spin_drops_futures_as_the_kernel_does(name):
    check(FUTURES[name]())


def naps() -> Model:
    """Sleeps, a timer and a wait whose order the clock decides."""
    model = Model("naps")
    fired = model.event("fired")

    def fire():
        yield fired.set()

    timer = model.timer("timer", 2.0, fire)

    def nap(seconds):
        yield sleep(seconds)
        yield timer.cancel()

    def begin():
        yield timer.start()
        yield fired.wait(timeout=3.0)

    model.process("begin", begin)
    model.process("short", nap, 1.0)
    model.process("long", nap, 5.0)
    return model


@slow
@pytest.mark.usefixtures("spin")
@pytest.mark.parametrize("timeouts", RULES)
@pytest.mark.parametrize("build", [naps, small.impatient, small.patient, handed_over])
def test_spin_lets_time_pass_by_the_same_rule(build, timeouts):
    check(build(), timeouts)


@slow
@pytest.mark.usefixtures("spin")
@pytest.mark.parametrize("build", [small.raising, lambda: asked_for(given_up=True, dies=True)])
def test_spin_counts_the_steps_in_which_somebody_dies(build):
    kernel = Kernel(build())
    states = toys.space(kernel).distance
    steps = [(before, choice.state) for before in states for choice in kernel.successors(before)]
    deaths = [step for step in steps if kernel.failed(step[0]) is None and kernel.failed(step[1]) is not None]
    assert deaths
    assert run_spin(promela(build()).text, search=("-E",)).errors == len(deaths)  # invalid end states are left out


@slow
@pytest.mark.usefixtures("spin")
@pytest.mark.parametrize("build", [toys.opposed_locks, small.impatient, asked_for])
def test_spin_may_search_breadth_first_where_no_array_is_needed(build):
    found = promela(build())
    assert "With -DBFS" in found.text
    spin = run_spin(found.text, compiler=("-O0", "-DBFS"))
    assert (spin.states, spin.errors) == (found.states, found.deadlocks)


def quick_claims():
    """Yield every quick claim about deadlocks, and the first two of each model, once for each size and rule."""
    seen = set()
    for found in pkgutil.iter_modules(models.__path__):
        claims = claims_of(models_named(found.name)) if not found.ispkg else ()
        for number, claim in enumerate(claims):
            size = (claim.function, *claim.parameters.items(), claim.timeouts)
            about = claim.property.kind in ("deadlock", "finish") or number < 2
            if about and not claim.slow and size not in seen:
                seen.add(size)
                yield pytest.param(claim, id=f"{claim.function}-{claim.id}-{len(seen)}")


@slow
@pytest.mark.usefixtures("spin")
@pytest.mark.parametrize("claim", list(quick_claims()))
def test_spin_agrees_on_every_model_that_is_claimed_something_about(claim):
    deadlocks, refused = 0, ""
    try:
        _, deadlocks = check(claim.build(), claim.timeouts, max_states=100_000)
    except OptionError as error:
        refused = str(error)
    assert not refused or "has more than 100,000 states" in refused  # too large to be met as a whole
    if claim.property.kind == "deadlock" and deadlocks:
        assert claim.expected is Verdict.VIOLATED


@slow
@pytest.mark.usefixtures("spin")
@given(model=systems(), timeouts=st.sampled_from(RULES))
@settings(max_examples=50, deadline=None, suppress_health_check=list(HealthCheck))
def test_spin_agrees_on_generated_systems(model, timeouts):
    try:
        check(model, timeouts, max_states=20_000)
    except OptionError:
        assume(False)
