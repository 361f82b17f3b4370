"""The fixture `simcore_explore` explores a model in a test, and the test fails with the report.

    def test_the_pool_never_hangs(simcore_explore):
        simcore_explore(pool(workers=2))

pytest loads this file in every run of every project that has simcore installed. So it imports nothing but
pytest at its top, and the rest inside the functions that need it: the one file of the package that does so.

The token of a counterexample is kept in a file, under the cache of pytest, until the test passes again.
``--simcore-replay`` takes that file, or the token itself, and then the fixture follows that one schedule
instead of exploring.
"""

from __future__ import annotations

import argparse
import re
import sys
import zlib
from collections.abc import Iterator
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from simcore.command.pytest_pages import Pages
    from simcore.explore import Result
    from simcore.kernel import Kernel
    from simcore.model import Model, Property

_REPLAYED = "simcore replay"
PAGES = "simcore-pages"
_LONGEST_NAME = 120


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options."""
    group = parser.getgroup("simcore", "simcore: exploration of concurrent models")
    group.addoption(
        "--simcore-replay",
        metavar="TOKEN",
        help="follow the schedule of this replay token (or of the file that holds it) instead of exploring; "
        "tests of other models, and other tests, are skipped",
    )
    group.addoption(
        "--simcore-schedules",
        metavar="N",
        type=_number,
        help="run every test under N schedules of its threads, each in a process of its own, in virtual time",
    )
    group.addoption(
        "--simcore-timeouts",
        metavar="RULE",
        choices=("never", "when_stuck", "in_order", "anytime"),
        default="when_stuck",
        help="which time-outs fire in these schedules: never, when_stuck (the default), in_order or anytime",
    )
    group.addoption(
        "--simcore-points",
        metavar="POINTS",
        choices=("operations", "release", "lines", "instructions"),
        default="operations",
        help="where another thread may go on: before operations (the default), also after a release, at each line of "
        "the program, or at each of its instructions",
    )
    group.addoption(
        "--simcore-max-steps",
        metavar="N",
        type=_number,
        default=20_000,
        help="give such a schedule up after N steps (20000)",
    )
    group.addoption(
        "--simcore-html",
        metavar="FOLDER",
        help="write a page of each test that fails with a schedule to FOLDER; its failure says where it is",
    )
    group.addoption(
        "--simcore-max-seconds",
        metavar="S",
        type=_seconds,
        help="end every exploration of the simcore_explore fixture after at most S seconds, as undetermined; begin no "
        "other schedule of a test after so many",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Read the token before any test runs, so that a damaged one is a usage error."""
    given, of_code = config.getoption("--simcore-replay"), bool(config.getoption("--simcore-schedules"))
    if given is not None:
        config.option.simcore_replay, of_code = _token(given)
    pages = _pages(config, of_code)
    if of_code:
        from simcore.command.pytest_control import UnderControl

        config.pluginmanager.register(UnderControl(config, _keep, _name_of, pages), "simcore-control")


def _pages(config: pytest.Config, of_code: bool) -> Pages | None:
    """Return what writes pages, where it is asked for."""
    folder = config.getoption("--simcore-html")
    if folder is None:
        return None
    from simcore.command.pytest_pages import Pages

    def file_name(item: pytest.Item) -> str:
        return _file_name(_name_of(item))

    pages = Pages(Path(folder), file_name, lambda path: _relative(path, config.rootpath), named=not of_code)
    config.pluginmanager.register(pages, PAGES)
    return pages


