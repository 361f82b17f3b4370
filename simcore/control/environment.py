"""One process is made ready for runs: everything is replaced in it, once and for good, and each run begins alike."""

from __future__ import annotations

import encodings.idna  # noqa: F401 - whatever resolves a host's name imports it, and locks that
import gc
import sys
import threading
import zlib
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

from simcore.control import (
    clock,
    descriptors,
    finer,
    loopback,
    operations,
    outside,
    patching,
    primitives,
    semlocks,
    sockets,
    starting,
    steady,
    tls,
)
from simcore.control.baton import Known, Run
from simcore.control.hears import Enabled
from simcore.control.marks import made, marks
from simcore.control.naming import Names, Remembered, known_as, place
from simcore.control.primitives import Current
from simcore.control.result import LATE, CodeStep
from simcore.control.thread import ControlledThread

if TYPE_CHECKING:
    from simcore.control.noting import Notes
    from simcore.control.watching import Watch

WITH_METHODS: tuple[Any, ...] = (primitives, semlocks, starting, clock, descriptors, sockets, loopback, tls)


def make_ready() -> None:
    """Put this process under control, for good; a run has still to begin."""
    gc.disable()  # as in each run: it would look through all that there is, and have this process copy it
    replaced = [each for part in WITH_METHODS for each in part.METHODS.items()]
    for kind, methods in replaced:
        patching.replace_methods(kind, methods)
    objects = patching.objects_by_type()
    parts = (primitives, starting, clock, steady, descriptors, sockets, outside)
    functions = {old: new for part in parts for old, new in part.FUNCTIONS.items()}
    having = patching.look_up_again({kind for kind, _ in replaced}, objects, functions)
    holders = patching.holders(objects)
    for each in patching.instances(objects, *operations.KINDS):
        marks(each)  # before the program looks
    del each, objects  # in which functions lie, too
    for kind in patching.copies_of(primitives.QUEUE, holders):
        patching.replace_methods(kind, primitives.queue_methods(kind))
    operations.replace()
    primitives.watch_creation()
    outside.watch_forks()
    patching.replace_functions(functions, holders, having)
    gc.freeze()  # what there is now is neither looked through before each run, nor deleted in one


class _Taken(NamedTuple):
    thread: ControlledThread
    label: str
    target: Callable[[], Any]  # which keeps nothing alive that can be deleted
    place: str
    goes_on: bool


class Learning(Run):
    """A run from which it is learned who ends waits for what.

    Attributes
    ----------
    seen : Known
        What was seen in this run.
    """

    def __init__(self, *args: Any, **others: Any) -> None:
        super().__init__(*args, **others)
        self.seen: Known = {}

    def learned(self, thread: ControlledThread, target: Any, method: str) -> None:
        """Note what the function that ``thread`` runs does to objects that were made where ``target`` was."""
        if (where := made(target)) is not None:
            self.seen.setdefault((*where, method), set()).add(thread.role)

    def submitted(self, thread: ControlledThread, task: str, future: Any) -> None:
        """Note which function submits which."""
        self.seen.setdefault((task, "", 0, "submit"), set()).add(thread.role)


class Noted(Learning):
    """A run of which may be noted who does what, to which object.

    Attributes
    ----------
    notes : Notes, optional
        All of it, if somebody wants it.
    """

    alike = False
    """Whether it has to be like another run."""

    def __init__(self, *args: Any, **others: Any) -> None:
        super().__init__(*args, **others)
        self.notes: Notes | None = None

    def note(self) -> None:
        """Take notes, from the beginning on."""
        from simcore.control.noting import Notes

        can = self.points in finer.AT_OPERATIONS and (not self.alike or sys.version_info >= (3, 13))
        self.notes = Notes(self, early=can)

    def stepped(self, thread: ControlledThread, outcome: int, candidates: Enabled) -> None:
        """Note a step, before it is taken."""
        if self.notes is not None:
            self.notes.stepped(thread, outcome)

    def released(self, thread: ControlledThread, lock: Any) -> None:
        """Note the release of a lock."""
        if self.notes is not None:
            self.notes.released(thread, lock)

    def refused(self, thread: ControlledThread, label: str, thing: Any) -> None:
        """Note that nothing was done."""
        if self.notes is not None:
            self.notes.refused(thread, label, thing)

    def created(self, thread: ControlledThread, thing: Any) -> None:
        """Note who has made a lock."""
        if self.notes is not None:
            self.notes.created(thread, thing)

    def submitted(self, thread: ControlledThread, task: str, future: Any) -> None:
        """Note which task is submitted."""
        super().submitted(thread, task, future)
        if self.notes is not None:
            self.notes.submitted(thread, task, future)


