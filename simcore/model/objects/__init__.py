"""What processes share: one file per object, each a set of pure functions over an immutable value."""

from simcore.model.objects.condition import Condition
from simcore.model.objects.event import Event
from simcore.model.objects.future import Future, FutureValue
from simcore.model.objects.link import Link, LinkValue
from simcore.model.objects.local import LOCAL, choose, sleep
from simcore.model.objects.lock import Lock, LockValue, RLock
from simcore.model.objects.pool import LEAVE, PoolValue, Task, ThreadPool
from simcore.model.objects.queue import Queue
from simcore.model.objects.semaphore import Semaphore
from simcore.model.objects.timer import Timer
from simcore.model.objects.variable import Variable

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
