"""What hangs shrinks to a chain of two tasks in a pool of one worker, and its file fails, and passes with one more."""

from __future__ import annotations

import random
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, Phase, find, given, seed, settings
from hypothesis import strategies as st
from hypothesis.vendor.pretty import pretty

from simcore import Verdict, explore
from simcore.errors import OptionError
from simcore.stateful import Topology, topologies
from simcore.stateful.topology import Get, Hold, Put, Submit

CHAIN = Topology((1,), (), (), ((Submit(0, 0, "now"),),), ((Submit(1, 0, "now"),), ()))
LOCKS = Topology((2,), (1, 1), (), ((Submit(0, 0, "now"), Submit(1, 0, "now")),), ((Hold(0), Hold(1)),) * 2)
OPPOSED = replace(
    LOCKS, roots=((Submit(0, 0, "last"), Submit(1, 0, "last")),), tasks=((Hold(0), Hold(1)), (Hold(1), Hold(0)))
)
EVERYTHING = Topology(
    (2, 1),
    (1, 2),
    (1,),
    ((Submit(0, 1, "never"), Submit(1, 0, "last"), Put(0)), (Hold(0), Hold(1), Get(0))),
    ((), (Hold(0),)),
)


def verdict(topology: Topology) -> Verdict:
    return explore(topology.model(), max_states=5_000, witness="any").verdict


def hangs(topology: Topology) -> bool:
    return verdict(topology) is Verdict.VIOLATED


def smallest(
    strategy: st.SearchStrategy[Topology], number: int, wanted: Callable[[Topology], bool] = hangs
) -> Topology:
    phases = [Phase.generate, Phase.shrink]  # to explain a hang it would look for hundreds of others
    limits = settings(max_examples=500, database=None, deadline=None, phases=phases)
    return find(strategy, wanted, settings=limits, random=random.Random(number))


# ---- shrinking -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("number", range(3))
def test_a_hang_shrinks_to_the_smallest_one(number):
    assert smallest(topologies(queues=0, locks=0), number) == CHAIN


@pytest.mark.slow
def test_with_everything_a_hang_shrinks_to_two_tasks_or_to_one_and_a_queue_or_locks():
    for number in range(20):
        found = smallest(topologies(), number)
        steps = sum(map(len, (*found.roots, *found.tasks)))
        assert len(found.tasks) <= 2
        assert steps <= 3
        assert found.pools == (1,)


def test_of_three_tasks_the_smallest_is_a_chain():
    found = smallest(topologies(), 0, lambda topology: len(topology.tasks) == 3)
    assert found == Topology((1,), (), (), CHAIN.roots, (*CHAIN.tasks[:1], (Submit(2, 0, "now"),), ()))


# ---- what is drawn -------------------------------------------------------------------------------------


def steps(topology, kind):
    """Return each step of a kind with the number of the program that takes it, the roots first."""
    programs = enumerate((*topology.roots, *topology.tasks))
    return [(number, step) for number, program in programs for step in program if isinstance(step, kind)]


@seed(0)
@settings(max_examples=200, deadline=None, database=None)
@given(topologies(queues=2))
def test_what_is_drawn_could_be_meant(topology):
    submits = steps(topology, Submit)
    assert sorted(step.task for _, step in submits) == [*range(len(topology.tasks))]
    assert all(number < len(topology.roots) + step.task for number, step in submits)
    for queue in range(len(topology.queues)):
        putting, getting = ([n for n, step in steps(topology, kind) if step.queue == queue] for kind in (Put, Get))
        assert len(putting) == len(getting)
        assert len(putting) != 1 or putting != getting  # nobody hands one to himself
    held = steps(topology, Hold)
    assert len(held) == len(set(held))


@seed(1)
@settings(max_examples=25, deadline=None, database=None, suppress_health_check=list(HealthCheck))
@given(topologies(queues=0, locks=0))
def test_nothing_hangs_with_a_worker_for_each_task(topology):
    enough = replace(topology, pools=(len(topology.tasks),) * len(topology.pools))
    assert verdict(enough) is Verdict.HOLDS


