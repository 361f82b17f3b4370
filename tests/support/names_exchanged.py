"""A model with names to be exchanged, and whether a function of its variable is natural."""

from simcore import Model
from simcore.explore.reduction.exchanges import Checked
from simcore.explore.reduction.names import Names
from simcore.explore.reduction.natural import Natural
from simcore.explore.reduction.steps import Bag, Unknown
from simcore.explore.reduction.stepwise import Run
from simcore.kernel import Applied, Kernel


def world():
    """Return a model with two families, and a variable."""
    model = Model("world")
    names, others = model.indices("name", 4), model.indices("other", 2)
    variable = model.variable("variable")

    def wait():
        yield variable.wait_for(bool)

    for name in (*names, *others):
        model.process(name, wait)
    model.thread_pool("pool", 2)
    return model, variable, names, others


MODEL, VARIABLE, NAMES, OTHERS = world()
A, B, C, D = NAMES
AB, ABC = frozenset({A, B}), frozenset({A, B, C})
KERNEL = Kernel(MODEL)
RENAMING = Checked(KERNEL, Names(KERNEL, ["name", "other"], futures=True)).renaming
NATURAL = Natural(RENAMING, [{0: 1, 1: 0}, {1: 2, 2: 1}, {2: 3, 3: 2}, {4: 5, 5: 4}])


def is_natural(fn, value, *args, by="transition"):
    operation = getattr(VARIABLE, by)(fn, *args)
    process = MODEL.processes[0]
    outcomes = VARIABLE.outcomes(value, operation, process)
    return NATURAL(Applied(process, operation, KERNEL.intern_value(value), outcomes))


def updates_naturally(fn, value, *args):
    return is_natural(fn, value, *args, by="update")


def runs_naturally(fn, *given):
    """Tell whether a run consists of natural steps, whatever its function holds, and comes to a value."""
    try:
        return type(Run().call(fn, given)) is not Bag
    except Unknown:
        return False
