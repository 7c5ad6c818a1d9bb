"""Files that are there as a whole or not at all: written beside their place, and renamed when they are on the disk."""

from __future__ import annotations

import contextlib
import os
import stat
import tempfile
from collections.abc import Callable
from pathlib import Path

# What new files may not have can only be read by setting it, once, before there are threads.
_MASK = os.umask(0)
os.umask(_MASK)
PARTIAL: set[Path] = set()  # files that are being written, for whoever ends the process


def write_whole(target: str, write: Callable[[Path], None], replace: bool = True) -> None:
    """Let `write` fill a neighbour of the target, which takes its place when it is whole and on the disk.

    Without `replace` a file that is there by then stays, and an error says so.
    """
    path = Path(os.path.realpath(target))  # what a symbolic link points to is replaced, not the link
    path.parent.mkdir(parents=True, exist_ok=True)
    number, name = tempfile.mkstemp(prefix=".fastup-", suffix=".partial", dir=path.parent)
    os.close(number)
    beside = Path(name)
    PARTIAL.add(beside)
    try:
        write(beside)
        os.chmod(beside, stat.S_IMODE(path.stat().st_mode) if path.exists() else 0o666 & ~_MASK)
        _on_disk(beside, os.O_RDWR)
        _placed(beside, path, replace)
    finally:
        beside.unlink(missing_ok=True)
        PARTIAL.discard(beside)
    if os.name == "posix":  # elsewhere folders cannot be opened
        _on_disk(path.parent, os.O_RDONLY)


def _on_disk(path: Path, flags: int) -> None:
    number = os.open(path, flags)
    try:
        with contextlib.suppress(OSError) if flags == os.O_RDONLY else contextlib.nullcontext():
            os.fsync(number)  # some file systems have none for folders
    finally:
        os.close(number)


def _placed(beside: Path, path: Path, replace: bool) -> None:
    """Give a whole file its name."""
    if not replace:
        try:
            os.link(beside, path)  # which never replaces
            return
        except FileExistsError:
            raise FileExistsError(f"{path} has come meanwhile, and stays") from None
        except OSError:  # a file system without links
            if path.exists():
                raise FileExistsError(f"{path} has come meanwhile, and stays") from None
    os.replace(beside, path)
