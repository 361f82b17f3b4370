"""The promises about structure: who may import whom, one door per package, true names, and budgets of size."""

from __future__ import annotations

import ast
import inspect
import sys
from pathlib import Path
from statistics import median, quantiles

import pytest

import simcore

ROOT = Path(__file__).parents[1]
RANKS = [
    {"errors", "children", "graph"},
    {"operations"},
    {"objects", "deadlines"},
    {"model", "limits"},
    {"freeze"},
    {"frozen_tasks"},
    {"mentions"},
    {"process"},
    {"state"},
    {"journal"},
    {"tables"},
    {"kernel"},
    {"schedule"},
    {"spec", "strategy", "delays", "enabling", "learned"},
    {"waitfor", "claim"},
    {"liveness", "waiting", "simulation"},
    {"reduction"},
    {"result", "shrink"},
    {"foresight", "knot", "lost"},
    {"monitor", "search"},
    {"fast"},
    {"runs", "no_return"},
    {"exploration"},
    {"checkpoint"},
    {"explore", "simulate", "execute", "promela"},
    {"report", "pictures"},
    {"reportfile"},
    {"reproduction"},
    {"stateful", "reproduce", "arguments"},
    {"matrix"},
    {"console"},
    {"pytest_plugin", "cli"},
]
"""Lowest first. A module imports from lower ranks only; those in one set are siblings and do not know each other."""

DOORS = {
    "simpy": {"simulate"},
    "threading": {"execute", "fast"},
    "_thread": {"execute"},
    "socket": {"execute"},
    "select": {"execute"},
    "selectors": {"execute"},
    "multiprocessing": {"children"},
    "asyncio": set(),
    "concurrent": {"execute", "objects"},
    "queue": {"execute", "objects"},
    "hypothesis": {"stateful"},
    "pytest": {"pytest_plugin"},
    "_pytest": {"pytest_plugin"},
    "networkx": {"waitfor"},
    "numba": {"fast"},
    "llvmlite": {"fast"},
    "numpy": {"checkpoint", "liveness", "lost", "fast"},
    "scipy": {"liveness"},
    "click": {"cli"},
    "rich": {"console", "report"},
    "matplotlib": {"pictures"},
}
"""Who may import what is not ours. ``objects`` names exceptions of the standard library, and starts no thread."""

CORE = {
    "errors",
    "operations",
    "objects",
    "model",
    "freeze",
    "mentions",
    "deadlines",
    "journal",
    "process",
    "state",
    "tables",
    "kernel",
    "schedule",
}

LAZY = {
    "pytest_plugin": "pytest imports it in every run, and most of those want nothing of it",
    "runs": "numpy and scipy take longer to import than a small model to explore, and most need neither",
    "explore": "numpy takes longer to import than a small model to explore, and only a checkpoint wants it",
    "waitfor": "networkx takes longer to import than a small model to explore, and a proof has no graph to show",
    "exploration": "numpy and LLVM take longer to import than a small model to explore, and only large ones want them",
    "reproduce": "matplotlib takes longer to import than most commands to run, and every command imports this module",
    "fast": "numba is wanted once on a machine, to compile, and takes longer to import than what it compiled",
}
"""Modules that may import inside a function, each with the reason."""


def sources(folder):
    """Return the files of a package by the name of their module, those of a subfolder by the folder's."""
    files = sorted((ROOT / folder).rglob("*.py"))
    return [(path.relative_to(ROOT / folder).parts[0].removesuffix(".py"), path) for path in files]


