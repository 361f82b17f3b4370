"""A run is called natural only where exchanging names before it and after it gives the same, for all permutations."""

# ruff: noqa: B905, C416, RET503, RUF015, SIM113, UP031 - what nobody should write is what is tried here

import itertools
import sys
from collections import Counter
from random import Random

import functions_at_random
import pytest

from simcore import Model
from simcore.errors import ModelError
from simcore.explore.reduction.exchanges import Checked
from simcore.explore.reduction.names import Names
from simcore.explore.reduction.natural import Natural
from simcore.explore.reduction.written import written
from simcore.kernel import Applied, Kernel
from simcore.kernel.freeze import value_key
from simcore.model.operations import Outcome


def world():
    """Return a model with two families, and a variable."""
    model = Model("world")
    names, others = model.indices("name", 4), model.indices("other", 2)
    variable = model.variable("variable")

    def wait():
        yield variable.wait_for(bool)

    for name in (*names, *others):
        model.process(name, wait)
    model.thread_pool("pool", 2)
    return model, variable, names, others


MODEL, VARIABLE, NAMES, OTHERS = world()
A, B, C, D = NAMES
AB, ABC = frozenset({A, B}), frozenset({A, B, C})
KERNEL = Kernel(MODEL)
RENAMING = Checked(KERNEL, Names(KERNEL, ["name", "other"], futures=True)).renaming
NATURAL = Natural(RENAMING, [{0: 1, 1: 0}, {1: 2, 2: 1}, {2: 3, 3: 2}, {4: 5, 5: 4}])


def is_natural(fn, value, *args, by="transition"):
    operation = getattr(VARIABLE, by)(fn, *args)
    process = MODEL.processes[0]
    outcomes = VARIABLE.outcomes(value, operation, process)
    return NATURAL(Applied(process, operation, KERNEL.intern_value(value), outcomes))


def updates_naturally(fn, value, *args):
    return is_natural(fn, value, *args, by="update")


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


@pytest.mark.parametrize("case", NATURAL_UPDATES, ids=str)
def test_what_asks_names_for_equality_alone_is_natural(case):
    assert updates_naturally(*case)


def test_a_predicate_may_be_natural():
    assert is_natural(waiting_for, ("open", (A, B)), A, by="wait_for")
    assert is_natural(waiting_for, ("shut", (A, B)), A, by="wait_for")
    assert not is_natural(lambda value, me: value[0] and str(me) == "name[0]", ("open", (A, B)), A, by="wait_for")


@pytest.mark.parametrize("value", [AB, (A, "open", 1), None])
def test_to_read_and_to_replace_a_value_is_natural(value):
    process, number = MODEL.processes[0], KERNEL.intern_value(value)
    for operation in (VARIABLE.get(), VARIABLE.set((value, 3))):
        assert NATURAL(Applied(process, operation, number, VARIABLE.outcomes(value, operation, process)))


# ---- what is not ---------------------------------------------------------------------------------------------

FIRST = A
LEADERS = (A, B)
RANKS = {A: 1, B: 2, C: 3, D: 4}
TEXT = "name[1]"


def first_walked(value):
    for one in value:
        return one


def last_walked(value):
    last = None
    for one in value:
        last = one
    return last


def unpacked(value):
    first, _ = value
    return first


def starred(value):
    first, *_ = value
    return first


def popped(value):
    left = set(value)
    left.pop()
    return frozenset(left)


def by_default(value, me, leader=A):
    return value | {me} if me == leader else value


def by_named_default(value, me, *, leader=A):
    return value | {me} if me == leader else value


def in_a_closure(leader):
    def asked(value, me):
        return value | {me} if me == leader else value

    return asked


def caught(value, me):
    try:
        return value + (me < me)
    except ModelError:
        return me.position


def kept_generator(value):
    walk = (one for one in value)
    return next(walk)


def nested(value):
    def first():
        return next(iter(value))

    return first()


def walrus(value):
    some = [last := one for one in value]
    return (last, len(some))


def remembered(value):
    count, found = 0, ()
    for one in value:
        count += 1
        found += ((one, count),)
    return frozenset(found)


def in_order_of_a_dict(value):
    return tuple(dict.fromkeys(value))


def written_global(value, me):
    global FIRST
    FIRST = A
    return me == FIRST


def by_a_helper(value, me):
    return leader_among(value, me)


def leader_among(value, me):
    return me in LEADERS


