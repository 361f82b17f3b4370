"""Every trap is one, and is seen through; an interpreter on which one is not is not used."""

import contextlib
import sys

from points import STEP, differ_later, raises, reach

from simcore.errors import InternalError, SimcoreError
from simcore.kernel import freeze as freezing
from simcore.kernel import generators, selftest
from simcore.kernel.freeze import freeze
from simcore.kernel.process import Points
from simcore.kernel.traps import EXPRESSIONS, ITERATORS, LOOPS, walk
from simcore.kernel.traps_in_blocks import BLOCKS
from simcore.kernel.traps_in_statements import STATEMENTS

TRAPS = EXPRESSIONS | STATEMENTS | BLOCKS


def stepping(trap):
    """Return a process that takes a step wherever the trap stops, and does with it what the trap does."""

    def process():
        running, given = trap(), None
        try:
            while True:
                running.send(given)
                given = yield STEP
        except StopIteration as stop:
            return str(stop.value)
        finally:
            selftest.close(running)

    return process


def end(trap, given):
    """Return how a trap ends, and after how many stops: it is given 1 at each but the first."""
    running, stops = trap(), 0
    next(running)
    try:
        running.send(given)
        while True:
            stops += 1
            running.send(1)
    except StopIteration as stop:
        return stops, repr(stop.value)
    except Exception as error:
        return stops, repr(error), repr(getattr(error, "exceptions", None)), repr(error.__cause__)


def test_a_trap_stops_again_and_ends_in_two_ways():
    for name, trap in TRAPS.items():
        ends = [end(trap, given) for given in (0, 1)]
        assert all(stops > 0 for stops, *_ in ends), name
        assert ends[0] != ends[1], name


def test_a_trap_is_two_points():
    for name, trap in TRAPS.items():
        if name == "a global":  # which is found out: `test_nondeterminism.py`
            continue
        points = Points()
        assert reach(points, stepping(trap), 0) is not reach(points, stepping(trap), 1), name
        assert reach(points, stepping(trap), 0) is reach(points, stepping(trap), 0), name


def test_a_loop_of_the_traps_stops_three_times():
    for name, make in (LOOPS | ITERATORS).items():
        assert len(list(walk(make))) == 3, name


def test_this_interpreter_sees_through_all_of_them():
    assert list(selftest.failures()) == []


# ---- an interpreter that cannot be read ----------------------------------------------------------------


@contextlib.contextmanager
def replaced(module, name, by):
    """Do what pytest's monkeypatch does, and try the interpreter anew."""
    kept = getattr(module, name)
    setattr(module, name, by)
    selftest.try_interpreter.cache_clear()
    try:
        yield
    finally:
        setattr(module, name, kept)
        selftest.try_interpreter.cache_clear()


def locals_alone(generator):
    """Read a generator with its stack hidden."""
    row, handled, written = generators.held(generator)
    return row[: generator.gi_code.co_nlocals], handled, written


def collector_alone(generator):
    """Read a generator as the collector shows it, as it was done before 3.15."""
    row, handled, written = generators.held(generator)
    return [part for part in row if not isinstance(part, generators.Word)], handled, written


def test_an_interpreter_that_hides_the_stack_is_refused():
    with (
        replaced(freezing, "held", locals_alone),
        raises(SimcoreError, "simcore cannot read suspended generators on Python", "loop", "use CPython 3.11 to 3.15"),
    ):
        Points()
    assert Points().learned == []


def test_from_3_15_on_the_collector_does_not_show_enough():
    with replaced(freezing, "held", collector_alone):
        failed = list(selftest.failures())
    assert any("loop" in what for what in failed) == (sys.version_info >= (3, 15)), failed


def test_an_interpreter_that_notes_the_end_of_the_stack_elsewhere_is_refused():
    for wrong in (not generators._NOTED_AS_ADDRESS,):
        with replaced(generators, "_NOTED_AS_ADDRESS", wrong), raises(SimcoreError, "cannot read suspended"):
            Points()


def test_an_interpreter_whose_row_begins_elsewhere_is_refused():
    for wrong in (generators._HEAD - generators._WORD, generators._HEAD + generators._WORD):
        with replaced(generators, "_HEAD", wrong), raises(SimcoreError, "use CPython"):
            Points()


