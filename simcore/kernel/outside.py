"""What a process can reach outside its own frame is watched, and a step that changes any of it is an error.

A program point is all that tells what a process will do next, so whatever else a process can ask must be the same
whenever it asks. There is far more of that than a point could hold: attributes of classes and modules, defaults of
methods, members of enums, singletons, the list behind ``push = stack.append``. To put it into the point would be wrong
besides: two processes share it, and it would be shared behind the kernel's back. So it is not compared, it is *held
still*. Before the first step all that is reachable from the functions and arguments of the processes is noted, and
after each step that is learned, once for each point and result, all of it must still be there as it was: the same
objects, by identity, in the same places. Then it need not be part of any point. What did change is named, with the
process, and everybody may go on reading whatever they like.

Reachable is what can be followed from the code: the globals and modules that it names, functions, their defaults,
closures and attributes, classes with all that is in them, instances, containers, iterators, and what bound methods are
bound to. A change of what is reachable is a change of something that was reachable, so to look at each thing alone is
enough. To keep this bounded, of the standard library and of installed packages only that is watched which the code
names itself: ``os.environ``, the seed behind ``random.random``, an attribute that it sets in ``sys``. Everything else
they keep (caches of patterns, of loggers, of paths) cannot be told apart by what a process does, or is not noticed.

To remember what was computed is no change as long as nobody can tell: ``lru_cache`` and ``cached_property`` may take up
results that are immutable, unless the code asks how full the cache is.

What this does not see is caught by the second run of each step (`process.py`) if it makes a difference there, and else
not at all: state inside an extension module, files, the network, other processes of the machine, what packages and the
standard library keep for themselves, what is reached by a computed name in a module that the code does not name, and
the seed of the hashes of texts, which is the same as long as the interpreter runs.
"""

from __future__ import annotations

import sys
import types
from collections import deque
from collections.abc import Hashable, Iterable, Iterator
from typing import Any

from simcore.errors import SimcoreError
from simcore.kernel.codes import CACHES, DYNAMIC, TRACEBACKS, Names, Scope, named_in, stands_for_a_value
from simcore.kernel.freeze import Freezer, Held, Unfreezable
from simcore.kernel.generators import contents
from simcore.kernel.instances import installed, ours, resolved
from simcore.kernel.looks import Columns, Look, Named, Part, all_of_module, look_of
from simcore.model import Index
from simcore.model.operations import SharedObject


