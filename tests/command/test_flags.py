"""The command line spells an option as one can write it there, wherever a message comes from."""

from __future__ import annotations

import ast
import inspect
import re
from pathlib import Path

import pytest

import simcore
from simcore import control, execute, explore, simulate, sweep
from simcore.command.cli import cli
from simcore.command.flags import flags_of, spelled
from simcore.sizes import advise

HOME = Path(simcore.__file__).parent
DRIVERS = (advise, control, execute, explore, simulate, sweep)
OPTIONS = {
    name
    for driver in DRIVERS
    for name, parameter in inspect.signature(driver).parameters.items()
    if parameter.kind is parameter.KEYWORD_ONLY
}
MARKED = re.compile(r"`[^`]*`")
UNMARKED = re.compile(rf"(?<![\w.])({'|'.join(sorted(OPTIONS))})=(?!=)")
FLAGS = {"max_states": "--max-states", "compact": "--compact", "no_symmetry": "--no-symmetry", "latency": "--latency"}


def flags(*names):
    command = cli.get_command(None, names[0])
    return flags_of(command)


def messages(path):
    """Yield the texts of a module that are no docstrings, with the line of each."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    told = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            told |= {id(part) for part in node.values}
            yield node.lineno, "".join(part.value if isinstance(part, ast.Constant) else "{}" for part in node.values)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in told:
            yield node.lineno, node.value


@pytest.mark.parametrize(
    ("message", "told"),
    [
        ("`max_states=100` was reached", "--max-states 100 was reached"),
        ("raise `max_states`, or", "raise --max-states, or"),
        ("`max_states=None` for no limit", "no --max-states for no limit"),
        ("`max_states='ten'`: use", "--max-states ten: use"),
        ("use `compact=True`", "use --compact"),
        ("or `compact=False`", "or no --compact"),
        ("add `symmetry=False`", "add --no-symmetry"),
        ("add `symmetry=True`", "add `symmetry=True`"),
        ("`latency={'a b': 0.01}`", "--latency 'a b=0.01'"),
        ("`latency['a']` names nothing", "--latency a names nothing"),
        ("broken\n      `max_states=\n      100` off", "broken\n      --max-states 100 off"),
        ("with `witness='short'`", "with `witness='short'`"),
        ("max_states=100, of a model (max_states=100)", "max_states=100, of a model (max_states=100)"),
        ("`del max_states`", "`del max_states`"),
    ],
)
def test_what_is_marked_as_an_option_is_spelled_as_a_flag_and_nothing_else(message, told):
    assert spelled(message, FLAGS) == told


def test_whoever_has_another_option_for_the_same_is_told_that():
    assert spelled("use `executor='here'`", flags("sweep")) == "use --jobs 1"
    assert spelled("use `executor='here'`", flags("explore")) == "use `executor='here'`"


@pytest.mark.parametrize("path", sorted(HOME.rglob("*.py")), ids=lambda path: str(path.relative_to(HOME)))
def test_every_message_marks_the_options_that_it_names(path):
    if path.is_relative_to(HOME / "command"):
        return  # which has flags, and claims, whose fields have the same names
    unmarked = [(line, text) for line, text in messages(path) if UNMARKED.search(MARKED.sub("", text))]
    assert unmarked == []


@pytest.mark.parametrize("option", ["max_states", "max_seconds", "max_memory", "cores", "checkpoint_every"])
def test_an_option_that_cannot_be_meant_is_named_by_its_flag(simcore, here, option):
    flag = f"--{option.replace('_', '-')}"
    run = simcore("explore", "systems:locks", "--checkpoint", "search.ck", flag, "-1")
    assert run.status == 2
    assert run.err.startswith(f"simcore: {flag} -1")
    assert option == "cores" or option not in run.err


def test_a_parameter_of_a_model_with_the_name_of_an_option_is_left_as_it_is(simcore, here):
    (here / "named.py").write_text(
        "from simcore import Model\n"
        "def of(*, seed: int = 3) -> Model:\n"
        "    model = Model('named')\n"
        "    lock = model.lock('lock')\n"
        "    def dies():\n"
        "        yield lock.acquire()\n"
        "        raise ValueError(f'with seed={seed}')\n"
        "    model.process('dies', dies)\n"
        "    return model\n"
    )
    run = simcore("explore", "named:of", "-p", "seed=5")
    assert "ValueError: with seed=5" in run.out
    assert "(seed=5)" in run.out


def test_an_object_says_it_as_python_does(simcore, here):
    run = simcore("explore", "systems:locks", "--max-states", "2", "--json")
    assert '"reason": "`max_states=2` was reached' in run.out
