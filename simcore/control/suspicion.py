"""Somebody can never go on, although time goes on for others: known where it is a fact, or where it was tried.

Where nothing can move and no time-out is left, everybody who waits, waits for ever; nothing has to be known of anybody.
Those who were suspected before, and have not moved since, were lost then already, or so it is guessed: that is told,
and not the rest. Beside pollers and heartbeats there is always a next time-out. There the wait-for graph is asked. If
all that it says of those who seem lost is fact, they are. If of one it is not known who might help him, he is not
suspected, unless none but pollers have moved for some time, and nobody comes to what he waits for by any reference.
What is left is a suspicion: the others are let run on, for 3,000 steps or an hour of virtual time,
and until each of those who waited for time has taken three steps; if nobody who is suspected has moved by then, they
are given up.

That is one order, and whoever comes later than that comes. So where it is no fact it is not told before it was tried in
others: from where they are said to be lost, the others run on in several orders, for as many steps as a run may have.
Where one of the suspects moves in any of these, nobody in this program is suspected any more, but on facts.
"""

from __future__ import annotations

from simcore.control.baton import Known, Run
from simcore.control.live import Reader
from simcore.control.thread import ControlledThread

STEPS, SECONDS, TIMES = 3_000, 3_600.0, 3
STILL = 50
"""After how many time-outs, while nobody moved who has no limit, it is asked whether anybody might help at all."""


class Suspicion:
    """Asked by a run where only time-outs could fire, or nothing at all.

    Parameters
    ----------
    known : Known
        Who was seen to end which waits.
    facts : bool
        Whether nobody is suspected but on facts.

    Attributes
    ----------
    lost : set of str
        The paths of those who can never go on, once that is known.
    since : int
        Steps after which they were lost.
    guess : bool
        Whether that is no fact.
    """

    def __init__(self, known: Known, *, facts: bool) -> None:
        self.lost: frozenset[str] = frozenset()
        self.since = 0
        self.guess = False
        self._known, self._facts = known, facts
        self._suspects: dict[ControlledThread, int] = {}
        self._others: dict[ControlledThread, int] = {}
        self._seconds = 0.0
        self._asked: tuple[tuple[int, int], ...] = ()
        self._asked_at = 0, 0.0
        self._times = 0

    def __call__(self, run: Run, over: bool) -> bool:
        """Tell whether somebody who must finish can never go on; whoever waits cannot where all is ``over``."""
        if self._suspects:
            if any(thread.done or thread.steps != steps for thread, steps in self._suspects.items()):
                self._suspects = {}
            elif over or self._long_enough(run):
                self.lost, self.guess = frozenset(thread.path for thread in self._suspects), True
            return over or bool(self.lost)
        if over:
            return True
        asked = tuple((thread.number, thread.steps) for thread in run.live if not run.timed(thread))
        if asked != self._asked:
            self._asked, self._asked_at, self._times = asked, (len(run.taken), run.now), 0
        self._times += 1
        if self._times not in (1, STILL):
            return False
        reader = Reader(run, self._known, named=False, at_all=self._times == STILL)
        dead = reader.dead()
        names = frozenset(actor.name for actor in dead)
        fact = names <= reader.exact
        if not any(actor.must_finish for actor in dead) or (self._facts and not fact):
            return False
        self._suspects = {thread: thread.steps for thread in run.live if reader.names.thread(thread) in names}
        self._others = {t: t.steps for t in run.live if t not in self._suspects and run.timed(t)}
        self.since, self._seconds = self._asked_at
        if fact:
            self.lost = frozenset(thread.path for thread in self._suspects)
        return bool(self.lost)

    def _long_enough(self, run: Run) -> bool:
        """Tell whether the others have had the time, and the turns, to help those who are suspected."""
        passed = len(run.taken) - self.since > STEPS or run.now - self._seconds > SECONDS
        return passed and all(thread.done or thread.steps - steps >= TIMES for thread, steps in self._others.items())


class Expectation:
    """In the place of a suspicion, where a schedule is followed of which it is known who is lost at its end.

    Whoever knows more by now might suspect somebody earlier, and the run that is told would end before the one that was
    found.
    """

    guess = False

    def __init__(self, lost: frozenset[str], since: int) -> None:
        self.lost, self.since = lost, since

    def __call__(self, run: Run, over: bool) -> bool:
        """Tell whether the end of the schedule is reached, and those who were lost wait; or all, if nobody was."""
        waiting = {thread.path for thread in run.live if thread.ready is not None and not run.timed(thread)}
        return over or (len(run.taken) >= self.since and frozenset() < self.lost <= waiting)
