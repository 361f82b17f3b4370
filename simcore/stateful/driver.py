"""Hypothesis chooses which enabled step comes next, so its shrinker makes the schedule small.

A machine has one rule, "take one enabled step". The steps are offered with the simplest first: the process
that moved last goes on, then the others in the order of the model. Shrinking therefore removes steps first
and switches between processes second, and a parametrised model shrinks to its smallest parameters before
either. Where a violation is near, the run into it is simpler than any other (`way.py`), so there is nothing to
shrink. What fails is a counterexample like any other, with its report and its token.

A passing test has looked at some runs and proves nothing; `explore` does.
"""

from __future__ import annotations

import inspect
import re
import time
from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from typing import Any, ClassVar, NamedTuple

from hypothesis import currently_in_test_context, target
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from simcore.errors import ModelError, OptionError
from simcore.explore import refuse_unwitnessed
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
from simcore.stateful.unexplained import stop_tracing, vary_nothing, without_explain
from simcore.stateful.watcher import Watcher
from simcore.stateful.way import simplest_first

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
    return _drawn({p.name: _values(ranges[p.name]) if p.name in ranges else st.just(p.default) for p in named})


@st.composite
def _drawn(draw: Callable[[st.SearchStrategy[Any]], Any], values: Mapping[str, st.SearchStrategy[Any]]) -> Parameters:
    """Draw one of each, in this order: `fixed_dictionaries` draws an order, too, which nobody sees and all shrink."""
    return {name: draw(value) for name, value in values.items()}


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
        raise OptionError(f"`schedules(min_steps={min_steps}, max_steps={max_steps})`: use 0 <= min_steps <= max_steps")
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
        watcher = Watcher(Kernel(_built(model), timeouts), properties)
        return type(name, (_FixedMachine,), {"watcher": watcher})
    watchers = _Watchers(model, properties, timeouts)
    return type(name, (_ParametrisedMachine,), {"watchers": watchers, "values": parameters(model, **ranges)})


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

    watcher: Watcher

    def __init_subclass__(cls) -> None:
        """Leave Hypothesis' explain phase out of the usual settings."""
        super().__init_subclass__()
        cls.TestCase.settings = without_explain(cls.TestCase.settings)

    def __init__(self) -> None:
        stop_tracing()
        super().__init__()
        self.path: list[tuple[int, int]] = []
        self.most_blocked: Counter[str] = Counter()
        self.started = time.monotonic()

    def offers(self) -> list[_Offer | None]:
        """Return the enabled steps, the simplest first; None alone when the run has ended."""
        choices = self.watcher.offered(self.state, self.path)
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
        vary_nothing()
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
            raise Violation(lambda: self.watcher.result(violated, path, seconds))

    def _notice_blocked(self) -> None:
        blocked, workers = self.watcher.blocked_in(self.state)
        for label, number in (("blocked processes", blocked), ("blocked workers", workers)):
            self.most_blocked[label] = max(self.most_blocked[label], number)


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
        """Build the model, and find the way here: what takes long while a step is drawn fails a health check."""
        self.watcher = self.watchers.of(parameters)
        self._begin()
        self.watcher.way()


class _Watchers:
    """The watcher of each choice of parameters, so that what was learned about a model is kept between runs."""

    def __init__(self, function: ModelFunction, properties: Sequence[Property], timeouts: Timeouts) -> None:
        self.function, self.properties, self.timeouts = function, properties, timeouts
        self._known: dict[Hashable, Watcher] = {}

    def of(self, parameters: Parameters) -> Watcher:
        """Return the watcher of ``function(**parameters)``; a new one where one of them, as a list, is no key."""
        key = tuple(parameters.items())
        try:
            known = self._known.get(key)
        except TypeError:
            return self._made(parameters)
        if known is None:
            known = self._known[key] = self._made(parameters)
        return known

    def _made(self, parameters: Parameters) -> Watcher:
        return Watcher(Kernel(_built(self.function, parameters), self.timeouts), self.properties)


def _picked(kernel: Kernel, picks: Iterable[int]) -> list[tuple[int, int]]:
    """Return the steps that ``picks`` choose, each among those that are enabled when its turn comes."""
    state = kernel.initial
    path: list[tuple[int, int]] = []
    for pick in picks:
        choices = simplest_first(kernel.successors(state), path)
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
