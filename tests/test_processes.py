"""Processes: forks beside a first call, exits beside a running kernel, children of every start method."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

import pytest

forks = pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")


def run(folder: Path, code: str, *arguments: str, **environment: str) -> str:
    """Run `code` as a program of its own; what it prints."""
    program = folder / "program.py"
    program.write_text(textwrap.dedent(code))
    variables = {**os.environ, **environment}
    for name in ("FASTUP_NUM_THREADS", "NUMBA_NUM_THREADS", "OMP_NUM_THREADS"):
        variables.pop(name, None)
    command = [sys.executable, str(program), *arguments]
    done = subprocess.run(command, env=variables, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, f"{done.returncode}: {done.stderr}"
    return done.stdout.strip()


# A thread makes first calls over and over, and forked children make calls whose kernels they have not.
FIRST_CALLS = """
    import gc, os, signal, sys, threading
    import numpy as np, fastup
    from fastup.plan.cache import cache
    from fastup.runtime.kernel import Family

    x = np.arange(64).reshape(1, 4, 4, 4)
    calls = [
        lambda y=x.astype(dtype), mode=mode: fastup.interpolate(y, size=(7, 9), mode=mode)
        for dtype in ("uint16", "float32") for mode in MODES
    ]
    families = [one for one in gc.get_objects() if isinstance(one, Family)]

    def forget():
        for family in families:
            family._entries.clear()
        cache.clear()

    def first_calls():
        forget()
        for call in calls:
            call()

    CHILDREN = int(sys.argv[1])
    ended = []
    while len(ended) < CHILDREN:
        thread = threading.Thread(target=first_calls)
        thread.start()
        while thread.is_alive() and len(ended) < CHILDREN:
            child = os.fork()
            if child == 0:
                signal.alarm(60)
                forget()
                calls[len(ended) % len(calls)]()
                os._exit(0)
            ended.append(os.waitpid(child, 0)[1])
        thread.join()
    print(sum(map(bool, ended)), "of", len(ended), "failed")
"""


@forks
@pytest.mark.parametrize("cache", ["warm", "cold"])
def test_forks_beside_first_calls(tmp_path: Path, cache: str) -> None:
    modes = ("nearest", "bilinear") if cache == "cold" else ("nearest", "bilinear", "bicubic", "area")
    code = FIRST_CALLS.replace("MODES", repr(modes))
    count = 6 if cache == "cold" else 60
    environment = {"FASTUP_CACHE_DIR": "/proc/nowhere"} if cache == "cold" else {}
    if cache == "warm":
        run(tmp_path, code, "1")
    assert run(tmp_path, code, str(count), **environment) == f"0 of {count} failed"


@forks
@pytest.mark.parametrize("delay", [0.0, 0.0005, 0.001, 0.002, 0.004, 0.008])
def test_a_fork_in_the_midst_of_the_very_first_call(tmp_path: Path, delay: float) -> None:
    """Whatever the first call imports and registers, a child forked beside it finds it whole."""
    code = """
        import os, signal, sys, threading, time
        import numpy as np, fastup

        x = np.arange(64, dtype=np.float32).reshape(1, 4, 4, 4)
        thread = threading.Thread(target=fastup.interpolate, args=(x,), kwargs=dict(size=(7, 9)))
        thread.start()
        time.sleep(float(sys.argv[1]))
        child = os.fork()
        if child == 0:
            signal.alarm(60)
            fastup.interpolate(x, size=(7, 9), mode="bicubic")
            os._exit(0)
        print(os.waitpid(child, 0)[1])
    """
    assert run(tmp_path, code, str(delay)) == "0"


@forks
def test_a_fork_waits_for_the_programs_own_compilers(tmp_path: Path) -> None:
    """llvmlite's lock may be held by a thread that has nothing to do with fastup."""
    code = """
        import os, signal, threading, time
        import numpy as np, fastup
        import llvmlite.binding.ffi as ffi

        x = np.arange(16, dtype=np.uint16).reshape(1, 4, 2, 2)
        fastup.pixel_shuffle(x, 2)
        inside, leave = threading.Event(), threading.Event()

        def hold():
            with ffi.lib._lock:
                inside.set()
                leave.wait()

        threading.Thread(target=hold).start()
        inside.wait()
        threading.Timer(0.3, leave.set).start()
        child = os.fork()
        if child == 0:
            signal.alarm(60)
            fastup.interpolate(x, size=5)
            os._exit(0)
        print(leave.is_set(), os.waitpid(child, 0)[1])
    """
    assert run(tmp_path, code) == "True 0"


