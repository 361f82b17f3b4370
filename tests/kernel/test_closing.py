"""A loop that comes back to where it was comes back to its program point; what runs the same shares its points."""

import contextlib
import itertools

from points import STEP, Box, Message, keep, loop_size, raises, reach

from simcore.kernel import Kernel
from simcore.kernel.process import Points
from simcore.model import Model
from simcore.model.operations import Raised


def test_a_server_loop_closes():
    def serve():
        while True:
            yield STEP

    assert loop_size(serve) == 1


def test_a_server_that_forgets_its_message_has_one_point():
    def serve():
        message = None
        while True:
            message = yield STEP
            del message

    points = Points()
    assert len({reach(points, serve, *history) for history in itertools.product("ab", repeat=3)}) == 1


def test_a_loop_with_a_hidden_iterator_closes():
    def process():
        while True:
            for _ in range(3):
                yield STEP

    assert loop_size(process) == 3


def test_a_loop_that_builds_everything_anew_closes():
    def inner(items):
        yield STEP
        items.append(1)

    def process():
        while True:
            items = [{"a": {1, 2}}, Box([1]), Message("x"), (i for i in range(2))]
            with contextlib.suppress(KeyError):
                yield from inner(items)
                raise KeyError(len(items))

    assert loop_size(process) <= 2


def test_a_loop_that_empties_its_list_closes():
    def process():
        items = []
        while True:
            yield STEP
            items.append(1)
            if len(items) == 3:
                items.clear()

    assert loop_size(process) == 3


def test_a_loop_that_catches_an_exception_each_time_closes():
    def process():
        while True:
            try:
                yield STEP
            except KeyError:
                yield STEP

    points = Points()
    once = reach(points, process, Raised(KeyError))
    again = reach(points, process, Raised(KeyError), None, Raised(KeyError))
    assert once is again


def test_a_loop_that_keeps_frozen_messages_closes():
    def process():
        last = Message("start")
        while True:
            yield STEP
            last = Message(last.text[:1] + "x")

    assert loop_size(process) == 2


def test_a_counter_never_closes():
    def process():
        n = 0
        while True:
            yield STEP
            n += 1

    with raises(AssertionError, "does not close"):
        loop_size(process)


def test_a_long_loop_is_learned_right():
    def process():
        total = 0
        for number in range(400):
            total += number + len((yield STEP).text)
        return total

    points = Points()
    point = points.start("p", process, ())
    shared = Message("a")
    for number in range(400):  # past the length from which a live generator is kept; the messages alias at times
        point = points.advance(point, shared if number % 3 else Message("a"))
    assert (point.status, point.outcome) == ("returned", sum(range(400)) + 400)


def test_results_that_are_one_object_in_one_history_alone_are_no_false_alarm():
    def process():
        for _ in range(120):  # long enough for a live generator to be kept
            yield STEP
        flag = yield STEP
        first = yield STEP
        del flag
        second = yield STEP
        yield STEP
        return first.inside + second.inside

    points = Points()
    common = reach(points, process, *[None] * 120)
    boxes = Box(1), Box(1)
    meets = [points.advance(points.advance(common, flag), box) for flag, box in zip((True, False), boxes, strict=True)]
    assert meets[0] is meets[1]
    end = points.advance(points.advance(meets[1], boxes[1]), None)
    assert (end.status, end.outcome) == ("returned", 2)


def test_processes_that_run_the_same_share_their_points():
    points = Points()
    assert points.start("a", keep, ()) is points.start("b", keep, ())


def test_arguments_that_code_can_tell_apart_make_different_programs():
    def process(n):
        yield STEP
        return n

    points = Points()
    ends = [points.advance(points.start("p", process, (n,)), None) for n in (1, True, 1.0)]
    assert [type(end.outcome) for end in ends] == [int, bool, float]


def test_closures_that_code_can_tell_apart_make_different_programs():
    def make(n):
        def process():
            yield STEP
            return n

        return process

    points = Points()
    assert reach(points, make(1), None) is not reach(points, make(2), None)
    assert reach(points, make(1), None) is reach(points, make(1), None)


def test_the_model_itself_may_be_named_by_a_process():
    model = Model("m")
    lock = model.lock("lock")

    def process():
        yield lock.acquire()
        return model.name

    model.process("p", process)
    kernel = Kernel(model)
    (choice,) = kernel.successors(kernel.initial)
    assert kernel.view(choice.state).process("p").result == "m"
