"""The claims of the library, as parameters of a test."""

from __future__ import annotations

import importlib
import pkgutil
from types import ModuleType

import pytest

from simcore import models
from simcore.model import claims_of

ALL = [importlib.import_module(f"simcore.models.{found.name}") for found in pkgutil.iter_modules(models.__path__)]
CLAIMED = [module for module in ALL if claims_of(module)]


def name_of(module: ModuleType) -> str:
    return module.__name__.removeprefix("simcore.models.")


def models_named(name: str) -> ModuleType:
    return importlib.import_module(f"simcore.models.{name}")


def each_claim():
    for module in CLAIMED:
        for position, claim in enumerate(claims_of(module)):
            about = f"{name_of(module)}-{position}-{claim.id}-{claim.version}"
            yield pytest.param(module, position, id=about, marks=[pytest.mark.slow] * claim.slow)


def quick_claims(every: int):
    """Return one of so many claims that are not slow."""
    return [claim for claim in each_claim() if not claim.marks][::every]
