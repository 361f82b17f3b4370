"""The command line: exit status 0 holds, 1 violated, 2 usage or model error in one line, 3 undetermined."""

from __future__ import annotations

import importlib
import inspect
import json
import os
import pkgutil
import re
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import FrameType, ModuleType
from typing import Any, NoReturn

import click
from rich.console import Console
from rich.markup import escape
from rich.status import Status

from simcore.errors import ModelError, OptionError, SimcoreError
from simcore.execute import Execution, execute
from simcore.explore import Progress, explore
from simcore.kernel import Kernel
from simcore.model import Model, Origin, Parameter, build, models_of
from simcore.report import as_json, step_json
from simcore.reproduce import load, reproduce
from simcore.schedule import Schedule
from simcore.simulate import simulate
from simcore.simulation import Simulation
from simcore.spec import Property, Verdict
from simcore.state import State
from simcore.waitfor import WaitForGraph

HOLDS, VIOLATED, USAGE, UNDETERMINED = 0, 1, 2, 3

_STATUS = {"completed": HOLDS, "stuck": VIOLATED, "failed": VIOLATED, "limit": UNDETERMINED}
_VERDICT = {Verdict.HOLDS: HOLDS, Verdict.VIOLATED: VIOLATED, Verdict.UNDETERMINED: UNDETERMINED}

_parameters = click.option(
    "-p", "parameters", metavar="NAME=VALUE", multiple=True, help="A parameter of the model; may be repeated."
)
_as_json = click.option("--json", "as_object", is_flag=True, help="Print one JSON object instead of text.")
_model = click.argument("model", metavar="MODEL")


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
def cli() -> None:
    """Find, explain, prove and reproduce hangs. MODEL is package.module:function.

    Exit status: 0 holds (or the run completed), 1 violated (or stuck), 2 usage or model error, 3 undetermined.
    """


@cli.command("list")
@click.argument("package", default="models")
@_as_json
def list_models(package: str, as_object: bool) -> int:
    """List the models in PACKAGE: what each one is, and its parameters."""
    rows = [row for module in _modules(package) for row in _described(module)]
    if as_object:
        click.echo(json.dumps(rows, indent=2))
        return HOLDS
    for row in rows:
        click.echo(f"{row['model']}({', '.join(row['parameters'])})\n    {row['about']}")
    return HOLDS


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
@click.option("--no-symmetry", is_flag=True, help="Tell the workers of a pool apart.")
@click.option(
    "--timeouts", type=click.Choice(["never", "when_stuck", "anytime"]), default="when_stuck", show_default=True
)
@_as_json
def explore_model(
    model: str, parameters: tuple[str, ...], names: tuple[str, ...], as_object: bool, no_symmetry: bool, **options: Any
) -> int:
    """Search every interleaving of MODEL; deadlock freedom unless --property says otherwise."""
    built = _build(model, parameters)
    properties = [_property(name) for name in names]
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
    latency, load_ = (dict(_pair(text, float, "seconds") for text in texts) for texts in (latencies, loads))
    run = simulate(_build(model, parameters), seed=seed, until=until, latency=latency, load=load_)
    click.echo(json.dumps(_simulated(run), indent=2) if as_object else str(run))
    return _STATUS[run.status]


