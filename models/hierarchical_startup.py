"""A few clients that are late make the whole job fail; after the fix, one that never starts is never missed.

NVFlare 2.7.1, nvflare/private/fed/server/job_runner.py, _deploy_job() and _start_run(), and fed_server.py beside it:
a deployment without a reply counts as done, START then reaches a client that still installs and is refused, and the
first heartbeat without the job is reported to the job as a dead client. Fixed in 2.7.2 by #4209: silence is a failure
and `min_clients` decides, a strict mode looks at the replies to START, and only a client that had the job is reported.

SP is the server's parent process and SJ its process for the job, CP and CJ are those of a client. There are the job
(SP's job runner, then SJ's workflow of one round), for each client its CP with its CJ, and for each client SP's
handler of its heartbeats with its entry on SJ's watch list. SP's and SJ's part of the job are one process, as no round
can end before START is answered: a client answers before it takes part, and SJ gives a client up no sooner than a
heartbeat and the grace after START, when the time for answers is over. Whom the log blames (rule 2) is left out.
Times are NVFlare's: explore with ``timeouts="in_order"``.

Look for a job that fails though every client is alive; and, after the fix, for a job that waits for ever for a
client to which START was lost: it takes part, and no heartbeat ever tells that it has not got the job.
"""

from __future__ import annotations

from math import inf
from typing import Any, NamedTuple

from simcore import Claim, Model, Property, State, Verdict, always, choose, leads_to, sleep
from simcore.properties import completes

REPORT = "https://github.com/NVIDIA/NVFlare/pull/4209"


class Limit:
    """NVFlare's time-outs and periods, in seconds."""

    DEPLOY, START = 10.0, 20.0
    SETUP = 2.0
    """From the end of the deployment to START: SP creates SJ."""
    HEARTBEAT, LOSS = 10.0, 600.0
    GRACE = 60.0
    """From the report of a dead client to its disconnection."""
    SYNC = 60.0
    """After so long a CJ that gets no answer from SJ gives up and ends."""


class Fate:
    """What may become of a slow client, beside that it needs some seconds."""

    NEVER, LEAVES, ERROR, CRASHES, DIES, HOST_DIES = "never", "leaves", "error", "crashes", "dies", "host-dies"


class Tells:
    """What a CP tells of the job: it has not had it yet, it has it, it had it; or it tells nothing any more."""

    NOT_YET, LISTED, ENDED, DEAD = "not yet", "listed", "ended", "dead"


class Job:
    """The stages of a job, and how it ends; beside these, `finished`."""

    DEPLOYING, STARTING, RUNNING, OVER = "deploying", "starting", "RUNNING", "over"
    NOT_DEPLOYED, NOT_STARTED = "FAILED_TO_RUN at deployment", "FAILED_TO_RUN at start"
    ABORTED = "aborted in round 0"

    @staticmethod
    def finished(clients: int) -> str:
        """Return how a job ends with the results of so many clients."""
        return f"finished with {clients}"


def buggy(
    *,
    clients: int = 2,
    slow: int = 1,
    min_clients: int = 2,
    required: bool = False,
    deploy: str = "0 11 13 never",
    start: str = "0 25 never",
    life: str = "0 50 never",
    relays: int = 0,
    stall: str = "0",
    second: float = 1.0,
) -> Model:
    """Build the system before #4209.

    Parameters
    ----------
    clients : int
        Sites that are connected when the job is deployed.
    slow : int
        Those of them that ``deploy``, ``start`` and ``life`` are about; the others need no time.
    min_clients : int
        The job's `min_clients`.
    required : bool
        Whether the slow clients are required sites.
    deploy : str
        Seconds until a slow client has installed the app and said so; or several, of which any may be; "never";
        "leaves" (it is ready at once, and disconnects before START).
    start : str
        Seconds from START until it lists the job and has said so; or several; "never" (START is lost); "error".
    life : str
        Seconds from then until its job process takes part; or several; "never" (it gives up); "crashes" (at once);
        "dies" (after a heartbeat that told of it); "host-dies" (it, and its CP).
    relays : int
        Relays between SP and the clients, who are shared out evenly; 0 for none.
    stall : str
        Seconds for which the first relay, that of slow client[0], holds replies to the deployment back; or several.
    second : float
        Seconds of the model for one of NVFlare; a small number makes a real run quick.
    """
    model = Model("hierarchical start-up, before #4209")
    rules = Rules(True, strict=False, seen_first=False, startup_grace=0, live_table=True, untold="TypeError")
    lateness = Lateness(read(deploy), read(start), read(life)), read(stall)
    _system(model, rules, (clients, slow, relays), (min_clients, required), lateness, second)
    return model


