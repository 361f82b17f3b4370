"""A law is the simplest inequality that no explored cell contradicts, says of how many, and is refused otherwise."""

from __future__ import annotations

import random
from functools import cache
from operator import itemgetter

import pytest
from sized import swept

from simcore import SimcoreError, Verdict, sweep
from simcore.models import rxtask_self_deadlock
from simcore.sizes.evidence import Evidence
from simcore.sizes.forms import pairs, sides

TO_4 = range(1, 5)
THREE, FOUR = dict.fromkeys("abc", TO_4), dict.fromkeys("abcd", TO_4)


# ---- laws of models ------------------------------------------------------------------------------------


def test_the_law_of_nested_futures():
    found = sweep("nested_futures:one_pool", executor="here", workers=range(1, 6), roots=[1, 2], depth=[1, 2, 3])
    law = found.law()
    assert law.formula == "workers <= roots * (depth - 1)"
    assert str(law) == (
        "hangs exactly where workers <= roots * (depth - 1): holds in all 30 cells explored (15 fitted, 15 tested)"
    )
    assert str(law.smallest_safe(roots=2, depth=3)) == "workers=5"
    assert str(law.smallest_safe(roots=4, depth=11)) == "workers=41 (extrapolated: this size was not explored)"


def test_a_pool_for_each_level_never_hangs():
    grid = {"workers": [1, 2], "roots": [1, 2], "depth": [1, 2]}
    law = sweep("nested_futures:pool_for_each_level", executor="here", **grid).law()
    assert str(law) == "hangs never: holds in all 8 cells explored (4 fitted, 4 tested)"
    assert law.smallest_safe(roots=7, depth=9).value == 1


@pytest.mark.slow
def test_the_law_of_pool_starvation():
    law = sweep("pool_starvation:buggy", executor="here", workers=range(1, 5), downloads=range(1, 4)).law()
    assert law.formula == "workers <= downloads"
    assert "\n  with chunks=1" in str(law)
    assert law.smallest_safe(downloads=3, chunks=1).value == 4


@pytest.mark.slow
def test_the_law_of_nested_futures_in_252_cells():
    found = sweep("nested_futures:one_pool", workers=range(1, 22), roots=[1, 2, 3], depth=range(1, 5), max_seconds=60)
    assert found.law().formula == "workers <= roots * (depth - 1)"


@pytest.mark.slow
def test_the_law_of_nested_requests_in_callbacks():
    grid = {"callback_workers": range(1, 5), "requests": range(1, 4), "depth": [0, 1, 2]}
    law = sweep("callback_starvation:buggy", max_seconds=60, **grid).law()
    assert law.formula == "depth >= 1 and callback_workers <= requests"


@pytest.mark.slow
def test_the_law_of_the_reorder_limit():
    """A stream of window + 2 chunks fails where most_early <= window (H17); a longer one fails for another reason."""
    grid = {"window": [1, 2], "most_early": range(1, 5), "chunks": [3, 4, 5]}
    alone = {"bystanders": 0, "fails_after": 99, "ack_interval": 0}
    found = sweep(rxtask_self_deadlock.fixed, asked=rxtask_self_deadlock.not_failed, max_seconds=60, **alone, **grid)
    law = found.law()
    assert law.formula == "window <= chunks - 3 or most_early <= chunks - 2"
    assert law.what == "is violated"


# ---- laws of cells -------------------------------------------------------------------------------------

KNOWN = {
    "a <= b": lambda a, b, c: a <= b,
    "a <= b - 1": lambda a, b, c: a < b,
    "a <= b + 2": lambda a, b, c: a <= b + 2,
    "a >= 3": lambda a, b, c: a >= 3,
    "a <= 2": lambda a, b, c: a <= 2,
    "a <= b * (c - 1)": lambda a, b, c: a <= b * (c - 1),
    "a <= b + c": lambda a, b, c: a <= b + c,
    "a <= b + c - 2": lambda a, b, c: a <= b + c - 2,
    "a * b <= c - 1": lambda a, b, c: a * b <= c - 1,
    "2 * a <= b + c": lambda a, b, c: 2 * a <= b + c,
    "a >= 2 and b <= c": lambda a, b, c: a >= 2 and b <= c,
    "a <= b and a <= c": lambda a, b, c: a <= b and a <= c,
    "a <= 1 or b <= c": lambda a, b, c: a <= 1 or b <= c,
    "a <= b or a <= c": lambda a, b, c: a <= b or a <= c,
}
OF_FOUR = {
    "a * b <= c * d": lambda a, b, c, d: a * b <= c * d,
    "a + b <= c + d": lambda a, b, c, d: a + b <= c + d,
    "a <= b and c <= d": lambda a, b, c, d: a <= b and c <= d,
    "a <= b or c <= d": lambda a, b, c, d: a <= b or c <= d,
}


