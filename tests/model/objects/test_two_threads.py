"""Two threads do what two processes do, one call after the other: who waits, who lets whom go, what each is given.

Where a call blocks the other thread goes on. What the model lets go must be let go by the standard library, however
long that takes; what it lets wait must not have ended. So no answer depends on how fast the machine is: a call that
ends when it should not may be missed, and none is blamed that waits.
"""

from __future__ import annotations

import concurrent.futures
import queue
import random
import threading
import time
from contextlib import suppress
from functools import partial
from types import SimpleNamespace

import pytest
from test_against_library import BLOCKS, shown

from simcore.model.objects import LEAVE, Condition, Event, Future, Lock, Queue, RLock, Semaphore, ThreadPool
from simcore.model.operations import Operation, Raised

SCRIPTS, LENGTH = 25, 14
PAUSE, PATIENCE = 0.002, 30


class Modelled:
    """An object of the model, used by two processes; a blocked one is pending."""

    def __init__(self, thing):
        self.thing, self.value = thing, thing.initial
        self.processes = [SimpleNamespace(name=name, pool=None, index=number) for number, name in enumerate("ab")]
        self.pending = {}

    def call(self, who, name, *args):
        """Begin a call; return what has ended then, by process."""
        self.pending[who] = getattr(self.thing, name)(*args)
        ended = {}
        for each in [who, *self.pending]:  # whoever waited is let go by what has just happened
            if each in self.pending and (result := shown(self._go_on, each)) is not BLOCKS:
                ended[each] = result
                del self.pending[each]
        return ended

    def _go_on(self, who):
        while isinstance(self.pending[who], Operation):
            operation = self.pending[who]
            outcomes = operation.target.outcomes(self.value, operation, self.processes[who])
            if not outcomes and operation.timeout == 0:
                outcomes = operation.target.expired(self.value, operation, self.processes[who])
            if not outcomes:
                return BLOCKS
            self.value, self.pending[who] = outcomes[0]
        if isinstance(self.pending[who], Raised):
            raise self.pending[who].build()
        return self.pending[who]


class Threads:
    """Two threads that do as they are told."""

    def __init__(self):
        self._told, self._ended = [queue.SimpleQueue() for _ in "ab"], [queue.SimpleQueue() for _ in "ab"]
        self._busy = [False, False]
        self._threads = [
            threading.Thread(target=self._obey, args=each, daemon=True)
            for each in zip(self._told, self._ended, strict=True)
        ]
        for thread in self._threads:
            thread.start()

    @staticmethod
    def _obey(told, ended):
        while (call := told.get()) is not None:
            ended.put(shown(lambda _, call=call: call(), None))

    def begin(self, who, call, *args):
        self._busy[who] = True
        self._told[who].put(partial(call, *args))

    def end(self, who):
        result = self._ended[who].get(timeout=PATIENCE)
        self._busy[who] = False
        return result

    def waits(self, who):
        time.sleep(PAUSE)
        return self._ended[who].empty()

    def let_go(self, real):
        """End every wait: by what ends some, done at random by whoever does not wait, and from here."""
        chance, until = random.Random(0), time.monotonic() + PATIENCE
        while any(self._busy):
            assert time.monotonic() < until
            who = chance.choice([None, 0, 1])
            name, *args = chance.choice(LETTING_GO)
            call = partial(getattr(real, name, int), *args)
            if who is None:
                shown(lambda _, call=call: call(), None)
            elif self._busy[who]:
                with suppress(queue.Empty):
                    self._ended[who].get_nowait()
                    self._busy[who] = False
            else:
                self.begin(who, call)
                self.end(who)

    def leave(self):
        for told in self._told:
            told.put(None)
        for thread in self._threads:
            thread.join(PATIENCE)
            assert not thread.is_alive()


LOCKING = [("acquire",), ("acquire",), ("acquire", False), ("release",), ("release",)]
NOTIFYING = [("wait",), ("wait",), ("notify",), ("notify", 2), ("notify_all",)]
FILLING = [("put", 1), ("put", 2), ("put", 3, False), ("get",), ("get",), ("get", False), ("qsize",)]
LETTING_GO = [
    *(("release",), ("acquire", False), ("notify_all",), ("set",)),
    *(("put", 1, False), ("get", False), ("set_result", 1)),
]
KINDS = {
    "lock": (lambda: Lock("x"), threading.Lock, LOCKING),
    "rlock": (lambda: RLock("x"), threading.RLock, LOCKING),
    "event": (lambda: Event("x"), threading.Event, [("set",), ("clear",), ("wait",), ("wait",), ("is_set",)]),
    "condition on a lock": (
        lambda: Condition("x", Lock("l")),
        lambda: threading.Condition(threading.Lock()),
        LOCKING + NOTIFYING,
    ),
    "condition on an rlock": (lambda: Condition("x", RLock("l")), threading.Condition, LOCKING + NOTIFYING),
    "semaphore": (lambda: Semaphore("x", 1), lambda: threading.Semaphore(1), [*LOCKING, ("release", 2)]),
    "queue": (lambda: Queue("x", 1), lambda: queue.Queue(1), FILLING),
    "unbounded queue": (lambda: Queue("x"), queue.Queue, FILLING),
    "future": (
        lambda: Future("x"),
        concurrent.futures.Future,
        [("result",), ("exception",), ("result",), ("done",), ("set_result", 1), ("set_exception", KeyError("k"))],
    ),
}


