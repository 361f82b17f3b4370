"""A future that a submit has made is called by its task: its number is that of a place, which others have had before.

As an argument of a task it keeps its number, or the name of that task would be another one in each place.
"""

from __future__ import annotations

import re

from simcore.kernel import FREE, Kernel, Packed

_FUTURE = re.compile(r"(?<!\()(?<!, )(?:the result of )?(?<!\w)future#(\d+)\b(?:\.(?:result|exception)\(\))?")


class Tasks:
    """Which task sets which of the futures that submits have made, along a path.

    Parameters
    ----------
    kernel : Kernel
        That takes the steps.
    """

    def __init__(self, kernel: Kernel) -> None:
        self._kernel = kernel
        self._of: dict[int, str] = {}
        names = [thing.name for thing in kernel.model.named] + [process.name for process in kernel.model.processes]
        self._apart = not any(map(_FUTURE.search, names))  # else a user's own would be meant

    def after(self, before: Packed, state: Packed) -> None:
        """Note what was submitted by the step from ``before`` to ``state``."""
        first = self._kernel.first_future
        if state[first:] == before[first:]:  # as after most steps, of which a long run has many
            return
        for place in range(first, len(state)):
            if state[place] != FREE and (place >= len(before) or before[place] == FREE):
                found = self._kernel.view(state).task_of(self._kernel.future(place - first))
                if found is not None:
                    self._of[place - first] = str(found[1])

    def named(self, words: str) -> str:
        """Return ``words`` with "the result of read()" in place of "future#0"."""
        return _FUTURE.sub(self._task, words) if self._apart and "future#" in words else words

    def _task(self, found: re.Match[str]) -> str:
        task = self._of.get(int(found[1]))
        return found[0] if task is None else f"the result of {task}"
