"""A hang is called reachable only where the kernel has run into it; here it is led there, without a search.

Whoever hangs holds something and waits for more, so the way into a hang is to grab before one gives: of all steps that
are possible, those that give nothing back come first. Which of them, is tried in a few ways, each a run of its own.
The kernel takes every step, and the steps are taken once more from the start before the hang is told. A run that comes
to a good end means nothing: there are hangs that greed does not find.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import cached_property

from simcore.errors import InternalError, ScheduleError
from simcore.explore import new_knots
from simcore.kernel import Kernel, Move, Packed
from simcore.model import Model, check_model, check_numbers, with_parameters
from simcore.model.objects import ThreadPool
from simcore.schedule import Schedule

_GIVES = frozenset({"release", "set_result", "set_exception"})


@dataclass(frozen=True)
class Witness:
    """What greedy runs have come to.

    Attributes
    ----------
    model : str
        The model, with its parameters.
    found : bool
        Whether a hang was run into. Where not, that means nothing.
    steps : int
        Steps of the run that hangs, or of all.
    """

    model: str
    found: bool
    steps: int
    _run: _Run = field(repr=False)

    def __bool__(self) -> bool:
        """Tell whether a hang was run into."""
        return self.found

    @cached_property
    def schedule(self) -> Schedule | None:
        """The way into the hang, made when it is first asked for; None where none was found."""
        return Schedule.of(self._run.kernel, self._run.path) if self.found else None

    @property
    def token(self) -> str:
        """What `simcore replay` takes; empty where no hang was found, or the model cannot be built from a name."""
        try:
            return "" if self.schedule is None else self.schedule.token
        except ScheduleError:
            return ""

    def __str__(self) -> str:
        if not self.found:
            return f"{self.model}: greed has found no hang in {self.steps:,} steps, which means nothing: explore it"
        again = f"simcore replay {self.token}" if self.token else "follow its schedule"
        return f"{self.model}: hangs after {self.steps:,} steps\n  replay: {again}"


def witness(model: Model, *, most: int = 20_000) -> Witness:
    """Look for a hang by greed: a few runs, in each of which everybody grabs before anybody gives.

    Parameters
    ----------
    model : Model
        A model at the sizes that are asked for; it may be large.
    most : int
        Steps of one run.

    Returns
    -------
    Witness
        A schedule that ends in a hang; or none, which does not mean that there is none.

    Raises
    ------
    OptionError
        When ``model`` is no model, or ``most`` no number.
    """
    check_model(model, "witness")
    check_numbers(whole=True, least=1, none=False, most=most)
    name, steps = with_parameters(model.name, model.origin), 0
    for order in _ORDERS:
        run = _Run(Kernel(model), order, most)
        if run.hangs:
            _check(run)
            return Witness(name, True, len(run.path), run)
        steps += len(run.path)
    return Witness(name, False, steps, run)


class _Run:
    """One run: of the steps that are possible the first in ``order`` is taken."""

    def __init__(self, kernel: Kernel, order: Callable[..., tuple[int, ...]], most: int) -> None:
        self.kernel, self._order = kernel, order
        self._turns = [0] * len(kernel.processes)
        self.path: list[tuple[int, int]] = []
        state = kernel.initial
        while len(self.path) < most:
            following = self._step(state)
            if following is None:
                break
            state = following
        self.hangs = _stuck(kernel, state)

    def _step(self, state: Packed) -> Packed | None:
        found = min(self._steps(state), default=None)
        if found is None:
            return self._late(state)
        *_, process, outcome = found
        return self._taken(state, process, outcome)

    def _steps(self, state: Packed) -> Iterable[tuple[int, ...]]:
        """Yield each step that is possible, behind what decides when it comes."""
        kernel, waiting = self.kernel, set[ThreadPool | None]()
        idle = kernel.idle(state)
        for process, about in enumerate(kernel.processes):
            if idle >> process & 1:
                if about.pool in waiting:  # whoever takes a task of a pool, it is the same
                    continue
                waiting.add(about.pool)
            for outcome, move in enumerate(kernel.moves(state, process)):
                gives, takes = self._about(state, process, move)
                yield (gives, *self._order(takes, self._turns[process]), process, outcome)

    def _about(self, state: Packed, process: int, move: Move) -> tuple[bool, bool]:
        """Tell whether a step gives something back, a worker for one, and whether a worker takes a task by it."""
        kernel = self.kernel
        operation = kernel.operation(state, process)
        assert operation is not None
        takes = kernel.takes(state, process)
        after = kernel.about(move.point)
        idle = kernel.processes[process].pool is not None and after is not None and after.name == "take"
        return operation.name in _GIVES or (idle and not takes), takes

    def _late(self, state: Packed) -> Packed | None:
        """Let time pass, where nothing else can happen."""
        late = self.kernel.successors(state)
        return self._taken(state, late[0].process, late[0].outcome) if late else None

    def _taken(self, state: Packed, process: int, outcome: int) -> Packed | None:
        self._turns[process] += 1
        self.path.append((process, outcome))
        return self.kernel.step(state, process, outcome)


_ORDERS: tuple[Callable[[bool, int], tuple[int, ...]], ...] = (
    lambda takes, turns: (takes, turns),  # all in turn, and tasks are begun when nothing else is left
    lambda takes, turns: (not takes, turns),  # all in turn, and tasks are begun at once
    lambda takes, turns: (-turns,),  # one goes on as far as it can
    lambda takes, turns: (takes, -turns),
)


def _stuck(kernel: Kernel, state: Packed) -> bool:
    """Tell whether it is a hang; that somebody has died of an exception is another failure, and comes first."""
    if kernel.failed(state) is not None:
        return False
    return new_knots(kernel).stuck(state, kernel.successors(state))


def _check(run: _Run) -> None:
    """Take the steps of a run once more, from the start, and see that they end in a hang."""
    state = run.kernel.initial
    for process, outcome in run.path:
        following = run.kernel.step(state, process, outcome)
        if following is None:
            raise InternalError("a greedy run has taken a step that cannot be taken; please report the model")
        state = following
    if not _stuck(run.kernel, state):
        raise InternalError("a greedy run that was said to hang does not; please report the model")
