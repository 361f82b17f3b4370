"""A violation that a search has found becomes a counterexample: the shortest way there, followed once more.

A search knows representatives, numbers and edges. From these come steps of the model itself, with the fewest switches
between processes, how short they are and why that is known (`nearest.py`), the words for who is lost, and the point of
no return. Nothing leaves here that was not seen to show what it is said to show (`witness.py`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import partial
from itertools import pairwise
from typing import Any, NamedTuple

from simcore.explore.closing import way_on
from simcore.explore.graph import Path
from simcore.explore.limits import OutOfBudget
from simcore.explore.nearest import MOST_ASKED, MOST_NEARER, doubtful, first_stuck, nobody_lost, shows
from simcore.explore.no_return import no_return
from simcore.explore.result import Counterexample
from simcore.explore.search import Found, Search
from simcore.explore.servers import SERVERS, Servers
from simcore.explore.shrink import concrete, fewest_switches
from simcore.explore.space import Space
from simcore.explore.witness import check_end, check_lasso
from simcore.kernel import Packed
from simcore.schedule import Schedule

_MOST_NEAR = 20_000  # states as near as a violation that are looked at for one with fewer switches


class Lost(NamedTuple):
    """A process that can never do again what ``verb`` says, in words.

    Servers that wait for each other have no name; who ``ends`` the wait of each is told.
    """

    name: str
    told: str
    verb: str
    ends: Mapping[str, Sequence[str]] = {}


class Counterexamples(Search):
    """A search that tells what it has found."""

    _doubtful: list[int] | None = None  # the states nearer than the hang in which somebody may be lost, if known
    _all_asked = False  # whether everybody was asked about in all of them

    def _path(self, space: Any, found: Found, depth_first: bool) -> tuple[Path, str]:
        if space.omission:
            shortest = "shortest to where it was looked for" if self._begins_before(found) else "shortest"
            return self._again(space.way_to(found.state)), f"{shortest}, unless a state on a shorter way was omitted"
        if not depth_first:
            few = self.limits.in_time(partial(self._with_fewest_switches, space, found), None)
            path, fewest = few or (self._by_parents(space, found), False)
            return path, self._shortest(space, found) + fewest * ", with the fewest switches between processes"
        return self._by_parents(space, found), "depth-first, so not the shortest"

    def _with_fewest_switches(self, space: Any, found: Found) -> tuple[Path, bool]:
        """Return a shortest way, and whether none that is as short has fewer switches."""
        goals, all_of_them = self._as_near(space, found)
        path, fewest = fewest_switches(self.kernel, self.symmetry, space.states, space.graph, space.depths, goals)
        return path, fewest and all_of_them

    def _by_parents(self, space: Any, found: Found) -> Path:
        """Return the way by which the search came there."""
        steps: list[Packed] = []
        number = found.state
        while number >= 0:
            steps.append(space.states[number])
            number = space.parents[number]
        return self._along(steps[::-1])

    def _shortest(self, space: Any, found: Found) -> str:
        """Say to what a schedule is the shortest: a hang may have begun before it shows (`nearest.py`)."""
        if not self._begins_before(found):
            return "shortest"
        near = self._nearer(space, found.state)
        seem_lost = None if self._doubtful is None else [number for number in self._doubtful if number < near]
        if seem_lost is not None:
            asked = partial(nobody_lost, self.kernel, self.canonical, space.states, seem_lost)
            if self.limits.in_time(asked, False):
                return "shortest"
        if self._all_asked:
            return "shortest to where it shows"
        stopped = not self.kernel.successors(space.states[found.state])
        return "shortest to where everything else has stopped" if stopped else "shortest to where it was looked for"

    def _begins_before(self, found: Found) -> bool:
        """Tell whether what was found may have begun before it shows, as a hang does."""
        return self.deadlock is not None and found.name == self.deadlock.name and found.lost < 0

    def _as_near(self, space: Space, found: Found) -> tuple[set[int], bool]:
        """Return all states as near as ``found`` that violate the same, and whether none was left out."""
        distance = space.depths[found.state]
        goals = {found.state}
        if found.lost >= 0:
            return goals, True
        try:
            space.deepen(self, distance)
        except OutOfBudget:
            return goals, False
        near = [number for number in range(found.state + 1, len(space.states)) if space.depths[number] == distance]
        goals.update(number for number in near[:_MOST_NEAR] if self._violates(space, number, found.name))
        return goals, len(near) <= _MOST_NEAR

    def _violates(self, space: Space, number: int, name: str) -> bool:
        state = space.states[number]
        if self.deadlock is None or name != self.deadlock.name:
            return self.wrong_in(state) == name
        return shows(self.kernel, self.knots, state)

    def _along(self, representatives: list[Packed]) -> Path:
        """Return steps of the model that pass states with these representatives."""
        path: Path = []
        for state, wanted in pairwise(representatives):
            choice = next(c for c in self.kernel.successors(state) if self.canonical(c.state) == wanted)
            path.append((choice.process, choice.outcome))
        return concrete(self.kernel, self.symmetry, path)

    def _again(self, way: list[int]) -> Path:
        """Return the steps whose numbers, among all steps of the state they are taken in, are ``way``."""
        path: Path = []
        state = self.kernel.initial
        for number in way:
            process, outcome, state = self.kernel.successors(state)[number]
            path.append((process, outcome))
        return path

    def _counterexample(self, found: Found, depth_first: bool) -> Counterexample:
        path, how = self._path(self.space, found, depth_first)
        return self._shown(path, found.name, how, self._lost(path, found))

    def _shown(self, path: Path, name: str, how: str, lost: Lost | None) -> Counterexample:
        """Return what ``path`` shows, followed on to where it shows why somebody is ``lost``."""
        if lost is None or lost.verb == SERVERS or self.any_witness:
            return self._told(path, name, how, lost=lost)
        process = next(process.index for process in self.kernel.processes if process.name == lost.name)
        more = self.limits.in_time(partial(way_on, self.kernel, path, process), Path())
        if more:
            how = f"{how}, to step {len(path)}, after which {lost.told}; then on to where it shows why"
        return self._told(path + more, name, how, lost=lost)

    def _lost(self, path: Path, found: Found) -> Lost | None:
        """Say who can never move or end again, after ``path`` and not as its representative calls it."""
        if found.lost < 0:
            return None
        states = Schedule.of(self.kernel, path).states(self.kernel)
        if found.verb == SERVERS:
            hang = Servers(self.kernel, self.symmetry).told(states[-1])
            return Lost("", hang.told, SERVERS, hang.ends)
        process = self.symmetry.permutation(states[-1]).index(found.lost)
        check_end(self.kernel, self.asked, found.name, states, process)
        who = self.kernel.process_state(states[-1], process)
        return Lost(who.name, f"{who.what} can never {found.verb} again, whatever follows", found.verb)

    def _told(
        self, path: Path, name: str, how: str, lasso: Path | None = None, lost: Lost | None = None
    ) -> Counterexample:
        """Return what the steps of ``path`` show, once they were seen to."""
        kernel = self.kernel
        schedule = Schedule.of(kernel, path)
        states = schedule.states(kernel)
        if lasso is None and not lost:
            check_end(kernel, self.asked, name, states)
        cycle = None
        if lasso is not None:
            check_lasso(kernel, self.asked, name, path, lasso)
            whole = Schedule.of(kernel, path + lasso)
            cycle = Schedule(whole.steps[len(path) :], whole.origin)
        failed = kernel.failed(states[-1])
        failure = "" if failed is None else kernel.process_state(states[-1], failed).failure
        hangs = self.deadlock is not None and name == self.deadlock.name
        servers = lost is not None and lost.verb == SERVERS
        point = None
        if hangs and not servers and not self.any_witness:
            asked = partial(no_return, kernel, self.symmetry, self.knots, self.limits, states)
            point = self.limits.in_time(asked, None)
        return Counterexample(
            name,
            schedule,
            kernel.view(states[-1]),
            cycle,
            how,
            point,
            failure,
            "" if lost is None else lost.told,
            kernel,
            hangs and not servers,
            lost.name if lost is not None and lost.verb == "move" else "",
            {} if lost is None else lost.ends,
        )

    def _where_it_shows(self, found: Found) -> Found:
        """Return the nearest state in which the hang that was found shows, to whoever asks about everybody in it."""
        space = self.space
        if space.omission or self.deadlock is None or found.name != self.deadlock.name:
            return found  # with hash compaction the states that are nearer are not there any more
        with suppress(OutOfBudget):
            space.deepen(self, space.depths[found.state])
        near = self._nearer(space, found.state)
        self._doubtful = doubtful(self.kernel, space.states, space.graph, near) if near <= MOST_NEARER else None
        if self._doubtful is None or len(self._doubtful) > MOST_ASKED:
            return found
        number = first_stuck(self.kernel, self.knots, space.states, self._doubtful)
        self._all_asked = self.knots.guessing
        return found if number is None else Found(found.name, number)

    def _nearer(self, space: Any, state: int) -> int:
        """Return how many states are nearer than ``state``; they are the first ones."""
        distance = space.depths[state]
        return next(number for number in range(len(space.states)) if space.depths[number] == distance)
