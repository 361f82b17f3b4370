"""What every model of a known hang must show, asked of each module that makes claims.

The first claim of a module is the bug, the second one the same question after the fix. The bug is found by
the property that it names, in a schedule that every driver can follow; the fix removes it, and taking the fix
out brings it back. What is particular to one model is in the test of its name.
"""

from __future__ import annotations

import inspect
import re
from functools import cache
from types import ModuleType

import pytest
from claims import ALL, CLAIMED, name_of, quick_claims
from replays import in_kernel, in_machine, in_simulate
from versions import loops

from simcore import Claim, Result, Schedule, Verdict, execute, explore
from simcore.command.arguments import parameters_of
from simcore.kernel import Kernel
from simcore.model import claims_of

PINNED = {
    "callback_starvation": (378, 161),
    "client_memory": (97, 51),
    "download_path": (146, 1_670),
    "download_retry": (60, 450),
    "escalation": (30, 144),
    "head_of_line_stall": (113, 1_837),
    "hierarchical_startup": (31, 765),
    "pass_through": (29, loops(54, 41)),
    "pool_starvation": (41, 83),
    "produce_item": (42, 805),
    "rxtask_self_deadlock": (463, 8_166),
    "self_message": (2, 19),
    "sid_collision": (489, 177),
}
"""States that the first claim of each module meets, and the second."""

QUICK_SECOND = 0.003
"""What a model that has time-outs is given as a second when it runs for real."""


@cache
def found(module: ModuleType, position: int, **other: float) -> Result:
    """Explore a claim of a module, once, with ``other`` parameters."""
    claim = claims_of(module)[position]
    model = claim.build(**other)
    return explore(model, claim.property, timeouts=claim.timeouts, max_states=claim.max_states)


def quickly(module: ModuleType) -> dict[str, float]:
    """Return the parameter that makes real runs of a model quick, if it has time-outs."""
    return {"second": QUICK_SECOND} if "second" in inspect.signature(module.buggy).parameters else {}


def the_bug(module: ModuleType) -> Claim:
    return claims_of(module)[0]


def the_fix(module: ModuleType) -> Claim:
    return claims_of(module)[1]


def answer(result: Result) -> tuple[Verdict, str]:
    return result.verdict, result.property


every_model = pytest.mark.parametrize("module", CLAIMED, ids=name_of)
every_variant = pytest.mark.parametrize(
    "function",
    [getattr(module, name) for module in CLAIMED for name in ("buggy", "fixed") if hasattr(module, name)],
    ids=lambda function: f"{function.__module__.removeprefix('simcore.models.')}:{function.__name__}",
)


# ---- its form ------------------------------------------------------------------------------------------


def test_what_is_modelled_before_and_after_a_fix_makes_claims():
    pairs = [module for module in ALL if hasattr(module, "buggy") and hasattr(module, "fixed")]
    assert pairs == CLAIMED


@every_model
def test_the_first_claim_is_the_bug_and_the_second_the_same_after_the_fix(module):
    bug, fix = the_bug(module), the_fix(module)
    assert (bug.model, bug.expected, bug.slow) == (module.buggy, Verdict.VIOLATED, False)
    assert (fix.model, fix.expected, fix.slow) == (module.fixed, Verdict.HOLDS, False)
    assert (bug.id, bug.property.name) == (fix.id, fix.property.name)
    assert fix.parameters.get("fix", True) is True


@every_model
def test_the_fixed_variant_takes_the_parameters_of_the_buggy_one_and_fix(module):
    before, after = (inspect.signature(build).parameters for build in (module.buggy, module.fixed))
    assert set(before) <= set(after)
    assert after["fix"].default is True


@every_variant
def test_every_parameter_is_a_keyword_has_a_default_and_says_what_it_means(function):
    assert all(p.kind is p.KEYWORD_ONLY for p in inspect.signature(function).parameters.values())
    for parameter in parameters_of(function):
        assert "default" in parameter, parameter
        assert parameter["meaning"], parameter


@every_model
def test_the_docstring_says_versions_file_pull_request_and_what_to_look_for(module):
    text = module.__doc__
    assert text.partition("\n")[0].endswith(".")
    assert re.search(r"NVFlare \d+\.\d+\.\d+, nvflare/[\w/]+\.py", text)
    assert re.search(r"ixed in \d+\.\d+\.\d+ by #\d+|[Oo]pen in \d+\.\d+\.\d+", text)
    assert "Look for" in text


@every_model
def test_the_report_is_an_address(module):
    links = [module.REPORT] if isinstance(module.REPORT, str) else module.REPORT
    assert links
    assert all(re.fullmatch(r"https://\S+", link) for link in links)


# ---- before --------------------------------------------------------------------------------------------


@every_model
def test_what_is_buggy_violates_the_property_that_it_names(module):
    result = found(module, 0)
    assert answer(result) == (Verdict.VIOLATED, the_bug(module).property.name)
    assert result.counterexample is not None


@every_model
def test_the_token_of_the_bug_leads_back_into_it(module):
    counterexample = found(module, 0).counterexample
    schedule = Schedule.from_token(counterexample.token)
    assert schedule == counterexample.schedule
    kernel = Kernel(the_bug(module).build(), the_bug(module).timeouts)
    assert str(kernel.view(schedule.states(kernel)[-1])) == str(counterexample.state)


@pytest.mark.some(2)
@every_model
def test_the_schedule_of_the_bug_replays_in_virtual_time(module):
    token = found(module, 0).counterexample.token
    assert in_simulate(token) == in_kernel(token)


@pytest.mark.some(3)
@every_model
def test_the_schedule_of_the_bug_replays_in_the_state_machine_of_hypothesis(module):
    token = found(module, 0).counterexample.token
    assert in_machine(token) == in_kernel(token)


@pytest.mark.some(3)
@every_model
def test_the_schedule_of_the_bug_happens_on_real_threads_and_the_model_explains_it(module):
    other = quickly(module)
    schedule = found(module, 0, **other).counterexample.schedule
    run = execute(the_bug(module).build(**other), schedule=schedule)
    assert run.explained is True, str(run)


# ---- after ---------------------------------------------------------------------------------------------


@pytest.mark.some(2)
@every_model
def test_what_is_fixed_holds(module):
    assert answer(found(module, 1)) == (Verdict.HOLDS, the_fix(module).property.name)


@pytest.mark.some(3)
@every_model
def test_what_is_fixed_completes_on_real_threads_and_the_model_explains_it(module):
    run = execute(the_fix(module).build(**quickly(module)))
    assert (run.status, run.explained) == ("completed", True), str(run)


@pytest.mark.some(2)
@every_model
def test_with_the_fix_taken_out_the_same_property_is_violated_again(module):
    assert answer(found(module, 1, fix=False)) == (Verdict.VIOLATED, the_fix(module).property.name)


@every_model
def test_the_states_before_and_after_are_counted(module):
    states = found(module, 0).states, found(module, 1).states
    assert PINNED.get(name_of(module), "not pinned: add it to PINNED") == states


# ---- all that is claimed -------------------------------------------------------------------------------


@pytest.mark.some(2)
@pytest.mark.parametrize(("module", "position"), quick_claims(18))
def test_what_is_claimed_is_found(module, position):
    """Of some; `make matrix` asks about all."""
    claim, result = claims_of(module)[position], found(module, position)
    assert result.verdict is claim.expected, f"{claim}\n{result}"
    assert result.property == claim.property.name, f"{claim}\n{result}"
