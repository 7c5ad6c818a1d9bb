"""The object cache in bad surroundings: always a right result, never an exception, never stale code."""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import fastup
from fastup.runtime import digest, kernel, object_cache

posix = pytest.mark.skipif(sys.platform == "win32", reason="POSIX permissions")
objects = pytest.mark.skipif(
    os.environ.get("FASTUP_RUNTIME") == "numba" or kernel.runtime() != "object", reason="the object runtime only"
)
PACKAGE = Path(fastup.__file__).parent
CALL = """
import sys, numpy as np, fastup
x = np.arange(16, dtype=np.int32).reshape(1, 4, 2, 2)
y = fastup.pixel_shuffle(x, 2)
assert y.tolist() == [[[[0, 4, 1, 5], [8, 12, 9, 13], [2, 6, 3, 7], [10, 14, 11, 15]]]], y
print("compiled" if "numba" in sys.modules else "loaded")
"""


def run(folder: Path | str, code: str = CALL, told: str = "", **environment: str) -> str:
    """Run `code` in a new process with this cache folder, of which it is `told` something; its output."""
    variables = {**os.environ, "FASTUP_CACHE_DIR": str(folder), "PYTHONPATH": str(PACKAGE.parent), **environment}
    command = [sys.executable, "-W", "always" if told else "error", "-c", code]
    finished = subprocess.run(command, env=variables, cwd="/", capture_output=True, text=True, check=False)
    assert finished.returncode == 0, finished.stderr
    if told:
        rule = "fastup: FASTUP_CACHE_DIR must be a folder of your own that nobody else can write to"
        assert finished.stderr.count(rule) == 1
        assert f"{rule}, got {str(folder)!r}, which {told} and is ignored" in finished.stderr
    return finished.stdout.strip()


@objects
@pytest.mark.quick
def test_the_second_process_does_not_import_numba(tmp_path: Path) -> None:
    assert run(tmp_path / "cache") == "compiled"
    assert run(tmp_path / "cache") == "loaded"
    (file,) = (tmp_path / "cache").iterdir()
    assert file.suffix == ".fastup"


@objects
@posix
def test_folder_and_files_are_private(tmp_path: Path) -> None:
    run(tmp_path / "cache")
    assert (tmp_path / "cache").stat().st_mode & 0o777 == 0o700
    for file in (tmp_path / "cache").iterdir():
        assert file.stat().st_mode & 0o777 == 0o600


@objects
def test_garbage_truncated_and_empty_files(tmp_path: Path) -> None:
    run(tmp_path)
    (file,) = tmp_path.glob("*.fastup")
    good = file.read_bytes()
    for content in (b"", b"garbage", good[:-1], good[:40], good[:60] + b"\xff" + good[61:], good + b"x"):
        file.write_bytes(content)
        assert run(tmp_path) == "compiled"
        assert file.read_bytes() == good or len(file.read_bytes()) == len(good)
        assert run(tmp_path) == "loaded"


@objects
@posix
def test_a_symbolic_link_is_not_trusted(tmp_path: Path) -> None:
    real, link = tmp_path / "real", tmp_path / "link"
    run(real)
    link.symlink_to(real)
    assert run(link, told="is a symbolic link") == "compiled"
    (file,) = real.glob("*.fastup")
    other = tmp_path / "other.fastup"
    file.rename(other)
    file.symlink_to(other)
    assert run(real) == "compiled"


@objects
@posix
def test_what_others_can_write_is_not_trusted(tmp_path: Path) -> None:
    folder = tmp_path / "cache"
    run(folder)
    folder.chmod(0o777)
    assert run(folder, told="can be written by others") == "compiled"
    folder.chmod(0o700)
    (file,) = folder.glob("*.fastup")
    file.chmod(0o666)
    assert object_cache_reads(folder, file) is None
    file.chmod(0o600)
    assert object_cache_reads(folder, file) is not None


def object_cache_reads(folder: Path, file: Path) -> Any:
    before = os.environ.get("FASTUP_CACHE_DIR")
    os.environ["FASTUP_CACHE_DIR"] = str(folder)
    try:
        return object_cache.read(file.stem)
    finally:
        os.environ["FASTUP_CACHE_DIR"] = before or ""


