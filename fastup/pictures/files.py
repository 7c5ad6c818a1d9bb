"""Which file goes where, and writing that leaves the old file whole until the new one is."""

from __future__ import annotations

import glob
import os
import shutil
import stat
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from fastup.pictures.formats import READABLE, Format
from fastup.runtime.whole_files import PARTIAL as PARTIAL
from fastup.runtime.whole_files import write_whole as write_whole

STANDARD = "-"


@dataclass(frozen=True)
class Task:
    """One picture and the file it goes into.

    Attributes
    ----------
    source : str
        A path, or "-" for standard input.
    target : str
        A path, or "-" for standard output.
    """

    source: str
    target: str


@dataclass(frozen=True)
class Tasks:
    """All tasks, and the files of folders that are no pictures by their names."""

    tasks: tuple[Task, ...]
    left_out: tuple[str, ...]


def tasks_of(sources: Sequence[str], target: str | None, folder: str | None, format_: Format | None) -> Tasks:
    """Which file goes where; `target` is the last argument where no folder is given by an option."""
    into = folder if folder is not None else target
    assert into is not None
    if not into:
        raise ValueError("upscale: the target must have a name, got none")
    several = len(sources) > 1 or any(Path(one).is_dir() or _is_pattern(one) for one in sources)
    is_folder = folder is not None or Path(into).is_dir() or into.endswith(("/", os.sep))
    if several and not is_folder:
        told = "must be a folder that exists, or end with a slash, or be given by -o"
        raise ValueError(f"upscale: the target of several pictures {told}, got {into}")
    if into != STANDARD and not is_folder and not several:
        return Tasks((Task(sources[0], into),), ())
    if into == STANDARD:
        return Tasks((Task(sources[0], STANDARD),), ())
    tasks, left_out = [], []
    for source in sources:
        named = not Path(source).is_dir()
        for path, below in _expanded(source, Path(into)):
            if named or Path(path).suffix.lower() in READABLE:
                tasks.append(Task(path, str(Path(into) / _named(below, format_))))
            else:
                left_out.append(path)
    _check_twice(tasks)
    return Tasks(tuple(dict.fromkeys(tasks)), tuple(left_out))


def _is_pattern(source: str) -> bool:
    return glob.has_magic(source) and not Path(source).exists()


def _expanded(source: str, into: Path) -> Iterator[tuple[str, Path]]:
    """Files of a source, each with its path below the target's folder.

    Where that lies within the source, what is in it are results of a run before.
    """
    path = Path(source)
    if source == STANDARD:
        yield source, Path("standard-input")
    elif path.is_dir() or _is_pattern(source):
        base = path if path.is_dir() else _fixed_part(path)
        named = path.rglob("*") if path.is_dir() else base.glob(str(path.relative_to(base)))  # neither follows loops
        found = [one for one in sorted(named) if one.is_file() and not one.name.startswith(".")]
        if not found:
            raise FileNotFoundError(f"upscale: no file is in {source}")
        target = into.resolve()
        within = base.resolve() in target.parents
        results = {one for one in found if within and target in one.resolve().parents}
        yield from ((str(one), one.relative_to(base)) for one in found if one not in results)
    else:
        yield source, Path(path.name)


def _fixed_part(pattern: Path) -> Path:
    """The folder before the first part that stands for several."""
    fixed = Path(pattern.anchor)
    for part in pattern.relative_to(pattern.anchor).parts[:-1]:
        if glob.has_magic(part):
            break
        fixed /= part
    return fixed


def _named(below: Path, format_: Format | None) -> Path:
    """With the suffix of the format that is asked for."""
    if format_ is None or below.suffix.lower() in format_.suffixes:
        return below
    return below.with_suffix(format_.suffixes[0])


def _check_twice(tasks: Sequence[Task]) -> None:
    seen: dict[str, str] = {}
    for task in tasks:
        key = os.path.normcase(task.target)
        if key in seen and seen[key] != task.source:
            raise ValueError(f"upscale: {seen[key]} and {task.source} would both become {task.target}")
        seen[key] = task.source


def check_writable(target: str) -> None:
    """Refuse a target whose file, or whose folder, could not be written."""
    path = Path(os.path.realpath(target))
    if path.is_dir():
        raise IsADirectoryError(f"upscale: {target} is a folder")
    if path.exists() and not stat.S_ISREG(path.stat().st_mode):
        raise ValueError(f"upscale: {target} is no regular file")
    folder = next(one for one in path.parents if one.exists())
    if not folder.is_dir():
        raise NotADirectoryError(f"upscale: {folder} is no folder")
    if not os.access(folder, os.W_OK | os.X_OK) or (path.exists() and not os.access(path, os.W_OK)):
        raise PermissionError(f"upscale: {target} may not be written")


def write_to_standard_output(write: Callable[[Path], None]) -> None:
    """Let `write` fill a file, and copy it when it is whole."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "picture"
        write(path)
        with path.open("rb") as made:
            shutil.copyfileobj(made, sys.stdout.buffer)
        sys.stdout.buffer.flush()
