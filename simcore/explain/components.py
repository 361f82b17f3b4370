"""The strongly connected components of a graph of small integers: a knot is one that leads nowhere else.

They are not had from a library of graphs: what is asked is asked of arrays of a million states, and of the few who wait
in one, where that library takes longer to be imported than all the rest.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterable, Iterator
from itertools import compress

_YIELDED = (1 << 32) - 1  # later than every number


def components(inside: bytes | bytearray, after: Callable[[int], Iterable[int]]) -> Iterator[list[int]]:
    """Yield the strongly connected components of the nodes ``inside``, each after those that it leads to.

    Tarjan's algorithm (1972). Nodes are numbered as they are met, and ``lowest`` is the lowest number that a node is
    known to lead back to. Where that stays its own, all that was met since, and is not yielded yet, is a component.
    Nothing calls itself, because a way may be as long as there are nodes.

    Parameters
    ----------
    inside : bytes
        For each node, whether it is one of those.
    after : function
        Returns where the edges of a node lead.
    """
    lowest = array("I", (0 if there else _YIELDED for there in inside))
    path: list[int] = []
    calls: list[tuple[int, int, Iterator[int]]] = []  # node, its number, where its edges lead that are left
    met = 0
    for root in compress(range(len(inside)), inside):
        new = None if lowest[root] else root
        while calls or new is not None:
            if new is not None:
                met += 1
                lowest[new] = met
                path.append(new)
                calls.append((new, met, iter(after(new))))
            node, number, row = calls[-1]
            new = _next(lowest, node, row)
            if new is None:
                calls.pop()
                if lowest[node] == number:
                    yield _taken(path, node, lowest)
                else:  # so somebody called
                    caller = calls[-1][0]
                    lowest[caller] = min(lowest[caller], lowest[node])


def _next(lowest: array[int], node: int, row: Iterator[int]) -> int | None:
    """Return where an edge of ``row`` leads that was not met yet; note what the edges before it lead back to."""
    back = lowest[node]
    for target in row:
        found = lowest[target]
        if found < back:
            if not found:
                lowest[node] = back
                return target
            back = found
    lowest[node] = back
    return None


def _taken(path: list[int], first: int, lowest: array[int]) -> list[int]:
    """Take ``first``, and what came after it, from the path."""
    at = len(path) - 1
    while path[at] != first:
        at -= 1
    taken = path[at:]
    del path[at:]
    for node in taken:
        lowest[node] = _YIELDED
    return taken
