"""A client sends a message to itself and waits there for what it would only send afterwards.

NVFlare 2.7.1, nvflare/app_common/ccwf/swarm_client_ctl.py, SwarmClientController: the client that aggregates a
round of swarm learning is one of its trainers. When tensors are streamed apart from their message, whoever
handles the message waits for them, and the sender streams them when its send has returned.

* _scatter(): the gather monitor sends the learn task to itself. In one process a send is a call of the handler.
  Fixed in 2.7.2 by #4141: the task goes straight into the client's own slot.
* do_learn_task(): the learn thread sends its result to itself, as a stream, and waits for the reply. The handler
  runs on a worker of a pool. Fixed in 2.7.2 by #4186: the handler is called, with the result itself.

A time-out hides it. A handler gives up after 5 s, and panics the job; the sender of a stream gives up after 10 s;
a sender that is a caller never does, as its timer starts when the call has returned. Ask with ``timeouts="never"``,
or take the limits away (``tensor_wait=0``, ``ack_timeout=0``).

Look for a process waiting for an event that only it would set, by itself or after a reply; more workers do not
help. In both releases, with ``crash=True``: a trainer that dies between permission and result keeps the only
permission for ever (H12).
"""

from __future__ import annotations

from typing import Any, NamedTuple

from simcore import Claim, Model, ModelError, ProcessState, Property, State, Verdict, always, choose, eventually, sleep
from simcore.properties import completes, deadlock_free

REPORT = ("https://github.com/NVIDIA/NVFlare/pull/4141", "https://github.com/NVIDIA/NVFlare/pull/4186")

TENSOR_WAIT, ACK_TIMEOUT = 5.0, 10.0
"""Seconds, as all time-outs here, of NVFlare's own clock; a model takes ``second=`` to run them all faster."""
PERMISSION_TIMEOUT, PERMISSION_INTERVAL = 5.0, 1.0
MAX_CONCURRENT_SUBMISSIONS = 1
MIN_RESPONSES, WAIT_AFTER_MIN = 1, 10.0
"""Results after which the round ends so many seconds later, whoever is missing."""


class Round(NamedTuple):
    """What the aggregating client knows of the round.

    ``stage`` is "none" (no gatherer yet), "gathering", "ended" or "panicked"; ``busy`` are the trainers that have
    permission to submit and have not done so, ``results`` those whose result is in.
    """

    stage: str = "none"
    busy: frozenset[Any] = frozenset()
    results: frozenset[Any] = frozenset()

    def __str__(self) -> str:
        return f"{self.stage}, {len(self.busy)} busy, {len(self.results)} results"


class Request(NamedTuple):
    """Asks for "permission" to submit, or brings the "result"."""

    what: str
    trainer: Any

    def __str__(self) -> str:
        return f"{self.what} of {self.trainer}"


class Client(NamedTuple):
    """The aggregating client: its callback pool, and what its threads share."""

    callback: Any
    slot: Any
    round: Any
    task_tensors: Any
    result_tensors: Any
    tensor_stream: bool
    tensor_wait: float | None
    second: float

    def __str__(self) -> str:
        return "client"


def buggy(
    *,
    scattered_by: str = "self",
    others: int = 0,
    workers: int = 1,
    tensor_stream: bool = True,
    tensor_wait: float = TENSOR_WAIT,
    ack_timeout: float = ACK_TIMEOUT,
    crash: bool = False,
    second: float = 1.0,
) -> Model:
    """Build one round of the aggregating client before #4141 and #4186.

    Parameters
    ----------
    scattered_by : str
        Who sends the learn task: "self", as after a round that this client has aggregated, or "other".
    others : int
        Trainers in other processes; this client is one more.
    workers : int
        Workers of the pool that runs the handlers of streamed messages.
    tensor_stream : bool
        Whether tensors are streamed apart from their message.
    tensor_wait : float
        Seconds for which a handler waits for tensors; 0 is without limit.
    ack_timeout : float
        Seconds for which the sender of a streamed result waits for the reply; 0 is without limit.
    crash : bool
        Whether each of the others may die once it has permission to submit.
    second : float
        Seconds of the model for a second of NVFlare; 0.001 makes a real run quick.
    """
    model = Model("self-message, before #4141 and #4186")
    client = aggregator(model, workers, tensor_stream, tensor_wait, second)
    trainers = other_trainers(model, client, others, crash)

    def scatter():
        yield from send_tasks(trainers)
        yield from process_learn_task(client)  # to itself: the handler runs here and now
        yield client.task_tensors.set()

    def submit():
        reply = yield client.callback.submit(process_learn_result, client)
        code = yield from reply_of(reply, ack_timeout * second or None)
        yield client.result_tensors.set()
        return code

    start(model, client, scattered_by, scatter, submit, trainers)
    return model


