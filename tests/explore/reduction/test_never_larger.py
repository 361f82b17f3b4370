"""A reduction never makes a search larger: no reduced search meets more states than the one without."""

import pytest
import toys
from claims import claims_of, quick_claims
from compared import TOYS
from generated import MANY, systems
from hypothesis import given, settings
from hypothesis import strategies as st

from simcore import Verdict, explore
from simcore.models import pool_starvation

LIMIT = 20_000
MODELS = {
    **TOYS,
    "one lock": lambda: toys.one_lock(threads=4),
    "philosophers": lambda: toys.philosophers(n=5, ordered=True, together=False),
    "bounded buffer": lambda: toys.bounded_buffer(producers=2, consumers=2, capacity=2),
    "pool system": lambda: toys.pool_system(requesters=3, workers=2, chunks=1, callback_workers=2),
    "pool starvation": lambda: pool_starvation.fixed(downloads=2, workers=2, callback_workers=2),
}
REDUCTIONS = [(True, True), (True, False), (False, True)]


def compare(build, **options):
    """Insist on the same verdict and no more states with each reduction; a space that is too large is not judged."""
    full = explore(build(), symmetry=False, partial_order=False, max_states=LIMIT, **options)
    for symmetry, partial_order in REDUCTIONS:
        reduced = explore(build(), symmetry=symmetry, partial_order=partial_order, max_states=LIMIT, **options)
        if Verdict.UNDETERMINED not in (full.verdict, reduced.verdict):
            assert reduced.verdict is full.verdict
        if full.verdict is Verdict.HOLDS:
            assert reduced.states <= full.states, (symmetry, partial_order)


@pytest.mark.some(6)
@pytest.mark.parametrize("timeouts", ["never", "when_stuck", "anytime"])
@pytest.mark.parametrize("model", MODELS.values(), ids=MODELS)
def test_no_reduction_meets_more_states(model, timeouts):
    compare(model, timeouts=timeouts)


SMALL = systems(longest=3, every_kind=True) | systems(longest=2, clients=True, every_kind=True)


@pytest.mark.slow
@settings(max_examples=10)
@given(SMALL, st.sampled_from(["never", "when_stuck", "anytime"]))
def test_no_reduction_meets_more_states_of_generated_systems(model, timeouts):
    compare(lambda: model, timeouts=timeouts)


@pytest.mark.slow
@settings(max_examples=MANY)
@given(SMALL, st.sampled_from(["never", "when_stuck", "anytime"]))
def test_no_reduction_meets_more_states_of_many_generated_systems(model, timeouts):
    compare(lambda: model, timeouts=timeouts)


@pytest.mark.slow
@pytest.mark.parametrize(("module", "position"), quick_claims(24))
def test_no_reduction_meets_more_states_of_what_is_claimed(module, position):
    claim = claims_of(module)[position]
    if claim.expected is Verdict.HOLDS and claim.property.kind == "deadlock":
        compare(claim.build, timeouts=claim.timeouts)
