"""What is gone when a report is written is called by its kind, its number, and the line in which it was made."""

import threading

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
    assert told(asks_twice) == [
        "condition (made in Answer.__init__() at test_naming.py:10).notify_all()",
        "condition[1] (made in Answer.__init__() at test_naming.py:10).notify_all()",
    ]


def test_what_is_there_has_its_name():
    assert told(keeps_one)[1:] == ["Answer.condition.notify_all()"]


def test_what_has_neither_a_name_nor_a_line_has_its_article():
    texts = {step.text for step in control(asks_twice, schedules=1).violation.steps}
    assert {"an rlock.acquire()", "an rlock[1].acquire()"} <= texts
