"""Every error that simcore raises on purpose, as one tree.

    SimcoreError
    ├── ModelError               the model is wrong: names the object, the usual cause, the next thing to do
    │   ├── NondeterminismError  a process did something else when it was run again with the same results
    │   └── NoSuchOperation      an object has no operation of this name; an attribute error, too
    ├── OptionError              an option, a parameter or a combination of them that cannot be honoured
    │   └── MissingExtra         what is asked for needs a package that is not installed; an import error, too
    ├── ScheduleError            a schedule or a token that cannot be read
    │   └── Diverged             a schedule that departs from the model, at its first differing step
    ├── NotUnderControl          code that waits for what cannot be scheduled, or differs when it is run again
    └── InternalError            our bug, never the user's: please report it

What a *process* sees (``RuntimeError`` for a lock released twice, ``queue.Empty`` for a time-out) is what
the standard library raises, and is not in this tree.
"""

from __future__ import annotations

import traceback
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from simcore.whose import is_installed, is_ours, is_standard

EXTRAS = {
    "cluster": ("distributed",),
    "fast": ("numpy", "scipy", "numba", "llvmlite"),
    "plots": ("matplotlib",),
    "tables": ("pandas", "pyarrow"),
    "test": ("pytest", "hypothesis"),
}
"""Packages that are imported when something needs them, by what ``pip install 'simcore[...]'`` calls them."""


class SimcoreError(Exception):
    """Base of everything below. The command line prints it as one line and exits with status 2.

    It comes back from another process with the text and the attributes that it has: nothing is put in words twice.
    """

    def __reduce__(self) -> tuple[Any, ...]:
        state: tuple[Any, ...] = super().__reduce__()[2:]  # type: ignore[assignment]
        return _remade, (type(self), self.args), *state


def _remade(kind: type[SimcoreError], args: tuple[object, ...]) -> SimcoreError:
    error = kind.__new__(kind)
    error.args = args
    return error


class ModelError(SimcoreError):
    """The model cannot mean what it says."""


class NondeterminismError(ModelError):
    """A process, given the same results again, did not do the same thing.

    Raised while a process is learned. The usual causes are an object that two processes mutate behind
    the kernel's back, a clock, and a random number.
    """


class NoSuchOperation(ModelError, AttributeError):
    """An object has no operation of this name: misspelt, or of the standard library and not here."""


class OptionError(SimcoreError):
    """An option is unknown, malformed, or unsound together with another one."""


class MissingExtra(OptionError, ModuleNotFoundError):
    """What is asked for needs a package that is not installed.

    It is an import error as well, so that ``except ImportError`` and ``pytest.importorskip`` mean it, too.

    Attributes
    ----------
    name : str
        The package.
    """

    def __init__(self, extra: str, wanted_by: str, package: str) -> None:
        told = f"{wanted_by} needs {package}, which is not installed: pip install 'simcore[{extra}]'"
        super().__init__(told, name=package)


@contextmanager
def extra(name: str, wanted_by: str) -> Iterator[None]:
    """Import, inside of it, packages of the extra ``name``; one that is not there is told as `MissingExtra`.

    One that is there and broken is not taken for missing: its error says what is wrong with it, and somebody who
    has installed it wants to know. So this asks for the package's own name; what it misses itself has another.
    """
    try:
        yield
    except ModuleNotFoundError as error:
        if error.name not in EXTRAS[name] or isinstance(error, MissingExtra):
            raise
        raise MissingExtra(name, wanted_by, error.name) from None


class ScheduleError(SimcoreError):
    """A schedule or a token cannot be read, or does not belong to this model."""


class Diverged(ScheduleError):
    """A schedule asks for a step that the model does not offer.

    Attributes
    ----------
    index : int
        Position of the first differing step, counted from 0.
    enabled : tuple of str
        What could have happened there instead.
    """

    def __init__(self, index: int, wanted: str, enabled: Sequence[str]) -> None:
        self.index = index
        self.wanted = wanted
        self.enabled = tuple(enabled)
        offered = "; ".join(self.enabled) if self.enabled else "nothing"
        super().__init__(f"step {index + 1} of the schedule, {wanted}, is not enabled. Enabled here: {offered}")


def recorded_on_another(function: str) -> str:
    """Return what is said of a schedule that is not of ``function`` as it is now."""
    return f"recorded on another version of {function}, or where a set of texts had another order (PYTHONHASHSEED)"


class NotUnderControl(SimcoreError):
    """A run of the user's code waits for what cannot be scheduled, or is another one when it is run again."""


class InternalError(SimcoreError):
    """An invariant of simcore itself is broken."""

    def __init__(self, message: str) -> None:
        super().__init__(f"[simcore internal bug] {message}")


def place_of(error: BaseException) -> str:
    """Return where in the user's code ``error`` came up, as "file:line in function"; empty when it was not there.

    That is the innermost frame outside simcore, and outside what is installed where there is one.
    """
    at = _own_frame(error)
    return "" if at is None else f"{Path(at.filename).name}:{at.lineno} in {at.name}"


def line_of(error: BaseException) -> str:
    """Return the same place as "file:line" alone."""
    return place_of(error).partition(" in ")[0]


def _own_frame(error: BaseException) -> traceback.FrameSummary | None:
    generated = ("<string>", "__init__")  # of a dataclass of ours
    frames = [at for at in traceback.extract_tb(error.__traceback__) if (at.filename, at.name) != generated]
    outside = [at for at in frames if not (is_ours(at.filename) or at.filename.startswith("<frozen "))]
    own = [at for at in outside if not (is_standard(at.filename) or is_installed(at.filename))] or outside
    return own[-1] if own else None
