"""However a process ends, it ends in the model: no exception of its own leaves a driver or is a command's status."""

import sys

import pytest

from simcore import Model, Verdict, execute, explore, simulate
from simcore.command.cli import main


def ending(*, raised: str, in_a_task: bool = False) -> Model:
    """Build a process, or a task that somebody waits for, that raises an exception which is no `Exception`, too."""
    kind = {"SystemExit": SystemExit, "GeneratorExit": GeneratorExit, "BaseException": BaseException}[raised]
    model = Model("ending")
    lock = model.lock("lock")
    pool = model.thread_pool("pool", 1)

    def body():
        yield lock.acquire()
        yield lock.release()
        raise kind(0)

    def waits():
        future = yield pool.submit(body)
        yield future.result()

    model.process("user", waits if in_a_task else body)
    return model


@pytest.mark.parametrize("in_a_task", [False, True])
@pytest.mark.parametrize("raised", ["GeneratorExit", "BaseException"])
def test_a_process_that_raises_anything_has_failed(raised, in_a_task):
    model = ending(raised=raised, in_a_task=in_a_task)
    result = explore(model)
    assert (result.verdict, result.property) == (Verdict.VIOLATED, "no process fails")
    assert raised in result.counterexample.failure
    assert (simulate(model).status, execute(model).status) == ("failed", "failed")


@pytest.mark.parametrize("in_a_task", [False, True])
def test_a_thread_that_exits_ends_and_nobody_hears_of_it(in_a_task):
    model = ending(raised="SystemExit", in_a_task=in_a_task)
    assert explore(model).verdict is Verdict.HOLDS
    assert (simulate(model).status, execute(model).status) == ("completed", "completed")


def test_an_exit_in_a_process_is_no_exit_of_the_command(monkeypatch, capsys):
    monkeypatch.setattr(sys, "path", [*sys.path])
    for raised, status in (("SystemExit", 0), ("BaseException", 1)):
        with pytest.raises(SystemExit) as left:
            main(["explore", f"{__name__}:ending", "-p", f"raised={raised}"])
        assert left.value.code == status
    assert "violated" in capsys.readouterr().out