def fixed(
    *,
    scattered_by: str = "self",
    others: int = 0,
    workers: int = 1,
    tensor_stream: bool = True,
    tensor_wait: float = TENSOR_WAIT,
    ack_timeout: float = ACK_TIMEOUT,
    crash: bool = False,
    round_limit: float = 0,
    second: float = 1.0,
    fix: bool = True,
    submit_fix: bool = True,
) -> Model:
    """Build one round of the aggregating client after #4141 and #4186.

    The parameters of `buggy`, and these.

    Parameters
    ----------
    round_limit : float
        Seconds for which a round waits for its first result (learn_task_timeout); 0 is without limit, the default.
    fix : bool
        False takes both fixes out again.
    submit_fix : bool
        False takes #4186 out again, and leaves #4141.
    """
    model = Model(
        "self-message, after #4141 and #4186" if fix and submit_fix else "self-message, a fix taken out again"
    )
    client = aggregator(model, workers, tensor_stream, tensor_wait, second)
    trainers = other_trainers(model, client, others, crash)

    def scatter():
        if fix:
            yield client.slot.set("train")  # a copy of the task; the learn thread takes it from there
        yield from send_tasks(trainers)
        if not fix:
            yield from process_learn_task(client)
            yield client.task_tensors.set()

    def submit():
        if fix and submit_fix:
            return (yield from accept_result(client))
        reply = yield client.callback.submit(process_learn_result, client)
        code = yield from reply_of(reply, ack_timeout * second or None)
        yield client.result_tensors.set()
        return code

    start(model, client, scattered_by, scatter, submit, trainers, round_limit)
    return model


# ---- the aggregating client ----------------------------------------------------------------------------------


def aggregator(model, workers, tensor_stream, tensor_wait, second):
    """Add what the threads of the aggregating client share."""
    return Client(
        model.thread_pool("callback", workers),
        model.variable("learn task"),
        model.variable("round", Round()),
        model.event("tensors of the task"),
        model.event("tensors of the result"),
        tensor_stream,
        tensor_wait * second or None,
        second,
    )


def start(model, client, scattered_by, scatter, submit, trainers, round_limit=0):
    """Add the threads of the aggregating client, and the client that has sent the task if it is another one."""
    if scattered_by not in ("self", "other"):
        raise ModelError(f"scattered_by={scattered_by!r}: the task comes from 'self' or from an 'other' client")
    everybody = len(trainers) + 1
    if scattered_by == "other":
        model.process("other client", scatter_elsewhere, client, trainers)
        model.process("gather monitor", gather_monitor, client, everybody, round_limit)
    else:
        model.process("gather monitor", gather_monitor, client, everybody, round_limit, scatter)
    model.process("learn", learn, client, submit)


def scatter_elsewhere(client, trainers):
    """Send the task from another process; its tensors come from there, too."""
    yield from send_tasks(trainers)
    yield client.slot.set("train")


def gather_monitor(client, everybody, round_limit, scatter=None):
    """Send the task, wait for the results, end the round; return "panicked", or how many results were gathered."""
    if scatter:
        yield client.round.set(Round())  # the round before is over, its gatherer goes
        yield from scatter()
    yield client.round.wait_for(begun)
    first = yield client.round.wait_for(has_results, MIN_RESPONSES, timeout=round_limit * client.second or None)
    if first:
        yield client.round.wait_for(has_results, everybody, timeout=WAIT_AFTER_MIN * client.second)
    last = yield client.round.update(end)
    return "panicked" if last.stage == "panicked" else len(last.results)


def learn(client, submit):
    """Take the task from the slot, set up the gatherer, train, ask for permission, submit; return what came of it."""
    if (yield client.slot.wait_for(bool)) == "stop":
        return "aborted"
    yield client.round.update(set_up)
    permission = yield from permitted(client)
    return (yield from submit()) if permission == "ok" else permission


def permitted(client):
    """Ask for permission, by a streamed message to itself, as often as it takes."""
    while True:
        asked = yield client.callback.submit(process_submission_request, client, "learn")
        code = yield from reply_of(asked, PERMISSION_TIMEOUT * client.second)
        if code != "try again":
            return code
        yield sleep(PERMISSION_INTERVAL * client.second)


