"""Enlarge a volume from one file into another, a few megabytes at a time: each part has the bits of the whole."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np

import fastup

SHAPE = (1, 1, 48, 96, 128)

with tempfile.TemporaryDirectory() as folder:
    source = np.lib.format.open_memmap(Path(folder) / "in.npy", mode="w+", dtype=np.float32, shape=SHAPE)
    source[:] = np.random.default_rng(0).random(SHAPE, np.float32)

    plan = fastup.plan.interpolate(SHAPE, "float32", scale_factor=(1.5, 2, 2), mode="trilinear")
    target = np.lib.format.open_memmap(Path(folder) / "out.npy", mode="w+", dtype=plan.dtype, shape=plan.output_shape)

    parts = largest = 0
    for window in plan.windows(2 * 2**20):
        part = source[0, 0][plan.input_window(window)]  # what the window needs, and nothing else
        target[0, 0][window] = fastup.run(plan.tile(window), part[None, None])[0, 0]
        parts, largest = parts + 1, max(largest, part.nbytes)

    print(f"{SHAPE} -> {plan.output_shape} in {parts} parts of at most 2 MB")
    print(f"of the input, {source.nbytes / 2**20:.1f} MB, a part reads at most {largest / 2**20:.1f} MB")
    equal = np.array_equal(target, fastup.run(plan, np.asarray(source)))
    print(f"equal to the whole, bit for bit: {equal}")
    if not equal:
        raise SystemExit("a part differs from the whole")
