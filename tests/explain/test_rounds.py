"""Of a run that goes round for ever it is told what is repeated, and who is left out of it and why."""

from __future__ import annotations

from simcore import Model, eventually, explore
from simcore.report.page import film_of


def everybody():
    return eventually(lambda state: all(process.status == "done" for process in state.processes), "everybody ends")


def polite() -> Model:
    """Two who give way to each other."""
    model = Model("polite")
    a, b = model.lock("a"), model.lock("b")

    def take(first, second):
        while True:
            yield first.acquire()
            if (yield second.acquire(False)):
                break
            yield first.release()

    model.process("left", take, a, b)
    model.process("right", take, b, a)
    return model


def greedy(*, keeps: bool = False) -> Model:
    """One who takes a lock again and again, and does not give it back before he asks, if he ``keeps`` it."""
    model = Model("greedy")
    lock, got = model.lock("lock"), model.variable("got", False)

    def take():
        if keeps:
            yield lock.acquire()
        while not (yield got.get()):
            if not keeps:
                yield lock.acquire()
                yield lock.release()

    def meek():
        yield lock.acquire()
        yield got.set(True)

    model.process("greedy", take)
    model.process("meek", meek)
    return model


def test_what_is_repeated_is_the_first_that_is_told():
    found = explore(polite(), everybody()).counterexample
    steps = len(found.lasso.steps)
    run = f"left, right repeat the same {steps} steps for ever"
    assert found.answer == f"'everybody ends' does not hold in a run in which {run}"
    assert found.why == []  # nobody is left out


def test_who_could_go_on_at_times_is_told_with_how_often():
    found = explore(greedy(), everybody()).counterexample
    assert found.answer.endswith("in which greedy repeats the same 3 steps for ever")
    head, line = found.why
    assert head == "left out for ever:"
    assert line.startswith("  meek waits for lock: it could go on in 2 of the 3 states of that round, ")


def test_who_never_could_is_told_for_what_it_waits_and_who_has_it():
    found = explore(greedy(keeps=True), everybody()).counterexample
    assert found.answer.endswith("in which greedy repeats the same step for ever")
    assert "  meek waits for lock, held by greedy, which goes on and never releases it" in found.why


def test_a_run_that_stops_is_told_by_who_can_never_move():
    model = Model("stops")
    never = model.event("never")

    def wait():
        yield never.wait()

    model.process("waits", wait)
    found = explore(model, everybody()).counterexample
    assert found.answer == "'everybody ends' does not hold in a run in which 1 of 1 process can never move again"


def test_the_page_says_the_same_as_the_report():
    result = explore(greedy(), everybody())
    film = film_of(result)
    assert film.answer == result.answer
    assert list(film.why) == result.counterexample.why
