"""Every mistake is one line that says what is wrong, and leaves with status 2."""

from __future__ import annotations

import shutil
import subprocess
import sys

import pytest
from command_line import BUGGY, SYSTEMS, assert_one_line, token_of

ODD = """
from __future__ import annotations
import json
from collections.abc import Callable, Generator
from typing import Any, NewType, Optional, TypeVar
from simcore import Model, ProcessGenerator, sleep

NUMBER, TEXT, NOTHING = 3, "text", None
MODEL = Model("built already")
Thing, Named = TypeVar("Thing"), NewType("Named", int)
Made = Callable[[], Model]
Perhaps = Optional[Model]
one_more = lambda n: n + 1
unknown = lambda: 3

def web() -> Model:
    return Model("web")

def client():
    yield sleep(1)

async def later():
    return Model("later")

async def again():
    yield Model("again")

def of(lock, n):
    return Model("of")

def positional(n, /):
    return Model("positional")

def number():
    return 3
"""


# ---- mistakes ------------------------------------------------------------------------------------------

EACH = pytest.mark.parametrize("command", ["explore", "simulate", "execute"])


@EACH
@pytest.mark.parametrize(
    ("model", "words"),
    [
        ("simcore.models.pool_starvation", ("names no model", "package.module:function")),
        ("simcore.models.pool_starvation:", ("names no model",)),
        (":buggy", ("names no model",)),
        ("", ("names no model",)),
        ("simcore.models.no_such:buggy", ("no module 'simcore.models.no_such'",)),
        ("no_such_package.x:buggy", ("no module 'no_such_package'",)),
        ("simcore.models.pool_starvation:bugy", ("no model function 'bugy'", "buggy, fixed")),
        ("systems:locks:left", ("no model function", "locks")),
        ("unfinished:model", ("module unfinished cannot be imported: SyntaxError", "unfinished.py, line 1")),
        ("raising:model", ("module raising cannot be imported: RuntimeError: at import", "raising.py:1")),
        ("lacking:model", ("module lacking cannot be imported", "no_such_package")),
        ("leaving:model", ("module leaving cannot be imported: SystemExit",)),
        ("systems:nothing", ("systems:nothing returned a value of type NoneType, not a Model",)),
        ("systems:divides", ("systems:divides()", "ZeroDivisionError: division by zero", "systems.py:43 in divides")),
        ("systems:leaves", ("systems:leaves()", "SystemExit", "systems.py:")),
        ("systems:needs", ("systems:needs needs a value for its parameter 'n'",)),
        ("systems:SYSTEMS", ("no model function",)),
    ],
)
def test_a_wrong_model_is_one_line(simcore, here, command, model, words):
    assert_one_line(simcore(command, model), *words)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        *[(name, "a type") for name in ("ProcessGenerator", "Made", "Perhaps", "Thing", "Named")],
        *[(name, "a class") for name in ("Model", "Generator", "Any")],
        ("json", "a module"),
        ("NUMBER", "a value of type int"),
        ("TEXT", "a value of type str"),
        ("NOTHING", "a value of type NoneType"),
        ("MODEL", "a value of type Model"),
        ("client", "a generator function"),
        ("later", "an async function"),
        ("again", "an async function"),
    ],
)
def test_what_can_be_no_model_function_is_one_line(simcore, here, name, words):
    (here / "odd.py").write_text(ODD)
    run = simcore("explore", f"odd:{name}")
    assert_one_line(run, f"module odd has no model function {name!r} ({words}", "; it has web")
    assert_one_line(simcore("explore", "odd:web", "--property", f"odd:{name}"), f"'odd:{name}' is {words}", "Property")


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("one_more", "odd:one_more needs a value for its parameter 'n': -p n=..."),
        ("of", "odd:of needs a value for its parameter 'lock': -p lock=..."),
        ("positional", "odd:positional"),
        ("unknown", "odd:unknown returned a value of type int, not a Model; module odd has web"),
        ("number", "odd:number returned a value of type int, not a Model; module odd has web"),
    ],
)
def test_a_function_that_gives_no_model_is_one_line(simcore, here, name, words):
    (here / "odd.py").write_text(ODD)
    assert_one_line(simcore("explore", f"odd:{name}"), words)


@EACH
@pytest.mark.parametrize(
    ("given", "words"),
    [
        ("downlods=2", ("no parameter 'downlods'", "downloads, workers, chunks")),
        ("downloads", ("'downloads': write name=value",)),
        ("=2", ("write name=value",)),
        ("workers=abc", ("simcore.models.pool_starvation:buggy: 'abc'", "'workers'", "write a whole number")),
        ("workers=", ("'' is no value of its parameter 'workers'",)),
        ("workers=1.5", ("'workers'",)),
        ("downloads=-1", ("downloads=-1", "at least 0")),
        ("workers=0", ("workers",)),
        ("chunks=abc", ("'chunks'", "write a whole number or none")),
    ],
)
def test_a_wrong_parameter_is_one_line(simcore, command, given, words):
    assert_one_line(simcore(command, "simcore.models.pool_starvation:buggy", "-p", given), *words)


def test_a_parameter_given_twice_is_one_line(simcore):
    run = simcore("explore", "simcore.models.pool_starvation:buggy", "-p", "workers=1", "-p", "workers=2")
    assert_one_line(run, "'workers' is given twice")


