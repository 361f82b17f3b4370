"""A report is reproduced when every claim in it has been shown, and each claim that fails is said to fail.

A report is a TOML file: what was seen, with which versions, the model before and after the fix, and what is
expected. `reproduce` takes it through all drivers: the hang is found and explained, made to happen in virtual
time and on real threads and sockets, its fix is proved, the proof is tested by taking the fix out, and both
versions are run for real at the reported size.
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from simcore.delays import exponential
from simcore.errors import OptionError
from simcore.execute import Execution, execute
from simcore.explore import Progress, explore
from simcore.kernel import Kernel
from simcore.model import Origin, Parameter, build
from simcore.report import as_json, picture_of_occupancy, picture_of_waits, table, write_folder
from simcore.result import Counterexample, Result
from simcore.schedule import Schedule
from simcore.simulate import simulate
from simcore.simulation import Simulation
from simcore.spec import DEADLOCK_FREE, Property, Verdict, eventually
from simcore.state import State

REPLAYS = 3
"""Real replays of the counterexample; every one must be stuck."""

SEEN_STUCK_WITHIN = 2.0
"""Seconds from the last progress of a real run to the moment in which it is known to be stuck."""


@dataclass(frozen=True)
class Report:
    """What a report file says. ``before`` and ``after`` build the models at the reported size."""

    name: str
    title: str
    link: str
    system: str
    versions: tuple[str, str]
    seen: str
    before: Origin
    after: Origin
    family: str
    expected: tuple[int, int]
    explored: Mapping[str, Parameter]
    why: str
    smallest: Mapping[str, Parameter]
    law: Mapping[str, Any] | None
    proofs: tuple[Mapping[str, Any], ...]
    mutation: Mapping[str, Parameter]
    latency: Mapping[str, float]


def load(path: Path) -> Report:
    """Read a report file.

    Raises
    ------
    OptionError
        When it cannot be read, is no TOML, or lacks something; the message names it.
    """
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise OptionError(f"report {path} cannot be read: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise OptionError(f"report {path} is no valid TOML: {error}") from error
    try:
        return _report(path.stem, content)
    except KeyError as error:
        raise OptionError(f"report {path} lacks {error.args[0]!r}; models/reports has a complete one") from error
    except (TypeError, AttributeError) as error:
        raise OptionError(
            f"report {path}: a value has the wrong type ({error}); models/reports has a complete one"
        ) from error


def _report(name: str, content: Mapping[str, Any]) -> Report:
    models, expected, explored = content["models"], content["expected"], content["explore"]
    return Report(
        name,
        content["title"],
        content["link"],
        content["system"],
        (content["before"], content["after"]),
        content["seen"].strip(),
        Origin(models["before"]["function"], dict(models["before"]["parameters"])),
        Origin(models["after"]["function"], dict(models["after"]["parameters"])),
        expected["process"],
        (int(expected["before"]), int(expected["after"])),
        dict(explored["parameters"]),
        explored["why"].strip(),
        dict(explored.get("smallest", {})),
        content.get("law"),
        tuple(dict(proof) for proof in content["prove"]),
        dict(content["mutation"]["parameters"]),
        dict(content.get("simulate", {}).get("latency", {})),
    )


@dataclass
class Reproduction:
    """What came out, section by section.

    Attributes
    ----------
    sections : list of (str, str)
        Heading and text, as printed and as written in Markdown.
    data : dict
        The same as plain data, for JSON.
    failed : list of str
        Claims of the report that could not be shown.
    pictures : dict of str to bytes
        File name to PNG.
    """

    report: Report
    sections: list[tuple[str, str]] = field(default_factory=list)
    data: dict[str, Any] = field(default_factory=dict)
    failed: list[str] = field(default_factory=list)
    pictures: dict[str, bytes] = field(default_factory=dict)

    def check(self, claim: str, shown: bool) -> str:
        """Note whether a claim was shown, and return it with its mark."""
        if not shown:
            self.failed.append(claim)
        return f"[{'ok' if shown else 'NOT SHOWN'}] {claim}"

    @property
    def markdown(self) -> str:
        """The whole report as Markdown."""
        parts = [f"# {self.report.title}", ""]
        for heading, text in self.sections:
            body = text if text.startswith("|") else f"```text\n{text}\n```"
            parts += [f"## {heading}", "", body, ""]
        parts += [f"![{name}]({name})\n" for name in sorted(self.pictures)]
        return "\n".join(parts)

    def files(self) -> dict[str, bytes | str]:
        """Return everything that the folder holds, by file name."""
        graph = self.data["find"].pop("mermaid")
        whole = {"title": self.report.title, "failed": self.failed, **self.data}
        written: dict[str, bytes | str] = dict(self.pictures)
        written["report.md"] = self.markdown
        written["report.json"] = json.dumps(whole, indent=2) + "\n"
        written["wait-for.mmd"] = graph + "\n"
        return written


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
        When a model cannot be built or ``out`` cannot be written. Nothing is left half written.
    """
    done = Reproduction(report)
    run = _Run(report, done, working, progress)
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
    run.draw()
    write_folder(out, done.files())
    names = ", ".join(sorted([*done.pictures, "report.md", "report.json", "wait-for.mmd"]))
    verdict = "everything in the report was shown" if not done.failed else "NOT SHOWN: " + "; ".join(done.failed)
    say("Written", f"{out}/ ({names})\n{verdict}")
    return done


