"""Answers whose pages are looked at, and a page that is open in a browser."""

from __future__ import annotations

import time

import missed_wakes
import threaded
from odd_names import nasty

from simcore import Model, control, explore, simulate
from simcore.models import callback_starvation
from simcore.models.pool_starvation import buggy, fixed
from simcore.properties import completes


def long_run(n=1_000):
    """A run of 2,001 steps that hangs at its end."""
    model = Model("a long run")
    queue, lock = model.queue("queue", 3), model.lock("lock")

    def put():
        for item in range(n):
            yield queue.put(item)
        yield lock.acquire()
        yield lock.acquire()

    def get():
        for _ in range(n):
            yield queue.get()
        yield queue.get()

    model.process("put", put)
    model.process("get", get)
    return simulate(model)


def held_for_ever():
    """Two who each hold a permit and wait for another, with time-outs that never fire."""
    model = Model("no permit left")
    permits = model.semaphore("permits", 2)

    def take():
        yield permits.acquire()
        yield permits.acquire(timeout=30.0)
        yield permits.release()
        yield permits.release()

    for name in model.indices("taker", 2):
        model.process(name, take)
    return explore(model, timeouts="never")


ANSWERS = {
    "starvation": lambda: explore(buggy()),
    "lasso": lambda: explore(fixed(downloads=1, workers=1, callback_workers=1, chunks=None), completes("download")),
    "code": lambda: control(threaded.nested_submit),
    "lost": lambda: control(missed_wakes.lost_notify),
    "callbacks": lambda: explore(callback_starvation.buggy()),
    "never": held_for_ever,
    "long": long_run,
    "proof": lambda: explore(fixed(downloads=1, workers=1)),
    "nasty": lambda: explore(nasty(), max_states=2_000),
}


class Shown:
    """A page that is open."""

    def __init__(self, driver, address, width=1600, dark=False, height=900):
        self.driver = driver
        scheme = [{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}]
        size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
        driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "", "features": scheme})
        driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
        driver.get("about:blank")
        driver.get_log("browser")
        driver.get(address)
        self.settle()

    def js(self, source, *arguments):
        return self.driver.execute_script(f"return {source}", *arguments)

    def settle(self):
        """Wait until what was asked for is drawn."""
        self.driver.execute_async_script(
            "const done = arguments[0]; requestAnimationFrame(() => requestAnimationFrame(() => done()))"
        )

    def press(self, key, place="body"):
        """Press a key where ``place`` has the focus; return whether what the browser does with it is left to it."""
        event = "new KeyboardEvent('keydown', {key: arguments[0], bubbles: true, cancelable: true})"
        left = self.js(f"document.querySelector(arguments[1]).dispatchEvent({event})", key, place)
        self.settle()
        return left

    def text(self, selector):
        return self.js("document.querySelector(arguments[0]).textContent", selector)

    def count(self, selector):
        return self.js("document.querySelectorAll(arguments[0]).length", selector)

    @property
    def position(self):
        return int(self.js("document.querySelector('.controls input').value"))

    def click(self, label):
        self.js(
            "[...document.querySelectorAll('button')].find(b => b.textContent.includes(arguments[0])).click()", label
        )
        self.settle()

    def until(self, condition):
        """Wait for what happens by itself."""
        end = time.monotonic() + 30
        while not self.js(condition):
            assert time.monotonic() < end, condition
            time.sleep(0.02)
