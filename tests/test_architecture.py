"""The promises about structure: who may import whom, one door per package, true names, and budgets of size."""

from __future__ import annotations

import ast
import importlib
import inspect
import sys
import tomllib
from functools import cache
from pathlib import Path
from statistics import median, quantiles
from types import GenericAlias

import pytest

import simcore

ROOT = Path(__file__).parents[1]
RANKS = [
    {"whose"},
    {"errors", "first_use"},
    {"model"},
    {"kernel"},
    {"explain", "schedule"},
    {"explore", "simulate", "execute"},
    {"stateful", "control"},
    {"report"},
    {"sizes"},
    {"command"},
    {"__main__"},
]
"""Lowest first. A room imports from lower ranks only; those in one set are neighbours and do not know each other."""

DOORS = {
    "simpy": {"simulate"},
    "threading": {"execute", "control", "explore.compiled", "model.making", "sizes.executors"},
    "_thread": {"execute", "control"},
    "socket": {"execute", "control"},
    "select": {"execute", "control"},
    "selectors": {"execute"},
    "multiprocessing": {"command.matrix", "sizes.executors"},
    "asyncio": set(),
    "concurrent": {"execute", "control", "model.objects", "sizes", "command.sizes"},
    "distributed": {"command.sizes"},
    "pandas": {"sizes.written"},
    "pyarrow": {"sizes.written"},
    "queue": {"execute", "control", "model.objects"},
    "hypothesis": {"stateful"},
    "pytest": {"command.pytest_control", "command.pytest_pages", "command.pytest_plugin"},
    "_pytest": {"command.pytest_control", "command.pytest_plugin"},
    "networkx": {"explain"},
    "numba": {"explore.compiled"},
    "llvmlite": {"explore.compiled"},
    "numpy": {"explore.compiled"},
    "scipy": {"explore.compiled"},
    "click": {"command"},
    "rich": {"command", "report"},
    "matplotlib": {"report.pictures"},
}
"""Who may import what is not ours. The objects name exceptions of the standard library, and start no thread."""

CORE = ("whose", "errors", "model", "kernel", "schedule")
"""They have the standard library alone, and neither a clock nor chance: `strategy` is given its seed."""

LAZY = {
    "command.pytest_plugin": "pytest imports it in every run, and most of those want nothing of it",
    "command.export": "the page is wanted by few, and commands start fast",
    "command.paged": "the page is wanted by few, and commands start fast",
    "command.sizes": "Dask is an extra, and takes longer to import than most sweeps to run",
    "command.reproduce.run": "matplotlib takes longer to import than most commands to run, and is an extra",
    "control.driver": "every order is run for few, and the first answer is to come soon",
    "control.environment": "notes are taken for few, and the first answer is to come soon",
    "control.result": "a skeleton is wanted by few, and the first answer is to come soon",
    "control.running": "every order is run for few, and the first answer is to come soon",
    "explain.waitfor": "networkx takes longer to import than a small model to explore, and a proof shows no graph",
    "explore.driver": "a checkpoint is wanted by few",
    "explore.exploration": "numpy and LLVM take longer to import than a small model to explore, and are an extra",
    "explore.runs": "numpy and scipy take longer to import than a small model to explore, and are an extra",
    "sizes.chart": "matplotlib takes longer to import than most sweeps to run, and is an extra",
    "sizes.written": "pandas is an extra, and is wanted by few",
    "explore.compiled.native": "numba is wanted once on a machine, to compile",
}
"""Modules that may import inside a function, each with the reason."""


@cache
def tree(path):
    return ast.parse(path.read_text(encoding="utf-8"))


def sources(folder):
    """Return the files of a package by the name of their module, from the package on."""
    files = sorted((ROOT / folder).rglob("*.py"))
    return {name(path.relative_to(ROOT / folder)): path for path in files}


def name(path):
    return ".".join(path.with_suffix("").parts).removesuffix("__init__").rstrip(".")


FILES = sources("simcore")
MODULES = [pytest.param(module, path, id=str(path.relative_to(ROOT))) for module, path in FILES.items()]
INSIDE = [param for param in MODULES if param.values[0]]
PACKAGES = sorted(module for module, path in FILES.items() if path.name == "__init__.py" and module)


