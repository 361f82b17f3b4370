"""Claims about released packages, each tried on the package itself, in an environment of its own."""

from simcore.command.confirm.claims import Claims, load
from simcore.command.confirm.confirm import confirm, replayed
from simcore.command.confirm.row import Confirmed, Row

__all__ = [
    "Claims",
    "Confirmed",
    "Row",
    "confirm",
    "load",
    "replayed",
]
