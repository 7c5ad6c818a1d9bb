"""Max pooling and unpooling on the CPU."""

from __future__ import annotations

import ctypes
import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from fastup.cpu.memory import ELEMENTS, beyond_caches, streams
from fastup.cpu.pool.kernels import max_pool, max_unpool
from fastup.plan import MaxPoolPlan, MaxUnpoolPlan, check
from fastup.plan.base import Array
from fastup.runtime.abi import Entry
from fastup.runtime.kernel import Family
from fastup.runtime.workers import Launch

_OF_HALVES = (max_pool.max_pool_halves, max_pool.max_pool_pairs_of_halves)
POOLS = (max_pool.max_pool, max_pool.max_pool_others, max_pool.max_pool_pairs, *_OF_HALVES)
UNPOOLS = (max_unpool.judge, max_unpool.unpool, max_unpool.unpool_wide)
_COMPARED_PER_MICROSECOND, _BYTES_PER_MICROSECOND = 500, 10_000  # of one thread


def pool_instances(dtype: np.dtype[Any]) -> Iterator[tuple[Family, tuple[Any, ...]]]:
    """The kernels that pooling arrays of `dtype` may need."""
    name = dtype.name
    element = name if name in max_pool.COMMON else name.removeprefix("u")
    for family in POOLS:
        for key in family.instances():
            half = family in _OF_HALVES
            if (name in max_pool.HALVES and key[1] == max_pool.HALVES.index(name)) if half else key[0] == element:
                yield family, key


def unpool_instances(dtype: np.dtype[Any]) -> Iterator[tuple[Family, tuple[Any, ...]]]:
    """The kernels that unpooling arrays of `dtype` needs."""
    yield max_unpool.judge, ("int64",)
    if dtype.itemsize == 16:
        yield max_unpool.unpool_wide, ("uint64",)
    else:
        yield max_unpool.unpool, (ELEMENTS[dtype.itemsize],)


def launch_pool(plan: MaxPoolPlan, strides: tuple[int, ...]) -> Launch | None:
    """The kernel call for a source with these strides (in items); None for pixels whose items lie apart."""
    last, rank = plan.data_format == "channels_last", plan.rank
    items, planes = (plan.channels, 1) if last else (1, plan.channels)
    if last and strides[-1] != 1 and items > 1:
        return None
    first, missing = plan.first_spatial_axis, 3 - rank
    space, wanted = ((1,) * missing + plan.space(shape) for shape in (plan.input_shape, plan.output_shape))
    apart = (0,) * missing + tuple(strides[first : first + rank])
    image = strides[0] if len(strides) == rank + 2 else 0
    ones, zeros = (1,) * missing, (0,) * missing
    params = max_pool.P.fill(
        total=plan.batch * planes * wanted[0] * wanted[1], outputs=wanted, planes=planes, image=image,
        plane=0 if last else strides[first - 1], source=apart, extent=space, kernel=ones + plan.kernel_size,
        stride=ones + plan.stride, padding=zeros + plan.padding, dilation=ones + plan.dilation, items=items,
        flipped=-(1 << (8 * plan.dtype.itemsize - 1)) if plan.dtype.kind == "u" else 0,
    )  # fmt: skip
    step = plan.stride[-1] if items == 1 and apart[2] == 1 else 0
    compared = math.prod(plan.output_shape) * math.prod(plan.kernel_size)
    entry = _pool(plan, step if step <= 2 else 0, step == 2 and _in_pairs(plan))
    return Launch(entry, params, compared / _COMPARED_PER_MICROSECOND)


def _in_pairs(plan: MaxPoolPlan) -> bool:
    """Whether all windows are two by two, side by side, and lie inside."""
    numbers = (plan.kernel_size, plan.stride, plan.padding, plan.dilation)
    inside = all(2 * m <= n for n, m in zip(plan.space(plan.input_shape), plan.space(plan.output_shape), strict=True))
    return inside and numbers == ((2, 2), (2, 2), (0, 0), (1, 1))


def _pool(plan: MaxPoolPlan, step: int, pairs: bool) -> Entry:
    name, indices = plan.dtype.name, int(plan.return_indices)
    if name in max_pool.HALVES:
        family = max_pool.max_pool_pairs_of_halves if pairs else max_pool.max_pool_halves
        return family("uint16", max_pool.HALVES.index(name), indices)
    if name not in max_pool.COMMON:
        return max_pool.max_pool_others(name.removeprefix("u"), indices)
    return max_pool.max_pool_pairs(name, indices) if pairs else max_pool.max_pool(name, indices, step)


def pool_table(plan: MaxPoolPlan, places: Array | None = None) -> tuple[int, Any]:
    """Where the indices go."""
    return (0, None) if places is None else (places.ctypes.data, places)


def launch_unpool(plan: MaxUnpoolPlan, strides: tuple[int, ...]) -> Launch | None:
    """The kernel call for a source that is contiguous; None for any other."""
    expected = [math.prod(plan.input_shape[axis + 1 :]) for axis in range(len(plan.input_shape))]
    if any(s != e for s, e, n in zip(strides, expected, plan.input_shape, strict=True) if n > 1):
        return None
    size = plan.dtype.itemsize
    read = math.prod(plan.input_shape) * (size + 8)
    written, pair = math.prod(plan.output_shape) * size, 2 * plan.space(plan.output_shape)[-1] * size
    far = streams(beyond_caches(read, written), pair)
    entry = max_unpool.unpool_wide("uint64") if size == 16 else max_unpool.unpool(ELEMENTS[size])
    return Launch(entry, _unpool_params(plan, far), math.prod(plan.output_shape) * size / _BYTES_PER_MICROSECOND)


def _unpool_params(plan: MaxUnpoolPlan, far: int = 0) -> list[int]:
    last = plan.data_format == "channels_last"
    items, planes = (plan.channels, 1) if last else (1, plan.channels)
    space, wanted = (plan.space(shape) for shape in (plan.input_shape, plan.output_shape))
    doubled = plan.rank == 2 and not last and all(m == 2 * n for n, m in zip(space, wanted, strict=True))
    return max_unpool.P.fill(
        total=plan.batch * planes, values=math.prod(space), positions=math.prod(wanted), rows=(1, *space)[-2],
        width=space[-1], wide=wanted[-1], items=items, doubled=doubled, far=far,
    )  # fmt: skip


def unpool_table(plan: MaxUnpoolPlan, indices: Array) -> tuple[int, Any]:
    """Indices and what is known of them; nothing has been written yet when one of them is wrong."""
    indices = np.ascontiguousarray(indices, np.int64)
    judging = plan.backend_cache.get("judge")
    if judging is None:
        cost = indices.nbytes / _BYTES_PER_MICROSECOND
        judging = plan.backend_cache["judge"] = Launch(max_unpool.judge("int64"), _unpool_params(plan), cost)
    known = np.empty(judging.total, np.int64)
    judging(indices.ctypes.data, known.ctypes.data, (indices, known))
    if known.max(initial=0) == max_unpool.WRONG:
        _refuse(plan, indices, judging.params[max_unpool.P.positions])
    addresses = (ctypes.c_int64 * 2)(indices.ctypes.data, known.ctypes.data)
    return ctypes.addressof(addresses), (addresses, indices, known)


def _refuse(plan: MaxUnpoolPlan, indices: Array, positions: int) -> None:
    """Name the first index that is no position."""
    place = tuple(int(n) for n in np.argwhere((indices < 0) | (indices >= positions))[0])
    check.invalid(
        f"{plan.operator}: indices must be from 0 to {positions - 1} for a result of shape {plan.output_shape}, "
        f"got {indices[place]} at {place}"
    )
