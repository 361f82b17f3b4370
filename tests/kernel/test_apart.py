"""What a process holds and pickle does not tell is part of its point: one bit each, where it is hard to see."""

import functools
import sys
from collections import namedtuple
from dataclasses import dataclass, field

from points import STEP

from simcore.kernel import Kernel
from simcore.model import Model
from simcore.model.objects import choose


@dataclass(frozen=True)
class Frozen:
    number: int = 0
    items: list = field(default_factory=list, compare=False)

    @functools.cached_property
    def total(self):
        return sum(self.items)


class Open(Frozen):
    """Not frozen itself."""


class Named(namedtuple("Named", "number")):
    """Has a place for attributes."""


class Silent:
    def __reduce__(self):
        return Silent, ()


class Forgetful(dict):
    def __getstate__(self):
        return None

    def items(self):
        return ()


def attribute(thing, given):
    object.__setattr__(thing, "kept", given)
    return lambda: thing.kept


def item(given):
    thing = Forgetful(kept=given)
    return lambda: thing["kept"]


def remembered_total(given):
    thing = Frozen(items=[1])
    if given:
        _ = thing.total
    thing.items.clear()
    return lambda: thing.total


def cached(given):
    @functools.cache
    def read():
        return given

    read()
    given = 0
    return read


def identity(make, given):
    one, other = make(), make()
    picked = other if given else one
    return lambda: picked is other


def place_in_a_set(given):
    items = {1, 4}
    if given:
        items.remove(1)
        items.add(5)
        walk = iter(items)
    else:
        walk = iter(items)
        next(walk)
        items.remove(1)
        items.add(5)

    def read():
        items.remove(5)
        items.add(8)
        return 8 in list(walk)

    return read


def where_it_was_raised(given):
    def one():
        raise KeyError

    def other():
        raise KeyError

    try:
        (one, other)[given]()
    except KeyError as error:
        raised = error
    return lambda: raised.__traceback__.tb_next.tb_frame.f_code.co_name == "other"


REMEMBER = {
    "an attribute of a frozen dataclass": lambda given: attribute(Frozen(), given),
    "an attribute of a subclass of one": lambda given: attribute(Open(), given),
    "an attribute of a named tuple": lambda given: attribute(Named(1), given),
    "an attribute of an object that pickle forgets": lambda given: attribute(Silent(), given),
    "an item of a dict that pickle forgets": item,
    "a cached property of a frozen dataclass": remembered_total,
    "a function with a cache": cached,
    "which of two equal tuples": functools.partial(identity, lambda: (*[1, 2],)),
    "which of two equal numbers": functools.partial(identity, lambda: int("1" * 30)),
    "which of two equal dataclasses": functools.partial(identity, Frozen),
    "the place of an iterator in a set": place_in_a_set,
    "where an exception was raised": where_it_was_raised,
}


def ends(remember):
    """Return what a process returns that has been given 0 or 1 and has it in ``remember`` alone."""

    def process():
        read = remember((yield choose(0, 1)))
        yield STEP
        return int(read())

    model = Model("m")
    model.process("p", process)
    kernel = Kernel(model)
    seen, stack = {kernel.initial}, [kernel.initial]
    while stack:
        new = {choice.state for choice in kernel.successors(stack.pop())} - seen
        seen |= new
        stack += new
    return {local.point.outcome for local in kernel.locals if local.status == "returned"}


def test_every_one_is_seen():
    for name, remember in REMEMBER.items():
        assert ends(remember) == {0, 1}, f"{name} on {sys.version}"
