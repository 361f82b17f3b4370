"""How an answer is shown: as text, as JSON, as tables, in a folder; pictures and exports are modules of their own.

`simcore.report.pictures` draws, and `simcore.report.promela` writes a program for Spin.
"""

from simcore.report.data import (
    Line,
    as_json,
    check_folder,
    execution_json,
    model_json,
    printed_table,
    simulation_json,
    step_json,
    table,
    write_folder,
)

__all__ = [
    "Line",
    "as_json",
    "check_folder",
    "execution_json",
    "model_json",
    "pictures",
    "printed_table",
    "promela",
    "simulation_json",
    "step_json",
    "table",
    "write_folder",
]
