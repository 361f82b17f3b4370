"""All that can be told of a run in virtual time."""

from __future__ import annotations

from typing import Any

from simcore import Model, SimcoreError, simulate


def shown(model: Model, **options: Any) -> object:
    """Return all that is told of a run of ``model``, or what is wrong with it."""
    try:
        run = simulate(model, **options)
    except SimcoreError as error:
        return f"{type(error).__name__}: {error}"
    figures = run.status, run.time, run.path, run.times, run.completion, run.results, run.failures, run.occupancy
    words = str(run), str(run.schedule), str(run.state)
    return (*figures, run.takes, run.notes, *words, run.hangs, run.wait_for.told())
