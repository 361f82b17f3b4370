"""Small functions of a variable's value, put together at random out of what names allow and what they do not."""

import linecache
from random import Random

NUMBERS = (
    "value[1]",
    "0",
    "1",
    "True",
    "len({S})",
    "len({T})",
    "({N} + {N})",
    "({N} - {N})",
    "({N} if ({B}) else {N})",
    "sum(1 for x in {S} if x != me)",
    "sum(x in {S} for x in {T})",
    "max(len({S} - {{x}}) for x in {S} | {{me}})",
    "{T}.count(me)",
    "helper({S}, me)",
    "min({N}, {N})",
)
TELLING_NUMBERS = (
    "me.position",
    "hash(me) % 3",
    "len(str(me))",
    "int(str(me)[5])",
    "sum(i * (x == me) for i, x in enumerate({S}))",
    "[*{S}].index(me)",
    "max(({N}, True, 1), key=lambda x: x)",
    "id(me) % 2",
    "LEADERS[me]",
)
BOOLS = (
    "me in {S}",
    "me == you",
    "me is None",
    "not ({B})",
    "(({B}) and ({B}))",
    "(({B}) or ({B}))",
    "{S} <= {S}",
    "{S} == {S}",
    "{T} == {T}",
    "{N} < {N}",
    "any(x == you for x in {S})",
    "all(x in {S} for x in {T})",
    "bool({S})",
    "{S}.isdisjoint({S})",
)
TELLING_BOOLS = (
    "me == LEADER",
    "me in LEADERS",
    "me is you",
    "str(me) < str(you)",
    "f'{{me}}' == 'name[1]'",
    "'name[' + '1]' == str(me)",
    "'1' in str(me)",
    "tuple({S}) == {T}",
    "next(iter({S}), None) == me",
    "[*{S}][:1] == [me]",
    "any(y == me for x in {S} for y in [*{S}][:1])",
    "[last := x for x in {S}] == [] or last == me",
    "any(x == me or 1 // (x != you) for x in {S})",
    "isinstance(me, frozenset)",
)
SETS = (
    "value[0]",
    "frozenset()",
    "({S} | {{me}})",
    "({S} - {{me, you}})",
    "({S} & {S})",
    "({S} ^ {S})",
    "{S}.union({T})",
    "frozenset(x for x in {S} if x != you)",
    "frozenset({{*{S}, you}})",
    "({S} if ({B}) else {S})",
    "frozenset({T})",
)
TELLING_SETS = (
    "frozenset([*{S}][1:])",
    "frozenset(sorted({S}, key=str)[:1])",
    "frozenset({{LEADER}})",
    "frozenset(x for i, x in enumerate({S}) if i)",
    "frozenset(x for x in {S} if x.position)",
    "frozenset(dict(zip({S}, range(2))))",
)
TUPLES = (
    "(me, you)",
    "()",
    "({T} + {T})",
    "{T}[1:]",
    "{T}[::-1]",
    "({T} * 2)",
    "tuple(x for x in {T} if ({B}))",
    "tuple([x for x in {T} for y in {T} if x == y])",
    "(*{T}, me)",
    "tuple(x for x in {S} if x == me)",
)
TELLING_TUPLES = (
    "tuple({S})",
    "(*{S},)",
    "tuple(sorted({S}, key=hash))",
    "tuple(x for x in {S})[:2]",
    "tuple(reversed([*{S}]))",
    "tuple(x for x, _ in zip({S}, {T}))",
    "(LEADER,)",
)
KINDS = {
    "N": (NUMBERS, TELLING_NUMBERS),
    "B": (BOOLS, TELLING_BOOLS),
    "S": (SETS, TELLING_SETS),
    "T": (TUPLES, TELLING_TUPLES),
}
"""For a number, a truth, a set and a tuple: what does not look into names, and what mostly does."""

BODIES = (
    "return ({S}, {N})",
    "if {B}:\n        return value\n    return ({S}, {N})",
    "found = {S}\n    count = {N}\n    if {B}:\n        count += 1\n    return (found, count)",
    "found = {S}\n    for x in {T}:\n        if {B}:\n            found |= {{x}}\n    return (found, {N})",
    "n = 1\n    for x in {S}:\n        if {B}:\n            n = {N}\n            break\n    return (value[0], n)",
    "last = ()\n    for x in {S}:\n        last = (x,)\n    return (frozenset(last), {N})",
    "n = 0\n    while n < 2 and ({B}):\n        n += 1\n    return ({S}, n)",
    "first, second = {T} or (me, you)\n    return ({S} | {{first}}, second == me)",
    "first, *_ = {S} | {{me}}\n    return (frozenset({{first}}), {N})",
)
STEPS = (
    "return tuple((({S} - {{x}}, {N}), None) for x in {S})",
    "return [(({S}, {N}), x) for x in {S} if ({B})]",
    "return [(({S}, {N}), x) for x in {T}]",
    "if {B}:\n        return ()\n    return ((({S}, {N}), {T}),) + tuple((value, x) for x in {S})",
    "return tuple(((value[0] - {{x}}, {N}), None) for x in {S})[:1]",
    "return [((frozenset({{x, y}}), {N}), {B}) for x in {S} for y in {S}]",
    "return {{((value[0], {N}), x) for x in {S}}}",
    "return (*(((x in {S}, y), None) for x in {S} for y in {T}), (value, {B}))",
)


def source_of(random: Random, bodies: tuple[str, ...], deep: int = 3) -> str:
    """Return the source of a function ``fn(value, me, you)``."""
    return f"def fn(value, me, you):\n    {_filled(random, random.choice(bodies), deep)}\n"


def _filled(random: Random, text: str, deep: int) -> str:
    parts = []
    at = 0
    while at < len(text):
        if text[at] == "{" and text[at + 1] in KINDS and text[at + 2] == "}":
            parts.append(_filled(random, _chosen(random, *KINDS[text[at + 1]], deep), max(deep - 1, 0)))
            at += 3
        elif text[at : at + 2] in ("{{", "}}"):
            parts.append(text[at])
            at += 2
        else:
            parts.append(text[at])
            at += 1
    return "".join(parts)


def _chosen(random: Random, plain: tuple[str, ...], telling: tuple[str, ...], deep: int) -> str:
    if random.random() < 0.08:
        return random.choice(telling)
    return random.choice(plain if deep else plain[:2])


def made(source: str, number: int, scope: dict):
    """Return the function of a source, which can be read as if it stood in a file; None where it is no Python."""
    file = f"<function {number} at random>"
    linecache.cache[file] = (len(source), None, source.splitlines(True), file)
    try:
        code = compile(source, file, "exec")
    except SyntaxError:  # an assignment where none may be
        return None
    exec(code, scope)
    return scope["fn"]
