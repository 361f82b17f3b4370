"""What may be merged into one program point, and what must not.

Plain functions and asserts: `run_process.py` runs this file on interpreters that have no pytest.
"""

import collections
import contextlib
import dataclasses
import enum
import functools
import itertools
import logging
import random
import re
import socket
import sys
import tempfile
import threading
import time

from simcore.errors import ModelError, NondeterminismError
from simcore.kernel import Kernel
from simcore.kernel.process import Points
from simcore.model import Model
from simcore.model.objects import sleep
from simcore.model.operations import Raised

STEP = sleep(1)  # any operation: here the results are given by hand


@contextlib.contextmanager
def raises(kind, *texts):
    """Do what pytest.raises does; every text must be in the message."""
    try:
        yield
    except kind as error:
        message = str(error)
    else:
        raise AssertionError(f"{kind.__name__} was not raised")
    assert all(text in message for text in texts), f"{texts} not all in: {message}"


def reach(points, fn, *results):
    """Return the point of ``fn`` after it was given ``results``."""
    point = points.start("p", fn, ())
    for result in results:
        point = points.advance(point, result)
    return point


def merged(fn, one, other):
    """Tell whether two histories of results lead to the same point."""
    points = Points()
    return reach(points, fn, *one) is reach(points, fn, *other)


def differ_later(fn, one, other, *more):
    """Check that two histories with different ends are two points, and return the two ends."""
    points = Points()
    ends = [reach(points, fn, *history, *more) for history in (one, other)]
    assert ends[0].outcome != ends[1].outcome, "the test shows nothing: both end alike"
    assert reach(points, fn, *one) is not reach(points, fn, *other)
    return [end.outcome for end in ends]


def loop_size(fn, result=None, limit=60):
    """Give ``result`` over and over, and return how many points there are before one comes back."""
    points = Points()
    point, seen = points.start("p", fn, ()), []
    while point not in seen:
        assert len(seen) < limit, f"{fn.__name__} does not close"
        seen.append(point)
        point = points.advance(point, result)
    return len(seen)


# ---- the evaluation stack ----------------------------------------------------------------------------

ITERATORS = {
    "list": lambda: [0, 0, 0],
    "tuple": lambda: (0, 0, 0),
    "str": lambda: "000",
    "bytes": lambda: bytes(3),
    "bytearray": lambda: bytearray(3),
    "range": lambda: range(3),
    "large range": lambda: range(10**30, 10**30 + 3),
    "reversed list": lambda: reversed([0, 0, 0]),
    "reversed range": lambda: reversed(range(3)),
    "enumerate": lambda: enumerate("000"),
    "zip": lambda: zip("000", [0, 0, 0], strict=True),
    "map": lambda: map(abs, [0, 0, 0]),
    "filter": lambda: filter(None, [1, 0, 1, 1]),
    "dict": lambda: {1: 0, 2: 0, 3: 0},
    "dict values": lambda: {1: 0, 2: 0, 3: 0}.values(),
    "dict items": lambda: {1: 0, 2: 0, 3: 0}.items(),
    "reversed dict": lambda: reversed({1: 0, 2: 0, 3: 0}),
    "ordered dict": lambda: collections.OrderedDict({1: 0, 2: 0, 3: 0}),
    "set": lambda: {1, 2, 3},
    "frozenset": lambda: frozenset((1, 2, 3)),
    "deque": lambda: collections.deque([0, 0, 0]),
    "callable": lambda: iter(functools.partial(next, iter([0, 0, 0, 1])), 1),
    "generator expression": lambda: (0 for _ in range(3)),
    "generator expression over a hidden iterator": lambda: (0 for _ in iter([0, 0, 0])),
    "chain": lambda: itertools.chain([0], (0, 0)),
    "repeat": lambda: itertools.repeat(0, 3),
    "islice": lambda: itertools.islice(itertools.count(), 3),
    "islice of cycle": lambda: itertools.islice(itertools.cycle([0]), 3),
    "accumulate": lambda: itertools.accumulate([0, 0, 0]),
    "product": lambda: itertools.product([0], [0, 0, 0]),
    "permutations": lambda: itertools.islice(itertools.permutations([0, 0, 0]), 3),
    "combinations": lambda: itertools.combinations([0, 0, 0], 2),
    "takewhile": lambda: itertools.takewhile(abs, [1, 1, 1, 0]),
    "dropwhile": lambda: itertools.dropwhile(abs, [1, 0, 0, 0]),
    "starmap": lambda: itertools.starmap(pow, [(0, 1)] * 3),
    "compress": lambda: itertools.compress([0, 0, 0], [1, 1, 1]),
    "zip_longest": lambda: itertools.zip_longest([0, 0, 0], [0]),
}


