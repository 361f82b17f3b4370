"""Fixtures that many tests share, and the Hypothesis profiles."""

import os
import signal
import threading
from collections import Counter

import pytest
from hypothesis import HealthCheck, settings

from simcore.explore.compiled.loops import machine_code

os.environ.pop("COLUMNS", None)  # pytest-xdist tells its workers a width; what is printed must not depend on that
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # as behind nohup: what tests start would ignore it, too
    signal.signal(signal.SIGINT, signal.default_int_handler)

settings.register_profile("ci", derandomize=True, deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("dev", deadline=None)
settings.load_profile("ci" if os.environ.get("CI") else "dev")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items):
    """Of the cases of a test that is marked ``some(n)`` every n-th is run by default; the others are slow."""
    met = Counter()
    for item in items:
        some = item.get_closest_marker("some")
        if some is not None:
            if met[item.function] % some.args[0]:
                item.add_marker(pytest.mark.slow)
            met[item.function] += 1


@pytest.fixture(scope="session", autouse=True)
def compiled_loops():
    """Have the machine code at hand, which takes some seconds on a machine where none is kept yet."""
    machine_code()


@pytest.fixture(autouse=True)
def nobody_is_left():
    """Let a test fail that leaves a thread: whatever the next one in the process asks about threads would meet it.

    Dask keeps its own until the process ends.
    """
    before = set(threading.enumerate())
    yield
    for thread in set(threading.enumerate()) - before:
        if not thread.name.startswith("Dask-"):
            thread.join(30)
            assert not thread.is_alive(), f"{thread} is left"
