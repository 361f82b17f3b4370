"""Fair cycles, first on graphs drawn by hand, then through `explore` on models."""

import random
from array import array

import networkx as nx
import plain
import pytest
import small
from hypothesis import given, settings
from hypothesis import strategies as st

from simcore import Model, Verdict, eventually, explore, leads_to
from simcore.explain import components
from simcore.explore import liveness
from simcore.explore.compiled import liveness as in_arrays
from simcore.explore.compiled.liveness import Flat
from simcore.explore.graph import Graph
from simcore.kernel import Kernel


def avoiding(*asked):
    """Ask both versions, which give the same run, step by step."""
    found = liveness.avoiding(*asked)
    assert in_arrays.avoiding(*asked) == found
    return found


def acyclic(graph):
    found = liveness.acyclic(graph)
    assert in_arrays.acyclic(graph) == found
    return found


def drawn(*edges, states=None):
    """Make a graph of edges (from, process, to)."""
    graph = Graph()
    size = states or 1 + max(max(source, target) for source, _, target in edges)
    for state in range(size):
        for source, process, target in edges:
            if source == state:
                graph.targets.append(target)
                graph.processes.append(process)
                graph.outcomes.append(0)
        graph.starts.append(len(graph.targets))
    return graph


def goals(graph, *states):
    return bytearray(state in states for state in range(len(graph)))


def runs_through(graph, lasso):
    """Follow a lasso; return the states of its prefix and those of its cycle, the entry at both ends."""
    state, passed = 0, [0]
    for process, _ in [*lasso.prefix, *lasso.cycle]:
        state = next(graph.targets[e] for e in graph.edges(state) if graph.processes[e] == process)
        passed.append(state)
    return passed[: len(lasso.prefix) + 1], passed[len(lasso.prefix) :]


def avoided(graph, *reached, starts=(0,), fair=(0, 1)):
    return avoiding(graph, starts, goals(graph, *reached), fair)


# ---- graphs ------------------------------------------------------------------------------------------------


def test_a_path_to_the_goal_is_not_avoided():
    assert avoided(drawn((0, 0, 1), (1, 0, 2)), 2) is None


def test_a_run_that_stops_before_the_goal_avoids_it():
    lasso = avoided(drawn((0, 0, 1), (0, 1, 2)), 2)
    assert (lasso.prefix, lasso.cycle, lasso.state) == ([(0, 0)], [], 1)


def test_a_loop_that_starves_an_enabled_process_is_unfair():
    assert avoided(drawn((0, 0, 0), (0, 1, 1)), 1) is None


def test_a_loop_that_starves_a_process_nobody_is_fair_to_is_a_run():
    lasso = avoided(drawn((0, 0, 0), (0, 1, 1)), 1, fair=[0])
    assert (lasso.prefix, lasso.cycle) == ([], [(0, 0)])


def test_a_loop_in_which_the_other_process_is_disabled_somewhere_is_fair():
    graph = drawn((0, 0, 1), (1, 0, 0), (0, 1, 2))
    lasso = avoided(graph, 2)
    assert runs_through(graph, lasso)[1] == [0, 1, 0]


def test_a_cycle_takes_a_step_of_everyone_who_is_never_disabled():
    graph = drawn((0, 0, 0), (0, 1, 1), (1, 1, 0), (1, 0, 1), (1, 1, 2))
    lasso = avoided(graph, 2)
    assert {process for process, _ in lasso.cycle} == {0, 1}


def test_a_cycle_comes_back_to_where_it_began():
    graph = drawn((0, 0, 1), (1, 0, 2), (2, 1, 3), (3, 0, 1), (3, 1, 4))
    states = runs_through(graph, avoided(graph, 4))[1]
    assert states[0] == states[-1]


def test_an_unfair_component_has_no_fair_part():
    graph = drawn((0, 0, 1), (1, 0, 0), (0, 0, 0), (0, 1, 2), (1, 1, 2))
    assert avoided(graph, 2) is None


def test_the_prefix_does_not_pass_the_goal():
    short, around = [(0, 0, 1), (1, 0, 2)], [(0, 1, 3), (3, 1, 4), (4, 1, 2)]
    graph = drawn(*short, *around, (2, 0, 2))
    prefix, _ = runs_through(graph, avoided(graph, 1))
    assert prefix == [0, 3, 4, 2]


def test_the_prefix_of_a_run_that_stops_does_not_pass_the_goal():
    graph = drawn((0, 0, 1), (1, 0, 2), (0, 1, 3), (3, 1, 4), (4, 1, 2))
    prefix, _ = runs_through(graph, avoided(graph, 1))
    assert prefix == [0, 3, 4, 2]


def test_the_prefix_passes_the_state_after_which_the_goal_was_due():
    graph = drawn((0, 0, 3), (0, 1, 1), (1, 0, 2), (2, 0, 3), (3, 0, 3))
    prefix, _ = runs_through(graph, avoided(graph, starts=[1]))
    assert prefix == [0, 1, 2, 3]


