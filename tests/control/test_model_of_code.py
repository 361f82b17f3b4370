"""What was seen of code comes out as a model that runs: it hangs as the code does, and says what it leaves out."""

import contextlib
import os
import pickle
import queue
import subprocess
import sys
import threading
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from functools import partial
from pathlib import Path

import pytest
import threaded
import threaded_fine

from simcore import Verdict, control, explore
from simcore.control import conforms, replay
from simcore.errors import OptionError

PROGRAMS = {
    "nested submit": (threaded.nested_submit, {"workers": 2}),
    "opposed locks": (threaded.opposed_locks, {"opposed": False}),
    "lost wake-up": (threaded.lost_wake_up, {"tested_inside": True}),
    "semaphore twice": (threaded.semaphore_twice, {"permits": 3}),
    "bounded queue": (threaded.connections_twice, {"connections": 3}),
    "two pools": (threaded.two_pools, {"workers": 2}),
    "a done-callback": (threaded.waiting_callback, {"waits": False}),
    "nested deeper": (threaded.nested_deeper, {"workers": 3}),
    "a knot beside a heartbeat": (threaded.knot_beside_a_heartbeat, {"opposed": False}),
    "a handler of logging": (threaded.logging_handler, {"waits": False}),
}


def built(result):
    """Run the source of a skeleton, and build its model."""
    namespace = {}
    exec(compile(result.model(), "skeleton", "exec"), namespace)
    return namespace["skeleton"]()


def lines(body, **options):
    """Return what stands in the skeleton of code that does not hang, without the places."""
    source = control(body, **{"schedules": 1, **options}).model()
    return [line.partition("  #")[0].strip() for line in source.splitlines()]


@pytest.mark.some(20)
@pytest.mark.parametrize(("body", "repair"), PROGRAMS.values(), ids=PROGRAMS)
def test_the_model_of_what_was_seen_hangs_as_the_code_does_and_its_repaired_twin_holds(body, repair):
    hangs = control(body, schedules=100)
    assert hangs.verdict is Verdict.VIOLATED
    found = explore(built(hangs))
    assert found.verdict is Verdict.VIOLATED
    assert found.counterexample.property == "deadlock free"
    fixed = control(partial(body, **repair), schedules=3)
    assert fixed.verdict is Verdict.UNDETERMINED
    assert explore(built(fixed)).verdict is Verdict.HOLDS


READS = """\
def skeleton() -> Model:
    model = Model("nested_submit(workers=2), as it was seen")
    pool = model.thread_pool("pool", 2)

    def inner():
        yield from ()

    def outer():
        future = yield pool.submit(inner)  # threaded.py:38
        yield future.result()  # threaded.py:38

    def main():
        future = yield pool.submit(outer)  # threaded.py:40
        yield future.result()  # threaded.py:40
        yield pool.shutdown()  # threaded.py:32

    model.process("main", main)
    return model
"""


def test_a_skeleton_reads_as_a_model_does():
    source = control(partial(threaded.nested_submit, workers=2), schedules=1).model()
    assert source.partition("from simcore import Model\n\n\n")[2] == READS


def test_a_release_stands_where_it_was_done():
    lock, told = threading.Lock(), queue.Queue()

    def body():
        with lock:
            told.put(1)
        told.get()

    found = lines(body)
    steps = [line.partition(".")[2] for line in found if line.startswith("yield")]
    assert steps == ["acquire()", 'put("item")', "release()", "get()"]


@pytest.mark.slow
def test_threads_that_do_the_same_are_one_generator_and_those_that_do_not_are_several():
    def body(alike):
        lock, other = threading.Lock(), threading.Lock()

        def work(mine):
            with mine:
                pass

        threaded.together(partial(work, lock), partial(work, lock if alike else other), names=("one", "two"))

    assert [line for line in lines(partial(body, True)) if line.startswith("def work")] == ["def work(ended):"]
    several = [line for line in lines(partial(body, False)) if line.startswith("def work")]
    assert several == ["def work(ended):", "def work_2(ended):"]


def test_a_run_that_came_to_its_end_says_how_a_hang_would_have_gone_on():
    source = control(threaded.opposed_locks).model()
    assert "made of a run that hangs" in source
    assert source.count("yield left.release()") == source.count("yield right.release()") == 2


def test_what_was_not_seen_to_go_on_is_said():
    source = control(threaded.nested_submit).model()
    assert "# was not seen to begin" in source
    assert source.count("# was not seen to go on from here") == 2


