"""Why what would have ended a wait did not: it came too early, or was taken back."""

from __future__ import annotations

from collections.abc import Iterable

from simcore.explain.edges import Did


def too_early(step: int, what: str, since: int) -> str:
    """Say that a notify at ``step`` has woken nobody, and since when ``what`` waits, if that is only later."""
    return f"step {step} woke nobody" + f": {what} waits only since step {since}" * (step < since)


def cleared(sets: Iterable[Did], clears: Iterable[Did]) -> str:
    """Say at which step an event was cleared after it had been set for the last time, and by whom."""
    last = max((step for did in sets for step in did.steps), default=0)
    then = min(((step, did.what) for did in clears for step in did.steps if step > last), default=None)
    return f"it was set in step {last}, and {then[1]} cleared it in step {then[0]}" if last and then else ""
