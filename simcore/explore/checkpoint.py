"""A long search is kept on disk now and then, and goes on from there after it was killed, as if nothing had happened.

A space is arrays of integers, and is kept as it is: a zip file has the bytes of each, and a header in JSON says what
they are. Python alone reads and writes that. What the plain loop has written it goes on from; what the
compiled loop has written is in its own order, and only that loop does.

What the integers stand for (values, program points with their generators, closures) cannot be written down. So the file
has, beside the arrays, all lessons of the kernel in order (`journal.py`). They are taught to a new kernel, which gives
out the same integers again, and to a new symmetry, whose choice of representatives depends on the order in which it
has met things, too. After each lesson as much must be known as was known then, and at the end the processes must run
the same code and be about to do the same, and the values must be the same; if not, the model is another one, and that
is said. So it is of the properties: their predicates, and all that these name, must be what they were (`told.py`).

What follows from these (tables of the compiled loop, footprints, caches) is found again when it is needed.

The file is written beside itself, flushed to disk and renamed, so there is always a whole one.
"""

from __future__ import annotations

import hashlib
import json
import os
import platform
import time
import zipfile
from array import array
from collections.abc import Iterable, Iterator
from contextlib import suppress
from importlib.metadata import version
from itertools import chain, islice
from pathlib import Path
from typing import Any

from simcore.errors import OptionError, extra
from simcore.explore.exploration import Attempt, Exploration
from simcore.explore.reduction import NotSymmetric, Symmetry
from simcore.explore.search import Search
from simcore.explore.space import Space
from simcore.explore.told import Teller
from simcore.kernel import Journal, Kernel, Program
from simcore.model import Property, Verdict, Watched

Arrays = dict[str, Any]
"""Rows of integers by their names: to write, whatever lends its memory; when read, arrays of the standard library."""

_SHARE = 10  # writing takes at most about one part in so many of the time
_HEADER = "header.json"
_GRAPH = ("starts", "targets", "processes", "outcomes")


