"""A command is loaded when it is asked for, with what it needs, and before the user's own files can be in its way."""

import subprocess
import sys

import click
import pytest
from command_line import ROOT

from simcore.command import cli

ENDS = "import sys\nfrom simcore.command.cli import main\ntry: main()\nfinally: print(*sys.modules)"


def run(folder, *arguments):
    """Run the command line as the installed script does: without the current folder on the path."""
    environment = {"PYTHONPATH": f"{ROOT}:{':'.join(path for path in sys.path if path)}", "PATH": ""}
    command = [sys.executable, "-P", "-c", ENDS, *arguments]
    return subprocess.run(command, capture_output=True, text=True, cwd=folder, env=environment)


def test_every_command_has_the_name_by_which_it_is_loaded():
    context = click.Context(cli.cli)
    for name in cli.cli.list_commands(context):
        assert cli.cli.get_command(context, name).name == name


@pytest.mark.parametrize(
    ("command", "unneeded"),
    [
        ("control", {"simcore.kernel", "simcore.explore", "simcore.simulate", "simcore.sizes", "simpy", "networkx"}),
        ("explore", {"simcore.sizes", "simcore.command.sizes", "simcore.command.matrix", "networkx", "hypothesis"}),
        ("list", {"simcore.control", "simcore.sizes", "simpy"}),
    ],
)
def test_a_command_loads_what_it_needs(command, unneeded, tmp_path):
    ran = run(tmp_path, command, "--help")
    assert (ran.returncode, ran.stderr) == (0, "")
    loaded = ran.stdout.splitlines()[-1].split()
    assert "simcore.command.options" in loaded
    assert not unneeded & set(loaded)


def test_to_tell_what_there_is_loads_no_command(tmp_path):
    ran = run(tmp_path, "--help")
    assert (ran.returncode, ran.stderr) == (0, "")
    loaded = {name for name in ran.stdout.splitlines()[-1].split() if name.startswith("simcore")}
    allowed = {"simcore.command", "simcore.errors", "simcore.first_use", "simcore.model", "simcore.whose"}
    rooms = {".".join(name.split(".")[:2]) for name in loaded} - {"simcore"}
    assert rooms <= allowed
    modules = {module.partition(".")[0] for module in cli._HOMES.values()}
    assert not {f"simcore.command.{module}" for module in modules} & loaded


@pytest.mark.parametrize("width", [60, 100])
def test_what_there_is_is_told_as_click_tells_it_of_the_commands_themselves(width):
    context = click.Context(cli.cli)
    ours, theirs = click.HelpFormatter(width=width), click.HelpFormatter(width=width)
    cli.cli.format_commands(context, ours)
    click.Group.format_commands(cli.cli, context, theirs)
    assert ours.getvalue() == theirs.getvalue()
    assert ours.getvalue().count("\n") > len(cli._HOMES)


APP = """
import threading

def body():
    lock = threading.Lock()
    lock.acquire()
    lock.acquire()
"""


def test_a_file_of_the_user_is_not_taken_for_a_module_of_a_command(tmp_path):
    (tmp_path / "app.py").write_text(APP, encoding="utf-8")
    for name in ("pickle", "uuid", "ssl", "faulthandler", "socket", "rich"):
        (tmp_path / f"{name}.py").write_text("raise RuntimeError('this is not it')", encoding="utf-8")
    ran = run(tmp_path, "control", "app:body", "--witness", "any")
    assert (ran.returncode, ran.stderr) == (1, "")
    assert ran.stdout.startswith("violated: 1 of 1 thread can never move again")
