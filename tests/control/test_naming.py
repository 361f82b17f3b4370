"""What is gone when a report is written is called by its kind, its number, and the line in which it was made."""

import os
import queue
import re
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from functools import partial

from simcore import control


class Answer:
    def __init__(self):
        self.condition: threading.Condition = threading.Condition()

    def give(self):
        with self.condition:
            self.condition.notify_all()


def asks_twice():
    for _ in range(2):
        answer = Answer()
        answer.give()
        del answer
    raise AssertionError("something else")


def keeps_one():
    Answer().give()
    kept = Answer()
    kept.give()
    raise AssertionError("something else")


def told(body):
    return [step.text for step in control(body, schedules=1).violation.steps if "notify" in step.text]


def test_what_is_gone_is_counted_in_front_of_where_it_was_made():
    line = Answer.__init__.__code__.co_firstlineno + 1
    assert told(asks_twice) == [
        f"condition (made in Answer.__init__() at test_naming.py:{line}).notify_all()",
        f"condition[1] (made in Answer.__init__() at test_naming.py:{line}).notify_all()",
    ]


def test_what_is_there_has_its_name():
    assert told(keeps_one)[1:] == ["Answer.condition.notify_all()"]


def test_what_has_neither_a_name_nor_a_line_has_its_article():
    texts = {step.text for step in control(asks_twice, schedules=1).violation.steps}
    assert {"an rlock.acquire()", "an rlock[1].acquire()"} <= texts


def test_what_is_replaced_keeps_its_name():
    def submits():
        told, items = threading.Event(), queue.SimpleQueue()
        with ThreadPoolExecutor(1) as pool:
            for each in (time.sleep, told.set, items.put):
                pool.submit(each, *[1] * (each != told.set))
            pool.submit(items.get).result()
            pool.submit(items.get)

    begun = [step.text for step in control(submits, schedules=1).violation.steps if step.text.startswith("begins ")]
    assert begun == [f"begins {name}()" for name in ("sleep", "Event.set", "SimpleQueue.put", *["SimpleQueue.get"] * 2)]


def waits_for_a_pool(pipe=False):
    told, (reads, _) = threading.Event(), os.pipe()
    with ThreadPoolExecutor(1, thread_name_prefix="pool") as pool:
        pool.submit(os.read, reads, 1) if pipe else pool.submit(told.wait)


def test_who_leaves_a_pool_waits_for_its_workers():
    found = control(waits_for_a_pool, schedules=1).violation
    assert found.wait_for.explain()[:2] == [
        "main waits for the end of pool_0 of pool",
        "pool 1/1: every worker is in Event.wait(), waiting for told",
    ]


def test_a_pipe_is_called_by_its_descriptor():
    found = control(partial(waits_for_a_pool, pipe=True), schedules=1)
    assert re.search(r"every worker is in read\(\), waiting for data on descriptor \d+", " ".join(str(found).split()))
    assert found.name == "waits_for_a_pool(pipe=True)"


def test_what_a_body_is_given_is_told_with_its_name():
    bodies = [partial(max, 3), partial(partial(max, 3), 4, key=abs), partial(max, [1])]
    assert [control(body, schedules=1).name for body in bodies] == [
        "max(3)",
        "max(3, 4, key=builtin_function_or_method)",
        "max(list)",
    ]


def test_an_error_is_told_at_the_line_of_the_program_and_at_none_of_ours():
    assert (
        str(control(lambda: queue.Queue().get_nowait()))
        .splitlines()[3]
        .startswith(f"main raised Empty, at {__file__}:")
    )
    (line,) = [each for each in str(control(partial(asks_twice, 1))).splitlines() if each.startswith("main raised")]
    assert line.endswith("takes 0 positional arguments but 1 was given")