def test_a_built_in_exception_names_the_function_its_parameters_and_the_line(simcore, here):
    run = simcore("explore", "systems:ranges", "-p", "n=1.5")
    assert_one_line(run, "systems:ranges(n=1.5)", "TypeError", "cannot be interpreted as an integer", "systems.py:")


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        ("nonsense", ("names no property; write package.module:function",)),
        ("no_stuck_subset()", ("names no property; write deadlock:no_stuck_subset()",)),
        ("completes(client)", ("names no property; write completion:completes(client)",)),
        ("simcore.properties.no_such:thing", ("simcore.properties.no_such",)),
        ("simcore.properties.deadlock:no_such", ("no_such",)),
        ("unfinished:thing", ("unfinished.py, line 1",)),
        ("systems:of_nothing", ("argument",)),
        ("systems:of_nothing(1)", ("is a int, not a Property",)),
        ("systems:of_locks", ("AttributeError", "no_such_thing", "systems.py:")),
    ],
)
def test_a_wrong_property_is_one_line(simcore, here, spec, words):
    assert_one_line(simcore("explore", "systems:dies", "--property", spec), *words)


@pytest.mark.parametrize(
    "arguments",
    [
        ("explore", "systems:locks", "--no-such-option"),
        ("explore", "systems:locks", "--max-states", "many"),
        ("explore", "systems:locks", "--max-states", "0"),
        ("explore", "systems:locks", "--max-memory", "0"),
        ("explore", "systems:locks", "--cores", "0"),
        ("explore", "systems:locks", "--compact"),
        ("explore", "systems:locks", "--checkpoint", "no/such/folder/file"),
        ("explore", "systems:locks", "--checkpoint", "systems.py"),
        ("explore", "systems:locks", "--checkpoint", "x.ck", "--checkpoint-every", "-1"),
        ("explore", "systems:locks", "--max-seconds", "nan"),
        ("explore", "systems:locks", "--strategy", "luck"),
        (
            "explore",
            "systems:locks",
            "--strategy",
            "depth",
            "--property",
            "simcore.properties.deadlock:no_stuck_subset",
        ),
        ("explore",),
        ("explore", "systems:locks", "systems:locks"),
        ("simulate", "systems:locks", "--until", "-1"),
        ("simulate", "systems:locks", "--latency", "a.acquire=fast"),
        ("simulate", "systems:locks", "--latency", "a.acquire=nan"),
        ("simulate", "systems:locks", "--latency", "a.aquire=1"),
        ("simulate", "systems:locks", "--load", "nobody=1"),
        ("execute", "systems:locks", "--max-seconds", "0"),
        ("execute", "systems:locks", "--max-seconds", "nan"),
        ("no-such-command",),
        ("--no-such-option",),
        ("list", "no_such_package"),
        ("list", "unfinished"),
        ("list", "unlinked"),
        ("matrix", "no_such_package"),
        ("matrix", "unfinished"),
        ("matrix", "systems"),
        ("matrix", "--jobs", "0"),
        ("replay",),
        ("reproduce",),
    ],
    ids=" ".join,
)
def test_a_wrong_option_or_command_is_one_line(simcore, here, arguments):
    assert_one_line(simcore(*arguments))


@pytest.mark.parametrize("driver", ["explore", "simulate", "execute"])
def test_a_corrupt_token_is_one_line(simcore, driver):
    token = token_of(simcore, *BUGGY)
    middle = len(token) // 2
    changed = token[:middle] + ("A" if token[middle] != "A" else "B") + token[middle + 1 :]
    for corrupt in ("", "sc1-", "sc2" + token[3:], token[:-1], token[:40], token + "A", changed, token.upper(), "é"):
        assert_one_line(simcore("replay", corrupt, "--on", driver), "token")


@pytest.mark.parametrize("gone", ["module", "function", "parameter"])
def test_a_token_of_a_model_that_is_gone_is_one_line(simcore, here, gone):
    token = token_of(simcore, "systems:locks")
    change = {"module": None, "function": ("def locks", "def keys"), "parameter": ("opposed: bool", "crossed: bool")}
    if change[gone] is None:
        (here / "systems.py").unlink()
    else:
        (here / "systems.py").write_text(SYSTEMS.replace(*change[gone]))
    del sys.modules["systems"]
    shutil.rmtree(here / "__pycache__", ignore_errors=True)
    assert_one_line(simcore("replay", token), {"module": "systems", "function": "keys", "parameter": "crossed"}[gone])


def test_a_token_of_a_model_that_has_changed_is_one_line(simcore, here):
    token = token_of(simcore, "systems:locks")
    changed = SYSTEMS.replace('model.lock("b")', 'model.lock("c")')
    (here / "systems.py").write_text(changed)
    del sys.modules["systems"]
    shutil.rmtree(here / "__pycache__", ignore_errors=True)
    assert_one_line(simcore("replay", token), "systems:locks", "another version")


def test_an_interrupt_while_it_is_loaded_is_one_line():
    loads = "import sys\nclass Interrupts:\n def find_spec(self, name, *_):\n"
    loads += "  if name == 'simcore.command.cli': raise KeyboardInterrupt\n"
    loads += "sys.meta_path.insert(0, Interrupts())\nimport simcore.__main__"
    ran = subprocess.run([sys.executable, "-c", loads], capture_output=True, text=True, timeout=60)
    assert (ran.returncode, ran.stdout, ran.stderr) == (130, "", "simcore: interrupted\n")
