"""What is exported says the same as the film: steps, waits, what is in use, states."""

from __future__ import annotations

import itertools
import json

import pytest
import threaded
import toys

from simcore import Model, control, explore, simulate
from simcore.command.cli import main
from simcore.models.pool_starvation import buggy, fixed
from simcore.properties import completes
from simcore.report.page import film_of, itf, mermaid_sequence, perfetto


def events(film, kind):
    return [event for event in json.loads(perfetto(film))["traceEvents"] if event["ph"] == kind]


def test_a_trace_has_a_slice_for_each_step_and_each_wait():
    film = film_of(explore(buggy(downloads=2, workers=2)))
    slices = events(film, "X")
    steps = [event for event in slices if event.get("cat") != "waits"]
    assert [event["name"] for event in steps] == [frame.text for frame in film.frames]
    assert [event["ts"] for event in steps] == [1_000 * number for number in range(len(film.frames))]
    waits = [event for event in slices if event.get("cat") == "waits"]
    assert "waits for the result of read_stream(download[0] chunk 0)" in {event["name"] for event in waits}
    end = 1_000 * len(film.frames)
    assert all(event["ts"] + event["dur"] <= end for event in slices)
    for lane in range(len(film.lanes)):  # nothing of a lane overlaps
        mine = sorted((event["ts"], event["ts"] + event["dur"]) for event in slices if event["tid"] == lane + 1)
        assert all(one[1] <= two[0] for one, two in itertools.pairwise(mine))


def test_a_trace_counts_what_is_in_use():
    film = film_of(explore(buggy(downloads=2, workers=2)))
    counted = [event["args"]["in use"] for event in events(film, "C") if event["name"] == "stream"]
    assert (counted[0], counted[-1]) == (0, 2)


def test_a_trace_says_who_hands_over():
    film = film_of(explore(buggy(downloads=2, workers=2)))
    starts, ends = events(film, "s"), events(film, "f")
    assert len(starts) == len(ends) == sum(len(frame.comes_from) for frame in film.frames)
    assert all(start["ts"] < end["ts"] for start, end in zip(starts, ends, strict=True))


def test_where_a_clock_ran_a_trace_has_its_seconds():
    run = simulate(buggy(downloads=2, workers=2), latency={"download[*]": 0.25})
    assert [event["ts"] for event in events(film_of(run), "i")] == [1e6 * time for time in run.times]


def test_a_diagram_has_an_arrow_where_somebody_hands_over():
    lines = mermaid_sequence(film_of(explore(toys.opposed_locks()))).splitlines()
    assert lines[:3] == ["sequenceDiagram", "  participant p0 as left", "  participant p1 as right"]
    assert lines[3] == "  Note over p0: 1 acquires a"
    assert lines[-1] == "  Note over p0,p1: 2 of 2 processes can never move again"
    assert any("->>" in line for line in mermaid_sequence(film_of(explore(buggy(downloads=1, workers=1)))).splitlines())


def test_what_is_repeated_is_a_loop_of_the_diagram():
    model = fixed(downloads=1, workers=1, callback_workers=1, chunks=None)
    film = film_of(explore(model, completes("download")))
    lines = mermaid_sequence(film).splitlines()
    assert lines.index("  end") - lines.index("  loop for ever") == len(film.frames) - film.lasso + 1


def test_no_character_means_anything_to_a_diagram():
    model = Model("odd names")
    lock = model.lock("end;#<b>\n")

    def take():
        yield lock.acquire()
        yield lock.acquire()

    model.process("A->>B: x", take)
    text = mermaid_sequence(film_of(explore(model)))
    assert "as A-#62;#62;B#58; x\n" in text
    assert "acquires #101;nd#59;#35;#60;b#62;#10;" in text


def test_states_are_written_as_apalache_does():
    film = film_of(explore(toys.opposed_locks()))
    written = json.loads(itf(film))
    assert written["#meta"]["format"] == "ITF"
    assert written["vars"] == ["step", "processes", "a", "b"]
    assert [state["#meta"]["index"] for state in written["states"]] == [0, 1, 2]
    assert [state["a"] for state in written["states"]] == ["free", "held by left", "held by left"]
    assert written["states"][2]["processes"] == {"#map": [["left", "blocked"], ["right", "blocked"]]}
    assert all(set(state) == {"#meta", *written["vars"]} for state in written["states"])


def test_where_states_repeat_the_loop_is_written():
    model = fixed(downloads=1, workers=1, callback_workers=1, chunks=None)
    film = film_of(explore(model, completes("download")))
    written = json.loads(itf(film))
    first, last = written["states"][written["loop"]], written["states"][-1]
    assert {name: first[name] for name in ("requests", "replies", "stream")} == {
        name: last[name] for name in ("requests", "replies", "stream")
    }


def test_objects_of_one_name_are_told_apart():
    film = film_of(simulate(buggy(downloads=1, workers=2, chunks=3)))
    written = json.loads(itf(film))
    assert len(set(written["vars"])) == len(written["vars"]) == len(film.things) + 2
    assert "absent" in {state[written["vars"][-1]] for state in written["states"]}


@pytest.mark.slow
def test_code_is_exported_too():
    film = film_of(control(threaded.opposed_locks))
    assert len(events(film, "X")) >= len(film.frames)
    assert len(json.loads(itf(film))["states"]) == len(film.frames) + 1
    assert "participant p0" in mermaid_sequence(film)


@pytest.mark.parametrize("option", ["--promela --out", "--storm", "--perfetto", "--mermaid-sequence", "--itf"])
def test_what_is_written_to_a_dash_is_printed(capsys, monkeypatch, tmp_path, option):
    monkeypatch.chdir(tmp_path)
    texts = {}
    for file in ("-", "file"):
        with pytest.raises(SystemExit) as left:
            main(["export", "pool_starvation:buggy", "-p", "downloads=2", "-p", "workers=2", *option.split(), file])
        assert left.value.code == 0
        texts[file] = capsys.readouterr().out
    assert texts["-"] == (tmp_path / "file").read_text(encoding="utf-8")
    assert texts["file"].startswith("written: file, with ")
    assert [each.name for each in tmp_path.iterdir()] == ["file"]


@pytest.mark.parametrize("command", ["explore", "simulate"])
def test_a_page_is_never_printed(capsys, monkeypatch, tmp_path, command):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as left:
        main([command, "pool_starvation:buggy", "--html", "-"])
    assert left.value.code == 2
    assert "- is no file that could be written; name another one with --html" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())