def until_listed(real, modelled):
    """Wait until whoever waits to be notified can be: on a plain lock others may notify before that."""
    end = time.monotonic() + PATIENCE
    while len(getattr(real, "_waiters", ())) < len(getattr(modelled.value, "waiters", ())):
        assert time.monotonic() < end
        time.sleep(PAUSE / 10)


@pytest.mark.some(3)
@pytest.mark.parametrize("kind", KINDS)
def test_two_threads_are_let_go_and_kept_waiting_as_two_processes_are(kind):
    make, real_one, calls = KINDS[kind]
    let_go = 0
    for seed in range(SCRIPTS):
        chosen, modelled, real, threads = random.Random(f"{kind} {seed}"), Modelled(make()), real_one(), Threads()
        script = []
        for _ in range(LENGTH):
            able = [who for who in (0, 1) if who not in modelled.pending]
            if not able:
                break
            who, (name, *args) = chosen.choice(able), chosen.choice(calls)
            script.append(("ab"[who], name, *args))
            expected = modelled.call(who, name, *args)
            threads.begin(who, getattr(real, name), *args)
            assert {each: threads.end(each) for each in expected} == expected, script
            until_listed(real, modelled)
            assert all(threads.waits(each) for each in modelled.pending), script
            let_go += len(expected.keys() - {who})
        threads.let_go(real)
        threads.leave()
    assert let_go >= 3


class PoolOfOne:
    """A pool of the model with one worker, which takes whenever it can; its task ends when it is told to."""

    def __init__(self):
        self.thing = ThreadPool("x", 1)
        self.value, self.running, self.waits, self.begun = self.thing.initial, False, None, 0
        self.process, self.worker = SimpleNamespace(name="a", pool=None), SimpleNamespace(name="x[0]", pool=self.thing)

    def call(self, name, *args):
        """Return what a call gives; `BLOCKS` where it waits for the worker to leave."""
        result = self._perform(getattr(self.thing, name)(*args), self.process)
        if isinstance(result, Operation):
            self.waits = result
        self.work()
        if isinstance(result, Raised):
            raise result.build()
        return result

    def work(self, *, ends=False):
        """Let the worker take and leave; return whether who waits for it is let go."""
        self.running = self.running and not ends
        while not self.running and (
            outcomes := self.thing.outcomes(self.value, Operation(self.thing, "take"), self.worker)
        ):
            self.value, result = outcomes[0]
            self.running = result != LEAVE
            self.begun += self.running
            if result == LEAVE:
                break
        return self.waits is not None and bool(self.thing.outcomes(self.value, self.waits, self.process))

    def _perform(self, operation, process):
        made = (Future("made"),) if operation.name == "submit" else ()
        ((self.value, result),) = self.thing.outcomes(self.value, operation, process, *made)
        return result


def task():
    yield from ()


def test_who_shuts_a_pool_down_waits_for_all_that_was_submitted():
    for seed in range(SCRIPTS):
        chosen, modelled, real = random.Random(seed), PoolOfOne(), concurrent.futures.ThreadPoolExecutor(1)
        threads, begun, may_end = Threads(), queue.SimpleQueue(), threading.Semaphore(0)
        script, seen = [], 0

        def hold(begun=begun, may_end=may_end):
            begun.put("a task")
            may_end.acquire()

        for _ in range(LENGTH):
            step = chosen.choice(["submit", "submit", "end", "end", "shutdown"])
            script.append(step)
            if step == "end":
                if modelled.running:
                    may_end.release()
                    let_go = modelled.work(ends=True)
                    assert not let_go or threads.end(0) is None, script
                    if let_go:
                        break
            elif modelled.waits is not None:
                continue
            elif step == "submit":
                expected = shown(modelled.call, "submit", task)
                assert shown(real.submit, hold) == expected, script
            else:
                wait = chosen.random() < 0.5
                expected = shown(modelled.call, "shutdown", wait)
                threads.begin(0, real.shutdown, wait)
                if not wait or modelled.work():
                    assert threads.end(0) is None, script
                    break
            while seen < modelled.begun:
                assert begun.get(timeout=PATIENCE) == "a task"
                seen += 1
            assert begun.empty()
            assert modelled.waits is None or threads.waits(0), script
        may_end.release(LENGTH)
        real.shutdown()
        threads.leave()


def test_a_timer_that_was_started_is_a_thread_until_it_is_cancelled_or_has_fired():
    idle, counting, fired = threading.Timer(1000, print), threading.Timer(1000, print), threading.Timer(0, int)
    assert not idle.daemon
    assert not idle.is_alive()
    counting.start()
    fired.start()
    assert counting.is_alive()
    counting.cancel()
    for timer in (counting, fired):
        timer.join(PATIENCE)
        assert not timer.is_alive()
        with pytest.raises(RuntimeError, match="threads can only be started once"):
            timer.start()
