"""A report is reproduced when every claim in it has been shown, and each claim that fails is said to fail.

A report is a TOML file: what was seen, with which versions, the model before and after the fix, and what is
expected. `reproduce` takes it through all drivers: the hang is found and explained, made to happen in virtual
time and on real threads and sockets, its fix is proved, the proof is tested by taking the fix out, and both
versions are run for real at the reported size.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from simcore.command.reproduce.report import Report, changed, in_family
from simcore.command.reproduce.result import Reproduction
from simcore.errors import MissingExtra, ScheduleError
from simcore.execute import Execution, execute
from simcore.explore import Counterexample, Progress, Result, explore
from simcore.kernel import Kernel
from simcore.model import DEADLOCK_FREE, Origin, Parameter, Property, State, Verdict, build, eventually
from simcore.report import as_json, check_folder, table, write_folder
from simcore.schedule import Schedule
from simcore.simulate import exponential, simulate

REPLAYS = 3
"""Real replays of the counterexample; every one must be stuck."""

SEEN_STUCK_WITHIN = 2.0
"""Seconds from the last progress of a real run to the moment in which it is known to be stuck."""


EXPLORE_SECONDS = 120.0
"""Seconds that one exploration may take; what is undetermined then has not been shown."""


_VERDICTS = {Verdict.VIOLATED: "hang", Verdict.HOLDS: "free", Verdict.UNDETERMINED: "?"}
_COLUMNS = ("version", "completed in the report", "measured here", "end", "time", "over TCP, checksums right", "kernel")

Say = Callable[[str, str], None]


def reproduce(
    report: Report, out: Path, say: Say, working: Callable[[str], None], progress: Callable[[Progress], None] | None
) -> Reproduction:
    """Take ``report`` through all drivers and write what came out to the folder ``out``.

    Parameters
    ----------
    say : function
        Called with heading and text of each section when it is finished.
    working : function
        Called with what is being done, for a progress line.
    progress : function, optional
        Called while exploring.

    Raises
    ------
    SimcoreError
        When a model cannot be built or ``out`` cannot be written, which is tried before anything else. Nothing
        is left half written.
    """
    check_folder(out)
    done = Reproduction(report)
    run = _Run(report, done, working, progress)
    run.check()
    for heading, section in (
        ("The report", run.the_report),
        ("1. The hang, found and explained", run.find),
        ("2. The hang, made to happen", run.replay),
        ("3. The fix, proved", run.prove),
        ("4. Both versions for real, undirected", run.free),
    ):
        text = section()
        done.sections.append((heading, text))
        say(heading, text)
    working("drawing")
    left_out = run.draw()
    files = done.files()
    write_folder(out, files)
    say("Written", f"{out}/ ({', '.join(sorted(files))})\n{left_out}{done.verdict}")
    return done


class _Run:
    """The sections, in order; later ones use what earlier ones found."""

    counterexample: Counterexample | None = None
    full: Schedule | None = None

    def __init__(
        self,
        report: Report,
        done: Reproduction,
        working: Callable[[str], None],
        progress: Callable[[Progress], None] | None,
    ) -> None:
        self.report, self.done, self.working, self.progress = report, done, working, progress

    def check(self) -> None:
        """Try everything that the report names, before anything takes long."""
        self.working("building the models")
        self.report.check()
        for origin in (self.report.before, self.report.after):
            simulate(build(origin), latency=self.report.latency, max_steps=1)

    def explore(self, doing: str, origin: Origin, *properties: Property) -> Result:
        self.working(f"{doing} {_call(origin)}")
        return explore(build(origin), *properties, max_seconds=EXPLORE_SECONDS, progress=self.progress)

    def the_report(self) -> str:
        report = self.report
        self.done.data["report"] = {"link": report.link, "system": report.system, "versions": report.versions}
        return "\n".join(
            [
                report.title,
                report.link,
                f"{report.system} {report.versions[0]}, fixed in {report.versions[1]}",
                "",
                report.seen,
                "",
                f"before: {_call(report.before)}",
                f"after:  {_call(report.after)}",
            ]
        )

    def find(self) -> str:
        result = self.explore("exploring", changed(self.report.before, self.report.explored))
        done = self.done
        done.data["find"], done.found = as_json(result), result
        claim = f"before the fix a hang is reachable at the reported size ({result.bound})"
        lines = [str(result), "", *self._at_full_size(result.counterexample)]
        return "\n".join([*lines, done.check(claim, _violated(result)), *self._exactly(), *self._law()])

    def _at_full_size(self, found: Counterexample | None) -> list[str]:
        """Carry what was found over to the size of the report."""
        claim = f"its schedule is one of the full size ({_parameters(self.report.before.parameters)})"
        if found is None:
            return []
        self.counterexample, self.done.mermaid = found, found.wait_for.mermaid()
        try:
            self.full = _carried_over(found.schedule, self.report.before)
        except ScheduleError as error:
            return [f"at full size: {error}", self.done.check(claim, False)]
        self.done.data["find"]["full_token"] = self.full.token
        return [
            f"explored with {_parameters(self.report.explored)}; "
            f"the report ran {_parameters(self.report.before.parameters)}.",
            f"Enough, because {self.report.why}.",
            f"replay at full size: simcore replay {self.full.token}",
            "",
            self.done.check(claim, True),
        ]

    def _exactly(self) -> list[str]:
        """Ask again at the smallest size that can hang, where no budget is needed."""
        if not self.report.smallest:
            return []
        smallest = changed(changed(self.report.before, self.report.explored), self.report.smallest)
        found = self.explore("exploring", smallest).counterexample
        self.done.data["smallest"] = None if found is None else {"steps": len(found.schedule), "token": found.token}
        shown = self.done.check(f"a hang is reachable with {_parameters(smallest.parameters)}", found is not None)
        if found is None:
            return ["", shown]
        point = found.no_return.describe(found.schedule) if found.no_return else "no point of no return was found"
        return ["", shown, f"  in {len(found.schedule)} steps, {found.shortest};", f"  {point}"]

    def _law(self) -> list[str]:
        """Explore a small grid of sizes and compare it with the law that the report claims."""
        law = self.report.law
        if law is None:
            return []
        rows, columns = law.rows, law.columns
        explored = changed(self.report.before, self.report.explored)
        grid = [
            [
                _VERDICTS[
                    self.explore(
                        "exploring", changed(explored, {rows.parameter: row, columns.parameter: column})
                    ).verdict
                ]
                for column in columns.values
            ]
            for row in rows.values
        ]
        self.done.data["grid"] = {"rows": rows._asdict(), "columns": columns._asdict(), "verdicts": grid}
        claimed = [["hang" if row >= column else "free" for column in columns.values] for row in rows.values]
        width = len(rows.parameter)
        lines = ["", f"every size, every interleaving ({rows.parameter} down, {columns.parameter} across):"]
        lines.append(" " * width + "".join(f"{column:>6}" for column in columns.values))
        for row, verdicts in zip(rows.values, grid, strict=True):
            lines.append(f"{row:>{width}}" + "".join(f"{verdict:>6}" for verdict in verdicts))
        return [*lines, self.done.check(law.text, grid == claimed)]

    def replay(self) -> str:
        virtual, text = self._replay_in_virtual_time()
        runs, texts = self._replay_for_real()
        last = [f"  {line}" for run in runs[-1:] for line in run.wait_for.explain()]
        in_time = all(run.status == "stuck" and (run.stuck_after or 0) < SEEN_STUCK_WITHIN for run in runs)
        all_ran = len(runs) == REPLAYS
        self.done.data["replay"] = {
            "simulate": virtual,
            "execute": [
                {"status": run.status, "stuck_after": run.stuck_after, "explained": run.explained} for run in runs
            ],
        }
        claims = [
            ("the token hangs in virtual time", virtual == "stuck"),
            (f"it hangs for real, {REPLAYS} of {REPLAYS}, seen to be stuck in under 2 s", all_ran and in_time),
            ("the kernel explains these runs", all_ran and all(run.explained for run in runs)),
        ]
        lines = [text, *texts, ""]
        if runs:
            lines += ["from the live threads of the last run:", *last, ""]
        return "\n".join([*lines, *(self.done.check(claim, shown) for claim, shown in claims)])

    def _replay_in_virtual_time(self) -> tuple[str, str]:
        """Return how it ended, and the same in words."""
        if self.full is None:
            return "not run", "virtual time: there is no schedule to replay"
        self.working("replaying in virtual time")
        try:
            run = simulate(build(self.report.before), schedule=self.full)
        except ScheduleError as error:
            return "departed", f"virtual time: {error}"
        further = run.steps - len(self.full)
        return run.status, f"virtual time: {run.status} after {len(self.full)} scheduled and {further} further steps"

    def _replay_for_real(self) -> tuple[list[Execution], list[str]]:
        """Return the runs, and what became of each in words; the first that departs is the last."""
        runs: list[Execution] = []
        if self.full is None:
            return runs, ["real threads: there is no schedule to replay"]
        texts: list[str] = []
        for number in range(1, REPLAYS + 1):
            self.working(f"replaying on real threads and sockets, {number} of {REPLAYS}")
            what = f"real threads, ThreadPoolExecutor, TCP, run {number}:"
            try:
                run = execute(build(self.report.before), schedule=self.full)
            except ScheduleError as error:
                return runs, [*texts, f"{what} {error}"]
            runs.append(run)
            texts.append(f"{what} {run.status}, {_stuck_after(run)}")
        return runs, texts

    def prove(self) -> str:
        completes = _completes(self.report.family)
        rows, proofs = [], []
        for proof in self.report.proofs:
            asked = (DEADLOCK_FREE, completes) if proof.completes else (DEADLOCK_FREE,)
            result = self.explore("proving", changed(self.report.after, proof.parameters), *asked)
            proofs.append(result)
            reduction = result.strategy.partition(", ")[2] or "no reduction"
            counted = f"{result.states:>9,} states {result.transitions:>9,} steps {result.seconds:>5.1f} s"
            rows.append(f"{result.verdict}: {result.property:<42} {counted}  {reduction}  {result.bound}")
        mutant = self.explore("taking the fix out:", changed(self.report.after, self.report.mutation))
        self.done.data["prove"] = [as_json(result) for result in proofs]
        self.done.data["mutation"] = as_json(mutant)
        holds = all(result.verdict is Verdict.HOLDS for result in proofs)
        claim = f"after the fix no hang is reachable and, where asked, every {self.report.family} completes, for these"
        vacuous = "without the fix the hang is found again, so the proof is not vacuous"
        return "\n".join(
            [
                *rows,
                "",
                self.done.check(f"{claim} sizes", holds),
                "larger sizes are not proved here; they are run for real below",
                "",
                f"the fix taken out ({mutant.bound}):",
                str(mutant),
                self.done.check(vacuous, _violated(mutant)),
            ]
        )

    def free(self) -> str:
        rows, checks = [], []
        for name, version, origin, expected in (
            ("before", self.report.versions[0], self.report.before, self.report.expected[0]),
            ("after", self.report.versions[1], self.report.after, self.report.expected[1]),
        ):
            self.working(f"running {_call(origin)} for real")
            run = execute(build(origin))
            ends = [state.done for state in _family(run.state, self.report.family)]
            finished, total = sum(ends), len(ends)
            frames = f"{run.frames:,} frames, {run.bytes:,} bytes"
            counted = [f"{expected} of {total}", f"{finished} of {total}", run.status, f"{run.seconds:.1f} s"]
            rows.append([f"{name} ({version})", *counted, frames, _explained(run)])
            end = "completed" if expected == total else "stuck"
            claim = f"{name} the fix {expected} of {total} complete, and the run ends {end}"
            checks.append(self.done.check(claim, (finished, run.status) == (expected, end)))
            checks.append(self.done.check(f"the kernel explains the run {name} the fix", bool(run.explained)))
        self.done.data["free"] = [dict(zip(_COLUMNS, row, strict=True)) for row in rows]
        return "\n\n".join([table(_COLUMNS, rows), "\n".join(f"- {line}" for line in checks)])

    def draw(self) -> str:
        """Draw the wait-for graph of the counterexample, and both versions' pools in virtual time.

        No claim rests on a picture: without matplotlib none is drawn, and a line says which are left out.
        """
        try:
            from simcore.report.pictures import in_use, picture_of_occupancy, picture_of_waits
        except MissingExtra as missing:
            names = ["occupancy.png", "wait-for.png"] if self.counterexample is not None else ["occupancy.png"]
            return f"without {' and '.join(names)}: {missing}\n"
        if self.counterexample is not None:
            title = f"Who waits for whom at the end of the schedule: {self.report.system} {self.report.versions[0]}"
            self.done.pictures["wait-for.png"] = picture_of_waits(self.counterexample.wait_for, title)
        runs = {}
        for name, origin in (("before", self.report.before), ("after", self.report.after)):
            self.working(f"simulating {_call(origin)}")
            latency = {key: exponential(mean) for key, mean in self.report.latency.items()}
            runs[name] = simulate(build(origin), latency=latency)
        end = max(run.time for run in runs.values())
        panels = {
            f"{name} the fix: {run.status} at {1000 * run.time:.1f} ms": in_use(run, end) for name, run in runs.items()
        }
        title = "What is in use: busy workers of each pool, or slots where there is no pool"
        if self.report.latency:
            title += "; exponentially distributed latencies with the means of the report, seed 0"
        self.done.pictures["occupancy.png"] = picture_of_occupancy(panels, title)
        return ""


def _violated(result: Result) -> bool:
    return result.verdict is Verdict.VIOLATED


def _carried_over(schedule: Schedule, origin: Origin) -> Schedule:
    """Return the same steps on the model that ``origin`` builds; raises Diverged when they are not possible there."""
    kernel = Kernel(build(origin))
    carried = Schedule(schedule.steps, origin)
    carried.states(kernel)
    return Schedule.of(kernel, carried.path(kernel))


def _completes(family: str) -> Property:
    def all_done(state: State) -> bool:
        return all(process.done for process in _family(state, family))

    return eventually(all_done, f"every {family} completes")


def _family(state: State, family: str) -> list[Any]:
    return [process for process in state.processes if in_family(family, process.name)]


def _call(origin: Origin) -> str:
    return f"{origin.function}({_parameters(origin.parameters)})"


def _parameters(parameters: Mapping[str, Parameter]) -> str:
    return ", ".join(f"{name}={value}" for name, value in parameters.items())


def _stuck_after(run: Execution) -> str:
    return f"known {run.stuck_after:.2f} s after its last step" if run.stuck_after is not None else "not stuck"


def _explained(run: Execution) -> str:
    return {True: "explains it", False: "cannot explain it", None: "undetermined"}[run.explained]
