"""The command line: exit status 0 holds, 1 violated, 2 usage or model error in one line, 3 undetermined."""

from __future__ import annotations

import json
import os
import shutil
import signal
import sys
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import groupby
from pathlib import Path
from types import FrameType
from typing import Any, NoReturn, get_args

import click
from rich.console import Console
from rich.text import Text

from simcore.arguments import build_model, catalogue, described, modules, read_property, read_seconds
from simcore.errors import InternalError, SimcoreError, place_of
from simcore.execute import Execution, execute
from simcore.explore import Progress, explore
from simcore.kernel import Kernel, Timeouts
from simcore.matrix import NAMES, Matrix, Row, answer, choose
from simcore.model import Model, build
from simcore.report import (
    Line,
    as_json,
    check_folder,
    execution_json,
    model_json,
    printed_table,
    simulation_json,
    step_json,
    write_folder,
)
from simcore.reportfile import load
from simcore.reproduce import reproduce
from simcore.schedule import Schedule
from simcore.simulate import simulate
from simcore.spec import Verdict
from simcore.state import State
from simcore.waitfor import WaitForGraph

HOLDS, VIOLATED, USAGE, UNDETERMINED = 0, 1, 2, 3
INTERRUPTED, CLOSED = 130, 141  # as a shell tells of a process that SIGINT, or SIGPIPE, has ended

_STATUS = {"completed": HOLDS, "stuck": VIOLATED, "failed": VIOLATED, "limit": UNDETERMINED}
_VERDICT = {Verdict.HOLDS: HOLDS, Verdict.VIOLATED: VIOLATED, Verdict.UNDETERMINED: UNDETERMINED}

_parameters = click.option(
    "-p", "parameters", metavar="NAME=VALUE", multiple=True, help="A parameter of the model; may be repeated."
)
_as_json = click.option("--json", "as_object", is_flag=True, help="Print one JSON object instead of text.")
_model = click.argument("model", metavar="MODEL")


