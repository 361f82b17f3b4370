"""Each claim is tried in a process of its own, in the environment of its release; what was found, again in another.

What is seen in there comes back as plain data, so nothing of the package is ever imported here.
"""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import time
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from simcore.command.confirm.carried import carried, required
from simcore.command.confirm.claims import Claim, Claims
from simcore.command.confirm.environments import environment
from simcore.command.confirm.row import Confirmed, Row
from simcore.control import read
from simcore.errors import OptionError

_INSIDE = f"{__package__}.inside"


def confirm(
    claims: Claims,
    asked: Iterable[Claim],
    cache: Path,
    tell: Callable[[str], None],
    *,
    schedules: int | None = None,
    max_seconds: float | None = None,
) -> Confirmed:
    """Try claims.

    Parameters
    ----------
    asked : iterable of Claim
        Some of ``claims``.
    cache : Path
        Where environments are kept.
    tell : function
        Called with what is being done.
    schedules : int, optional
        At most so many for each.
    max_seconds : float, optional
        No schedule is begun after so many, for each, and none shortened.

    Raises
    ------
    OptionError
        When an environment cannot be made: then nothing was tried.
    """
    asked = list(asked)
    pythons = {}
    for release in dict.fromkeys(claim.release for claim in asked):
        tell(f"making the environment of {claims.required(release)}")
        pythons[release] = environment(cache, [*required(), claims.required(release)])
    started, rows = time.monotonic(), []
    with carried() as folder:
        for number, claim in enumerate(asked, 1):
            tell(f"{number} of {len(asked)}: {claim.text}, {claim.release}")
            inside = _Inside(pythons[claim.release], folder, _again(claims, claim.release))
            rows.append(_row(inside, claim, schedules, max_seconds))
    return Confirmed(claims.title, rows, time.monotonic() - started)


def replayed(claims: Claims, release: str, token: str, cache: Path) -> Mapping[str, Any]:
    """Follow a schedule of a release again; return what `simcore.command.confirm.inside` answers.

    Raises
    ------
    SimcoreError
        When it is no token, or cannot be followed.
    """
    origin = read(token).origin
    python = environment(cache, [*required(), claims.required(release)])
    with carried() as folder:
        found = _Inside(python, folder, _again(claims, release)).replay(origin.function, origin.parameters, token)
    if found["mistake"]:
        raise OptionError(found["mistake"])
    return found


def _again(claims: Claims, release: str) -> str:
    return f"simcore confirm {shlex.quote(claims.name)} --release {release} --replay"


def _row(inside: _Inside, claim: Claim, schedules: int | None, max_seconds: float | None) -> Row:
    started = time.monotonic()
    most = claim.schedules if schedules is None else min(schedules, claim.schedules)
    options = {"timeouts": claim.timeouts, "points": claim.points, "max_seconds": max_seconds, "schedules": most}
    found = inside.ask(claim.function, claim.parameters, options=options)
    result, replays = found.get("result", {}), True
    if not found["mistake"] and result["token"]:
        again = inside.replay(claim.function, claim.parameters, result["token"]).get("result", {})
        replays = all(again.get(key) == result[key] for key in ("kind", "raised", "schedule"))
    report, seconds = found.get("report", ""), time.monotonic() - started
    return Row(claim, result, report, replays, inside.again, found["mistake"], seconds)


class _Inside:
    """Asks `simcore.command.confirm.inside`, each time in a new process.

    Parameters
    ----------
    python : Path
        Of an environment.
    folder : Path
        In which simcore is.
    again : str
        The command that follows a schedule again.
    """

    def __init__(self, python: Path, folder: Path, again: str) -> None:
        self._command = [str(python), "-P", "-m", _INSIDE]
        path = os.pathsep.join([str(folder), os.getcwd()])
        self._environment = {**os.environ, "PYTHONPATH": path, "PYTHONHASHSEED": "0", "PYTHONDONTWRITEBYTECODE": "1"}
        self.again = again

    def replay(self, function: str, parameters: Mapping[str, Any], token: str) -> Mapping[str, Any]:
        return self.ask(function, parameters, token=token)

    def ask(self, function: str, parameters: Mapping[str, Any], **asked: Any) -> Mapping[str, Any]:
        question = {"function": function, "parameters": dict(parameters), "again": self.again, **asked}
        asks = partial(subprocess.run, capture_output=True, text=True, check=False)
        done = asks(self._command, env=self._environment, input=json.dumps(question))
        try:
            found: dict[str, Any] = json.loads(done.stdout)
        except ValueError:
            told = done.stderr.strip().splitlines() or [f"ended with status {done.returncode}"]
            return {"mistake": told[-1]}
        return found
