"""Environment variables that cannot be used are told once, and shown by ``fastup info``."""

from __future__ import annotations

import warnings
from pathlib import Path

import pytest
from click.testing import CliRunner

import fastup
from fastup.cli import command
from fastup.runtime import memory, settings


@pytest.fixture(autouse=True)
def fresh(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("FASTUP_NUM_THREADS", "NUMBA_NUM_THREADS", "OMP_NUM_THREADS", "FASTUP_POOL_BYTES"):
        monkeypatch.delenv(name, raising=False)
    settings._parsed.cache_clear()
    settings.ignored.cache_clear()


@pytest.mark.quick
@pytest.mark.parametrize("text", ["abc", "0", "-3", "1.5", "4,2", "1" * 5000, "four"])
def test_numbers_of_threads_that_are_none(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    usual = fastup.get_num_threads()
    monkeypatch.setenv("FASTUP_NUM_THREADS", text)
    sentence = f"fastup: FASTUP_NUM_THREADS must be an integer of at least 1, got {text!r}, which is ignored"
    with pytest.warns(RuntimeWarning) as told:
        assert fastup.get_num_threads() == usual
    assert [str(one.message) for one in told] == [sentence]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert fastup.get_num_threads() == usual


@pytest.mark.parametrize("text", ["much", "-1", "1e9", "512MB"])
def test_pools_of_no_size(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setenv("FASTUP_POOL_BYTES", text)
    with pytest.warns(RuntimeWarning, match=f"FASTUP_POOL_BYTES must be an integer of at least 0, got '{text}'"):
        assert memory.limit() == memory._default_limit


def test_what_can_be_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FASTUP_NUM_THREADS", " 5 ")
    monkeypatch.setenv("FASTUP_POOL_BYTES", "0")
    assert (fastup.get_num_threads(), memory.limit()) == (5, 0)


def test_info_shows_what_is_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def shown() -> str:
        return " ".join(CliRunner().invoke(command, ["info"]).output.split())

    monkeypatch.setenv("FASTUP_CACHE_DIR", str(tmp_path))
    monkeypatch.setenv("FASTUP_NUM_THREADS", "7")
    monkeypatch.setenv("FASTUP_POOL_BYTES", str(3 * 2**20))
    tmp_path.chmod(0o700)
    assert "threads 7 of" in shown()
    assert "at most 3 MB kept" in shown()
    assert "0 objects (0 KB)" in shown()
    tmp_path.chmod(0o777)
    assert "no cache:" in shown()
    assert "can be written by others" in shown()
