"""A chart recommends what is known to be safe, and shows all it has: each size, each run that hung, the whole title."""

from __future__ import annotations

import io
import json
import math
import pickle
from xml.etree import ElementTree

import click
import matplotlib.image
import numpy
import pytest
from click.testing import CliRunner, Result
from sized import swept
from test_measure import work

from simcore import Model, Verdict, sweep
from simcore.command import cli
from simcore.errors import MissingExtra, OptionError, SimcoreError
from simcore.models import nested_futures
from simcore.report.pictures import Size, picture_of_sizes
from simcore.sizes import Cell, Chart, Point, chart
from simcore.sizes.measure import Measured

SLOW = {"latency": {"task": 0.01}, "runs": 3}


def point(size: int, told: str, throughput: float | None, *, inferred: bool = False, **counts: int) -> Point:
    """Return a size as if it had been explored and simulated."""
    cell = Cell({"n": size}, Verdict(told), inferred=inferred)
    counted = Measured(20, **{"hung": 0, "died": 0, "given_up": 0, **counts}, throughput=throughput, p99=1.0)
    return Point(size, cell, counted)


def charted(*points: Point) -> Chart:
    return Chart("known:model", "n", {}, ("deadlock free",), "when_stuck", (), 0, points)


# ---- what is recommended -------------------------------------------------------------------------------


def test_the_smallest_safe_size_near_the_best_is_recommended():
    found = chart(sweep(nested_futures.one_pool, executor="here", workers=range(1, 8), roots=2, depth=3), **SLOW)
    assert [each.safety for each in found.points] == ["unsafe"] * 4 + ["safe"] * 3
    assert [each.throughput for each in found.points[:4]] == [0.0] * 4
    assert found.points[4].throughput == pytest.approx(2 / 0.04)
    assert found.points[5].throughput == pytest.approx(2 / 0.03)
    assert found.recommended == 6
    assert str(found).startswith("recommended: workers=6 (the smallest that is safe and within 5 %")
    assert "of the runs 3 at workers=1, 3 at workers=2, 3 at workers=3 and 3 at workers=4 hung" in str(found)


@pytest.mark.parametrize(("throughput", "expected"), [(95.0, 1), (94.9, 2)])
def test_near_is_within_5_percent(throughput, expected):
    found = charted(point(1, "holds", throughput), point(2, "holds", 100.0), point(3, "holds", 100.0))
    assert found.recommended == expected
    assert found.reason.endswith("100 processes per virtual second at n=2")


def test_sizes_are_in_order_whatever_the_sweep_had():
    found = chart(sweep(lambda *, n: work(workers=n), executor="here", n=[4, 1, 2]), runs=1)
    assert [each.size for each in found.points] == [1, 2, 4]
    assert [each.throughput for each in found.points] == [1.0, 2.0, 4.0]
    assert found.recommended == 4


def test_of_many_sizes_a_note_names_some():
    found = charted(*(point(n, "violated", 0.0, hung=2) for n in range(20)))
    assert "2 at n=7 and 24 at others hung" in str(found)


def test_a_sweep_that_was_sent_has_its_chart_where_a_name_leads_to_the_model():
    found = sweep(nested_futures.one_pool, executor="here", workers=[5], roots=2, depth=3)
    assert chart(pickle.loads(pickle.dumps(found)), **SLOW) == chart(found, **SLOW)
    unnamed = sweep(lambda *, n: work(workers=n), executor="here", n=[1])
    assert chart(unnamed, runs=1).recommended == 1
    with pytest.raises(SimcoreError, match="lambda"):
        chart(pickle.loads(pickle.dumps(unnamed)), runs=1)


@pytest.mark.parametrize(
    "other",
    [
        point(1, "violated", 200.0),
        point(1, "undetermined", 200.0),
        point(1, "holds", 200.0, inferred=True),
    ],
)
def test_what_is_not_known_to_be_safe_is_not_recommended_and_is_named_where_it_is_faster(other):
    found = charted(other, point(2, "holds", 100.0))
    assert found.recommended == 2
    assert "faster, and not known to be safe: n=1" in str(found)
    assert charted(other).recommended is None
    assert "no size is known to be safe" in charted(other).reason