def fixed(
    *,
    clients: int = 2,
    slow: int = 1,
    min_clients: int = 2,
    required: bool = False,
    deploy: str = "0 11 13 never",
    start: str = "0 25 never",
    life: str = "0 50 never",
    relays: int = 0,
    stall: str = "0",
    strict: bool = False,
    startup_grace: float = 0.0,
    second: float = 1.0,
    fix: bool = True,
) -> Model:
    """Build the system after #4209.

    The parameters of `buggy`, and these.

    Parameters
    ----------
    strict : bool
        `strict_start_job_reply_check`, off by default: a client that has not replied to START has failed.
    startup_grace : float
        Variant (j): seconds after START at which a client that never had the job is reported; 0 for never.
    fix : bool
        False takes the fix out again: all decision rules are those of 2.7.1.
    """
    model = Model("hierarchical start-up, after #4209" if fix else "hierarchical start-up, #4209 taken out again")
    rules = Rules(True, strict=False, seen_first=False, startup_grace=0, live_table=True, untold="TypeError")
    if fix:
        rules = Rules(False, strict, True, startup_grace * second, live_table=False, untold="RuntimeError")
    lateness = Lateness(read(deploy), read(start), read(life)), read(stall)
    _system(model, rules, (clients, slow, relays), (min_clients, required), lateness, second)
    return model


def read(options):
    """Return what a parameter such as "0 11 never" offers."""
    return tuple(float(word) if word[0].isdigit() else word for word in options.split())


def _system(model, rules, sizes, needs, lateness, second):
    (clients, slow, relays), (min_clients, required), (late, stall) = sizes, needs, lateness
    sites = (*model.indices("slow client", slow), *model.indices("client", clients - slow))
    policy = Policy(clients, min_clients, sites[:slow] if required else ())
    blocks = [sites[number::relays] for number in range(relays)]
    server = Server(
        model.variable("deployment", Deployment(closed=frozenset(sites if relays else ()))),
        model.variable("job entry", Entry()),
        model.variable("START replies", Replies()),
        model.variable("round 0", Round()),
    )
    model.process("job", job, server, sites, policy, rules, second)
    for number, block in enumerate(blocks):
        model.process(f"relay[{number}]", relay, server, block, None if number else stall, second, daemon=True)
    for number, name in enumerate(sites):
        cp = model.variable(f"CP of {name}", Tells.NOT_YET)
        how = late if number < slow else None
        model.process(name, client, name, cp, how, server, rules.untold, second, daemon=True)
        model.process(f"heartbeats of {name}", heartbeats, name, cp, server, rules, second, daemon=True)


# ---- SP's job runner, and SJ -------------------------------------------------------------------------------


def job(server, sites, policy, rules, second):
    """Deploy, start, and wait for the end of round 0; return how the job ends."""
    yield server.deployment.wait_for(Deployment.complete, len(sites), timeout=Limit.DEPLOY * second)
    silent = yield server.deployment.transition(Deployment.silent, sites)
    left_out = () if rules.silence_is_success else silent
    if left_out and policy.refuses(left_out):
        return (yield from end(server, Job.NOT_DEPLOYED))
    yield sleep(Limit.SETUP * second)
    unready = yield server.deployment.transition(Deployment.unready, sites, left_out)
    yield server.entry.set(Entry(Job.STARTING, left_out, unready))
    expected = len(sites) - len(left_out) - len(unready)
    yield server.replies.wait_for(Replies.complete, expected, timeout=Limit.START * second)
    silent = yield server.replies.transition(Replies.silent, sites, left_out)
    failed = unready or (yield server.replies.transition(Replies.any_error))
    if failed or (rules.strict and silent and policy.refuses(left_out + silent)):
        return (yield from end(server, Job.NOT_STARTED))
    yield server.entry.set(Entry(Job.RUNNING, left_out, unready, silent))
    return (yield from end(server, (yield server.round.transition(Round.outcome, sites, left_out, policy))))


