"""Cells as others read them: CSV needs nothing, a DataFrame and Parquet need pandas; a file is whole or not there."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from simcore.errors import OptionError, extra
from simcore.report import check_file, file_beside, whole_file


def dataframe(rows: Sequence[dict[str, Any]], wanted_by: str) -> Any:
    """Return rows as a pandas DataFrame; raise a `MissingExtra` where pandas is not installed."""
    with extra("tables", wanted_by):
        import pandas

        return pandas.DataFrame(rows)


def check_path(path: Path) -> None:
    """Raise OptionError unless cells can be written to a file of this name, before they are explored."""
    if path.suffix not in (".csv", ".parquet"):
        raise OptionError(f"{path}: a sweep is written as .csv, or as .parquet; give the file one of these endings")
    if path.suffix == ".parquet":
        with extra("tables", f"{path}"):
            import pandas  # noqa: F401  # wanted when all cells are explored, which may be an hour later
            import pyarrow  # noqa: F401
    check_file(path)


def write_cells(rows: Sequence[dict[str, Any]], path: Path) -> None:
    """Write rows to a file, whole or not at all."""
    check_path(path)
    if path.suffix == ".csv":
        with whole_file(path) as write:
            write(_csv(rows))
        return
    with file_beside(path) as partial:
        dataframe(rows, f"{path}").to_parquet(partial)


def _csv(rows: Sequence[dict[str, Any]]) -> str:
    text = io.StringIO()
    writer = csv.DictWriter(text, fieldnames=[*rows[0]], lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()
