"""`simcore odds`: how often a random schedule hangs. An estimate is no verdict, whatever it says."""

from __future__ import annotations

import json
from fractions import Fraction
from typing import Any

import click

from simcore.command.arguments import build_model
from simcore.command.console import status
from simcore.command.options import AS_JSON, HOLDS, MODEL_ARGUMENT, PARAMETERS, TIMEOUTS, UNDETERMINED, VIOLATED, show
from simcore.sizes import Odds, odds


@click.command("odds")
@MODEL_ARGUMENT
@PARAMETERS
@click.option("--max-states", type=int, default=200_000, show_default=True, help="Of more states it is an estimate.")
@click.option("--runs", type=int, default=2_000, show_default=True, help="Sampled runs of an estimate.")
@click.option("--seed", type=int, default=0, show_default=True, help="For sampled runs.")
@TIMEOUTS
@AS_JSON
def odds_of_model(model: str, parameters: tuple[str, ...], as_object: bool, **options: Any) -> int:
    """Say how likely MODEL hangs when every enabled step has the same probability, and how many runs see it.

    Exit status: 0 exactly 0, so that deadlock freedom holds, 1 more than 0, 2 an error, 3 an estimate, or not known.
    """
    built = build_model(model, parameters)
    with status("exploring"):
        found = odds(built, **options)
    show(json.dumps(odds_json(found), indent=2) if as_object else str(found), as_object)
    if found.probability is None:
        return UNDETERMINED
    return VIOLATED if found.probability or found.dies else HOLDS


def odds_json(found: Odds) -> dict[str, Any]:
    """Return the one object that ``simcore odds --json`` prints; fractions are texts."""
    low, high = found.interval
    return {
        "model": found.model,
        "parameters": {} if found.origin is None else found.origin.parameters,
        "timeouts": found.timeouts,
        "exact": found.exact,
        "probability": _text(found.probability),
        "dies": _text(found.dies),
        "interval": [low, high],
        "at_most": found.at_most,
        "runs_for_95": found.runs_for_95,
        "states": found.states,
        "sample": None if found.sample is None else found.sample._asdict(),
        "reason": found.reason,
    }


def _text(probability: Fraction | None) -> str | None:
    return None if probability is None else str(probability)
