"""What a law says of random systems, held against exploration; and a way to read them wrong, on purpose."""

from __future__ import annotations

from simcore import Verdict, explore
from simcore.sizes.structure import kinds, prove


def compared(function, systems, **how):
    """Return how often each (is said to be safe, verdict) was seen, and the systems said to be safe that hang.

    ``systems`` are a seed each, the parameters that are sizes, and the sizes that are asked for;
    ``how`` is for the exploration.
    """
    seen, wrong = {}, []
    for seed, parameters, asked in systems:
        proved = prove(function, sizes=parameters, seed=seed, **dict.fromkeys(parameters, (1, 2)))
        for at in asked:
            safe = proved.safe(**at)
            verdict = explore(function(seed=seed, **at), max_states=200, **how).verdict
            seen[safe, verdict] = seen.get((safe, verdict), 0) + 1
            if safe and verdict is Verdict.VIOLATED:
                wrong.append((seed, at, proved.law))
    return seen, wrong


def misread(monkeypatch, **change):
    """Let everything that is said of a stop be right but for ``change``."""
    right = kinds.Stop
    monkeypatch.setattr(kinds, "Stop", lambda *args, **given: right(**{**vars(right(*args, **given)), **change}))
