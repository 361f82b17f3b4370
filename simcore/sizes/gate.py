"""The gate says how far a size is from a hang, value by value; what it does not know is no margin, and fails it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from simcore.errors import ModelError, OptionError
from simcore.model import Model, Parameter, Verdict, check_kinds, check_numbers
from simcore.sizes.cell import at, in_words, is_whole
from simcore.sizes.judge import Finding, Judge


@dataclass(frozen=True)
class Reach:
    """How far one parameter may grow, the others being what they are.

    Attributes
    ----------
    parameter : str
        Its name.
    first, last : int
        The model is safe at every value from ``first`` to ``last``; at none where ``last`` is less than ``first``.
    beyond : Finding, optional
        What is known of the value after ``last``; None where nobody has looked.
    refused : str
        Why there is no model with that value; empty where there is one.
    """

    parameter: str
    first: int
    last: int
    beyond: Finding | None = None
    refused: str = ""

    def __str__(self) -> str:
        after = self.last + 1
        safe = f"safe to {self.parameter} {self.last}" if self.last >= self.first else ""
        if self.refused:
            return f"{safe}, the largest there is" if safe else f"there is no {self.parameter} {after}"
        if self.beyond is None:
            return f"{safe} at least"
        if self.beyond.verdict is Verdict.UNDETERMINED:
            unknown = f"undetermined at {after} ({self.beyond.reason})"
            return f"{safe}, {unknown}" if safe else f"{self.parameter}: {unknown}"
        return f"{safe}, {self.beyond.told} at {after}" if safe else f"{self.beyond.told} at {self.parameter} {after}"


@dataclass(frozen=True)
class PoolSafety:
    """That a model is safe at a size, or not, and how far from it.

    Attributes
    ----------
    model : str
        The function.
    pool : str
        The parameter that is a pool's size.
    sizes : mapping of str to int, float, str, bool or None
        All parameters.
    finding : Finding
        What is known of that size.
    reaches : tuple of Reach
        How far each other parameter may grow.
    """

    model: str
    pool: str
    sizes: Mapping[str, Parameter]
    finding: Finding
    reaches: tuple[Reach, ...]

    def __str__(self) -> str:
        others = {name: value for name, value in self.sizes.items() if name != self.pool}
        known = {Verdict.HOLDS: "safe", Verdict.UNDETERMINED: "undetermined, which is not safe"}
        told = known.get(self.finding.verdict, self.finding.told)
        why = self.finding.reason or self.finding.how
        lines = [f"{self.model}: {told} at {at({self.pool: self.sizes[self.pool], **others})} ({why})"]
        reaches = "; ".join(map(str, self.reaches))
        lines += [f"  {self.pool}={self.sizes[self.pool]}: {reaches}"] * bool(reaches)
        lines += [f"  replay: simcore replay {self.finding.token}"] * bool(self.finding.token)
        return "\n".join(lines)

    __repr__ = __str__


def assert_pool_safe(
    model: Callable[..., Model] | str,
    *,
    margin: Mapping[str, int] | None = None,
    far: int = 8,
    max_states: int = 200_000,
    **sizes: Parameter,
) -> PoolSafety:
    """Assert that no schedule hangs at the sizes that are configured, and tell how far they are from a hang.

    ``assert_pool_safe("nested_futures:one_pool", workers=CONFIG.max_workers, depth=3)`` in a test. A size is safe
    where the law of `prove` covers it or a search has met all its states, and hangs where a schedule shows it.
    Time-outs fire when nothing else can move.

    Parameters
    ----------
    model : function or str
        What builds the model, or its name as on the command line.
    margin : mapping of str to int, optional
        By how much more of a parameter it must be safe, too: ``{"depth": 2}``.
    far : int
        Values of a parameter above its own, at most, at which its margin is looked for, one after the other.
    max_states : int
        Of each search. What it leaves undetermined is not safe.
    **sizes : int, float, str, bool or None
        The parameters, a pool's size first. The margin is told for each other parameter that is a whole number, with
        all else as it is.

    Returns
    -------
    PoolSafety
        What is known of these sizes, and the margins.

    Raises
    ------
    AssertionError
        When it is not safe there, or not by the margin, or that is undetermined; the text has the margins.
    ModelError
        When there is no model of these sizes.
    OptionError
        When a parameter is unknown, or no size is given.
    """
    check_kinds(margin=(margin, Mapping, 'a dict of whole numbers by the names of parameters, {"depth": 2}'))
    check_numbers(whole=True, least=1, none=False, max_states=max_states)
    check_numbers(whole=True, least=0, none=False, far=far)
    pool = next(iter(sizes), None)
    if pool is None:
        raise OptionError("assert_pool_safe(...): give the size that is configured, as in workers=8")
    judge = Judge(model, pool, sizes, max_states)
    if not is_whole(judge.usual[pool]):
        raise OptionError(f"assert_pool_safe({pool}={judge.usual[pool]!r}): a pool's size comes first, a whole number")
    others = [name for name, value in judge.usual.items() if name != pool and is_whole(value)]
    wanted = _wanted(judge, others, margin or {})
    finding = judge.at()
    reaches = tuple(_reach(judge, name, finding.safe, max(far, (margin or {}).get(name, 0))) for name in others)
    found = PoolSafety(judge.subject.name, pool, judge.usual, finding, reaches)
    short = [f"{each.parameter} must be safe to {wanted[each.parameter]}" for each in _short(reaches, wanted)]
    if not finding.safe or short:
        raise AssertionError("\n  ".join([str(found), *short]))
    return found


def _wanted(judge: Judge, names: list[str], margin: Mapping[str, Any]) -> dict[str, int]:
    """Return up to which value each parameter of the margin, of ``names``, must be safe."""
    for name, more in margin.items():
        if name not in names:
            raise OptionError(f"margin: {name!r} is no parameter that may grow; those are {in_words(names)}")
        if not is_whole(more) or more < 0:
            raise OptionError(f"margin: {name}={more!r}: give a whole number, by how much more it must be safe")
    return {name: judge.usual[name] + more for name, more in margin.items()}


def _short(reaches: tuple[Reach, ...], wanted: Mapping[str, int]) -> Iterator[Reach]:
    """Yield those that do not reach as far as they must."""
    yield from (each for each in reaches if each.parameter in wanted and each.last < wanted[each.parameter])


def _reach(judge: Judge, name: str, safe: bool, far: int) -> Reach:
    """Look at one value after the other, until one is not safe: from the usual one, or where that is not, from 1."""
    usual: Any = judge.usual[name]
    first = usual if safe else min(1, usual)
    for value in range(first, usual + far + 1):
        try:
            finding = judge.at(**{name: value})
        except ModelError as error:
            return Reach(name, first, value - 1, refused=str(error))
        if not finding.safe:
            return Reach(name, first, value - 1, finding)
    return Reach(name, first, value)
