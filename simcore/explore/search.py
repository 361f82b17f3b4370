"""States met one after the other, each once, and what is looked at in each of them.

The order is breadth-first, depth-first, or that of a sampled run. In a state four things are looked at: a
process that died, an invariant, a state without steps, a knot that has just closed (`knot.py`). Limits are
part of the loop: the state that would be one too many is not added.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from simcore.explore.foresight import FORESEE_AFTER, foresee, in_turn, sampled
from simcore.explore.graph import Path
from simcore.explore.limits import STEPS_OF_A_STATE, Limits, OutOfBudget
from simcore.explore.reduction import Alike, PartialOrder, Symmetry
from simcore.explore.space import Space
from simcore.explore.standstill import new_knots
from simcore.kernel import Choice, Kernel, Packed
from simcore.model import NO_FAILURE, Property, Watched
from simcore.schedule import Strategy

FAST_AFTER = 1_000  # states of `FAST_PROCESSES`, or fewer of more, before a compiled loop is loaded
FAST_PROCESSES = 20
HUNT_AFTER = 50_000
_HUNTS = 40
_HUNT_STEPS = 100_000  # of all of them: where processes go round for ever no run ends by itself
_RUN_STEPS = 20_000
_FEW = 3  # steps, which to compare takes no longer than to follow


class Progress(NamedTuple):
    """How far a search is: states met, states to expand, steps from the start, seconds."""

    states: int
    frontier: int
    depth: int
    seconds: float


class Found(NamedTuple):
    """A violation: the property's name, and the index of the state where it shows.

    ``lost`` is the process, in that state, that can never do again what ``verb`` says.
    """

    name: str
    state: int
    lost: int = -1
    verb: str = ""


def _less(one: tuple[int, int], other: tuple[int, int]) -> tuple[int, int]:
    """Return who waited, and who had ended, in two states before the same one: what is new after either counts."""
    return one[0] & other[0], min(one[1], other[1], key=int.bit_count)


def _called(mark: tuple[int, int], way: Sequence[int]) -> tuple[int, int]:
    """Return who waited, and who had ended, by the names that a representative gives them."""
    waiting, ended = mark
    return (sum(1 << new for old, new in enumerate(way) if waiting >> old & 1) if way else waiting), ended


class Unjustified(Exception):
    """Steps were left out in the belief that processes do less than they were seen to do later."""


class Unfit(Exception):
    """The compiled loop has no room for something that was met: the plain loop must search instead."""


class Search:
    """What is asked of a model, and what has been met.

    Parameters
    ----------
    kernel : Kernel
        Of the model.
    asked : tuple of Property
        What must hold.
    symmetry : Symmetry
        Which states stand for each other.
    limits : Limits
        When to stop.
    progress : function, optional
        Called a few times per second.
    watched : Watched, optional
        What properties were seen to look at, kept when a search begins again: then only as many steps of a state
        are followed as are needed (`PartialOrder`). All steps without it.

    Attributes
    ----------
    hunted : (path, property), optional
        The shortest violation that looking ahead has met.
    looked_ahead : bool
        Whether it has looked ahead.
    fast_after : int
        After so many states it begins again, with something faster.
    checkpoint : Checkpoint, optional
        Keeps it in a file now and then.
    any_witness : bool
        Whether the first violation that is met is told as it is.
    """

    hunted: tuple[Path, str] | None = None
    looked_ahead = False
    fast_after = sys.maxsize
    checkpoint: Any = None
    any_witness = False

    def __init__(
        self,
        kernel: Kernel,
        asked: tuple[Property, ...],
        symmetry: Symmetry,
        limits: Limits,
        progress: Callable[[Progress], None] | None,
        watched: Watched | None = None,
    ) -> None:
        self.kernel = kernel
        self.asked = asked
        self.limits = limits
        self.progress = progress
        self.watched = watched
        self.partial_order = None if watched is None else PartialOrder(kernel, symmetry, watched)
        self.deadlock = next((p for p in asked if p.kind == "deadlock"), None)
        self.invariants = [p for p in asked if p.kind == "always"]
        self.wanted = [p for p in asked if p.kind == "sometimes"]
        self.reduce_by(symmetry)
        self.knots = new_knots(self.kernel)
        self.space: Any = Space()
        self._reported = limits.elapsed

    def reduce_by(self, symmetry: Symmetry) -> None:
        """From here on look at one representative of all states that ``symmetry`` makes alike."""
        self.symmetry = symmetry
        self._source: Packed | None = None
        self._alike: dict[int, int] = {}
        self._met: dict[tuple[int, int], tuple[Packed, Sequence[int]]] = {}
        self.canonical = (lambda state: state) if symmetry.trivial else symmetry.representative
        asked = [(prop, prop.predicate) for prop in self.asked if prop.predicate is not None]
        self.alike = {p: Alike(self.kernel, symmetry, test, p.name, self.watched) for p, test in asked}

    # ---- one state -----------------------------------------------------------------------------------

    def wrong_in(self, state: Packed) -> str | None:
        """Return the property that ``state`` itself violates."""
        if self.kernel.failed(state) is not None:
            return NO_FAILURE
        if not self.invariants and not self.wanted:
            return None
        for prop in self.invariants:
            if not self.alike[prop].holds(state):
                return prop.name
        self.wanted = [p for p in self.wanted if not self.alike[p].holds(state)]
        return None

    def stuck_in(self, state: Packed, choices: list[Choice], before: tuple[int, int]) -> bool:
        """Tell whether somebody can never move again, looking only at what changed since ``before``."""
        if self.deadlock is None:
            return False
        if not choices:
            return self.kernel.view(state).deadlocked
        waiting, ended = self.kernel.waiting(state, {choice.process for choice in choices})
        self.mark = (waiting, ended)
        if not waiting:
            return False
        new, idle = waiting & ~before[0], self.kernel.idle(state)
        if new & idle or ended.bit_count() > before[1].bit_count():
            new = waiting  # a task or a process has ended, which closes what only it could open
        new &= ~idle
        return bool(new) and bool(self.knots.dead(state, waiting, new))

    def violation(self, state: Packed) -> str | None:
        """Return the property that ``state`` violates, looked at by itself."""
        wrong = self.wrong_in(state)
        if wrong is None and self.deadlock and self.knots.stuck(state, self.kernel.successors(state)):
            return self.deadlock.name
        return wrong

    # ---- all states ----------------------------------------------------------------------------------

    def walk(self, space: Space, depth_first: bool, only: frozenset[int] | None = None) -> Found | None:
        """Expand states in order, each once; return the first violation."""
        if not space.states:
            space.add(self.canonical(self.kernel.initial), -1)
            wrong = self.wrong_in(space.states[0])
            if wrong is not None:
                return Found(wrong, 0)
        stack = list(range(len(space.states)))
        begun_at = position = len(space.expanded)
        while position < len(stack) if not depth_first else stack:
            if only is None and len(space.graph) in FORESEE_AFTER and position != begun_at:  # or it may never come on
                self.foresee(len(space.graph))
            number = stack.pop() if depth_first else position
            found = self._expand(space, number, only, stack)
            if found is not None:
                return found
            position += 1
            self.tell(len(space.states), len(stack) - (0 if depth_first else position), space.depths[number])
            if only is None and not depth_first:
                if self.checkpoint is not None:
                    self.checkpoint.keep(self)
                faster = self.faster_space(len(space.states)) if len(space.states) >= self.fast_after else None
                if faster is not None:
                    return faster.run()  # type: ignore[no-any-return]
                looked_at = max(len(space.states), len(space.graph.targets) // STEPS_OF_A_STATE)
                if not self.looked_ahead and looked_at >= HUNT_AFTER:
                    self.hunt()
        return None

    def _expand(self, space: Space, number: int, only: frozenset[int] | None, stack: list[int]) -> Found | None:
        space.done[number] = 1
        state = space.states[number]
        choices = self.kernel.successors(state)
        if self.stuck_in(state, choices, space.marks[number]):
            assert self.deadlock is not None
            return Found(self.deadlock.name, number)
        if self.deadlock is not None and choices:
            space.marks[number] = self.mark
        if only is not None:
            choices = [choice for choice in choices if choice.process in only]
        elif self.partial_order is not None:
            choices = self._enough(space, state, choices, self.partial_order)
        return self.follow(space, number, choices, stack)

    def _enough(self, space: Space, state: Packed, choices: list[Choice], partial_order: PartialOrder) -> list[Choice]:
        """Return some of ``choices`` in place of all, if one of them leads to a state that is not expanded yet."""
        self._begin(state, choices)
        for part in partial_order.parts(state, choices):
            for choice in part.choices:
                known = space.index.get(self._reached(choice)[0])
                if known is None or not space.done[known]:
                    partial_order.rely_on(state, part)
                    return part.choices
        return choices

    def follow(self, space: Space, number: int, choices: list[Choice], stack: list[int]) -> Found | None:
        """Give numbers to the states that ``choices`` lead to and that are new; return the first violation in them."""
        graph, index, reached = space.graph, space.index, self._reached
        found: Found | None = None
        self._begin(space.states[number], choices)
        for choice in choices:
            state, way = reached(choice)
            known = index.get(state)
            if known is None:
                self.limits.check(len(space.states), len(graph.targets))
                known = space.add(state, number, _called(space.marks[number], way))
                stack.append(known)
                wrong = self.wrong_in(state) if found is None else None
                found = found if wrong is None else Found(wrong, known)
            elif space.depths[known] > space.depths[number] and space.marks[known][0] and self.deadlock is not None:
                space.marks[known] = _less(space.marks[known], _called(space.marks[number], way))
            graph.targets.append(known)
            graph.processes.append(choice.process)
            graph.outcomes.append(choice.outcome)
        graph.starts.append(len(graph.targets))
        space.expanded.append(number)
        return found

    def _begin(self, state: Packed, choices: list[Choice]) -> None:
        """Begin with the steps of another state."""
        if state is not self._source and not self.symmetry.trivial:
            self._source, self._met = state, {}
            outcomes = Counter(choice.process for choice in choices)
            several = len(choices) > _FEW and len(outcomes) > 1
            alike = self.symmetry.alike(state) if several else {}
            self._alike = {process: first for process, first in alike.items() if outcomes[process] == 1}

    def _reached(self, choice: Choice) -> tuple[Packed, Sequence[int]]:
        """Return the representative of what a step leads to, and who plays whose part in it; answers are kept.

        Of processes that are alike in the state the steps lead to one representative. Who plays whose part may be
        told as of the first of them: whoever asks, asks about a mark, which such an exchange leaves what it is.
        """
        if self.symmetry.trivial:
            return choice.state, ()
        key = self._alike.get(choice.process, choice.process), choice.outcome
        found = self._met.get(key)
        if found is None:
            follow = self.deadlock is not None
            found = self.symmetry.chosen(choice.state) if follow else (self.canonical(choice.state), ())
            self._met[key] = found
        return found

    def faster_space(self, looked_at: int) -> Any:
        """Return a space that searches by itself and faster, from the start, and is used from now on; None: not yet.

        Its first ``looked_at`` states are known to violate nothing by themselves.
        """
        raise NotImplementedError

    def tell(self, states: int, frontier: int, depth: int) -> None:
        """Report progress, a few times per second."""
        if self.progress is not None and self.limits.elapsed - self._reported > 0.2:
            self._reported = self.limits.elapsed
            self.progress(Progress(states, frontier, depth, self._reported))

    # ---- samples -------------------------------------------------------------------------------------

    def run(
        self, strategy: Strategy, longest: int, before: int = 0, most: int = _RUN_STEPS
    ) -> tuple[tuple[Path, str] | None, int]:
        """Take one run of ``most`` steps; return its path and the property it violates, if any, and its length."""
        strategy.begin(len(self.kernel.processes), max(longest, 1))
        state = self.kernel.initial
        path: Path = []
        mark = (0, 0)
        while len(path) < most:
            wrong = self.wrong_in(state)
            choices = self.kernel.successors(state)
            if wrong is None and self.deadlock and self.stuck_in(state, choices, mark):
                wrong = self.deadlock.name
            if wrong is not None:
                return (path, wrong), len(path)
            if not choices:
                break
            self.limits.check(before + len(path))
            if self.deadlock is not None:
                mark = self.mark
            choice = sampled(strategy, self.kernel, state, choices)
            path.append((choice.process, choice.outcome))
            state = choice.state
        return None, len(path)

    def foresee(self, steps: int, rely: Callable[[], None] = lambda: None) -> None:
        """With reductions, learn ahead; then raise when what they relied on, which ``rely`` says, does not stand."""
        if self.partial_order is None and self.symmetry.trivial:
            return
        foresee(self.kernel, self.canonical, self.wrong_in, self.limits, steps, self._known)
        rely()
        if self.partial_order is not None and not self.partial_order.justified():
            raise Unjustified

    def _known(self) -> tuple[int, int]:
        """Return how much is known of what processes do, but for the names that are exchanged."""
        if self.partial_order is None or self.symmetry.trivial:
            return len(self.kernel.effects), len(self.kernel.locals)
        return self.partial_order.footprints.but_for_names()

    def hunt(self) -> None:
        """Look ahead with a few sampled runs; remember the shortest violation, and bound what comes after it."""
        self.looked_ahead = True
        longest, left = 0, _HUNT_STEPS
        for seed in range(_HUNTS):
            found, length = self.run(in_turn(seed), longest, -_HUNT_STEPS, min(left, _RUN_STEPS))
            longest, left = max(longest, length), left - length
            if found is not None and (self.hunted is None or len(found[0]) < len(self.hunted[0])):
                self.hunted = found
        self.bound()

    def bound(self) -> None:
        """Once a violation is known, look for a shorter way for so long only, unless there is a limit of states."""
        if self.hunted is not None and self.any_witness:
            raise OutOfBudget("a violation is known")
        if self.hunted is not None and self.limits.states is None:
            self.limits.shorten()
