"""A schedule into a hang is called shortest only where nobody was lost before, and then it is."""

import sys
from unittest.mock import patch

import pytest
import small
import toys
from generated import systems
from hypothesis import given, note, settings

from simcore import Model, Verdict, always, explore
from simcore.explain import wait_for_graph
from simcore.explore.nearest import is_clear, shows
from simcore.explore.standstill import new_knots
from simcore.kernel import Kernel
from simcore.models import head_of_line_stall


def missed_pulse(*, more: int = 3) -> Model:
    """A waiter comes too late for a pulse, and whoever gave it goes on with something else."""
    model = Model("missed pulse")
    pulsed, other = model.event("pulsed"), model.event("other")

    def pulse():
        yield pulsed.set()
        yield pulsed.clear()
        for _ in range(more):
            yield other.set()

    def waiter():
        yield pulsed.wait()

    model.process("pulse", pulse)
    model.process("waiter", waiter)
    return model


MOST = 1_000


def space(kernel):
    """Return all states with their distance and what follows each, without any reduction; what is too large is cut."""
    distance, after, queue = {kernel.initial: 0}, {}, [kernel.initial]
    for state in queue:
        if len(queue) > MOST:
            break
        after[state] = [choice.state for choice in kernel.successors(state)]
        for following in after[state]:
            if following not in distance:
                distance[following] = distance[state] + 1
                queue.append(following)
    return distance, after


def still(kernel, after):
    """Return, for each process, the states in which it can never move again, by going backwards."""
    before = {state: [] for state in after}
    for state, following in after.items():
        for one in following:
            before[one].append(state)
    found = []
    for process in range(len(kernel.processes)):
        queue = [s for s in after if kernel.moves(s, process) or kernel.may_expire(s, process)]
        alive = set(queue)
        while queue:
            new = [state for state in before[queue.pop()] if state not in alive]
            alive.update(new)
            queue += new
        found.append(set(after) - alive)
    return found


def dead_in(kernel, state):
    return {edge.process.process.index for edge in wait_for_graph(kernel.view(state)).dead}


def refuted(kernel, of, state):
    """Tell whether somebody seems dead by the wait-for graph and is not."""
    return any(state not in of[process] for process in dead_in(kernel, state))


def true_of(model, result):
    """Check what a report says of the length of its schedule against the whole space."""
    how, length = result.counterexample.shortest, len(result.counterexample.schedule)
    kernel = Kernel(model, result.timeouts)
    distance, after = space(kernel)
    if len(distance) > MOST:
        return None
    of = still(kernel, after)
    lost = [
        s for s in after if any(s in of[p.index] and kernel.process_state(s, p.index).owes for p in kernel.processes)
    ]
    nearest = min((distance[state] for state in lost), default=None)
    if how.startswith("shortest to where it shows"):
        stuck = [s for s in after if distance[s] <= length and new_knots(kernel).stuck(s, kernel.successors(s))]
        assert max(distance[state] for state in stuck) == length
        nearer = [dead_in(kernel, state) for state in stuck if distance[state] < length]
        wrong = [state for state in after if nearer and refuted(kernel, of, state)]
        assert all(any(dead <= dead_in(kernel, state) for state in wrong) for dead in nearer), "the graph does say why"
    elif how.startswith("shortest to where everything else"):
        assert min(distance[state] for state in after if not after[state]) >= length
    elif how.partition(",")[0] == "shortest":
        assert nearest == length, how
    return nearest


def test_a_hang_that_began_before_it_shows_is_not_called_shortest():
    for more in (1, 3, 5):
        result = explore(missed_pulse(more=more))
        assert result.counterexample.shortest.startswith("shortest to where it shows, with")
        assert true_of(missed_pulse(more=more), result) == 2
        assert result.counterexample.no_return.step == 2


def test_a_hang_that_shows_where_it_begins_is_called_shortest():
    for model in (missed_pulse(more=0), small.crossed(), small.locked_tasks()):
        result = explore(model)
        assert result.counterexample.shortest.startswith("shortest, with")
        true_of(model, result)


def test_a_hang_is_reported_where_the_graph_says_why_and_not_where_only_a_search_finds_it_out():
    """Who waits for a stream behind a stalled one is lost once that is queued, and nothing in that state says so."""
    found = explore(head_of_line_stall.buggy(), timeouts="in_order").counterexample
    assert found.shortest.startswith("shortest to where it shows, with")
    assert [edge.process.name for edge in found.wait_for.knot] == ["stream[0]"]
    kernel = Kernel(head_of_line_stall.buggy(), "in_order")
    queued = found.schedule.states(kernel)[1]
    knots = new_knots(kernel)
    assert not knots.stuck(kernel.initial, kernel.successors(kernel.initial)), "the graph thinks so, and is wrong"
    assert knots.stuck(queued, kernel.successors(queued))
    assert not shows(kernel, knots, queued)


def test_whoever_can_move_when_time_runs_out_is_not_waiting_for_ever():
    kernel = Kernel(small.crossed())
    assert is_clear(kernel, kernel.initial)


def agrees(model, **options):
    result = explore(model, max_states=400, **options)
    note(str(result))
    if result.verdict is Verdict.VIOLATED and result.property == "deadlock free":
        true_of(model, result)


@given(systems(longest=4))
@settings(max_examples=3)
def test_what_is_said_of_the_length_of_a_schedule_is_true_of_the_whole_space(model):
    agrees(model)
    agrees(model, symmetry=False, partial_order=False)


@pytest.mark.slow
@given(systems(longest=4, every_kind=True))
@settings(max_examples=8)
def test_what_is_said_of_the_length_is_true_with_time_outs_and_pools(model):
    for rule in ("never", "when_stuck", "anytime"):
        agrees(model, timeouts=rule)


@pytest.mark.parametrize(
    ("model", "properties", "told"),
    [
        (lambda: toys.pool_system(requesters=3, workers=2, chunks=1), [], "shortest to where it was looked for"),
        (lambda: small.deep(length=9, width=3), [always(lambda state: state["fault"] < 9, "no fault")], "shortest"),
    ],
    ids=["a hang", "a state"],
)
def test_hash_compaction_says_no_more_of_the_length_than_is_known(model, properties, told):
    whole = {"symmetry": False, "partial_order": False}
    with patch.object(sys.modules[explore.__module__], "FAST_AFTER", 0):
        result = explore(model(), *properties, compact=True, **whole)
    assert result.counterexample.shortest == f"{told}, unless a state on a shorter way was omitted"
