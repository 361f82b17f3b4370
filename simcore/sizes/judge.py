"""What is known of one size of a model: by the law for every size where there is one, else by a run, else by a search.

A size is safe where it is proved, by `prove` or by a search of all its states; it hangs where a schedule shows it. Of
any other nothing is said. `prove` is about hangs alone, so where a process may die it is not asked.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

from simcore.errors import OptionError, SimcoreError
from simcore.explore import explore
from simcore.model import Model, Parameter, Verdict
from simcore.sizes.cell import in_words, is_whole, key
from simcore.sizes.grid import Grid, Subject
from simcore.sizes.structure import prove, witness

PROVED, EXPLORED, WITNESS = "proved", "explored", "witness"


class Finding(NamedTuple):
    """What is known of a size.

    Attributes
    ----------
    verdict : Verdict
        Holds where it is safe.
    how : str
        "proved" by the law for every size of the pool, "explored", "witness" where a single run hangs; empty where it
        is not known.
    reason : str
        What of it is violated, or why it is not known, in a line.
    token : str
        Replays the violation; empty where there is none, or the model cannot be built from a name.
    dies : bool
        Whether what is violated is that no process dies, and not that nobody hangs.
    """

    verdict: Verdict
    how: str = ""
    reason: str = ""
    token: str = ""
    dies: bool = False

    @property
    def safe(self) -> bool:
        """Whether it is known that no schedule hangs, and in none a process dies."""
        return self.verdict is Verdict.HOLDS

    @property
    def told(self) -> str:
        """What is known, in a word."""
        if self.verdict is Verdict.VIOLATED:
            return "dies" if self.dies else "hangs"
        return "safe" if self.safe else "unknown"


class Judge:
    """Finds out about sizes of a model, each once.

    Parameters
    ----------
    model : function or str
        What builds the model.
    pool : str
        The parameter that is a pool's size.
    given : mapping of str to int, float, str, bool or None
        The parameters that are not left at their defaults.
    max_states : int
        Of each search.

    Attributes
    ----------
    usual : dict
        All parameters, at what was given or their defaults.
    """

    def __init__(
        self, model: Callable[..., Model] | str, pool: str, given: Mapping[str, Parameter], max_states: int
    ) -> None:
        self.subject = Subject.of(model)
        grid = Grid.of(self.subject, given)
        varying = [name for name, values in grid.values.items() if len(values) > 1]
        if varying:
            raise OptionError(f"{in_words(varying)}: give one value of each; `sweep` explores several")
        self.usual = {**self.subject.defaults, **next(grid.cells())}
        self._pool, self._most = pool, max_states
        self._known: dict[object, Finding] = {}
        self._refused: set[str] = set()
        """Parameters at a value of which there was no law; of others there will be none either, which costs seconds."""

    def at(self, **values: Parameter) -> Finding:
        """Return what is known where some parameters have other ``values`` than usual.

        Raises
        ------
        ModelError
            When there is no model of that size.
        """
        parameters = {**self.usual, **values}
        at = key(parameters)
        if at not in self._known:
            self._known[at] = self._found(parameters)
        return self._known[at]

    def _found(self, parameters: Mapping[str, Parameter]) -> Finding:
        model = self.subject.build(parameters)
        if self._proves(parameters):
            return Finding(Verdict.HOLDS, PROVED)
        run = witness(model)
        if run:
            return Finding(Verdict.VIOLATED, WITNESS, f"a run hangs after {run.steps:,} steps", run.token)
        result = explore(model, max_states=self._most, witness="any")
        if result.verdict is Verdict.UNDETERMINED:
            return Finding(result.verdict, reason=result.reason)
        found = result.counterexample
        if found is None:
            return Finding(result.verdict, EXPLORED)
        return Finding(result.verdict, EXPLORED, found.answer, found.token, not found.hangs)

    def _proves(self, parameters: Mapping[str, Parameter]) -> bool:
        """Tell whether the law over the pool's size, read at this size too, proves that nobody hangs there."""
        size = parameters[self._pool]
        changed = {name for name, value in parameters.items() if value != self.usual[name]} or {""}
        if not is_whole(size) or changed & self._refused:
            return False
        others = {name: value for name, value in parameters.items() if name != self._pool}
        compared = sorted({1, 2, 3, size})
        try:
            law = prove(self.subject.builder, sizes=[self._pool], **{self._pool: compared}, **others)
        except SimcoreError:  # no law is not a failure: the size is explored
            law = None
        if law is None or law.refused or law.deaths:
            self._refused |= changed
            return False
        return law.safe(**{self._pool: size})
