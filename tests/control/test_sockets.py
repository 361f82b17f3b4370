"""Sockets inside of the process are under control; what comes from outside of it is waited for, and is no verdict."""

import os
import socket
import subprocess
import sys
from functools import partial
from inspect import signature
from types import FunctionType

import over_sockets
import over_sockets_fine
import pytest

from simcore import Verdict, control
from simcore.control import baton, replay
from simcore.errors import NotUnderControl

HANGS = {
    "both write first": (
        over_sockets.both_write_first,
        {"reads": True},
        "server waits for room to send on connection, whose other end is connection[1]: client might read it, but "
        "waits itself",
    ),
    "a pipe under a lock": (
        over_sockets.writes_under_a_lock,
        {"one_lock": False},
        "reader waits for lock, held by writer",
    ),
    "a socket that was closed": (
        over_sockets.waits_for_what_was_closed,
        {"shuts_down": True},
        "reader waits for data on there, which was closed meanwhile",
    ),
    "a loop and a pool": (
        over_sockets.loop_and_pool,
        {"workers": 2},
        "sync 1/1: every worker is in loop_and_pool.outer()",
    ),
}
OUTSIDE = [over_sockets_fine.asks_a_child, over_sockets_fine.forks_a_child, over_sockets_fine.waits_for_a_signal]
FINE = [
    body
    for body in vars(over_sockets_fine).values()
    if isinstance(body, FunctionType) and body.__module__ == "over_sockets_fine" and not signature(body).parameters
]


@pytest.mark.some(4)
@pytest.mark.parametrize(("body", "repair", "words"), HANGS.values(), ids=HANGS)
def test_a_hang_is_found_and_named_and_its_repaired_twin_survives(body, repair, words):
    result = control(body, schedules=50)
    assert result.violation is not None
    assert result.violation.kind == "deadlock"
    assert words in " ".join(" ".join(result.violation.wait_for.explain()).split())
    assert replay(result.violation.token).violation.wait_for == result.violation.wait_for
    fixed = control(partial(body, **repair), schedules=5)
    assert (fixed.verdict, fixed.violation, fixed.notes) == (Verdict.UNDETERMINED, None, [])


@pytest.mark.slow
def test_a_hang_over_a_socket_is_found_beside_somebody_who_polls():
    result = control(over_sockets.asks_for_more, schedules=3, max_steps=4_000, witness="any")
    told = " ".join(" ".join(result.violation.wait_for.explain()).split())
    assert (
        "main waits for data on connection, whose other end is there: give_back might send it, but waits itself" in told
    )
    assert (
        "give_back waits for data on there, whose other end is connection: main might send it, but waits itself" in told
    )
    (note,) = result.notes
    assert "is no fact, but was tried" in note
    assert control(partial(over_sockets.asks_for_more, asks=5), schedules=5).violation is None


@pytest.mark.some(8)
@pytest.mark.parametrize("timeouts", ["when_stuck", pytest.param("never", marks=pytest.mark.slow)])
@pytest.mark.parametrize("body", FINE, ids=[body.__name__ for body in FINE])
def test_what_does_not_hang_is_not_said_to(body, timeouts):
    if body is over_sockets_fine.limits_and_refusals and timeouts == "never":
        assert control(body, schedules=1, timeouts=timeouts).violation.kind == "deadlock"
        return
    result = control(body, schedules=3, timeouts=timeouts)
    assert result.verdict is Verdict.UNDETERMINED, str(result)
    notes = ["3 of them had to do with somebody outside of the process: not deterministic"]
    assert result.notes == (notes if body in OUTSIDE else [])


@pytest.fixture
def silent_port():
    """Somebody in the caller's process listens, and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener.getsockname()[1]


def test_whoever_waits_for_somebody_outside_is_told(silent_port, monkeypatch):
    monkeypatch.setattr(baton, "OUTSIDE", 0.3)
    with pytest.raises(
        NotUnderControl, match=r"main waits for somebody outside of the process, at over_sockets.py:\d+"
    ):
        control(partial(over_sockets.asks_somebody_outside, silent_port))


def asks_a_child():
    if subprocess.run([sys.executable, "-c", "print(1)"], capture_output=True, check=True).stdout:
        raise ValueError("not what was asked for\nand more")


def asks_another_machine(port):
    with socket.create_connection(("127.0.0.1", port)):
        raise ValueError("not what was asked for\nand more")


def has_a_child(port):
    if (child := os.fork()) == 0:
        os._exit(0)
    os.waitpid(child, 0)
    raise ValueError("not what was asked for\nand more")


@pytest.mark.parametrize(("body", "call"), [(asks_another_machine, "connect"), (has_a_child, "fork")])
def test_what_was_raised_beside_somebody_outside_is_told_and_how_he_came_in(silent_port, body, call):
    with pytest.raises(NotUnderControl) as error:
        control(partial(body, silent_port), schedules=1)
    line = body.__code__.co_firstlineno + 1
    told = " ".join(str(error.value).split())
    assert "not under control: main raised ValueError: not what was asked for, at " in told
    assert f"who came in by {call}() at test_sockets.py:{line} in {body.__name__}();" in told


def test_a_child_process_that_was_asked_is_told_by_the_call_that_started_it():
    with pytest.raises(
        NotUnderControl, match=r"who came in by (fork_exec|posix_spawn)\(\) at test_sockets.py:\d+ in asks_a_child\(\)"
    ):
        control(asks_a_child, schedules=1)


def test_nobody_listens_for_real(silent_port):
    def asks():
        address = "127.0.0.1", silent_port
        with socket.create_server(address) as listener, socket.create_connection(address) as connection:
            connection.sendall(b"hello")
            assert listener.accept()[0].recv(5) == b"hello"

    result = control(asks, schedules=2)
    assert (result.violation, result.notes) == (None, [])