@pytest.mark.slow
def test_a_task_goes_on_as_one_that_began_alike_and_was_seen_to_its_end():
    def body():
        with ThreadPoolExecutor(1, thread_name_prefix="pool") as pool:
            lock = threading.Lock()

            def inner():
                with lock:
                    pass

            pool.submit(inner).result()
            pool.submit(lambda: pool.submit(inner).result()).result()

    result = control(body, schedules=20)
    source = result.model()
    assert "Taken for granted:\n* " in source
    assert "inner() goes on as it did where it was seen to its end" in source
    assert source.count("def inner") == 1
    assert explore(built(result)).verdict is Verdict.VIOLATED


def test_a_loop_stands_as_often_as_it_was_seen():
    def body():
        todo = queue.Queue()
        for _ in range(5):
            todo.put(1)
            todo.get()

    source = control(body, schedules=1).model()
    assert "for _ in range(5):  # as often as it was seen" in source
    assert source.count(".put(") == 1
    assert "Seen several times, one after the other:\n* test_model_of_code.py:" in source
    assert explore(built(control(body, schedules=1))).verdict is Verdict.HOLDS


def told_by_a_timer():
    event = threading.Event()
    timer = threading.Timer(2, event.set)
    timer.start()
    event.wait()
    timer.join()


@pytest.mark.some(3)
@pytest.mark.parametrize("timeouts", ["never", "when_stuck", "in_order"])
def test_a_timer_comes_to_its_time_under_each_rule(timeouts):
    seen = control(told_by_a_timer, timeouts=timeouts, schedules=5)
    assert explore(built(seen), timeouts=timeouts).verdict is Verdict.HOLDS, seen.model()
    assert conforms(seen, built(seen)).verdict is Verdict.HOLDS


def test_a_future_that_somebody_else_asks_for_is_an_object():
    def body():
        with ThreadPoolExecutor(2, thread_name_prefix="pool") as pool:
            future = pool.submit(int)
            threaded.together(lambda: future.result(), names=("asks",))

    found = lines(body)
    assert 'result_of_int = model.future("result of int_")' in found
    assert "yield result_of_int.set_result(None)" in found
    assert explore(built(control(body, schedules=1))).verdict is Verdict.HOLDS


@pytest.mark.slow
def test_a_future_of_the_program_and_a_thread_that_is_started_late():
    def body():
        promise, first = Future(), threading.Lock()
        with first:
            pass
        threaded.together(lambda: promise.set_result(1), names=("sets",))
        promise.result()

    found = lines(body)
    assert 'promise = model.future("promise")' in found
    assert "yield start_of_sets.set()" in found
    assert "yield started.wait()" in found
    assert explore(built(control(body, schedules=1))).verdict is Verdict.HOLDS


def leaves_much_out():
    stop, todo, lock = threading.Event(), queue.LifoQueue(), threading.Lock()
    stop.wait(2)
    with contextlib.suppress(queue.Empty):
        todo.get(timeout=3)
    with contextlib.suppress(queue.Empty):
        todo.get_nowait()
    todo.put(1)
    todo.task_done()
    todo.join()
    if lock.acquire(timeout=4):
        lock.release()
    threading.Barrier(1).wait()
    with ThreadPoolExecutor(1) as pool:
        wait([pool.submit(int), pool.submit(int)], return_when=FIRST_COMPLETED)


@pytest.mark.slow
def test_what_models_do_not_have_is_a_comment_and_is_listed():
    source = control(leaves_much_out, schedules=1).model()
    assert "yield stop.wait(timeout=2)" in source
    told, _, code = source.partition("from simcore import")
    for what in (
        "Queue.get of todo that gave up after 3 s",
        "Queue.get of todo that gave up after 0 s",
        "Queue.task_done of todo",
        "Queue.join of todo",
        "concurrent.futures.wait(FIRST_COMPLETED)",
    ):
        assert f"* {what}" in told
        assert f"# not modelled: {what}" in code
    assert "* the order of todo, a LifoQueue: a queue gives what was put first" in told
    assert "# test_model_of_code.py" in code
    assert "; not modelled: its time-out of 4 s" in code
    assert "Barrier.wait" in told
    assert "waiter" not in source, "what the library does for itself is nothing of the program"
    assert explore(built(control(leaves_much_out, schedules=1))).verdict is Verdict.HOLDS


def test_a_history_has_nothing_alive_in_it_and_is_small():
    result = control(threaded.opposed_locks)
    again = pickle.loads(pickle.dumps(result.histories))
    assert again == result.histories
    assert [each.how for each in again] == ["deadlock", "completed"]
    assert len(pickle.dumps(again)) < 10_000


