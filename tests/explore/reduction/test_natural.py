"""A run is called natural only where exchanging names before it and after it gives the same, for all permutations."""

# ruff: noqa: B905, RUF015 - what nobody should write is what is tried here

import pytest
from names_exchanged import (
    AB,
    ABC,
    MODEL,
    VARIABLE,
    A,
    B,
    C,
    D,
    is_natural,
    updates_naturally,
)

from simcore import Model
from simcore.explore.reduction.exchanges import Checked
from simcore.explore.reduction.names import Names
from simcore.explore.reduction.natural import Natural
from simcore.explore.reduction.written import written
from simcore.kernel import Applied, Kernel
from simcore.model.operations import Outcome

# ---- what is natural -----------------------------------------------------------------------------------------


def step(value, me, puts, capacity=3):
    """A put into a bounded buffer, or a get, which wakes any one of those that wait."""
    buffer, waiting = value
    if me in waiting:
        return ()
    new = None
    if puts and len(buffer) < capacity:
        new = (*buffer, me)
    if not puts and buffer:
        new = buffer[1:]
    if new is None:
        return (((buffer, waiting | {me}), None),)
    if not waiting:
        return (((new, waiting), None),)
    return tuple(((new, waiting - {one}), None) for one in waiting)


@pytest.mark.parametrize("puts", [True, False])
@pytest.mark.parametrize("buffer", [(), (B,), (B, B, C)])
@pytest.mark.parametrize("waiting", [frozenset(), frozenset({A}), frozenset({B, C}), ABC, frozenset({D, B, C})])
def test_a_step_of_a_bounded_buffer_is_natural(buffer, waiting, puts):
    assert is_natural(step, (buffer, waiting), A, puts)


def fewer_left(value, name):
    left, done = value
    for other in (name, *done):
        if other == name and left > 0:
            left -= 1
    return left, done | {name}


def twice(value, me):
    return helped(helped(value, me), me)


def helped(value, me, most=2):
    count, *rest = value
    while count > most:
        count -= 1
    return (count + 1 if me in rest else min(count, most), *rest)


def waiting_for(value, me):
    """Say whether nobody who came before waits still."""
    state, queue = value
    return state == "open" and queue.index(me) == 0


