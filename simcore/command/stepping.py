"""A schedule that is replayed step by step, and how its last state stands."""

from __future__ import annotations

import json
from functools import partial
from typing import NamedTuple

from simcore.explain import WaitForGraph, fit, graph_after
from simcore.explore import stands_still, waiting_servers
from simcore.kernel import Kernel
from simcore.model import Model, State
from simcore.report import model_json, step_json
from simcore.schedule import Schedule


class Stepped(NamedTuple):
    """A schedule replayed on the kernel: how its last state stands, what there is to print, the same in a few words."""

    standing: str
    printed: str
    answer: str
    graph: WaitForGraph
    kernel: Kernel


def stepped(model: Model, schedule: Schedule, as_object: bool) -> Stepped:
    """Replay on the kernel."""
    kernel = Kernel(model)
    last = schedule.states(kernel)[-1]
    state: State = kernel.view(last)
    read = partial(graph_after, kernel, schedule.path(kernel), stands_still=partial(stands_still, kernel))
    graph = read()
    standing, headline, blame = _standing(state, graph), graph.headline, graph.explain()
    servers = waiting_servers(kernel, last) if standing in ("completed", "goes on") else None
    if servers is not None and servers.ends:
        graph = read(servers=servers.ends)
        standing, headline, blame = "stuck", servers.told, [servers.told, *graph.explain()]
    elif servers is not None:
        blame = [*blame, servers.told]
    failures = "; ".join(p.failure for p in state.processes if p.status == "failed")
    told = {"failed": failures, "stuck": headline, "completed": "every process that must end has ended"}
    unsure = f"; {servers.told}" if servers is not None and not servers.ends else ""
    answer = told.get(standing, "it is not known that anybody can never move again") + unsure
    if as_object:
        steps = [step_json(step) for step in schedule.steps]
        whole = {**model_json(model), "status": standing, "schedule": steps, "blame": blame}
        return Stepped(standing, json.dumps({**whole, "token": schedule.token}, indent=2), answer, graph, kernel)
    lines = [f"{standing}: {answer}"]
    lines += graph.told() if standing != "completed" else []
    lines += ["schedule:", str(schedule)] if schedule.steps else []
    return Stepped(standing, fit(lines), answer, graph, kernel)


def _standing(state: State, graph: WaitForGraph) -> str:
    """Return how a run stands: "failed", "stuck" (some of it, at least), "completed" or "goes on"."""
    if any(process.status == "failed" for process in state.processes):
        return "failed"
    if graph.headline:  # an idle server loop is not stuck
        return "stuck"
    return "goes on" if any(process.owes for process in state.processes) else "completed"
