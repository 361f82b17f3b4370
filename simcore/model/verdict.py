"""The three answers there are, and the rules by which they are looked for, for models as for code.

A verdict is never rounded up: *violated* needs one witness, *holds* needs the whole space, and everything
else is *undetermined*, which is not a pass.
"""

from __future__ import annotations

from enum import Enum
from typing import Literal, get_args

Timeouts = Literal["never", "when_stuck", "in_order", "anytime"]
Witness = Literal["short", "any"]
WITNESSES: tuple[Witness, ...] = get_args(Witness)

LATE = "a frame on its way may take any time: it arrives before or after any time-out"
"""What is taken for granted of links with a latency or a bandwidth, where time passes only when nothing else moves."""

RULES = {
    "never": "time-outs never fire, sleeps end when nothing else can move",
    "when_stuck": "time-outs fire, one at a time, when nothing else can move",
    "in_order": "time-outs fire in the order of their deadlines, when nothing else can move",
    "anytime": "time-outs may fire at any moment",
}
"""What is taken for granted of time-outs, by the name of the rule."""


class Verdict(Enum):
    """The answer to a property."""

    HOLDS = "holds"
    VIOLATED = "violated"
    UNDETERMINED = "undetermined"

    def __str__(self) -> str:
        return self.value