NATURAL_UPDATES = [
    (lambda value: value + 1, 3),
    (lambda value, more: (value + more) % 7 // 2 - -more, 3, 2),
    (lambda value, me: value | {me}, AB, C),
    (lambda value, me: value.difference((me,)).union([me], {me}) ^ {me}, AB, A),
    (lambda value, me: (*value, me), (A, B), A),
    (lambda value: value[1:] + value[:1], (A, B, C)),
    (lambda value, me: tuple(one for one in value if one != me), (A, B, C), B),
    (lambda value, me: tuple([(one, place) for place, one in enumerate(value)]), (A, B, C), B),
    (lambda value, me: frozenset(one for one in value if one != me), ABC, B),
    (lambda value, me: frozenset({(one, me) for one in value}), ABC, B),
    (lambda value, me: len([one for one in value if one != me]), ABC, B),
    (lambda value, me: sum(one != me for one in value), ABC, B),
    (lambda value, me: max(len(value - {one}) for one in value), ABC, B),
    (lambda value, me: any(one == me for one in value) and all(one in value for one in (me, me)), ABC, B),
    (lambda value, me: me if value is None else value, None, B),
    (lambda value, me: "mine" if value == "free" else value, "free", B),
    (lambda value, me: ("taken", me) if value[0] in ("free", "open") else value, ("free", A), B),
    (lambda value, me: tuple((one, one == me) for one, _ in zip(value, range(9))), (A, B), B),
    (lambda value: [*value][0], frozenset({A})),
    (lambda value: next_to_none(value), frozenset({A})),
    (fewer_left, (2, frozenset({B})), A),
    (twice, (4, A, B), A),
]


def next_to_none(value):
    (one,) = value
    return one


@pytest.mark.parametrize("case", NATURAL_UPDATES, ids=range(len(NATURAL_UPDATES)))
def test_what_asks_names_for_equality_alone_is_natural(case):
    assert updates_naturally(*case)


def meets_a_number_first(value, me):
    return value | {me} if any(one == 1 or (0,).index(0, one) == 0 for one in (1, me)) else value


def leaves_a_long_walk(value, me):
    for _ in enumerate(range(10**12)):
        return value | {me}
    return value


def asks_one_of_many(value, me):
    return value | {me} if any(range(1, 10**12)) else value


@pytest.mark.parametrize("fn", [meets_a_number_first, leaves_a_long_walk, asks_one_of_many])
def test_what_python_does_not_come_to_gives_the_run_up_where_it_raises_or_takes_long(fn):
    assert not updates_naturally(fn, AB, C)


def test_a_predicate_may_be_natural():
    assert is_natural(waiting_for, ("open", (A, B)), A, by="wait_for")
    assert is_natural(waiting_for, ("shut", (A, B)), A, by="wait_for")
    assert not is_natural(lambda value, me: value[0] and str(me) == "name[0]", ("open", (A, B)), A, by="wait_for")


# ---- what cannot be read, or is no value of which something is known ----------------------------------------


def nothing_offered(value):
    return ((value, None),)
    yield


def offers(value):
    yield (value, None)


def test_what_is_no_function_with_a_source_is_not_read():
    scope = {}
    exec("def added(value):\n    return value + 1", scope)  # no file has it
    assert written(scope["added"]) is None
    assert not updates_naturally(scope["added"], 3)
    assert not is_natural(offers, ())
    assert not is_natural(nothing_offered, ())
    assert written(nothing_offered) is None
    one, other = (lambda value: value + 1), (lambda value: value + 2)  # on one line
    assert written(one) is written(other) is None


def test_a_source_that_has_changed_is_not_believed(tmp_path):
    """What runs is what was imported, whatever the file says by now."""
    file, scope = tmp_path / "changing.py", {}
    file.write_text("def chosen(value, me):\n    return str(me)\n")
    exec(compile(file.read_text(), str(file), "exec"), scope)
    file.write_text("def chosen(value, me):\n    return me\n")
    assert not updates_naturally(scope["chosen"], (), A)
    exec(compile(file.read_text(), str(file), "exec"), scope)
    assert updates_naturally(scope["chosen"], (), A)


@pytest.mark.parametrize(
    "value", [1.5, "name[0]", "future#0", VARIABLE, MODEL.processes[0], ABC | {"other[1]"}], ids=range(6)
)
def test_of_other_values_nothing_is_known(value):
    assert not updates_naturally(lambda value, me: me, value, A)
    assert not updates_naturally(lambda value, other: None, None, value)


def test_a_name_that_is_not_of_the_model_is_not_one():
    stranger = type(A)("name", 0)
    assert not updates_naturally(lambda value, me: value == me, stranger, A)


def test_a_function_that_is_moved_to_another_is_not_natural():
    """Each process has one of its own, with the same code; what differs is not used in the run."""
    model = Model("one of its own")
    names, variable = model.indices("name", 3), model.variable("variable", 0)

    def counting(mine):
        def count(value):
            return value + 1 if value < 5 else mine

        return count

    counts = {name: counting(name) for name in names}

    def work(name):
        yield variable.update(counts[name])

    for name in names:
        model.process(name, work, name)
    kernel = Kernel(model)
    checked = Checked(kernel, Names(kernel, ["name"], futures=False))
    for name, fn in counts.items():
        operation = variable.update(fn)
        applied = Applied(model.processes[0], operation, kernel.intern_value(0), (Outcome(1, 1),))
        assert not Natural(checked.renaming, [{0: 1, 1: 0}, {1: 2, 2: 1}])(applied), name


def test_a_run_that_is_long_is_given_up():
    def long(value):
        while value < 10_000:
            value += 1
        return value

    assert updates_naturally(long, 9_990)
    assert not updates_naturally(long, 0)