def end(server, how):
    """Stop the round, and take the job out of SP's table."""
    yield server.round.update(Round.end)
    yield server.entry.update(Entry.end)
    return how


# ---- a client ----------------------------------------------------------------------------------------------


def client(name, cp, late, server, untold, second):
    """Be a CP, and then its CJ; return what has become of it."""
    how = (yield choose(*late.deploy)) if late else 0
    if how == Fate.NEVER:
        return "never installed"
    if how and how != Fate.LEAVES:
        yield sleep(how * second)
    yield server.deployment.update(Deployment.install, name)
    if how == Fate.LEAVES:
        yield sleep(Limit.SETUP / 2 * second)
        yield server.deployment.update(Deployment.leave, name)
        return "left"
    if not (yield server.entry.transition(Entry.starts, name)):
        return "not started"
    how = (yield choose(*late.start)) if late else 0
    if how == Fate.NEVER:
        return "START was lost"
    if how == Fate.ERROR:
        yield server.replies.update(Replies.error, name)
        return "could not start"
    if how:
        yield sleep(how * second)
    yield cp.set(Tells.LISTED)
    yield server.replies.update(Replies.start, name)
    return (yield from client_job(name, cp, late, server, untold, second))


def client_job(name, cp, late, server, untold, second):
    """Be a CJ. A CP does not abort a job that is STARTING, so a CJ comes up whatever has become of its job (H30)."""
    how = (yield choose(*late.life)) if late else 0
    if how == Fate.HOST_DIES:
        yield cp.set(Tells.DEAD)
        return "host died"
    if how in (Fate.CRASHES, Fate.DIES):
        yield server.round.update(Round.hear, name)
    if how in (Fate.NEVER, Fate.DIES):
        yield sleep((Limit.SYNC if how == Fate.NEVER else Limit.HEARTBEAT * 1.5) * second)
    if how in (Fate.NEVER, Fate.CRASHES, Fate.DIES):
        yield cp.set(Tells.ENDED)
        return "ended early"
    if how:
        yield sleep(how * second)
    if (yield server.round.transition(Round.take_part, name)):
        return "took part"
    yield cp.set(Tells.ENDED)
    return f"{untold}, as it came up after the end of the job"


def relay(server, block, stall, second):
    """Be the connection of a relay, over which no reply of its clients comes for a while."""
    how = (yield choose(*stall)) if stall else 0
    if how:
        yield sleep(how * second)
    yield server.deployment.update(Deployment.open, block)


# ---- SP's handler of a client's heartbeats, and SJ's watch list ---------------------------------------------


def heartbeats(name, cp, server, rules, second):
    """Compare what the client tells with SP's table, as often as it tells it and for as long as the job is there."""
    if not (yield server.entry.transition(Entry.has, name)):
        return "takes no part"
    seen, patience = False, rules.startup_grace or inf
    while (yield server.entry.wait_for(Entry.over, timeout=Limit.HEARTBEAT * second)) is None:
        tells = yield cp.get()
        if rules.live_table and (yield server.entry.transition(Entry.gone)):
            return "RuntimeError, as the table changed while it was read"
        if tells == Tells.DEAD:
            yield sleep((Limit.LOSS - Limit.HEARTBEAT) * second)  # and then SP takes the client out
            yield from report(name, server, second)
            return "lost"
        seen = seen or tells == Tells.LISTED
        patience = max(0.0, patience - Limit.HEARTBEAT * second)
        if tells != Tells.LISTED and (seen or not rules.seen_first or patience == 0):
            yield from report(name, server, second)
    return "ended"


