"""A token may be given as it is, or as the file that a failing test has kept it in."""

from __future__ import annotations

import json

import pytest
from command_line import CERTAIN, assert_one_line, token_of

from simcore.command.given_token import given_token
from simcore.errors import OptionError

BOTH = "which starts with 'sc1-' or 'sx1-'"


@pytest.mark.parametrize("text", ["{}", "{}\n", "\n  {}\r\n"])
@pytest.mark.parametrize("token", ["sc1-what", "sx1-ever"])
def test_it_is_found_in_a_file_or_in_itself(tmp_path, token, text):
    file = tmp_path / "test_it.token"
    file.write_text(text.format(token), newline="")
    assert given_token(str(file)) == given_token(text.format(token)) == token


@pytest.mark.parametrize("given", ["", "no-such-file", ".", "x" * 5_000, "nul\0", "sc2-eJw", "/dev/null/file"])
def test_what_is_neither_is_told_what_both_are(given):
    with pytest.raises(OptionError) as told:
        given_token(given)
    assert f"is neither a token, {BOTH}, nor a file with one" in str(told.value)
    assert len(str(told.value)) < 250


@pytest.mark.parametrize("content", [b"", b"replay: sc1-eJw", b"\xff\xfe"])
def test_a_file_without_a_token_is_named(tmp_path, content):
    file = tmp_path / "other"
    file.write_bytes(content)
    with pytest.raises(OptionError) as told:
        given_token(str(file))
    assert "other" in str(told.value)
    assert BOTH in str(told.value)


def test_a_file_is_replayed_as_its_token_is(simcore, tmp_path):
    token = token_of(simcore, *CERTAIN)
    file = tmp_path / "kept.token"
    file.write_text(f"{token}\n")
    assert simcore("replay", str(file)) == simcore("replay", token)
    assert_one_line(simcore("replay", "kept.p"), "'kept.p' is neither a token", BOTH)


@pytest.mark.slow
def test_on_is_for_models(simcore, tmp_path):
    file = tmp_path / "kept.token"
    found = simcore("control", "threaded:opposed_locks", "--witness", "any", "--json")
    file.write_text(json.loads(found.out)["token"])
    for driver in ("explore", "simulate", "execute"):
        refused = simcore("replay", str(file), "--on", driver)
        assert_one_line(refused, f"--on {driver} is for a schedule of a model; this one is of code: leave --on out")
    assert simcore("replay", str(file)).status == 1
