"""With *holds* goes what was never reached; nothing is called so that happens in some run."""

import json

import pytest
import servers
import small
from generated import systems
from hypothesis import given, settings

from simcore import Model, Verdict, always, choose, eventually, explore, leads_to, sleep
from simcore.explore.deeds import Deeds
from simcore.explore.reduction import Symmetry
from simcore.explore.vacuity import never_reached
from simcore.kernel import Kernel
from simcore.properties import ended_by, in_order, resolved_once
from simcore.report import as_json

WHOLE = {"symmetry": False, "partial_order": False}


def idle(*, asked: bool = False, timeout: float | None = 1.0) -> Model:
    """A client, if it is there, asks a server, which gives its pool a task and resets a link now and then."""
    model = Model("idle")
    inbox, link, pool = model.queue("inbox"), model.link("link"), model.thread_pool("pool", 2)
    done, clock = model.event("done"), model.event("clock")

    def task():
        yield done.set()

    def serve():
        if (yield inbox.get()) == "reset":
            yield link.reset()
        yield pool.submit(task)

    def wait():
        if asked:
            yield inbox.put((yield choose("reset", "go")))
            yield done.wait(timeout=timeout)
        else:
            yield clock.set()
            yield clock.wait(timeout=timeout)

    model.process("server", serve, daemon=True)
    model.process("client", wait)
    return model


def never(model, *asked, **how):
    result = explore(model, *asked, **how)
    assert result.verdict is Verdict.HOLDS
    return list(result.never)


@pytest.mark.parametrize("how", [{}, WHOLE, {"strategy": "depth"}])
def test_what_never_happens_is_said(how):
    found = never(idle(), **how)
    assert found[:3] == ["a step of server", "a task in pool", "a reset by server"]
    assert found[3].startswith("the time-out of clock.wait in wait (test_vacuity.py:")
    assert len(found) == 4


@pytest.mark.parametrize("how", [{}, WHOLE, {"strategy": "depth"}])
def test_what_happens_in_some_run_is_not(how):
    assert never(idle(asked=True), timeouts="anytime", **how) == []


def test_a_time_out_that_waits_for_everything_else_may_never_fire():
    assert [text.partition(" (")[0] for text in never(idle(asked=True))] == ["the time-out of done.wait in wait"]


@pytest.mark.parametrize("slow", ["event", "queue"])
def test_a_time_out_is_one_line_whatever_it_waits_for(slow):
    """A task waits with a limit for each of several things, of which one never comes."""
    model = Model("one line")
    pool = model.thread_pool("pool", 1)
    event, queue, quick = model.event("never"), model.queue("empty"), model.event("quick")

    def task(fails):
        if not fails:
            yield from ()
        elif slow == "event":
            yield event.wait()
        else:
            yield queue.get()

    def client(*fails):
        for each in fails:
            future = yield pool.submit(task, each)
            try:
                yield future.result(timeout=1.0)
            except TimeoutError:
                yield (event.set() if slow == "event" else queue.put(1))
        yield quick.set()

    model.process("client", client, False, True, False)
    assert never(model) == []
    model = Model("no line")
    pool = model.thread_pool("pool", 1)
    event, queue, quick = model.event("never"), model.queue("empty"), model.event("quick")
    model.process("client", client, False, False)
    (found,) = never(model)
    assert found.startswith("the time-out of future.result in client (test_vacuity.py:")


def test_where_the_rule_lets_no_time_out_fire_that_is_not_said_again():
    assert never(idle(asked=True), timeouts="never") == []


def test_a_sleep_is_no_time_out_and_a_timer_that_is_not_started_takes_no_step():
    model = Model("timer")
    model.timer("timer", 1.0, lambda: (yield sleep(1)))
    model.process("sleeper", lambda: (yield sleep(1)))
    assert never(model) == ["a step of timer.run"]


