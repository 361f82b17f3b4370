"""Program points are read from the interpreter, so they are tested on every interpreter that there is.

They are looked for in the folders that ``SIMCORE_PYTHONS`` names, with ``bin/python3.14`` and so on in them, on the
path, and in pyenv.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

RUNNER = Path(__file__).with_name("run_process.py")
TESTED = ((3, 11), (3, 12), (3, 13), (3, 14), (3, 15))


def pyenv_root():
    """Return where pyenv keeps its interpreters, or None without pyenv."""
    if shutil.which("pyenv") is None:
        return None
    found = subprocess.run(["pyenv", "root"], capture_output=True, text=True, check=True)
    return Path(found.stdout.strip()) / "versions"


def interpreters():
    """Return one interpreter per tested version, this one included."""
    found = {sys.version_info[:2]: sys.executable}
    for version in TESTED:
        for candidate in candidates("{}.{}".format(*version)):
            if version not in found and works(candidate, "{}.{}".format(*version)):
                found[version] = candidate
    return list(found.values())


def named_folders():
    """Return the folders that the environment names."""
    return [folder for folder in os.environ.get("SIMCORE_PYTHONS", "").split(os.pathsep) if folder]


def candidates(version):
    """Return where an interpreter of this version may be."""
    named = [Path(folder) / "bin" / f"python{version}" for folder in named_folders()]
    root, on_path = pyenv_root(), shutil.which(f"python{version}")
    kept = [] if root is None else sorted(root.glob(f"{version}.*/bin/python"))
    return [str(path) for path in [*named, *kept] if path.exists()] + ([on_path] if on_path else [])


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
    for folder in named_folders():
        assert any(path.startswith(folder) for path in found), f"SIMCORE_PYTHONS: no tested Python is in {folder}/bin"
