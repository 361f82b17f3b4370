"""What processes share: one file per object, each a set of pure functions over an immutable value."""

from simcore.objects.condition import Condition
from simcore.objects.event import Event
from simcore.objects.future import Future, FutureValue
from simcore.objects.link import Link, LinkValue
from simcore.objects.local import LOCAL, choose, sleep
from simcore.objects.lock import Lock, LockValue, RLock
from simcore.objects.pool import LEAVE, PoolValue, Task, ThreadPool
from simcore.objects.queue import Queue
from simcore.objects.semaphore import Semaphore
from simcore.objects.timer import Timer
from simcore.objects.variable import Variable

__all__ = [
    "LEAVE",
    "LOCAL",
    "Condition",
    "Event",
    "Future",
    "FutureValue",
    "Link",
    "LinkValue",
    "Lock",
    "LockValue",
    "PoolValue",
    "Queue",
    "RLock",
    "Semaphore",
    "Task",
    "ThreadPool",
    "Timer",
    "Variable",
    "choose",
    "sleep",
]
