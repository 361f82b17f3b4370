"""What has the same colour in the end may be put in any order: the smallest outcome is the same for each numbering."""

import random

import pytest

from simcore.explore.reduction.colours import Linked, refined, told_apart

MOST = 10_000


def canonical(facts, count):
    """Return the smallest form of facts about names that may all be exchanged, and how many orders were compared."""
    told = told_apart([0] * count, facts, [list(range(count))], exact=True, most=MOST)
    forms = []
    for colours in told:
        place = {name: number for number, name in enumerate(sorted(range(count), key=colours.__getitem__))}
        assert len(place) == count
        forms.append(
            sorted((f.code, *sorted((s, place[n]) for n, s in zip(f.names, f.slots, strict=True))) for f in facts)
        )
    return min(forms), len(told)


def moved(facts, order):
    return [fact._replace(names=tuple(order[name] for name in fact.names)) for fact in facts]


def fact(code, *names, slots=None):
    slots = tuple(range(len(names))) if slots is None else slots
    return Linked(code, names, slots, len(set(slots)) == len(slots))


def copies(part, size, count):
    return [each._replace(names=tuple(n * size + at for at in each.names)) for n in range(count) for each in part]


TASKS = [fact(1, 0, 1, 2), fact(2, 0, 1), fact(3, 0, 2), fact(4, 1, 2)]
RING = [fact(5, 0, 1), fact(5, 1, 2), fact(5, 2, 0)]
PAIR = [fact(6, 0, 1, slots=(0, 0))]


@pytest.mark.parametrize("count", [2, 6, 12])
def test_copies_of_a_part_in_which_all_differ_are_put_in_order_at_once(count):
    facts = copies(TASKS, 3, count)
    form, tried = canonical(facts, 3 * count)
    assert tried == 1
    for seed in range(5):
        order = list(range(3 * count))
        random.Random(seed).shuffle(order)
        assert canonical(moved(facts, order), 3 * count) == (form, 1)


def test_the_smallest_form_does_not_depend_on_the_numbering():
    for seed in range(300):
        chance = random.Random(seed)
        parts = [copies(part, 3, chance.randint(0, 2)) for part in (TASKS, RING, [*TASKS, *RING])]
        facts, count = [], 0
        for part in [*parts, PAIR * chance.randint(0, 1)]:
            facts += [each._replace(names=tuple(name + count for name in each.names)) for each in part]
            count = max((name for each in facts for name in each.names), default=-1) + 1
        count += 1  # a name of which nothing is said
        for _ in range(chance.randint(0, 2)):  # and something that connects parts
            facts.append(fact(7, *chance.sample(range(count), min(2, count))))
        order = list(range(count))
        chance.shuffle(order)
        assert canonical(facts, count)[0] == canonical(moved(facts, order), count)[0], seed


def test_who_is_in_which_slot_is_told_by_sums():
    """Two names that are mentioned together twice, each once in the first slot, with what tells the two facts apart."""
    chance = random.Random(1)
    for _ in range(1_000):
        facts = [fact(14, 0, 1, 2, slots=(-1, 0, 1)), fact(14, 1, 0, 3, slots=(-1, 0, 1))]
        colours = [chance.getrandbits(52)] * 2 + [chance.getrandbits(52), chance.getrandbits(52)]
        one, other, *_ = refined(colours, facts, [[0, 1], [2, 3]])
        assert one != other


def test_parts_of_different_kinds_do_not_share_their_ranks():
    """Which kind comes first must not depend on how names are numbered."""
    facts = [
        *copies(TASKS, 3, 2),
        *(each._replace(names=tuple(n + 6 for n in each.names)) for each in copies(RING[:2], 3, 2)),
    ]
    for seed in range(50):
        order = list(range(12))
        random.Random(seed).shuffle(order)
        assert canonical(moved(facts, order), 12) == canonical(facts, 12)
