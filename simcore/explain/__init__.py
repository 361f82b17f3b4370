"""Why it hangs: who waits for whom, who could end a wait, and the smallest group that waits only for itself."""

from simcore.explain.knot import Knots, reach
from simcore.explain.waitfor import WaitForGraph

__all__ = [
    "Knots",
    "WaitForGraph",
    "reach",
]
