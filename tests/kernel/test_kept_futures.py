"""A future takes a place only while somebody can ask for its result."""

import toys

from simcore.kernel import Kernel
from simcore.model import Model
from simcore.model.objects import sleep

# ---- futures -----------------------------------------------------------------------------------------


def futures(view):
    return [thing.name for thing in view.values if thing.name.startswith("future#")]


def with_pool(main, workers=1, task=lambda: iter(()), **objects):
    """Build a pool, and a process that runs ``main(pool)``."""
    model = Model("futures")
    model.process("main", main, model.thread_pool("pool", workers))
    return model


def one():
    yield from ()
    return 1


def test_a_submit_makes_a_future():
    def main(pool):
        future = yield pool.submit(one)
        return (yield future.result())

    assert futures(toys.run(with_pool(main), "main")) == ["future#0"]


def test_a_future_that_nobody_can_ask_for_is_dropped():
    def main(pool):
        future = yield pool.submit(one)
        yield future.result()
        del future
        yield sleep(1)

    model = with_pool(main)
    assert futures(toys.run(model, "main", "pool[0]", "pool[0]")) == ["future#0"]
    assert futures(toys.run(model, "main", "pool[0]", "pool[0]", "main")) == []


def test_futures_take_the_lowest_free_place():
    def main(pool):
        first = yield pool.submit(one)
        second = yield pool.submit(one)
        del first
        yield sleep(1)
        third = yield pool.submit(one)
        return second, third

    kernel = Kernel(with_pool(main))
    state = toys.walk(kernel, kernel.initial, "main", "main")
    assert futures(kernel.view(state)) == ["future#1"]
    assert futures(kernel.view(toys.walk(kernel, state, "main", "main"))) == ["future#0", "future#1"]


def test_a_server_that_submits_for_ever_has_finitely_many_states():
    def main(pool):
        while True:
            future = yield pool.submit(one)
            yield future.result()

    assert toys.space(Kernel(with_pool(main))).states < 20


def test_a_task_whose_result_nobody_can_ask_for_ends_with_its_last_operation():
    def main(pool):
        yield pool.submit(one)

    view = toys.run(with_pool(main), "main", "pool[0]")
    assert view.process("pool[0]").status == "idle"


def test_a_task_whose_result_somebody_can_ask_for_hands_it_over_in_a_step_of_its_own():
    def main(pool):
        future = yield pool.submit(one)
        yield sleep(1)
        return (yield future.result())

    model = with_pool(main)
    view = toys.run(model, "main", "pool[0]")
    assert str(view.process("pool[0]").operation) == "future#0.set_result(1)"
    assert toys.run(model, "main", "pool[0]", "pool[0]").process("pool[0]").status == "idle"


def test_a_worker_about_to_hand_over_is_idle_once_nobody_can_ask_any_more():
    def main(pool):
        future = yield pool.submit(one)
        yield sleep(1)
        del future
        yield sleep(1)

    model = with_pool(main)
    assert toys.run(model, "main", "pool[0]").process("pool[0]").operation.name == "set_result"
    assert toys.run(model, "main", "pool[0]", "main").process("pool[0]").status == "idle"


def keeps_alive(keep):
    """Let main hand its future to ``keep(model, future)`` and forget it; return what futures are left."""
    model = Model("futures")
    pool, box = model.thread_pool("pool", 2), model.queue("box")

    def main():
        future = yield pool.submit(one)
        yield from keep(pool, box, future)
        del future
        yield sleep(1)

    model.process("main", main)
    kernel = Kernel(model)
    state = kernel.initial
    while kernel.operation(state, 2).name != "sleep":
        state = kernel.step(state, 2, 0)
    return futures(kernel.view(state))


def test_a_queue_keeps_a_future():
    def keep(pool, box, future):
        yield box.put(("reply", future))

    assert keeps_alive(keep) == ["future#0"]


def test_the_arguments_of_a_task_keep_a_future():
    def ask(future):
        return (yield future.result())

    def keep(pool, box, future):
        yield pool.submit(ask, future)

    assert "future#0" in keeps_alive(keep)


def test_the_closure_of_a_task_keeps_a_future():
    def keep(pool, box, future):
        def ask():
            return (yield future.result())

        yield pool.submit(ask)

    assert "future#0" in keeps_alive(keep)


def test_nothing_keeps_a_future_that_was_forgotten():
    def keep(pool, box, future):
        yield box.put("reply")

    assert keeps_alive(keep) == []


def test_a_future_that_is_the_result_of_another_is_dropped_with_it():
    model = Model("futures")
    pool = model.thread_pool("pool", 2)

    def outer():
        inner = yield pool.submit(one)
        return inner

    def main():
        future = yield pool.submit(outer)
        inner = yield future.result()
        del future
        value = yield inner.result()
        del inner
        yield sleep(1)
        return value

    model.process("main", main)
    order = ["main", "pool[0]", "pool[0]", "pool[0]"]  # outer has submitted, and handed the inner future over
    assert futures(toys.run(model, *order)) == ["future#0", "future#1"]
    assert futures(toys.run(model, *order, "main")) == ["future#1"]
    assert futures(toys.run(model, *order, "main", "pool[1]", "pool[1]", "main")) == []


def test_a_task_that_fails_and_that_nobody_asks_is_seen():
    def fail():
        yield from ()
        raise KeyError("chunk")

    def main(pool):
        yield pool.submit(fail)

    kernel = Kernel(with_pool(main))
    state = toys.walk(kernel, kernel.initial, "main", "pool[0]")
    assert kernel.processes[kernel.failed(state)].name == "pool[0]"
