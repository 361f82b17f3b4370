"""`python -m simcore` is the command line."""

from simcore.command.cli import main

main()
