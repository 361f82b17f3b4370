"""The download hang: when it is reachable, how it comes about, how large its spaces are, and what removes it."""

import pytest
from versions import loops

from simcore import Model, Verdict, explore
from simcore.models import pool_starvation
from simcore.properties import backlog_within, completes, in_order, no_stuck_subset

GRID = [(downloads, workers, chunks) for downloads in range(1, 5) for workers in range(1, 5) for chunks in (1, 2)]


@pytest.mark.some(6)
@pytest.mark.parametrize(("downloads", "workers", "chunks"), GRID)
def test_a_hang_is_reachable_exactly_with_as_many_downloads_as_workers(downloads, workers, chunks):
    result = explore(pool_starvation.buggy(downloads=downloads, workers=workers, chunks=chunks))
    assert result.verdict is (Verdict.VIOLATED if downloads >= workers else Verdict.HOLDS)


@pytest.mark.parametrize("workers", range(1, 5))
def test_the_shortest_schedule_into_the_hang_has_five_steps_for_each_worker(workers):
    found = explore(pool_starvation.buggy(downloads=4, workers=workers)).counterexample
    assert (len(found.schedule), found.shortest) == (
        5 * workers,
        "shortest to where it shows, with the fewest switches between processes",
    )


def test_four_downloads_over_four_workers_are_lost_at_step_12():
    found = explore(pool_starvation.buggy(downloads=4, workers=4)).counterexample
    assert (len(found.schedule), found.no_return.step, found.no_return.exact) == (20, 12, True)
    assert found.schedule.steps[11].text.startswith("submits blob_callback")


def test_the_report_blames_the_stream_pool():
    text = str(explore(pool_starvation.buggy(downloads=4, workers=4)).counterexample.wait_for)
    assert "stream 4/4: every worker is in blob_callback(" in text
    assert "queued in stream behind them" in text
    assert "the same steps do not close this knot" in text


@pytest.mark.parametrize(
    ("sizes", "reduced", "full"),
    [
        ({"downloads": 1, "workers": 2}, 13, 18),
        ({"downloads": 2, "workers": 3}, 131, 1_115),
        ({"downloads": 1, "workers": 3, "chunks": 2}, 25, 51),
    ],
)
def test_before_the_fix_so_many_states_hold(sizes, reduced, full):
    counts = [explore(pool_starvation.buggy(**sizes), symmetry=on, partial_order=False).states for on in (True, False)]
    assert counts == [reduced, full]


@pytest.mark.parametrize(
    ("sizes", "reduced", "full"),
    [
        ({"downloads": 1, "workers": 1, "callback_workers": 1}, 17, 17),
        ({"downloads": 2, "workers": 1, "callback_workers": 1}, 133, 329),
        ({"downloads": 2, "workers": 2, "callback_workers": 2}, 306, 1_839),
    ],
)
def test_after_the_fix_so_many_states_hold(sizes, reduced, full):
    counts = [explore(pool_starvation.fixed(**sizes), symmetry=on, partial_order=False).states for on in (True, False)]
    assert counts == [reduced, full]


@pytest.mark.parametrize(
    ("downloads", "workers", "callback_workers", "chunks"),
    [(1, 1, 1, 1), (2, 1, 1, 1), (2, 1, 2, 2), (2, 2, 1, 1), (2, 2, 2, 1), (3, 1, 1, 1), (3, 1, 2, 1), (3, 2, 2, 1)],
)
def test_the_fix_is_deadlock_free(downloads, workers, callback_workers, chunks):
    sizes = {"downloads": downloads, "workers": workers, "callback_workers": callback_workers, "chunks": chunks}
    assert explore(pool_starvation.fixed(**sizes)).verdict is Verdict.HOLDS


@pytest.mark.parametrize(("downloads", "workers"), [(1, 1), (2, 2), (3, 2), (1, 2), (2, 3)])
def test_with_the_fix_taken_out_the_hang_is_found_again(downloads, workers):
    """The callback pool stands idle beside a stream pool in which everything runs as before the fix."""
    sizes = {"downloads": downloads, "workers": workers, "callback_workers": 2}
    result = explore(pool_starvation.fixed(**sizes, fix=False))
    assert result.verdict is (Verdict.VIOLATED if downloads >= workers else Verdict.HOLDS)


class OnePool(Model):
    """Gives the stream pool for every pool."""

    def thread_pool(self, name, workers):
        return super().thread_pool(name, workers) if name == "stream" else self.objects[1]


