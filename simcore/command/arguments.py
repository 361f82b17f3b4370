"""What the arguments of the command line mean: a model and its parameters; and what there is to name.

Whatever cannot be understood is one line that names it, says why, and shows how to write it.
"""

from __future__ import annotations

import inspect
import pkgutil
import re
import shlex
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from pathlib import Path
from textwrap import TextWrapper
from types import ModuleType
from typing import Any

from simcore.command.reproduce import library, load
from simcore.command.values import convert, read_parameters
from simcore.errors import ModelError, OptionError
from simcore.model import Model, Origin, build, import_module, model_function, models_of
from simcore.simulate import Delay, exponential, lognormal, uniform


def build_model(model: str, parameters: Sequence[str]) -> Model:
    """Return the model ``package.module:function``, called with the ``name=value`` texts of ``parameters``."""
    given = read_parameters(parameters)
    function = model_function(model)
    return build(Origin(model, {name: convert(text, name, function, model) for name, text in given.items()}))


_DELAY = re.compile(r"(.+?)=((?:[^=()]*|\s*\w+\(.*))$")
_DRAWN = re.compile(r"(\w+)\(([^()]*)\)$")
_DELAYS = {draw.__name__: draw for draw in (exponential, uniform, lognormal)}


def read_delay(text: str) -> tuple[str, Delay]:
    """Return the name and the delay of ``name=seconds``, or ``name=exponential(mean)`` and the like."""
    found = _DELAY.match(text)
    if found is None:
        raise OptionError(f"{text!r}: write name=seconds")
    name, delay = found[1], found[2].strip()
    drawn = _DRAWN.match(delay)
    try:
        if drawn is None:
            return name, float(delay)
        return name, _DELAYS[drawn[1]](*map(float, drawn[2].split(",")))
    except (KeyError, TypeError, ValueError):
        *most, last = (f"{name}({', '.join(inspect.signature(draw).parameters)})" for name, draw in _DELAYS.items())
        raise OptionError(
            f"{text!r}: {delay!r} is no delay; write a number of seconds, {', '.join(most)} or {last}"
        ) from None


def modules(package: str) -> Iterator[ModuleType]:
    """Yield a package and the modules in it."""
    root = import_module(package)
    yield root
    for found in pkgutil.iter_modules(getattr(root, "__path__", ())):
        if not found.ispkg:
            yield import_module(f"{root.__name__}.{found.name}")


def described(module: ModuleType) -> Iterator[dict[str, Any]]:
    """Yield what there is to know of each model function of ``module``, as plain data.

    That is its name, the bug (the first line of the module), what it is about (its own first line), its
    parameters, the addresses of the report, and the commands that reproduce it.
    """
    links, commands = _links(module), _commands(module)
    for name in models_of(module):
        function = getattr(module, name)
        model = f"{module.__name__}:{name}"
        yield {
            "model": model,
            "bug": _first_line(module),
            "about": _first_line(function),
            "parameters": parameters_of(function),
            "report": links,
            "reproduce": commands.get(model, []),
        }


def parameters_of(function: Callable[..., Any]) -> list[dict[str, Any]]:
    """Return name, default and meaning of each parameter; no default where one is needed, text if it is not plain.

    A docstring that says "the parameters of `other`" takes the meanings of that function of its module, too.
    """
    doc = inspect.getdoc(function) or ""
    other = _INHERITED.search(doc)
    inherited = getattr(inspect.getmodule(function), other[1], None) if other else None
    meanings = _meanings(inspect.getdoc(inherited) or "") | _meanings(doc)
    found = []
    for parameter in inspect.signature(function).parameters.values():
        about: dict[str, Any] = {"name": str(parameter.replace(annotation=parameter.empty, default=parameter.empty))}
        if parameter.default is not parameter.empty:
            plain = parameter.default is None or isinstance(parameter.default, int | float | str)
            about["default"] = parameter.default if plain else repr(parameter.default)
        found.append({**about, "meaning": meanings.get(parameter.name, "")})
    return found


