"""`simcore advise`: which repairs of its pools cure a model of its hang. What was not proved is not called safe."""

from __future__ import annotations

import json
from typing import Any

import click

from simcore.command.arguments import build_model, read_delay
from simcore.command.console import status
from simcore.command.options import AS_JSON, MODEL_ARGUMENT, PARAMETERS, STATUS_OF, TIMEOUTS, show
from simcore.sizes import Advice, Attempt, advise


@click.command("advise")
@MODEL_ARGUMENT
@PARAMETERS
@click.option("--max-states", type=int, default=100_000, show_default=True, help="Of each search.")
@click.option("--max-seconds", type=float, default=30.0, show_default=True, help="Of each search.")
@click.option(
    "--latency", "latencies", metavar="KEY=DELAY", multiple=True, help="What takes how long, to rank by throughput."
)
@click.option("--seeds", type=int, default=5, show_default=True, help="Simulated runs of each safe repair.")
@TIMEOUTS
@AS_JSON
def advise_on_model(
    model: str, parameters: tuple[str, ...], latencies: tuple[str, ...], as_object: bool, **options: Any
) -> int:
    """Try repairs on each pool of MODEL, and rank those that are proved safe, by threads and by throughput.

    The repairs are: as many workers as there are tasks at once (unbounded), the smallest larger pool that is safe
    (bigger), a pool for each level of nested submits (levels), a bound on the tasks from outside at once (bound), a
    worker for tasks from inside alone (reserve), tasks run by the worker that submits them (caller), and a time-out
    with retry (retry). Of one that is wrong here the schedule is shown. All of it is about these parameters.

    Exit status: 0 MODEL does not hang, 1 it does, whatever would cure it, 2 an error, 3 that is undetermined.
    """
    built = build_model(model, parameters)
    with status("exploring") as tell:
        found = advise(built, latency=dict(map(read_delay, latencies)), progress=tell, **options)
    show(json.dumps(advice_json(found), indent=2) if as_object else str(found), as_object)
    return STATUS_OF[found.before.verdict]


def advice_json(found: Advice) -> dict[str, Any]:
    """Return the one object that ``simcore advise --json`` prints."""
    before = found.before
    return {
        "model": before.model,
        "parameters": {} if before.origin is None else before.origin.parameters,
        "timeouts": before.timeouts,
        "verdict": str(before.verdict),
        "answer": before.answer,
        "reason": before.reason,
        "limits": found.limits,
        "attempts": [_attempt_json(attempt) for attempt in found.attempts],
        "notes": list(found.notes),
    }


def _attempt_json(attempt: Attempt) -> dict[str, Any]:
    return {
        "repair": attempt.repair,
        "pool": attempt.pool,
        "text": attempt.text,
        "verdict": attempt.verdict,
        "reason": attempt.reason,
        "threads": attempt.threads,
        "states": None if attempt.result is None else attempt.result.states,
        "per_second": None if attempt.rate is None else attempt.rate._asdict(),
        "token": attempt.token,
    }
