"""What an object refused was not done: it is none of the model's steps, and a run that met it still conforms."""

import contextlib
import queue
import sys
import threading
from concurrent.futures import Future, InvalidStateError, ThreadPoolExecutor

import pytest
from test_model_of_code import built

from simcore import Model, Verdict, control, explore
from simcore.control import conforms


def releases_what_nobody_has():
    lock = threading.Lock()
    lock.release()


def releases_what_another_has():
    lock = threading.RLock()
    lock.release()


def notifies_without_the_lock():
    condition = threading.Condition()
    condition.notify()


def waits_without_the_lock():
    condition = threading.Condition()
    condition.wait()


def releases_once_too_often():
    semaphore = threading.BoundedSemaphore(1)
    semaphore.release()


def sets_twice():
    future = Future()
    future.set_result(1)
    future.set_result(2)


def fails_what_was_set():
    future = Future()
    future.set_result(1)
    future.set_exception(ValueError())


def joins_itself():
    threading.current_thread().join()


def submits_to_what_was_shut_down():
    pool = ThreadPoolExecutor(1, thread_name_prefix="pool")
    pool.shutdown()
    pool.submit(print)


def puts_for_less_than_no_time():
    jobs = queue.Queue(1)
    jobs.put(1)
    jobs.put(2, timeout=-1)


def gets_what_was_shut_down():
    jobs = queue.Queue()
    jobs.shutdown()
    jobs.get()


REFUSED = [
    releases_what_nobody_has,
    releases_what_another_has,
    notifies_without_the_lock,
    waits_without_the_lock,
    releases_once_too_often,
    sets_twice,
    fails_what_was_set,
    joins_itself,
    submits_to_what_was_shut_down,
    puts_for_less_than_no_time,
    *([gets_what_was_shut_down] if sys.version_info >= (3, 13) else []),
]


def beside_another(refused, hangs=False):
    """Somebody is refused something, and goes on; both take a permit in the end, and give it back or not."""
    permits = threading.Semaphore(1)

    def tries():
        with contextlib.suppress(RuntimeError, ValueError, InvalidStateError, getattr(queue, "ShutDown", RuntimeError)):
            refused()
        permits.acquire()
        if not hangs:
            permits.release()

    threads = [threading.Thread(target=tries, name=name) for name in ("one", "other")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


@pytest.mark.some(7)
@pytest.mark.parametrize("hangs", [False, True])
@pytest.mark.parametrize("refused", REFUSED)
def test_what_was_refused_is_no_step_of_the_model(refused, hangs):
    result = control(lambda: beside_another(refused, hangs), schedules=5)
    assert result.verdict is (Verdict.VIOLATED if hangs else Verdict.UNDETERMINED), result
    source = result.model()
    assert " that was refused, at " in source
    assert explore(built(result)).verdict is (Verdict.VIOLATED if hangs else Verdict.HOLDS), source
    assert conforms(result, built(result)).verdict is Verdict.HOLDS, conforms(result, built(result))


def test_a_model_may_have_a_step_that_is_refused_there_too():
    def set_by_both():
        future, threads = Future(), []

        def sets():
            with contextlib.suppress(InvalidStateError):
                future.set_result(1)

        for name in ("one", "other"):
            threads.append(threading.Thread(target=sets, name=name))
            threads[-1].start()
        for thread in threads:
            thread.join()

    model = Model("both set it")
    future = model.future("future")

    def sets():
        with contextlib.suppress(InvalidStateError):
            yield future.set_result(1)

    model.process("one", sets)
    model.process("other", sets)
    answer = conforms(control(set_by_both, schedules=5), model)
    assert (answer.verdict, answer.matched) == (Verdict.HOLDS, 2), answer