def test_the_goal_may_be_met_before_it_is_due():
    graph = drawn((0, 0, 1), (1, 0, 2), (2, 0, 2))
    prefix, _ = runs_through(graph, avoided(graph, 1, starts=[2]))
    assert prefix == [0, 1, 2]


def test_a_goal_in_the_state_where_it_is_due_has_been_met():
    assert avoided(drawn((0, 0, 0)), 0) is None


def test_the_nearest_way_to_stay_away_from_the_goal_is_returned():
    graph = drawn((0, 0, 1), (1, 0, 2), (2, 0, 3), (0, 1, 4), (4, 1, 4))
    lasso = avoided(graph, 9)
    assert (lasso.prefix, lasso.cycle) == ([(1, 0)], [(1, 0)])


def test_the_goal_may_be_due_in_several_states_of_which_the_nearest_counts():
    graph = drawn((0, 0, 1), (0, 1, 2), (1, 0, 2), (2, 0, 3))
    assert avoided(graph, starts=[1, 2]).prefix == [(1, 0), (0, 0)]


def test_a_graph_without_a_cycle_is_acyclic():
    assert acyclic(drawn((0, 0, 1), (0, 1, 2), (1, 1, 3), (2, 0, 3)))


@pytest.mark.parametrize("back", [(3, 0, 1), (3, 0, 3), (3, 0, 0)])
def test_a_graph_with_a_cycle_is_not_acyclic(back):
    assert not acyclic(drawn((0, 0, 1), (0, 1, 2), (1, 1, 3), (2, 0, 3), back))


def test_a_graph_whose_edges_all_lead_to_later_states_is_known_to_be_acyclic():
    assert drawn((0, 0, 1), (0, 1, 2), (1, 1, 2)).forward()
    assert not drawn((0, 0, 2), (2, 1, 1), states=3).forward()


def test_states_without_steps_are_ends():
    assert drawn((0, 0, 1), (0, 1, 2), (2, 0, 0)).ends() == [1]


def test_what_can_reach_a_goal_is_found_backwards():
    flat = Flat(drawn((0, 0, 1), (0, 1, 2), (1, 0, 1), (2, 0, 3)))
    assert list(flat.can_reach(flat.mask([3]))) == [1, 0, 1, 1]


@st.composite
def graphs(draw, *, states=7, processes=3):
    """Draw a graph, of which not all may be reachable from state 0."""
    size = draw(st.integers(1, states))
    step = st.tuples(st.integers(0, processes - 1), st.integers(0, size - 1))
    graph = Graph()
    for steps in draw(st.lists(st.lists(step, max_size=4), min_size=size, max_size=size)):
        for number, (process, target) in enumerate(sorted(steps)):
            graph.targets.append(target)
            graph.processes.append(process)
            graph.outcomes.append(number)
        graph.starts.append(len(graph.targets))
    return graph


def edges(graph):
    drawn = nx.DiGraph([(state, target) for state in range(len(graph)) for target in graph.successors(state)])
    drawn.add_nodes_from(range(len(graph)))
    return drawn


@given(graphs(), st.sets(st.integers(0, 6)), st.sets(st.integers(0, 6)), st.sets(st.integers(0, 2)))
@settings(max_examples=200)
def test_the_run_that_avoids_the_goal_is_the_one_that_the_definition_gives(graph, due, reached, fair):
    starts = due & (nx.descendants(edges(graph), 0) | {0})
    assert avoided(graph, *reached, starts=starts, fair=fair) == plain.avoiding(
        graph, starts, goals(graph, *reached), sorted(fair)
    )


@given(graphs())
def test_a_graph_is_acyclic_when_its_runs_all_stop(graph):
    assert acyclic(graph) == nx.is_directed_acyclic_graph(edges(graph))
    assert acyclic(graph) or not graph.forward()


@given(graphs(), st.sets(st.integers(0, 6)), st.sets(st.integers(0, 6)))
def test_a_run_goes_round_in_both_versions_or_in_none(graph, due, reached):
    starts, met = due & (nx.descendants(edges(graph), 0) | {0}), goals(graph, *reached)
    found = liveness.goes_round(graph, starts, met)
    assert in_arrays.goes_round(graph, starts, met) == found
    assert found or avoiding(graph, starts, met, []) is None or not avoiding(graph, starts, met, []).cycle


@given(graphs(states=12), st.sets(st.integers(0, 11)))
def test_components_come_after_those_that_they_lead_to(graph, left_out):
    inside = bytes(state not in left_out for state in range(len(graph)))
    part = edges(graph).subgraph(state for state in range(len(graph)) if inside[state])
    found = list(components(inside, graph.successors))
    assert set(map(frozenset, found)) == set(map(frozenset, nx.strongly_connected_components(part)))
    place = {state: number for number, states in enumerate(found) for state in states}
    assert all(place[state] >= place[target] for state, target in part.edges)


def wide(states, degree, processes, seed):
    """Draw a graph of many states by chance, with one large component and many small ones."""
    chance, graph = random.Random(seed), Graph()
    for state in range(states):
        for outcome in range(chance.randrange(degree)):
            near = chance.randrange(max(0, state - 3), min(states, state + 9))
            graph.targets.append(near if chance.random() < 0.98 else chance.randrange(states))
            graph.processes.append(chance.randrange(processes))
            graph.outcomes.append(outcome)
        graph.starts.append(len(graph.targets))
    return graph


