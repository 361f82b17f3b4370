"""An interpreter on which program points cannot be read gives no answer: each door says so in one line."""

import pytest

from simcore import Model, SimcoreError, explore
from simcore.command.cli import main
from simcore.kernel import generators, selftest


@pytest.fixture
def unreadable(monkeypatch):
    """Hide the evaluation stack, as an interpreter might that keeps it elsewhere."""

    def hidden(generator):
        row, handled, written = generators.held(generator)
        return row[: generator.gi_code.co_nlocals], handled, written

    monkeypatch.setattr("simcore.kernel.freeze.held", hidden)
    selftest.try_interpreter.cache_clear()
    yield
    selftest.try_interpreter.cache_clear()


def model():
    built = Model("m")
    lock = built.lock("lock")

    def process():
        for _ in [0, 0]:
            yield lock.acquire()
            yield lock.release()

    built.process("p", process)
    return built


@pytest.mark.usefixtures("unreadable")
def test_explore_raises():
    with pytest.raises(SimcoreError, match=r"^simcore cannot read suspended generators on Python .*; use CPython"):
        explore(model())


@pytest.mark.usefixtures("unreadable")
def test_the_command_line_says_so_in_one_line_and_leaves_with_2(capsys):
    with pytest.raises(SystemExit) as left:
        main(["explore", "simcore.models.rxtask_self_deadlock:buggy"])
    told = capsys.readouterr()
    assert left.value.code == 2
    assert told.out == ""
    assert told.err.startswith("simcore: simcore cannot read suspended generators on Python ")
    assert told.err.count("\n") == 1


def test_an_interpreter_that_can_be_read_is_asked_nothing():
    assert explore(model()).states == 5
