"""Laws for every size, read off the structure of the programs: where no hang is reachable, proved without a search."""

from simcore.sizes.structure.greed import Witness, witness
from simcore.sizes.structure.open_sizes import OpenSizes
from simcore.sizes.structure.proof import Proved, prove

__all__ = ["OpenSizes", "Proved", "Witness", "prove", "witness"]
