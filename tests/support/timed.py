"""Systems small enough that a run in virtual time can be worked out with pencil and paper, and what to read off it."""

from __future__ import annotations

from itertools import pairwise

from simcore import Model
from simcore.simulate import simulate


def jobs(*, workers: int = 1, tasks: int = 2) -> Model:
    """Tasks without operations; whoever submits them waits for all."""
    model = Model("jobs")
    pool = model.thread_pool("pool", workers)

    def job(number):
        yield from ()
        return number

    def boss():
        futures = ()
        for number in range(tasks):
            futures += ((yield pool.submit(job, number)),)
        total = 0
        for future in futures:
            total += yield future.result()
        return total

    model.process("boss", boss)
    return model


def alone(*operations) -> Model:
    """One process that performs ``operations`` and returns their results."""
    model = Model("alone")

    def run(make):
        results = ()
        for operation in make:
            results += ((yield operation),)
        return results

    model.process("p", run, operations)
    return model


def one_way(*, frames: tuple = ("x",), timeout: float | None = None, **link) -> Model:
    """A sender that sends all frames at once, and a receiver that notes when each comes by ending."""
    model = Model("one way")
    wire = model.link("wire", **link)
    box = model.queue("box")

    def send():
        for frame in frames:
            yield wire.send(frame)

    def receive():
        for _ in frames:
            yield box.put((yield wire.recv(timeout)))

    model.process("sender", send)
    model.process("receiver", receive)
    return model


def times(simulation, name: str) -> list[float]:
    """When ``name`` had more in use than before."""
    series = simulation.occupancy[name].series
    return [at for (_, before), (at, used) in pairwise(series) if used > before]


def first_stuck(make, **options):
    """Return the first run that is stuck, over a few seeds."""
    runs = (simulate(make(), seed=seed, **options) for seed in range(30))
    return next(run for run in runs if run.status == "stuck")
