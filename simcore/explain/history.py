"""What has happened to each object in a run: who did what to it, and who has taken more of it than given back.

A semaphore does not know who holds its permits, a queue not who has taken from it, and a condition not that it was
notified when nobody waited; the run does.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import NamedTuple

from simcore.explain.edges import Did
from simcore.explain.missed import cleared, too_early
from simcore.explain.summary import summary
from simcore.kernel import Kernel, Packed
from simcore.model.objects import Condition, Event, Semaphore, Task, ThreadPool
from simcore.model.operations import Operation, Raised, SharedObject


class Woken(NamedTuple):
    """At which step a condition was notified, and whom that has woken."""

    step: int
    who: tuple[str, ...]


class History:
    """The operations of a run that had an effect."""

    def __init__(self) -> None:
        self._did: dict[tuple[SharedObject, str], dict[tuple[str, str], list[int]]] = {}
        self._woken: dict[SharedObject, list[Woken]] = {}
        self._last: dict[str, int] = {}
        self._taken: dict[SharedObject, Counter[tuple[str, str]]] = {}
        self._tasks: dict[str, str] = {}

    def note(
        self, process: str, operation: Operation, result: object, step: int = 0, woken: tuple[str, ...] | None = None
    ) -> None:
        """Note that ``process`` has done ``operation``, in the order of the run.

        Parameters
        ----------
        result : object
            What it gave.
        step : int
            Its number, from 1; 0 where steps are not numbered.
        woken : tuple of str, optional
            Whom it has woken, of a condition; None where that is not known.
        """
        self._last[process] = step
        if isinstance(result, Raised) or result is False:
            return
        target = operation.target
        who = process, self._tasks.get(process, process)
        self._did.setdefault((target, operation.name), {}).setdefault(who, []).extend([step] * bool(step))
        if woken is not None:
            self._woken.setdefault(target, []).append(Woken(step, woken))
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

    def did(self, target: SharedObject, names: Iterable[str]) -> tuple[Did, ...]:
        """Return who has done one of the operations ``names`` on ``target``."""
        found: dict[tuple[str, str], list[int]] = {}
        for name in names:
            for who, steps in self._did.get((target, name), {}).items():
                found.setdefault(who, []).extend(steps)
        return tuple(Did(*who, tuple(sorted(steps))) for who, steps in found.items())

    def missed(self, process: str, what: str, target: SharedObject) -> str:
        """Say what became of the last step that would have ended the wait of ``process``, which is in ``what``.

        Empty where that is not known, or goes without saying.
        """
        if isinstance(target, Event):
            return cleared(self.did(target, ["set"]), self.did(target, ["clear"]))
        since = self._last.get(process, 0)
        if not isinstance(target, Condition) or not since or target not in self._woken:
            return ""
        step, who = self._woken[target][-1]
        if process in who:
            return f"step {step} woke {what}, which waits again since step {since}"
        return f"step {step} woke {summary(who)}" if who else too_early(step, what, since)

    def holders(self, semaphore: Semaphore, free: int) -> tuple[tuple[str, str], ...]:
        """Return who holds its permits, and the same in words; nobody where permits were given back for others."""
        taken = {key: count for key, count in self._taken.get(semaphore, {}).items() if count}
        if any(count < 0 for count in taken.values()) or sum(taken.values()) != semaphore.n - free:
            return ()
        return tuple((name, f"{words} ({count})" if count > 1 else words) for (name, words), count in taken.items())


def history_of(kernel: Kernel, path: Iterable[tuple[int, int]]) -> tuple[Packed, History]:
    """Return the state that ``path`` leads to, and what happened on it."""
    state, history = kernel.initial, History()
    for step, (process, outcome) in enumerate(path, 1):
        operation = kernel.operation(state, process)
        assert operation is not None
        who, target, woken = kernel.processes[process], operation.target, None
        if isinstance(target, Condition) and operation.name in ("notify", "notify_all"):
            woken = target.woken(kernel.values[state[target.index]], operation, who)
        history.note(who.name, operation, kernel.result(state, process, outcome), step, woken)
        following = kernel.step(state, process, outcome)
        assert following is not None
        state = following
    return state, history
