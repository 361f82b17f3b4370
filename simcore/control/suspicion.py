"""Somebody can never go on, although time goes on for others: known where it is a fact, or where it was tried.

Where nothing can move and no time-out is left, everybody who waits, waits for ever; nothing has to be known of anybody.
Beside pollers and heartbeats there is always a next time-out. There the wait-for graph is asked. If all that it says of
those who seem lost is fact, they are. Everything else is a suspicion: the others are let run on, for 3,000 steps or an
hour of virtual time, and only if nobody who is suspected has moved by then, it is told. Two false knots have taught
this: of a module's globals, which everybody reaches, and of the import lock.
"""

from __future__ import annotations

from simcore.control.baton import ControlledThread, Run
from simcore.control.live import Reader

STEPS, SECONDS = 3_000, 3_600.0


class Suspicion:
    """Asked by a run where only time-outs could fire.

    Attributes
    ----------
    lost : set of str
        Who can never go on, once that is known.
    """

    def __init__(self) -> None:
        self.lost: frozenset[str] = frozenset()
        self._suspects: dict[ControlledThread, int] = {}
        self._names: frozenset[str] = frozenset()
        self._since = 0, 0.0
        self._asked: tuple[tuple[int, int], ...] = ()

    def __call__(self, run: Run) -> bool:
        """Tell whether somebody who must finish can never go on."""
        if self._suspects:
            if all(not thread.done and thread.steps == steps for thread, steps in self._suspects.items()):
                steps, seconds = self._since
                if len(run.taken) - steps > STEPS or run.now - seconds > SECONDS:
                    self.lost = self._names
                return bool(self.lost)
            self._suspects = {}
        asked = tuple((thread.number, thread.steps) for thread in run.live if thread.deadline is None)
        if asked == self._asked:
            return False
        self._asked = asked
        reader = Reader(run)
        dead = [edge.process for edge in reader.graph().dead if edge.process.status == "blocked"]
        if not any(actor.must_finish for actor in dead):
            return False
        names = frozenset(actor.name for actor in dead)
        if names <= reader.exact:
            self.lost = names
            return True
        self._suspects = {thread: thread.steps for thread in run.live if reader.actor(thread).name in names}
        self._names, self._since = names, (len(run.taken), run.now)
        return False