def test_the_position_of_a_hidden_iterator_is_part_of_a_point():
    for name, make in ITERATORS.items():

        def process(make=make):
            for _ in make():
                _ = None
                yield STEP

        points = Points()
        along = [reach(points, process, *[None] * n) for n in range(4)]
        assert len(set(along)) == 4, name
        assert [point.status for point in along] == ["ready", "ready", "ready", "returned"], name


def test_what_is_left_in_a_hidden_iterator_is_part_of_a_point():
    def process():
        last = 0
        for item in [2, 1] if (yield STEP) else [2, 3]:
            last = item
            yield STEP
        return last

    assert differ_later(process, [True], [False], None, None) == [1, 3]


def test_which_list_a_hidden_iterator_walks_is_part_of_a_point():
    def process():
        a, b = [0], [0]
        for _ in a if (yield STEP) else b:
            yield STEP
            if len(a) == 1:
                a.append(0)
        return len(b)

    points = Points()
    walks_a = reach(points, process, True)
    walks_b = reach(points, process, False)
    assert walks_a is not walks_b
    assert points.advance(walks_a, None).status == "ready"
    assert points.advance(walks_b, None).status == "returned"


def test_which_dict_a_hidden_iterator_walks_is_part_of_a_point():
    def process():
        a, b = {0: 0}, {0: 0}
        for _ in a if (yield STEP) else b:
            yield STEP
            a[1] = 1  # whoever walks it gets RuntimeError

    points = Points()
    assert reach(points, process, True, None).status == "failed"
    assert reach(points, process, False, None).status == "returned"


def test_a_dict_that_changed_under_its_iterator_fails_the_process_as_it_would():
    def process():
        items = {0: 0}
        for _ in items:
            items[1] = 1
            yield STEP

    end = reach(Points(), process, None)
    assert str(end.outcome) == "RuntimeError: dictionary changed size during iteration"


HALVES = {
    "sum": lambda: (yield STEP) + (yield STEP),
    "tuple": lambda: ((yield STEP), (yield STEP)),
    "list": lambda: str([(yield STEP), (yield STEP)]),
    "dict": lambda: str({(yield STEP): (yield STEP)}),
    "arguments": lambda: max((yield STEP) * 3, (yield STEP)),
    "text": lambda: f"{(yield STEP)}{(yield STEP)}",
    "comparison": lambda: (yield STEP) < (yield STEP),
    "item": lambda: [[5, 6], [7, 8]][(yield STEP)][(yield STEP)],
}


def test_the_first_half_of_an_expression_is_part_of_a_point():
    for name, process in HALVES.items():
        points = Points()
        ends = {reach(points, process, first, 1).outcome for first in (0, 1)}
        assert len(ends) == 2, name
        assert reach(points, process, 0) is not reach(points, process, 1), name


def test_a_nested_generator_is_part_of_a_point():
    def innermost(n):
        yield STEP
        return n

    def inner(n):
        return (yield from innermost(n))

    def process():
        return (yield from inner((yield STEP)))

    assert differ_later(process, [1], [2], None) == [1, 2]


def test_the_position_in_a_nested_generator_is_part_of_a_point():
    def inner():
        yield STEP
        yield STEP

    def process():
        yield from inner()

    assert not merged(process, [], [None])


def test_a_generator_that_waits_in_a_variable_is_part_of_a_point():
    def inner(n):
        yield STEP
        return n

    def process():
        later = inner((yield STEP))
        yield STEP
        return (yield from later)

    assert differ_later(process, [1], [2], None, None) == [1, 2]


class Manager:
    def __init__(self, n):
        self.n = n

    def __enter__(self):
        return None

    def __exit__(self, *_):
        if self.n:
            raise KeyError(self.n)


def test_the_context_manager_of_a_with_block_is_part_of_a_point():
    def process():
        with Manager((yield STEP)):
            yield STEP

    differ_later(process, [0], [1], None)


def test_a_context_manager_made_of_a_generator_is_part_of_a_point():
    @contextlib.contextmanager
    def manager(n):
        yield
        if n:
            raise KeyError(n)

    def process():
        with manager((yield STEP)):
            yield STEP

    differ_later(process, [0], [1], None)


def test_a_finally_block_knows_how_it_was_entered():
    def process():
        try:
            if (yield STEP):
                raise KeyError
        finally:
            yield STEP

    points = Points()
    assert reach(points, process, 0, None).status == "returned"
    assert reach(points, process, 1, None).status == "failed"


