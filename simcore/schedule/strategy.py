"""A strategy answers one question: which of the enabled steps comes next.

It sees how many processes there are and which of them are enabled, never a state, so the same strategies
drive whatever can name its enabled processes.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, field

from simcore.errors import OptionError
from simcore.model import listed


@listed(without="begin choose")
@dataclass
class RandomWalk:
    """Choose any enabled step with the same probability.

    Parameters
    ----------
    seed : int
        Of the random numbers; the same seed gives the same choices.
    """

    seed: int = 0
    _random: random.Random = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self._random = random.Random(self.seed)

    def begin(self, processes: int, steps: int) -> None:
        """Start another run of ``processes`` processes; ``steps`` is the length of the longest run so far."""

    def choose(self, enabled: Sequence[int]) -> int:
        """Return the position in ``enabled`` (the process of each enabled step) of the step to take."""
        return self._random.randrange(len(enabled))


@listed(without="begin choose")
@dataclass
class PCT:
    """Probabilistic concurrency testing: random priorities with a few random changes.

    Each run gives every process a random priority and always runs the enabled one that is highest; at
    ``depth - 1`` random steps the process that runs falls to the bottom. A run of n processes and at most k
    steps meets any bug of that depth with probability at least 1 / (n k^(depth-1)) (Burckhardt, Kothari,
    Musuvathi, Nagarakatte: A randomized scheduler with probabilistic guarantees of finding bugs, 2010).

    Parameters
    ----------
    depth : int
        Number of ordering constraints that a bug may need, at least 1.
    seed : int
        Of the random numbers.
    """

    depth: int = 3
    seed: int = 0
    _random: random.Random = field(init=False, repr=False)
    _priorities: list[float] = field(init=False, repr=False, default_factory=list)
    _changes: set[int] = field(init=False, repr=False, default_factory=set)
    _step: int = field(init=False, repr=False, default=0)
    _bound: tuple[int, int] = field(init=False, repr=False, default=(1, 1))

    def __post_init__(self) -> None:
        if self.depth < 1:
            raise OptionError(f"PCT(depth={self.depth}): a bug's depth is at least 1")
        self._random = random.Random(self.seed)

    def begin(self, processes: int, steps: int) -> None:
        """Draw the priorities and the change points of another run."""
        order = list(range(processes))
        self._random.shuffle(order)
        self._priorities = [self.depth + place for place in order]
        self._changes = {self._random.randrange(1, max(2, steps + 1)) for _ in range(self.depth - 1)}
        self._step = 0
        self._bound = (processes, max(1, steps))

    def choose(self, enabled: Sequence[int]) -> int:
        """Return the position in ``enabled`` of the step to take."""
        self._step += 1
        best = max(enabled, key=lambda process: self._priorities[process])
        if self._step in self._changes:
            self._priorities[best] = -self._step
            best = max(enabled, key=lambda process: self._priorities[process])
        places = [place for place, process in enumerate(enabled) if process == best]
        return self._random.choice(places)

    @property
    def bound(self) -> float:
        """The probability with which one run meets a bug of this depth, at least."""
        processes, steps = self._bound
        return float(1 / (processes * steps ** (self.depth - 1)))


Strategy = RandomWalk | PCT
