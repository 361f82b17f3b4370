"""A walk is what one program may do: its places, and where each leads."""

from __future__ import annotations

from dataclasses import dataclass, field

from simcore.sizes.structure.steps import Place, Wait, Work


@dataclass(eq=False)
class Walk:
    """All places of a program, each with what it waits for and where it leads.

    Attributes
    ----------
    starts : int
        The first so many places are where it starts; there are several where a server may be in several states.
    places : list of Place
        In the order in which they were met.
    ended : list of bool
        Whether the program has come to its end there.
    waits : list
        What each waits for; None where it never waits.
    after : list of list of int
        Where each leads.
    submits : list of (int, Work)
        The places that submit a task or send a message, and which.
    puts : set of str
        Queues that no server empties, in which it puts something.
    gets : set of str
        Those from which it takes something.
    drops : set of Work
        Tasks whose futures are forgotten somewhere before they are known to have ended, and messages.
    """

    starts: int = 1
    places: list[Place] = field(default_factory=list)
    ended: list[bool] = field(default_factory=list)
    waits: list[Wait] = field(default_factory=list)
    after: list[list[int]] = field(default_factory=list)
    submits: list[tuple[int, Work]] = field(default_factory=list)
    puts: set[str] = field(default_factory=set)
    gets: set[str] = field(default_factory=set)
    drops: set[Work] = field(default_factory=set)
