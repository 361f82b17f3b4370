"""An environment is there as a whole or not at all: it is made beside its place, then renamed.

Only its ``python`` is used: that finds what is installed wherever it stands, while scripts remember where they were
made. Who makes one holds a lock meanwhile, which ends with his process; so what lies beside the place then was left by
one that was killed.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from simcore.errors import OptionError


def environment(folder: Path, requirements: Sequence[str]) -> Path:
    """Return the python of an environment that has ``requirements``, as pip understands them; it is made once.

    Parameters
    ----------
    folder : Path
        Where environments are kept.
    requirements : sequence of str
        Of whatever index pip is configured for.

    Raises
    ------
    OptionError
        When ``folder`` cannot be written, or the packages cannot be had.
    """
    about = repr((sys.version, sys.base_prefix, sorted(requirements)))
    place = folder.absolute() / hashlib.sha256(about.encode()).hexdigest()[:16]
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with _alone(place.with_name(f".{place.name}.lock")):
            if not place.exists():
                _make(place, requirements)
    except OSError as error:
        raise OptionError(f"{folder} cannot be written: {error.strerror}; name another place with --cache") from error
    return place / "bin" / "python"


@contextmanager
def _alone(lock: Path) -> Iterator[None]:
    with lock.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _make(place: Path, requirements: Sequence[str]) -> None:
    prefix, suffix = f".{place.name}.", ".partial"
    for left in place.parent.glob(f"{prefix}*{suffix}"):
        shutil.rmtree(left, ignore_errors=True)
    partial = Path(tempfile.mkdtemp(prefix=prefix, suffix=suffix, dir=place.parent))
    try:
        _run([sys.executable, "-m", "venv", str(partial)], "an environment cannot be made")
        install = ["install", "--quiet", "--disable-pip-version-check", "--no-input", *requirements]
        _run([str(partial / "bin" / "python"), "-m", "pip", *install], f"{' '.join(requirements)} cannot be had")
        os.rename(partial, place)
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def _run(command: Sequence[str], otherwise: str) -> None:
    outside = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "PYTHONHOME")}
    done = subprocess.run(command, env=outside, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)
    if done.returncode:
        told = [line for line in (done.stderr + done.stdout).splitlines() if line.strip()]
        errors = [line for line in told if line.startswith("ERROR")]
        why = (errors or told or [f"status {done.returncode}"])[-1]
        raise OptionError(f"{otherwise}: {why.removeprefix('ERROR: ')}")