@cache
def law_of(formula):
    return swept(KNOWN[formula], **THREE).law()


@pytest.mark.some(2)
@pytest.mark.parametrize("formula", KNOWN)
def test_a_law_is_found_without_being_told_its_form(formula):
    found, law = swept(KNOWN[formula], **THREE), law_of(formula)
    assert law.formula == formula
    assert (law.counts.explored, law.witness) == (64, None)
    assert all(law.violated(**cell.parameters) is (cell.verdict is Verdict.VIOLATED) for cell in found)


@pytest.mark.parametrize("formula", [pytest.param(each, marks=pytest.mark.slow) for each in OF_FOUR])
def test_a_law_of_four_parameters_is_found(formula):
    law = swept(OF_FOUR[formula], **FOUR).law()
    assert law.formula == formula
    assert (law.counts.fitted, law.counts.tested) == (128, 128)


def test_a_law_along_one_parameter_may_have_two_ends():
    law = swept(lambda n: 7 <= n <= 20, n=range(1, 41)).law()
    assert law.formula == "n >= 7 and n <= 20"
    assert law.smallest_safe().value == 21


def test_always_and_never_are_laws():
    always = swept(lambda a, b: True, a=TO_4, b=TO_4).law()
    never = swept(lambda a, b: False, a=TO_4, b=TO_4).law()
    assert str(always) == "hangs always: holds in all 16 cells explored (8 fitted, 8 tested)"
    assert str(never) == "hangs never: holds in all 16 cells explored (8 fitted, 8 tested)"
    assert always.smallest_safe(b=1) is None
    assert (always.violated(), never.violated()) == (True, False)


def test_what_is_violated_and_no_hang_is_not_called_one():
    found = swept(lambda a: a <= 9, a=range(1, 21))
    cells = tuple(type(cell)(cell.parameters, cell.verdict) for cell in found)
    law = type(found)("m", cells, found.values, {}, ("no process fails",), "never").law()
    assert str(law).startswith("is violated exactly where a <= 9: ")


# ---- refused -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("odd", [{"a": 3, "b": 2, "c": 1}, {"a": 4, "b": 1, "c": 2}, {"a": 2, "b": 3, "c": 2}])
def test_one_cell_that_disagrees_with_every_candidate_refuses_the_law(odd):
    law = swept(lambda **at: (at["a"] <= at["b"]) != (at == odd), **THREE).law()
    assert law.formula == ""
    at = ", ".join(f"{name}={value}" for name, value in law.witness.parameters.items())
    assert str(law).startswith(
        f"no law: no inequality of up to 12 symbols that was tried agrees with {at} ({law.witness.verdict}) and"
    )
    assert law.smallest_safe(a=1, b=1) is None
    assert law.violated(a=1) is None


@pytest.mark.parametrize("odd", [{"a": 1, "b": 1, "c": 4}, {"a": 1, "b": 4, "c": 4}, {"a": 4, "b": 1, "c": 1}])
def test_an_inequality_that_is_there_for_one_cell_is_no_law(odd):
    law = swept(lambda **at: (at["a"] <= at["b"]) != (at == odd), **THREE).law()
    assert law.formula == ""
    assert law.witness.parameters == odd


def test_the_witness_disagrees_with_everything_that_agrees_with_the_cells_before_it():
    found = swept(lambda a: a % 3 == 0, a=range(1, 31))
    law = found.law()
    cells = sorted(found.cells, key=lambda cell: cell is law.witness)
    evidence = Evidence(["a"], cells, 12)
    assert law.witness in found.cells
    assert not any(evidence.agrees(candidate) for candidate in evidence.candidates(len(cells) - 1))


