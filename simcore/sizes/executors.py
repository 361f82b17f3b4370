"""Whoever explores the cells, the answers are the same; a worker that is lost costs the time of its cells alone.

Cells go out in batches of about a fifth of a second, so that small ones do not spend their time on the way and large
ones do not wait for each other. A pool of processes that has lost one is of no use any more (`BrokenProcessPool`), and
does not say whose cell it was. So whatever was under way is then explored cell by cell in a process of its own, where
it is plain who has ended it: after three times the cell is undetermined, and the others have lost nothing but time.

A new process would run the user's program again, to find its functions (`multiprocessing`), and so begin the sweep
again where nobody has written ``if __name__ == "__main__"``. Here it does not: nothing of a program is needed, because
functions of a program are explored in its own process.
"""

from __future__ import annotations

import os
import pickle
import signal
import sys
import threading
from collections import Counter, deque
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import (
    FIRST_COMPLETED,
    BrokenExecutor,
    Executor,
    Future,
    ProcessPoolExecutor,
    ThreadPoolExecutor,
    wait,
)
from contextlib import contextmanager
from multiprocessing import active_children, get_context, parent_process, resource_tracker
from multiprocessing.process import BaseProcess
from types import ModuleType
from typing import Any, TypeVar

from simcore.errors import OptionError
from simcore.sizes.work import Found, Place, Task, explored, undetermined

EXECUTORS = ("processes", "here")
"""What may be named in place of an executor."""

TIMES = 3
"""How often a cell is begun whose worker is lost each time."""

_BATCH_SECONDS = 0.2
_WIDTH = 16
"""Batches under way on an executor that does not say how many workers it has."""

Answers = Generator[list[Found], None, None]
T = TypeVar("T")


def travels(task: Task, executor: Executor | str) -> str:
    """Say why a task cannot be sent to where it would be explored; nothing where it can."""
    if isinstance(executor, ThreadPoolExecutor):
        return ""
    function = task.subject.function
    if function is not None and getattr(function, "__module__", None) == "__main__":
        return f"{task.subject.name} is of the program itself, or of a notebook, which no other process has"
    try:
        pickle.dumps(task)
    except Exception:  # pickle raises whatever it meets
        what = "a property that is asked" if function is None else task.subject.name
        return (
            f"{what} is, or holds, a function that other processes cannot find by a name: a lambda, or one in another"
        )
    return ""


def answers(task: Task, places: list[Place], executor: Executor | str, jobs: int) -> Answers:
    """Yield what was found, some cells at a time, and an empty list once a second while nothing comes.

    Parameters
    ----------
    executor : Executor or {"processes", "here"}
        Who explores.
    jobs : int
        Processes; of an executor that is given, workers to keep busy, where that does not say more.
    """
    if isinstance(executor, Executor):
        width = max(jobs, getattr(executor, "_max_workers", None) or _WIDTH)
        return _on_given(task, places, executor, width)
    if executor == "here" or jobs == 1:
        return (explored(task, [place]) for place in places)
    return _in_processes(task, places, min(jobs, len(places)))


def check_executor(executor: object) -> None:
    """Raise OptionError unless it is one, or the name of one."""
    if executor is None or isinstance(executor, Executor) or executor in EXECUTORS:
        return
    raise OptionError(
        f"`executor={executor!r}`: pass a concurrent.futures.Executor (of Dask, Client(...).get_executor()), "
        f"'processes' or 'here'"
    )


# ---- batches -------------------------------------------------------------------------------------------


