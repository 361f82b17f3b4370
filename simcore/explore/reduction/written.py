"""A function is read from its source only where that source, compiled again, is the very code that runs.

A source file may have changed since it was imported, a function may come from elsewhere, and tools rewrite what they
import; code objects compare by all that they do. So what is read here is what runs, or nothing is read.
"""

from __future__ import annotations

import ast
import inspect
import linecache
import warnings
from collections.abc import Iterator
from functools import lru_cache
from types import CodeType, FunctionType

Written = ast.FunctionDef | ast.Lambda

_SUSPENDED = inspect.CO_GENERATOR | inspect.CO_COROUTINE | inspect.CO_ASYNC_GENERATOR | inspect.CO_ITERABLE_COROUTINE


def written(fn: FunctionType) -> Written | None:
    """Return the syntax tree of ``fn``; None where its source is not there, or is not what it was compiled from.

    None, too, of a generator function, and of two functions of the same name that begin on one line.
    """
    linecache.lazycache(fn.__code__.co_filename, fn.__globals__)
    return _written(fn.__code__)


@lru_cache(maxsize=1024)
def _written(code: CodeType) -> Written | None:
    if code.co_flags & _SUSPENDED:
        return None
    linecache.checkcache(code.co_filename)
    nodes, codes = _read(tuple(linecache.getlines(code.co_filename)))
    found = nodes.get((code.co_name, code.co_firstlineno), [])
    return found[0] if len(found) == 1 and code in codes else None


@lru_cache(maxsize=32)
def _read(lines: tuple[str, ...]) -> tuple[dict[tuple[str, int], list[Written]], frozenset[CodeType]]:
    """Return the functions of a source by name and first line, and all code that it is compiled to."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # they have been given when it was imported
            tree = ast.parse("".join(lines))
            codes = frozenset(_codes(compile(tree, "", "exec", dont_inherit=True)))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return {}, frozenset()
    nodes: dict[tuple[str, int], list[Written]] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef):
            first = min([node.lineno, *(each.lineno for each in node.decorator_list)])
            nodes.setdefault((node.name, first), []).append(node)
        elif isinstance(node, ast.Lambda):
            nodes.setdefault(("<lambda>", node.lineno), []).append(node)
    return nodes, codes


def _codes(code: CodeType) -> Iterator[CodeType]:
    yield code
    for inner in code.co_consts:
        if isinstance(inner, CodeType):
            yield from _codes(inner)
