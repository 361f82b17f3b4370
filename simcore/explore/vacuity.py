"""What holds of a model that does nothing says nothing: with *holds* goes what was never reached in the whole space.

A process that never takes a step, a pool that is given no task, a fault that nobody injects, a time-out that never
fires, a premise that is never true: each may be meant, and each may be why nothing was found. It is said only where it
is so for every run: of deeds, as `deeds.py` argues, with reductions on, too; of time-outs, from the steps that the
search has followed, where it kept them; of a premise, in the states that were met, which are all of them unless steps
were left out: then the search begins again with all.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from simcore.explore.deeds import Deeds
from simcore.kernel import SLEEPS, Kernel
from simcore.model import Predicate, Property

_NUMBER = re.compile(r"\[\d+\]|(?<=^future)#\d+$")

MOST_EDGES = 300_000
"""Steps that are looked at for time-outs that fire."""


def never_reached(kernel: Kernel, deeds: Deeds) -> Iterator[str]:
    """Yield what never happened: who never moved, what was never used, which faults were never injected."""
    for process in kernel.processes:
        waits = process.pool is None and kernel.operation(kernel.initial, process.index) is not None
        if waits and not deeds.any_by(process):
            yield f"a step of {process}"
    for pool, _ in kernel.model.pools():
        if not deeds.any_of(pool, {"submit"}):
            yield f"a task in {pool}"
    for process in kernel.processes:
        at_first = kernel.process_state(kernel.initial, process.index)
        links = [thing for thing in kernel.objects if thing.kind == "link"]
        if (
            links
            and "reset" in at_first.mentions
            and not any(deeds.include(process, link, {"reset"}) for link in links)
        ):
            yield f"a reset by {process}"


def never_fired(kernel: Kernel, space: Any) -> list[str]:
    """Return the time-outs that never fire in a ``space`` that has been searched, by the line that waits.

    One line may wait for one object after another: where it gives up on any of them, its time-out fires.
    """
    timed = {
        number
        for number in range(len(kernel.locals))
        if (operation := kernel.about(number)) is not None
        and operation.timeout
        and operation.timeout > 0
        and operation.name not in SLEEPS
    }
    if not timed or kernel.timeouts == "never" or space.transitions > MOST_EDGES:
        return []
    graph = space.graph
    targets: dict[tuple[str, str], dict[str, None]] = {}
    fired = set()
    for number, state in enumerate(space.states):
        for edge in graph.edges(number):
            process, outcome = graph.processes[edge], graph.outcomes[edge]
            if state[kernel.first_process + process] in timed:
                operation = kernel.operation(state, process)
                assert operation is not None
                name = operation.target.spelled.get(operation.name, operation.name)
                place = name, kernel.process_state(state, process).where  # the same for every object there
                targets.setdefault(place, {})[_NUMBER.sub(_alike, operation.target.name)] = None
                if outcome >= len(kernel.moves(state, process)):
                    fired.add(place)
    return [
        f"the time-out of {', '.join(f'{target}.{name}' for target in met)} in {where}"
        for (name, where), met in targets.items()
        if (name, where) not in fired
    ]


def _alike(number: re.Match[str]) -> str:
    """Return what stands for the number of a name: "[*]" in a family, nothing for a future that a submit has made."""
    return "[*]" if number[0].startswith("[") else ""


def premise_of(prop: Property) -> Predicate | None:
    """Return the predicate that must be true before ``prop`` asks for anything; None where it always asks."""
    return prop.predicate if prop.kind == "leads_to" else prop.premise
