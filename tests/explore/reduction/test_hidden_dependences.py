"""Steps that depend on each other in a way that is easily overlooked are taken in both orders."""

import pytest
from generated import system
from orders import TIMEOUTS, agree, compare

from simcore import Model, Verdict, choose, explore, sleep, sometimes

# ---- systems that need care --------------------------------------------------------------------------------


def dropped():
    """Somebody drops the future of a task that waits in the queue; its worker then has none to set."""
    model = Model("dropped")
    pool, lock, event = model.thread_pool("pool", 1), model.lock("lock"), model.event("event")

    def task():
        yield lock.acquire()
        yield lock.release()

    def main():
        yield pool.submit(task)
        future = yield pool.submit(task)
        yield event.set()
        return future is None

    model.process("main", main)
    return model


def sets_a_result(state):
    operation = state.process("pool[0]").operation
    return operation is not None and operation.name == "set_result"


def holds_a_future(state):
    task = state.process("pool[0]").task
    return task is not None and task.future is not None


@pytest.mark.parametrize("seen", [sets_a_result, holds_a_future])
def test_a_future_that_another_one_drops_is_a_change_of_the_worker_that_a_property_names(seen):
    assert agree(dropped(), sometimes(seen, "seen")) is Verdict.HOLDS


def dropped_by_two():
    """The future of a task is kept by a process and by a variable, and whoever is the last drops it."""
    model = Model("dropped by two")
    pool, lock, kept = model.thread_pool("pool", 1), model.lock("lock"), model.variable("kept")
    there, event = model.event("there"), model.event("event")

    def task():
        yield lock.acquire()
        yield lock.release()

    def main():
        yield pool.submit(task)
        future = yield pool.submit(task)
        yield kept.set(future)
        yield there.set()
        yield event.set()
        return future is None

    def helper():
        yield there.wait()
        yield kept.set(None)
        yield kept.set("dropped")

    model.process("main", main)
    model.process("helper", helper)
    return model


def test_a_step_that_may_be_the_last_to_drop_a_future_is_a_change_wherever_it_is_taken():
    asked = sometimes(lambda state: state["kept"] == "dropped" and sets_a_result(state), "main keeps it alone")
    assert agree(dropped_by_two(), asked) is Verdict.HOLDS


def test_who_may_have_to_wait_later_is_seen_to_wait():
    model = Model("may wait")
    permit, event = model.semaphore("permit", 0), model.event("event")

    def release():
        yield permit.release()

    def take():
        yield event.set()
        yield permit.acquire()

    model.process("release", release)
    model.process("take", take)
    assert agree(model, sometimes(lambda state: state.process("take").blocked, "take waits")) is Verdict.HOLDS


def hand_over(model, queue):
    """Keep what is put first."""
    first = model.variable("first")

    def keep():
        yield first.set((yield queue.get()))

    model.process("keeper", keep, daemon=True)


def put_first_by(name):
    return sometimes(lambda state: state["first"] == name, f"first by {name}")


def notified_while_held():
    """A waiter is notified; the lock is still held, by one who notifies nobody any more."""
    model = Model("notified while held")
    lock, queue = model.lock("lock"), model.queue("queue")
    told, there, ready = model.event("told"), model.event("there"), model.condition("ready", lock)

    def waiter():
        yield lock.acquire()
        yield there.set()
        yield ready.wait()
        yield queue.put("waiter")
        yield lock.release()

    def owner():
        yield there.wait()
        yield lock.acquire()
        yield ready.notify()
        yield told.set()
        yield lock.release()

    def other():
        yield told.wait()
        yield queue.put("other")

    for fn in (other, owner, waiter):
        model.process(fn.__name__, fn)
    hand_over(model, queue)
    return model


def freed_by_a_wait():
    """Somebody waits on a condition whose plain lock another one holds, and so frees it."""
    model = Model("freed by a wait")
    lock, queue = model.lock("lock"), model.queue("queue")
    held, never, ready = model.event("held"), model.event("never"), model.condition("ready", lock)

    def owner():
        yield lock.acquire()
        yield held.set()
        yield never.wait()

    def thief():
        yield held.wait()
        yield ready.wait()

    def waiter():
        yield held.wait()
        yield lock.acquire()
        yield queue.put("waiter")

    def other():
        yield held.wait()
        yield queue.put("other")

    for fn in (other, waiter, owner, thief):
        model.process(fn.__name__, fn, daemon=True)
    hand_over(model, queue)
    return model