def test_an_operation_in_a_finally_block_is_no_complaint_when_a_run_is_given_up():
    unraisable, hook = [], sys.unraisablehook
    sys.unraisablehook = unraisable.append

    def process():
        try:
            yield STEP
            raise KeyError
        finally:
            yield STEP
            yield STEP

    try:
        for length in range(4):
            reach(Points(), process, *[None] * length)
    finally:
        sys.unraisablehook = hook
    assert unraisable == []


def test_a_return_value_waits_under_a_finally_block():
    def process():
        try:
            return (yield STEP)
        finally:
            yield STEP

    assert differ_later(process, [1], [2], None) == [1, 2]


# ---- locals, cells and exceptions --------------------------------------------------------------------


def test_a_mutable_local_is_part_of_a_point():
    def process():
        items = []
        while len(items) < 3:
            yield STEP
            items.append(0)
        return len(items)

    points = Points()
    assert len({reach(points, process, *[None] * n) for n in range(4)}) == 4


def test_two_names_for_one_list_are_not_two_equal_lists():
    def process():
        a = []
        b = a if (yield STEP) else []
        yield STEP
        a.append(1)
        return len(b)

    assert differ_later(process, [True], [False], None) == [1, 0]


def test_aliases_inside_containers_are_part_of_a_point():
    def process():
        a = []
        table = {"a": a, "b": [a if (yield STEP) else []]}
        del a
        yield STEP
        table["a"].append(1)
        return len(table["b"][0])

    assert differ_later(process, [True], [False], None) == [1, 0]


def test_a_list_that_holds_itself_can_be_frozen():
    def process():
        items = []
        items.append(items)
        yield STEP
        return len(items)

    assert reach(Points(), process, None).outcome == 1


def test_a_bound_method_knows_its_object():
    def process():
        a, b = [], []
        append = a.append if (yield STEP) else b.append
        yield STEP
        append(1)
        return len(a)

    assert differ_later(process, [True], [False], None) == [1, 0]


def test_an_unbound_local_is_not_one_that_holds_none():
    def process():
        if (yield STEP):
            x = None
        yield STEP
        return x

    points = Points()
    assert reach(points, process, True, None).status == "returned"
    assert reach(points, process, False, None).status == "failed"


def test_which_local_is_bound_is_part_of_a_point():
    def process():
        given = yield STEP
        if given:
            x = 1
        else:
            y = 1
        del given
        yield STEP
        with contextlib.suppress(UnboundLocalError):
            return x
        return y + 1

    assert differ_later(process, [True], [False], None) == [1, 2]


def test_a_cell_that_changes_is_part_of_a_point():
    def process():
        n = 0

        def bump():
            nonlocal n
            n += 1

        while n < 3:
            yield STEP
            bump()
        return n

    points = Points()
    assert len({reach(points, process, *[None] * n) for n in range(4)}) == 4
    assert reach(points, process, None, None, None).outcome == 3


def test_an_unbound_cell_is_not_one_that_holds_none():
    def process():
        def read():
            return x

        if (yield STEP):
            x = None
        yield STEP
        return read()

    points = Points()
    assert reach(points, process, True, None).status == "returned"
    assert reach(points, process, False, None).status == "failed"


def test_the_defaults_of_a_local_function_are_part_of_a_point():
    def process():
        def read(n=(yield STEP)):
            return n

        yield STEP
        return read()

    assert differ_later(process, [1], [2], None) == [1, 2]


def test_an_exception_in_flight_is_part_of_a_point():
    def process():
        try:
            raise (KeyError if (yield STEP) else ValueError)("x")
        except (LookupError, ValueError):
            yield STEP
            raise

    differ_later(process, [True], [False], None)


def test_the_arguments_of_an_exception_in_flight_are_part_of_a_point():
    def process():
        try:
            raise KeyError((yield STEP))
        except KeyError:
            yield STEP
            raise

    differ_later(process, [1], [2], None)


def test_the_context_of_an_exception_is_part_of_a_point():
    def process():
        try:
            try:
                raise (KeyError if (yield STEP) else ValueError)
            except Exception:
                raise RuntimeError  # noqa: B904 - its context is the point
        except RuntimeError as error:
            yield STEP
            return type(error.__context__)

    assert differ_later(process, [True], [False], None) == [KeyError, ValueError]


def test_the_cause_and_the_notes_of_an_exception_are_part_of_a_point():
    def process():
        error = KeyError("x")
        if (yield STEP):
            error.__cause__ = ValueError("y")
        else:
            error.add_note("z")
        yield STEP
        return type(error.__cause__)

    differ_later(process, [True], [False], None)


