"""Following one order of steps in place of all leaves out no end, no program point and no verdict."""

import re
import sys
from concurrent.futures import InvalidStateError
from contextlib import contextmanager
from random import Random
from unittest.mock import patch

import pytest
from claims import claims_of, each_claim
from generated import system, systems
from hypothesis import Phase, assume, given, settings
from hypothesis import strategies as st
from systems import TOYS

from simcore import Model, Verdict, always, choose, explore, sleep, sometimes
from simcore.explore.limits import Limits, OutOfBudget
from simcore.explore.reduction import NotSymmetric, PartialOrder, Symmetry
from simcore.explore.reduction.colours import mixed
from simcore.explore.reduction.components import Components
from simcore.explore.reduction.footprints import Footprints
from simcore.explore.search import Search, Unjustified
from simcore.kernel import Kernel
from simcore.model import DEADLOCK_FREE, Watched, objects
from simcore.model.objects import Condition, Event, Future, Link, Lock, Queue, RLock, Semaphore, ThreadPool, Variable
from simcore.model.operations import Operation, SharedObject
from simcore.models import callback_starvation, pool_starvation
from simcore.properties import no_stuck_subset

TIMEOUTS = ["never", "when_stuck", "in_order", "anytime"]
LIMIT = 1_000

# ---- what is declared to commute ---------------------------------------------------------------------------


def no_task():
    yield from ()


def calls(thing):
    """Return the operations of an object that two processes perform at random."""
    match thing:
        case Event():
            return [thing.set(), thing.clear(), thing.wait(), thing.is_set()]
        case Future():
            waits = [thing.result(), thing.exception(), thing.done()]
            return [thing.set_result(1), thing.set_result(2), thing.set_exception(ValueError("wrong")), *waits]
        case Link():
            ends = [thing.close("send"), thing.close("recv"), thing.reset()]
            return [thing.send("a"), thing.send("bb"), thing.recv(), *ends]
        case Lock():
            return [thing.acquire(), thing.release(), thing.locked()]
        case Queue():
            return [thing.put(1), thing.put(2), thing.get(), thing.qsize()]
        case Semaphore():
            return [thing.acquire(), thing.release(), thing.release(2)]
        case ThreadPool():
            return [thing.submit(no_task), thing.take(), thing.shutdown(), Operation(thing, "join")]
        case Variable():
            steps = [thing.set(1), thing.update(lambda n: n + 1), thing.transition(lambda n: [(n, "a"), (n + 1, "b")])]
            return [thing.get(), thing.wait_for(lambda n: n > 0), thing.wait_for(lambda n: n % 2), *steps]
    raise NotImplementedError(thing)


THINGS = {
    "event": lambda: Event("event"),
    "future": lambda: Future("future"),
    "link in frames": lambda: Link("link", 2),
    "link in bytes": lambda: Link("link", 3, unit="bytes"),
    "lock": lambda: Lock("lock"),
    "rlock": lambda: RLock("rlock"),
    "queue": lambda: Queue("queue"),
    "queue of one": lambda: Queue("queue", 1),
    "queue of two": lambda: Queue("queue", 2),
    "semaphore": lambda: Semaphore("semaphore", 1),
    "pool": lambda: ThreadPool("pool", 2),
    "variable": lambda: Variable("variable", 0),
}


def perform(thing, value, operation, process):
    """Return what may happen, as pairs of the next value and the result."""
    fresh = (Future("made"),) if operation.name in thing.creates else ()
    return [(after, repr(result)) for after, result in thing.outcomes(value, operation, process, *fresh)]


def in_order(thing, value, first, second):
    """Return the ends of two operations in this order, and whether the first one blocked the second."""
    ends, blocked = set(), False
    for between, one in perform(thing, value, *first):
        outcomes = perform(thing, between, *second)
        blocked = blocked or not outcomes
        ends |= {(repr(after), frozenset({(first[1], one), (second[1], other)})) for after, other in outcomes}
    return ends, blocked