def reply_of(reply, seconds):
    """Wait for the reply to a streamed message."""
    try:
        return (yield reply.result(timeout=seconds))
    except TimeoutError:
        return "no reply"


# ---- its handlers --------------------------------------------------------------------------------------------


def process_learn_task(client):
    """Wait for the tensors of the task, then hand it to the learn thread."""
    if client.tensor_stream and not (yield client.task_tensors.wait(timeout=client.tensor_wait)):
        yield from system_panic(client)
    else:
        yield client.slot.set("train")


def process_learn_result(client):
    """Wait for the tensors of the client's own result, then gather it."""
    if client.tensor_stream and not (yield client.result_tensors.wait(timeout=client.tensor_wait)):
        yield from system_panic(client)
        return "panicked"
    return (yield from accept_result(client))


def accept_result(client, trainer="learn"):
    yield client.round.update(accept, trainer)
    return "ok"


def process_submission_request(client, trainer):
    return (yield client.round.transition(permit, trainer))


def system_panic(client):
    """End the job."""
    yield client.round.update(panic)
    yield client.slot.set("stop")


# ---- the round, each function one region under a lock of the gatherer ------------------------------------------


def set_up(known):
    return known if known.stage == "panicked" else Round("gathering")


def begun(known):
    return known.stage != "none"


def has_results(known, count):
    return known.stage == "panicked" or len(known.results) >= count


def permit(known, trainer):
    """Say what is answered to a trainer that wants to submit; nothing ends a permission but the result."""
    if known.stage == "none":
        return ((known, "try again"),)
    if known.stage != "gathering":
        return ((known, known.stage),)
    if trainer not in known.busy and len(known.busy) >= MAX_CONCURRENT_SUBMISSIONS:
        return ((known, "try again"),)
    return ((known._replace(busy=known.busy | {trainer}), "ok"),)


def accept(known, trainer):
    return known._replace(busy=known.busy - {trainer}, results=known.results | {trainer})


def end(known):
    return known if known.stage == "panicked" else known._replace(stage="ended")


def panic(known):
    return known._replace(stage="panicked")


# ---- trainers in other processes -----------------------------------------------------------------------------


def other_trainers(model, client, others, crash):
    """Add trainers in other processes, with a connection each; return the links that lead to them.

    Their tensors come from their own process: a result of theirs is whole when it arrives.
    """
    links = ()
    for name in model.indices("trainer", others):
        up, down = model.link(f"from {name}"), model.link(f"to {name}")
        model.process(name, trainer, name, up, down, crash, client.second)
        model.process(f"reader of {name}", reader, client, up, down, daemon=True)
        links += (down,)
    return links


def send_tasks(links):
    for link in links:
        yield link.send("task")


def trainer(name, up, down, crash, second):
    """Do the task: ask for permission as often as it takes, then submit, unless it dies there."""
    yield down.recv()
    while True:
        yield up.send(Request("permission", name))
        code = yield down.recv()
        if code != "try again":
            break
        yield sleep(PERMISSION_INTERVAL * second)
    if code != "ok" or (crash and (yield choose(False, True))):
        return code if code != "ok" else "crashed"
    yield up.send(Request("result", name))
    return (yield down.recv())


def reader(client, up, down):
    """Let a worker handle each message of one trainer."""
    while True:
        request = yield up.recv()
        yield client.callback.submit(handle, client, request, down)


def handle(client, request, down):
    handler = process_submission_request if request.what == "permission" else accept_result
    code = yield from handler(client, request.trainer)
    yield down.send(code)


# ---- claims --------------------------------------------------------------------------------------------------


def work_is_kept() -> Property:
    """Require that a round that has ended has every trainer's result."""

    def whole(state: State) -> bool:
        monitor = state.process("gather monitor")
        return not monitor.done or monitor.result == len(_trainers(state))

    return always(whole, "a round that ends has the result of every trainer")


def told_so() -> Property:
    """Require that the client's own trainer, when its result is gathered, has not reported a failure."""

    def told(state: State) -> bool:
        own = state.process("learn")
        return not own.done or own.result == "ok" or "learn" not in state["round"].results

    return always(told, "a trainer whose result is gathered is told so")


def served_or_over() -> Property:
    """Require that each trainer is served, or dies, or the round ends."""

    def over(state: State) -> bool:
        return state.process("gather monitor").done or all(trainer.done for trainer in _trainers(state))

    return eventually(over, "every trainer is served or the round ends")


def _trainers(state: State) -> list[ProcessState]:
    return [process for process in state.processes if process.name == "learn" or process.name.startswith("trainer[")]


