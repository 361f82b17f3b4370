"""A reduction may leave out states only where what is left out repeats what is kept.

**Names** are interchangeable: the workers of a pool, the indices that ``model.indices`` gives (scalarsets: Ip and
Dill, 1996; Emerson and Sistla, 1996), and the places of futures that submits have made. A permutation of them,
applied to every part of a state (`renaming.py`), gives a state in which exactly the permuted things can happen,
so one representative of each orbit is enough for every property that treats names alike (`symmetry.py`). That
the model does treat them alike is not taken for granted: it is tested on everything that its processes are seen
to do (`exchanges.py`), and on every answer of a property (`alike.py`), and a family that fails is told apart. Of a
function of a variable's value one run may show it for all names (`natural.py`).

**Partial order** leaves out all orders but one of steps in which order does not count (`partial_order.py`), by what
each process may still do (`footprints.py`).
"""

from simcore.explore.reduction.alike import Alike, NamesMatter
from simcore.explore.reduction.colours import FIRST, Linked, factors_of
from simcore.explore.reduction.components import SEVERAL, Component
from simcore.explore.reduction.names import NotSymmetric, alike_but_named_apart
from simcore.explore.reduction.partial_order import Needs, PartialOrder
from simcore.explore.reduction.symmetry import Symmetry

__all__ = [
    "FIRST",
    "SEVERAL",
    "Alike",
    "Component",
    "Linked",
    "NamesMatter",
    "Needs",
    "NotSymmetric",
    "PartialOrder",
    "Symmetry",
    "alike_but_named_apart",
    "factors_of",
]
