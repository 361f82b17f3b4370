"""A schedule can be read, printed, pasted and replayed; a departure is found at its first differing step."""

import base64
import json
import string
import sys
import zlib

import pytest
import toys
from hypothesis import given
from hypothesis import strategies as st

from simcore.control import replay as replay_code
from simcore.errors import Diverged, ModelError, ScheduleError, SimcoreError
from simcore.kernel import Kernel
from simcore.model import Model, Origin
from simcore.model.objects import choose, sleep
from simcore.schedule import Schedule, read_token, replay


def opposed_locks(*, padding: int = 0) -> Model:
    """Two processes take two locks in opposite orders, and others do nothing."""
    model = toys.opposed_locks()
    for number in range(padding):
        model.process(f"idle[{number}]", lambda: (yield from ()))
    return model


def menu(*, order: str = "ab", name: str = "p", lock: str = "lock", seconds: float = 1.0) -> Model:
    """Choose, sleep, wait with a time-out, acquire; two of it."""
    model = Model("menu")
    lock_ = model.lock(lock)
    event = model.event("event")

    def process():
        yield choose(*order)
        yield sleep(seconds)
        yield event.wait(timeout=seconds)
        yield lock_.acquire()

    model.process(name, process)
    model.process("q", process)
    return model


DEADLOCK = [(0, 0), (1, 0)]
MENU = [(0, 1), (1, 0), (0, 0), (1, 0), (0, 0), (1, 0), (1, 0)]


def built(function=opposed_locks, path=DEADLOCK, **parameters):
    model = function(**parameters)
    model.origin = Origin(f"{__name__}:{function.__name__}", parameters)
    return Schedule.of(Kernel(model), path)


def test_a_schedule_reads_as_names_and_words():
    lines = str(built()).splitlines()
    assert [line.split() for line in lines] == [["1", "left", "acquires", "a"], ["2", "right", "acquires", "b"]]


def test_a_schedule_names_the_processes_of_its_steps():
    assert built().processes == ["left", "right"]


def test_a_switch_is_a_step_of_another_process():
    assert (built(path=[(0, 0)] * 4 + [(1, 0)] * 4).switches, built().switches, built(path=[]).switches) == (1, 1, 0)


def test_a_step_keeps_what_was_enabled():
    assert [step.enabled for step in built().steps] == [("left", "right"), ("left", "right")]


def test_a_schedule_passes_the_states_of_its_kernel():
    kernel = Kernel(opposed_locks())
    states = built().states(kernel)
    assert states[0] == kernel.initial
    assert kernel.view(states[-1]).deadlocked


@pytest.mark.parametrize(("function", "path"), [(opposed_locks, DEADLOCK), (menu, MENU), (opposed_locks, [])])
def test_a_token_gives_the_same_schedule_back(function, path):
    schedule = built(function, path)
    assert Schedule.from_token(schedule.token) == schedule


def test_a_token_carries_parameters():
    schedule = built(menu, MENU, order="ba", seconds=2.5)
    assert Schedule.from_token(schedule.token).origin.parameters == {"order": "ba", "seconds": 2.5}


def test_a_token_may_have_space_around_it():
    schedule = built()
    assert Schedule.from_token(f"  {schedule.token}\n") == schedule


def paths(kernel):
    """Generate paths of up to 12 steps that ``kernel`` offers, time-outs included."""

    @st.composite
    def draw_path(draw):
        state, path = kernel.initial, []
        for _ in range(draw(st.integers(0, 12))):
            choices = kernel.successors(state)
            if not choices:
                break
            choice = draw(st.sampled_from(choices))
            path.append((choice.process, choice.outcome))
            state = choice.state
        return path

    return draw_path()


@given(paths(Kernel(menu(), "anytime")))
def test_every_token_of_a_menu_replays(path):
    kernel = Kernel(menu(), "anytime")
    kernel.model.origin = Origin(f"{__name__}:menu", {})
    schedule = Schedule.of(kernel, path)
    again = Schedule.from_token(schedule.token)
    assert again == schedule
    assert again.states(kernel)[-1] == toys.walk(
        kernel, kernel.initial, *((kernel.processes[p].name, outcome) for p, outcome in path)
    )


def test_every_change_of_one_character_is_refused():
    token = built(menu, MENU).token
    for position in range(len(token)):
        for character in string.ascii_letters + string.digits + "-_=+/ .é":
            if character != token[position]:
                changed = token[:position] + character + token[position + 1 :]
                if changed.strip() != token:
                    with pytest.raises(ScheduleError):
                        read_token(changed)


def test_every_missing_doubled_or_exchanged_character_is_refused():
    token = built(menu, MENU).token
    for position in range(len(token)):
        changes = {token[:position], token[:position] + token[position + 1 :], token[: position + 1] + token[position:]}
        changes.add(token[:position] + token[position : position + 2][::-1] + token[position + 2 :])
        for changed in changes - {token}:
            with pytest.raises(ScheduleError):
                read_token(changed)


@pytest.mark.parametrize(
    "text", ["", "sc1-", "hello", "sc2-abc", "sc1-é", "sc1-====", "sc1-AAAA", "\0", "sc1-" + "A" * 99]
)
def test_what_is_no_token_is_refused(text):
    with pytest.raises(ScheduleError, match="replay token"):
        read_token(text)


