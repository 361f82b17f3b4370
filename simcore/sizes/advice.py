"""Advice names no repair safe that was not proved to be, and none wrong without the schedule that shows it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from simcore.explain import fit, in_a_line
from simcore.explore import Result
from simcore.model import with_parameters
from simcore.sizes.shown import WIDTH, cut

SAFE, WRONG, UNKNOWN = "safe", "wrong here", "undetermined"
NOTHING, IMPOSSIBLE = "changes nothing", "cannot be tried"
_GAP = "  "
_NAME = 44


class Rate(NamedTuple):
    """How many processes return per virtual second: the mean of several simulated runs, the least, and the most."""

    mean: float
    least: float
    most: float

    def __str__(self) -> str:
        if self.least == self.most:
            return f"{self.mean:.3g}"
        return f"{self.mean:.3g} ({self.least:.3g} to {self.most:.3g})"


@dataclass(frozen=True)
class Attempt:
    """A repair of a pool that was tried.

    Attributes
    ----------
    repair : str
        Its name: unbounded, bigger, levels, bound, reserve, caller or retry.
    pool : str
        The pool that was repaired.
    text : str
        The repair in words, with its number: "4 workers".
    verdict : str
        "safe": every state was explored, at these parameters, and no run hangs. "wrong here": a schedule shows one
        that does. "changes nothing": there is nothing that it would change. "cannot be tried": the pool, or how its
        tasks are used, does not allow it. "undetermined": all else, which is not safe.
    reason : str
        What is wrong with it, why it is not known, or why it changes nothing; of one that is safe, what it rests on.
    threads : int, optional
        Workers of all pools of the model together; None where it was not tried to the end.
    result : Result, optional
        Of the exploration that decided.
    rate : Rate, optional
        How fast it is, where it is safe and time passes in the model.
    unrated : str
        Why that is not known of a safe one.
    """

    repair: str
    pool: str
    text: str
    verdict: str
    reason: str = ""
    threads: int | None = None
    result: Result | None = None
    rate: Rate | None = None
    unrated: str = ""

    @property
    def name(self) -> str:
        """Which repair of which pool, with its number."""
        return f"{self.repair} of {_in_a_line(self.pool)}" + f" ({self.text})" * bool(self.text)

    @property
    def token(self) -> str:
        """Replays what is wrong with it; empty where nothing is, or the model cannot be built from a name."""
        found = None if self.result is None else self.result.counterexample
        return "" if found is None else found.token


@dataclass(frozen=True)
class Advice:
    """Which repairs of its pools cure a model of its hang.

    Attributes
    ----------
    before : Result
        Of the model as it is.
    attempts : tuple of Attempt
        The safe ones first, by threads, then by how fast they are; then what is undetermined, wrong, or no change.
    limits : str
        Of each search.
    notes : tuple of str
        What else the reader must know: why nothing was tried, or why nothing is said of speed.
    """

    before: Result
    attempts: tuple[Attempt, ...] = ()
    limits: str = ""
    notes: tuple[str, ...] = ()

    @property
    def safe(self) -> tuple[Attempt, ...]:
        """The repairs that are proved safe at these parameters, the first of them first."""
        return tuple(attempt for attempt in self.attempts if attempt.verdict == SAFE)

    @property
    def wrong(self) -> tuple[Attempt, ...]:
        """The repairs that a schedule shows to be wrong here."""
        return tuple(attempt for attempt in self.attempts if attempt.verdict == WRONG)

    def __str__(self) -> str:
        before = self.before
        lines = [f"{before.verdict}: {before.answer}", f"  {with_parameters(before.model, before.origin)}"]
        lines.append(f"  {before.strategy}: {before.states:,} states, time-outs: {before.timeouts}")
        lines += [f"  undetermined because {before.reason}"] * bool(before.reason)
        told = fit([*lines, *(f"  {note}" for note in self.notes)])
        if not self.attempts:
            return told
        tried = [attempt for attempt in self.attempts if attempt.verdict not in _UNTRIED]
        counted = f"{len(self.safe)} of {len(tried)} repairs are proved safe at these parameters; {self.limits}"
        middle = [fit([counted]), self.table(), fit(self._without_schedule())]
        return "\n\n".join([told, "\n".join(filter(None, middle)), *self._with_schedule()])

    __repr__ = __str__

    def table(self) -> str:
        """Return a line of at most 100 columns for each repair that was tried."""
        tried = [attempt for attempt in self.attempts if attempt.verdict not in _UNTRIED]
        several = len({attempt.pool for attempt in self.attempts}) > 1
        rated = any(attempt.rate is not None for attempt in tried)
        rows = [["repair", *["pool"] * several, "verdict", "threads", *["per second"] * rated]]
        for one in tried:
            name = cut(f"{one.repair}: {one.text}" if one.text else one.repair, _NAME)
            threads = "-" if one.threads is None else str(one.threads)
            rate = "-" if one.rate is None else str(one.rate)
            rows.append([name, *[_in_a_line(one.pool)] * several, one.verdict, threads, *[rate] * rated])
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        return "\n".join(cut(_GAP.join(map(str.ljust, row, widths)).rstrip(), WIDTH) for row in rows)

    def _without_schedule(self) -> list[str]:
        """Say, once for repairs of a pool with the same reason, what no schedule tells."""
        groups: dict[tuple[str, str, str], list[str]] = {}
        for one in self.attempts:
            if one.verdict != WRONG and one.reason:
                groups.setdefault((one.pool, one.verdict, one.reason), []).append(one.repair)
        return [
            f"{', '.join(repairs)} of {_in_a_line(pool)}: {verdict}: {reason}"
            for (pool, verdict, reason), repairs in groups.items()
        ]

    def _with_schedule(self) -> Iterator[str]:
        """Tell what is wrong with each that is: who waits for what, how it comes to that, and how to see it again."""
        shown: dict[int, str] = {}
        for one in self.wrong:
            found = None if one.result is None else one.result.counterexample
            assert found is not None
            what = f"{WRONG}: {one.name}: {one.reason}"
            before = shown.setdefault(id(found), one.name)
            yield fit([what, *found.lines()] if before == one.name else [f"{what}; as {before}"])


_UNTRIED = (NOTHING, IMPOSSIBLE)


def _in_a_line(name: str) -> str:
    """Return a pool's name with what cannot be printed escaped, and not too long for a table."""
    return cut(in_a_line(name), _NAME)


RANK = {verdict: rank for rank, verdict in enumerate((SAFE, UNKNOWN, WRONG, NOTHING, IMPOSSIBLE))}


def ranked(attempts: Sequence[Attempt]) -> tuple[Attempt, ...]:
    """Return attempts with those first that are safe, by threads, then by how fast they are."""

    def place(one: Attempt) -> tuple[int, float, float]:
        threads = float("inf") if one.threads is None or one.verdict != SAFE else one.threads
        return RANK[one.verdict], threads, 0.0 if one.rate is None else -one.rate.mean

    return tuple(sorted(attempts, key=place))
