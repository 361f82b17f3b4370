"""The command line: what each command prints, which status it leaves with, and one line for every mistake."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import NamedTuple

import pytest

from simcore.command.cli import main

ROOT = Path(__file__).parents[2]
SIMCORE = shutil.which("simcore", path=str(Path(sys.executable).parent))
BUGGY = ("simcore.models.pool_starvation:buggy", "-p", "downloads=2", "-p", "workers=2")
CERTAIN = ("simcore.models.pool_starvation:buggy", "-p", "downloads=1", "-p", "workers=1")
FIXED = ("simcore.models.download_path:fixed", "-p", "downloads=2", "-p", "workers=2")
FREE = ("simcore.models.pool_starvation:buggy", "-p", "downloads=1", "-p", "workers=2")

SYSTEMS = '''
"""Systems for the command line."""
from simcore import Model, always, sleep

def locks(*, opposed: bool = True) -> Model:
    """Two locks."""
    model = Model("two locks")
    a, b = model.lock("a"), model.lock("b")

    def take(first, second):
        yield first.acquire()
        yield second.acquire()
        yield second.release()
        yield first.release()

    model.process("left", take, a, b)
    model.process("right", take, *((b, a) if opposed else (a, b)))
    return model

def one(name):
    model = Model(name)
    lock = model.lock("lock")

    def process():
        yield lock.acquire()

    model.process("only", process)
    return model

def typed(*, n: int = 1, x: float = 1.0, b: bool = False, t: str = "text") -> Model:
    return one(f"{n!r} {x!r} {b!r} {t!r}")

def needs(n, m=2) -> Model:
    return one("needs a parameter")

def many(*args, **more) -> Model:
    return one(f"many {sorted(more.items())}")

def nothing() -> Model:
    return None

def divides() -> Model:
    return 1 / 0

def ranges(*, n=3) -> Model:
    model = Model("ranges")
    for number in range(n):
        model.lock(f"lock {number}")
    return model

def leaves() -> Model:
    raise SystemExit(0)

def dies() -> Model:
    model = Model("dies")
    lock = model.lock("lock")

    def process():
        yield lock.acquire()
        raise ValueError("of a bad value")

    model.process("victim", process)
    return model

def endless() -> Model:
    model = Model("endless")
    numbers = model.queue("numbers")

    def count():
        while True:
            yield numbers.put(0)

    model.process("count", count)
    return model

def slow() -> Model:
    model = Model("slow")

    def nap():
        yield sleep(60)

    for name in ("a", "b"):
        model.process(name, nap)
    return model

def waits(*, timeout: float = 0.01) -> Model:
    model = Model("waits")
    never = model.event("never")

    def wait():
        yield never.wait(timeout=timeout)

    model.process("waiter", wait)
    return model

def broken(state):
    return state["lock"].no_such_thing

def of_locks():
    return always(broken, "of locks")

def of_nothing(argument):
    return 3
'''


class Run(NamedTuple):
    status: int
    out: str
    err: str

    @property
    def object(self):
        """The only thing printed is one JSON object."""
        found = json.loads(self.out, parse_constant=lambda name: pytest.fail(f"{name} is not JSON"))
        assert isinstance(found, dict)
        return found


@pytest.fixture
def simcore(capsys, monkeypatch):
    """Run the command line in this process, with everything that it changes put back."""
    monkeypatch.setattr(sys, "path", list(sys.path))
    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}

    def run(*arguments: str) -> Run:
        with pytest.raises(SystemExit) as left:
            main(arguments)
        return Run(left.value.code, *capsys.readouterr())

    yield run
    for number, handler in handlers.items():
        signal.signal(number, handler)


@pytest.fixture
def here(tmp_path, monkeypatch):
    """A working directory with modules of its own."""
    before = set(sys.modules)
    (tmp_path / "systems.py").write_text(SYSTEMS)
    (tmp_path / "unfinished.py").write_text("def model(:\n")
    (tmp_path / "raising.py").write_text("raise RuntimeError('at import')\n")
    (tmp_path / "lacking.py").write_text("import no_such_package\n")
    (tmp_path / "leaving.py").write_text("import sys\nsys.exit(0)\n")
    (tmp_path / "unlinked.py").write_text("REPORT = 3\n")
    monkeypatch.chdir(tmp_path)
    yield tmp_path
    for name in set(sys.modules) - before:
        if getattr(sys.modules[name], "__file__", None) and str(tmp_path) in str(sys.modules[name].__file__):
            del sys.modules[name]


def assert_one_line(run: Run, *words: str) -> None:
    assert run.status == 2, run
    assert run.out == ""
    assert run.err.startswith("simcore: "), run.err
    assert run.err.count("\n") == 1, run.err
    assert "Traceback" not in run.err
    for word in words:
        assert word in run.err


# ---- exit status ---------------------------------------------------------------------------------------


def test_explore_leaves_with_0_when_the_property_holds(simcore):
    run = simcore("explore", *FREE)
    assert (run.status, run.err) == (0, "")
    assert run.out.startswith("holds: deadlock free\n")


def test_explore_leaves_with_1_when_it_is_violated(simcore):
    run = simcore("explore", *BUGGY)
    assert run.status == 1
    assert run.out.startswith("violated: deadlock free\n")
    assert "replay: simcore replay sc1-" in run.out


def test_explore_leaves_with_3_when_a_limit_is_reached(simcore):
    run = simcore("explore", *FREE, "--max-states", "5")
    assert run.status == 3
    assert "undetermined because max_states=5 was reached" in run.out


def test_explore_says_what_was_covered_when_memory_runs_out(simcore):
    run = simcore("explore", *FIXED, "--max-memory", "1")
    assert run.status == 3
    assert "undetermined because max_memory=1 was reached" in run.out
    assert "expanded" in run.out


def test_explore_keeps_hashes_and_says_so_in_its_verdict(simcore):
    sizes = ("-p", "downloads=3", "-p", "workers=2", "-p", "callback_workers=2")
    whole = ("explore", "simcore.models.pool_starvation:fixed", *sizes, "--no-symmetry", "--no-partial-order")
    exact, compact = (simcore(*whole, *more) for more in ((), ("--compact", "--cores", "2")))
    assert (exact.status, compact.status) == (0, 0)
    assert exact.out.startswith("holds: deadlock free\n")
    assert compact.out.startswith("holds: deadlock free, unless a state was omitted (probability at most ")
    assert "75,010 states" in exact.out
    assert "75,010 states" in compact.out


def test_explore_goes_on_from_a_checkpoint(simcore, tmp_path):
    file = tmp_path / "search.ck"
    kept = ("--checkpoint", str(file), "--checkpoint-every", "0")
    run = simcore("explore", *FIXED, *kept, "--max-states", "200")
    assert run.status == 3
    assert f"checkpoint {file}: explore again with a larger limit to go on from there" in run.out
    once, again = simcore("explore", *FIXED, "--json").object, simcore("explore", *FIXED, *kept, "--json").object
    assert [note for note in again["notes"] if note.startswith("resumed at ")]
    assert [again[name] for name in ("verdict", "states", "transitions", "depth")] == [
        once[name] for name in ("verdict", "states", "transitions", "depth")
    ]
    assert not file.exists()


def test_reductions_are_switched_off_one_by_one(simcore):
    off = [(), ("--no-partial-order",), ("--no-symmetry", "--no-partial-order")]
    states = [simcore("explore", *FIXED, *options, "--json").object["states"] for options in off]
    assert states == sorted(states)
    assert len(set(states)) == 3


def test_a_process_that_raises_is_a_violation_and_no_error(simcore, here):
    run = simcore("explore", "systems:dies")
    assert run.status == 1
    assert "failed: victim died of ValueError: of a bad value at systems.py:" in run.out


@pytest.mark.parametrize("strategy", ["breadth", "depth", "random", "pct"])
def test_every_strategy_finds_the_hang(simcore, here, strategy):
    assert simcore("explore", "systems:locks", "--strategy", strategy).status == 1


def test_sampling_that_finds_nothing_is_undetermined(simcore, here):
    assert simcore("explore", "systems:locks", "-p", "opposed=false", "--strategy", "random").status == 3


@pytest.mark.parametrize(("model", "status"), [(FREE, 0), (BUGGY, 1)])
def test_simulate_leaves_with_0_when_completed_and_1_when_stuck(simcore, model, status):
    run = simcore("simulate", *model)
    assert run.status == status
    assert run.out.startswith("stuck at" if status else "completed at")


def test_simulate_leaves_with_3_when_a_limit_came_first(simcore, here):
    assert simcore("simulate", "systems:slow", "--until", "1").status == 3


def test_simulate_leaves_with_1_when_a_process_dies(simcore, here):
    assert simcore("simulate", "systems:dies").status == 1


def test_simulate_takes_latencies_and_loads(simcore):
    run = simcore("simulate", *FREE, "--latency", "read_stream=2", "--load", "download[*]=0.5", "--json")
    assert run.object["time"] == 2.5


@pytest.mark.parametrize(("model", "status"), [(FREE, 0), (CERTAIN, 1)])
def test_execute_leaves_with_0_when_completed_and_1_when_stuck(simcore, model, status):
    run = simcore("execute", *model)
    assert run.status == status
    assert "explained by the model" in run.out


def test_execute_leaves_with_3_when_its_time_is_up(simcore, here):
    assert simcore("execute", "systems:slow", "--max-seconds", "0.2").status == 3


def test_list_tells_the_bug_once_then_each_model_with_its_parameters(simcore, monkeypatch):
    monkeypatch.chdir(ROOT)
    run = simcore("list", "simcore.models.pool_starvation")
    assert (run.status, run.err) == (0, "")
    assert run.out.startswith(
        """\
