"""What a user writes: a `Model` of objects and processes, the operations that they yield, and what is asked of it.

The objects are in `simcore.model.objects`, what they have in common in `simcore.model.operations`.
"""

from simcore.model.building import (
    build,
    call_model,
    default_parameters,
    import_module,
    model_function,
    models_of,
    not_a_function,
)
from simcore.model.claim import Claim, claims_of
from simcore.model.given import (
    check_flags,
    check_kinds,
    check_model,
    check_numbers,
    check_properties,
    check_timeouts,
    check_witness,
)
from simcore.model.listing import listed
from simcore.model.making import Made, Making, replaced
from simcore.model.model import (
    Index,
    Model,
    Origin,
    Parameter,
    Process,
    ProcessFunction,
    made_as,
    with_parameters,
)
from simcore.model.pictured import Pictured
from simcore.model.spec import (
    DEADLOCK_FREE,
    LATE,
    NO_FAILURE,
    RULES,
    WITNESSES,
    Predicate,
    Property,
    Timeouts,
    Verdict,
    Witness,
    always,
    eventually,
    leads_to,
    sometimes,
)
from simcore.model.spelling import parameters_of
from simcore.model.state import ProcessState, State, Status, Watched
from simcore.model.values import no_value

__all__ = [
    "DEADLOCK_FREE",
    "LATE",
    "NO_FAILURE",
    "RULES",
    "WITNESSES",
    "Claim",
    "Index",
    "Made",
    "Making",
    "Model",
    "Origin",
    "Parameter",
    "Pictured",
    "Predicate",
    "Process",
    "ProcessFunction",
    "ProcessState",
    "Property",
    "State",
    "Status",
    "Timeouts",
    "Verdict",
    "Watched",
    "Witness",
    "always",
    "build",
    "call_model",
    "check_flags",
    "check_kinds",
    "check_model",
    "check_numbers",
    "check_properties",
    "check_timeouts",
    "check_witness",
    "claims_of",
    "default_parameters",
    "eventually",
    "import_module",
    "leads_to",
    "listed",
    "made_as",
    "model_function",
    "models_of",
    "no_value",
    "not_a_function",
    "objects",
    "operations",
    "parameters_of",
    "replaced",
    "sometimes",
    "with_parameters",
]
