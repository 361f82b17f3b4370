"""What must hold, for any model: functions that return a property to hand to a driver."""

from properties.capacity import backlog_within, within_capacity
from properties.completion import completes
from properties.deadlock import deadlock_free, no_stuck_subset
from properties.delivery import in_order, nothing_lost_or_duplicated

__all__ = [
    "backlog_within",
    "completes",
    "deadlock_free",
    "in_order",
    "no_stuck_subset",
    "nothing_lost_or_duplicated",
    "within_capacity",
]
