"""Compiled kernels on disk: one file per key, checked when read, replaced atomically, never a reason to fail.

The files are machine code, so the folder must be ours alone: a folder or file that is a symbolic link, belongs to
somebody else or can be written by others is treated as absent.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import os
import stat
import sys
from pathlib import Path

from fastup.runtime import settings

VARIABLE = "FASTUP_CACHE_DIR"
LIMIT = 64 * 2**20
_MAGIC = b"fastup-object-1\n"
_HEADER = len(_MAGIC) + hashlib.sha256().digest_size
_SUFFIX = ".fastup"
_NATIVE = "native"  # a file of this name: the processor's own objects come first


def folder() -> Path:
    """Where objects are kept: ``FASTUP_CACHE_DIR``, else the platform's cache folder."""
    if chosen := os.environ.get(VARIABLE):
        return Path(chosen)
    if sys.platform == "win32":
        base = os.environ.get("LOCALAPPDATA") or os.path.expanduser("~/AppData/Local")
    elif sys.platform == "darwin":
        base = os.path.expanduser("~/Library/Caches")
    else:
        base = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    return Path(base) / "fastup"


def _ours(status: os.stat_result) -> bool:
    if sys.platform == "win32":
        return True
    return status.st_uid == os.geteuid() and not status.st_mode & (stat.S_IWGRP | stat.S_IWOTH)


def problem(path: Path) -> str | None:
    """Why the folder is not used, if it is there and is not."""
    try:
        status = path.lstat()
    except FileNotFoundError:
        return None
    except OSError as error:
        return f"cannot be read ({error.strerror})"
    if stat.S_ISLNK(status.st_mode):
        return "is a symbolic link"
    if not stat.S_ISDIR(status.st_mode):
        return "is no folder"
    if sys.platform != "win32" and status.st_uid != os.geteuid():
        return "belongs to another user"
    return None if _ours(status) else "can be written by others"


def _trusted_folder() -> Path | None:
    path = folder()
    found = problem(path)
    if found is not None:
        _complain(found)
    return path if found is None and path.is_dir() else None


def _complain(found: str) -> None:
    """Whoever chose a folder hears, once, that it is of no use."""
    if chosen := os.environ.get(VARIABLE):
        settings.ignored(VARIABLE, chosen, "a folder of your own that nobody else can write to", found)


def prefers_own() -> bool:
    """Whether ``fastup warmup --native`` has filled the cache for this very processor, before what a wheel packs."""
    return _prefers_own(folder())


@functools.cache
def _prefers_own(path: Path) -> bool:
    return problem(path) is None and (path / _NATIVE).is_file()


def prefer_own() -> None:
    """Remember it; an OSError says why not."""
    folder().mkdir(mode=0o700, parents=True, exist_ok=True)
    if (found := problem(folder())) is not None:
        raise OSError(f"warmup: {folder()} {found}")
    (folder() / _NATIVE).touch()
    _prefers_own.cache_clear()


def read(key: str) -> tuple[str, bytes] | None:
    """The symbol and object stored under `key`; None for anything absent, foreign or damaged."""
    path = _trusted_folder()
    if path is None:
        return None
    flags = os.O_RDONLY
    for name in ("O_NOFOLLOW", "O_NONBLOCK", "O_BINARY"):  # a link is not followed, a pipe not waited for
        flags |= getattr(os, name, 0)
    try:
        descriptor = os.open(path / (key + _SUFFIX), flags)
        with open(descriptor, "rb") as file:
            status = os.fstat(descriptor)
            if not (stat.S_ISREG(status.st_mode) and _ours(status)):
                return None
            content = file.read()
    except OSError:
        return None
    header, payload = content[:_HEADER], content[_HEADER:]
    if header != _MAGIC + hashlib.sha256(payload).digest():
        return None
    symbol, _, code = payload.partition(b"\n")
    return symbol.decode(), code


def write(key: str, symbol: str, code: bytes) -> None:
    """Store an object; a folder that cannot be used or a full disk leaves everything as it was."""
    payload = symbol.encode() + b"\n" + code
    try:
        if problem(folder()) is None:
            folder().mkdir(mode=0o700, parents=True, exist_ok=True)
        path = _trusted_folder()
        if path is not None:
            _replace(path / (key + _SUFFIX), _MAGIC + hashlib.sha256(payload).digest() + payload)
            _drop_oldest(path)
    except OSError as error:
        _complain(f"cannot be written ({error.strerror})")


def _replace(target: Path, content: bytes) -> None:
    """Write beside the target under a name that no other writer has, then rename: readers see all of it or nothing."""
    temporary = target.with_name(f".new-{os.getpid()}-{os.urandom(8).hex()}{_SUFFIX}")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o600)
    try:
        with open(descriptor, "wb") as file:
            file.write(content)
        os.replace(temporary, target)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(temporary)
        raise


def _drop_oldest(path: Path) -> None:
    """Keep the folder under its limit; what killed writers left behind counts and goes with the rest."""
    ours = []
    with os.scandir(path) as listing:
        for entry in listing:
            with contextlib.suppress(FileNotFoundError):  # another process has renamed or dropped it meanwhile
                if entry.name.endswith(_SUFFIX):
                    ours.append((entry.stat(follow_symlinks=False), entry.path))
    entries = sorted(ours, key=lambda entry: entry[0].st_mtime)
    surplus = sum(status.st_size for status, _ in entries) - LIMIT
    for status, name in entries:
        if surplus <= 0:
            return
        with contextlib.suppress(OSError):
            os.unlink(name)
            surplus -= status.st_size
