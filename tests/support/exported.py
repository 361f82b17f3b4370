"""Two systems that are small enough to be read as programs of Promela."""

from __future__ import annotations

from simcore import Model


def handed_over() -> Model:
    """One process waits at most a second for an event that the other one sets."""
    model = Model("handed over")
    ready = model.event("ready")

    def give():
        yield ready.set()

    def take():
        return (yield ready.wait(timeout=1.0))

    model.process("giver", give)
    model.process("taker", take, daemon=True)
    return model


def asked_for(*, given_up: bool = False, dies: bool = False) -> Model:
    """A process takes the result of a task, or gives up its future while the task may be anywhere."""
    model = Model("asked for")
    pool, gate = model.thread_pool("workers", 1), model.event("gate")

    def task():
        yield gate.wait()
        if dies:
            raise ValueError("of a bad value")
        return "done"

    def ask():
        future = yield pool.submit(task)
        yield gate.set()
        if not given_up:
            yield future.exception()
        yield gate.is_set()
        del future
        yield gate.is_set()

    model.process("main", ask)
    return model
