"""How long things take in virtual time, and which of them a key of ``latency=`` or ``load=`` names.

A key names something of the model as reports write it; ``[*]`` stands for any number in brackets, so that
``"download[*]"`` is every download. A key that names nothing is refused: a misspelt one would leave its
delay out of the run, and the figures would look right.
"""

from __future__ import annotations

import difflib
import math
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from random import Random
from types import FunctionType, MethodType, ModuleType
from typing import Any

from simcore.errors import OptionError
from simcore.kernel.mentions import codes_in
from simcore.model import Process
from simcore.model.operations import Operation, SharedObject

Delay = float | Callable[[Random], float]
"""Seconds, or a function that draws them from a random generator."""

Sampler = Callable[[], float]

_NUMBER = re.compile(r"\[\d+\]")


def exponential(mean: float) -> Callable[[Random], float]:
    """Return an exponential delay, in seconds: the gaps between independent arrivals."""
    _require(_is_seconds(mean) and mean > 0, f"exponential({mean!r}): a mean is more than 0 seconds")
    rate = 1 / mean
    return lambda random: random.expovariate(rate)


def uniform(low: float, high: float) -> Callable[[Random], float]:
    """Return a delay that is anything from ``low`` to ``high`` seconds, each as likely."""
    good = _is_seconds(low) and _is_seconds(high) and low <= high
    _require(good, f"uniform({low!r}, {high!r}): two numbers of seconds, at least 0, the lower one first")
    return lambda random: random.uniform(low, high)


def lognormal(median: float, sigma: float) -> Callable[[Random], float]:
    """Return a delay with a long tail: half are under ``median`` seconds, one in six over ``median * e**sigma``."""
    good = _is_seconds(median) and median > 0 and _is_seconds(sigma)
    _require(good, f"lognormal({median!r}, {sigma!r}): a median of more than 0 seconds and a sigma of at least 0")
    return lambda random: random.lognormvariate(math.log(median), sigma)


class Latency:
    """The delays of ``latency=``, found by operation and by function.

    Of an operation the first key of these counts: ``"object.operation"``, the process, the object, the
    operation's name; each time the name itself before its pattern. Any other key is the name of a function:
    its delay is spent once for each call, before its first operation. A name that is both, such as a process
    called as its function, is taken for the first of them.

    Parameters
    ----------
    delays : mapping of str to Delay
        As the user gave them.
    processes : sequence of Process
        Of the model.
    objects : iterable of SharedObject
        All that a process can reach.
    seed : int
        Each key draws from its own stream, so that a change of one does not disturb the others.
    """

    def __init__(
        self, delays: Mapping[str, Delay], processes: Iterable[Process], objects: Iterable[SharedObject], seed: int
    ) -> None:
        processes, things = list(processes), list(objects)
        called = [process.name for process in processes] + [thing.name for thing in things]
        names = {each for name in called for each in _both(name)}
        operations = {name for thing in things for name in _operations(thing)}
        full = {f"{name}.{does}" for thing in things for name in _both(thing.name) for does in _operations(thing)}
        functions = {name for p in processes for name in functions_of((p.fn, p.args))}
        known = names | operations | full | functions
        samplers = {key: _sampler("latency", key, delay, known, seed) for key, delay in delays.items()}
        by_operation = names | operations | full
        self._operations = {key: draw for key, draw in samplers.items() if key in by_operation}
        self._functions = {key: draw for key, draw in samplers.items() if key not in by_operation}

    def of_operation(self, operation: Operation, process: Process) -> Sampler | None:
        """Return what draws the delay of ``operation`` when ``process`` does it; None for no delay."""
        if not self._operations:
            return None
        target, name = operation.target.name, operation.name
        keys = (*(f"{at}.{name}" for at in _both(target)), *_both(process.name), *_both(target), name)
        return next((self._operations[key] for key in keys if key in self._operations), None)

    def of_call(self, fn: Any) -> float:
        """Draw the seconds that a call of ``fn`` takes before its first operation."""
        draw = self._functions.get(getattr(fn, "__name__", ""))
        return 0.0 if draw is None else draw()


