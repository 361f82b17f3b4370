"""A topology is a value, and its text is the program: what is printed is what is explored, and what a test file holds.

So nothing can differ between a hang that was found and the file that reproduces it. The text is a model function as a
person would write it, whose parameters are the sizes; with another one it is the topology with a larger pool.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from textwrap import indent
from typing import Any, Literal, NamedTuple

from simcore.model import Model

Wait = Literal["now", "last", "never"]


class Submit(NamedTuple):
    """Submits a task to a pool; its result is waited for at once, when all else is done, or never."""

    task: int
    pool: int
    wait: Wait


class Put(NamedTuple):
    """Puts an item into a bounded queue."""

    queue: int


class Get(NamedTuple):
    """Takes an item from a queue."""

    queue: int


class Hold(NamedTuple):
    """Takes a lock, or a permit of a semaphore, and gives it back at the end of the program."""

    lock: int


Step = Submit | Put | Get | Hold
Program = tuple[Step, ...]

_TEST = """

def test_no_schedule_hangs() -> None:
    result = simcore.explore(topology())
    assert result.verdict is simcore.Verdict.HOLDS, str(result)
"""


@dataclass(frozen=True, repr=False)
class Topology:
    """Processes and tasks over pools, queues and locks. It prints as the model function that it is.

    Attributes
    ----------
    pools : tuple of int
        The workers of each.
    locks : tuple of int
        The permits of each: one is a lock, more are a semaphore.
    queues : tuple of int
        The capacity of each.
    roots, tasks : tuple of Program
        What each process does, and each task.
    """

    pools: tuple[int, ...]
    locks: tuple[int, ...]
    queues: tuple[int, ...]
    roots: tuple[Program, ...]
    tasks: tuple[Program, ...]

    def __str__(self) -> str:
        return "\n".join(self._lines())

    __repr__ = __str__

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        """Print the text, too, where Hypothesis tells of an example."""
        printer.text(f"\n{self}\n")

    def model(self) -> Model:
        """Return the model; it has no token, as no name leads to the function."""
        namespace: dict[str, Any] = {"__name__": "topology"}
        exec(compile(f"import simcore\n{self}", "<topology>", "exec", dont_inherit=True), namespace)
        built: Model = namespace.pop("topology")()
        return built

    def as_pytest(self) -> str:
        """Return a file for pytest that fails as long as a schedule of this topology hangs, and needs nothing else."""
        return f'"""No schedule of this topology hangs."""\n\nimport simcore\n\n\n{self}\n{_TEST}'

    def _lines(self) -> Iterator[str]:
        yield f"def topology({self._parameters()}) -> simcore.Model:"
        yield '    model = simcore.Model("topology")'
        yield from (f'    pool{n} = model.thread_pool("pool{n}", workers{n})' for n in range(len(self.pools)))
        for n, permits in enumerate(self.locks):
            made = f'semaphore("lock{n}", permits{n})' if permits > 1 else f'lock("lock{n}")'
            yield f"    lock{n} = model.{made}"
        yield from (f'    queue{n} = model.queue("queue{n}", capacity{n})' for n in range(len(self.queues)))
        for kind, programs in (("root", self.roots), ("task", self.tasks)):
            for n, program in enumerate(programs):
                yield f"\n    def {kind}{n}():\n{indent(_body(program), ' ' * 8)}"
        yield ""
        yield from (f'    model.process("root{n}", root{n})' for n in range(len(self.roots)))
        yield "    return model"

    def _parameters(self) -> str:
        """Return what is between the brackets, as a formatter would: in one line, in one of its own, or in several."""
        given = [f"{name}: int = {size}" for name, size in self._sizes()]
        given = ["*", *given] if given else []
        line = ", ".join(given)
        if len(line) <= 56:
            return line
        return f"\n    {line}\n" if len(line) <= 84 else "".join(["\n", *(f"    {each},\n" for each in given)])

    def _sizes(self) -> Iterator[tuple[str, int]]:
        """Yield the parameters of the function."""
        yield from ((f"workers{n}", workers) for n, workers in enumerate(self.pools))
        yield from ((f"permits{n}", permits) for n, permits in enumerate(self.locks) if permits > 1)
        yield from ((f"capacity{n}", capacity) for n, capacity in enumerate(self.queues))


def _body(program: Program) -> str:
    """Return the lines of a generator function."""
    waited = [step.task for step in program if isinstance(step, Submit) and step.wait == "last"]
    held = [step.lock for step in program if isinstance(step, Hold)]
    lines = [line for step in program for line in _told(step)]
    lines += [f"yield future{task}.result()" for task in waited]
    lines += [f"yield lock{lock}.release()" for lock in reversed(held)]
    return "\n".join(lines or ["yield from ()"])


def _told(step: Step) -> Iterator[str]:
    match step:
        case Submit(task, pool, wait):
            keeps = "" if wait == "never" else f"future{task} = "
            yield f"{keeps}yield pool{pool}.submit(task{task})"
            if wait == "now":
                yield f"yield future{task}.result()"
        case Put(queue):
            yield f'yield queue{queue}.put("item")'
        case Get(queue):
            yield f"yield queue{queue}.get()"
        case Hold(lock):
            yield f"yield lock{lock}.acquire()"
