"""`simcore`, and `python -m simcore`: the command line, which can be interrupted while it is still being loaded."""

import os
from typing import NoReturn

INTERRUPTED = 130


def main() -> NoReturn:
    """Load the command line, and run it."""
    try:
        from simcore.command.cli import main as run
    except KeyboardInterrupt:
        os.write(2, b"simcore: interrupted\n")
        os._exit(INTERRUPTED)  # nothing was begun, and what is half loaded has nothing to say
    run()


if __name__ == "__main__":
    main()