class _Commands(click.Group):
    """What ends a command from outside ends it with a status that is no verdict."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt:
            print("simcore: interrupted", file=sys.stderr)
            ctx.exit(INTERRUPTED)
        except BrokenPipeError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            ctx.exit(CLOSED)


@click.group(
    cls=_Commands,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.pass_context
def cli(context: click.Context) -> None:
    """Find, explain, prove and reproduce hangs. MODEL is package.module:function.

    Exit status: 0 holds (or the run completed), 1 violated (or stuck), 2 usage or model error, 3 undetermined.
    """
    if context.invoked_subcommand is None:  # never the status of something that holds
        click.echo(context.get_help(), err=True)
        context.exit(USAGE)


@cli.command("list")
@click.argument("package", default="models")
@_as_json
def list_models(package: str, as_object: bool) -> int:
    """List the models in PACKAGE: the bug, its report, the parameters and what they mean."""
    rows = [row for module in modules(package) for row in described(module)]
    nothing = f"{package} has no function that says it returns a Model"
    click.echo(json.dumps({"models": rows}, indent=2) if as_object else catalogue(rows, _width()) or nothing)
    return HOLDS


@cli.command("matrix")
@click.argument("package", default="models")
@click.option("--quick", is_flag=True, help="Leave out the claims that are slow.")
@click.option(
    "--only", "names", metavar="ID_OR_MODEL", multiple=True, help="Claims of this id or this model; repeatable."
)
@click.option(
    "--jobs",
    metavar="N",
    type=click.IntRange(min=1),
    default=os.cpu_count() or 1,
    show_default="the number of CPUs",
    help="Processes that explore at once.",
)
@click.option(
    "--out",
    metavar="FOLDER",
    type=click.Path(path_type=Path),
    default=Path("reports/matrix"),
    show_default=True,
    help="Folder to write.",
)
@_as_json
def explore_claims(package: str, quick: bool, names: tuple[str, ...], jobs: int, out: Path, as_object: bool) -> int:
    """Explore every claim of the modules in PACKAGE; print and write what was expected and what was found.

    Exit status: 0 all as expected, 1 some claim otherwise, 2 an error, 3 some undetermined and none otherwise.
    """
    check_folder(out, NAMES)
    chosen = choose(package, list(modules(package)), quick, names)
    with _status("exploring") as tell:
        matrix = answer(chosen, jobs, tell)
    write_folder(out, matrix.files(), NAMES)
    click.echo(json.dumps(matrix.as_json(), indent=2) if as_object else _matrix(matrix, out))
    if not matrix.otherwise:
        return HOLDS
    return UNDETERMINED if all(row.undetermined for row in matrix.otherwise) else VIOLATED


@cli.command("explore")
@_model
@_parameters
@click.option(
    "--property", "names", metavar="SPEC", multiple=True, help="package.module:function(arguments); repeatable."
)
@click.option(
    "--strategy", type=click.Choice(["breadth", "depth", "random", "pct"]), default="breadth", show_default=True
)
@click.option("--max-states", type=int, help="Stop after this many states.")
@click.option("--max-seconds", type=float, help="Stop after this many seconds.")
@click.option("--seed", type=int, default=0, show_default=True, help="For sampled runs.")
@click.option("--no-symmetry", is_flag=True, help="Tell the workers of a pool, and the names of a family, apart.")
@click.option(
    "--timeouts",
    type=click.Choice(get_args(Timeouts)),
    default="when_stuck",
    show_default=True,
)
@_as_json
def explore_model(
    model: str, parameters: tuple[str, ...], names: tuple[str, ...], as_object: bool, no_symmetry: bool, **options: Any
) -> int:
    """Search every interleaving of MODEL; deadlock freedom unless --property says otherwise."""
    built = build_model(model, parameters)
    properties = [read_property(name) for name in names]
    with _progress() as tell:
        result = explore(built, *properties, symmetry=not no_symmetry, progress=tell, **options)
    click.echo(json.dumps(as_json(result), indent=2) if as_object else str(result))
    return _VERDICT[result.verdict]


@cli.command("simulate")
@_model
@_parameters
@click.option("--seed", type=int, default=0, show_default=True)
@click.option("--until", type=float, help="Stop after this many virtual seconds.")
@click.option("--latency", "latencies", metavar="KEY=SECONDS", multiple=True, help="An operation, process or function.")
@click.option(
    "--load", "loads", metavar="NAME=SECONDS", multiple=True, help="Gap between starts, as in 'download[*]=0.5'."
)
@_as_json
def simulate_model(
    model: str,
    parameters: tuple[str, ...],
    seed: int,
    until: float | None,
    latencies: tuple[str, ...],
    loads: tuple[str, ...],
    as_object: bool,
) -> int:
    """Run MODEL once in virtual time."""
    latency, load_ = (dict(map(read_seconds, texts)) for texts in (latencies, loads))
    run = simulate(build_model(model, parameters), seed=seed, until=until, latency=latency, load=load_)
    click.echo(json.dumps(simulation_json(run), indent=2) if as_object else str(run))
    return _STATUS[run.status]


@cli.command("execute")
@_model
@_parameters
@click.option("--max-seconds", type=float, default=60.0, show_default=True, help="Give up after this many seconds.")
@_as_json
def execute_model(model: str, parameters: tuple[str, ...], max_seconds: float, as_object: bool) -> int:
    """Run MODEL once on real threads, thread pools and TCP connections."""
    with _status("running"):
        run = execute(build_model(model, parameters), max_seconds=max_seconds)
    click.echo(json.dumps(execution_json(run), indent=2) if as_object else str(run))
    return _real_status(run)


@cli.command("replay")
@click.argument("token")
@click.option(
    "--on",
    "driver",
    type=click.Choice(["explore", "simulate", "execute"]),
    default="explore",
    show_default=True,
    help="explore: step by step, up to the last step; simulate, execute: then let the run go on.",
)
@_as_json
def replay_token(token: str, driver: str, as_object: bool) -> int:
    """Take the steps of TOKEN again."""
    schedule = Schedule.from_token(token)
    assert schedule.origin is not None
    model = build(schedule.origin)
    if driver == "simulate":
        run = simulate(model, schedule=schedule)
        click.echo(json.dumps(simulation_json(run), indent=2) if as_object else f"{schedule}\n{run}")
        return _STATUS[run.status]
    if driver == "execute":
        with _status("running"):
            real = execute(model, schedule=schedule)
        click.echo(json.dumps(execution_json(real), indent=2) if as_object else f"{schedule}\n{real}")
        return _real_status(real)
    return _stepped(model, schedule, as_object)


@cli.command("reproduce")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--out", type=click.Path(path_type=Path), help="Folder to write; by default reports/<name of FILE>.")
@_as_json
def reproduce_report(file: Path, out: Path | None, as_object: bool) -> int:
    """Take the report in FILE through all drivers: find, explain, replay, prove, run for real."""
    report = load(file)
    console = Console(stderr=as_object, highlight=False, soft_wrap=True)

    def say(heading: str, text: str) -> None:
        console.print(Text(f"\n{heading}", style="bold"), Text(f"\n{text}"), sep="")

    with _status("reading", console) as working, _progress(working) as tell:
        done = reproduce(report, out or Path("reports") / file.stem, say, working, tell)
    if as_object:
        click.echo(json.dumps(done.as_json(), indent=2))
    return VIOLATED if done.failed else HOLDS


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run the command line and leave with its exit status."""
    sys.path.insert(0, os.getcwd())
    signal.signal(signal.SIGTERM, _terminated)
    try:
        status = cli.main(
            list(arguments) if arguments is not None else None, prog_name="simcore", standalone_mode=False
        )
    except click.ClickException as error:
        _leave(error.format_message())
    except click.Abort:  # before a command has begun
        _leave("interrupted", INTERRUPTED)
    except MemoryError:
        _leave("out of memory; bound the search with --max-states, or choose smaller parameters")
    except SimcoreError as error:
        _leave(str(error))
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


