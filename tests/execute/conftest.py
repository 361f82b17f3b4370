"""No test of real runs leaves a thread or an open file behind."""

from __future__ import annotations

import pytest
from real_runs import left_behind


@pytest.fixture(autouse=True)
def _nothing_is_left_behind():
    before = left_behind()
    yield
    assert left_behind() == before
