"""Hypothesis chooses which enabled step comes next, so its shrinker makes the schedule small.

A machine has one rule, "take one enabled step". The steps are offered with the simplest first: the process
that moved last goes on, then the others in the order of the model. Shrinking therefore removes steps first
and switches between processes second, and a parametrised model shrinks to its smallest parameters before
either. What fails is a counterexample like any other, with its report and its token.

A passing test has looked at some runs and proves nothing; `explore` does.
"""

from __future__ import annotations

import inspect
import re
import time
from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from functools import cache
from typing import Any, ClassVar, NamedTuple

from hypothesis import Phase, currently_in_test_context, settings, target
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from simcore.errors import ModelError, OptionError
from simcore.explore import Monitor, Result, refuse_unwitnessed, without_laps
from simcore.kernel import Choice, Kernel, Packed
from simcore.model import (
    DEADLOCK_FREE,
    Model,
    Parameter,
    Property,
    Timeouts,
    check_model,
    check_numbers,
    check_properties,
    check_timeouts,
)
from simcore.schedule import Schedule, describe
from simcore.stateful.failure import Violation

Parameters = dict[str, Parameter]
Range = range | Sequence[Any] | st.SearchStrategy[Any]
"""What a parameter may be: one of these values, the simplest first, or whatever a strategy draws."""

ModelFunction = Callable[..., Model]

_INDICES = st.integers(0, 2**16 - 1)


def parameters(function: ModelFunction, **ranges: Range) -> st.SearchStrategy[Parameters]:
    """Return a strategy for the parameters of a model function.

    Parameters
    ----------
    function : function
        Returns a `Model`.
    **ranges : range, sequence or strategy
        What its parameters of these names may be. The others keep their defaults.

    Returns
    -------
    strategy
        Draws dictionaries with all parameters of ``function``, to be called as ``function(**drawn)``.

    Raises
    ------
    OptionError
        When ``function`` has no such parameter, or one that has neither a range nor a default.
    """
    named = [
        p for p in inspect.signature(function).parameters.values() if p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD)
    ]
    unknown = sorted(ranges.keys() - {parameter.name for parameter in named})
    if unknown:
        there = ", ".join(parameter.name for parameter in named) or "none"
        raise OptionError(f"{_name(function)} has no parameter {unknown[0]!r}; it has {there}")
    for parameter in named:
        if parameter.name not in ranges and parameter.default is parameter.empty:
            raise OptionError(
                f"{_name(function)}: its parameter {parameter.name!r} has no default; "
                f"give it a range, {parameter.name}=range(1, 4)"
            )
    return st.fixed_dictionaries(
        {p.name: _values(ranges[p.name]) if p.name in ranges else st.just(p.default) for p in named}
    )


def schedules(
    model: Model | ModelFunction, *, min_steps: int = 0, max_steps: int = 50, timeouts: Timeouts = "when_stuck"
) -> st.SearchStrategy[Schedule]:
    """Return a strategy for schedules of ``model``, from its initial state.

    Parameters
    ----------
    model : Model or function
        The model, or a function that returns it when it is called without arguments.
    min_steps, max_steps : int
        Bounds of the length. A run that ends before ``min_steps`` gives all the steps that it has.
    timeouts : {"never", "when_stuck", "in_order", "anytime"}
        When time-outs may fire; see `Kernel`.
    """
    check_numbers(whole=True, none=False, min_steps=min_steps, max_steps=max_steps)
    if not 0 <= min_steps <= max_steps:
        raise OptionError(f"schedules(min_steps={min_steps}, max_steps={max_steps}): use 0 <= min_steps <= max_steps")
    if not callable(model):
        check_model(model, "schedules")
    kernel = Kernel(_built(model), timeouts)
    picks = st.lists(_INDICES, min_size=min_steps, max_size=max_steps)
    return picks.map(lambda drawn: Schedule.of(kernel, _picked(kernel, drawn)))


