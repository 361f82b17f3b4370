"""When a search has answered, the memory that it took is there for the next one."""

from __future__ import annotations

import gc
import sys
import weakref

import pytest
import small
import toys

from simcore.explore import explore
from simcore.explore.exploration import Exploration
from simcore.kernel import Kernel
from simcore.model import Verdict

WHOLE = {"symmetry": False, "partial_order": False}
limits_module = sys.modules["simcore.explore.limits"]


@pytest.fixture
def alive(monkeypatch):
    """Return what tells which searches, spaces and kernels there still are; nothing is collected by itself."""
    made = []

    def noted(kind, name):
        before = getattr(kind, name)

        def noting(self, *args, **kwargs):
            made.append(weakref.ref(self))
            answer = before(self, *args, **kwargs)
            made.extend(weakref.ref(space) for space in (answer, getattr(self, "space", None)) if space is not None)
            return answer

        monkeypatch.setattr(kind, name, noting)

    noted(Kernel, "__init__")
    noted(Exploration, "__init__")
    noted(Exploration, "compiled_space")
    gc.disable()
    yield lambda: {type(thing()).__name__ for thing in made if thing() is not None}
    gc.enable()


@pytest.mark.parametrize(
    "options",
    [
        {},
        WHOLE,
        {"strategy": "random"},
        {"max_states": 1_500},
        {**WHOLE, "max_states": 1_500},
        {**WHOLE, "compact": True},
    ],
    ids=str,
)
def test_nothing_of_a_search_is_left_but_its_answer(alive, options):
    result = explore(toys.pool_system(requesters=3, workers=4, chunks=1), **options)
    assert result.states > 10
    assert alive() == set()


def test_a_counterexample_keeps_its_kernel_and_nothing_else(alive):
    result = explore(toys.pool_system(requesters=2, workers=2, chunks=1))
    assert result.verdict is Verdict.VIOLATED
    assert alive() == {"Kernel"}
    assert "stuck" in str(result)


def test_attempts_that_have_to_be_made_again_are_given_up_before_the_next(alive, monkeypatch):
    there, begin = [], Exploration.exhaust

    def exhaust(self, *args, **kwargs):
        there.append(alive())
        return begin(self, *args, **kwargs)

    monkeypatch.setattr(Exploration, "exhaust", exhaust)
    explore(toys.pool_system(requesters=2, workers=3, chunks=1))
    assert len(there) >= 1
    assert alive() <= {"Kernel"}


def test_a_second_search_within_the_same_memory_gives_the_same_answer(monkeypatch):
    """What is in use is taken to be what searches hold, so that it does not depend on the machine."""
    spaces = []
    init = Exploration.__init__

    def remembered(self, *args):
        init(self, *args)
        spaces.append(weakref.ref(self))

    monkeypatch.setattr(Exploration, "__init__", remembered)
    monkeypatch.setattr(
        limits_module, "memory_used", lambda: sum(len(s().space.states) for s in spaces if s() is not None)
    )
    models = [small.steps(length=9, processes=5), small.steps(length=9, processes=5)]
    first, second = (explore(model, max_memory=3_000, **WHOLE) for model in models)
    assert first.verdict is Verdict.UNDETERMINED
    assert (first.states, first.reason) == (second.states, second.reason)