@pytest.mark.parametrize("kind", ["hung", "died", "given_up"])
def test_a_size_of_which_a_run_did_not_complete_is_not_recommended(kind):
    bad = point(1, "holds", None if kind == "given_up" else 99.0, **{kind: 1})
    assert charted(bad, point(2, "holds", 100.0)).recommended == 2
    assert charted(bad).recommended is None
    assert "1 safe, and of each of the safe ones a run did not complete" in charted(bad).reason
    assert "of the runs 1 at n=1" in str(charted(bad))


def test_a_size_that_cannot_be_built_is_there_with_nothing_measured():
    def model(*, n: int) -> Model:
        if n == 1:
            raise ValueError("too small")
        return work(workers=n)

    found = chart(sweep(model, executor="here", n=[1, 2]), runs=1)
    assert (found.points[0].measured, found.points[0].safety, found.recommended) == (None, "unknown", 2)
    assert found.rows()[0]["runs"] == 0
    assert found.table().splitlines()[1].split() == ["1", "error", "-", "-", "0", "0", "0", "0"]
    assert found.picture()


def test_the_table_has_the_numbers():
    rows = charted(point(1, "violated", 0.0, hung=20), point(10, "holds", 66.6667)).table().splitlines()
    assert rows[0].split("  ")[-1] == "given up"
    assert rows[1].split() == ["1", "violated", "0", "1", "s", "20", "20", "0", "0"]
    assert rows[2].split() == ["10", "holds", "66.67", "1", "s", "20", "0", "0", "0"]


# ---- what is asked wrongly -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("found", "options", "said"),
    [
        (swept(lambda **_: False, a=[1, 2], b=[1, 2]), {}, "here a and b have"),
        (swept(lambda **_: False, a=["x", "y"]), {}, "a is none"),
        (swept(lambda **_: False), {}, "here none have"),
        (swept(lambda **_: False, a=[1, 2]), {"runs": 0}, "runs"),
        (swept(lambda **_: False, a=[1, 2]), {"latency": 0.5}, "latency"),
        ("pool_starvation:buggy", {}, "the answer of sweep"),
    ],
)
def test_what_has_no_chart_is_an_error(found, options, said):
    with pytest.raises(OptionError, match=said):
        chart(found, **options)


@pytest.mark.parametrize("name", ["chart.pdf", "chart", "nowhere/chart.png"])
def test_a_file_that_cannot_be_is_an_error_and_is_not_begun(name, tmp_path):
    with pytest.raises(OptionError):
        charted(point(1, "holds", 1.0)).write(tmp_path / name)
    assert not [*tmp_path.iterdir()]


# ---- the picture ---------------------------------------------------------------------------------------


def pixels(picture: bytes) -> numpy.ndarray:
    return matplotlib.image.imread(io.BytesIO(picture), format="png")[..., :3]


def near(picture: bytes, colour: str) -> int:
    """Count the pixels of a colour."""
    wanted = [int(colour[n : n + 2], 16) / 255 for n in (1, 3, 5)]
    return int((abs(pixels(picture) - wanted).max(axis=2) < 0.02).sum())


def drawn(*sizes: tuple[str, float | None, float | None], chosen: int | None = None, title: str = "model") -> bytes:
    made = [Size(str(number), *size) for number, size in enumerate(sizes)]
    return picture_of_sizes(made, "workers", chosen, title, "verdict", "png")


def test_each_kind_of_size_is_shaded_and_hatched_as_its_own():
    safe, unsafe, unknown = (drawn(*[(kind, 1.0, 1.0)] * 3) for kind in ("safe", "unsafe", "unknown"))
    for picture, face, edge in ((unsafe, "#f6c9ae", "#d55e00"), (unknown, "#e4e4e4", "#7a7a7a")):
        assert near(picture, face) > 100_000
        assert near(picture, edge) > 2_000
        assert near(safe, face) < 20_000  # in what surrounds it


def test_the_recommended_size_and_what_never_completes_are_marked():
    plain = drawn(("unsafe", 0.0, 1.0), ("safe", 1.0, 1.0))
    marked = drawn(("unsafe", 0.0, math.inf), ("safe", 1.0, 1.0), chosen=1)
    assert near(marked, "#007a5a") > 500 > near(plain, "#007a5a")
    assert near(marked, "#000000") > near(plain, "#000000") + 100