@cli.command("execute")
@_model
@_parameters
@click.option("--max-seconds", type=float, default=60.0, show_default=True, help="Give up after this many seconds.")
@_as_json
def execute_model(model: str, parameters: tuple[str, ...], max_seconds: float, as_object: bool) -> int:
    """Run MODEL once on real threads, thread pools and TCP connections."""
    with _status("running"):
        run = execute(_build(model, parameters), max_seconds=max_seconds)
    click.echo(json.dumps(_executed(run), indent=2) if as_object else str(run))
    return VIOLATED if run.explained is False else _STATUS[run.status]


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
        click.echo(json.dumps(_simulated(run), indent=2) if as_object else f"{schedule}\n{run}")
        return _STATUS[run.status]
    if driver == "execute":
        with _status("running"):
            real = execute(model, schedule=schedule)
        click.echo(json.dumps(_executed(real), indent=2) if as_object else f"{schedule}\n{real}")
        return _STATUS[real.status]
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
        console.print(f"\n[bold]{escape(heading)}[/bold]\n{escape(text)}")

    with _status("reading") as working, _progress(working) as tell:
        done = reproduce(report, out or Path("reports") / file.stem, say, working, tell)
    if as_object:
        click.echo(json.dumps({"title": report.title, "failed": done.failed, **done.data}, indent=2))
    return VIOLATED if done.failed else HOLDS


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run the command line and leave with its exit status."""
    sys.path.insert(0, os.getcwd())
    signal.signal(signal.SIGTERM, _terminated)
    try:
        status = cli.main(
            list(arguments) if arguments is not None else None, prog_name="simcore", standalone_mode=False
        )
    except SimcoreError as error:
        _leave(str(error))
    except click.ClickException as error:
        _leave(error.format_message())
    except (click.Abort, KeyboardInterrupt):
        print("simcore: interrupted; nothing was written", file=sys.stderr)
        sys.exit(130)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(141)
    sys.exit(status or 0)


def _leave(message: str) -> NoReturn:
    print(f"simcore: {' '.join(message.split())}", file=sys.stderr)
    sys.exit(USAGE)


def _terminated(signum: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt


# ---- what the arguments mean -----------------------------------------------------------------------------


def _build(model: str, parameters: tuple[str, ...]) -> Model:
    return build(Origin(model, dict(_pair(text, _value, "a value") for text in parameters)))


def _pair(text: str, convert: Callable[[str], Any], wanted: str) -> tuple[str, Any]:
    name, equals, value = text.rpartition("=")
    if not name or not equals:
        raise OptionError(f"{text!r}: write name=value")
    try:
        return name, convert(value)
    except ValueError:
        raise OptionError(f"{text!r}: {value!r} is no number; {name} takes {wanted}") from None


def _value(text: str) -> Parameter:
    """Return the number, truth value or nothing that ``text`` spells, or the text itself."""
    words: dict[str, Parameter] = {"true": True, "false": False, "none": None}
    if text.lower() in words:
        return words[text.lower()]
    for convert in (int, float):
        try:
            return convert(text)
        except ValueError:
            continue
    return text


_PROPERTY = re.compile(r"([\w.]+):(\w+)(?:\((.*)\))?$")


def _property(spec: str) -> Property:
    """Return the property that ``package.module:function(arguments)`` names."""
    found = _PROPERTY.match(spec.strip())
    if found is None:
        raise OptionError(
            f"{spec!r} names no property; write package.module:function or package.module:function(argument)"
        )
    module, name, arguments = found.groups()
    try:
        thing = getattr(importlib.import_module(module), name)
    except (ImportError, AttributeError) as error:
        raise OptionError(f"property {spec!r}: {error}; properties.deadlock:no_stuck_subset is one") from error
    values = [_value(argument.strip()) for argument in (arguments or "").split(",") if argument.strip()]
    try:
        made = thing(*values) if callable(thing) else thing
    except TypeError as error:
        raise OptionError(f"property {spec!r}: {error}") from error
    if not isinstance(made, Property):
        raise OptionError(f"property {spec!r} is a {type(made).__name__}, not a Property")
    return made


def _modules(package: str) -> Iterator[ModuleType]:
    try:
        root = importlib.import_module(package)
    except ImportError as error:
        raise ModelError(f"there is no package {package!r} to list: {error}") from error
    yield root
    for found in pkgutil.iter_modules(getattr(root, "__path__", ())):
        if not found.ispkg:
            yield importlib.import_module(f"{package}.{found.name}")


def _described(module: ModuleType) -> Iterator[dict[str, Any]]:
    about = (inspect.getdoc(module) or "").partition("\n")[0]
    for name in models_of(module):
        function = getattr(module, name)
        signature = inspect.signature(function)
        parameters = [
            str(parameter).partition(":")[0] + f"={parameter.default}" for parameter in signature.parameters.values()
        ]
        own = (inspect.getdoc(function) or "").partition("\n")[0]
        yield {"model": f"{module.__name__}:{name}", "parameters": parameters, "about": f"{about} {own}".strip()}


# ---- what is printed ---------------------------------------------------------------------------------------


def _simulated(run: Simulation) -> dict[str, Any]:
    origin = run.kernel.model.origin
    return {
        "model": origin.function if origin else run.kernel.model.name,
        "parameters": dict(origin.parameters) if origin else {},
        "status": run.status,
        "time": run.time,
        "steps": run.steps,
        "completion": run.completion,
        "blame": run.wait_for.explain(),
        "token": run.token,
    }


def _executed(run: Execution) -> dict[str, Any]:
    origin = run.state.model.origin
    return {
        "model": origin.function if origin else run.state.model.name,
        "parameters": dict(origin.parameters) if origin else {},
        "status": run.status,
        "seconds": run.seconds,
        "stuck_after": run.stuck_after,
        "frames": run.frames,
        "bytes": run.bytes,
        "explained": run.explained,
        "blame": run.wait_for.explain(),
        "token": run.token,
    }


def _stepped(model: Model, schedule: Schedule, as_object: bool) -> int:
    """Replay on the kernel and say what the last state is."""
    kernel = Kernel(model)
    state: State = kernel.view(schedule.states(kernel)[-1])
    graph = WaitForGraph(state)
    failed = [process for process in state.processes if process.status == "failed"]
    bad = bool(graph.knot) or state.deadlocked or bool(failed)
    if as_object:
        steps = [step_json(step) for step in schedule.steps]
        click.echo(json.dumps({"violated": bad, "schedule": steps, "blame": graph.explain()}, indent=2))
        return VIOLATED if bad else HOLDS
    click.echo(str(schedule))
    for process in failed:
        click.echo(f"failed: {process.what} died of {process.result}")
    click.echo("stuck:" if graph.knot else "not stuck: somebody can still go on")
    for line in graph.explain():
        click.echo(f"  {line}")
    return VIOLATED if bad else HOLDS


@contextmanager
def _status(text: str) -> Iterator[Callable[[str], None]]:
    """Show what is being done on a terminal; nothing in a log."""
    console = Console(stderr=True, highlight=False)
    if not console.is_terminal:
        yield lambda _: None
        return
    with Status(escape(text), console=console) as status:
        yield lambda doing: status.update(escape(doing))


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
