"""A model is found by name and built again: the user's own first, then the library's, each under one name only."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from simcore import models, properties
from simcore.errors import ModelError
from simcore.model import Model, Origin, build, import_module, models_of

ROOT = Path(__file__).parents[2]


def plain(*, n: int = 2, name: str = "x") -> Model:
    """Build a model from parameters."""
    return Model(f"{name} {n}")


def mutable(*, items=()) -> Model:
    """Build a model from a parameter that no command line can give."""
    return Model(str(items))


def no_model() -> Model:
    """Build nothing."""
    return 3  # type: ignore[return-value]


def unannotated():
    """Build a model and do not say so."""
    return Model("m")


def needs(*, n: int) -> Model:
    """Build a model from a parameter without a default."""
    return Model(str(n))


def _private() -> Model:
    return Model("private")


def test_a_model_knows_the_function_and_the_parameters_that_built_it():
    assert plain(n=3).origin == Origin(f"{__name__}:plain", {"n": 3, "name": "x"})


def test_a_model_is_built_again_from_its_origin():
    assert build(plain(n=3).origin).name == "x 3"


@pytest.mark.parametrize("model", [lambda: Model("m"), lambda: mutable(items=[1]), unannotated])
def test_a_model_that_cannot_be_built_again_has_no_origin(model):
    assert model().origin is None


@pytest.mark.parametrize(
    ("function", "parameters", "text"),
    [
        ("plain", {}, r"write package\.module:function"),
        (":plain", {}, r"write package\.module:function"),
        ("no_such_module_at_all:plain", {}, "there is no module 'no_such_module_at_all'"),
        (".relative:plain", {}, "without a leading dot"),
        ("test_building:nothing", {}, r"no model function 'nothing'; it has .*plain"),
        ("test_building:ROOT", {}, "no model function 'ROOT'"),
        ("test_building:plain", {"m": 1}, "has no parameter 'm'; it has n, name"),
        ("test_building:needs", {}, "needs a value for its parameter 'n': -p n="),
        ("test_building:no_model", {}, "returned a value of type int, not a Model"),
    ],
)
def test_what_cannot_be_built_is_one_clear_error(function, parameters, text):
    with pytest.raises(ModelError, match=text):
        build(Origin(function, parameters))


@pytest.mark.parametrize("text", ["import no_such_thing_at_all", "from os import nothing", "x = ", "1 / 0"])
def test_a_module_that_cannot_be_imported_is_one_clear_error(tmp_path, monkeypatch, text):
    (tmp_path / "broken_models.py").write_text(text)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "broken_models", raising=False)
    with pytest.raises(ModelError, match="broken_models cannot be imported"):
        build(Origin("broken_models:buggy", {}))


def test_the_models_of_a_module_are_its_public_functions_that_say_so():
    assert models_of(sys.modules[__name__]) == ["plain", "mutable", "no_model", "needs"]


# ---- the library -----------------------------------------------------------------------------------------


@pytest.mark.some(4)
@pytest.mark.parametrize(
    ("name", "full"),
    [
        ("pool_starvation", "simcore.models.pool_starvation"),
        ("models.pool_starvation", "simcore.models.pool_starvation"),
        ("simcore.models.pool_starvation", "simcore.models.pool_starvation"),
        ("models", "simcore.models"),
        ("deadlock", "simcore.properties.deadlock"),
        ("properties.deadlock", "simcore.properties.deadlock"),
    ],
)
@pytest.mark.parametrize("folder", ["", "models", "properties", None], ids=str)
def test_a_module_of_the_library_is_one_module_by_every_name_and_from_everywhere(tmp_path, folder, name, full):
    here = tmp_path if folder is None else ROOT / folder
    code = "import sys; from simcore.model import import_module; print(import_module(sys.argv[1]).__name__)\n"
    code += "assert not {'models', 'properties', 'pool_starvation', 'deadlock'} & sys.modules.keys()"
    path = {**os.environ, "PYTHONPATH": str(here)}
    run = subprocess.run([sys.executable, "-c", code, name], cwd=here, env=path, capture_output=True, text=True)
    assert (run.stdout, run.stderr) == (f"{full}\n", "")


def test_the_short_name_of_a_model_is_made_full_so_that_its_token_says_where_it_is():
    model = build(Origin("pool_starvation:buggy", {"downloads": 1, "workers": 1}))
    assert model.origin.function == "simcore.models.pool_starvation:buggy"


def test_the_users_own_module_comes_before_the_library(tmp_path, monkeypatch):
    (tmp_path / "pool_starvation.py").write_text("MINE = True")
    monkeypatch.syspath_prepend(tmp_path)
    assert import_module("pool_starvation").MINE
    del sys.modules["pool_starvation"]  # which is not put back, as `monkeypatch.delitem` would


def test_a_name_that_nobody_has_is_one_clear_error():
    for name in ("no_such_module", "models.no_such_module", "simcore.models.no_such_module"):
        with pytest.raises(ModelError, match=r"there is no module '.*'; name it as in"):
            import_module(name)


def test_the_library_is_inside_the_package():
    assert (models.__name__, properties.__name__) == ("simcore.models", "simcore.properties")
