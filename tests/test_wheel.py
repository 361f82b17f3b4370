"""The wheel brings one package, `simcore`, and leaves a project's own `models` and `properties` as they were."""

import json
import os
import shutil
import signal
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SHIPPED = ("simcore", "models", "properties", "pyproject.toml", "README.md", "LICENSE")
SYSTEM = """
from simcore import Model


def system(*, first: str = "a") -> Model:
    model = Model("of the user")
    model.process(first, lambda: iter(()))
    return model


def locks(*, n: int = 2) -> Model:
    model = Model("own locks")
    taken = [model.lock(f"lock {k}") for k in range(n)]

    def take(k):
        yield taken[k].acquire()
        yield taken[(k + 1) % n].acquire()
        yield taken[(k + 1) % n].release()
        yield taken[k].release()

    for k in range(n):
        model.process(f"process {k}", take, k)
    return model
"""
TEST = """
import models.user
import properties.mine


def test_what_is_imported_is_ours():
    assert models.user.OURS and properties.mine.OURS
    assert (getattr(models, "__file__", None) is not None) == {regular}
"""
PROJECT = """
[build-system]
requires = ["setuptools"]
build-backend = "setuptools.build_meta"

[project]
name = "users-own"
version = "1"

[tool.setuptools.packages.find]
where = ["src"]
"""


def run(*command, cwd, **more):
    """Run a command; return what it printed, its status in front."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST", "PYTHON"))}
    done = subprocess.run([*map(str, command)], cwd=cwd, env=environment, text=True, capture_output=True, **more)
    return done.returncode, done.stdout + done.stderr


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """Return a wheel, built from a copy: a build leaves files beside its sources."""
    copy = tmp_path_factory.mktemp("sources")
    for name in SHIPPED:
        shutil.copytree(ROOT / name, copy / name) if (ROOT / name).is_dir() else shutil.copy(ROOT / name, copy)
    build = [sys.executable, "-m", "pip", "wheel", "--no-deps", "--no-build-isolation", "--no-index", "-w", "out", "."]
    status, text = run(*build, cwd=copy)
    assert status == 0, text
    return next((copy / "out").glob("*.whl"))


@pytest.fixture
def python(tmp_path):
    """Return the interpreter of a new environment, in which what simcore needs can be imported, and simcore cannot."""
    run(sys.executable, "-m", "venv", "--without-pip", "venv", cwd=tmp_path)
    made = tmp_path / "venv" / "bin" / "python"
    site = next((tmp_path / "venv").glob("lib/python*/site-packages"))
    needs = tmp_path / "needs"
    needs.mkdir()
    for path in Path(sysconfig.get_path("purelib")).iterdir():
        if not path.name.startswith(("simcore", "__editable__")):
            (needs / path.name).symlink_to(path)
    (site / "needs.pth").write_text(str(needs))
    assert run(made, "-c", "import click, pytest", cwd=tmp_path)[0] == 0
    assert run(made, "-c", "import simcore", cwd=tmp_path)[0] == 1
    return made


def a_project(folder, kind, python):
    """Write a project that has `models` and `properties` of its own; install it where it has a folder src."""
    code = folder / "src" if kind == "editable" else folder
    for name, module in (("models", "user"), ("properties", "mine")):
        (code / name).mkdir(parents=True)
        (code / name / f"{module}.py").write_text("OURS = True\n")
        if kind != "namespace":
            (code / name / "__init__.py").write_text("")
    (code / "models" / "systems.py").write_text(SYSTEM)
    (folder / "tests").mkdir()
    (folder / "tests" / "test_own.py").write_text(TEST.format(regular=kind != "namespace"))
    if kind == "editable":
        (folder / "pyproject.toml").write_text(PROJECT)
        install = ("install", "--no-deps", "--no-build-isolation", "--no-index", "--editable", ".")
        status, text = run(python, "-m", "pip", *install, cwd=folder)
        assert status == 0, text


def test_the_wheel_installs_one_package_with_its_library_and_reports(wheel):
    with zipfile.ZipFile(wheel) as files:
        names = files.namelist()
    assert {name.partition("/")[0] for name in names if ".dist-info/" not in name} == {"simcore"}
    for base, inside in (("simcore", "simcore"), ("models", "simcore/models"), ("properties", "simcore/properties")):
        here = {path.relative_to(ROOT / base).as_posix() for path in (ROOT / base).rglob("*.py")}
        assert here <= {name.removeprefix(f"{inside}/") for name in names}
    assert {"simcore/py.typed", "simcore/models/reports/nvflare-4171.toml"} <= {*names}
    assert {"simcore/report/page/schedule.js", "simcore/report/page/page.css"} <= {*names}


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["regular", "namespace", "editable"])
def test_a_project_with_its_own_models_and_properties_stays_as_it_was(wheel, python, tmp_path, kind):
    folder = tmp_path / "project"
    a_project(folder, kind, python)
    own = (python, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests")
    where = (python, "-c", "import models.user, properties.mine as p; print(models.user.__file__, p.__file__)")
    before = [run(*own, cwd=folder)[0], run(*where, cwd=folder)]
    assert before[0] == 0
    pip = (python, "-m", "pip")
    assert run(*pip, "install", "--no-deps", "--no-index", wheel, cwd=folder)[0] == 0
    assert [run(*own, cwd=folder)[0], run(*where, cwd=folder)] == before
    commands_work_beside(python.with_name("simcore"), folder)
    assert run(*pip, "uninstall", "--yes", "simcore", cwd=folder)[0] == 0
    assert [run(*own, cwd=folder)[0], run(*where, cwd=folder)] == before


def commands_work_beside(simcore, folder):
    """Try what names modules: the library's, by short and by full name, and the project's own."""
    listed = json.loads(run(simcore, "list", "--json", cwd=folder)[1])["models"]
    assert "simcore.models.pool_starvation:buggy" in {row["model"] for row in listed}
    assert {row["model"] for row in json.loads(run(simcore, "list", "models", "--json", cwd=folder)[1])["models"]} == {
        "models.systems:system",
        "models.systems:locks",
    }
    for name in ("pool_starvation:buggy", "models.pool_starvation:buggy", "simcore.models.pool_starvation:buggy"):
        status, text = run(simcore, "explore", name, "-p", "downloads=1", "-p", "workers=1", "--json", cwd=folder)
        found = json.loads(text)
        assert (status, found["model"]) == (1, "simcore.models.pool_starvation:buggy")
        status, text = run(simcore, "replay", found["token"], cwd=folder)
        assert status == 1, text
    asked = ("--property", "deadlock:no_stuck_subset", "--json")
    status, text = run(simcore, "explore", "models.systems:locks", *asked, cwd=folder)
    assert (status, json.loads(text)["model"]) == (1, "models.systems:locks"), text
    assert run(simcore, "--version", cwd=folder)[0] == 0
    status, text = run(simcore, "reproduce", "no-such", cwd=folder)
    assert (status, "nvflare-4171" in text) == (2, True)


@pytest.mark.slow
def test_the_demo_runs_from_an_installed_wheel(wheel, python, tmp_path):
    """Until the hang is found: the whole of it is what `make demo` runs."""
    assert run(python, "-m", "pip", "install", "--no-deps", "--no-index", wheel, cwd=tmp_path)[0] == 0
    command = [python, "-m", "simcore", "demo", "--out", "out"]
    with subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as demo:
        told = []
        for line in demo.stdout:
            told.append(line)
            if "stream 4/4: every worker is in" in line:
                demo.send_signal(signal.SIGINT)
    assert demo.returncode == 130, "".join(told)
