"""What a report says of one more worker."""

from __future__ import annotations


def tried(pool, size):
    """Return the hint that ``pool``, of so many workers, would not have closed a knot with one more."""
    with_more = f"tried: with {size + 1} workers in {pool}, not {size}, the same steps do not close this knot"
    return f"{with_more}, but others may"
