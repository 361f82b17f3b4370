"""A pool that is sized by the machine is another one on each machine; a cell is what is known of one, and no more."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from simcore.errors import OptionError
from simcore.model import Model, Parameter, check_kinds, check_numbers
from simcore.sizes.cell import at, is_whole
from simcore.sizes.judge import EXPLORED, PROVED, WITNESS, Finding, Judge

Formula = Callable[[int], int] | int
"""A pool's size: of the number of processors, or the same on each machine."""

CORES = (1, 2, 4, 8, 16, 32, 64, 128)

FORMULAS: Mapping[str, Formula] = MappingProxyType(
    {
        "min(32, cores + 4)": lambda cores: min(32, cores + 4),  # ThreadPoolExecutor, since Python 3.8
        "cores": lambda cores: cores,
        "2 * cores": lambda cores: 2 * cores,
        "40": 40,  # the threads of anyio, and so of Starlette and FastAPI
        "64": 64,
        "128": 128,
    }
)
"""What pools are sized by."""

_LETTERS = {PROVED: "P", EXPLORED: "E", WITNESS: "W"}
_LEGEND = {
    "P": "P: proved for every size of the pool",
    "E": "E: explored",
    "W": "W: a run that hangs",
    "unknown": "unknown: neither safe nor hangs is known, so it is not safe",
}


@dataclass(frozen=True)
class MachineTable:
    """On which numbers of processors a model hangs.

    Attributes
    ----------
    model : str
        The function.
    pool : str
        The parameter that is a pool's size.
    others : mapping of str to int, float, str, bool or None
        All other parameters.
    cores : tuple of int
        Numbers of processors.
    sizes : mapping of str to tuple of int
        The size of the pool on each machine, by formula.
    found : mapping of int to Finding
        What is known, by the size of the pool.
    """

    model: str
    pool: str
    others: Mapping[str, Parameter]
    cores: tuple[int, ...]
    sizes: Mapping[str, tuple[int, ...]]
    found: Mapping[int, Finding]

    def at(self, formula: str, cores: int) -> Finding:
        """Return what is known of a pool that is sized by a formula, on a machine with so many processors."""
        if formula not in self.sizes or cores not in self.cores:
            raise OptionError(f"the table has no {formula!r} on {cores} processors")
        return self.found[self.sizes[formula][self.cores.index(cores)]]

    def hangs(self, formula: str) -> tuple[int, ...]:
        """Return the numbers of processors of the table on which it is known to hang, or die."""
        return tuple(cores for cores in self.cores if self.at(formula, cores).told in ("hangs", "dies"))

    def rows(self) -> list[dict[str, Any]]:
        """Return the cells as plain data, one dict for each."""
        cells = ((name, *each) for name, sizes in self.sizes.items() for each in zip(self.cores, sizes, strict=True))
        return [
            {
                "formula": name,
                "cores": cores,
                self.pool: size,
                "found": self.found[size].told,
                **_data(self.found[size]),
            }
            for name, cores, size in cells
        ]

    def __str__(self) -> str:
        head = [self.pool, *(f"{cores} cores" if cores > 1 else "1 core" for cores in self.cores)]
        lines = [head, *([name, *(_cell(self.found[size]) for size in sizes)] for name, sizes in self.sizes.items())]
        widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
        shown = ["  ".join(map(str.ljust, line, widths)).rstrip() for line in lines]
        marks = {word for line in lines[1:] for cell in line[1:] for word in cell.split()}
        legend = "; ".join(text for mark, text in _LEGEND.items() if mark in marks)
        where = f" ({at(self.others)})" if self.others else ""
        return "\n".join([f"{self.model}{where}", *shown, legend])

    __repr__ = __str__


def _cell(finding: Finding) -> str:
    return f"{finding.told} {_LETTERS[finding.how]}" if finding.how else finding.told


def _data(finding: Finding) -> dict[str, str]:
    return {"how": finding.how, "reason": finding.reason, "token": finding.token}


def machine_table(
    model: Callable[..., Model] | str,
    pool: str,
    *,
    cores: Iterable[int] = CORES,
    formulas: Mapping[str, Formula] = FORMULAS,
    max_states: int = 100_000,
    **others: Parameter,
) -> MachineTable:
    """Tell on which machines a model hangs whose pool is sized by the number of processors.

    Parameters
    ----------
    model : function or str
        What builds the model, or its name as on the command line.
    pool : str
        The parameter that is a pool's size: "workers".
    cores : iterable of int
        Numbers of processors.
    formulas : mapping of str to function or int
        The size of the pool, by a name for it: a function of the number of processors, or a number. By default what
        ``ThreadPoolExecutor`` does, "min(32, cores + 4)", and other usual ones.
    max_states : int
        Of the search of one size, where no law covers it and no run hangs.
    **others : int, float, str, bool or None
        The other parameters; those left out have their defaults.

    Returns
    -------
    MachineTable
        Each cell is safe (proved or explored), hangs (with a schedule), or unknown.

    Raises
    ------
    ModelError
        When there is no model of one of the sizes.
    OptionError
        When a parameter is unknown, or a size is no whole number.
    """
    check_kinds(
        pool=(pool, str, "the name of a parameter"),
        cores=(cores, Iterable, "numbers of processors"),
        formulas=(formulas, Mapping, "a dict of functions by their names"),
    )
    check_numbers(whole=True, least=1, none=False, max_states=max_states)
    machines = tuple(cores)
    for each in machines:
        check_numbers(whole=True, least=1, none=False, cores=each)
    if pool in others or not machines or not formulas:
        raise OptionError(f"machine_table(...): {pool!r} is sized by formulas; give some, and numbers of processors")
    sizes = {name: tuple(_size(name, formula, each) for each in machines) for name, formula in formulas.items()}
    all_sizes = sorted({size for row in sizes.values() for size in row})
    judge = Judge(model, pool, {**others, pool: all_sizes[0]}, max_states)
    found = {size: judge.at(**{pool: size}) for size in all_sizes}
    usual = {name: value for name, value in judge.usual.items() if name != pool}
    return MachineTable(judge.subject.name, pool, usual, machines, sizes, found)


def _size(name: str, formula: Formula, cores: int) -> int:
    size = formula(cores) if callable(formula) else formula
    if not is_whole(size) or size < 1:
        raise OptionError(f"formula {name!r} gives {size!r} on {cores} processors; a pool's size is a whole number")
    return size
