"""What is called safe is proved, what is called wrong replays, and nothing else is called either."""

from __future__ import annotations

from functools import cache, partial
from itertools import product

import pytest
import repaired_by_hand as by_hand
from toys import opposed_locks

from simcore import Model, ModelError, Verdict, explore
from simcore.errors import OptionError
from simcore.model import Origin, build
from simcore.models import nested_futures, pool_starvation
from simcore.schedule import Schedule
from simcore.sizes import Attempt, Rate, advise
from simcore.sizes.advice import IMPOSSIBLE, NOTHING, SAFE, UNKNOWN, WRONG, ranked
from simcore.sizes.repairs import Repair, rebuild

NAMES = ["unbounded", "bigger", "levels", "bound", "reserve", "caller", "retry"]


@cache
def advised(**sizes: int):
    """Advice on nested futures; two callers or three look at the same."""
    return advise(nested_futures.one_pool(**sizes), max_states=5_000)


def told(advice) -> dict[str, tuple[str, str, int | None]]:
    return {one.repair: (one.verdict, one.text, one.threads) for one in advice.attempts}


def test_each_repair_of_nested_futures():
    advice = advised(roots=2, depth=2, workers=2)
    assert told(advice) == {
        "bound": (SAFE, "at most 1 root at once", 2),
        "reserve": (SAFE, "a worker reserved for inner tasks", 2),
        "caller": (SAFE, "run in the caller", 2),
        "bigger": (SAFE, "3 workers", 3),
        "unbounded": (SAFE, "4 workers", 4),
        "levels": (SAFE, "a pool for each of 2 levels", 4),
        "retry": (WRONG, "time-out with retry", 2),
    }
    assert [one.repair for one in advice.safe] == ["bound", "reserve", "caller", "bigger", "unbounded", "levels"]
    assert "6 of 7 repairs are proved safe at these parameters; limits of each search" in str(advice)
    assert "not ranked by throughput: no time passes" in str(advice)


@pytest.mark.slow
def test_what_is_safe_one_level_deep_is_wrong_two_levels_deep():
    advice = advised(roots=2, depth=3, workers=2)
    verdicts = {name: verdict for name, (verdict, *_) in told(advice).items()}
    assert verdicts == {**dict.fromkeys(NAMES, SAFE), "reserve": WRONG, "retry": WRONG, "bound": WRONG}
    assert told(advice)["levels"] == (SAFE, "a pool for each of 3 levels", 6)
    assert told(advice)["bigger"] == (SAFE, "5 workers", 5)  # as the law says: workers > roots * (depth - 1)


@pytest.mark.slow
@pytest.mark.parametrize(("roots", "depth", "workers"), [*product((1, 2, 3), (2, 3), (1, 2, 3))])
def test_numbers_are_those_of_the_law(roots, depth, workers):
    advice = advise(nested_futures.one_pool(roots=roots, depth=depth, workers=workers), max_states=20_000)
    if workers > roots * (depth - 1):
        assert advice.before.verdict is Verdict.HOLDS
        return
    found = told(advice)
    assert found["bigger"] == (SAFE, f"{roots * (depth - 1) + 1} workers", roots * (depth - 1) + 1)
    assert found["unbounded"] == (SAFE, f"{roots * depth} workers", roots * depth)
    assert found["levels"] == (SAFE, f"a pool for each of {depth} levels", depth * workers)
    bound = (workers - 1) // (depth - 1)  # the most for which workers > bound * (depth - 1)
    assert found["bound"][0] == (SAFE if bound else WRONG)
    assert not bound or found["bound"][1].startswith(f"at most {bound} root")
    assert found["caller"][0] == SAFE


@pytest.mark.slow
def test_pool_starvation_is_cured_by_more_than_its_fix():
    advice = advise(pool_starvation.buggy(downloads=2, workers=2), max_states=2_000)
    assert {one.repair for one in advice.safe} == {*NAMES} - {"retry"}


