"""Nothing printed in the documents is unexecuted: Python runs, and commands print what stands below them.

In README.md and docs/*.md a block marked ``python`` is executed, all of a file in order, in one namespace; a
block marked ``console`` holds lines ``$ simcore ...`` with what each prints. Seconds and tokens differ from run
to run, so both sides are compared without them. Whatever else is marked is not looked at, but must be one of
the marks below, so that nothing is left out by a slip.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).parent.parent
FILES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("**/*.md"))]
SIMCORE = shutil.which("simcore", path=str(Path(sys.executable).parent))
LONG = {"callback-repairs.md", "pool-sizes.md", "your-own-code.md"}
UNTESTED = {"sh", "text", "toml", "mermaid"}


class Block(NamedTuple):
    """A fenced block: its mark, its text, and the line of the file where the text begins."""

    mark: str
    text: str
    line: int


class Command(NamedTuple):
    """A command of a console block, and what is said to be printed."""

    arguments: list[str]
    expected: str


def blocks(text: str) -> list[Block]:
    found, opened, start = [], None, 0
    lines = text.splitlines()
    for number, line in enumerate(lines, 1):
        fence = re.fullmatch(r"```(\S*)\s*", line)
        if fence and opened is None:
            opened, start = fence[1], number + 1
        elif fence and not fence[1]:
            found.append(Block(opened, "\n".join(lines[start - 1 : number - 1]), start))
            opened = None
    assert opened is None, f"the block that begins at line {start} is never closed"
    return found


def commands(text: str) -> list[Command]:
    found: list[Command] = []
    for part in re.split(r"^\$ ", text, flags=re.MULTILINE)[1:]:
        command, _, expected = part.replace("\\\n", " ").partition("\n")
        found.append(Command(shlex.split(command, comments=True), expected.rstrip()))
    return found


def normalised(output: str) -> str:
    """Put the same in the place of every token, every number of seconds, and every size of a file or of memory."""
    output = re.sub(r"s[cx]1-[\w.-]+", "<token>", output)
    output = re.sub(r"(?<![\w.])\d+(\.\d+)?(e-\d+)? (s|seconds|ms)\b", "<seconds>", output)
    output = re.sub(r'("(?:seconds|stuck_after|time)": )\d+(\.\d+)?', r"\1<seconds>", output)
    return "\n".join(line.rstrip() for line in output.strip().splitlines())


def run(command: Command) -> str:
    assert command.arguments[0] == "simcore", f"only simcore can be run here, not {command.arguments[0]!r}"
    done = subprocess.run(
        [SIMCORE, *command.arguments[1:]],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        env={**os.environ, "COLUMNS": "100"},
    )
    return done.stdout


EVERY = [(file, block) for file in FILES for block in blocks(file.read_text(encoding="utf-8"))]
CONSOLE = [(file, command) for file, block in EVERY if block.mark == "console" for command in commands(block.text)]


def test_the_readme_shows_python_and_commands():
    marks = {block.mark for file, block in EVERY if file.name == "README.md"}
    assert {"python", "console"} <= marks


def test_every_block_says_what_it_is():
    for file, block in EVERY:
        assert block.mark in {"python", "console"} | UNTESTED, f"{file.name}:{block.line}: mark {block.mark!r}"


def test_every_console_block_has_commands():
    for file, block in EVERY:
        if block.mark == "console":
            assert block.text.startswith("$ "), f"{file.name}:{block.line}"


@pytest.mark.parametrize(
    "file",
    [pytest.param(file, marks=[pytest.mark.slow] * (file.name in LONG)) for file in FILES],
    ids=[file.name for file in FILES],
)
def test_the_python_of_a_document_runs(file, monkeypatch):
    monkeypatch.chdir(ROOT)
    namespace = {"__name__": "__document__"}
    for block in blocks(file.read_text(encoding="utf-8")):
        if block.mark == "python":
            source = "\n" * (block.line - 1) + block.text
            exec(compile(source, str(file), "exec"), namespace)


@pytest.mark.parametrize(
    ("file", "command"),
    [pytest.param(file, command, marks=[pytest.mark.slow] * (file.name in LONG)) for file, command in CONSOLE],
    ids=[f"{file.name}: {' '.join(command.arguments)}" for file, command in CONSOLE],
)
def test_a_command_of_a_document_prints_what_stands_below_it(file, command):
    assert normalised(run(command)) == normalised(command.expected)


# ---- this file -----------------------------------------------------------------------------------------


def test_blocks_are_found_with_their_lines():
    assert blocks("a\n```python\nx = 1\ny = 2\n```\n```\nz\n```\n") == [
        Block("python", "x = 1\ny = 2", 3),
        Block("", "z", 7),
    ]


def test_a_block_that_is_not_closed_is_noticed():
    with pytest.raises(AssertionError, match="line 2"):
        blocks("```python\nx = 1\n")


def test_commands_are_found_with_what_they_print():
    assert commands("$ simcore list  # all\none\n  two\n$ simcore explore \\\n  x:y\n\n") == [
        Command(["simcore", "list"], "one\n  two"),
        Command(["simcore", "explore", "x:y"], ""),
    ]


@pytest.mark.parametrize(
    ("printed", "other", "same"),
    [
        ("depth 11, 0.0 s", "depth 11, 12.4 s", True),
        ("depth 11, 0.0 s", "depth 12, 0.0 s", False),
        ("41 states", "42 states", False),
        ("simcore replay sc1-abc_D-9", "simcore replay sc1-...", True),
        ("simcore replay sc1-abc_D-9", "simcore replay", False),
        ("in 0.21 s, 8 frames", "in 0.4 s, 8 frames", True),
        ("in 0.21 s, 8 frames", "in 0.21 s, 9 frames", False),
        ('"seconds": 0.01,', '"seconds": 3,', True),
        ("2 slots", "3 slots", False),
    ],
)
def test_only_seconds_and_tokens_may_differ(printed, other, same):
    assert (normalised(printed) == normalised(other)) is same
