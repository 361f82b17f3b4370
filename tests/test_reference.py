"""`docs/reference.md` and the code say the same: what there is is on the page, and what is on the page is there.

A section of the page has one table, whose first column holds code: functions with their parameters and defaults, names
that can be read, options, words. `in_code` has the same of each section from the code, and the two are compared.
For what a user holds the code's side is `dir`, so `dir(lock)` shows what the page says of a lock, and no more.
"""

from __future__ import annotations

import builtins
import inspect
import pkgutil
import re
from enum import Enum
from functools import cache
from types import FunctionType
from typing import Any, NamedTuple, get_args

import click
import pytest
from held import everything, held, objects, ready
from test_docs import ROOT

import simcore
from simcore import (
    assert_pool_safe,
    control,
    errors,
    execute,
    explore,
    model,
    odds,
    properties,
    prove,
    replay,
    simulate,
    stateful,
    sweep,
)
from simcore.command import cli, options, pytest_plugin, stepping
from simcore.command.confirm import Confirmed
from simcore.command.controlled import controlled_json
from simcore.command.property import read_property
from simcore.explore.driver import StrategyName
from simcore.model.operations import Raised, SharedObject
from simcore.report import as_json, execution_json, page, simulation_json
from simcore.simulate import Simulation, exponential, lognormal, uniform
from simcore.sizes import advise, chart, machine_table

PAGE = (ROOT / "docs" / "reference.md").read_text(encoding="utf-8")
NOT_HERE = "What is not here"
CODE = re.compile(r"`([^`]+)`")


class Section(NamedTuple):
    """What stands below a heading, without its blocks: the text, and the rows of the table, as cells."""

    text: str
    rows: list[list[str]]

    @property
    def entries(self) -> list[str]:
        return [CODE.fullmatch(row[0])[1] for row in self.rows]


def read(page: str) -> dict[str, Section]:
    parts = re.split(
        r"^#+ (.+)\n", re.sub(r"^```.*?^```$", "", page, flags=re.MULTILINE | re.DOTALL), flags=re.MULTILINE
    )
    found = {}
    for heading, text in zip(parts[1::2], parts[2::2], strict=True):
        assert heading not in found, f"two sections are called {heading}"
        rows = [line.strip("|").replace(r"\|", "\0").split("|") for line in text.splitlines() if line.startswith("|")]
        cells = [[cell.strip().replace("\0", "|") for cell in row] for row in rows]
        found[heading] = Section(text, cells[2:])
    return found


SECTIONS = read(PAGE)


# ---- what there is, by section -------------------------------------------------------------------------


def told(name: str, function: Any) -> str:
    """Return ``name(parameters)``, with their defaults, as the page writes it."""
    return f"{name}({', '.join(parameters(function))})"


def parameters(function: Any) -> list[str]:
    """Return the parameters as they stand between the brackets, without a method's self."""
    found, named_only = [], False
    for parameter in inspect.signature(function).parameters.values():
        if parameter.name == "self":
            continue
        named_only |= parameter.kind is parameter.VAR_POSITIONAL
        if parameter.kind is parameter.KEYWORD_ONLY and not named_only:
            named_only = True
            found.append("*")
        text = str(parameter.replace(annotation=parameter.empty))
        found.append(re.sub(r"'([^']*)'", r'"\1"', text))
    return found


def options_of(function: Any) -> list[str]:
    return [parameter for parameter in parameters(function) if parameter != "*"]


def shown(thing: Any) -> list[str]:
    """Return what `dir` shows of a thing, functions with their parameters; what every tuple has is nothing of ours."""
    names = {name for name in dir(thing) if not name.startswith("_")}
    names -= set(dir(tuple)) if isinstance(thing, tuple) else set()
    return [told(name, getattr(thing, name)) if callable_of(thing, name) else name for name in names]


def callable_of(thing: Any, name: str) -> bool:
    return isinstance(inspect.getattr_static(type(thing), name, None), FunctionType | classmethod)


