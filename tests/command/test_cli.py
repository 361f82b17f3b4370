"""The command line prints what each command has found, leaves with its status, and leaves nothing behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

import pytest
from command_line import BUGGY, CERTAIN, FIXED, FREE, ROOT, SIMCORE, SYSTEMS, token_of

from simcore import explore
from simcore.explore.checkpoint import _SHARE

# ---- exit status ---------------------------------------------------------------------------------------


def test_explore_leaves_with_0_when_the_property_holds(simcore):
    run = simcore("explore", *FREE)
    assert (run.status, run.err) == (0, "")
    assert run.out.startswith("holds: deadlock free\n")


def test_explore_leaves_with_1_when_it_is_violated(simcore):
    run = simcore("explore", *BUGGY)
    assert run.status == 1
    assert run.out.startswith("violated: 4 of 4 processes can never move again\n")
    assert "replay: simcore replay sc1-" in run.out


def test_explore_leaves_with_3_when_a_limit_is_reached(simcore):
    run = simcore("explore", *FREE, "--max-states", "5")
    assert run.status == 3
    assert "undetermined because --max-states 5 was reached" in run.out


def test_explore_says_what_was_covered_when_memory_runs_out(simcore):
    run = simcore("explore", *FIXED, "--max-memory", "1")
    assert run.status == 3
    assert "undetermined because --max-memory 1 was reached" in run.out
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


@pytest.mark.slow
def test_explore_goes_on_from_a_checkpoint(simcore, tmp_path):
    file = tmp_path / "search.ck"
    kept = ("--checkpoint", str(file), "--checkpoint-every", "0")
    run = simcore("explore", *FIXED, *kept, "--max-states", "200")
    assert run.status == 3
    assert f"checkpoint {file}: explore again with a larger limit to go on from there" in " ".join(run.out.split())
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
    assert "violated: victim died of ValueError: of a bad value at systems.py:" in run.out


@pytest.mark.parametrize("strategy", ["breadth", "depth", "random", "pct"])
def test_every_strategy_finds_the_hang(simcore, here, strategy):
    assert simcore("explore", "systems:locks", "--strategy", strategy).status == 1


def test_sampling_that_finds_nothing_is_undetermined(simcore, here):
    assert simcore("explore", "systems:locks", "-p", "opposed=false", "--strategy", "random").status == 3


@pytest.mark.parametrize(("model", "status"), [(FREE, 0), (BUGGY, 1)])
def test_simulate_leaves_with_0_when_completed_and_1_when_stuck(simcore, model, status):
    run = simcore("simulate", *model)
    assert run.status == status
    assert run.out.startswith("stuck: 4 of 4" if status else "completed at")


def test_simulate_leaves_with_3_when_a_limit_came_first(simcore, here):
    assert simcore("simulate", "systems:slow", "--until", "1").status == 3


def test_simulate_leaves_with_1_when_a_hang_is_proved_whatever_has_ended_the_run(simcore, here):
    run = simcore("simulate", "systems:beside_a_heartbeat", "--until", "3", "--json")
    assert (run.status, run.object["status"]) == (1, "limit")
    assert run.object["answer"] == "others go on, but 1 of 1 process can never move again"


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


@pytest.mark.parametrize("command", ["explore", "simulate", "execute"])
def test_an_answer_names_the_model_and_its_parameters(simcore, command):
    told = simcore(command, *CERTAIN).out
    assert "\n  pool starvation, before #4171 (downloads=1, workers=1, chunks=1)\n" in told


# ---- replay --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("driver", ["explore", "simulate", "execute"])
def test_the_token_of_a_hang_is_stuck_on_every_driver(simcore, driver):
    run = simcore("replay", token_of(simcore, *BUGGY), "--on", driver)
    assert run.status == 1
    assert run.out.startswith("stuck: 4 of 4 processes can never move again")
    assert "\n   1  download[0]   sends download[0] chunk 0 over requests\n" in run.out
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
        ("t=none", "1 1.0 False 'none'"),
        ("t=nan", "1 1.0 False 'nan'"),
    ],
)
def test_parameters_are_numbers_truth_values_or_text(simcore, here, given, shown):
    assert f"\n  {shown} (" in simcore("explore", "systems:typed", "-p", given).out


def test_a_model_may_take_any_parameter(simcore, here):
    assert "\n  many [('a', 1), ('b', 2)] (" in simcore("explore", "systems:many", "-p", "a=1", "-p", "b=2").out


# ---- interrupts ----------------------------------------------------------------------------------------


@pytest.mark.some(3)
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


def test_what_the_function_says_of_an_option_help_and_the_reference_say_too(simcore):
    assert _SHARE == 10
    places = explore.__doc__, simcore("explore", "--help").out, (ROOT / "docs" / "reference.md").read_text()
    for text in places:
        assert "where writing would take more than a tenth of the time" in " ".join(text.split())