def check_diamonds(name, examples=30):
    """Drive an object to random values, and take what is declared to commute there in both orders."""
    model = Model("two processes")
    left, right = (model.process(name, no_task) for name in ("left", "right"))
    thing = THINGS[name]()
    steps = st.lists(st.tuples(st.sampled_from(calls(thing)), st.sampled_from([left, right]), st.integers(0, 1)))

    @given(steps)
    @settings(max_examples=examples, phases=[Phase.generate])
    def check(driven):
        value = thing.initial
        for operation, process, which in driven:
            outcomes = perform(thing, value, operation, process)
            if outcomes:
                value = outcomes[which % len(outcomes)][0]
        for one in calls(thing):
            for other in calls(thing):
                alike = one == other and thing.repeats(one)
                if not alike and frozenset((one.name, other.name)) not in thing.commutes:
                    continue
                if not (perform(thing, value, one, left) and perform(thing, value, other, right)):
                    continue
                there, blocked = in_order(thing, value, (one, left), (other, right))
                back, blocked_back = in_order(thing, value, (other, right), (one, left))
                assert not blocked, f"{one} blocks {other} at {value}"
                assert not blocked_back, f"{other} blocks {one} at {value}"
                assert there == back, f"{one} and {other} at {value}"

    check()


@pytest.mark.parametrize("name", THINGS)
def test_what_is_declared_to_commute_does(name):
    check_diamonds(name)


@pytest.mark.parametrize(
    ("name", "pair"),
    [
        ("event", ("set", "clear")),
        ("event", ("set", "is_set")),
        ("future", ("set_result", "done")),
        ("link in frames", ("send", "close")),
        ("lock", ("acquire", "acquire")),
        ("queue", ("put", "put")),
        ("queue of two", ("get", "get")),
        ("semaphore", ("acquire", "acquire")),
        ("pool", ("submit", "shutdown")),
        ("pool", ("take", "take")),
        ("variable", ("set", "get")),
    ],
)
def test_a_declaration_that_is_wrong_is_caught(monkeypatch, name, pair):
    kind = type(THINGS[name]())
    monkeypatch.setattr(kind, "commutes", kind.commutes | {frozenset(pair)})
    with pytest.raises(AssertionError):
        check_diamonds(name, examples=500)


@pytest.mark.parametrize(
    ("name", "wrong"),
    [("queue of one", "put"), ("queue", "get"), ("lock", "acquire"), ("future", "set_result")],
)
def test_a_repetition_that_is_declared_wrongly_is_caught(monkeypatch, name, wrong):
    monkeypatch.setattr(type(THINGS[name]()), "repeats", lambda self, operation: operation.name == wrong)
    with pytest.raises(AssertionError):
        check_diamonds(name, examples=500)


def test_what_is_not_driven_declares_nothing():
    driven = {type(make()) for make in THINGS.values()}
    kinds = [kind for kind in vars(objects).values() if isinstance(kind, type) and issubclass(kind, SharedObject)]
    assert Condition in kinds
    declares = [kind for kind in kinds if kind.commutes or kind.repeats is not SharedObject.repeats]
    assert [kind for kind in declares if kind not in driven] == []


# ---- what is met -------------------------------------------------------------------------------------------


def point(kernel, process, local):
    """Return where a process stands, without the numbers of names; None on the way of a result to its future.

    A task that has returned sets its future, or, when that is lost before, is over at once: both orders end alike.
    """
    known = kernel.locals[local]
    who = kernel.processes[process]
    if known.task is not None and known.status != "ready":
        return None
    operation = kernel.about(local)
    where = "" if known.point is None else known.point.where
    return re.sub(r"\d+", "*", f"{who.pool or who.name} {known.status} {operation and operation.name} {where}")


components_module = sys.modules[Components.__module__]


@contextmanager
def other_orders(seed):
    """Try parts of steps, and put names for representatives, in another order; None leaves them as they are."""
    if seed is None:
        yield
        return
    parts, shuffled, mask = PartialOrder.parts, Random(seed), mixed(seed)

    def in_any_order(self, state, choices):
        found = list(parts(self, state, choices))
        shuffled.shuffle(found)
        return iter(found)

    other_names = patch.object(components_module, "mixed", lambda number: mixed(number ^ mask))
    with patch.object(PartialOrder, "parts", in_any_order), other_names:
        yield


def walked(kernel, symmetry, partial_order, limit):
    search = Search(kernel, (), symmetry, Limits(limit, None), None, Watched() if partial_order else None)
    search.wrong_in = lambda state: None
    search.walk(search.space, depth_first=False)
    return search


