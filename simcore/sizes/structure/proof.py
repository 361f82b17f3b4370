"""`prove` reads a model function at small sizes and says for which sizes, of all there are, no hang is reachable."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from itertools import product
from typing import Any

from simcore.errors import ModelError, OptionError
from simcore.model import Model, check_kinds, model_function, not_a_function
from simcore.sizes.cell import is_whole
from simcore.sizes.structure.built import Builder, Built, fitted, sample, shown
from simcore.sizes.structure.linear import TooManyRows
from simcore.sizes.structure.net import Net
from simcore.sizes.structure.open_sizes import OpenSizes, simplest
from simcore.sizes.structure.steps import Refused

SMALL = (1, 2, 3, 5)
"""Sizes at which a parameter is tried that was given no values."""

MOST_LAWS = 64
_TOLD = 4  # of the sizes that were compared

_CHECKED = (
    "every wait is for a lock, a semaphore, a worker, a task of one's own, a place in what a server empties, or an "
    "answer; nothing else can block",
    "what is held depends on where a program stands alone; nothing is given back that is not held there, and a task "
    "ends with nothing but its worker",
    "who holds something gives it back or waits, after finitely many steps, and no task submits itself again",
    "each future is asked for by whoever submitted the task, or was given it then, and nobody else has it",
    "who waits in a queue of its own has asked for an answer, and at each time one token has to see to that",
    "each result that an operation may ever give was tried",
    "the initial state satisfies every invariant that is used, at all sizes compared",
)


@dataclass(frozen=True)
class Proved:
    """For which sizes of a model no hang is reachable: nobody is ever blocked for good.

    Attributes
    ----------
    model : str
        The name of the model function.
    laws : tuple of OpenSizes
        One, or one for each value of the parameters that change the programs.
    compared : tuple of str
        The sizes at which the function was read.
    kept : dict of str to str
        Parameters that were not taken for sizes though nobody gave them one value, and why.
    deaths : tuple of str
        Processes that may die of an exception, by what was tried; no run has to. The law is about hangs alone.
    fixed : dict of str to object
        The parameters that have one value, for which alone the law is meant.
    """

    model: str
    laws: tuple[OpenSizes, ...]
    compared: tuple[str, ...] = ()
    kept: Mapping[str, str] = field(default_factory=dict)
    deaths: tuple[str, ...] = ()
    fixed: Mapping[str, Any] = field(default_factory=dict)

    @property
    def lowest(self) -> Mapping[str, int]:
        """The parameters that are sizes, with the lowest value of each for which anything is said."""
        return self.laws[0].lowest

    @property
    def law(self) -> str:
        """Where a hang may be reachable: ``workers <= 3*clients``, "never", "always"; "" where all is refused."""
        told = [(shown(law.at), law.text) for law in self.laws if not law.refused]
        return told[0][1] if len(self.laws) == len(told) == 1 else "; ".join(f"{at}: {text}" for at, text in told)

    @property
    def refused(self) -> str:
        """Why there is no law, or not for all values: what the argument does not cover, with its line."""
        told = [(shown(law.at), law.refused) for law in self.laws if law.refused]
        return told[0][1] if len(self.laws) == len(told) == 1 else "; ".join(f"{at}: {text}" for at, text in told)

    @property
    def premises(self) -> tuple[str, ...]:
        """What the proof rests on, one by one: what was checked, and what cannot be."""
        if all(law.refused for law in self.laws):
            return ()
        checked = [f"checked: {each}" for each in _CHECKED]
        given = [
            "given by the objects: a pool takes its tasks in order, whoever waits can have a free unit, a sleep ends"
        ]
        alike = "cannot be checked: that the function builds the same programs at every size, and as many as it did"
        some, more = self.compared[:_TOLD], len(self.compared) - _TOLD
        told = "; ".join(some) + f" and {more} others" * (more > 0)
        return (*checked, *given, *([f"{alike}; compared at {told}"] if self.lowest else []))

    def safe(self, **sizes: Any) -> bool:
        """Tell whether it is proved that no hang is reachable at these sizes; False says nothing.

        Parameters
        ----------
        **sizes : int
            A value of each parameter on which the law depends, and of each of whose values there is a law.

        Raises
        ------
        OptionError
            When one is missing, unknown, or no whole number.
        """
        for name in sizes:
            if name not in self._names():
                about = ", ".join(self._names()) or "no size"
                raise OptionError(f"safe({name}=...): the law of {self.model} is about {about}")
        for name in {*self._needed(), *sizes}:
            if not is_whole(sizes.get(name)):
                raise OptionError(f"safe(): give {name} a whole number; the law of {self.model} depends on it")
        fits = (law for law in self.laws if all(sizes[name] == value for name, value in law.at.items()))
        return any(law.safe(sizes) for law in fits)

    def safe_at(self, parameters: Mapping[str, Any]) -> bool:
        """Tell the same of values of all parameters, also of those on which no law depends; False where one lacks."""
        about = {name: parameters[name] for name in self._names() if name in parameters}
        fixed = all(parameters.get(name, value) == value for name, value in self.fixed.items())
        return fixed and self._needed() <= about.keys() and all(map(is_whole, about.values())) and self.safe(**about)

    def _needed(self) -> set[str]:
        """Return the parameters whose values decide."""
        return {name for law in self.laws for name in (*law.at, *law.about)}

    def _names(self) -> list[str]:
        return [*self.lowest, *{name: None for law in self.laws for name in law.at}]

    def __str__(self) -> str:
        lines = []
        for law in self.laws:
            at = shown({**self.fixed, **law.at})
            lines.append(f"{self.model}{f' at {at}' if at else ''}: {_said(law)}")
        if self.law and self.lowest:
            lines.append(f"  for {' and '.join(f'{name} >= {low}' for name, low in self.lowest.items())}")
        lines += [f"  {name} is no size here: {why}" for name, why in self.kept.items()]
        lines += [f"  not looked at, as it is no hang: {death}" for death in self.deaths[:1]]
        lines += [f"  {each}" for each in self.premises]
        return "\n".join(lines)

    __repr__ = __str__


def _said(law: OpenSizes) -> str:
    if law.refused:
        return f"no law: {law.refused}"
    if not law.cases:
        return "no hang for any size" if law.lowest else "no hang"
    if law.text == "always":
        return "nothing is proved: a hang may be reachable at any size"
    proved = f"no hang for any size where not ({law.text})"
    return f"{proved}\n  a hang may be reachable where {law.text}: explore such a size"


def prove(model: str | Callable[..., Model], *, sizes: Iterable[str] | None = None, **parameters: Any) -> Proved:
    """Say for which sizes, of all there are, no hang of a model is reachable, without exploring a state.

    The function is called at a few small sizes. Each program is read as places, with what it waits for and holds there,
    and from that linear rows are made which every state in which somebody is blocked for good satisfies (`net.py` has
    the argument, after the siphons of Ezpeleta, Colom and Martinez, 1995). The places are projected away; what is left
    is about the parameters. All arithmetic is exact.

    Parameters
    ----------
    model : callable or str
        A function of keyword parameters that returns a `Model`, or its name ``package.module:function``.
    sizes : iterable of str, optional
        The parameters that are sizes. Without it those are that have several values in ``parameters``, and those with
        a whole number for a default that are not in ``parameters`` and do not change the programs.
    **parameters
        Values. One value stays as it is; several (``range(1, 9)``, a list) are sizes to compare, or, where they
        change the programs, one law each.

    Returns
    -------
    Proved
        The law with its premises, or why there is none. It never says that a hang *is* reachable.

    Raises
    ------
    ModelError
        When the function cannot be called, or returns no model.
    OptionError
        When a parameter is unknown, or is no size.
    """
    return _Proof(model, sizes, parameters).made()


class _Proof:
    """One call of `prove`."""

    def __init__(
        self, model: str | Callable[..., Model], sizes: Iterable[str] | None, given: Mapping[str, Any]
    ) -> None:
        function = model_function(model) if isinstance(model, str) else model
        wrong = not_a_function(function)
        if wrong:
            raise OptionError(f"prove(...): {wrong} builds no model; pass the function itself, prove(function)")
        self.builder = Builder(function)
        self.kept: dict[str, str] = {}
        self.values: dict[str, list[int]] = {}
        self.several: dict[str, list[Any]] = {}
        self.single: dict[str, Any] = {}
        known = inspect.signature(function).parameters
        self.asked = _names(sizes)
        self._check_names(known, given)
        for name, parameter in known.items():
            self._sort(name, parameter.default, given)

    def _check_names(self, known: Iterable[str], given: Iterable[str]) -> None:
        for name in [*given, *self.asked]:
            if name not in known:
                raise OptionError(f"{self.builder.name} has no parameter {name!r}; it has {', '.join(known) or 'none'}")

    def _sort(self, name: str, default: Any, given: Mapping[str, Any]) -> None:
        """Note whether a parameter has values to compare, or one."""
        one = given.get(name, default)
        if name in given and isinstance(one, range | list | tuple | set | frozenset):
            values = _numbers(name, one)
            self.single |= {name: values[0]} if len(values) == 1 else {}
            self.values |= {name: values} if len(values) > 1 else {}
        elif name in self.asked:
            least = one if name in given else 1
            self.values[name] = _numbers(name, [least, least + 1, least + 2, least + 4] if is_whole(least) else [least])
        elif name in given or self.asked or not is_whole(default):
            if one is not inspect.Parameter.empty:
                self.single[name] = one
        else:
            self.values[name] = list(SMALL)
            self.single[name] = default

    def made(self) -> Proved:
        """Return the answer."""
        try:
            self._try_each()
            laws = tuple(self._law(dict(zip(self.several, at, strict=True))) for at in self._values_of_laws())
        except Refused as refusal:
            laws = (OpenSizes([], {name: each[0] for name, each in self.values.items()}, {}, str(refusal)),)
        return Proved(
            self.builder.name, laws, tuple(self._compared()), self.kept, tuple(self.builder.deaths), self.single
        )

    def _values_of_laws(self) -> list[tuple[Any, ...]]:
        found = list(product(*self.several.values()))
        if len(found) > MOST_LAWS:
            raise OptionError(f"{', '.join(self.several)}: {len(found)} laws, one for each value; {MOST_LAWS} are made")
        return found

    def _compared_values(self) -> dict[str, list[int]]:
        """Return the values of each size at which the function is read: the three lowest, and the highest."""
        return {name: each[:3] + each[3:][-1:] for name, each in self.values.items()}

    def _compared(self) -> list[str]:
        return [shown(at) for at in sample(self._compared_values())] if self.values else []

    def _try_each(self) -> None:
        """Keep each parameter that changes the programs at the values that it was given, or at its default."""
        usual = {**{name: each[0] for name, each in self.values.items()}, **self.single}
        self.builder.at(usual)  # what is refused there is refused
        for name in list(self.values):
            why = self._changes(name, usual)
            if not why:
                continue
            if name in self.asked:
                raise Refused(f"{name} is no size: it changes the programs: {why}")
            self.kept[name] = why
            values = self.values.pop(name)
            if name not in self.single:
                self.several[name] = list(values)
        for name in self.values:
            self.single.pop(name, None)

    def _changes(self, name: str, usual: Mapping[str, Any]) -> str:
        """Say why ``name`` is no size; nothing where it seems to be one."""
        first: Built | None = None
        for value in self.values[name][:3]:
            at = {**usual, name: value}
            try:
                built = self.builder.at(at)
            except (Refused, ModelError) as error:
                if name not in self.single:
                    continue  # told with the law of that value
                return f"at {name}={value}: {error}"
            first = first or built
            differs = first.differs(built, self.builder.kinds)
            if differs:
                return f"at {name}={first.at[name]} and {name}={value}: {differs}"
        return ""

    def _law(self, several: Mapping[str, Any]) -> OpenSizes:
        lowest = {name: each[0] for name, each in self.values.items()}
        try:
            return OpenSizes(self._cases({**self.single, **several}, lowest), lowest, several)
        except Refused as refusal:
            return OpenSizes([], lowest, several, str(refusal))
        except TooManyRows:
            return OpenSizes(
                [], lowest, several, "the rows are too many to be taken apart; give a parameter a single value"
            )

    def _cases(self, fixed: Mapping[str, Any], lowest: Mapping[str, int]) -> list[Any]:
        sizes = sample(self._compared_values()) if self.values else [{}]
        built = [self.builder.at({**fixed, **at}) for at in sizes]
        for other in built[1:]:
            differs = built[0].differs(other, self.builder.kinds)
            if differs:
                raise Refused(f"the programs change with the sizes, from {built[0].where} to {other.where}: {differs}")
        kinds = self.builder.kinds
        people = {
            kind: fitted(
                f"{kinds.names[kind]} and others like it", [(each.at, each.people[kind]) for each in built], lowest
            )
            for kind in built[0].people
        }
        capacity = {
            name: fitted(f"units of {name}", [(each.at, each.capacity[name]) for each in built], lowest)
            for name in built[0].capacity
        }
        net = Net(kinds, people, capacity)
        _guard(net, sizes, lowest)
        return simplest(list(net.cases()))


def _guard(net: Net, sizes: Iterable[Mapping[str, int]], lowest: Mapping[str, int]) -> None:
    """Refuse a net of which the initial state is no solution: it has a wrong row, and proves whatever one likes."""
    for at in sizes:
        wrong = net.unmarked({name: at[name] - low for name, low in lowest.items()})
        if wrong:
            raise Refused(f"[simcore internal bug] the initial state at {shown(at)} does not satisfy {wrong}")


def _names(sizes: Iterable[str] | None) -> tuple[str, ...]:
    """Return the names of the parameters that are sizes."""
    if isinstance(sizes, str):
        raise OptionError(f"prove(sizes={sizes!r}): pass a list of names, sizes=[{sizes!r}]")
    check_kinds(sizes=(sizes, Iterable, "the names of parameters, in a list"))
    return tuple(sizes or ())


def _numbers(name: str, values: Iterable[Any]) -> list[int]:
    """Return the values of a parameter, the lowest first."""
    given = list(values)
    if not given or not all(map(is_whole, given)):
        raise OptionError(f"{name}: give whole numbers to compare, as in {name}=range(1, 5), not {values!r}")
    return sorted(set(given))
