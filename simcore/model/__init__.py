"""What a user writes: a `Model` of objects and processes, the operations that they yield, and what is asked of it.

The objects are in `simcore.model.objects`, what they have in common in `simcore.model.operations`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from simcore.first_use import load_at_first_use

if TYPE_CHECKING:
    from simcore.model.building import (
        build,
        call_model,
        default_parameters,
        functions_of,
        model_function,
        models_of,
        nearest,
        no_function,
        not_a_function,
    )
    from simcore.model.claim import Claim, claims_of
    from simcore.model.finding import import_module
    from simcore.model.given import check_model, check_properties
    from simcore.model.listing import listed
    from simcore.model.making import Made, Making, replaced
    from simcore.model.model import Index, Model, Process, ProcessFunction, made_as, with_parameters
    from simcore.model.options import (
        check_flags,
        check_kinds,
        check_limit,
        check_numbers,
        check_timeouts,
        check_witness,
    )
    from simcore.model.origin import Origin, Parameter
    from simcore.model.pictured import Pictured
    from simcore.model.spec import (
        DEADLOCK_FREE,
        NO_FAILURE,
        Predicate,
        Property,
        always,
        eventually,
        leads_to,
        sometimes,
    )
    from simcore.model.spelling import parameters_of
    from simcore.model.state import ProcessState, State, Status, Watched
    from simcore.model.values import no_value
    from simcore.model.verdict import LATE, RULES, WITNESSES, Timeouts, Verdict, Witness

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
    "check_limit",
    "check_model",
    "check_numbers",
    "check_properties",
    "check_timeouts",
    "check_witness",
    "claims_of",
    "default_parameters",
    "eventually",
    "functions_of",
    "import_module",
    "leads_to",
    "listed",
    "made_as",
    "model_function",
    "models_of",
    "nearest",
    "no_function",
    "no_value",
    "not_a_function",
    "objects",
    "operations",
    "parameters_of",
    "replaced",
    "sometimes",
    "with_parameters",
]

load_at_first_use(
    __name__,
    {
        "building": (
            "build call_model default_parameters functions_of model_function models_of nearest "
            "no_function not_a_function"
        ),
        "claim": "Claim claims_of",
        "finding": "import_module",
        "given": "check_model check_properties",
        "listing": "listed",
        "making": "Made Making replaced",
        "model": "Index Model Process ProcessFunction made_as with_parameters",
        "options": "check_flags check_kinds check_limit check_numbers check_timeouts check_witness",
        "origin": "Origin Parameter",
        "pictured": "Pictured",
        "spec": "DEADLOCK_FREE NO_FAILURE Predicate Property always eventually leads_to sometimes",
        "spelling": "parameters_of",
        "state": "ProcessState State Status Watched",
        "values": "no_value",
        "verdict": "LATE RULES WITNESSES Timeouts Verdict Witness",
    },
)
