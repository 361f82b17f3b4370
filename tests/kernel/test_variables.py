"""Locals, cells, and which names share an object are part of a program point."""

import contextlib

from points import STEP, differ_later, reach

from simcore.kernel.process import Points


def test_a_mutable_local_is_part_of_a_point():
    def process():
        items = []
        while len(items) < 3:
            yield STEP
            items.append(0)
        return len(items)

    points = Points()
    assert len({reach(points, process, *[None] * n) for n in range(4)}) == 4


def test_two_names_for_one_list_are_not_two_equal_lists():
    def process():
        a = []
        b = a if (yield STEP) else []
        yield STEP
        a.append(1)
        return len(b)

    assert differ_later(process, [True], [False], None) == [1, 0]


def test_aliases_inside_containers_are_part_of_a_point():
    def process():
        a = []
        table = {"a": a, "b": [a if (yield STEP) else []]}
        del a
        yield STEP
        table["a"].append(1)
        return len(table["b"][0])

    assert differ_later(process, [True], [False], None) == [1, 0]


def test_a_list_that_holds_itself_can_be_frozen():
    def process():
        items = []
        items.append(items)
        yield STEP
        return len(items)

    assert reach(Points(), process, None).outcome == 1


def test_a_bound_method_knows_its_object():
    def process():
        a, b = [], []
        append = a.append if (yield STEP) else b.append
        yield STEP
        append(1)
        return len(a)

    assert differ_later(process, [True], [False], None) == [1, 0]


def test_an_unbound_local_is_not_one_that_holds_none():
    def process():
        if (yield STEP):
            x = None
        yield STEP
        return x

    points = Points()
    assert reach(points, process, True, None).status == "returned"
    assert reach(points, process, False, None).status == "failed"


def test_which_local_is_bound_is_part_of_a_point():
    def process():
        given = yield STEP
        if given:
            x = 1
        else:
            y = 1
        del given
        yield STEP
        with contextlib.suppress(UnboundLocalError):
            return x
        return y + 1

    assert differ_later(process, [True], [False], None) == [1, 2]


def test_a_cell_that_changes_is_part_of_a_point():
    def process():
        n = 0

        def bump():
            nonlocal n
            n += 1

        while n < 3:
            yield STEP
            bump()
        return n

    points = Points()
    assert len({reach(points, process, *[None] * n) for n in range(4)}) == 4
    assert reach(points, process, None, None, None).outcome == 3


def test_an_unbound_cell_is_not_one_that_holds_none():
    def process():
        def read():
            return x

        if (yield STEP):
            x = None
        yield STEP
        return read()

    points = Points()
    assert reach(points, process, True, None).status == "returned"
    assert reach(points, process, False, None).status == "failed"


def test_the_defaults_of_a_local_function_are_part_of_a_point():
    def process():
        def read(n=(yield STEP)):
            return n

        yield STEP
        return read()

    assert differ_later(process, [1], [2], None) == [1, 2]


def test_a_last_local_of_none_is_not_another_value():
    def process():
        last = yield STEP
        yield STEP
        return last

    assert differ_later(process, [None], [()], None) == [None, ()]
