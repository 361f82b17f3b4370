"""What a run of the code did, step by step, in the words of a model, and where the two have the same names.

A step is somebody's, on something. Whose it is, is known by the name of the thread, or by the function that a thread or
a task runs; on what, by the name of the object. Where either is not in the model, the step says nothing of it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from types import FunctionType
from typing import Any, NamedTuple

from simcore.control.counterparts import COUNTERPARTS, function_name, is_result_of, stands_for
from simcore.control.history import NEVER, Actor, Call, History, Met
from simcore.model import Model, Process
from simcore.model.operations import Operation

FUTURE = "the future of a submit"
"""What all futures are called that submits have made: nobody has named them."""

_LOOKS = frozenset(["locked", "is_set", "qsize", "done"])
_ACTS = frozenset(
    name for each in COUNTERPARTS.values() for name in (*each.names, each.first) if name and name not in _LOOKS
)


class Event(NamedTuple):
    """A step of the run that a model may have.

    Attributes
    ----------
    actor : Actor
        Whose.
    names : tuple of str
        What the operation may be called in the model.
    thing : str
        What the object is called there.
    call : Call
        The operation of the code.
    task : str
        The function that is submitted, or whose result is asked for.
    at : int
        Where it stands among all that was done; `NEVER` where it waits in the end.
    how : str
        As of the call, for its end.
    """

    actor: Actor
    names: tuple[str, ...]
    thing: str
    call: Call
    task: str
    at: int
    how: str = ""


class Matching:
    """Which names of a run are names of a model, and what that says of a step of either.

    Parameters
    ----------
    history : History
        The run.
    model : Model
        The model.
    names : mapping
        What threads, functions and objects of the code are called in the model, where that is something else.
    """

    def __init__(self, history: History, model: Model, names: Mapping[str, str]) -> None:
        self.history, self.model, self.names = history, model, names
        self._things = {each.key: each for each in history.things}
        self._actors = {each.key: each for each in history.actors}
        self._processes = {each.name: each for each in model.processes}
        self.functions = set(_functions(model))
        self._objects = {each.name for each in (*model.objects[1:], *model.conditions)}
        self._results = {name: found for name in self._objects if (found := self._with_result(name))}
        every = sorted(self._events(), key=lambda event: event.at)
        self.all = [event for event in every if event.at != NEVER]
        self.steps = [event for event in self.all if self._is_known(event)]
        self.waits = [event for event in every if event.at == NEVER and self._is_known(event)]
        self.lost = list(dict.fromkeys(self._lost())) if history.how == "deadlock" else []
        self._pairs = {(event.thing, name) for event in (*self.steps, *self.waits) for name in event.names}
        self._whole = {event.thing for event in (*self.steps, *self.waits) if not _is_of_threads(event.call)}
        self._roles = {event.actor for event in (*self.steps, *self.waits)}

    # ---- of the code -----------------------------------------------------------------------------------------

    def _events(self) -> Iterator[Event]:
        for call in self.history.calls:
            known = COUNTERPARTS.get(call.operation)
            refused = known is not None and call.how == "refused" and known.first  # which is not begun either
            of_nothing = call.operation == "ThreadPoolExecutor.submit" and not call.extra
            if known is None or call.thing == call.actor or refused or of_nothing or self.history.waits_in_vain(call):
                continue
            actor, thing = self._actors[call.actor], self._thing(call, self._things[call.thing])
            task = self._role_of(call.extra) or self._role_of(call.thing)
            if call.operation == "Future.cancel" and thing == FUTURE and not self._has_result(task):
                continue
            goes_on = call.operation != "ThreadPoolExecutor.shutdown" or not call.extra
            if known.first and call.began != NEVER:
                yield Event(actor, (known.first,), thing, call, task, call.began)
            if goes_on and (call.ended != NEVER or call.began != NEVER or not known.first):
                yield Event(actor, known.names, thing, call, task, call.ended, call.how)

    def _lost(self) -> Iterator[str]:
        """Yield in what the run waits for ever that models do not have."""
        for call in self.history.calls:
            known = call.operation in COUNTERPARTS and not self.history.waits_in_vain(call)
            if call.ended == NEVER and not known and call.operation != "sleep":
                yield self.history.in_words(call)
        if self.history.cut:
            yield f"what came after the first {len(self.history.calls):,} operations was not kept"

    def _has_result(self, role: str) -> bool:
        """Tell whether the model has an object for the result of such a task, which alone it may set by hand."""
        return any(self._called(role) in roles for roles in self._results.values())

    def _role_of(self, key: str) -> str:
        """Return which function a task runs; nothing for what is no task."""
        return self._actors[key].role if key in self._actors else ""

    def _with_result(self, name: str) -> frozenset[str]:
        """Return the functions of whose tasks an object of the model is the result, as it is called in skeletons."""
        if any(name == self.names.get(each.name, each.name) for each in self._things.values()):
            return frozenset()
        roles = {self.role(actor) for actor in self._actors.values() if actor.pool}
        return frozenset(role for role in roles if is_result_of(name, function_name(role)))

    def _thing(self, call: Call, met: Met) -> str:
        if met.key in self._actors:
            return FUTURE
        name = self.names.get(met.name, met.name)
        return COUNTERPARTS[call.operation].thing.format(name)

    def _is_known(self, event: Event) -> bool:
        return self._has_actor(event.actor) and (event.thing == FUTURE or event.thing in self._objects)

    def _has_actor(self, actor: Actor) -> bool:
        return self.process(actor) is not None or any(stands_for(each, self.role(actor)) for each in self.functions)

    def process(self, actor: Actor) -> Process | None:
        """Return the process that has the name of a thread."""
        return None if actor.pool else self._processes.get(self.names.get(actor.name, actor.name))

    def role(self, actor: Actor) -> str:
        """Return what the function of a thread or a task is called in the model."""
        return self._called(actor.role)

    def _called(self, role: str) -> str:
        return self.names.get(role, self.names.get(role.removesuffix("()"), self.names.get(function_name(role), role)))

    # ---- of the model ----------------------------------------------------------------------------------------

    def is_seen(self, process: Process, task: Any, operation: Operation) -> bool:
        """Tell whether a step of the model is one that the run would have, too."""
        thing = self._name(operation)
        whole = thing in self._whole and operation.name in _ACTS
        if thing == FUTURE:
            whole = FUTURE in self._whole and operation.name in ("result", "exception")
        return (whole or (thing, operation.name) in self._pairs) and any(
            self.may_be(actor, process, task) for actor in self._roles
        )

    def may_be(self, actor: Actor, process: Process, task: Any) -> bool:
        """Tell whether a process, in a task if it is a worker, may be somebody of the run."""
        named = self.process(actor)
        if named is not None:
            return named is process
        if process.pool is None and any(self.process(other) is process for other in self._actors.values()):
            return False
        function = process.fn if process.pool is None else None if task is None else task.fn
        return stands_for(getattr(function, "__name__", ""), self.role(actor))

    def is_of(self, event: Event, operation: Operation) -> bool:
        """Tell whether an operation of the model is that of a step."""
        if operation.name not in event.names or self._name(operation) != event.thing:
            return False
        results = self._results.get(operation.target.name)
        if event.thing == FUTURE and results and self._called(event.task) not in results:
            return False
        if operation.name == "reacquire":  # a wait on a condition is told whether it was notified in time
            return bool(operation.args[1]) == (event.how != "late")
        role = self._called(event.task) if event.task else ""
        if operation.name != "submit" or not any(stands_for(each, role) for each in self.functions if role):
            return True
        return stands_for(getattr(operation.args[0], "__name__", ""), role)

    def _name(self, operation: Operation) -> str:
        """Return what the object of an operation is called."""
        target = operation.target
        unnamed = target.kind == "future" and (target.index < 0 or target.name in self._results)
        return FUTURE if unnamed else target.name

    def nothing(self) -> tuple[Sequence[str], Sequence[str]]:
        """Return the names of the code, and of the model, that have matched nothing."""
        code = {each.name for each in self.history.things if each.kind != "Thread" and each.key not in self._actors}
        code -= {each.name for each in self.history.things if self.names.get(each.name, each.name) in self._objects}
        code |= {each.role if each.pool else each.name for each in self._actors.values() if not self._has_actor(each)}
        met = {event.thing for event in (*self.steps, *self.waits)}
        things = {name for name in self._objects if name not in met and name not in self._results}
        own = [each for each in self.model.processes if each.pool is None]
        things |= {each.name for each in own if not any(self.may_be(a, each, None) for a in self._actors.values())}
        return sorted(code), sorted(things)


def _is_of_threads(call: Call) -> bool:
    return COUNTERPARTS[call.operation].thing != "{}"


def _functions(model: Model) -> Iterator[str]:
    """Yield the names of the functions that the processes of a model may run, as far as their code tells."""
    left: list[Any] = [each for process in model.processes for each in (process.fn, *process.args)]
    met: set[int] = set()
    while left:
        function = getattr(left[-1], "func", getattr(left[-1], "__func__", left[-1]))
        left.pop()
        if id(function) in met or not isinstance(function, FunctionType):
            continue
        met.add(id(function))
        yield function.__name__
        left += [cell.cell_contents for cell in function.__closure__ or () if _is_full(cell)]
        left += [function.__globals__[name] for name in function.__code__.co_names if name in function.__globals__]


def _is_full(cell: Any) -> bool:
    try:
        cell.cell_contents  # noqa: B018
    except ValueError:
        return False
    return True
