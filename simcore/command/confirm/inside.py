"""What runs in an environment: one question is read, and one answer is written, both as JSON.

It has simcore from `carried.py`, and the released package from pip.
"""

from __future__ import annotations

import json
import os
import sys
from typing import Any

from simcore.command.controlled import controlled_json
from simcore.control import Named, control, find, replay
from simcore.errors import SimcoreError
from simcore.model import Origin


def answer(question: dict[str, Any]) -> dict[str, Any]:
    """Run a program under many schedules, or along one: a ``token``."""
    function, parameters = question["function"], question["parameters"]
    try:
        body = Named(find(function, parameters), Origin(function, parameters), question["again"])
        token = question.get("token")
        result = replay(token, body) if token else control(body, **question["options"])
    except SimcoreError as error:
        return {"mistake": " ".join(str(error).split())}
    return {"mistake": "", "result": controlled_json(result), "report": str(result)}


def main() -> None:
    """Answer what stands on standard input; what the package prints on its own goes elsewhere."""
    answers = os.dup(1)
    os.dup2(2, 1)
    found = answer(json.load(sys.stdin))
    with open(answers, "w", encoding="utf-8") as file:
        json.dump(found, file)


if __name__ == "__main__":
    main()
