"""The first answer comes soon: nothing is loaded that it does not need, and no run is made that tells nothing more."""

import os
import subprocess
import sys
import sysconfig
import threading
from functools import partial
from operator import methodcaller

import pytest

from simcore import Verdict, control
from simcore.control import naming
from simcore.control.workers import Workers
from simcore.errors import NotUnderControl

UNNEEDED = {
    *("simcore.kernel", "simcore.explore", "simcore.simulate", "simcore.execute", "simcore.report", "simcore.command"),
    *("simcore.model.model", "simcore.model.objects", "simcore.schedule.schedule", "simcore.explain.knot"),
    *("simcore.control.conforms", "simcore.control.skeleton", "simcore.control.noting", "simcore.control.orders"),
    *("networkx", "simpy", "numpy", "scipy", "hypothesis", "click", "rich", "pytest", "tempfile", "shutil", "asyncio"),
}


def loaded_by(statement):
    program = f"import sys; {statement}; print(*sys.modules)"
    # -S, as what is installed may load something in every process
    path = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    ran = subprocess.run([sys.executable, "-S", "-c", program], capture_output=True, text=True, check=True, env=path)
    return set(ran.stdout.split())


def test_control_loads_nothing_that_its_first_answer_does_not_need():
    loaded = loaded_by("from simcore import control; control")
    assert "simcore.control.workers" in loaded
    assert not loaded & UNNEEDED


def test_the_package_alone_loads_none_of_its_rooms():
    ours = {name for name in loaded_by("import simcore") if name.startswith("simcore")}
    assert ours == {"simcore", "simcore.first_use"}


# ---- which runs are made -----------------------------------------------------------------------------------


def opposed():
    one, other = threading.Lock(), threading.Lock()

    def take(first, second):
        with first, second:
            pass

    threads = [threading.Thread(target=take, args=locks) for locks in ((one, other), (other, one))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def questions(monkeypatch, body, **options):
    asked = []
    send = Workers.send
    monkeypatch.setattr(Workers, "send", lambda self, question: (asked.append(question), send(self, question))[1])
    return control(body, **options), asked


def test_a_first_run_that_fails_is_run_once_more_when_any_is_told(monkeypatch):
    """Which tells it, and that it is the same."""
    result, asked = questions(monkeypatch, opposed, witness="any")
    assert (result.verdict, result.schedules) == (Verdict.VIOLATED, 1)
    assert [(each.record, each.strict) for each in asked] == [(False, False), (True, True)]


def hangs_in_another_way_each_time(file):
    """Take locks in opposed orders, and one more before, for each time that it has run."""
    with file.open("a") as written:
        written.write(".")
    for _ in range(len(file.read_text())):
        threading.Lock().acquire()
    opposed()


@pytest.mark.parametrize("witness", ["any", "short"])
def test_a_first_run_that_is_another_one_when_it_is_told_is_no_verdict(witness, tmp_path):
    with pytest.raises(NotUnderControl, match="the same schedule was another run from step"):
        control(partial(hangs_in_another_way_each_time, tmp_path / "runs"), witness=witness)


# ---- what things are called --------------------------------------------------------------------------------


LOCK_A, LOCK_B, LOCK_C, LOCK_D, LOCK_E, LOCK_F = (threading.Lock() for _ in range(6))
GLOBALS = [LOCK_A, LOCK_B, LOCK_C, LOCK_D, LOCK_E, LOCK_F]


class Shared:
    """Has a lock that all of its kind share."""

    lock = threading.Lock()


class Older:
    """Has a lock of its own, and was there before the run."""

    def __init__(self):
        self.lock = threading.Lock()


OLDER = Older()


def take(locks):
    list(map(methodcaller("acquire"), locks))


def waiting_for(lock):
    return threading.Thread(target=take, args=([lock],))


def nobody_gets(*locks):
    """Wait for threads that wait for locks, which no variable of a function has when it is told."""
    take(locks)
    threads = list(map(waiting_for, locks))
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def named_by(result):
    return {edge.target.name for edge in result.violation.wait_for.edges if edge.target.kind == "lock"}


@pytest.mark.parametrize("searches", [0, 2, naming._SEARCHES, 100])
def test_a_global_has_its_name_whether_it_is_searched_for_or_all_modules_are_read(searches, monkeypatch):
    monkeypatch.setattr(naming, "_SEARCHES", searches)
    found = control(partial(nobody_gets, *GLOBALS, Shared.lock), witness="any")
    assert named_by(found) == {*(f"{__name__}.LOCK_{letter}" for letter in "ABCDEF"), "Shared.lock"}


def test_an_attribute_of_what_was_there_before_is_searched_for_however_many_globals_there_are():
    assert named_by(control(partial(nobody_gets, *GLOBALS, OLDER.lock), witness="any")) >= {"Older.lock"}


@pytest.mark.parametrize(
    ("platform", "free", "says"), [("win32", 0, "on win32 nobody has tried it"), ("linux", 1, "free threading")]
)
def test_where_nobody_has_tried_it_that_is_said_before_anything_is_forked(monkeypatch, platform, free, says):
    monkeypatch.setattr(sys, "platform", platform)
    monkeypatch.setattr(sysconfig, "get_config_var", {"Py_GIL_DISABLED": free}.get)
    monkeypatch.setattr(os, "fork", lambda: pytest.fail("forked"))
    with pytest.raises(NotUnderControl, match=f"^not under control: .*{says}"):
        control(int, schedules=1)
