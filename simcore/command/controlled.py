"""What was found in the user's own code, as plain data."""

from __future__ import annotations

from typing import Any

from simcore.control import Controlled


def controlled_json(result: Controlled) -> dict[str, Any]:
    """Return an answer as plain data."""
    found = result.violation
    return {
        "function": result.name,
        "verdict": str(result.verdict),
        "answer": result.reason if found is None else found.answer,
        "schedules": result.schedules,
        "steps": result.steps,
        "seconds": round(result.seconds, 3),
        "strategy": result.strategy,
        "timeouts": result.timeouts,
        "notes": list(result.notes),
        "kind": "" if found is None else found.kind,
        "blame": [] if found is None else found.wait_for.explain(),
        "tasks": {} if found is None else found.tasks,
        "raised": [] if found is None else [each._asdict() for each in found.errors],
        "schedule": [] if found is None else [step._asdict() for step in found.steps],
        "token": "" if found is None else found.token,
    }
