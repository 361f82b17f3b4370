"""A type checker knows what a user may import, and what a process yields: mypy is run over what users write."""

from __future__ import annotations

import inspect
import re
import subprocess
import sys
from pathlib import Path
from typing import get_type_hints

import pytest

import simcore
from simcore.control import Conformance, Violation

ROOT = Path(__file__).parents[1]
GOOD = """
from simcore import Model, Operation, ProcessGenerator, Result, State, Verdict, always, explore, sleep
from simcore.model.objects import Lock, Queue, ThreadPool
from simcore.properties import completes


def move(lock: Lock, source: Queue, target: Queue) -> ProcessGenerator:
    operation: Operation = lock.acquire()
    yield operation
    yield target.put((yield source.get(timeout=1.0)))
    yield from nap(2)
    yield lock.release()


def nap(times: int) -> ProcessGenerator:
    for _ in range(times):
        yield sleep(1.0)
    return times


def build(*, workers: int = 1) -> Model:
    model = Model("typed")
    lock, source, target = model.lock("lock"), model.queue("source"), model.queue("target", capacity=1)
    pool: ThreadPool = model.thread_pool("pool", workers)

    def main() -> ProcessGenerator:
        yield source.put(1)
        future = yield pool.submit(move, lock, source, target)
        yield future.result()

    for name in model.indices("main", 1):
        model.process(name, main)
    return model


def few(state: State) -> bool:
    return len(state["target"]) < 2


result: Result = explore(build(), always(few, "few"), completes("main"), timeouts="anytime")
assert result.verdict is Verdict.HOLDS
"""
BAD = {
    "from simcore import Nonsense": "attr-defined",
    "import simcore; simcore.nonsense": "attr-defined",
    "from simcore import Model; Model('m').lock('a').aquire()": "attr-defined",
    "from simcore import Model, explore; explore(Model('m'), strategy='wide')": "arg-type",
    "from simcore import Model, always, explore; explore(Model('m'), always)": "arg-type",
    "from simcore import Model, explore; explore(Model('m'), depth=3)": "call-arg",
    "from simcore import Model; Model('m').process('p', print)": "arg-type",
}


@pytest.mark.slow
def test_what_users_write_is_typed(tmp_path):
    (tmp_path / "simcore").mkdir()
    for path in [*(ROOT / "simcore").iterdir(), ROOT / "models", ROOT / "properties"]:  # as they are once installed
        (tmp_path / "simcore" / path.name).symlink_to(path)
    (tmp_path / "good.py").write_text(GOOD)
    (tmp_path / "bad.py").write_text("\n".join(BAD))
    options = ["--config-file", ROOT / "pyproject.toml", "--cache-dir", ROOT / ".mypy_cache"]
    command = [sys.executable, "-m", "mypy", *options, "--show-error-codes", "good.py", "bad.py"]
    ran = subprocess.run(command, cwd=tmp_path, text=True, capture_output=True, check=False)
    found = re.findall(r"^(\w+)\.py:(\d+): error: .*\[([\w-]+)\]$", ran.stdout, re.MULTILINE)
    assert found == [("bad", str(line), code) for line, code in enumerate(BAD.values(), 1)], ran.stdout + ran.stderr


def test_what_users_write_runs():
    exec(compile(GOOD, "good.py", "exec"), {"__name__": "good"})


def test_annotations_of_what_is_public_can_be_read():
    """Whoever documents classes, or makes forms of them, reads them while the program runs."""
    names = [getattr(simcore, name) for name in simcore.__all__]
    public = [thing for thing in names if inspect.isclass(thing) or inspect.isfunction(thing)]
    assert len(public) > 30
    for thing in (*public, Violation, Conformance):
        get_type_hints(thing)
