"""What is written is there as a whole or not at all: it is written beside its place, then renamed."""

from __future__ import annotations

import os
import re
import shutil
import tempfile
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from simcore.errors import OptionError

NAMES = ("report.md", "report.json", "wait-for.png", "wait-for.mmd", "occupancy.png")
"""The files of a report."""


def check_folder(folder: Path, names: Collection[str] = NAMES) -> None:
    """Tell early whether `write_folder` will take ``folder`` for files of these ``names``.

    Raises
    ------
    OptionError
        When it cannot be written, or holds something of another name.
    """
    try:
        if folder.exists():
            if not folder.is_dir():
                raise OptionError(f"{folder} is not a folder; name another place with --out")
            foreign = sorted(path.name for path in folder.iterdir() if path.name not in names)
            if foreign:
                raise OptionError(f"{folder} holds {foreign[0]}, which would be lost; name another place with --out")
        _partial(folder).rmdir()
    except OSError as error:
        raise _cannot_be_written(folder, error) from error


def write_folder(folder: Path, files: Mapping[str, bytes | str], names: Collection[str] = NAMES) -> None:
    """Write ``files`` as ``folder``, whole or not at all: it is written beside its place, then renamed.

    An older folder is there until all of the new one is. Who is killed between the two renames leaves none, and
    both beside it; who is interrupted there leaves the older one.

    Raises
    ------
    OptionError
        When ``folder`` cannot be written, or holds something of another name.
    """
    check_folder(folder, names)
    try:
        partial = _partial(folder)
        try:
            partial.chmod(0o755)
            for name, content in files.items():
                (partial / name).write_bytes(content.encode() if isinstance(content, str) else content)
            _swap(partial, folder.resolve())
        finally:
            shutil.rmtree(partial, ignore_errors=True)
        _sweep(folder)
    except OSError as error:
        raise _cannot_be_written(folder, error) from error


def _partial(folder: Path) -> Path:
    """Return a new folder beside ``folder``."""
    place = folder.resolve()
    place.parent.mkdir(parents=True, exist_ok=True)
    return Path(tempfile.mkdtemp(prefix=f".{place.name}.", suffix=".partial", dir=place.parent))


def _swap(new: Path, folder: Path) -> None:
    old = new.with_name(f"{new.name.removesuffix('.partial')}.old.partial")
    try:
        if folder.exists():
            os.replace(folder, old)
        os.replace(new, folder)
    finally:
        if old.exists() and not folder.exists():
            os.replace(old, folder)
    shutil.rmtree(old, ignore_errors=True)


def _sweep(folder: Path) -> None:
    """Remove what runs that were killed have left."""
    place = folder.resolve()
    left = re.compile(rf"\.{re.escape(place.name)}\.\w{{8}}(\.old)?\.partial")
    for path in place.parent.iterdir():
        if left.fullmatch(path.name):
            shutil.rmtree(path, ignore_errors=True)


def _cannot_be_written(folder: Path, error: OSError) -> OptionError:
    return OptionError(f"{folder} cannot be written: {error.strerror}; name another place with --out")


@contextmanager
def whole_file(path: Path, option: str = "--out") -> Iterator[Callable[[str], None]]:
    """Give what takes the text of a file, which is ``path`` when all went well; else what was there stays as it was.

    Parameters
    ----------
    path : Path
        Where it will be.
    option : str
        By which another one is named.

    Raises
    ------
    OptionError
        When ``path`` cannot be written, before anything else is done if that can be seen.
    """
    check_file(path, option)
    texts: list[str] = []
    yield texts.append
    with file_beside(path, option) as partial:
        partial.write_text("".join(texts), encoding="utf-8")


@contextmanager
def file_beside(path: Path, option: str = "--out") -> Iterator[Path]:
    """Give where to write a file that is ``path`` when all went well; raise OptionError where it cannot be written."""
    check_file(path, option)
    place = path.resolve()
    partial = _partial_file(place)
    try:
        with _writing(path, option):
            yield partial
            os.replace(partial, place)
    finally:
        partial.unlink(missing_ok=True)


def check_file(path: Path, option: str = "--out") -> None:
    """Raise OptionError unless a file could be written to ``path`` now; ``option`` names another one."""
    place = path.resolve()
    if str(path) == "-" or (place.exists() and not place.is_file()):
        raise OptionError(f"{path} is no file that could be written; name another one with {option}")
    with _writing(path, option):
        _partial_file(place).touch()
        _partial_file(place).unlink()


def _partial_file(place: Path) -> Path:
    """Return where a file is written before it is whole."""
    return place.with_name(f".{place.name}.{os.getpid()}.partial")


@contextmanager
def _writing(path: Path, option: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise OptionError(f"{path} cannot be written: {error.strerror}; name another one with {option}") from error
