"""What an expression has come to until it stops is part of a program point."""

from points import STEP, differ_later, merged, reach

from simcore.kernel.process import Points

HALVES = {
    "sum": lambda: (yield STEP) + (yield STEP),
    "tuple": lambda: ((yield STEP), (yield STEP)),
    "list": lambda: str([(yield STEP), (yield STEP)]),
    "dict": lambda: str({(yield STEP): (yield STEP)}),
    "arguments": lambda: max((yield STEP) * 3, (yield STEP)),
    "text": lambda: f"{(yield STEP)}{(yield STEP)}",
    "comparison": lambda: (yield STEP) < (yield STEP),
    "item": lambda: [[5, 6], [7, 8]][(yield STEP)][(yield STEP)],
}


def test_the_first_half_of_an_expression_is_part_of_a_point():
    for name, process in HALVES.items():
        points = Points()
        ends = {reach(points, process, first, 1).outcome for first in (0, 1)}
        assert len(ends) == 2, name
        assert reach(points, process, 0) is not reach(points, process, 1), name


def test_a_nested_generator_is_part_of_a_point():
    def innermost(n):
        yield STEP
        return n

    def inner(n):
        return (yield from innermost(n))

    def process():
        return (yield from inner((yield STEP)))

    assert differ_later(process, [1], [2], None) == [1, 2]


def test_the_position_in_a_nested_generator_is_part_of_a_point():
    def inner():
        yield STEP
        yield STEP

    def process():
        yield from inner()

    assert not merged(process, [], [None])


def test_a_generator_that_waits_in_a_variable_is_part_of_a_point():
    def inner(n):
        yield STEP
        return n

    def process():
        later = inner((yield STEP))
        yield STEP
        return (yield from later)

    assert differ_later(process, [1], [2], None, None) == [1, 2]
