"""A model in a notebook: its objects and processes as two tables, of which only names come from the model."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape

from simcore.model import Model, Process, with_parameters
from simcore.model.objects import ThreadPool
from simcore.model.operations import SharedObject
from simcore.report.page.film import cut

MOST = 100
"""Rows of a table; how many more there are is said."""

_CELL = "text-align:left;padding:.15em .6em"


def listing_of(model: Model) -> str:
    """Return what there is in a model, as HTML."""
    things = [_thing(thing) for thing in model.named]
    processes = [_process(process) for process in model.processes]
    title = escape(cut(with_parameters(model.name, model.origin)))
    objects = _table("objects", ("name", "kind", "slots"), things)
    return f"<div><p><b>{title}</b></p>{objects}{_table('processes', ('name', 'runs', ''), processes)}</div>"


def _thing(thing: SharedObject) -> tuple[str, ...]:
    _, limit = (0, thing.workers) if isinstance(thing, ThreadPool) else thing.occupancy(thing.initial) or (0, None)
    return thing.name, thing.kind, "" if limit is None else f"{limit:,}"


def _process(process: Process) -> tuple[str, ...]:
    if process.pool is not None:
        return process.name, "what is submitted", f"worker of {process.pool.name}"
    return process.name, getattr(process.fn, "__name__", ""), "daemon" if process.daemon else ""


def _table(caption: str, head: Sequence[str], rows: Sequence[Iterable[str]]) -> str:
    body = "".join(f"<tr>{''.join(_cell('td', text) for text in row)}</tr>" for row in rows[:MOST])
    more = f"; {len(rows) - MOST:,} more are not shown" if len(rows) > MOST else ""
    named = f"<caption style='text-align:left'>{len(rows):,} {caption}{more}</caption>"
    return f"<table>{named}<tr>{''.join(_cell('th', name) for name in head)}</tr>{body}</table>"


def _cell(kind: str, text: str) -> str:
    return f"<{kind} style='{_CELL}'>{escape(cut(text))}</{kind}>"
