"""A cell of the machine table is what a search of that size says, or unknown."""

from __future__ import annotations

import pytest
from sized import band
from test_gate import dies_at, grows

from simcore import Verdict, explore
from simcore.errors import OptionError
from simcore.models.nested_futures import one_pool
from simcore.sizes import FORMULAS, machine_table


def test_a_pool_of_a_thread_pool_executor_hangs_on_small_machines():
    found = machine_table(one_pool, "workers", roots=6, depth=3)  # hangs with 12 workers or fewer
    assert found.hangs("min(32, cores + 4)") == (1, 2, 4, 8)
    assert found.hangs("cores") == (1, 2, 4, 8)
    assert found.hangs("2 * cores") == (1, 2, 4)
    assert found.hangs("40") == found.hangs("64") == found.hangs("128") == ()
    assert {found.at(name, 128).how for name in FORMULAS} == {"proved"}


def test_what_the_formulas_are_called_they_are():
    for name, formula in FORMULAS.items():
        for cores in (1, 4, 28, 100):
            size = formula(cores) if callable(formula) else formula
            assert size == eval(name, {"cores": cores, "min": min})


def test_each_cell_is_what_a_search_says():
    formulas = {"n": lambda cores: cores}
    for model, pool in ((band, "n"), (one_pool, "workers")):
        found = machine_table(model, pool, cores=range(1, 7), formulas=formulas)
        for cores in range(1, 7):
            assert found.at("n", cores).verdict is explore(model(**{pool: cores})).verdict, (model, cores)


def test_each_hang_has_a_token():
    rows = machine_table(one_pool, "workers", cores=[1, 2], formulas={"cores": lambda cores: cores}).rows()
    assert [row["found"] for row in rows] == ["hangs", "hangs"]
    assert all(row["token"] for row in rows)


@pytest.mark.slow
def test_what_is_not_known_is_unknown():
    found = machine_table(grows, "workers", cores=[1], formulas={"3": 3}, max_states=20, depth=3)
    assert found.at("3", 1).verdict is Verdict.UNDETERMINED
    assert found.hangs("3") == ()
    assert "unknown: neither safe nor hangs is known, so it is not safe" in str(found)


def test_a_death_is_told_as_one():
    found = machine_table(dies_at, "workers", cores=[1], formulas={"cores": lambda cores: cores}, depth=3)
    assert found.hangs("cores") == (1,)
    assert "dies E" in str(found)


def test_the_table_as_text():
    found = machine_table(one_pool, "workers", cores=[1, 8], formulas={"cores": lambda n: n, "40": 40}, roots=2)
    assert str(found).splitlines() == [
        "simcore.models.nested_futures:one_pool (roots=2, depth=2)",
        "workers  1 core   8 cores",
        "cores    hangs W  safe P",
        "40       safe P   safe P",
        "P: proved for every size of the pool; W: a run that hangs",
    ]


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ({"pool": "wrokers"}, "has no parameter 'wrokers'"),
        ({"formulas": {"half": lambda cores: cores / 2}}, "formula 'half' gives 0.5 on 1 processors"),
        ({"formulas": {"none": 0}}, "formula 'none' gives 0"),
        ({"formulas": {}}, "give some"),
        ({"cores": []}, "numbers of processors"),
        ({"cores": [0]}, "cores=0"),
        ({"workers": 3}, "is sized by formulas"),
    ],
)
def test_what_cannot_be_meant_is_an_error(arguments, told):
    pool = arguments.pop("pool", "workers")
    with pytest.raises(OptionError, match=told):
        machine_table(one_pool, pool, **arguments)
