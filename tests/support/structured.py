"""Random systems of the class that laws are argued for: pools, locks, semaphores, tasks that are waited for or not.

A seed gives the programs; how many there are of everything are parameters, so one function builds it at all sizes.
"""

from __future__ import annotations

import random

from simcore import Model, choose

POOLS, SEMAPHORES, LOCKS, RLOCKS, ROOTS = ("P", "Q"), ("s", "t"), ("a", "b"), ("c",), ("r0", "r1")
SIZES = (*POOLS, *SEMAPHORES, *ROOTS)


def script(rng, things, pools, tasks):
    """Return instructions that give back what they take, in any order, and wait for some of what they submit."""
    out, held, kids = [], [], 0
    for _ in range(rng.randint(1, 4)):
        kind = rng.choice(
            ("take", "take", "give", "submit", "submit", "join", "try", "choose", "look", "flag", "count")
        )
        if kind == "take":
            held.append(rng.choice(things))
            out.append(("take", held[-1]))
        elif kind == "give" and held:
            out.append(("give", held.pop(rng.randrange(len(held)))))
        elif kind == "submit" and tasks:
            out.append(("submit", rng.choice(pools), rng.choice(tasks), kids))
            kids += 1
        elif kind in ("join", "look") and kids:
            out.append((kind, rng.randrange(kids)))
        elif kind == "try":
            out.append(("try", rng.choice(things)))
        elif kind == "choose" and held:
            out.append(("maybe", held[-1]))
        elif kind in ("flag", "count"):
            out.append((kind, rng.choice(things)))
    rng.shuffle(held)
    out += [("join", kid) for kid in range(kids) if rng.random() < 0.6]
    return tuple(out + [("give", thing) for thing in held])


def design(seed):
    """Return what there is, and what it does, by name."""
    rng = random.Random(seed)
    pools = POOLS[: rng.randint(1, 2)]
    things = (*SEMAPHORES, *LOCKS, *RLOCKS)[rng.randint(0, 3) :][: rng.randint(1, 3)]
    scripts = {}
    for level in range(rng.randint(1, 3)):
        scripts[f"t{level}"] = script(rng, things, pools, list(scripts))
    roots = {name: script(rng, things, pools, list(scripts)) for name in ROOTS[: rng.randint(1, 2)]}
    loops = rng.random() < 0.15
    return pools, things, scripts, roots, loops


def system(*, seed: int, P: int = 1, Q: int = 1, s: int = 1, t: int = 1, r0: int = 2, r1: int = 2) -> Model:  # noqa: N803
    pools, things, scripts, roots, loops = design(seed)
    sizes = {"P": P, "Q": Q, "s": s, "t": t, "r0": r0, "r1": r1}
    model = Model(f"random {seed}")
    pool = {name: model.thread_pool(name, sizes[name]) for name in pools}
    thing = {name: model.lock(name) for name in things if name in LOCKS}
    thing |= {name: model.rlock(name) for name in things if name in RLOCKS}
    thing |= {name: model.semaphore(name, sizes[name]) for name in things if name in SEMAPHORES}
    flag, count = model.variable("flag", False), model.variable("count", 0)

    def run(steps):
        kids = {}
        for step in steps:
            yield from one(kids, *step)

    def one(kids, what, *args):
        if what == "take":
            yield thing[args[0]].acquire()
        elif what == "give":
            yield thing[args[0]].release()
        elif what == "try":
            if (yield thing[args[0]].acquire(False)):
                yield thing[args[0]].release()
        elif what == "maybe":
            if (yield choose(True, False)):
                yield thing[args[0]].release()
                yield thing[args[0]].acquire()
        elif what == "flag":
            if not (yield flag.get()):
                yield flag.set(True)
                yield thing[args[0]].acquire()
                yield thing[args[0]].release()
        elif what == "count":
            if (yield count.update(lambda n: (n + 1) % 3)) == 0:
                yield thing[args[0]].acquire()
                yield thing[args[0]].release()
        elif what == "submit":
            kids[args[2]] = yield pool[args[0]].submit(task, args[1])
        elif what == "look" and args[0] in kids:
            if (yield kids[args[0]].done()):
                yield kids.pop(args[0]).result()
        elif what == "join" and args[0] in kids:
            yield kids[args[0]].result()
            if args[0] % 2:
                kids.pop(args[0])

    def task(name):
        yield from run(scripts[name])

    def root(steps):
        yield from run(steps)
        while loops and any(step[0] in ("take", "try") for step in steps):
            yield from run(steps)

    for name, steps in roots.items():
        for index in model.indices(name, sizes[name]):
            model.process(index, root, steps)
    return model


def used(seed):
    """Return the parameters that change anything in the system of ``seed``."""
    pools, things, _, roots, _ = design(seed)
    return [name for name in SIZES if name in pools or name in things or name in roots]


def some_sizes(seed, number=6):
    """Return some sizes of the system of ``seed``, up to three of each."""
    rng = random.Random(seed)
    return [{name: rng.randint(1, 3) for name in used(seed)} for _ in range(number)]
