"""The command line: exit status 0 holds, 1 violated, 2 usage or model error in one line, 3 undetermined."""

from __future__ import annotations

import json
import os
import signal
import sys
import traceback
from collections.abc import Sequence
from pathlib import Path
from types import FrameType
from typing import Any, NoReturn, get_args

import click

from simcore.command.advise import advise_on_model
from simcore.command.arguments import build_model, catalogue, described, modules, read_delay
from simcore.command.code import control_code, is_of_code, replay_code
from simcore.command.console import matrix_text, progress, sections, status, stepped, width
from simcore.command.export import export_model
from simcore.command.matrix import NAMES, answer, choose
from simcore.command.odds import odds_of_model
from simcore.command.options import (
    AS_JSON,
    HOLDS,
    MODEL_ARGUMENT,
    PARAMETERS,
    STATUS_OF,
    TIMEOUTS,
    UNDETERMINED,
    USAGE,
    VIOLATED,
    WITNESS,
    show,
)
from simcore.command.paged import HTML, film_of_replay, page_to
from simcore.command.property import read_property
from simcore.command.released import confirm_claims
from simcore.command.reproduce import find, load, reproduce
from simcore.command.sizes import law_of_model, sweep_model
from simcore.errors import InternalError, SimcoreError, place_of
from simcore.execute import Execution, execute
from simcore.explain import fit
from simcore.explore import StrategyName, explore
from simcore.model import build
from simcore.report import as_json, check_folder, execution_json, simulation_json, write_folder
from simcore.schedule import Schedule
from simcore.simulate import Simulation, simulate

DEMO = "nvflare-4171"
INTERRUPTED, CLOSED = 130, 141  # as a shell tells of a process that SIGINT, or SIGPIPE, has ended

_STATUS = {"completed": HOLDS, "stuck": VIOLATED, "failed": VIOLATED, "limit": UNDETERMINED}


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
@click.version_option(package_name="simcore", prog_name="simcore", message="%(prog)s %(version)s")
@click.pass_context
def cli(context: click.Context) -> None:
    """Find, explain, prove and reproduce hangs. MODEL is package.module:function.

    The library's models are found by their short names, as in pool_starvation:buggy.

    Exit status: 0 holds (or the run completed), 1 violated (or stuck), 2 usage or model error, 3 undetermined.
    """
    if context.invoked_subcommand is None:  # never the status of something that holds
        click.echo(context.get_help(), err=True)
        context.exit(USAGE)


@cli.command("list")
@click.argument("package", default="simcore.models")
@AS_JSON
def list_models(package: str, as_object: bool) -> int:
    """List the models in PACKAGE: the bug, its report, the parameters and what they mean."""
    rows = [row for module in modules(package) for row in described(module)]
    nothing = f"{package} has no function that says it returns a Model"
    click.echo(json.dumps({"models": rows}, indent=2) if as_object else catalogue(rows, width()) or nothing)
    return HOLDS


@cli.command("matrix")
@click.argument("package", default="simcore.models")
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
@AS_JSON
def explore_claims(package: str, quick: bool, names: tuple[str, ...], jobs: int, out: Path, as_object: bool) -> int:
    """Explore every claim of the modules in PACKAGE; print and write what was expected and what was found.

    Exit status: 0 all as expected, 1 some claim otherwise, 2 an error, 3 some undetermined and none otherwise.
    """
    check_folder(out, NAMES)
    asked = list(modules(package))
    chosen = choose(asked[0].__name__, asked, quick, names)
    with status("exploring") as tell:
        matrix = answer(chosen, jobs, tell)
    write_folder(out, matrix.files(), NAMES)
    click.echo(json.dumps(matrix.as_json(), indent=2) if as_object else matrix_text(matrix, out))
    if not matrix.otherwise:
        return HOLDS
    return UNDETERMINED if all(row.undetermined for row in matrix.otherwise) else VIOLATED


