"""Ten thousand calls of shapes that were never seen: what is kept for them is bounded."""

from __future__ import annotations

import subprocess
import sys
import textwrap

import pytest

# In a process of its own: every operator in turn, each time with sizes of its own.
CALLS = """
    import sys
    import numpy as np, fastup

    def resident():
        with open("/proc/self/statm") as file:
            return int(file.read().split()[1]) * 4096

    w1, w2 = np.ones((2, 1, 16), np.float32), np.ones((4, 2, 3, 3), np.float32)
    long = np.ones((2, 1, 1024), np.float32)
    x = np.ones((1, 4, 24, 700), np.float32)
    flat = np.ones((1, 2, 70_000), np.float32)
    layer = fastup.nn.Conv2d(4, 4, 3)

    def calls(n):
        height, width = 4 + n % 19, 8 + n // 19
        part = x[:, :, :height, :width]
        yield lambda: fastup.interpolate(part, size=(height + 5, width + 3))
        yield lambda: fastup.interpolate(part, scale_factor=1.5, mode="bilinear")
        yield lambda: fastup.interpolate(part, size=(3, 5), mode="bicubic", antialias=True)
        yield lambda: fastup.interpolate(part, size=(2, 3), mode="area")
        yield lambda: fastup.pixel_shuffle(part, 2)
        yield lambda: fastup.pixel_unshuffle(x[:, :, :2 * (height // 2), :2 * (width // 2)], 2)
        yield lambda: fastup.zero_stuff(part, 2)
        yield lambda: fastup.max_pool2d(part, 2, return_indices=True)
        yield lambda: fastup.conv2d(part[:, :2], w2)
        yield lambda: layer(part)
        yield lambda: fastup.conv_transpose1d(flat[:, :, :20 + n], w1, stride=8)
        yield lambda: fastup.conv_transpose1d(flat[:, :, :4 + n % 50], long, stride=256)
        yield lambda: fastup.subpixel_conv2d(part, np.ones((4, 4, 3, 3), np.float32), upscale_factor=2)
        yield lambda: fastup.upsample_argmax(part, (height + 1, width + 2))
        yield lambda: fastup.interpolate(flat[:, :, : 69_000 + n], scale_factor=1.3, mode="linear")

    for n in (*range(40), *range(40, 700, 20)):  # small and large shapes have other kernels, which may be compiled here
        for call in calls(n):
            call()
    fastup.release_memory()
    before, count, n = resident(), 0, 40
    while count < int(sys.argv[1]):
        for call in calls(n):
            call()
            count += 1
        n += 1
    fastup.release_memory()
    print(resident() - before)
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="/proc")
def test_ten_thousand_calls_of_new_shapes() -> None:
    command = [sys.executable, "-c", textwrap.dedent(CALLS), "10000"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert int(done.stdout) < 64 * 2**20
