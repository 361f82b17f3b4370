"""What a step changes outside of its own frame is found out, whatever it hides in, and reading it is no offence."""

import collections
import contextvars
import decimal
import enum
import functools
import itertools
import os
import random
import sys
import threading
import weakref
from dataclasses import dataclass

import elsewhere
from points import STEP, Box, raises

from simcore.errors import ModelError, NondeterminismError
from simcore.kernel import Kernel
from simcore.model import Model
from simcore.model.objects import choose


class Store:
    value = 0
    items = []

    def remember(self, given, kept=[]):  # noqa: B006 - that everybody shares it is what is tried
        kept[:] = [given]

    @classmethod
    def count(cls):
        Store.value += 1


class Single:
    made = None

    def __new__(cls):
        cls.made = cls.made or super().__new__(cls)
        return cls.made


class Colour(enum.Enum):
    RED = 1


class Flags(enum.Flag):
    ONE = 1
    TWO = 2


class Hidden:
    """A descriptor that keeps what it is given in a global."""

    def __set__(self, thing, value):
        TABLE["hidden"] = value


class WithHidden:
    attribute = Hidden()


class Slots:
    __slots__ = ("inside",)


class Owner:
    @functools.cached_property
    def total(self):
        return sum(Store.items)


@dataclass(frozen=True)
class Frozen:
    number: int


@functools.cache
def table_for(name):
    return [name]


@functools.cache
def computed(number):
    return number * number, "text"


def fill(given):
    TABLE["given"] = given


def countdown():
    yield from (3, 2, 1)


def counted():
    yield STEP


GLOBAL = 0
TABLE = {}
QUEUE = collections.deque()
ORDERED = collections.OrderedDict(a=1, b=2)
NAMES = {"a"}
PUSH = QUEUE.append
NUMBERS = itertools.count()
LETTERS = iter("abc")
NUMBERED = countdown()
SLOTS, FROZEN, OWNER, SINGLE = Slots(), Frozen(1), Owner(), Box(0)
LOCAL, CONTEXT = threading.local(), contextvars.ContextVar("CONTEXT", default=0)
KEPT = weakref.WeakKeyDictionary()
SOURCE = random.Random(7)
STAMP = bytearray(1)
MODEL = Model("outside")
LOCK = MODEL.lock("lock")


def rebind(given):
    global GLOBAL
    GLOBAL = given + 1


CHANGES = {
    "test_outside.GLOBAL": rebind,
    "test_outside.TABLE['given']": fill,
    "test_outside.TABLE['hidden']": lambda given: setattr(WithHidden(), "attribute", given),
    "test_outside.PUSH": lambda given: PUSH(given),
    "test_outside.ORDERED": lambda given: ORDERED.move_to_end("a"),
    "test_outside.NAMES": lambda given: NAMES.add("b"),
    "test_outside.NUMBERS": lambda given: next(NUMBERS),
    "test_outside.LETTERS": lambda given: next(LETTERS),
    "test_outside.NUMBERED": lambda given: next(NUMBERED),
    "test_outside.SLOTS.inside": lambda given: setattr(SLOTS, "inside", given),
    "test_outside.FROZEN.extra": lambda given: object.__setattr__(FROZEN, "extra", given),
    "test_outside.LOCAL.given": lambda given: setattr(LOCAL, "given", given),
    "test_outside.CONTEXT": lambda given: CONTEXT.set(given),
    "test_outside.KEPT.data": lambda given: KEPT.update({Store: given}),
    "test_outside.SOURCE": lambda given: SOURCE.random(),
    "test_outside.STAMP": lambda given: STAMP.__setitem__(0, given + 1),
    "test_outside.LOCK.owner_": lambda given: object.__setattr__(LOCK, "owner_", given),
    "test_outside.table_for": lambda given: table_for(0).append(given),
    "Store.value": lambda given: Store.count(),
    "Store.items": lambda given: Store.items.append(given),
    "Store.added": lambda given: setattr(Store, "added", given),
    "Store.remember": lambda given: Store().remember(given),
    "Single.made": lambda given: Single(),
    "Colour.RED.extra": lambda given: setattr(Colour.RED, "extra", given),
    "counted.calls": lambda given: setattr(counted, "calls", given),
    "elsewhere.MODE": lambda given: elsewhere.set_mode(given + 1),
    "elsewhere.ITEMS": lambda given: elsewhere.ITEMS.append(given),
    "sys.kept": lambda given: setattr(sys, "kept", given),
    "os.environ": lambda given: os.environ.update(KEPT_HERE=str(given)),
    "decimal.getcontext": lambda given: setattr(decimal.getcontext(), "prec", 5 + given),
    "random": lambda given: random.seed(given),
    "test_outside.LATER": lambda given: globals().update(LATER=given),
}
"""What each is called, and how it is changed."""


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
    return kernel


