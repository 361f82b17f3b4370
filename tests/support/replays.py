"""A driver takes a token, and says what it saw there: the same in every driver."""

from __future__ import annotations

from typing import Any, NamedTuple

from simcore import Schedule, always, execute, simulate
from simcore.kernel import Kernel
from simcore.model import build
from simcore.schedule import Tasks
from simcore.stateful import machine

ANYTHING = always(lambda state: True, "anything")  # so that a replay may go on after a knot has closed


class Seen(NamedTuple):
    """What a driver showed of a replay: the steps, who was enabled before each, and how everybody ended."""

    steps: tuple[str, ...]
    enabled: tuple[frozenset[str], ...]
    ending: dict[str, str]


def in_kernel(token: str) -> Seen:
    """Replay in the tables alone, asking at each step what is enabled."""
    schedule = Schedule.from_token(token)
    kernel = Kernel(build(schedule.origin))
    states = schedule.states(kernel)
    enabled = [
        frozenset(process.name for process in kernel.processes if kernel.moves(state, process.index))
        for state in states[:-1]
    ]
    return Seen(_steps(schedule), tuple(enabled), _ending(kernel.view(states[-1])))


def in_machine(token: str) -> Seen:
    """Replay through what the state machine offers."""
    schedule = Schedule.from_token(token)
    run = machine(build(schedule.origin), ANYTHING, timeouts="anytime")()
    steps, enabled, tasks = [], [], Tasks(run.kernel)
    for process, outcome in schedule.path(run.kernel):
        offers = run.offers()
        enabled.append(
            frozenset(
                run.kernel.processes[offer.choice.process].name
                for offer in offers
                if offer.choice.outcome < len(run.kernel.moves(run.state, offer.choice.process))
            )
        )
        (taken,) = [offer for offer in offers if offer.choice[:2] == (process, outcome)]
        steps.append(tasks.named(repr(taken)))
        before = run.state
        run.step(step=taken)
        tasks.after(before, run.state)
    return Seen(tuple(steps), tuple(enabled), _ending(run.kernel.view(run.state)))


def in_simulate(token: str) -> Seen:
    """Replay in virtual time, and stop where the schedule ends."""
    schedule = Schedule.from_token(token)
    if not schedule.steps:
        return in_kernel(token)
    run = simulate(build(schedule.origin), schedule=schedule, max_steps=len(schedule))
    return Seen(_steps(run.schedule), tuple(frozenset(step.enabled) for step in run.schedule.steps), _ending(run.state))


def in_execute(token: str) -> tuple[str, dict[str, list[str]], dict[str, str]]:
    """Replay on real threads; return the status, what each process did, and how everybody ended."""
    schedule = Schedule.from_token(token)
    run = execute(build(schedule.origin), schedule=schedule)
    assert run.explained, f"{run}\n{token}"
    done = {
        name: [record.operation.name for record in records if not record.handover]
        for name, records in run.records.items()
    }
    return run.status, done, _ending(run.state)


def in_kernel_by_process(token: str) -> tuple[str, dict[str, list[str]], dict[str, str]]:
    """Replay in the tables; return what `in_execute` does.

    An executor always hands the end of a task to its future, the kernel only where somebody can still ask for
    it: that step is not compared.
    """
    schedule = Schedule.from_token(token)
    kernel = Kernel(build(schedule.origin))
    states = schedule.states(kernel)
    done: dict[str, list[str]] = {process.name: [] for process in kernel.processes}
    for state, (process, _) in zip(states, schedule.path(kernel), strict=False):
        operation = kernel.operation(state, process)
        made_by_submit = operation.target.kind == "future" and operation.target.index < 0
        if not (made_by_submit and operation.name.startswith("set_")):
            done[kernel.processes[process].name].append(operation.name)
    view = kernel.view(states[-1])
    return "stuck" if view.deadlocked else "completed", done, _ending(view)


def _steps(schedule: Schedule) -> tuple[str, ...]:
    return tuple(
        f"{step.process} {step.text}" + (f" -> {step.result}" if step.result else "") for step in schedule.steps
    )


def _ending(state: Any) -> dict[str, str]:
    """Return the status of everybody who must still finish or has finished."""
    return {process.name: process.status for process in state.processes}
