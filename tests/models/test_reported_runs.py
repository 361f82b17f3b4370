"""The report itself, run for real and undirected: never a hang by luck, never a completion by luck."""

from __future__ import annotations

import pytest

from simcore import execute
from simcore.models import pool_starvation

SIZE = {"downloads": 8, "workers": 4, "chunks": 201}


@pytest.mark.slow
def test_a_free_run_before_the_fix_ends_stuck_and_is_explained():
    run = execute(pool_starvation.buggy(**SIZE))
    assert (run.status, run.explained) == ("stuck", True), run
    assert run.stuck_after < 2
    assert {edge.process.process.pool.name for edge in run.wait_for.knot} == {"stream"}
    assert len(run.wait_for.knot) == SIZE["workers"]


@pytest.mark.slow
def test_a_free_run_after_the_fix_completes_with_every_byte_right_and_is_explained():
    run = execute(pool_starvation.fixed(**SIZE, callback_workers=64))
    assert (run.status, run.explained) == ("completed", True), run
    chunks = tuple(range(SIZE["chunks"]))
    received = {name: numbers for name, numbers in run.results.items() if name.startswith("download")}
    # A download compares the bytes of every chunk with what they must be, and dies of the first wrong one.
    assert received == {f"download[{number}]": chunks for number in range(SIZE["downloads"])}
    assert run.frames == 2 * SIZE["downloads"] * SIZE["chunks"]
