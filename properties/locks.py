"""A lock is taken once, and all locks in one order: who breaks either can wait for ever."""

from __future__ import annotations

from collections.abc import Iterator
from weakref import WeakKeyDictionary

from simcore import Model, ProcessState, Property, State, always
from simcore.model.objects import Condition, Lock, RLock


def no_self_deadlock() -> Property:
    """Require that no process waits for a lock that it holds itself.

    An invariant. Deadlock freedom does not see it while a time-out of the acquire is pending, nor, where a search
    takes samples only, in a daemon. It comes from NVFlare #4204: `RxTask.stop` takes the lock of the map of receive
    tasks, and an error frame called it with that lock held.
    """

    def nobody(state: State) -> bool:
        return not any(wanted in held(state, process) for process, wanted in acquiring(state))

    return always(nobody, "no process waits for a lock that it holds itself")


def lock_order_acyclic() -> Property:
    """Require that the locks have an order in which every process acquires them.

    The graph has an edge from each lock that a process holds to each other one that it is about to acquire; a cycle
    of two or more locks is a deadlock that needs only the right moment, even if no explored run meets it. It comes
    from NVFlare's `RxTask.lock` and `RxTask.map_lock`, which a chunk's handler takes in this order.

    No single state shows the graph, so the property remembers, for each model that it is asked about, the edges of
    the states that it has been shown, and a state violates it when one of *its own* edges lies on a cycle of what is
    remembered. After a whole search that is the graph of all reachable states, whatever the order in which they
    came: the verdict is as good as an invariant's. But the counterexample leads to one edge of the cycle, the last
    one that was met. The other edges may be from other runs, so replaying that schedule alone need not violate.
    A lock that is waited for by its own holder is `no_self_deadlock`'s.
    """
    remembered: WeakKeyDictionary[Model, dict[str, set[str]]] = WeakKeyDictionary()

    def acyclic(state: State) -> bool:
        edges = {(lock.name, wanted.name) for process, wanted in acquiring(state) for lock in held(state, process)}
        order = remembered.setdefault(state.model, {})
        for first, second in edges:
            if first != second:
                order.setdefault(first, set()).add(second)
        return not any(first != second and _leads(order, second, first) for first, second in edges)

    return always(acyclic, "locks are acquired in one order")


def acquiring(state: State) -> Iterator[tuple[ProcessState, Lock]]:
    """Return each process that is about to acquire a lock, and will wait for it if it must."""
    for process in state.processes:
        operation = process.operation
        if operation is None:
            continue
        target = operation.target
        if isinstance(target, Condition) and operation.name == "reacquire":
            yield process, target.lock
        elif isinstance(target, Lock) and operation.name == "acquire" and operation.args == (True,):
            again = isinstance(target, RLock) and target in held(state, process)
            if not again:
                yield process, target


def held(state: State, process: ProcessState) -> list[Lock]:
    """Return the locks that ``process`` holds."""
    locks = [thing for thing in state.values if isinstance(thing, Lock)]
    return [lock for lock in locks if state.values[lock].owner is process.process]  # type: ignore[attr-defined]


def _leads(order: dict[str, set[str]], start: str, goal: str) -> bool:
    """Tell whether there is a way from ``start`` to ``goal``."""
    seen, reached = {start}, [start]
    while reached:
        for following in order.get(reached.pop(), set()) - seen:
            seen.add(following)
            reached.append(following)
    return goal in seen
