"""Each program of a model is walked alone, with every result that its operations may ever give.

No state of the model is explored. What a place holds is worked out along the way, so it is a function of the place by
construction. What tasks return, what variables hold and what is sent depends on what others do; so all programs are
walked again until nothing new turns up, and then every branch that any run can take has been taken, and maybe more.

A server is a daemon that begins by taking something from a queue or a link, and is alone in doing that. It is read as a
pool with one worker, whose tasks are the messages: one is in the queue until it is taken, and is done when the server
comes back to take the next one.
"""

from __future__ import annotations

from simcore.errors import ModelError
from simcore.kernel import Kernel, Point, Program
from simcore.kernel.freeze import Freezer
from simcore.model import Model, Process
from simcore.sizes.structure.answers import Answers
from simcore.sizes.structure.steps import Mail, Place, Refused, Steps, Values, Way, Work, mentioned, placed
from simcore.sizes.structure.walk import Walk

MOST_PLACES = 3000


class Reading:
    """The programs of a model, walked.

    Parameters
    ----------
    model : Model
        Any model.

    Attributes
    ----------
    processes : list of Work
        What each process runs that is no worker and no server.
    servers : dict of str to Work
        The servers, by the names of what they empty.
    walks : dict
        The walk of each process, and of all tasks and messages that there may be.
    deaths : list of str
        Which processes may die, and of what. One that is dead is where it will stay, with what it holds, as one that
        has returned is; that it died is another failure than a hang.
    answers : Answers
        Who has to see to it that somebody is answered.

    Raises
    ------
    Refused
        When an operation is not of the class (`steps.py`).
    """

    def __init__(self, model: Model) -> None:
        self._points = Kernel(model).points
        self.processes: list[Work] = []
        self.servers: dict[str, Work] = {}
        self.deaths: list[str] = []
        self._steps = Steps(self._points, self.servers)
        for process in model.processes:
            if process.pool is None:
                self._add(process)
        self.walks: dict[Work, Walk] = {}
        self.answers = Answers(self.walks, [])
        self._walk_all()
        self.answers = Answers(self.walks, self.processes)
        if self.answers.owners:
            self._walk_all()

    def _add(self, process: Process) -> None:
        assert process.fn is not None
        start = self._points.start(process.name, process.fn, process.args)
        about = start.operation
        if process.daemon and about is not None and about.name in ("get", "recv") and not about.target.tries(about):
            server = Work(start.program, process.name)
            self._steps.sent[about.target.name] = Values()
            if about.target.name in self.servers:
                raise Refused(f"{process.name}, {start.where}: is not alone in emptying {about.target}")
            self.servers[about.target.name] = server
            self._steps.starts[server] = [start]
            return
        program = self._steps.program(start, Program(process.name, process.fn, process.args))
        self.processes.append(Work(program))
        self._steps.starts[self.processes[-1]] = [start]

    def _walk_all(self) -> None:
        """Walk all programs until there is no other result, value, task or message."""
        known = -1
        while known < (known := self._steps.met + sum(map(len, self._steps.starts.values()))):
            for work, starts in list(self._steps.starts.items()):
                if work not in self.servers.values():
                    self.walks[work] = self._walk(work, starts)
            for name, server in self.servers.items():
                for item in self._steps.sent[name]:
                    work = server._replace(message=Freezer().freeze(item))
                    starts = [self._points.advance(point, item) for point in self._steps.starts[server]]
                    self.walks[work] = self._walk(work, starts)

    def _walk(self, work: Work, starts: list[Point]) -> Walk:
        held = ((work.host, 1),) if work.host else ()
        owes = self.answers.owed_at_first(work)
        ahead = list(dict.fromkeys(Place(point, held, work.given, owes) for point in starts))
        walk, numbers = Walk(len(ahead)), {place: number for number, place in enumerate(ahead)}
        for place in ahead:  # which grows meanwhile
            if len(ahead) > MOST_PLACES:
                raise Refused(f"{work.program.name} has more than {MOST_PLACES} places: its data or what it holds grow")
            here: list[int] = []
            for following in self._from(work, walk, place):
                if following not in numbers:
                    numbers[following] = len(ahead)
                    ahead.append(following)
                here.append(numbers[following])
            walk.places.append(place)
            walk.after.append(here)
        return walk

    def _from(self, work: Work, walk: Walk, place: Place) -> list[Place]:
        """Return where ``place`` leads, and note in ``walk`` what it waits for."""
        walk.ended.append(place.point.status != "ready" or self._serves_next(work, place))
        if walk.ended[-1]:
            walk.waits.append(None)
            walk.drops.update(place.awaited)
            self._end(work, place)
            return []
        wait, ways = self._steps.of(place)
        walk.waits.append(wait)
        if isinstance(wait, Mail):  # whether or not anything ever comes
            walk.gets.add(wait.queue)
            self.answers.check_wait(place)
        return [self._following(work, walk, place, way) for way in ways]

    def _following(self, work: Work, walk: Walk, place: Place, way: Way) -> Place:
        if way.submits is not None:
            walk.submits.append((len(walk.places), way.submits))
            walk.drops |= {way.submits} if way.submits.message is not None else set()
        walk.puts |= {way.puts} - {""}
        point = self._points.advance(place.point, way.result)
        held = tuple(sorted((name, depth) for name, depth in way.held.items() if depth))
        kept = tuple(each for each in way.kept if each.future in point.objects)
        walk.drops.update(each.work for each in way.kept if each not in kept and each.awaited)
        if any(self._steps.made(thing) and thing not in [each.future for each in kept] for thing in point.objects):
            raise Refused(f"{placed(place)}: then it has a future that it has not submitted")
        return Place(point, held, kept, self.answers.owed(work, place, way))

    def _serves_next(self, work: Work, place: Place) -> bool:
        """Tell whether a server has done with a message, and takes the next one."""
        about = place.point.operation
        if work.message is None or about is None:
            return False
        return self.servers.get(about.target.name) == work._replace(message=None) and about.name in ("get", "recv")

    def _end(self, work: Work, place: Place) -> None:
        """Take what a program returns for a result of it, and refuse what does not end as it should."""
        point = place.point
        if not work.host:
            if point.status == "failed":
                self.deaths.append(f"{point.program.name} may die of {point.outcome}")
            return
        if place.units != {work.host: 1}:
            kept = ", ".join(name for name in place.units if name != work.host)
            raise Refused(f"{point.program.name} ends and keeps {kept}, which nobody gives back")
        self.answers.check_end(work, place)
        if work.message is not None:
            self._served(work, point)
            return
        try:
            outcome = point.given
        except ModelError as error:
            raise Refused(str(error)) from error
        if any(self._steps.made(thing) for thing in mentioned(outcome)):
            raise Refused(f"{point.program.name} returns a future, so another one may wait for it")
        self._steps.results.setdefault(work, Values()).add(outcome)

    def _served(self, work: Work, point: Point) -> None:
        """Note where a server stands when it takes the next message."""
        if point.status != "ready":
            raise Refused(f"{work.host}, {point.where}: ends, or dies, and what is sent to it then waits for ever")
        about = point.operation
        assert about is not None
        if about.timeout is not None or about.target.tries(about):
            raise Refused(f"{work.host}, {point.where}: {about} does not wait for the next message for ever")
        known = self._steps.starts[work._replace(message=None)]
        if point not in known:
            known.append(point)
