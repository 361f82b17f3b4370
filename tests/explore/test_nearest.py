"""A schedule into a hang is called shortest only where nobody was lost before, and then it is."""

import small
from generated import systems
from hypothesis import given, note, settings

from simcore import Model, Verdict, explore
from simcore.explain import Knots
from simcore.explore.nearest import is_clear
from simcore.kernel import Kernel


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


def lost_in(kernel, after):
    """Return the states in which somebody who must finish can never move again, by going backwards."""
    before = {state: [] for state in after}
    for state, following in after.items():
        for one in following:
            before[one].append(state)
    lost = set()
    for process in kernel.processes:
        moving = [s for s in after if kernel.moves(s, process.index) or kernel.may_expire(s, process.index)]
        alive, queue = set(moving), moving
        while queue:
            for state in before[queue.pop()]:
                if state not in alive:
                    alive.add(state)
                    queue.append(state)
        lost |= {s for s in after if s not in alive and kernel.process_state(s, process.index).owes}
    return lost


def true_of(model, result):
    """Check what a report says of the length of its schedule against the whole space."""
    how, length = result.counterexample.shortest, len(result.counterexample.schedule)
    kernel = Kernel(model, result.timeouts)
    distance, after = space(kernel)
    if len(distance) > MOST:
        return None
    nearest = min((distance[state] for state in lost_in(kernel, after)), default=None)
    if how.startswith("shortest to where it shows"):
        shows = [s for s in after if distance[s] <= length and Knots(kernel).stuck(s, kernel.successors(s))]
        assert min(distance[state] for state in shows) == length
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


def test_whoever_can_move_when_time_runs_out_is_not_waiting_for_ever():
    kernel = Kernel(small.crossed())
    assert is_clear(kernel, kernel.initial)


def agrees(model, **options):
    result = explore(model, max_states=400, **options)
    note(str(result))
    if result.verdict is Verdict.VIOLATED and result.property == "deadlock free":
        true_of(model, result)


@given(systems(longest=4))
@settings(max_examples=40)
def test_what_is_said_of_the_length_of_a_schedule_is_true_of_the_whole_space(model):
    agrees(model)
    agrees(model, symmetry=False, partial_order=False)


@given(systems(longest=4, every_kind=True))
@settings(max_examples=20)
def test_what_is_said_of_the_length_is_true_with_time_outs_and_pools(model):
    for rule in ("never", "when_stuck", "anytime"):
        agrees(model, timeouts=rule)
