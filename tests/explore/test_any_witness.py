"""witness="any" has the verdict of witness="short", and what it tells was met."""

import sys

import pytest
import small
import toys
from compared import TOYS

from simcore import Verdict, always, eventually, explore, sometimes
from simcore.command.cli import main
from simcore.errors import OptionError
from simcore.explore.sampling import ANY, Sampling
from simcore.models import pool_starvation
from simcore.schedule import replay

sampling_module = sys.modules[Sampling.__module__]


def both(build, *asked, **options):
    return (explore(build(), *asked, witness=witness, **options) for witness in ("short", "any"))


@pytest.mark.parametrize("strategy", ["breadth", "depth"])
@pytest.mark.parametrize("model", TOYS.values(), ids=TOYS)
def test_the_verdict_is_the_same(model, strategy):
    short, met = both(model, strategy=strategy)
    assert (short.verdict, short.property) == (met.verdict, met.property)
    if met.counterexample is None:
        assert (short.states, short.transitions, short.notes) == (met.states, met.transitions, met.notes)
    else:
        assert met.counterexample.shortest == ANY
        assert met.counterexample.no_return is None


@pytest.mark.parametrize(
    ("model", "asked"),
    [
        (lambda: small.deep(length=4, width=2), always(lambda state: state["fault"] < 4, "no fault")),
        (lambda: small.deep(length=4, width=2), always(lambda state: state["fault"] < 5, "no fault")),
        (lambda: toys.philosophers(n=3), sometimes(lambda state: not state["forks"], "all forks are taken")),
        (lambda: toys.philosophers(n=3), sometimes(lambda state: len(state["forks"]) > 3, "four forks")),
        (small.going_round, eventually(lambda state: state.process("get").done, "it gets one")),
        (small.hidden, eventually(lambda state: state["armed"], "armed")),
    ],
)
def test_the_verdict_about_other_properties_is_the_same(model, asked):
    short, met = both(model, asked)
    assert (short.verdict, short.property) == (met.verdict, met.property)


def test_a_violation_is_told_as_it_was_met_and_replays():
    result = explore(pool_starvation.buggy(downloads=3, workers=2), witness="any")
    assert result.verdict is Verdict.VIOLATED
    assert result.counterexample.shortest == ANY
    assert str(replay(result.counterexample.schedule.token)) == str(result.counterexample.state)
    assert "stream 2/2: every worker is in blob_callback" in str(result)


def test_what_the_search_meets_is_told_where_the_runs_before_it_meet_nothing(monkeypatch):
    monkeypatch.setattr(sampling_module, "_GLANCES", 0)
    met = explore(pool_starvation.buggy(downloads=3, workers=2), witness="any")
    assert met.counterexample.shortest == ANY
    assert met.strategy.startswith("breadth-first")


def test_limits_hold_in_the_runs_before_the_search():
    result = explore(pool_starvation.fixed(downloads=3, workers=2), witness="any", max_seconds=1e-9)
    assert result.verdict is Verdict.UNDETERMINED


def test_another_witness_is_one_line():
    with pytest.raises(OptionError, match=r"`witness='long'`: use 'short' or 'any'"):
        explore(small.hidden(), witness="long")


def test_the_command_has_it(capsys):
    with pytest.raises(SystemExit) as ended:
        main(["explore", "pool_starvation:buggy", "--witness", "any"])
    assert ended.value.code == 1
    assert "schedule (the first that was met" in capsys.readouterr().out
