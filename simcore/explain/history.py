"""What has happened to each object in a run: who did what to it, and who has taken more of it than given back.

A semaphore does not know who holds its permits, and a queue not who has taken from it; the run does.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from simcore.kernel import Kernel, Packed
from simcore.model.objects import Semaphore, Task, ThreadPool
from simcore.model.operations import Operation, Raised, SharedObject


class History:
    """The operations of a run that had an effect.

    Attributes
    ----------
    did : mapping
        For each object and name of an operation, who has done it, in the order in which they came: the process, and
        the task that it ran then, or its name.
    """

    def __init__(self) -> None:
        self.did: dict[tuple[SharedObject, str], dict[tuple[str, str], None]] = {}
        self._taken: dict[SharedObject, Counter[tuple[str, str]]] = {}
        self._tasks: dict[str, str] = {}

    def note(self, process: str, operation: Operation, result: object) -> None:
        """Note that ``process`` has done ``operation``, in the order of the run."""
        if isinstance(result, Raised) or result is False:
            return
        target = operation.target
        who = process, self._tasks.get(process, process)
        self.did.setdefault((target, operation.name), {})[who] = None
        if isinstance(target, ThreadPool) and isinstance(result, Task):
            self._tasks[process] = str(result)
        if isinstance(target, Semaphore) and operation.name in ("acquire", "release"):
            more = 1 if operation.name == "acquire" else -operation.args[0]
            self._count(self._taken.setdefault(target, Counter()), process, more)

    def _count(self, taken: Counter[tuple[str, str]], process: str, more: int) -> None:
        """Count permits for what the process is in; those that it gives back are the latest ones that it took."""
        if more > 0:
            taken[process, self._words(process)] += more
            return
        for key in [key for key in reversed(taken) if key[0] == process]:
            given = min(taken[key], -more)
            taken[key] -= given
            more += given
        taken[process, ""] += more  # somebody else's

    def _words(self, process: str) -> str:
        task = self._tasks.get(process)
        return process if task is None else f"{task} on {process}"

    def holders(self, semaphore: Semaphore, free: int) -> tuple[tuple[str, str], ...]:
        """Return who holds its permits, and the same in words; nobody where permits were given back for others."""
        taken = {key: count for key, count in self._taken.get(semaphore, {}).items() if count}
        if any(count < 0 for count in taken.values()) or sum(taken.values()) != semaphore.n - free:
            return ()
        return tuple((name, f"{words} ({count})" if count > 1 else words) for (name, words), count in taken.items())


def history_of(kernel: Kernel, path: Iterable[tuple[int, int]]) -> tuple[Packed, History]:
    """Return the state that ``path`` leads to, and what happened on it."""
    state, history = kernel.initial, History()
    for process, outcome in path:
        operation = kernel.operation(state, process)
        assert operation is not None
        history.note(kernel.processes[process].name, operation, kernel.result(state, process, outcome))
        following = kernel.step(state, process, outcome)
        assert following is not None
        state = following
    return state, history