def report(name, server, second):
    """Put the client on SJ's watch list; if it is not heard of for GRACE, it is disconnected."""
    yield server.round.update(Round.watch, name)
    if (yield server.round.wait_for(Round.off, name, timeout=Limit.GRACE * second)) is None:
        yield server.round.update(Round.disconnect, name)


# ---- what they know, and what they share --------------------------------------------------------------------


def told(values: Any) -> str:
    """Write the fields that say anything, for reports."""
    fields = ((name, value) for name, value in values._asdict().items() if value)
    texts = (
        f"{name} {', '.join(sorted(map(str, of)))}" if isinstance(of, frozenset | tuple) else f"{name} {of}"
        for name, of in fields
    )
    return "; ".join(texts) or "nothing yet"


class Rules(NamedTuple):
    """The decision rules that #4209 changed."""

    silence_is_success: bool
    """A client that has not answered the deployment counts as deployed."""
    strict: bool
    """A client that has not answered START counts as failed."""
    seen_first: bool
    """A heartbeat without the job counts only after one with it."""
    startup_grace: float
    """It counts without that too, so many seconds after START; 0: never."""
    live_table: bool
    """SP reads its table itself and not a copy, so that no job may end meanwhile."""
    untold: str
    """What becomes of a CJ that finds no list of clients in the job's meta."""


class Policy(NamedTuple):
    """What the job needs."""

    clients: int
    min_clients: int
    required: tuple[Any, ...]

    def __str__(self) -> str:
        return f"min_clients={self.min_clients}" + f", required {self.required}" * bool(self.required)

    def refuses(self, lost):
        """Tell whether too few are left, or a required one is lost."""
        return self.clients - len(lost) < self.min_clients or any(name in lost for name in self.required)


class Lateness(NamedTuple):
    """What may happen to a slow client, each time one of several: a number of seconds, or a `Fate`."""

    deploy: tuple[Any, ...]
    start: tuple[Any, ...]
    life: tuple[Any, ...]


class Deployment(NamedTuple):
    """Who has installed the app, and whose reply has come to SP."""

    replied: frozenset[Any] = frozenset()
    held: frozenset[Any] = frozenset()
    """Clients that have installed the app, and whose relay holds the reply back."""
    closed: frozenset[Any] = frozenset()
    """Clients whose relay holds replies back."""
    left: frozenset[Any] = frozenset()

    def __str__(self) -> str:
        return told(self)

    def install(self, name):
        if name in self.closed:
            return self._replace(held=self.held | {name})
        return self._replace(replied=self.replied | {name})

    def open(self, block):
        handed_on = self.held.intersection(block)
        return Deployment(self.replied | handed_on, self.held - handed_on, self.closed.difference(block), self.left)

    def leave(self, name):
        return self._replace(left=self.left | {name})

    def complete(self, number):
        return len(self.replied) == number

    def silent(self, sites):
        return ((self, tuple(name for name in sites if name not in self.replied)),)

    def unready(self, sites, left_out):
        """Give those that START goes to in vain: they still install, and refuse it, or they have left."""
        ready = (self.replied | self.held) - self.left
        return ((self, tuple(name for name in sites if name not in ready and name not in left_out)),)


class Entry(NamedTuple):
    """SP's entry of the job, made when START is sent to all but those left out."""

    stage: str = Job.DEPLOYING
    left_out: tuple[Any, ...] = ()
    """The clients that the job does not wait for: SJ asks SP for the others."""
    unready: tuple[Any, ...] = ()
    silent: tuple[Any, ...] = ()
    """The clients that had not replied to START: 2.7.2 leaves them out of the list of clients in the job's meta."""

    def __str__(self) -> str:
        return told(self)

    def has(self, name):
        """Wait for START, or for the end of a job that has none; tell whether this client takes part."""
        if self.stage == Job.DEPLOYING:
            return ()
        return ((self, self.stage != Job.OVER and name not in self.left_out),)

    def starts(self, name):
        """Wait for the same; tell whether this client starts the job."""
        return tuple((_, part and name not in self.unready) for _, part in self.has(name))

    def over(self):
        return self.stage == Job.OVER

    def gone(self):
        return ((self, self.stage == Job.OVER),)

    def end(self):
        return self._replace(stage=Job.OVER)