simcore.models.pool_starvation
  Every worker of a thread pool waits for a task that is queued in the same pool.
  report: https://github.com/NVIDIA/NVFlare/pull/4171
  reproduce: simcore reproduce nvflare-4171

  simcore.models.pool_starvation:buggy  Build the system before #4171.
      downloads=8  Threads that download at once, each with one request open.
      workers=4    Workers of the owner's stream pool.
      chunks=1     Round trips of each download; with None, as many as it likes.

  simcore.models.pool_starvation:fixed  Build the system after #4171.
      downloads=8          Threads that download at once, each with one request open.
"""
    )


def test_list_tells_every_model_of_a_package(simcore):
    assert "  simcore.models.pool_starvation:buggy  Build the system before #4171.\n" in simcore("list").out


def test_list_tells_parameters_without_annotation_default_or_meaning(simcore, here):
    lines = simcore("list", "systems").out.splitlines()
    assert lines[:6] == [
        "systems",
        "  Systems for the command line.",
        "",
        "  systems:locks  Two locks.",
        "      opposed=True",
        "",
    ]
    for model, parameters in (("needs", ["n", "m=2"]), ("many", ["*args", "**more"]), ("nothing", [])):
        first = lines.index(f"  systems:{model}") + 1
        assert [line.strip() for line in lines[first : lines.index("", first)]] == parameters


DOCUMENTED = '''
"""A bug
over two lines."""
from simcore import Model
REPORT = ("https://example.org/a-long-address-that-is-not-to-be-broken/1", "https://example.org/2")

def documented(first, second, *rest, third: float = 0.5, fourth: str = "(a, b)", **more) -> Model:
    """Build it.

    More about it.

    Parameters
    ----------
    first, second : int
        Numbers, of which
        there are two.

        And a paragraph.
    *rest : int
        The rest.
    third : {"a", "b: c"}
        Seconds.
    fourth
        Text.

    Returns
    -------
    nothing : Model
        A model.
    """

def undocumented() -> Model: ...

def referring(third: float = 0.5, fourth: str = "", own: int = 1) -> Model:
    """Build it otherwise.

    The parameters of `documented`, and these.

    Parameters
    ----------
    fourth : str
        Other text, in ``code``.
    own : int
        Its own.
    """
'''


def test_list_takes_the_meaning_of_a_parameter_from_the_docstring(simcore, here):
    (here / "documented.py").write_text(DOCUMENTED)
    found, other, _ = simcore("list", "documented", "--json").object["models"]
    assert found == {
        "model": "documented:documented",
        "bug": "A bug",
        "about": "Build it.",
        "parameters": [
            {"name": "first", "meaning": "Numbers, of which there are two. And a paragraph."},
            {"name": "second", "meaning": "Numbers, of which there are two. And a paragraph."},
            {"name": "*rest", "meaning": "The rest."},
            {"name": "third", "default": 0.5, "meaning": "Seconds."},
            {"name": "fourth", "default": "(a, b)", "meaning": "Text."},
            {"name": "**more", "meaning": ""},
        ],
        "report": ["https://example.org/a-long-address-that-is-not-to-be-broken/1", "https://example.org/2"],
        "reproduce": [],
    }
    assert (other["about"], other["parameters"]) == ("", [])


def test_list_takes_meanings_from_the_function_that_a_docstring_refers_to(simcore, here):
    (here / "documented.py").write_text(DOCUMENTED)
    _, _, referring = simcore("list", "documented", "--json").object["models"]
    meanings = {parameter["name"]: parameter["meaning"] for parameter in referring["parameters"]}
    assert meanings == {"third": "Seconds.", "fourth": "Other text, in code.", "own": "Its own."}


def test_list_wraps_at_the_width_of_the_terminal_and_breaks_no_address(simcore, here, monkeypatch):
    (here / "documented.py").write_text(DOCUMENTED)
    monkeypatch.setenv("COLUMNS", "40")
    out = simcore("list", "documented").out
    assert [line for line in out.splitlines() if len(line) > 40] == [
        "  report: https://example.org/a-long-address-that-is-not-to-be-broken/1"
    ]
    assert (
        """
      first          Numbers, of which
                     there are two. And
                     a paragraph.
