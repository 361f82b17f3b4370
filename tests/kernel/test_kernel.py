"""A state is a value, a step is a pure function of it, and time-outs fire by the rule."""

import pytest
import toys

from simcore.errors import ModelError, OptionError
from simcore.kernel import Kernel
from simcore.model import Model
from simcore.model.objects import Lock, sleep

TOYS = {
    "opposed locks": toys.opposed_locks,
    "buffer": lambda: toys.bounded_buffer(producers=2, consumers=2, capacity=2),
    "nested futures": lambda: toys.nested_futures(roots=2, levels=2, workers=2),
    "pool system": lambda: toys.pool_system(requesters=2, workers=2, chunks=1, callback_workers=1),
}


@pytest.fixture(params=TOYS)
def kernel(request):
    return Kernel(TOYS[request.param]())


def pictures(kernel, order):
    """Return every reachable state as text, walking first (depth) or last (breadth) out."""
    seen, todo = {kernel.initial}, [kernel.initial]
    while todo:
        for choice in kernel.successors(todo.pop(order)):
            if choice.state not in seen:
                seen.add(choice.state)
                todo.append(choice.state)
    view = kernel.view
    return sorted(f"{view(s)} {[(p.status, str(p.operation), str(p.task)) for p in view(s).processes]}" for s in seen)


# ---- purity ------------------------------------------------------------------------------------------


def test_a_state_is_a_tuple_of_small_integers(kernel):
    for state in toys.space(kernel).distance:
        assert type(state) is tuple
        assert all(type(entry) is int for entry in state)


def test_the_same_state_has_the_same_steps(kernel):
    states = toys.space(kernel).distance
    first = {state: kernel.successors(state) for state in states}
    assert {state: kernel.successors(state) for state in reversed(states)} == first


def test_a_step_leads_where_successors_say(kernel):
    for state in toys.space(kernel).distance:
        for process, outcome, following in kernel.successors(state):
            assert kernel.step(state, process, outcome) == following


def test_a_kernel_that_was_never_used_has_the_same_steps(kernel):
    toys.space(kernel)
    fresh = Kernel(kernel.model)
    assert toys.space(fresh).transitions == toys.space(kernel).transitions


def test_the_order_of_exploring_does_not_change_the_space(kernel):
    assert pictures(Kernel(kernel.model), 0) == pictures(Kernel(kernel.model), -1)


def test_a_view_of_a_state_does_not_change_it(kernel):
    states = list(toys.space(kernel).distance)
    for state in states:
        str(kernel.view(state)), kernel.view(state).processes, kernel.enabled(state), kernel.failed(state)
    assert list(toys.space(kernel).distance) == states


@pytest.mark.parametrize(("process", "outcome"), [(0, 1), (0, -1), (0, 99)])
def test_a_step_that_is_not_possible_is_none(process, outcome):
    kernel = Kernel(toys.opposed_locks())
    assert kernel.step(kernel.initial, process, outcome) is None


def test_a_process_that_has_ended_has_no_step():
    kernel = Kernel(toys.opposed_locks())
    state = toys.walk(kernel, kernel.initial, *["left"] * 4)
    assert (kernel.step(state, 0, 0), kernel.operation(state, 0), kernel.moves(state, 0)) == (None, None, ())


def test_the_result_of_a_step_is_what_the_process_is_given():
    model = Model("m")
    queue = model.queue("queue")

    def process():
        yield queue.put("item")
        return (yield queue.get())

    model.process("p", process)
    kernel = Kernel(model)
    state = toys.walk(kernel, kernel.initial, "p")
    assert kernel.result(state, 0, 0) == "item"


# ---- time-outs ---------------------------------------------------------------------------------------


def waits_beside_work():
    model = Model("time-outs")
    event, lock = model.event("event"), model.lock("lock")
    model.process("waiter", lambda: (yield event.wait(timeout=1.0)))
    model.process("sleeper", lambda: (yield sleep(1.0)))
    model.process("worker", lambda: (yield lock.acquire()))
    return model


@pytest.mark.parametrize(
    ("timeouts", "before", "after"),
    [
        ("never", ["worker"], ["sleeper"]),
        ("when_stuck", ["worker"], ["waiter", "sleeper"]),
        ("anytime", ["worker", "waiter", "sleeper"], ["waiter", "sleeper"]),
    ],
)
def test_time_outs_fire_by_the_rule(timeouts, before, after):
    kernel = Kernel(waits_beside_work(), timeouts)
    assert toys.enabled(kernel, kernel.initial) == before
    assert toys.enabled(kernel, toys.walk(kernel, kernel.initial, "worker")) == after