def test_each_verdict_is_that_of_the_repaired_model():
    builder = partial(nested_futures.one_pool, roots=2, depth=3, workers=2)
    advice = advised(roots=2, depth=3, workers=2)
    kinds = {"unbounded": "size", "bigger": "size"}
    for one in advice.attempts:
        size = next((int(word) for word in one.text.split() if word.isdigit()), 1)
        found = explore(rebuild(builder, Repair(kinds.get(one.repair, one.repair), one.pool, size)), witness="any")
        assert found.verdict is {SAFE: Verdict.HOLDS, WRONG: Verdict.VIOLATED}[one.verdict]


def test_whatever_is_wrong_replays():
    advice = advised(roots=1, depth=2, workers=1)
    assert {one.repair for one in advice.wrong} == {"bound", "retry"}
    for one in advice.wrong:
        schedule = Schedule.from_token(one.token)
        model = build(schedule.origin)
        assert explore(model).verdict is Verdict.VIOLATED
        assert f"{one.name}: {one.reason}" in " ".join(str(advice).split())
    assert not any(one.token for one in advice.safe)


def test_who_retries_for_ever_is_shown_doing_so():
    retry = next(one for one in advised(roots=1, depth=2, workers=1).attempts if one.repair == "retry")
    lasso = [step.text for step in retry.result.counterexample.lasso.steps]
    assert any("cancels a task of pool" in text for text in lasso)
    assert any("submits task" in text for text in lasso)


def test_a_search_that_hits_its_limit_is_not_safe():
    advice = advise(nested_futures.one_pool(), max_states=12)
    assert advice.before.verdict is Verdict.VIOLATED  # by a sampled run
    assert not advice.safe
    unknown = [one for one in advice.attempts if one.verdict == UNKNOWN]
    assert {one.repair for one in unknown} >= {"unbounded", "levels", "caller"}
    assert all("max_states=12" in one.reason for one in unknown)
    assert "undetermined" in str(advice)


def test_how_fast_a_safe_repair_is_is_simulated():
    advice = advise(nested_futures.one_pool(roots=1, workers=1), latency={"task": 0.5}, seeds=2)
    rates = [(one.repair, str(one.rate)) for one in advice.safe]  # one root, and two tasks of half a second
    assert rates == [("caller", "1"), ("unbounded", "1"), ("bigger", "1"), ("levels", "1")]
    assert not advice.notes


@pytest.mark.slow
def test_what_is_fastest_comes_first_of_those_with_as_many_threads():
    advice = advise(nested_futures.one_pool(), latency={"task": 0.5}, seeds=2)
    assert [(one.repair, str(one.rate)) for one in advice.safe] == [
        ("caller", "2"),
        ("bound", "1"),
        ("reserve", "1"),
        ("bigger", "1.33"),
        ("unbounded", "2"),
        ("levels", "2"),
    ]


def test_attempts_are_ranked():
    def made(verdict: str, threads: int, mean: float) -> Attempt:
        return Attempt("bound", "pool", "", verdict, threads=threads, rate=Rate(mean, mean, mean))

    slow, fast, more = made(SAFE, 2, 1.0), made(SAFE, 2, 2.0), made(SAFE, 3, 9.0)
    others = [Attempt("bound", "pool", "", verdict) for verdict in (IMPOSSIBLE, NOTHING, WRONG, UNKNOWN)]
    assert ranked([*others, more, slow, fast]) == (fast, slow, more, *reversed(others))
    assert str(Rate(1.5, 1.0, 2.0)) == "1.5 (1 to 2)"


def test_tasks_that_submit_nothing_are_told_so():
    advice = advise(by_hand.one_lock())
    assert {one.repair for one in advice.attempts if one.verdict == NOTHING} == {"levels", "reserve", "caller", "retry"}
    text = " ".join(str(advice).split())
    assert "levels, reserve, caller, retry of pool: changes nothing: no task of pool submits to it" in text
    assert not advice.safe  # it is no matter of workers
    assert "unbounded of pool (2 workers)" in text
    assert "bigger of pool (up to 2 workers): " in text
    assert "as unbounded of pool (2 workers)" in text


def test_a_pool_that_nobody_waits_for_is_told_so():
    advice = advise(by_hand.one_lock(workers=2))
    text = " ".join(str(advice).split())
    assert "unbounded, bigger of pool: changes nothing: there are at most 2 tasks of pool at once" in text


