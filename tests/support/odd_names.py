"""Names that are markup, scripts and control characters, and a model that has them."""

from __future__ import annotations

from simcore import Model

NASTY = (
    "</script><script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "<!--<script>",
    "\u2028\u2029 & \"'`${alert(1)}",
    "\x1b[31m\x00\x07 red",
    "\u202etxet",
    "\ud800",
    "very long " * 400,
)


def nasty():
    """A model whose names are markup, scripts and control characters; it hangs."""
    model = Model(NASTY[0])
    locks = [model.lock(f"{name} lock") for name in NASTY]

    def take(lock):
        yield lock.acquire()
        yield lock.acquire()

    for name, lock in zip(NASTY, locks, strict=True):
        model.process(name, take, lock)
    return model
