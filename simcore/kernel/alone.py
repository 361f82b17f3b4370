"""A program runs alone, and is given the results that it has had: to learn what it does, nobody else is needed."""

from __future__ import annotations

import contextlib
import dis
import signal
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Any

from simcore.errors import ModelError, NondeterminismError, SimcoreError, line_of
from simcore.kernel.freeze import Freezer, Unfreezable, operation_key, place
from simcore.kernel.instances import made_here
from simcore.kernel.outside import Outside
from simcore.kernel.running import Program, Running
from simcore.model.operations import Operation, Raised, SharedObject

_FINALLY = 100  # operations in ``finally`` blocks that a run which is given up passes on its way out


@dataclass(frozen=True)
class Ended:
    """A generator that has no further operation."""

    status: str
    outcome: Any
    where: str = ""


class Run:
    """A program that runs, and the operations with something mutable in them that it has passed on."""

    def __init__(self, program: Program, outside: Outside) -> None:
        self.program, self._outside = program, outside
        self._running = Running(program)
        self.generator = self._running.generator
        self._passed: dict[tuple[int, ...], tuple[Operation, Hashable]] = {}

    def __del__(self) -> None:
        """Close without a complaint: to yield in a ``finally`` block is right in a process."""
        for _ in range(_FINALLY):
            with contextlib.suppress(Exception, BaseExceptionGroup):  # ``except*`` puts the GeneratorExit in a group
                self.generator.close()
                return

    def step(self, result: Any) -> Operation | Ended:
        """Give ``result`` to the generator, and return what it yields or how it ended."""
        ended: Operation | Ended = _step(lambda: self._running.resume(result), isinstance(result, Raised))
        return ended

    def passed(self, operation: Operation) -> tuple[Hashable, frozenset[SharedObject]]:
        """Note that ``operation`` is handed over; return its key and the shared objects that it mentions."""
        args, known = self._outside.identity(operation.args), self._outside.passed
        told = (operation.target, operation.name, args, operation.timeout)
        if args is not None and told in known:
            return known[told]
        freezer = Freezer(outside=self._outside)
        try:
            key = operation_key(operation, freezer)
        except Unfreezable as error:
            raise ModelError(
                f"{self.program.name} ({place(self.generator)}) passes on, in "
                f"{operation.target.call(operation.name)[:-1]}...), a {type(error.thing).__name__}, which cannot be "
                f"compared by value; pass immutable values, or use an object of the model"
            ) from error.__cause__
        if freezer.mutable and args is None:
            self._passed.setdefault(freezer.identities, (operation, key))
        if freezer.made and operation.name not in operation.target.creates:
            did = f"passes on, in {operation.target.call(operation.name)[:-1]}...),"
            raise made_here(f"{self.program.name} ({place(self.generator)}) {did}", freezer.made[0])
        found = key, frozenset(freezer.objects | {operation.target})
        if args is not None:
            known[told] = found
        return found

    def check(self) -> None:
        """Raise NondeterminismError when something mutable has changed after it was handed over."""
        for operation, key in self._passed.values():
            if operation_key(operation, Freezer(outside=self._outside)) != key:
                raise NondeterminismError(
                    f"{self.program.name} ({place(self.generator)}) changed something that it had passed on in "
                    f"{operation}: a list, or a variable of a function that it submitted. Whoever got it would see "
                    f"that behind the kernel's back; pass immutable values as arguments, or share data through "
                    f"model.variable(...)"
                )


def _step(go: Callable[[], Any], thrown: bool) -> Any:
    """Return what a generator yields, or how it ended; only an interrupt of the user leaves a process alive."""
    try:
        return go()
    except StopIteration as stop:
        return Ended("returned", stop.value)
    except SimcoreError:
        raise
    except BaseException as error:
        if isinstance(error, KeyboardInterrupt) and not (thrown or _raised(error)):
            raise
        return Ended("failed", Raised.of(error), line_of(error))


def _raised(error: KeyboardInterrupt) -> bool:
    """Tell whether the process has raised it by a ``raise``; an interrupt of the user comes between two instructions.

    In the handler of a signal, which no process has called, it may be raised by a ``raise``, too.
    """
    handlers = [getattr(signal.getsignal(number), "__code__", None) for number in signal.valid_signals()]
    at = error.__traceback__
    while at is not None:
        code, instruction, at = at.tb_frame.f_code, at.tb_lasti, at.tb_next
        if any(code is handler for handler in handlers):
            return False
    return code.co_code[instruction] == dis.opmap["RAISE_VARARGS"]
