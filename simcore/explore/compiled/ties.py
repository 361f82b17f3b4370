"""Names that tie and are mentioned with others are put in order, where they are copies: for compiled functions.

This is `reduction/colours.py`, with the same numbers, as far as parts in which all colours differ are copies of each
other; where more is needed, that is asked.
"""

from __future__ import annotations

from simcore.explore.compiled.kinds import compiled
from simcore.explore.compiled.registers import (
    FACTS,
    FIRST_FACT,
    FIRST_TOGETHER,
    RIGID,
    TOGETHER,
    ZERO,
    U,
)
from simcore.explore.compiled.rows import copy, mixed
from simcore.explore.reduction import FIRST

_FIRST = U(FIRST)


@compiled
def _hashed(word):
    """Return what `reduction.colours.mixed` does."""
    return mixed(word * _FIRST + _FIRST)


@compiled
def gather(y, w, group, names):
    """List in ``w.order`` the names of a group, the last of which are the futures; return how many there are."""
    count = 0
    if group < len(y.spans):
        for name in range(y.spans[group, 0], y.spans[group, 1]):
            w.order[count] = name
            count += 1
    else:
        for name in range(y.first_made, names):
            if w.colours[name]:
                w.order[count] = name
                count += 1
    return count


@compiled
def sort(w, colours, count):
    """Sort the first names in ``w.order`` by their colours."""
    for place in range(1, count):
        name, back = w.order[place], place
        while back and colours[w.order[back - 1]] > colours[name]:
            w.order[back] = w.order[back - 1]
            back -= 1
        w.order[back] = name


@compiled
def _ties(y, w, colours, names):
    """Return how many names there are that have the colour of another one before them."""
    tied = 0
    for group in range(len(y.spans) + 1):
        count = gather(y, w, group, names)
        sort(w, colours, count)
        for place in range(1, count):
            tied += colours[w.order[place]] == colours[w.order[place - 1]]
    return tied


@compiled
def _say(y, w, fact):
    """Add to the colours of the names of a fact what it says of each."""
    first = y.facts[fact, FIRST_TOGETHER]
    end = first + y.facts[fact, TOGETHER]
    told = y.codes[fact]
    for place in range(first, end):
        colour, factor = w.colours[y.together[place]], y.factors[place]
        if y.facts[fact, RIGID]:
            told += colour * factor
        else:
            told += _hashed(colour + factor)
    told = _hashed(told)
    for place in range(first, end):
        w.finer[y.together[place]] += _hashed(told + y.factors[place])


@compiled
def _refine(y, w, names):
    """Have all facts refine the colours, as long as that tells names apart; return how many still tie."""
    tied = _ties(y, w, w.colours, names)
    while tied:
        copy(w.finer, w.colours)
        for part in w.parts:
            if part >= 0:
                first = y.about[part, FIRST_FACT]
                for fact in range(first, first + y.about[part, FACTS]):
                    _say(y, w, fact)
        fewer = _ties(y, w, w.finer, names)
        if fewer == tied:
            break
        copy(w.colours, w.finer)
        tied = fewer
    return tied


@compiled
def mentions_tied(y, w, part):
    """Tell whether a component mentions a name that ties, together with others."""
    first = y.about[part, FIRST_FACT]
    for fact in range(first, first + y.about[part, FACTS]):
        start = y.facts[fact, FIRST_TOGETHER]
        for place in range(start, start + y.facts[fact, TOGETHER]):
            if w.roots[y.together[place]] >= 0:
                return True
    return False


@compiled
def _root(w, name):
    while w.roots[name] != name:
        name = w.roots[name]
    return name


@compiled
def _connect(y, w, names):
    """Connect, in ``w.roots``, names that tie and that a fact mentions together; it is -1 for all others."""
    for name in range(names):
        w.roots[name] = -1
    for group in range(len(y.spans) + 1):
        count = gather(y, w, group, names)
        sort(w, w.colours, count)
        for place in range(1, count):
            one, other = w.order[place - 1], w.order[place]
            if w.colours[one] == w.colours[other]:
                w.roots[one], w.roots[other] = one, other
    for part in w.parts:
        if part >= 0:
            first = y.about[part, FIRST_FACT]
            for fact in range(first, first + y.about[part, FACTS]):
                _join(y, w, fact)


@compiled
def _join(y, w, fact):
    first, known = y.facts[fact, FIRST_TOGETHER], -1
    for place in range(first, first + y.facts[fact, TOGETHER]):
        name = y.together[place]
        if w.roots[name] >= 0:
            if known >= 0:
                w.roots[_root(w, name)] = _root(w, known)
            known = name


@compiled
def _part_of(w, name, names):
    """List in ``w.order`` the names that are connected with one; return how many, 0 when two have the same colour."""
    count, root = 0, _root(w, name)
    for other in range(names):
        if w.roots[other] >= 0 and _root(w, other) == root:
            for place in range(count):
                if w.colours[w.order[place]] == w.colours[other]:
                    return 0
            w.order[count] = other
            count += 1
    return count


@compiled
def _number_copies(y, w, names):
    """Tell the copies of parts in which all colours differ apart; return whether there are any."""
    _connect(y, w, names)
    copy(w.finer, w.colours)
    found = False
    for name in range(names):
        w.copies[name] = ZERO
        if w.roots[name] >= 0:
            count = _part_of(w, name, names)
            if count and w.order[0] == name:  # the others of its part come later
                found = True
                for place in range(count):
                    w.copies[name] += _hashed(w.colours[w.order[place]])
                rank = U(1)
                for other in range(name):
                    if w.copies[other] == w.copies[name]:
                        rank += U(1)
                for place in range(count):
                    w.finer[w.order[place]] += _FIRST * rank
    copy(w.colours, w.finer)
    return found


@compiled
def told_apart(y, w, names):
    """Find colours with which no name ties; tell whether that was possible."""
    for _ in range(names):  # each time copies are told apart
        if not _refine(y, w, names):
            return True
        if not _number_copies(y, w, names):
            return False
    return False
