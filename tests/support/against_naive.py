"""One system, asked in every way there is, against what is true of it: the states that a naive explorer has met."""

from __future__ import annotations

import re
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any
from unittest.mock import patch

import toys
from generated import SYSTEMS, descriptions, system
from hypothesis import HealthCheck, Phase, assume, given, seed, settings
from hypothesis import strategies as st
from naive_space import Space, naive_space

from simcore import Model, Verdict, execute, explore, simulate
from simcore.explore import Result
from simcore.explore.compiled.search import FastSearch
from simcore.kernel import Kernel
from simcore.model import DEADLOCK_FREE, NO_FAILURE, RULES, Timeouts

MOST = 150
"""States of a system; larger ones are discarded."""

HUNDREDS = SYSTEMS // 200
"""Of systems, in each of two files of slow tests."""

ANY = settings(deadline=None, database=None, suppress_health_check=list(HealthCheck))
NEVER = sys.maxsize
OFF = {"symmetry": False, "partial_order": False}
WHOLE: dict[str, tuple[int, dict[str, Any]]] = {
    "depth-first": (NEVER, {**OFF, "strategy": "depth"}),
    "compiled": (1, {**OFF, "cores": 1}),
    "compiled, two cores": (1, {**OFF, "cores": 2}),
    "compiled, compact": (1, {**OFF, "compact": True}),
}
REDUCED: dict[str, tuple[int, dict[str, Any]]] = {
    "both": (NEVER, {}),
    "both, compiled": (1, {}),
    "symmetry": (NEVER, {"partial_order": False}),
    "symmetry, depth-first": (NEVER, {"partial_order": False, "strategy": "depth"}),
    "partial order": (NEVER, {"symmetry": False}),
    "partial order, compiled": (1, {"symmetry": False}),
    "partial order, depth-first": (NEVER, {"symmetry": False, "strategy": "depth"}),
}
"""Every way to search that can prove: after how many states the compiled loop takes over, and the options."""

FIGURES: Counter[str] = Counter()
"""How many systems were compared, and what was said of them."""


@contextmanager
def many_shares() -> Iterator[None]:
    """Have shares of three states, and as many of them as there are cores, whatever is still to be learned."""
    module = sys.modules[FastSearch.__module__]
    with ExitStack() as stack:
        for name, value in (("MOST_SHARED", 3), ("WORTH_SHARING", 1), ("FEW_QUESTIONS", NEVER)):
            stack.enter_context(patch.object(module, name, value))
        yield


def truth(model: Model, timeouts: Timeouts) -> Space:
    """Return the space of a model; discard it if it is too large, or in some run time stands still for somebody."""
    space = naive_space(model, timeouts, MOST)
    FIGURES["too large"] += space is None
    assume(space is not None)
    assert space is not None
    FIGURES["time stands still"] += space.starved
    assume(not space.starved)
    return space


def ways(turn: int) -> dict[str, tuple[int, dict[str, Any]]]:
    """Return the plain way without reductions, and by turns one other way that meets all states, and two reductions."""
    names = [list(WHOLE)[turn % 4], *(list(REDUCED)[(turn + more) % 7] for more in (0, 3))]
    return {"plain": (NEVER, OFF)} | {name: (WHOLE | REDUCED)[name] for name in names}


