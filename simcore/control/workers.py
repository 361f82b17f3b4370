"""Each schedule is run in a process of its own, which is thrown away; in the caller's process nothing is ever replaced.

A process is forked from the caller's, made ready once, and forked again for each run. So a run begins with whatever the
caller has imported and set up, module globals included, as if it were the first; and there is nothing to clean up:
threads that hang, locks that they hold, sockets and patched types go with the process. What a run has found comes back
over a pipe.

A thread that waits outside of what is under control (a C function, a child process) keeps the baton, and nobody can
take it away. Each run counts its steps where the caller sees them; when they have not gone on for five seconds, the
process says where all its threads are, and is killed. That is never a verdict.
"""

from __future__ import annotations

import ctypes
import faulthandler
import mmap
import os
import pickle
import re
import select
import signal
import struct
import sys
import sysconfig
import time
import traceback
import warnings
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any

from simcore.control import environment
from simcore.control.patience import kept_waiting, wants_a_processor, work_of, work_on_files
from simcore.control.thread import LIBRARY
from simcore.errors import InternalError, NotUnderControl

PATIENCE = 5.0
"""Seconds without a step after which a run is not under control, those apart in which others had the processor."""

_PATIENCE_WITH_FILES = 30.0
"""The same, while files are read or written: those that are imported come from a disk."""

_POLL = 0.2
_LAST = 5.0
"""Seconds in which the process that is ready ends when it is not wanted any more."""

_STEPS, _CHILD = 0, 1
"""What a run's process shows: how many steps it has taken, and its number."""

_ANSWERED = 77
"""The status with which a run's process ends that has answered; a program that ends it itself has another one."""

_LENGTH = struct.Struct("!Q")
_write = os.write  # in a run it is another one