def functions(*given: Any) -> list[str]:
    return [told(function.__name__, function) for function in given]


def words(names: Any) -> list[str]:
    return [f'"{name}"' for name in names]


def option(parameter: click.Parameter) -> str:
    """Return an argument or an option as the page writes it."""
    if isinstance(parameter, click.Argument):
        return parameter.name.upper() if parameter.required else f"[{parameter.name.upper()}]"
    kind = parameter.type
    choices = f"[{'|'.join(kind.choices)}]" if isinstance(kind, click.Choice) else kind.name.upper()
    value = "" if parameter.is_flag else f" {parameter.metavar or choices}"
    return parameter.opts[0] + value


def standard(parameter: click.Parameter) -> str:
    """Return the default of an option as the page writes it."""
    said = getattr(parameter, "show_default", None)
    if isinstance(said, str):
        return said
    value = parameter.to_info_dict()["default"]
    return "" if value is None or value is False or parameter.required or parameter.multiple else str(value)


def plugin_options() -> list[str]:
    """Return the options that the plugin gives to pytest."""
    found: list[str] = []

    class Parser:
        def getgroup(self, *_: str) -> Parser:
            return self

        def addoption(self, name: str, *, metavar: str, **_: Any) -> None:
            found.append(f"{name} {metavar}")

    pytest_plugin.pytest_addoption(Parser())
    return found


GROUP_CONTEXT = click.Context(cli.cli)
COMMANDS = {
    f"simcore {name}": cli.cli.get_command(GROUP_CONTEXT, name) for name in cli.cli.list_commands(GROUP_CONTEXT)
}
GROUP = [parameter for parameter in cli.cli.params if parameter.name == "version"]


@cache
def in_code() -> dict[str, list[str]]:
    """Return what each section's table must hold."""
    temporal = [getattr(simcore, name) for name in simcore.__all__]
    temporal = [each for each in temporal if getattr(each, "__annotations__", {}).get("return") == "Property"]
    errors_ = [name for name, thing in vars(errors).items() if inspect.isclass(thing) and issubclass(thing, Exception)]
    return {
        **{name: shown(thing) for name, thing in held().items()},
        **{name: functions(*(getattr(thing, each) for each in thing.offered)) for name, thing in objects().items()},
        "sleep and choose": functions(simcore.sleep, simcore.choose),
        "simcore": [*map(option, GROUP)],
        "Of simcore": functions(*temporal),
        "Of simcore.properties": functions(*(getattr(properties, name) for name in properties.__all__)),
        "explore": options_of(explore),
        "simulate": options_of(simulate),
        "execute": options_of(execute),
        "control": options_of(control),
        "replay": options_of(replay),
        "Sweeps": options_of(sweep),
        "Laws for every size": options_of(prove),
        "How often": options_of(odds),
        "Gate": options_of(assert_pool_safe),
        "Charts": options_of(chart),
        "Machines": [
            each.partition("formulas=")[0] + "formulas=FORMULAS" * ("formulas=" in each)
            for each in options_of(machine_table)
        ],
        "Which repair": options_of(advise),
        "Strategies": words(get_args(StrategyName)),
        "Rules for time-outs": words(model.RULES),
        "Delays": functions(exponential, uniform, lognormal),
        "simcore.stateful": functions(*(getattr(stateful, name) for name in stateful.__all__ if name.islower())),
        "simcore.report.page": functions(*(getattr(page, name) for name in page.__all__ if name != "Film")),
        "Verdict": list(simcore.Verdict.__members__),
        "Status": words(get_args(inspect.get_annotations(Simulation, eval_str=True)["status"])),
        "simcore_explore": options_of(pytest_plugin.Explorer.__call__),
        "Options of pytest": plugin_options(),
        "simcore.errors": errors_,
        "Command line": list(map(str, {*options.STATUS_OF.values(), options.USAGE, cli.INTERRUPTED, cli.CLOSED})),
        **{name: [option(each) for each in command.params] for name, command in COMMANDS.items()},
        "JSON": ["explore", "simulate", "execute", "control", "confirm", "replay"],
    }


