"""Whose code a file has is one question, wherever a package lies and whoever has put it there."""

import json
import sysconfig
from pathlib import Path

import pytest

import simcore
from simcore.whose import is_installed, is_ours, is_standard, is_the_users

STANDARD, HOME = Path(json.__file__).parent.parent, Path(simcore.__file__).parent
WHOSE = {
    "ours": [HOME / "errors.py", HOME / "control" / "baton.py"],
    "standard": [json.__file__, "<frozen importlib._bootstrap>"],
    "installed": [
        Path(sysconfig.get_path("purelib")) / "theirs.py",
        Path(sysconfig.get_path("platlib")) / "theirs" / "part.py",
        STANDARD / "site-packages" / "theirs" / "__init__.py",
        STANDARD / "dist-packages" / "theirs.py",
        "/usr/lib/python3/dist-packages/theirs.py",
        "/home/somebody/.local/lib/python3.11/site-packages/theirs.py",
    ],
    "the user's": [__file__, f"{STANDARD}-of-mine/theirs.py", f"{HOME}-of-mine/theirs.py", "<stdin>"],
}


@pytest.mark.parametrize(("whose", "file"), [(whose, str(file)) for whose, files in WHOSE.items() for file in files])
def test_a_file_is_somebodys_and_nobody_elses(whose, file):
    asked = {"ours": is_ours, "standard": is_standard, "installed": is_installed, "the user's": is_the_users}
    assert {name for name, is_so in asked.items() if is_so(file)} == {whose}


def test_the_library_of_models_is_neither_ours_nor_the_users():
    for file in ("models", "properties"):
        assert not is_ours(str(HOME / file / "some.py"))
        assert not is_the_users(str(HOME / file / "some.py"))