class Replies(NamedTuple):
    """The replies to START."""

    good: frozenset[Any] = frozenset()
    errors: frozenset[Any] = frozenset()

    def __str__(self) -> str:
        return told(self)

    def start(self, name):
        return self._replace(good=self.good | {name})

    def error(self, name):
        return self._replace(errors=self.errors | {name})

    def any_error(self):
        return ((self, bool(self.errors)),)

    def complete(self, number):
        return len(self.good) + len(self.errors) == number

    def silent(self, sites, left_out):
        return ((self, tuple(name for name in sites if name not in self.good and name not in left_out)),)


class Round(NamedTuple):
    """SJ's round 0, and its watch list."""

    results: frozenset[Any] = frozenset()
    watched: frozenset[Any] = frozenset()
    disconnected: frozenset[Any] = frozenset()
    over: bool = False

    def __str__(self) -> str:
        return told(self)

    def outcome(self, sites, left_out, policy):
        """Wait until SJ's policy aborts the job, or everybody has given a result or is disconnected."""
        lost = self.disconnected | set(left_out)
        if len(lost) == len(sites) or policy.refuses(lost):
            return ((self, Job.ABORTED),)
        if all(name in self.results or name in lost for name in sites):
            return ((self, Job.finished(len(self.results))),)
        return ()

    def take_part(self, name):
        """Give a result, which is a sign of life too; False when the round is over."""
        if self.over:
            return ((self, False),)
        return ((self.hear(name)._replace(results=self.results | {name}), True),)

    def hear(self, name):
        return self._replace(watched=self.watched - {name}, disconnected=self.disconnected - {name})

    def watch(self, name):
        return self if name in self.disconnected else self._replace(watched=self.watched | {name})

    def off(self, name):
        return name not in self.watched

    def disconnect(self, name):
        if name not in self.watched:  # it was heard of in the last moment
            return self
        return self._replace(watched=self.watched - {name}, disconnected=self.disconnected | {name})

    def end(self):
        return self._replace(over=True)


class Server(NamedTuple):
    """The variables that the processes share."""

    deployment: Any
    entry: Any
    replies: Any
    round: Any


# ---- what is asked -------------------------------------------------------------------------------------------


def starts_with(clients: int, *required: str) -> Property:
    """Require that START is sent only when so many clients are ready, the required ones among them (S11)."""

    def enough(state: State) -> bool:
        entry, at = state["job entry"], state["deployment"]
        ready = {str(name) for name in (at.replied | at.held) - at.left - set(entry.left_out)}
        return entry.stage not in (Job.STARTING, Job.RUNNING) or (len(ready) >= clients and ready >= set(required))

    return always(
        enough,
        f"START is sent only with {clients} clients that are ready" + "".join(f", {name} too" for name in required),
    )


def runs_with(clients: int) -> Property:
    """Require that the job is RUNNING only when so many clients have started it (the other half of S11)."""

    def enough(state: State) -> bool:
        return state["job entry"].stage != Job.RUNNING or len(state["START replies"].good) >= clients

    return always(enough, f"the job is RUNNING only with {clients} clients that have started it")


def fails(state: State) -> bool:
    """Tell whether the job has ended without a result."""
    return state.process("job").result in (Job.NOT_DEPLOYED, Job.NOT_STARTED, Job.ABORTED)


def never_fails() -> Property:
    """Require that no job fails. It is asked where enough clients are well: H28, and safety in section 9.7."""
    return always(lambda state: not fails(state), "the job does not fail")


