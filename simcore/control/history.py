"""What one run of the code did, as data: who performed which operation, on what, in which order.

It holds names and numbers, and no object of the program; so it can be kept, and sent to another process. Operations are
called as in steps (``Queue.put``). An actor is a thread, or a task of a pool, whichever worker runs it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import NamedTuple

from simcore.control.counterparts import TOGETHER
from simcore.model import Timeouts

NEVER = -1
"""The position of what did not happen in the run."""

OLD = "old "
"""What the key of an object begins with of which it was not seen who has made it: the next run may have another one."""


class Met(NamedTuple):
    """An object that was met.

    Attributes
    ----------
    key : str
        The same in each run in which the threads do the same.
    name : str
        What a reader calls it; different for different objects.
    kind : str
        Its type: "Lock", "Queue", "ThreadPoolExecutor".
    size : int, optional
        The workers of a pool, the places of a queue, the permits of a semaphore.
    inside : str
        The key of the lock of a condition, or of a queue; of a thread, as an actor.
    before : str
        What it held when it was met, where that is not what it holds when it is made.
    """

    key: str
    name: str
    kind: str
    size: int | None = None
    inside: str = ""
    before: str = ""


class Call(NamedTuple):
    """An operation.

    Attributes
    ----------
    actor : str
        Whose, by key.
    operation : str
        As in steps: "Queue.put".
    thing : str
        The key of the object.
    place : str
        The line of the program.
    began, ended : int
        At which of all that was done in the run; `NEVER` where it did not come to that.
    limit : float, optional
        For how long it would have waited, in seconds.
    how : str
        "late" where its time was up, "in vain" where it did not wait and did not get anything, "refused" where the
        object raised an exception and did nothing; else empty.
    extra : str
        The key of the task that it has submitted; or its argument.
    retried : bool
        Whether it is a wait in a loop that tests something.
    """

    actor: str
    operation: str
    thing: str
    place: str
    began: int
    ended: int
    limit: float | None = None
    how: str = ""
    extra: str = ""
    retried: bool = False

    @property
    def in_vain(self) -> str:
        """How it has come to nothing, in words behind its own; empty where it has not."""
        if self.how == "refused":
            return " that was refused"
        return f" that gave up after {self.limit:g} s" if self.how and self.limit is not None else ""

    @property
    def until_true(self) -> bool:
        """Whether it goes on until something is true: where its time was up, the program may have given that up."""
        return self.retried and self.how != "late"


class Actor(NamedTuple):
    """A thread or a task.

    Attributes
    ----------
    key : str
        The same in each run in which the threads do the same; that of the future, for a task.
    name : str
        Of the thread; of a task that was not begun, none.
    role : str
        The function that it runs.
    pool : str
        The key of the pool, for a task.
    daemon : bool
        Whether the run may end while it goes on.
    begun, ended : bool
        Whether it did that in the run.
    """

    key: str
    name: str
    role: str
    pool: str = ""
    daemon: bool = False
    begun: bool = True
    ended: bool = True


@dataclass(frozen=True)
class History:
    """What one run did.

    Attributes
    ----------
    name : str
        What was run.
    how : str
        How it ended: "completed", "deadlock", "failed".
    timeouts : str
        Which time-outs fired.
    things : sequence of Met
        The objects that were met.
    actors : sequence of Actor
        Threads and tasks, in the order in which they came.
    calls : sequence of Call
        In the order in which they began.
    cut : bool
        Whether there were more calls than are kept.
    """

    name: str
    how: str
    timeouts: Timeouts
    things: Sequence[Met] = ()
    actors: Sequence[Actor] = ()
    calls: Sequence[Call] = ()
    cut: bool = False

    def thing(self, key: str) -> Met | None:
        """Return an object by its key."""
        return next((each for each in self.things if each.key == key), None)

    def in_words(self, call: Call) -> str:
        """Say of a call that never ended who waits in what, and where."""
        actor, thing = next(each for each in self.actors if each.key == call.actor), self.thing(call.thing)
        who = actor.role if actor.pool else actor.name
        what = call.operation + (f" of {thing.name}" if thing is not None and thing.name else "")
        return f"{who} waits in {what}" + (f" at {call.place}" if call.place else "")

    @cached_property
    def cancelled(self) -> set[str]:
        """The keys of the futures that were cancelled."""
        return {call.thing for call in self.calls if call.operation == "Future.cancel"}

    @cached_property
    def inner_locks(self) -> dict[str, Met]:
        """The queues whose own lock the program takes, too, by the key of that: operations of models take none."""
        return {each.inside: each for each in self.things if each.kind.endswith("Queue") and self.thing(each.inside)}

    def waits_in_vain(self, call: Call) -> bool:
        """Tell whether a call waits for ever where one of a model would not, though models have it.

        Whoever waits for what was cancelled together with others is not told; and a queue of a model has no lock.
        """
        never_told = call.operation in TOGETHER and call.thing in self.cancelled
        return call.ended == NEVER and (never_told or call.thing in self.inner_locks)

    def of(self, actor: str) -> list[Call]:
        """Return what one actor did."""
        return [call for call in self.calls if call.actor == actor]


def joined(histories: Sequence[History]) -> History:
    """Return what the first did, and how those whom it has not seen to their end have gone on in the others."""
    found = histories[0]
    for other in (_called_as(each, histories[0]) for each in histories[1:]):
        others = {each.key: each for each in other.actors}
        threads = {each.key: each.inside for each in other.things if each.kind == "Thread"}
        actors = {each.key: each for each in found.actors}
        calls = {key: found.of(key) for key in actors}
        left = [key for key in actors if key in others and not actors[key].ended]
        left = [key for key in left if _goes_on(calls[key], other.of(key))]
        while left:
            key = left.pop()
            actors[key], calls[key] = others[key], other.of(key)
            begun = {each for call in calls[key] for each in (call.extra, threads.get(call.thing, ""))}
            left += [each for each in begun if each in others and each not in actors]
        things = {each.key: each for each in (*other.things, *found.things)}
        done = [call for those in calls.values() for call in those]
        met = {call.thing for call in done}
        met |= {things[key].inside for key in met if key in things}
        kept = [each for key, each in things.items() if key in met]
        found = replace(found, things=kept, actors=list(actors.values()), calls=done)
    return found


def _called_as(other: History, first: History) -> History:
    """Return a run whose objects have the keys that the first one has for them; by name, where a key tells nothing."""
    named = {(each.kind, each.name): each.key for each in first.things if each.key.startswith(OLD)}
    keys = {
        each.key: named.get((each.kind, each.name), f"{each.key} of another run")
        for each in other.things
        if each.key.startswith(OLD)
    }
    things = [
        each._replace(key=keys.get(each.key, each.key), inside=keys.get(each.inside, each.inside))
        for each in other.things
    ]
    calls = [each._replace(thing=keys.get(each.thing, each.thing)) for each in other.calls]
    return replace(other, things=things, calls=calls)


def _goes_on(calls: Sequence[Call], further: Sequence[Call]) -> bool:
    """Tell whether what was seen of somebody is the beginning of what was seen of him in another run.

    Whoever waits for several in the end may go on with any of them; who got something goes on as one who did.
    """
    done = len(calls)
    while done and calls[done - 1].ended == NEVER:
        done -= 1
    waits = set(map(_what, calls[done:]))
    goes_on = done + bool(waits) <= len(further) and (not waits or _what(further[done]) in waits)
    pairs = zip(calls[:done], further, strict=False)
    return goes_on and all((_what(one), one.how) == (_what(other), other.how) for one, other in pairs)


def _what(call: Call) -> tuple[str, str, str]:
    return call.operation, call.thing, call.place