class Workers:
    """A process that is ready, from which one is forked for each run.

    Parameters
    ----------
    run : function
        Called in a new process with what was asked, and a function to be called with each step; what it returns comes
        back. It may leave earlier by calling its third argument with what it would return.
    beside : Workers, optional
        Who is on another core, if there are two.
    """

    def __init__(
        self,
        run: Callable[[Any, Callable[[], None], Callable[[Any], None]], Any],
        beside: Workers | None = None,
    ) -> None:
        if sys.platform != "linux":
            raise NotUnderControl(f"not under control: on {sys.platform} nobody has tried it; it needs Linux so far")
        if sysconfig.get_config_var("Py_GIL_DISABLED"):
            raise NotUnderControl(
                "not under control: in a Python for free threading nobody has tried it; use one with the global lock"
            )
        self._run = run
        self._core: int = _core(None if beside is None else beside._core)
        self._before, self._files, self._waits = -1, 0, False
        self._since = self._stepped = self._polled = self._worked = 0.0
        self._shared = memoryview(mmap.mmap(-1, 2 * _LENGTH.size)).cast("Q")
        self._stacks = open(os.memfd_create("stacks"), "w+b")  # noqa: SIM115
        self._requests, requests = os.pipe()[::-1]
        answers, self._answers = os.pipe()[::-1]
        with warnings.catch_warnings():  # of 3.12 on: that other threads of the caller are not there afterwards
            warnings.simplefilter("ignore", DeprecationWarning)
            self._process = os.fork()
        if not self._process:
            try:
                os.close(self._requests)
                os.close(self._answers)
                self._serve(requests, answers)
            finally:
                os._exit(1)
        os.close(requests)
        os.close(answers)

    def __enter__(self) -> Workers:
        return self

    def __exit__(self, *error: object) -> None:
        os.close(self._requests)  # then it ends, and takes along whatever the last run has left
        os.close(self._answers)
        if self._waits and self._child:
            with suppress(ProcessLookupError):
                os.killpg(self._child, signal.SIGKILL)
        self._until_ended()
        with suppress(ProcessLookupError):
            os.killpg(self._process, signal.SIGKILL)
        with suppress(ChildProcessError):
            os.waitpid(self._process, 0)
        self._shared.release()
        self._stacks.close()

    def _until_ended(self) -> None:
        """Wait until the process that is ready has ended by itself, for a while."""
        with suppress(OSError, AttributeError):
            ended, waiting = os.pidfd_open(self._process), select.poll()
            waiting.register(ended, select.POLLIN)
            waiting.poll(_LAST * 1_000)
            os.close(ended)

    # ---- in the caller's process -----------------------------------------------------------------------------

    def ask(self, question: Any) -> Any:
        """Return what a run in a new process answers.

        Raises
        ------
        NotUnderControl
            When it does not take a step for too long, or its process ends.
        """
        self.send(question)
        first_of([self])
        return self.receive()

    def send(self, question: Any) -> None:
        """Ask, and go on; `first_of` tells who has answered."""
        self._shared[_STEPS] = self._shared[_CHILD] = 0
        self._before, self._waits = -1, True
        _send(self._requests, question)

    def receive(self) -> Any:
        """Return what was answered; raises as `ask` does."""
        try:
            answer = _receive(self._answers)
            self._waits = False
        except EOFError:
            answer = NotUnderControl("not under control: the process from which runs are forked has ended")
        if isinstance(answer, BaseException):
            raise answer
        return answer

    def _insist_on_progress(self) -> None:
        processes = [each for each in (self._process, self._child) if each]
        now = time.monotonic() - kept_waiting(*processes)
        polled, self._polled = self._polled, now
        worked, self._worked = self._worked, work_of(*processes)
        if wants_a_processor(*processes) and self._worked == worked:
            self._since += now - polled  # nobody has counted yet for how long
        if (steps := self._shared[_STEPS]) != self._before:
            self._before, self._since, self._stepped = steps, now, now
        elif (files := work_on_files(*processes)) != self._files and now - self._stepped < _PATIENCE_WITH_FILES:
            self._files, self._since = files, now
        elif now - self._since > PATIENCE:
            self._give_up()

    def _give_up(self) -> None:
        self._stacks.truncate(0)
        self._stacks.seek(0)
        child = self._child
        with suppress(ProcessLookupError):
            os.kill(child or self._process, signal.SIGUSR1)
            self._until_told()
        if child:
            with suppress(ProcessLookupError):
                os.killpg(child, signal.SIGKILL)
            with suppress(EOFError):
                _receive(self._answers)  # that it has ended
        self._stacks.seek(0)
        where = _outside(self._stacks.read().decode(errors="replace"))
        raise NotUnderControl(
            f"not under control: nothing has moved for {PATIENCE:g} s, {where}; what waits there is neither a lock, a "
            "queue, a future, a thread nor a sleep of Python: leave it out, or put something of Python in its place"
        )

    def _until_told(self) -> None:
        """Wait until the stacks are told, and no more comes; on a busy machine that takes a while."""
        told, before, until = 0, -1, time.monotonic() + PATIENCE
        while time.monotonic() < until and not 0 < told == before:
            time.sleep(_POLL)
            before, told = told, os.fstat(self._stacks.fileno()).st_size

    @property
    def _child(self) -> int:
        return self._shared[_CHILD]

    # ---- in the process that is ready ------------------------------------------------------------------------

    def _serve(self, requests: int, answers: int) -> None:
        os.setpgid(0, 0)
        _die_with_the_caller()
        _adopt()
        with suppress(OSError, AttributeError):  # whoever hands the baton over wakes somebody on the same core,
            os.sched_setaffinity(0, {self._core})
            os.sched_setscheduler(0, os.SCHED_BATCH, os.sched_param(0))  # and goes on until it waits itself
        self._interrupted = signal.signal(signal.SIGINT, signal.SIG_IGN)  # the caller's, who then ends all
        faulthandler.register(signal.SIGUSR1, file=self._stacks, all_threads=True)
        _silent()
        try:
            environment.make_ready()
        except NotImplementedError as error:
            _receive(requests)
            _send(answers, NotUnderControl(f"not under control: {error}"))
            return
        except BaseException:
            _receive(requests)
            _send(answers, InternalError(traceback.format_exc()))
            return
        while True:
            try:
                question = _receive(requests)
            except EOFError:
                return
            child = os.fork()
            if not child:
                self._answer(question, answers)
            _, status = os.waitpid(child, 0)
            _end_what_is_left(child)
            if not (os.WIFEXITED(status) and os.WEXITSTATUS(status) == _ANSWERED):
                how = f"signal {os.WTERMSIG(status)}" if os.WIFSIGNALED(status) else f"status {os.WEXITSTATUS(status)}"
                _send(answers, NotUnderControl(f"not under control: the process of a run has ended with {how}"))

    def _answer(self, question: Any, answers: int) -> None:
        os.setpgid(0, 0)
        _die_with_the_caller()
        signal.signal(signal.SIGINT, self._interrupted)  # the program may raise it, and nobody else does
        self._shared[_CHILD] = os.getpid()
        own = os.getpid()

        def leave(answer: Any) -> None:
            if os.getpid() == own:  # and not a copy of it that the program has made
                _send(answers, answer)
                os._exit(_ANSWERED)
            os._exit(0)

        def progress() -> None:
            self._shared[_STEPS] += 1

        try:
            leave(self._run(question, progress, leave))
        except NotUnderControl as error:
            leave(error)
        except BaseException:
            leave(InternalError(traceback.format_exc()))