@pytest.mark.parametrize("call", ["conv2d", "interpolate"])
def test_an_exit_beside_running_kernels(tmp_path: Path, call: str) -> None:
    """What a thread's kernel works with, its code and its workspace, outlives the interpreter."""
    calls = {
        "conv2d": "fastup.conv2d(x, np.ones((64, 64, 3, 3), np.float32), padding=1, out=out)",
        "interpolate": "fastup.interpolate(y, (64, 70, 70), mode='trilinear', out=out)",
    }
    code = f"""
        import threading, time, numpy as np, fastup
        x = np.random.rand(1, 64, 200, 200).astype(np.float32)
        y = np.random.rand(1, 64, 32, 60, 60).astype(np.float32)
        inside = threading.Event()

        def work():
            out = None
            while True:
                out = {calls[call]}
                inside.set()

        for _ in range(3):
            threading.Thread(target=work, daemon=True).start()
        inside.wait()
        time.sleep(0.05)
    """
    for _ in range(5):
        assert run(tmp_path, code) == ""


# Module level runs anew in children that import `__main__`.
CHILDREN = """
    import multiprocessing, os, sys
    import numpy as np, fastup

    WHEN_IMPORTED = fastup.get_num_threads()

    def threads(_):
        x = np.ones((1, 16, 90, 90), np.float32)
        return WHEN_IMPORTED, fastup.get_num_threads(), float(fastup.interpolate(x, 180, mode="bilinear").max())

    if __name__ == "__main__":
        context = multiprocessing.get_context(sys.argv[1])
        with context.Pool(2) as pool:
            print(sorted(set(pool.map(threads, range(4)))), WHEN_IMPORTED == len(os.sched_getaffinity(0)))
"""
METHODS = ("fork", "spawn", "forkserver") if hasattr(os, "fork") else ("spawn",)


@pytest.mark.skipif(not hasattr(os, "sched_getaffinity"), reason="no affinity here")
@pytest.mark.parametrize("method", METHODS)
def test_children_use_one_thread_from_their_first_line_on(tmp_path: Path, method: str) -> None:
    parent = len(os.sched_getaffinity(0))
    first = parent if method == "fork" else 1  # a forked child imports nothing anew
    assert run(tmp_path, CHILDREN, method) == f"[({first}, 1, 1.0)] True"


def test_a_child_that_asks_for_threads(tmp_path: Path) -> None:
    code = CHILDREN.replace("WHEN_IMPORTED = ", "fastup.set_num_threads(3)\n    WHEN_IMPORTED = ")
    assert run(tmp_path, code, "spawn").startswith("[(3, 3, 1.0)]")


LOADER = """
    import sys, numpy as np, fastup, torch

    class Pictures(torch.utils.data.Dataset):
        def __len__(self):
            return 8

        def __getitem__(self, k):
            picture = fastup.interpolate(np.full((1, 16, 128, 128), k, np.float32), scale_factor=2)
            return picture, fastup.get_num_threads()

    if __name__ == "__main__":
        fastup.interpolate(np.ones((1, 16, 128, 128), np.float32), scale_factor=2)
        loader = torch.utils.data.DataLoader(
            Pictures(), batch_size=2, num_workers=2, multiprocessing_context=sys.argv[1]
        )
        print([(tuple(batch.shape), float(batch.max()), threads.tolist()) for batch, threads in loader])
"""


@pytest.mark.parametrize("method", METHODS)
def test_a_data_loader_with_workers(tmp_path: Path, torch: Any, method: str) -> None:
    expected = [((2, 1, 16, 256, 256), float(k), [1, 1]) for k in (1, 3, 5, 7)]
    assert run(tmp_path, LOADER, method) == str(expected)


@forks
def test_a_fork_beside_a_compilation(tmp_path: Path) -> None:
    """logging's hook takes its lock before ours waits for the compiling thread, which logs."""
    code = """
        import os, threading, time
        import numpy as np, fastup, logging
        x = np.arange(16, dtype=np.uint16).reshape(1, 4, 2, 2)
        thread = threading.Thread(target=lambda: [fastup.interpolate(x, size=n) for n in (5, 4)])
        thread.start()
        time.sleep(0.3)
        child = os.fork()
        if child == 0:
            fastup.pixel_shuffle(x, 2)
            os._exit(0)
        assert os.waitpid(child, 0)[1] == 0
        thread.join()
        print("alive")
    """
    assert run(tmp_path, code, FASTUP_CACHE_DIR="/proc/nowhere") == "alive"