def test_an_exception_thrown_into_a_process_is_part_of_a_point():
    def process():
        try:
            yield STEP
        except Exception:
            yield STEP
            raise

    differ_later(process, [Raised(KeyError)], [Raised(ValueError)], None)


def test_an_exception_that_was_handled_in_a_function_is_forgotten():
    def process():
        given = yield STEP
        if given:
            with contextlib.suppress(KeyError):
                raise KeyError
        del given
        yield STEP

    assert merged(process, [True], [False])


def test_a_last_local_of_none_is_not_another_value():
    def process():
        last = yield STEP
        yield STEP
        return last

    assert differ_later(process, [None], [()], None) == [None, ()]


def test_an_exception_that_was_handled_is_forgotten():
    def process():
        with contextlib.suppress(KeyError, ValueError):
            yield STEP
        yield STEP

    assert merged(process, [Raised(KeyError)], [Raised(ValueError)])


# ---- values ------------------------------------------------------------------------------------------


def keep():
    kept = yield STEP
    yield STEP
    return kept


Pair = collections.namedtuple("Pair", "a b")


class Colour(enum.Enum):
    RED = 1
    BLUE = 2


@dataclasses.dataclass(frozen=True)
class Message:
    text: str
    number: int = 0


class Box:
    def __init__(self, inside):
        self.inside = inside


class Slots:
    __slots__ = ("inside",)

    def __init__(self, inside):
        self.inside = inside


DIFFERENT = [
    (True, 1),
    (1, 1.0),
    (True, 1.0),
    (False, 0),
    (0.0, -0.0),
    (1, 1 + 0j),
    ("1", b"1"),
    (None, False),
    ((1,), (True,)),
    ((1, 2), Pair(1, 2)),
    (frozenset({1}), frozenset({True})),
    ((), frozenset()),
    (Colour.RED, Colour.BLUE),
    (Colour.RED, 1),
    (Message("a"), Message("b")),
    (Message("a"), Message("a", True)),
    (collections.deque([1]), [1]),
    (collections.deque([1]), collections.deque([1], 5)),
    (collections.defaultdict(list), collections.defaultdict(set)),
    (collections.defaultdict(list), {}),
    ({1: 1, 2: 2}, {2: 2, 1: 1}),
    (bytearray(b"a"), b"a"),
    (range(3), range(0, 3, 2)),
    (slice(1), slice(2)),
    (Box(1), Box(2)),
    (Box(1), Slots(1)),
    (Slots(1), Slots(2)),
    (random.Random(1), random.Random(2)),
    (re.compile("a"), re.compile("a", re.IGNORECASE)),
    (functools.partial(max, 1), functools.partial(max, 2)),
    (KeyError("a"), KeyError("b")),
    (int, float),
    (len, max),
    (..., NotImplemented),
]


def test_values_that_code_can_tell_apart_are_different_points():
    for one, other in DIFFERENT:
        assert not merged(keep, [one], [other]), (one, other)


EQUAL = [
    (lambda: 10**30),
    (lambda: "".join(["a", "b"])),
    (lambda: (1, (2, "x" * 2))),
    (lambda: [1, [2], {3: {4}}]),
    (lambda: Pair(1, [2])),
    (lambda: Message("x" * 2)),
    (lambda: Box([1])),
    (lambda: Slots([1])),
    (lambda: frozenset({1, 2, 3})),
    (lambda: collections.Counter("aab")),
    (lambda: collections.OrderedDict(a=1)),
    (lambda: random.Random(7)),
    (lambda: re.compile("a+")),
    (lambda: {1: 2}.items()),
    (lambda: {1: 2}.keys()),
    (lambda: KeyError("a")),
]


def test_equal_values_are_one_point():
    for make in EQUAL:
        assert merged(keep, [make()], [make()]), make()


def test_a_nan_is_equal_to_itself_alone():
    def process():
        a = float("nan")
        b = a if (yield STEP) else float("nan")
        yield STEP
        return [a] == [b]

    assert differ_later(process, [True], [False], None) == [True, False]


def test_frozen_dataclasses_that_are_equal_are_one_point_whether_or_not_they_are_one_object():
    def process():
        a = Message("a")
        b = a if (yield STEP) else Message("a")
        yield STEP
        return a == b

    assert merged(process, [True], [False])


def test_equal_sets_pop_in_an_order_that_their_history_decides():
    def process():
        items = {5} if (yield STEP) else set()
        if items:
            items.pop()  # leaves a finger behind it
        items.update((1, 7))
        yield STEP
        return items.pop()

    assert differ_later(process, [True], [False], None) == [7, 1]