def test_handing_the_callback_on_to_the_stream_pool_does_not_hang_either(monkeypatch):
    """A pool is first in, first out: no worker takes a callback before one has taken the read it waits for."""
    monkeypatch.setattr(pool_starvation, "Model", OnePool)
    model = pool_starvation.fixed(downloads=3, workers=2, callback_workers=2)
    assert [pool.name for pool, _ in model.pools()] == ["stream"]
    assert explore(model).verdict is Verdict.HOLDS


@pytest.mark.parametrize("sizes", [(1, 1, 1, 2), (2, 1, 1, 1), (2, 2, 1, 1)])
def test_every_download_completes_after_the_fix_in_order_and_from_every_state(sizes):
    downloads, workers, callback_workers, chunks = sizes
    model = pool_starvation.fixed(
        downloads=downloads, workers=workers, callback_workers=callback_workers, chunks=chunks
    )
    asked = completes("download"), in_order("download", chunks), no_stuck_subset()
    assert explore(model, *asked).verdict is Verdict.HOLDS


def test_before_the_fix_a_run_that_just_stops_leaves_a_download_behind():
    result = explore(pool_starvation.buggy(downloads=2, workers=2), completes("download"))
    assert (result.verdict, result.property) == (Verdict.VIOLATED, "every download completes")
    assert result.counterexample.lasso.steps == ()
    assert result.counterexample.state.deadlocked


@pytest.mark.parametrize("build", [pool_starvation.buggy, pool_starvation.fixed])
def test_at_most_one_task_for_each_download_waits_behind_the_stream_workers(build):
    assert explore(build(downloads=2, workers=3), backlog_within({"stream": 2})).verdict is Verdict.HOLDS


# ---- any number of chunks ------------------------------------------------------------------------------------


@pytest.mark.some(5)
@pytest.mark.parametrize(
    ("build", "sizes", "reduced", "full"),
    [
        (pool_starvation.buggy, {"downloads": 1, "workers": 2}, 40, 55),
        (pool_starvation.buggy, {"downloads": 2, "workers": 3}, loops(1_254, 1_226), loops(10_635, 10_527)),
        (pool_starvation.fixed, {"downloads": 1, "workers": 1, "callback_workers": 1}, 52, 52),
        (
            pool_starvation.fixed,
            {"downloads": 2, "workers": 1, "callback_workers": 1},
            loops(1_232, 1_196),
            loops(3_237, 3_165),
        ),
        (
            pool_starvation.fixed,
            {"downloads": 2, "workers": 2, "callback_workers": 2},
            loops(2_829, 2_789),
            loops(17_427, 17_303),
        ),
    ],
)
def test_with_any_number_of_chunks_so_many_states_hold(build, sizes, reduced, full):
    results = [explore(build(**sizes, chunks=None), symmetry=on, partial_order=False) for on in (True, False)]
    assert [(result.verdict, result.states) for result in results] == [(Verdict.HOLDS, n) for n in (reduced, full)]


@pytest.mark.parametrize(("downloads", "workers"), [(1, 1), (2, 1), (1, 2), (2, 2), (3, 2), (2, 3)])
def test_with_any_number_of_chunks_a_hang_is_reachable_at_the_same_sizes(downloads, workers):
    result = explore(pool_starvation.buggy(downloads=downloads, workers=workers, chunks=None))
    assert result.verdict is (Verdict.VIOLATED if downloads >= workers else Verdict.HOLDS)


@pytest.mark.some(3)
@pytest.mark.parametrize("chunks", [1, 2, 3])
def test_what_every_run_does_with_any_number_of_chunks_it_does_with_each(chunks):
    sizes = {"downloads": 2, "workers": 1, "callback_workers": 1}
    asked = pool_starvation.answered()
    for number in (None, chunks):
        assert explore(pool_starvation.fixed(**sizes, chunks=number), asked).verdict is Verdict.HOLDS


def test_a_download_that_may_go_on_for_ever_need_not_complete():
    model = pool_starvation.fixed(downloads=1, workers=1, callback_workers=1, chunks=None)
    result = explore(model, completes("download"))
    assert result.verdict is Verdict.VIOLATED
    assert "download[0]" in result.counterexample.lasso.processes


def test_an_answer_to_the_request_before_is_found(monkeypatch):
    """A requester reader that keeps the first reply and hands it out again, once numbers differ."""

    def requester_reader(replies, inbox):
        first = yield replies.recv()
        yield inbox[first.download].put(first)
        while True:
            yield replies.recv()
            yield inbox[first.download].put(first)

    monkeypatch.setattr(pool_starvation, "requester_reader", requester_reader)
    result = explore(pool_starvation.fixed(downloads=1, workers=1, callback_workers=1, chunks=None))
    assert result.verdict is Verdict.VIOLATED
    assert "an answer to the request before" in result.counterexample.failure