def reported_after_seen() -> Property:
    """Require that no client is taken for dead before its CP had the job (S12)."""

    def seen(state: State) -> bool:
        on_list = state["round 0"].watched | state["round 0"].disconnected
        return all(state[f"CP of {name}"] != Tells.NOT_YET for name in on_list)

    return always(seen, "no client is reported dead before it was seen")


def is_missed(name: str) -> Property:
    """Require that a client which takes part in a RUNNING job and has not got it is reported, if it stays so (H26)."""

    def missing(state: State) -> bool:
        return (state["job entry"].stage, state[f"CP of {name}"]) == (Job.RUNNING, Tells.NOT_YET)

    def noticed(state: State) -> bool:
        on_list = state["round 0"].watched | state["round 0"].disconnected
        return not missing(state) or any(str(each) == name for each in on_list)

    return leads_to(missing, noticed, f"{name} is reported if it never gets the job")


def waits_for_its_own() -> Property:
    """Require that the job waits for no client that is not in the list of clients in its meta (H27)."""

    def own(state: State) -> bool:
        waits = set(state["job entry"].silent) - state["round 0"].results - state["round 0"].disconnected
        return state["job entry"].stage != Job.RUNNING or not waits

    return always(own, "the job waits only for clients in its list")


def nobody_ends(how: str) -> Property:
    """Require that no process returns a text with ``how`` in it."""

    def right(state: State) -> bool:
        return not any(how in str(process.result) for process in state.processes if process.done)

    return always(right, f"nobody ends with {how!r}")


# ---- what is known -------------------------------------------------------------------------------------------

HOLDS, VIOLATED = Verdict.HOLDS, Verdict.VIOLATED
STRICT, J = "2.7.2 strict", "(j) report after a start-up grace"

QUICK = {"second": 0.01}
"""So that a run in real time does not take its 12 seconds."""
WELL = {"deploy": "0", "start": "0", "life": "0"}
LATE = {**WELL, "deploy": "0 11"}
"""The slow client is ready before START."""
SPARE = {"min_clients": 1}
"""The job can do without its slow client."""
REQUIRED = {**SPARE, "required": True}
LOST = {**WELL, **SPARE, "start": "never"}
CRASHED = {**WELL, **SPARE, "life": "crashes"}
"""The CJ ends before a heartbeat has told of it."""
COMES = {"start": "0 25", "life": "0 never dies host-dies"}
"""START is not lost, and whoever gets the job tells of it."""
TWO_SLOW = {"clients": 3, "slow": 2, "min_clients": 2}
REFUSED = {**WELL, "start": "25 error", "slow": 2}
ANYTHING = {
    **TWO_SLOW,
    "deploy": "0 11 13 never leaves",
    "start": "0 25 75 never error",
    "life": "0 50 never crashes dies host-dies",
}


def _claim(id, version, asked, expected, parameters, note=""):
    model = buggy if version == "2.7.1" else fixed
    slow = parameters.items() >= ANYTHING.items() or (parameters.items() >= TWO_SLOW.items() and expected is HOLDS)
    more = {"strict": True} if version == STRICT else {"startup_grace": 60.0} if version == J else {}
    return Claim(id, version, model, asked, expected, {**parameters, **more}, "in_order", slow=slow, note=note)


