"""Programs over the streaming of a released NVIDIA FLARE (nvflare), which is imported as it is.

Two cells are in one process, as in its own tests, so that a message is a call. Nothing is changed but how many workers
its pools have, which is set before they have any, and at which number streams begin, which comes from the clock.
"""

import threading
import time
from contextlib import contextmanager
from functools import partial

from nvflare.fuel.f3.cellnet.cell import Cell
from nvflare.fuel.f3.cellnet.defs import MessageHeaderKey, ReturnCode
from nvflare.fuel.f3.cellnet.utils import make_reply, new_cell_message
from nvflare.fuel.f3.communicator import load_comm_drivers
from nvflare.fuel.f3.streaming import stream_utils
from nvflare.fuel.f3.streaming.stream_types import Stream

URL = "tcp://localhost:18765"
SECONDS = 10.0
"""After which a request is given up."""

load_comm_drivers()  # once, not in each run


def downloads(*, count=8, workers=4):
    """Several requests at once, each with a small reply, over a stream pool of so many workers."""
    with _cells(workers) as (server, client):
        server.register_request_cb(channel="data", topic="get", cb=partial(_reply, b"x" * 256))
        _together(count, "download", lambda: _ask(client, "server", "get"))


def nested_requests(*, count=4, callback_workers=2):
    """Several requests at once, whose handler makes a request of its own, over a callback pool of so many workers."""
    with _cells(8, callback_workers) as (server, client):

        def get(request):
            _ask(server, "client", "more")
            return _reply(b"x", request)

        server.register_request_cb(channel="data", topic="get", cb=get)
        client.register_request_cb(channel="data", topic="more", cb=partial(_reply, b"y"))
        _together(count, "request", lambda: _ask(client, "server", "get"))


def failing_source(*, workers=4):
    """A request beside a stream whose source raises."""
    with _cells(workers) as (server, client):
        server.register_request_cb(channel="data", topic="get", cb=partial(_reply, b"x"))
        server.register_stream_cb("data", "file", _read)
        client.send_stream("data", "file", "server", new_cell_message({}, FailingSource()))
        _ask(client, "server", "get")


def stream_ids(*, count=3):
    """Several threads ask for the number of a new stream."""
    got = []
    _together(count, "stream", lambda: got.append(stream_utils.gen_stream_id() - stream_utils.sid_base))
    assert len(set(got)) == count, f"duplicate stream ids: {sorted(got)}"


class FailingSource(Stream):
    """Has three chunks to give, and then raises."""

    def __init__(self):
        super().__init__(size=10**8, headers={})
        self.chunks = 0

    def read(self, chunk_size):
        self.chunks += 1
        if self.chunks > 3:
            raise OSError("the disk fails")
        return b"z" * chunk_size


@contextmanager
def _cells(workers, callback_workers=None):
    stream_utils.stream_thread_pool._max_workers = workers
    if callback_workers is not None:
        stream_utils.callback_thread_pool._max_workers = callback_workers
    stream_utils.sid_base = 0
    cells = [Cell(name, URL, secure=False, credentials={}) for name in ("server", "client")]
    for cell in cells:
        cell.core_cell.start()
    time.sleep(1)  # a cell that is stopped before it listens does so for ever
    try:
        yield cells
    finally:
        for cell in cells:
            cell.core_cell.stop()


def _ask(cell, target, topic):
    request = new_cell_message({}, b"?")
    reply = cell.send_request(channel="data", topic=topic, target=target, request=request, timeout=SECONDS)
    code = reply.get_header(MessageHeaderKey.RETURN_CODE)
    assert code == ReturnCode.OK, f"the request ended with {code}"


def _reply(payload, request):
    return make_reply(ReturnCode.OK, "", payload)


def _read(future, stream, resume, *args, **kwargs):
    while stream.read(1000):
        pass
    return 0


def _together(count, name, function):
    threads = [threading.Thread(target=function, name=f"{name}[{n}]") for n in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
