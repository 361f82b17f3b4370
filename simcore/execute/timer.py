"""A real timer is `threading.Timer`: its own countdown and cancel, on a thread that is there before anything begins.

`Thread.start` would make the thread when the model starts the timer, and could give it the name of one that has ended;
so the thread waits for the start instead, which is all that is not the standard library's.
"""

from __future__ import annotations

import threading
from typing import Any

from simcore.execute.real import Context, Live
from simcore.execute.records import Actor
from simcore.model.objects import Timer
from simcore.model.operations import Operation


class LiveTimer(Live):
    """`threading.Timer`, whose ``run`` is called on the thread of the model's process."""

    thing: Timer

    def __init__(self, run: Context, thing: Timer) -> None:
        super().__init__(run, thing)
        self.real = threading.Timer(thing.interval, self._fire)
        self._starting = threading.Lock()
        self._started = threading.Event()
        self._fired: int | None = None

    def value(self) -> str:
        if self._fired is not None:
            return "fired"
        over = self.real.finished.is_set()
        return ("stopped" if over else "armed") if self._started.is_set() else ("cancelled" if over else "idle")

    def perform(self, operation: Operation, actor: Actor) -> Any:
        if operation.name != "cancel":
            return super().perform(operation, actor)
        actor.effect = self.run.tick()
        return self.real.cancel()

    def start(self, actor: Actor, operation: Operation) -> None:
        with self._starting:
            actor.effect = self.run.tick()
            if self._started.is_set():
                raise RuntimeError("threads can only be started once")
            self._started.set()

    def armed(self, actor: Actor, operation: Operation) -> None:
        self._started.wait()

    def countdown(self, actor: Actor, operation: Operation) -> bool:
        self.real.run()
        actor.effect = self._fired
        return self._fired is not None

    def _fire(self) -> None:
        self._fired = self.run.tick()

    def cancel(self) -> None:
        self.real.cancel()
        self._started.set()