def test_names_that_stand_for_each_other_are_told_apart_from_those_that_never_move():
    model = Model("family")
    names = model.indices("client", 3)
    inbox = {name: model.queue(f"inbox of {name}") for name in names}

    def run(name):
        yield inbox[name].put(1)
        yield inbox[name].get()

    def listen(name):
        yield inbox[name].get()

    never_fed = {name: model.queue(f"spare of {name}") for name in names}
    for name in names:
        model.process(name, run, name)
        model.process(f"listener of {name}", lambda name=name: (yield never_fed[name].get()), daemon=True)
    assert never(model) == never(model, **WHOLE) == [f"a step of listener of client[{n}]" for n in range(3)]


def test_a_premise_that_is_never_true_is_said():
    def nobody(state):
        return False

    model = small.relay()
    asked = leads_to(nobody, lambda state: True, "asks lead to answers")
    for how in ({}, WHOLE):
        assert never(small.relay(), asked, **how) == ["the premise of 'asks lead to answers'"]
    assert never(model, leads_to(lambda state: True, lambda state: True)) == []
    assert never(model, eventually(lambda state: all(p.done for p in state.processes), "all end")) == []
    assert never(model, always(lambda state: True, premise=nobody, name="vacuous")) == ["the premise of 'vacuous'"]


def test_the_properties_with_a_premise_say_when_it_is_never_true():
    assert never(servers.ring(tokens=1), resolved_once()) == [f"the premise of {str(resolved_once())!r}"]
    assert never(small.relay(), in_order("receiver", 2)) == []
    model = servers.ring(tokens=1)
    clock = model.event("never")
    model.process("clock", lambda: (yield clock.wait()), daemon=True)
    prop = ended_by("clock", "member 0")
    assert never(model, prop) == ["a step of clock", f"the premise of {str(prop)!r}"]


def test_a_premise_that_only_other_orders_of_steps_make_true_is_not_called_never_true():
    model = Model("orders")
    flags = {name: model.variable(name, 0) for name in "ab"}

    def run(name):
        yield flags[name].set(1)
        yield flags[name].set(2)

    for name in "ab":
        model.process(f"process {name}", run, name)

    def crossed(a, b):
        return lambda state: (state["a"], state["b"]) == (a, b)

    for a, b in ((1, 0), (0, 1), (2, 0), (0, 2), (1, 1), (2, 1), (1, 2)):
        assert never(model, leads_to(crossed(a, b), crossed(2, 2))) == []


def test_it_is_printed_and_in_the_json():
    result = explore(idle())
    told = " ".join(str(result).split())
    assert (
        " but never: a step of server; a task in pool; a reset by server; the time-out of clock.wait in wait " in told
    )
    assert json.loads(json.dumps(as_json(result)))["never"] == list(result.never)
    assert "but never" not in str(explore(small.crossed()))


@given(systems(longest=3, clients=True, every_kind=True))
@settings(max_examples=15, deadline=None)
def test_what_never_happens_is_the_same_with_reductions_and_without(model):
    results = [explore(model, always(lambda state: True, "true"), max_states=1_000, **how) for how in ({}, WHOLE)]
    if all(result.verdict is Verdict.HOLDS for result in results):
        assert set(results[0].never) == set(results[1].never)


def test_nothing_is_known_of_a_space_before_it_is_searched():
    kernel = Kernel(small.relay())
    assert list(never_reached(kernel, Deeds(kernel, Symmetry(kernel)))) == ["a step of sender", "a step of receiver"]


def test_a_wait_for_a_condition_that_never_gives_up_is_called_as_it_is_written():
    model = Model("notified")
    condition, ready = model.condition("condition"), model.variable("ready", False)

    def waiter():
        yield condition.acquire()
        while not (yield ready.get()):
            yield condition.wait(timeout=1.0)
        yield condition.release()

    def notifier():
        yield condition.acquire()
        yield ready.set(True)
        yield condition.notify()
        yield condition.release()

    model.process("waiter", waiter)
    model.process("notifier", notifier)
    assert [text.partition(" (")[0] for text in never(model)] == ["the time-out of condition.wait in waiter"]