def space_of(kernel, partial_order, limit, names=True):
    """Walk all states, again where that turns out to be needed, and return them with the symmetry in use."""
    apart = {}
    while True:
        symmetry = Symmetry(kernel, names, apart)
        try:
            search = walked(kernel, symmetry, partial_order, limit)
        except NotSymmetric as found:
            apart = {**symmetry.apart, found.family: found.reason}
            continue
        except Unjustified:
            continue
        if not partial_order or search.partial_order.justified():
            return search.space, symmetry


def met(kernel, space):
    """Return the states without steps, and the program points, of what a search has met."""
    first = kernel.first_process
    locals_ = {(p, n) for s in space.states for p, n in enumerate(s[first : kernel.first_future])}
    ends = [state for state in space.states if not kernel.successors(state)]
    return ends, {point(kernel, process, local) for process, local in locals_} - {None}


def compare(model, timeouts="when_stuck", limit=None, names=True, seed=None):
    """Insist on the same end states, up to symmetry, and the same program points; return how many states each met.

    With a ``seed`` parts of steps are tried, and representatives chosen, in another order.
    """
    with other_orders(seed):
        return compared(Kernel(model, timeouts), limit, names)


def compared(kernel, limit, names):
    reduced, _ = space_of(kernel, True, limit, names)  # before the full space: that would teach it everything
    full, symmetry = space_of(kernel, False, limit, names)
    few, all_ = met(kernel, reduced), met(kernel, full)
    assert few[1] == all_[1]
    assert set(map(symmetry.representative, few[0])) == set(map(symmetry.representative, all_[0]))
    assert len(reduced.states) <= len(full.states)
    return len(reduced.states), len(full.states)


SMALL_TOYS = [name for name in TOYS if name != "starved"]


@pytest.mark.parametrize("timeouts", TIMEOUTS)
@pytest.mark.parametrize("name", SMALL_TOYS)
def test_the_same_ends_and_program_points_are_met(name, timeouts):
    for seed in (None, 1, 2):
        compare(TOYS[name](), timeouts, seed=seed)


def generated(model, timeouts, seed):
    try:
        for names in (True, False):
            compare(model, timeouts, LIMIT, names, seed)
    except OutOfBudget:
        assume(False)


SMALL = systems(longest=3, every_kind=True) | systems(longest=2, clients=True, every_kind=True)


SEEDS = st.none() | st.integers(0, 9)


@given(SMALL, st.sampled_from(TIMEOUTS), SEEDS)
@settings(max_examples=60)
def test_the_same_ends_and_program_points_of_generated_systems_are_met(model, timeouts, seed):
    generated(model, timeouts, seed)


@pytest.mark.slow
@given(SMALL, st.sampled_from(TIMEOUTS), SEEDS)
@settings(max_examples=2_000)
def test_the_same_ends_and_program_points_of_many_generated_systems_are_met(model, timeouts, seed):
    generated(model, timeouts, seed)


@pytest.mark.slow
@pytest.mark.parametrize(("module", "position"), [claim for claim in each_claim() if not claim.marks][::3])
def test_every_third_quick_claim_has_the_same_answer_in_other_orders(module, position):
    claim = claims_of(module)[position]
    for seed in (1, 2):
        with other_orders(seed):
            result = explore(claim.model(**claim.parameters), claim.property, timeouts=claim.timeouts)
        assert result.verdict is claim.expected


# ---- verdicts ----------------------------------------------------------------------------------------------


def agree(model, *properties, **options):
    """Insist on one answer, whichever reductions are on; return the verdict."""
    results = [
        explore(model, *properties, symmetry=names, partial_order=order, **options)
        for names in (False, True)
        for order in (False, True)
    ]
    assert len({(result.verdict, result.property) for result in results}) == 1
    return results[0].verdict


@pytest.mark.parametrize("timeouts", TIMEOUTS)
@pytest.mark.parametrize("name", SMALL_TOYS)
def test_the_verdict_does_not_depend_on_reductions(name, timeouts):
    agree(TOYS[name](), timeouts=timeouts)


