"""``pytest --simcore-html FOLDER``: a page for each test that fails with a schedule, whose failure says where it is."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from simcore.errors import OptionError, SimcoreError
from simcore.explore import Result
from simcore.report import check_file, whole_file
from simcore.report.page import film_of, page_of

OPTION = "--simcore-html"


class Pages:
    """Writes the pages of one session.

    Parameters
    ----------
    folder : Path
        Where they will be; it is made.
    file_name : function
        Returns what the file of a test is called, without its ending.
    shown : function
        Returns a path as it is printed.
    named : bool
        Whether a failure in which an exception of ours is raised is looked at here: not where the test is run under
        control, whose answer it is part of.

    Raises
    ------
    pytest.UsageError
        When files cannot be written there.
    """

    def __init__(
        self, folder: Path, file_name: Callable[[pytest.Item], str], shown: Callable[[Path], Path], *, named: bool
    ) -> None:
        self._folder, self._file_name, self._shown, self._named = folder.absolute(), file_name, shown, named
        try:
            folder.mkdir(parents=True, exist_ok=True)
            check_file(folder / "page.html", OPTION)
        except OSError as error:
            why = f"cannot be a folder for pages ({error.strerror}); name another one"
            raise pytest.UsageError(f"{OPTION} {folder}: {why}") from error
        except OptionError as error:
            raise pytest.UsageError(f"{OPTION} {folder}: no file can be written there; name another folder") from error

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Generator[None, object, object]:
        """Remove the page of an earlier failure, so that what is there is of this session's test."""
        with suppress(OSError):  # which is told when a page is to be written there
            self._file(item).unlink()
        return (yield)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[Any]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Show the run that a property test with `simcore.stateful` has failed with."""
        report = yield
        if self._named and call.excinfo is not None:
            for result in _results(call.excinfo.value):
                report.sections.append(("simcore", self.write(item, result)))
                break
        return report

    def write(self, item: pytest.Item, answer: Any) -> str:
        """Write the page of what a test has failed with, and return the line that says where; or why there is none."""
        file = self._file(item)
        try:
            with whole_file(file, OPTION) as write:
                write(page_of(film_of(answer)))
        except SimcoreError as error:  # which must not hide the failure
            return f"no page: {error}"
        return f"page: {self._shown(file)}"

    def _file(self, item: pytest.Item) -> Path:
        return self._folder / f"{self._file_name(item)}.html"


def _results(error: BaseException) -> Iterator[Result]:
    """Yield the answers that an exception of ours carries, or those in a group of several, as Hypothesis raises it."""
    if isinstance(error, BaseExceptionGroup):
        for each in error.exceptions:
            yield from _results(each)
    elif type(error).__module__.startswith("simcore."):
        result = getattr(error, "result", None)
        if isinstance(result, Result):
            yield result
