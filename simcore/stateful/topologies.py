"""A topology that is drawn could be meant: each task is submitted once, each item put is taken, no lock is taken twice.

So a hang is never of an item that nobody was to put, or of a lock that somebody takes again, but of sizes and orders:
too few workers for tasks that wait for each other, a queue that is full too early, locks taken in opposite orders. What
is drawn first, and smallest, is what a hang is to shrink to: a chain of tasks in one pool of one worker.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, get_args

from hypothesis import strategies as st

from simcore.model import check_numbers
from simcore.stateful.topology import Get, Hold, Put, Step, Submit, Topology, Wait

Draw = Callable[[st.SearchStrategy[Any]], Any]

_AT_ONCE = 2
"""Places of a queue, permits of a semaphore, and items that are handed over, at most."""


def topologies(
    *, pools: int = 2, workers: int = 2, tasks: int = 4, roots: int = 2, queues: int = 1, locks: int = 2
) -> st.SearchStrategy[Topology]:
    """Return a strategy for small topologies: processes and tasks that submit tasks, hand items over and hold locks.

    Each task is submitted by one process or task, to one pool, and waited for at once, at the end, or never. An item is
    put into a bounded queue by one, and taken by another. A lock, or a permit of a semaphore, is held to the end. They
    come in any order.

    Parameters
    ----------
    pools, tasks, roots : int
        How many pools, tasks and processes, at most; there is at least one of each.
    workers : int
        Of a pool, at most.
    queues, locks : int
        How many queues, and locks and semaphores together, at most; with 0 there are none.

    Returns
    -------
    strategy
        Draws a `Topology`. A hang shrinks to fewer tasks first. Leave Hypothesis' explain phase out of such a test: it
        traces simcore, and takes ten times as long as all the rest.

    Raises
    ------
    OptionError
        When a number is none, or too small.
    """
    check_numbers(whole=True, least=1, none=False, pools=pools, workers=workers, tasks=tasks, roots=roots)
    check_numbers(whole=True, least=0, none=False, queues=queues, locks=locks)
    return _drawn(pools, workers, tasks, roots, queues, locks)


@st.composite
def _drawn(draw: Draw, pools: int, workers: int, tasks: int, roots: int, queues: int, locks: int) -> Topology:
    sizes = draw(st.lists(st.integers(1, workers), min_size=1, max_size=pools))
    processes = draw(st.integers(1, roots))
    programs: list[list[Step]] = [[] for _ in range(processes)]
    submitted = st.tuples(st.integers(0, 2**8), st.integers(0, len(sizes) - 1), st.sampled_from(get_args(Wait)))
    for task, (back, pool, wait) in enumerate(draw(st.lists(submitted, min_size=1, max_size=tasks))):
        programs[-1 - back % len(programs)].append(Submit(task, pool, wait))
        programs.append([])
    permits = _some(draw, st.integers(1, _AT_ONCE), locks)
    if permits:
        for program in programs:
            program += map(Hold, draw(st.lists(st.integers(0, len(permits) - 1), unique=True)))
    places = _some(draw, st.integers(1, _AT_ONCE), queues)
    if places:
        last = len(programs) - 1
        item = st.tuples(st.integers(0, len(places) - 1), st.integers(0, last), st.integers(0, last - 1))
        for queue, giver, taker in draw(st.lists(item, max_size=_AT_ONCE)):
            programs[giver].append(Put(queue))
            programs[taker + (taker >= giver)].append(Get(queue))
    ordered = [tuple(draw(st.permutations(program))) if len(program) > 1 else tuple(program) for program in programs]
    return Topology(tuple(sizes), tuple(permits), tuple(places), tuple(ordered[:processes]), tuple(ordered[processes:]))


def _some(draw: Draw, each: st.SearchStrategy[int], most: int) -> list[int]:
    found: list[int] = draw(st.lists(each, max_size=most))
    return found
