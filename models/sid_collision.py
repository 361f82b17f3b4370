"""Two streams with the same id are put together as one, and the bytes of one sender reach the reader of the other.

NVFlare 2.7.1, nvflare/fuel/f3/streaming/byte_receiver.py, RxTask.find_or_create_task(): the map of receive tasks is
keyed by the stream id alone, which each sending process counts for itself. Fixed in 2.7.2 by #4033: the key is the
origin and the id. What the fix leaves, in every release seen so far: within one process the id is read after the
lock of its counter was released (stream_utils.py, gen_stream_id()), so that two threads may get the same one.

Look for a chunk that is added to a receive task of another sender, and a blob of mixed origin.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from simcore import Claim, Model, Property, Verdict, always, choose

REPORT = "https://github.com/NVIDIA/NVFlare/pull/4033"


class Frame(NamedTuple):
    """Chunk ``number`` of what ``sender`` sends as stream ``sid`` of process ``origin``."""

    origin: str
    sid: int
    number: int
    sender: Any

    def __str__(self) -> str:
        return f"chunk {self.number} of {self.sender} (stream {self.sid} of {self.origin})"


def by_id(frame):
    """Find the receive task by the stream id alone, as before."""
    return frame.sid


def by_origin_and_id(frame):
    """Find the receive task by its origin and the id, as after #4033."""
    return frame.origin, frame.sid


def buggy(*, chunks: int = 2, one_process: bool = False) -> Model:
    """Build two senders and a receiver before #4033.

    Parameters
    ----------
    chunks : int
        Chunks of each stream.
    one_process : bool
        Whether the senders are threads of one process, with one counter of ids, instead of two processes.
    """
    model = Model("stream id collision, before #4033")
    _system(model, by_id, chunks, one_process)
    return model


def fixed(*, chunks: int = 2, one_process: bool = False, fix: bool = True) -> Model:
    """Build two senders and a receiver after #4033.

    The parameters of `buggy`, and these.

    Parameters
    ----------
    fix : bool
        False takes the fix out again.
    """
    model = Model("stream id collision, after #4033" if fix else "stream id collision, #4033 taken out again")
    _system(model, by_origin_and_id if fix else by_id, chunks, one_process)
    return model


def _system(model, key, chunks, one_process):
    tasks, blobs = model.variable("receive tasks", ()), model.variable("blobs", ())
    count, counting = model.variable("stream count", 0), model.lock("count lock")
    for name in ("left", "right"):
        origin = "site" if one_process else f"{name} site"
        link = model.link(f"{name} to receiver")
        draw = (drawn_from_a_counter, count, counting) if one_process else (drawn_by_chance,)
        model.process(name, sender, origin, name, link, chunks, *draw)
        model.process(f"{name} reader", receiver, link, tasks, blobs, key, chunks, daemon=True)


def drawn_by_chance():
    """Draw an id as a process does that counts from a random start: it may be the one of another process."""
    return (yield choose(1, 2))


def drawn_from_a_counter(count, counting):
    """Draw an id as gen_stream_id() does: it counts under the lock, and reads when the lock is free again."""
    yield counting.acquire()
    yield count.update(_next)
    yield counting.release()
    return (yield count.get())


def _next(count):
    return count + 1


def sender(origin, name, link, chunks, draw, *counter):
    """Send one stream."""
    sid = yield from draw(*counter)
    for number in range(chunks):
        yield link.send(Frame(origin, sid, number, name))


def receiver(link, tasks, blobs, key, chunks):
    """Add each chunk to its receive task; hand over what is whole."""
    while True:
        frame = yield link.recv()
        after = yield tasks.update(_added, key(frame), frame)
        whole = dict(after)[key(frame)]
        if len(whole) == chunks:
            yield blobs.update(_appended, whole)


def _added(tasks, key, frame):
    """Add a chunk in its place; one whose number is there already is ignored as a duplicate."""
    known = dict(tasks)
    have = known.get(key, ())
    if frame.number == len(have):
        known[key] = (*have, frame.sender)
    return tuple(sorted(known.items()))


def _appended(blobs, blob):
    return (*blobs, blob)


def unmixed() -> Property:
    """Require that a blob that was handed over holds the chunks of one sender, each blob once."""
    return always(
        lambda state: (
            all(len(set(blob)) == 1 for blob in state["blobs"]) and len(set(state["blobs"])) == len(state["blobs"])
        ),
        "bytes delivered are the bytes sent",
    )


CLAIMS = (
    Claim("S7", "2.7.1", buggy, unmixed(), Verdict.VIOLATED),
    Claim("S7", "2.7.2", fixed, unmixed(), Verdict.HOLDS),
    Claim(
        "S7",
        "2.7.2",
        fixed,
        unmixed(),
        Verdict.VIOLATED,
        {"one_process": True},
        note="two threads of one process may draw the same id: section 6 of the ground truth",
    ),
)