SUBMIT = {"scattered_by": "other"}
NO_LIMIT = {"tensor_wait": 0}
TWO = {"others": 1, "crash": True}
returns = completes("gather monitor", "learn")

CLAIMS = (
    Claim("6.5", "2.7.1", buggy, deadlock_free(), Verdict.VIOLATED, NO_LIMIT, note="#4141: the learn task to itself"),
    Claim("6.5", "2.7.2", fixed, deadlock_free(), Verdict.HOLDS, NO_LIMIT),
    Claim(
        "6.5",
        "2.7.1",
        buggy,
        deadlock_free(),
        Verdict.VIOLATED,
        SUBMIT,
        timeouts="never",
        note="#4186: the result to itself; time-outs of 5 and 10 s hide it",
    ),
    Claim("6.5", "2.7.2", fixed, deadlock_free(), Verdict.HOLDS, SUBMIT, timeouts="never"),
    Claim(
        "6.5",
        "#4141 alone",
        fixed,
        deadlock_free(),
        Verdict.VIOLATED,
        {"submit_fix": False},
        timeouts="never",
        note="the round gets as far as the submission",
    ),
    Claim(
        "6.5",
        "2.7.1",
        buggy,
        deadlock_free(),
        Verdict.HOLDS,
        {"tensor_stream": False},
        timeouts="never",
        note="no handler that waits for tensors",
    ),
    Claim(
        "6.5",
        "2.7.1",
        buggy,
        deadlock_free(),
        Verdict.VIOLATED,
        {**SUBMIT, "others": 1, "workers": 2},
        timeouts="never",
        note="neither more workers nor more trainers help",
    ),
    Claim("6.5", "2.7.2", fixed, deadlock_free(), Verdict.HOLDS, {"others": 2, "workers": 2}, timeouts="in_order"),
    Claim(
        "6.1",
        "2.7.1",
        buggy,
        work_is_kept(),
        Verdict.VIOLATED,
        timeouts="in_order",
        note="the handler gives up after 5 s and panics the job",
    ),
    Claim(
        "6.1",
        "2.7.1",
        buggy,
        work_is_kept(),
        Verdict.VIOLATED,
        SUBMIT,
        timeouts="in_order",
        note="the handler gives up after 5 s, before its sender does after 10 s",
    ),
    Claim(
        "6.1",
        "2.7.1",
        buggy,
        told_so(),
        Verdict.VIOLATED,
        {**SUBMIT, **NO_LIMIT},
        timeouts="in_order",
        note="the sender gives up after 10 s and streams the tensors; the result counts, and is reported as lost",
    ),
    Claim("6.1", "2.7.2", fixed, work_is_kept(), Verdict.HOLDS, {"others": 1}, timeouts="in_order"),
    Claim("6.1", "2.7.2", fixed, told_so(), Verdict.HOLDS, {**SUBMIT, **NO_LIMIT}, timeouts="in_order"),
    Claim("L1", "2.7.1", buggy, returns, Verdict.HOLDS, timeouts="in_order", note="by the handler's time-out alone"),
    Claim(
        "L1",
        "2.7.1",
        buggy,
        returns,
        Verdict.VIOLATED,
        NO_LIMIT,
        timeouts="in_order",
        note="no time-out of the sender bounds a send that is a call: facts 2, last row but one",
    ),
    Claim("L1", "2.7.1", buggy, returns, Verdict.HOLDS, {**SUBMIT, **NO_LIMIT}, timeouts="in_order"),
    Claim("L1", "2.7.2", fixed, returns, Verdict.HOLDS, NO_LIMIT, timeouts="in_order"),
    Claim(
        "L8",
        "2.7.1",
        buggy,
        served_or_over(),
        Verdict.VIOLATED,
        {**TWO, "tensor_stream": False},
        timeouts="in_order",
        note="H12; without streamed tensors, so that the round gets that far",
    ),
    Claim("L8", "2.7.2", fixed, served_or_over(), Verdict.VIOLATED, TWO, timeouts="in_order", note="H12"),
    Claim(
        "L8", "2.7.2", fixed, served_or_over(), Verdict.HOLDS, {"others": 1}, timeouts="in_order", note="nobody dies"
    ),
    Claim(
        "L8",
        "2.7.2, learn_task_timeout=20",
        fixed,
        served_or_over(),
        Verdict.HOLDS,
        {**TWO, "round_limit": 20},
        timeouts="in_order",
        note="what ends H12, and is off by default",
    ),
)
