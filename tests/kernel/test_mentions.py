"""What code may still call is followed into methods of the user's own classes, and told from what it submits."""

from __future__ import annotations

import functools

import pytest

from simcore import Model, Verdict, explore, simulate
from simcore.kernel.mentions import Mentions


class Flag:
    """A flag under a condition, as most people write one."""

    def __init__(self, model: Model, name: str = "a") -> None:
        self.cond = model.condition(f"{name} cond")
        self.value = model.variable(f"{name} flag", False)

    def wait(self):
        yield self.cond.acquire()
        while not (yield self.value.get()):
            yield self.cond.wait()
        yield self.cond.release()

    def raise_it(self):
        yield self.cond.acquire()
        yield self.value.set(True)
        yield self.cond.notify_all()
        yield self.cond.release()


class Owner:
    """Holds a flag, and has a process that is one of its methods."""

    def __init__(self, model: Model) -> None:
        self.flag = Flag(model, "owned")

    @property
    def shortcut(self):
        return self.flag

    def run(self):
        yield from self.flag.raise_it()


def functions_of():
    model = Model("names")
    pool, flag, owner = model.thread_pool("pool", 1), Flag(model), Owner(model)

    def inner():
        yield from flag.raise_it()

    def calls():
        yield from inner()

    def submits():
        yield pool.submit(inner)

    def both():
        yield pool.submit(inner)
        yield from inner()

    def through_an_attribute():
        yield from owner.flag.raise_it()

    def through_a_property():
        yield from owner.shortcut.raise_it()

    return {
        "calls": calls,
        "submits": submits,
        "both": both,
        "attribute": through_an_attribute,
        "property": through_a_property,
        "method": owner.run,
    }


@pytest.mark.parametrize(
    ("name", "called", "submitted"),
    [
        ("calls", True, False),
        ("submits", False, True),
        ("both", True, True),
        ("attribute", True, False),
        ("property", True, False),
        ("method", True, False),
    ],
)
def test_what_is_called_and_what_is_submitted_are_told_apart(name, called, submitted):
    names = Mentions().called_by(functions_of()[name])
    assert ("notify_all" in names[0], "notify_all" in names[1]) == (called, submitted)


def waiter_and_setter(methods: bool) -> Model:
    model = Model("flag")
    flag, other = Flag(model), model.queue("other")

    def set_it():
        yield flag.cond.acquire()
        yield flag.value.set(True)
        yield flag.cond.notify_all()
        yield flag.cond.release()

    def setter():
        yield other.get()
        yield from flag.raise_it() if methods else set_it()

    def late():
        yield other.put(1)

    model.process("waiter", flag.wait)
    model.process("setter", setter)
    model.process("late", late)
    return model


@pytest.mark.parametrize("methods", [False, True])
def test_who_sets_by_a_method_keeps_the_waiter_alive_as_one_who_sets_by_a_function_does(methods):
    for seed in range(10):
        run = simulate(waiter_and_setter(methods), max_steps=3, seed=seed)
        assert run.wait_for.dead == []


def test_a_branch_that_submits_does_not_take_away_what_is_called_elsewhere():
    def build(branch):
        model = Model("calls and submits")
        up, down, pool = model.queue("up", 4), model.queue("down", 1), model.thread_pool("pool", 1)

        def write_all():
            for n in range(8):
                yield up.put(n)

        def read_all():
            for _ in range(8):
                yield down.get()

        def main():
            if branch is None:
                yield pool.submit(write_all)
            yield from write_all()
            yield from read_all()

        def without():
            yield from write_all()
            yield from read_all()

        def server():
            for _ in range(8):
                yield up.get()
                yield down.put("answer")

        model.process("main", main if branch else without)
        model.process("server", server)
        return model

    one, other = (explore(build(branch)).counterexample for branch in (False, True))
    assert one.wait_for.explain() == other.wait_for.explain()
    assert len(one.schedule) == len(other.schedule)


class Broken(Exception):
    """A user's own exception, which gets a dictionary when somebody asks for it, and is then another value."""


@pytest.mark.parametrize("make", [lambda: Broken("x"), lambda: functools.partial(print)], ids=["exception", "partial"])
def test_to_look_at_what_code_mentions_changes_nothing_of_it(make):
    model = Model("broken")
    done = model.event("done")

    def settle(outcome):
        yield done.set()
        yield done.wait()
        return outcome is None

    def main():
        yield done.is_set()
        yield from settle(make())

    model.process("main", main)
    assert explore(model).verdict is Verdict.HOLDS


def started_by(*fns):
    """Return the names that one code calls, with each of some functions as its argument, asked in this order."""
    model = Model("started")
    event = model.event("event")

    def sets():
        yield event.set()

    def waits():
        yield event.wait()

    def run(fn):
        yield event.is_set()
        yield from fn()

    mentions, found = Mentions(), []
    for fn in fns:
        generator = run({"sets": sets, "waits": waits}[fn])
        next(generator)
        found.append(mentions.of(generator)[0] & {"set", "wait"})
        generator.close()
    return found


@pytest.mark.parametrize("asked", [("sets", "waits"), ("waits", "sets", "waits")])
def test_one_code_mentions_what_the_functions_that_it_is_given_do(asked):
    assert started_by(*asked) == [{"sets": {"set"}, "waits": {"wait"}}[fn] for fn in asked]
