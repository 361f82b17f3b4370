"""Names are interchangeable: exactly one state of each orbit is searched, and the answers stay the same."""

import re
from itertools import permutations, product

import pytest
import small
import toys
from compared import agree, both
from generated import MANY, systems
from hypothesis import HealthCheck, given, settings
from interchangeable import SYMMETRIC, follow

from simcore import Verdict
from simcore.explore.reduction import Symmetry
from simcore.kernel import Kernel
from simcore.kernel.freeze import Freezer
from simcore.model import RULES
from simcore.models import download_path, pool_starvation

every_model = pytest.mark.parametrize("model", SYMMETRIC.values(), ids=SYMMETRIC)


# ---- the same answers, fewer states ------------------------------------------------------------------------


@pytest.mark.some(12)
@pytest.mark.parametrize("timeouts", ["never", "when_stuck", "in_order", "anytime"])
@every_model
def test_renaming_names_changes_no_verdict_and_no_shortest_schedule(model, timeouts):
    reduced, full = both(model(), timeouts=timeouts)
    assert set(reduced.notes) <= {RULES[timeouts]}
    assert "[*] interchangeable" in reduced.strategy
    assert reduced.states < full.states or full.verdict is Verdict.VIOLATED


@pytest.mark.some(12)
@every_model
def test_the_representatives_of_all_states_are_those_that_a_search_meets(model):
    kernel = Kernel(model())
    symmetry = Symmetry(kernel)
    reduced, full = toys.space(kernel, symmetry.representative), toys.space(kernel)
    assert set(reduced.distance) == {symmetry.representative(state) for state in full.distance}


@pytest.mark.some(4)
@every_model
def test_what_can_happen_in_a_state_can_happen_in_its_representative_renamed(model):
    kernel = Kernel(model())
    symmetry = Symmetry(kernel)
    follow(kernel, symmetry, list(toys.space(kernel).distance)[:3_000])


# ---- exactly one state of each orbit -----------------------------------------------------------------------


def told(key, names):
    """Write a frozen thing with its names replaced, what has no order in the order of what is written."""
    if (
        isinstance(key, tuple)
        and key[:1] == (tuple,)
        and {getattr(part, "family", None) for part in key[1:]} == {"right"}
    ):
        return "all that are right"  # in the closure of `tied`
    if isinstance(key, frozenset) or (isinstance(key, tuple) and key[:1] == (dict,)):
        return (
            "{" + ",".join(sorted(told(part, names) for part in (key if isinstance(key, frozenset) else key[1:]))) + "}"
        )
    if isinstance(key, tuple):
        return "(" + ",".join(told(part, names) for part in key) + ")"
    known = "|".join(map(re.escape, names))
    return re.sub(rf"(?<!\w)({known})", lambda found: names[found[0]], repr(key)) if names else repr(key)


def orbits(kernel, states):
    """Count the orbits by writing each state in every way that names can be chosen, one of them the smallest."""
    families = [[str(name) for name in names] for names in kernel.model.families.values()]
    families += [[worker.name for worker in workers] for _, workers in kernel.model.pools()]
    pieces = {}
    found = set()
    for state in states:
        made = range(kernel.first_future, len(state))
        alive = [f"future#{n - kernel.first_future}" for n in made if state[n]]
        groups = [*families, alive]
        ways = []
        for chosen in product(*(permutations(range(len(group))) for group in groups)):
            names = {
                old: f"<{number}.{new}>"
                for number, (group, order) in enumerate(zip(groups, chosen, strict=True))
                for old, new in zip(group, order, strict=True)
            }
            key = tuple(sorted(names.items()))
            parts = (piece(kernel, pieces, place, part, key, names) for place, part in enumerate(state))
            ways.append(sorted(filter(None, parts)))
        found.add(tuple(min(ways)))
    return len(found)


def piece(kernel, pieces, place, part, key, names):
    if (place, part, key) not in pieces:
        pieces[place, part, key] = written(kernel, place, part, names)
    return pieces[place, part, key]


def written(kernel, place, part, names):
    if place >= kernel.first_future:
        return told((f"future#{place - kernel.first_future}", frozen(kernel.values[part])), names) if part else ""
    if place < kernel.first_process:
        return told((kernel.objects[place].name, frozen(kernel.values[part])), names)
    local = kernel.locals[part]
    point = None if local.point is None else (local.point.program.fn.__qualname__, local.point.key)
    task = None if local.task is None else frozen(local.task)
    return told((kernel.processes[place - kernel.first_process].name, point, task, local.status), names)


def frozen(value):
    return Freezer(ordered=False).freeze(value)


BY_HAND = [
    "clients",
    "clients with a lock",
    "waiting set",
    "tied",
    "tied, three",
    "starved",
    "two pools",
    "pool system after",
]


@pytest.mark.some(3)
@pytest.mark.parametrize("name", BY_HAND)
def test_a_search_meets_exactly_one_state_of_each_orbit(name):
    kernel = Kernel(SYMMETRIC[name]())
    representative = Symmetry(kernel).representative
    full = toys.space(kernel)
    assert len({representative(state) for state in full.distance}) == orbits(kernel, full.distance)


@pytest.mark.some(2)
@pytest.mark.parametrize(
    ("sizes", "states"),
    [
        ((2, 2, 2), 123),
        ((3, 2, 2), 691),
        ((4, 2, 2), 3_040),
        ((4, 4, 2), 4_880),
        ((4, 4, 4), 5_179),
        pytest.param((6, 4, 6), 156_899, marks=pytest.mark.slow),
    ],
)
def test_so_many_states_of_the_pool_system_are_left(sizes, states):
    """Workers alone leave 105,900 of (4, 4, 2); a group of 4! cannot leave less than 105,900 / 24 = 4,413 of those."""
    requesters, workers, callback_workers = sizes
    kernel = Kernel(
        toys.pool_system(
            requesters=requesters, workers=workers, chunks=1, callback_workers=callback_workers, alike=True
        )
    )
    assert toys.space(kernel, Symmetry(kernel).representative).states == states


@pytest.mark.parametrize(
    ("build", "sizes", "reduced", "full"),
    [
        (pool_starvation.fixed, {"downloads": 2, "workers": 2, "callback_workers": 2}, 306, 1_839),
        (pool_starvation.buggy, {"downloads": 2, "workers": 3}, 131, 1_115),
        (download_path.fixed, {"downloads": 2, "workers": 1}, 778, 1_552),
    ],
)
def test_so_many_states_are_left_of_a_model(build, sizes, reduced, full):
    results = both(build(**sizes))
    assert [result.states for result in results] == [reduced, full]


@given(systems(longest=3, clients=True, every_kind=True))
@settings(max_examples=25, suppress_health_check=[HealthCheck.too_slow])
def test_generated_systems_with_interchangeable_names_have_the_same_verdict(model):
    agree(model, 800)


@pytest.mark.slow
@given(systems(longest=5, clients=True, every_kind=True))
@settings(max_examples=MANY)
def test_many_generated_systems_with_interchangeable_names_have_the_same_verdict(model):
    agree(model, 800)


def test_what_is_learned_of_a_name_that_a_variable_holds_grows_with_the_names():
    """To replace a value is not to look into it: what does so need not be tried with each name at each other one."""

    def learned(many):
        kernel = Kernel(small.seats(many=many))
        symmetry = Symmetry(kernel)
        met = {kernel.initial}
        left = list(met)
        while left:
            found = {symmetry.representative(choice.state) for choice in kernel.successors(left.pop())} - met
            met |= found
            left += found
        return len(kernel.points.learned)

    assert learned(24) <= 2 * learned(12)
