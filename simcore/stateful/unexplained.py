"""A failure with a schedule is not explained once more, by lines of simcore, unless somebody has asked for that.

Hypothesis' last phase, explain, traces each line that failing runs execute, and makes hundreds more of them with other
arguments: most of the time that a failure took. Here the lines are simcore's, and the report says what they would have.
The settings of a machine's own `TestCase` leave the phase out. Settings of a user have it unless they name the phases,
and whoever asks for more examples does not mean that; so where they do not, a run takes itself out of it: it stops the
tracer, and forgets which arguments could be varied.

No public name leads to either. Where Hypothesis keeps them elsewhere, nothing happens, and the phase takes its time.
"""

from __future__ import annotations

import sys
from typing import Any

from hypothesis import Phase, currently_in_test_context, settings
from hypothesis.control import current_build_context


def without_explain(usual: settings) -> settings:
    """Return the settings without the phase."""
    return settings(usual, phases=[phase for phase in usual.phases if phase != Phase.explain])


def stop_tracing() -> None:
    """Have the lines of this run not traced, if Hypothesis does that and nobody has asked for it."""
    if not _unasked():
        return
    monitoring: Any = getattr(sys, "monitoring", None)
    if monitoring is None:
        trace = sys.gettrace()
        if _is_hypothesis(trace):
            sys.settrace(None)
            _forget(trace)
        return
    for tool in range(6):
        if monitoring.get_tool(tool) == "scrutineer":
            monitoring.set_events(tool, 0)
            _forget(monitoring.register_callback(tool, monitoring.events.LINE, None))


def vary_nothing() -> None:
    """Leave no argument of this run, which ends, to be varied, if nobody has asked for it."""
    if _unasked():
        getattr(current_build_context().data, "arg_spans", set()).clear()


def _unasked() -> bool:
    """Tell whether a test goes on whose settings say nothing of phases: they hold the very object of the profile."""
    now = settings.default if currently_in_test_context() else None
    return now is not None and now.phases is settings.get_profile("default").phases


def _is_hypothesis(trace: object) -> bool:
    """Tell whether ``trace`` is the method of a tracer of Hypothesis, and not of a debugger."""
    return type(getattr(trace, "__self__", None)).__module__.startswith("hypothesis.")


def _forget(trace: object) -> None:
    """Have the tracer whose method ``trace`` is know of no line: from some without the first it makes nothing."""
    getattr(getattr(trace, "__self__", None), "_branches", set()).clear()
