import sys

import pytest
import toys

from simcore import Model, Verdict, always, explore
from simcore.explore.search import Search

search_module = sys.modules[Search.__module__]


@pytest.fixture
def expanded(monkeypatch):
    """Which states were expanded, in all searches."""
    found = []
    expand = Search._expand
    monkeypatch.setattr(Search, "_expand", lambda self, space, *rest: found.append(space) or expand(self, space, *rest))
    return found


def pool_system():
    return toys.pool_system(requesters=3, workers=2, chunks=1, callback_workers=2)


def test_what_was_foreseen_is_not_searched_again(expanded):
    result = explore(pool_system())
    assert result.verdict is Verdict.HOLDS
    assert result.states > search_module.FORESEE_AFTER[0]
    assert len(expanded) <= result.states + search_module.FORESEE_AFTER[0]


def test_without_foresight_much_is_searched_again(expanded, monkeypatch):
    monkeypatch.setattr(search_module, "FORESEE_AFTER", ())
    result = explore(pool_system())
    assert result.verdict is Verdict.HOLDS
    assert len(expanded) > 1.5 * result.states


def readers_of(pool, *, people):
    """Everybody takes two of a pool's permits, one after the other."""
    model = Model("readers")
    permits = model.semaphore("permits", pool)

    def reader():
        yield permits.acquire()
        yield permits.acquire()
        yield permits.release(2)

    for name in model.indices("reader", people):
        model.process(name, reader)
    return model


def test_runs_that_teach_nothing_but_other_names_are_few(monkeypatch):
    foresight_module = sys.modules[search_module.foresee.__module__]
    steps = []
    run = foresight_module._run
    monkeypatch.setattr(foresight_module, "_run", lambda *given: steps.append(run(*given)) or steps[-1])
    result = explore(readers_of(43, people=42))
    assert result.states > search_module.FORESEE_AFTER[1]
    assert 0 < len(steps) <= 5, "the first has met all that there is but for names"


@pytest.mark.slow
def test_where_there_is_no_room_for_the_compiled_loop_nothing_is_searched_again(expanded):
    result = explore(readers_of(66, people=65))
    assert result.verdict is Verdict.HOLDS
    assert len(expanded) == result.states > search_module.FAST_AFTER


def test_a_model_that_is_small_takes_no_sampled_run(monkeypatch):
    monkeypatch.setattr(search_module, "foresee", None)
    assert explore(toys.opposed_locks()).verdict is Verdict.VIOLATED


def counting(*, last):
    """Two processes count on in one variable, and return ``last`` after many steps."""
    model = Model("counting")
    count = model.variable("count", 0)

    def counter(own):
        for number in range(200):
            yield count.set((own, number))
        return last()

    for own in range(2):
        model.process(f"counter {own}", counter, own)
    return model


def test_an_error_that_is_only_foreseen_is_not_reported():
    result = explore(counting(last=lambda: memoryview(b"")), max_states=500)
    assert (result.verdict, result.states) == (Verdict.UNDETERMINED, 500)


def test_a_violation_that_is_only_foreseen_is_left_to_the_search():
    near = always(lambda state: state["count"] == 0 or state["count"][1] < 150)
    result = explore(counting(last=lambda: None), near, max_states=500)
    assert (result.verdict, result.states) == (Verdict.UNDETERMINED, 500)


def test_foresight_keeps_within_the_seconds_of_the_search(monkeypatch):
    monkeypatch.setattr(search_module, "FORESEE_AFTER", (1,))
    result = explore(counting(last=lambda: None), max_seconds=1e-9)
    assert result.verdict is Verdict.UNDETERMINED
    assert "max_seconds" in result.reason
