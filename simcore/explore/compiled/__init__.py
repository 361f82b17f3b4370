"""The breadth-first loop of `simcore.explore.search` once more, compiled, for millions of states.

It is imported when a search has met enough states, because numpy and LLVM take a moment to start, and begins again
with the initial state. The plain loop is the reference: both meet the same states in the same order. Without
reductions it is `search.py`, with both of them, for a proof of deadlock freedom, `reduced.py`.
"""

from __future__ import annotations

from simcore.explore.compiled.native import is_compiled
from simcore.explore.compiled.reduced import ReducedSearch
from simcore.explore.compiled.search import FastSearch

__all__ = ["FastSearch", "ReducedSearch", "is_compiled"]
