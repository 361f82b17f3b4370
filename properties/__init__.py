"""What must hold, for any model: functions that return a property to hand to a driver."""

from simcore.properties.bounded import ended_by, idle_by
from simcore.properties.capacity import backlog_within, within_capacity
from simcore.properties.completion import completes
from simcore.properties.deadlock import deadlock_free, no_stuck_subset
from simcore.properties.delivery import in_order, nothing_lost_or_duplicated
from simcore.properties.futures import resolved_once
from simcore.properties.locks import lock_order_acyclic, no_self_deadlock

__all__ = [
    "backlog_within",
    "completes",
    "deadlock_free",
    "ended_by",
    "idle_by",
    "in_order",
    "lock_order_acyclic",
    "no_self_deadlock",
    "no_stuck_subset",
    "nothing_lost_or_duplicated",
    "resolved_once",
    "within_capacity",
]