@objects
@posix
def test_what_another_user_owns_is_not_trusted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "cache"
    run(folder)
    (file,) = folder.glob("*.fastup")
    assert object_cache_reads(folder, file) is not None
    monkeypatch.setattr(os, "geteuid", lambda: folder.stat().st_uid + 1)
    with pytest.warns(RuntimeWarning, match="which belongs to another user and is ignored"):
        assert object_cache_reads(folder, file) is None


@posix
def test_a_folder_that_cannot_be_written_or_made(tmp_path: Path) -> None:
    folder = tmp_path / "cache"
    folder.mkdir(mode=0o500)
    file = tmp_path / "file"
    file.write_text("in the way")
    by_root = os.geteuid() == 0  # who may write everywhere
    assert run(folder, told="" if by_root else "cannot be written (Permission denied)") == "compiled"
    assert run(file, told="is no folder") == "compiled"
    assert run(file / "below", told="cannot be read (Not a directory)") == "compiled"
    nowhere = "/proc/fastup-cannot-be-here"
    assert run(nowhere, told="cannot be written (No such file or directory)") == "compiled"


@objects
def test_a_missing_home(tmp_path: Path) -> None:
    run("", HOME=str(tmp_path / "gone" / "home"), XDG_CACHE_HOME=str(tmp_path / "x" / "y"))
    assert list((tmp_path / "x" / "y" / "fastup").glob("*.fastup"))


