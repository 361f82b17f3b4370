"""Run every test of test_process.py with the standard library alone: python tests/kernel/run_process.py

For interpreters that have neither pytest nor what the rest of simcore needs, so the package's own
``__init__`` is passed over.
"""

import os
import sys
import types

HERE = os.path.dirname(os.path.abspath(__file__))


def main() -> int:
    """Run them all, print what fails, return the number of failures."""
    package = types.ModuleType("simcore")
    package.__path__ = [os.path.join(os.path.dirname(os.path.dirname(HERE)), "simcore")]
    sys.modules["simcore"] = package
    sys.path.insert(0, HERE)
    import test_process

    tests = [(name, test) for name, test in vars(test_process).items() if name.startswith("test_")]
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
