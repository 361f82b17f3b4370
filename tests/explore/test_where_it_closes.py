"""A hang is explained where its knot has closed, whoever else goes on, and the report says that it followed the run."""

import pytest
from hints import tried

from simcore import Model, Verdict, explore, sleep
from simcore.explore import closing


def web(*, for_ever: bool = False, helps: bool = False) -> Model:
    """Handlers on both workers hold or want the one connection, while the query is queued behind them.

    A heart beats, which gives a permit back now and then if it ``helps``, and whose code always says that it might.
    """
    model = Model("web")
    pool, connection = model.thread_pool("web", 2), model.semaphore("connection", 1)

    def query():
        yield from ()

    def handle():
        yield connection.acquire()
        rows = yield pool.submit(query)
        yield rows.result()
        yield connection.release()

    def client():
        while True:
            answer = yield pool.submit(handle)
            yield answer.result()
            if not for_ever:
                return

    def heart():
        while True:
            yield sleep(1)
            if helps:
                yield connection.release()

    for name in model.indices("client", 2):
        model.process(name, client, daemon=for_ever)
    model.process("heart", heart, daemon=True)
    return model


def why(model, **how):
    """Return what a report says of who is stuck."""
    result = explore(model, **how)
    assert result.verdict is Verdict.VIOLATED
    return result.counterexample.wait_for.told()


@pytest.mark.parametrize("how", [{}, {"symmetry": False, "partial_order": False}, {"strategy": "depth"}])
@pytest.mark.parametrize("for_ever", [False, True])
def test_a_heartbeat_does_not_take_the_explanation_away(for_ever, how):
    lines = why(web(for_ever=for_ever), **how)
    assert lines[0] == "stuck:"
    assert lines[1].startswith("  web 2/2: every worker is in handle(), ")
    assert "    set only by query(), queued in web behind them" in lines
    assert "    " + tried("web", 2) in lines


def test_the_report_says_where_somebody_is_lost_and_that_the_knot_closes_later():
    found = explore(web()).counterexample
    early = (
        "shortest, with the fewest switches between processes, to step 2, after which client[1] can never move again"
    )
    assert found.shortest == f"{early}, whatever follows; then on to where it shows why"
    assert len(found.schedule) > 2
    assert found.no_return.step == 2, "it is lost from where it was"


def test_where_the_knot_is_there_already_nothing_is_followed():
    model = Model("two locks beside one who might release them, and one who comes to wait for them later")
    a, b = model.lock("a"), model.lock("b")

    def take(first, second):
        yield first.acquire()
        yield second.acquire()

    def heart():
        while True:
            yield sleep(1)

    def late():
        yield sleep(5)
        yield a.acquire()

    model.process("left", take, a, b)
    model.process("right", take, b, a)
    model.process("late", late)
    model.process("heart", heart, daemon=True)
    found = explore(model).counterexample
    assert len(found.schedule) == 2
    assert "then on" not in found.shortest


def test_what_is_more_than_the_budget_is_reported_where_it_was_found(monkeypatch):
    monkeypatch.setattr(closing, "_BUDGET", 3)
    found = explore(web()).counterexample
    assert found.shortest == "shortest, with the fewest switches between processes"
    assert len(found.schedule) == 2
