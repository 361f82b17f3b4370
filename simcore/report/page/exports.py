"""What others draw better, from the same film: long runs with a clock, diagrams for a document, states for other tools.

* `perfetto` writes the Trace Event Format of Chrome, which https://ui.perfetto.dev opens: steps and waits of each lane,
  how much of everything is in use, who hands over to whom.
* `mermaid_sequence` writes a sequence diagram of Mermaid, which documents on GitHub and elsewhere draw.
* `itf` writes the Informal Trace Format of Apalache (its ADR 015): the value of every object in every state, as text.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator
from typing import Any

from simcore.explain import printable
from simcore.report.page.film import Film, Standing, cut

_STEP = 1_000
"""Microseconds that a step takes in a trace where no clock ran."""


def perfetto(film: Film) -> str:
    """Return ``film`` as JSON in the Trace Event Format: in seconds where a clock ran, else a step takes 1 ms."""
    return json.dumps({"traceEvents": list(_events(film)), "displayTimeUnit": "ms", "otherData": {"title": film.title}})


def _events(film: Film) -> Iterator[dict[str, Any]]:
    yield {"ph": "M", "pid": 1, "name": "process_name", "args": {"name": printable(film.title)}}
    for number, lane in enumerate(film.lanes):
        name = f"{lane.pool}: {lane.name}" if lane.pool else lane.name
        yield {"ph": "M", "pid": 1, "tid": number + 1, "name": "thread_name", "args": {"name": printable(name)}}
    ends = _ends(film)
    for number, frame in enumerate(film.frames):
        about = {"step": film.first + number + 1, "result": frame.result, "place": frame.place}
        here = {"pid": 1, "tid": frame.lane + 1, "name": cut(frame.text, 120)}
        if film.seconds:
            yield {**here, "ph": "i", "s": "t", "ts": ends[number + 1], "args": about}
            continue
        yield {**here, "ph": "X", "ts": ends[number], "dur": _STEP, "args": about}
        for source, how in frame.comes_from:
            if source > film.first:
                yield from _flow(film, source - film.first, number + 1, how, ends)
    yield from _waits(film, ends)
    yield from _counters(film, ends)


def _ends(film: Film) -> list[float]:
    """Return when each step was over, in microseconds, and 0 before the first; as the one before where nobody knows."""
    ends = [0.0]
    for number, frame in enumerate(film.frames, 1):
        known = frame.time is not None and film.seconds
        ends.append(max(ends[-1], 1e6 * (frame.time or 0.0)) if known else ends[-1] if film.seconds else _STEP * number)
    return ends


def _flow(film: Film, source: int, target: int, how: str, ends: list[float]) -> Iterator[dict[str, Any]]:
    about = {"pid": 1, "cat": "steps", "name": how, "id": target}
    yield {**about, "ph": "s", "tid": film.frames[source - 1].lane + 1, "ts": ends[source] - _STEP / 2}
    yield {**about, "ph": "f", "bp": "e", "tid": film.frames[target - 1].lane + 1, "ts": ends[target] - _STEP / 2}


def _waits(film: Film, ends: list[float]) -> Iterator[dict[str, Any]]:
    """Yield a slice for each wait, from the step after which it began to the one that ended it."""
    since = {standing.lane: (0, standing) for standing in film.standings}
    changes = [(number, standing) for number, frame in enumerate(film.frames, 1) for standing in frame.standings]
    changes += [(len(film.frames), Standing(lane, "unknown")) for lane in range(len(film.lanes))]
    for number, standing in changes:
        begun, before = since.get(standing.lane, (0, standing))
        if before.status in ("blocked", "limited") and ends[number] > ends[begun]:
            span = {"ts": ends[begun], "dur": ends[number] - ends[begun]}
            yield {
                "ph": "X",
                "pid": 1,
                "tid": standing.lane + 1,
                "name": cut(before.words, 120),
                "cat": "waits",
                **span,
            }
        since[standing.lane] = number, standing


def _counters(film: Film, ends: list[float]) -> Iterator[dict[str, Any]]:
    for number, values in enumerate([film.values, *(frame.values for frame in film.frames)]):
        for value in values:
            if value.used is not None:
                name = cut(film.things[value.thing].name, 120)
                yield {"ph": "C", "pid": 1, "name": name, "ts": ends[number], "args": {"in use": value.used}}


def mermaid_sequence(film: Film) -> str:
    """Return the steps of ``film`` as a sequence diagram: an arrow from who made a step possible, else a note."""
    lines = ["sequenceDiagram", *(f"  participant p{n} as {_words(lane.name)}" for n, lane in enumerate(film.lanes))]
    over = f"p0,p{len(film.lanes) - 1}" if len(film.lanes) > 1 else "p0"
    for number, frame in enumerate(film.frames, 1):
        if film.lasso == number - 1:
            lines.append("  loop for ever")
        text = _words(f"{film.first + number} {frame.text}" + (f" -> {frame.result}" if frame.result else ""))
        source = next((film.frames[s - film.first - 1].lane for s, _ in frame.comes_from if s > film.first), frame.lane)
        there = f"p{source}->>p{frame.lane}" if source != frame.lane else f"Note over p{frame.lane}"
        lines.append(f"  {there}: {text}")
        if film.turn is not None and film.turn.step == film.first + number:
            lines.append(f"  Note over {over}: {_words(film.turn.text)}")
    if film.lasso is not None and film.lasso < len(film.frames):
        lines.append("  end")
    if film.answer:
        lines.append(f"  Note over {over}: {_words(film.answer)}")
    return "\n".join(lines) + "\n"


def _words(text: str) -> str:
    """Return ``text`` so that no character of it means anything to Mermaid, nor the word that ends a loop."""
    escaped = "".join(one if one.isalnum() or one in " .,_-()[]" else f"#{ord(one)};" for one in cut(text, 120))
    return re.sub(r"\bend\b", "#101;nd", escaped, flags=re.IGNORECASE)


def itf(film: Film) -> str:
    """Return the states of ``film`` as JSON: values are texts, as a report shows them, or "absent"."""
    names: list[str] = []
    counts: Counter[str] = Counter(("step", "processes"))
    for thing in film.things:
        counts[thing.name] += 1
        names.append(thing.name if counts[thing.name] == 1 else f"{thing.name} #{counts[thing.name]}")
    meta = {
        "format": "ITF",
        "format-description": "https://apalache-mc.org/docs/adr/015adr-trace.html",
        "source": film.title,
        "description": f"{film.verdict}: {film.answer}" if film.verdict else film.answer,
    }
    whole: dict[str, Any] = {"#meta": meta, "vars": ["step", "processes", *names], "states": list(_states(film, names))}
    return json.dumps(whole if film.lasso is None else {**whole, "loop": film.lasso})


def _states(film: Film, names: list[str]) -> Iterator[dict[str, Any]]:
    objects = dict.fromkeys(names, "absent")
    processes = {lane.name: "unknown" for lane in film.lanes}
    first = ("before the first step", film.values, film.standings)
    told = ((f"{film.lanes[f.lane].name} {f.text}", f.values, f.standings) for f in film.frames)
    for number, (step, values, standings) in enumerate([first, *told]):
        objects |= {names[value.thing]: "absent" if value.text is None else value.text for value in values}
        processes |= {film.lanes[standing.lane].name: standing.status for standing in standings}
        standing = {"#map": [list(each) for each in processes.items()]}
        yield {"#meta": {"index": number}, "step": step, "processes": standing, **objects}
