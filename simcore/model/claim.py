"""A claim says of one model, at one size, that a property holds or is violated; exploring it shows who is right.

The models of a library say their claims beside the code (``CLAIMS = (Claim(...), ...)`` in the module), and
whoever changes a model, or a kernel, asks all of them again: `simcore matrix` prints the table. A claim is
about the verdict and the property; it does not say how the search meets it.
"""

from __future__ import annotations

import builtins  # a field is called property
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import ModuleType

from simcore.errors import ModelError
from simcore.model.building import build
from simcore.model.model import Model
from simcore.model.origin import Origin, Parameter
from simcore.model.spec import Property
from simcore.model.verdict import Timeouts, Verdict


@dataclass(frozen=True)
class Claim:
    """What is known of a model.

    Parameters
    ----------
    id : str
        The property or hazard that it is about, in the words of the system's own documents: "S1", "H10".
    version : str
        The release or the variant that the model stands for: "2.7.1", "(e)".
    model : function
        A model function, importable by its name.
    property : Property
        What is asked.
    expected : Verdict
        What is known to be the answer.
    parameters : mapping of str to int, float, str, bool or None
        The size, and whatever else differs from the defaults of ``model``.
    timeouts : {"never", "when_stuck", "in_order", "anytime"}
        When time-outs may fire; see `explore`.
    max_states : int, optional
        A bound, for what cannot be searched as a whole: then at most *undetermined* or *violated* can be found.
    slow : bool
        Whether it takes more than a second or two, so that the short form leaves it out.
    note : str
        What the id and the property do not say: why the size is enough, what the facts say of it.
    """

    id: str
    version: str
    model: Callable[..., Model]
    property: Property
    expected: Verdict
    parameters: Mapping[str, Parameter] = field(default_factory=dict)
    timeouts: Timeouts = "when_stuck"
    max_states: int | None = None
    slow: bool = False
    note: str = ""

    @builtins.property
    def function(self) -> str:
        """The model as the command line names it."""
        return f"{self.model.__module__}:{self.model.__qualname__}"

    def build(self, **other: Parameter) -> Model:
        """Return the model at the size of this claim, ``other`` parameters replaced."""
        return build(Origin(self.function, {**self.parameters, **other}))

    def __str__(self) -> str:
        given = ", ".join(f"{name}={value}" for name, value in self.parameters.items())
        return f"{self.id} {self.version}: {self.property} {self.expected} of {self.function}({given})"


def claims_of(module: ModuleType) -> tuple[Claim, ...]:
    """Return the claims of a module; none when it makes none.

    Raises
    ------
    ModelError
        When its ``CLAIMS`` is not a sequence of claims.
    """
    claims = getattr(module, "CLAIMS", ())
    if not isinstance(claims, tuple | list) or not all(isinstance(claim, Claim) for claim in claims):
        raise ModelError(f"{module.__name__}.CLAIMS is no tuple of claims; write CLAIMS = (Claim(...), ...)")
    return tuple(claims)
