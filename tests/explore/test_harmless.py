"""After which steps of others the point of no return would do no harm: what is told is so, and is the fewest."""

from itertools import product

import pytest
import toys

from simcore import Model, explore
from simcore.errors import ModelError
from simcore.explain import reach
from simcore.explore.no_return import HARMLESS_STEPS, harmless_after
from simcore.kernel import Kernel
from simcore.models import nested_futures, pool_starvation

ENOUGH = 100_000


def mailbox():
    """A flag is tested outside of the lock of the condition that tells of it."""
    model = Model("mailbox")
    ready = model.condition("ready")
    letter = model.variable("letter", 0)

    def reader():
        there = yield letter.get()
        yield ready.acquire()
        if not there:
            yield ready.wait()
        yield ready.release()

    def writer():
        yield letter.set(1)
        yield ready.acquire()
        yield ready.notify()
        yield ready.release()

    model.process("reader", reader)
    model.process("writer", writer)
    return model


TOLD = [
    (mailbox, "reader acquires ready.lock"),
    (toys.opposed_locks, "left acquires b"),
    (
        lambda: pool_starvation.buggy(downloads=2, workers=2, chunks=1),
        "stream[0] takes the next task of stream; stream[0] submits read_stream(download[0] chunk 0) to stream",
    ),
    (
        nested_futures.one_pool,
        "pool[0] takes the next task of pool; pool[0] submits task(root[0], 1) to pool",
    ),
]


@pytest.mark.parametrize(("build", "told"), TOLD, ids=[told for _, told in TOLD])
def test_what_would_have_had_to_come_before_is_told(build, told):
    result = explore(build())
    assert result.counterexample.harmless == f"it would do no harm after: {told}"
    assert "it would do no harm after: " in str(result)


def well(kernel, state):
    return reach(kernel, state, kernel.finished, ENOUGH)


@pytest.mark.parametrize(("build", "told"), TOLD, ids=[told for _, told in TOLD])
def test_it_is_so_and_fewer_steps_of_others_would_not_do(build, told):
    found = explore(build()).counterexample
    kernel, step = found.kernel, found.no_return.step
    path, states = found.schedule.path(kernel), found.schedule.states(kernel)
    before, taken = states[step - 1], path[step - 1]
    assert well(kernel, before) is True
    assert well(kernel, kernel.step(before, *taken)) is False
    many = told.count(";") + 1
    harmless = set()
    for length in range(1, many + 1):
        for others in product(range(len(kernel.processes)), repeat=length):
            state = before
            for process in others:
                state = None if state is None or process == taken[0] else kernel.step(state, process, 0)
            if state is not None:
                after = kernel.step(state, *taken)
                if well(kernel, state if after is None else after):
                    harmless.add(length)
    assert min(harmless) == many <= HARMLESS_STEPS


def test_a_process_that_yields_nonsense_further_on_is_no_reason_to_tell_nothing_at_all():
    model = Model("a lock and nonsense")
    lock = model.lock("lock")

    def strange():
        yield lock.acquire()
        yield lock.release()
        yield "nothing"

    model.process("one", strange)
    model.process("other", strange)
    kernel = Kernel(model)
    with pytest.raises(ModelError):
        reach(kernel, kernel.initial, kernel.finished, ENOUGH)
    assert harmless_after(kernel, kernel.initial, (0, 0)) == []


def test_where_no_point_of_no_return_is_known_nothing_is_told():
    found = explore(mailbox(), witness="any").counterexample
    assert found.no_return is None
    assert found.harmless == ""
