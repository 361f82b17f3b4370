"""A schedule is a list of steps that can be read, printed, pasted and replayed, in every driver.

A step names a process and which outcome of its operation happened; that is all a driver needs. It also
keeps the operation's text and what else was enabled, so a replay on a changed model is caught at its first
differing step. A token is the same in one word, with the function and the parameters that build the model.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any, NamedTuple

from simcore.errors import Diverged, ModelError, ScheduleError, recorded_on_another
from simcore.kernel import SLEEPS, Kernel, Packed
from simcore.model import Model, Origin, Pictured, State, build, check_model, listed
from simcore.model.operations import Operation, plain
from simcore.schedule.codec import OF_A_MODEL, decode, encode
from simcore.schedule.tasks import Tasks


@listed(without="check recorded")
class Step(NamedTuple):
    """One step: who, which outcome of the operation, and what could have happened there.

    ``enabled`` names the processes that had a step without a time-out; ``text`` is the operation, ``result``
    what it gave. ``recorded`` is both in the words that tokens are checked by: those never change.
    """

    process: str
    outcome: int
    text: str
    result: str = ""
    enabled: tuple[str, ...] = ()
    recorded: tuple[str, str] | None = None

    @property
    def check(self) -> int:
        """One byte that differs, most likely, when the step means something else."""
        text, result = self.recorded or (self.text, self.result)
        return zlib.crc32("\0".join((self.process, text, result, *self.enabled)).encode()) & 0xFF

    def __str__(self) -> str:
        return f"{self.process}  {self.text}" + (f" -> {self.result}" if self.result else "")


@listed(without="of path states")
@dataclass(frozen=True)
class Schedule(Pictured):
    """An order of steps from the initial state of a model.

    Attributes
    ----------
    steps : tuple of Step
        What happens, in order.
    origin : Origin, optional
        How to build the model again; without it a token cannot be made.
    """

    steps: tuple[Step, ...]
    origin: Origin | None = None

    @classmethod
    def of(cls, kernel: Kernel, path: Iterable[tuple[int, int]]) -> Schedule:
        """Describe the steps ``path``, pairs (process, outcome), from the initial state of ``kernel``."""
        return cls(tuple(step for step, _ in _described(kernel, path)), kernel.model.origin)

    @classmethod
    def from_token(cls, token: str, model: Model | None = None) -> Schedule:
        """Read a token.

        Parameters
        ----------
        token : str
            What `token` gave.
        model : Model, optional
            The model, where the one that the token names cannot be built here.

        Raises
        ------
        ScheduleError
            When it is no token, or damaged.
        Diverged
            When the model is not the one that the schedule was recorded on.
        """
        origin, raw = read_token(token)
        model = model if model is not None else build(origin)
        kernel = Kernel(model, "anytime")
        steps: list[Step] = []
        described = _described(kernel, ((process, outcome) for process, outcome, _ in raw))
        for index, (step, _) in enumerate(described):
            if step.check != raw[index][2]:
                raise Diverged(index, recorded_on_another(origin.function), step.enabled)
            steps.append(step)
        return cls(tuple(steps), origin)

    @property
    def token(self) -> str:
        """The schedule in one word, for `simcore replay`.

        Raises
        ------
        ScheduleError
            When the model was not built by an importable function of plain parameters.
        """
        if self.origin is None:
            raise ScheduleError(
                "no token: the model was not built by a module-level function of plain parameters that is "
                "annotated '-> Model', so another process could not build it again; move it into such a function"
            )
        try:
            from_names = {process.name: process.index for process in build(self.origin).processes}
        except ModelError as error:
            raise ScheduleError(f"no token: {error}") from error
        for name in self.processes:
            if name not in from_names:
                raise ScheduleError(f"no token: {self.origin.function} alone builds a model without process {name!r}")
        flat = [number for step in self.steps for number in (from_names[step.process], step.outcome, step.check)]
        return encode(OF_A_MODEL, [self.origin.function, self.origin.parameters, flat])

    @property
    def processes(self) -> list[str]:
        """The process of each step."""
        return [step.process for step in self.steps]

    @property
    def switches(self) -> int:
        """How often the next step is another process's."""
        return max(0, len(list(groupby(self.processes))) - 1)

    def path(self, kernel: Kernel) -> list[tuple[int, int]]:
        """Return the steps as pairs (process, outcome) of ``kernel``.

        Raises
        ------
        ScheduleError
            When it names a process that the model does not have.
        """
        indices = {process.name: process.index for process in kernel.processes}
        for step in self.steps:
            if step.process not in indices:
                raise ScheduleError(
                    f"the schedule names {step.process}, which model {kernel.model.name!r} does not have"
                )
        return [(indices[step.process], step.outcome) for step in self.steps]

    def states(self, kernel: Kernel) -> list[Packed]:
        """Return the states that it passes, the initial one first.

        Raises
        ------
        Diverged
            At its first step that ``kernel`` does not offer, or that is another operation there.
        """
        states = [kernel.initial]
        for index, (step, state) in enumerate(_described(kernel, self.path(kernel))):
            if (step.text, step.result) != (self.steps[index].text, self.steps[index].result):
                raise Diverged(
                    index, f"{self.steps[index].process} {self.steps[index].text}", _offers(kernel, states[-1])
                )
            states.append(state)
        return states

    def __str__(self) -> str:
        width = max((len(step.process) for step in self.steps), default=0)
        lines = []
        for number, step in enumerate(self.steps, 1):
            result = f"  -> {step.result}" if step.result else ""
            lines.append(f"{number:>4}  {step.process:<{width}}  {step.text}{result}")
        return "\n".join(lines)

    def __len__(self) -> int:
        return len(self.steps)


