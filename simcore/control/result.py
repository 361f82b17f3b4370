"""What runs of the user's own code have shown, and what they have not.

A schedule that hangs, or in which something raised, is a violation, and is shown only after it was run a second time,
in a process of its own, with the same end. Runs that found nothing prove nothing: *undetermined*, with their number.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import pairwise
from typing import NamedTuple

from simcore.control.finer import GOES_ON
from simcore.control.history import History
from simcore.control.watching import Watched
from simcore.errors import OptionError
from simcore.explain import WaitForGraph, fit, summary
from simcore.model import Pictured, Timeouts, Verdict, listed

_TASKS = 5
"""Tasks of event loops that are named at a line."""

LATE = " times out"
"""What follows what a step does if time ends a wait in it."""

RUNS_ON = 5
"""How many runs go on from a step, to see whether one comes to its end."""


class CodeStep(NamedTuple):
    """One step of a run: which thread did what, on what, and at which line of the program.

    Attributes
    ----------
    goes_on : bool
        Whether it is no new call, but goes on with the thread's last one, which had to wait.
    """

    thread: str
    text: str
    place: str
    goes_on: bool = False

    @property
    def imports(self) -> bool:
        """Whether it begins the import of a module."""
        return self.text.startswith("begins the import of ")

    @property
    def told(self) -> str:
        """What it does, in a sentence of its own."""
        return f"goes on: {self.text}" if self.goes_on else self.text

    def __str__(self) -> str:
        return f"{self.thread}  {self.told}{self.place and f' at {self.place}'}"


class Raised(NamedTuple):
    """An exception that ended a thread, and where it came from."""

    thread: str
    error: str
    place: str

    @property
    def brief(self) -> str:
        """Who raised what, in one line."""
        return f"{self.thread} raised {self.error.partition(chr(10))[0]}"

    @property
    def told(self) -> str:
        """The same, and where."""
        return f"{self.brief}{self.place and f', at {self.place}'}"


@listed(without="lines")
@dataclass(frozen=True)
class Violation(Pictured):
    """A run that does not end, or in which something was raised.

    Attributes
    ----------
    kind : str
        "deadlock" or "failed".
    steps : sequence of CodeStep
        The schedule.
    wait_for : WaitForGraph
        Who waits for whom at its end.
    places : mapping
        At which line of the program each thread waits, by its name.
    errors : sequence of Raised
        What was raised.
    time : float
        Virtual seconds that have passed.
    token : str
        The schedule in one word; empty where the code cannot be found again by a name.
    again : str
        The command that follows it, in front of the token.
    no_return : int
        The step after which none of `RUNS_ON` runs that went on from there came to its end, though one did that went on
        from before it; 0 where no such step is known.
    watched : Watched, optional
        What the objects that steps name held after each step.
    tasks : mapping
        At which line of the program each task of an event loop waits that has not ended, by its name.
    """

    kind: str
    steps: Sequence[CodeStep]
    wait_for: WaitForGraph
    places: dict[str, str]
    errors: Sequence[Raised]
    time: float
    token: str = ""
    again: str = "simcore replay"
    no_return: int = 0
    watched: Watched | None = field(default=None, repr=False, compare=False)
    tasks: dict[str, str] = field(default_factory=dict)

    @property
    def switches(self) -> int:
        """How often another thread goes on."""
        threads = [step.thread for step in self.steps]
        return sum(one != other for one, other in pairwise(threads))

    def _tasks_at(self, place: str) -> str:
        names = [name for name, at in self.tasks.items() if at == place]
        more = f", and {len(names) - _TASKS} more" * (len(names) > _TASKS)
        return f"{', '.join(names[:_TASKS])}{more}"

    @property
    def answer(self) -> str:
        """Say in a few words what is wrong."""
        if self.kind == "failed":
            return "; ".join(each.brief for each in self.errors)
        return self.wait_for.headline.replace("process", "thread").replace("threades", "threads")

    def __str__(self) -> str:
        return fit(self.lines())

    def lines(self) -> list[str]:
        """Tell it, line by line."""
        lines = [f"{each.thread} raised {each.error}{each.place and f', at {each.place}'}" for each in self.errors]
        if self.kind == "deadlock":
            lines += self.wait_for.told()
            waits = [edge.process.name for edge in self.wait_for.stuck]
            at = dict.fromkeys(self.places[name] for name in waits if self.places.get(name))
            lines += [f"  at {line}: {summary(n for n in waits if self.places.get(n) == line)}" for line in at]
            lines += [f"  at {line}: {self._tasks_at(line)}" for line in dict.fromkeys(self.tasks.values())]
        if self.no_return:
            step = self.steps[self.no_return - 1]
            lines.append(
                f"point of no return: step {self.no_return}, {step.thread} {step.text}; behind it none of "
                f"{RUNS_ON} runs came to its end, before it one did"
            )
        switches = f"{self.switches} switch{'es' * (self.switches != 1)}"
        lines.append(f"schedule ({len(self.steps)} step{'s' * (len(self.steps) != 1)}, {switches}):")
        width = max((len(step.thread) for step in self.steps), default=0)
        for number, step in enumerate(self.steps, 1):
            before, after = (self.steps[n] if 0 <= n < len(self.steps) else None for n in (number - 2, number))
            if step.text == GOES_ON and after is not None and after.thread == step.thread:
                continue  # only where somebody else goes on it matters
            if step.imports and before is not None and before.imports and before.thread == step.thread:
                continue  # what an import imports goes on for hundreds of steps
            lines.append(f"{number:>4}  {step.thread:<{width}}  {step.told}{step.place and f' at {step.place}'}")
        if self.token:
            lines.append(f"replay: {self.again} {self.token}")
        return lines


NO_RUN = "there is no run that came to its end, or was found; let control() run some more, or longer ones"


@listed(without="lines recall")
@dataclass(frozen=True)
class Controlled(Pictured):
    """The answer of `control`.

    Attributes
    ----------
    verdict : Verdict
        Violated, or undetermined: samples prove nothing.
    schedules : int
        How many were run.
    steps : int
        In the longest of them.
    seconds : float
        That it took.
    name : str
        What was run.
    strategy, timeouts : str
        How schedules were chosen, and which time-outs fire.
    violation : Violation, optional
        The run that was found, shortened.
    reason : str
        Why it is undetermined.
    notes : sequence of str
        What else a reader should know.
    recall : function
        Runs it again, to see what was done.
    """

    verdict: Verdict
    schedules: int
    steps: int
    seconds: float
    name: str
    strategy: str
    timeouts: Timeouts
    violation: Violation | None = None
    reason: str = ""
    notes: Sequence[str] = field(default_factory=tuple)
    recall: Callable[[], Sequence[History]] = field(default=tuple, repr=False, compare=False)

    def __str__(self) -> str:
        return fit(self.lines())

    @cached_property
    def histories(self) -> Sequence[History]:
        """What the run did that is told, and one that came to its end, as far as there are such; run when asked for."""
        return tuple(self.recall())

    def model(self) -> str:
        """Return a skeleton of what was seen: the source of a module whose function ``skeleton`` builds a model.

        Raises
        ------
        OptionError
            When no run came to its end.
        """
        from simcore.control.skeleton import skeleton

        if not self.histories:
            raise OptionError(f"model(): {NO_RUN}")
        return skeleton(self.histories)

    def lines(self) -> list[str]:
        """Tell it, line by line."""
        told = self.reason if self.violation is None else self.violation.answer
        many = f"{self.schedules:,} schedule{'s' * (self.schedules != 1)}"
        lines = [
            f"{self.verdict.value}: {told}",
            f"  {self.name}",
            f"  {many}, {self.strategy}, at most {self.steps:,} steps in one, {self.seconds:.1f} s",
            *(f"  note: {note}" for note in self.notes),
        ]
        return lines + (self.violation.lines() if self.violation is not None else [])
