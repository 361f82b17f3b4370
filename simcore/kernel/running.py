"""A process runs from one operation to the next, and all that it makes on the way must be yielded or kept.

Every driver lets a process go on through `Running.resume`, so what is a mistake in one is a mistake in all.
"""

from __future__ import annotations

import re
import types
import weakref
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from simcore.errors import ModelError, NondeterminismError, line_of, place_of
from simcore.kernel.dropped import codes_of, refuse_dropped
from simcore.kernel.endless import counted, loops_of
from simcore.kernel.generators import SuspendedGenerator, place
from simcore.kernel.real_world import refuse_real_world
from simcore.model import Making, ProcessFunction, no_value, objects, parameters_of
from simcore.model.operations import Operation, Raised


@dataclass(eq=False, frozen=True)
class Program:
    """What a process or a task runs: a function and its arguments, shared by all that run the same."""

    name: str
    fn: ProcessFunction
    args: tuple[Any, ...]

    def start(self) -> SuspendedGenerator:
        """Return a fresh generator, not started."""
        called = getattr(self.fn, "__qualname__", self.fn)
        if self not in _READ:
            codes = list(codes_of(self.fn, self.args))
            refuse_dropped(self.name, codes)
            refuse_real_world(self.name, codes)
            _READ[self] = loops_of(codes)
        try:
            generator = self.run(lambda: self.fn(*self.args))
        except TypeError as error:
            raise ModelError(f"{self.name}: {called} cannot be called with these arguments: {error}") from error
        if not isinstance(generator, types.GeneratorType):
            raise ModelError(
                f"{self.name}: {called} returned {type(generator).__name__}, not a generator; "
                f"a process function yields operations"
            )
        return generator

    def run(self, go: Callable[[], Any]) -> Any:
        """Return ``go()``, which runs some of it, while loops that may not end are watched."""
        loops = _READ[self]
        return counted(loops, self.name, go) if loops else go()


_READ: weakref.WeakKeyDictionary[Program, frozenset[types.CodeType]] = weakref.WeakKeyDictionary()
"""Programs whose code has been looked at, with what may go on for ever in them."""


class Running:
    """One live generator of a program.

    Parameters
    ----------
    program : Program
        What it runs.
    notes : bool
        False where the code yields at once whatever operation it makes, so that none can be forgotten.
    """

    def __init__(self, program: Program, notes: bool = True) -> None:
        self.program = program
        self.generator = program.start()
        self._making = Making(notes)
        self._counts = bool(_READ[program])
        self._send = self.generator.send

    def resume(self, result: Any) -> Operation:
        """Give ``result`` to the generator, None to begin with, and return the operation that it comes to.

        Raises
        ------
        ModelError
            When it yields something else, or has made an operation that it neither yielded nor kept.
        StopIteration, BaseException
            As the process ends.
        """
        try:
            yielded = self._making.during(self._give if self._counts or type(result) is Raised else self._send, result)
        except StopIteration as ended:
            self._check()
            wrong = no_value(ended.value)
            if wrong:
                code = self.generator.gi_code
                at = f"{Path(code.co_filename).name}:{code.co_firstlineno}"
                raise ModelError(f"{self.program.name} ({at}) returned {wrong}") from None
            raise
        except ModelError as error:
            raise self._placed(error) from error
        except BaseException as error:
            self._refuse(self._making.mistake)
            if isinstance(error, TypeError):
                self._refuse_misuse(error)
            raise
        if not isinstance(yielded, Operation):
            raise self._no_operation(yielded)
        if self._making.made:
            self._making.yielded(yielded)
        if self._making.made or self._making.mistake is not None:
            self._check()
        return yielded

    def _give(self, result: Any) -> Any:
        generator = self.generator
        if isinstance(result, Raised):
            return self.program.run(lambda: generator.throw(result.build()))
        return self.program.run(lambda: generator.send(result))

    def _check(self) -> None:
        self._refuse(self._making.mistake)
        forgotten = self._making.forgotten
        if forgotten is not None:
            raise ModelError(
                f"{self.program.name} ({forgotten.where}): {forgotten} was made and not yielded, so it never "
                f"happened; write `yield` before it"
            )

    def _refuse(self, mistake: ModelError | None) -> None:
        if mistake is not None:
            raise self._placed(mistake) from mistake

    def _placed(self, error: ModelError) -> ModelError:
        """Return an error that came up in the process, with its place."""
        at = place_of(error)
        if isinstance(error, NondeterminismError) or not at:
            return error
        return ModelError(f"{self.program.name} ({at}): {error}")

    def _refuse_misuse(self, error: TypeError) -> None:
        """Raise ModelError where an operation was called wrongly, or compared, added or counted as what it gives."""
        method = _called_wrongly(error)
        if method is not None:
            right = f"{method.__name__}({', '.join(parameters_of(method)[1:])})"  # without self
            wrong = str(error).partition(". Did you mean")[0]  # which some Pythons ask
            raise ModelError(f"{self.program.name} ({line_of(error)}): {wrong}; it is {right}") from error
        if self._making.made:
            made = self._making.made[-1]
            raise ModelError(
                f"{self.program.name} ({made.where}): {made} was made and not yielded, and {error}; write `yield` "
                f"before it, in brackets"
            ) from error

    def _no_operation(self, yielded: Any) -> ModelError:
        hint = "write `yield from` to run another generator" if isinstance(yielded, types.GeneratorType) else ""
        return ModelError(
            f"{self.program.name} ({place(self.generator)}) yielded {yielded!r}, which is no operation; "
            + (hint or "yield what a method of an object returns, such as lock.acquire()")
        )


def _called_wrongly(error: TypeError) -> Any:
    """Return the method of an object that was called with arguments which it does not take; None where none was."""
    found = re.match(r"(\w+)\.(\w+)\(\) (?:got|missing|takes) ", str(error))
    kind = None if found is None else getattr(objects, found[1], None)
    return None if found is None or kind is None or found[2] not in vars(kind) else vars(kind)[found[2]]