@pytest.mark.parametrize(
    ("timeouts", "status"), [("never", "blocked"), ("when_stuck", "enabled"), ("anytime", "enabled")]
)
def test_a_process_that_will_time_out_is_not_blocked(timeouts, status):
    view = toys.run(waits_beside_work(), timeouts=timeouts)
    assert view.process("waiter").status == status


def test_never_shows_the_deadlock_that_a_time_out_hides():
    hidden = {
        timeouts: toys.run(waits_beside_work(), "worker", "sleeper", timeouts=timeouts)
        for timeouts in ("never", "when_stuck", "anytime")
    }
    assert {timeouts: view.deadlocked for timeouts, view in hidden.items()} == {
        "never": True,
        "when_stuck": False,
        "anytime": False,
    }


def test_time_outs_are_numbered_after_the_operation():
    kernel = Kernel(waits_beside_work(), "anytime")
    (move,) = kernel.expiries(kernel.initial, 0)
    assert kernel.step(kernel.initial, 0, 0) == kernel.after(kernel.initial, 0, move)


def test_an_operation_that_can_happen_does_not_time_out():
    model = Model("m")
    lock = model.lock("lock")
    model.process("p", lambda: (yield lock.acquire(timeout=1.0)))
    kernel = Kernel(model, "anytime")
    assert (len(kernel.successors(kernel.initial)), kernel.expiries(kernel.initial, 0)) == (1, ())


# ---- what is refused ---------------------------------------------------------------------------------


def test_an_unknown_rule_for_time_outs_is_refused():
    with pytest.raises(OptionError, match="use 'never', 'when_stuck', 'in_order' or 'anytime'"):
        Kernel(toys.opposed_locks(), "sometimes")


def test_a_model_without_a_process_is_refused():
    with pytest.raises(ModelError, match="has no process"):
        Kernel(Model("empty"))


@pytest.mark.parametrize("padding", [0, 5])
def test_an_object_of_another_model_is_refused(padding):
    other = Model("other")
    for number in range(padding):
        other.lock(f"padding {number}")
    lock = other.lock("lock")
    model = Model("m")
    model.lock("mine")
    model.process("p", lambda: (yield lock.acquire()))
    with pytest.raises(ModelError, match="lock does not belong to model 'm'"):
        Kernel(model)


def test_an_object_of_no_model_is_refused():
    lock = Lock("stray")
    model = Model("m")
    model.process("p", lambda: (yield lock.acquire()))
    with pytest.raises(ModelError, match="stray does not belong to model 'm'"):
        Kernel(model)


# ---- views -------------------------------------------------------------------------------------------


def test_a_view_knows_objects_and_processes_by_name():
    view = toys.run(toys.opposed_locks(), "left")
    assert (view["a"].owner.name, view.process("right").status) == ("left", "enabled")


@pytest.mark.parametrize(
    ("ask", "text"), [(lambda v: v["c"], "it has a, b"), (lambda v: v.process("c"), "left, right")]
)
def test_a_view_says_what_there_is_instead_of_a_wrong_name(ask, text):
    with pytest.raises(ModelError, match=text):
        ask(toys.run(toys.opposed_locks()))


def test_a_deadlock_needs_somebody_who_owes_an_end():
    model = Model("m")
    event = model.event("event")
    model.process("daemon", lambda: (yield event.wait()), daemon=True)
    view = toys.run(model)
    assert (view.process("daemon").blocked, view.deadlocked) == (True, False)


def test_a_view_says_where_a_process_is():
    assert toys.run(toys.opposed_locks()).process("left").where.startswith("take (toys.py:")


def two_pools_that_run_the_same():
    """Each pool has one worker and is given the same task; its future is forgotten when it has run, or before."""
    model = Model("two pools")
    pools = [model.thread_pool(f"pool{number}", 1) for number in range(2)]
    done = model.event("done")

    def task():
        yield done.set()

    def give(pool):
        future = yield pool.submit(task)
        yield done.set()
        del future

    for number, pool in enumerate(pools):
        model.process(f"giver{number}", give, pool)
    return model


def test_a_worker_that_ends_a_task_nobody_asks_for_is_idle_in_its_own_pool():
    """The same task on workers of two pools is the same part of a state, until it ends."""
    kernel = Kernel(two_pools_that_run_the_same())
    for state in toys.space(kernel).distance:
        for process in kernel.view(state).processes:
            if process.status == "idle":
                assert process.operation.target is process.process.pool


def test_the_states_do_not_depend_on_the_order_in_which_they_are_met():
    walks = [pictures(Kernel(two_pools_that_run_the_same()), order) for order in (0, -1)]
    assert walks[0] == walks[1]
