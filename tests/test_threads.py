"""Threads, forks and interrupts."""

from __future__ import annotations

import multiprocessing
import os
import subprocess
import sys
import textwrap
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest

import fastup
from fastup.runtime import cpu_info, workers

Array = np.ndarray[Any, Any]
forks = pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
LARGE = np.arange(2 * 64 * 128 * 128, dtype=np.float32).reshape(2, 64, 128, 128)


def large_is_right() -> bool:
    y = fastup.pixel_shuffle(LARGE, 2, out=np.empty((2, 16, 256, 256), np.float32))
    expected = LARGE.reshape(2, 16, 2, 2, 128, 128).transpose(0, 1, 4, 2, 5, 3).reshape(2, 16, 256, 256)
    return np.array_equal(y, expected)


def test_eight_threads_with_mixed_operators() -> None:
    def work(seed: int) -> int:
        generator, wrong = np.random.default_rng(seed), 0
        small = generator.integers(0, 255, (2, 12, 9, 20), np.uint8)
        medium = generator.standard_normal((1, 16, 90, 100), np.float32)
        large = generator.standard_normal((1, 64, 96, 96), np.float32)
        expected = (
            fastup.pixel_shuffle(small, 2, out=np.empty((2, 3, 18, 40), np.uint8)).copy(),
            medium.repeat(2, 2).repeat(2, 3),
            large.reshape(1, 16, 2, 2, 96, 96).transpose(0, 1, 4, 2, 5, 3).reshape(1, 16, 192, 192),
        )
        for number in range(1000):
            if number % 25 == 0:
                wrong += not np.array_equal(fastup.pixel_shuffle(large, 2), expected[2])
            elif number % 5 == 0:
                wrong += not np.array_equal(fastup.interpolate(medium, scale_factor=2), expected[1])
            else:
                wrong += not np.array_equal(fastup.pixel_shuffle(small, 2), expected[0])
        return wrong

    with fastup.set_num_threads(2), ThreadPoolExecutor(8) as pool:
        assert list(pool.map(work, range(8))) == [0] * 8


def test_nested_use_inside_a_worker() -> None:
    def outer(_: int) -> bool:
        with ThreadPoolExecutor(2) as pool:
            return all(pool.map(lambda _: large_is_right(), range(3)))

    with fastup.set_num_threads(3), ThreadPoolExecutor(3) as pool:
        assert all(pool.map(outer, range(3)))


@forks
@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
def test_a_forked_child_works() -> None:
    with fastup.set_num_threads(2):
        assert large_is_right()
        child = os.fork()
        if child == 0:
            os._exit(0 if large_is_right() and large_is_right() else 1)
        assert os.waitpid(child, 0)[1] == 0
        assert large_is_right()


def _in_child(_: int) -> tuple[bool, int]:
    return large_is_right(), fastup.get_num_threads()


@forks
@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
def test_multiprocessing_children_work_on_one_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("FASTUP_NUM_THREADS", raising=False)
    with fastup.set_num_threads(2):
        assert large_is_right()
        with multiprocessing.get_context("fork").Pool(2) as pool:
            assert pool.map(_in_child, range(4)) == [(True, 1)] * 4


