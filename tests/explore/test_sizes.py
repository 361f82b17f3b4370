"""Proofs and hangs at the sizes that people report, which only the reductions bring within reach."""

import pytest

from simcore import Verdict, explore, replay
from simcore.models import download_path, head_of_line_stall, pool_starvation
from simcore.properties import completes, deadlock_free

WHOLE = {"symmetry": False, "partial_order": False}

pytestmark = pytest.mark.slow


def test_eight_downloads_over_four_workers_are_proved_after_the_fix():
    """The size of the report (NVFlare #4171), with as many callback workers as downloads."""
    model = pool_starvation.fixed(downloads=8, workers=4, callback_workers=8)
    result = explore(model, deadlock_free(), completes("download"))
    assert (result.verdict, result.notes) == (Verdict.HOLDS, ())
    assert result.states < 80_000


def test_eight_downloads_over_four_workers_hang_before_it_by_a_shortest_schedule():
    """Four downloads ask, each has its callback taken by a worker, and each callback submits behind the others."""
    found = explore(pool_starvation.buggy(downloads=8, workers=4)).counterexample
    assert found.shortest == "shortest to where it shows, with the fewest switches between processes"
    assert len(found.schedule) == 20


def test_sixteen_downloads_over_eight_workers_hang():
    found = explore(pool_starvation.buggy(downloads=16, workers=8)).counterexample
    assert found.wait_for.explain()[0].startswith("stream 8/8: every worker is in blob_callback")
    assert replay(found.schedule.token).process("stream[7]").task is not None


@pytest.mark.parametrize(
    ("sizes", "full"),
    [
        ({"downloads": 3, "workers": 2}, 612_280),
        ({"topology": "tcp", "downloads": 3}, 365_149),
    ],
)
def test_the_download_path_is_proved_at_many_times_the_size(sizes, full):
    """The largest proof among its claims has 18,928 states."""
    whole, reduced = (explore(download_path.fixed(**sizes), **options) for options in (WHOLE, {}))
    assert (whole.verdict, whole.states) == (reduced.verdict, full) == (Verdict.HOLDS, full)
    assert reduced.states < full / 40


def test_three_stalled_peers_are_proved():
    """1,503,281 states without reductions; the largest proof among the claims of the model has 27,830."""
    sizes = {"heartbeats": False, "frame": 2, "stalled": 3, "workers": 3, "reads": 99}
    model = head_of_line_stall.fixed(**sizes)
    asked = next(claim.property for claim in head_of_line_stall.CLAIMS if claim.parameters.get("reads") == 99)
    result = explore(model, asked, timeouts="in_order")
    assert result.verdict is Verdict.HOLDS
    assert result.states < 1_503_281 / 40