def test_chance_is_no_law():
    """Verdicts that are drawn by lot have no law: of so many forms one always fits a half, and none the other."""
    for seed in range(5):
        drawn = random.Random(seed)
        law = swept(lambda a, b, c, drawn=drawn: drawn.random() < 0.5, a=TO_4, b=TO_4, c=TO_4).law()
        assert law.refused, seed
        assert law.witness is not None


def test_a_law_has_no_more_symbols_than_there_are_tested_cells():
    few = swept(lambda a: a <= 500, a=[*range(499, 507)]).law()
    assert (few.counts.tested, few.witness) == (4, None)
    assert few.refused == "4 tested cells cannot speak for a number that tells those that hang from others"
    assert swept(lambda a: a <= 500, a=[*range(490, 511)]).law().formula == "a <= 500"


def test_a_law_that_holds_in_the_fitted_half_alone_is_refused():
    """Turn each tested cell over, one at a time: whatever the law was, it is not that one any more."""
    law = swept(lambda a, b: a <= b, a=range(1, 9), b=range(1, 9)).law()
    found = swept(lambda a, b: a <= b, a=range(1, 9), b=range(1, 9))
    for cell in found.cells[::7]:
        turned = swept(
            lambda a, b, at=cell.parameters: (a <= b) != (at == {"a": a, "b": b}), a=range(1, 9), b=range(1, 9)
        )
        assert turned.law().formula != law.formula


@pytest.mark.parametrize(
    ("values", "verdict", "why"),
    [
        (
            {"a": range(1, 8)},
            lambda a: a <= 3,
            "7 cells explored, and it takes 8 to fit to one half and test on the other",
        ),
        ({"a": range(1, 20)}, lambda a: a == 1, "only one cell is found as violated, so none is left to test with"),
        (
            {"a": ["x", "y"], "b": range(1, 9)},
            lambda a, b: b <= 4,
            "a is no whole number; sweep one value of it at a time",
        ),
        (
            {"a": [0.5, 1.0], "b": range(1, 9)},
            lambda a, b: b <= 4,
            "a is no whole number; sweep one value of it at a time",
        ),
        ({"a": [True, False], "b": range(1, 9)}, lambda a, b: b <= 4, "a is no whole number"),
    ],
)
def test_what_cannot_be_fitted_and_tested_is_refused(values, verdict, why):
    law = swept(verdict, **values).law()
    assert why in law.refused
    assert str(law) == f"no law: {law.refused}"


# ---- what it says of itself ----------------------------------------------------------------------------


def test_undetermined_cells_are_counted_and_nothing_is_said_of_them():
    def verdict(a, b):
        return Verdict.UNDETERMINED if (a, b) in ((3, 1), (1, 4)) else a <= b

    law = swept(verdict, a=range(1, 7), b=range(1, 7)).law()
    assert str(law) == (
        "hangs exactly where a <= b: holds in all 34 cells explored (17 fitted, 17 tested)\n"
        "  2 cells undetermined, of which it says nothing"
    )


def test_what_was_fixed_is_named():
    law = swept(lambda a, b: a <= b, {"chunks": 1}, a=range(1, 9), b=[4]).law()
    assert law.fixed == {"b": 4, "chunks": 1}
    assert str(law).endswith("\n  with b=4, chunks=1")


def test_others_that_are_as_short_and_as_true_are_shown():
    law = swept(lambda a, b: a + b <= 3, a=TO_4, b=TO_4).law()
    assert law.formula == "a * b <= 2"
    assert law.also == ("a + b <= 3",)
    for other in law.also:
        assert f"as short, and as true of these cells: {other}" in str(law)


def test_candidates_that_the_other_half_refuted_are_counted():
    law = swept(lambda a, b: 2 * a <= b - 4, a=range(1, 9), b=range(1, 9)).law()
    assert law.formula == "2 * a <= b - 4"
    assert law.counts.refuted > 0
    told = "before it in the order fitted, and a tested cell refuted"
    assert f"  {law.counts.refuted} candidates {told} each" in str(law)


