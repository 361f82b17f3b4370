"""Laws for every size, read off the structure of the programs: where no hang is reachable, proved without a search."""

from simcore.sizes.structure.greed import Witness, witness
from simcore.sizes.structure.law import Law
from simcore.sizes.structure.proof import Proved, prove

__all__ = ["Law", "Proved", "Witness", "prove", "witness"]
