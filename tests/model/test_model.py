"""A model names its objects and processes once, and knows what built it."""

import pytest
import toys

from simcore.errors import ModelError
from simcore.kernel import Kernel
from simcore.model import Model
from simcore.model.objects import sleep

KINDS = ["lock", "rlock", "event", "condition", "semaphore", "future", "queue", "link", "variable"]


@pytest.mark.parametrize("second", [*KINDS, "process", "pool", "timer"])
@pytest.mark.parametrize("first", KINDS)
def test_a_name_is_taken_once(first, second):
    model = Model("m")
    getattr(model, first)("x")
    makers = {
        "process": lambda: model.process("x", toys.one_lock),
        "pool": lambda: model.thread_pool("x", 1),
        "timer": lambda: model.timer("x", 1.0, toys.one_lock),
    }
    with pytest.raises(ModelError, match="the name 'x' is taken"):
        makers.get(second, lambda: getattr(model, second)("x"))()


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "condition"])
def test_a_name_is_not_compared_with_all_others(kind):
    class Name(str):
        compared = 0
        __slots__ = ()
        __hash__ = str.__hash__

        def __eq__(self, other):
            Name.compared += 1
            return str(self) == str(other)

    model = Model("m")
    for number in range(300):
        getattr(model, kind)(Name(f"x{number}"))
    assert Name.compared < 10  # whose hashes happen to be equal


def test_a_name_that_was_refused_is_free():
    model = Model("m")
    with pytest.raises(ModelError, match="belongs to another model"):
        model.condition("x", Model("other").lock("lock"))
    model.lock("x")


def test_process_is_a_name_like_any_other():
    model = Model("m")
    model.variable("process", 3)
    model.process("p", lambda: (yield sleep(1)))
    assert toys.run(model)["process"] == 3


def test_a_worker_has_a_name_too():
    model = Model("m")
    model.thread_pool("pool", 2)
    with pytest.raises(ModelError, match=r"'pool\[1\]' is taken"):
        model.lock("pool[1]")


@pytest.mark.parametrize("name", ["", None, 3])
def test_a_name_is_a_text(name):
    with pytest.raises(ModelError, match="a name is a non-empty text"):
        Model("m").lock(name)


def test_a_running_generator_is_no_process():
    def process():
        yield sleep(1)

    with pytest.raises(ModelError, match=r"model\.process\(name, fn, \*args\)"):
        Model("m").process("p", process())


def test_a_pool_knows_its_workers():
    model = Model("m")
    pool = model.thread_pool("pool", 2)
    ((found, workers),) = model.pools()
    assert (found, [worker.name for worker in workers]) == (pool, ["pool[0]", "pool[1]"])


def test_pools_are_told_in_one_pass_over_the_processes():
    class Processes(list):
        passes = 0

        def __iter__(self):
            Processes.passes += 1
            return super().__iter__()

    model = Model("m")
    for number in range(5):
        model.thread_pool(f"pool{number}", number + 1)
    model.processes = Processes(model.processes)
    assert [len(workers) for _, workers in model.pools()] == [1, 2, 3, 4, 5]
    assert Processes.passes == 1


# ---- indices -----------------------------------------------------------------------------------------


def test_indices_have_names():
    assert [str(index) for index in Model("m").indices("download", 2)] == ["download[0]", "download[1]"]


def test_indices_name_processes_and_are_keys():
    model = Model("m")
    names = model.indices("download", 2)
    inbox = {name: model.queue(f"inbox of {name}") for name in names}

    def process(name):
        yield inbox[name].put(name)

    for name in names:
        model.process(name, process, name)
    assert toys.run(model, "download[1]")["inbox of download[1]"] == (names[1],)


@pytest.mark.parametrize(
    "use",
    [
        lambda a, b: a < b,
        lambda a, b: a >= b,
        lambda a, b: a + 1,
        lambda a, b: 1 + a,
        lambda a, b: a - b,
        lambda a, b: a % 2,
        lambda a, b: int(a),
        lambda a, b: [1, 2][a],
        lambda a, b: bool(a),
        lambda a, b: sorted([b, a]),
    ],
)
def test_indices_have_no_order_and_no_arithmetic(use):
    with pytest.raises(ModelError, match=r"download\[\d\]: the names .* are interchangeable"):
        use(*Model("m").indices("download", 2))


def test_indices_are_equal_to_themselves_alone():
    a, b = Model("m").indices("download", 2)
    assert (a == a, a == b, a != b, len({a, b})) == (True, False, True, 2)


def test_a_family_of_indices_exists_once():
    model = Model("m")
    model.indices("download", 2)
    with pytest.raises(ModelError, match="the family exists already"):
        model.indices("download", 2)


def test_a_negative_number_of_indices_is_refused():
    with pytest.raises(ModelError, match="at least 0"):
        Model("m").indices("download", -1)


# ---- where a model came from -------------------------------------------------------------------------


def test_building_a_model_runs_nothing():
    model = Model("m")

    def process():
        raise AssertionError("run")
        yield

    model.process("p", process)
    assert Kernel(model).view(Kernel(model).initial).process("p").status == "failed"


@pytest.mark.parametrize(
    "make",
    [
        lambda model: model.thread_pool("pool", "2"),
        lambda model: model.queue("queue", "1"),
        lambda model: model.semaphore("semaphore", "1"),
        lambda model: model.link("link", "1"),
        lambda model: model.indices("client", "3"),
    ],
)
def test_a_number_that_is_a_text_is_refused_with_the_name_of_the_object(make):
    with pytest.raises(ModelError, match=r"^[a-z ]+'\w+': .*at least [01].*, not '\d'"):
        make(Model("m"))
