"""Fixtures that many tests share, and the Hypothesis profiles."""

import os

import pytest
from hypothesis import HealthCheck, settings

from simcore.explore.compiled.loops import machine_code

os.environ.pop("COLUMNS", None)  # pytest-xdist tells its workers a width; what is printed must not depend on that

settings.register_profile("ci", derandomize=True, deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("dev", deadline=None)
settings.load_profile("ci" if os.environ.get("CI") else "dev")


@pytest.fixture(scope="session", autouse=True)
def compiled_loops():
    """Have the machine code at hand, which takes some seconds on a machine where none is kept yet."""
    machine_code()