def machine(
    model: Model | ModelFunction, *properties: Property, timeouts: Timeouts = "when_stuck", **ranges: Range
) -> type[RuleBasedStateMachine]:
    """Return a state machine whose one rule is "take one enabled step".

    Use it as any other: ``TestPool = machine(pool).TestCase``, or `run_state_machine_as_test`. A run that
    meets a violation fails with the report that `explore` would print.

    Parameters
    ----------
    model : Model or function
        The model, or a function that returns it.
    *properties : Property
        What must hold in every state; deadlock freedom when none is given. That no process dies of an
        exception is always asked.
    timeouts : {"never", "when_stuck", "in_order", "anytime"}
        When time-outs may fire; see `Kernel`.
    **ranges : range, sequence or strategy
        For a function: what its parameters may be, as in `parameters`. Each run draws them first.

    Raises
    ------
    OptionError
        When a property is about whole runs, or a parameter does not exist.
    """
    if not callable(model):
        check_model(model, "machine")
    check_properties(properties, "machine")
    check_timeouts(timeouts)
    refuse_unwitnessed(properties or (DEADLOCK_FREE,))
    if isinstance(model, Model) and ranges:
        raise OptionError(f"model {model.name!r} is built already; pass the function that builds it, and its ranges")
    name = "".join(word.capitalize() for word in re.findall(r"\w+", _name(model)))
    if isinstance(model, Model) or not ranges:
        watcher = _Watcher(Kernel(_built(model), timeouts), properties)
        return type(name, (_FixedMachine,), {"watcher": watcher})
    watchers = _Watchers(model, properties, timeouts)
    return type(name, (_ParametrisedMachine,), {"watchers": watchers, "values": parameters(model, **ranges)})


class _Watcher(Monitor):
    """What a state offers and whom it blocks, too, found once: hundreds of runs pass the same states."""

    def __init__(self, kernel: Kernel, properties: Sequence[Property]) -> None:
        super().__init__(kernel, properties)
        self.choices = cache(kernel.successors)
        self._workers = sum(1 << process.index for process in kernel.processes if process.pool is not None)
        self.blocked_in = cache(self._blocked_in)

    def _blocked_in(self, state: Packed) -> tuple[int, int]:
        """Return how many processes are blocked in ``state``, and how many of them are workers inside a task."""
        movers = {choice.process for choice in self.choices(state)}
        waiting = self.kernel.waiting(state, movers)[0] & ~self.kernel.idle(state)
        return waiting.bit_count(), (waiting & self._workers).bit_count()


class _Offer(NamedTuple):
    """An enabled step, in words."""

    kernel: Kernel
    state: Packed
    choice: Choice

    def __repr__(self) -> str:
        process, outcome, _ = self.choice
        text, result = describe(self.kernel, self.state, process, outcome)
        return f"{self.kernel.processes[process]} {text}" + (f" -> {result}" if result else "")


