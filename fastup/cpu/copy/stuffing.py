"""Zero stuffing on the CPU: rows that are cleared, and the items among them."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from fastup.cpu.copy.kernels import zero_stuff
from fastup.cpu.memory import ELEMENTS
from fastup.plan import ZeroStuffPlan
from fastup.runtime.kernel import Family
from fastup.runtime.workers import Launch

FAMILIES = (zero_stuff.zero_stuff,)
_BYTES_PER_MICROSECOND = 10_000  # written by one thread


def instances(dtype: np.dtype[Any]) -> Iterator[tuple[Family, tuple[Any, ...]]]:
    """The kernel that arrays of `dtype` need."""
    yield zero_stuff.zero_stuff, (ELEMENTS[min(8, dtype.itemsize)],)


def launch(plan: ZeroStuffPlan, strides: tuple[int, ...]) -> Launch | None:
    """The kernel call for a source with these strides (in items); None for pixels whose items lie apart."""
    rank, last = len(plan.stride), plan.data_format == "channels_last"
    items, channels = (plan.input_shape[-1], 1) if last else (1, plan.input_shape[1])
    if last and strides[-1] != 1 and items > 1 and 0 not in plan.input_shape:  # an empty array has any strides
        return None
    parts = -(-plan.dtype.itemsize // 8)  # items of 16 bytes count twice
    missing = 3 - rank
    space = slice(plan.first_spatial_axis, plan.first_spatial_axis + rank)
    in_space = (1,) * missing + plan.input_shape[space]
    out_space = (1,) * missing + plan.output_shape[space]
    apart = (0,) * missing + tuple(strides[space])
    params = zero_stuff.P.fill(
        total=math.prod(out_space[:2]) * plan.input_shape[0] * channels, outputs=out_space, items=items * parts,
        extent=in_space, stride=(1,) * missing + plan.stride, padding=(0,) * missing + plan.padding, planes=channels,
        image=strides[0] * parts, plane=0 if last else strides[1] * parts, source=[n * parts for n in apart],
    )  # fmt: skip
    written = math.prod(plan.output_shape) * plan.dtype.itemsize
    entry = zero_stuff.zero_stuff(ELEMENTS[min(8, plan.dtype.itemsize)])
    return Launch(entry, params, written / _BYTES_PER_MICROSECOND)
