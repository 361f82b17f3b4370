"""Any test under many schedules: ``pytest --simcore-schedules 200``, and one of them again, by its token.

    pytest --simcore-schedules 200 --simcore-timeouts never -k downloads
    pytest 'tests/test_downloads.py::test_all' --simcore-replay TOKEN

The whole protocol of a test, fixtures of every scope included, is one run of `simcore.control`, in a process of its
own: what a fixture starts is under control, too, and nothing of it is left. What pytest does around it is no step. A
test fails when some schedule of it hangs, or fails; where none does, nothing is proved, and the last lines say so.
"""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from typing import Any

import pytest
from _pytest._code.code import ReprEntryNative, ReprExceptionInfo, ReprFileLocation, ReprTraceback
from _pytest.reports import TestReport
from _pytest.runner import runtestprotocol

from simcore.command.flags import spelled
from simcore.command.given_token import is_of_code
from simcore.command.pytest_pages import Pages
from simcore.control import Controlled, Named, control, followed_with, read, replay, without_steps
from simcore.errors import SimcoreError
from simcore.model import Origin

Keep = Callable[[pytest.Item, str], str]
"""Keeps a token of a test that has failed, and returns the line that says where."""

Naming = Callable[[pytest.Item], str]
"""Returns what a test is called wherever pytest is started."""


_OPTIONS = ("timeouts", "points", "max_steps")
_FLAGS = {option: f"--simcore-{option.replace('_', '-')}" for option in (*_OPTIONS, "schedules", "max_seconds")}


class _Failed(Exception):
    """A test has failed for something of which pytest alone knows."""


