"""A cell is inferred between explored cells of one verdict, and never where an explored cell speaks against it."""

from __future__ import annotations

import pytest
from sized import band, below, swept

from simcore import Model, SimcoreError, Sweep, Verdict, sweep
from simcore.sizes import Cell


def inferred(found: Sweep) -> list[dict]:
    return [dict(cell.parameters) for cell in found if cell.inferred]


def test_nothing_is_inferred_unless_it_is_asked_for():
    assert inferred(sweep(below, executor="here", workers=range(1, 12))) == []


def test_both_ends_and_every_fourth_are_explored_and_all_around_the_change():
    found = sweep(below, executor="here", infer="workers", workers=range(1, 18), tasks=6)
    assert [cell.parameters["workers"] for cell in found if not cell.inferred] == [1, 5, 6, 7, 8, 9, 13, 17]
    whole = sweep(below, executor="here", workers=range(1, 18), tasks=6)
    assert [cell.verdict for cell in found] == [cell.verdict for cell in whole]
    assert found[1] == Cell({"workers": 2, "tasks": 6}, Verdict.VIOLATED, inferred=True)
    assert "9 violated (inferred)" not in str(found)
    assert str(found).startswith("17 cells: 8 holds") or "holds (inferred)" in str(found)
    assert "violated (inferred)" in found.table()


def test_along_two_parameters_a_cell_lies_in_a_box():
    grid = {"workers": range(1, 10), "tasks": range(1, 10)}
    found = sweep(below, executor="here", infer=("workers", "tasks"), **grid)
    assert all(
        (cell.verdict is Verdict.VIOLATED) is (cell.parameters["workers"] <= cell.parameters["tasks"]) for cell in found
    )
    assert Verdict.UNDETERMINED not in {cell.verdict for cell in found}
    assert 0 < len(inferred(found)) < 60
    assert {"workers": 2, "tasks": 7} in inferred(found)


def test_a_line_that_changes_twice_is_explored_as_a_whole_and_a_note_says_why():
    found = sweep(band, executor="here", infer=("n",), n=range(1, 18))
    assert inferred(found) == []
    assert [cell.parameters["n"] for cell in found if cell.verdict is Verdict.VIOLATED] == [5, 6, 7, 8]
    (note,) = found.notes
    assert note.startswith("not monotone along n, so nothing was inferred: ")
    assert "violated at n=" in note


def both_ways(*, n: int = 1, way: int = 0) -> Model:
    return below(workers=n if way else 20 - n, tasks=9)


def test_two_lines_that_change_in_opposite_directions_are_explored_as_a_whole():
    found = sweep(both_ways, executor="here", infer="n", n=range(1, 18), way=[0, 1])
    assert inferred(found) == []
    assert "not monotone along n" in found.notes[0]


def test_no_cell_is_inferred_beside_one_that_is_undetermined():
    def limited(*, n: int = 1) -> Model:
        model = Model("a count")
        shared = model.variable("shared", 0)

        def count():
            for k in range(3000 if n == 9 else 3):
                yield shared.set(k)

        model.process("count", count)
        return model

    found = sweep(limited, executor="here", infer="n", n=range(1, 14), max_states=100)
    assert found[8].verdict is Verdict.UNDETERMINED
    assert [cell["n"] for cell in inferred(found)] == [2, 3, 4]


@pytest.mark.parametrize("length", [1, 2, 3, 4, 5])
def test_at_least_three_cells_of_a_line_are_explored(length):
    found = sweep(below, executor="here", infer="workers", workers=range(1, length + 1), tasks=9)
    assert len(found) - len(inferred(found)) >= min(length, 3)


def test_values_without_an_order_are_refused():
    with pytest.raises(SimcoreError, match="`infer='word'`: its values are not numbers"):
        sweep(lambda *, word: below(), executor="here", infer="word", word=["a", "b"])


def test_a_law_does_not_rest_on_what_was_inferred():
    found = sweep(below, executor="here", infer="workers", workers=range(1, 18), tasks=[2, 6, 9])
    law = found.law()
    assert law.formula == "workers <= tasks"
    assert law.counts.inferred == len(inferred(found)) > 0
    assert law.counts.explored == 51 - law.counts.inferred
    assert f"{law.counts.inferred} cells inferred, on which it does not rest" in str(law)


def test_a_law_is_refuted_by_no_inferred_cell():
    known = swept(lambda n: n <= 8, n=range(1, 17))
    wrong = tuple(
        Cell(cell.parameters, Verdict.VIOLATED, inferred=True) if cell.parameters["n"] == 12 else cell for cell in known
    )
    law = Sweep("m", wrong, known.values, {}, (), "never").law()
    assert law.formula == "n <= 8"
    assert law.counts.explored == 15
