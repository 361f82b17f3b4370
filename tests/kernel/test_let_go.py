"""No run is kept when the answer is there: a collection might close one too early, and complain of its yields."""

import pytest

from simcore import Model, explore, simulate
from simcore.kernel import Points


def in_a_finally():
    """Build a consumer that gives its lock back on its way out, and waits for an item that never comes."""
    model = Model("finally")
    items, lock = model.queue("items"), model.lock("lock")

    def consume():
        yield lock.acquire()
        try:
            yield items.get()
        finally:
            yield lock.release()

    model.process("consumer", consume)
    return model


@pytest.mark.parametrize("driver", [explore, simulate])
def test_no_run_is_kept_when_the_answer_is_there(driver, monkeypatch):
    rested = []
    rest = Points.rest
    monkeypatch.setattr(Points, "rest", lambda points: (rest(points), rested.append(points)))
    result = driver(in_a_finally())
    assert rested
    assert not any(points._kept for points in rested)
    assert "items" in str(result)
