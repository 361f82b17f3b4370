"""Why a search does not end is said where it is known: something that grows whenever the same steps are taken again.

A counter, or a queue that is filled faster than it is emptied, makes the space infinite, and no limit is large enough.
What takes a new value in every other state is a suspect, and no more: a large space has many values, too. So it is
tried. Sampled runs are followed until they come to where they have been, but for the values of the suspects: processes
at the same places, everything else the same. The steps in between are then taken again and again, and what has grown by
as much each time is said to grow without bound, with the number of times that this was tried: a model may still stop it
at a number that nobody has come to. Of suspects that are not confirmed it is said what was counted, where that is a
third of the states, and nothing otherwise.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence, Sized
from itertools import islice
from typing import Any, NamedTuple

from simcore.explore.foresight import sampled
from simcore.explore.graph import Path
from simcore.kernel import Kernel, Packed
from simcore.schedule import RandomWalk

LOOKED_AT = 20_000
"""States whose values are counted."""

_SUSPICIOUS = 5  # values
_TELLING = 3  # a part of the states
_RUNS, _STEPS, _TIMES = 4, 300, 20
_TRIED = 5  # ways back to where it was, in a run
_FEW = 4  # items of a tuple


class _Shape(NamedTuple):
    """What two states have in common that differ in the values of suspects."""

    objects: tuple[int, ...]
    processes: tuple[object, ...]


def growing(kernel: Kernel, states: Iterable[Packed]) -> str:
    """Say in a line what grows without bound, or what has taken so many values; nothing where neither is known."""
    met = list(islice(states, LOOKED_AT))
    values = [len(set(column)) for column in zip(*(state[: kernel.first_future] for state in met), strict=True)]
    suspects = [place for place, count in enumerate(values) if count >= _SUSPICIOUS]
    if not suspects:
        return ""
    for seed in range(_RUNS):
        found = _confirmed(kernel, suspects, seed)
        if found:
            return found
    objects = [place for place in suspects if place < kernel.first_process and values[place] * _TELLING >= len(met)]
    most = max(objects or suspects, key=values.__getitem__)
    if values[most] * _TELLING < len(met):
        return ""
    first = kernel.first_process
    name = str(kernel.objects[most]) if most < first else f"what {kernel.processes[most - first]} remembers"
    return f"{name} took {values[most]:,} different values in {len(met):,} states"


def _confirmed(kernel: Kernel, suspects: Sequence[int], seed: int) -> str:
    """Follow a sampled run until it comes back to where it was but for ``suspects``, and take those steps again."""
    walk = RandomWalk(seed)
    walk.begin(len(kernel.processes), _STEPS)
    state, path = kernel.initial, list[tuple[int, int]]()
    been, left = {_shape(kernel, suspects, state): (0, state)}, _TRIED
    for _ in range(_STEPS):
        choices = kernel.successors(state)
        if not choices or kernel.failed(state) is not None:
            return ""
        process, outcome, state = sampled(walk, kernel, state, choices)
        path.append((process, outcome))
        shape = _shape(kernel, suspects, state)
        if shape not in been:
            been[shape] = len(path), state
        elif been[shape][1] != state:
            told = _again(kernel, suspects, state, path[been[shape][0] :])
            if told:
                return told
            been[shape], left = (len(path), state), left - 1
            if not left:
                break
    return ""


def _again(kernel: Kernel, suspects: Sequence[int], state: Packed, steps: Path) -> str:
    """Take ``steps`` again and again from ``state``; say what grows by as much each time."""
    shape, states = _shape(kernel, suspects, state), [state]
    for _ in range(_TIMES):
        for process, outcome in steps:
            after = kernel.step(state, process, outcome)
            if after is None:
                return ""
            state = after
        if _shape(kernel, suspects, state) != shape:
            return ""
        states.append(state)
    sizes = [_sizes(kernel, suspects, state) for state in states]
    first, second = sizes[:2]
    by = {name: second[name] - first[name] for name in first.keys() & second.keys()}
    grown = [
        name
        for name in first
        if by.get(name) and all(one.get(name) == first[name] + n * by[name] for n, one in enumerate(sizes))
    ]
    if not grown:
        return ""
    who = " and ".join(dict.fromkeys(kernel.processes[process].name for process, _ in steps))
    count = "the same step" if len(steps) == 1 else f"the same {len(steps)} steps"
    verb = ("grow" if all(by[name] > 0 for name in grown) else "change") + "s" * (len(grown) == 1)
    return f"{' and '.join(grown)} {verb} without bound: {count} of {who} can be taken again each time ({_TIMES} tried)"


def _shape(kernel: Kernel, suspects: Sequence[int], state: Packed) -> _Shape:
    first = kernel.first_process
    objects = tuple(-1 if place in suspects else state[place] for place in range(first))
    processes: list[object] = [*state[first:]]
    for place in suspects:
        if place >= first:
            there = kernel.process_state(state, place - first)
            operation = there.operation
            processes[place - first] = there.where, operation and (operation.target, operation.name)
    return _Shape(objects, tuple(processes))


def _sizes(kernel: Kernel, suspects: Sequence[int], state: Packed) -> dict[str, float]:
    """Return how large each number, and each thing with a length, of ``suspects`` is, by what people call it."""
    found: dict[str, float] = {}
    for place in suspects:
        if place < kernel.first_process:
            thing = kernel.objects[place]
            found |= _measured(str(thing), kernel.values[state[place]])
        else:
            process, point = kernel.processes[place - kernel.first_process], kernel.locals[state[place]].point
            for name, value in ({} if point is None else kernel.points.variables(point)).items():
                found |= _measured(f"{name} of {process}", value)
    return found


def _measured(name: str, value: Any) -> dict[str, float]:
    """Return how large ``value`` is, and, of a tuple, how large its items are."""
    if isinstance(value, bool) or not isinstance(value, int | float | Sized):
        return {}
    if isinstance(value, int | float):
        return {name: value}
    found: dict[str, float] = {name: len(value)}
    if isinstance(value, tuple):
        names = [f"{name}[{n}]" for n in range(len(value))]
        if hasattr(value, "_fields"):  # a value of ours, and its first field is what is in it
            return _measured(name, value[0])
        for part, inside in zip(names[:_FEW], value, strict=False):
            found |= _measured(part, inside) if isinstance(inside, int | float) else {}
    return found