"""
        in out
    )


def test_list_names_the_report_files_that_name_a_model(simcore, here):
    (here / "reports").mkdir()
    report = (ROOT / "models" / "reports" / "nvflare-4171.toml").read_text()
    (here / "reports" / "two locks.toml").write_text(
        report.replace("simcore.models.pool_starvation:buggy", "systems:locks")
    )
    found = {row["model"]: row["reproduce"] for row in simcore("list", "systems", "--json").object["models"]}
    assert found["systems:locks"] == ["simcore reproduce 'reports/two locks.toml'"]
    assert found["systems:typed"] == []


def test_list_says_so_when_there_is_nothing(simcore):
    run = simcore("list", "json")
    assert (run.status, run.out) == (0, "json has no function that says it returns a Model\n")


@pytest.mark.parametrize("arguments", [("--help",), ("explore", "--help"), ("replay", "-h")])
def test_help_is_no_error(simcore, arguments):
    run = simcore(*arguments)
    assert (run.status, run.err) == (0, "")
    assert run.out.startswith("Usage: simcore ")


def test_without_a_command_the_help_is_shown_as_a_mistake(simcore):
    run = simcore()
    assert (run.status, run.out) == (2, "")
    assert "Usage: simcore " in run.err
    assert "explore" in run.err


# ---- replay --------------------------------------------------------------------------------------------


def token_of(simcore, *model: str) -> str:
    return simcore("explore", *model, "--json").object["token"]


@pytest.mark.parametrize("driver", ["explore", "simulate", "execute"])
def test_the_token_of_a_hang_is_stuck_on_every_driver(simcore, driver):
    run = simcore("replay", token_of(simcore, *BUGGY), "--on", driver)
    assert run.status == 1
    assert run.out.startswith("   1  download[0]   sends download[0] chunk 0 over requests\n")
    assert "stream 2/2: every worker is in blob_callback" in run.out


@pytest.mark.parametrize("driver", ["explore", "simulate", "execute"])
def test_the_token_of_a_good_run_is_not_stuck_on_any_driver(simcore, driver):
    run = simcore("replay", simcore("simulate", *FREE, "--json").object["token"], "--on", driver)
    assert run.status == 0


@pytest.mark.parametrize("driver", ["explore", "simulate", "execute"])
def test_the_token_of_a_failed_process_fails_on_every_driver(simcore, here, driver):
    run = simcore("replay", token_of(simcore, "systems:dies"), "--on", driver)
    assert run.status == 1
    assert "of a bad value" in run.out


def test_the_token_of_a_real_run_replays(simcore):
    token = simcore("execute", *CERTAIN, "--json").object["token"]
    assert simcore("replay", token).status == 1


def test_a_knot_behind_a_time_out_is_told_where_time_outs_never_fire(simcore, here):
    run = simcore("explore", "systems:waits", "--timeouts", "never", "--json")
    assert run.status == 1
    assert simcore("replay", run.object["token"], "--json").object["status"] == "goes on"


@pytest.mark.parametrize("driver", ["explore", "simulate", "execute"])
def test_a_replay_that_completes_says_so(simcore, driver):
    token = simcore("simulate", *FREE, "--json").object["token"]
    assert simcore("replay", token, "--on", driver, "--json").object["status"] == "completed"


# ---- JSON ----------------------------------------------------------------------------------------------


def test_explore_prints_one_object_with_everything(simcore):
    found = simcore("explore", *BUGGY, "--json").object
    assert found["model"] == "simcore.models.pool_starvation:buggy"
    assert found["parameters"] == {"downloads": 2, "workers": 2, "chunks": 1}
    assert (found["property"], found["verdict"]) == ("deadlock free", "violated")
    assert (found["states"], found["transitions"], found["depth"]) == (41, 64, 11)
    assert isinstance(found["seconds"], float)
    assert len(found["schedule"]) == 10
    assert found["schedule"][0]["process"] == "download[0]"
    assert found["token"].startswith("sc1-")
    assert found["point_of_no_return"] == {"step": 6, "earliest": 6, "exact": True}


@pytest.mark.parametrize(("arguments", "verdict"), [((), "holds"), (("--max-states", "3"), "undetermined")])
def test_explore_has_no_schedule_and_no_token_without_a_counterexample(simcore, arguments, verdict):
    found = simcore("explore", *FREE, *arguments, "--json").object
    assert (found["verdict"], found["schedule"], found["token"]) == (verdict, [], "")


@pytest.mark.parametrize("command", ["simulate", "execute"])
def test_a_run_prints_one_object(simcore, command):
    found = simcore(command, *CERTAIN, "--json").object
    assert found["model"] == "simcore.models.pool_starvation:buggy"
    assert found["parameters"] == {"downloads": 1, "workers": 1, "chunks": 1}
    assert found["status"] == "stuck"
    assert found["token"].startswith("sc1-")
    assert found["blame"][0].startswith("stream 1/1")


@pytest.mark.parametrize("driver", ["explore", "simulate", "execute"])
def test_replay_prints_one_object(simcore, driver):
    token = token_of(simcore, *BUGGY)
    found = simcore("replay", token, "--on", driver, "--json").object
    assert (found["model"], found["status"]) == ("simcore.models.pool_starvation:buggy", "stuck")
    assert found["parameters"] == {"downloads": 2, "workers": 2, "chunks": 1}
    assert found["token"].startswith("sc1-")


def test_list_prints_one_object(simcore):
    models = {model["model"]: model for model in simcore("list", "--json").object["models"]}
    parameters = models["simcore.models.pool_starvation:buggy"]["parameters"]
    assert [(each["name"], each["default"]) for each in parameters] == [("downloads", 8), ("workers", 4), ("chunks", 1)]


# ---- models and parameters -----------------------------------------------------------------------------


def test_a_model_may_be_in_the_working_directory(simcore, here):
    assert simcore("explore", "systems:locks").status == 1


def test_a_module_of_the_working_directory_is_found_by_the_installed_command(here):
    run = subprocess.run([SIMCORE, "explore", "systems:locks"], capture_output=True, text=True, cwd=here, check=False)
    assert (run.returncode, run.stderr) == (1, "")


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("n=7", "7 1.0 False 'text'"),
        ("n=-7", "-7 1.0 False 'text'"),
        ("x=0.5", "1 0.5 False 'text'"),
        ("x=1e-3", "1 0.001 False 'text'"),
        ("b=true", "1 1.0 True 'text'"),
        ("b=False", "1 1.0 False 'text'"),
        ("t=some words", "1 1.0 False 'some words'"),
        ("t=", "1 1.0 False ''"),
        ("t=a=b", "1 1.0 False 'a=b'"),
        ("t=none", "1 1.0 False None"),
        ("t=nan", "1 1.0 False 'nan'"),
    ],
)
def test_parameters_are_numbers_truth_values_or_text(simcore, here, given, shown):
    assert f"\n  {shown} (" in simcore("explore", "systems:typed", "-p", given).out


def test_a_model_may_take_any_parameter(simcore, here):
    assert "\n  many [('a', 1), ('b', 2)] (" in simcore("explore", "systems:many", "-p", "a=1", "-p", "b=2").out


# ---- mistakes ------------------------------------------------------------------------------------------

EACH = pytest.mark.parametrize("command", ["explore", "simulate", "execute"])


@EACH
@pytest.mark.parametrize(
    ("model", "words"),
    [
        ("simcore.models.pool_starvation", ("names no model", "package.module:function")),
        ("simcore.models.pool_starvation:", ("names no model",)),
        (":buggy", ("names no model",)),
        ("", ("names no model",)),
        ("simcore.models.no_such:buggy", ("no module 'simcore.models.no_such'",)),
        ("no_such_package.x:buggy", ("no module 'no_such_package'",)),
        ("simcore.models.pool_starvation:bugy", ("no model function 'bugy'", "buggy, fixed")),
        ("systems:locks:left", ("no model function", "locks")),
        ("unfinished:model", ("module unfinished cannot be imported: SyntaxError", "unfinished.py, line 1")),
        ("raising:model", ("module raising cannot be imported: RuntimeError: at import", "raising.py:1")),
        ("lacking:model", ("module lacking cannot be imported", "no_such_package")),
        ("leaving:model", ("module leaving cannot be imported: SystemExit",)),
        ("systems:nothing", ("systems:nothing returned a NoneType, not a Model",)),
        ("systems:divides", ("systems:divides()", "ZeroDivisionError: division by zero", "systems.py:43 in divides")),
        ("systems:leaves", ("systems:leaves()", "SystemExit", "systems.py:")),
        ("systems:needs", ("systems:needs needs a value for its parameter 'n'",)),
        ("systems:SYSTEMS", ("no model function",)),
    ],
)
def test_a_wrong_model_is_one_line(simcore, here, command, model, words):
    assert_one_line(simcore(command, model), *words)


@EACH
@pytest.mark.parametrize(
    ("given", "words"),
    [
        ("downlods=2", ("no parameter 'downlods'", "downloads, workers, chunks")),
        ("downloads", ("'downloads': write name=value",)),
        ("=2", ("write name=value",)),
        ("workers=abc", ("simcore.models.pool_starvation:buggy(workers='abc')", "workers")),
        ("workers=", ("workers=''",)),
        ("workers=1.5", ("workers",)),
        ("downloads=-1", ("downloads=-1", "at least 0")),
        ("workers=0", ("workers",)),
        ("chunks=abc", ("chunk",)),
    ],
)
def test_a_wrong_parameter_is_one_line(simcore, command, given, words):
    run = simcore(command, "simcore.models.pool_starvation:buggy", "-p", given)
    if given == "chunks=abc":  # what a process does with its parameters is the process's business
        assert run.status == 1
        assert "TypeError" in run.out
    else:
        assert_one_line(run, *words)


def test_a_parameter_given_twice_is_one_line(simcore):
    run = simcore("explore", "simcore.models.pool_starvation:buggy", "-p", "workers=1", "-p", "workers=2")
    assert_one_line(run, "'workers' is given twice")


def test_a_built_in_exception_names_the_function_its_parameters_and_the_line(simcore, here):
    run = simcore("explore", "systems:ranges", "-p", "n=abc")
    assert_one_line(run, "systems:ranges(n='abc')", "TypeError", "cannot be interpreted as an integer", "systems.py:")


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        ("nonsense", ("names no property",)),
        ("simcore.properties.no_such:thing", ("simcore.properties.no_such",)),
        ("simcore.properties.deadlock:no_such", ("no_such",)),
        ("unfinished:thing", ("unfinished.py, line 1",)),
        ("systems:of_nothing", ("argument",)),
        ("systems:of_nothing(1)", ("is a int, not a Property",)),
        ("systems:of_locks", ("AttributeError", "no_such_thing", "systems.py:")),
    ],
)
def test_a_wrong_property_is_one_line(simcore, here, spec, words):
    assert_one_line(simcore("explore", "systems:dies", "--property", spec), *words)


@pytest.mark.parametrize(
    "arguments",
    [
        ("explore", "systems:locks", "--no-such-option"),
        ("explore", "systems:locks", "--max-states", "many"),
        ("explore", "systems:locks", "--max-states", "0"),
        ("explore", "systems:locks", "--max-memory", "0"),
        ("explore", "systems:locks", "--cores", "0"),
        ("explore", "systems:locks", "--compact"),
        ("explore", "systems:locks", "--checkpoint", "no/such/folder/file"),
        ("explore", "systems:locks", "--checkpoint", "systems.py"),
        ("explore", "systems:locks", "--checkpoint", "x.ck", "--checkpoint-every", "-1"),
        ("explore", "systems:locks", "--max-seconds", "nan"),
        ("explore", "systems:locks", "--strategy", "luck"),
        (
            "explore",
            "systems:locks",
            "--strategy",
            "depth",
            "--property",
            "simcore.properties.deadlock:no_stuck_subset",
        ),
        ("explore",),
        ("explore", "systems:locks", "systems:locks"),
        ("simulate", "systems:locks", "--until", "-1"),
        ("simulate", "systems:locks", "--latency", "a.acquire=fast"),
        ("simulate", "systems:locks", "--latency", "a.acquire=nan"),
        ("simulate", "systems:locks", "--latency", "a.aquire=1"),
        ("simulate", "systems:locks", "--load", "nobody=1"),
        ("execute", "systems:locks", "--max-seconds", "0"),
        ("execute", "systems:locks", "--max-seconds", "nan"),
        ("no-such-command",),
        ("--no-such-option",),
        ("list", "no_such_package"),
        ("list", "unfinished"),
        ("list", "unlinked"),
        ("matrix", "no_such_package"),
        ("matrix", "unfinished"),
        ("matrix", "systems"),
        ("matrix", "--jobs", "0"),
        ("replay",),
        ("reproduce",),
    ],
    ids=" ".join,
)
def test_a_wrong_option_or_command_is_one_line(simcore, here, arguments):
    assert_one_line(simcore(*arguments))


@pytest.mark.parametrize("driver", ["explore", "simulate", "execute"])
def test_a_corrupt_token_is_one_line(simcore, driver):
    token = token_of(simcore, *BUGGY)
    middle = len(token) // 2
    changed = token[:middle] + ("A" if token[middle] != "A" else "B") + token[middle + 1 :]
    for corrupt in ("", "sc1-", "sc2" + token[3:], token[:-1], token[:40], token + "A", changed, token.upper(), "é"):
        assert_one_line(simcore("replay", corrupt, "--on", driver), "token")


@pytest.mark.parametrize("gone", ["module", "function", "parameter"])
def test_a_token_of_a_model_that_is_gone_is_one_line(simcore, here, gone):
    token = token_of(simcore, "systems:locks")
    change = {"module": None, "function": ("def locks", "def keys"), "parameter": ("opposed: bool", "crossed: bool")}
    if change[gone] is None:
        (here / "systems.py").unlink()
    else:
        (here / "systems.py").write_text(SYSTEMS.replace(*change[gone]))
    del sys.modules["systems"]
    shutil.rmtree(here / "__pycache__", ignore_errors=True)
    assert_one_line(simcore("replay", token), {"module": "systems", "function": "keys", "parameter": "crossed"}[gone])


def test_a_token_of_a_model_that_has_changed_is_one_line(simcore, here):
    token = token_of(simcore, "systems:locks")
    changed = SYSTEMS.replace('model.lock("b")', 'model.lock("c")')
    (here / "systems.py").write_text(changed)
    del sys.modules["systems"]
    shutil.rmtree(here / "__pycache__", ignore_errors=True)
    assert_one_line(simcore("replay", token), "systems:locks", "another version")


# ---- interrupts ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["SIGINT", "SIGTERM"])
@pytest.mark.parametrize(("command", "model"), [("explore", "endless"), ("execute", "slow"), ("simulate", "endless")])
def test_an_interrupt_leaves_one_line_status_130_and_nothing_behind(here, number, command, model):
    (here / "systems.py").write_text(SYSTEMS.replace("def nap():", "def nap():\n        open('begun', 'w').close()"))
    (here / "systems.py").write_text(
        (here / "systems.py").read_text().replace("def count():", "def count():\n        open('begun', 'w').close()")
    )
    run = subprocess.Popen(
        [SIMCORE, command, f"systems:{model}"],
        cwd=here,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    while not (here / "begun").exists():
        time.sleep(0.01)
    time.sleep(0.2)
    assert run.poll() is None
    run.send_signal(number)
    out, err = run.communicate(timeout=10)
    assert (run.returncode, out, err) == (130, "", "simcore: interrupted\n")
    with pytest.raises(ProcessLookupError):
        os.killpg(run.pid, 0)


def test_a_reader_that_goes_away_is_no_verdict_and_no_traceback():
    run = subprocess.Popen([SIMCORE, "explore", *BUGGY], stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=ROOT)
    run.stdout.close()
    err = run.stderr.read()
    run.stderr.close()
    assert (run.wait(timeout=10), err) == (141, b"")


DELETED = """
import os, signal, sys, time
from simcore.command import cli

