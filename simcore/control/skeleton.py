"""A model of what was seen in runs of the code, as Python to go on from: it says no more than that.

Each thread and each task is a generator that does what was done, in that order. Those that did the same share one. What
a branch depends on, and how often a loop is gone round, is not inferred; what models do not have is a comment. What was
seen of a run that hangs ends where it hangs; another run that came to its end says how it would have gone on, as far
as the two do the same.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence

from simcore.control.counterparts import (
    COUNTERPARTS,
    END,
    FACTORIES,
    RESULT,
    START,
    TOGETHER,
    function_name,
    identifier,
)
from simcore.control.history import NEVER, Actor, Call, History, Met, joined
from simcore.control.lines import Line, cancels, repeated, unless_cancelled, unless_done

_ASKS = ("Future.result", "Future.exception", "Future.done", *TOGETHER)
_SETS = ("Future.set_result", "Future.set_exception")
_RAISES = ("Future.cancel", "Future.set_exception")
_NOTHING_DONE = "yield from ()"
_WHAT_IT_IS = (
    "It says what threads and tasks were seen to do, in their order. A branch is not inferred, nor how often a loop is",
    "gone round: write them in, and ask `conforms` whether a run of the code is still one of the model's.",
)
_MAY_HOLD = "So it may hold although the code hangs, until you have written in what models do not have:"


def skeleton(histories: Sequence[History]) -> str:
    """Return the source of a module with a function ``skeleton``, which builds the model."""
    return _Writer(joined(histories), histories[0]).text()


class _Writer:
    """Writes down one history, and what it does not say of the run that it begins with."""

    def __init__(self, history: History, told: History) -> None:
        self.history, self.told = history, told
        self.things = {each.key: each for each in history.things}
        self.actors = {each.key: each for each in history.actors}
        self.calls = {key: history.of(key) for key in self.actors}
        self.left_out: dict[str, None] = {}
        self.loops: dict[str, None] = {}
        self.assumed: dict[str, None] = {}
        self.taken = {"Model", "model", "sleep", "skeleton", "started", "ended"}
        self.named = {actor.name for actor in history.actors if not actor.pool}
        self.made: dict[str, str] = {}
        self.variables: dict[str, str] = {}
        self.starts = self._starts()
        self.joined = {self._thread(call) for call in history.calls if call.operation == "Thread.join"} - {""}
        self.submits = {call.extra: call.actor for call in history.calls if call.operation.endswith(".submit")}
        self.asked: dict[str, set[str]] = {}
        for call in history.calls:
            if call.operation in _ASKS:
                self.asked.setdefault(call.thing, set()).add(call.actor)
        self.cancelled = [key for key in self.submits if key in self.actors and key in history.cancelled]
        self.raising = {call.thing for call in history.calls if call.operation in _RAISES and call.thing != call.actor}
        self.own_locks = dict(self._own_locks())
        self.shared = [key for key in self.submits if key in self.actors and self._is_shared(key)]
        for thing in history.things:
            self._make(thing)
        for key in self.shared:
            self._add(key, RESULT.format(function_name(self.actors[key].role)), "future")
        for key in self.cancelled:
            self._add(f"begin {key}", f"begin of {function_name(self.actors[key].role)}", "semaphore", ", 1")
        for key in self.starts:
            self._add(f"start {key}", START.format(self.actors[key].name), "event")
        for key in sorted(self.joined):
            self._add(f"end {key}", END.format(self.actors[key].name), "event")

    # ---- what there is -----------------------------------------------------------------------------------

    def _thread(self, call: Call) -> str:
        """Return the key of the thread that is started or joined; nothing if it was not seen."""
        thing = self.things.get(call.thing)
        return thing.inside if thing is not None and thing.inside in self.actors else ""

    def _starts(self) -> list[str]:
        """Return the threads before which something was done; the others may as well be there from the beginning."""
        found: list[str] = []
        begun = {"0"}
        for key in self.actors:
            first = key in begun
            for call in self.calls[key]:
                if call.operation != "Thread.start":
                    first = False
                elif (thread := self._thread(call)) and first:
                    begun.add(thread)
                elif thread:
                    found.append(thread)
        return found

    def _is_shared(self, key: str) -> bool:
        """Tell whether a task's future is more than a variable of who has submitted it."""
        if key in self.cancelled:
            return True
        own = self.calls[key]
        ends = next((n for n, call in enumerate(own) if call.thing == key and call.operation in _SETS), len(own))
        return ends < len(own) - 1 or bool(self.asked.get(key, set()) - {self.submits[key]})

    def _make(self, thing: Met) -> None:
        factory = FACTORIES.get(thing.kind)
        if factory is None or thing.key in self.submits or thing.key in self.own_locks:
            return
        size = "" if thing.size is None else f", {thing.size}"
        if thing.kind == "Condition" and thing.inside not in self.own_locks:
            lock = self.things[thing.inside]
            if lock.key not in self.variables:
                self._make(lock)
            size = f", {self.variables[lock.key]}"
        if thing.key not in self.variables:
            self._add(thing.key, thing.name, factory, size)
        if any(call.until_true for call in self.history.calls if call.thing == thing.key):
            self._add(f"told {thing.key}", f"{thing.name} is told", "variable", ", False")
            self.assumed[f"what is tested around a wait on {thing.name} comes true when that is notified, for good"] = (
                None
            )
        if thing.before:
            self.left_out[f"that {thing.name} was met with something in it ({thing.before})"] = None
        if thing.key in self.history.inner_locks and thing.kind == "Lock":
            queue = self.history.inner_locks[thing.key].name
            self.left_out[f"that each operation of {queue} takes {thing.name}, too"] = None
        if thing.kind in ("LifoQueue", "PriorityQueue"):
            self.left_out[f"the order of {thing.name}, a {thing.kind}: a queue gives what was put first"] = None

    def _own_locks(self) -> Iterator[tuple[str, str]]:
        """Yield the locks of conditions that have one of their own, as they have in models, and whose they are."""
        for each in self.things.values():
            lock = self.things.get(each.inside)
            if each.kind == "Condition" and (
                lock is None or (lock.kind == "RLock" and lock.name == f"{each.name}.lock")
            ):
                yield each.inside, each.key

    def _add(self, key: str, name: str, factory: str, size: str = "") -> None:
        number, unique = 1, name
        while unique in self.named:
            number, unique = number + 1, f"{name} ({number + 1})"
        self.named.add(unique)
        self.variables[key] = self._variable(unique)
        self.made[key] = f"{self.variables[key]} = model.{factory}({json.dumps(unique, ensure_ascii=False)}{size})"

    def _variable(self, name: str) -> str:
        short = identifier(name.partition(" (made in ")[0])
        number, unique = 1, short
        while unique in self.taken:
            number += 1
            unique = f"{short}_{number}"
        self.taken.add(unique)
        return unique

    def _at(self, key: str) -> str:
        """Return the variable of an object; of the lock of a condition that of the condition."""
        return self.variables.get(self.own_locks.get(key, key), "")

    # ---- who does what -----------------------------------------------------------------------------------

    def generators(self) -> dict[str, tuple[str, list[Line]]]:
        """Return the name and the lines of each actor's generator: those whose lines are the same have the same."""
        found: dict[str, tuple[str, list[Line]]] = {}
        names: dict[tuple[str, tuple[Line, ...]], str] = {}
        for actor in self._in_order():
            lines = list(self._lines(actor, {key: name for key, (name, _) in found.items()}))
            if actor.pool and not actor.ended and actor.key not in self.shared:
                lines = self._further(actor, lines, found)
            own = actor.role if actor.pool or actor.role.rpartition(".")[2] != "<lambda>()" else actor.name
            name = names.get((own, tuple(lines)))
            if name is None:
                name = names[own, tuple(lines)] = self._variable(function_name(own))
            found[actor.key] = name, lines
        return found

    def _in_order(self) -> Iterator[Actor]:
        """Yield those first whom others submit, and, where that leaves a choice, those that were seen to their end."""
        left = list(self.actors.values())[::-1]
        while left:
            waiting = {self.submits.get(actor.key) for actor in left}
            ready = [actor for actor in left if actor.key not in waiting]
            ready = [actor for actor in ready if actor.ended] or ready
            yield from ready
            left = [actor for actor in left if actor not in ready]

    def _further(self, actor: Actor, lines: list[Line], found: dict[str, tuple[str, list[Line]]]) -> list[Line]:
        """Return the lines of a task that was seen to its end, and has begun as one that was not; else its own."""
        begun = [line for line in lines if line.code and line.code != _NOTHING_DONE]
        alike = ((key, others) for key, (_, others) in found.items() if key not in self.shared)
        for key, others in alike:
            if self.actors[key].role == actor.role and self.actors[key].ended and others[: len(begun)] == begun:
                self.assumed[f"{actor.role} goes on as it did where it was seen to its end"] = None
                return others
        return lines

    def _lines(self, actor: Actor, generators: dict[str, str]) -> Iterator[Line]:
        calls, done = self.calls[actor.key], 0
        if actor.key in self.starts:
            yield Line("yield started.wait()", "")
        if actor.key in self.cancelled:
            yield from unless_cancelled(self._at(f"begin {actor.key}"))
        asked = [c.extra for c in calls if c.extra in self.submits and self._is_asked(c.extra)]
        local = {key: "future" if len(asked) == 1 else f"future_{n}" for n, key in enumerate(asked, 1)}
        for call in calls:
            for line in self._line(call, generators, local):
                done += bool(line.code)
                yield line
        if not actor.begun:
            yield Line("", "", "was not seen to begin")
            if actor.key in self.cancelled:  # who has not cancelled it is not kept waiting
                done += 1
                yield Line(f"yield {self._at(actor.key)}.set_result(None)", "")
        elif not actor.daemon and (not actor.ended or (calls and calls[-1].ended == NEVER)):
            yield Line("", "", "was not seen to go on from here")
        if actor.key in self.joined and actor.ended:
            yield Line("yield ended.set()", "")
        elif not done and actor.key not in self.starts:
            yield Line(_NOTHING_DONE, "")

    def _is_asked(self, key: str) -> bool:
        return key not in self.shared and key in self.asked

    def _line(self, call: Call, generators: dict[str, str], local: dict[str, str]) -> Iterator[Line]:
        """Yield what stands for a call: most often one line."""
        if call.operation == "sleep" or (call.how == "late" and self.history.timeouts == "never"):  # a timer's, then
            yield Line(f"yield sleep({call.limit:g})", call.place)
            return
        if call.thing == call.actor and call.operation in _SETS:
            yield from self._own_end(call)
            return
        known, at = COUNTERPARTS.get(call.operation), self._target(call, local)
        limited = call.operation in ("Event.wait", "Condition.wait") and bool(call.limit)
        nothing = call.how and not (limited and call.how == "late")
        if known is None or not at or nothing or self.history.waits_in_vain(call):
            yield self._left_out(call)
        elif call.operation == "Thread.start" and self._thread(call) not in self.starts:
            yield Line("", call.place, f"starts {self.actors[self._thread(call)].name}")
        elif call.operation == "Future.cancel":
            yield from cancels(at, self.variables.get(f"begin {call.thing}", ""), call.place)
        elif call.operation in _SETS and call.thing in self.history.cancelled:
            method = call.operation.partition(".")[2]
            yield from unless_done(f"{at}.{method}({self._arguments(call, limited)})", call.place, "unless it is done")
        else:
            method, remark = known.first or known.names[0], self._remark(call, limited)
            if method == "result" and call.thing in self.raising:
                method = "exception"  # which waits for the same
                self.assumed[f"that whoever gets an exception out of {self.things[call.thing].name} goes on"] = None
            told = self.variables.get(f"told {call.thing}")
            if told and method.startswith("notify"):
                yield Line(f"yield {told}.set(True)", call.place)
            if told and call.until_true:
                yield Line(f"while not (yield {told}.get()):", call.place)
            to = f"{local[call.extra]} = " if call.extra in local else ""
            given = generators[call.extra] if method == "submit" else self._arguments(call, limited)
            yield Line(f"{'    ' * bool(told and call.until_true)}{to}yield {at}.{method}({given})", call.place, remark)

    def _remark(self, call: Call, limited: bool) -> str:
        """Say what a line does not say of a call that got what it wanted."""
        together = call.operation if call.operation in TOGETHER else ""
        if call.operation == "concurrent.futures.as_completed":
            self.assumed[f"that futures come in this order out of as_completed, at {call.place}"] = None
        if call.limit is None or limited:
            return together
        what = "that it does not wait" if call.limit == 0 else f"its time-out of {call.limit:g} s"
        self.left_out[f"{what}, at {call.place}"] = None
        return "; ".join(filter(None, (together, f"not modelled: {what}")))

    def _target(self, call: Call, local: dict[str, str]) -> str:
        """Return the variable that an operation is performed on; empty where there is none."""
        if call.operation == "Thread.start":
            thread = self._thread(call)
            return thread and (self._at(f"start {thread}") or "a thread")
        if call.operation == "Thread.join":
            return self._at(f"end {self._thread(call)}")
        if call.operation == "ThreadPoolExecutor.submit" and call.extra not in self.actors:
            return ""
        return (
            local.get(call.thing)
            or ("" if call.thing in self.submits else self._at(call.thing))
            or (
                self._at(call.thing)
                if call.thing in self.shared and call.operation in (*_ASKS, "Future.cancel")
                else ""
            )
        )

    def _own_end(self, call: Call) -> Iterator[Line]:
        """Return what stands for the end of a task: it sets its future, where that is an object of the model."""
        remark = ""
        if call.operation == "Future.set_exception":
            remark = f"not modelled: that {self.actors[call.actor].role} ended with an exception"
            self.left_out[remark.removeprefix("not modelled: ")] = None
        if call.actor in self.shared:
            yield Line(f"yield {self._at(call.actor)}.set_result(None)", call.place, remark)
        elif remark:
            yield Line("", call.place, remark)

    @staticmethod
    def _arguments(call: Call, limited: bool) -> str:
        if limited:
            return f"timeout={call.limit:g}"
        if call.operation in ("Queue.put", "SimpleQueue.put"):
            return call.extra or '"item"'
        if call.operation == "Future.set_result":
            return "None"
        return 'RuntimeError("seen")' if call.operation == "Future.set_exception" else call.extra

    def _left_out(self, call: Call) -> Line:
        thing = self.things.get(call.thing)
        what = call.operation + (f" of {thing.name}" if thing is not None and thing.name else "") + call.in_vain
        self.left_out[what + (f", at {call.place}" if call.place else "")] = None
        return Line("", call.place, f"not modelled: {what}")

    def _lost(self) -> tuple[str, list[str]]:
        """Return how much of a hang is not in the model, and what that is; nothing where all of it is."""
        ends = [call for call in self.told.calls if call.ended == NEVER and self.told.how == "deadlock"]
        lost = [call for call in ends if call.operation != "sleep" and not self._has(call)]
        told = list(dict.fromkeys(map(self.told.in_words, lost)))
        if self.told.how == "deadlock" and self.told.cut:
            told.append(f"what came after the first {len(self.told.calls):,} operations was not kept")
        whole = all(call in lost or self.actors[call.actor].daemon for call in ends)
        return ("the hang itself is not in it" if whole else "not all of the hang is in it") if told else "", told

    def _has(self, call: Call) -> bool:
        has = call.operation in COUNTERPARTS and not self.history.waits_in_vain(call)
        return has and bool(self._target(call, dict.fromkeys(self.submits, "future")))

    # ---- the whole ---------------------------------------------------------------------------------------

    def text(self) -> str:
        """Return the module."""
        found, bodies = self.generators(), list[str]()
        written: dict[str, list[Line]] = dict(found.values())
        given = {found[key][0]: ", ".join(f"{each}ed" for each in self._events(self.actors[key])) for key in found}
        for name, lines in written.items():
            bodies += ["", f"    def {name}({given[name]}):", *(f"        {line}" for line in self._folded(lines))]
        started = [f"    {self._process(each, found[key][0])}" for key, each in self.actors.items() if not each.pool]
        sleeps = any("yield sleep(" in line.code for lines in written.values() for line in lines)
        name = json.dumps(f"{self.history.name}, as it was seen", ensure_ascii=False)
        head = [
            "def skeleton() -> Model:",
            f"    model = Model({name})",
            *(f"    {each}" for each in self.made.values()),
        ]
        imports = [f"from simcore import Model{', sleep' * sleeps}"]
        if "CancelledError" in (written_down := "\n".join(bodies)):
            also = ", InvalidStateError" * ("InvalidStateError" in written_down)
            imports = [f"from concurrent.futures import CancelledError{also}", "", *imports]
        return "\n".join(
            [*self._docstring(), "", *imports, "", "", *head, *bodies, "", *started, "    return model", ""]
        )

    def _process(self, actor: Actor, generator: str) -> str:
        given = [json.dumps(actor.name, ensure_ascii=False), generator]
        given += [self._at(f"{event} {actor.key}") for event in self._events(actor)]
        return f"model.process({', '.join(given)}{', daemon=True' * actor.daemon})"

    def _events(self, actor: Actor) -> list[str]:
        """Return which of its start and its end a generator is given as an event."""
        return ["start"] * (actor.key in self.starts) + ["end"] * (actor.key in self.joined and actor.ended)

    def _folded(self, lines: list[Line]) -> Iterator[str]:
        """Write lines down; what is repeated at once stands in a loop."""
        position = 0
        while position < len(lines):
            length, times = repeated(lines, position)
            block = lines[position : position + length]
            if times == 1:
                yield from map(str, block)
            else:
                self.loops[f"{block[0].place} {times:,} times"] = None
                yield f"for _ in range({times}):  # as often as it was seen"
                yield from (f"    {line}" for line in block)
            position += length * times

    def _docstring(self) -> list[str]:
        ends = {"deadlock": "that hangs", "failed": "in which something was raised"}
        how = ends.get(self.history.how, "that came to its end")
        without, lost = self._lost()
        lines = [f'"""A skeleton of {self.history.name}, made of a run {how}{without and f"; but {without}"}.', ""]
        if lost:
            lines += [_MAY_HOLD, *(f"* {each}" for each in lost), ""]
        lines += _WHAT_IT_IS
        if self.history.timeouts != "when_stuck":
            lines += ["", f"The code was run with `timeouts={self.history.timeouts!r}`; so should the model be."]
        if self.loops:
            lines += ["", "Seen several times, one after the other:", *(f"* {each}" for each in self.loops)]
        if self.assumed:
            lines += ["", "Taken for granted:", *(f"* {each}" for each in self.assumed)]
        if self.history.cut:
            self.left_out[f"what came after the first {len(self.history.calls):,} operations"] = None
        if self.left_out:
            lines += ["", "Not modelled:", *(f"* {each}" for each in self.left_out)]
        return [line.replace("\\", "\\\\") for line in lines] + ['"""']