# ---- the page and the code -----------------------------------------------------------------------------


@pytest.mark.parametrize("heading", [name for name, section in SECTIONS.items() if section.rows and name != NOT_HERE])
def test_a_table_holds_what_there_is_and_nothing_else(heading):
    assert sorted(SECTIONS[heading].entries) == sorted(in_code()[heading])


def test_there_is_a_section_for_everything():
    assert in_code().keys() <= SECTIONS.keys()


def test_every_object_is_looked_at():
    made = {function.__annotations__["return"] for name, function in FACTORIES.items()}
    assert objects().keys() == made
    classes = {type(thing) for thing in objects().values()}
    assert {kind for kind in every_kind(SharedObject) if kind.kind != "local"} == classes


def every_kind(of: type) -> set[type]:
    return {
        kind
        for each in of.__subclasses__()
        for kind in {each, *every_kind(each)}
        if "simcore.model." in kind.__module__
    }


FACTORIES = {
    name: function
    for name, function in vars(simcore.Model).items()
    if getattr(function, "__annotations__", {}).get("return") in vars(model.objects) and not name.startswith("_")
}


@pytest.mark.parametrize("name", objects())
def test_an_object_shows_its_operations_and_what_it_was_made_with(name):
    section, thing = SECTIONS[name].text, objects()[name]
    attributes = CODE.findall(re.search(r"Attributes: (.*?)\. Value", section, re.DOTALL)[1])
    assert dir(thing) == sorted([entry.partition("(")[0] for entry in SECTIONS[name].entries] + attributes)
    for attribute in attributes:
        getattr(thing, attribute)


@pytest.mark.parametrize("name", objects())
def test_what_happens_when_the_time_is_up_is_said(name):
    thing = objects()[name]
    for row in SECTIONS[name].rows:
        method = getattr(thing, CODE.match(row[0])[1].partition("(")[0])
        limited = "timeout" in inspect.signature(method).parameters
        assert limited == bool(row[-1])
        if limited and hasattr(thing, f"expire_{method.__name__}"):
            needed = [each for each in inspect.signature(method).parameters.values() if each.default is each.empty]
            operation = method(*("x" for each in needed if each.kind is not each.VAR_POSITIONAL))
            ((_, result),) = thing.expired(thing.initial, operation, None)
            said = f"raises {result.type.__name__}" if isinstance(result, Raised) else str(result)
            assert row[-1].replace("queue.", "").replace("`", "") == said


@pytest.mark.parametrize(("factory", "function"), FACTORIES.items(), ids=FACTORIES)
def test_an_object_says_how_it_is_made_and_what_its_value_is(factory, function):
    name = function.__annotations__["return"]
    said = SECTIONS[name].text
    assert f"Made by `{told(f'model.{factory}', function)}`" in said
    value = objects()[name].initial
    if isinstance(value, tuple) and hasattr(value, "_fields") and name != "Condition":
        assert f"`{type(value).__name__}({', '.join(value._fields)})`" in said


@pytest.mark.parametrize("name", simcore.__all__)
def test_every_public_name_is_on_the_page(name):
    assert name in SECTIONS or re.search(rf"`{name}\b", PAGE)


def test_every_public_class_is_held():
    classes = {name for name in simcore.__all__ if inspect.isclass(getattr(simcore, name))}
    others = {name for name in classes if issubclass(getattr(simcore, name), Exception | Enum)}
    assert classes - others - {"ProcessGenerator"} <= held().keys()


@pytest.mark.parametrize("name", ["explore", "simulate", "execute", "control", "confirm", "simcore replay"])
def test_the_members_of_the_json_object_are_listed(name):
    run = {
        "explore": lambda: as_json(explore(ready())),
        "simulate": lambda: simulation_json(simulate(ready())),
        "execute": lambda: execution_json(execute(ready())),
        "control": lambda: controlled_json(held()["Controlled"]),
        "confirm": lambda: Confirmed("", [], 0.0).as_json(),
        "simcore replay": lambda: console_json(explore(everything()).counterexample.schedule),
    }[name]
    listed = dict(zip(SECTIONS["JSON"].entries, SECTIONS["JSON"].rows, strict=True))[name.removeprefix("simcore ")][1]
    assert CODE.findall(listed.partition(";")[0]) == list(run())


