"""The compiled loop meets the same states in the same order as the plain one, and gives the same answer."""

import re
import sys
import threading
from unittest.mock import patch

import numpy as np
import pytest
import small
import toys
from against_naive import many_shares
from claims import claims_of, quick_claims
from compared import TOYS
from generated import MANY, systems
from hypothesis import HealthCheck, given, note, settings
from hypothesis import strategies as st

from simcore import Model, Verdict, always, eventually, explore, sometimes
from simcore.errors import OptionError
from simcore.explain import Knots
from simcore.explore.compiled.columns import Columns
from simcore.explore.compiled.search import FastSearch
from simcore.explore.compiled.tables import FastTables
from simcore.explore.search import Search
from simcore.kernel import Kernel
from simcore.models import pool_starvation
from simcore.report import as_json

explore_module, search_module = sys.modules[explore.__module__], sys.modules[Search.__module__]
limits_module = sys.modules["simcore.explore.limits"]
no_return_module = sys.modules["simcore.explore.no_return"]
tables_module = sys.modules[FastTables.__module__]
columns_module = sys.modules[Columns.__module__]
knot_module = sys.modules[Knots.__module__]
TIMEOUTS = ["never", "when_stuck", "anytime", "in_order"]
NEVER = sys.maxsize
MORE = {
    "two-phase commit": lambda: toys.two_phase_commit(n=3),
    "philosophers": lambda: toys.philosophers(n=4),
    "philosophers with an order": lambda: toys.philosophers(n=4, ordered=True),
    "bounded buffer": lambda: toys.bounded_buffer(producers=2, consumers=2, capacity=2),
    "bounded buffer, mutex first": lambda: toys.bounded_buffer(producers=2, consumers=2, capacity=2, mutex_first=True),
    "one lock": lambda: toys.one_lock(threads=4),
    "patient": small.patient,
    "hidden": small.hidden,
    "steps": lambda: small.steps(length=3, processes=3),
}


class Answer:
    """What must be equal: the answer, and everything that was met on the way."""

    def __init__(self, model: Model, properties, after: int, **options) -> None:
        self.searches = []
        with patch.object(explore_module, "FAST_AFTER", after), patch.object(Search, "__init__", self._noted(Search)):
            self.result = explore(model, *properties, **options)
        self.space = self.searches[-1].space
        self.fast = isinstance(self.space, FastSearch)

    def _noted(self, kind):
        begin = kind.__init__

        def init(search, *args):
            begin(search, *args)
            self.searches.append(search)

        return init

    @property
    def told(self):
        found, result = self.result.counterexample, self.result
        return (
            (result.verdict, result.property, result.states, result.transitions, result.depth, result.reason),
            None if found is None else (found.schedule.steps, found.lasso, found.shortest, found.no_return, found.lost),
        )

    @property
    def met(self):
        space, graph = self.space, self.space.graph
        edges = (list(graph.starts), list(graph.targets), list(graph.processes), list(graph.outcomes))
        return self._renumbered(space.states), list(space.depths), edges

    def _renumbered(self, states):
        """Number values and points as they come: a predicate, asked earlier or later, may have them learned."""
        kernel, values, points = self.searches[-1].kernel, {}, {}
        processes = range(kernel.first_process, kernel.first_future)
        return [
            [(names := points if at in processes else values).setdefault(n, len(names)) for at, n in enumerate(state)]
            for state in states
        ]


def agree(model, *properties, after=1, **options):
    """Explore with the plain loop and with the compiled one; insist on one answer, and return both."""
    options = {"symmetry": False, "partial_order": False, **options}
    plain, fast = (Answer(model(), properties, at, **options) for at in (NEVER, after))
    assert fast.told == plain.told
    assert not plain.fast
    if plain.result.verdict is not Verdict.UNDETERMINED:
        assert fast.met == plain.met
    return plain, fast


@pytest.fixture(name="many_shares")
def in_many_shares():
    with many_shares():
        yield


@pytest.mark.some(6)
@pytest.mark.parametrize("timeouts", TIMEOUTS)
@pytest.mark.parametrize("model", [*TOYS.values(), *MORE.values()], ids=[*TOYS, *MORE])
def test_every_toy_has_the_same_states_in_the_same_order(model, timeouts):
    _, fast = agree(model, timeouts=timeouts)
    assert fast.fast == (timeouts != "in_order") or fast.result.depth < 2  # it was found before


@pytest.mark.some(4)
@pytest.mark.parametrize("after", [2, 10, 100])
@pytest.mark.parametrize("model", TOYS.values(), ids=TOYS)
def test_it_does_not_matter_when_the_compiled_loop_takes_over(model, after):
    agree(model, after=after)


