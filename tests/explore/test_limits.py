"""Wherever a search is, little is done between two looks at the clock, and little after time is over.

How much is counted in calls of functions, by a clock that stands still until it has been looked at so many times.
"""

from __future__ import annotations

import sys

import much_learned
import pytest
import small
import toys

from simcore import Model
from simcore.explore import explore
from simcore.explore.limits import Limits, OutOfBudget
from simcore.explore.reduction import Symmetry
from simcore.kernel import Kernel, unlimited
from simcore.model import Verdict, always, eventually
from simcore.properties import no_stuck_subset

MOST = 150_000
"""Calls of functions: some hundredths of a second, and what one lesson of the largest of these models may take."""

WHOLE = {"symmetry": False, "partial_order": False}

CASES = {
    "a test of symmetry": (lambda: much_learned.nested(depth=1, workers=5), (), {}),
    "operations that look into a value": (much_learned.shared_value, (), {}),
    "many processes": (much_learned.takers, (), {}),
    "a hang": (lambda: toys.pool_system(requesters=3, workers=3, chunks=1), (), {}),
    "the whole graph": (lambda: toys.pool_system(requesters=2, workers=3, chunks=1), (no_stuck_subset(),), WHOLE),
    "a goal": (small.relay, (eventually(lambda state: False, "never"),), {}),
    "an invariant": (much_learned.takers, (always(lambda state: len(state.processes) > 0, "some"),), {}),
    "compiled": (lambda: toys.pool_system(requesters=3, workers=4, chunks=1), (), WHOLE),
    "depth": (much_learned.takers, (), {"strategy": "depth"}),
}


class Clock:
    """Time is over after so many looks; what is done in between is counted."""

    def __init__(self, monkeypatch):
        monkeypatch.setattr(Limits, "elapsed", property(lambda limits: self.look()))
        self.begin(sys.maxsize)

    def begin(self, over):
        self.over, self.looks, self.calls, self.most = over, 0, 0, 0

    def look(self):
        self.most = max(self.most, self.calls if self.looks else 0)  # a kernel comes before the first
        self.looks, self.calls = self.looks + 1, 0
        return 0.0 if self.looks <= self.over else 1e9

    def explored(self, case, over=sys.maxsize):
        build, properties, options = CASES[case]
        model = build()
        self.begin(over)
        sys.setprofile(self._called)
        try:
            return explore(model, *properties, max_seconds=1, **options)
        finally:
            sys.setprofile(None)

    def _called(self, frame, event, _):
        self.calls += event == "call"


@pytest.fixture
def clock(monkeypatch):
    return Clock(monkeypatch)


@pytest.mark.parametrize("case", CASES)
def test_little_is_done_between_two_looks_at_the_clock(clock, case):
    result = clock.explored(case)
    assert "max_seconds" not in result.reason
    assert max(clock.most, clock.calls) <= MOST


@pytest.mark.some(3)
@pytest.mark.parametrize("case", CASES)
def test_whenever_time_is_over_the_answer_comes_soon_and_takes_nothing_back(clock, case):
    once = clock.explored(case)
    looks = clock.looks
    for over in (0, looks // 3, looks - 2):
        result = clock.explored(case, over)
        assert clock.looks - over <= 30
        assert max(clock.most, clock.calls) <= MOST
        assert result.verdict is Verdict.UNDETERMINED or result.verdict is once.verdict
        assert result.verdict is not Verdict.UNDETERMINED or "`max_seconds=1` was reached" in result.reason


def test_time_that_is_over_before_the_first_state_is_said(clock):
    result = clock.explored("a test of symmetry", over=0)
    assert (result.states, result.transitions, result.depth) == (1, 0, 0)
    assert result.reason == "`max_seconds=1` was reached"


def test_a_test_that_was_interrupted_is_not_taken_for_done():
    kernel = Kernel(much_learned.nested(clients=2, depth=1, workers=5))
    symmetry = Symmetry(kernel)
    state = kernel.initial
    while choices := kernel.successors(state):
        state = choices[0].state
    left = ["the first lesson"]

    def look():
        if not left:
            raise OutOfBudget
        left.pop()

    kernel.look = look
    with pytest.raises(OutOfBudget):
        symmetry.tested.test()
    assert symmetry.tested.behind
    kernel.look = unlimited
    symmetry.tested.test()
    assert not symmetry.tested.behind


def test_an_answer_has_no_limits_any_more(clock):
    result = clock.explored("a hang")
    clock.over = 0
    assert "stuck" in str(result)


# ---- what a violation keeps ------------------------------------------------------------------------------


def test_limits_are_lifted_for_what_must_be_done_and_in_force_again_inside_of_it(clock):
    limits = Limits(None, 1.0)
    clock.begin(over=0)
    with limits.lifted():
        limits.look()
        with limits.in_force(), pytest.raises(OutOfBudget):
            limits.look()
        limits.look()
    with pytest.raises(OutOfBudget):
        limits.look()


def test_there_is_a_little_time_left_over_for_what_makes_an_answer_better(monkeypatch):
    limits = Limits(None, 100.0)
    for seconds, done in ((99, True), (104, True), (106, False)):
        monkeypatch.setattr(Limits, "elapsed", property(lambda _, now=seconds: now))
        assert limits.in_time(lambda: limits.look() or True, otherwise=False) is done


# ---- attempts --------------------------------------------------------------------------------------------


def unlike(*, n: int = 4):
    """Names that nobody treats alike in the end, so that searches have to begin again."""
    model = Model("unlike")
    turns = model.variable("turns", 0)
    names = model.indices("user", n)

    def add(before):
        return before + 1

    def use(me):
        for _ in range(3):
            yield turns.update(add)
        if me == names[0]:
            yield turns.update(add)
        while True:
            yield turns.get()

    for name in names:
        model.process(name, use, name, daemon=True)
    return model


def test_an_answer_that_a_limit_has_cut_short_says_what_earlier_attempts_took():
    whole = explore(unlike())
    result = explore(unlike(), max_states=whole.states - 1)
    told = [note for note in result.notes if note.startswith("begun 2 times, as user had to be told apart: before ")]
    assert len(told) == 1
    assert "states were met, in" in told[0]


def test_an_answer_counts_the_states_of_the_last_attempt_and_says_no_more_when_it_is_known():
    result = explore(unlike())
    assert result.verdict is Verdict.HOLDS
    assert result.states == explore(unlike(), symmetry=False).states
    assert not any(note.startswith("begun") for note in result.notes)
