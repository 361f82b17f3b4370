"""A function of parameters is read at a few sizes, and what it builds at others is what that lets one expect.

How many there are of each kind, and of units of each resource, has to be a sum of multiples of the parameters; that is
fitted to some of the sizes and tested on all of them. That the function goes on like that cannot be tested, as it is
any Python: it is a premise, and is told with the sizes that were compared.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from simcore.model import Model, Origin, call_model
from simcore.model.objects import Link, Queue, Semaphore, ThreadPool
from simcore.model.operations import SharedObject
from simcore.sizes.structure.kinds import Kinds
from simcore.sizes.structure.linear import ONE, Row
from simcore.sizes.structure.reading import Reading
from simcore.sizes.structure.steps import Refused

Parameters = Mapping[str, Any]


@dataclass(frozen=True)
class Built:
    """What a function builds at some values of its parameters: how many of each kind, and units of each resource."""

    at: Parameters
    people: Mapping[int, int]
    capacity: Mapping[str, int]

    @property
    def where(self) -> str:
        """The values, as a report shows them."""
        return shown(self.at)

    def differs(self, other: Built, kinds: Kinds) -> str:
        """Say in what two of them are not alike but for numbers; nothing where they are."""
        mine, others = self.capacity.keys(), other.capacity.keys()
        if mine != others:
            name = min(mine ^ others)
            return f"{name} is used in one of them only; things of which there are more at other sizes are not counted"
        for number in sorted(self.people.keys() ^ other.people.keys()):
            return f"{kinds.names[number]} does not do, or wait for, the same in both"
        return ""


class Builder:
    """Builds and reads models of one function.

    Parameters
    ----------
    function : callable
        The model function.

    Attributes
    ----------
    deaths : dict
        Which processes may die, as far as was seen; the values say nothing.
    """

    def __init__(self, function: Callable[..., Model]) -> None:
        self.kinds = Kinds()
        self._function = function
        self._known: dict[str, Built] = {}
        self.deaths: dict[str, None] = {}

    @property
    def name(self) -> str:
        """The name of the function."""
        return getattr(self._function, "__name__", str(self._function))

    def model(self, at: Parameters) -> Model:
        """Return the model at some values of the parameters; raise a `ModelError` in one line where there is none."""
        return call_model(Origin(self.name, dict(at)), self._function)

    def at(self, at: Parameters) -> Built:
        """Return what is built there.

        Raises
        ------
        Refused
            When the model is not of the class.
        ModelError
            When the function cannot be called with them, or returns no model.
        """
        known = self._known.get(shown(at))
        if known is None:
            known = self._known[shown(at)] = self._read(at)
        return known

    def _read(self, at: Parameters) -> Built:
        model = self.model(at)
        things = {thing.name: thing for thing in model.objects}
        reading = Reading(model)
        self.deaths.update(dict.fromkeys(reading.deaths))
        numbers = self.kinds.of(reading, things)
        people = Counter(numbers[work] for work in reading.processes)
        used: set[str] = set()
        for number in set(numbers.values()):
            for stop in self.kinds.known[number].stops:
                used |= {stop.needs} - {""} | {name for name, _ in stop.held}
        capacity = {name: _units(things.get(name)) for name in sorted(used)}
        return Built(at, dict(people), capacity)


def _units(thing: SharedObject | None) -> int:
    """Return how many units there are; a lock is one, and so is a server, which is no object."""
    if isinstance(thing, ThreadPool):
        return thing.workers
    if isinstance(thing, Semaphore):
        return thing.n
    return thing.capacity or 0 if isinstance(thing, Queue | Link) else 1


def shown(at: Parameters) -> str:
    """Return parameters as a call shows them."""
    return ", ".join(f"{name}={value!r}" for name, value in at.items())


def sample(values: Mapping[str, Sequence[int]]) -> list[dict[str, int]]:
    """Return sizes to be compared: the lowest of all, each of the others by itself, and all together.

    Parameters
    ----------
    values : dict of str to sequence of int
        Values of each parameter, the lowest first.
    """
    lowest = {name: each[0] for name, each in values.items()}
    found = [lowest]
    found += [{**lowest, name: value} for name, each in values.items() for value in each[1:]]
    found.append({name: each[1] for name, each in values.items()})
    found.append({name: each[-1 - number % 2] for number, (name, each) in enumerate(values.items())})
    found.append({name: each[-1] for name, each in values.items()})
    return [at for number, at in enumerate(found) if at not in found[:number]]


def fitted(name: str, values: Iterable[tuple[Mapping[str, int], int]], lowest: Mapping[str, int]) -> Row:
    """Return a number as a sum of multiples of how far each parameter is above its lowest value.

    Parameters
    ----------
    name : str
        What is counted, for the refusal.
    values : iterable of (dict, int)
        Values of the parameters, and the number there; the lowest come first, and one that differs in it alone, for
        each parameter.
    lowest : dict of str to int
        The lowest value of each parameter.

    Raises
    ------
    Refused
        When one of the numbers is another one than the sum; and when it falls as a parameter grows: at sizes where the
        sum is below 0 there are none in the model, and rows that count fewer than none would prove anything.
    """
    (_, start), *others = values
    sums: Row = {ONE: start}
    for at, number in others:
        above = {parameter: at[parameter] - low for parameter, low in lowest.items() if at[parameter] != low}
        if len(above) == 1 and not above.keys() & sums.keys():
            (parameter, far), *_ = above.items()
            sums[parameter] = (number - start) // far
        expected = start + sum(sums.get(parameter, 0) * far for parameter, far in above.items())
        if number != expected:
            raise Refused(
                f"the number of {name} is no sum of multiples of {', '.join(lowest)}: it is {number} at {shown(at)}, "
                f"where {expected} would be; give one of these parameters a single value"
            )
    for falling in (parameter for parameter in lowest if sums.get(parameter, 0) < 0):
        raise Refused(f"the number of {name} falls as {falling} grows, and it cannot fall below 0")
    return {unknown: factor for unknown, factor in sums.items() if factor}