def arrivals(load: Mapping[str, Delay], processes: Iterable[Process], seed: int) -> dict[int, float]:
    """Return at what second each process starts, by position; those that ``load`` does not name start at 0.

    A delay is the gap between two arrivals of the processes that one key names, in the order of the model;
    the first of them comes after the first gap.
    """
    runnable = [process for process in processes if process.fn is not None]
    known = {name for process in runnable for name in _both(process.name)}
    samplers = {key: _sampler("load", key, delay, known, seed) for key, delay in load.items()}
    clocks = dict.fromkeys(samplers, 0.0)
    starts: dict[int, float] = {}
    for process in runnable:
        for key in _both(process.name):
            if key in samplers and process.index not in starts:
                clocks[key] += samplers[key]()
                starts[process.index] = clocks[key]
    return starts


def matches(key: str, name: str) -> bool:
    """Tell whether ``key`` is ``name`` or its pattern."""
    return key in _both(name)


def functions_of(thing: Any) -> set[str]:
    """Return the names of all functions that can be reached from ``thing``: closures, globals, methods, defaults."""
    return set(_functions(thing, set()))


def _functions(thing: Any, seen: set[int]) -> Iterator[str]:
    if id(thing) in seen or isinstance(thing, SharedObject | Process | ModuleType | str | bytes):
        return
    seen.add(id(thing))
    inside: Iterable[Any] = ()
    if isinstance(thing, FunctionType):
        codes = list(codes_in(thing.__code__))
        yield from (thing.__name__, *(code.co_name for code in codes))
        named = (thing.__globals__.get(name) for code in codes for name in code.co_names)
        inside = (*_closure(thing), *(thing.__defaults__ or ()), *(fn for fn in named if isinstance(fn, FunctionType)))
    elif isinstance(thing, MethodType):
        inside = (thing.__func__, thing.__self__)
    elif isinstance(thing, Mapping):
        inside = tuple(thing.values())
    elif isinstance(thing, tuple | list | set | frozenset):
        inside = tuple(thing)
    elif hasattr(thing, "__dict__") and not isinstance(thing, type):  # an object of the user's, with its methods
        inside = (*(vars(kind) for kind in type(thing).__mro__[:-1]), vars(thing))
    for part in inside:
        yield from _functions(part, seen)


def _closure(fn: FunctionType) -> Iterator[Any]:
    for cell in fn.__closure__ or ():
        try:
            yield cell.cell_contents
        except ValueError:  # a name that was never bound
            continue


def _both(name: str) -> tuple[str, str]:
    return name, _NUMBER.sub("[*]", name)


def _operations(thing: SharedObject) -> Iterator[str]:
    return (name.removeprefix("do_") for name in dir(type(thing)) if name.startswith("do_"))


def _sampler(option: str, key: str, delay: Delay, known: set[str], seed: int) -> Sampler:
    """Return what draws ``delay``, each value checked; refuse a key that names nothing, and a delay that is none."""
    if key not in known:
        near = difflib.get_close_matches(str(key), known, 3)
        hint = f"did you mean {' or '.join(near)}?" if near else "write it as reports do, with [*] for any number"
        what = "process that the model starts" if option == "load" else "object, operation, process or function"
        raise OptionError(f"`{option}[{key!r}]` names no {what}; {hint}")
    if not callable(delay):
        seconds = _checked(option, key, delay)
        return lambda: seconds
    random = Random(f"{seed} {option} {key}")

    def draw() -> float:
        seconds = delay(random)
        return seconds if type(seconds) is float and 0 <= seconds < math.inf else _checked(option, key, seconds)

    return draw


def _checked(option: str, key: str, seconds: Any) -> float:
    _require(
        _is_seconds(seconds), f"`{option}[{key!r}]`: a delay is a finite number of seconds, at least 0, not {seconds!r}"
    )
    return float(seconds)


def _is_seconds(number: Any) -> bool:
    return isinstance(number, int | float) and 0 <= number < math.inf


def _require(good: bool, message: str) -> None:
    if not good:
        raise OptionError(message)
