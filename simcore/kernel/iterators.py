"""Of an iterator written in C everything is read that decides what it gives next, or it is refused.

Most tell their state through ``__reduce__``, as pickle asks for it. Some do not, or not all of it:

* those of `itertools` lost it in 3.14, and ``pairwise`` and ``batched`` never had it;
* the iterator of a deque or an OrderedDict also knows whether its container has changed under it, and then raises
  an error; that of an OrderedDict also knows whether it gives keys, values or items.

Their state is read from memory, by a table that says what each word behind the object's header is:

    o   an object, or nothing: part of the state
    n   a number
    h   a number in half a word, a C int, with anything behind it
    r   an object that only counts as there or not: a tuple that the last step made and the next one uses again
        (what is in it follows from the rest)
    t   a tuple some places of which may be empty, as no tuple that Python code meets has them
    a   the address of a row of numbers, as long as `_rows` says
    c   how often the container had changed when the iterator was made: equal to what the container says now, or not
    .   nothing that decides: the module, weak references, a place in a deque's blocks

The table is believed only while it fits: the type has as many words (two lists stand where releases differ; many have
a word more from 3.12 on, for the module), and the objects among them are those which `gc.get_referents` gives, no more
and no fewer. What does not fit is refused, as what pickle refuses. Objects are compared by identity, never followed;
the rows alone are, and those only on the Pythons that the table was tried on, CPython 3.11 to 3.15. Where a type does
have a ``__reduce__`` that tells all, that is taken, and tests hold it and the table side by side.
"""

from __future__ import annotations

import ctypes
import gc
import itertools
import sys
from collections import OrderedDict, deque
from typing import Any

_WORD = ctypes.sizeof(ctypes.c_void_p)
_ROWS_KNOWN = (3, 11) <= sys.version_info[:2] <= (3, 15)

LAYOUTS: dict[type, str] = {
    itertools.chain: "oo",  # what is left to chain, and what it is in the middle of
    itertools.repeat: "on",  # what it repeats, and how often still; -1 is for ever
    itertools.count: "noo",  # its number, or where that is too large the object behind it; the step
    itertools.islice: "onnnn",  # the iterator, the index of the next item, stop, step, the index that was reached
    itertools.cycle: "oon",  # the iterator until it has ended; what it gave; the index in that, when it has ended
    itertools.accumulate: "oooo oooo.",  # the total, the iterator, the function, what it starts with until it did
    itertools.product: "oarh",  # the pools, the index in each, whether it has begun, whether it has ended
    itertools.permutations: "oaarnh",  # the pool, its order, the cycles, begun, the length, ended
    itertools.combinations: "oarnh",  # the pool, the indices, begun, the length, ended
    itertools.combinations_with_replacement: "oarnh",  # the same
    itertools.takewhile: "ooh",  # the function, the iterator, whether it has ended
    itertools.dropwhile: "ooh",  # the function, the iterator, whether it has begun
    itertools.filterfalse: "oo",  # the function, the iterator
    itertools.starmap: "oo",  # the function, the iterator
    itertools.compress: "oo",  # the data, the selectors
    itertools.zip_longest: "nntro",  # how many, how many go on, the iterators that do, the last tuple, the filling
    itertools.pairwise: "oo oor",  # the iterator, the item before; from 3.13 on the last tuple
    itertools.groupby: "ooooo. ooooo..",  # the iterator, the function, the key of the group, that of the item, the item
    itertools._grouper: "oo",  # type: ignore[attr-defined]  # the groupby, the key; see `_is_newest`
    itertools._tee: "oh. oh..",  # type: ignore[attr-defined]  # a link of what was read ahead, and the index in it
    itertools._tee_dataobject: "oho",  # type: ignore[attr-defined]  # the iterator, how many items, the next link; items
    type(iter(deque())): "..ocn",  # the deque, its changes, how many items are left
    type(reversed(deque())): "..ocn",
    type(iter(OrderedDict())): "honcor",  # what it gives, the dict, its size, its changes, the next key, the last tuple
}
if sys.version_info >= (3, 12):
    LAYOUTS[itertools.batched] = "on onh"  # the iterator, the size; from 3.13 on whether it is strict

_CHANGES = {deque: 5, OrderedDict: 9}  # the word in which it counts its changes


def told_by_pickle(kind: type) -> bool:
    """Tell whether ``__reduce__`` says all there is to say of an iterator of this type."""
    return "__reduce__" in vars(kind) and "c" not in LAYOUTS.get(kind, "")


