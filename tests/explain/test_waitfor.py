"""Who waits for whom in one state, drawn from states that are reached by hand."""

import re

import pytest
import small
import toys

from simcore import Model, explore, sleep
from simcore.explain import wait_for_graph


def knot_of(graph):
    return sorted(edge.process.name for edge in graph.knot)


def dead_of(graph):
    return sorted(edge.process.name for edge in graph.dead)


def graph_of(model, *order):
    return wait_for_graph(toys.run(model, *order))


def two_setters(*, alive: bool) -> Model:
    """Two processes may set an event; one waits for its own lock, the other one can go on, or has gone."""
    model = Model("two setters")
    event, lock = model.event("event"), model.lock("lock")

    def wait():
        yield event.wait()

    def stuck():
        yield lock.acquire()
        yield lock.acquire()
        yield event.set()

    def free():
        yield sleep(1)
        if alive:
            yield event.set()

    model.process("waiter", wait)
    model.process("stuck", stuck)
    model.process("free", free)
    return model


def test_opposed_locks_wait_for_each_other():
    graph = graph_of(small.crossed(), "left", "right")
    assert graph.has_edge("left", "right")
    assert graph.has_edge("right", "left")
    assert not graph.has_edge("left", "left")


def test_opposed_locks_are_a_knot():
    assert knot_of(graph_of(small.crossed(), "left", "right")) == ["left", "right"]


def test_nobody_is_dead_before_the_knot_closes():
    graph = graph_of(small.crossed(), "left")
    assert (graph.dead, graph.knot, graph.edges) == ([], [], [])


def test_who_waits_for_a_lock_it_holds_itself_is_a_knot_of_one():
    graph = graph_of(two_setters(alive=True), "stuck")
    assert graph.has_edge("stuck", "stuck")
    assert knot_of(graph) == ["stuck"]
    assert "stuck waits for lock, held by itself" in str(graph)


def test_one_living_helper_of_several_is_enough():
    graph = graph_of(two_setters(alive=True), "stuck")
    assert graph.has_edge("waiter", "stuck")
    assert graph.has_edge("waiter", "free")
    assert dead_of(graph) == ["stuck"]


def test_whose_helpers_are_all_dead_is_dead():
    graph = graph_of(two_setters(alive=False), "stuck", "free")
    assert dead_of(graph) == ["stuck", "waiter"]


def test_the_knot_is_smaller_than_everything_that_is_dead():
    graph = graph_of(two_setters(alive=False), "stuck", "free")
    assert knot_of(graph) == ["stuck"]
    assert "stuck too: waiter waits for event to be set: stuck might set it, but waits itself" in str(graph)


def test_who_waits_for_somebody_alive_is_told_apart_from_the_stuck():
    assert "also waiting: waiter waits for event" in str(graph_of(two_setters(alive=True)))


def nested(workers, tasks):
    takes = [f"pool[{number}]" for number in range(workers)]
    order = ["main"] * tasks + takes * 2
    return graph_of(small.nested_submit(workers=workers, tasks=tasks), *order)


def test_workers_that_wait_for_queued_tasks_are_a_knot_with_counted_slots():
    text = str(nested(4, 4))
    assert text.startswith("pool 4/4: every worker is in ")
    assert "queued in pool behind them" in text
    assert "tried: with" not in text  # it was not tried


def test_a_worker_that_waits_for_a_task_queued_behind_it_alone():
    text = str(nested(1, 1))
    assert text.startswith("pool 1/1: every worker is in outer(0), waiting for the result of inner(0)")
    assert "set only by inner(0), queued in pool behind it" in text


def test_a_worker_that_could_take_the_queued_task_keeps_the_others_alive():
    model = small.nested_submit(workers=2, tasks=1)
    assert graph_of(model, "main", "pool[0]", "pool[0]").dead == []


def test_a_worker_inside_its_last_task_keeps_the_others_alive():
    graph = graph_of(small.nested_submit(workers=2, tasks=2), "main", "main", "pool[0]", "pool[0]", "pool[1]")
    assert graph.dead == []
    assert graph.has_edge("pool[0]", "pool[1]")


def test_slots_in_use_are_counted_for_every_object():
    model = small.nested_submit(workers=3, tasks=2)
    queue, lock = model.queue("queue", 5), model.lock("lock")

    def fill():
        yield queue.put("one")
        yield queue.put("two")
        yield lock.acquire()

    model.process("filler", fill)
    rows = graph_of(model, "main", "main", "pool[0]", "pool[1]", "filler", "filler", "filler").slots()
    counted = {name: (taken, limit) for name, taken, limit, _ in rows}
    assert counted == {"pool": (2, 3), "queue": (2, 5), "lock": (1, 1)}


