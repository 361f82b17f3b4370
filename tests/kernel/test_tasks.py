"""Tasks that are frozen once make the same values equal as tasks that are frozen again in every value."""

from hypothesis import given, settings
from hypothesis import strategies as st

from simcore.kernel.freeze import Freezer
from simcore.kernel.tasks import FrozenTasks
from simcore.model.objects import Future, PoolValue, Task


def closure(shared):
    def task(*args):
        yield shared, args

    return task


ONE_LIST, ANOTHER = [1], [1]
FUNCTIONS = [closure(ONE_LIST), closure(ONE_LIST), closure(ANOTHER), closure([2]), closure(7)]
ARGUMENTS = [(), (ONE_LIST,), (ANOTHER,), ([2],), (7,), (frozenset("ab"), 1.0), (frozenset("ba"), 1)]
FUTURES = [None, Future("future#0"), Future("future#1")]

TASKS = st.builds(Task, st.sampled_from(FUNCTIONS), st.sampled_from(ARGUMENTS), st.sampled_from(FUTURES))
QUEUES = st.builds(PoolValue, st.lists(TASKS, max_size=3).map(tuple), st.booleans())


def frozen(values, tasks):
    """Return the key of each value, and what it mentions."""
    found = []
    for value in values:
        whole = Freezer(ordered=False)
        key, freezers = (whole.freeze(value), (whole,)) if tasks is None else tasks.freeze(value)
        mentioned = [(set(), set(), set()), *((each.objects, each.weak, each.processes) for each in freezers)]
        found.append((key, *(set().union(*sets) for sets in zip(*mentioned, strict=True))))
    return found


@given(st.lists(QUEUES, min_size=2, max_size=6))
@settings(max_examples=100)
def test_the_same_values_are_equal(values):
    once, again = frozen(values, FrozenTasks()), frozen(values, None)
    assert [told[1:] for told in once] == [told[1:] for told in again]
    for one in range(len(values)):
        for other in range(one):
            assert (once[one][0] == once[other][0]) == (again[one][0] == again[other][0])


def test_two_tasks_that_share_a_list_are_not_two_that_have_one_each():
    tasks = FrozenTasks()
    [shared, apart] = [
        PoolValue((Task(FUNCTIONS[4], (ONE_LIST,), None), Task(FUNCTIONS[4], (second,), None)))
        for second in (ONE_LIST, ANOTHER)
    ]
    [one, other] = frozen([shared, apart], tasks)
    assert one[0] != other[0]