def read_token(token: str) -> tuple[Origin, list[tuple[int, int, int]]]:
    """Return what builds the model, and (process, outcome, check) of each step.

    Raises
    ------
    ScheduleError
        When ``token`` is no token, or damaged.
    """
    function, parameters, flat = decode(OF_A_MODEL, token, _is_schedule)
    return Origin(function, parameters), list(zip(flat[::3], flat[1::3], flat[2::3], strict=True))


def _is_schedule(function: Any, parameters: Any, flat: Any) -> bool:
    whole = isinstance(function, str) and isinstance(parameters, dict) and isinstance(flat, list)
    return whole and len(flat) % 3 == 0 and all(isinstance(number, int) and number >= 0 for number in flat)


def replay(token: str, model: Model | None = None) -> State:
    """Take the steps of a token again, from the start, and return the state that they lead to.

    Parameters
    ----------
    token : str
        What a report printed behind ``simcore replay``.
    model : Model, optional
        The model, where the one that the token names cannot be built here.

    Raises
    ------
    ScheduleError
        When it is no token, or damaged; `Diverged` when the model is not the one it was recorded on.
    """
    if not isinstance(token, str):
        raise ScheduleError(f"replay({token!r}): a token is a text; of a schedule it is schedule.token")
    if model is not None:
        check_model(model, "replay")
    schedule = Schedule.from_token(token, model)
    if model is None:
        assert schedule.origin is not None
        model = build(schedule.origin)
    kernel = Kernel(model)
    return kernel.view(schedule.states(kernel)[-1])


def _described(kernel: Kernel, path: Iterable[tuple[int, int]]) -> Iterable[tuple[Step, Packed]]:
    """Yield each step of ``path`` in words, and the state after it; raise `Diverged` where it cannot go on."""
    state, tasks = kernel.initial, Tasks(kernel)
    for index, (process, outcome) in enumerate(path):
        if process >= len(kernel.processes):
            raise Diverged(index, f"process number {process}", _offers(kernel, state))
        name = kernel.processes[process].name
        following = kernel.step(state, process, outcome)
        operation = kernel.operation(state, process)
        if following is None or operation is None:
            wanted = f"{name} {operation.target.phrase(operation)}" if operation else f"{name}, which has ended,"
            raise Diverged(index, wanted, _offers(kernel, state))
        text, result = describe(kernel, state, process, outcome)
        recorded = _recorded(kernel, state, process, outcome)
        yield (
            Step(name, outcome, tasks.named(text), tasks.named(result), _enabled(kernel, state), recorded),
            following,
        )
        tasks.after(state, following)
        state = following


def describe(kernel: Kernel, state: Packed, process: int, outcome: int) -> tuple[str, str]:
    """Return what a step does in words, and what it gives where the words do not tell."""
    operation = kernel.operation(state, process)
    assert operation is not None
    target, result = operation.target, kernel.result(state, process, outcome)
    text, spelled = target.phrase(operation), target.spelled.get(operation.name)
    if _gives_up(kernel, state, process, outcome):
        text = f"gives up after {operation.timeout:g} s: {operation if spelled is None else f'{target}.{spelled}()'}"
    elif spelled is not None and operation.name not in target.phrases:
        text = f"returns from {target}.{spelled}()"
    if isinstance(result, Operation) or operation.name in target.creates:
        return text, ""  # the second half of the operation comes later
    value = kernel.values[state[kernel.target(state[kernel.first_process + process])]]
    return text, target.tells(value, operation, kernel.processes[process], result)


def _recorded(kernel: Kernel, state: Packed, process: int, outcome: int) -> tuple[str, str]:
    """Return a step in the words that tokens are checked by; they say less than `describe`, and stay as they are."""
    operation = kernel.operation(state, process)
    assert operation is not None
    text = operation.target.recorded(operation)
    if _gives_up(kernel, state, process, outcome):
        call = f"{operation.target.name}.{operation.name}({plain(operation.args)})"
        text = f"gives up after {operation.timeout:g} s: {call}"
    result = kernel.result(state, process, outcome)
    if result is None or result is True or operation.name in operation.target.creates:
        return text, ""
    if hasattr(result, "target"):  # the second half of the operation comes later
        return text, ""
    return text, plain(result)


def _gives_up(kernel: Kernel, state: Packed, process: int, outcome: int) -> bool:
    operation = kernel.operation(state, process)
    timed_out = outcome >= len(kernel.moves(state, process))
    return operation is not None and timed_out and operation.name not in SLEEPS


def _enabled(kernel: Kernel, state: Packed) -> tuple[str, ...]:
    return tuple(process.name for process in kernel.processes if kernel.moves(state, process.index))


def _offers(kernel: Kernel, state: Packed) -> Sequence[str]:
    return [
        f"{kernel.processes[process].name} {describe(kernel, state, process, outcome)[0]}"
        for process, outcome, _ in kernel.successors(state)
    ]
