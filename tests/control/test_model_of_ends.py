"""What ends without a result, cancelled or with an exception, ends so in the model of what was seen."""

import contextlib
import threading
from concurrent.futures import CancelledError, Future, InvalidStateError, ThreadPoolExecutor, wait

import pytest
from test_model_of_code import built

from simcore import Model, Verdict, control, explore
from simcore.control import conforms


def asks_what_is_cancelled(others=0):
    future, other = Future(), Future()

    def asks():
        with pytest.raises(CancelledError):
            future.result()
        for _ in range(others):
            other.result()

    thread = threading.Thread(target=asks, name="asks")
    thread.start()
    future.cancel()
    thread.join()


def cancelled_or_set():
    future = Future()

    def sets():
        with contextlib.suppress(InvalidStateError):
            future.set_result(1)

    thread = threading.Thread(target=sets, name="sets")
    thread.start()
    future.cancel()
    thread.join()


def what_was_cancelled_sets_the_gate(cancels=True):
    pool, gate = ThreadPoolExecutor(1, thread_name_prefix="pool"), threading.Event()

    def first():
        pass

    def second():
        gate.set()

    pool.submit(first)
    later = pool.submit(second)
    if cancels:
        later.cancel()
    gate.wait()
    pool.shutdown()


def asks_for_a_task_that_is_cancelled():
    pool, gate = ThreadPoolExecutor(1, thread_name_prefix="pool"), threading.Event()

    def first():
        gate.wait()

    def second():
        pass

    earlier, later = pool.submit(first), pool.submit(second)
    later.cancel()
    with pytest.raises(CancelledError):
        later.result()
    gate.set()
    earlier.result()
    pool.shutdown()


def cancels_what_runs():
    pool, gate = ThreadPoolExecutor(1, thread_name_prefix="pool"), threading.Event()
    begun = threading.Event()

    def runs():
        begun.set()
        gate.wait()

    future = pool.submit(runs)
    begun.wait()
    assert not future.cancel()
    gate.set()
    future.result()
    pool.shutdown()


def shuts_down_and_cancels():
    pool, gate = ThreadPoolExecutor(1, thread_name_prefix="pool"), threading.Event()

    def first():
        gate.wait()

    def second():
        pass

    pool.submit(first)
    pool.submit(second)
    pool.shutdown(wait=False, cancel_futures=True)
    gate.set()


def sets_an_exception(others=0):
    future, other, lock = Future(), Future(), threading.Lock()

    def fails():
        future.set_exception(ValueError("no"))

    thread = threading.Thread(target=fails, name="fails")
    thread.start()
    with pytest.raises(ValueError, match="no"):
        future.result()
    wait([future])
    with lock:
        pass
    for _ in range(others):
        other.result()
    thread.join()


HANGS = {
    "beside a future that is cancelled": (asks_what_is_cancelled, {"others": 1}),
    "as what was cancelled does not come": (what_was_cancelled_sets_the_gate, {}),
    "beside an exception": (sets_an_exception, {"others": 1}),
}
FINE = {
    "asked, and cancelled": asks_what_is_cancelled,
    "cancelled, or set before": cancelled_or_set,
    "a task, asked for": asks_for_a_task_that_is_cancelled,
    "a task that runs": cancels_what_runs,
    "an exception": sets_an_exception,
}


@pytest.mark.some(8)
@pytest.mark.parametrize("body", FINE.values(), ids=FINE)
def test_what_ends_without_a_result_keeps_nobody_waiting_in_the_model(body):
    for seed in range(3):
        seen = control(body, schedules=8, seed=seed)
        assert seen.violation is None
        assert explore(built(seen)).verdict is Verdict.HOLDS
        told = conforms(seen, built(seen))
        assert (told.verdict, told.matched > 0) == (Verdict.HOLDS, True)


@pytest.mark.some(2)
@pytest.mark.parametrize(("body", "given"), HANGS.values(), ids=HANGS)
def test_a_hang_beside_such_an_end_is_in_the_model(body, given):
    seen = control(lambda: body(**given), schedules=60)
    assert seen.violation.kind == "deadlock"
    found = explore(built(seen))
    assert found.verdict is Verdict.VIOLATED
    assert found.counterexample.property == "deadlock free"
    assert conforms(seen, built(seen)).verdict is Verdict.HOLDS


def test_whoever_waits_is_not_told_in_the_model_that_what_was_cancelled_never_comes():
    def waits():
        future = Future()
        future.cancel()
        wait([future])

    seen = control(waits, schedules=1)
    assert seen.violation.kind == "deadlock"
    first, *_ = seen.model().splitlines()
    assert first.endswith("made of a run that hangs; but the hang itself is not in it.")
    told = conforms(seen, built(seen))
    assert (told.verdict, told.reason) == (Verdict.UNDETERMINED, "the hang itself is not in the model")


def test_a_task_that_is_cancelled_was_not_begun():
    said = control(asks_for_a_task_that_is_cancelled, schedules=20).model()
    assert "# was not seen to begin" in said
    assert "# was not seen to go on from here" not in said


def test_what_cannot_be_cancelled_any_more_is_not_told():
    said = control(cancels_what_runs, schedules=5).model().replace("cancels_what_runs", "")
    assert "ancel" not in said


def test_a_shutdown_that_cancels_is_told():
    said = control(shuts_down_and_cancels, schedules=20).model()
    assert "* ThreadPoolExecutor.shutdown(cancel_futures=True) of pool, at test_model_of_ends.py:" in said


def test_a_model_without_a_word_for_it_is_not_asked_for_it():
    def model():
        made = Model("without")
        pool, gate = made.thread_pool("pool", 1), made.event("gate")

        def first():
            yield gate.wait()

        def second():
            yield from ()

        def main():
            yield pool.submit(first)
            yield pool.submit(second)
            yield gate.set()
            yield pool.shutdown()

        made.process("main", main)
        return made

    assert (
        conforms(control(asks_for_a_task_that_is_cancelled, schedules=20), model()).verdict is not Verdict.UNDETERMINED
    )
