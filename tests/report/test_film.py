"""A film says of each step what the kernel says, and of what nobody knows it says nothing."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import cache

import generated
import pytest
import toys
from held import held
from hypothesis import given, settings
from hypothesis import strategies as st

from simcore import Model, Verdict, control, eventually, execute, explore, simulate, sleep
from simcore.errors import OptionError
from simcore.kernel import Kernel
from simcore.models.pool_starvation import buggy, fixed
from simcore.properties import completes
from simcore.report.page import Film, as_data, film_of, of_model
from simcore.schedule import Schedule
from simcore.simulate import exponential


@cache
def starved():
    """The hang, with as many downloads as workers."""
    return explore(buggy(downloads=4))


def after(film, position):
    """Return the values and the standings after so many steps, as the page works them out."""
    values = {value.thing: value for value in film.values}
    standings = {standing.lane: standing for standing in film.standings}
    for frame in film.frames[:position]:
        values |= {value.thing: value for value in frame.values}
        standings |= {standing.lane: standing for standing in frame.standings}
    return values, standings


def named(film, values):
    """Return what there is by its name, in some order: results of tasks are numbered as they are met."""
    there = [value for value in values.values() if value.text is not None]
    return sorted((film.things[value.thing].name, value.text, value.used, value.items) for value in there)


def agrees(film, kernel, schedule):
    """Compare a film with the kernel, state by state."""
    lanes = [lane.name for lane in film.lanes]
    for position, packed in enumerate(schedule.states(kernel)):
        values, standings = after(film, position)
        state = kernel.view(packed)
        for thing, value in state.values.items():
            if thing.index > 0:
                number = next(n for n, each in enumerate(film.things) if each.name == thing.name and n in values)
                text, _, waiting = values[number].text.partition("; waiting for a notify: ")
                assert text == thing.show(value)
                assert bool(waiting) == bool(getattr(value, "waiters", ()))
        there = [n for n, value in values.items() if value.text is not None and film.things[n].kind == "future"]
        assert len(there) == sum(thing.kind == "future" for thing in state.values)
        if position < len(schedule):
            step = schedule.steps[position]
            enabled = {lanes[lane] for lane, standing in standings.items() if standing.status == "enabled"}
            assert enabled == set(step.enabled)
            shown = film.frames[position]
            assert (lanes[shown.lane], shown.text, shown.result) == (step.process, step.text, step.result)
        for process in state.processes:
            status = standings[lanes.index(process.name)].status
            assert process.done == (status == "done")
            assert (status == "blocked") <= process.blocked


def test_every_state_of_a_film_is_the_kernels():
    found = explore(buggy(downloads=2, workers=2)).counterexample
    agrees(film_of(found), found.kernel, found.schedule)


def test_a_worker_that_a_task_has_killed_has_failed():
    model = Model("dies")
    pool = model.thread_pool("pool", 1)

    def task():
        raise ValueError("no")
        yield

    def submit():
        yield pool.submit(task)

    model.process("submit", submit)
    film = film_of(explore(model))
    _, standings = after(film, len(film.frames))
    assert (standings[0].status, "died of ValueError: no" in standings[0].words) == ("failed", True)
    assert film.answer.startswith("task() died of ValueError: no")


@settings(max_examples=15)
@given(generated.systems(every_kind=True), st.integers(0, 9))
def test_every_state_of_a_film_is_the_kernels_whatever_the_model(model, seed):
    run = simulate(model, seed=seed, max_steps=60)
    kernel = Kernel(model, "anytime")
    agrees(film_of(run), kernel, Schedule.of(kernel, run.path))


def test_the_step_behind_which_it_is_lost_is_told_with_what_it_changed():
    film = film_of(starved())
    assert (film.turn.step, film.turn.exact) == (12, True)
    assert film.frames[11].text == "submits blob_callback(download[3] chunk 0) to stream"
    values, _ = after(film, 12)
    pool = values[0]
    assert (film.things[0].name, pool.used, pool.limit) == ("stream", 0, 4)
    assert pool.items == tuple(f"blob_callback(download[{n}] chunk 0)" for n in range(4))
    values, standings = after(film, len(film.frames))
    assert (values[0].used, values[0].items[0]) == (4, "read_stream(download[0] chunk 0)")
    assert film.knot == tuple(f"stream[{n}]" for n in range(4))
    assert set(film.knot) < set(film.stuck)
    assert standings[0].words == "waits for the result of read_stream(download[0] chunk 0)"


def test_what_hands_over_and_what_lets_go_on_is_known():
    model = Model("post")
    queue, lock = model.queue("queue", 1), model.lock("lock")

    def put():
        yield lock.acquire()
        yield queue.put("a")
        yield queue.put("b")
        yield lock.release()

    def get():
        yield queue.get()
        yield queue.get()
        yield lock.acquire()

    model.process("put", put)
    model.process("get", get)
    kernel = Kernel(model)
    path = [(0, 0), (0, 0), (1, 0), (0, 0), (1, 0), (0, 0), (1, 0)]
    film = film_of(replace(Schedule.of(kernel, path), origin=None))
    assert film.values == ()  # its model cannot be built from a name
    shown = of_model.with_path(film, kernel, path)
    assert [frame.comes_from for frame in shown.frames] == [
        (),
        (),
        ((2, "hands over"),),
        ((3, "lets it go on"),),
        ((4, "hands over"),),
        (),
        ((6, "lets it go on"),),
    ]


def test_what_is_put_by_time_alone_comes_from_no_step():
    model = Model("gives up")
    event = model.event("event")

    def wait():
        yield event.wait(timeout=1.0)

    model.process("waiter", wait)
    film = film_of(simulate(model))
    assert [frame.comes_from for frame in film.frames] == [()]
    assert film.frames[0].time == 1.0
    assert film.standings[0].status == "limited"
    assert film.standings[0].words == "waits for event to be set, at most 1 s"


@pytest.mark.parametrize(
    ("timeouts", "stands"),
    [
        ("never", ("blocked", "waits for event to be set")),
        ("when_stuck", ("limited", "waits for event to be set, at most 1 s")),
    ],
)
def test_a_time_out_that_never_fires_is_no_limit_of_a_wait(timeouts, stands):
    model = Model("gives up")
    event, lock = model.event("event"), model.lock("lock")

    def wait():
        yield event.wait(timeout=1.0)

    def hang():
        yield lock.acquire()
        yield lock.acquire()

    model.process("waiter", wait)
    model.process("hangs", hang)
    film = film_of(explore(model, timeouts=timeouts))
    assert (film.standings[0].status, film.standings[0].words) == stands


def test_a_sleep_ends_where_no_time_out_fires():
    model = Model("sleeps")
    lock = model.lock("lock")

    def nap():
        yield sleep(1.0)
        yield lock.acquire()
        yield lock.acquire()

    def count():
        yield lock.acquire()
        yield lock.release()

    model.process("napper", nap)
    model.process("counter", count)
    film = film_of(explore(model, timeouts="never"))
    assert film.standings[0].status == "limited"


def test_a_proof_has_no_schedule():
    result = explore(fixed(downloads=1, workers=1))
    film = film_of(result)
    assert (film.verdict, film.frames, film.drawing.nodes) == ("holds", (), ())
    assert f"{result.states:,} states" in film.facts[0]
    assert set(result.notes) <= set(film.facts)


def test_what_is_undetermined_says_why():
    film = film_of(explore(buggy(), max_states=10))
    assert film.verdict == "undetermined"
    assert any("undetermined because" in fact for fact in film.facts)


def test_a_lasso_says_from_where_on():
    model = fixed(downloads=1, workers=1, callback_workers=1, chunks=None)
    found = explore(model, completes("download")).counterexample
    film = film_of(found)
    assert film.lasso == len(found.schedule)
    assert len(film.frames) == len(found.schedule) + len(found.lasso)
    assert film.knot == film.stuck == ()


def test_a_run_that_stops_is_no_lasso():
    found = explore(buggy(downloads=1, workers=1), eventually(lambda state: state.process("download[0]").done, "done"))
    assert found.counterexample.lasso.steps == ()
    film = film_of(found)
    assert film.lasso is None
    assert "and then nothing, for ever" in film.why


def test_a_simulation_has_its_clock():
    film = film_of(simulate(buggy(downloads=2, workers=2), latency={"download[*]": exponential(0.5)}, seed=3))
    times = [frame.time for frame in film.frames]
    assert film.seconds == "virtual"
    assert times == sorted(times)
    assert times[-1] > 0
    assert of_model.ONE_RUN in film.facts


def test_a_real_run_that_is_explained_has_values_and_seconds():
    schedule = explore(buggy(downloads=1, workers=1)).counterexample.schedule
    run = execute(buggy(downloads=1, workers=1), schedule=schedule)
    film = film_of(run)
    assert (film.verdict, film.seconds) == ("stuck", "real")
    assert all(frame.time is not None for frame in film.frames)
    assert film.values
    assert film.knot == ("stream[0]",)


def test_of_a_real_run_that_is_not_explained_no_values_are_invented():
    run = execute(toys.opposed_locks())
    film = film_of(replace(run, explained=None, path=(), unexplained="no interleaving was found in 9 steps"))
    assert (film.values, film.standings, film.things) == ((), (), ())
    assert [frame.values for frame in film.frames] == [()] * run.steps
    assert any("stand as they were seen" in fact for fact in film.facts)


def test_of_code_threads_and_places_are_known_and_what_its_locks_held():
    result = held()["Controlled"]
    film = film_of(result)
    assert result.verdict is Verdict.VIOLATED
    assert {thing.kind for thing in film.things} == {"lock"}
    assert [value.text for frame in film.frames for value in frame.values].count("free") == 2  # before they are taken
    assert len(film.frames) == len(result.violation.steps)
    assert all("threaded.py" in frame.place for frame in film.frames if frame.place)
    assert len(film.knot) == 2
    assert film.replay.endswith(result.violation.token)


def test_code_in_which_nothing_was_found_is_told_as_that():
    film = film_of(control(lambda: None, schedules=3))
    assert (film.verdict, film.answer, film.frames) == ("undetermined", "no violation in 3 schedules", ())


def test_of_a_very_long_run_the_last_steps_are_shown(monkeypatch):
    found = explore(buggy(downloads=2, workers=2)).counterexample
    whole = film_of(found)
    monkeypatch.setattr(of_model, "MOST_STEPS", 4)
    film = film_of(found)
    assert (film.first, len(film.frames)) == (len(whole.frames) - 4, 4)
    for position in range(5):
        values, standings = after(film, position)
        those, stand = after(whole, film.first + position)
        assert standings == stand
        assert named(film, values) == named(whole, those)
    assert {step for frame in film.frames for step, _ in frame.comes_from} <= {7, 8, 9, 10}
    assert f"the last 4 of {len(whole.frames)} steps are shown" in film.facts


def test_each_waits_for_the_result_of_its_own_task():
    model = Model("many tasks")
    pool, never = model.thread_pool("pool", 1), model.event("never")

    def task(number):
        yield never.wait()

    def client(number):
        future = yield pool.submit(task, number)
        yield future.result()

    for number in range(12):
        model.process(f"client[{number}]", client, number)
    film = film_of(simulate(model))
    _, standings = after(film, len(film.frames))
    for number in range(12):
        lane = [each.name for each in film.lanes].index(f"client[{number}]")
        assert standings[lane].words == f"waits for the result of task({number})"


def test_servers_that_wait_for_work_are_no_knot():
    found = explore(fixed(downloads=1, workers=1, callback_workers=1, chunks=None), completes("download"))
    assert not any(node.knot for node in film_of(found).drawing.nodes)


def test_what_is_alike_is_one_box_where_there_would_be_too_many():
    drawing = film_of(starved()).drawing
    boxes = {node.lines: node.count for node in drawing.nodes if node.knot}
    assert boxes[("stream[0..3]", "blob_callback(download[0..3] chunk 0)")] == 4
    assert boxes[("stream", "4 of 4 in use")] == 1
    few = film_of(explore(toys.opposed_locks())).drawing
    assert sorted(node.lines[0] for node in few.nodes) == ["a", "b", "left", "right"]
    assert len(few.arrows) == 4


def test_texts_are_cut_and_clean_but_for_the_token():
    long = "x" * 1_000
    shown = Film("a\x1b[31m\u202eb", "violated", long, token=long, text="\ud800 &\n")
    data = as_data(shown)
    assert data["title"] == r"a\x1b[31m\u202eb"
    assert data["answer"] == "x" * 400 + "... (1,000 characters)"
    assert data["token"] == long
    assert data["text"] == "\\ud800 &\n"
    json.dumps(data).encode()


def test_only_answers_are_shown():
    with pytest.raises(OptionError, match=r"a page shows Result, .*, not a int"):
        film_of(3)