@given(st.text())
def test_any_text_is_refused_and_never_a_traceback(text):
    with pytest.raises(ScheduleError):
        read_token("sc1-" + text)


def forged(content):
    """Make a token whose checksum is right, of any content."""
    packed = zlib.compress(json.dumps(content).encode())
    return "sc1-" + base64.urlsafe_b64encode(packed + zlib.crc32(packed).to_bytes(4)).decode().rstrip("=")


@pytest.mark.parametrize(
    "content",
    [
        3,
        None,
        [],
        ["f", {}],
        ["f", {}, 3],
        ["f", {}, [1, 2]],
        ["f", {}, [1, 2, "x"]],
        ["f", {}, [1, 2, -3]],
        ["f", [], [0, 0, 0]],
        [3, {}, []],
        {"a": 1, "b": 2, "c": 3},
    ],
)
def test_a_token_of_another_shape_is_refused(content):
    with pytest.raises(ScheduleError, match="damaged"):
        read_token(forged(content))


@pytest.mark.parametrize(
    ("function", "token", "message"),
    [
        (replay, "sx1-eNodikEK", "it is one of code under control: simcore.control.replay takes it"),
        (replay_code, "sc1-eNodikEK", "it is one of a model: simcore.replay and Schedule.from_token take it"),
        (replay, "eNodikEK", "a token starts with 'sc1-'; copy the whole line"),
        (replay_code, "eNodikEK", "a token starts with 'sx1-'; copy the whole line"),
    ],
)
def test_a_token_of_another_kind_is_sent_where_it_is_taken(function, token, message):
    with pytest.raises(ScheduleError, match=f"is no replay token here: {message}"):
        function(token)


@pytest.mark.parametrize(
    "content",
    [
        ["no.such.module:function", {}, []],
        [f"{__name__}:no_such_function", {}, []],
        [f"{__name__}:opposed_locks", {"no_such_parameter": 1}, []],
        [f"{__name__}:opposed_locks", {}, [99, 0, 0]],
        [f"{__name__}:opposed_locks", {}, [0, 99, 0]],
        ["nothing", {}, []],
        [".relative:function", {}, []],
        [f"{__name__}:paths", {"kernel": 1}, []],
    ],
)
def test_a_token_that_names_what_is_not_there_is_a_clear_error(content):
    with pytest.raises(SimcoreError):
        Schedule.from_token(forged(content))


def test_a_model_that_no_function_can_build_again_has_no_token():
    model = Model("m")
    model.process("p", lambda: (yield sleep(1)))
    with pytest.raises(ScheduleError, match=r"no token: .*move it into such a function"):
        _ = Schedule.of(Kernel(model), []).token


# ---- divergence --------------------------------------------------------------------------------------


def test_a_step_that_is_not_enabled_is_found_at_its_index_with_what_was():
    with pytest.raises(Diverged) as caught:
        built(path=[*DEADLOCK, (0, 0)])
    assert (caught.value.index, caught.value.enabled) == (2, ())
    assert "step 3 of the schedule, left acquires b, is not enabled. Enabled here: nothing" in str(caught.value)


def test_a_step_of_a_process_that_has_ended_is_found():
    with pytest.raises(Diverged) as caught:
        built(path=[(0, 0)] * 5)
    assert (caught.value.index, caught.value.enabled) == (4, ("right acquires b",))


def test_a_schedule_of_another_model_departs_where_it_differs():
    schedule = built(menu, MENU)
    with pytest.raises(Diverged) as caught:
        schedule.states(Kernel(menu(lock="door")))
    assert (caught.value.index, caught.value.wanted) == (6, "q acquires lock")
    assert caught.value.enabled == ("p acquires door", "q acquires door")


def test_a_choice_that_gives_something_else_is_a_departure():
    with pytest.raises(Diverged) as caught:
        built(menu, MENU).states(Kernel(menu(order="ac")))
    assert caught.value.index == 0


def test_a_schedule_for_a_process_that_does_not_exist_is_refused():
    with pytest.raises(ScheduleError, match="names p, which model 'menu' does not have"):
        built(menu, MENU).path(Kernel(menu(name="r")))


def test_a_time_out_is_told_from_the_operation():
    texts = [step.text for step in built(menu, MENU).steps]
    assert texts[4] == "gives up after 1 s: event.wait()"


@pytest.mark.parametrize(
    ("change", "index"),
    [({"order": "ba"}, 0), ({"seconds": 3.0}, 2), ({"lock": "door"}, 6), ({"name": "r"}, 0)],
)
def test_a_model_that_changed_under_its_token_is_found_at_the_step_that_differs(monkeypatch, change, index):
    token = built(menu, MENU).token
    before = menu

    def changed(**parameters) -> Model:
        return before(**parameters, **change)

    monkeypatch.setattr(sys.modules[__name__], "menu", changed)
    with pytest.raises(Diverged) as caught:
        Schedule.from_token(token)
    assert caught.value.index == index


def test_a_model_may_be_given_instead_of_the_one_that_the_token_names():
    schedule = built()
    content = [f"{__name__}:gone", {}, [n for step in schedule.steps for n in (step.process == "right", 0, step.check)]]
    token = forged([content[0], content[1], [int(n) for n in content[2]]])
    with pytest.raises(ModelError):
        Schedule.from_token(token)
    assert Schedule.from_token(token, opposed_locks()).steps == schedule.steps