class _Machine(RuleBasedStateMachine):
    """One run, step by step."""

    watcher: _Watcher

    def __init_subclass__(cls) -> None:
        """Leave Hypothesis' explain phase out of the usual settings: it traces, and tells, lines of simcore."""
        super().__init_subclass__()
        usual = cls.TestCase.settings
        cls.TestCase.settings = settings(usual, phases=[phase for phase in usual.phases if phase != Phase.explain])

    def __init__(self) -> None:
        super().__init__()
        self.path: list[tuple[int, int]] = []
        self.most_blocked: Counter[str] = Counter()
        self.started = time.monotonic()

    def offers(self) -> list[_Offer | None]:
        """Return the enabled steps, the simplest first; None alone when the run has ended."""
        choices = _simplest_first(self.watcher.choices(self.state), self.path)
        return [_Offer(self.kernel, self.state, choice) for choice in choices] or [None]

    @rule(step=st.runner().flatmap(lambda machine: st.sampled_from(machine.offers())))
    def step(self, step: _Offer | None) -> None:
        """Take one enabled step; fail with the report when the state after it, or the initial one, is wrong."""
        if not self.path:
            self._check()
        if step is not None:
            self.path.append(step.choice[:2])
            self.state = step.choice.state
            self._notice_blocked()
            self._check()

    def teardown(self) -> None:
        """Tell Hypothesis how close to a standstill this run came."""
        if currently_in_test_context():
            for label, blocked in self.most_blocked.items():
                if blocked:
                    target(blocked, label=label)

    def _begin(self) -> None:
        self.kernel = self.watcher.kernel
        self.state = self.kernel.initial

    def _check(self) -> None:
        violated = self.watcher.violated_in(self.state)
        if violated is not None:
            path, seconds = list(self.path), time.monotonic() - self.started
            raise Violation(lambda: self._result(violated, path, seconds))

    def _notice_blocked(self) -> None:
        blocked, workers = self.watcher.blocked_in(self.state)
        for label, number in (("blocked processes", blocked), ("blocked workers", workers)):
            self.most_blocked[label] = max(self.most_blocked[label], number)

    def _result(self, violated: str, steps: list[tuple[int, int]], seconds: float) -> Result:
        """Tell the run that took ``steps`` as a counterexample.

        Hypothesis removes consecutive steps; a lap of an endless process is taken out of the schedule here,
        also where the steps of others lie in between.
        """
        path = without_laps(self.kernel, steps, lambda state: self.watcher.violated_in(state) == violated)
        how = "as shrunk by Hypothesis" if len(path) == len(steps) else "shrunk by Hypothesis, laps of a loop left out"
        return self.watcher.told(path, how, "stateful testing, this run", seconds)


class _FixedMachine(_Machine):
    """A run of a model that is the same every time."""

    def __init__(self) -> None:
        super().__init__()
        self._begin()


class _ParametrisedMachine(_Machine):
    """A run of a model whose parameters are drawn first."""

    watchers: ClassVar[_Watchers]
    values: ClassVar[st.SearchStrategy[Parameters]]

    @initialize(parameters=st.runner().flatmap(lambda machine: machine.values))
    def build(self, parameters: Parameters) -> None:
        """Build the model."""
        self.watcher = self.watchers.of(parameters)
        self._begin()


class _Watchers:
    """The watcher of each choice of parameters, so that what was learned about a model is kept between runs."""

    def __init__(self, function: ModelFunction, properties: Sequence[Property], timeouts: Timeouts) -> None:
        self.function, self.properties, self.timeouts = function, properties, timeouts
        self._known: dict[Hashable, _Watcher] = {}

    def of(self, parameters: Parameters) -> _Watcher:
        """Return the watcher of ``function(**parameters)``."""
        key = tuple(parameters.items())
        if key not in self._known:
            kernel = Kernel(_built(self.function, parameters), self.timeouts)
            self._known[key] = _Watcher(kernel, self.properties)
        return self._known[key]


def _simplest_first(choices: Sequence[Choice], path: Sequence[tuple[int, int]]) -> list[Choice]:
    """Order enabled steps: the process that moved last, then the others in the order of the model."""
    last = path[-1][0] if path else -1
    return sorted(choices, key=lambda choice: (choice.process != last, choice.process, choice.outcome))


def _picked(kernel: Kernel, picks: Iterable[int]) -> list[tuple[int, int]]:
    """Return the steps that ``picks`` choose, each among those that are enabled when its turn comes."""
    state = kernel.initial
    path: list[tuple[int, int]] = []
    for pick in picks:
        choices = _simplest_first(kernel.successors(state), path)
        if not choices:
            break
        choice = choices[pick % len(choices)]
        path.append(choice[:2])
        state = choice.state
    return path


def _built(model: Model | ModelFunction, parameters: Mapping[str, Parameter] | None = None) -> Model:
    if isinstance(model, Model):
        return model
    built = model(**(parameters or {}))
    if not isinstance(built, Model):
        raise ModelError(f"{_name(model)} returned a {type(built).__name__}, not a Model")
    return built


def _values(allowed: Range) -> st.SearchStrategy[Any]:
    return allowed if isinstance(allowed, st.SearchStrategy) else st.sampled_from(allowed)


def _name(model: Model | ModelFunction) -> str:
    return model.name if isinstance(model, Model) else getattr(model, "__name__", "model").replace("_", " ")
