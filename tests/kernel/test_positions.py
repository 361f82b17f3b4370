"""How far a loop has come is part of a program point, though no variable holds it."""

import collections
import gc
import itertools
import sys
import threading

from points import STEP, differ_later, loop_size, merged, raises, reach

from simcore.errors import ModelError
from simcore.kernel.freeze import freeze
from simcore.kernel.iterators import LAYOUTS, state
from simcore.kernel.process import Points
from simcore.kernel.traps import ITERATORS, LOOPS


def over(make):
    """Return a process that takes a step at each item, with nothing but the loop to tell where it is."""

    def process():
        for item in [make(), None][0]:
            del item
            yield STEP

    return process


def test_the_position_of_a_hidden_iterator_is_part_of_a_point():
    for name, make in (LOOPS | ITERATORS).items():
        points = Points()
        along = [reach(points, over(make), *[None] * n) for n in range(4)]
        assert len(set(along)) == 4, name
        assert [point.status for point in along] == ["ready", "ready", "ready", "returned"], name


def test_a_loop_over_a_loop_closes_whatever_it_walks():
    for name, make in (LOOPS | ITERATORS).items():

        def process(make=make):
            while True:
                yield from over(make)()

        assert loop_size(process) == 3, name


def test_a_position_is_the_same_when_the_code_has_run_hot():
    for name, make in (LOOPS | ITERATORS).items():
        process, points = over(make), Points()
        cold = reach(points, process, None)
        for _ in range(3000):
            collections.deque(process(), maxlen=0)
        again = Points()
        assert [point.key for point in reach(again, process, None).history()] == [p.key for p in cold.history()], name
        assert reach(again, process, None, None) is not reach(again, process, None), name


class Asked:
    """A class whose methods the interpreter binds until it has run the code a few times."""

    def __getattr__(self, name):
        raise AttributeError(name)

    def method(self, given):
        return given

    made = classmethod(method)
    plain = staticmethod(lambda given: given)


class AskedList(Asked, list):
    pass


def test_a_method_that_is_about_to_be_called_is_the_same_when_the_code_has_run_hot():
    def of(make):
        def methods():
            thing = make()
            yield thing.method((yield STEP)) or STEP
            yield thing.made((yield STEP)) or STEP
            yield thing.plain((yield STEP)) or STEP
            yield thing.__init__(*(yield STEP) or ()) or STEP
            yield (isinstance(thing, list) and thing.append((yield STEP))) or STEP

        return methods

    for make in (Asked, AskedList):
        process = of(make)
        cold = reach(Points(), process, *[None] * 9).history()
        for _ in range(3000):
            collections.deque(process(), maxlen=0)
        hot = reach(Points(), process, *[None] * 9).history()
        assert [point.key for point in cold] == [point.key for point in hot]


def test_methods_of_two_objects_that_are_about_to_be_called_differ():
    first, second = Asked(), Asked()

    def process():
        yield (first if (yield STEP) else second).method((yield STEP)) or STEP

    points = Points()
    assert reach(points, process, False) is not reach(points, process, True)
    assert reach(points, process, False, None) is reach(points, process, True, None)


def test_a_long_list_has_as_many_positions_as_items():
    for items in ([0] * 300, (0,) * 300, "0" * 300):
        generator = over(lambda items=items: items)()
        assert len({freeze(generator) for _ in generator}) == 300


def test_a_loop_may_be_left_and_another_one_begun():
    """Where the words of a loop were is something else then, or nothing."""

    def process():
        for _ in [0, 0]:
            yield STEP
        yield STEP
        for _ in [0, 0]:
            for _ in [0, 0]:
                yield STEP
            yield STEP
        yield STEP

    points = Points()
    assert len({reach(points, process, *[None] * n) for n in range(11)}) == 11


def test_what_is_left_in_a_hidden_iterator_is_part_of_a_point():
    def process():
        last = 0
        for item in [2, 1] if (yield STEP) else [2, 3]:
            last = item
            yield STEP
        return last

    assert differ_later(process, [True], [False], None, None) == [1, 3]


def test_which_list_a_hidden_iterator_walks_is_part_of_a_point():
    def process():
        a, b = [0], [0]
        for _ in a if (yield STEP) else b:
            yield STEP
            if len(a) == 1:
                a.append(0)
        return len(b)

    points = Points()
    walks_a = reach(points, process, True)
    walks_b = reach(points, process, False)
    assert walks_a is not walks_b
    assert points.advance(walks_a, None).status == "ready"
    assert points.advance(walks_b, None).status == "returned"


def test_which_dict_a_hidden_iterator_walks_is_part_of_a_point():
    def process():
        a, b = {0: 0}, {0: 0}
        for _ in a if (yield STEP) else b:
            yield STEP
            a[1] = 1  # whoever walks it gets RuntimeError

    points = Points()
    assert reach(points, process, True, None).status == "failed"
    assert reach(points, process, False, None).status == "returned"


def test_a_dict_that_changed_under_its_iterator_fails_the_process_as_it_would():
    def process():
        items = {0: 0}
        for _ in items:
            items[1] = 1
            yield STEP

    end = reach(Points(), process, None)
    assert str(end.outcome) == "RuntimeError: dictionary changed size during iteration"


def test_an_ordered_dict_that_changed_under_its_iterator_fails_the_process_as_it_would():
    def process():
        items = collections.OrderedDict({0: 0, 1: 1})
        for _ in items:
            items.move_to_end(0)
            yield STEP

    end = reach(Points(), process, None)
    assert str(end.outcome) == "RuntimeError: OrderedDict mutated during iteration"


