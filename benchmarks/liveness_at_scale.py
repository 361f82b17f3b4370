"""What the questions about whole runs cost on a graph with cycles: CPU seconds and memory beside the search itself.

Run it with ``python -m benchmarks.liveness_at_scale [PHASES]``. The system is the pool system of four requesters
after the fix (188,685 states) beside a heart that goes round for ever in so many phases, five by default; every
requester is named, so nothing is interchangeable. Nothing on such a graph is settled by "no run goes round". Each
question is asked in a process of its own; "search alone" asks for something that holds in every state, so
what another line costs more is the price of deciding it on the graph. Times are printed and never judged.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import time
from collections.abc import Callable

from simcore import Model, Property, State, always, explore, leads_to
from simcore.properties import completes, deadlock_free, no_stuck_subset
from tests.support.toys import pool_system


def beating(phases: int) -> Model:
    """Return the pool system beside a heart."""
    model = pool_system(requesters=4, workers=2, chunks=1, callback_workers=2)
    beat = model.event("beat")

    def heart() -> object:
        while True:
            for _ in range(phases):
                yield beat.set()

    model.process("heart", heart, daemon=True)
    return model


def some_done(state: State) -> bool:
    return state.processes[0].done


def all_done(state: State) -> bool:
    return all(process.done for process in state.processes if process.name.startswith("requester"))


def never(state: State) -> bool:
    return state.processes[0].done and not state.processes[0].done


QUESTIONS: dict[str, Callable[[], Property]] = {
    "search alone": lambda: always(lambda state: True),
    "deadlock free": deadlock_free,
    "no stuck subset": no_stuck_subset,
    "completes": lambda: completes("requester"),
    "leads to": lambda: leads_to(some_done, all_done),
    "leads to, violated": lambda: leads_to(all_done, never),
}


def measure(question: str, phases: int) -> None:
    """Print what one question costs, for `main` to read."""
    result = explore(beating(phases), QUESTIONS[question](), symmetry=False, partial_order=False)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000
    print(json.dumps([result.verdict.value, result.states, result.transitions, time.process_time(), peak]))


def main() -> None:
    phases = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    print("| question           | verdict  |    states |      steps |  CPU s |    MB |")
    print("|--------------------|----------|----------:|-----------:|-------:|------:|")
    for question in QUESTIONS:
        command = [sys.executable, "-m", "benchmarks.liveness_at_scale", "--one", question, str(phases)]
        ran = subprocess.run(command, capture_output=True, text=True, check=True)
        verdict, states, steps, seconds, megabytes = json.loads(ran.stdout)
        counts = f"{states:9,} | {steps:10,} | {seconds:6.1f} | {megabytes:5,.0f}"
        print(f"| {question:18} | {verdict:8} | {counts} |", flush=True)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--one"]:
        measure(sys.argv[2], int(sys.argv[3]))
    else:
        main()
