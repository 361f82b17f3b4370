"""What `simcore.explore` does in Python, done in machine code and in arrays, for millions of states.

Every module here needs packages of the extra ``fast``, and no more of them than its own, so nothing is imported here:
numpy and LLVM take a moment to start, and others import what they want when it is worth it. The plain version is the
reference.

* `loops`: breadth-first search, which begins again with the initial state and meets the same states in the same order;
  without reductions it is `search.py`, with both of them, for a proof of deadlock freedom, `reduced.py`. It wants numpy
  and llvmlite, and numba while no machine code is kept (`native.py`).
* `liveness` and `lost`: questions about whole runs. They want numpy and scipy alone.
"""

__all__ = ["liveness", "loops", "lost"]