class _HandedOut:
    """Batches that are under way on an executor.

    Attributes
    ----------
    ahead : deque of Place
        Cells that nobody has taken.
    lost : list of Place
        Cells whose worker was lost.
    taken : int
        Batches that the executor has taken.
    error : str
        What it said last of what it has lost, or not taken.
    """

    def __init__(self, task: Task, places: list[Place], width: int) -> None:
        self._task, self._width = task, width
        self.ahead = deque(places)
        self.lost: list[Place] = []
        self.taken, self.error, self._broken = 0, "", False
        self._flying: dict[Future[list[Found]], list[Place]] = {}
        self._seconds = self._done = 0.0

    def on(self, executor: Executor) -> Answers:
        """Yield the answers until there are no more, or the executor takes no more."""
        try:
            while self._flying or (self.ahead and not self._broken):
                while self.ahead and not self._broken and len(self._flying) < 2 * self._width:
                    self._submit(executor)
                done, _ = wait(self._flying, timeout=1, return_when=FIRST_COMPLETED)
                for future in done:
                    yield self._received(future)
                if not done:
                    yield []
        finally:
            for future in self._flying:
                future.cancel()

    def _submit(self, executor: Executor) -> None:
        batch = [self.ahead.popleft() for _ in range(min(self._size, len(self.ahead)))]
        try:
            self._flying[executor.submit(explored, self._task, batch)] = batch
            self.taken += 1
        except RuntimeError as error:  # broken, or shut down
            self._broken, self.error = True, _told(error)
            self.ahead.extendleft(reversed(batch))

    @property
    def _size(self) -> int:
        """Cells in the next batch: one until it is known how long they take, and few at the end."""
        quick = int(_BATCH_SECONDS * self._done / max(self._seconds, 1e-6))
        return max(1, min(quick, len(self.ahead) // (2 * self._width)))

    def _received(self, future: Future[list[Found]]) -> list[Found]:
        batch = self._flying.pop(future)
        try:
            found = future.result()
        except (Exception, SystemExit) as error:  # of the executor: what a cell raises is an answer
            self.lost += batch
            self.error = _told(error)
            self._broken |= isinstance(error, BrokenExecutor)
            return []
        self._done += len(found)
        self._seconds += sum(each.cell.seconds for each in found)
        return found


def _told(error: BaseException) -> str:
    return " ".join(f"{type(error).__name__}: {error}".split())


def _given_up(place: Place, why: str) -> Found:
    return Found(place.number, undetermined(place, why), False)


def _lost(place: Place, error: str) -> Found:
    told = f"its worker was lost {TIMES} times, for want of memory perhaps: bound it with `max_states` or `max_memory`"
    return _given_up(place, f"{told} ({error})")


def _on_given(task: Task, places: list[Place], executor: Executor, width: int) -> Answers:
    """Explore on an executor of the user's; what it loses goes to it again, cell by cell."""
    out = _HandedOut(task, places, width)
    yield from out.on(executor)
    never = [*out.ahead]
    for _ in range(TIMES - 1):
        again = _HandedOut(task, out.lost, 1)
        yield from again.on(executor)
        never += again.ahead
        out = again
    yield [_lost(place, out.error) for place in out.lost]
    yield [_given_up(place, f"the executor takes no more work, hand over a new one ({out.error})") for place in never]


# ---- processes -----------------------------------------------------------------------------------------


def _in_processes(task: Task, places: list[Place], jobs: int) -> Answers:
    ahead = places
    while ahead:
        out = _HandedOut(task, ahead, jobs)
        with _pool(jobs) as pool:
            yield from out.on(pool)
        if out.taken == 0:
            raise OptionError(f"no process can be begun here ({out.error}); use `executor='here'`")
        ahead = [*out.ahead]
        yield from _one_by_one(task, out.lost)


def _one_by_one(task: Task, suspects: list[Place]) -> Answers:
    """Explore cells whose worker was lost in a process of their own, a new one whenever it is lost."""
    ahead, lost, error = deque(suspects), Counter(place.number for place in suspects), ""
    while ahead:
        with _pool(1) as pool:
            while ahead and lost[ahead[0].number] < TIMES and not error:
                try:
                    yield pool.submit(explored, task, [ahead[0]]).result()
                    ahead.popleft()
                except Exception as why:
                    lost[ahead[0].number] += 1
                    error = _told(why)
        if ahead and lost[ahead[0].number] == TIMES:
            yield [_lost(ahead.popleft(), error)]
        error = ""


class _Processes(ProcessPoolExecutor):
    """Begins processes, in `submit`, with nothing of this program, and spared by the Ctrl-C that a terminal sends."""

    def submit(self, fn: Callable[..., T], /, *args: Any, **options: Any) -> Future[T]:
        blocked = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})  # a new process inherits this
        program = sys.modules["__main__"]
        sys.modules["__main__"] = ModuleType("__main__")
        try:
            return super().submit(fn, *args, **options)
        finally:
            sys.modules["__main__"] = program
            signal.pthread_sigmask(signal.SIG_SETMASK, blocked)


@contextmanager
def _pool(jobs: int) -> Iterator[ProcessPoolExecutor]:
    """Give a pool of new processes, of which none is left afterwards, whatever happens."""
    before = set(active_children())
    resource_tracker.ensure_running()  # or the first process would start it, and it unblocks what is blocked
    pool = _Processes(jobs, get_context("spawn"), initializer=_end_with_parent)
    try:
        yield pool
    except BaseException:
        for child in set(active_children()) - before:
            child.kill()
        raise
    finally:
        pool.shutdown(cancel_futures=True)


def _end_with_parent() -> None:
    """Be a process that does not outlive who began it, not even where that is killed."""
    parent = parent_process()
    if parent is not None:
        threading.Thread(target=_wait_for, args=(parent,), daemon=True).start()


def _wait_for(parent: BaseProcess) -> None:
    parent.join()
    os._exit(1)
