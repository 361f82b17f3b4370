"""A share of the states of a level: whoever expands it on a core of its own writes only what is in here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from operator import is_
from threading import Thread
from typing import Any

import numpy as np

from simcore.explore.compiled import loop
from simcore.explore.compiled.kinds import Array
from simcore.explore.compiled.registers import (
    ALIVE,
    ASK_1,
    ASK_3,
    BASE,
    BEGUN,
    DONE,
    FIRST,
    LEVEL,
    LOOK,
    LOOKED,
    PAUSED,
    POSITION,
    REGISTERS,
    STEPS,
    UNTIL,
)
from simcore.explore.compiled.space import PackedSpace
from simcore.explore.compiled.structs import Buffers, Steps

_STEPS = 4096  # for which there is room at first
_APART = 16  # words: what two cores write lies in different cache lines


class Share:
    """Room for the expansion of some states.

    Parameters
    ----------
    columns, words, processes : int
        The size of a state.
    most : int
        States in a share.
    """

    def __init__(self, columns: int, words: int, processes: int, most: int) -> None:
        self.status = DONE
        self.error: Exception | None = None
        self._given: tuple[Any, ...] = ()
        sizes = (REGISTERS, columns, columns, columns, columns, processes, words, 64, 3, 1)
        room = np.zeros(sum(sizes) + 2 * _APART, np.int64)[_APART:-_APART]
        parts = np.split(room, np.cumsum(sizes))
        self.registers, codes, ids, codes_2, ids_2, offset = parts[:6]
        row, stack, mark, helpers = (part.view(np.uint64) for part in parts[6:10])
        self.buffers = Buffers(row, codes, ids, codes_2, ids_2, stack, offset, mark, helpers)
        self.out = Steps(
            np.zeros((_STEPS, words), np.uint64),
            np.zeros(_STEPS, np.uint64),
            np.zeros(_STEPS, np.int64),
            np.zeros((_STEPS, 3), np.int64),
            np.zeros(most, np.int64),
        )

    def take(self, first: int, last: int, search: Array) -> None:
        """Begin with the states from ``first`` to ``last``, where the registers of ``search`` say it is."""
        registers = self.registers
        registers[[LEVEL, LOOK, BASE, ALIVE]] = search[[LEVEL, LOOK, BASE, ALIVE]]
        registers[[FIRST, POSITION]], registers[UNTIL] = first, last
        registers[[STEPS, BEGUN, LOOKED]] = 0
        self.status, self.error = DONE, None

    @property
    def asked(self) -> list[int]:
        """What is missing, where ``status`` says that something is."""
        return self.registers[ASK_1 : ASK_3 + 1].tolist()  # type: ignore[no-any-return]

    def steps_of(self, state: int) -> int:
        """Return how many steps a state has that was expanded."""
        place = state - int(self.registers[FIRST])
        return int(self.out.ends[place] - (self.out.ends[place - 1] if place else 0))

    @property
    def complete(self) -> bool:
        """Whether all its states have been expanded."""
        return self.status == PAUSED

    def expand(self, space: PackedSpace) -> None:
        """Expand states until something is missing."""
        given = space.arrays, space.layout, self.buffers, space.met, self.registers, self.out
        if len(self._given) != len(given) or not all(map(is_, self._given, given)):
            self._given, self._expand = given, loop.expand.given(*given)
        self.status = self._expand()

    @property
    def state(self) -> list[int]:
        """The numbers of the state in between whose steps something was missing."""
        return self.buffers.ids.tolist()  # type: ignore[no-any-return]

    def make_room(self) -> None:
        """Make room for more steps."""
        grown: dict[str, Array] = {}
        for name in ("rows", "hashes", "found", "steps"):
            array = getattr(self.out, name)
            grown[name] = np.zeros((2 * len(array), *array.shape[1:]), array.dtype)
            grown[name][: len(array)] = array
        self.out = replace(self.out, **grown)


def expand(shares: Sequence[Share], space: PackedSpace) -> None:
    """Expand shares, each on a core of its own; the compiled functions do not hold the interpreter's lock."""
    others = [Thread(target=share.expand, args=(space,), daemon=True) for share in shares[1:]]
    for thread in others:
        thread.start()
    shares[0].expand(space)
    for thread in others:
        thread.join()