class Outside:
    """What the processes of one model can reach, as it was before their first step.

    Attributes
    ----------
    exact : bool
        Whether code asks if two values are one object.
    tracebacks : bool
        Whether code asks where an exception was raised.
    passed : dict
        Keys of operations, and what they mention, by `identity`.
    """

    def __init__(self) -> None:
        self.exact = self.tracebacks = self._counts = False
        self._met: dict[int, Any] = {}
        self._looks: list[Look] = []
        self._alone: list[Look] = []
        self._columns = Columns()
        self._held: dict[int, Any] = {}
        self._named: dict[int, Named] = {}
        self._whole: dict[int, dict[str, Any]] = {}
        self._codes: dict[tuple[types.CodeType, int], Held | None] = {}
        self._keys: dict[int, Held | None] = {}
        self._packages: set[str] = set()
        self.passed: dict[Hashable, tuple[Hashable, frozenset[SharedObject]]] = {}

    # ---- for whoever freezes -------------------------------------------------------------------------

    def held(self, thing: Any) -> Held | None:
        """Return what stands for something that was there before any process ran, and is watched with all in it."""
        if id(thing) not in self._held:
            return None
        if id(thing) not in self._keys:
            freezer = Freezer()
            try:
                self._keys[id(thing)] = Held(freezer.freeze(thing), freezer)
            except (Unfreezable, SimcoreError):
                self._keys[id(thing)] = None
        return self._keys[id(thing)]

    def named(self, code: types.CodeType, scope: dict[str, Any]) -> Held | None:
        """Return what stands for the globals that ``code`` names; None if they are not watched."""
        key = (code, id(scope))
        if key not in self._codes:
            return None
        known = self._codes[key]
        if known is None:
            freezer = Freezer()
            known = self._codes[key] = Held(freezer.named(code, scope), freezer)
        return known

    def identity(self, thing: Any) -> Hashable | None:
        """Return what ``thing`` is by the identity of its parts; None where one of them may change, or be another.

        What is held is watched, so whatever else is known of it stays true.
        """
        kind = type(thing)
        if kind is tuple:
            parts = [self.identity(part) for part in thing]
            return None if None in parts else (tuple, *parts)
        if kind in (str, int, bytes, bool, type(None)):
            return (kind, thing)
        if isinstance(thing, SharedObject | Index):
            return (kind, thing)
        return ("held", id(thing)) if id(thing) in self._held else None

    # ---- what is watched -----------------------------------------------------------------------------

    def add(self, *roots: Any, held: bool = True) -> None:
        """Watch all that can be reached from ``roots``, as it is now.

        Parameters
        ----------
        held : bool
            Whether it is the same in every run; what a process has made is watched, and not held.
        """
        self._packages.update(_packages(roots))
        todo = deque(Part(root, "an argument") for root in roots)
        while todo:
            part = todo.popleft()
            if id(part.thing) not in self._met:
                self._met[id(part.thing)] = part.thing
                todo.extend(self._opened(part, held))

    def _opened(self, part: Part, held: bool) -> Iterable[Part]:
        """Watch one thing; return the parts of it that are to be watched, too."""
        thing = part.thing
        if isinstance(thing, types.FunctionType):
            return self._function(thing, part.path, held)
        if isinstance(thing, types.ModuleType):
            return self._module(thing) if self._is_a_users(thing.__name__) else ()
        if isinstance(thing, type) and not self._is_a_users(thing.__module__):
            return ()
        look = look_of(thing, part.path)
        return () if look is None else self._watch(look, held)

    def _watch(self, look: Look, held: bool = False) -> Iterable[Part]:
        if look.watched:
            self._look_at(look)
            if held:
                self._held[id(look.thing)] = look.thing
        return look.inside()

    def _look_at(self, look: Look) -> None:
        self._looks.append(look)
        if not self._columns.take(look):
            self._alone.append(look)

    def _is_a_users(self, module: Any) -> bool:
        name = str(module)
        return not ours(name) and (name.partition(".")[0] in self._packages or not installed(name))

    def _module(self, module: types.ModuleType) -> Iterable[Part]:
        return self._names(vars(module), module.__name__, None)

    def _names(self, scope: dict[str, Any], module: str, names: tuple[str, ...] | None) -> Iterable[Part]:
        """Watch what names stand for in a module; all of them, where that is None."""
        if id(scope) in self._whole:
            return ()
        if names is None:
            self._whole[id(scope)] = scope
            return self._watch(all_of_module(scope, module))
        if id(scope) not in self._named:
            self._named[id(scope)] = Named(scope, module)
            self._look_at(self._named[id(scope)])
        return list(self._named[id(scope)].also(names))

    def _function(self, fn: types.FunctionType, path: str, held: bool) -> Iterator[Part]:
        cells = dict(zip(fn.__code__.co_freevars, fn.__closure__ or (), strict=True))
        if not self._is_a_users(fn.__globals__.get("__name__")):  # a decorator, say, around a function of the user's
            inside = (contents(cell) for cell in cells.values())
            yield from (Part(each, path) for each in inside if type(each).__module__ != "weakref")
            return
        look = look_of(fn, path)
        assert look is not None
        outer = fn.__qualname__.removesuffix(f".<locals>.{fn.__name__}")
        for name, cell in cells.items():
            yield Part(cell, f"{name}, a variable of {outer},")
        yield from self._watch(look, held)
        yield from self._code(fn, {name: contents(cell) for name, cell in cells.items()}, held)

    def _code(self, fn: types.FunctionType, cells: dict[str, Any], held: bool) -> Iterator[Part]:
        """Watch what a function names."""
        scope, named = fn.__globals__, named_in(fn.__code__)
        self.exact |= any(stands_for_a_value(ask, Scope(cells, scope)) for ask in named.asks)
        self.tracebacks |= not named.everything.isdisjoint(TRACEBACKS)
        self._counts |= not named.everything.isdisjoint(CACHES)
        dynamic = not named.everything.isdisjoint(DYNAMIC)
        yield from self._names(scope, scope.get("__name__") or "globals", None if dynamic else named.globals)
        modules = [sys.modules.get(name) for name in named.imports]
        modules += [resolved(scope.get(name)) for name in named.globals] + list(cells.values())
        for each in modules:
            if isinstance(each, types.ModuleType):
                yield from self._of(each, named)
        if held:
            self._know(fn.__code__, scope)

    def _of(self, module: types.ModuleType, named: Names) -> Iterable[Part]:
        """Watch a module that is named: of one that is nobody's own, what is named of it."""
        if self._is_a_users(module.__name__):
            return self._module(module)
        parts = self._names(vars(module), module.__name__, named.attributes)
        return [part for part in parts if part.thing is not sys.modules]

    def _know(self, code: types.CodeType, scope: dict[str, Any]) -> None:
        if (code, id(scope)) not in self._codes:
            self._codes[code, id(scope)] = None
            for inner in code.co_consts:
                if isinstance(inner, types.CodeType):
                    self._know(inner, scope)

    # ---- what has changed ----------------------------------------------------------------------------

    def changed(self) -> str | None:
        """Return the name of something that has changed; None if everything is as it was."""
        for look in self._alone if self._columns.are_as_they_were() else self._looks:
            if not look.is_as_it_was():
                name = look.difference() or (look.path if self._counts and look.remembers else None)
                if name is not None:
                    return name
                look.note()
        return None


def _packages(roots: Iterable[Any]) -> Iterator[str]:
    """Yield the packages that the functions among ``roots`` are in: what is installed there is watched, too."""
    for root in roots:
        for thing in root if isinstance(root, tuple) else (root,):
            fn = getattr(thing, "__func__", thing)
            if isinstance(fn, types.FunctionType):
                yield str(fn.__globals__.get("__name__")).partition(".")[0]
