"""Facts about the processor: its name and instruction sets, cache sizes, and how much of it this process may use."""

from __future__ import annotations

import contextlib
import ctypes
import functools
import os
import platform
import re
import sys
from pathlib import Path
from typing import NamedTuple

from fastup.runtime import forks

# Feature sets of the x86-64 psABI levels beyond the one below, best first, as LLVM names them.
LEVELS: dict[str, tuple[str, ...]] = {
    "x86-64-v4": ("avx512f", "avx512bw", "avx512cd", "avx512dq", "avx512vl"),
    "x86-64-v3": ("avx", "avx2", "bmi", "bmi2", "f16c", "fma", "lzcnt", "movbe", "xsave"),
    "x86-64-v2": ("cx16", "popcnt", "sahf", "sse3", "sse4.1", "sse4.2", "ssse3"),
}
_DEFAULT_CACHES = (32 * 2**10, 512 * 2**10, 8 * 2**20)


class Caches(NamedTuple):
    """Sizes in bytes of the data caches that one core sees."""

    level1: int
    level2: int
    level3: int


@functools.cache
def cpu_name() -> str:
    """LLVM's name of this processor."""
    llvm = forks.late_import("llvmlite.binding")
    return str(llvm.get_host_cpu_name())


@functools.cache
def cpu_features() -> str:
    """LLVM's feature string of this processor."""
    llvm = forks.late_import("llvmlite.binding")
    return str(llvm.get_host_cpu_features().flatten())


# What Linux calls features that LLVM calls otherwise.
_FLAGS = {"bmi1": "bmi", "abm": "lzcnt", "lahf_lm": "sahf", "pni": "sse3", "sse4_1": "sse4.1", "sse4_2": "sse4.2"}


@functools.cache
def features() -> frozenset[str]:
    """Features by LLVM's names; where Linux tells them, without LLVM, whose import takes a tenth of a second."""
    if sys.platform == "linux" and platform.machine() == "x86_64":
        with contextlib.suppress(OSError):
            if found := re.search(r"^flags\s*: (.*)", Path("/proc/cpuinfo").read_text(), re.MULTILINE):
                return frozenset(_FLAGS.get(flag, flag) for flag in found[1].split())
    return frozenset(feature[1:] for feature in cpu_features().split(",") if feature.startswith("+"))


def levels() -> tuple[str, ...]:
    """The x86-64 levels that this processor has, best first; empty on other architectures."""
    present = features()
    names = list(LEVELS)
    return tuple(name for i, name in enumerate(names) if all(present.issuperset(LEVELS[n]) for n in names[i:]))


def isa() -> str:
    """The vector instruction set that kernels use here, for people to read."""
    if platform.machine().lower() in ("arm64", "aarch64"):
        return "NEON"
    best = (*levels(), "x86-64")[0]
    return {"x86-64-v4": "AVX-512", "x86-64-v3": "AVX2", "x86-64-v2": "SSE4.2"}.get(best, "SSE2")


def brand() -> str:
    """The processor's name as its maker prints it, where the system tells."""
    if sys.platform == "linux":
        try:
            found = re.search(r"model name\s*: (.*)", Path("/proc/cpuinfo").read_text())
        except OSError:
            found = None
        if found:
            return found[1]
    return platform.processor() or platform.machine()


@functools.cache
def caches() -> Caches:
    """Data cache sizes; a level that the system does not tell gets a modest default."""
    reader = {"linux": _caches_linux, "darwin": _caches_macos, "win32": _caches_windows}.get(sys.platform)
    try:
        found = reader() if reader else {}
    except (OSError, ValueError, AttributeError):
        found = {}
    return Caches(*(found.get(level) or default for level, default in enumerate(_DEFAULT_CACHES, 1)))


def _caches_linux() -> dict[int, int]:
    found = {}
    for index in Path("/sys/devices/system/cpu/cpu0/cache").glob("index*"):
        if (index / "type").read_text().strip() != "Instruction":
            found[int((index / "level").read_text())] = _bytes((index / "size").read_text())
    return found


