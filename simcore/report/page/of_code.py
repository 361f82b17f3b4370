"""Films of what was found in the user's own code: threads, steps, places, and what the objects of the library held.

How a thread stands between its steps is not known. Behind its last one it is: there it stands as in the end.
"""

from __future__ import annotations

from dataclasses import replace

from simcore.control import Controlled, Violation
from simcore.explain import fit
from simcore.report.page.film import Film, Frame, Lane, Standing, Thing, Turn, Value, lines_of
from simcore.report.page.knot import with_waits

NO_TURN = "no point of no return is known: none was found by runs that go on from the middle of this one"

KNOWN = "an object is shown from the first step on that names it, as it was read before the next step"
MORE = "there are more objects than these: the first {} are shown"

_ENDS = frozenset(["blocked", "done", "failed", "idle"])
"""How a thread stands that has announced what it waits for, or has nothing to do any more."""


def of_controlled(result: Controlled) -> Film:
    """Return a film of the answer of `control`; one without steps where nothing was found."""
    many = f"{result.schedules:,} schedule{'s' * (result.schedules != 1)}, {result.strategy}"
    counted = f"{many}, at most {result.steps:,} steps in one"
    facts = (f"{counted}, {result.seconds:.1f} s", *(f"note: {note}" for note in result.notes))
    if result.violation is None:
        return Film(result.name, str(result.verdict), result.reason, facts=facts, text=str(result))
    film = of_violation(result.violation)
    return replace(film, title=result.name, facts=(*facts, *film.facts), text=str(result))


def of_violation(found: Violation) -> Film:
    """Return a film of a run that hangs, or in which something was raised."""
    actors = {actor.name: actor for actor in found.wait_for.actors}
    names = list(dict.fromkeys([*(step.thread for step in found.steps), *actors]))
    number = {name: place for place, name in enumerate(names)}
    lanes = tuple(_lane(name, actors[name].worker_of if name in actors else "") for name in names)
    frames = _frames(found, number)
    lines = found.lines()
    begins = next((place for place, line in enumerate(lines) if line.startswith("schedule (")), len(lines))
    turn = next((line for line in lines[:begins] if line.startswith("point of no return: ")), "")
    things, values, after = _values(found)
    frames = [replace(frame, values=changed) for frame, changed in zip(frames, after, strict=True)]
    more = found.watched is not None and found.watched.more
    film = Film(
        "your own code",
        "violated",
        found.answer,
        why=lines_of(line for line in lines[:begins] if line != turn),
        facts=(KNOWN, *[MORE.format(len(things))] * more, f"after {found.time:g} s of virtual time"),
        lanes=lanes,
        things=things,
        values=values,
        frames=tuple(frames),
        standings=tuple(Standing(place, "unknown") for place in number.values()),
        turn=Turn(found.no_return, False, turn) if turn else None,
        no_turn="" if turn or found.kind != "deadlock" else NO_TURN,  # what was raised has none
        token=found.token,
        replay=f"{found.again} {found.token}" if found.token else "",
        text=fit(lines),
    )
    return with_waits(film, found.wait_for)


def _frames(found: Violation, number: dict[str, int]) -> list[Frame]:
    """Return the steps; with the last one of each thread how it stands from then on, if it had come to an end there."""
    end = len(found.steps) - 1
    last = {number[step.thread]: place for place, step in enumerate(found.steps)}
    stands: dict[int, list[Standing]] = {}
    for standing in _at_the_end(found, number):
        since = last.get(standing.lane, end) if standing.status in _ENDS else end
        stands.setdefault(since, []).append(standing)
    return [
        Frame(number[step.thread], step.told, place=step.place, standings=tuple(stands.get(place, ())))
        for place, step in enumerate(found.steps)
    ]


def _values(found: Violation) -> tuple[tuple[Thing, ...], tuple[Value, ...], list[tuple[Value, ...]]]:
    """Return the objects, what each held before the first step, and after each step what holds otherwise."""
    watched = found.watched
    if watched is None:
        return (), (), [()] * len(found.steps)
    things = tuple(Thing(f"result of {name}" if name.endswith("()") else name, kind) for name, kind in watched.things)
    before, *after = [tuple(Value(*each) for each in some) for some in (watched.before, *watched.after)]
    return things, before, after


def _lane(name: str, pool: str) -> Lane:
    return Lane(name, "worker" if pool else "thread", pool)


def _at_the_end(found: Violation, number: dict[str, int]) -> list[Standing]:
    """Return how the threads stand when nobody moves any more: that, and no more, is known of them."""
    raised = {each.thread: each.error.partition("\n")[0] for each in found.errors}
    waits = {edge.process.name: f"waits {edge.why.wants}" for edge in found.wait_for.edges}
    standings = []
    for actor in found.wait_for.actors:
        task = actor.what if actor.what != actor.name else ""
        place = found.places.get(actor.name, "")
        status, words = actor.status, waits.get(actor.name, "")
        if actor.name in raised:
            status, words = "failed", f"raised {raised[actor.name]}"
        standings.append(Standing(number[actor.name], status, words, task, place))
    return standings