@seed(2)
@settings(max_examples=25, deadline=None, database=None)
@given(topologies())
def test_its_text_is_its_model(topology):
    namespace = {}
    exec(f"import simcore\n{topology}", namespace)
    built, again = topology.model(), namespace["topology"]()
    assert [each.name for each in built.objects] == [each.name for each in again.objects]
    assert [each.name for each in built.processes] == [each.name for each in again.processes]
    assert built.origin is None  # which no name leads to
    compile(topology.as_pytest(), "test_hang.py", "exec")


def test_it_prints_as_a_model():
    assert str(EVERYTHING) == repr(EVERYTHING) == pretty(EVERYTHING).strip() == '''\
def topology(
    *, workers0: int = 2, workers1: int = 1, permits1: int = 2, capacity0: int = 1
) -> simcore.Model:
    model = simcore.Model("topology")
    pool0 = model.thread_pool("pool0", workers0)
    pool1 = model.thread_pool("pool1", workers1)
    lock0 = model.lock("lock0")
    lock1 = model.semaphore("lock1", permits1)
    queue0 = model.queue("queue0", capacity0)

    def root0():
        yield pool1.submit(task0)
        future1 = yield pool0.submit(task1)
        yield queue0.put("item")
        yield future1.result()

    def root1():
        yield lock0.acquire()
        yield lock1.acquire()
        yield queue0.get()
        yield lock1.release()
        yield lock0.release()

    def task0():
        yield from ()

    def task1():
        yield lock0.acquire()
        yield lock0.release()

    model.process("root0", root0)
    model.process("root1", root1)
    return model'''  # fmt: skip
    assert verdict(EVERYTHING) is Verdict.HOLDS


@pytest.mark.parametrize("pools", [1, 2, 3, 4, 5, 9])
def test_it_is_as_a_formatter_leaves_it(pools, tmp_path):
    pytest.importorskip("ruff")  # which is there where simcore is developed
    place = tmp_path / "test_it.py"
    place.write_text(replace(EVERYTHING, pools=(2,) * pools).as_pytest())
    ruff = [sys.executable, "-m", "ruff", "format", "--isolated", "--diff", str(place)]
    ran = subprocess.run(ruff, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stdout


def test_without_sizes_it_has_no_parameters():
    nothing = Topology((), (1,), (), ((Hold(0),),), ())
    assert str(nothing).startswith("def topology() -> simcore.Model:")
    assert verdict(nothing) is Verdict.HOLDS


@pytest.mark.parametrize("option", ["pools", "workers", "tasks", "roots", "queues", "locks"])
@pytest.mark.parametrize("number", [-1, 1.5, None, True])
def test_a_number_that_is_none_is_an_error(option, number):
    with pytest.raises(OptionError, match=option):
        topologies(**{option: number})


# ---- the file ------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_a_file_fails_for_the_same_reason_and_passes_once_it_is_mended(tmp_path):
    """One more worker mends the chain; locks in one order mend the other."""
    hang = CHAIN.as_pytest()
    files = {"chain": hang, "chain_mended": hang.replace("workers0: int = 1", "workers0: int = 2")}
    files |= {"opposed": OPPOSED.as_pytest(), "opposed_mended": LOCKS.as_pytest()}
    for name, text in files.items():
        (tmp_path / f"test_{name}.py").write_text(text)
    command = [sys.executable, "-m", "pytest", "-q", "-rA", "-p", "no:cacheprovider", "--tb=short"]
    ran = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    told = [line.split("::")[0] for line in ran.stdout.splitlines() if line.startswith(("PASSED", "FAILED"))]
    assert sorted(told) == [
        "FAILED test_chain.py",
        "FAILED test_opposed.py",
        "PASSED test_chain_mended.py",
        "PASSED test_opposed_mended.py",
    ]
    for topology, name in ((CHAIN, "chain"), (OPPOSED, "opposed")):
        reason = explore(topology.model()).answer
        assert "can never move again" in reason
        _, _, report = ran.stdout.partition(f"test_{name}.py:")
        assert reason in report.partition("_ test_no_schedule_hangs _")[0]
