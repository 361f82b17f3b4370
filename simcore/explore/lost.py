"""Who can never move, or never end, again is found on the whole graph: exactly what guesses and budgets have missed.

A process is *lost* in a state from which no run lets it move (or end). For one that keeps its name this is
reachability, backwards from the states in which it moves or has ended. One that is interchangeable changes
its name from representative to representative, and is followed through pairs (state, process), which takes the
renaming of every edge: by far the most expensive part. So most is settled first without names: from a state where
nobody is in doubt (everyone asked about moves, or has ended) nobody who came there was lost on the way, since a
process stops being asked about only by steps of its own. What can reach such a state is settled, and where all
can, as in a model that always can come to rest, no process is followed at all. Of the rest, which no edge
leaves, only pairs whose process does not itself move are followed.

Sets of processes are integers here, a bit for each, so that one walk settles all who keep their names: a component
comes after all that it leads to, and can reach what it has itself and what those can reach. It is the definition, and
what there is without numpy: `compiled/lost.py` gives the same answer, sooner for a large graph.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import reduce
from operator import or_

from simcore.explain import components
from simcore.explore.graph import Graph
from simcore.explore.reduction import Symmetry
from simcore.kernel import Kernel, Packed


def never_again(
    kernel: Kernel, symmetry: Symmetry, states: list[Packed], graph: Graph, *, ends: bool
) -> tuple[int, int] | None:
    """Return the first state from which somebody who must finish never moves again, and who; None without one.

    A pool's worker must finish its task.

    Parameters
    ----------
    states, graph
        All states, and the edges between them.
    ends : bool
        Ask who can never end, instead: a process that can only go round has moved, and does not end.
    """
    doubts = list(_doubts(kernel, states, graph, ends))
    everybody, clear = (1 << len(kernel.processes)) - 1, 1 << len(kernel.processes)
    able = reached(graph, [everybody & ~doubt if doubt else everybody | clear for doubt in doubts])
    if all(can & clear for can in able):
        return None
    renamed = 0 if symmetry.trivial else sum(1 << p for p in _bits(everybody) if _renamed(kernel, symmetry, p))
    lost = _first([doubt & ~can & ~renamed for doubt, can in zip(doubts, able, strict=True)])
    followed = [0 if can & clear else doubt & renamed for doubt, can in zip(doubts, able, strict=True)]
    lost += _lost_on_the_way(kernel, symmetry, states, graph, followed)
    return min(lost, default=None)


def lost_in(kernel: Kernel, states: list[Packed], graph: Graph) -> list[int]:
    """Return, for each state, all who must finish and never move again, as bits; of states, not of representatives."""
    doubts = list(_doubts(kernel, states, graph, ends=False))
    everybody = (1 << len(kernel.processes)) - 1
    able = reached(graph, [everybody & ~doubt for doubt in doubts])
    return [doubt & ~can for doubt, can in zip(doubts, able, strict=True)]


def _doubts(kernel: Kernel, states: Iterable[Packed], graph: Graph, ends: bool) -> Iterator[int]:
    """Yield, for each state, who must finish and has not; unless asked for ``ends``, only who cannot move there."""
    asked = _asked(kernel)
    for number, state in enumerate(states):
        doubt = 0
        for place, bits in asked:
            doubt |= bits[state[place]]
        yield doubt if ends or not doubt else _waiting(kernel, state, doubt, graph.movers(number))


def _asked(kernel: Kernel) -> list[tuple[int, list[int]]]:
    """Return, for each process that must ever finish, its place in a state, and its bit by what it is at there."""
    numbers = range(len(kernel.locals))
    in_task = [kernel.locals[number].task is not None for number in numbers]
    going = [(about := kernel.about(number)) is not None and not about.rests for number in numbers]
    return [
        (kernel.first_process + p.index, [there << p.index for there in (going if p.pool is None else in_task)])
        for p in kernel.processes
        if p.pool is not None or not p.daemon
    ]


def _waiting(kernel: Kernel, state: Packed, asked: int, movers: Iterable[int]) -> int:
    """Return those of ``asked`` without a step, or a time-out that others, always quicker, may put off for ever."""
    for process in movers:
        asked &= ~(1 << process)
    for process in _bits(asked):
        if kernel.may_expire(state, process):
            asked ^= 1 << process
    return asked


def _bits(mask: int) -> list[int]:
    """Return the numbers of the processes in a set."""
    return [place for place in range(mask.bit_length()) if mask >> place & 1]


def reached(graph: Graph, here: list[int]) -> list[int]:
    """Return, for each state, the union of what is ``here`` in all states that it can reach."""
    found = here[:]
    for component in components(b"\1" * len(graph), graph.successors):
        union = 0
        for state in component:
            union = reduce(or_, map(found.__getitem__, graph.successors(state)), union | found[state])
        for state in component:
            found[state] = union
    return found


def _first(lost: list[int]) -> list[tuple[int, int]]:
    """Return the first state in which somebody is lost, and the first who is, in a list, or an empty one."""
    return next(([(state, _bits(mask)[0])] for state, mask in enumerate(lost) if mask), [])


def _renamed(kernel: Kernel, symmetry: Symmetry, process: int) -> bool:
    return kernel.processes[process].pool is not None or kernel.processes[process] in symmetry.interchangeable


def _lost_on_the_way(
    kernel: Kernel, symmetry: Symmetry, states: Sequence[Packed], graph: Graph, followed: list[int]
) -> list[tuple[int, int]]:
    """Return the first pair of a state and a process of ``followed`` there that no steps lead out of those pairs."""
    before: dict[tuple[int, int], list[tuple[int, int]]] = {
        (state, process): [] for state, mask in enumerate(followed) for process in _bits(mask)
    }
    clear: list[tuple[int, int]] = []
    for number, mask in enumerate(followed):
        pairs = [(number, process) for process in _bits(mask)]
        for edge in graph.edges(number) if mask else ():
            after = kernel.step(states[number], graph.processes[edge], graph.outcomes[edge])
            assert after is not None
            way = symmetry.permutation(after)
            for pair in pairs:
                after_it = before.get((graph.targets[edge], way[pair[1]]))
                (clear if after_it is None else after_it).append(pair)
    settled = set(clear)
    while clear:
        new = [pair for pair in before[clear.pop()] if pair not in settled]
        settled.update(new)
        clear += new
    return sorted(before.keys() - settled)[:1]
