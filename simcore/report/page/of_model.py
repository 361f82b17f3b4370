"""Films of what was found in a model: by a search, in virtual time, for real, or in a schedule alone."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from simcore.errors import SimcoreError
from simcore.execute import Execution, Record
from simcore.explain import WaitForGraph, fit, graph_after
from simcore.explore import Counterexample, Result, stands_still
from simcore.kernel import Kernel, Packed
from simcore.model import build, with_parameters
from simcore.report.page.film import MOST_STEPS, Film, Frame, Lane, Standing, Turn, lines_of
from simcore.report.page.knot import with_waits
from simcore.report.page.replayed import Replayed, lanes_of
from simcore.schedule import Schedule
from simcore.simulate import Simulation

NOT_LOOKED_FOR = "no point of no return: one run does not look for it; explore does, where it finds a hang"
NO_END = "no point of no return: it is looked for where a run can no longer end; this run never ends"
OTHERWISE = "no point of no return: it is looked for where a search for deadlocks finds who can never move again"
NONE_KNOWN = "no point of no return is known: it was not looked for, or no time was left for it"

ONE_RUN = "this is one run; it proves nothing about the others"


def of_waits(graph: WaitForGraph) -> Film:
    """Return a film without steps: who waits for whom."""
    answer = graph.headline or ("nobody is known never to move again" if graph.edges else "nobody waits")
    return with_waits(Film("Who waits for whom", "", answer, lines_of(graph.explain()), text=str(graph)), graph)


def of_result(result: Result) -> Film:
    """Return a film of an exploration; one without steps where nothing was found."""
    title = with_parameters(result.model, result.origin)
    found = result.counterexample
    first, _, *facts = (line.strip() for line in replace(result, counterexample=None).lines())
    if found is None:
        verdict, _, answer = first.partition(": ")
        return Film(title, verdict, answer, facts=tuple(facts), text=str(result))
    film = of_counterexample(found)
    return replace(film, title=title, facts=(*facts, *film.facts), text=str(result))


def of_counterexample(found: Counterexample) -> Film:
    """Return a film of a schedule into a violation, and of what is then repeated."""
    steps = [*found.schedule.steps, *(found.lasso.steps if found.lasso is not None else ())]
    schedule = Schedule(tuple(steps), found.schedule.origin)
    film = with_waits(_of_schedule(schedule, found.kernel), found.wait_for)
    after = len(found.schedule) if found.lasso is not None else None
    then = [] if found.lasso is None or found.lasso.steps else ["and then nothing, for ever"]
    turn = found.no_return
    return replace(
        film,
        verdict="violated",
        answer=found.answer if found.answer != found.property else f"'{found.property}' does not hold",
        why=lines_of([*found.why, *then]),
        facts=(*film.facts, f"asked: {found.property}", f"schedule: {found.shortest}"),
        lasso=after if found.lasso is not None and found.lasso.steps else None,
        turn=None if turn is None else Turn(turn.step, turn.exact, _turn(found, turn.describe(found.schedule))),
        no_turn="" if turn is not None else _why_not(found),
        counted=film.counted if found.hangs else "",
        token=found.token,
        replay=f"simcore replay {found.token}" if found.token else "",
        text=str(found),
    )


def _turn(found: Counterexample, told: str) -> str:
    return f"{told}; {found.harmless}" if found.harmless else told


def _why_not(found: Counterexample) -> str:
    """Return why no point of no return is told of a violation."""
    if found.lasso is not None and found.lasso.steps:
        return NO_END
    return NONE_KNOWN if found.hangs else OTHERWISE


def of_schedule(schedule: Schedule) -> Film:
    """Return a film of a schedule: of what its model then is, where that can be built."""
    kernel = _kernel_of(schedule)
    if kernel is None:
        return _of_schedule(schedule, None)
    graph = graph_after(kernel, schedule.path(kernel), stands_still=partial(stands_still, kernel))
    return replace(of_replay(schedule, kernel, graph), answer=graph.headline)


def of_replay(schedule: Schedule, kernel: Kernel, graph: WaitForGraph) -> Film:
    """Return a film of a schedule that ``kernel`` has taken, with who waits for whom at its end, as it is known."""
    film = replace(_of_schedule(schedule, kernel), why=lines_of(graph.told()))
    return with_waits(film, graph)


def _kernel_of(schedule: Schedule) -> Kernel | None:
    """Return a kernel that takes ``schedule``; None where its model cannot be built, or has become another one."""
    try:
        kernel = Kernel(build(schedule.origin)) if schedule.origin is not None else None
        if kernel is not None:
            schedule.states(kernel)
    except SimcoreError:
        return None
    return kernel


def _of_schedule(schedule: Schedule, kernel: Kernel | None) -> Film:
    try:
        token = schedule.token
    except SimcoreError:
        token = ""
    replay = f"simcore replay {token}" if token else ""
    text = fit([str(schedule), *([f"replay: {replay}"] if token else [])])
    title = with_parameters(kernel.model.name, kernel.model.origin) if kernel is not None else "a schedule"
    film = Film(title, "", "", token=token, replay=replay, text=text)
    return with_path(film, kernel, schedule.path(kernel)) if kernel is not None else _by_names(film, schedule)


def _by_names(film: Film, schedule: Schedule) -> Film:
    """Fill in what steps say of themselves: who took them, and who else could have taken one."""
    names = list(dict.fromkeys([*schedule.processes, *(n for step in schedule.steps for n in step.enabled)]))
    frames = []
    before: dict[str, str] = {}
    asked = [step.enabled for step in schedule.steps[1:]]
    standings = _enabled(names, schedule.steps[0].enabled if schedule.steps else (), before)
    for step, enabled in zip(schedule.steps, [*asked, None], strict=True):
        frames.append(
            Frame(names.index(step.process), step.text, step.result, standings=_enabled(names, enabled, before))
        )
    fact = "the model cannot be built here, so the values of its objects are not known"
    return _shortened(
        replace(film, lanes=tuple(map(Lane, names)), frames=tuple(frames), standings=standings, facts=(fact,))
    )


def _enabled(names: Sequence[str], enabled: Sequence[str] | None, before: dict[str, str]) -> tuple[Standing, ...]:
    """Return the lanes that stand otherwise than ``before``, which is brought up to date; None is not known."""
    found = []
    for number, name in enumerate(names):
        status = "unknown" if enabled is None else "enabled" if name in enabled else "still"
        if before.get(name) != status:
            before[name] = status
            found.append(Standing(number, status))
    return tuple(found)


def with_path(film: Film, kernel: Kernel, path: Sequence[tuple[int, int]], times: Sequence[float | None] = ()) -> Film:
    """Return ``film`` with every step of ``path``, taken by ``kernel``, and when it was taken."""
    gone = max(0, len(path) - MOST_STEPS)
    state: Packed | None = kernel.initial
    for step in path[:gone]:
        assert state is not None
        state = kernel.step(state, *step)
    assert state is not None
    replayed = Replayed(kernel, state)
    values, standings = replayed.values(), replayed.standings()
    frames = tuple(replayed.frames(path[gone:], times[gone:] or [None] * (len(path) - gone), gone))
    film = replace(film, lanes=lanes_of(kernel.processes), things=tuple(replayed.things), frames=frames, first=gone)
    return _told(replace(film, values=values, standings=standings), len(path))


def _shortened(film: Film) -> Film:
    """Return ``film`` with its last steps alone where there are too many; those before have led to how lanes stand."""
    gone = max(0, len(film.frames) - MOST_STEPS)
    standings = {standing.lane: standing for standing in film.standings}
    for frame in film.frames[:gone]:
        standings |= {standing.lane: standing for standing in frame.standings}
    first = replace(film, first=gone, frames=film.frames[gone:], standings=tuple(standings.values()))
    return _told(first, len(film.frames))


def _told(film: Film, steps: int) -> Film:
    """Return ``film`` with how many of its ``steps`` are shown, where that is not all."""
    if not film.first:
        return film
    return replace(film, facts=(*film.facts, f"the last {len(film.frames):,} of {steps:,} steps are shown"))


def of_simulation(run: Simulation) -> Film:
    """Return a film of a run in virtual time."""
    title = with_parameters(run.kernel.model.name, run.kernel.model.origin)
    replay = f"simcore replay {run.token}" if run.token else ""
    at = f"ended at {run.time:g} s of virtual time, after {run.steps:,} steps (seed {run.seed})"
    hangs = run.status in ("stuck", "failed") or run.hangs
    film = Film(
        title,
        run.status,
        run.answer,
        why=lines_of(run.wait_for.told()) if hangs else (),
        facts=(at, *(f"note: {note}" for note in run.notes), *(() if hangs else (ONE_RUN,))),
        no_turn=NOT_LOOKED_FOR if hangs else "",
        seconds="virtual",
        token=run.token,
        replay=replay,
        text=str(run),
    )
    film = with_waits(film, run.wait_for) if hangs else film
    return with_path(film, run.kernel, run.path, run.times)


def of_execution(run: Execution) -> Film:
    """Return a film of a real run: in the order that explains it, or else in that in which its steps were seen."""
    film = Film(
        with_parameters(run.model.name, run.model.origin),
        run.status,
        f"{run.answer}, for real" if run.answer else "for real",
        why=lines_of(run.wait_for.told()) if run.status in ("stuck", "limit") else (),
        facts=(*run.facts, *(() if run.status == "stuck" else (ONE_RUN,))),
        no_turn=NOT_LOOKED_FOR if run.status in ("stuck", "limit") else "",
        seconds="real",
        token=run.token,
        replay=f"simcore replay {run.token}" if run.token else "",
        text=str(run),
    )
    film = with_waits(film, run.wait_for) if run.status != "completed" else film
    if run.explained:
        kernel = Kernel(run.model, "anytime")
        return with_path(film, kernel, run.path, list(_real_times(run, kernel)))
    return _as_recorded(film, run)


def _real_times(run: Execution, kernel: Kernel) -> Iterator[float | None]:
    """Yield, for each step of the explaining order, when it was over; None where no record of it is found."""
    left = {name: deque(records) for name, records in run.records.items()}
    state: Any = kernel.initial
    for process, outcome in run.path:
        operation = kernel.operation(state, process)
        records = left.get(kernel.processes[process].name, deque())
        while records and operation is not None and not _same(records[0], operation):
            records.popleft()
        yield records.popleft().ended if records else None
        state = kernel.step(state, process, outcome)


def _same(record: Record, operation: Any) -> bool:
    return (record.operation.target, record.operation.name) == (operation.target, operation.name) or (
        record.operation.target.kind == operation.target.kind == "future" and record.operation.name == operation.name
    )


def _as_recorded(film: Film, run: Execution) -> Film:
    """Fill in the records, in the order of their effects; values between them are not known."""
    lanes = lanes_of(run.model.processes)
    number = {lane.name: place for place, lane in enumerate(lanes)}
    told: defaultdict[int, list[tuple[str, Record]]] = defaultdict(list)
    for name, records in run.records.items():
        for record in records:
            told[record.effect].append((name, record))
    frames = [
        Frame(number[name], record.operation.target.phrase(record.operation), _gave(record), time=record.ended)
        for effect in sorted(told)
        for name, record in told[effect]
    ]
    fact = "no order of the model explains this run, so its steps stand as they were seen, without values"
    return _shortened(replace(film, lanes=lanes, frames=tuple(frames), facts=(*film.facts, fact)))


def _gave(record: Record) -> str:
    operation = record.operation
    if hasattr(record.result, "target") or operation.name in operation.target.creates:
        return ""
    return "" if record.result in (None, True) else str(record.result)
