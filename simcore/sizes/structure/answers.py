"""Who waits in a queue of his own has asked for what comes, and one token at each time has still to see to it.

A download sends a request and waits in its inbox; the request is handed on, by a reader to a task and by that to
another reader, until somebody puts the answer into the inbox. The request, the task, the reader *carry* the answer, one
after the other. That is checked along every path: who carries puts it or hands it on exactly once before he ends, so
for each answer that was asked for and is not in the inbox yet, there is exactly one carrier. Whoever waits with an
empty inbox is therefore waiting for a carrier of his own, as one waits for a task. Nobody but the owner of the queue
asks for something to be put there, nobody but he takes it out, and he takes no more than he has asked for.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from simcore.sizes.structure.steps import Place, Refused, Way, Work, placed
from simcore.sizes.structure.walk import Walk


class Answers:
    """Who owns which queue, and who carries an answer to it.

    Parameters
    ----------
    walks : dict of Work to Walk
        All programs, walked without counting answers.
    processes : list of Work
        What the processes run.

    Attributes
    ----------
    owners : dict of Work to str
        Who takes things from a queue that no server empties, and from which.
    carried : dict of Work to str
        Tasks and messages that may see to it that something is put into a queue with an owner, and into which.

    Raises
    ------
    Refused
        When a queue has not one owner, or an owner not one queue; when somebody else asks for what is put there.
    """

    def __init__(self, walks: Mapping[Work, Walk], processes: Sequence[Work]) -> None:
        self._known = bool(walks)
        self.owners: dict[Work, str] = {}
        for work, walk in walks.items():
            for queue in sorted(walk.gets):
                self._own(work, queue, processes)
        found = _carried(walks, self.owners)
        for work, queues in found.items():
            if queues and work not in self.owners and not work.host:
                raise Refused(f"{work.program.name} puts into {min(queues)}, or has it done, and does not wait there")
            if len(queues) > 1:
                raise Refused(f"{work.program.name} may put into {', '.join(sorted(queues))}; one can be followed")
        for work, own in self.owners.items():
            if walks[work].puts & set(self.owners.values()) or found[work] - {own}:
                raise Refused(
                    f"{work.program.name} puts something into a queue that is emptied by itself or another one"
                )
        self.carried = {work: min(queues) for work, queues in found.items() if queues and work not in self.owners}

    def _own(self, work: Work, queue: str, processes: Sequence[Work]) -> None:
        if work.host or processes.count(work) != 1 or work in self.owners or queue in self.owners.values():
            raise Refused(f"{work.program.name} takes something from {queue}: one process has to be alone in that")
        self.owners[work] = queue

    def owed_at_first(self, work: Work) -> int:
        """Return how many answers a program has to see to when it starts."""
        return int(work in self.carried)

    def owed(self, work: Work, place: Place, way: Way) -> int:
        """Return how many are left when ``work`` goes on from ``place``; for an owner, how many are on their way."""
        on = way.puts in self.owners.values() or way.submits in self.carried
        if work in self.owners:
            return place.owes + on - bool(way.gets)
        if on and work in self.carried and not place.owes:
            raise Refused(f"{placed(place)}: it has answered, or handed that on, before")
        return place.owes - (on and work in self.carried)

    def check_wait(self, place: Place) -> None:
        """Refuse a wait for what was not asked for; it is not known what is before all was walked once."""
        if self._known and not place.owes:
            raise Refused(f"{placed(place)}: {place.point.operation} waits for what it has not asked for")

    def check_end(self, work: Work, place: Place) -> None:
        """Refuse an end before the answer was put or handed on."""
        if place.owes and work in self.carried:
            raise Refused(f"{work.program.name} may end without an answer put into {self.carried[work]}, or handed on")


def _carried(walks: Mapping[Work, Walk], owners: Mapping[Work, str]) -> dict[Work, set[str]]:
    """Return into which queues with an owner each program puts something, or what it submits or sends does."""
    owned = set(owners.values())
    found = {work: walk.puts & owned for work, walk in walks.items()}
    size = -1
    while size < (size := sum(map(len, found.values()))):
        for work, walk in walks.items():
            for _, made in walk.submits:
                found[work] |= found[made]
    return found