def test_the_finger_of_pop_is_part_of_a_set():
    def process():
        items = {5}
        if (yield STEP):
            items.pop()
        else:
            items.discard(5)  # the same slot is left behind, and no finger
        items.update((1, 7))
        yield STEP
        return items.pop()

    assert differ_later(process, [True], [False], None) == [7, 1]


def test_equal_sets_grow_in_an_order_that_their_history_decides():
    def process():
        items = {0, 8} if (yield STEP) else {8}  # 0 and 8 want the same slot
        items.discard(0)
        items.add(2)
        yield STEP
        items.add(1)
        return tuple(items)

    assert differ_later(process, [True], [False], None) == [(8, 2, 1), (8, 1, 2)]


def test_equal_frozensets_iterate_in_an_order_that_their_history_decides():
    def process():
        items = frozenset([0, 8]) if (yield STEP) else frozenset([8, 0])
        yield STEP
        return tuple(items)

    assert differ_later(process, [True], [False], None) == [(0, 8), (8, 0)]


# ---- loops that must close ---------------------------------------------------------------------------


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


# ---- programs ----------------------------------------------------------------------------------------


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


# ---- what is refused ---------------------------------------------------------------------------------


HELD = {}


def hold(name):
    suspect = HELD[name]
    yield STEP
    return suspect


def test_what_cannot_be_compared_by_value_is_refused_and_named():
    done = threading.Event()
    thread = threading.Thread(target=done.wait)
    thread.start()
    with socket.socket() as connection, tempfile.TemporaryFile("w") as file:
        HELD.update(
            {
                "TextIOWrapper": getattr(file, "file", file),
                "socket": connection,
                "lock": threading.Lock(),
                "Thread": thread,
                "memoryview": memoryview(b"a"),
                "Match": re.match("a", "a"),
                "Box with a lock in it": Box(threading.Lock()),
                "list with a lock in it": [threading.Lock()],
            }
        )
        try:
            for what in HELD:
                with raises(ModelError, "hold (", "variable 'suspect' holds a " + what, "model.variable(...)"):
                    Points().start("p", hold, (what,))
        finally:
            HELD.clear()
            done.set()
    thread.join()


def test_what_a_cell_holds_is_named_too():
    def process():
        suspect = threading.Lock()

        def inner():
            return suspect

        del inner
        yield STEP

    with raises(ModelError, "variable 'suspect' holds a lock"):
        Points().start("p", process, ())


def test_what_waits_on_the_stack_is_refused_without_a_name():
    def process():
        with threading.Lock():
            yield STEP

    with raises(ModelError, "a value in use holds a"):
        Points().start("p", process, ())


def test_an_argument_or_a_closure_that_cannot_be_compared_is_refused():
    suspect = threading.Lock()

    def process():
        yield STEP
        return suspect

    with raises(ModelError, "p: an argument or a closure", "holds a lock"):
        Points().start("p", process, ())
    with raises(ModelError, "p: an argument or a closure", "holds a lock"):
        Points().start("p", hold, (suspect,))


def test_a_result_that_cannot_be_compared_is_refused():
    def process():
        yield STEP
        return threading.Lock()

    with raises(ModelError, "p returned a lock", "return an immutable value"):
        reach(Points(), process, None)


def test_what_is_yielded_must_be_an_operation():
    def process():
        yield 3

    with raises(ModelError, "p (process (test_process.py:", "yielded 3, which is no operation", "lock.acquire()"):
        Points().start("p", process, ())


def test_a_generator_that_is_yielded_needs_yield_from():
    def process():
        yield keep()

    with raises(ModelError, "write `yield from` to run another generator"):
        Points().start("p", process, ())


def test_a_function_that_yields_nothing_is_refused():
    with raises(ModelError, "p: ", "returned str, not a generator"):
        Points().start("p", lambda: "x", ())


def test_wrong_arguments_are_refused():
    with raises(ModelError, "p: keep cannot be called with these arguments", "takes 0 positional arguments"):
        Points().start("p", keep, (1,))


# ---- nondeterminism ----------------------------------------------------------------------------------


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
    with raises(NondeterminismError, "p0", "(test_process.py:", "model.variable(...)"):
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


COUNTER = 0
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

    found_out(process)


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
    with raises(NondeterminismError, "p0 (parent (test_process.py:", "changed something that it had passed on in"):
        kernel.successors(kernel.initial)


def test_a_mutable_object_that_changes_after_it_was_put_is_found_out():
    model = Model("m")
    queue = model.queue("queue")

    def process():
        box = Box(0)
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
        return len(DIFFERENT), Colour.RED, keep.__name__, COUNTER

    walk(process, process)