def test_slots_say_what_takes_them():
    rows = graph_of(small.crossed(), "left", "right").slots()
    assert [(name, by) for name, _, _, by in rows] == [("a", "held by left"), ("b", "held by right")]


def test_an_unbounded_queue_has_no_limit_on_its_slots():
    assert graph_of(small.relay(), "sender").slots() == [("queue", 1, None, "[0]")]


def test_nothing_in_use_is_no_row():
    assert graph_of(small.crossed()).slots() == []


@pytest.mark.parametrize(
    ("model", "order"),
    [
        (small.crossed(), ["left", "right"]),
        (two_setters(alive=True), ["stuck"]),
        (small.nested_submit(workers=2, tasks=2), ["main", "main", "pool[0]", "pool[1]", "pool[0]", "pool[1]"]),
        (small.crossed(), []),
    ],
)
def test_mermaid_names_every_node_before_it_is_used(model, order):
    lines = graph_of(model, *order).mermaid().splitlines()
    assert lines[0] == "flowchart LR"
    known = set()
    for line in lines[1:]:
        node = re.fullmatch(r'  (n\d+)(\["[^"]+"\]|\(\["[^"]+"\]\))', line)
        edge = re.fullmatch(r"  (n\d+) (-->|-\. any of \.->) (n\d+)", line)
        if node:
            assert node[1] not in known
            known.add(node[1])
        elif edge:
            assert {edge[1], edge[3]} <= known
        elif line.startswith("  class "):
            assert set(line.split()[1].split(",")) <= known
        else:
            assert line == "  classDef knot fill:#fdd,stroke:#c00"


def test_mermaid_draws_the_knot():
    text = graph_of(small.crossed(), "left", "right").mermaid()
    names = dict(re.findall(r'(n\d+)\["(\w+)"\]', text))
    drawn = re.search(r"class ([n\d,]+) knot", text)[1].split(",")
    assert {names[node] for node in drawn if node in names} == {"left", "right"}


def test_mermaid_does_not_draw_who_waits_behind_a_knot_as_part_of_it():
    text = graph_of(two_setters(alive=False), "stuck", "free").mermaid()
    names = dict(re.findall(r'(n\d+)\["(\w+)"\]', text))
    drawn = re.search(r"class ([n\d,]+) knot", text)[1].split(",")
    assert {names[node] for node in drawn if node in names} == {"stuck"}


def test_mermaid_marks_what_one_of_several_can_end():
    assert "-. any of .->" in graph_of(two_setters(alive=True), "stuck").mermaid()


def test_nothing_to_explain_is_no_line():
    assert str(graph_of(small.crossed())) == ""


def waiter_and_notifier() -> Model:
    model = Model("condition")
    ready = model.condition("ready", model.lock("lock"))

    def wait():
        yield ready.acquire()
        yield ready.wait()
        yield ready.release()

    def notify():
        yield ready.acquire()
        yield ready.notify()
        yield ready.release()

    model.process("waiter", wait)
    model.process("notifier", notify)
    return model


def test_a_waiter_on_a_condition_waits_for_whoever_may_notify():
    graph = graph_of(waiter_and_notifier(), "waiter", "waiter")
    assert graph.has_edge("waiter", "notifier")
    assert graph.dead == []


def test_a_waiter_whose_notifier_has_gone_is_dead():
    lost = graph_of(waiter_and_notifier(), "notifier", "notifier", "notifier", "waiter", "waiter")
    assert dead_of(lost) == ["waiter"]


def test_a_worker_that_waits_for_a_lock_it_holds_is_said_to():
    model = Model("pool")
    pool, lock = model.thread_pool("pool", 1), model.lock("lock")

    def twice():
        yield lock.acquire()
        yield lock.acquire()

    def main():
        yield pool.submit(twice)

    model.process("main", main)
    lines = explore(model).counterexample.wait_for.explain()
    assert lines == ["pool 1/1: every worker is in twice(), waiting for lock", "  held by itself"]


def test_a_daemon_that_somebody_waits_for_is_told_with_what_it_waits_for():
    model = Model("heartbeat")
    lock, beaten = model.lock("lock"), model.event("beaten")

    def stuck():
        yield lock.acquire()
        yield lock.acquire()

    def heart():
        yield lock.acquire()
        yield beaten.set()

    def listener():
        yield beaten.wait()

    model.process("stuck", stuck)
    model.process("heart", heart, daemon=True)
    model.process("listener", listener)
    lines = explore(model).counterexample.wait_for.explain()
    assert "waiting behind it: heart waits for lock, held by stuck" in lines
