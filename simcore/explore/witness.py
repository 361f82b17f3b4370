"""A counterexample is returned only after its own steps, taken again, have come to what it is said to show.

A search goes through representatives, through some orders of steps, through arrays of a compiled loop; between what
it has met and the schedule in a report stand renaming, shortening and numbering. So the schedule is followed once
more without any of that, by the kernel alone, and looked at where it ends: a process that died, an invariant that
does not hold, somebody who can never move again; for a run that goes on for ever, every state of it, that it comes
back to where it came from, and that it is fair. What does not show there is our bug, and is said to be one: a
witness that witnesses nothing would be believed. (Model checkers with certificates do the same: Namjoshi, 2001.)
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from simcore.errors import InternalError
from simcore.explain import reach
from simcore.explore.graph import Path
from simcore.explore.standstill import new_knots
from simcore.kernel import Kernel, Packed
from simcore.model import NO_FAILURE, Predicate, Property

_MOST_STATES = 10_000  # that are looked at for a step of somebody who is said to be lost


def check_end(kernel: Kernel, asked: Iterable[Property], name: str, states: Sequence[Packed], lost: int = -1) -> None:
    """Check that the last of ``states`` violates what is called ``name``; ``lost`` is who never moves or ends again.

    Raises
    ------
    InternalError
        When it does not.
    """
    last = states[-1]
    if name == NO_FAILURE:
        shown = kernel.failed(last) is not None
    elif lost >= 0:
        shown = _is_lost(kernel, last, lost, ends=any(prop.name == name and prop.kind == "finish" for prop in asked))
    else:
        shown = any(_violated(kernel, prop, last) for prop in asked if prop.name == name)
    if not shown:
        raise _none(name, f"a schedule of {len(states) - 1} steps ends in a state that does not violate it")


def check_lasso(kernel: Kernel, asked: Iterable[Property], name: str, path: Path, cycle: Path) -> None:
    """Check that the run along ``path``, and round ``cycle`` for ever after, is fair and violates ``name``.

    Raises
    ------
    InternalError
        When it does not.
    """
    states = _along(kernel, name, [*path, *cycle])
    around = states[len(path) :]
    if around[0] != around[-1]:
        raise _none(name, "a cycle does not come back to where it began")
    if not any(_avoids(kernel, prop, states) for prop in asked if prop.name == name):
        raise _none(name, "a run meets the goal that it is said to avoid")
    enabled = [{choice.process for choice in kernel.successors(state)} for state in around]
    unfair = set.intersection(*enabled) - {process for process, _ in cycle}
    if unfair:
        raise _none(name, f"{kernel.processes[min(unfair)]} could always move and never does")


def _none(name: str, why: str) -> InternalError:
    return InternalError(f"the counterexample to {name!r} is none: {why}; please report the model")


def _violated(kernel: Kernel, prop: Property, state: Packed) -> bool:
    if prop.kind == "deadlock":
        return new_knots(kernel).stuck(state, kernel.successors(state))
    return prop.predicate is not None and not prop.predicate(kernel.view(state))


def _is_lost(kernel: Kernel, state: Packed, process: int, *, ends: bool) -> bool:
    """Tell whether ``process`` must finish, and neither does nor, within a budget, is seen to move (or end) again."""
    if not kernel.process_state(state, process).owes:
        return False
    place = kernel.first_process + process

    def free(reached: Packed) -> bool:
        if ends:
            return reached[place] != state[place] and not kernel.process_state(reached, process).owes
        return bool(kernel.moves(reached, process)) or kernel.may_expire(reached, process)

    return reach(kernel, state, free, _MOST_STATES) is not True


def _along(kernel: Kernel, name: str, path: Path) -> list[Packed]:
    states = [kernel.initial]
    for process, outcome in path:
        after = kernel.step(states[-1], process, outcome)
        if after is None:
            raise _none(name, f"step {len(states)} of it cannot be taken")
        states.append(after)
    return states


def _avoids(kernel: Kernel, prop: Property, states: Sequence[Packed]) -> bool:
    """Tell whether a run that never leaves ``states`` again does not meet the goal of ``prop`` once it is due."""
    if prop.predicate is None:
        return False
    due, goal = (None, prop.predicate) if prop.then is None else (prop.predicate, prop.then)
    met = max((number for number, state in enumerate(states) if _holds(kernel, goal, state)), default=-1)
    if due is None:
        return met < 0
    return any(_holds(kernel, due, state) for state in states[met + 1 :])


def _holds(kernel: Kernel, predicate: Predicate, state: Packed) -> bool:
    return bool(predicate(kernel.view(state)))
