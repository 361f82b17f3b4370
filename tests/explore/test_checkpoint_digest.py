"""A file is that of these predicates and this model: an edit of anything that they name, by whatever way, is told."""

import importlib.util
import json

import elsewhere
import pytest

from simcore import Model, always, explore
from simcore.errors import OptionError
from simcore.explore.told import Teller

WHOLE = {"symmetry": False, "partial_order": False}
LIMIT, ALLOWED, STEP = 100, {"least": 0}, 1


class Rule:
    most = 100

    def __init__(self, least=0):
        self.least = least

    def allows(self, value):
        return self.least <= value <= self.most


RULE = Rule()


def helper(value):
    return value < LIMIT


def other_helper(value):
    return value <= LIMIT


def bump(value):
    return value + STEP


def other_bump(value):
    return value + STEP + STEP


def at_most(most, least=0):
    return lambda state: least <= state["v"] <= most


def at_most_of(most, least=0):
    return lambda state: least <= state["v"] < most


def asks_all(state):
    return (
        helper(state["v"])
        and RULE.allows(state["v"])
        and state["v"] >= ALLOWED["least"]
        and not elsewhere.MODE
        and bool(elsewhere.set_mode)
    )


def counter():
    model = Model("counter")
    variables = [model.variable(name, 0) for name in "vw"]

    def count(variable):
        for _ in range(9):
            yield variable.update(bump)

    for variable in variables:
        model.process(f"counts {variable}", count, variable)
    return model


def go_on(file, predicate, limit=None):
    return explore(counter(), always(predicate, "the same name"), checkpoint=file, max_states=limit, **WHOLE)


HERE = "test_checkpoint_digest"
EDITS = {
    "the code of a helper": (f"{HERE}.helper.__code__", other_helper.__code__),
    "a helper": (f"{HERE}.helper", other_helper),
    "a global": (f"{HERE}.LIMIT", 99),
    "a global of a helper of the model": (f"{HERE}.STEP", 2),
    "what a global holds": (f"{HERE}.ALLOWED", {"least": -1}),
    "an attribute of an object": (f"{HERE}.RULE.least", -1),
    "an attribute of a class": (f"{HERE}.Rule.most", 99),
    "a method": (f"{HERE}.Rule.allows", lambda self, value: True),
    "a name of a module": ("elsewhere.MODE", ""),
    "a function of a module": ("elsewhere.set_mode", bump),
    "a helper of the model": (f"{HERE}.bump", other_bump),
}


@pytest.mark.parametrize(("name", "value"), EDITS.values(), ids=EDITS)
def test_an_edit_of_what_is_named_is_told_and_the_file_left_alone(tmp_path, monkeypatch, name, value):
    file = tmp_path / "search.ck"
    go_on(file, asks_all, limit=30)
    with monkeypatch.context() as edit:
        edit.setattr(name, value)
        with pytest.raises(OptionError, match=r"what the properties ask|does something else than it did then"):
            go_on(file, asks_all)
    assert go_on(file, asks_all).notes[-1].startswith("resumed at 30 states")


@pytest.mark.parametrize(
    "other", [at_most(10), at_most(9, 1), at_most_of(9)], ids=["a cell", "another", "a comparison"]
)
def test_another_predicate_with_the_same_name_is_told(tmp_path, other):
    file = tmp_path / "search.ck"
    go_on(file, at_most(9), limit=30)
    with pytest.raises(OptionError, match=r"written with what the properties ask .*; explore as before, or remove it"):
        go_on(file, other)
    assert go_on(file, at_most(9)).notes[-1].startswith("resumed at 30 states")


def test_what_is_told_is_the_same_wherever_the_code_comes_from(tmp_path):
    source = tmp_path / "asked.py"
    source.write_text(
        "NAMES = {'a', 'b', 'c'}\ndef ask(s, k=(1, (2, 3))): return s in {'a', 'b'} and s in NAMES and k > ()\n"
    )
    told = []
    for _ in range(2):  # compiled, and then read from a file
        spec = importlib.util.spec_from_file_location("asked", source)
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        told.append(Teller().told(module.ask))
    assert told[0] == told[1]


def test_a_value_that_only_holds_another_number_is_told_apart():
    texts = [Teller().told(value) for value in (1, 1.0, True, "1", (1,), [1], {1}, {1: 1}, Rule(1), Rule(2), LIMIT)]
    assert len(set(texts)) == len(texts)
    assert json.loads(json.dumps(texts)) == texts
