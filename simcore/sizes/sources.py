"""What a sweep found may be used again while nothing has changed that it depends on; the digest is of all of that.

That is the function with whatever it reaches (`Teller`), the files of its module and of those that it imports, in
turn, what is asked and under which options, and the simcore and the Python that explored. A module that is installed,
and of another package than the function, is followed no further than its own file. What a function reads when it
runs, a file or an environment variable, is in no digest.
"""

from __future__ import annotations

import ast
import hashlib
import sys
from collections.abc import Iterator
from functools import cache
from importlib.util import find_spec, resolve_name
from pathlib import Path
from types import ModuleType
from typing import Any

from simcore.explore import Teller
from simcore.sizes.work import Task
from simcore.whose import is_the_users

_HOME = Path(__file__).parents[1]


def digest(task: Task) -> str:
    """Return 24 letters that differ where a sweep of ``task`` may find something else."""
    function, teller = task.subject.builder, Teller()
    asked = [(p.name, p.kind, *map(teller.told, (p.predicate, p.then, p.premise))) for p in task.properties()]
    whole = hashlib.sha256(repr([_engine(), sys.version, teller.told(function)]).encode())
    whole.update(repr([task.subject.name, asked, sorted(task.options.items())]).encode())
    for path in _files(getattr(function, "__module__", None) or ""):
        whole.update(f"{path.name} {_content(path)}".encode())
    return whole.hexdigest()[:24]


@cache
def _engine() -> str:
    """Return a digest of simcore itself, the library of models left out: who works on it changes no version."""
    paths = [path for path in sorted(_HOME.rglob("*.py")) if path.relative_to(_HOME).parts[0] not in _LIBRARY]
    return hashlib.sha256(b"".join(path.read_bytes() for path in paths)).hexdigest()


_LIBRARY = ("models", "properties")


def _content(path: Path) -> str:
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError:  # of a notebook, or typed in: what it reaches is told
        return ""


def _files(module: str) -> list[Path]:
    """Return the files of ``module`` and of what it imports, in turn, in a fixed order."""
    top, found, ahead = module.partition(".")[0], dict[str, Path](), [module]
    while ahead:
        name = ahead.pop()
        path = _path(name)
        if name in found or path is None:
            continue
        found[name] = path
        if is_the_users(str(path)) or name.partition(".")[0] == top:
            ahead += _imported(name, path)
    return [found[name] for name in sorted(found)]


def _path(name: str) -> Path | None:
    """Return the file of a module that may be the user's; None of the standard library's, and of the engine's."""
    top, _, rest = name.partition(".")
    if not name or top in sys.stdlib_module_names or (top == "simcore" and rest.partition(".")[0] not in _LIBRARY):
        return None
    module = sys.modules.get(name)
    file = getattr(module, "__file__", None) if isinstance(module, ModuleType) else _found(name)
    return Path(file) if file and file.endswith(".py") else None


def _found(name: str) -> Any:
    try:
        spec = find_spec(name)
    except (ImportError, ValueError, AttributeError):
        return None
    return None if spec is None else spec.origin


def _imported(name: str, path: Path) -> Iterator[str]:
    """Yield the names of modules that a module may import: of each import, what could be one."""
    try:
        tree = ast.parse(path.read_bytes())
    except (OSError, SyntaxError):
        return
    package = name if path.name == "__init__.py" else name.rpartition(".")[0]
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (part for alias in node.names for part in _with_packages(alias.name))
        elif isinstance(node, ast.ImportFrom):
            of = node.module or ""
            if node.level:
                of = resolve_name("." * node.level + of, package) if package else of
            yield from _with_packages(of)
            yield from (f"{of}.{alias.name}" for alias in node.names)


def _with_packages(name: str) -> Iterator[str]:
    parts = name.split(".")
    return (".".join(parts[: length + 1]) for length in range(len(parts)))