class _Run:
    """The sections, in order; later ones use what earlier ones found."""

    counterexample: Counterexample
    full: Schedule
    simulated: Simulation

    def __init__(
        self,
        report: Report,
        done: Reproduction,
        working: Callable[[str], None],
        progress: Callable[[Progress], None] | None,
    ) -> None:
        self.report, self.done, self.working, self.progress = report, done, working, progress

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
        before = _with(self.report.before, self.report.explored)
        self.working(f"exploring {_call(before)}")
        result = explore(build(before), progress=self.progress)
        done = self.done
        done.data["find"] = as_json(result)
        lines = [str(result), ""]
        found = done.check(
            f"before the fix a hang is reachable at the reported size ({result.bound})", _violated(result)
        )
        if result.counterexample is not None:
            self.counterexample = result.counterexample
            self.full = _carried_over(result.counterexample.schedule, self.report.before)
            done.data["find"] |= {"mermaid": result.counterexample.wait_for.mermaid(), "full_token": self.full.token}
            lines += [
                f"explored with {_parameters(self.report.explored)}; "
                f"the report ran {_parameters(self.report.before.parameters)}.",
                f"Enough, because {self.report.why}.",
                f"replay at full size: simcore replay {self.full.token}",
                "",
            ]
        return "\n".join([*lines, found, *self._exactly(), *self._law()])

    def _exactly(self) -> list[str]:
        """Ask again at the smallest size that can hang, where no budget is needed."""
        if not self.report.smallest:
            return []
        smallest = _with(_with(self.report.before, self.report.explored), self.report.smallest)
        self.working(f"exploring {_call(smallest)}")
        found = explore(build(smallest)).counterexample
        self.done.data["smallest"] = None if found is None else {"steps": len(found.schedule), "token": found.token}
        if found is None:
            return [self.done.check(f"a hang is reachable with {_parameters(smallest.parameters)}", False)]
        point = found.no_return.describe(found.schedule) if found.no_return else "its point of no return is not known"
        return [
            "",
            f"with {_parameters(smallest.parameters)}: {len(found.schedule)} steps, {found.shortest};",
            f"  {point}",
        ]

    def _law(self) -> list[str]:
        """Explore a small grid of sizes and compare it with the law that the report claims."""
        law = self.report.law
        if law is None:
            return []
        rows, columns = law["rows"], law["columns"]
        grid = []
        for row in rows["values"]:
            verdicts = []
            for column in columns["values"]:
                sizes = {**self.report.explored, rows["parameter"]: row, columns["parameter"]: column}
                self.working(f"exploring {_parameters(sizes)}")
                verdicts.append("hang" if _violated(explore(build(_with(self.report.before, sizes)))) else "free")
            grid.append([row, *verdicts])
        self.done.data["grid"] = {"rows": rows, "columns": columns, "verdicts": [line[1:] for line in grid]}
        agrees = all(
            (verdict == "hang") == (row >= column)
            for row, *verdicts in grid
            for column, verdict in zip(columns["values"], verdicts, strict=True)
        )
        width = len(rows["parameter"])
        lines = ["", f"every size, every interleaving ({rows['parameter']} down, {columns['parameter']} across):"]
        lines.append(" " * width + "".join(f"{column:>6}" for column in columns["values"]))
        lines += [f"{row:>{width}}" + "".join(f"{verdict:>6}" for verdict in verdicts) for row, *verdicts in grid]
        return [*lines, self.done.check(law["text"], agrees)]

    def replay(self) -> str:
        self.working("replaying in virtual time")
        self.simulated = simulate(build(self.report.before), schedule=self.full)
        lines = [
            f"virtual time: {self.simulated.status} after {len(self.full)} scheduled and "
            f"{self.simulated.steps - len(self.full)} further steps"
        ]
        runs = []
        for number in range(1, REPLAYS + 1):
            self.working(f"replaying on real threads and sockets, {number} of {REPLAYS}")
            run = execute(build(self.report.before), schedule=self.full)
            runs.append(run)
            lines.append(f"real threads, ThreadPoolExecutor, TCP, run {number}: {run.status}, {_stuck_after(run)}")
        real = all(run.status == "stuck" and (run.stuck_after or 0) < SEEN_STUCK_WITHIN for run in runs)
        self.done.data["replay"] = {
            "simulate": self.simulated.status,
            "execute": [
                {"status": run.status, "stuck_after": run.stuck_after, "explained": run.explained} for run in runs
            ],
        }
        lines += [
            "",
            "from the live threads of the last run:",
            *(f"  {line}" for line in runs[-1].wait_for.explain()),
            "",
        ]
        lines.append(self.done.check("the token hangs in virtual time", self.simulated.status == "stuck"))
        lines.append(self.done.check(f"it hangs for real, {REPLAYS} of {REPLAYS}, seen to be stuck in under 2 s", real))
        lines.append(self.done.check("the kernel explains these runs", all(run.explained for run in runs)))
        return "\n".join(lines)

    def prove(self) -> str:
        completes = _completes(self.report.family)
        rows, proofs = [], []
        for proof in self.report.proofs:
            asked = (DEADLOCK_FREE, completes) if proof.get("completes", True) else (DEADLOCK_FREE,)
            origin = _with(self.report.after, proof["parameters"])
            self.working(f"proving {_call(origin)}")
            result = explore(build(origin), *asked, progress=self.progress)
            proofs.append(result)
            reduction = "workers interchangeable" if "interchangeable" in result.strategy else "no reduction"
            counted = f"{result.states:>9,} states {result.transitions:>9,} steps {result.seconds:>5.1f} s"
            rows.append(f"{result.verdict}: {result.property:<42} {counted}  {reduction}  {result.bound}")
        self.working("taking the fix out")
        mutant = explore(
            build(_with(self.report.after, self.report.mutation)), *(DEADLOCK_FREE,), progress=self.progress
        )
        self.done.data["prove"] = [as_json(result) for result in proofs]
        self.done.data["mutation"] = as_json(mutant)
        holds = all(result.verdict is Verdict.HOLDS for result in proofs)
        taken_out = ["", f"the fix taken out ({mutant.bound}):", *str(mutant).splitlines()]
        return "\n".join(
            [
                *rows,
                "",
                self.done.check(
                    "after the fix no hang is reachable and every download completes, for these sizes", holds
                ),
                "larger sizes are not proved here; they are run for real below",
                *taken_out,
                self.done.check(
                    "without the fix the hang is found again, so the proof is not vacuous", _violated(mutant)
                ),
            ]
        )

    def free(self) -> str:
        rows = []
        ends = []
        for name, version, origin, expected in (
            ("before", self.report.versions[0], self.report.before, self.report.expected[0]),
            ("after", self.report.versions[1], self.report.after, self.report.expected[1]),
        ):
            self.working(f"running {_call(origin)} for real")
            run = execute(build(origin))
            total = len(_family(run.state, self.report.family))
            finished = sum(state.done for state in _family(run.state, self.report.family))
            ends.append((name, run, finished == expected, run.status == ("completed" if expected else "stuck")))
            report, measured = f"{expected} of {total}", f"{finished} of {total}"
            frames = f"{run.frames:,} frames, {run.bytes:,} bytes"
            rows.append(
                [f"{name} ({version})", report, measured, run.status, f"{run.seconds:.1f} s", frames, _explained(run)]
            )
        header = [
            "version",
            "completed in the report",
            "measured here",
            "end",
            "time",
            "over TCP, checksums right",
            "kernel",
        ]
        self.done.data["free"] = [dict(zip(header, row, strict=True)) for row in rows]
        lines = [table(header, rows), ""]
        for name, run, counted, ended in ends:
            claim = f"{name} the fix as many complete as reported, and the run is {run.status}"
            lines.append(self.done.check(claim, counted and ended))
            lines.append(self.done.check(f"the kernel explains the run {name} the fix", bool(run.explained)))
        return "\n\n".join([lines[0], "\n".join(f"- {line}" for line in lines[2:])])

    def draw(self) -> None:
        """Draw the wait-for graph of the counterexample, and both versions' pools in virtual time."""
        title = f"Who waits for whom at the end of the schedule: {self.report.system} {self.report.versions[0]}"
        self.done.pictures["wait-for.png"] = picture_of_waits(self.counterexample.wait_for, title)
        runs = {}
        for name, origin in (("before", self.report.before), ("after", self.report.after)):
            self.working(f"simulating {_call(origin)}")
            latency = {key: exponential(mean) for key, mean in self.report.latency.items()}
            runs[name] = simulate(build(origin), latency=latency)
        end = max(run.time for run in runs.values())
        panels = {
            f"{name} the fix: {run.status} at {1000 * run.time:.1f} ms": {
                pool.name: (_averaged(run.occupancy[pool.name].series, end), _limit(pool.workers, run, pool.name))
                for pool, _ in run.kernel.model.pools()
            }
            for name, run in runs.items()
        }
        title = "Busy workers of each pool"
        if self.report.latency:
            title += "; exponentially distributed latencies with the means of the report, seed 0"
        self.done.pictures["occupancy.png"] = picture_of_occupancy(panels, title)


