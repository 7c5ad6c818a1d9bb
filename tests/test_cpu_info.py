"""Facts about the processor, read from made-up systems."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from fastup.runtime import cpu_info


def membership(tmp_path: Path, text: str) -> str:
    file = tmp_path / "membership"
    file.write_text(text)
    return str(file)


def write(file: Path, text: str) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)


@pytest.mark.parametrize(
    ("limit", "expected"), [("max 100000", None), ("150000 100000", 1), ("400000 100000", 4), ("20000 100000", 1)]
)
def test_quota_of_version_2(tmp_path: Path, limit: str, expected: int | None) -> None:
    write(tmp_path / "a" / "b" / "cpu.max", limit)
    assert cpu_info._quota(str(tmp_path), membership(tmp_path, "0::/a/b\n")) == expected


def test_the_tightest_quota_on_the_path_counts(tmp_path: Path) -> None:
    write(tmp_path / "cpu.max", "max 100000")
    write(tmp_path / "a" / "cpu.max", "300000 100000")
    write(tmp_path / "a" / "b" / "cpu.max", "800000 100000")
    assert cpu_info._quota(str(tmp_path), membership(tmp_path, "0::/a/b\n")) == 3


def test_quota_of_version_1(tmp_path: Path) -> None:
    write(tmp_path / "cpu" / "x" / "cpu.cfs_quota_us", "250000\n")
    write(tmp_path / "cpu" / "x" / "cpu.cfs_period_us", "100000\n")
    write(tmp_path / "cpu" / "cpu.cfs_quota_us", "-1\n")
    write(tmp_path / "cpu" / "cpu.cfs_period_us", "100000\n")
    text = "4:memory:/x\n3:cpu,cpuacct:/x\n"
    assert cpu_info._quota(str(tmp_path), membership(tmp_path, text)) == 2


def test_no_control_groups(tmp_path: Path) -> None:
    assert cpu_info._quota(str(tmp_path), str(tmp_path / "absent")) is None
    assert cpu_info._quota(str(tmp_path), membership(tmp_path, "0::/../../elsewhere\n")) is None


def test_usable_cores_is_the_smaller(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cpu_info, "_affinity", lambda: 8)
    for quota, expected in ((None, 8), (3, 3), (64, 8)):
        monkeypatch.setattr(cpu_info, "_quota", lambda quota=quota: quota)
        assert cpu_info.usable_cores() == expected


def test_levels_follow_the_features(monkeypatch: pytest.MonkeyPatch) -> None:
    every = [feature for features in cpu_info.LEVELS.values() for feature in features]
    cases = {
        ",".join(f"+{feature}" for feature in every): ("x86-64-v4", "x86-64-v3", "x86-64-v2"),
        ",".join(f"{'-' if feature.startswith('avx512') else '+'}{feature}" for feature in every): (
            "x86-64-v3",
            "x86-64-v2",
        ),
        ",".join(f"{'-' if feature == 'fma' else '+'}{feature}" for feature in every): ("x86-64-v2",),
        "+neon": (),
    }
    for features, expected in cases.items():
        monkeypatch.setattr(cpu_info, "cpu_features", lambda features=features: features)
        monkeypatch.setattr("platform.machine", lambda: "other")
        cpu_info.features.cache_clear()
        assert cpu_info.levels() == expected

    cpu_info.features.cache_clear()


def test_linux_and_llvm_tell_the_same_features() -> None:
    """Those that levels are made of."""
    present = {feature[1:] for feature in cpu_info.cpu_features().split(",") if feature.startswith("+")}
    for features in cpu_info.LEVELS.values():
        assert {one for one in features if one in present} == {one for one in features if one in cpu_info.features()}


def test_this_machine() -> None:
    caches = cpu_info.caches()
    assert 2**10 < caches.level1 <= caches.level2
    assert cpu_info.memory() > 2**28
    assert cpu_info.brand()
    assert cpu_info.isa()
    assert cpu_info.usable_cores() >= 1
    assert cpu_info._bytes("48K\n") == 49152


@pytest.mark.parametrize("system", ["darwin", "win32", "plan9"])
def test_other_systems_fall_back_to_defaults(system: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", system)
    assert min(cpu_info.caches.__wrapped__()) > 0
