"""A model is not the code until a run of the code is one of its own: that is asked here, step by step.

The run is followed through the kernel as the set of all states in which the model may be. What the run does that has
its names in the model must be one of the steps that the model has in one of them; what has no names in the run (a
variable, how a worker takes a task) the model may do in between. So the first step that the model does not have is
found; and a run that is followed to its end says that this one run is explained, and not that all are.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from simcore.control.counterparts import COUNTERPARTS, TOGETHER
from simcore.control.following import Event, Matching
from simcore.control.history import NEVER
from simcore.control.result import NO_RUN, Controlled
from simcore.errors import OptionError
from simcore.explain import fit
from simcore.kernel import Kernel, Packed
from simcore.model import Model, Verdict, check_model, check_numbers

_SHOWN = 4

Bound = tuple[tuple[str, int], ...]
"""Which process is which task, or thread, of the run, where the name alone does not say that."""


@dataclass(frozen=True)
class Conformance:
    """Whether a run of the code is one of a model's.

    Attributes
    ----------
    verdict : Verdict
        It holds, if each step that has its names in the model was one of the model's; it is violated, if one was not;
        it is undetermined, if no step has its names there, or there were too many states.
    matched, steps : int
        How many steps of the run are steps of the model, and how many there are until then.
    states : int
        That the model was followed through.
    max_states : int
        Their bound.
    name, model : str
        What was run, and what the model is called.
    reason : str
        Why it is undetermined, or which step is not the model's.
    allowed : sequence of str
        What the model has in its place.
    of_code, of_model : sequence of str
        The names of each that matched nothing of the other.
    lost : sequence of str
        In what a run that hangs waits for ever and models do not have: as far as that the hang is not in the model.
    """

    verdict: Verdict
    matched: int
    steps: int
    states: int
    max_states: int
    name: str
    model: str
    reason: str = ""
    allowed: Sequence[str] = ()
    of_code: Sequence[str] = ()
    of_model: Sequence[str] = ()
    lost: Sequence[str] = ()

    def __str__(self) -> str:
        return fit(self.lines())

    def lines(self) -> list[str]:
        """Tell it, line by line."""
        lost = "; ".join(_some(self.lost))
        told = {Verdict.HOLDS: "conforms", Verdict.VIOLATED: "does not conform"}.get(self.verdict, "undetermined")
        lines = [
            told + (f": {self.reason}" if self.reason else ""),
            *([f"  the model has there: {'; '.join(self.allowed) or 'nothing'}"] * (self.verdict is Verdict.VIOLATED)),
            *([f"  not in the model, which so may hold where the code hangs: {lost}"] * bool(lost)),
            f"  a run of {self.name}, and the model {self.model}",
            f"  {self.matched:,} of {self.steps:,} steps matched; {self.states:,} states, at most {self.max_states:,}",
        ]
        if self.of_code:
            lines.append(f"  of the code, nothing in the model is called {', '.join(self.of_code)}")
        if self.of_model:
            lines.append(f"  of the model, nothing in the run is called {', '.join(self.of_model)}")
        return lines


def conforms(
    result: Controlled, model: Model, *, names: Mapping[str, str] | None = None, max_states: int = 100_000
) -> Conformance:
    """Ask whether a run of the code is one of a model's.

    Parameters
    ----------
    result : Controlled
        Of `control`: the run that it tells of, or, where it found nothing, one that came to its end.
    model : Model
        Its processes are called as threads, or run functions that are called as those of the code; its objects are
        called as reports call those of the code.
    names : mapping, optional
        What a thread, a function or an object of the code is called in the model, where that is something else.
    max_states : int
        After so many states it is undetermined.

    Returns
    -------
    Conformance
        With the first step that is none of the model's, if there is one.

    Raises
    ------
    OptionError
        When there is no run to hold against it, or a name is nobody's.
    """
    check_model(model, "conforms")
    check_numbers(whole=True, none=False, least=1, max_states=max_states)
    if not isinstance(result, Controlled):
        raise OptionError(f"conforms({result!r}, ...): what control() has given is held against a model")
    if not result.histories:
        raise OptionError(f"conforms: {NO_RUN}")
    matching = Matching(result.histories[0], model, dict(names or {}))
    _check_names(matching)
    return _Following(matching, max_states).answer()


def _check_names(matching: Matching) -> None:
    history, model = matching.history, matching.model
    code = {each.name for each in history.things} | {each.name for each in history.actors} | {""}
    code |= {part for each in history.actors for part in (each.role, each.role.removesuffix("()"))}
    known = {each.name for each in (*model.objects, *model.conditions)} | matching.functions
    known |= {each.name for each in model.processes}
    for name, other in matching.names.items():
        if name not in code and not any(part.endswith(f".{name}") for part in code):
            raise OptionError(f"names: nothing in the run is called {name!r}; there are {', '.join(sorted(code)[1:])}")
        if other not in known:
            raise OptionError(f"names: nothing in the model is called {other!r}; there are {', '.join(sorted(known))}")


class _Place(NamedTuple):
    """Where the model may be."""

    state: Packed
    bound: Bound = ()


class _TooMany(Exception):
    """There are more states than the bound."""


class _Following:
    """Follows a run through the kernel of a model."""

    def __init__(self, matching: Matching, max_states: int) -> None:
        self.matching, self.max_states = matching, max_states
        self.kernel = Kernel(matching.model, "anytime")
        self.states = self.matched = self.steps = 0

    def answer(self) -> Conformance:
        """Follow it to its end, or to the first step that is none of the model's."""
        try:
            return self._follow()
        except _TooMany:
            return self._told(Verdict.UNDETERMINED, f"there are more than {self.max_states:,} states")

    def _follow(self) -> Conformance:
        matching, places = self.matching, {_Place(self.kernel.initial)}
        known, last = (
            {(event.call, event.names) for event in matching.steps},
            {e.call.actor: e.at for e in matching.all},
        )
        for number, event in enumerate(matching.all, 1):
            self.steps += 1
            if (event.call, event.names) not in known:
                continue
            reached = self._closed(places)
            further = {place for each in reached for place in self._taken(each, event, last)}
            self.matched += bool(further)
            # whoever has got nothing has done nothing; and what was waited for together is asked for once more
            may_fail = (event.how and event.names != ("reacquire",)) or event.call.operation in TOGETHER
            if not further and not may_fail:
                what = f"step {number} of the run, {self._words(event)}, is none of the model's"
                return self._told(Verdict.VIOLATED, what, self._allowed(reached, event))
            places = further | reached if may_fail else further
        if not self.matched:
            return self._told(Verdict.UNDETERMINED, "no step of the run has its names in the model; give `names={...}`")
        return self._ended(self._closed(places), last)

    def _ended(self, reached: set[_Place], last: dict[str, int]) -> Conformance:
        """Insist that the model may hang where the run does."""
        if self.matching.history.how != "deadlock":
            return self._told(Verdict.HOLDS)
        still = {place for place in reached if self._is_still(place.state)}
        whose: dict[str, list[Event]] = {}
        for event in self.matching.waits:
            whose.setdefault(event.actor.key, []).append(event)
        for several in whose.values():  # whoever waits for several futures waits for one of them in the model
            further = {place for place in still for event in several if self._waits(place, event, last)}
            if not further:
                what = f"in the end the run waits for ever, {self._words(several[0])}; the model goes on"
                return self._told(Verdict.VIOLATED, what, self._allowed(still or reached, several[0]))
            still = further
        if still and self.matching.lost and all(event.actor.daemon for event in self.matching.waits):
            return self._told(Verdict.UNDETERMINED, "the hang itself is not in the model")
        what = "" if still else "in the end nobody in the run can go on, and somebody in the model can"
        return self._told(Verdict.HOLDS if still else Verdict.VIOLATED, what)

    def _told(self, verdict: Verdict, reason: str = "", allowed: Sequence[str] = ()) -> Conformance:
        matching = self.matching
        counted = self.matched, self.steps, self.states, self.max_states
        if not reason and matching.history.cut:
            reason = f"as far as the run is known, its first {len(matching.history.calls):,} operations"
        names, (code, own) = (matching.history.name, matching.model.name), map(tuple, matching.nothing())
        return Conformance(verdict, *counted, *names, reason, tuple(allowed), code, own, tuple(matching.lost))

    # ---- steps of the model ------------------------------------------------------------------------------------

    def _task(self, state: Packed, process: int) -> Any:
        return self.kernel.locals[state[self.kernel.first_process + process]].task

    def _closed(self, places: set[_Place]) -> set[_Place]:
        """Return where the model may be when it has done what the run does not have."""
        found, left = set(places), list(places)
        while left:
            place = left.pop()
            self.states += 1
            if self.states > self.max_states:
                raise _TooMany
            for state in self._unseen(place.state):
                if (further := place._replace(state=state)) not in found:
                    found.add(further)
                    left.append(further)
        return found

    def _unseen(self, state: Packed) -> Iterator[Packed]:
        kernel = self.kernel
        for process, who in enumerate(kernel.processes):
            operation = kernel.operation(state, process)
            if operation is None:
                continue
            seen = self.matching.is_seen(who, self._task(state, process), operation)
            for move in () if seen else kernel.moves(state, process):
                yield kernel.after(state, process, move)
            if not seen or operation.name == "reacquire":  # whoever gives up has still to get the lock
                for move in kernel.expiries(state, process):
                    yield kernel.after(state, process, move)

    def _about(self, place: _Place, event: Event, last: dict[str, int]) -> Iterator[int]:
        """Yield the processes that may be whose step it is, and are about to do that."""
        taken = {process for actor, process in place.bound if actor != event.actor.key and last[actor] > event.at >= 0}
        mine = dict(place.bound).get(event.actor.key)
        for process in range(len(self.kernel.processes)):
            operation = self.kernel.operation(place.state, process)
            if operation is None or process in taken or mine not in (None, process):
                continue
            if self.matching.is_of(event, operation) and self._may_be(place, event, process):
                yield process

    def _may_be(self, place: _Place, event: Event, process: int) -> bool:
        return self.matching.may_be(event.actor, self.kernel.processes[process], self._task(place.state, process))

    def _taken(self, place: _Place, event: Event, last: dict[str, int]) -> Iterator[_Place]:
        kernel, state = self.kernel, place.state
        for process in self._about(place, event, last):
            bound = place.bound
            if self.matching.process(event.actor) is None:
                bound = tuple(sorted({**dict(bound), event.actor.key: process}.items()))
            in_time = event.how != "late" or event.names == ("reacquire",)
            moves = kernel.moves(state, process) if in_time else ()
            for move in (*moves, *(kernel.expiries(state, process) if event.how in ("late", "in vain") else ())):
                yield _Place(kernel.after(state, process, move), bound)

    def _is_still(self, state: Packed) -> bool:
        """Tell whether nobody in the model could go on, but those who go on in the run beside those who hang."""
        calls = self.matching.history.calls
        waiting = {call.actor for call in calls if call.ended == NEVER and call.limit is None}
        going = [a for a in self.matching.history.actors if a.begun and not a.ended and a.key not in waiting]
        return not any(
            self.kernel.moves(state, process)
            for process, who in enumerate(self.kernel.processes)
            if not any(self.matching.may_be(actor, who, self._task(state, process)) for actor in going)
        )

    def _waits(self, place: _Place, event: Event, last: dict[str, int]) -> bool:
        """Tell whether somebody waits there who may be whose step it is."""
        return any(not self.kernel.moves(place.state, process) for process in self._about(place, event, last))

    # ---- in words ----------------------------------------------------------------------------------------------

    def _words(self, event: Event) -> str:
        call, met = event.call, self.matching.history.thing(event.call.thing)
        name = "" if met is None else met.name
        known, method = COUNTERPARTS[call.operation], call.operation.partition(".")[2]
        second = " to its end" if known.first and event.names == known.names else ""
        who = event.actor.role if event.actor.pool else event.actor.name
        done = f"{name}.{method}()"
        if call.operation in TOGETHER:
            done = f"{call.operation.rpartition('.')[2]}() with {name}"
        return f"{who}: {done}{second}" + (f" at {call.place}" if call.place else "")

    def _allowed(self, reached: set[_Place], event: Event) -> list[str]:
        """Return what those may do, in the model, that may be whose step it is; else what anybody may."""
        mine, others = dict[str, None](), dict[str, None]()
        for place in sorted(reached):
            for process, who in enumerate(self.kernel.processes):
                operation = self.kernel.operation(place.state, process)
                if operation is None or not self.matching.is_seen(who, self._task(place.state, process), operation):
                    continue
                waits = "" if self.kernel.moves(place.state, process) else ", which waits"
                found = mine if self._may_be(place, event, process) else others
                found[f"{who}: {operation}{waits}"] = None
        return _some(list(mine or others))


def _some(told: Sequence[str]) -> list[str]:
    """Return the first of them, and how many more there are."""
    return [*told[:_SHOWN], *[f"{len(told) - _SHOWN} more"] * (len(told) > _SHOWN)]
