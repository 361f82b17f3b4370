"""A size passes the gate only where it is known to be safe, and the text says how far it is from a hang."""

from __future__ import annotations

import pytest
from sized import band, below, not_built, of_two

from simcore import Model, ModelError, Schedule, Verdict, assert_pool_safe, explore
from simcore.errors import OptionError
from simcore.explain import wait_for_graph
from simcore.kernel import Kernel
from simcore.models.nested_futures import one_pool
from simcore.models.pool_starvation import buggy


def grows(*, workers: int = 1, depth: int = 1) -> Model:
    """Has more than 60 states from a depth of 3 on, and no law."""
    model = of_two(False)
    count = model.variable("count", 0)

    def main():
        for _ in range(60 if depth > 2 else 1):
            yield count.transition(lambda n: [(n + 1, None)])

    model.process("counter", main)
    return model


def dies_at(*, workers: int = 1, depth: int = 1) -> Model:
    """Dies of an exception from a depth of 3 on."""
    model = of_two(False)

    def main():
        yield from ()
        if depth > 2:
            raise ValueError("too deep")

    model.process("main", main)
    return model


def test_a_safe_size_passes_and_says_how_far_it_is_from_a_hang():
    found = assert_pool_safe(one_pool, workers=8, roots=2, depth=3)
    assert found.finding.verdict is Verdict.HOLDS
    assert str(found) == (
        "simcore.models.nested_futures:one_pool: safe at workers=8, roots=2, depth=3 (proved)\n"
        "  workers=8: safe to roots 3, hangs at 4; safe to depth 4, hangs at 5"
    )
    for parameter, last in (("roots", 3), ("depth", 4)):  # workers <= roots * (depth - 1)
        (reach,) = [each for each in found.reaches if each.parameter == parameter]
        assert (reach.last, reach.beyond.told) == (last, "hangs")


@pytest.mark.slow
def test_many_workers_as_in_a_configuration():
    found = assert_pool_safe("nested_futures:one_pool", workers=32, roots=3, depth=10, far=2)
    assert "workers=32: safe to roots 3, hangs at 4; safe to depth 11, hangs at 12" in str(found)


def test_a_size_that_hangs_fails_with_the_margins_and_a_token():
    with pytest.raises(AssertionError) as failed:
        assert_pool_safe(one_pool, workers=4, roots=2, depth=3)
    told = str(failed.value)
    assert "hangs at workers=4, roots=2, depth=3" in told
    assert "workers=4: safe to roots 1, hangs at 2; safe to depth 2, hangs at 3" in told
    assert "replay: simcore replay sc1-" in told


def test_the_hang_that_is_told_is_one():
    with pytest.raises(AssertionError) as failed:
        assert_pool_safe(buggy, workers=2, downloads=2, far=0)
    token = str(failed.value).split("simcore replay ")[1].split()[0]
    schedule = Schedule.from_token(token)
    kernel = Kernel(buggy(workers=2, downloads=2))
    state = kernel.initial
    for step in schedule.path(kernel):
        state = kernel.step(state, *step)
    assert explore(buggy(workers=2, downloads=2)).verdict is Verdict.VIOLATED
    assert wait_for_graph(kernel.view(state)).dead


def test_a_margin_that_is_wanted_must_be_there():
    assert_pool_safe(one_pool, workers=8, roots=2, depth=3, margin={"depth": 1})
    with pytest.raises(AssertionError, match="depth must be safe to 5"):
        assert_pool_safe(one_pool, workers=8, roots=2, depth=3, margin={"depth": 2})
    with pytest.raises(AssertionError, match="safe to depth 4, hangs at 5"):
        assert_pool_safe(one_pool, workers=8, roots=2, depth=3, margin={"depth": 2}, far=0)


def test_what_is_undetermined_fails():
    with pytest.raises(AssertionError, match="undetermined, which is not safe"):
        assert_pool_safe(grows, workers=1, depth=3, max_states=60, far=0)


def test_an_undetermined_value_ends_the_margin_and_is_told():
    found = assert_pool_safe(grows, workers=1, depth=1, max_states=60)
    assert "safe to depth 2, undetermined at 3 (`max_states=60" in str(found)
    with pytest.raises(AssertionError, match="depth must be safe to 3"):
        assert_pool_safe(grows, workers=1, depth=1, max_states=60, margin={"depth": 2})


def test_a_death_is_not_safe():
    assert "safe to depth 2, dies at 3" in str(assert_pool_safe(dies_at, workers=1))
    with pytest.raises(AssertionError, match="dies at workers=1, depth=3"):
        assert_pool_safe(dies_at, workers=1, depth=3, far=0)


def test_a_size_at_which_the_programs_are_others_is_not_covered_by_the_law():
    """For n from 5 to 8 it hangs: programs read at 1, 2 and 3 say nothing of that."""
    for n in range(1, 12):
        expected = explore(band(n=n)).verdict
        if expected is Verdict.HOLDS:
            assert_pool_safe(band, n=n, far=0)
        else:
            with pytest.raises(AssertionError, match=f"hangs at n={n}"):
                assert_pool_safe(band, n=n, far=0)


def test_every_margin_is_what_a_search_of_each_size_says():
    for workers in range(2, 6):
        found = assert_pool_safe(below, workers=workers, tasks=1)
        (reach,) = found.reaches
        safe = [
            tasks for tasks in range(1, 10) if explore(below(workers=workers, tasks=tasks)).verdict is Verdict.HOLDS
        ]
        assert safe == [*range(1, reach.last + 1)]


def test_a_parameter_that_ends_somewhere_is_no_hang():
    assert "tasks 0" not in str(assert_pool_safe(not_built, workers=2, tasks=1))
    with pytest.raises(ModelError, match="a pool without workers"):
        assert_pool_safe(not_built, workers=0)


@pytest.mark.parametrize(
    ("sizes", "told"),
    [
        ({}, "give the size that is configured"),
        ({"wurkers": 3}, "has no parameter 'wurkers'"),
        ({"workers": [1, 2]}, "give one value of each"),
        ({"workers": 2.5}, "a whole number"),
        ({"workers": 3, "margin": {"depht": 1}}, "'depht' is no parameter"),
        ({"workers": 3, "margin": {"depth": -1}}, "by how much more"),
        ({"workers": 3, "margin": 2}, "a dict"),
        ({"workers": 3, "far": -1}, "far=-1"),
    ],
)
def test_what_cannot_be_meant_is_an_error_and_no_failure(sizes, told):
    with pytest.raises(OptionError, match=told):
        assert_pool_safe(one_pool, **sizes)
