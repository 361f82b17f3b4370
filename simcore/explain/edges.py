"""What a wait-for graph is made of: values with names, whoever they are read from.

A model's state gives them (`reading.py`); so may the live objects of a real run, and the user's own code. Who waits and
what is waited for need no more than the two protocols below.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple, Protocol


class Thing(Protocol):
    """What can be waited for: a lock, a queue, a future."""

    @property
    def name(self) -> str:
        """Its name, of which there is one."""

    @property
    def kind(self) -> str:
        """What it is: "lock", "queue"."""


class Actor(Protocol):
    """Who can wait: a process of a model, a thread of a program."""

    @property
    def name(self) -> str:
        """Its name, of which there is one."""

    @property
    def what(self) -> str:
        """The task that it runs, or its name."""

    @property
    def status(self) -> str:
        """One of "enabled", "blocked", "idle", "done", "failed"."""

    @property
    def owes(self) -> bool:
        """Whether it must still finish."""

    @property
    def must_finish(self) -> bool:
        """Whether the run is not complete before it has finished, even if it has: no daemon, no idle worker."""

    @property
    def worker_of(self) -> str:
        """The name of the pool whose worker it is; empty when it is none."""


class Did(NamedTuple):
    """Who has done, in a run, what would end a wait.

    Attributes
    ----------
    actor, what : str
        Who, and the task that it ran then, or its name again.
    steps : tuple of int
        At which steps of the run, from 1; empty where they are not numbered.
    """

    actor: str
    what: str
    steps: tuple[int, ...] = ()


@dataclass(frozen=True)
class Why:
    """The facts about one wait, in words that make a sentence.

    Attributes
    ----------
    wants : str
        Behind "waits": "to put into queue", "for lock".
    standing : str
        How full it is: "full (1/1)"; empty where that goes without saying.
    ends : tuple of str
        What would end it: "take from it", "takes from it", "taken from it".
    holders : tuple of (actor, words)
        Who holds what is waited for, or runs what sets it.
    holding : str
        How they hold it: "held by", "which runs on"; empty where what is wanted says it.
    did : tuple of Did, optional
        Who has done so far what would end it, in all that happened; None where that is not known.
    missed : str
        What became of the last of that, where it did not end this wait: "nobody waited for that of step 4".
    """

    wants: str
    standing: str = ""
    ends: tuple[str, str, str] = ("end it", "ends it", "ended it")
    holders: tuple[tuple[str, str], ...] = ()
    holding: str = "held by"
    did: tuple[Did, ...] | None = None
    missed: str = ""


@dataclass(frozen=True)
class Edge:
    """One process waits for an object; all names.

    Attributes
    ----------
    helpers : tuple of str
        Any of these processes could end the wait; the workers of a pool where a queued task would end it included.
    through : tuple of (process, pools)
        Any of them could, by submitting a task that some worker of those pools must then run.
    queued : tuple of (task, pool)
        The queued tasks that would end it, where nobody holds what is waited for.
    """

    process: Actor
    target: Thing
    helpers: tuple[str, ...]
    why: Why
    through: tuple[tuple[str, tuple[str, ...]], ...] = ()
    queued: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Pool:
    """A pool, the names of its workers, and who may submit to it."""

    name: str
    workers: tuple[str, ...]
    submitters: tuple[str, ...] = ()


@dataclass(frozen=True)
class Slots:
    """How much of something is in use, of how much (None is without limit), and by what."""

    name: str
    kind: str
    used: int
    limit: int | None
    by: str = ""
