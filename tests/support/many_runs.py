"""Many runs, or many hangs, in one process: ``python many_runs.py same 200 portfolio NAME ...``, or ``hang 50 25``."""

import concurrent.futures
import gc
import hashlib
import json
import os
import queue
import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from functools import partial
from inspect import getattr_static

import over_sockets_fine
import threaded
from threaded import together

from simcore.control.running import Options, Question, answer
from simcore.control.workers import Workers
from simcore.errors import NotUnderControl
from simcore.schedule import SAMPLING

# ---- programs ----------------------------------------------------------------------------------------------------


def whoever_is_done_first(tasks=4):
    """Futures are waited for together, in sets, twice."""
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        lock = threading.Lock()

        def count(number):
            with lock:
                return number

        pending = {pool.submit(count, number) for number in range(tasks)}
        while pending:
            _, pending = concurrent.futures.wait(pending, return_when=concurrent.futures.FIRST_COMPLETED)
        cancelled = [pool.submit(count, number) for number in range(tasks)]
        for future in cancelled:
            future.cancel()
        assert sum(1 for _ in concurrent.futures.as_completed(cancelled)) == tasks


PROGRAMS = {
    "lost wake-up": threaded.lost_wake_up,
    "two slots each": threaded.connections_twice,
    "executor": partial(threaded.nested_submit, workers=2),
    "futures.wait": whoever_is_done_first,
    "select": over_sockets_fine.a_threading_server,
}

# ---- the same again ----------------------------------------------------------------------------------------------


def runs_of(body, schedules, strategy):
    """Return what each of so many runs was; of every fourth the checks, too, and of some the words."""
    numbers, longest, told = {}, 1, []
    strategy = SAMPLING[strategy](5)
    with Workers(partial(answer, body)) as workers:
        for number in range(schedules):
            asked = {"probe": number % 4 == 1, "record": number % 40 == 0}
            ran = workers.ask(Question(Options(), strategy, numbers, longest=longest, **asked))
            strategy, numbers, longest = ran.strategy, ran.numbers, ran.longest
            what = [ran.how, ran.taken, ran.checks, ran.errors]
            if (shown := ran.recording) is not None:
                what += [shown.steps, shown.graph.explain(), shown.places, shown.now]
            told.append([ran.how, len(ran.taken), hashlib.sha256(repr(what).encode()).hexdigest()[:12]])
    return told


# ---- hangs -------------------------------------------------------------------------------------------------------


def hangs_with_all_it_has(child=False):
    """Two threads hang for ever; there are a listener, a connection, files, a pool, and perhaps a child process."""
    listener = socket.create_server(("127.0.0.1", 0))
    kept = [listener, socket.create_connection(listener.getsockname()), *os.pipe(), *socket.socketpair()]
    pool = concurrent.futures.ThreadPoolExecutor(2)
    kept.append(pool.submit(int))
    if child:
        asleep = ["sleep", str(os.getsid(0))]  # seconds by which it is known
        kept += [subprocess.Popen(asleep, start_new_session=own) for own in (False, True)]
    left, right, both = threading.Lock(), threading.Lock(), threading.Barrier(2)

    def take(one, other):
        with one:
            both.wait()
            with other:
                kept.clear()

    together(partial(take, left, right), partial(take, right, left))


def hang(many, each):
    """Have so many runs hang, some in each process that is made ready; return how they have ended."""
    ends = []
    while len(ends) < many:
        body = partial(hangs_with_all_it_has, child=not ends)
        with Workers(partial(answer, body)) as workers:
            for _ in range(min(each, many - len(ends))):
                try:
                    ends.append(workers.ask(Question(Options(), strategy=SAMPLING["random"](len(ends)))).how)
                except NotUnderControl:  # as a child process might do something about it
                    ends.append("outside")
    return ends


KINDS = [
    *(threading.Thread, threading.Condition, threading.Event, threading.Semaphore, threading.Barrier, type(time)),
    *(
        queue.Queue,
        queue.SimpleQueue,
        type(threading.Lock()),
        type(threading.RLock()),
        socket.socket,
        socket.SocketType,
    ),
    *(concurrent.futures.Future, concurrent.futures.ThreadPoolExecutor, concurrent.futures.thread._WorkItem),
]


def state():
    """Return all that somebody who asks for runs must keep: what differs afterwards was left, or taken."""
    gc.collect()
    functions = [threading.Lock, threading.RLock, time.sleep, time.monotonic, os.fork, os.urandom, threading.excepthook]
    methods = {(kind, name): getattr_static(kind, name) for kind in KINDS for name in dir(kind)}
    return {
        "threads": threading.enumerate(),
        "descriptors": sorted(os.listdir("/proc/self/fd"), key=int),
        "sockets": [name for name in map(_behind, os.listdir("/proc/self/fd")) if name.startswith("socket:")],
        "functions": functions,
        "kinds of functions": [type(each) for each in functions],
        "methods": methods,
        "collector": (gc.isenabled(), gc.get_freeze_count()),
        "children": _children(),
    }


def _behind(descriptor):
    try:
        return os.readlink(f"/proc/self/fd/{descriptor}")
    except OSError:  # the one that has listed them
        return ""


def _children():
    try:
        return os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None or "one that has ended"
    except ChildProcessError:
        return "none"


if __name__ == "__main__":
    kind, many, other, *names = sys.argv[1:]
    if kind == "same":
        print(json.dumps({name: runs_of(PROGRAMS[name], int(many), other) for name in names}))
    else:
        before = state()
        ends = hang(int(many), int(other))
        after = state()
        left = [what for what in before if before[what] != after[what]]
        print(json.dumps({"ends": Counter(ends), "not as before": left}))