@cli.command("explore")
@MODEL_ARGUMENT
@PARAMETERS
@click.option(
    "--property", "names", metavar="SPEC", multiple=True, help="package.module:function(arguments); repeatable."
)
@click.option("--strategy", type=click.Choice(get_args(StrategyName)), default="breadth", show_default=True)
@click.option("--max-states", type=int, help="Stop after this many states.")
@click.option("--max-seconds", type=float, help="Stop after this many seconds.")
@click.option("--seed", type=int, default=0, show_default=True, help="For sampled runs, and the hashes of --compact.")
@click.option("--no-symmetry", is_flag=True, help="Tell the workers of a pool, and the names of a family, apart.")
@click.option("--no-partial-order", is_flag=True, help="Follow steps in every order, where order does not count too.")
@click.option("--max-memory", type=int, metavar="BYTES", help="Stop when the process uses this much memory.")
@click.option("--cores", type=int, help="Threads that a search without reductions may use; all cores by default.")
@click.option(
    "--compact", is_flag=True, help="Keep only hashes of states (no reductions); with a bound on what is missed."
)
@click.option(
    "--checkpoint",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Keep the search in FILE now and then; where FILE is there, go on from it.",
)
@click.option(
    "--checkpoint-every", type=float, default=60.0, show_default=True, metavar="SECONDS", help="How often that is."
)
@TIMEOUTS
@WITNESS(help="What is told of a violation: a shortest schedule, or the first that is met.")
@HTML
@AS_JSON
def explore_model(
    model: str,
    parameters: tuple[str, ...],
    names: tuple[str, ...],
    as_object: bool,
    html: Path | None,
    no_symmetry: bool,
    no_partial_order: bool,
    **options: Any,
) -> int:
    """Search every interleaving of MODEL; deadlock freedom unless --property says otherwise."""
    built = build_model(model, parameters)
    properties = [read_property(name) for name in names]
    options |= {"symmetry": not no_symmetry, "partial_order": not no_partial_order}
    with page_to(html, as_object) as page:
        with progress() as tell:
            result = explore(built, *properties, progress=tell, **options)
        show(json.dumps(as_json(result), indent=2) if as_object else str(result), as_object)
        page(result)
    return STATUS_OF[result.verdict]


@cli.command("simulate")
@MODEL_ARGUMENT
@PARAMETERS
@click.option("--seed", type=int, default=0, show_default=True)
@click.option("--until", type=float, help="Stop after this many virtual seconds.")
@click.option("--latency", "latencies", metavar="KEY=DELAY", multiple=True, help="An operation, process or function.")
@click.option(
    "--load", "loads", metavar="NAME=DELAY", multiple=True, help="Gap between starts, 'download[*]=exponential(0.5)'."
)
@HTML
@AS_JSON
def simulate_model(
    model: str,
    parameters: tuple[str, ...],
    seed: int,
    until: float | None,
    latencies: tuple[str, ...],
    loads: tuple[str, ...],
    html: Path | None,
    as_object: bool,
) -> int:
    """Run MODEL once in virtual time."""
    latency, load_ = (dict(map(read_delay, texts)) for texts in (latencies, loads))
    with page_to(html, as_object) as page:
        run = simulate(build_model(model, parameters), seed=seed, until=until, latency=latency, load=load_)
        show(json.dumps(simulation_json(run), indent=2) if as_object else str(run), as_object)
        page(run)
    return _simulated(run)