def state(iterator: Any) -> tuple[Any, ...] | None:
    """Return the state of an iterator of `LAYOUTS`, or None where it does not look as it should.

    Objects come as a tuple of one, nothing as the empty tuple, so that nothing is not mistaken for None.
    """
    if sys.byteorder != "little":  # half a word would be the other half
        return None
    read = _words(iterator)
    layout = next((layout for layout in _layouts(iterator, read) if len(layout) == len(read)), None)
    if layout is None:
        return None
    seen = {id(thing): thing for thing in gc.get_referents(iterator)}
    expected = {word for what, word in zip(layout, read, strict=True) if what in "ort" and word}
    itself = {id(type(iterator))}
    if expected - itself != seen.keys() - itself or ("a" in layout and not _ROWS_KNOWN):
        return None
    lengths = iter(_rows(layout, read, seen))
    fields = [_field(what, word, seen, lengths) for what, word in zip(layout, read, strict=True)]
    return (*fields, *_beside(iterator, layout, read, seen))


def table(items: set[Any] | frozenset[Any]) -> tuple[int, tuple[str, ...]]:
    """Return the finger of ``pop`` and what each slot is: free, used, or left by an item that was removed."""
    _, _, mask, entries, _, finger = _words(items)[:6]
    pairs = (ctypes.c_ssize_t * (2 * mask + 2)).from_address(entries)  # (key, hash)
    return finger & mask, tuple("free" if not pairs[2 * n] else _slot(pairs[2 * n + 1]) for n in range(mask + 1))


def _slot(stored_hash: int) -> str:
    return "left" if stored_hash == -1 else "used"


def position(iterator: Any) -> tuple[int, ...]:
    """Return where an iterator of a dict or a set is in its table: equal items may stand elsewhere in it."""
    _, used, at, *rest = _words(iterator)
    return (used, at, rest[-1])


def _words(thing: Any) -> list[int]:
    """Return the words of an object behind its header."""
    header = object.__basicsize__
    return (ctypes.c_ssize_t * ((type(thing).__basicsize__ - header) // _WORD)).from_address(id(thing) + header)[:]


def _layouts(iterator: Any, read: list[int]) -> list[str]:
    layouts = LAYOUTS[type(iterator)].split()
    if type(iterator) is itertools._tee_dataobject:  # type: ignore[attr-defined]
        layouts = [layout + "o" * _half(read[1]) for layout in layouts]
        return [layout + "." * (len(read) - len(layout)) for layout in layouts]
    return layouts


def _half(word: int) -> int:
    return ctypes.c_int(word).value  # takes the lower half


def _rows(layout: str, read: list[int], seen: dict[int, Any]) -> list[int]:
    """Return the lengths of the rows of numbers: of the pool, of what is chosen from it, or both."""
    if "a" not in layout:
        return []
    pool, chosen = len(seen[read[0]]), read[layout.index("r") + 1]
    return [pool] if layout == "oarh" else [chosen] if layout == "oarnh" else [pool, chosen]


def _field(what: str, word: int, seen: dict[int, Any], lengths: Any) -> Any:
    match what:
        case "o":
            return (seen[word],) if word else ()
        case "n":
            return word
        case "h":
            return _half(word)
        case "r":
            return bool(word)
        case "t":
            return _places(seen[word])
        case "a":
            return tuple((ctypes.c_ssize_t * next(lengths)).from_address(word))
    return None


def _places(items: tuple[Any, ...]) -> tuple[Any, ...]:
    """Return the items of a tuple, each as a tuple of one, with nothing where there is none; it is not walked."""
    words = (ctypes.c_ssize_t * len(items)).from_address(id(items) + tuple.__basicsize__)
    seen = {id(item): item for item in gc.get_referents(items)}
    return tuple((seen[word],) if word else () for word in words)


def _beside(iterator: Any, layout: str, read: list[int], seen: dict[int, Any]) -> list[bool]:
    """Return what an iterator knows by comparing a word of its own with one of another object."""
    if type(iterator) is itertools._grouper:  # type: ignore[attr-defined]
        return [_is_newest(iterator, seen[read[0]])]
    container = seen.get(read[layout.index("o")]) if "c" in layout else None
    if container is None:
        return []
    changes = next(_words(container)[at] for kind, at in _CHANGES.items() if isinstance(container, kind))
    return [changes == read[layout.index("c")]]


def _is_newest(group: Any, groupby: Any) -> bool:
    """Tell whether it is the group that its groupby is giving; an older one has ended."""
    return _words(groupby)[5] == id(group)
