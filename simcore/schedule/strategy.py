"""A strategy answers one question: which of the enabled steps comes next.

It sees how many processes there are, which of them are enabled, and, if it asks, what each of these is about to act on;
never a state. So the same strategies drive whatever can name its enabled processes.

None is best: what one finds in its first run another may miss in a hundred. `Portfolio` takes turns.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, field
from typing import ClassVar

from simcore.errors import OptionError
from simcore.model import listed

Target = Callable[[int], Hashable]
"""Gives what the next step of a process acts on."""


@dataclass
class _Seeded:
    """A strategy of random numbers; the same seed gives the same choices. It promises nothing of runs that met nothing.

    Parameters
    ----------
    seed : int
        Of the random numbers.
    """

    promise: ClassVar = ""

    seed: int = 0
    _random: random.Random = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self._random = random.Random(self.seed)


@listed(without="begin choose promise")
@dataclass
class RandomWalk(_Seeded):
    """Choose any enabled step with the same probability.

    Parameters
    ----------
    seed : int
        Of the random numbers; the same seed gives the same choices.
    """

    def __str__(self) -> str:
        return "random walk"

    def begin(self, processes: int, steps: int) -> None:
        """Start another run of ``processes`` processes; ``steps`` is the length of the longest run so far."""

    def choose(self, enabled: Sequence[int], target: Target) -> int:
        """Return the position in ``enabled`` (the process of each enabled step) of the step to take."""
        return self._random.randrange(len(enabled))


@listed(without="begin choose promise")
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

    def __str__(self) -> str:
        return f"PCT, depth {self.depth}"

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

    def choose(self, enabled: Sequence[int], target: Target) -> int:
        """Return the position in ``enabled`` of the step to take."""
        self._step += 1
        self._late(max(enabled) + 1)
        best = max(enabled, key=lambda process: self._priorities[process])
        if self._step in self._changes:
            self._priorities[best] = -self._step
            best = max(enabled, key=lambda process: self._priorities[process])
        return _one_of(best, enabled, self._random)

    def _late(self, processes: int) -> None:
        """Give those a priority who were not there when the run began, at random among the others."""
        while len(self._priorities) < processes:
            others = [0.0, *sorted(each for each in self._priorities if each > 0)]  # below 0 are those that have fallen
            others.append(others[-1] + 2)
            place = self._random.randrange(len(others) - 1)
            self._priorities.append((others[place] + others[place + 1]) / 2)
        self._bound = max(self._bound[0], len(self._priorities)), self._bound[1]

    @property
    def bound(self) -> float:
        """The probability with which one run meets a bug of this depth, at least."""
        processes, steps = self._bound
        return float(1 / (processes * steps ** (self.depth - 1)))

    @property
    def promise(self) -> str:
        """What is known of runs that met nothing."""
        return f"one run of PCT meets a bug of depth {self.depth} with probability at least {self.bound:.2g}"


@listed(without="begin choose promise")
@dataclass
class POS(_Seeded):
    """Partial order sampling: random priorities, drawn anew where order counts.

    The next step of every process has a random priority, and the highest is taken. Steps that were about to act on the
    same object as it are given another one. So each order of steps that race is met about as often as any other,
    however many steps there are of processes that do not touch what they touch (Yuan, Yang, Gu: Partial order aware
    concurrency sampling, 2018).

    Parameters
    ----------
    seed : int
        Of the random numbers.
    """

    _priorities: dict[int, tuple[Hashable, float]] = field(init=False, repr=False, default_factory=dict)

    def __str__(self) -> str:
        return "partial order sampling"

    def begin(self, processes: int, steps: int) -> None:
        """Start another run."""
        self._priorities = {}

    def choose(self, enabled: Sequence[int], target: Target) -> int:
        """Return the position in ``enabled`` of the step to take."""
        targets = {process: target(process) for process in dict.fromkeys(enabled)}
        for process, about in targets.items():
            if process not in self._priorities or self._priorities[process][0] != about:
                self._priorities[process] = about, self._random.random()
        best = max(targets, key=lambda process: self._priorities[process][1])
        drawn = self._priorities.items()
        self._priorities = {p: (about, x) for p, (about, x) in drawn if p != best and about != targets[best]}
        return _one_of(best, enabled, self._random)


@listed(without="begin choose promise")
@dataclass
class URW(_Seeded):
    """Uniform random walk: a process is chosen the more often the more steps it has left.

    A walk that gives every process the same chance seldom meets orders in which a long process is ahead of a short one.
    Where the numbers of steps are known, and nobody waits, every order has the same probability here. They are counted:
    each process is thought to have as many steps as it took at most in a run before (Zhao, Wolff, Mathur, Roychoudhury:
    Selectively uniform concurrency testing, 2025).

    Parameters
    ----------
    seed : int
        Of the random numbers.
    """

    _most: Counter[int] = field(init=False, repr=False, default_factory=Counter)
    _taken: Counter[int] = field(init=False, repr=False, default_factory=Counter)

    def __str__(self) -> str:
        return "uniform random walk"

    def begin(self, processes: int, steps: int) -> None:
        """Start another run; remember how many steps each process took in the last one."""
        self._most |= self._taken
        self._taken = Counter()

    def choose(self, enabled: Sequence[int], target: Target) -> int:
        """Return the position in ``enabled`` of the step to take."""
        ready = list(dict.fromkeys(enabled))
        left = [max(1, self._most[process] - self._taken[process]) for process in ready]
        (best,) = self._random.choices(ready, left)
        self._taken[best] += 1
        return _one_of(best, enabled, self._random)


@listed(without="begin choose promise")
@dataclass
class EvenProgress(_Seeded):
    """Choose one of those that have taken the fewest steps: all advance evenly, so that pools fill.

    A slot of a pool is given back later than it is taken. Where a walk lets somebody give it back before others have
    taken theirs, pools of many slots are hardly ever full at the same time; here all take before anybody gives back.
    Each process has a head start of a few steps, at random, up to a number that is drawn for each run. In every other
    run the first process goes on whenever it can: of threads it is the one that starts the others, and they advance
    evenly only once they are there. It samples few of the orders there are, and finds nothing that needs one process
    far ahead of others.

    Parameters
    ----------
    seed : int
        Of the random numbers.
    """

    _taken: dict[int, int] = field(init=False, repr=False, default_factory=dict)
    _most_ahead: int = field(init=False, repr=False, default=0)
    _runs: int = field(init=False, repr=False, default=0)

    def __str__(self) -> str:
        return "even progress"

    def begin(self, processes: int, steps: int) -> None:
        """Start another run; draw how far ahead some may begin."""
        self._taken = {}
        self._most_ahead = self._random.choice((0, 1, 2, 4))
        self._runs += 1

    def choose(self, enabled: Sequence[int], target: Target) -> int:
        """Return the position in ``enabled`` of the step to take."""
        ready = list(dict.fromkeys(enabled))
        for process in ready:
            if process not in self._taken:
                self._taken[process] = -self._random.randint(0, self._most_ahead)
        least = min(self._taken[process] for process in ready)
        chosen = self._random.choice([process for process in ready if self._taken[process] == least])
        if self._runs % 2 and 0 in ready:
            chosen = 0
        self._taken[chosen] += 1
        return _one_of(chosen, enabled, self._random)


@listed(without="begin choose promise")
@dataclass
class Portfolio:
    """Random walks, URW, PCT, POS and even progress, which take turns, a run each.

    Parameters
    ----------
    depth : int
        Of PCT.
    seed : int
        Of the random numbers.
    """

    depth: int = 3
    seed: int = 0
    _parts: tuple[RandomWalk | URW | PCT | POS | EvenProgress, ...] = field(init=False, repr=False)
    _runs: int = field(init=False, repr=False, default=0)

    def __str__(self) -> str:
        return "portfolio"

    def __post_init__(self) -> None:
        pct = PCT(self.depth, self.seed)  # which refuses a depth that is none
        self._parts = RandomWalk(self.seed), URW(self.seed), pct, POS(self.seed), EvenProgress(self.seed)

    def begin(self, processes: int, steps: int) -> None:
        """Start a run of whoever's turn it is."""
        self._turn = self._parts[self._runs % len(self._parts)]
        self._runs += 1
        self._turn.begin(processes, steps)

    @property
    def promise(self) -> str:
        """What is known of runs that met nothing."""
        pct = self._parts[2]
        return f"{pct.promise}, and one in {len(self._parts)} is one" if self._runs > 2 else ""

    def choose(self, enabled: Sequence[int], target: Target) -> int:
        """Return the position in ``enabled`` of the step to take."""
        return self._turn.choose(enabled, target)


def _one_of(process: int, enabled: Sequence[int], chance: random.Random) -> int:
    """Return the position of one of the steps of ``process``, each with the same probability."""
    return chance.choice([place for place, other in enumerate(enabled) if other == process])


Strategy = RandomWalk | PCT | POS | URW | EvenProgress | Portfolio

SAMPLING: dict[str, Callable[[int], Strategy]] = {
    "random": RandomWalk,
    "pct": lambda seed: PCT(seed=seed),
    "pos": POS,
    "urw": URW,
    "even": EvenProgress,
    "portfolio": lambda seed: Portfolio(seed=seed),
}
"""Strategies by the names that `explore` and the command line know them by, made with a seed."""
