"""However a process ends, it ends in the model: no exception of its own leaves a driver or is a command's status."""

import builtins
import signal
import sys

import pytest

from simcore import Model, ModelError, Verdict, execute, explore, simulate
from simcore.command.cli import main


def ending(*, raised: str, in_a_task: bool = False) -> Model:
    """Build a process, or a task that somebody waits for, that raises an exception which is no `Exception`, too."""
    kind = getattr(builtins, raised)
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


@pytest.mark.parametrize("in_a_task", [False, True])
def test_an_interrupt_that_a_process_raises_is_its_failure(in_a_task):
    result = explore(ending(raised="KeyboardInterrupt", in_a_task=in_a_task))
    assert (result.verdict, result.property) == (Verdict.VIOLATED, "no process fails")


def interrupt(*_):
    raise KeyboardInterrupt


def interrupt_later(*given):
    interrupt(*given)


@pytest.mark.parametrize("handler", [signal.default_int_handler, interrupt, interrupt_later])
def test_an_interrupt_of_the_user_leaves_explore(handler):
    model = Model("interrupted")
    lock = model.lock("lock")

    def process():
        signal.raise_signal(signal.SIGINT)
        for _ in range(1000):
            pass
        yield lock.acquire()

    model.process("process", process)
    before = signal.signal(signal.SIGINT, handler)
    try:
        with pytest.raises(KeyboardInterrupt):
            explore(model)
    finally:
        signal.signal(signal.SIGINT, before)


def nested(kind):
    def process(event):
        yield event.set()
        items = kind()
        for _ in range(5000):
            items = kind([items])
        yield event.set()

    return process


def recursive(event, depth=400):
    if depth:
        yield from recursive(event, depth - 1)
    else:
        yield event.set()


def deeper(event):
    yield event.set()
    chain = last = Link()
    for _ in range(2000):
        last.next = last = Link()
    yield event.set()
    return chain.next


class Link:
    """One of a chain."""


DEEP = {"lists": nested(list), "tuples": nested(tuple), "a chain": deeper, "generators": recursive}


@pytest.mark.parametrize("process", DEEP.values(), ids=DEEP)
def test_what_is_nested_too_deeply_to_be_compared_is_an_error_of_the_model_with_its_line(process):
    model = Model("deep")
    model.process("deep one", process, model.event("event"))
    with pytest.raises(ModelError, match=r"deep one \(.*test_ends.py:\d+\)+: what it holds, .* nested too deeply"):
        explore(model)
