"""What a user holds: one thing of every kind that simcore hands out, by the name of its class."""

from __future__ import annotations

from functools import cache
from typing import Any

from threaded import opposed_locks

from simcore import (
    Claim,
    Model,
    Verdict,
    assert_pool_safe,
    control,
    execute,
    explore,
    odds,
    prove,
    simulate,
    sleep,
    sweep,
)
from simcore.properties import deadlock_free
from simcore.schedule import PCT, POS, URW, EvenProgress, Portfolio, RandomWalk
from simcore.sizes import Advice, Attempt, Rate, chart, machine_table
from simcore.stateful import Topology


def everything() -> Model:
    """A model with each object, and a process that has to wait for itself."""
    model = Model("everything")
    lock = model.lock("lock")
    model.rlock("rlock")
    model.event("event")
    model.condition("condition", lock)
    model.semaphore("semaphore")
    model.future("future")
    model.queue("queue")
    model.thread_pool("pool", 1)
    model.link("link")
    model.timer("timer", 1.0, twice, lock)
    model.variable("variable")
    model.process("main", twice, lock)
    return model


def twice(lock: Any) -> Any:
    yield lock.acquire()
    yield lock.acquire()


def ready() -> Model:
    """A model that is done as soon as it runs."""
    model = Model("ready")
    event = model.event("event")

    def main() -> Any:
        yield event.set()

    model.process("main", main)
    return model


def late() -> Model:
    """A model that takes a second."""
    model = Model("late")

    def main() -> Any:
        yield sleep(1.0)

    model.process("main", main)
    return model


@cache
def objects() -> dict[str, Any]:
    """Return one object of each kind that a process can operate on."""
    model = everything()
    return {type(thing).__name__: thing for thing in (*model.objects[1:], *model.conditions)}


@cache
def held() -> dict[str, Any]:
    """Return one of everything else that a user is given."""
    found = explore(everything()).counterexample
    things = [everything(), sleep(1.0), deadlock_free(), found.state, found.state.process("main"), explore(ready())]
    things += [
        found,
        found.schedule,
        found.schedule.steps[0],
        found.wait_for,
        RandomWalk(),
        PCT(),
        POS(),
        URW(),
        EvenProgress(),
        Portfolio(),
    ]
    hangs = control(opposed_locks)
    things += [hangs, hangs.violation]
    things += [simulate(ready()), execute(ready()), Claim("S1", "1.0", ready, deadlock_free(), Verdict.HOLDS)]
    found_of_sizes = sweep(lambda *, n: ready(), executor="here", n=1)
    things += [found_of_sizes, found_of_sizes[0], found_of_sizes.law(), prove(lambda: ready())]
    safety = assert_pool_safe(lambda *, n: ready(), n=1)
    things += [odds(ready()), safety, safety.finding, machine_table(lambda *, n: ready(), "n", cores=[1])]
    drawn = chart(sweep(lambda *, n: late(), executor="here", n=1), runs=1)
    things += [drawn, drawn.points[0], Topology((), (), (), ((),), ())]
    things += [Advice(explore(ready())), Attempt("bound", "pool", "", "safe"), Rate(1.0, 1.0, 1.0)]
    return {type(thing).__name__: thing for thing in things}
