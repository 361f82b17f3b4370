"""What every process and task of a generated system does: one generator function interprets a body of instructions.

Where it stands is told by its variables and its line alone (`naive_space.py` reads no more), so a body is numbered.
"""

from __future__ import annotations

from concurrent.futures import InvalidStateError
from queue import Empty, Full
from typing import Any, NamedTuple

from simcore import choose, sleep

SECONDS = 0.02
"""Of every time-out and sleep: they must pass in real runs too."""

LOOKS = {"if locked": "locked", "if set": "is_set", "if any": "qsize", "if done": "done"}
"""Instructions that are carried out if an operation gives something true."""


class Program(NamedTuple):
    """A body of instructions with the objects in their places."""

    name: str
    body: tuple[Any, ...]

    def __str__(self) -> str:
        return self.name


def run(program):
    """What every process and every task does."""
    yield from interpret(program.body)
    return program.name


def count(program):
    """Return the numbers of the answers that came, 0 for the first, as whoever does who is judged by them."""
    numbers = ()
    for instruction in program.body:
        if (yield from interpret((instruction,))) == "answer":
            numbers = (*numbers, len(numbers))
    return numbers


def interpret(body):
    """Carry out the instructions one after the other; giving up, or coming too late, is no failure.

    Returns what was received last, or the name of the error that came in its place.
    """
    future = last = None
    for _at, instruction in enumerate(body):
        try:
            match instruction:
                case "lock" | "rlock", lock, timeout, inner:
                    if (yield lock.acquire(timeout=timeout)):
                        yield from interpret(inner)
                        yield lock.release()
                case "free", lock:
                    yield lock.release()
                case "repeat", times, inner:
                    for _ in range(times):
                        yield from interpret(inner)
                case "forever", inner:
                    while True:
                        yield from interpret(inner)
                case "choose", *bodies:
                    yield from interpret(bodies[(yield choose(*range(len(bodies))))])
                case name, thing, inner if name in LOOKS:
                    if (yield getattr(thing, LOOKS[name])()):
                        yield from interpret(inner)
                case "raise", what:
                    raise ValueError(what)
                case "caught", inner:
                    try:
                        yield from interpret(inner)
                    except ValueError as error:
                        last = str(error)
                case "submit", pool, program:
                    future = yield pool.submit(run, program)
                case "result", timeout:
                    if future is not None:
                        yield future.result(timeout=timeout)
                case "exception", timeout:
                    if future is not None:
                        yield future.exception(timeout=timeout)
                case "set by hand":
                    if future is not None:
                        yield future.set_result("by hand")
                case "set_result", promise:
                    yield promise.set_result("set")
                case "set_exception", promise:
                    yield promise.set_exception(ValueError("of a promise"))
                case "await", promise, timeout:
                    yield promise.result(timeout=timeout)
                case "put", queue, item, timeout:
                    yield queue.put(item, timeout=timeout)
                case "get", queue, timeout:
                    last = yield queue.get(timeout=timeout)
                case "send", link, frame, timeout:
                    yield link.send(frame, timeout=timeout)
                case "recv", link, timeout:
                    last = yield link.recv(timeout=timeout)
                case "close", link, end:
                    yield link.close(end)
                case "cut", link:
                    yield link.reset()
                case "set", event:
                    yield event.set()
                case "clear", event:
                    yield event.clear()
                case "wait", event, timeout:
                    yield event.wait(timeout=timeout)
                case "acquire", semaphore, timeout:
                    yield semaphore.acquire(timeout=timeout)
                case "try", semaphore:
                    yield semaphore.acquire(False)
                case "release", semaphore:
                    yield semaphore.release()
                case "answer", queue, inboxes:
                    while True:
                        item = yield queue.get()
                        if item in inboxes:
                            yield inboxes[item].put("answer")
                case "sleep", seconds:
                    yield sleep(seconds)
                case "count", variable:
                    yield variable.update(_following)
                case "reset", variable:
                    yield variable.set(0)
                case "until", variable, number, timeout:
                    yield variable.wait_for(_is, number, timeout=timeout)
                case "when", variable, inner:
                    if (yield variable.get()):
                        yield from interpret(inner)
                case "await notice", condition, timeout:
                    yield condition.acquire()
                    yield condition.wait(timeout=timeout)
                    yield condition.release()
                case "notify", condition, everybody:
                    yield condition.acquire()
                    yield condition.notify_all() if everybody else condition.notify()
                    yield condition.release()
                case "start", timer:
                    yield timer.start()
                case "cancel", timer:
                    yield timer.cancel()
                case "shutdown", pool, wait:
                    yield pool.shutdown(wait)
                case _:
                    raise AssertionError(f"no such instruction: {instruction}")
        except (Full, Empty, TimeoutError, InvalidStateError):
            pass
        except (OSError, EOFError) as error:  # of a link: which one is part of what is compared
            last = type(error).__name__
        except RuntimeError:  # the pool is shut down, the timer was started before, or somebody else has the lock
            pass
    return last


def _following(number):
    return (number + 1) % 3


def _is(value, number):
    return value == number
