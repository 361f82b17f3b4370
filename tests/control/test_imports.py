"""A thread imports what another one is importing: the wait is for that import, and the library's locks are no steps."""

import importlib
import sys
import threading

import pytest

from simcore import Verdict, control

MODULES = {
    "thread_joined": """
        import threading

        def work():
            import {name}

        thread = threading.Thread(target=work, name="worker")
        thread.start()
        thread.join()
    """,
    "pool_waited_for": """
        from concurrent.futures import ThreadPoolExecutor

        def work():
            import {name}

        POOL = ThreadPoolExecutor(1, "pool")
        POOL.submit(work).result()
    """,
}
REPAIRED = {"thread_joined": ("thread.join()", "pass"), "pool_waited_for": (".result()", "")}


def importing(name, text, folder):
    """Return a body that imports a module of its own."""
    lines = [line[8:] for line in text.format(name=name).splitlines()]
    (folder / f"{name}.py").write_text("\n".join(lines), encoding="utf-8")
    return lambda: importlib.import_module(name)


@pytest.mark.parametrize("which", MODULES)
def test_a_wait_for_an_import_is_told_as_one_and_who_does_it(which, tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(tmp_path)
    body = importing(f"bad_{which}", MODULES[which], tmp_path)
    found = control(body, schedules=20)
    assert found.verdict is Verdict.VIOLATED
    text = " ".join(str(found).split())
    assert f" for the import of bad_{which} held by main" in text.replace(",", "")
    assert f"begins the import of bad_{which} at bad_{which}.py:" in text
    assert "_ModuleLock" not in text
    assert "frozen" not in text


@pytest.mark.parametrize("which", MODULES)
def test_who_does_not_wait_for_it_while_importing_survives(which, tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(tmp_path)
    text = MODULES[which].replace(*REPAIRED[which])
    found = control(importing(f"good_{which}", text, tmp_path), schedules=50)
    assert found.verdict is Verdict.UNDETERMINED, str(found)


def test_who_imports_each_others_modules_is_told_of_the_deadlock_that_the_interpreter_finds(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(tmp_path)
    for name, other in (("one_of_two", "two_of_two"), ("two_of_two", "one_of_two")):
        importing(name, f"\n        import {other}\n", tmp_path)

    def body():
        threads = [threading.Thread(target=importlib.import_module, args=[f"{name}_of_two"]) for name in ("one", "two")]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    found = control(body, schedules=200)
    if sys.version_info >= (3, 15):  # which lets one of them have a module that is not complete
        assert found.verdict is Verdict.UNDETERMINED
        return
    assert found.verdict is Verdict.VIOLATED
    text = " ".join(str(found).split())
    assert "raised _DeadlockError: deadlock detected by" in text
    assert "begins the import of one_of_two" in text
    assert "_of_two.py:2" in text
    assert "frozen" not in text