def test_with_a_reduction_the_plain_loop_searches():
    _, fast = agree(lambda: toys.pool_system(requesters=2, workers=2, chunks=1), symmetry=True)
    assert not fast.fast


@pytest.mark.slow
@pytest.mark.parametrize("model", TOYS.values(), ids=TOYS)
def test_an_invariant_is_looked_at_in_every_state(model):
    kernel = Kernel(model())
    states = list(toys.space(kernel).distance)
    for bad in states[:: max(1, len(states) // 7)]:
        text = str(kernel.view(bad))
        agree(model, always(lambda state, text=text: str(state) != text, "not that"))
        agree(model, sometimes(lambda state, text=text: str(state) == text, "that"))


@pytest.mark.parametrize("model", TOYS.values(), ids=TOYS)
def test_the_plain_loop_searches_where_the_arrays_have_no_room(model):
    with patch.object(tables_module, "MOST_FUTURES", 1):
        agree(model)


def test_more_futures_than_the_arrays_have_room_for_are_met_by_the_plain_loop():
    with patch.object(tables_module, "MOST_FUTURES", 1):
        plain, fast = agree(lambda: pool_starvation.fixed(downloads=2, workers=2, callback_workers=2), after=100)
    assert not fast.fast
    assert plain.result.states > 100


def test_a_step_that_is_forgotten_is_caught(monkeypatch):
    def forgetful(tables, state, process, fresh):
        tables._enter(state, process, fresh, tables.kernel.moves(state, process)[:1])

    monkeypatch.setattr(FastTables, "learn_moves", forgetful)
    with pytest.raises(AssertionError):
        agree(lambda: toys.two_phase_commit(n=2))


def test_futures_that_are_never_dropped_are_caught(monkeypatch):
    monkeypatch.setattr(tables_module, "_set", lambda numbers: 0)
    with pytest.raises(AssertionError):
        agree(lambda: toys.nested_futures(roots=2, levels=2, workers=3))


def test_a_limit_on_memory_stops_the_search_and_says_what_was_covered():
    model = toys.pool_system(requesters=3, workers=2, chunks=1, callback_workers=2)
    result = explore(model, partial_order=False, max_memory=1)
    assert (result.verdict, result.reason) == (Verdict.UNDETERMINED, "`max_memory=1` was reached")
    assert result.notes == ("every state within 7 steps was expanded",)
    assert re.fullmatch(r"[\d,]+ states were expanded", explore(model, max_memory=1).notes[0])


def test_a_limit_on_memory_stops_the_compiled_loop_before_it_grows():
    model = toys.pool_system(requesters=4, workers=2, chunks=2, callback_workers=2)
    assert Answer(
        model, (), after=1, symmetry=False, partial_order=False, max_states=100
    ).fast  # LLVM's own memory is in use now
    limit = limits_module.memory_used() + 40_000_000
    with patch.object(limits_module, "BYTES_TO_COMPILE", 0):
        answer = Answer(model, (), after=5_000, symmetry=False, partial_order=False, max_memory=limit)
    assert answer.fast
    assert (answer.result.verdict, answer.result.reason) == (Verdict.UNDETERMINED, f"`max_memory={limit}` was reached")
    assert answer.result.states > 5_000
    assert any("steps was expanded" in note for note in answer.result.notes)


@pytest.mark.slow
def test_with_too_little_memory_for_the_compiler_the_plain_loop_searches():
    model = toys.pool_system(requesters=4, workers=2, chunks=2, callback_workers=2)
    limit = limits_module.memory_used() + 40_000_000
    answer = Answer(model, (), after=5_000, symmetry=False, partial_order=False, max_memory=limit)
    assert not answer.fast
    assert answer.result.states > 5_000


def test_it_is_said_how_many_bytes_a_state_takes():
    model = toys.pool_system(requesters=4, workers=2, chunks=1, callback_workers=2)
    result = explore(model, symmetry=False, partial_order=False)
    assert (result.verdict, result.states) == (Verdict.HOLDS, 188_685)
    assert result.notes == ("compiled loop: 34 bytes per state",)


def test_progress_goes_on_in_the_compiled_loop():
    told = []
    model = toys.pool_system(requesters=4, workers=2, chunks=2, callback_workers=2)
    explore(model, symmetry=False, partial_order=False, max_states=1_000_000, progress=told.append)
    assert max(one.states for one in told) > 40_000
    assert [one.states for one in told] == sorted(one.states for one in told)


@pytest.mark.parametrize("limit", [1, 2, 17, 50, 126, 127, 128])
def test_a_limit_is_exact(limit):
    agree(lambda: toys.pool_system(requesters=2, workers=2, chunks=1), max_states=limit)


def some_claims():
    """Every sixth quick claim, and the first one of every model."""
    quick = quick_claims(1)
    models = [claims_of(module)[position].model for module, position in (claim.values for claim in quick)]
    return [claim for place, claim in enumerate(quick) if place % 6 == 0 or models[place] not in models[:place]]


@pytest.mark.slow
@pytest.mark.usefixtures("many_shares")
@pytest.mark.parametrize("cores", [1, 3])
@pytest.mark.parametrize(("module", "position"), some_claims()[::16])
def test_a_quick_claim_has_the_same_answer(module, position, cores):
    claim = claims_of(module)[position]
    options = {"timeouts": claim.timeouts, "max_states": claim.max_states, "cores": cores}
    plain, _ = agree(claim.build, claim.property, after=50, **options)
    assert plain.result.verdict is claim.expected  # as with reductions: tests/test_models.py


# ---- cores and hash compaction ---------------------------------------------------------------------------------


@pytest.mark.some(7)
@pytest.mark.parametrize("timeouts", ["when_stuck", "anytime"])
@pytest.mark.parametrize("model", [*TOYS.values(), *MORE.values()], ids=[*TOYS, *MORE])
def test_any_number_of_cores_meets_the_same_states_in_the_same_order(many_shares, model, timeouts):
    for cores in (2, 3):
        agree(model, timeouts=timeouts, cores=cores)


@pytest.mark.some(3)
@pytest.mark.usefixtures("many_shares")
@pytest.mark.parametrize("most", [1, 3, 20])
@pytest.mark.parametrize("cores", [1, 3])
def test_suspicions_that_are_not_proved_are_given_up_in_the_same_state(monkeypatch, most, cores):
    monkeypatch.setattr(knot_module, "_CONFIRM_STATES", 1)
    monkeypatch.setattr(knot_module, "_MOST_REFUTED", most)
    many = lambda: toys.pool_system(requesters=3, workers=3, chunks=1)  # noqa: E731
    for model in (many, lambda: small.crossed(beating=True), small.passed_release, small.hidden, small.locked_tasks):
        agree(model, cores=cores)


@pytest.mark.slow
def test_two_cores_meet_the_same_states_at_a_size_that_is_worth_it():
    model = toys.pool_system(requesters=4, workers=2, chunks=1, callback_workers=2)
    one, two = (Answer(model, (), 1, symmetry=False, partial_order=False, cores=cores) for cores in (1, 2))
    assert one.result.states == 188_685
    assert [len(answer.space._shares) for answer in (one, two)] == [1, 2]
    assert one.met == two.met
    assert one.told == two.told


@pytest.mark.usefixtures("many_shares")
@pytest.mark.parametrize("limit", [1, 2, 17, 50, 126, 127, 128])
def test_a_limit_is_exact_on_many_cores(limit):
    agree(lambda: toys.pool_system(requesters=2, workers=2, chunks=1), max_states=limit, cores=3)


def test_no_thread_is_left():
    before = threading.enumerate()
    agree(lambda: toys.pool_system(requesters=3, workers=2, chunks=1, callback_workers=2), cores=2)
    assert threading.enumerate() == before


@given(systems(longest=3, every_kind=True), st.sampled_from(TIMEOUTS), st.integers(1, 60), st.integers(1, 4))
@settings(max_examples=10, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_generated_systems_have_the_same_answer(many_shares, model, timeouts, after, cores):
    note(str(model.origin))
    with patch.object(no_return_module, "NO_RETURN_STATES", 20):
        agree(lambda: model, after=after, timeouts=timeouts, max_states=1_000, cores=cores)


@pytest.mark.slow
@given(systems(longest=5, every_kind=True), st.sampled_from(TIMEOUTS), st.integers(1, 1_000), st.integers(1, 4))
@settings(max_examples=MANY, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_many_generated_systems_have_the_same_answer(many_shares, model, timeouts, after, cores):
    with patch.object(no_return_module, "NO_RETURN_STATES", 20):
        agree(lambda: model, after=after, timeouts=timeouts, max_states=1_000, cores=cores)


def compacted(model, *properties, after=1, **options):
    """Explore with hash compaction and without; insist on the same states, and return the two answers."""
    options = {"symmetry": False, "partial_order": False, **options}
    exact, compact = (Answer(model(), properties, after, compact=compact, **options) for compact in (False, True))
    told = [(a.result.property, a.result.states, a.result.transitions, a.result.depth) for a in (exact, compact)]
    assert told[0] == told[1]
    return exact.result, compact.result


@pytest.mark.some(5)
@pytest.mark.parametrize("timeouts", ["never", "when_stuck", "anytime"])
@pytest.mark.parametrize("model", [*TOYS.values(), *MORE.values()], ids=[*TOYS, *MORE])
def test_hash_compaction_meets_the_same_states(model, timeouts):
    exact, compact = compacted(model, timeouts=timeouts)
    if "no graph is kept" in compact.reason:
        assert compact.verdict is Verdict.UNDETERMINED
        assert exact.verdict is not Verdict.VIOLATED or exact.counterexample.lost  # which only the graph tells
        return
    assert compact.verdict is exact.verdict
    if exact.counterexample is not None:
        steps = [len(result.counterexample.schedule.steps) for result in (exact, compact)]
        assert steps[0] == steps[1]
        assert str(compact.counterexample.state) or compact.counterexample.failure


def test_hash_compaction_says_in_its_verdict_what_may_have_been_omitted():
    _, compact = compacted(lambda: toys.pool_system(requesters=3, workers=2, chunks=1, callback_workers=2))
    count = compact.states
    assert compact.verdict is Verdict.HOLDS
    assert compact.omission == count * (count + 1) / 2**65
    bound = re.match(r"holds: .*, unless a state was omitted \(probability at most (\S+)\)", str(compact))
    assert compact.omission <= float(bound[1]) <= 1.1 * compact.omission
    assert as_json(compact)["omission"] == compact.omission


def test_hash_compaction_takes_less_memory_where_states_are_wide():
    model = toys.pool_system(requesters=4, workers=2, chunks=1, callback_workers=2)
    exact, compact = (explore(model, symmetry=False, partial_order=False, compact=compact) for compact in (False, True))
    assert (exact.notes[0], compact.notes[0]) == (
        "compiled loop: 34 bytes per state",
        "compiled loop: 22 bytes per state, of which all but the last levels are kept as 64-bit hashes",
    )


def test_a_state_with_the_hash_of_another_is_omitted_only_with_compaction(monkeypatch):
    """With hashes of 4 bits states are taken for others: the exact search compares them, and does not mind."""
    fill = columns_module.fill

    def short(random, column, seed):
        fill(random, column, seed)
        random &= np.uint64(0xF << 40)

    monkeypatch.setattr(columns_module, "fill", short)
    model = lambda: toys.pool_system(requesters=2, workers=2, chunks=1)  # noqa: E731
    agree(model)
    with pytest.raises(AssertionError):
        compacted(model)


def test_the_seed_chooses_the_hashes():
    model = toys.pool_system(requesters=2, workers=2, chunks=1, callback_workers=2)
    answers = [
        Answer(model, (), 1, symmetry=False, partial_order=False, compact=True, seed=seed).space for seed in (0, 0, 1)
    ]
    hashes = [set(space.met.signatures[space.met.signatures != 0].tolist()) for space in answers]
    assert hashes[0] == hashes[1] != hashes[2]


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"symmetry": True}, "add `symmetry=False` and `partial_order=False`"),
        ({"partial_order": True}, "add `symmetry=False` and `partial_order=False`"),
        ({"strategy": "depth"}, "use `strategy='breadth'`"),
        ({"timeouts": "in_order"}, "use another rule than"),
    ],
)
def test_what_hash_compaction_cannot_do_is_refused(options, told):
    model = toys.pool_system(requesters=2, workers=2, chunks=1)
    with pytest.raises(OptionError, match=told):
        explore(model, compact=True, **{"symmetry": False, "partial_order": False, **options})


def test_hash_compaction_answers_nothing_about_whole_runs():
    model = toys.pool_system(requesters=2, workers=2, chunks=1)
    with pytest.raises(OptionError, match="'never' is about whole runs, and no graph of them is kept"):
        explore(model, eventually(lambda state: False, "never"), compact=True, symmetry=False, partial_order=False)


def test_a_model_that_has_no_room_in_the_compiled_loop_cannot_be_compacted():
    with patch.object(tables_module, "MOST_FUTURES", 1), pytest.raises(OptionError, match="too many processes or fut"):
        compacted(lambda: pool_starvation.fixed(downloads=2, workers=2, callback_workers=2), after=100)


def test_less_than_one_core_is_refused():
    with pytest.raises(OptionError, match="`cores=0`: use at least 1"):
        explore(toys.one_lock(threads=2), cores=0)
