"""Tasks of a pool wait for tasks that they submit to the same pool, level by level.

No project's own: whoever calls ``pool.submit(f).result()`` in a task of the pool has written it, and the documentation
of `concurrent.futures` warns of it. It is here because its law is known: so many roots, each a chain of depth levels,
hang a pool if and only if workers <= roots * (depth - 1). All levels of a chain but the last wait, and hold a worker
each; one worker more than these can always run a last level.

Look for all workers in task, waiting for results of tasks that are queued behind them.
"""

from __future__ import annotations

from simcore import Model


def one_pool(*, roots: int = 2, depth: int = 2, workers: int = 2) -> Model:
    """Build chains of tasks in one pool.

    Parameters
    ----------
    roots : int
        Chains; the first task of each is submitted from outside.
    depth : int
        Levels of a chain: the task of one level submits that of the next, and waits for its result.
    workers : int
        Workers of the pool.
    """
    model = Model("nested futures, one pool")
    pool = model.thread_pool("pool", workers)
    add_roots(model, roots, [pool] * depth)
    return model


def pool_for_each_level(*, roots: int = 2, depth: int = 2, workers: int = 2) -> Model:
    """Build the same with a pool of ``workers`` for each level: a task waits for tasks of other pools alone.

    The parameters of `one_pool`.
    """
    model = Model("nested futures, a pool for each level")
    add_roots(model, roots, [model.thread_pool(f"level {level}", workers) for level in range(depth)])
    return model


def add_roots(model, roots, pools):
    """Add the processes that submit the first task of a chain and wait for it; ``pools[n]`` runs level n."""

    def task(name, level):
        if level + 1 < len(pools):
            inner = yield pools[level + 1].submit(task, name, level + 1)
            yield inner.result()

    def root(name):
        outer = yield pools[0].submit(task, name, 0)
        yield outer.result()

    for name in model.indices("root", roots):
        model.process(name, root, name)
