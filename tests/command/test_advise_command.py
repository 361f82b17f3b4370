"""`simcore advise` from outside: what it prints, and its exit status."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner

from simcore.command import cli

NESTED = ("nested_futures:one_pool", "-p", "roots=1", "-p", "workers=1")


def run(*arguments: str) -> tuple[int, str]:
    found = CliRunner().invoke(cli.cli, ["advise", *arguments], standalone_mode=False)
    if found.exception is not None:
        raise found.exception
    return found.return_value, found.output


def test_a_model_that_hangs_has_status_1_whatever_cures_it():
    status, text = run(*NESTED)
    assert status == 1
    assert text.startswith("violated: 2 of 2 processes can never move again\n")
    assert "caller: run in the caller            safe        1\n" in text
    assert "wrong here: retry of pool (time-out with retry): it retries for ever\n" in text


def test_its_tokens_are_those_of_repaired_models():
    _, text = run(*NESTED, "--json")
    found = json.loads(text)
    assert list(found) == [
        "model", "parameters", "timeouts", "verdict", "answer", "reason", "limits", "attempts", "notes"
    ]  # fmt: skip
    tokens = {each["repair"]: each["token"] for each in found["attempts"] if each["verdict"] == "wrong here"}
    assert set(tokens) == {"bound", "retry"}
    again = CliRunner().invoke(cli.cli, ["replay", tokens["bound"]], standalone_mode=False)
    assert again.return_value == 1
    assert "roots of pool" in again.output
    safe = next(each for each in found["attempts"] if each["repair"] == "caller")
    assert safe["verdict"] == "safe"
    assert safe["threads"] == 1
    assert safe["states"] > 0
    assert safe["per_second"] is None


@pytest.mark.parametrize(
    ("arguments", "status", "note"),
    [
        (("nested_futures:one_pool", "-p", "workers=3"), 0, "nothing to repair"),
        (("head_of_line_stall:fixed", "--max-states", "5"), 3, "nothing was tried, as it is not known to hang"),
    ],
    ids=["safe", "undetermined"],
)
def test_where_nothing_is_tried_the_status_is_that_of_explore(arguments, status, note):
    assert run(*arguments)[0] == status
    assert note in run(*arguments)[1]


def test_latency_gives_throughput():
    _, text = run(*NESTED, "--latency", "task=0.5", "--seeds", "1")
    assert "per second" in text
    assert "caller: run in the caller            safe        1        1\n" in text


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        ((*NESTED, "--latency", "nobody=1"), "names no object, operation, process or function"),
        ((*NESTED, "--seeds", "0"), "`seeds=0`: use at least 1"),
        (("nested_futures:nothing",), "has no model function 'nothing'"),
    ],
)
def test_a_mistake_is_one_line(arguments, line):
    with pytest.raises(Exception, match=line) as raised:
        run(*arguments)
    assert "\n" not in str(raised.value)
