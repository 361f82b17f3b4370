"""Runs a program in which some packages cannot be imported, as if nobody had installed them.

    python without.py numpy,scipy -m simcore explore ...
    python without.py matplotlib -c "..." ...

The process that runs the tests has loaded them, so what needs none of them is shown in another one. A package with "+"
before its name is there and broken: importing it fails with something else.
"""

from __future__ import annotations

import json
import os
import runpy
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

FAST = ("numpy", "scipy", "numba", "llvmlite")
EXTRAS = (*FAST, "matplotlib", "hypothesis", "pytest", "dask", "distributed", "nbclient", "ipykernel")


class Missing:
    """Finds nothing, and insists on it."""

    def __init__(self, names: Iterable[str]) -> None:
        self.names = set(names)

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> None:
        top = name.partition(".")[0]
        if top in self.names:
            raise ModuleNotFoundError(f"No module named {top!r}", name=top)
        if f"+{top}" in self.names:
            raise ImportError(f"{top} was built for another machine", name=f"{top}._core")


def run(*arguments: str, without: Iterable[str] = (), cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    """Run Python with these arguments, ``-m`` or ``-c`` first, without some packages."""
    command = [sys.executable, __file__, ",".join(without), *arguments]
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parent), "COLUMNS": "120"}
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=300, cwd=cwd, env=environment)


def answered(code: str, *, without: Iterable[str] = (), cwd: Path | None = None) -> Any:
    """Run code whose last line of output is JSON, and return what that says."""
    ran = run("-c", code, without=without, cwd=cwd)
    assert ran.returncode == 0, ran.stderr
    return json.loads(ran.stdout.splitlines()[-1])


def main(missing: str, how: str, what: str, *arguments: str) -> None:
    sys.meta_path.insert(0, Missing(missing.split(",")))
    sys.argv = [what, *arguments]
    if how == "-m":
        runpy.run_module(what, run_name="__main__", alter_sys=True)
    else:
        exec(compile(what, "<code>", "exec"), {"__name__": "__main__"})


if __name__ == "__main__":
    main(*sys.argv[1:])
