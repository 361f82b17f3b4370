"""The doors: the command line, the pytest plugin, reports that are reproduced, and claims that are asked again.

`simcore.command.cli` is the command line, and `simcore.command.pytest_plugin` the plugin; neither imports the other.
"""

__all__ = ["cli", "pytest_plugin"]
