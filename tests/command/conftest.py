"""Commands run in the process of the test, with everything that they change put back."""

from __future__ import annotations

import signal
import sys
from pathlib import Path

import pytest
from command_line import SYSTEMS, Run
from small_library import LOCKS, MORE

from simcore.command.cli import main


@pytest.fixture
def simcore(capsys, monkeypatch):
    """Run the command line in this process, with everything that it changes put back."""
    monkeypatch.setattr(sys, "path", list(sys.path))
    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}

    def run(*arguments: str) -> Run:
        with pytest.raises(SystemExit) as left:
            main(arguments)
        return Run(left.value.code, *capsys.readouterr())

    yield run
    for number, handler in handlers.items():
        signal.signal(number, handler)


@pytest.fixture
def here(tmp_path, monkeypatch):
    """A working directory with modules of its own."""
    before = set(sys.modules)
    (tmp_path / "systems.py").write_text(SYSTEMS)
    (tmp_path / "unfinished.py").write_text("def model(:\n")
    (tmp_path / "raising.py").write_text("raise RuntimeError('at import')\n")
    (tmp_path / "lacking.py").write_text("import no_such_package\n")
    (tmp_path / "leaving.py").write_text("import sys\nsys.exit(0)\n")
    (tmp_path / "unlinked.py").write_text("REPORT = 3\n")
    monkeypatch.chdir(tmp_path)
    yield tmp_path
    for name in set(sys.modules) - before:
        if getattr(sys.modules[name], "__file__", None) and str(tmp_path) in str(sys.modules[name].__file__):
            del sys.modules[name]


@pytest.fixture
def library(tmp_path, monkeypatch):
    """A working directory with a package; call it with names of `OF` to let another module make these claims."""
    before = set(sys.modules)
    folder = tmp_path / "library"
    folder.mkdir()
    (folder / "__init__.py").write_text("")
    (folder / "locks.py").write_text(LOCKS)
    (folder / "more.py").write_text(MORE)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    handler = signal.getsignal(signal.SIGTERM)

    def claim(*names: str) -> None:
        (folder / "more.py").write_text(f"{MORE}\nCLAIMS = [claim for name in {names} for claim in OF[name]]\n")

    yield claim
    signal.signal(signal.SIGTERM, handler)
    for name in set(sys.modules) - before:
        if name.partition(".")[0] == "library":
            del sys.modules[name]


@pytest.fixture
def matrix(library, capsys):
    """Run the command in this process, the claims too unless it is told another number of jobs."""

    def run(*arguments: str, jobs: int = 1) -> Run:
        with pytest.raises(SystemExit) as left:
            main(("matrix", "library", "--out", "out", "--jobs", str(jobs), *arguments))
        return Run(left.value.code, *capsys.readouterr())

    return run


@pytest.fixture
def reproduce(capsys, monkeypatch, tmp_path):
    """Write a report and run the command on it in this process; return exit status, output, complaint."""
    monkeypatch.setattr(sys, "path", list(sys.path))
    handler = signal.getsignal(signal.SIGTERM)

    def run(text: str, *arguments: str, out: Path | None = None) -> tuple[int, str, str]:
        file = tmp_path / "small.toml"
        file.write_text(text)
        with pytest.raises(SystemExit) as left:
            main(["reproduce", str(file), "--out", str(out or tmp_path / "out"), *arguments])
        return left.value.code, *capsys.readouterr()

    yield run
    signal.signal(signal.SIGTERM, handler)
