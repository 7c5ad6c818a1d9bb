"""A server: the plan is made once, results go into memory that is there, and requests run side by side."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np

import fastup

SHAPE, REQUESTS, WORKERS = (1, 360, 640, 3), 24, 4
Array = np.ndarray[Any, Any]

# All that a call decides, decided before the first request comes. A weight would be packed here too: pack_weight.
plan = fastup.plan.interpolate(SHAPE, "uint8", scale_factor=2, mode="bilinear", data_format="channels_last")
outputs = [np.empty(plan.output_shape, plan.dtype) for _ in range(WORKERS)]


def answer(pictures: list[Array], out: Array) -> list[int]:
    """One worker's requests, each into the same memory; one thread each, since workers run side by side."""
    return [int(fastup.run(plan, picture, out, threads=1).sum(dtype=np.int64)) for picture in pictures]


random = np.random.default_rng(0)
requests = [random.integers(0, 256, SHAPE, np.uint8) for _ in range(REQUESTS)]
shares = [requests[number::WORKERS] for number in range(WORKERS)]
with ThreadPoolExecutor(WORKERS) as pool:
    answers = list(pool.map(answer, shares, outputs))

expected = [[int(fastup.run(plan, picture).sum(dtype=np.int64)) for picture in share] for share in shares]
print(f"{REQUESTS} pictures {SHAPE} -> {plan.output_shape} by {WORKERS} workers")
print(f"equal to one call after another, on {fastup.get_num_threads()} threads: {answers == expected}")
if answers != expected:
    raise SystemExit("workers disturb one another")
