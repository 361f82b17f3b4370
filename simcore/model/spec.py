"""What can be asked of a model."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from simcore.errors import OptionError
from simcore.model.state import State
from simcore.model.values import refuse_generator

Predicate = Callable[[State], bool]


@dataclass(frozen=True)
class Property:
    """A named question.

    Attributes
    ----------
    kind : str
        "deadlock": no process waits for ever (the default of every driver). "finish": from every reachable
        state every process that is not a daemon can still end. "always", "sometimes", "eventually",
        "leads_to": about ``predicate`` (and ``then``), as in temporal logic.
    premise : function, optional
        What must be true of a state before anything is asked of it. Where it never is, *holds* says so.
    """

    name: str
    kind: Literal["deadlock", "finish", "always", "sometimes", "eventually", "leads_to"]
    predicate: Predicate | None = None
    then: Predicate | None = None
    premise: Predicate | None = None

    @property
    def liveness(self) -> bool:
        """Whether its counterexample is an endless run."""
        return self.kind in ("eventually", "leads_to")

    @property
    def needs_graph(self) -> bool:
        """Whether it is decided on the whole unreduced graph."""
        return self.liveness or self.kind == "finish"

    def __str__(self) -> str:
        return self.name


def always(predicate: Predicate, name: str = "", *, premise: Predicate | None = None) -> Property:
    """Require ``predicate`` of every reachable state (an invariant).

    Where ``premise`` is true of no state, *holds* says so: ``predicate`` asks for nothing else then.
    """
    _check("always", predicate)
    return Property(name or f"always {_named(predicate)}", "always", predicate, premise=premise)


def sometimes(predicate: Predicate, name: str = "") -> Property:
    """Require a reachable state with ``predicate``: that the model can do what it is for."""
    _check("sometimes", predicate)
    return Property(name or f"sometimes {_named(predicate)}", "sometimes", predicate)


def eventually(predicate: Predicate, name: str = "") -> Property:
    """Require that every weakly fair run reaches a state with ``predicate``.

    Weakly fair: a process that stays enabled without interruption takes a step at some time.
    """
    _check("eventually", predicate)
    return Property(name or f"eventually {_named(predicate)}", "eventually", predicate)


def leads_to(predicate: Predicate, then: Predicate, name: str = "") -> Property:
    """Require that in every weakly fair run each state with ``predicate`` is followed by one with ``then``."""
    _check("leads_to", predicate, then)
    return Property(name or f"{_named(predicate)} leads to {_named(then)}", "leads_to", predicate, then)


DEADLOCK_FREE = Property("deadlock free", "deadlock")
"""No reachable state in which a process that must still finish can never move again."""


NO_FAILURE = "no process fails"
"""The name of what is always asked: that no process dies of an exception nobody catches."""


def _named(predicate: Predicate) -> str:
    return getattr(predicate, "__name__", "predicate").strip("<>").replace("_", " ")


def _check(function: str, *predicates: object) -> None:
    for predicate in predicates:
        if not callable(predicate):
            raise OptionError(f"{function}({predicate!r}): pass a function of a state: {function}(lambda state: ...)")
        refuse_generator(function, predicate)
