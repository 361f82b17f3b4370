"""How an answer is shown: as text, as JSON, as tables, in a folder; pictures and exports are modules of their own.

`simcore.report.pictures` draws, `simcore.report.page` shows step by step, `simcore.report.promela` writes a program for
Spin, and `simcore.report.storm` a Markov chain for Storm.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from simcore.first_use import load_at_first_use

if TYPE_CHECKING:
    from simcore.report.data import as_json, execution_json, model_json, simulation_json, step_json
    from simcore.report.folder import check_file, check_folder, file_beside, whole_file, write_folder
    from simcore.report.tables import Line, printed_table, table

__all__ = [
    "Line",
    "as_json",
    "check_file",
    "check_folder",
    "execution_json",
    "file_beside",
    "model_json",
    "page",
    "pictures",
    "printed_table",
    "promela",
    "simulation_json",
    "step_json",
    "storm",
    "table",
    "whole_file",
    "write_folder",
]

load_at_first_use(
    __name__,
    {
        "data": "as_json execution_json model_json simulation_json step_json",
        "folder": "check_file check_folder file_beside whole_file write_folder",
        "tables": "Line printed_table table",
    },
)
