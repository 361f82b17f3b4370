"""What must hold, for any model: functions that return a property to hand to a driver."""

from properties.bounded import ended_by, idle_by
from properties.capacity import backlog_within, within_capacity
from properties.completion import completes
from properties.deadlock import deadlock_free, no_stuck_subset
from properties.delivery import in_order, nothing_lost_or_duplicated
from properties.futures import resolved_once
from properties.locks import lock_order_acyclic, no_self_deadlock

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