class Checkpoint:
    """Keeps a search in a file.

    Parameters
    ----------
    path : path
        The file; it need not exist.
    every : float
        Seconds between two times that it is written; more when writing takes long.
    kernel : Kernel
        Of the search, and new.
    attempt : Attempt
        How it is made; what the file says of that is written into it.
    about : dict
        What must be the same for a search that goes on: options, by their names.

    Raises
    ------
    OptionError
        When the file is no checkpoint, or of something else, or cannot be written.
    """

    def __init__(self, path: Path, every: float, kernel: Kernel, attempt: Attempt, about: dict[str, Any]) -> None:
        if not every >= 0:
            raise OptionError(f"`checkpoint_every={every}`: use 0 or more seconds")
        if path.is_dir() or not os.access(path.parent, os.W_OK):
            raise OptionError(f"checkpoint {path}: cannot be written; name a file in a folder that exists")
        self.path, self.kernel, self.attempt = path, kernel, attempt
        self._part = path.with_name(path.name + ".part")
        self.resumed_at = 0
        """States that had been met when the file was written."""
        self._every = every
        self._about = {
            "simcore": version("simcore"),
            "Python": platform.python_version(),
            "model": str(kernel.model.origin or kernel.model.name),
            **about,
        }
        self._journal = Journal(self._known)
        self._teller = Teller()
        self._locals, self._values = (0, hashlib.sha256()), (0, hashlib.sha256())
        self._programs: dict[Program, str] = {}
        self._reduction: Symmetry | None = None
        self._saved: tuple[dict[str, Any], Arrays] | None = None
        if path.exists():
            self._read()
        kernel.journal = self._journal
        self._next = time.monotonic() + every

    def _known(self) -> tuple[int, ...]:
        kernel = self.kernel
        return len(kernel.locals), len(kernel.values), len(kernel.effects), kernel.futures

    def symmetry(self) -> Symmetry:
        """Return the reduction of the next search; after a resumption the one that it had."""
        reduction, self._reduction = self._reduction, None
        if reduction is not None:
            return reduction
        args = (self.attempt.symmetry, dict(self.attempt.apart))
        return self._journal.note("symmetry", args, lambda: Symmetry(self.kernel, *args))  # type: ignore[no-any-return]

    # ---- writing ---------------------------------------------------------------------------------------

    def keep(self, search: Search) -> None:
        """Write the file, if it is time to."""
        if time.monotonic() >= self._next:
            self.write(search)

    def write(self, search: Search) -> None:
        """Write the file; no state may be half expanded."""
        began = time.monotonic()
        header = {
            "about": self._about,
            "attempt": self._attempt(),
            "lessons": self._journal.lessons,
            "texts": self._digest(),
            "search": _of_search(search),
            "states": len(search.space.states),
        }
        arrays = _of_space(search) if isinstance(search.space, Space) else search.space.saved()
        self._replace_by(header, arrays)
        now = time.monotonic()
        self._next = now + max(self._every, (_SHARE - 1) * (now - began))

    def _replace_by(self, header: dict[str, Any], arrays: Arrays) -> None:
        try:
            with self._part.open("wb") as file:
                _pack(file, header, arrays)
                file.flush()
                os.fsync(file.fileno())
            self._part.replace(self.path)
        except OSError as error:
            raise OptionError(f"checkpoint {self.path}: cannot be written: {error.strerror}") from error
        finally:
            self._part.unlink(missing_ok=True)

    def _attempt(self) -> dict[str, Any]:
        attempt, watched = self.attempt, self.attempt.watched
        told = {"symmetry": attempt.symmetry, "quick": attempt.quick, "apart": attempt.apart, "notes": attempt.notes}
        if watched is None:
            return {**told, "watched": None}
        objects, processes = (sorted(thing.index for thing in some) for some in (watched.objects, watched.processes))
        return {**told, "watched": [objects, processes, watched.futures, watched.everything]}

    def _digest(self) -> str:
        """Return a digest of what every program point is about to do, and where, of the programs and of all values."""
        kernel, (told, texts) = self.kernel, self._locals
        for number in range(told, len(kernel.locals)):
            operation, point = kernel.about(number), kernel.locals[number].point
            if operation is not None:
                args = self._teller.told(operation.args)
                texts.update(f"{operation.target.name}.{operation.name} {args} {operation.timeout}\n".encode())
            if point is not None:
                program = self._programs.get(point.program)
                if program is None:
                    program = self._teller.told((point.program.fn, point.program.args))
                    self._programs[point.program] = program
                texts.update(f"{point.where} {program}\n".encode())
        self._locals = len(kernel.locals), texts
        told, values = self._values
        for value in kernel.values[told:]:
            values.update(f"{self._teller.told(value)}\n".encode(errors="surrogatepass"))
        self._values = len(kernel.values), values
        return f"{texts.hexdigest()} {values.hexdigest()}"

    def ended(self, verdict: Verdict) -> list[str]:
        """Remove the file, if it is not needed any more; return what a report should say."""
        resumed = [f"resumed at {self.resumed_at:,} states"] if self.resumed_at else []
        self._part.unlink(missing_ok=True)  # a kill while it was written has left it
        if verdict is not Verdict.UNDETERMINED:
            self.path.unlink(missing_ok=True)
        elif self.path.exists():
            return [*resumed, f"checkpoint {self.path}: explore again with a larger limit to go on from there"]
        return resumed

    # ---- reading ---------------------------------------------------------------------------------------

    def _read(self) -> None:
        try:
            header, arrays = _unpacked(self.path)
            about = header["about"]
        except (OSError, ValueError, KeyError, TypeError, EOFError, zipfile.BadZipFile):
            raise OptionError(
                f"checkpoint {self.path}: no checkpoint, or damaged; name another file, or remove it to begin anew"
            ) from None
        for name, now in self._about.items():
            if about.get(name) != json.loads(json.dumps(now)):
                then = about.get(name)
                told = f"written with {name} {then!r}, not {now!r}; explore as before, or remove it"
                raise OptionError(f"checkpoint {self.path}: {told}")
        self._teach(header)
        self._restore_attempt(header["attempt"])
        self.resumed_at = header["states"]
        self._saved = header["search"], arrays

    def _teach(self, header: dict[str, Any]) -> None:
        hint = " (it has changed, or has sets of texts: start all with PYTHONHASHSEED=0?); remove it to begin anew"
        other = f"checkpoint {self.path}: the model does something else than it did then{hint}"
        try:
            for name, args, known in header["lessons"]:
                with suppress(NotSymmetric):  # as it was then
                    self._lesson(name, args)
                if self._known() != tuple(known):
                    raise OptionError(other)
                self._journal.lessons.append((name, tuple(args), tuple(known)))
        except (LookupError, AssertionError, AttributeError) as error:
            raise OptionError(other) from error
        if self._digest() != header["texts"]:
            raise OptionError(other)

    def _lesson(self, name: str, args: list[Any]) -> None:
        if name == "symmetry":
            self._reduction = Symmetry(self.kernel, *args)
        elif name.startswith("learn_") and hasattr(self.kernel, name):
            getattr(self.kernel, name)(*args)
        else:
            assert self._reduction is not None
            self._reduction.learn(name, *args)

    def _restore_attempt(self, saved: dict[str, Any]) -> None:
        attempt = self.attempt
        attempt.symmetry, attempt.quick = saved["symmetry"], saved["quick"]
        attempt.apart, attempt.notes, attempt.watched = saved["apart"], saved["notes"], None
        if saved["watched"] is not None:
            objects, processes, futures, everything = saved["watched"]
            things, all_of_them = self.kernel.objects, self.kernel.processes
            attempt.watched = Watched(
                {things[n] for n in objects}, {all_of_them[n] for n in processes}, futures, everything
            )

    def resume(self, search: Exploration) -> None:
        """Put a search, which is new, where it was when the file was written; only the first one after that."""
        if self._saved is None:
            return
        (about, arrays), self._saved = self._saved, None
        _restore_search(search, about)
        if "rows" in arrays:
            with extra("fast", f"checkpoint {self.path}, which the compiled loop has written,"):
                search.compiled_space(about["looked_at"]).restore(arrays)
        else:
            _restore_space(search, arrays)