def _terminated(signum: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt


# ---- what is printed ---------------------------------------------------------------------------------------


def _width() -> int:
    """Return the columns of the terminal, and enough for a table where there is none."""
    return min(120, shutil.get_terminal_size((120, 24)).columns)


def _matrix(matrix: Matrix, out: Path) -> str:
    """Return the table, each disagreement with its report, and the sum of it all."""
    header = {"version": 24, "model": 0, "expected": 0, "found": 20, "states": 0, "seconds": 0}
    parts = [printed_table(header, map(_group, matrix.groups), 2, _width())]
    for row, line in zip(matrix.otherwise, matrix.disagreements, strict=True):
        parts.append(f"otherwise: {line}\n{row.report}")
    columns, overview = matrix.overview
    parts.append(printed_table(dict.fromkeys(columns, 0), [[Line(row) for row in overview]], 0, _width()))
    last = [f"written: {out}/ ({', '.join(NAMES)}), with the token of every violation"]
    last += [matrix.slow] * bool(matrix.left_out) + [matrix.summary]
    return "\n\n".join([*parts, "\n".join(last)])


def _group(rows: list[Row]) -> list[Line]:
    """Return a heading for what is asked, where it is not the same as above, and a line for each row."""
    lines = []
    for about, same in groupby(rows, key=lambda row: row.about):
        lines.append(Line([about], "bold"))
        lines += [Line(row.cells[1:], _style(row)) for row in same]
    return lines


def _style(row: Row) -> str:
    return "" if row.as_expected else "yellow" if row.undetermined else "bold red"


def _real_status(run: Execution) -> int:
    """Return the exit status; a run that the model cannot explain is a failure of the model."""
    return VIOLATED if run.explained is False else _STATUS[run.status]


def _stepped(model: Model, schedule: Schedule, as_object: bool) -> int:
    """Replay on the kernel and say what the last state is."""
    kernel = Kernel(model)
    state: State = kernel.view(schedule.states(kernel)[-1])
    graph = WaitForGraph(state)
    status = _standing(state, graph)
    if as_object:
        steps = [step_json(step) for step in schedule.steps]
        whole = {**model_json(model), "status": status, "schedule": steps, "blame": graph.explain()}
        click.echo(json.dumps({**whole, "token": schedule.token}, indent=2))
        return VIOLATED if status in ("stuck", "failed") else HOLDS
    lines = [str(schedule)] if schedule.steps else []
    lines += [f"failed: {p.failure}" for p in state.processes if p.status == "failed"]
    if status == "completed":
        lines.append("completed: every process that must end has ended")
    else:
        lines += ["stuck:" if status == "stuck" else "not stuck: somebody can still go on"] * (status != "failed")
        lines += [f"  {line}" for line in graph.explain()]
    click.echo("\n".join(lines))
    return VIOLATED if status in ("stuck", "failed") else HOLDS


def _standing(state: State, graph: WaitForGraph) -> str:
    """Return how a run stands: "failed", "stuck" (some of it, at least), "completed" or "goes on"."""
    if any(process.status == "failed" for process in state.processes):
        return "failed"
    if state.deadlocked or any(edge.process.owes for edge in graph.dead):  # an idle server loop is not stuck
        return "stuck"
    return "goes on" if any(process.owes for process in state.processes) else "completed"


@contextmanager
def _status(text: str, beside: Console | None = None) -> Iterator[Callable[[str], None]]:
    """Show what is being done on a terminal; nothing in a log.

    What is printed meanwhile goes through the console ``beside``. If that is a terminal the line is shown
    there, because one console has to keep them apart.
    """
    console = beside if beside is not None and beside.is_terminal else Console(stderr=True, highlight=False)
    if not console.is_terminal:
        yield lambda _: None
        return
    with console.status(Text(text)) as status:
        yield lambda doing: status.update(Text(doing))


@contextmanager
def _progress(working: Callable[[str], None] | None = None) -> Iterator[Callable[[Progress], None]]:
    """Show states, rate, frontier and time on a terminal; nothing in a log."""
    if working is not None:
        yield lambda now: working(_counted(now))
        return
    with _status("exploring") as show:
        yield lambda now: show(_counted(now))


def _counted(now: Progress) -> str:
    rate = f"{now.states:,} states, {now.states / max(now.seconds, 1e-9):,.0f} per second"
    return f"{rate}, frontier {now.frontier:,}, depth {now.depth}, {now.seconds:.0f} s"
