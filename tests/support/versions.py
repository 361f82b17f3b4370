"""Counts of states that depend on the compiler of Python: from 3.14 on it writes the condition of a ``while`` once.

Before, it stood there twice, at the beginning of the loop and at its end, so a process that waits in a condition had
two program points where now it has one. Both counts are right, each for what its interpreter runs.
"""

import sys

ONCE = sys.version_info >= (3, 14)


def loops(twice: int, once: int) -> int:
    """Return the count for this interpreter."""
    return once if ONCE else twice
