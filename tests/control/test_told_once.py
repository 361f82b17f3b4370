"""What stands in a report is what helps: not each import of an import, and what tells more where a time-out fired."""

import queue
import re
import sys
import threading

from simcore import control


def imports_and_raises():
    for name in [name for name in sys.modules if name.split(".")[0] in ("xmlrpc", "wsgiref")]:
        del sys.modules[name]
    import wsgiref.simple_server  # noqa: F401
    import xmlrpc.server  # noqa: F401

    threading.Lock().acquire()
    raise AssertionError("something else")


def test_of_imports_in_one_another_the_first_is_told():
    violation = control(imports_and_raises, schedules=1).violation
    assert sum(step.imports for step in violation.steps) > 3
    told = [line for line in violation.lines() if "begins the import of" in line]
    assert len(told) == 1
    assert re.match(r" +1 +main +begins the import of wsgiref", told[0])


def asks_in_vain(limit):
    try:
        queue.Queue().get(timeout=limit)
    except queue.Empty:
        raise ValueError("nothing has come") from None


def test_where_a_time_out_fired_before_something_was_raised_it_is_said_what_tells_more():
    (note,) = control(lambda: asks_in_vain(5), schedules=1).notes
    assert note == "a time-out had fired before that: `timeouts='never'` tells whether it hides a hang"
    assert control(lambda: asks_in_vain(5), schedules=1, timeouts="never").violation.kind == "deadlock"
