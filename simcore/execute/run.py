"""A run lets every process loose on a thread of its own, and keeps notes that one lock keeps consistent.

Under that lock an operation begins and its record is appended; the operation itself happens outside, on the
real primitive. So whenever the lock is held, the records are a consistent cut of the run: whatever an
operation in the records depends on is in the records too, or pending.
"""

from __future__ import annotations

import contextlib
import itertools
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import InvalidStateError
from typing import Any

from simcore.errors import Diverged, ModelError, SimcoreError
from simcore.execute.condition import LiveCondition
from simcore.execute.gate import Gate
from simcore.execute.pool import Entry, LivePool
from simcore.execute.real import LIVE, Live
from simcore.execute.records import Actor, Cancelled, Record
from simcore.execute.tcp import Codec, LiveLink
from simcore.execute.timer import LiveTimer
from simcore.kernel import Program, Running
from simcore.kernel.freeze import SuspendedGenerator
from simcore.model import Model, Process
from simcore.model.objects import LEAVE, Condition, ThreadPool, Timer
from simcore.model.operations import Operation, Raised, SharedObject


class Run:
    """One run of a model for real; see `Context` for what its objects use of it.

    Parameters
    ----------
    model : Model
        What runs.
    gate : Gate
        The schedule, or an open gate.
    """

    def __init__(self, model: Model, gate: Gate) -> None:
        self.model, self.gate = model, gate
        self.lock = threading.Lock()
        self.over = threading.Event()
        self._begun = threading.Event()
        """Set when every thread of the run is there. Nobody does anything before: the name of a thread that has ended
        is given to the next one that is made, and an `RLock` that the first one has kept would be the other one's."""
        self.news = threading.Event()
        """Set when a process or a task has ended."""
        self.handles: Iterator[int] = itertools.count()
        self._ticks = itertools.count(1)
        self.began = self.last_progress = time.perf_counter()
        self.frozen = False
        self.error: BaseException | None = None
        self.actors = [Actor(p, "idle" if p.pool is not None else "active") for p in model.processes]
        self._turns = [threading.Condition(self.lock) for _ in self.actors]
        self.live: dict[SharedObject, Live] = {}
        self.pools: list[LivePool] = []
        self.links: list[LiveLink] = []
        self.threads: list[threading.Thread] = []

    # ---- set up, and clean up ------------------------------------------------------------------------

    def start(self) -> None:
        """Make every object, then every thread, then let all begin."""
        codec = Codec()
        for thing in self.model.objects:
            if thing.kind == "link":
                self.links.append(LiveLink(self, thing, codec))  # type: ignore[arg-type]
                self.live[thing] = self.links[-1]
            elif isinstance(thing, ThreadPool):
                names = [actor for actor in self.actors if actor.process.pool is thing]
                pool = LivePool(self, thing, names)
                self.pools.append(pool)
                self.live[thing] = pool
            elif isinstance(thing, Timer):
                self.live[thing] = LiveTimer(self, thing)
            else:
                self.live[thing] = LIVE[thing.kind](self, thing)
        self.began = self.last_progress = time.perf_counter()
        for actor in self.actors:
            if actor.process.pool is None:
                thread = threading.Thread(target=self._main, args=(actor,), name=actor.process.name, daemon=True)
                self.threads.append(thread)
                thread.start()
        self._begun.set()

    def stop(self, patience: float = 10.0) -> None:
        """Let everybody go, join every thread, close every socket. May be called at any moment.

        Raises
        ------
        ModelError
            When a process does not yield for ``patience`` seconds.
        """
        with self.lock:
            self.frozen = True
            for turn in [*self._turns, *(pool.taking for pool in self.pools)]:
                turn.notify_all()
        self.over.set()
        self._begun.set()  # the start may have been broken off
        self._let_go()
        deadline = time.monotonic() + patience
        for thread in [*self.threads, *(thread for pool in self.pools for thread in pool.executor._threads)]:
            while thread.is_alive() and time.monotonic() < deadline:
                thread.join(0.02)
                if thread.is_alive():
                    self._let_go()  # it may have begun to wait after the last time
            if thread.is_alive():
                raise ModelError(
                    f"{thread.name} neither yields nor ends, so its thread cannot be ended; look for a loop"
                )
        for link in self.links:
            link.dispose()

    def _let_go(self) -> None:
        for live in list(self.live.values()):
            live.cancel()

    # ---- what live objects use -----------------------------------------------------------------------

    def tick(self) -> int:
        """Return the next tick of logical time."""
        return next(self._ticks)

    def enter(self, actor: Actor, operation: Operation, gated: bool = True) -> None:
        """Note that ``actor`` begins ``operation``; wait for its turn first."""
        with self.lock:
            self._check()
            actor.pending, actor.at_gate, actor.effect = operation, True, None
            while gated and not self.gate.open and self._not_its_turn(actor):
                self._turns[actor.process.index].wait()
                self._check()
            actor.at_gate = False
            if gated and not self.gate.open:
                self._guarded(lambda: self.gate.grant(actor, operation, self.offers))
            actor.start, actor.began = self.tick(), time.perf_counter() - self.began

    def leave(self, actor: Actor, result: Any) -> None:
        """Note what the pending operation of ``actor`` gave, and let the schedule go on."""
        with self.lock:
            self._check()
            self._record(actor, result)

    def _not_its_turn(self, actor: Actor) -> bool:
        return self.gate.current.process != actor.process.index or self.gate.current_takes is not None

    def _check(self) -> None:
        if self.frozen:
            raise Cancelled

    def _guarded(self, go: Callable[[], None]) -> None:
        try:
            go()
        except Diverged as error:
            self._fail(error)
            raise Cancelled from None

    def _fail(self, error: BaseException) -> None:
        self.error, self.frozen = self.error or error, True
        self.news.set()

    def _record(self, actor: Actor, result: Any) -> None:
        operation = actor.pending
        assert operation is not None
        finish, ended = self.tick(), time.perf_counter()
        effect = actor.effect or (finish if operation.name in operation.target.enabled_by else actor.start)
        actor.records.append(
            Record(operation, result, actor.start, effect, finish, actor.began, ended - self.began, actor.handover)
        )
        actor.pending, actor.handover = None, False
        self.last_progress = ended
        if actor.granted is not None:
            self._guarded(lambda: self.gate.passed(actor, result))
            self._wake()

    def _wake(self) -> None:
        """Wake whoever's turn it is; everybody, once the gate is open."""
        if self.gate.open:
            for turn in [*self._turns, *(pool.taking for pool in self.pools)]:
                turn.notify_all()
        elif self.gate.current_takes is not None:
            self.live[self.gate.current_takes].taking.notify_all()  # type: ignore[attr-defined]
        else:
            self._turns[self.gate.current.process].notify()

    def offers(self) -> list[str]:
        """Say what could begin now, for a schedule that cannot go on. The lock is held."""
        offered = []
        for actor in self.actors:
            if actor.at_gate and actor.pending is not None and not self.blocked(actor):
                offered.append(f"{actor.process} {actor.pending.target.phrase(actor.pending)}")
        for pool in self.pools:
            if pool.pending and any(actor.status == "idle" for actor in pool.names):
                offered.append(f"a worker takes {pool.pending[0].task} of {pool.thing}")
        return offered

    def blocked(self, actor: Actor) -> bool:
        """Tell whether the pending operation of ``actor`` would block now, by the live object's value."""
        operation = actor.pending
        assert operation is not None
        target = operation.target
        if operation.name in target.creates:
            return False
        return not target.outcomes(self.live[target].value(), operation, actor.process)

    def may_expire(self, actor: Actor) -> bool:
        """Tell whether the pending operation of ``actor`` may still time out: who was notified waits on, unlimited."""
        operation = actor.pending
        assert operation is not None
        target = operation.target
        limited = operation.timeout is not None
        return limited and bool(target.expired(self.live[target].value(), operation, actor.process))

    # ---- the threads ---------------------------------------------------------------------------------

    def _main(self, actor: Actor) -> None:
        process: Process = actor.process
        assert process.fn is not None
        status = "done"
        self._begun.wait()
        try:
            outcome = self._drive(actor, Program(process.name, process.fn, process.args))
        except Cancelled:
            return
        except SimcoreError as error:
            with self.lock:
                self._fail(error)
            return
        except SystemExit:
            outcome = None  # a thread ends by it, and nobody hears of it
        except BaseException as error:
            status, outcome = "failed", Raised.of(error)
        with self.lock:
            if not self.frozen:
                actor.status, actor.outcome, actor.generator = status, outcome, None
                self.last_progress = time.perf_counter()
        self.news.set()

    def _drive(self, actor: Actor, program: Program) -> Any:
        """Run a generator to its end, each of its operations for real; return what it returns."""
        running = Running(program)
        actor.generator = running.generator
        result: Any = None
        try:
            while True:
                result = running.resume(result)
                while isinstance(result, Operation):  # some come in two halves
                    result = self._perform(actor, result)
        except StopIteration as stop:
            return stop.value
        finally:
            _close(running.generator)

    def _perform(self, actor: Actor, operation: Operation) -> Any:
        self.enter(actor, operation)
        live = self._live(operation.target)
        result = live.perform(operation, actor)
        self.leave(actor, result)
        return result

    def _live(self, thing: SharedObject) -> Live:
        live = self.live.get(thing)
        if live is None:
            if not isinstance(thing, Condition) or thing.lock not in self.live:
                raise ModelError(f"{thing} does not belong to model {self.model.name!r}; use this model's objects")
            with self.lock:
                if thing not in self.live:
                    lock: Any = self.live[thing.lock]
                    self.live[thing] = LiveCondition(self, thing, lock)
            live = self.live[thing]
        return live

    # ---- the workers ---------------------------------------------------------------------------------

    def begin(self, pool: LivePool, entry: Entry, really: Callable[[], bool]) -> bool:
        """Let a thread of the executor take a task, and ``really`` begin it; tell whether it runs.

        Whether it can is found out in the moment in which it is taken: nobody sets its future in between.
        """
        begun = False
        try:
            actor = self._take(pool, entry, really)
            begun = entry.begun
            if not begun:
                self._die(pool, actor)
        except Cancelled:
            return begun
        return begun or really()  # raises again what it is that cannot begin

    def work(self, pool: LivePool, entry: Entry) -> Any:
        """Run a task; what a thread of the executor is given."""
        task = entry.task
        actor = entry.actor
        if actor is None:
            raise Cancelled
        error: Exception | None = None
        value = None
        try:
            value = self._drive(actor, Program(str(task), task.fn, task.args))
        except SimcoreError as failure:
            with self.lock:
                self._fail(failure)
            raise Cancelled from None
        except Exception as failure:
            error = failure
        self._begin_handover(actor, value if error is None else Raised.of(error))
        if error is not None:
            raise error
        return value

    def _take(self, pool: LivePool, entry: Entry, really: Callable[[], bool]) -> Actor:
        with self.lock:
            self._check()
            while not self.gate.open and not (self.gate.current_takes is pool.thing and pool.pending[0] is entry):
                pool.taking.wait()
                self._check()
            gated = not self.gate.open
            actor = self.actors[self.gate.current.process] if gated else pool.idle_name()
            pool.bind(actor)
            operation = pool.thing.taking
            actor.status, actor.pending = "active", operation
            actor.began = time.perf_counter() - self.began
            if gated:
                self._guarded(lambda: self.gate.grant(actor, operation, self.offers))
            pool.pending.remove(entry)
            with contextlib.suppress(RuntimeError):
                entry.begun = really()
            entry.actor, actor.task, actor.effect = actor, entry.task if entry.begun else None, self.tick()
            self._record(actor, entry.task)
            return actor

    def _begin_handover(self, actor: Actor, outcome: Any) -> None:
        assert actor.task is not None
        future, gated = actor.task.future, self.gate.expects_handover(actor)
        name = "set_exception" if isinstance(outcome, Raised) else "set_result"
        actor.handover = True
        self.enter(actor, Operation(future, name, (outcome,)), gated)

    def handed_over(self, entry: Entry) -> None:
        """The executor has set the real future of a task: the worker is idle again."""
        actor = entry.actor
        with self.lock:
            if self.frozen or actor is None or actor.task is not entry.task:
                return
            actor.task = actor.generator = None
            actor.status = "idle"
            try:
                if actor.pending is not None:
                    self._record(actor, None)
            except Cancelled:
                pass
            actor.start = self.tick()
        self.news.set()

    def not_handed_over(self, pool: LivePool, entry: Entry) -> None:
        """The real future of a task had been set by hand, and the executor's thread dies of that."""
        actor = entry.actor
        with self.lock:
            if self.frozen or actor is None or actor.task is not entry.task:
                return
            actor.task = actor.generator = None
            if actor.pending is not None:
                self._record(actor, Raised.of(InvalidStateError(entry.task.future.set_already)))
        with contextlib.suppress(Cancelled):
            self._die(pool, actor)

    def _die(self, pool: LivePool, actor: Actor) -> None:
        """Note that a thread of the executor is about to end."""
        self.enter(actor, pool.thing.dying)
        self.leave(actor, LEAVE)
        with self.lock:
            actor.status = "done"
        self.news.set()


def _close(generator: SuspendedGenerator) -> None:
    """End a generator that will not be resumed; its `finally` blocks may yield, to nobody."""
    for _ in range(100):
        if generator.gi_frame is None:
            return
        try:
            generator.close()
        except BaseException:
            continue
