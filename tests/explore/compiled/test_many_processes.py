"""The compiled loops take as many processes as a word has bits, and leave more to the plain one."""

from unittest.mock import patch

import pytest
from test_compiled import agree, explore_module
from test_reduced import compare, compiled

from benchmarks.families import connections
from simcore import Model, Verdict, explore


def handed_on(people, without=None):
    """Build people of whom each waits for the one before; ``without`` tells nobody."""
    model = Model("handed on")
    told = [model.event(f"told {number}") for number in range(people)]

    def begin(mine):
        yield mine.set()

    def hand_on(before, mine):
        yield before.wait()
        yield mine.set()

    def keep(before):
        yield before.wait()

    model.process("person 0", begin, told[0])
    for number in range(1, people):
        given = (told[number - 1],) if number == without else (told[number - 1], told[number])
        model.process(f"person {number}", keep if number == without else hand_on, *given)
    return model


@pytest.mark.parametrize("without", [None, 30, 63])
@pytest.mark.parametrize("people", [pytest.param(57, marks=pytest.mark.slow), 64])
def test_the_answer_is_the_one_of_the_plain_loop(people, without):
    plain, fast = agree(lambda: handed_on(people, without))
    hangs = without == 30
    assert plain.result.verdict is (Verdict.VIOLATED if hangs else Verdict.HOLDS)
    assert fast.fast or hangs, "which is seen at once"


@pytest.mark.some(2)
@pytest.mark.parametrize("people", [57, 64])
def test_representatives_are_those_of_the_plain_loop(people):
    assert compare(lambda: handed_on(people)) > people


@pytest.mark.slow
@pytest.mark.parametrize("people", [57, 64])
def test_representatives_of_a_family_are_those_of_the_plain_loop(people):
    assert compare(lambda: connections(people)) > 1_000


@pytest.mark.parametrize("people", [64, 65])
def test_more_processes_are_left_to_the_plain_loop(people):
    with patch.object(explore_module, "FAST_AFTER", 1):
        result = explore(handed_on(people))
    assert result.verdict is Verdict.HOLDS
    assert compiled(result) is (people == 64)