@pytest.mark.parametrize("title", ["W" * 3_000, "a $b$ <b> \x1b[31m \n\0 漢字 \u202e " * 30, r"$\frac$", "x " * 80])
def test_a_title_is_not_cut_at_the_edge_whatever_is_in_it(title):
    picture = pixels(drawn(("safe", 1.0, None), title=title))
    assert (picture[:, :3] == 1).all()
    assert (picture[:, -3:] == 1).all()
    assert (picture[:3] == 1).all()


def test_the_same_numbers_give_the_same_file(tmp_path):
    found = charted(point(1, "violated", 0.0), point(2, "holds", 100.0))
    for kind in ("png", "svg"):
        found.write(tmp_path / f"chart.{kind}")
        assert (tmp_path / f"chart.{kind}").read_bytes() == found.picture(kind)
    assert ElementTree.fromstring(found.picture("svg")).tag.endswith("svg")
    assert found.picture() == found.picture("png")


# ---- the command ---------------------------------------------------------------------------------------


def invoked(*arguments: str) -> Result:
    command = ["sweep", "nested_futures:one_pool", "--jobs", "1", *arguments]
    return CliRunner().invoke(cli.cli, command, standalone_mode=False)


def run(*arguments: str) -> tuple[int, str]:
    ran = invoked(*arguments)
    if ran.exception is not None:
        raise ran.exception
    return ran.return_value, ran.output


def test_the_command_draws_and_tells(tmp_path):
    place = tmp_path / "sizes.png"
    options = ("--chart", str(place), "--latency", "task=0.01", "--runs", "2", "--seed", "3")
    status, printed = run("-p", "workers=2..4", *options)
    assert status == 1
    assert "recommended: workers=4 (" in printed
    assert "2 simulated runs of each size, seeds 3 to 4, with task=0.01: one that completes proves nothing" in printed
    assert printed.endswith(f"written: {place}\n")
    assert pixels(place.read_bytes()).size


def test_the_numbers_are_an_object(tmp_path):
    options = ("--chart", str(tmp_path / "sizes.svg"), "--latency", "task=0.01", "--runs", "2", "--json")
    read = json.loads(run("-p", "workers=1..3", *options)[1])["chart"]
    assert (read["parameter"], read["recommended"]) == ("workers", 3)
    assert read["sizes"][0]["p99"] == "never"
    assert json.loads(run("-p", "workers=3,4", "--json")[1])["chart"] is None


@pytest.mark.parametrize(
    "arguments",
    [
        ("-p", "workers=1..2", "--latency", "task=0.01"),
        ("-p", "workers=1..2", "-p", "roots=1,2", "--chart", "sizes.png"),
        ("-p", "workers=1..2", "--chart", "sizes.pdf"),
        ("-p", "workers=1..2", "--runs", "2"),
        ("-p", "workers=1..2", "--seed", "0"),
        ("-p", "workers=3..4", "--chart", "sizes.png", "--runs", "0"),
        ("-p", "workers=3..4", "--chart", "sizes.png", "--latency", "nobody=1"),
        ("-p", "workers=3..4", "--chart", "sizes.png", "--load", "nobody=1"),
    ],
)
def test_what_cannot_be_drawn_is_an_error_before_anything_is_explored(arguments, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("simcore.command.sizes.sweep", None)
    with pytest.raises((OptionError, click.UsageError)):
        run(*arguments)
    assert not [*tmp_path.iterdir()]


def test_it_shows_itself_in_a_notebook(monkeypatch):
    found = charted(point(1, "violated", 95.0), point(2, "holds", 100.0))
    assert found._repr_png_().startswith(b"\x89PNG")

    def missing(_):
        raise MissingExtra("plots", "a picture", "matplotlib")

    monkeypatch.setattr(Chart, "picture", missing)
    assert found._repr_png_() is None


def test_what_was_explored_is_told_though_it_cannot_be_drawn(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    files = ("--chart", "sizes.png", "--out", "sizes.csv")
    ran = invoked("-p", "workers=3..4", *files)  # no time passes, which a run shows
    assert isinstance(ran.exception, OptionError)
    assert "2 cells: 2 holds" in ran.output
    assert "sizes.png" not in ran.output
    assert [path.name for path in tmp_path.iterdir()] == ["sizes.csv"]
