"""Servers that wait for each other for ever are found; one that has nothing to do is not."""

import sys

import pytest
import servers
import small

from simcore import Model, Verdict, always, explore
from simcore.command.stepping import stepped
from simcore.explore.servers import Servers

KNOTS = {
    "calls": (servers.calls, {}),
    "calls, wider": (servers.calls, {"window": 2, "callers": 2}),
    "calls, one table": (servers.calls, {"one_table": True}),
    "calls, interchangeable": (servers.calls, {"alike": True}),
    "after you": (servers.expecting, {}),
    "one door": (servers.parked, {"doors": 1}),
    "opposed locks": (servers.locking, {}),
    "opposed locks of their own": (servers.locking, {"clients": False}),
    "opposed permits": (servers.locking, {"kind": "semaphore"}),
    "both hand over": (servers.handing_over, {}),
    "both wait for a welcome": (servers.handshake, {}),
    "nobody reads the acknowledgements": (servers.acknowledged, {}),
    "a lock taken twice": (servers.twice, {}),
    "conditions": (servers.conditions, {"notified": False}),
}
IDLE = {
    "services that call nobody": (servers.calls, {"nested": False}),
    "services without clients": (servers.calls, {"callers": 0}),
    "interchangeable services that call nobody": (servers.calls, {"nested": False, "alike": True}),
    "nobody was asked": (servers.expecting, {"clients": False}),
    "doors that nobody else has": (servers.parked, {}),
    "locks in one order": (servers.locking, {"opposed": False}),
    "permits in one order": (servers.locking, {"opposed": False, "kind": "semaphore"}),
    "windows are wide": (servers.handing_over, {"window": 2}),
    "a ring without a token": (servers.ring, {}),
    "a ring with a token": (servers.ring, {"tokens": 1}),
    "a ring that comes to rest": (servers.ring, {"tokens": 2, "rounds": 4}),
    "a pipeline": (servers.pipeline, {}),
    "a pipeline without bounds": (servers.pipeline, {"capacity": None}),
    "acknowledgements are read": (servers.acknowledged, {"acknowledge_first": True}),
    "servers of a pool": (servers.pool, {}),
    "servers that a pool calls back": (servers.pool, {"callbacks": True}),
    "a re-entrant lock": (servers.twice, {"kind": "rlock"}),
    "a lock that a client has left": (servers.left_locked, {}),
    "locks that a third one releases": (servers.passed_on, {}),
    "a condition that clients notify": (servers.conditions, {}),
}
WAYS = {
    "reduced": {},
    "by symmetry": {"partial_order": False},
    "whole": {"symmetry": False, "partial_order": False},
    "depth": {"strategy": "depth"},
}


def built(case, beating):
    function, parameters = case
    model = function(**parameters)
    return small.heartbeat(model) if beating else model


@pytest.mark.parametrize("how", WAYS.values(), ids=WAYS)
@pytest.mark.parametrize("case", KNOTS.values(), ids=KNOTS)
def test_servers_that_wait_for_each_other_for_ever_are_found(case, how):
    for beating in (False, True):
        result = explore(built(case, beating), **how)
        assert (result.verdict, result.property) == (Verdict.VIOLATED, "deadlock free")
        assert "for ever" in result.counterexample.lost
        assert result.counterexample.wait_for.knot


@pytest.mark.parametrize("how", WAYS.values(), ids=WAYS)
@pytest.mark.parametrize("case", IDLE.values(), ids=IDLE)
def test_servers_that_have_nothing_to_do_hold(case, how):
    for beating in (False, True):
        assert explore(built(case, beating), **how).verdict is Verdict.HOLDS


def test_the_report_says_who_waits_for_whom():
    text = " ".join(str(explore(servers.calls())).split())
    assert text.startswith("violated: servers A and B wait for each other for ever two services")
    ends = "only B ever sends over it, and waits itself"
    assert f"stuck: A waits to receive from reply to A, empty: {ends} B waits to receive from reply to B, empty" in text
    assert text.count("for ever") == 1
    assert "point of no return" not in text
    text = " ".join(str(explore(servers.twice())).split())
    assert text.startswith("violated: server server waits for itself for ever twice")
    assert "stuck: server waits for lock, held by itself schedule" in text
    text = " ".join(str(explore(servers.parked(doors=1))).split())  # their code alone says who might, and none does
    assert text.startswith("violated: servers a and b wait for ever for what only they might give, and in no run do")
    assert "a, b wait for an item of notes 0, empty: nobody else puts into it" in text
    text = " ".join(str(explore(servers.handing_over())).split())
    assert "full (1/1): nobody ever receives from it; b might, but waits itself" in text