def test_the_iterators_of_two_dequeues_are_one_point_however_their_items_got_there():
    def process():
        items = collections.deque([5])
        if (yield STEP):
            items.append(6)
            items.rotate()
            items.popleft()
        for _ in items:
            yield STEP

    assert merged(process, [True], [False])


# ---- iterators that are read from memory ---------------------------------------------------------------

LONG = {
    "chain": lambda: itertools.chain([0, 0], "", [0, 0], [0]),
    "repeat": lambda: itertools.repeat(0, 9),
    "count": lambda: itertools.islice(itertools.count(sys.maxsize + 1), 6),
    "count by halves": lambda: itertools.islice(itertools.count(0, 0.5), 6),
    "islice": lambda: itertools.islice([0] * 9, 1, 8, 3),
    "cycle": lambda: itertools.islice(itertools.cycle([0, 0]), 6),
    "accumulate": lambda: itertools.accumulate([0] * 4, initial=0),
    "product": lambda: itertools.product([0, 0], [0, 0, 0], [0]),
    "product of nothing": lambda: itertools.product(),
    "permutations": lambda: itertools.permutations([0, 0, 0, 0]),
    "short permutations": lambda: itertools.permutations([0, 0, 0, 0], 2),
    "no permutations": lambda: itertools.permutations([0], 2),
    "combinations": lambda: itertools.combinations([0] * 5, 3),
    "combinations with replacement": lambda: itertools.combinations_with_replacement([0] * 3, 2),
    "takewhile": lambda: itertools.takewhile(abs, [1, 1, 0, 1]),
    "dropwhile": lambda: itertools.dropwhile(abs, [1, 0, 1, 0]),
    "filterfalse": lambda: itertools.filterfalse(abs, [0, 1, 0, 1]),
    "starmap": lambda: itertools.starmap(pow, [(0, 1)] * 3),
    "compress": lambda: itertools.compress([0] * 4, [1, 0, 1, 1]),
    "zip_longest": lambda: itertools.zip_longest([0], [0, 0, 0], [], fillvalue=0),
    "pairwise": lambda: itertools.pairwise([0] * 5),
    "groupby": lambda: itertools.groupby([0, 0, 1, 0]),
    "group": lambda: next(itertools.groupby([0, 0, 0, 1]))[1],
    "tee": lambda: itertools.tee([0] * 150)[1],
    "deque": lambda: iter(collections.deque([0, 0, 0])),
    "reversed deque": lambda: reversed(collections.deque([0, 0, 0])),
    "ordered dict": lambda: iter(collections.OrderedDict.fromkeys("abc")),
    "reversed ordered dict": lambda: reversed(collections.OrderedDict.fromkeys("abc").values()),
}


def positions(make, key):
    """Return the key of an iterator at each of its positions, and when it has ended."""
    iterator = make()
    found = [key(iterator)]
    for _ in iterator:
        found.append(key(iterator))
    return [*found, key(iterator)]


def memory(iterator):
    """Return what is read from memory, whether or not pickle would do as well."""
    known = state(iterator)
    assert known is not None, type(iterator)
    return freeze(known)


def test_every_position_of_an_iterator_has_its_key():
    for name, make in LONG.items():
        for key in (freeze, memory) if type(make()) in LAYOUTS else (freeze,):
            along = positions(make, key)
            assert len(set(along[:-1])) == len(along) - 1, name
            assert positions(make, key) == along, name


def test_a_count_has_its_key_where_the_number_becomes_too_large_for_a_word():
    assert len(set(positions(lambda: itertools.islice(itertools.count(sys.maxsize - 2), 6), tail))) == 8


def tail(limited):
    """Return what is read from memory of the counter that an islice goes through."""
    counters = [thing for thing in gc.get_referents(limited) if isinstance(thing, itertools.count)]
    return [memory(counter) for counter in counters].pop() if counters else None


def test_the_table_knows_every_iterator_that_pickle_does_not():
    kinds = {kind for kind in vars(itertools).values() if getattr(kind, "__module__", "") == "itertools"}
    kinds = {kind for kind in kinds if isinstance(kind, type)}
    assert {kind for kind in kinds if "__reduce__" not in vars(kind)} <= LAYOUTS.keys()


def test_an_iterator_that_does_not_look_as_the_table_says_is_refused():
    kind, right = itertools.pairwise, LAYOUTS[itertools.pairwise]
    try:
        for wrong in ("o", "ooro", "on onr", "no nor"):
            LAYOUTS[kind] = wrong
            with raises(ModelError, "a value in use holds a pairwise"):
                reach(Points(), over(lambda: kind("abc")))
    finally:
        LAYOUTS[kind] = right


def test_a_group_that_is_no_longer_given_has_ended():
    def process():
        groups = itertools.groupby([0, 0, 1])
        _, first = next(groups)
        if (yield STEP):
            next(groups)
        yield STEP
        return list(first)

    differ_later(process, [True], [False], None)


def test_two_iterators_of_a_tee_share_what_was_read_ahead():
    def process():
        items = iter([5, 6, 7])
        one, other = itertools.tee(items)
        if (yield STEP):
            next(one)
        yield STEP
        return (*one, *other, *items)

    assert differ_later(process, [True], [False], None) == [(6, 7, 5, 6, 7), (5, 6, 7, 5, 6, 7)]


def test_what_an_iterator_has_in_it_is_frozen_and_refused_as_elsewhere():
    def process():
        for item in itertools.chain([0], [threading.Lock()]):
            del item
            yield STEP

    with raises(ModelError, "a value in use holds a chain with a lock in it"):
        reach(Points(), process)