class UnderControl:
    """Runs tests under control, in the place of pytest.

    Parameters
    ----------
    config : pytest.Config
        With the options; a token in place of a number of schedules has one of them followed.
    keep : function
        Is given the token of a test that fails.
    name : function
        Returns what a test is called.
    pages : Pages, optional
        Writes the page of a test that fails, where that is asked for.
    """

    def __init__(self, config: pytest.Config, keep: Keep, name: Naming, pages: Pages | None) -> None:
        self._schedules: int = config.getoption("--simcore-schedules") or 0
        self._options: dict[str, Any] = {option: config.getoption(f"simcore_{option}") for option in _OPTIONS}
        self._max_seconds: float | None = config.getoption("--simcore-max-seconds")
        self._token: str | None = config.getoption("--simcore-replay")
        self._wanted = "" if self._token is None else read(self._token).origin.function
        self._keep, self._name, self._pages = keep, name, pages
        self._survived = 0
        self._notes: dict[str, list[str]] = {}
        self._raised: dict[str, BaseException] = {}
        self._parts: list[TestReport] | None = None

    # ---- hooks -----------------------------------------------------------------------------------------------

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> bool | None:
        """Run a test; those that explore a model have one process, and are not run here."""
        if "simcore_explore" in getattr(item, "fixturenames", ()) and self._token is None:
            return None
        item.session._setupstate.teardown_exact(None)  # what is set up here would be torn down in each run
        item.ihook.pytest_runtest_logstart(nodeid=item.nodeid, location=item.location)
        for report in self._reports(item):
            item.ihook.pytest_runtest_logreport(report=report)
        item.ihook.pytest_runtest_logfinish(nodeid=item.nodeid, location=item.location)
        return True

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[Any]
    ) -> Generator[None, TestReport, TestReport]:
        """Remember what was raised in a phase of the test that runs; of one of unittest, that is found out here."""
        report = yield
        if call.excinfo is not None:
            self._raised[call.when] = call.excinfo.value
        return report

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_logreport(self, report: TestReport) -> None:
        """Remember what a run has to report of a part of its test, as of a subtest."""
        if self._parts is not None:
            self._parts.append(report)

    @pytest.hookimpl(wrapper=True, trylast=True)
    def pytest_runtest_setup(self) -> Generator[None, object, object]:
        """Have the steps of fixtures, and of the test, be steps."""
        with without_steps(fused=0):
            return (yield)

    pytest_runtest_call = pytest_runtest_teardown = pytest_runtest_setup

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        """Say what it means that a test has passed."""
        if self._survived:
            many = f"{self._survived} test{'s' * (self._survived != 1)}"
            each = f"{self._schedules:,} schedule{'s' * (self._schedules != 1)} each"
            said = f"no violation in {each}, which proves nothing"
            if self._token is not None:
                said = "the schedule of the token was followed, and does not fail any more"
            terminalreporter.section("simcore")
            terminalreporter.line(f"{many}: {said}")
            for note, names in self._notes.items():
                terminalreporter.line(
                    f"{names[0]}{f' and {len(names) - 1} more' * (len(names) > 1)}: {spelled(note, _FLAGS)}"
                )

    # ---- one test --------------------------------------------------------------------------------------------

    def _reports(self, item: pytest.Item) -> Iterator[TestReport]:
        """Return what there is to report of a test: what the last run has, or what was found instead."""
        if self._token is not None and self._wanted != self._name(item):
            where = str(item.location[0]), item.location[1] or 0, "the token is for another test"
            yield TestReport(item.nodeid, item.location, {}, "skipped", where, "setup")
            return
        with tempfile.TemporaryDirectory(prefix="simcore-") as folder:
            kept = Path(folder, "reports")
            body = self._body(item, kept)
            try:
                result, reports = self._result(item, body, kept)
            except SimcoreError as error:
                yield _failed(item, spelled(str(error), _FLAGS))
                return
        if result.violation is None:
            yield from self._without_violation(item, result, reports)
            return
        text = "\n".join([spelled(str(result), _FLAGS), *(report.longreprtext for report in reports if report.failed)])
        if result.violation.token and self._token is None:
            text += "\n" + self._keep(item, result.violation.token)
        if self._pages is not None:
            text += "\n" + self._pages.write(item, result)
        yield _failed(item, text)

    def _without_violation(
        self, item: pytest.Item, result: Controlled, reports: list[TestReport]
    ) -> Iterator[TestReport]:
        if not reports:
            text = f"{spelled(str(result), _FLAGS)}\nundetermined is not a pass"
            yield _failed(item, text)
        elif not _was_left_out(reports):
            self._survived += 1
            for note in result.notes:
                self._notes.setdefault(note, []).append(item.nodeid)
        yield from reports

    def _result(self, item: pytest.Item, body: Named, kept: Path) -> tuple[Controlled, list[TestReport]]:
        if self._token is not None:
            return replay(self._token, body), self._told(item, kept)
        first = control(body, schedules=1, **self._options)
        reports = self._told(item, kept)
        if self._schedules == 1 or first.violation is not None or _was_left_out(reports):
            return first, reports
        result = control(body, schedules=self._schedules, max_seconds=self._max_seconds, **self._options)
        return result, self._told(item, kept)

    def _body(self, item: pytest.Item, kept: Path) -> Named:
        """Return the test as a function: it raises what the test raises, and leaves its reports behind."""
        base = Path(getattr(item.config, "_tmp_path_factory").getbasetemp())  # noqa: B009 - the same for all runs
        there = set(os.listdir(base))

        def run() -> None:
            for name in set(os.listdir(base)) - there:  # of another run: names are numbered
                path = base / name
                path.unlink() if path.is_symlink() else shutil.rmtree(path, ignore_errors=True)
            self._raised.clear()
            self._parts = []
            with without_steps():
                reports = self._parts + runtestprotocol(item, log=False, nextitem=None)
            hook = item.config.hook
            told = [hook.pytest_report_to_serializable(config=item.config, report=report) for report in reports]
            kept.write_text(json.dumps(told), encoding="utf-8")
            failed = next((report for report in reports if report.failed), None)
            if failed is not None:
                raise self._raised.get(failed.when) or _Failed(str(failed.longrepr))

        name = self._name(item)
        return Named(run, Origin(name, {}), followed_with(name))

    def _told(self, item: pytest.Item, kept: Path) -> list[TestReport]:
        if not kept.exists():
            return []
        hook = item.config.hook
        told = json.loads(kept.read_text(encoding="utf-8"))
        reports = [hook.pytest_report_from_serializable(config=item.config, data=data) for data in told]
        for report in reports:
            if isinstance(report.longrepr, list):  # where a test was skipped: other plugins insist on a tuple
                report.longrepr = tuple(report.longrepr)
        return reports


def _failed(item: pytest.Item, text: str) -> TestReport:
    """Return that a test has failed, with a text of which the first line says it all.

    It is an entry of a traceback, for that is what survives the way from a worker of xdist; with the first line as its
    message, a summary and a JUnit report are short where pytest takes messages whole, as it does under CI.
    """
    path, line, _ = item.location
    traceback = ReprTraceback([ReprEntryNative([text, "\n"])], None, style="native")
    crash = ReprFileLocation(str(path), (line or 0) + 1, text.partition("\n")[0])
    return TestReport(item.nodeid, item.location, {}, "failed", ReprExceptionInfo(traceback, crash), "call")


def _was_left_out(reports: list[TestReport]) -> bool:
    """Tell whether a test was skipped, and not only some part of it."""
    return any(report.skipped for report in reports if type(report) is TestReport)


def token_of_code(given: str) -> str | None:
    """Return ``given`` if it is a token of code; None if it is one of a model.

    Raises
    ------
    ScheduleError
        When it is damaged.
    pytest.UsageError
        When it is that of a function that is no test.
    """
    if not is_of_code(given):
        return None
    function = read(given).origin.function
    if "::" not in function:
        raise pytest.UsageError(
            f"--simcore-replay: the token is for {function}, which is no test; simcore replay TOKEN"
        )
    return given
