"""An exception as a value: two are equal if nobody who catches them could tell one from the other but by ``is``.

A process raises an exception object, and whoever waits for it gets one that is like it: of its type, with its
arguments, attributes (slots and notes included), cause and context. Not with its traceback, which is of a run.

It is taken apart and put together below the classes that Python code has written, because their ``__init__`` may take
other arguments than it keeps, as `pickle` finds out too late: the first built-in class among its bases tells what it
consists of (``__reduce__``) and is asked to make it (``__new__``, ``__init__``), and attributes are set afterwards.

A fresh one is built for every raise. In CPython two who wait for the same future get the same object, so one could
write a note on it that the other one reads; processes share nothing but objects of the model, so here they do not.
What is mutable in an exception is refused where it is handed over, as in every other argument of an operation.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

_HEAP_TYPE = 1 << 9  # in the flags of a type: a class that was made by code, not built in
_NOTES = "__notes__"


@dataclass(frozen=True, slots=True)
class Raised:
    """An exception, to be raised in a process.

    Attributes
    ----------
    attributes : tuple of (str, object)
        What it has besides its arguments, by name.
    cause, context : Raised, optional
        What it was raised from, and what was being handled.
    suppressed : bool
        Whether the context is not shown: ``raise ... from None``.
    """

    type: type[BaseException]
    args: tuple[Any, ...] = ()
    attributes: tuple[tuple[str, Any], ...] = ()
    cause: Raised | None = None
    context: Raised | None = None
    suppressed: bool = False

    @classmethod
    def of(cls, exception: BaseException) -> Raised:
        """Keep everything of an exception but its traceback."""
        kind = type(exception)
        _, args, *state = built_in(kind).__reduce__(exception)
        return cls(
            kind,
            tuple(map(_kept, args)),
            tuple(sorted(_attributes(exception, state[0] if state else None).items())),
            _kept(exception.__cause__),
            _kept(exception.__context__),
            exception.__suppress_context__,
        )

    def build(self) -> BaseException:
        """Return a new exception like the one that was kept."""
        base = built_in(self.type)
        args = tuple(map(_given, self.args))
        error: BaseException = base.__new__(self.type, *args)
        base.__init__(error, *args)
        for name, value in self.attributes:
            _set(error, name, list(value) if name == _NOTES else _given(value))
        error.__cause__, error.__context__ = _given(self.cause), _given(self.context)
        error.__suppress_context__ = self.suppressed
        return error

    def __str__(self) -> str:
        inside = ", ".join(map(str, self.args))
        return f"{self.type.__name__}: {inside}" if inside else self.type.__name__


def built_in(kind: type[BaseException]) -> Any:
    """Return the first base of an exception type that is built in."""
    return next(base for base in kind.__mro__ if not base.__flags__ & _HEAP_TYPE)


def _attributes(exception: BaseException, state: dict[str, Any] | None) -> dict[str, Any]:
    found = {name: _kept(value) for name, value in (state or {}).items()}
    for kind in type(exception).__mro__:
        slots = getattr(kind, "__slots__", ())
        for name in (slots,) if isinstance(slots, str) else slots:
            if hasattr(exception, name):
                found[name] = _kept(getattr(exception, name))
    if _NOTES in found:
        found[_NOTES] = tuple(found[_NOTES])
    return found


def _set(error: BaseException, name: str, value: Any) -> None:
    try:
        setattr(error, name, value)
    except AttributeError:  # a property of its class hides it
        error.__dict__[name] = value


def _kept(thing: Any) -> Any:
    """Keep exceptions inside another one, as those of a group are, as values too."""
    if isinstance(thing, BaseException):
        return Raised.of(thing)
    if isinstance(thing, list | tuple) and thing and all(isinstance(each, BaseException) for each in thing):
        return tuple(map(Raised.of, thing))
    return thing


def _given(thing: Any) -> Any:
    if isinstance(thing, Raised):
        return thing.build()
    if type(thing) is tuple and thing and all(isinstance(each, Raised) for each in thing):
        return tuple(each.build() for each in thing)
    return thing
