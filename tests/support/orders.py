"""How what is met in one order of steps is compared with what is met in all of them."""

import re
import sys
from contextlib import contextmanager
from random import Random
from unittest.mock import patch

from simcore import explore
from simcore.explore.limits import Limits
from simcore.explore.reduction import NotSymmetric, PartialOrder, Symmetry
from simcore.explore.reduction.colours import mixed
from simcore.explore.reduction.components import Components
from simcore.explore.search import Search, Unjustified
from simcore.kernel import Kernel
from simcore.model import Watched

TIMEOUTS = ["never", "when_stuck", "in_order", "anytime"]


def point(kernel, process, local):
    """Return where a process stands, without the numbers of names; None on the way of a result to its future.

    A task that has returned sets its future, or, when that is lost before, is over at once: both orders end alike.
    """
    known = kernel.locals[local]
    who = kernel.processes[process]
    if known.task is not None and known.status != "ready":
        return None
    operation = kernel.about(local)
    where = "" if known.point is None else known.point.where
    return re.sub(r"\d+", "*", f"{who.pool or who.name} {known.status} {operation and operation.name} {where}")


components_module = sys.modules[Components.__module__]


@contextmanager
def other_orders(seed):
    """Try parts of steps, and put names for representatives, in another order; None leaves them as they are."""
    if seed is None:
        yield
        return
    parts, shuffled, mask = PartialOrder.parts, Random(seed), mixed(seed)

    def in_any_order(self, state, choices):
        found = list(parts(self, state, choices))
        shuffled.shuffle(found)
        return iter(found)

    other_names = patch.object(components_module, "mixed", lambda number: mixed(number ^ mask))
    with patch.object(PartialOrder, "parts", in_any_order), other_names:
        yield


def walked(kernel, symmetry, partial_order, limit):
    search = Search(kernel, (), symmetry, Limits(limit, None), None, Watched() if partial_order else None)
    search.wrong_in = lambda state: None
    search.walk(search.space, depth_first=False)
    return search


def space_of(kernel, partial_order, limit, names=True):
    """Walk all states, again where that turns out to be needed, and return them with the symmetry in use."""
    apart = {}
    while True:
        symmetry = Symmetry(kernel, names, apart)
        try:
            search = walked(kernel, symmetry, partial_order, limit)
        except NotSymmetric as found:
            apart = {**symmetry.apart, found.family: found.reason}
            continue
        except Unjustified:
            continue
        if not partial_order or search.partial_order.justified():
            return search.space, symmetry


def met(kernel, space):
    """Return the states without steps, and the program points, of what a search has met."""
    first = kernel.first_process
    locals_ = {(p, n) for s in space.states for p, n in enumerate(s[first : kernel.first_future])}
    ends = [state for state in space.states if not kernel.successors(state)]
    return ends, {point(kernel, process, local) for process, local in locals_} - {None}


def compare(model, timeouts="when_stuck", limit=None, names=True, seed=None):
    """Insist on the same end states, up to symmetry, and the same program points; return how many states each met.

    With a ``seed`` parts of steps are tried, and representatives chosen, in another order.
    """
    with other_orders(seed):
        return compared(Kernel(model, timeouts), limit, names)


def compared(kernel, limit, names):
    reduced, _ = space_of(kernel, True, limit, names)  # before the full space: that would teach it everything
    full, symmetry = space_of(kernel, False, limit, names)
    few, all_ = met(kernel, reduced), met(kernel, full)
    assert few[1] == all_[1]
    assert set(map(symmetry.representative, few[0])) == set(map(symmetry.representative, all_[0]))
    assert len(reduced.states) <= len(full.states)
    return len(reduced.states), len(full.states)


def agree(model, *properties, **options):
    """Insist on one answer, whichever reductions are on; return the verdict."""
    results = [
        explore(model, *properties, symmetry=names, partial_order=order, **options)
        for names in (False, True)
        for order in (False, True)
    ]
    assert len({(result.verdict, result.property) for result in results}) == 1
    return results[0].verdict
