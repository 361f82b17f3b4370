"""A thread pool is one queue of tasks, a number of workers, and a future per submit."""

import concurrent.futures
import threading

import pytest
import toys

from simcore.errors import ModelError
from simcore.kernel import Kernel
from simcore.model import Model
from simcore.model.objects import Task, choose, sleep


def squares(workers=1, numbers=(2, 3)):
    """Submit a task per number, then collect the results in order."""
    model = Model("squares")
    pool = model.thread_pool("pool", workers)

    def square(number):
        yield from ()
        return number * number

    def main():
        futures = ()
        for number in numbers:
            futures += ((yield pool.submit(square, number)),)
        results = ()
        for future in futures:
            results += ((yield future.result()),)
        return results

    model.process("main", main)
    return model


@pytest.mark.parametrize("workers", [1, 2, 3])
def test_every_submit_has_a_future_of_its_own(workers):
    assert toys.finish(squares(workers, (2, 3, 4)))["main"] == (4, 9, 16)


def test_the_workers_are_processes_with_names():
    assert [process.name for process in squares(2).processes] == ["pool[0]", "pool[1]", "main"]


def test_tasks_wait_in_the_queue_in_order():
    view = toys.run(squares(), "main", "main")
    assert [str(task) for task in view["pool"].tasks] == ["square(2)", "square(3)"]


def test_a_worker_takes_the_oldest_task():
    view = toys.run(squares(), "main", "main", "pool[0]")
    assert [str(task) for task in view["pool"].tasks] == ["square(3)"]
    assert view.process("pool[0]").operation.args == (4,)


def test_what_a_task_was_is_nothing_to_anybody_once_it_has_returned():
    model = Model("m")
    pool = model.thread_pool("pool", 1)

    def task(value):
        yield sleep(0)

    def main():
        future = yield pool.submit(task, (yield choose(1, 2)))
        yield future.result()

    model.process("main", main)
    kernel = Kernel(model)
    states, left = set(), [kernel.initial]
    while left:
        states.add(state := left.pop())
        left += [after for _, _, after in kernel.successors(state) if after not in states]
    ended = [view for view in map(kernel.view, states) if view.process("pool[0]").operation.name == "set_result"]
    assert [str(view.process("pool[0]").task) for view in ended] == ["a task that has returned"]


def test_a_worker_runs_one_task_at_a_time():
    model = Model("m")
    pool, lock = model.thread_pool("pool", 1), model.lock("lock")

    def task():
        yield lock.acquire()
        yield lock.acquire()

    def main():
        yield pool.submit(task)
        yield pool.submit(task)

    model.process("main", main)
    view = toys.run(model, "main", "main", "pool[0]", "pool[0]")
    assert (len(view["pool"].tasks), view.process("pool[0]").blocked) == (1, True)


def test_an_idle_worker_owes_nothing():
    view = toys.run(squares(2), "main", "main", *["pool[0]"] * 4, "main", "main")
    assert not view.deadlocked
    assert [process.status for process in view.processes] == ["idle", "idle", "done"]


def test_a_worker_inside_a_task_owes_its_end():
    model = Model("m")
    pool, lock = model.thread_pool("pool", 1), model.lock("lock")

    def task():
        yield lock.acquire()
        yield lock.acquire()

    model.process("main", lambda: (yield pool.submit(task)))
    assert toys.run(model, "main", "pool[0]", "pool[0]").deadlocked


def failing():
    model = Model("failing")
    pool = model.thread_pool("pool", 1)

    def task():
        yield from ()
        raise KeyError("chunk")

    def main():
        future = yield pool.submit(task)
        try:
            yield future.result()
        except KeyError as error:
            return str(error)

    model.process("main", main)
    return model


def test_an_exception_in_a_task_is_raised_by_its_future():
    assert toys.finish(failing())["main"] == "'chunk'"


def test_a_worker_goes_on_after_a_task_that_failed():
    view = toys.run(failing(), "main", "pool[0]", "pool[0]", "main")
    assert view.process("pool[0]").status == "idle"


def test_a_task_may_submit_to_its_own_pool():
    assert toys.run(toys.nested_futures(roots=1, levels=2, workers=1), "main", "pool[0]", "pool[0]").deadlocked


def shut(wait, workers=2, tasks=1):
    model = Model("shut")
    pool, lock = model.thread_pool("pool", workers), model.lock("lock")

    def task():
        yield lock.acquire()
        yield lock.release()

    def main():
        for _ in range(tasks):
            yield pool.submit(task)
        yield pool.shutdown(wait)
        try:
            yield pool.submit(task)
        except RuntimeError as error:
            return str(error)

    model.process("main", main)
    return model