def compare(description: str, timeouts: Timeouts, turn: int) -> Space:
    """Insist that whoever searches a system in one of the ``ways`` says what is true of it; return that."""
    model = system(description=description)
    space = truth(model, timeouts)
    kernel = Kernel(model, timeouts)
    met = toys.space(kernel)
    told = (met.states, met.transitions, len(met.deadlocks), Counter(met.distance.values()))
    assert told == (space.states, space.transitions, space.deadlocks, space.levels)
    lengths, knots = {}, set()
    for way, (after, options) in ways(turn).items():
        if options.get("compact") and timeouts == "in_order":
            continue  # which it refuses
        FIGURES[f"way: {way}"] += 1
        result = _asked(model, after, timeouts=timeouts, **options)
        if "with `compact=True` no" in result.reason:  # graph, or states, are kept
            FIGURES["compact: undetermined"] += 1
            continue
        knotted = result.verdict is Verdict.VIOLATED and bool(result.counterexample.servers)
        knots.add(knotted)
        free = space.free and not knotted
        assert result.verdict is (Verdict.HOLDS if free else Verdict.VIOLATED), (way, str(result))
        if result.verdict is Verdict.VIOLATED:
            _must_show(space, kernel, result)
        if knotted:
            FIGURES["servers hang"] += way == "plain"
        elif result.verdict is Verdict.VIOLATED:
            lengths[way] = _shortest(result)
        elif options.items() >= OFF.items():
            assert (result.states, result.transitions) == (space.states, space.transitions), way
            assert "strategy" in options or result.depth == max(space.levels), way
    assert len(knots) < 2, "servers hang by one way, and not by another"
    nearest = {(NO_FAILURE, space.failure), (DEADLOCK_FREE.name, space.hang)}
    assert set(lengths.values()) - {None} <= nearest, (lengths, nearest)
    result = _asked(model, NEVER, timeouts=timeouts, strategy=("random", "pct")[turn % 2], max_states=MOST)
    assert result.verdict is not Verdict.HOLDS
    if result.verdict is Verdict.VIOLATED:
        _must_show(space, kernel, result)
    FIGURES["compared"] += 1
    FIGURES[f"{timeouts}: {'holds' if space.free else 'violated'}"] += 1
    FIGURES["somebody dies"] += space.failure is not None
    FIGURES["somebody is lost"] += space.hang is not None
    FIGURES["somebody is lost, and others go on for ever"] += space.hang is not None and not space.deadlocks
    return space


def _asked(model: Model, after: int, **options: Any) -> Result:
    with ExitStack() as stack:
        stack.enter_context(many_shares())
        stack.enter_context(patch.object(sys.modules[explore.__module__], "FAST_AFTER", after))
        stack.enter_context(patch.object(sys.modules["simcore.explore.no_return"], "NO_RETURN_STATES", 20))
        return explore(model, **options)


def _must_show(space: Space, kernel: Kernel, result: Result) -> None:
    """Insist that the schedule of a counterexample leads where it is said to lead, and no sooner than that can be."""
    found = result.counterexample
    run = space.start(found.schedule.path(kernel))
    if found.servers:  # are asked about only where nobody is lost who must finish
        assert space.free, str(result)
        resting = {kernel.processes[p] for p in space.resting[run.key()]}
        assert {p.name for p in resting if p.daemon} >= found.servers.keys(), str(result)
        return
    died = found.property == NO_FAILURE
    assert run.key() in (space.failed if died else space.lost), str(result)
    assert len(found.schedule) >= (space.failure if died else space.hang)


def _shortest(result: Result) -> tuple[str, int] | None:
    """Return what a counterexample violates and in how many steps, if it is said to be shortest."""
    found = result.counterexample
    return (found.property, len(found.schedule)) if re.match("shortest($|,)", found.shortest) else None


def never_hangs(description: str, timeouts: Timeouts, *, real: bool) -> None:
    """Insist that runs end of which it was said that all do: in virtual time, and on real threads if they are ``real``.

    A simulation keeps time exactly, and a real machine may be slow. Beside a daemon that goes round without a pause no
    virtual time passes, which is what is said then.
    """
    if timeouts in ("in_order", "anytime"):
        for seed in range(3):
            run = simulate(system(description=description), seed=seed)
            round_and_round = run.status == "limit" and any("only daemons have moved" in note for note in run.notes)
            assert run.status == "completed" or round_and_round, str(run)
            FIGURES["simulated, no time passes beside a daemon"] += round_and_round
        FIGURES["simulated"] += 1
    if timeouts == "anytime" and real:
        found = execute(system(description=description))
        assert (found.status, found.explained) == ("completed", True), str(found)
        FIGURES["run for real"] += 1


def check(number: int, examples: int, *, clients: bool = False, shrink: bool = True) -> None:
    """Compare ``examples`` systems, different ones for each number; run those that hold, some of them for real."""

    @seed(number)
    @settings(ANY, max_examples=examples, phases=[Phase.generate, *[Phase.shrink] * shrink])
    @given(
        descriptions(longest=3, every_kind=True, clients=clients),
        st.sampled_from([*RULES, "anytime"]),
        st.integers(0, 100_000),
    )
    def compared(description: str, timeouts: Timeouts, turn: int) -> None:
        space = compare(description, timeouts, turn)
        if space.free:
            never_hangs(description, timeouts, real=turn % 3 == 0)

    compared()
    print(f"\nafter number {number}:", ", ".join(f"{what} {n:,}" for what, n in sorted(FIGURES.items())))