# ---- the file ------------------------------------------------------------------------------------------


def _pack(file: Any, header: dict[str, Any], arrays: Arrays) -> None:
    """Write a header, and the memory of each array."""
    views = {name: memoryview(numbers) for name, numbers in arrays.items()}
    with zipfile.ZipFile(file, "w") as into:
        into.writestr(_HEADER, json.dumps({**header, "kinds": {name: view.format for name, view in views.items()}}))
        for name, view in views.items():
            with into.open(name, "w", force_zip64=True) as part:
                part.write(view)


def _unpacked(path: Path) -> tuple[dict[str, Any], Arrays]:
    """Return what `_pack` has written."""
    with zipfile.ZipFile(path) as file:
        header = json.loads(file.read(_HEADER))
        return header, {name: array(kind, file.read(name)) for name, kind in header["kinds"].items()}


def digest_of(asked: Iterable[Property]) -> str:
    """Return a digest of what properties ask, whatever they are called."""
    teller = Teller()
    told = [(prop.kind, teller.told(prop.predicate), teller.told(prop.then)) for prop in asked]
    return hashlib.sha256(repr(told).encode()).hexdigest()[:16]


# ---- a search ------------------------------------------------------------------------------------------


def _of_search(search: Search) -> dict[str, Any]:
    """Return what a search knows beside its space."""
    return {
        "hunted": search.hunted,
        "looked_ahead": search.looked_ahead,
        "wanted": [position for position, prop in enumerate(search.asked) if prop in search.wanted],
        "suspected": search.knots.suspected,
        "looked_at": getattr(search.space, "looked_at", 0),
    }


def _restore_search(search: Search, about: dict[str, Any]) -> None:
    search.wanted = [search.asked[position] for position in about["wanted"]]
    search.knots.suspected = [(tuple(state), dead) for state, dead in about["suspected"]]
    search.looked_ahead = about["looked_ahead"]
    if about["hunted"] is not None:
        path, name = about["hunted"]
        search.hunted = [(process, outcome) for process, outcome in path], name
        search.bound()


# ---- a space of the plain loop -------------------------------------------------------------------------


def _of_space(search: Search) -> Arrays:
    """Return the space of a search, and where it has chosen whose steps to follow, as arrays."""
    space, relied_on = search.space, [] if search.partial_order is None else search.partial_order.relied_on
    return {
        "lengths": array("I", map(len, space.states)),
        "states": array("i", chain.from_iterable(space.states)),
        "parents": space.parents,
        "depths": space.depths,
        "waiting": _bits(mark[0] for mark in space.marks),
        "ended": _bits(mark[1] for mark in space.marks),
        "expanded": space.expanded,
        "done": space.done,
        "relied_on": array("q", (space.index[state] for state, _, _ in relied_on)),
        "chosen": _bits(chosen for _, chosen, _ in relied_on),
        **{f"graph_{name}": getattr(space.graph, name) for name in _GRAPH},
    }


def _restore_space(search: Search, arrays: Arrays) -> None:
    space, numbers = search.space, iter(arrays["states"])
    space.states.extend(tuple(islice(numbers, length)) for length in arrays["lengths"])
    space.index.update((state, number) for number, state in enumerate(space.states))
    space.marks.extend(zip(_numbers(arrays["waiting"]), _numbers(arrays["ended"]), strict=True))
    space.done.extend(arrays["done"])
    for name in ("parents", "depths", "expanded"):
        getattr(space, name).extend(arrays[name])
    for name in _GRAPH:
        del getattr(space.graph, name)[:]
        getattr(space.graph, name).extend(arrays[f"graph_{name}"])
    if search.partial_order is not None:
        chosen = zip(arrays["relied_on"], _numbers(arrays["chosen"]), strict=True)
        search.partial_order.relied_on = [(space.states[number], bits, -1) for number, bits in chosen]


def _bits(masks: Iterable[int]) -> bytes:
    """Return sets of processes, one after the other, each in as many bytes as the first one says."""
    listed = list(masks)
    size = max(1, -(-max(map(int.bit_length, listed), default=0) // 8))
    return size.to_bytes(1, "little") + b"".join(mask.to_bytes(size, "little") for mask in listed)


def _numbers(masks: array[int]) -> Iterator[int]:
    size = masks[0]
    return (int.from_bytes(masks[at : at + size], "little") for at in range(1, len(masks), size))