def _token(given: str) -> tuple[str, bool]:
    """Return a token, or that which a file holds, and whether it is of a test, and not of a model."""
    from simcore.command.given_token import given_token
    from simcore.command.pytest_control import token_of_code
    from simcore.errors import SimcoreError
    from simcore.schedule import read_token

    try:
        token = given_token(given)
        if token_of_code(token) is not None:
            return token, True
        read_token(token)
    except SimcoreError as error:
        raise pytest.UsageError(f"--simcore-replay: {error}") from error
    return token, False


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Say what became of a schedule that was replayed and did not fail its test."""
    reports = [report for group in terminalreporter.stats.values() for report in group]
    lines = [line for report in reports for line in _replayed(report)]
    if lines:
        terminalreporter.section(_REPLAYED)
        for line in lines:
            terminalreporter.line(line)


@pytest.fixture
def simcore_explore(request: pytest.FixtureRequest) -> Explorer:
    """Explore a model and fail the test with the report when it is not proved: see `Explorer`."""
    return Explorer(request.node)


class Explorer:
    """What the fixture `simcore_explore` gives.

    Parameters
    ----------
    item : pytest.Item
        The test that asked for it.
    """

    def __init__(self, item: pytest.Item) -> None:
        self._item = item
        self._token: str | None = item.config.getoption("--simcore-replay")
        self._most_seconds: float | None = item.config.getoption("--simcore-max-seconds")

    def __call__(self, model: Model, *properties: Property, allow_undetermined: bool = False, **options: Any) -> Result:
        """Explore ``model`` and fail the test unless every property holds.

        Parameters
        ----------
        model : Model
            What to explore.
        *properties : Property
            What must hold; deadlock freedom when none is given.
        allow_undetermined : bool
            Let the test go on when the exploration was given up without an answer.
        **options
            As in `simcore.explore`. Of ``max_seconds`` and ``--simcore-max-seconds`` the smaller counts.

        Returns
        -------
        Result
            The result. In a replay that violates nothing it is undetermined, since a single schedule proves
            nothing.
        """
        __tracebackhide__ = True
        if self._token is not None:
            replayed = self._replay(model, properties, options)
            if replayed is not None:
                return replayed
        return self._explore(model, properties, allow_undetermined, options)

    def _explore(
        self, model: Model, properties: tuple[Property, ...], allow_undetermined: bool, options: dict[str, Any]
    ) -> Result:
        __tracebackhide__ = True
        from simcore.explore import explore
        from simcore.model import Verdict

        limits = [limit for limit in (self._most_seconds, options.pop("max_seconds", None)) if limit is not None]
        result = explore(model, *properties, max_seconds=min(limits, default=None), **options)
        if result.verdict is Verdict.VIOLATED:
            self._fail(result)
        if result.verdict is Verdict.UNDETERMINED and not allow_undetermined:
            asked_at = _asked_at(self._item.config.rootpath)
            pytest.fail(
                f"{result}\nasked at {asked_at}\nundetermined is not a pass: raise the limit, make the model smaller, "
                f"or say allow_undetermined=True",
                pytrace=False,
            )
        if result.verdict is Verdict.HOLDS:
            _token_file(self._item).unlink(missing_ok=True)
        return result

    def _replay(self, model: Model, properties: tuple[Property, ...], options: dict[str, Any]) -> Result | None:
        """Follow the schedule; None when the property cannot be judged on one schedule and must be explored."""
        __tracebackhide__ = True
        from simcore.errors import Diverged, OptionError
        from simcore.explore import Monitor
        from simcore.kernel import Kernel
        from simcore.schedule import Schedule, read_token

        assert self._token is not None
        origin, _ = read_token(self._token)
        if model.origin != origin:
            pytest.skip(f"the token is for {_called(origin)}, this test explores {_called(model.origin)}")
        kernel = Kernel(model, options.get("timeouts", "when_stuck"))
        try:
            monitor = Monitor(kernel, properties)
        except OptionError:
            return None
        try:
            schedule = Schedule.from_token(self._token, model)
            violation = monitor.replay(schedule)
        except Diverged as diverged:
            return self._passed(kernel, f"the schedule is no longer possible: {diverged}")
        if violation is not None:
            self._fail(violation)
        return self._passed(kernel, f"the schedule of {len(schedule)} steps no longer violates anything")

    def _passed(self, kernel: Kernel, what: str) -> Result:
        from simcore.explore import Result
        from simcore.model import Verdict

        self._item.user_properties.append((_REPLAYED, f"{self._item.nodeid}: {what}"))
        model = kernel.model
        reason = f"only one schedule was replayed: {what}"
        return Result(
            Verdict.UNDETERMINED,
            model.name,
            model.origin,
            property="what was asked",
            states=0,
            transitions=0,
            depth=0,
            seconds=0.0,
            strategy="one schedule, replayed",
            timeouts=kernel.timeouts,
            reason=reason,
        )

    def _fail(self, result: Result) -> None:
        __tracebackhide__ = True
        assert result.counterexample is not None
        text = f"{result}\nasked at {_asked_at(self._item.config.rootpath)}"
        token = result.counterexample.token
        if token:
            text += "\n" + _keep(self._item, token)
        pages: Pages | None = self._item.config.pluginmanager.getplugin(PAGES)
        if pages is not None:
            text += "\n" + pages.write(self._item, result)
        pytest.fail(text, pytrace=False)


def _keep(item: pytest.Item, token: str) -> str:
    """Keep the token of a test, and return the line that says where."""
    from simcore.control import followed_with

    file = _token_file(item)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(token + "\n")
    shown = _relative(file, item.config.rootpath)
    return f"token kept in {shown}; follow it here: {followed_with(_name_of(item))} {shown}"


def _token_file(item: pytest.Item) -> Path:
    cache = getattr(item.config, "cache", None)
    folder = cache.mkdir("simcore") if cache is not None else item.config.rootpath / ".simcore"
    return Path(folder) / f"{_file_name(_name_of(item))}.token"


def _name_of(item: pytest.Item) -> str:
    """Return what a test is called: by its module, where pytest leaves out where its file is, as it is not our own."""
    module = item.getparent(pytest.Module)
    if module is None or item.path.is_relative_to(item.config.rootpath):
        return item.nodeid
    return f"{module.obj.__name__}::{item.nodeid.partition('::')[2]}"


def _asked_at(root: Path) -> str:
    """Return the line of the test that is calling."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None and frame.f_code.co_filename == __file__:
        frame = frame.f_back
    return "an unknown line" if frame is None else f"{_relative(Path(frame.f_code.co_filename), root)}:{frame.f_lineno}"


def _seconds(text: str) -> float:
    seconds = float(text)
    if not seconds > 0:
        raise argparse.ArgumentTypeError(f"{text}: use more than 0 seconds")
    return seconds


def _number(text: str) -> int:
    if not text.isdecimal() or not int(text):
        raise argparse.ArgumentTypeError(f"{text}: use a number of at least 1")
    return int(text)


def _replayed(report: Any) -> Iterator[str]:
    if getattr(report, "when", None) == "call":
        for name, text in report.user_properties:
            if name == _REPLAYED:
                yield text


def _called(origin: Any) -> str:
    if origin is None:
        return "a model that no module-level function of plain parameters builds"
    return f"{origin.function}({', '.join(f'{name}={value!r}' for name, value in origin.parameters.items())})"


def _file_name(nodeid: str) -> str:
    plain = re.sub(r"[^\w.\[\]-]+", "-", nodeid)
    return plain if len(plain) <= _LONGEST_NAME else f"{plain[:_LONGEST_NAME]}-{zlib.crc32(nodeid.encode()):08x}"


def _relative(path: Path, root: Path) -> Path:
    return path.relative_to(root) if path.is_relative_to(root) else path