CLAIMS = (
    _claim("S11", "2.7.1", starts_with(2), VIOLATED, QUICK),
    _claim("S11", "2.7.2", starts_with(2), HOLDS, QUICK),
    _claim("S11", J, starts_with(2), HOLDS, {}, "must not change"),
    _claim("S11", "2.7.1", starts_with(2), VIOLATED, TWO_SLOW),
    _claim("S11", "2.7.2", starts_with(2), HOLDS, TWO_SLOW),
    _claim("S11", "2.7.1", starts_with(1, "slow client[0]"), VIOLATED, REQUIRED),
    _claim("S11", "2.7.2", starts_with(1, "slow client[0]"), HOLDS, REQUIRED),
    _claim("S11", "2.7.2", starts_with(2), VIOLATED, {"deploy": "leaves"}, "at the deployment only"),
    _claim("S11", "2.7.1", runs_with(2), VIOLATED, {}),
    _claim("S11", "2.7.2", runs_with(2), VIOLATED, {}, "no reply to START is no failure by default"),
    _claim("S11", STRICT, runs_with(2), HOLDS, {}),
    _claim("S12", "2.7.1", reported_after_seen(), VIOLATED, {}),
    _claim("S12", "2.7.2", reported_after_seen(), HOLDS, {}),
    _claim("S12", "2.7.2", reported_after_seen(), HOLDS, ANYTHING),
    _claim("S12", J, reported_after_seen(), HOLDS, COMES, "must not change"),
    _claim("S12", J, reported_after_seen(), VIOLATED, LOST, "must change: that report is what ends the job"),
    _claim("L7", "2.7.1", completes("job"), HOLDS, {}),
    _claim("L7", "2.7.1", completes("job"), HOLDS, ANYTHING),
    _claim("L7", "2.7.2", completes("job"), VIOLATED, {}, "H26"),
    _claim("L7", "2.7.2", completes("job"), HOLDS, COMES, "if no START is lost"),
    _claim("L7", "2.7.2", completes("job"), HOLDS, {**TWO_SLOW, **COMES}, "if no START is lost"),
    _claim("L7", J, completes("job"), HOLDS, {}),
    _claim("L7", J, completes("job"), HOLDS, ANYTHING),
    _claim("H26", "2.7.1", completes("job"), HOLDS, LOST),
    _claim("H26", "2.7.2", completes("job"), VIOLATED, LOST, "2 clients, 1 needed: the smallest instance"),
    _claim("H26", "2.7.2", completes("job"), VIOLATED, CRASHED, "a CJ that no heartbeat told of is as good as lost"),
    _claim("H26", STRICT, completes("job"), VIOLATED, LOST),
    _claim("H26", STRICT, completes("job"), HOLDS, {**LOST, "min_clients": 2}, "it is aborted at once"),
    _claim("H26", J, completes("job"), HOLDS, LOST),
    _claim("H26", J, completes("job"), HOLDS, CRASHED),
    _claim("H26", "2.7.1", is_missed("slow client[0]"), HOLDS, {}, "completeness"),
    _claim("H26", "2.7.2", is_missed("slow client[0]"), VIOLATED, {}, "completeness"),
    _claim("H26", J, is_missed("slow client[0]"), HOLDS, {}, "completeness"),
    _claim("H27", "2.7.2", waits_for_its_own(), VIOLATED, {}),
    _claim("H27", STRICT, waits_for_its_own(), VIOLATED, SPARE),
    _claim("H27", J, waits_for_its_own(), VIOLATED, {}, "must not change"),
    _claim("H28", "2.7.1", never_fails(), HOLDS, LATE),
    _claim("H28", "2.7.2", never_fails(), VIOLATED, LATE, "nothing is wrong with a client that needs 11 s"),
    _claim("H28", J, never_fails(), VIOLATED, LATE, "must not change"),
    _claim("H30", "2.7.1", nobody_ends("after the end of the job"), VIOLATED, {}),
    _claim("H30", "2.7.2", nobody_ends("after the end of the job"), VIOLATED, REFUSED),
    _claim("9.7", "2.7.1", never_fails(), VIOLATED, SPARE, "a client that it can do without ends the job"),
    _claim("9.7", "2.7.2", never_fails(), HOLDS, SPARE),
    _claim("9.7", STRICT, never_fails(), HOLDS, SPARE),
    _claim("9.3", "2.7.1", nobody_ends("the table changed"), VIOLATED, {}, "rule 5"),
    _claim("9.3", "2.7.2", nobody_ends("the table changed"), HOLDS, {}, "rule 5"),
    _claim("9.3", "2.7.1", nobody_ends("TypeError"), VIOLATED, REFUSED, "rule 6"),
    _claim("9.3", "2.7.2", nobody_ends("TypeError"), HOLDS, REFUSED, "rule 6"),
)
