"""Systems that every reduction and every loop is compared on, and how the answers with and without are compared."""

import sys
from unittest.mock import patch

import small
import toys
from hypothesis import note

from simcore import Model, Verdict, explore
from simcore.kernel import Kernel
from simcore.models import pool_starvation

TOYS = {
    "opposed locks": toys.opposed_locks,
    "crossed behind a heartbeat": lambda: small.crossed(beating=True),
    "impatient": small.impatient,
    "hidden in a task": lambda: small.hidden(in_a_task=True),
    "helped in a task": lambda: small.hidden(in_a_task=True, alone=False),
    "relay": small.relay,
    "raising": small.raising,
    "locked tasks": small.locked_tasks,
    "locked tasks, three workers": lambda: small.locked_tasks(workers=3),
    "locked tasks in order": lambda: small.locked_tasks(opposed=False),
    "nested submit 2/2": lambda: small.nested_submit(workers=2, tasks=2),
    "nested submit 2/3": lambda: small.nested_submit(workers=3, tasks=2),
    "nested futures": lambda: toys.nested_futures(roots=2, levels=2, workers=3),
    "nested futures that hang": lambda: toys.nested_futures(roots=2, levels=2, workers=2),
    "pool system before": lambda: toys.pool_system(requesters=2, workers=2, chunks=1),
    "pool system after": lambda: toys.pool_system(requesters=2, workers=2, chunks=1, callback_workers=2),
    "two pools": lambda: pool_starvation.fixed(downloads=2, workers=2, callback_workers=2),
    "starved": lambda: pool_starvation.buggy(downloads=3, workers=2),
    "waiters of a condition": lambda: notified(workers=3),
}


def notified(*, workers: int = 3, tasks: int = 2) -> Model:
    """Tasks wait on a condition, so the value of its lock mentions workers in the order in which they came."""
    model = Model("notified")
    pool, lock = model.thread_pool("pool", workers), model.lock("lock")
    ready = model.condition("ready", lock)

    def wait():
        yield lock.acquire()
        yield ready.wait()
        yield lock.release()

    def main():
        for _ in range(tasks):
            yield pool.submit(wait)
        for _ in range(tasks):
            yield lock.acquire()
            yield ready.notify()
            yield lock.release()

    model.process("main", main)
    return model


def both(model, *properties, **options):
    """Explore with and without symmetry; insist on one answer, and return the two results."""
    reduced, full = (explore(model, *properties, symmetry=on, partial_order=False, **options) for on in (True, False))
    assert (reduced.verdict, reduced.property) == (full.verdict, full.property)
    if full.counterexample is not None:
        ways = reduced.counterexample.schedule, full.counterexample.schedule
        assert (len(ways[0]), ways[0].switches) == (len(ways[1]), ways[1].switches)
        assert len(ways[0].states(Kernel(model))) == len(ways[0]) + 1
    assert reduced.states <= full.states
    return reduced, full


def agree(model, limit):
    """Compare with and without symmetry within a limit; what is too large for it is not judged."""
    with patch.object(sys.modules["simcore.explore.no_return"], "NO_RETURN_STATES", 20):  # most of the time goes there
        reduced, full = (explore(model, symmetry=on, partial_order=False, max_states=limit) for on in (True, False))
    note(str(full))
    if Verdict.UNDETERMINED in (reduced.verdict, full.verdict):
        return
    assert (reduced.verdict, reduced.property) == (full.verdict, full.property)
    assert reduced.states <= full.states
    if full.counterexample is None:
        return
    if any("everything else has stopped" in result.counterexample.shortest for result in (reduced, full)):
        return  # it has given up looking for knots, sooner or later than the other, and says so
    assert len(reduced.counterexample.schedule) == len(full.counterexample.schedule)
    assert reduced.counterexample.schedule.switches == full.counterexample.schedule.switches