def questions(model):
    """Yield properties of single states, about objects that have a plain value and processes, clients left out."""
    for thing in model.objects:
        name = thing.name
        if "client" in name:
            continue
        if thing.kind == "event":
            yield sometimes(lambda state, name=name: state[name], f"{name} is set")
        if thing.kind == "future":
            yield always(lambda state, name=name: not state[name].done, f"{name} is never set")
        if thing.kind == "queue":
            yield always(lambda state, name=name: len(state[name]) < 2, f"{name} holds less than two")
            yield sometimes(lambda state, name=name: state[name][:1] == (0,), f"{name} begins with 0")
        if thing.kind == "variable":
            yield always(lambda state, name=name: state[name] != 2, f"{name} is never 2")
    for process in model.processes:
        if process.pool is None and "client" not in process.name:
            yield sometimes(lambda state, name=process.name: state.process(name).blocked, f"{process} waits")


def generated_verdicts(model, timeouts, which):
    try:
        space_of(Kernel(model, timeouts), False, LIMIT // 2, names=False)
    except OutOfBudget:
        assume(False)
    asked = [DEADLOCK_FREE, no_stuck_subset(), *questions(model)]
    agree(model, asked[which % len(asked)], timeouts=timeouts)


@given(SMALL, st.sampled_from(TIMEOUTS), st.integers(0, 99))
@settings(max_examples=60)
def test_the_verdicts_on_generated_systems_do_not_depend_on_reductions(model, timeouts, which):
    generated_verdicts(model, timeouts, which)


@pytest.mark.slow
@given(SMALL, st.sampled_from(TIMEOUTS), st.integers(0, 99))
@settings(max_examples=2_000)
def test_the_verdicts_on_many_generated_systems_do_not_depend_on_reductions(model, timeouts, which):
    generated_verdicts(model, timeouts, which)


def test_so_many_states_are_left_by_both_reductions():
    result = explore(pool_starvation.fixed(downloads=4, workers=4, callback_workers=4))
    assert (result.verdict, result.states) == (Verdict.HOLDS, 533)


@pytest.mark.slow
def test_so_many_states_are_left_by_symmetry_alone():
    model = pool_starvation.fixed(downloads=4, workers=4, callback_workers=4)
    assert explore(model, partial_order=False).states == 25_987


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


# ---- an order that is left out wrongly is caught -----------------------------------------------------------


def submitting():
    """Two processes submit to a pool of one worker; which task comes first shows in the queue."""
    model = Model("submitting")
    pool, queue = model.thread_pool("pool", 1), model.queue("queue")

    def task(name):
        yield queue.put(name)

    def submit(name):
        yield pool.submit(task, name)

    for name in "ab":
        model.process(name, submit, name)
    return model


def beside_a_heartbeat():
    """Somebody acts beside a daemon that goes round for ever and touches nothing of his."""
    model = Model("beside a heartbeat")
    beat, event = model.event("beat"), model.event("event")

    def heart():
        while True:
            yield beat.set()
            yield beat.clear()

    def act():
        yield event.set()

    model.process("heart", heart, daemon=True)
    model.process("act", act)
    return model


def late():
    """One puts at once, another one after two steps of its own; either may be the first."""
    model = Model("late")
    queue, event = model.queue("queue"), model.event("event")

    def soon():
        yield queue.put("soon")

    def later():
        yield event.set()
        yield event.set()
        yield queue.put("later")

    model.process("soon", soon)
    model.process("later", later)
    return model


def watched():
    """The first event may be set while the second one is not; the process of the second one is tried first."""
    model = Model("watched")
    first, second = model.event("first"), model.event("second")

    def set_second():
        yield second.set()

    def flash():
        yield first.set()
        yield first.clear()

    model.process("flash", flash)
    model.process("set second", set_second)
    return model


def kept_lock():
    """A task ends without giving back its lock, so that which worker takes the next task counts."""
    model = Model("kept lock")
    pool, lock = model.thread_pool("pool", 2), model.rlock("lock")

    def task():
        yield lock.acquire()

    def main():
        first = yield pool.submit(task)
        yield first.result()
        yield pool.submit(task)

    model.process("main", main)
    return model


def set_by_hand():
    """The future of a task may be set by whoever submitted it, before the worker does."""
    model = Model("set by hand")
    pool, told = model.thread_pool("pool", 1), model.queue("told")

    def task():
        yield from ()

    def main():
        future = yield pool.submit(task)
        try:
            yield future.set_result("by hand")
        except InvalidStateError:
            yield told.put("too late")

    model.process("main", main)
    return model


WATCHED = sometimes(lambda state: state["first"] and not state["second"], "first alone")


def puts_its_name():
    """Where an item is a name, what looks like the same item is another one under another name."""
    model = Model("each puts its name twice")
    queue, tokens = model.queue("queue"), model.semaphore("tokens", 2)

    def member(name):
        yield tokens.acquire()
        yield queue.put(name)
        yield queue.put(name)

    for name in model.indices("member", 2):
        model.process(name, member, name)
    return model


def puts_one_of_two():
    """An item that is put again is not put instead of another."""
    model = Model("two put the same, a third something else")
    queue = model.queue("queue")

    def puts(*items):
        for item in items:
            yield queue.put(item)

    for name, items in {"a": (1, 1), "b": (1,), "c": (True,), "d": (1.0,)}.items():
        model.process(name, puts, *items)
    return model


BUILDS = [submitting, beside_a_heartbeat, late, watched, kept_lock, set_by_hand, puts_its_name, puts_one_of_two]


@pytest.mark.parametrize("build", BUILDS)
def test_what_a_wrong_order_would_hide_is_met(build):
    compare_in_many_orders(build)


def compare_in_many_orders(build):
    for seed in (None, *range(5)):
        compare(build(), seed=seed)


def caught(build):
    with pytest.raises(AssertionError):
        compare_in_many_orders(build)


def test_submits_that_change_places_are_caught(monkeypatch):
    monkeypatch.setattr(ThreadPool, "commutes", ThreadPool.commutes | {frozenset(["submit"])})
    caught(submitting)


def test_puts_of_whatever_item_that_change_places_are_caught(monkeypatch):
    monkeypatch.setattr(Queue, "commutes", Queue.commutes | {frozenset(["put"])})
    caught(puts_its_name)
    caught(puts_one_of_two)


def test_equal_items_that_are_not_the_same_are_told_apart(monkeypatch):
    monkeypatch.setattr(sys.modules[Footprints.__module__], "freeze", lambda thing: thing)
    caught(puts_one_of_two)


def test_steps_that_are_put_off_for_ever_are_caught(monkeypatch):
    def first_part(self, space, state, choices, partial_order):
        part = next(partial_order.parts(state, choices), None)
        return choices if part is None else part.choices

    monkeypatch.setattr(Search, "_enough", first_part)
    caught(beside_a_heartbeat)


def test_a_future_that_is_not_looked_at_is_caught(monkeypatch):
    monkeypatch.setattr(Footprints, "_may_come_to", lambda self, local, accesses: None)
    caught(late)


def test_choices_that_relied_on_too_little_are_caught(monkeypatch):
    monkeypatch.setattr(PartialOrder, "justified", lambda self: True)
    caught(late)


def test_a_change_of_what_a_property_looks_at_is_seen(monkeypatch):
    assert agree(watched(), WATCHED) is Verdict.HOLDS
    monkeypatch.setattr(PartialOrder, "_visible", lambda self, state, choice: False)
    with pytest.raises(AssertionError):
        agree(watched(), WATCHED)


def test_workers_that_differ_in_their_locks_and_are_taken_for_alike_are_caught(monkeypatch):
    monkeypatch.setattr(Footprints, "free_when_idle", lambda self, idle: True)
    caught(kept_lock)


def waits_for_its_turn():
    """A reader of whom nobody has seen a step yet is like the other one, who was seen to submit."""
    return callback_starvation.buggy(requests=2, workers=1, callback_workers=2)


def test_who_has_not_moved_yet_may_do_what_those_did_who_are_alike():
    compare_in_many_orders(waits_for_its_turn)


def test_that_who_has_not_moved_yet_is_thought_to_do_nothing_more_is_caught(monkeypatch):
    monkeypatch.setattr(Footprints, "meet", lambda self, locals_: None)
    caught(waits_for_its_turn)


def test_a_future_that_is_set_by_hand_and_taken_for_its_task_s_alone_is_caught(monkeypatch):
    never = property(lambda self: False, lambda self, value: None)
    monkeypatch.setattr(Footprints, "set_by_hand", never, raising=False)
    caught(set_by_hand)
