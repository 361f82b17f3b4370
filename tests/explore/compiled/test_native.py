"""The compiled functions: made once, kept whole or not at all, loaded without numba, and the same as in Python."""

import json
import subprocess
import sys
from itertools import chain

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from simcore.errors import InternalError
from simcore.explore.compiled import compiler, native, proof
from simcore.explore.compiled.columns import Columns
from simcore.explore.compiled.kinds import Kind, Struct, kinds, words
from simcore.explore.compiled.native import Called, machine_code
from simcore.explore.compiled.rows import fill, mixed, pack, put, unpack

WITHOUT_NUMBA = """
import json, sys
sys.modules["numba"] = None  # whoever imports it fails
from simcore.models.pool_starvation import fixed
from simcore import explore
result = explore(fixed(downloads=3, workers=2, callback_workers=3), symmetry=False, partial_order=False)
print(json.dumps([result.verdict.value, result.states, *result.notes]))
"""


def test_what_has_been_compiled_is_loaded_without_numba():
    machine_code()
    ran = subprocess.run([sys.executable, "-c", WITHOUT_NUMBA], capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr
    verdict, states, note = json.loads(ran.stdout)
    assert (verdict, states > 5_000, note[:14]) == ("holds", True, "compiled loop:")


def test_an_object_file_is_kept_whole(tmp_path):
    folder = tmp_path / "cache"
    assert native._written(folder, "code.o", b"machine code")
    assert native._read(folder / "code.o") == b"machine code"
    assert [path.name for path in folder.iterdir()] == ["code.o"]


@pytest.mark.parametrize("damage", [lambda kept: kept[:-1], lambda kept: kept[:-1] + b"?", lambda kept: b""])
def test_a_damaged_object_file_is_as_good_as_none(tmp_path, damage):
    native._written(tmp_path, "code.o", b"machine code")
    (tmp_path / "code.o").write_bytes(damage((tmp_path / "code.o").read_bytes()))
    assert native._read(tmp_path / "code.o") is None


def test_where_nothing_can_be_written_nothing_is_kept(tmp_path):
    (tmp_path / "file").write_text("not a folder")
    assert not native._written(tmp_path / "file", "code.o", b"machine code")
    assert native._read(tmp_path / "file" / "code.o") is None


def test_it_is_kept_for_the_user_where_the_user_keeps_such_things(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert native._folders()[1:] == (tmp_path / "simcore",)
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert native._folders()[1:] == (tmp_path / ".cache" / "simcore",)


def test_who_has_no_home_keeps_nothing_in_one(monkeypatch):
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setattr(native.os.path, "expanduser", lambda path: path)  # as it does when it finds none
    assert native._folders()[1:] == ()


def test_code_that_is_damaged_is_compiled_again(tmp_path, monkeypatch):
    made = []
    monkeypatch.setattr(native, "_folders", lambda: (tmp_path,))
    monkeypatch.setattr(native, "_linked", made.append)
    monkeypatch.setattr(compiler, "object_file", lambda *_: b"machine code")
    for damaged in (False, False, True):
        for path in tmp_path.iterdir() if damaged else []:
            path.write_bytes(b"x")
        machine_code.__wrapped__()
    assert made == [b"machine code"] * 3
    assert [native._read(path) for path in tmp_path.iterdir()] == [b"machine code"]


@pytest.mark.parametrize(
    "array",
    [np.zeros(3, np.int32), np.zeros((3, 3), np.int64), np.zeros(6, np.int64)[::2]],
    ids=["other elements", "other dimensions", "with gaps"],
)
def test_an_array_of_another_kind_is_not_given_to_machine_code(array):
    with pytest.raises(InternalError, match="was given for one of"):
        words(array, Kind("i8"))


@given(st.integers(0, (1 << 64) - 1))
def test_a_word_keeps_its_bits(word):
    [given_] = words(word, Kind("u8", 0))
    assert given_ % (1 << 64) == word
    assert -(1 << 63) <= given_ < 1 << 63


def test_machine_code_does_what_its_functions_do_in_python():
    columns = Columns(range(20), seed=7)
    for code in range(1, 12):
        for column in range(20):
            columns.code(column, 100 * column + code)
    columns.arrange()
    codes = np.arange(20, dtype=np.int64) % 12
    rows = np.zeros((2, columns.words), np.uint64)
    numbers = np.zeros((2, 20), np.int64)
    random = np.zeros((2, 50), np.uint64)
    table = np.zeros((2, 64, 2), np.uint64)
    with np.errstate(over="ignore"):  # words go round
        for turn, call in enumerate([Called.__call__, lambda entry, *args: entry.function(*args)]):
            call(pack, columns.layout, rows[turn], codes)
            call(unpack, columns.layout, rows[turn], np.zeros(20, np.int64), numbers[turn])
            call(fill, random[turn], 3, (1 << 64) - 5)
            for key in range(1, 30):
                call(put, table[turn], np.array([mixed(np.uint64(key)), key], np.uint64))
    for one, other in (rows, numbers, random, table):
        assert one.any()
        assert one.tolist() == other.tolist()


def test_what_goes_beyond_an_array_is_an_error():
    slots, rows = np.zeros(64, np.uint64), np.ones((4, 3), np.int32)
    proof.index(slots, rows, 4)
    with pytest.raises(InternalError, match="index went beyond an array"):
        proof.index(slots, rows, 5)


def test_code_in_which_entries_have_other_places_is_another(monkeypatch):
    name = native._name()
    monkeypatch.setattr(native, "entries", native.entries[::-1])
    assert native._name() != name


def test_each_entry_says_what_it_takes():
    told = list(chain.from_iterable(kinds(entry.function).values() for entry in native.entries))
    assert told
    assert all(kind is int or isinstance(kind, Kind) or issubclass(kind, Struct) for kind in told)