def imports(path):
    """Return (imported module, whether that is inside a function)."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    parents = {child: node for node in ast.walk(tree) for child in ast.iter_child_nodes(node)}
    for node in ast.walk(tree):
        names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        if isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: imports are absolute"
            names = [node.module]
            if node.module in ("simcore", "models", "properties"):
                names = [f"{node.module}.{alias.name}" for alias in node.names]
        yield from ((name, inside_function(node, parents)) for name in names)


def inside_function(node, parents):
    while node in parents:
        node = parents[node]
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            return True
    return False


def rank(module):
    found = [number for number, names in enumerate(RANKS) if module in names]
    assert found, f"simcore/{module} has no rank; give it one in RANKS, above everything that it imports"
    return found[0]


MODULES = [pytest.param(module, path, id=str(path.relative_to(ROOT))) for module, path in sources("simcore")]
INSIDE = [param for param in MODULES if param.values[0] != "__init__"]


@pytest.mark.parametrize(("module", "path"), INSIDE)
def test_a_module_imports_from_lower_ranks_only(module, path):
    for name, _ in imports(path):
        package, _, inner = name.partition(".")
        other = inner.partition(".")[0]
        if package == "simcore" and other != module:
            assert rank(other) < rank(module), f"{path.name} imports {name}, which is not of a lower rank"


@pytest.mark.parametrize(("module", "path"), MODULES)
def test_the_framework_knows_neither_models_nor_properties(module, path):
    assert not [name for name, _ in imports(path) if name.partition(".")[0] in ("models", "properties", "tests")]


@pytest.mark.parametrize(("module", "path"), MODULES)
def test_a_foreign_package_has_one_door(module, path):
    for name, _ in imports(path):
        top = name.partition(".")[0]
        if top in DOORS:
            assert module in DOORS[top], f"{path.name} imports {top}, whose door is {DOORS[top] or 'nowhere'}"


@pytest.mark.parametrize(("module", "path"), MODULES)
def test_what_is_imported_is_ours_the_standard_library_or_behind_a_door(module, path):
    known = sys.stdlib_module_names | set(DOORS) | {"simcore"}
    assert {name.partition(".")[0] for name, _ in imports(path)} <= known


@pytest.mark.parametrize(("module", "path"), [param for param in MODULES if param.values[0] in CORE])
def test_the_core_has_the_standard_library_alone_and_neither_clock_nor_chance(module, path):
    tops = {name.partition(".")[0] for name, _ in imports(path)}
    assert tops <= sys.stdlib_module_names | {"simcore"}
    assert not tops & {"time", "random", "secrets", "datetime"}


@pytest.mark.parametrize(("module", "path"), MODULES)
def test_nothing_is_imported_inside_a_function(module, path):
    assert module in LAZY or not [name for name, inside in imports(path) if inside]


def test_the_objects_take_exceptions_of_the_standard_library_and_no_thread():
    for module, path in sources("simcore"):
        if module == "objects":
            tree = ast.parse(path.read_text(encoding="utf-8"))
            froms = [node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
            taken = {alias.name for node in froms if node.module == "concurrent.futures" for alias in node.names}
            assert taken <= {"InvalidStateError", "CancelledError"}, path


def test_properties_know_the_framework_and_no_model():
    for _, path in sources("properties"):
        assert not [name for name, _ in imports(path) if name.partition(".")[0] in ("models", "tests")], path


def test_models_know_no_driver():
    drivers = {"explore", "simulate", "execute", "stateful", "cli", "pytest_plugin", "report", "pictures"}
    for _, path in sources("models"):
        used = {name.split(".")[1] for name, _ in imports(path) if name.startswith("simcore.")}
        assert not used & drivers, path


# ---- names -------------------------------------------------------------------------------------------


def test_the_public_names_are_sorted():
    assert simcore.__all__ == sorted(
        simcore.__all__, key=lambda name: (not name.isupper(), not name[0].isupper(), name)
    )


def test_the_public_names_are_about_twenty_five():
    assert len(simcore.__all__) <= 30


def test_the_public_names_are_what_the_package_declares():
    tree = ast.parse((ROOT / "simcore" / "__init__.py").read_text(encoding="utf-8"))
    declared = {
        alias.asname or alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("simcore")
        for alias in node.names
    }
    assert declared == set(simcore.__all__)


@pytest.mark.parametrize("name", simcore.__all__)
def test_a_public_name_exists_and_has_a_docstring(name):
    thing = getattr(simcore, name)
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
    for _, path in sources("simcore"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef):
                first = node.body[0]
                told = isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant)
                docstring = first.end_lineno - first.lineno + 1 if told and isinstance(first.value.value, str) else 0
                found[f"{path.name}:{node.name}:{node.lineno}"] = node.end_lineno - node.lineno + 1 - docstring
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
