"""Walk the largest space whose size other tools have counted: 19,577,781 states, in minutes and 5.6 GB.

``python -m benchmarks.largest_count`` exits with an error when a number differs. Too large for the tests.
"""

from __future__ import annotations

import gc
import sys
import time

from simcore.kernel import Kernel
from tests.support.toys import pool_system

STATES, DEADLOCKED, NEAREST = 19_577_781, 354_240, 14


def walk(kernel: Kernel) -> tuple[int, int, int]:
    """Return the number of states, of deadlocked ones, and the steps to the nearest of these."""
    seen, front = {kernel.initial}, [kernel.initial]
    depth = deadlocked = nearest = 0
    while front:
        following = []
        for state in front:
            choices = kernel.successors(state)
            if not choices and kernel.view(state).deadlocked:
                deadlocked, nearest = deadlocked + 1, nearest or depth
            for _, _, after in choices:
                if after not in seen:
                    seen.add(after)
                    following.append(after)
        front, depth = following, depth + 1
    return len(seen), deadlocked, nearest


def main() -> None:
    gc.disable()
    began = time.process_time()
    found = walk(Kernel(pool_system(requesters=6, workers=4, chunks=1)))
    print(f"states, deadlocked, nearest: {found}; {time.process_time() - began:.0f} s of CPU time")
    if found != (STATES, DEADLOCKED, NEAREST):
        sys.exit(f"other tools counted {(STATES, DEADLOCKED, NEAREST)}")


if __name__ == "__main__":
    main()