def catalogue(rows: Iterable[Mapping[str, Any]], width: int) -> str:
    """Return what `described` has found as text of at most ``width`` columns, where words allow."""
    parts = []
    for module, group in groupby(rows, key=lambda row: row["model"].partition(":")[0]):
        functions = list(group)
        commands = dict.fromkeys(command for row in functions for command in row["reproduce"])
        lines = [module, *_wrapped(functions[0]["bug"], "  ", width)]
        lines += [f"  report: {link}" for link in functions[0]["report"]]
        lines += [f"  reproduce: {command}" for command in commands]
        parts.append("\n".join(lines))
        parts += ["\n".join(_function(row, width)) for row in functions]
    return "\n\n".join(parts)


def _function(row: Mapping[str, Any], width: int) -> Iterator[str]:
    yield from _wrapped(f"  {row['model']}  {row['about']}".rstrip(), "", width, "    ")
    given = [_given(parameter) for parameter in row["parameters"]]
    column = max(map(len, given), default=0) + 2
    for text, parameter in zip(given, row["parameters"], strict=True):
        yield from _wrapped(f"{text:<{column}}{parameter['meaning']}".rstrip(), "      ", width, " " * (6 + column))


def _given(parameter: Mapping[str, Any]) -> str:
    return f"{parameter['name']}={parameter['default']}" if "default" in parameter else parameter["name"]


def _wrapped(text: str, indent: str, width: int, behind: str | None = None) -> list[str]:
    """Break ``text`` between words, never inside one: it may be an address."""
    hanging = indent if behind is None else behind
    lines = TextWrapper(width, indent, hanging, break_long_words=False, break_on_hyphens=False)
    return lines.wrap(text)


def _first_line(thing: object) -> str:
    return (inspect.getdoc(thing) or "").partition("\n")[0]


_INHERITED = re.compile(r"[Tt]he parameters of `(\w+)`")
_SECTION = re.compile(r"^(\w[\w ]*)\n-{3,}\n", re.MULTILINE)
_ENTRY = re.compile(r"^(\S.*?)(?: *:.*)?$")


def _meanings(doc: str) -> dict[str, str]:
    """Return what the section Parameters of a docstring in numpy style says of each."""
    _, *sections = _SECTION.split(doc)
    body = dict(zip(sections[::2], sections[1::2], strict=True)).get("Parameters", "")
    meanings: dict[str, str] = {}
    names: list[str] = []
    for line in body.splitlines():
        entry = _ENTRY.match(line)
        if entry:
            names = [name.strip(" *") for name in entry[1].split(",")]
        elif line.strip():
            meanings |= {name: f"{meanings.get(name, '')} {line.strip()}".strip() for name in names}
    return {name: meaning.replace("``", "") for name, meaning in meanings.items()}


def _links(module: ModuleType) -> list[str]:
    """Return the addresses in the ``REPORT`` of a module: one text, or several."""
    links = getattr(module, "REPORT", ())
    links = (links,) if isinstance(links, str) else links
    if not isinstance(links, tuple | list) or not all(isinstance(link, str) for link in links):
        raise ModelError(f"{module.__name__}.REPORT is no address; write REPORT = 'https://...', or a tuple of them")
    return list(links)


def _commands(module: ModuleType) -> dict[str, list[str]]:
    """Return, for each model that a report file beside ``module`` names, the commands that reproduce it."""
    commands: dict[str, list[str]] = {}
    for path in sorted(Path(module.__file__).parent.glob("reports/*.toml")) if module.__file__ else ():
        report = load(path)
        here = path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path
        shown = path.stem if path.parent == library() else here
        for function in {report.before.function, report.after.function}:
            commands.setdefault(function, []).append(f"simcore reproduce {shlex.quote(str(shown))}")
    return commands
