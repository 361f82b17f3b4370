"""Program points are read from the interpreter, so they are tested on every interpreter that there is."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

RUNNER = Path(__file__).with_name("run_process.py")
TESTED = ((3, 11), (3, 12), (3, 13))


def pyenv_root():
    """Return where pyenv keeps its interpreters, or None without pyenv."""
    if shutil.which("pyenv") is None:
        return None
    found = subprocess.run(["pyenv", "root"], capture_output=True, text=True, check=True)
    return Path(found.stdout.strip()) / "versions"


def interpreters():
    """Return one interpreter per tested version, this one included."""
    root = pyenv_root()
    found = {sys.version_info[:2]: sys.executable}
    for major, minor in TESTED:
        candidates = [] if root is None else sorted(root.glob(f"{major}.{minor}.*/bin/python"))
        on_path = shutil.which(f"python{major}.{minor}")
        for candidate in [*map(str, candidates), *([on_path] if on_path else [])]:
            if (major, minor) not in found and works(candidate, f"{major}.{minor}"):
                found[major, minor] = candidate
    return list(found.values())


def works(interpreter, version):
    """Tell whether it runs and is of this version; a pyenv shim on the path may be neither."""
    asked = "import sys; print('%d.%d' % sys.version_info[:2])"
    answer = subprocess.run([interpreter, "-c", asked], capture_output=True, text=True, check=False)
    return answer.stdout.strip() == version


@pytest.mark.slow
def test_program_points_are_the_same_on_every_interpreter_there_is():
    found = interpreters()
    for interpreter in found:
        done = subprocess.run(
            [interpreter, "-I", "-W", "error", str(RUNNER)], capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, f"{interpreter}: {done.stdout}{done.stderr}"
        assert " 0 failed" in done.stdout
        assert done.stderr == ""
    if os.environ.get("CI") == "true" and pyenv_root() is not None:
        assert len(found) > 1, "pyenv is here, but no other tested version of Python is installed in it"