def real_submit_after_shutdown():
    pool = concurrent.futures.ThreadPoolExecutor(1)
    pool.shutdown()
    with pytest.raises(RuntimeError) as caught:
        pool.submit(print)
    return str(caught.value)


@pytest.mark.parametrize("wait", [True, False])
def test_a_submit_after_shutdown_raises_what_the_real_one_raises(wait):
    assert toys.finish(shut(wait))["main"] == real_submit_after_shutdown()


def test_a_refused_submit_leaves_no_future():
    view = toys.run(shut(False, tasks=0), "main", "main")
    assert [thing.name for thing in view.values] == ["process", "pool", "lock"]


def test_shutdown_waits_until_every_worker_has_left():
    kernel = Kernel(shut(True))
    space = toys.space(kernel)
    for state in space.distance:
        view = kernel.view(state)
        if view.process("main").operation and view.process("main").operation.name == "join":
            everybody = all(view.process(f"pool[{n}]").done for n in range(2))
            assert (view.process("main").status == "enabled") == everybody


def test_shutdown_without_waiting_returns_at_once():
    assert toys.run(shut(False), "main", "main", "main").process("main").done


def test_tasks_in_the_queue_still_run_after_shutdown():
    model = shut(False, workers=1, tasks=2)
    view = toys.run(model, "main", "main", "main", "main", *["pool[0]"] * 6)
    assert view["pool"].tasks == ()
    assert toys.run(model, "main", "main", "main", "main", *["pool[0]"] * 7).process("pool[0]").done


@pytest.mark.parametrize("workers", [1, 2])
def test_shutdown_never_deadlocks(workers):
    assert toys.space(Kernel(shut(True, workers, tasks=2))).deadlocks == []


def real_join_by_a_worker():
    pool = concurrent.futures.ThreadPoolExecutor(1)
    started = threading.Event()

    def task():
        started.wait()
        pool.shutdown()

    future = pool.submit(task)
    started.set()
    return str(future.exception())


def test_a_worker_that_waits_for_its_own_pool_to_end_is_told_so():
    model = Model("m")
    pool = model.thread_pool("pool", 1)

    def task():
        try:
            yield pool.shutdown()
        except RuntimeError as error:
            return str(error)

    def main():
        future = yield pool.submit(task)
        return (yield future.result())

    model.process("main", main)
    assert toys.finish(model)["main"] == real_join_by_a_worker()


def test_a_running_generator_is_refused():
    def task():
        yield

    with pytest.raises(ModelError, match=r"a running generator; write pool\.submit\(fn, \*args\)"):
        Model("m").thread_pool("pool", 1).submit(task())


def test_a_thing_that_is_no_function_is_refused():
    with pytest.raises(ModelError, match="not a int"):
        Model("m").thread_pool("pool", 1).submit(3)


def test_a_function_that_yields_nothing_is_refused():
    model = Model("m")
    pool = model.thread_pool("pool", 1)

    def plain():
        return 1

    model.process("main", lambda: (yield pool.submit(plain)))
    with pytest.raises(ModelError, match=r"plain returned int, not a generator"):
        toys.run(model, "main", "pool[0]")


def test_a_task_with_wrong_arguments_is_refused():
    model = Model("m")
    pool = model.thread_pool("pool", 1)

    def task(one):
        yield from ()

    model.process("main", lambda: (yield pool.submit(task)))
    with pytest.raises(ModelError, match=r"task cannot be called with these arguments: .*missing 1 required"):
        toys.run(model, "main", "pool[0]")


@pytest.mark.parametrize("workers", [0, -1])
def test_a_pool_without_a_worker_is_refused(workers):
    with pytest.raises(ModelError, match="at least 1 worker"):
        Model("m").thread_pool("pool", workers)


def test_a_pool_is_first_in_first_out():
    pool = Model("m").thread_pool("pool", 1)
    first, second = Task("f", (), None), Task("g", (), None)
    value = pool.initial._replace(tasks=(first, second))
    ((rest, taken),) = pool.do_take(value, None)
    assert (taken, rest.tasks) == (first, (second,))


def test_a_pool_shows_its_queue():
    assert str(toys.run(squares(), "main")).startswith("pool: [square(2)]")
    assert toys.run(shut(False, tasks=0), "main").values is not None
    assert "shut down" in str(toys.run(shut(False, tasks=0), "main"))