def test_whatever_a_step_changes_outside_is_named_with_the_process_and_the_line():
    for name, change in CHANGES.items():

        def process(change=change):
            given = yield choose(0, 1)
            change(given)
            yield STEP

        instead = "choose(" if name == "random" else "model.variable("
        with raises(NondeterminismError, "p0, after process (test_outside.py:", f"changed {name}", instead):
            walk(process)
    del sys.kept, os.environ["KEPT_HERE"]
    decimal.setcontext(decimal.Context())


def test_the_same_shared_by_two_processes_is_found_out_whoever_is_declared_first():
    for name in ("test_outside.GLOBAL", "Store.items", "counted.calls", "elsewhere.MODE"):
        for number in (5, 6):

            def writer(change=CHANGES[name], number=number):
                yield STEP
                change(number)

            def reader():
                yield STEP
                yield choose(GLOBAL, len(Store.items), counted.__dict__.get("calls"), elsewhere.MODE)

            with raises(NondeterminismError, f"changed {name}"):
                walk(*((reader, writer) if number == 5 else (writer, reader)))


def test_a_variable_around_two_processes_is_outside_of_both():
    shared = 0

    def writer():
        nonlocal shared
        shared += 1
        yield STEP

    def reader():
        yield STEP
        return shared

    with raises(NondeterminismError, "p1, before writer (", "changed shared, a variable of test_a_variable_around"):
        walk(reader, writer)


def test_to_read_to_compute_and_to_remember_what_cannot_change_is_no_offence():
    Store.items[:] = [1, 2]

    def process():
        for number in range(2):
            given = yield choose(0, 1)
            read = [Store.value, len(Store.items), Colour.RED.value, dict(TABLE), Flags.ONE | Flags.TWO]
            remembered = [computed(given + number), OWNER.total, decimal.Decimal(1) / 3]
            del read, remembered
        yield STEP

    computed.cache_clear()
    walk(process, process)
    assert computed.cache_info().currsize == 3


def test_how_full_a_cache_is_is_no_secret_where_the_code_asks():
    def process():
        computed((yield choose(0, 1)))
        yield STEP
        return computed.cache_info().currsize

    computed.cache_clear()
    with raises(NondeterminismError, "changed test_outside.computed"):
        walk(process)


def test_what_differs_in_the_second_run_is_found_out_however_long_the_process_is():
    for length in (1, 99, 101, 150):

        def process(length=length):
            for _ in range(length):
                yield STEP
            yield choose(id(object()), os.urandom(8))

        with raises(NondeterminismError, "p0 (process (test_outside.py:", "when it was run again"):
            walk(process)


ONE, OTHER = object(), object()


class Token:
    kept = object()


def passed(one, other):
    """Return what a process makes of one or the other that it is given."""

    def process():
        given = yield choose(one, other)
        yield STEP
        return given is other

    kernel = walk(process)
    return {local.point.outcome for local in kernel.locals if local.status == "returned"}


def test_things_that_are_equal_only_to_themselves_are_kept_apart():
    here = Token()
    for one, other in [(ONE, OTHER), (Token.kept, ONE), (here, Token())]:
        assert passed(one, other) == {False, True}


def test_two_processes_with_a_token_each_are_two_programs():
    model = Model("m")
    queue = model.queue("queue")

    def process(token):
        yield queue.put(token)
        return (yield queue.get()) is token

    for number in range(2):
        model.process(f"p{number}", process, Token())
    kernel = Kernel(model)
    seen, stack = {kernel.initial}, [kernel.initial]
    while stack:
        new = {choice.state for choice in kernel.successors(stack.pop())} - seen
        seen |= new
        stack += new
    assert {local.point.outcome for local in kernel.locals if local.status == "returned"} == {False, True}


def test_a_token_that_a_process_has_made_is_not_passed_on():
    def puts():
        yield choose(Token(), Token())

    def returns():
        yield STEP
        return Token()

    model = Model("m")
    pool = model.thread_pool("pool", 1)

    def submits():
        future = yield pool.submit(returns)
        yield future.result()

    with raises(ModelError, "p0 (puts (test_outside.py:", "passes on, in choose(...), a Token that was made"):
        walk(puts)
    model.process("p", submits)
    kernel = Kernel(model)
    with raises(ModelError, "returns", "returns a Token that was made"):
        state = kernel.initial
        while choices := kernel.successors(state):
            state = choices[0].state


def test_a_token_that_stays_with_its_process_is_no_offence():
    def process():
        token, given = Token(), (yield choose(0, 1))
        token.inside = given
        yield STEP
        return token.inside

    kernel = walk(process)
    assert {local.point.outcome for local in kernel.locals if local.status == "returned"} == {0, 1}