def test_one_task_is_told_as_one():
    def builder() -> Model:
        model = Model("one task and a lock")
        pool, lock = model.thread_pool("pool", 1), model.lock("lock")

        def task():
            yield lock.acquire()
            yield lock.acquire()

        def root():
            yield pool.submit(task)

        model.process("root", root)
        return model

    assert "there is at most 1 task of pool at once, so none waits" in " ".join(str(advise(builder)).split())


def test_what_cannot_be_tried_says_why():
    advice = advise(by_hand.handed_on())
    assert told(advice)["reserve"][0] == told(advice)["retry"][0] == IMPOSSIBLE
    text = " ".join(str(advice).split())
    assert "with its one worker reserved, nobody would take a task from outside" in text
    assert "hands the future of an inner task on" in text


def test_a_name_that_is_taken_ends_no_more_than_its_repair():
    advice = advise(by_hand.named_alike)
    assert {one.repair for one in advice.safe} == {"bigger", "caller"}
    assert told(advice)["bound"][0] == told(advice)["levels"][0] == IMPOSSIBLE
    assert "the name 'roots of pool' is taken" in " ".join(str(advice).split())


@pytest.mark.parametrize(
    ("model", "options", "note"),
    [
        (nested_futures.one_pool(workers=3), {}, "nothing to repair: it does not hang at these parameters"),
        (opposed_locks(), {}, "nothing was tried: it has no thread pool"),
        (nested_futures.one_pool(workers=3), {"max_states": 3}, "nothing was tried, as it is not known to hang"),
    ],
    ids=["safe", "no pool", "undetermined"],
)
def test_where_nothing_is_tried_it_says_why(model, options, note):
    advice = advise(lambda: model, **options)
    assert note in str(advice)
    assert not advice.attempts
    assert not advice.safe


def test_a_model_without_a_name_is_built_by_a_function():
    def builder() -> Model:
        model = Model("no name")
        pool = model.thread_pool("pool", 1)

        def task(level):
            if level:
                inner = yield pool.submit(task, level - 1)
                yield inner.result()

        def main():
            yield (yield pool.submit(task, 1)).result()

        model.process("main", main)
        return model

    with pytest.raises(ModelError, match="pass a function without parameters that builds it"):
        advise(builder())
    advice = advise(builder)
    assert {one.repair for one in advice.safe} == {"unbounded", "bigger", "levels", "caller"}
    assert not any(one.token for one in advice.attempts)
    assert "replay: explore the same model again" in str(advice)


def test_a_model_is_named_with_its_parameters():
    model = build(Origin("nested_futures:one_pool", {"roots": 1, "workers": 1}))
    assert "(roots=1, depth=2, workers=1)" in str(advise(model))


def test_names_stay_in_their_columns():
    advice = advise(by_hand.oddly_named())
    table = advice.table()
    assert all(line.isprintable() and len(line) <= 100 for line in table.split("\n"))
    two = [*advice.attempts, Attempt("bound", "another", "", SAFE, threads=1)]
    table = type(advice)(advice.before, tuple(two)).table()
    assert r"a\x1b[31m\nbbb" in table
    assert all(line.isprintable() and len(line) <= 100 for line in table.split("\n"))


def test_mistakes_are_refused():
    with pytest.raises(OptionError, match="`seeds=0`: use at least 1"):
        advise(nested_futures.one_pool(), seeds=0)
    with pytest.raises(OptionError, match=r"`latency\['nobody'\]` names no object"):
        advise(nested_futures.one_pool(), latency={"nobody": 1.0})
    with pytest.raises(OptionError, match="`progress=1`: a function"):
        advise(nested_futures.one_pool(), progress=1)
    with pytest.raises(OptionError, match=r"advise\('nested_futures:one_pool'\): pass a Model"):
        advise("nested_futures:one_pool")
    with pytest.raises(ModelError, match="the function returned a int"):
        advise(lambda: 1)


def test_progress_is_told():
    lines: list[str] = []
    advise(nested_futures.one_pool(roots=1, workers=1), progress=lines.append)
    assert lines[0] == "exploring the model as it is"
    assert "exploring run in the caller of pool" in lines
