"""A link is one way, ordered, and holds at most ``capacity`` in flight: a slow receiver blocks the sender.

What the ends see is what `multiprocessing.connection.Connection` shows: after the sending end closed, the
receiver drains what is in flight and then gets EOFError; after the receiving end closed, what is in flight
is lost and the sender gets BrokenPipeError; after a reset, a fault that a model injects, what is in flight
is lost and both get ConnectionResetError.
"""

from __future__ import annotations

from typing import Any, ClassVar, Literal, NamedTuple, cast

from simcore.errors import ModelError
from simcore.model.operations import BLOCKED, Ends, Operation, Outcome, Outcomes, Raised, SharedObject, Value, pairs

CLOSED = Raised(OSError, ("handle is closed",))
BROKEN = Raised(BrokenPipeError, ("the receiving end is closed",))
RESET = Raised(ConnectionResetError, ("connection reset by peer",))


class LinkValue(NamedTuple):
    """Frames in flight, oldest first; "open", or which end closed ("send", "recv", "both"), or "reset"."""

    frames: tuple[Any, ...] = ()
    status: str = "open"


class Link(SharedObject):
    """A one-way connection between two processes.

    Frames arrive in the order in which they were sent. In virtual time a frame has the link to itself for its size
    over the bandwidth, and arrives when the latency has passed after that, but never before the frame in front of
    it, however short its own delay: then both arrive together. An exploration counts no seconds of it, under no
    rule: a frame that takes time takes any time, so whoever waits with a limit may give up before it arrives, or
    may not. What is violated there may need another latency than this one.

    Parameters
    ----------
    name : str
        Its name.
    capacity : int
        What may be in flight before the sender blocks, at least 1.
    unit : {"frames", "bytes"}
        What ``capacity`` counts. In bytes a frame counts ``len(frame)``, and must fit an empty link.
    latency : float
        Seconds from a send to its arrival, in virtual time.
    bandwidth : float, optional
        Units per second, in virtual time; None is without limit.
    """

    kind = "link"
    enabled_by: ClassVar = {
        "send": frozenset({"recv", "close", "reset"}),
        "recv": frozenset({"send", "close", "reset"}),
    }
    commutes: ClassVar = pairs(("send", "recv"))
    arriving: ClassVar = frozenset({"recv"})
    phrases: ClassVar = {
        "send": "sends {0} over {at}",
        "recv": "receives from {at}",
        "close": "closes the {0} end of {at}",
        "reset": "resets {at}",
    }
    carries: ClassVar = frozenset({"recv"})
    waits: ClassVar = {
        "send": Ends("to send over {at}", "receive from it", "receives from it", "received from it"),
        "recv": Ends("to receive from {at}", "send over it", "sends over it", "sent over it"),
    }

    def __init__(
        self,
        name: str,
        capacity: int = 64,
        *,
        unit: Literal["frames", "bytes"] = "frames",
        latency: float = 0.0,
        bandwidth: float | None = None,
    ) -> None:
        super().__init__(name)
        if not isinstance(capacity, int) or capacity < 1:
            raise ModelError(f"link {name!r}: a capacity is at least 1, not {capacity!r}")
        if unit not in ("frames", "bytes"):
            raise ModelError(f"link {name!r}: capacity counts 'frames' or 'bytes', not {unit!r}")
        if latency < 0 or (bandwidth is not None and bandwidth <= 0):
            raise ModelError(f"link {name!r}: latency is at least 0 seconds and bandwidth is more than 0 per second")
        self.capacity, self.unit, self.latency, self.bandwidth = capacity, unit, latency, bandwidth

    @property
    def initial(self) -> LinkValue:
        """Open and empty."""
        return LinkValue()

    def size(self, frame: Any) -> int:
        """What ``frame`` takes of the capacity, in its unit."""
        return len(frame) if self.unit == "bytes" else 1

    def send(self, frame: Any, timeout: float | None = None) -> Operation:
        """Put a frame in flight, waiting for room. Raises TimeoutError when it gives up."""
        if self.unit == "bytes" and not isinstance(frame, bytes | str):
            raise ModelError(
                f"{self.name}.send: a link that counts bytes carries bytes or str, not {type(frame).__name__}"
            )
        if self.size(frame) > self.capacity:
            raise ValueError(
                f"a frame of {self.size(frame)} does not fit {self.name}, which holds {self.capacity} {self.unit}"
            )
        return Operation(self, "send", (frame,), timeout)

    def do_send(self, value: LinkValue, process: Any, frame: Any) -> Outcomes:
        if value.status != "open":
            return (Outcome(value, {"send": CLOSED, "recv": BROKEN, "both": CLOSED, "reset": RESET}[value.status]),)
        if sum(map(self.size, value.frames)) + self.size(frame) > self.capacity:
            return BLOCKED
        return (Outcome(value._replace(frames=(*value.frames, frame))),)

    def expire_send(self, value: LinkValue, process: Any, frame: Any) -> Outcomes:
        return (Outcome(value, Raised(TimeoutError, ("timed out",))),)

    def recv(self, timeout: float | None = None) -> Operation:
        """Take the oldest frame, waiting for one. Raises TimeoutError when it gives up."""
        return Operation(self, "recv", (), timeout)

    def do_recv(self, value: LinkValue, process: Any) -> Outcomes:
        if value.frames:
            return (Outcome(value._replace(frames=value.frames[1:]), value.frames[0]),)
        ended = {"send": Raised(EOFError), "recv": CLOSED, "both": CLOSED, "reset": RESET}
        return (Outcome(value, ended[value.status]),) if value.status != "open" else BLOCKED

    def expire_recv(self, value: LinkValue, process: Any) -> Outcomes:
        return (Outcome(value, Raised(TimeoutError, ("timed out",))),)

    def close(self, end: Literal["send", "recv"] = "send") -> Operation:
        """Close one end. Closing again changes nothing."""
        if end not in ("send", "recv"):
            raise ModelError(f"{self.name}.close({end!r}): the ends are 'send' and 'recv'")
        return Operation(self, "close", (end,))

    def do_close(self, value: LinkValue, process: Any, end: str) -> Outcomes:
        if value.status not in ("open", "send", "recv") or value.status == end:
            return (Outcome(value),)
        kept = value.frames if end == "send" else ()
        return (Outcome(LinkValue(kept, end if value.status == "open" else "both")),)

    def reset(self) -> Operation:
        """The fault: whatever is in flight is lost, and both ends learn it at their next operation."""
        return Operation(self, "reset")

    def do_reset(self, value: LinkValue, process: Any) -> Outcomes:
        return (Outcome(LinkValue((), "reset")),)

    def looks_inside(self, operation: Operation) -> bool:
        """In bytes the length of a frame counts."""
        return self.unit == "bytes"

    @property
    def slow(self) -> bool:
        """Whether it has a latency or a bandwidth."""
        return self.latency > 0 or self.bandwidth is not None

    def under_way(self, value: Value) -> int:
        """Frames, and after them the news that the sending end closed; whatever loses the frames clears both."""
        return len(value.frames) + int(value.status == "send")  # type: ignore[attr-defined]

    def transit(self, operation: Operation) -> float:
        """The time that the frame occupies the link, and then the latency."""
        return self.occupies(operation) + self.latency

    def occupies(self, operation: Operation) -> float:
        """Size over bandwidth for a frame."""
        if operation.name != "send" or self.bandwidth is None:
            return 0.0
        return self.size(operation.args[0]) / self.bandwidth

    def occupancy(self, value: Value) -> tuple[int, int | None]:
        """What is in flight, of the capacity."""
        return sum(map(self.size, cast(LinkValue, value).frames)), self.capacity

    def standing(self, value: Value, operation: Operation) -> str:
        """How much of the capacity is in flight."""
        used, of = self.occupancy(value)
        counted = f"({used}/{of}{' bytes' if self.unit == 'bytes' else ''})"
        return "empty" if operation.name == "recv" else f"full {counted}" if used == of else f"too full {counted}"

    def show(self, value: Value) -> str:
        frames, status = cast(LinkValue, value)
        flight = f"{len(frames)} in flight" if frames else "empty"
        ends = {"send": "send end closed", "recv": "recv end closed", "both": "both ends closed", "reset": "reset"}
        return flight if status == "open" else f"{flight}, {ends[status]}"
