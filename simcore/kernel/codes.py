"""What a code names, read from its instructions once: globals, imports, and questions that show too much.

Most of what a process can see it sees by name, so what is reachable from it can be known before it runs. Three kinds of
code see more, and are told by the names that they use:

* *dynamic*: ``globals()``, ``exec``, ``sys.modules`` and the like reach everything in a module, by any name;
* *tracebacks*: whoever asks an exception where it was raised tells two equal ones apart;
* *identities*: ``is`` between two values, or ``id``, tells two equal numbers, texts or tuples apart. Where one side is
  a constant such as None, or a name for something that is no such value (a sentinel, a class, a member of an enum),
  it does not.
"""

from __future__ import annotations

import dis
import inspect
import types
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any, NamedTuple

DYNAMIC = frozenset(("globals", "exec", "eval", "__import__", "import_module", "modules", "__globals__", "f_globals"))
TRACEBACKS = frozenset(("__traceback__", "exc_info", "traceback", "format_exc", "tb_frame", "tb_next"))
CACHES = frozenset(("cache_info", "cache_clear"))
_IDENTITIES = frozenset(("id", "is_", "is_not"))
_SETS = "__setattr__"
_BUILDS = ("__init__", "__new__", "__post_init__", "__setstate__", "__setattr__", "__delattr__")
VALUES = (str, int, float, complex, bytes, tuple, frozenset)
"""What code compares by value, and `is` can tell apart all the same."""


class Names(NamedTuple):
    """What a code names, with the functions that are written inside it."""

    globals: tuple[str, ...]
    attributes: tuple[str, ...]
    """Whatever else it names, and texts that may be names: attributes, mostly."""
    imports: tuple[str, ...]
    asks: tuple[tuple[str, ...], ...]
    """What is on one side of an ``is`` where a name tells: a name and attributes; () where nothing does."""

    @property
    def everything(self) -> frozenset[str]:
        """All names."""
        return frozenset(self.globals + self.attributes)


_NAMING = {number for name, number in dis.opmap.items() if name.endswith(("_GLOBAL", "_GLOBALS", "LOAD_NAME"))}
_GLOBAL, _IMPORT, _IS = dis.opmap["LOAD_GLOBAL"], dis.opmap["IMPORT_NAME"], dis.opmap["IS_OP"]


class Scope:
    """What names stand for in a function: the innermost of some mappings that has a name says it.

    As `collections.ChainMap`, which takes some ten times as long to be asked; every name of a program is asked for.
    """

    __slots__ = ("_mappings",)

    def __init__(self, *mappings: Mapping[str, Any]) -> None:
        self._mappings = mappings

    def get(self, name: str, otherwise: Any = None) -> Any:
        """Return what ``name`` stands for; ``otherwise`` when nothing is known of it."""
        for mapping in self._mappings:
            if name in mapping:
                return mapping[name]
        return otherwise


@cache
def named_in(code: types.CodeType) -> Names:
    """Return what ``code`` and the functions written inside it name."""
    named: set[str] = set()
    imports: set[str] = set()
    asks: set[tuple[str, ...]] = set()
    attributes = set(code.co_names)
    for inner in code.co_consts:
        if isinstance(inner, str) and inner.isidentifier():
            attributes.add(inner)
        elif isinstance(inner, types.CodeType):
            more = named_in(inner)
            named.update(more.globals)
            attributes.update(more.attributes)
            imports.update(more.imports)
            asks.update(more.asks)
    compares = False
    for instruction, argument in _instructions(code):
        if instruction in _NAMING:
            named.add(code.co_names[argument >> (instruction == _GLOBAL)])  # its lowest bit says "to call"
        elif instruction == _IMPORT:
            imports.add(code.co_names[argument])
        compares = compares or instruction == _IS
    if compares and not _written_by_dataclass(code):
        asks.update(_asks(code))
    if _asks_by_name(code, named):
        asks.add(())
    return Names(tuple(sorted(named)), tuple(sorted(attributes)), tuple(sorted(imports)), tuple(sorted(asks)))


def _instructions(code: types.CodeType) -> Iterator[tuple[int, int]]:
    """Yield instruction and argument as `dis` does, in a tenth of the time."""
    argument = 0
    for instruction, byte in zip(code.co_code[::2], code.co_code[1::2], strict=True):
        argument = argument << 8 | byte
        yield instruction, argument
        if instruction != dis.EXTENDED_ARG:
            argument = 0


def _written_by_dataclass(code: types.CodeType) -> bool:
    """Tell whether it is an ``__eq__`` that begins with ``self is other``, and then compares by value."""
    return code.co_filename == "<string>" and code.co_qualname.startswith("__create_fn__")


def _asks_by_name(code: types.CodeType, named: set[str]) -> bool:
    attributes = set(code.co_names)
    return (
        "id" in named
        or not _IDENTITIES.isdisjoint(attributes - {"id"})
        or (_SETS in attributes and code.co_name not in _BUILDS)
    )


def _asks(code: types.CodeType) -> Iterator[tuple[str, ...]]:
    """Yield what stands on one side of each ``is``: nothing is asked where that is a constant."""
    before: list[dis.Instruction] = []
    for instruction in dis.get_instructions(code):
        if instruction.opname == "IS_OP":
            right = _loaded(before)
            left = None if right is None else _loaded(before[: -len(right)])
            sides = [names for names in (right, left) if names is not None]
            if not any("CONST" in names[0].opname or names[-1].argval == "__class__" for names in sides):
                known = [names for names in sides if names[0].opname in ("LOAD_GLOBAL", "LOAD_DEREF", "LOAD_NAME")]
                yield tuple(str(each.argval) for each in known[0]) if known else ()
        before.append(instruction)


def _loaded(before: list[dis.Instruction]) -> list[dis.Instruction] | None:
    """Return the instructions that load a name and attributes of it, the last ones; None where it is more than that."""
    for number in range(len(before) - 1, -1, -1):
        name = before[number].opname
        if name not in ("LOAD_ATTR", "LOAD_METHOD"):
            return before[number:] if name.startswith("LOAD_") else None
    return None


def stands_for_a_value(names: tuple[str, ...], scope: Scope) -> bool:
    """Tell whether names may stand for a number, a text or a tuple, as far as can be seen without running code."""
    missing = object()
    thing = scope.get(names[0], missing) if names else missing
    for attribute in names[1:]:
        thing = inspect.getattr_static(thing, attribute, missing)
        if isinstance(thing, property | types.GetSetDescriptorType | types.MemberDescriptorType):
            return True
    return thing is missing or isinstance(thing, VALUES)