class Slow:
    def __del__(self):
        os.kill(os.getpid(), signal.Signals[sys.argv[1]])
        time.sleep(0.05)  # it arrives here, where an exception would be ignored

@cli.cli.command()
def deleting():
    slow = Slow()
    del slow
    time.sleep(20)

cli.main(["deleting"])
"""


@pytest.mark.parametrize("number", ["SIGINT", "SIGTERM"])
def test_an_interrupt_that_comes_while_something_is_deleted_is_not_lost(number):
    run = subprocess.run([sys.executable, "-c", DELETED, number], capture_output=True, text=True, timeout=15)
    assert (run.returncode, run.stdout, run.stderr) == (130, "", "simcore: interrupted\n")


THREADS = """
import os, sys
from simcore.command.cli import main
try:
    main(["explore", "simcore.models.pool_starvation:fixed", *sys.argv[1:]])
finally:
    print("numpy" in sys.modules, len(os.listdir("/proc/self/task")))
"""


def test_no_thread_is_left_that_nobody_works_with():
    environment = {name: told for name, told in os.environ.items() if name != "OPENBLAS_NUM_THREADS"}
    size = ["-p", "downloads=2", "-p", "workers=2", "-p", "callback_workers=2"]
    command = [sys.executable, "-c", THREADS, *size, "--no-symmetry", "--no-partial-order"]
    run = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, env=environment, check=True)
    assert run.stdout.splitlines()[-1] == "True 1"
