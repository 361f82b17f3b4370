"""The list tells every model with what its docstring says, and in which report it is reproduced."""

from __future__ import annotations

from command_line import ROOT


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


def test_list_prints_one_object(simcore):
    models = {model["model"]: model for model in simcore("list", "--json").object["models"]}
    parameters = models["simcore.models.pool_starvation:buggy"]["parameters"]
    assert [(each["name"], each["default"]) for each in parameters] == [("downloads", 8), ("workers", 4), ("chunks", 1)]
