"""The one JSON object that ``--json`` prints for each kind of answer. Nothing here decides anything."""

from __future__ import annotations

from typing import Any

from simcore.execute import Execution
from simcore.explore import Result
from simcore.model import Model
from simcore.simulate import Simulation


def as_json(result: Result) -> dict[str, Any]:
    """Return the one object that ``--json`` prints for an exploration."""
    found = result.counterexample
    return {
        "model": result.origin.function if result.origin else result.model,
        "parameters": dict(result.origin.parameters) if result.origin else {},
        "property": result.property,
        "verdict": str(result.verdict),
        "answer": result.answer,
        "states": result.states,
        "transitions": result.transitions,
        "depth": result.depth,
        "seconds": round(result.seconds, 3),
        "strategy": result.strategy,
        "timeouts": result.timeouts,
        "notes": list(result.notes),
        "never": list(result.never),
        "reason": result.reason,
        "omission": result.omission,
        "schedule": [] if found is None else [step_json(step) for step in found.schedule.steps],
        "lasso": [step_json(step) for step in found.lasso.steps] if found is not None and found.lasso else [],
        "shortest": "" if found is None else found.shortest,
        "failure": "" if found is None else found.failure,
        "lost": "" if found is None else found.lost,
        "blame": [] if found is None else found.wait_for.explain(),
        "point_of_no_return": _no_return_json(result),
        "token": "" if found is None else found.token,
    }


def step_json(step: Any) -> dict[str, Any]:
    """Return one step of a schedule as plain data."""
    return {"process": step.process, "step": step.text, "result": step.result, "outcome": step.outcome}


def model_json(model: Model) -> dict[str, Any]:
    """Return what the command line was given to build ``model``."""
    origin = model.origin
    return {"model": origin.function if origin else model.name, "parameters": dict(origin.parameters) if origin else {}}


def simulation_json(run: Simulation) -> dict[str, Any]:
    """Return the one object that ``--json`` prints for a run in virtual time."""
    return {
        **model_json(run.kernel.model),
        "status": run.status,
        "answer": run.answer,
        "time": run.time,
        "steps": run.steps,
        "completion": run.completion,
        "blame": run.wait_for.explain(),
        "token": run.token,
    }


def execution_json(run: Execution) -> dict[str, Any]:
    """Return the one object that ``--json`` prints for a real run."""
    return {
        **model_json(run.state.model),
        "status": run.status,
        "answer": run.answer,
        "seconds": round(run.seconds, 3),
        "stuck_after": run.stuck_after,
        "frames": run.frames,
        "bytes": run.bytes,
        "held_up": list(run.held_up),
        "explained": run.explained,
        "blame": run.wait_for.explain(),
        "token": run.token,
    }


def _no_return_json(result: Result) -> dict[str, Any] | None:
    point = result.counterexample.no_return if result.counterexample else None
    return None if point is None else {"step": point.step, "earliest": point.earliest, "exact": point.exact}