def _limit(workers: int, run: Simulation, name: str) -> int | None:
    """Return the pool's size where it fits the picture of what was in use."""
    return workers if workers <= 4 * max(1, run.occupancy[name].peak) else None


def _averaged(series: list[tuple[float, int]], end: float, bins: int = 240) -> list[tuple[float, float]]:
    """Return the mean use in equal slices of the time up to ``end``; what was in use last lasts."""
    if end <= 0:
        return [(at, float(used)) for at, used in series]
    width = end / bins
    area = [0.0] * bins
    for (start, used), (stop, _) in zip(series, [*series[1:], (end, 0)], strict=True):
        for number in range(int(start / width), min(bins - 1, int(stop / width)) + 1):
            area[number] += used * max(0.0, min(stop, (number + 1) * width) - max(start, number * width))
    means = [(number * width, used / width) for number, used in enumerate(area)]
    return [*means, (end, float(series[-1][1])), (end * 1.05, float(series[-1][1]))]


def _violated(result: Result) -> bool:
    return result.verdict is Verdict.VIOLATED


def _with(origin: Origin, parameters: Mapping[str, Parameter]) -> Origin:
    return Origin(origin.function, {**origin.parameters, **parameters})


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
    return [process for process in state.processes if process.name == family or process.name.startswith(f"{family}[")]


def _call(origin: Origin) -> str:
    return f"{origin.function}({_parameters(origin.parameters)})"


def _parameters(parameters: Mapping[str, Parameter]) -> str:
    return ", ".join(f"{name}={value}" for name, value in parameters.items())


def _stuck_after(run: Execution) -> str:
    return f"known {run.stuck_after:.2f} s after its last step" if run.stuck_after is not None else "not stuck"


def _explained(run: Execution) -> str:
    return {True: "explains it", False: "cannot explain it", None: "not asked"}[run.explained]