def test_one_word_less_or_more_is_found_out_by_the_collector():
    right = generators.words

    def holding():
        items = []
        yield items

    generator = holding()
    items = next(generator)
    assert freeze(generator)
    for wrong in (lambda read: read[:-1], lambda read: [*read, id(items)], lambda read: [id(generator)]):
        with (
            replaced(generators, "words", lambda of, wrong=wrong: wrong(right(of))),
            raises(InternalError, "cannot be read"),
        ):
            freeze(generator)


def test_another_implementation_is_refused_unseen():
    implementation = type(sys.implementation)(**{**vars(sys.implementation), "name": "pypy"})
    with replaced(sys, "implementation", implementation), raises(SimcoreError, "pypy is not CPython", "use CPython"):
        Points()


def test_an_interpreter_is_tried_once():
    tried = []

    def failures():
        tried.append(1)
        return iter(())

    with replaced(selftest, "failures", failures):
        Points()
        Points()
    assert tried == [1]


# ---- what is read ---------------------------------------------------------------------------------------


def test_variables_are_read_as_the_frame_gives_them():
    def outer(argument, other, *rest, cell=5, **more):
        seen = unbound = 0
        del unbound

        def inner():
            return cell, later, argument, outer

        for item in [0]:
            yield inner, seen, rest, more, item
        later = unbound = 1
        yield later, unbound

    for generator in (outer(1, 2, 3, d=4), inner_of_a_class()):
        for _ in generator:
            assert generators.variables(generator) == dict(generator.gi_frame.f_locals)


def inner_of_a_class():
    """Return a generator with free variables of which one is unbound."""

    def make():
        free = 1

        def generator(own):
            yield free
            yield own, late

        yielded = generator(2)
        next(yielded)
        late = 3
        return yielded

    return make()


def test_a_generator_that_runs_cannot_be_frozen():
    def running():
        with raises(freezing.Unfreezable):
            freeze(itself[0])
        yield STEP

    itself = [running()]
    next(itself[0])


def test_one_that_was_not_started_and_one_that_has_ended_can():
    def process(given):
        yield given

    assert freeze(process(1)) == freeze(process(1)) != freeze(process(2))
    ended = process(1)
    list(ended)
    assert freeze(ended) == ("finished",)


def test_a_process_is_not_changed_by_being_looked_at():
    """Up to 3.12 to ask a frame for its variables renews what ``locals()`` gave."""

    def process():
        given = 1
        seen = locals()
        yield STEP
        given += 1
        yield STEP
        return seen["given"], given

    assert reach(Points(), process, None, None).outcome == (1, 2)


def test_what_a_frame_was_given_is_part_of_a_point():
    def process():
        sys._getframe().f_locals["hidden"] = yield STEP
        yield STEP
        return sys._getframe().f_locals["hidden"]

    differ_later(process, [1], [2], None)


def newer(text, *names):
    """Return what code that older interpreters cannot read defines."""
    scope = {"STEP": STEP}
    exec(text, scope)
    return [scope[name] for name in names]


if sys.version_info >= (3, 14):

    def test_the_first_half_of_a_template_is_part_of_a_point():
        (process,) = newer("def process(): return repr(t'{(yield STEP)}{(yield STEP)}')", "process")
        differ_later(process, [1], [2], None)


if sys.version_info >= (3, 15):

    def test_the_position_of_an_unpacking_generator_expression_is_part_of_a_point():
        (make,) = newer("def make(): return (*items for items in [[0, 0], [0]])", "make")
        generator = walk(make)
        assert len({freeze(generator) for _ in generator}) == 3

    def test_a_lazy_import_is_the_same_point_before_and_after_it_was_used():
        text = "lazy from colorsys import ONE_THIRD\ndef process():\n yield STEP\n ONE_THIRD\n yield STEP"
        (process,) = newer(text, "process")
        points = Points()
        used = reach(points, process, None, None)
        assert used.status == "returned"
        assert reach(points, process, 1) is reach(points, process, None)