def test_a_full_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FASTUP_CACHE_DIR", str(tmp_path))

    def full(*_: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    with pytest.warns(RuntimeWarning, match="which cannot be written .No space left on device. and is ignored"):
        object_cache.write("0" * 64, "symbol", b"code")
    assert list(tmp_path.iterdir()) == []


@objects
@posix
def test_a_real_write_error(tmp_path: Path) -> None:
    """A file size limit stops the write in the middle, as a full disk does."""
    code = "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100))\n" + CALL
    assert run(tmp_path, code, told="cannot be written (File too large)") == "compiled"
    assert list(tmp_path.glob("*.fastup")) == []


@objects
def test_four_processes_compile_the_same_kernel_at_once(tmp_path: Path) -> None:
    variables = {**os.environ, "FASTUP_CACHE_DIR": str(tmp_path / "cache"), "PYTHONPATH": str(PACKAGE.parent)}
    running = [subprocess.Popen([sys.executable, "-c", CALL], env=variables) for _ in range(4)]
    assert [process.wait() for process in running] == [0] * 4
    assert len(list((tmp_path / "cache").iterdir())) == 1
    assert run(tmp_path / "cache") == "loaded"


@objects
@posix
def test_a_writer_killed_before_its_rename(tmp_path: Path) -> None:
    code = "import os, signal; os.replace = lambda *_: os.kill(os.getpid(), signal.SIGKILL)\n" + CALL
    variables = {**os.environ, "FASTUP_CACHE_DIR": str(tmp_path), "PYTHONPATH": str(PACKAGE.parent)}
    assert subprocess.run([sys.executable, "-c", code], env=variables, check=False).returncode == -signal.SIGKILL
    assert len(list(tmp_path.glob(".new-*"))) == 1
    assert run(tmp_path) == "compiled"
    assert run(tmp_path) == "loaded"


@objects
def test_an_edit_of_any_source_is_seen(tmp_path: Path) -> None:
    """A helper in another file than the kernel's changes what the kernel does."""
    copy = tmp_path / "site" / "fastup"
    shutil.copytree(PACKAGE, copy, ignore=shutil.ignore_patterns("__pycache__", "export"))
    code = CALL.replace("assert y", "y[...] -= ADDED\nassert y")
    path = {"PYTHONPATH": str(copy.parent)}
    assert run(tmp_path / "cache", code.replace("ADDED", "0"), **path) == "compiled"
    helper = copy / "cpu" / "simd" / "moves.py"
    line = 'item = builder.load_atomic(builder.gep(origin, [source]), "monotonic", size)\n'
    assert line in helper.read_text()
    edited = line + "        item = builder.add(item, item.type(1))\n"
    helper.write_text(helper.read_text().replace(line, edited))
    assert run(tmp_path / "cache", code.replace("ADDED", "1"), **path) == "compiled"
    assert run(tmp_path / "cache", code.replace("ADDED", "1"), **path) == "loaded"


@objects
def test_code_older_than_its_source_is_not_stored(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A process that imported the sources before an edit must not file its code under the new sources' key."""
    from fastup.cpu.copy.kernels import permuted_copy

    monkeypatch.setenv("FASTUP_CACHE_DIR", str(tmp_path))
    monkeypatch.setattr(permuted_copy.copy_nest, "_entries", {})
    monkeypatch.setattr(digest, "read", dict)  # as if every file had been edited since
    permuted_copy.copy_nest("uint8")
    assert list(tmp_path.iterdir()) == []


@objects
def test_an_edit_between_import_and_first_call_is_not_stored(tmp_path: Path) -> None:
    copy = tmp_path / "site" / "fastup"
    shutil.copytree(PACKAGE, copy, ignore=shutil.ignore_patterns("__pycache__", "export"))
    edit = (
        f"import fastup; open({str(copy / 'cpu' / 'copy' / 'kernels' / 'permuted_copy.py')!r}, 'a').write('# edited')\n"
    )
    path = {"PYTHONPATH": str(copy.parent)}
    assert run(tmp_path / "cache", edit + CALL, **path) == "compiled"
    assert not list((tmp_path / "cache").glob("*")) if (tmp_path / "cache").exists() else True
    assert run(tmp_path / "cache", **path) == "compiled"


@objects
@posix
def test_a_pipe_in_place_of_an_object(tmp_path: Path) -> None:
    run(tmp_path)
    (file,) = tmp_path.glob("*.fastup")
    file.unlink()
    os.mkfifo(file, 0o600)
    assert run(tmp_path) == "compiled"


@objects
def test_code_generation_variables_are_part_of_the_key(tmp_path: Path) -> None:
    assert run(tmp_path) == "compiled"
    assert run(tmp_path, NUMBA_OPT="2") == "compiled"
    assert run(tmp_path, NUMBA_CPU_NAME="x86-64-v2", NUMBA_CPU_FEATURES="") == "compiled"
    assert len(list(tmp_path.iterdir())) == 3


@objects
def test_code_without_optimisation_has_a_key_of_its_own(tmp_path: Path) -> None:
    """Helpers are inlined all the same, so that the object needs nothing."""
    assert run(tmp_path, NUMBA_OPT="0") == "compiled"
    assert run(tmp_path, NUMBA_OPT="0") == "loaded"
    assert run(tmp_path) == "compiled"


@objects
@pytest.mark.parametrize("level", ["x86-64-v2", "x86-64-v3"])
def test_objects_of_a_lower_level_serve(tmp_path: Path, level: str) -> None:
    """What ``fastup warmup --level`` put there for other machines is found, and nothing is compiled."""
    from fastup.runtime import cpu_info

    if level not in cpu_info.levels():
        pytest.skip(f"this processor is below {level}")
    assert run(tmp_path, NUMBA_CPU_NAME=level, NUMBA_CPU_FEATURES="") == "compiled"
    assert run(tmp_path) == "loaded"


@objects
def test_the_folder_stays_below_its_limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FASTUP_CACHE_DIR", str(tmp_path))
    monkeypatch.setattr(object_cache, "LIMIT", 2500)
    (tmp_path / "somebody's.txt").write_text("x" * 5000)
    tmp_path.chmod(0o700)
    for number in range(5):
        object_cache.write(f"{number:064x}", "symbol", bytes(1000))
        os.utime(tmp_path / f"{number:064x}.fastup", (number, number))
    left = sorted(file.name for file in tmp_path.iterdir())
    assert left == [f"{3:064x}.fastup", f"{4:064x}.fastup", "somebody's.txt"]


def test_files_that_vanish_while_the_folder_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another process renames and drops files at the same time; the others are still kept below the limit."""
    monkeypatch.setattr(object_cache, "LIMIT", 1500)
    for name in "abc":
        (tmp_path / f"{name}.fastup").write_bytes(bytes(1000))
    whole = os.scandir

    @contextlib.contextmanager
    def scandir(path: Path) -> Iterator[Any]:
        with whole(path) as listing:
            entries = sorted(listing, key=lambda entry: entry.name)
        (tmp_path / "a.fastup").unlink()
        yield entries

    monkeypatch.setattr(os, "scandir", scandir)
    object_cache._drop_oldest(tmp_path)
    monkeypatch.undo()
    assert len(list(tmp_path.iterdir())) == 1


def test_the_numba_runtime_needs_no_cache(tmp_path: Path) -> None:
    assert run(tmp_path / "cache", FASTUP_RUNTIME="numba") == "compiled"
    assert not (tmp_path / "cache").exists()
