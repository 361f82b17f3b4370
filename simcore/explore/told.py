"""What a function does is told in the same words in every process: its code, and all that the code names.

Two texts are equal exactly if nothing that is read through a function has changed: its instructions and constants, its
defaults, what its closure holds, the globals that it names, and the functions, classes and values among these, in turn.
A thing that was told already is told by its number. Of the standard library and of simcore names are enough: the
version of either is told elsewhere. Of what only C can see inside, and pickle does not take apart, the type is told.
"""

from __future__ import annotations

import enum
import hashlib
import types
from collections.abc import Iterable, Iterator
from functools import partial
from typing import Any

from simcore.kernel.codes import Names, named_in
from simcore.kernel.freeze import contents
from simcore.kernel.instances import attributes_of, content_of, in_member, members, ours, value_of
from simcore.model import Index, Model, Process
from simcore.model.operations import SharedObject

_PLAIN = (str, bytes, int, float, complex, bool, type(None), type(...), range)
_NOT_SHARED = (tuple, frozenset, types.CodeType)  # which of them are one is not the same when code is read from a file
_NOT_TOLD = ("__module__", "__doc__", "__dict__", "__weakref__", "__annotations__", "__slotnames__", "__firstlineno__")


class Teller:
    """Tells things; functions once each, since what a process can reach does not change."""

    def __init__(self) -> None:
        self._known: dict[int, tuple[Any, str]] = {}

    def told(self, thing: Any) -> str:
        """Return the text of a value; of a function in it, a digest."""
        if type(thing) is tuple:
            return f"({', '.join(map(self.told, thing))})"
        if isinstance(thing, _PLAIN):
            return repr(thing)
        if not isinstance(thing, types.FunctionType):
            return "".join(_Telling().words(thing))
        if id(thing) not in self._known:
            digest = hashlib.sha256()
            for word in _Telling().words(thing):
                digest.update(word.encode(errors="surrogatepass"))
            self._known[id(thing)] = thing, digest.hexdigest()
        return self._known[id(thing)][1]


class _Telling:
    """One walk."""

    def __init__(self) -> None:
        self._seen: dict[int, int] = {}
        self._kept: list[Any] = []

    def words(self, thing: Any) -> Iterator[str]:
        """Yield the text of ``thing``."""
        if type(thing) in _PLAIN:
            yield f"{thing!r} "
        elif id(thing) in self._seen:
            yield f"again {self._seen[id(thing)]} "
        else:
            if not isinstance(thing, _NOT_SHARED):
                self._seen[id(thing)] = len(self._seen)
                self._kept.append(thing)
            kind = type(thing)
            yield f"{kind.__module__}.{kind.__qualname__}("
            for part in self._parts(thing):
                yield from self.words(part)
            yield ") "

    def _parts(self, thing: Any) -> Iterable[Any]:
        if isinstance(thing, types.FunctionType):
            return self._of_function(thing)
        if isinstance(thing, types.CodeType):
            return thing.co_code, thing.co_names, thing.co_varnames, thing.co_consts
        if isinstance(thing, types.MethodType):
            return thing.__func__, thing.__self__
        if isinstance(thing, partial):
            return thing.func, thing.args, thing.keywords
        if isinstance(thing, staticmethod | classmethod):
            return (thing.__func__,)
        if isinstance(thing, property):
            return thing.fget, thing.fset
        if isinstance(thing, types.CellType):
            return (contents(thing),)
        if isinstance(thing, type):
            return self._of_class(thing)
        if isinstance(thing, SharedObject | Process | Index | Model | types.ModuleType | enum.Enum):
            return (str(getattr(thing, "name", None) or getattr(thing, "__name__", thing)),)
        return self._of_instance(thing)

    def _of_function(self, fn: types.FunctionType) -> Iterator[Any]:
        yield fn.__module__
        yield fn.__qualname__
        if ours(fn.__globals__.get("__name__")):
            yield from map(contents, fn.__closure__ or ())  # of a decorator, say
            return
        yield from (fn.__code__, fn.__defaults__, fn.__kwdefaults__, fn.__dict__)
        yield from map(contents, fn.__closure__ or ())
        named = named_in(fn.__code__)
        for name in named.globals:
            yield name
            if name in fn.__globals__:
                yield from self._named(fn.__globals__[name], named)

    def _named(self, thing: Any, named: Names) -> Iterator[Any]:
        """Yield what a global stands for; of a module of the user's, what the code may name of it."""
        yield thing
        if isinstance(thing, types.ModuleType) and not ours(thing.__name__):
            yield from (vars(thing)[name] for name in named.attributes if name in vars(thing))

    def _of_class(self, kind: type) -> Iterator[Any]:
        yield f"{kind.__module__}.{kind.__qualname__}"
        if not ours(kind.__module__):
            yield kind.__bases__
            for name, value in vars(kind).items():
                if name not in _NOT_TOLD and not isinstance(value, types.MemberDescriptorType):
                    yield name
                    yield value

    def _of_instance(self, thing: Any) -> Iterator[Any]:
        kind: Any = type(thing)
        yield kind
        yield from value_of(thing)
        yield attributes_of(thing)
        for member in members(kind):
            yield from in_member(thing, member)
        content = content_of(thing)
        if content is None:
            yield from _as_pickle_would(thing)
        elif isinstance(thing, set | frozenset):
            yield sorted("".join(_Telling().words(item)) for item in content)
        else:
            yield from content


def _as_pickle_would(thing: Any) -> Iterator[Any]:
    try:
        taken_apart = thing.__reduce_ex__(4)
    except Exception:
        return
    yield from taken_apart[1:3] if isinstance(taken_apart, tuple) else (taken_apart,)
