"""Nobody waits for ever, and everybody can still end: the two questions about hangs.

They differ for a process that goes on for ever without getting anywhere: it is never stuck, and never ends.
"""

from __future__ import annotations

from simcore import Property


def deadlock_free() -> Property:
    """Require that no process which must still finish can ever get into a place where it never moves again.

    A safety property, and what every driver asks when it is asked nothing. A process that is not a daemon must
    finish, and so must a task that a pool's worker runs; an idle worker and a daemon may wait for ever. But daemons
    that are in the middle of something and wait for each other alone, where nobody else could help them, are a
    knot of servers, which a search of the whole space finds (`simcore/explore/servers.py` says when). It comes from
    the download hang of NVFlare 2.7.1 (#4171), where all stream workers wait for queued tasks.
    """
    return Property("deadlock free", "deadlock")


def no_stuck_subset() -> Property:
    """Require that from every reachable state each process that is not a daemon can still end.

    About what can follow each state (AG EF, in the words of branching time), so it is decided on the whole
    graph, breadth-first. It sees what a heartbeat hides, a process that can only spin as well as one that only
    waits. It comes from the stream handlers of NVFlare, which poll while the rest of the node is stuck.
    """
    return Property("no stuck subset", "finish")