def one_or_true(value, me):
    return frozenset(1 if one == me else True for one in value)


def stops_early(value, me):
    return any(one == me or 1 // (len(value) - 2) for one in value)


def walked_twice(value):
    walk = enumerate(value)
    return frozenset(walk)


UNNATURAL_UPDATES = [
    (lambda value: min(value, key=str), ABC),
    (lambda value: min(value, key=hash), ABC),
    (lambda value: max(value, key=lambda one: one.position), ABC),
    (lambda value: next(iter(value)), ABC),
    (lambda value: [*value][0], ABC),
    (lambda value: (*value,)[-1], ABC),
    (lambda value: tuple(value), ABC),
    (lambda value: tuple(one for one in value)[:1], ABC),
    (lambda value: tuple([one for one in value][1:]), ABC),
    (lambda value: tuple({*value, A}), ABC),
    (lambda value: tuple(value | frozenset()), ABC),
    (lambda value, given: tuple(value) == given, AB, (A, B)),
    (lambda value, given: given == [*value], AB, (A, B)),
    (lambda value: [(one,) for one in value] + [] < [], ()),
    (lambda value: tuple(sorted(value, key=hash)), ABC),
    (lambda value: tuple(zip(value, range(9))), ABC),
    (lambda value: frozenset(zip(value, range(9))), ABC),
    (lambda value: frozenset(enumerate(value)), ABC),
    (lambda value: tuple(reversed([*value])), ABC),
    (lambda value: dict.fromkeys(value).popitem()[0], ABC),
    (lambda value: "".join(map(str, value)), ABC),
    (lambda value, me: str(me), (), A),
    (lambda value, me: f"{me}", (), A),
    (lambda value, me: f"{me!r:>9}", (), A),
    (lambda value, me: "%s" % (me,), (), A),
    (lambda value, me: "name" + "[" + "1]", (), A),
    (lambda value, me: "na" + value, "me", A),
    (lambda value, me: value + "[1]", "name", A),
    (lambda value, me: "name" in value, "a name", A),
    (lambda value, me: value[0], "text", A),
    (lambda value, me: "name[1]", (), A),
    (lambda value, me: TEXT, (), A),
    (lambda value, me: me.position, (), A),
    (lambda value, me: me.family, (), A),
    (lambda value, me: hash(me) % 2, (), A),
    (lambda value, me: id(me) > 0, (), A),
    (lambda value, me: repr(me), (), A),
    (lambda value, me: isinstance(me, tuple), (), A),
    (lambda value, me: type(me) is int, (), A),
    (lambda value, me: me is FIRST, (), A),
    (lambda value, me: me is value, A, A),
    (lambda value, me: me == FIRST, (), A),
    (lambda value, me: me in LEADERS, (), A),
    (lambda value, me: RANKS[me], (), A),
    (lambda value, me: hasattr(me, "position"), (), A),
    (lambda value, me: getattr(me, "position", 0), (), A),
    (lambda value, me: sum(RANKS[one] for one in value), ABC, A),
    (lambda value, me: sum(2**place for place, one in enumerate(value) if one == me), ABC, A),
    (lambda value, me: [one for one in value].index(me), ABC, A),
    (lambda value, me: (value or me) == tuple(ABC), (), A),
    (lambda value, *, leader=A: leader, ()),
    (lambda *value: len(value), ()),
    (lambda value, me: sys.intern("name[0]"), (), A),
    (lambda value, me: 0.5, (), A),
    (first_walked, ABC),
    (last_walked, ABC),
    (unpacked, AB),
    (starred, ABC),
    (popped, ABC),
    (by_default, AB, A),
    (by_named_default, AB, A),
    (in_a_closure(A), AB, B),
    (in_a_closure(frozenset({A})), AB, B),
    (in_a_closure("name[0]"), AB, B),
    (caught, 0, A),
    (kept_generator, ABC),
    (nested, ABC),
    (walrus, ABC),
    (remembered, ABC),
    (in_order_of_a_dict, ABC),
    (written_global, (), A),
    (by_a_helper, (), A),
    (one_or_true, ABC, A),
    (stops_early, AB, next(iter(AB))),
    (walked_twice, ABC),
    (frozenset.union, AB, AB),
]


@pytest.mark.parametrize("case", UNNATURAL_UPDATES, ids=str)
def test_what_may_tell_names_apart_is_not_called_natural(case):
    assert not updates_naturally(*case)


UNNATURAL_TRANSITIONS = [
    (lambda value: tuple((one, None) for one in value)[:2], ABC),
    (lambda value: [(one, None) for one in value][::-1], ABC),
    (lambda value: ((tuple(one for one in value), None),), ABC),
    (lambda value: [(([*value][0]), one) for one in value], ABC),
    (lambda value: ((last := one, last) for one in value), ABC),
    (lambda value: ((place, one) for place, one in enumerate(value)), ABC),
    (lambda value: [(value, [(one, 1) for one in value] == [(A, 1), (B, 1), (C, 1)])], ABC),
    (lambda value: [(one, one) for one in value if one.position], ABC),
]


@pytest.mark.parametrize("case", UNNATURAL_TRANSITIONS, ids=str)
def test_outcomes_have_no_order_but_what_is_picked_from_them_has(case):
    assert not is_natural(*case)


def offers(value):
    yield (value, None)


def test_what_is_no_function_with_a_source_is_not_read():
    scope = {}
    exec("def added(value):\n    return value + 1", scope)  # no file has it
    assert written(scope["added"]) is None
    assert not updates_naturally(scope["added"], 3)
    assert not is_natural(offers, ())
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
    "value", [1.5, "name[0]", "future#0", VARIABLE, MODEL.processes[0], ABC | {"other[1]"}], ids=str
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


# ---- all that is called natural, by brute force --------------------------------------------------------------


def permutations():
    for order in itertools.permutations(range(4)):
        for swap in ((4, 5), (5, 4)):
            yield {name: to for name, to in enumerate((*order, *swap)) if name != to}


def outcomes_of(by, fn, value, *args):
    """Return what there is how often; or, of what raises, that it does."""
    operation = getattr(VARIABLE, by)(fn, *args)
    try:
        return VARIABLE.outcomes(value, operation, MODEL.processes[0])
    except ModelError:
        return None


def counted(outcomes):
    return outcomes and Counter(value_key((outcome.value, outcome.result)) for outcome in outcomes)


def moves_with_names(by, fn, given):
    """Tell whether a function does the same at all that ``given`` can be moved to, but for the names."""
    outcomes = outcomes_of(by, fn, *given)
    return all(
        counted(RENAMING.renamed(outcomes, moves)) == counted(outcomes_of(by, fn, *RENAMING.renamed(given, moves)))
        for moves in permutations()
    )


GIVEN = [
    ((frozenset(), 0), A, B),
    ((ABC, 1), A, B),
    ((frozenset({B, C, D}), 2), B, B),
    ((frozenset({A, D}), 1), C, D),
    ((frozenset({C}), 1), C, D),
]


def helper(value, me):
    return len([one for one in value if one != me])


def judged(seeds, by, bodies):
    """Return how many functions at random are natural, and are not and tell names apart; check the first."""
    natural = apart = 0
    for seed in seeds:
        source = functions_at_random.source_of(Random(seed), bodies)
        fn = functions_at_random.made(source, seed, {"LEADER": A, "LEADERS": {A: 0, C: 1}, "helper": helper})
        for given in GIVEN:
            if fn is None or outcomes_of(by, fn, *given) is None:
                continue
            if is_natural(fn, *given, by=by):
                natural += 1
                assert moves_with_names(by, fn, given), f"{source}\n{given}"
            elif seed % 10 == 0:
                apart += not moves_with_names(by, fn, given)
    return natural, apart


@pytest.mark.filterwarnings("ignore::SyntaxWarning", "ignore::DeprecationWarning")
@pytest.mark.parametrize(
    ("by", "bodies"), [("update", functions_at_random.BODIES), ("transition", functions_at_random.STEPS)]
)
def test_what_is_called_natural_is_the_same_with_all_names_exchanged(by, bodies):
    natural, apart = judged(range(400), by, bodies)
    assert natural > 100, "so few are natural that nothing is tested"
    assert apart > 10, "so few tell names apart that nothing is tested"


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::SyntaxWarning", "ignore::DeprecationWarning")
@pytest.mark.parametrize(
    ("by", "bodies"), [("update", functions_at_random.BODIES), ("transition", functions_at_random.STEPS)]
)
def test_so_it_is_of_many(by, bodies):
    natural, apart = judged(range(1_000, 12_000), by, bodies)
    assert natural > 3_000
    assert apart > 300
