"""Models whose variables hold sets of texts: which comes first is another in each process."""

from simcore import Model


def woken() -> Model:
    """One step wakes any one of those who wait, until the one who has the key is woken, and keeps it."""
    model = Model("woken")
    waiting = model.variable("waiting", frozenset(["anna", "berta", "clara", "dora"]))
    door = model.event("door")

    def wake(names):
        return [(names - {name}, name) for name in names]

    def waker():
        while (yield waiting.transition(wake)) != "clara":
            pass
        yield door.wait()

    model.process("waker", waker)
    return model


def read_as_a_set() -> Model:
    """A process reads the names, and waits for good."""
    model = Model("read")
    names = model.variable("names", frozenset(["anna", "berta", "clara", "dora"]))
    door = model.event("door")

    def reader():
        read = yield names.get()
        yield names.set((read, "read"))
        yield door.wait()

    model.process("reader", reader)
    return model