class Recorded(Noted):
    """A run that remembers what its steps were, and whether it is the one that was asked for.

    Attributes
    ----------
    checks : list of int
        One byte for each step, which differs, most likely, when the step means something else.
    remembered : Remembered
        The objects that steps name.
    watch : Watch, optional
        Of the objects that steps name, if somebody wants to know what they held.
    """

    alike = True

    def __init__(self, *args: Any, **others: Any) -> None:
        super().__init__(*args, **others)
        self.checks: list[int] = []
        self._steps: list[_Taken] = []
        self.remembered = Remembered()
        self.watch: Watch | None = None

    def stepped(self, thread: ControlledThread, outcome: int, candidates: Enabled) -> None:
        """Remember a step, before it is taken."""
        super().stepped(thread, outcome, candidates)
        if self.watch is not None:
            self.watch.stepped(thread)
        could = " ".join(other.path for other, _ in candidates)
        label = thread.label if outcome == 0 or thread.label == "sleep" else f"{thread.label}{LATE}"
        self.checks.append(zlib.crc32(f"{thread.path} {label} {could}".encode()) & 0xFF)
        within = any(doing.label == thread.label and doing.target is thread.target for doing in thread.doing)
        self._steps.append(
            _Taken(thread, label, self.remembered.weak(thread.target), place(thread), thread.fused > 0 and within)
        )

    def steps(self, names: Names) -> list[CodeStep]:
        """Return the steps in words; objects are named as they are called now, at the end."""
        return [
            CodeStep(names.thread(taken.thread), _phrase(names, taken), taken.place, taken.goes_on)
            for taken in self._steps
        ]


def _phrase(names: Names, taken: _Taken) -> str:
    """Say what a step does: the call that stands in the program, where there is one."""
    label, target = taken.label, taken.target()
    if label == "begin":
        return "begins"
    if label == "sleep":
        return f"has slept {target:g} s"
    if target is None:
        return label
    call, _, late = label.partition(" ")
    kind, _, method = call.partition(".")
    return _call(names, taken.thread, kind, method, target) + f" {late}".rstrip()


def _call(names: Names, thread: ControlledThread, kind: str, method: str, target: Any) -> str:
    if isinstance(target, ControlledThread) or kind == "Thread":
        who = names.thread(target)
        return f"asks whether {who} is alive" if method == "is_alive" else f"{method or kind}s {who}"
    if thread.pool is not None and target is thread.pool[1]:
        return "takes a task"
    known = known_as(target)
    if known and method in _OF_KNOWN:
        return f"{_OF_KNOWN[method]} {known}"
    return f"{names.of(target, kind.lower())}.{method}()" if method else kind


_OF_KNOWN = {
    "set_running_or_notify_cancel": "begins",
    "set_result": "ends",
    "set_exception": "fails in",
    "result": "asks for the result of",
    "acquire": "begins",
}


def begin(run: Run) -> None:
    """Have this process's threads belong to ``run`` from now on."""

    def ended_by(raised: Any) -> None:
        thread = next((thread for thread in run.threads if thread.thread is raised.thread), run.main)
        if not issubclass(raised.exc_type, SystemExit):
            run.fails(thread, raised.exc_value)

    threading.excepthook = ended_by
    steady.begin()
    starting.begin(run)
    Current.run = run
    outside.begin(run)
    run.settle = loopback.settle
    finer.watch(run)
