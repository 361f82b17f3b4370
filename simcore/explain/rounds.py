"""What is repeated for ever, and who is left out: facts of the states that a cycle of steps passes through.

Somebody who must finish and takes no step of the cycle is either never able to, or able to at times and passed over
each time. Nothing forces his turn then: weak fairness gives one to whoever could move all the while, to no other.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

from simcore.explain.reading import wait_for_graph
from simcore.explain.summary import pattern, summary
from simcore.kernel import Kernel, Packed
from simcore.model import Process


def left_out(kernel: Kernel, around: Sequence[Packed], movers: Collection[str], told: Collection[str]) -> list[str]:
    """Say of everybody who must finish and takes no step of a cycle what keeps him.

    Parameters
    ----------
    around : sequence of state
        The states of the cycle, from the first one on; the last step leads back to it, which is not listed again.
    movers : collection of str
        Who takes the steps, by name.
    told : collection of str
        Of whom it is told already why they wait for ever.

    Returns
    -------
    list of str
        A heading and lines, or nothing.
    """
    others = [
        process
        for process in kernel.processes
        if process.name not in movers
        and process.name not in told
        and kernel.process_state(around[0], process.index).owes
    ]
    reasons: dict[str, list[tuple[str, str]]] = {}
    for process in others:
        who, why = _kept(kernel, around, process)
        reasons.setdefault(pattern(why), []).append((who, why))
    lines = ["left out for ever:"] * bool(reasons)
    for group in reasons.values():
        waits = "waits" if len(group) == 1 else "wait"
        lines.append(f"  {summary(who for who, _ in group)} {waits} {summary(dict.fromkeys(why for _, why in group))}")
    return lines


def repeats(movers: Iterable[str]) -> str:
    """Say who repeats how many steps."""
    steps = list(movers)
    names = list(dict.fromkeys(steps))
    how = "the same step" if len(steps) == 1 else f"the same {len(steps)} steps"
    return f"{summary(names)} {'repeats' if len(names) == 1 else 'repeat'} {how}"


def _kept(kernel: Kernel, around: Sequence[Packed], process: Process) -> tuple[str, str]:
    """Return who takes no step in a cycle, and behind "waits" what for, and how often he could have gone on."""
    index = process.index
    state = kernel.process_state(around[0], index)
    could = [any(choice.process == index for choice in kernel.successors(each)) for each in around]
    graphs = [wait_for_graph(kernel.view(each)) for each, can in zip(around, could, strict=True) if not can]
    edges = [edge for graph in graphs for edge in graph.edges if edge.process.name == process.name]
    assert state.operation is not None
    wants = edges[0].why.wants if edges else state.operation.target.wants(state.operation).wants
    if any(could):
        times = f"{sum(could)} of the {len(could)} states"
        fair = "a turn is promised only to who could in all of them (weak fairness)"
        return state.what, f"{wants}: it could go on in {times} of that round, and another one is quicker; {fair}"
    holders = {edge.why.holders for edge in edges}
    held = ", ".join(words for _, words in edges[0].why.holders) if len(holders) == 1 else ""
    told = f", {edges[0].why.holding} {held}" if held and edges[0].why.holding else ""
    return state.what, f"{wants} all the while{told}"
