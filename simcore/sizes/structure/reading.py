"""Each program of a model is walked alone, with every result that its operations may ever give.

No state of the model is explored. What a place holds is worked out along the way, so it is a function of the place by
construction. What tasks return and what variables hold depends on what others do; so all programs are walked again
until nothing new turns up, and then every branch that any run can take has been taken, and maybe more.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from simcore.errors import ModelError
from simcore.kernel import Kernel, Point
from simcore.model import Model
from simcore.model.objects import Task, ThreadPool
from simcore.sizes.structure.steps import Place, Refused, Steps, Values, Wait, Work, mentioned, placed

MOST_PLACES = 3000


@dataclass(eq=False)
class Walk:
    """All places of a program, each with what it waits for and where it leads.

    Attributes
    ----------
    places : list of Place
        In the order in which they were met; the first is the start.
    waits : list
        What each waits for; None where it never waits.
    after : list of list of int
        Where each leads.
    submits : list of (int, Work)
        The places that submit a task, and which.
    drops : set of Work
        Tasks whose futures are forgotten somewhere before they are known to have ended.
    """

    places: list[Place] = field(default_factory=list)
    waits: list[Wait] = field(default_factory=list)
    after: list[list[int]] = field(default_factory=list)
    submits: list[tuple[int, Work]] = field(default_factory=list)
    drops: set[Work] = field(default_factory=set)


class Reading:
    """The programs of a model, walked.

    Parameters
    ----------
    model : Model
        Any model.

    Attributes
    ----------
    processes : list of Work
        What each process runs that is no worker.
    walks : dict
        The walk of each, and of all tasks that may be submitted.

    Raises
    ------
    Refused
        When an operation is not of the class (`steps.py`), or a process may die.
    """

    def __init__(self, model: Model) -> None:
        self._points = Kernel(model).points
        self._starts: dict[Work, Point] = {}
        self._steps = Steps(self._begin)
        self.processes = []
        for process in model.processes:
            if process.pool is None:
                assert process.fn is not None
                start = self._points.start(process.name, process.fn, process.args)
                self.processes.append(Work(start.program))
                self._starts[self.processes[-1]] = start
        self.walks: dict[Work, Walk] = {}
        self._walk_all()

    def _begin(self, pool: ThreadPool, task: Task) -> Point:
        start = self._points.begin(task)
        return self._starts.setdefault(Work(start.program, pool), start)

    def _walk_all(self) -> None:
        """Walk all programs until there is no other result, value or task."""
        known = -1
        while known < (known := self._steps.met + len(self._starts)):
            for work in list(self._starts):
                self.walks[work] = self._walk(work)

    def _walk(self, work: Work) -> Walk:
        walk, numbers = Walk(), dict[Place, int]()
        held = () if work.pool is None else ((work.pool.name, 1),)
        ahead = [Place(self._starts[work], held, ())]
        numbers[ahead[0]] = 0
        for place in ahead:  # which grows meanwhile
            if len(ahead) > MOST_PLACES:
                raise Refused(f"{work.program.name} has more than {MOST_PLACES} places: its data or what it holds grow")
            walk.places.append(place)
            here: list[int] = []
            for following in self._from(work, walk, place):
                if following not in numbers:
                    numbers[following] = len(ahead)
                    ahead.append(following)
                here.append(numbers[following])
            walk.after.append(here)
        return walk

    def _from(self, work: Work, walk: Walk, place: Place) -> list[Place]:
        """Return where ``place`` leads, and note in ``walk`` what it waits for."""
        if place.point.status != "ready":
            walk.waits.append(None)
            walk.drops.update(place.awaited)
            self._end(work, place)
            return []
        wait, ways = self._steps.of(place)
        walk.waits.append(wait)
        places = []
        for way in ways:
            if way.submits is not None:
                walk.submits.append((len(walk.places) - 1, way.submits))
            point = self._points.advance(place.point, way.result)
            held = tuple(sorted((name, depth) for name, depth in way.held.items() if depth))
            kept = tuple(each for each in way.kept if each.future in point.objects)
            walk.drops.update(each.work for each in way.kept if each not in kept and not each.ended)
            if any(self._steps.made(thing) and thing not in [k.future for k in kept] for thing in point.objects):
                raise Refused(f"{placed(place)}: then it has a future that it has not submitted")
            places.append(Place(point, held, kept))
        return places

    def _end(self, work: Work, place: Place) -> None:
        """Take what a program returns for a result of it, and refuse what does not end as it should."""
        point = place.point
        if work.pool is None:
            if point.status == "failed":
                raise Refused(f"{point.program.name} may die of {point.outcome}; what it holds would be lost")
            return
        try:
            outcome = point.given
        except ModelError as error:
            raise Refused(str(error)) from error
        if any(self._steps.made(thing) for thing in mentioned(outcome)):
            raise Refused(f"{point.program.name} returns a future, so another one may wait for it")
        if place.units != {work.pool.name: 1}:
            kept = ", ".join(name for name in place.units if name != work.pool.name)
            raise Refused(f"{point.program.name} ends and keeps {kept}, which nobody gives back")
        self._steps.results.setdefault(work, Values()).add(outcome)