def imports(path):
    """Return (module, name taken from it, whether that is inside a function) of everything that is imported."""
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            yield from ((alias.name, "", inside_function(path, node)) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: imports are absolute"
            yield from ((node.module, alias.name, inside_function(path, node)) for alias in node.names)


@cache
def parents(path):
    return {child: node for node in ast.walk(tree(path)) for child in ast.iter_child_nodes(node)}


def inside_function(path, node):
    while node in parents(path):
        node = parents(path)[node]
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            return True
    return False


def ours(path):
    """Return (module, name) of what is imported of the framework: of its rooms, by their names."""
    return [(of.removeprefix("simcore").lstrip("."), taken) for of, taken, _ in imports(path) if is_ours(of)]


def is_ours(module):
    return f"{module}.".startswith("simcore.")


def loads_at_first_use(package):
    """Tell whether a package loads its names when they are first used."""
    return ("first_use", "load_at_first_use") in ours(FILES[package])


def source_of(module, taken):
    """Return which module an import runs: a name of a package may be one of its modules."""
    inner = f"{module}.{taken}".lstrip(".")
    return inner if inner in FILES else module


def rank(room):
    found = [number for number, names in enumerate(RANKS) if room in names]
    assert found, f"simcore/{room} has no rank; give it one in RANKS, above every room that it imports from"
    return found[0]


def within(module, places):
    return any(f"{module}.".startswith(f"{place}.") for place in places)


# ---- rooms -------------------------------------------------------------------------------------------


def test_there_are_at_most_twelve_ranks():
    assert len(RANKS) <= 12


def test_the_listing_is_the_rooms():
    there = {path.name for path in (ROOT / "simcore").iterdir() if path.name != "__pycache__"}
    rooms = {name for names in RANKS for name in names} - {"errors", "first_use", "whose", "__main__"}
    assert there == rooms | {"__init__.py", "__main__.py", "errors.py", "first_use.py", "py.typed", "whose.py"}


@pytest.mark.parametrize(("module", "path"), INSIDE)
def test_a_room_imports_from_lower_ranks_only(module, path):
    room = module.partition(".")[0]
    for other, taken in ours(path):
        of = source_of(other, taken).partition(".")[0]
        assert of, f"{path.name} imports {taken} from simcore, which is for users; name its room"
        assert of == room or rank(of) < rank(room), f"{path.name} imports {other}, which is not of a lower rank"


@pytest.mark.parametrize(("module", "path"), INSIDE)
def test_what_a_room_does_not_hand_out_is_its_own(module, path):
    """Another room, or another folder of the same, takes names that the folder's ``__init__`` lists, and no others."""
    for other, taken in ours(path):
        for package in PACKAGES:
            if within(other, [package]) and not within(module, [package]):
                handed_out = importlib.import_module(f"simcore.{package}").__all__
                asked = taken if other == package else other.removeprefix(f"{package}.").partition(".")[0]
                assert asked in handed_out, f"{path.name} imports {asked} from simcore.{package}, which keeps it"


def test_nothing_imports_what_imports_it():
    """A circle holds modules that cannot be read one after the other, whenever each import happens."""
    edges = {module: {source_of(*of) for of in ours(path)} - {module} for module, path in FILES.items() if module}
    ends = set()
    while leaves := {module for module, after in edges.items() if module not in ends and after <= ends}:
        ends |= leaves
    assert edges.keys() == ends, f"a circle is among {sorted(edges.keys() - ends)}"


@pytest.mark.parametrize("package", PACKAGES)
def test_a_folder_says_what_it_is_for_and_which_names_others_may_use(package):
    module = importlib.import_module(f"simcore.{package}")
    about, *_ = inspect.getdoc(module).split("\n\n")
    assert about.count("\n") <= 1, "one sentence comes first"
    assert about.endswith(".")
    listed = getattr(module, "__all__", [])
    assert listed == sorted(listed, key=lambda name: (not name.isupper(), not name[0].isupper(), name))
    for public in listed:
        assert hasattr(module, public) or f"{package}.{public}" in FILES, f"simcore.{package} has no {public}"


@pytest.mark.parametrize(("module", "path"), MODULES)
def test_the_framework_knows_neither_models_nor_properties(module, path):
    knows = [of for of, taken, _ in imports(path) if within(f"{of}.{taken}", ["simcore.models", "simcore.properties"])]
    assert not knows + [of for of, _, _ in imports(path) if of.partition(".")[0] in ("models", "properties", "tests")]


def test_every_folder_is_installed():
    folders = {path.parent for base in ("simcore", "models", "properties") for path in (ROOT / base).rglob("*.py")}
    dotted = {".".join(path.relative_to(ROOT).parts) for path in folders}
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["setuptools"]
    assert set(settings["packages"]) == {name if is_ours(name) else f"simcore.{name}" for name in dotted}


# ---- doors -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("module", "path"), MODULES)
def test_a_foreign_package_has_one_door(module, path):
    for of, _, _ in imports(path):
        top = of.partition(".")[0]
        if top in DOORS:
            assert within(module, DOORS[top]), f"{path.name} imports {top}, whose door is {DOORS[top] or 'nowhere'}"


@pytest.mark.parametrize(("module", "path"), MODULES)
def test_what_is_imported_is_ours_the_standard_library_or_behind_a_door(module, path):
    known = sys.stdlib_module_names | set(DOORS) | {"simcore"}
    assert {of.partition(".")[0] for of, _, _ in imports(path)} <= known


@pytest.mark.parametrize(("module", "path"), [param for param in MODULES if within(param.values[0], CORE)])
def test_the_core_has_the_standard_library_alone_and_no_clock(module, path):
    tops = {of.partition(".")[0] for of, _, _ in imports(path)}
    assert tops <= sys.stdlib_module_names | {"simcore"}
    assert not tops & {"time", "secrets", "datetime"}
    assert "random" not in tops or module == "schedule.strategy"


@pytest.mark.parametrize(("module", "path"), MODULES)
def test_nothing_is_imported_inside_a_function(module, path):
    assert module in LAZY or not [of for of, _, inside in imports(path) if inside]


def test_the_objects_take_exceptions_of_the_standard_library_and_no_thread():
    for module, path in FILES.items():
        if within(module, ["model.objects"]):
            taken = {name for of, name, _ in imports(path) if of == "concurrent.futures"}
            assert taken <= {"InvalidStateError", "CancelledError"}, path


def test_properties_know_the_framework_and_no_model():
    for path in sources("properties").values():
        assert not [of for of, _, _ in imports(path) if within(of, ["simcore.models", "models", "tests"])], path


def test_models_know_no_driver():
    drivers = {"explore", "simulate", "execute", "stateful", "command", "report"}
    for path in sources("models").values():
        used = {part for of, taken, _ in imports(path) if is_ours(of) for part in f"{of}.{taken}".split(".")[1:2]}
        assert not used & drivers, path


# ---- names -------------------------------------------------------------------------------------------


def test_the_public_names_are_sorted():
    assert simcore.__all__ == sorted(
        simcore.__all__, key=lambda name: (not name.isupper(), not name[0].isupper(), name)
    )


def test_the_public_names_are_about_thirty():
    assert len(simcore.__all__) <= 36


def test_the_public_names_are_what_the_package_declares():
    declared = {
        alias.asname or alias.name
        for node in ast.walk(tree(FILES[""]))
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("simcore")
        for alias in node.names
    } - {"load_at_first_use"}
    assert declared == set(simcore.__all__)


@pytest.mark.parametrize("package", [package for package in ("", *PACKAGES) if loads_at_first_use(package)])
def test_a_name_is_loaded_from_where_a_type_checker_is_told_that_it_is(package):
    module = importlib.import_module(f"simcore.{package}".rstrip("."))
    told = {name: home for home, name in ours(FILES[package]) if home != "first_use"}
    assert {name: home.removeprefix("simcore.") for name, home in module.homes.items()} == told
    assert set(module.__all__) - told.keys() <= {name for name in module.__all__ if f"{package}.{name}" in FILES}
    assert told.keys() <= set(module.__all__)


@pytest.mark.parametrize("name", simcore.__all__)
def test_a_public_name_exists_and_has_a_docstring(name):
    thing = getattr(simcore, name)
    if isinstance(thing, GenericAlias):  # which has none of its own: `docs/reference.md` says what it is
        return
    documented = inspect.getdoc(thing)
    assert documented is not None
    assert not documented.startswith(f"{name}("), "a dataclass that only has the docstring Python makes for it"


@pytest.mark.parametrize("name", simcore.__all__)
def test_the_public_methods_of_a_public_name_have_docstrings(name):
    thing = getattr(simcore, name)
    for attribute, member in vars(thing).items() if inspect.isclass(thing) else ():
        if not attribute.startswith("_") and (inspect.isfunction(member) or isinstance(member, property)):
            assert inspect.getdoc(member), f"{name}.{attribute}"


# ---- budgets -----------------------------------------------------------------------------------------


def lengths():
    """Return the length of every function of the framework, its docstring not counted."""
    found = {}
    for module, path in FILES.items():
        for node in ast.walk(tree(path)):
            if isinstance(node, ast.FunctionDef):
                first = node.body[0]
                told = isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant)
                docstring = first.end_lineno - first.lineno + 1 if told and isinstance(first.value.value, str) else 0
                found[f"{module}:{node.name}:{node.lineno}"] = node.end_lineno - node.lineno + 1 - docstring
    return found


def test_functions_are_short():
    found = sorted(lengths().values())
    assert median(found) <= 6
    assert quantiles(found, n=10)[-1] <= 25


def test_at_most_one_function_passes_60_lines():
    assert len([name for name, length in lengths().items() if length > 60]) <= 1


@pytest.mark.parametrize(("module", "path"), MODULES)
def test_a_module_has_at_most_400_lines(module, path):
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 400


def test_a_file_of_tests_has_at_most_400_lines():
    lengths = {path.name: len(path.read_text(encoding="utf-8").splitlines()) for path in (ROOT / "tests").rglob("*.py")}
    assert not {name: length for name, length in lengths.items() if length > 400}


def test_no_two_files_of_tests_have_one_name():
    """As pytest would take the second for the first."""
    names = [file.name for file in (ROOT / "tests").rglob("*.py") if file.name not in ("__init__.py", "conftest.py")]
    assert len(names) == len(set(names)), sorted(name for name in set(names) if names.count(name) > 1)
