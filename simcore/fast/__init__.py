"""The breadth-first loop of `simcore.search` once more, compiled: for spaces of millions of states.

It is imported when a search has met enough states, because numba takes half a second to start. The plain loop
is the reference: both meet the same states in the same order.
"""

from __future__ import annotations

from simcore.fast.search import FastSearch
from simcore.fast.tables import Unfit

__all__ = ["FastSearch", "Unfit"]
