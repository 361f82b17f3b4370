"""What a process makes and forgets is a mistake of the model, told with its line, in every driver; never an answer."""

import gc

import pytest

from simcore import Model, ModelError, Verdict, choose, execute, explore, simulate
from simcore.stateful import machine


class Helper:
    """A user's own class with a method that is a generator function."""

    def __init__(self, lock):
        self.lock = lock

    def hold(self):
        yield self.lock.acquire()
        yield self.lock.release()

    def run(self):
        self.hold()
        yield self.lock.locked()


def of(body):
    """Return a model whose one process is ``body``, called with a lock, a queue, a pool and a helper."""
    model = Model("forgetful")
    things = model.lock("lock"), model.queue("queue"), model.thread_pool("pool", 1)
    model.process("user", body, *things)
    return model


def hold(lock):
    yield lock.acquire()
    yield lock.release()


def one_operation(lock, queue, pool):
    lock.acquire()
    yield queue.put(1)


def a_submit(lock, queue, pool):
    pool.submit(hold, lock)
    yield queue.put(1)


def the_last_one(lock, queue, pool):
    yield queue.put(1)
    lock.acquire()


def one_that_was_kept(lock, queue, pool):
    later = lock.acquire()
    yield queue.put(1)
    del later
    yield queue.put(2)


def one_of_a_branch(lock, queue, pool):
    if (yield choose(False, True)):
        lock.acquire()
    yield queue.put(1)


def hidden_in_a_handler(lock, queue, pool):
    try:
        if lock.acquire(timeout=1):
            yield queue.put(1)
    except Exception:
        pass
    yield queue.put(2)


def a_generator(lock, queue, pool):
    hold(lock)
    yield queue.put(1)


def a_generator_written_inside(lock, queue, pool):
    def inner():
        yield lock.acquire()

    inner()
    yield queue.put(1)


def a_generator_of_a_method(lock, queue, pool):
    helper = yield choose(1)
    del helper
    yield from Helper(lock).run()


def a_generator_two_calls_away(lock, queue, pool):
    def inner():
        hold(lock)
        yield queue.put(1)

    yield from inner()


OPERATIONS = {
    one_operation: "lock.acquire",
    a_submit: "pool.submit",
    the_last_one: "lock.acquire",
    one_that_was_kept: "lock.acquire",
    one_of_a_branch: "lock.acquire",
}
DRIVERS = {
    "explore": explore,
    "simulate": lambda model: [simulate(model, seed=seed) for seed in range(9)],
    "execute": lambda model: [execute(model, max_seconds=5) for _ in range(9)],
}


@pytest.mark.parametrize("driver", DRIVERS.values(), ids=DRIVERS)
@pytest.mark.parametrize(("body", "what"), OPERATIONS.items(), ids=lambda part: getattr(part, "__name__", part))
def test_an_operation_that_was_made_and_not_yielded_is_an_error_with_its_line(body, what, driver):
    if driver is DRIVERS["execute"] and body is one_of_a_branch:
        driver = explore  # a real choice may always be the other one
    with pytest.raises(ModelError, match=rf"user \(test_forgotten\.py:\d+\): {what}\(.*\) was made and not yielded"):
        driver(of(body))


@pytest.mark.parametrize("body", [a_generator, a_generator_two_calls_away, a_generator_written_inside])
def test_a_generator_that_was_made_and_never_run_is_an_error_with_its_line(body):
    with pytest.raises(ModelError, match=r"test_forgotten\.py:\d+\): (hold|inner)\(\.\.\.\) makes .*yield from"):
        explore(of(body))


def test_a_method_that_drops_a_generator_is_found_through_its_object():
    model = Model("helper")
    model.process("user", Helper(model.lock("lock")).run)
    with pytest.raises(ModelError, match=r"self\.hold\(\.\.\.\) makes a generator"):
        explore(model)


def test_a_process_that_catches_everything_hides_no_mistake():
    with pytest.raises(ModelError, match=r"lock\.acquire\(\) is an operation, which is neither true nor"):
        explore(of(hidden_in_a_handler))


def test_the_state_machine_tells_it_too():
    with pytest.raises(ModelError, match="was made and not yielded"):
        machine(of(one_operation))()


# ---- what is no mistake ----------------------------------------------------------------------------------


def kept_and_yielded(lock, queue, pool):
    later = [queue.put(number) for number in range(2)]
    yield from later


def yielded_twice(lock, queue, pool):
    again = queue.put(1)
    yield again
    yield again