def test_a_family_of_servers_is_told_once_and_behind_those_that_it_waits_for():
    """All share one table of links, so that the code alone says that anybody might answer anybody."""
    model = Model("families")
    inbox = {name: model.link(f"to {name}", 1) for name in "AB"}
    back = {}

    def serve(me, other):
        while True:
            who = yield inbox[me].recv()
            yield inbox[other].send(None)
            if who is not None:
                yield back[who].send("done")

    def client(service, me):
        while True:
            yield inbox[service].send(me)
            yield back[me].recv()

    for service in "AB":
        for name in model.indices(f"client {service}", 3):
            back[name] = model.link(f"answers to {name}", 1)
            model.process(name, client, service, name, daemon=True)
    for me, other in ("AB", "BA"):
        model.process(f"service {me}", serve, me, other, daemon=True)
    found = explore(model).counterexample
    assert found.answer.startswith("servers service A and service B wait for each other for ever, and client A[0")
    lines = found.wait_for.explain()
    assert {edge.process.name for edge in found.wait_for.knot} == {"service A", "service B"}
    assert len(lines) <= 6
    assert not any("client" in line.partition(" ever ")[0].rpartition("only ")[2] for line in lines if "only " in line)


def test_the_schedule_is_the_shortest_into_the_knot():
    found = explore(servers.calls()).counterexample
    assert (found.shortest.partition(",")[0], len(found.schedule)) == ("shortest", 6)


@pytest.mark.parametrize("beating", [False, True])
@pytest.mark.parametrize("how", [WAYS["reduced"], WAYS["whole"]])
def test_a_knot_of_servers_in_a_large_space_is_found_by_the_compiled_loops_too(how, beating):
    found = explore(built((servers.calls, {"window": 3, "callers": 3}), beating), **how)
    assert (found.verdict, len(found.counterexample.schedule)) == (Verdict.VIOLATED, 6)


def test_what_a_budget_does_not_prove_is_not_reported_and_does_not_hold(monkeypatch):
    monkeypatch.setattr(sys.modules[Servers.__module__], "CONFIRM_STATES", 1)
    result = explore(small.heartbeat(servers.locking()))
    assert result.verdict is Verdict.UNDETERMINED
    assert "whether they wait for each other for ever is not known" in str(result)


def test_a_model_whose_servers_only_serve_is_not_looked_at(monkeypatch):
    monkeypatch.setattr(Servers, "knot", None)
    assert explore(servers.calls(nested=False)).verdict is Verdict.HOLDS


def test_where_servers_must_finish_they_are_stuck_like_everybody():
    model = Model("no daemons")
    asked = {name: model.queue(f"asked {name}") for name in "ab"}

    def run(me, other):
        yield asked[me].get()
        yield asked[other].put(1)

    model.process("a", run, "a", "b")
    model.process("b", run, "b", "a")
    assert explore(model).counterexample.lost == ""


@pytest.mark.parametrize("as_object", [False, True])
def test_a_replay_agrees_with_the_report(as_object):
    model = servers.calls()
    schedule = explore(model).counterexample.schedule
    standing, told, *_ = stepped(model, schedule, as_object)
    assert (standing, "servers A and B wait for each other for ever" in told) == ("stuck", True)
    one = servers.calls(nested=False)
    at_rest = explore(one, always(lambda state: any(p.status == "enabled" for p in state.processes), "at work"))
    standing, told, *_ = stepped(one, at_rest.counterexample.schedule, as_object)
    assert (standing, "for ever" in told) == ("completed", False)


@pytest.mark.parametrize("as_object", [False, True])
def test_a_replay_in_a_space_too_large_to_know_says_so(monkeypatch, as_object):
    model = servers.calls()
    schedule = explore(model).counterexample.schedule
    monkeypatch.setattr(sys.modules[Servers.__module__], "CONFIRM_STATES", 3)
    standing, told, *_ = stepped(model, schedule, as_object)
    told = " ".join(told.split())
    not_known = "whether servers wait for each other for ever is not known (there are more than 3 states to look at)"
    assert (standing, not_known in told) == ("completed", True)