@pytest.mark.parametrize("seed", range(12))
def test_both_versions_give_the_same_run_through_many_states(seed):
    chance = random.Random(seed)
    graph = wide(3_000, 6, 4, seed)
    met = bytearray(chance.random() < 0.02 for _ in range(len(graph)))
    reachable = sorted(nx.descendants(edges(graph), 0) | {0})
    for fair in ([], [0, 1, 2, 3]):
        avoiding(graph, chance.sample(reachable, min(3, len(reachable))), met, fair)
    acyclic(graph)


@pytest.mark.slow
def test_a_cycle_through_a_hundred_thousand_states_is_found_without_recursion():
    size = 100_000
    graph = Graph(
        array("Q", range(size + 1)),
        array("I", [*range(1, size), 0]),
        array("H", bytes(2 * size)),
        array("H", bytes(2 * size)),
    )
    lasso = liveness.avoiding(graph, [0], bytearray(size), [0, 1])  # in arrays each level costs as much as a large one
    assert (lasso.prefix, len(lasso.cycle)) == ([], size)
    assert not acyclic(graph)


# ---- models ------------------------------------------------------------------------------------------------


def flag_is_set(state):
    return state["flag"]


def waiter_done(state):
    return state.process("waiter").done


def is_fair(model, counterexample):
    """Check with the kernel that prefix and cycle return to the same state and treat every process fairly."""
    kernel = Kernel(model)
    steps = (*counterexample.schedule.steps, *counterexample.lasso.steps)
    index = {process.name: process.index for process in kernel.processes}
    states = [kernel.initial]
    for step in steps:
        after = kernel.step(states[-1], index[step.process], step.outcome)
        assert after is not None
        states.append(after)
    cycle = states[len(counterexample.schedule) :]
    assert cycle[0] == cycle[-1]
    if not counterexample.lasso.steps:
        return not kernel.successors(cycle[0])
    return all(
        process.name in counterexample.lasso.processes
        or any(process.index not in {choice.process for choice in kernel.successors(state)} for state in cycle)
        for process in kernel.processes
    )


def test_a_spinning_process_does_not_starve_one_that_stays_enabled():
    assert explore(small.spinner(), eventually(flag_is_set)).verdict is Verdict.HOLDS


def test_a_process_that_is_enabled_now_and_then_may_starve():
    result = explore(small.flicker(), eventually(waiter_done))
    assert result.verdict is Verdict.VIOLATED
    assert set(result.counterexample.lasso.processes) == {"blinker"}


@pytest.mark.parametrize(
    ("model", "prop"),
    [
        (small.flicker, eventually(waiter_done)),
        (lambda: small.spinner(released=False), eventually(flag_is_set)),
        (small.crossed, eventually(lambda state: state.process("left").done)),
        (lambda: small.crossed(beating=True), eventually(lambda state: state.process("left").done)),
    ],
)
def test_a_lasso_returns_to_its_state_and_is_fair(model, prop):
    assert is_fair(model(), explore(model(), prop).counterexample)


def test_a_lasso_does_not_pass_the_goal():
    model = small.spinner(released=False)

    def released(state):
        return state.process("releaser").done

    result = explore(model, leads_to(released, flag_is_set))
    assert result.verdict is Verdict.VIOLATED
    assert "releaser" in result.counterexample.schedule.processes


def test_what_leads_to_its_goal_in_every_fair_run_holds():
    def waiting(state):
        return not state["flag"]

    assert explore(small.spinner(), leads_to(waiting, lambda state: state.process("poller").done)).verdict is (
        Verdict.HOLDS
    )


def test_what_never_happens_leads_to_anything():
    result = explore(small.crossed(), leads_to(lambda state: False, lambda state: False))
    assert result.verdict is Verdict.HOLDS


def test_a_run_that_ends_stays_in_its_last_state_for_ever():
    result = explore(small.relay(), eventually(lambda state: False, "the impossible"))
    assert result.counterexample.lasso.steps == ()
    assert "and then nothing, for ever" in str(result)


def test_a_lasso_is_printed_after_its_prefix():
    text = str(explore(small.flicker(), eventually(waiter_done)))
    assert "and then, for ever:\n   1  blinker  sets lamp\n   2  blinker  clears lamp" in text


def test_an_exchange_of_workers_does_not_hide_an_unfair_one():
    """With workers interchangeable a run that starves one of them looks like one that does not."""
    model = Model("two workers")
    pool, stop = model.thread_pool("pool", 2), model.event("stop")

    def spin():
        while not (yield stop.is_set()):
            pass

    def release():
        yield stop.set()

    def main():
        yield pool.submit(spin)
        yield pool.submit(release)

    model.process("main", main)
    result = explore(model, eventually(lambda state: state["stop"]))
    assert result.verdict is Verdict.HOLDS
    assert any("symmetry switched off" in note for note in result.notes)
