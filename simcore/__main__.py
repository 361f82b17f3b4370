"""`simcore`, and `python -m simcore`: the command line, which can be interrupted while it is still being loaded."""

import os

try:
    from simcore.command.cli import main
except KeyboardInterrupt:
    os.write(2, b"simcore: interrupted\n")
    os._exit(130)  # nothing was begun, and what is half loaded has nothing to say

if __name__ == "__main__":
    main()