@pytest.mark.parametrize("name", ["waiter", "other"])
@pytest.mark.parametrize("build", [notified_while_held, freed_by_a_wait])
def test_who_waits_for_a_held_lock_waits_for_whoever_may_free_it(build, name):
    assert agree(build(), put_first_by(name)) is Verdict.HOLDS


@pytest.mark.parametrize("number", [0, 1])
def test_where_workers_are_told_apart_each_may_take_the_task(number):
    holds = sometimes(lambda state: str(state["lock"].owner) == f"pool[{number}]", f"pool[{number}] holds it")
    model = Model("workers told apart")
    pool, lock = model.thread_pool("pool", 2), model.lock("lock")

    def task():
        yield lock.acquire()
        yield lock.release()

    def main():
        yield pool.submit(task)

    model.process("main", main)
    assert explore(model, holds, symmetry=False).verdict is Verdict.HOLDS


def dropped_without_touching_anything(last):
    """Where names are kept, a dropped future leaves its place to the next submit."""
    model = Model("dropped without touching anything")
    pool, never, kept = model.thread_pool("pool", 1), model.event("never"), model.variable("kept")

    def task():
        yield never.wait()

    def drop():
        future = yield pool.submit(task)
        yield last(never)
        return future is None

    def keep():
        yield kept.set((yield pool.submit(task)))

    model.process("drop", drop)
    model.process("keep", keep)
    return model


LAST = {
    "choose": lambda never: choose("a", "b"),
    "sleep": lambda never: sleep(1),
    "time-out": lambda never: never.wait(timeout=1),
}


@pytest.mark.parametrize("last", LAST.values(), ids=LAST)
def test_a_step_that_drops_a_future_is_not_put_before_a_submit_where_names_are_kept(last):
    second = sometimes(lambda state: str(state["kept"]) == "future#1", "keep submits second")
    model = dropped_without_touching_anything(last)
    assert explore(model, second, symmetry=False, timeouts="anytime").verdict is Verdict.HOLDS
    compare(dropped_without_touching_anything(last), "anytime", names=False)


def submits_again():
    """A process keeps the future of a second submit, which gets the name of the first one when that is dropped."""
    model = Model("submits again")
    pool, event, promise = model.thread_pool("pool", 1), model.event("event"), model.future("promise")

    def task():
        yield promise.done()

    def submit():
        future = yield pool.submit(task)
        future = yield pool.submit(task)
        yield promise.set_result(1)
        yield event.set()
        return future is None

    def clear():
        yield event.clear()

    model.process("clear", clear)
    model.process("submit", submit)
    return model


@pytest.mark.parametrize("timeouts", TIMEOUTS)
def test_what_a_process_may_still_do_is_foreseen_whatever_its_future_is_called(timeouts):
    asked = sometimes(lambda state: state.process("submit").done and not state["event"], "cleared last")
    assert agree(submits_again(), asked, timeouts=timeouts) is Verdict.HOLDS
    compare(submits_again(), timeouts)


CLIENTS = {
    "alone": (
        '{"lock":0,"event":0,"future":0,"semaphore":[],"queue":[],"pool":[],"tasks":[],"processes":[],"clients":'
        '{"number":2,"capacity":null,"body":[["put","desk","name",null],["put","inbox",0,null]]}}'
    ),
    "through a task": (
        '{"lock":0,"event":0,"future":0,"semaphore":[],"queue":[],"pool":[1],"tasks":[],"processes":[],"clients":'
        '{"number":2,"capacity":null,"body":[["submit",0,"task"],["put","inbox",0,null]]}}'
    ),
}


@pytest.mark.parametrize("timeouts", TIMEOUTS)
@pytest.mark.parametrize("description", CLIENTS.values(), ids=CLIENTS)
def test_what_a_process_may_still_do_is_foreseen_whatever_the_process_is_called(description, timeouts):
    compare(system(description=description), timeouts)
