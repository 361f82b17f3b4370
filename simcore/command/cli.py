"""The command line: exit status 0 holds, 1 violated, 2 usage or model error in one line, 3 undetermined."""

from __future__ import annotations

import ast
import errno
import os
import signal
import sys
import traceback
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from types import FrameType
from typing import Any, NoReturn

import click

from simcore.command.console import nobody
from simcore.command.flags import flags_of, spelled
from simcore.command.options import USAGE
from simcore.errors import InternalError, SimcoreError, place_of

INTERRUPTED, CLOSED = 130, 141  # as a shell tells of a process that SIGINT, or SIGPIPE, has ended

_HOMES = {
    "advise": "advise.advise_on_model",
    "confirm": "released.confirm_claims",
    "control": "code.control_code",
    "demo": "reported.reproduce_the_known_one",
    "execute": "of_models.execute_model",
    "explore": "of_models.explore_model",
    "export": "export.export_model",
    "law": "sizes.law_of_model",
    "list": "library.list_models",
    "matrix": "library.explore_claims",
    "odds": "odds.odds_of_model",
    "replay": "of_models.replay_token",
    "reproduce": "reported.reproduce_report",
    "simulate": "of_models.simulate_model",
    "sweep": "sizes.sweep_model",
}
"""Where each command is: its module is loaded when it is asked for."""


class _Commands(click.Group):
    """What ends a command from outside ends it with a status that is no verdict."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted({*_HOMES, *super().list_commands(ctx)})

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in self.commands and cmd_name in _HOMES:
            module, _, name = _HOMES[cmd_name].partition(".")
            self.add_command(getattr(import_module(f"simcore.command.{module}"), name))
        return super().get_command(ctx, cmd_name)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Tell what there is with the docstrings alone: to load every module takes ten times as long."""
        told = [click.Command(name, help=_docstring(*_HOMES[name].split("."))) for name in self.list_commands(ctx)]
        click.Group(commands=told).format_commands(ctx, formatter)

    def make_context(self, *given: Any, **more: Any) -> click.Context:
        with _read():
            return super().make_context(*given, **more)

    def invoke(self, ctx: click.Context) -> Any:
        try:
            with _read():
                return super().invoke(ctx)
        except KeyboardInterrupt:
            print("simcore: interrupted", file=sys.stderr)
            ctx.exit(INTERRUPTED)


@contextmanager
def _read() -> Iterator[None]:
    """Leave where nobody reads what is printed; of its own, click would leave with the status of a violation."""
    try:
        yield
    except BrokenPipeError:
        nobody(sys.stdout)
        raise click.exceptions.Exit(CLOSED) from None


def _docstring(module: str, function: str) -> str | None:
    """Return the docstring of a command, whose module is not run for it."""
    source = Path(__file__).with_name(f"{module}.py").read_text(encoding="utf-8")
    homes = (node for node in ast.parse(source).body if isinstance(node, ast.FunctionDef) and node.name == function)
    return ast.get_docstring(next(homes))


@click.group(
    cls=_Commands,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(package_name="simcore", prog_name="simcore", message="%(prog)s %(version)s")
@click.pass_context
def cli(context: click.Context) -> None:
    """Find, explain, prove and reproduce hangs. MODEL is package.module:function.

    The library's models are found by their short names, as in pool_starvation:buggy.

    Exit status: 0 holds (or the run completed), 1 violated (or stuck), 2 usage or model error, 3 undetermined.
    """
    sys.path.insert(0, os.getcwd())  # once the command is loaded: a file there may have the name of one of its modules
    if context.invoked_subcommand is None:  # never the status of something that holds
        click.echo(context.get_help(), err=True)
        context.exit(USAGE)


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run the command line and leave with its exit status."""
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # or numpy starts threads, which spin for a while
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGALRM):
        if signal.getsignal(number) is not signal.SIG_IGN:  # as in the background of a shell
            signal.signal(number, _interrupted)
    given = sys.argv[1:] if arguments is None else list(arguments)
    try:
        status = cli.main(given, prog_name="simcore", standalone_mode=False)
    except click.ClickException as error:
        _leave(error.format_message())
    except click.Abort:  # before a command has begun
        _leave("interrupted", INTERRUPTED)
    except MemoryError:
        _leave("out of memory; bound the search with --max-states, or choose smaller parameters")
    except SimcoreError as error:
        _leave(spelled(str(error), flags_of(cli.commands[given[0]])))  # nothing else stands before a command
    except OSError as error:
        if error.errno != errno.ENOSPC:
            _leave(_unexpected(error))
        nobody(sys.stdout)  # which may be what is full, and is written once more when Python ends
        _leave(f"what there is to say, or a file, cannot be written: {error.strerror}")
    except Exception as error:  # of a predicate, say: never the status of a verdict
        _leave(_unexpected(error))
    sys.exit(status or 0)


def _unexpected(error: Exception) -> str:
    """Tell an exception of the user's code in a line with its place; show where ours came from."""
    place = place_of(error)
    if place:
        return f"{type(error).__name__}: {error} (at {place})"
    traceback.print_exception(error)
    return f"{InternalError(f'{type(error).__name__}: {error}')}; please report it with the lines above"


def _leave(message: str, status: int = USAGE) -> NoReturn:
    print(f"simcore: {' '.join(message.split())}", file=sys.stderr)
    sys.exit(status)


def _interrupted(signum: int, frame: FrameType | None) -> None:
    """Interrupt; but what is raised while something is deleted would be lost, so then a moment later."""
    while frame is not None:
        if frame.f_code.co_name == "__del__":
            signal.setitimer(signal.ITIMER_REAL, 0.01)
            return
        frame = frame.f_back
    raise KeyboardInterrupt