def _bytes(text: str) -> int:
    number, unit = re.fullmatch(r"(\d+)([KMG]?)", text.strip()).groups()  # type: ignore[union-attr]
    return int(number) * {"": 1, "K": 2**10, "M": 2**20, "G": 2**30}[unit]


def _caches_macos() -> dict[int, int]:
    libc = ctypes.CDLL(None)
    found = {}
    for level, name in ((1, b"hw.l1dcachesize"), (2, b"hw.l2cachesize"), (3, b"hw.l3cachesize")):
        value, size = ctypes.c_uint64(), ctypes.c_size_t(8)
        if libc.sysctlbyname(name, ctypes.byref(value), ctypes.byref(size), None, 0) == 0:
            found[level] = value.value
    return found


def _caches_windows() -> dict[int, int]:
    """Walk SYSTEM_LOGICAL_PROCESSOR_INFORMATION: relationship 2 is a cache, its descriptor follows at byte 16."""
    kernel32 = ctypes.CDLL("kernel32")
    length = ctypes.c_uint32()
    kernel32.GetLogicalProcessorInformation(None, ctypes.byref(length))
    buffer = ctypes.create_string_buffer(length.value)
    if not kernel32.GetLogicalProcessorInformation(buffer, ctypes.byref(length)):
        return {}
    found, entries = {}, buffer.raw
    for at in range(0, length.value, 32):
        relationship = int.from_bytes(entries[at + 8 : at + 12], "little")
        level, size = entries[at + 16], int.from_bytes(entries[at + 20 : at + 24], "little")
        kind = int.from_bytes(entries[at + 24 : at + 28], "little")  # 1: instructions only
        if relationship == 2 and kind != 1:
            found[level] = size
    return found


def usable_cores() -> int:
    """Cores that this process may keep busy: the smaller of its affinity and its control group's quota."""
    return max(1, min(_affinity(), _quota() or sys.maxsize))


def _affinity() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    if sys.platform == "win32":
        process, system = ctypes.c_size_t(), ctypes.c_size_t()
        kernel32 = ctypes.CDLL("kernel32")
        kernel32.GetCurrentProcess.restype = ctypes.c_void_p
        handle = ctypes.c_void_p(kernel32.GetCurrentProcess())
        if kernel32.GetProcessAffinityMask(handle, ctypes.byref(process), ctypes.byref(system)):
            return process.value.bit_count()
    return os.cpu_count() or 1


def _quota(root: str = "/sys/fs/cgroup", membership: str = "/proc/self/cgroup") -> int | None:
    """Whole cores of the tightest CPU quota on the path from our control group to the root (versions 1 and 2)."""
    try:
        lines = Path(membership).read_text().splitlines()
    except OSError:
        return None
    limits = []
    for line in lines:
        _, controllers, path = line.split(":", 2)
        if controllers == "":
            limits += [_read_quota(folder / "cpu.max") for folder in _ancestors(root, path)]
        elif "cpu" in controllers.split(","):
            for folder in _ancestors(f"{root}/cpu", path):
                limits.append(_read_quota(folder / "cpu.cfs_quota_us", folder / "cpu.cfs_period_us"))
    found = [limit for limit in limits if limit is not None]
    return max(1, int(min(found))) if found else None


def _ancestors(root: str, path: str) -> list[Path]:
    """Folders from the group up to the root; inside a container the path may not exist below its own root."""
    parts = [part for part in path.split("/") if part not in ("", "..")]
    return [Path(root, *parts[:depth]) for depth in range(len(parts), -1, -1)]


def _read_quota(*files: Path) -> float | None:
    try:
        words = " ".join(file.read_text() for file in files).split()
        quota, period = int(words[0]), int(words[1])
    except (OSError, ValueError, IndexError):  # absent, or "max": no limit
        return None
    return quota / period if quota > 0 and period > 0 else None


def memory() -> int:
    """Physical memory in bytes, or 2 GB where the system does not tell."""
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):
        return 2 * 2**30