@pytest.mark.parametrize("name", COMMANDS)
def test_the_defaults_of_a_command_are_right(name):
    said = {row[0].strip("`"): row[1] for row in SECTIONS[name].rows}
    assert said == {option(each): standard(each) for each in COMMANDS[name].params}


def test_the_properties_of_the_command_line_are_right():
    said = " ".join(SECTIONS["simcore explore"].text.split())
    for spec in re.findall(r"`'([^`]+)'`", said):
        read_property(spec)
    modules = {module.name for module in pkgutil.iter_modules(properties.__path__)}
    assert set(CODE.findall(said.partition("have short names:")[2])) == modules


def test_an_error_says_what_it_is():
    for row in SECTIONS["simcore.errors"].rows:
        bases = [base.__name__ for base in getattr(errors, row[0].strip("`")).__bases__]
        assert row[1] == ", ".join(bases)


def test_the_kind_of_a_property_is_right():
    made = {
        "deadlock_free": (), "no_stuck_subset": (), "completes": ("a",), "ended_by": ("a", "b"), "idle_by": ("a", "b"),
        "within_capacity": ({},), "backlog_within": ({},), "in_order": ("a", 1), "nothing_lost_or_duplicated": ("a", 1),
        "resolved_once": (), "no_self_deadlock": (), "lock_order_acyclic": (),
    }  # fmt: skip
    kinds = {row[0].strip("`").partition("(")[0]: row[2] for row in SECTIONS["Of simcore.properties"].rows}
    assert kinds == {name: getattr(properties, name)(*arguments).kind for name, arguments in made.items()}


def test_what_the_text_calls_is_there():
    """A call or an option that is named between the tables is on a table, or is Python's."""
    entries = {
        entry for name, section in SECTIONS.items() if name != NOT_HERE and section.rows for entry in section.entries
    }
    known = {re.split(r"[( ]", entry)[0] for entry in entries} | set(dir(builtins)) | {"--help", "fn", "predicate"}
    known |= {
        "sweep",
        "prove",
        "odds",
        "assert_pool_safe",
        "machine_table",
        "chart",
        "advise",
        "repaired",
        *held(),
        *objects(),
        "LockValue",
        "FutureValue",
        "LinkValue",
        "PoolValue",
        "Task",
        "Raised",
    }
    first_column = {row[0] for row in SECTIONS[NOT_HERE].rows}
    for section in SECTIONS.values():
        for line in section.text.splitlines():
            said = (
                line if line.partition("|")[2].partition("|")[0].strip() not in first_column else line.split("|", 2)[2]
            )
            for span in CODE.findall(said):
                for call in re.findall(r"(?<![-\w.])(--[\w-]+)|(\w+)\(", span):
                    assert (call[0] or call[1]) in known, f"{call} in {line}"


def test_links_lead_to_sections():
    anchors = {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in SECTIONS}
    assert set(re.findall(r"\]\(#([^)]+)\)", PAGE)) <= anchors


# ---- this file -----------------------------------------------------------------------------------------


def console_json(schedule: simcore.Schedule) -> Any:
    import json

    return json.loads(stepping.stepped(everything(), schedule, True)[1])


def test_a_section_is_its_text_and_its_rows():
    page = "# A\n\n### B\n\nText.\n\n| | x |\n|---|---|\n| `c(d=1)` | e \\| f |\n\n```python\n# not\n```\n### C\n"
    assert read(page)["B"].rows == [["`c(d=1)`", "e | f"]]
    assert read(page)["B"].entries == ["c(d=1)"]
    assert read(page)["C"].rows == []