def in_an_expression(lock, queue, pool):
    yield (lock.acquire() if (yield lock.locked()) else queue.put(1))


def a_plain_call(lock, queue, pool):
    print(end="")
    list(range(3))
    yield queue.put(1)


def a_generator_expression(lock, queue, pool):
    yield from (queue.put(number) for number in range(3))


@pytest.mark.parametrize(
    "body", [kept_and_yielded, yielded_twice, in_an_expression, a_plain_call, a_generator_expression]
)
def test_what_is_kept_and_yielded_later_is_no_mistake(body):
    assert explore(of(body)).verdict is Verdict.HOLDS
    assert execute(of(body)).status == "completed"


def test_an_operation_that_is_made_while_the_model_is_built_may_be_yielded_or_not():
    model = Model("built")
    lock = model.lock("lock")
    ready = lock.acquire()
    lock.release()

    def user():
        yield ready

    model.process("user", user)
    assert explore(model).verdict is Verdict.HOLDS


def test_a_property_may_ask_whether_there_is_an_operation():
    model = of(kept_and_yielded)
    state = explore(model).counterexample
    assert state is None
    assert model.objects[1].acquire() == model.objects[1].acquire()
    assert bool(model.objects[1].acquire())


# ---- what an object has not ------------------------------------------------------------------------------

MISSING = {
    "queue.join": lambda lock, queue, pool: queue.join(),
    "queue.empty": lambda lock, queue, pool: queue.empty(),
    "pool.map": lambda lock, queue, pool: pool.map(hold, [1]),
    "lock.aquire": lambda lock, queue, pool: lock.aquire(),
    "submit().result": lambda lock, queue, pool: pool.submit(hold, lock).result(),
}


def test_a_missing_or_misspelt_operation_is_an_error_of_the_model_with_its_line_and_what_there_is():
    for name, ask in MISSING.items():

        def user(lock, queue, pool, ask=ask):
            yield ask(lock, queue, pool)

        with pytest.raises(ModelError, match=r"user \(test_forgotten\.py:\d+ in .*(it has |`yield` it first)") as found:
            explore(of(user))
        assert "Traceback" not in str(found.value), name


def test_a_with_block_is_an_error_that_says_what_to_write():
    def user(lock, queue, pool):
        with lock:
            yield queue.put(1)

    with pytest.raises(ModelError, match=r"with lock: .*`yield lock\.acquire\(\)`, then try \.\.\. finally"):
        explore(of(user))


VALUES = {
    "compared": lambda queue: queue.qsize() > 0,
    "added": lambda queue: queue.get() + 1,
    "counted": lambda queue: len(queue.get()),
    "unpacked": lambda queue: [*queue.get()],
    "indexed": lambda queue: queue.get()[0],
    "searched": lambda queue: 1 in queue.get(),
}


@pytest.mark.parametrize("driver", DRIVERS.values(), ids=DRIVERS)
@pytest.mark.parametrize("use", VALUES.values(), ids=VALUES)
def test_an_operation_that_is_used_as_the_value_it_gives_is_an_error_with_its_line(use, driver):
    def user(lock, queue, pool):
        yield queue.put(1)
        use(queue)

    with pytest.raises(
        ModelError, match=r"^user \(test_forgotten\.py:\d+\): queue\.\w+\(\) was made and not yielded, and"
    ):
        driver(of(user))


def test_an_object_still_says_what_it_has():
    lock = Model("m").lock("lock")
    assert not hasattr(lock, "aquire")
    assert lock.offered == ["acquire", "locked", "release"]


def test_what_the_collector_closes_meanwhile_is_not_of_the_process():
    """A generator of another run, in a cycle: what it still makes as it is closed is made while the process runs."""
    other = Model("other").event("other")

    def left_over(seen):
        try:
            yield
        finally:
            other.is_set()
            seen.append(True)

    def user(lock, queue, pool):
        yield lock.locked()
        gc.collect(0)
        yield lock.locked()

    seen = []
    for _ in range(4):
        gc.disable()
        try:
            cycle = [left_over(seen)]
            next(cycle[0])
            cycle.append(cycle)
            del cycle
            assert simulate(of(user)).status == "completed"
        finally:
            gc.enable()
    assert len(seen) == 4


def test_the_collector_calls_no_function_of_ours_written_in_python():
    """An interrupt that comes in one would be ignored, and lost."""
    explore(of(lambda lock, queue, pool: (yield lock.acquire())))
    assert [call for call in gc.callbacks if str(getattr(call, "__module__", "")).startswith("simcore")] == []
