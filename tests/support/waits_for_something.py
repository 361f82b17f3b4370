"""Systems that hang for want of something: an item, a frame, a result, a signal, a value."""

from __future__ import annotations

from waits_in_turn import is_two

from simcore import Model


def after_one(value):
    return ((2, None),) if value == 1 else ()


def an_event_that_nobody_sets():
    model = Model("event")
    ready = model.event("ready")

    def wait():
        yield ready.wait()

    model.process("waiter[0]", wait)
    model.process("waiter[1]", wait)
    return model


def a_full_queue():
    model = Model("full")
    queue = model.queue("queue", 1)

    def producer():
        for n in range(3):
            yield queue.put(n)

    def consumer():
        yield queue.get()

    model.process("producer", producer)
    model.process("consumer", consumer)
    return model


def an_empty_queue():
    model = Model("empty")
    queue = model.queue("queue")

    def consumer():
        yield queue.get()

    model.process("consumer", consumer)
    return model


def two_queues():
    model = Model("two queues")
    up, down = model.queue("up", 1), model.queue("down", 1)

    def main():
        for n in range(4):
            yield up.put(n)
        for _ in range(4):
            yield down.get()

    def server():
        while True:
            yield up.get()
            yield down.put("answer")

    model.process("main", main)
    model.process("server", server)
    return model


def a_future_by_hand():
    model = Model("by hand")
    future = model.future("answer")

    def wait():
        yield future.result()

    model.process("main", wait)
    return model


def the_exception_of_a_future():
    model = Model("exception")
    future = model.future("answer")

    def wait():
        yield future.exception()

    def setter():
        yield future.result()
        yield future.set_result(1)

    model.process("main", wait)
    model.process("setter", setter)
    return model


def a_full_link():
    model = Model("link")
    link = model.link("link", capacity=4, unit="bytes")

    def sender():
        yield link.send("abc")
        yield link.send("def")

    model.process("sender", sender)
    return model


def an_empty_link():
    model = Model("link")
    link = model.link("link")

    def sender():
        yield link.send("abc")

    def receiver():
        yield link.recv()
        yield link.recv()

    model.process("sender", sender)
    model.process("receiver", receiver)
    return model


def a_link_whose_other_end_is_closed():
    """The end of a reply link is closed on the wrong side: who waits for a reply is not told."""
    model = Model("links")
    request, reply = model.link("request"), model.link("reply")

    def client():
        yield request.close("send")
        yield reply.recv()

    def server():
        try:
            yield request.recv()
        except EOFError:
            return

    model.process("client", client)
    model.process("server", server)
    return model


def a_timer_that_is_cancelled():
    model = Model("timer")
    fired = model.event("fired")

    def fire():
        yield fired.set()

    timer = model.timer("timer", 1.0, fire)

    def main():
        yield timer.start()
        yield timer.cancel()
        yield fired.wait()

    model.process("main", main)
    return model


def a_timer_that_nobody_starts():
    model = Model("timer")
    fired = model.event("fired")

    def fire():
        yield fired.set()

    model.timer("timer", 1.0, fire)

    def main():
        yield fired.wait()

    model.process("main", main)
    return model


def a_variable():
    model = Model("variable")
    count = model.variable("count", 0)

    def add():
        yield count.set(1)

    def wait():
        yield count.wait_for(is_two)

    model.process("adder", add)
    model.process("waiter", wait)
    return model


def a_transition():
    model = Model("transition")
    count = model.variable("count", 0)

    def wait():
        yield count.transition(after_one)

    model.process("waiter", wait)
    return model
