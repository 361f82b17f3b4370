"""What stands on top of a page: what does not hold, who is counted, and why there is no point of no return."""

from __future__ import annotations

from simcore import Model, always, execute, explore, simulate
from simcore.models.pool_starvation import buggy, fixed
from simcore.properties import completes
from simcore.report.page import film_of


def hang():
    """One process and one daemon, which wait for ever, and a worker without a task."""
    model = Model("hangs")
    event = model.event("event")
    model.thread_pool("pool", 1)

    def wait():
        yield event.wait()

    model.process("waits", wait)
    model.process("serves", wait, daemon=True)
    return model


def test_a_property_that_is_violated_does_not_read_as_if_it_held():
    film = film_of(explore(fixed(downloads=1, workers=1, callback_workers=1, chunks=None), completes("download")))
    movers = "requester reader, download[0], owner reader, stream[0], callback[0]"
    run = f"does not hold in a run in which {movers} repeat the same 30 steps for ever"
    assert (film.verdict, film.answer) == ("violated", f"'every download completes' {run}")
    assert film.counted == ""  # there is no number in it


def test_a_hang_is_told_by_its_number_and_who_is_counted():
    film = film_of(explore(hang()))
    assert film.answer == "1 of 1 process can never move again"
    others = "2 that need not finish (daemons, workers without a task) are not counted"
    assert film.counted == f"counted are the 1 that must finish; {others}"
    everybody = film_of(explore(buggy(downloads=2, workers=2)))
    assert everybody.counted.startswith("counted are the 4 that must finish; 2 that need not finish (daemons")


def test_why_there_is_no_point_of_no_return():
    found = explore(buggy(downloads=1, workers=1))
    assert film_of(found).turn is not None
    assert film_of(found).no_turn == ""
    lasso = film_of(explore(fixed(downloads=1, workers=1, callback_workers=1, chunks=None), completes("download")))
    assert "this run never ends" in lasso.no_turn
    stops = film_of(explore(buggy(downloads=1, workers=1), completes("download")))
    assert stops.lasso is None
    assert "a search for deadlocks" in stops.no_turn
    never = film_of(explore(buggy(downloads=1, workers=1), always(lambda state: not state.processes)))
    assert "a search for deadlocks" in never.no_turn


def test_one_run_does_not_look_for_a_point_of_no_return():
    for run in (simulate(hang()), execute(hang())):
        assert run.status == "stuck"
        assert "one run does not look for it" in film_of(run).no_turn
    assert film_of(simulate(fixed(downloads=1, workers=1))).no_turn == ""


def test_the_parts_of_a_box_are_known_by_their_names():
    nodes = film_of(explore(buggy(downloads=2, workers=2))).drawing.nodes
    assert {name for node in nodes for name in node.names if name.startswith("inbox")} == {
        "inbox of download[0]",
        "inbox of download[1]",
    }
