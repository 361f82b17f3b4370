"""A film is all that is shown of an answer, as plain data: one shape, whoever has found it.

It holds no more than what is known: the values of objects where a kernel has replayed the steps, the places where the
user's own code ran, the seconds where a clock did. What is not known is absent, and the page says so. Only differences
are kept from one step to the next, so that a film of thousands of steps stays small.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from typing import Any

from simcore.explain import printable

LONGEST_TEXT = 400
"""Characters of one value or name that are shown; a model may have any."""

MOST_STEPS = 20_000
"""Steps that a film has at most: the last ones of a longer run."""


def cut(text: str, longest: int = LONGEST_TEXT) -> str:
    """Return ``text``, or its beginning and how much there is of it, printable."""
    return printable(text if len(text) <= longest else f"{text[:longest]}... ({len(text):,} characters)")


@dataclass(frozen=True)
class Lane:
    """Who takes steps.

    Attributes
    ----------
    kind : str
        "process", "daemon", "worker" or "thread".
    pool : str
        The pool whose worker it is; empty when it is none.
    """

    name: str
    kind: str = "process"
    pool: str = ""


@dataclass(frozen=True)
class Thing:
    """A shared object: a lock, a pool, the result of a task."""

    name: str
    kind: str


@dataclass(frozen=True)
class Standing:
    """How a lane stands from some step on.

    Attributes
    ----------
    lane : int
        Whose.
    status : str
        "enabled", "blocked", "limited" (it waits, and gives up after a while), "idle" (a worker without a task),
        "done", "failed"; "still" where it is only known that it had no step, "unknown" where not even that is.
    words : str
        What it waits for, or would do next.
    task : str
        What a worker runs.
    place : str
        Where in its code it is.
    """

    lane: int
    status: str
    words: str = ""
    task: str = ""
    place: str = ""


@dataclass(frozen=True)
class Value:
    """The value of an object from some step on.

    Attributes
    ----------
    thing : int
        Whose.
    text : str, optional
        The value; None where the object is not there (the result of a task that is not submitted yet, or forgotten).
    used, limit : int, optional
        Slots in use, and how many there are; None where it has none, or no limit.
    items : tuple of str
        What is in it, and comes out in this order; of a pool the tasks that are queued.
    """

    thing: int
    text: str | None
    used: int | None = None
    limit: int | None = None
    items: tuple[str, ...] = ()


@dataclass(frozen=True)
class Frame:
    """One step, and what it has changed.

    Attributes
    ----------
    lane : int
        Who took it.
    text, result : str
        What was done, in words, and what it gave.
    place : str
        At which line of the program.
    time : float, optional
        Seconds, virtual or real.
    values : tuple of Value
        Objects that have another value after it.
    standings : tuple of Standing
        Lanes that stand otherwise after it.
    comes_from : tuple of (int, str)
        Earlier steps, from 1, that made it possible: "hands over" what it takes, or "lets it go on".
    """

    lane: int
    text: str
    result: str = ""
    place: str = ""
    time: float | None = None
    values: tuple[Value, ...] = ()
    standings: tuple[Standing, ...] = ()
    comes_from: tuple[tuple[int, str], ...] = ()


@dataclass(frozen=True)
class Node:
    """A part of the drawn wait-for graph: a process or an object, or several that are alike.

    Attributes
    ----------
    lines : tuple of str
        What is written on it.
    kind : str
        "process", or an object's kind.
    knot : bool
        Whether it is part of the knot.
    count : int
        How many parts it stands for.
    used, limit : int, optional
        Slots in use, of how many.
    names : tuple of str
        What the parts are called that it stands for.
    """

    lines: tuple[str, ...]
    kind: str
    knot: bool
    count: int = 1
    used: int | None = None
    limit: int | None = None
    names: tuple[str, ...] = ()


@dataclass(frozen=True)
class Drawing:
    """The wait-for graph to draw: nodes, arrows (from, to, "all of" or "any of") by their places, what was left out."""

    nodes: tuple[Node, ...] = ()
    arrows: tuple[tuple[int, int, str], ...] = ()
    left_out: str = ""


@dataclass(frozen=True)
class Turn:
    """The point of no return.

    Attributes
    ----------
    step : int
        Its number, from 1; 0 when it is lost from the start.
    exact : bool
        Whether it is known to be this step and no earlier one.
    text : str
        The same in words.
    """

    step: int
    exact: bool
    text: str


@dataclass(frozen=True)
class Film:
    """An answer to be looked at.

    Attributes
    ----------
    title : str
        The model with its parameters, or the function.
    verdict, answer : str
        In a word, and in plain words.
    why : tuple of str
        Who waits for whom, line by line.
    facts : tuple of str
        How it was found: what was counted, bounds, notes.
    lanes, things, frames : tuple
        Who took steps, on what, and which.
    standings, values : tuple
        How each lane stands, and what each object holds, before the first step; empty where that is not known.
    first : int
        How many steps came before the first one that is shown.
    seconds : str
        What the times of the frames are: "virtual" or "real"; empty where there are none.
    lasso : int, optional
        After which step the rest is repeated for ever; None when it is not.
    turn : Turn, optional
        Where it could no longer end well.
    no_turn : str
        Why there is no such step, where there is a schedule without one.
    counted : str
        Which of the processes an answer counts; empty where it counts none.
    drawing : Drawing
        Who waits for whom at its end.
    knot : tuple of str
        The processes that wait only for each other then.
    stuck : tuple of str
        Those that are proved never to move again.
    token, replay : str
        The schedule in one word, and the command that takes it again.
    text : str
        The report, as it is printed.
    """

    title: str
    verdict: str
    answer: str
    why: tuple[str, ...] = ()
    facts: tuple[str, ...] = ()
    lanes: tuple[Lane, ...] = ()
    things: tuple[Thing, ...] = ()
    frames: tuple[Frame, ...] = ()
    standings: tuple[Standing, ...] = ()
    values: tuple[Value, ...] = ()
    first: int = 0
    seconds: str = ""
    lasso: int | None = None
    turn: Turn | None = None
    no_turn: str = ""
    counted: str = ""
    drawing: Drawing = field(default_factory=Drawing)
    knot: tuple[str, ...] = ()
    stuck: tuple[str, ...] = ()
    token: str = ""
    replay: str = ""
    text: str = ""


def as_data(film: Film) -> dict[str, Any]:
    """Return ``film`` as JSON has it; every member is there, and long texts are cut."""
    data: dict[str, Any] = _cut(asdict(film))
    return data | {
        "token": film.token,
        "replay": film.replay,
        "text": printable(film.text),
    }  # to copy, or to read: whole


def as_text(film: Film) -> str:
    """Return ``film`` as JSON that can stand inside a page: nothing in it ends or begins an element."""
    text = json.dumps(as_data(film), separators=(",", ":"))
    for one in "<>&":  # and nothing else, as JSON has all that is not ASCII escaped
        text = text.replace(one, f"\\u{ord(one):04x}")
    return text


def _cut(value: Any) -> Any:
    if isinstance(value, str):
        return cut(value)
    if isinstance(value, dict):
        return {key: _cut(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_cut(inner) for inner in value]
    return value


def lines_of(lines: Iterable[str]) -> tuple[str, ...]:
    """Return ``lines`` without those that are empty."""
    return tuple(line for line in lines if line.strip())