@cli.command("execute")
@MODEL_ARGUMENT
@PARAMETERS
@click.option("--max-seconds", type=float, default=60.0, show_default=True, help="Give up after this many seconds.")
@HTML
@AS_JSON
def execute_model(
    model: str, parameters: tuple[str, ...], max_seconds: float, html: Path | None, as_object: bool
) -> int:
    """Run MODEL once on real threads, thread pools and TCP connections."""
    with page_to(html, as_object) as page:
        with status("running"):
            run = execute(build_model(model, parameters), max_seconds=max_seconds)
        show(json.dumps(execution_json(run), indent=2) if as_object else str(run), as_object)
        page(run)
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
@HTML
@AS_JSON
def replay_token(token: str, driver: str, html: Path | None, as_object: bool) -> int:
    """Take the steps of TOKEN again."""
    if is_of_code(token):
        return replay_code(token, html, as_object)
    schedule = Schedule.from_token(token)
    assert schedule.origin is not None
    model = build(schedule.origin)
    with page_to(html, as_object) as page:
        if driver == "simulate":
            run = simulate(model, schedule=schedule)
            show(json.dumps(simulation_json(run), indent=2) if as_object else _with_steps(run, schedule), as_object)
            page(run)
            return _simulated(run)
        if driver == "execute":
            with status("running"):
                real = execute(model, schedule=schedule)
            show(json.dumps(execution_json(real), indent=2) if as_object else _with_steps(real, schedule), as_object)
            page(real)
            return _real_status(real)
        replayed = stepped(model, schedule, as_object)
        show(replayed.printed, as_object)
        if html is not None:
            page(film_of_replay(schedule, replayed))
    return VIOLATED if replayed.standing in ("stuck", "failed") else HOLDS


def _with_steps(run: Simulation | Execution, schedule: Schedule) -> str:
    return fit([str(run), "schedule, as it was given:", str(schedule)])


_out = click.option(
    "--out", type=click.Path(path_type=Path), help="Folder to write; by default reports/<name of the report>."
)


@cli.command("reproduce")
@click.argument("report")
@_out
@HTML
@AS_JSON
def reproduce_report(report: str, out: Path | None, html: Path | None, as_object: bool) -> int:
    """Take REPORT, a file or the name of one of the library, through all drivers.

    Find, explain, replay, prove, run for real.
    """
    file = find(report)
    read = load(file)
    console, say = sections(beside_json=as_object)
    with page_to(html, as_object) as page:
        with status("reading", console) as working, progress(working) as tell:
            done = reproduce(read, out or Path("reports") / file.stem, say, working, tell)
        page(done.found)
    if as_object:
        click.echo(json.dumps(done.as_json(), indent=2))
    return VIOLATED if done.failed else HOLDS


@cli.command("demo")
@_out
@HTML
@AS_JSON
@click.pass_context
def reproduce_the_known_one(context: click.Context, out: Path | None, html: Path | None, as_object: bool) -> int:
    """Reproduce a hang that is known: NVIDIA FLARE 2.7.1, #4171."""
    found: int = context.invoke(reproduce_report, report=DEMO, out=out, html=html, as_object=as_object)
    return found


cli.add_command(control_code)
cli.add_command(export_model)
cli.add_command(confirm_claims)
cli.add_command(sweep_model)
cli.add_command(law_of_model)
cli.add_command(odds_of_model)
cli.add_command(advise_on_model)


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run the command line and leave with its exit status."""
    sys.path.insert(0, os.getcwd())
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # or numpy starts threads, which spin for a while
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGALRM):
        if signal.getsignal(number) is not signal.SIG_IGN:  # as in the background of a shell
            signal.signal(number, _interrupted)
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


def _interrupted(signum: int, frame: FrameType | None) -> None:
    """Interrupt; but what is raised while something is deleted would be lost, so then a moment later."""
    while frame is not None:
        if frame.f_code.co_name == "__del__":
            signal.setitimer(signal.ITIMER_REAL, 0.01)
            return
        frame = frame.f_back
    raise KeyboardInterrupt


def _simulated(run: Simulation) -> int:
    """Return the exit status; a hang that is proved is one, whatever has ended the run."""
    return VIOLATED if run.hangs else _STATUS[run.status]


def _real_status(run: Execution) -> int:
    """Return the exit status; a run that the model cannot explain is a failure of the model."""
    return VIOLATED if run.explained is False else _STATUS[run.status]