def test_a_token_gives_a_model_too():
    told = replay(control(threaded.nested_submit).violation.token)
    assert explore(built(told)).verdict is Verdict.VIOLATED
    assert told.model().startswith('"""A skeleton of threaded:nested_submit(), made of a run that hangs.')


def test_without_a_run_there_is_no_model():
    result = control(threaded_fine.late_beside_a_poller, schedules=1, max_steps=20)
    with pytest.raises(OptionError, match="there is no run that came to its end"):
        result.model()


@pytest.mark.slow
@pytest.mark.parametrize("points", ["release", "lines", "instructions"])
def test_finer_points_are_no_operations(points):
    source = control(partial(threaded.lost_update, guarded=True), schedules=2, points=points).model()
    assert source.count("acquire()") == source.count("release()")
    assert "not modelled" not in source


# ---- on the command line ---------------------------------------------------------------------------------------


def simcore(*arguments, cwd):
    return subprocess.run(
        [sys.executable, "-m", "simcore", *arguments],
        capture_output=True,
        text=True,
        cwd=cwd,
        check=False,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(str(Path(f).parent) for f in (threaded.__file__, __file__))},
    )


def test_the_command_line_writes_a_file_beside_the_answer(tmp_path):
    done = simcore("control", "threaded:nested_submit", "--model", "seen.py", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (1, "")
    assert done.stdout.startswith("violated: ")
    assert [each.name for each in tmp_path.iterdir() if each.name != "__pycache__"] == ["seen.py"]
    done = simcore("explore", "seen:skeleton", cwd=tmp_path)
    assert done.returncode == 1
    assert "every worker is in outer()" in done.stdout


@pytest.mark.slow
def test_the_command_line_prints_it(tmp_path):
    done = simcore("control", "threaded:nested_submit", "--model", "-", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (1, "")
    assert done.stdout.startswith('"""A skeleton of nested_submit()')
    assert done.stdout.endswith("    return model\n")


def test_where_it_cannot_be_written_nothing_is_run(tmp_path):
    done = simcore("control", "threaded:nested_submit", "--model", "nowhere/seen.py", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.count("\n") == 1
    assert "name another one with --model" in done.stderr


def beats_for_ever():
    def beat():
        while True:
            threading.Event().wait(1)

    threaded.together(beat, names=("beat",))


def test_of_a_skeleton_and_an_object_one_is_printed(tmp_path):
    done = simcore("control", "threaded:nested_submit", "--model", "-", "--json", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "simcore: --model - and --json would both be printed; give --model a file\n"


@pytest.mark.parametrize("to", ["seen.py", "-"])
def test_where_no_run_ended_the_answer_is_there_and_why_there_is_no_skeleton(tmp_path, to):
    few = ("--schedules", "1", "--max-steps", "50", "--html", "page.html")
    done = simcore("control", "test_model_of_code:beats_for_ever", "--model", to, *few, cwd=tmp_path)
    assert done.returncode == 3, "that of the verdict"
    assert "undetermined: no violation in 1 schedule" in (done.stderr if to == "-" else done.stdout)
    assert done.stderr.startswith(f"simcore: --model {to}: no skeleton: no run came to its end")
    assert (done.stdout == "") == (to == "-"), "only a skeleton stands where one is printed"
    assert [each.name for each in tmp_path.iterdir() if each.name != "__pycache__"] == ["page.html"]


def test_the_lock_of_a_queue_that_the_program_takes_too_is_told():
    items, mine = queue.Queue(), threading.Lock()

    class Guarded(queue.Queue):
        def _put(self, item):
            with mine:
                super()._put(item)

    def clears():
        with items.mutex:
            items.queue.clear()

    def fine():
        items.put(1)
        clears()

    source = control(fine, schedules=1).model()
    assert "* that each operation of items takes items.mutex, too" in source

    def hangs():
        guarded = Guarded()

        def puts():
            guarded.put(1)

        thread = threading.Thread(target=puts, name="puts")
        thread.start()
        with mine, guarded.mutex:
            pass
        thread.join()

    found = control(hangs)
    assert found.violation.kind == "deadlock"
    first, *_ = found.model().splitlines()
    assert first.endswith("made of a run that hangs; but not all of the hang is in it.")
    (lost,) = conforms(found, built(found)).lost
    assert lost.startswith("main waits in Lock.acquire of Guarded.mutex at ")
