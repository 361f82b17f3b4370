"""All compiled loops at once: machine code knows a function by its place among all, so none may lack."""

from __future__ import annotations

from simcore.explore.compiled.native import is_compiled, machine_code
from simcore.explore.compiled.reduced import ReducedSearch
from simcore.explore.compiled.search import FastSearch

__all__ = ["FastSearch", "ReducedSearch", "is_compiled", "machine_code"]
