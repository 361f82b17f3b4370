"""The drivers of models on the command line, and the replay of what they have found."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, get_args

import click

from simcore.command.arguments import build_model, read_delay
from simcore.command.code import replay_code
from simcore.command.console import progress, status
from simcore.command.given_token import given_token, is_of_code
from simcore.command.options import (
    AS_JSON,
    HOLDS,
    MODEL_ARGUMENT,
    PARAMETERS,
    STATUS_OF,
    TIMEOUTS,
    UNDETERMINED,
    VIOLATED,
    WITNESS,
)
from simcore.command.paged import HTML, answering, film_of_replay
from simcore.command.property import read_property
from simcore.command.stepping import stepped
from simcore.errors import OptionError
from simcore.execute import Execution, execute
from simcore.explain import fit
from simcore.explore import StrategyName, explore
from simcore.model import build
from simcore.report import as_json, execution_json, simulation_json
from simcore.schedule import Schedule
from simcore.simulate import Simulation, simulate

_STATUS = {"completed": HOLDS, "stuck": VIOLATED, "failed": VIOLATED, "limit": UNDETERMINED}


@click.command("explore")
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
    "--checkpoint-every",
    type=float,
    default=60.0,
    show_default=True,
    metavar="SECONDS",
    help="How often that is; less often where writing would take more than a tenth of the time.",
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
    with answering(html, as_object) as answer:
        with progress() as tell:
            result = explore(built, *properties, progress=tell, **options)
        answer(result, json.dumps(as_json(result), indent=2) if as_object else str(result))
    return STATUS_OF[result.verdict]


@click.command("simulate")
@MODEL_ARGUMENT
@PARAMETERS
@click.option("--seed", type=int, default=0, show_default=True)
@click.option("--until", type=float, help="Stop after this many virtual seconds.")
@click.option("--max-steps", type=int, help="Stop after this many steps.")
@click.option("--latency", "latencies", metavar="KEY=DELAY", multiple=True, help="An operation, process or function.")
@click.option(
    "--load", "loads", metavar="NAME=DELAY", multiple=True, help="Gap between starts, 'download[*]=exponential(0.5)'."
)
@HTML
@AS_JSON
def simulate_model(
    model: str,
    parameters: tuple[str, ...],
    latencies: tuple[str, ...],
    loads: tuple[str, ...],
    html: Path | None,
    as_object: bool,
    **options: Any,
) -> int:
    """Run MODEL once in virtual time."""
    latency, load_ = (dict(map(read_delay, texts)) for texts in (latencies, loads))
    with answering(html, as_object) as answer:
        run = simulate(build_model(model, parameters), latency=latency, load=load_, **options)
        answer(run, json.dumps(simulation_json(run), indent=2) if as_object else str(run))
    return _simulated(run)


@click.command("execute")
@MODEL_ARGUMENT
@PARAMETERS
@click.option("--max-seconds", type=float, default=60.0, show_default=True, help="Give up after this many seconds.")
@HTML
@AS_JSON
def execute_model(
    model: str, parameters: tuple[str, ...], max_seconds: float, html: Path | None, as_object: bool
) -> int:
    """Run MODEL once on real threads, thread pools and TCP connections."""
    with answering(html, as_object) as answer:
        with status("running"):
            run = execute(build_model(model, parameters), max_seconds=max_seconds)
        answer(run, json.dumps(execution_json(run), indent=2) if as_object else str(run))
    return _real_status(run)


@click.command("replay")
@click.argument("token")
@click.option(
    "--on",
    "driver",
    type=click.Choice(["explore", "simulate", "execute"]),
    show_default="explore",
    help="Of a model. explore: step by step, up to the last step; simulate, execute: then let the run go on.",
)
@HTML
@AS_JSON
def replay_token(token: str, driver: str | None, html: Path | None, as_object: bool) -> int:
    """Take the steps of TOKEN, or of the one in a file, again."""
    token = given_token(token)
    if is_of_code(token):
        if driver is not None:
            raise OptionError(f"--on {driver} is for a schedule of a model; this one is of code: leave --on out")
        return replay_code(token, html, as_object)
    schedule = Schedule.from_token(token)
    assert schedule.origin is not None
    model = build(schedule.origin)
    with answering(html, as_object) as answer:
        if driver == "simulate":
            run = simulate(model, schedule=schedule)
            answer(run, json.dumps(simulation_json(run), indent=2) if as_object else _with_steps(run, schedule))
            return _simulated(run)
        if driver == "execute":
            with status("running"):
                real = execute(model, schedule=schedule)
            answer(real, json.dumps(execution_json(real), indent=2) if as_object else _with_steps(real, schedule))
            return _real_status(real)
        replayed = stepped(model, schedule, as_object)
        answer(None if html is None else film_of_replay(schedule, replayed), replayed.printed)
    return VIOLATED if replayed.standing in ("stuck", "failed") else HOLDS


def _with_steps(run: Simulation | Execution, schedule: Schedule) -> str:
    return fit([str(run), "schedule, as it was given:", str(schedule)])


def _simulated(run: Simulation) -> int:
    """Return the exit status; a hang that is proved is one, whatever has ended the run."""
    return VIOLATED if run.hangs else _STATUS[run.status]


def _real_status(run: Execution) -> int:
    """Return the exit status; a run that the model cannot explain is a failure of the model."""
    return VIOLATED if run.explained is False else _STATUS[run.status]