def test_small_calls_keep_the_gil_and_large_ones_share(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a busy thread beside would cost is decided by which of these is taken."""
    used: list[str] = []

    def spying(kind: str, call: Any) -> Any:
        def record(*arguments: Any) -> Any:
            used.append(kind)
            return call(*arguments)

        return record

    for shape, threads, expected in (
        ((1, 4, 8, 8), 2, {"holding"}),
        ((1, 16, 256, 256), 1, {"releasing"}),
        ((1, 64, 256, 256), 2, {"releasing"}),
    ):
        x = np.zeros(shape, np.float32)
        plan = fastup.plan.pixel_shuffle(shape, x.dtype, 2)
        fastup.run(plan, x)
        launch = plan.backend_cache[x.strides]
        original = launch.entry
        launch.entry = original._replace(
            holding=spying("holding", original.holding), releasing=spying("releasing", original.releasing)
        )
        used.clear()
        try:
            fastup.run(plan, x, threads=threads)
        finally:
            launch.entry = original
        assert set(used) == expected


def test_beside_a_thread_that_burns_the_gil() -> None:
    stop = threading.Event()

    def burn() -> None:
        while not stop.is_set():
            sum(range(100))

    thread = threading.Thread(target=burn)
    thread.start()
    try:
        for _ in range(20):
            assert large_is_right()
            assert fastup.pixel_shuffle(np.arange(4).reshape(4, 1, 1), 2).tolist() == [[[0, 1], [2, 3]]]
    finally:
        stop.set()
        thread.join()


@pytest.mark.skipif(sys.platform == "win32", reason="signals")
def test_an_interrupt_leaves_a_usable_process() -> None:
    code = """
        import os, signal, threading, time
        import numpy as np, fastup
        signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background jobs ignore it
        x = np.random.default_rng(0).standard_normal((1, 64, 512, 512), np.float32)
        expected = x.repeat(2, 2).repeat(2, 3)
        caught = 0
        for turn in range(6):
            timer = threading.Timer(0.02 + 0.013 * turn, os.kill, (os.getpid(), signal.SIGINT))
            timer.start()
            try:
                end = time.monotonic() + 60
                while time.monotonic() < end:
                    fastup.interpolate(x, scale_factor=2)
            except KeyboardInterrupt:
                caught += 1
            timer.join()
            assert np.array_equal(fastup.interpolate(x, scale_factor=2), expected)
        assert caught == 6
        print("usable")
    """
    environment = {**os.environ, "FASTUP_NUM_THREADS": "2"}
    finished = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)], env=environment, capture_output=True, text=True, check=False
    )
    assert finished.stdout.strip() == "usable", finished.stderr


def test_an_interrupted_call_keeps_its_arrays_alive() -> None:
    """A helper may still write when the caller is gone: the job that it holds owns the arrays."""
    jobs: list[Any] = []
    x, y = np.ones(1000, np.float32), np.zeros(1000, np.float32)

    def interrupted(*_: Any) -> int:
        raise KeyboardInterrupt

    plan = fastup.plan.interpolate((1, 1, 1000), x.dtype, scale_factor=1)
    fastup.run(plan, x.reshape(1, 1, 1000))
    launch = plan.backend_cache[(4000, 4000, 4)]
    shared = workers.Launch(
        launch.entry._replace(holding=interrupted, releasing=interrupted), [8, *launch.params[1:]], 1e6
    )
    original = workers._post
    workers._post = lambda job, wanted: jobs.append(job)
    try:
        with pytest.raises(KeyboardInterrupt):
            shared(0, 0, (x, y), 2)
    finally:
        workers._post = original
    assert any(owner is y for owner in jobs[0][-1])


def test_number_of_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("FASTUP_NUM_THREADS", "NUMBA_NUM_THREADS", "OMP_NUM_THREADS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(workers, "_default", None)
    monkeypatch.setattr(cpu_info, "usable_cores", lambda: 6)
    assert fastup.get_num_threads() == 6
    for name, value, expected in (
        ("OMP_NUM_THREADS", "5,2", 5),
        ("NUMBA_NUM_THREADS", "4", 4),
        ("FASTUP_NUM_THREADS", "", 4),
        ("FASTUP_NUM_THREADS", " 3 ", 3),
    ):
        monkeypatch.setenv(name, value)
        monkeypatch.setattr(workers, "_default", None)
        assert fastup.get_num_threads() == expected
    with fastup.set_num_threads(7):
        assert fastup.get_num_threads() == 7
        with fastup.set_num_threads(2):
            assert fastup.get_num_threads() == 2
        assert fastup.get_num_threads() == 7
    assert fastup.get_num_threads() == 3
    monkeypatch.setattr(workers, "_default", None)


def test_helpers_are_not_more_than_chunks() -> None:
    x = np.zeros((1, 64, 128, 128), np.float32)
    before = threading.active_count()
    fastup.pixel_shuffle(x, 2)
    with fastup.set_num_threads(300):
        fastup.pixel_shuffle(x, 2)
    assert threading.active_count() - before < 40


def test_threads_of_one_call() -> None:
    x = np.arange(64 * 96 * 96, dtype=np.float32).reshape(1, 64, 96, 96)
    expected = fastup.interpolate(x, 200, threads=1)
    for threads in (2, 3, 16):
        np.testing.assert_array_equal(fastup.interpolate(x, 200, threads=threads), expected)
