"""What compiled functions may be given, said by annotations, and how it is laid out in the words of a frame.

What is compiled is plain Python: `compiled` only marks it, and nothing here knows who compiles.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, cached_property
from typing import Annotated, Any, NamedTuple, TypeVar, get_type_hints

from simcore.errors import InternalError

F = TypeVar("F", bound=Callable[..., Any])


class Kind(NamedTuple):
    """An array's elements, as numpy calls their type, and its dimensions."""

    code: str
    dimensions: int = 1


Array = Any
"""A numpy array."""

Bits = Annotated[Array, Kind("b1")]
Bytes = Annotated[Array, Kind("u1")]
Words = Annotated[Array, Kind("u8")]
WordRows = Annotated[Array, Kind("u8", 2)]
Ints = Annotated[Array, Kind("i8")]
IntRows = Annotated[Array, Kind("i8", 2)]
IntRows32 = Annotated[Array, Kind("i4", 2)]
Ints32 = Annotated[Array, Kind("i4")]
Ints16 = Annotated[Array, Kind("i2")]
Words32 = Annotated[Array, Kind("u4")]
Words16 = Annotated[Array, Kind("u2")]
Word = Annotated[Any, Kind("u8", 0)]
"""One number without a sign."""

marked: set[Any] = set()
"""What is compiled, but not called by Python."""


def compiled(function: F) -> F:
    """Mark what compiled functions call. In Python it stays what it is."""
    marked.add(function)
    return function


class Struct:
    """Arrays and numbers that are given together; a frozen dataclass, with annotations as a called function has.

    When one of its arrays gets another size or place, there has to be another one of it.
    """

    @cached_property
    def frame(self) -> list[int]:
        """Its part of a frame."""
        fields: Any = type(self)
        return [word for name, kind in kinds(fields).items() for word in words(getattr(self, name), kind)]


@cache
def kinds(annotated: Any) -> dict[str, Any]:
    """Return what is said to be the kind of each field or parameter: `Kind`, a class of `Struct`, or int."""
    hints = get_type_hints(annotated, include_extras=True)
    hints.pop("return", None)
    return {name: getattr(hint, "__metadata__", (hint,))[0] for name, hint in hints.items()}


def words(value: Any, kind: Any) -> list[int]:
    """Return what stands for ``value`` in a frame."""
    if not isinstance(kind, Kind):
        return value.frame if isinstance(value, Struct) else [int(value)]
    if not kind.dimensions:
        bits = int(value) & (1 << 64) - 1
        return [bits - (bits >> 63 << 64)]  # the same bits, with a sign
    about = value.__array_interface__
    if about["typestr"][1:] != kind.code or len(about["shape"]) != kind.dimensions or about["strides"]:
        raise InternalError(f"an array {about} was given for one of {kind}")
    return [about["data"][0], *about["shape"]]
