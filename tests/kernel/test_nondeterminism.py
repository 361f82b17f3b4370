"""A process that does not do the same when it is run again is found out."""

import enum
import functools
import itertools
import logging
import random
import re
import time

from points import STEP, Box, keep, raises

from simcore.errors import NondeterminismError
from simcore.kernel import Kernel
from simcore.model import Model
from simcore.model.objects import sleep


def walk(*processes):
    """Build a model of these processes and walk all of it."""
    model = Model("m")
    for number, process in enumerate(processes):
        model.process(f"p{number}", process)
    kernel = Kernel(model)
    seen, stack = {kernel.initial}, [kernel.initial]
    while stack:
        new = {choice.state for choice in kernel.successors(stack.pop())} - seen
        seen |= new
        stack += new


def found_out(*processes):
    """Check that walking them raises what names the first process, the line, and what to do instead."""
    with raises(NondeterminismError, "p0", "(test_nondeterminism.py:", "model.variable(...)"):
        walk(*processes)


def test_a_list_that_two_processes_change_is_found_out():
    shared = []

    def process():
        yield STEP
        shared.append(1)
        yield STEP
        return len(shared)

    found_out(process, process)


def test_a_list_that_one_changes_and_another_reads_is_found_out():
    shared = []

    def writer():
        yield STEP
        shared.append(1)

    def reader():
        yield STEP
        return len(shared)

    found_out(writer, reader)


def test_a_list_that_is_changed_before_the_first_operation_is_found_out():
    shared = []

    def writer():
        shared.append(1)
        yield STEP

    found_out(writer)


def test_an_argument_that_is_changed_is_found_out():
    def process(items):
        yield STEP
        items.append(1)

    model = Model("m")
    model.process("p0", process, [])
    kernel = Kernel(model)
    with raises(NondeterminismError, "p0"):
        kernel.successors(kernel.initial)


def test_a_cell_that_two_processes_share_is_found_out():
    n = 0

    def process():
        nonlocal n
        yield STEP
        n += 1

    found_out(process, process)


class Colour(enum.Enum):
    RED = 1
    BLUE = 2


COUNTER = 0
NAMES = ["a", "b"]

ITEMS = []

NUMBERS = itertools.count()

STATISTICS = Box(0)


def test_a_global_that_is_rebound_is_found_out():
    def process():
        global COUNTER
        COUNTER += 1
        yield STEP
        if COUNTER == 1:
            yield STEP

    found_out(process)


def test_a_global_list_is_found_out():
    def process():
        yield STEP
        ITEMS.append(1)

    found_out(process)


def bump():
    global COUNTER
    COUNTER += 1


def test_a_global_that_a_helper_rebinds_is_found_out():
    def process():
        yield STEP
        bump()

    found_out(process)


def test_a_global_iterator_is_found_out():
    def process():
        yield STEP
        if next(NUMBERS) == 0:
            yield STEP

    found_out(process)


def test_a_global_object_is_found_out():
    def process():
        yield STEP
        STATISTICS.inside += 1

    found_out(process)


def test_clocks_are_found_out():
    for clock in ("time", "monotonic", "perf_counter", "time_ns"):

        def process(clock=clock):
            now = getattr(time, clock)()
            yield STEP
            return now

        found_out(process)


def test_a_clock_in_an_operation_is_found_out():
    def process():
        yield sleep(time.perf_counter())

    found_out(process)


def test_a_clock_after_the_last_operation_is_found_out():
    def process():
        yield STEP
        return time.perf_counter()

    found_out(process)


def test_random_numbers_are_found_out():
    def process():
        number = random.random()
        yield STEP
        return number

    with raises(NondeterminismError, "p0", "(test_nondeterminism.py:", "changed random.random", "yield choose(...)"):
        walk(process)


def test_a_generator_of_random_numbers_that_is_shared_is_found_out():
    source = random.Random(7)

    def process():
        yield STEP
        return source.random()

    found_out(process)


def test_a_variable_that_changes_under_a_submitted_function_is_found_out():
    model = Model("m")
    pool = model.thread_pool("pool", 1)

    def parent():
        n = 0

        def child():
            yield STEP
            return n

        future = yield pool.submit(child)
        n = 1
        return (yield future.result())

    model.process("p0", parent)
    kernel = Kernel(model)
    with raises(
        NondeterminismError, "p0 (parent (test_nondeterminism.py:", "changed something that it had passed on in"
    ):
        kernel.successors(kernel.initial)


def test_a_mutable_object_that_changes_after_it_was_put_is_found_out():
    model = Model("m")
    queue = model.queue("queue")

    class Equal(Box):
        def __eq__(self, other):
            return type(other) is Equal and self.inside == other.inside

        def __hash__(self):
            return 1

    def process():
        box = Equal(0)
        yield queue.put(box)
        box.inside = 1
        yield STEP

    model.process("p0", process)
    kernel = Kernel(model)
    with raises(NondeterminismError, "changed something that it had passed on in queue.put"):
        kernel.successors(kernel.initial)


def test_what_a_process_does_with_its_own_things_is_no_offence():
    log = logging.getLogger("test")

    def process():
        source, items = random.Random(7), []
        for _ in range(3):
            items.append(source.random())
            log.debug("%s", items)
            started = functools.reduce(max, items)
            yield STEP
            items = [re.sub("a", "b", str(started))] if len(items) > 1 else items
            items = [float(item) for item in items]
        return tuple(items)

    walk(process, process)


def test_globals_that_nobody_changes_are_no_offence():
    def process():
        yield STEP
        return len(NAMES), Colour.RED, keep.__name__, COUNTER

    walk(process, process)
