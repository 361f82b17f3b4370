"""A claim builds the model it is about, by the name that the command line uses, and says what it says."""

from __future__ import annotations

from types import ModuleType

import pytest
from toys import one_lock, opposed_locks

from simcore import Claim, ModelError, Verdict
from simcore.model import claims_of
from simcore.properties import deadlock_free

CLAIM = Claim("S1", "1.0", one_lock, deadlock_free(), Verdict.HOLDS, {"threads": 3})


def module(**content: object) -> ModuleType:
    made = ModuleType("made")
    vars(made).update(content)
    return made


def test_a_claim_builds_its_model_at_its_size():
    assert CLAIM.build().origin == ("toys:one_lock", {"threads": 3})


def test_a_parameter_of_a_claim_can_be_replaced():
    assert CLAIM.build(threads=4).origin.parameters == {"threads": 4}


def test_a_claim_names_its_model_as_the_command_line_does():
    assert CLAIM.function == "toys:one_lock"


def test_a_claim_says_what_is_expected_of_what():
    assert str(CLAIM) == "S1 1.0: deadlock free holds of toys:one_lock(threads=3)"


def test_a_claim_about_the_defaults_names_no_parameter():
    assert str(Claim("X", "2", opposed_locks, deadlock_free(), Verdict.HOLDS)).endswith(
        " holds of toys:opposed_locks()"
    )


def test_a_claim_is_about_what_only_time_outs_can_move_when_nothing_else_is_said():
    assert (CLAIM.timeouts, CLAIM.max_states, CLAIM.slow) == ("when_stuck", None, False)


def test_a_parameter_that_the_model_does_not_have_is_a_model_error():
    with pytest.raises(ModelError, match=r"toys:one_lock has no parameter 'm'; it has threads"):
        CLAIM.build(m=1)


def test_a_model_that_cannot_be_named_is_a_model_error():
    def local(): ...

    with pytest.raises(ModelError, match="has no model function 'test_a_model_that_cannot_be_named_is_a_model_error"):
        Claim("X", "1", local, deadlock_free(), Verdict.HOLDS).build()


def test_a_module_without_claims_has_none():
    assert claims_of(module()) == ()


@pytest.mark.parametrize("kind", [tuple, list])
def test_the_claims_of_a_module_keep_their_order(kind):
    other = Claim("X", "2", opposed_locks, deadlock_free(), Verdict.VIOLATED)
    assert claims_of(module(CLAIMS=kind([CLAIM, other]))) == (CLAIM, other)


@pytest.mark.parametrize("wrong", [CLAIM, "S1", 3, {CLAIM.id: CLAIM}, (CLAIM, "S1"), None])
def test_claims_that_are_none_are_a_model_error(wrong):
    with pytest.raises(ModelError, match=r"made.CLAIMS is no tuple of claims; write CLAIMS = \(Claim\(...\), ...\)"):
        claims_of(module(CLAIMS=wrong))
