"""The properties about locks and futures: each is violated by something and holds of something."""

import pytest
from toys import one_lock, opposed_locks

from simcore import Model, Verdict, explore
from simcore.properties import deadlock_free
from simcore.properties.futures import resolved_once
from simcore.properties.locks import lock_order_acyclic, no_self_deadlock


def answer(model, *asked, **how):
    return explore(model, *asked, **how).verdict


def twice(kind, **how):
    """A daemon, or not, takes a lock that it has."""
    model = Model("twice")
    lock = getattr(model, kind)("lock")

    def take():
        yield lock.acquire()
        yield lock.acquire(**how)

    model.process("p", take, daemon=True)
    return model


def one_after_the_other(first="ab", second="ba"):
    """Two processes that take two locks each, the second one when the first one is through."""
    model = Model("one after the other")
    locks, through = {name: model.lock(name) for name in "ab"}, model.event("through")

    def take(order, wait):
        if wait:
            yield through.wait()
        for name in order:
            yield locks[name].acquire()
        for name in order:
            yield locks[name].release()
        yield through.set()

    model.process("p", take, first, False)
    model.process("q", take, second, True)
    return model


# ---- a lock that waits for itself --------------------------------------------------------------------------


def test_a_daemon_that_takes_a_lock_twice_is_seen():
    assert answer(twice("lock"), no_self_deadlock()) is Verdict.VIOLATED


def test_a_time_out_hides_it_from_deadlock_freedom_and_not_from_this():
    assert answer(twice("lock", timeout=1.0), deadlock_free()) is Verdict.HOLDS
    assert answer(twice("lock", timeout=1.0), no_self_deadlock()) is Verdict.VIOLATED


@pytest.mark.parametrize(("kind", "how"), [("rlock", {}), ("lock", {"blocking": False})])
def test_who_may_take_it_twice_or_does_not_wait_is_no_self_deadlock(kind, how):
    assert answer(twice(kind, **how), no_self_deadlock()) is Verdict.HOLDS


def test_opposed_locks_wait_for_each_other_and_not_for_themselves():
    assert answer(opposed_locks(), no_self_deadlock()) is Verdict.HOLDS


# ---- the order of locks ------------------------------------------------------------------------------------


def test_opposed_locks_have_no_order():
    assert answer(opposed_locks(), lock_order_acyclic()) is Verdict.VIOLATED


@pytest.mark.parametrize("strategy", ["breadth", "depth"])
def test_a_cycle_counts_although_no_run_meets_it_and_whatever_is_searched_first(strategy):
    assert answer(one_after_the_other(), deadlock_free()) is Verdict.HOLDS
    assert answer(one_after_the_other(), lock_order_acyclic(), strategy=strategy) is Verdict.VIOLATED


def test_the_counterexample_leads_to_an_edge_of_the_cycle():
    found = explore(one_after_the_other(), lock_order_acyclic()).counterexample
    q = found.state.process("q")
    assert (found.state["b"].owner, str(q.operation.target)) == (q.process, "a")


def test_locks_that_everybody_takes_in_one_order_have_one():
    assert answer(one_after_the_other(second="ab"), lock_order_acyclic()) is Verdict.HOLDS


def test_one_lock_is_no_cycle_and_its_loop_is_none_either():
    assert answer(one_lock(threads=2), lock_order_acyclic()) is Verdict.HOLDS
    assert answer(twice("lock"), lock_order_acyclic()) is Verdict.HOLDS


def test_what_is_remembered_of_one_model_does_not_count_for_another():
    order = lock_order_acyclic()
    assert answer(one_after_the_other("ab", "ab"), order) is Verdict.HOLDS
    assert answer(one_after_the_other("ba", "ba"), order) is Verdict.HOLDS


def test_the_lock_of_a_condition_is_acquired_when_its_waiter_is_notified():
    model = Model("condition")
    outer, inner = model.lock("outer"), model.lock("inner")
    changed = model.condition("changed", inner)

    def waiter():
        yield outer.acquire()
        yield inner.acquire()
        yield changed.wait()

    def opposed():
        yield inner.acquire()
        yield outer.acquire()

    model.process("waiter", waiter)
    model.process("opposed", opposed)
    assert answer(model, lock_order_acyclic()) is Verdict.VIOLATED


# ---- futures -----------------------------------------------------------------------------------------------


def resolving(*outcomes):
    model = Model("resolving")
    future = model.future("future")

    def resolve(outcome):
        try:
            yield future.set_exception(outcome) if isinstance(outcome, Exception) else future.set_result(outcome)
        except Exception:
            return

    for number, outcome in enumerate(outcomes):
        model.process(f"p{number}", resolve, outcome)
    return model


def test_a_second_result_is_one_too_many():
    assert answer(resolving(1, 2), resolved_once()) is Verdict.VIOLATED


@pytest.mark.parametrize("outcomes", [(1,), (1, ValueError("late")), (ValueError("one"), ValueError("two"))])
def test_one_result_and_any_number_of_failures_are_fine(outcomes):
    assert answer(resolving(*outcomes), resolved_once()) is Verdict.HOLDS
