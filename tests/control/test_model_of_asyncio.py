"""A run of a program with a loop conforms to its own skeleton: what the loop asks of a task is asked in the model."""

import asyncio
import threading
from concurrent.futures import Future, ThreadPoolExecutor

import pytest
import threaded
from test_model_of_code import built

from simcore import Model, Verdict, control, explore
from simcore.control import conforms


def to_thread():
    lock = threading.Lock()

    def work(number):
        with lock:
            return number

    async def main():
        assert await asyncio.gather(*(asyncio.to_thread(work, n) for n in range(2))) == [0, 1]

    asyncio.run(main())


def run_in_executor(requests=2):
    """Tasks of a pool that come back to the loop, and wait for it."""

    async def main():
        loop = asyncio.get_running_loop()

        async def audit(number):
            await asyncio.sleep(0.1)
            return number

        def query(number):
            return asyncio.run_coroutine_threadsafe(audit(number), loop).result()

        with ThreadPoolExecutor(1, thread_name_prefix="db") as pool:
            await asyncio.gather(*(loop.run_in_executor(pool, query, n) for n in range(requests)))

    asyncio.run(main())


def fails_in_executor():
    async def main():
        def work(divisor):
            return 1 // divisor

        with ThreadPoolExecutor(2, thread_name_prefix="pool") as pool:
            loop = asyncio.get_running_loop()
            done = [loop.run_in_executor(pool, work, n) for n in range(2)]
            found = await asyncio.gather(*done, return_exceptions=True)
        assert [type(each) for each in found] == [ZeroDivisionError, int]

    asyncio.run(main())


def call_soon_threadsafe():
    async def main():
        loop, done = asyncio.get_running_loop(), asyncio.Event()
        caller = threading.Thread(target=lambda: loop.call_soon_threadsafe(done.set), name="caller")
        caller.start()
        await done.wait()
        caller.join()

    asyncio.run(main())


def run_coroutine_threadsafe():
    loop = asyncio.new_event_loop()
    runs = threading.Thread(target=loop.run_forever, name="loop")
    runs.start()

    async def double(number):
        await asyncio.sleep(0.1)
        return 2 * number

    asked = [asyncio.run_coroutine_threadsafe(double(n), loop) for n in range(2)]
    assert [future.result() for future in asked] == [0, 2]
    loop.call_soon_threadsafe(loop.stop)
    runs.join()
    loop.close()


def wrapped():
    async def main():
        with ThreadPoolExecutor(2, thread_name_prefix="pool") as pool:
            await asyncio.gather(*(asyncio.wrap_future(pool.submit(work)) for work in (int, str, int)))

    asyncio.run(main())


PROGRAMS = [to_thread, run_in_executor, fails_in_executor, call_soon_threadsafe, run_coroutine_threadsafe, wrapped]


@pytest.mark.some(3)
@pytest.mark.parametrize("program", PROGRAMS, ids=lambda program: program.__name__)
def test_a_run_conforms_to_its_own_skeleton(program):
    result = control(program, schedules=1)
    model = built(result)
    found = conforms(result, model)
    assert (found.verdict, found.reason) == (Verdict.HOLDS, "")
    assert not [name for name in found.of_model if name.startswith("result of ")]
    assert explore(model).verdict is Verdict.HOLDS


def asks(which):
    """Somebody else asks for the result of one of two tasks of different functions."""

    def one():
        return 1

    def other():
        return 2

    with ThreadPoolExecutor(2, thread_name_prefix="pool") as pool:
        futures = {"one": pool.submit(one), "other": pool.submit(other)}
        threaded.together(lambda: futures[which].result(), names=("asks",))


def asks_by_hand(which):
    model = Model("asks")
    pool, result = model.thread_pool("pool", 2), model.future(f"result of {which}")

    def one():
        if which == "one":
            yield result.set_result(None)

    def other():
        if which == "other":
            yield result.set_result(None)

    def main():
        yield pool.submit(one)
        yield pool.submit(other)
        yield pool.shutdown()

    def asker():
        yield result.result()

    model.process("main", main)
    model.process("asks", asker)
    return model


def test_the_result_of_another_function_is_another_one():
    result = control(lambda: asks("one"), schedules=1)
    assert conforms(result, built(result)).verdict is Verdict.HOLDS
    assert conforms(result, asks_by_hand("one")).verdict is Verdict.HOLDS
    found = conforms(result, asks_by_hand("other"))
    assert found.verdict is Verdict.VIOLATED
    assert "asks: asks.one().result() at " in found.reason


@pytest.mark.slow
def test_an_object_of_the_code_that_is_called_so_is_itself():
    def body():
        kept = {"result of int_": Future()}
        with ThreadPoolExecutor(1, thread_name_prefix="pool") as pool:
            pool.submit(int).result()
            threaded.together(lambda: kept["result of int_"].result(), names=("asks",))

    result = control(body, schedules=1)
    assert conforms(result, built(result)).verdict is Verdict.HOLDS


def test_a_loop_that_nobody_wakes_is_the_headline():
    async def main():
        await asyncio.Event().wait()

    result = control(lambda: asyncio.run(main()), schedules=1)
    source = result.model()
    assert source.partition("\n")[0].endswith("made of a run that hangs; but the hang itself is not in it.")
    assert "\n* main waits in epoll of " in source
    assert conforms(result, built(result)).verdict is Verdict.UNDETERMINED
