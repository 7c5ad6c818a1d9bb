"""The CPU back-end: runs plans on NumPy arrays."""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from fastup.cpu.conv import convolution
from fastup.cpu.copy import permuted, shuffle, stuffing
from fastup.cpu.pool import pooling
from fastup.cpu.resample import interpolation, segmentation
from fastup.plan import (
    ConvPlan,
    InterpolatePlan,
    MaxPoolPlan,
    MaxUnpoolPlan,
    PixelShufflePlan,
    Plan,
    SegmentationPlan,
    ZeroStuffPlan,
    check,
)
from fastup.plan.cache import cache
from fastup.runtime.kernel import Family
from fastup.runtime.workers import Launch

Array = np.ndarray[Any, Any]
_LAUNCHERS: dict[type[Plan], Any] = {
    PixelShufflePlan: shuffle.launch,
    InterpolatePlan: interpolation.launch,
    ConvPlan: convolution.launch,
    MaxPoolPlan: pooling.launch_pool,
    MaxUnpoolPlan: pooling.launch_unpool,
    ZeroStuffPlan: stuffing.launch,
    SegmentationPlan: segmentation.launch,
}
# The kernel's table where it depends on more than the plan: its address, and what must stay alive beside it.
_TABLES: dict[type[Plan], Callable[..., tuple[int, Any]]] = {
    ConvPlan: convolution.table,
    MaxPoolPlan: pooling.pool_table,
    MaxUnpoolPlan: pooling.unpool_table,
    SegmentationPlan: segmentation.table,
}
_STRIDES_PER_PLAN = 16  # launches that one plan keeps


def run(plan: Plan, x: Array, out: Array, threads: int | None = None, operands: tuple[Any, ...] = ()) -> None:
    """Execute `plan` on `x` and what else it takes into `out`, all of the shapes and dtypes that the plan names."""
    if not x.flags.aligned:
        x = x.copy(order="C")
    launch = plan.backend_cache.get(x.strides)
    if launch is None:
        launch = _pack(plan, x)
        if launch is None:  # strides that no kernel walks
            run(plan, x.copy(order="C"), out, threads, operands)
            return
    if not operands:
        launch(_address(x), _address(out), (x, out), threads)
        return
    address, owners = _TABLES[type(plan)](plan, *operands)
    launch(_address(x), _address(out), (x, out, owners), threads, address)


def _pack(plan: Plan, x: Array) -> Launch | None:
    itemsize = plan.dtype.itemsize
    if any(stride % itemsize for stride in x.strides):
        return None
    launch: Launch | None = _LAUNCHERS[type(plan)](plan, tuple(stride // itemsize for stride in x.strides))
    if launch is not None:
        if len(plan.backend_cache) >= _STRIDES_PER_PLAN:
            plan.backend_cache.clear()
        plan.backend_cache[x.strides] = launch
        cache.grew(plan)
    return launch


def _address(array: Array) -> int:
    """Where the items begin; the buffer protocol is four times faster than ``array.ctypes``, where it can be used."""
    try:
        return ctypes.addressof(ctypes.c_char.from_buffer(array))  # type: ignore[arg-type]
    except (TypeError, ValueError, BufferError):  # read-only, strided, or a dtype without a buffer format
        return array.ctypes.data


CONVOLUTIONS = tuple(f"{kind}{rank}d" for kind in ("conv", "conv_transpose", "subpixel_conv") for rank in (1, 2, 3))
POOLS, UNPOOLS = (tuple(f"max_{kind}{rank}d" for rank in (1, 2, 3)) for kind in ("pool", "unpool"))
SEGMENTATIONS = ("upsample_argmax", "upsample_softmax_max", "upsample_threshold")
FAMILIES: dict[str, tuple[Family, ...]] = {
    **dict.fromkeys(POOLS, pooling.POOLS),
    **dict.fromkeys(UNPOOLS, pooling.UNPOOLS),
    **dict.fromkeys(CONVOLUTIONS, convolution.FAMILIES),
    **dict.fromkeys(SEGMENTATIONS, segmentation.FAMILIES),
    "interpolate": (*permuted.FAMILIES, *interpolation.FAMILIES),
    "pixel_shuffle": permuted.FAMILIES,
    "pixel_unshuffle": permuted.FAMILIES,
    "zero_stuff": stuffing.FAMILIES,
}
OPERATORS = tuple(FAMILIES)
_INSTANCES: dict[str, Callable[[np.dtype[Any]], Iterator[tuple[Family, tuple[Any, ...]]]]] = {
    **dict.fromkeys(CONVOLUTIONS, convolution.instances),
    **dict.fromkeys(POOLS, pooling.pool_instances),
    **dict.fromkeys(UNPOOLS, pooling.unpool_instances),
    **dict.fromkeys(SEGMENTATIONS, segmentation.instances),
    "interpolate": interpolation.instances,
    "pixel_shuffle": permuted.instances,
    "pixel_unshuffle": permuted.instances,
    "zero_stuff": stuffing.instances,
}


def _listed(name: str, values: Any) -> list[Any]:
    if not check.is_sequence(values) and not isinstance(values, (set, frozenset)):
        raise TypeError(f"warmup: {name} must be a sequence, got {check.shown(values)}")
    return list(values)


def warmup(
    operators: Any = None, dtypes: Any = ("float32", "uint8"), *, progress: Callable[[int, int], None] | None = None
) -> int:
    """Compile the kernels of operators and dtypes into the object cache.

    Parameters
    ----------
    operators : sequence of str, optional
        Names of public functions; default all.
    dtypes : sequence of dtypes
        Element types that will be used.
    progress : callable, optional
        Called with (kernels done, kernels in all) after each.

    Returns
    -------
    int
        Number of kernels that are now in the cache.

    Raises
    ------
    ValueError
        If an operator is unknown.

    Examples
    --------
    >>> import fastup
    >>> fastup.warmup(["pixel_shuffle"], []) == 0
    True
    """
    names = OPERATORS if operators is None else _listed("operators", operators)
    for name in names:
        check.choice("warmup", "operators", name, OPERATORS)
    kinds = [check.dtype("warmup", dtype, "dtypes") for dtype in _listed("dtypes", dtypes)]
    for kind in kinds:
        check.movable("warmup", kind, "dtypes")
    wanted = list(dict.fromkeys(one for name in names for kind in kinds for one in _INSTANCES[name](kind)))
    for done, (family, key) in enumerate(wanted, 1):
        family(*key)
        if progress:
            progress(done, len(wanted))
    return len(wanted)
