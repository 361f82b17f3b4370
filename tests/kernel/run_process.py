"""Run the tests of program points with the standard library alone: python tests/kernel/run_process.py

For interpreters that have neither pytest nor what the rest of simcore needs, so the package's own
``__init__`` is passed over.
"""

import importlib
import os
import sys
import types

HERE = os.path.dirname(os.path.abspath(__file__))
TESTS = os.path.dirname(HERE)
SUBJECTS = (
    *("positions", "halves", "blocks", "variables", "values", "closing"),
    *("refused", "nondeterminism", "traps", "outside", "apart"),
)


def main() -> int:
    """Run them all, print what fails, return the number of failures."""
    package = types.ModuleType("simcore")
    package.__path__ = [os.path.join(os.path.dirname(TESTS), "simcore")]
    sys.modules["simcore"] = package
    sys.path[:0] = [HERE, os.path.join(TESTS, "support")]
    modules = [importlib.import_module(f"test_{subject}") for subject in SUBJECTS]
    tests = [(name, test) for module in modules for name, test in vars(module).items() if name.startswith("test_")]
    failed = 0
    for name, test in tests:
        try:
            test()
        except Exception as error:
            failed += 1
            print(f"{name}: {type(error).__name__}: {error}")
    print(f"{len(tests)} tests, {failed} failed, Python {sys.version.split()[0]}")
    return failed


if __name__ == "__main__":
    sys.exit(min(main(), 99))