def test_the_halves_share_no_cell_and_are_the_same_in_each_run():
    found = swept(lambda a, b: a <= b, a=range(1, 9), b=range(1, 9))
    assert found.law() == found.law()
    turned = type(found)("m", found.cells[::-1], found.values, {}, (), "never")
    assert turned.law().formula == found.law().formula
    assert found.law().counts.fitted + found.law().counts.tested == 64


# ---- the smallest safe size ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("formula", "given", "value", "extrapolated"),
    [
        ("a <= b", {"b": 3}, 4, False),
        ("a <= b", {"b": 4}, 5, True),
        ("a <= b", {"b": 100}, 101, True),
        ("a >= 3", {}, None, None),
        ("a <= 2", {}, 3, False),
        ("a <= b and a <= c", {"b": 2, "c": 1}, 2, False),
        ("a <= b or a <= c", {"b": 2, "c": 3}, 4, False),
        ("a <= 1 or b <= c", {"b": 2, "c": 1}, 2, False),
        ("a <= 1 or b <= c", {"b": 1, "c": 1}, None, None),
        ("a >= 2 and b <= c", {"b": 2, "c": 1}, 1, False),
        ("a * b <= c - 1", {"b": 2, "c": 4}, 2, False),
    ],
)
def test_the_smallest_safe_size_by_the_law(formula, given, value, extrapolated):
    safe = law_of(formula).smallest_safe(**given)
    assert (safe and (safe.parameter, safe.value, safe.extrapolated)) == (value and ("a", value, extrapolated))


def test_a_size_between_the_values_of_the_grid_was_not_explored():
    law = swept(lambda a, b: a <= b, a=[1, 2, 4, 8], b=[1, 2, 4, 8]).law()
    assert law.smallest_safe(b=3) == ("a", 4, True)
    assert law.smallest_safe(b=2) == ("a", 3, True)


def test_the_smallest_safe_size_agrees_with_the_law_at_every_size():
    for formula in ("a <= b and a <= c", "a <= b or a <= c", "a <= b * (c - 1)", "a >= 2 and b <= c"):
        law = law_of(formula)
        given = {name: 3 for name in law.names if name != "a"}
        safe = law.smallest_safe(**given)
        hanging = [a for a in range(1, 60) if law.violated(a=a, **given)]
        assert (safe.value if safe else 60) == max(hanging, default=0) + 1


@pytest.mark.parametrize(
    ("given", "line"),
    [
        ({}, "the law is about a and b; nothing was given, so say what b is"),
        ({"a": 1, "b": 1}, "leave out the one whose smallest safe value is asked"),
        ({"z": 1}, "there is no parameter 'z'"),
        ({"b": 1, "chunks": 2}, "the law was found with chunks=1, and says nothing of chunks=2"),
        ({"b": "1"}, "b='1': give a whole number; the law is about a and b"),
        ({"b": True}, "b=True: give a whole number"),
    ],
)
def test_a_mistaken_question_is_one_line(given, line):
    law = swept(lambda a, b: a <= b, {"chunks": 1}, a=TO_4, b=TO_4).law()
    with pytest.raises(SimcoreError, match=line):
        law.smallest_safe(**given)
    if "a" not in given:
        with pytest.raises(SimcoreError, match=line.replace("say what b is", "say what a and b is")):
            law.violated(**given)


def test_a_size_may_be_as_large_as_one_likes():
    law = swept(lambda a, b: a <= b, a=TO_4, b=TO_4).law()
    assert law.smallest_safe(b=10**15) == ("a", 10**15 + 1, True)


# ---- the forms -----------------------------------------------------------------------------------------


def test_a_side_has_each_parameter_once_and_no_text_twice():
    every = sides("abcd")
    assert len({str(side) for side in every}) == len(every)
    for side in every:
        assert sum(str(side).count(name) for name in "abcd") == len(side.names)
        assert side.value(dict.fromkeys("abcd", 5)) == eval(str(side), dict.fromkeys("abcd", 5))


def test_inequalities_are_ordered_by_their_symbols():
    symbols = [*map(itemgetter(0), pairs("abc"))]
    assert symbols == sorted(symbols)
    assert not any(left.names & right.names for _, left, right in pairs("abc"))