def first_of(workers: Sequence[Workers]) -> Workers:
    """Wait until somebody has answered who was sent a question."""
    waiting = select.poll()
    of = {each._answers: each for each in workers}
    for descriptor in of:
        waiting.register(descriptor, select.POLLIN)
    while not (ready := waiting.poll(_POLL * 1_000)):
        for each in workers:
            each._insist_on_progress()
    return of[min(descriptor for descriptor, _ in ready)]


@cache
def _library() -> Any:
    """Return the library of C, loaded once and not in each run."""
    return ctypes.CDLL(None)


def _die_with_the_caller() -> None:
    """Have this process killed when the one that has forked it ends, where the system can do that."""
    with suppress(OSError, AttributeError):
        _library().prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


_PR_SET_PDEATHSIG = 1  # of Linux


def _adopt() -> None:
    """Have whatever a run has started, and left, be a child of this process, where the system can do that."""
    with suppress(OSError, AttributeError):
        _library().prctl(_PR_SET_CHILD_SUBREAPER, 1)


_PR_SET_CHILD_SUBREAPER = 36  # of Linux


def _end_what_is_left(group: int) -> None:
    """Kill whatever a run has started, and left, in its group or in one of its own, and wait until that is gone."""
    with suppress(ProcessLookupError):
        os.killpg(group, signal.SIGKILL)
    children = Path(f"/proc/self/task/{os.getpid()}/children")
    while left := children.read_text().split() if children.exists() else []:
        for each in map(int, left):
            with suppress(ProcessLookupError):
                os.kill(each, signal.SIGKILL)
            os.waitpid(each, 0)


def _core(other: int | None) -> int:
    """Return the core that this process is on, or the next one behind another."""
    try:
        cores = sorted(os.sched_getaffinity(0))
        return (
            int(_library().sched_getcpu()) if other is None else min((c for c in cores if c > other), default=cores[0])
        )
    except (OSError, AttributeError):
        return 0


def _silent() -> None:
    """What the program prints, in hundreds of runs, is not printed."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for stream in (1, 2):
        os.dup2(nowhere, stream)
    os.close(nowhere)


def _send(pipe: int, thing: Any) -> None:
    content = pickle.dumps(thing)
    left = memoryview(_LENGTH.pack(len(content)) + content)
    while left:
        left = left[_write(pipe, left) :]


def _receive(pipe: int) -> Any:
    (length,) = _LENGTH.unpack(_exactly(pipe, _LENGTH.size))
    return pickle.loads(_exactly(pipe, length))


def _exactly(pipe: int, size: int) -> bytes:
    found = b""
    while len(found) < size:
        more = os.read(pipe, size - len(found))
        if not more:
            raise EOFError
        found += more
    return found


_FRAME = re.compile(r'^  File "(.*)", line (\d+) in (.*)$')


def _outside(stacks: str) -> str:
    """Say where the thread is that has the baton, of all whose stacks are told: that which does not wait for it."""
    for stack in re.split(r"^(?=Thread |Current thread )", stacks, flags=re.MULTILINE):
        frames = [found.groups() for line in stack.splitlines() if (found := _FRAME.match(line))]
        if frames and not (frames[0][0] in LIBRARY and frames[0][2] in ("_hand_over", "live_in")):
            file, line, function = next((frame for frame in frames if frame[0] not in LIBRARY), frames[0])
            return f"in {function}() at {Path(file).name}:{line}"
    return "and nobody knows where"
