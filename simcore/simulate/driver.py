"""Simulate: options are looked at, then the model runs once in virtual time (`run.py`)."""

from __future__ import annotations

import math
from collections.abc import Mapping

from simcore.errors import OptionError
from simcore.kernel import OneRun
from simcore.model import Model, check_kinds, check_model, check_numbers
from simcore.schedule import Schedule
from simcore.simulate.delays import Delay, Latency, arrivals
from simcore.simulate.result import Simulation
from simcore.simulate.run import Run
from simcore.simulate.waiting import reachable


def simulate(
    model: Model,
    *,
    seed: int = 0,
    until: float | None = None,
    schedule: Schedule | None = None,
    latency: Mapping[str, Delay] | None = None,
    load: Mapping[str, Delay] | None = None,
    max_steps: int | None = None,
) -> Simulation:
    """Run ``model`` once in virtual time.

    Parameters
    ----------
    model : Model
        The system.
    seed : int
        Of everything random: ties at one instant, `choose`, and the delays.
    until : float, optional
        Virtual seconds after which the run is stopped.
    schedule : Schedule, optional
        Steps to take first, in exactly this order; time passes as they need it. Then the run goes on.
    latency : mapping of str to Delay, optional
        Seconds before an operation has its effect, or before a call begins: by ``"object.operation"``,
        process, object, operation or function, see `Latency`. Without a key: no time at all.
    load : mapping of str to Delay, optional
        Seconds between the starts of processes, by name or pattern: ``{"download[*]": exponential(0.5)}``.
    max_steps : int, optional
        Steps after which the run is stopped. Without it, a run of a million steps in one instant is stopped too,
        and without ``until`` as well one that is endless (`Endless`).

    Raises
    ------
    OptionError
        When a limit or a delay is out of range, or a key names nothing in the model.
    Diverged
        When ``schedule`` asks for a step that the model does not offer.
    """
    check_model(model, "simulate")
    check_numbers(whole=True, none=False, seed=seed)
    check_numbers(whole=True, max_steps=max_steps)
    check_numbers(whole=False, until=until)
    check_kinds(
        schedule=(schedule, Schedule, "a Schedule; Schedule.from_token(...) reads a token"),
        latency=(latency, Mapping, "a dict of seconds by what is slow"),
        load=(load, Mapping, "a dict of seconds by the names of processes"),
    )
    if until is not None and not 0 < until < math.inf:
        raise OptionError(
            f"`until={until!r}`: use a finite number of virtual seconds, more than 0, or `until=None` for no limit"
        )
    if max_steps is not None and max_steps < 1:
        raise OptionError(f"`max_steps={max_steps!r}`: use at least 1, or `max_steps=None` for no limit")
    kernel = OneRun(model)
    run = Run(kernel, seed, until, max_steps, Latency(latency or {}, kernel.processes, reachable(kernel), seed))
    try:
        run.start(arrivals(load or {}, kernel.processes, seed))
        if schedule is not None:
            schedule.states(kernel)  # raises Diverged
            run.replay(schedule.path(kernel))
        run.go()
        return run.simulation()
    finally:
        kernel.points.rest()
