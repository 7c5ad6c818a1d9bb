"""Labels and masks of upsampled logits on a device: the interpolation in blocks, each reduced before the next."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np

from fastup.cuda import copies, floats, interpolation, memory
from fastup.cuda.kernels import reduce
from fastup.cuda.memory import View
from fastup.plan import InterpolatePlan, SegmentationPlan
from fastup.plan.sampling.axis import MOST_ADDED

_BLOCK_ITEMS = 2**24  # upsampled logits that are there at once


def run(plan: SegmentationPlan, x: View, results: tuple[View, ...], operands: tuple[Any, ...]) -> None:
    """Fill labels and confidences, or the mask."""
    if plan.reduces and plan.data_format == "channels_last":
        order = (0, len(x.shape) - 1, *range(1, len(x.shape) - 1))
        x = replace(x, shape=tuple(x.shape[k] for k in order), strides=tuple(x.strides[k] for k in order))
    x = copies.contiguous(plan, x)
    plane = math.prod(plan.resize.output_shape) // _planes(plan)
    shares = floats.target(results[1]) if len(results) > 1 else None
    for begin, block in _blocks(plan):
        made = memory.view_of(memory.empty(block.output_shape, copies.storage(x.dtype)), x.dtype)
        interpolation.run(block, x, (made,), ())
        # Exponentials of very many classes are added in float64.
        deep = plan.operator == "upsample_softmax_max" and plan.classes > MOST_ADDED
        numbers = floats.widened(made, np.dtype(np.float64) if deep else None)
        _reduce(plan, numbers, made.size, (begin, plane), results[0], shares)
    if shares is not None:
        floats.narrowed(shares, results[1])
    boxes = operands[0] if operands else None
    if boxes is not None:
        for result in results:
            _clear(plan, copies.contiguous(plan, boxes), result)


def _planes(plan: SegmentationPlan) -> int:
    """How often the result's first spatial axis comes back: per picture and class, or per picture."""
    shape = plan.resize.output_shape
    return shape[0] * shape[1] if plan.resize.data_format == "channels_first" else shape[0]


def _blocks(plan: SegmentationPlan) -> list[tuple[int, InterpolatePlan]]:
    """The interpolation in parts along its first axis, and where in a plane of the result each part begins."""
    known = memory.kept(plan, "blocks")
    if not known:
        known += list(_made_blocks(plan.resize))  # at once: another thread may look
    return known


def _made_blocks(resize: InterpolatePlan) -> Iterator[tuple[int, InterpolatePlan]]:
    whole: InterpolatePlan = resize.whole or resize  # type: ignore[assignment]
    (first, last), *others = resize.window or tuple((0, extent) for extent in resize.size)
    part = resize.part or tuple((0, extent) for extent in resize.space(resize.input_shape))
    per_position = max(1, math.prod(resize.output_shape) // (last - first))
    inner = math.prod(stop - start for start, stop in others)
    inner *= 1 if resize.data_format == "channels_first" else resize.output_shape[-1]
    step = max(1, _BLOCK_ITEMS // per_position)
    for begin in range(first, last, step):
        window = ((begin, min(begin + step, last)), *others)
        yield (begin - first) * inner, whole.restricted(window, part)


def _reduce(plan: SegmentationPlan, values: Any, count: int, place: tuple[int, int], result: View, shares: Any) -> None:
    """Labels, and confidences as floats, or the mask of one block."""
    first = result.flat(plan.labels)[0]
    if not plan.reduces:
        limit = memory.uploaded(np.array([plan.limit], floats.computed_in(plan.dtype)))
        memory.launch(reduce.exceeds, count, count // _planes(plan), *place, limit, values, first)
        return
    pictures = plan.input_shape[0]
    pixels = count // plan.classes // pictures
    sizes = (pictures * pixels, plan.classes, pixels, *place)
    memory.launch(reduce.argmax, *sizes, values, first)
    if shares is not None:
        memory.launch(reduce.confidence, *sizes, values, first, shares)


def _clear(plan: SegmentationPlan, boxes: View, result: View) -> None:
    known = memory.kept(plan, "clear")
    if not known:
        extents = tuple(axis.length for axis in plan.resize.axes)
        first = tuple(axis.window[0] for axis in plan.resize.axes)
        missing = 3 - plan.rank
        items = plan.classes if plan.resize.data_format == "channels_last" else 1
        planes = result.size // (math.prod(extents) * items)
        per_box = planes // math.prod(boxes.shape[:-1])
        numbers = reduce.BOXED.fill(
            extents=(1,) * missing + extents, first=(0,) * missing + first, items=items, planes=per_box, axes=plan.rank
        )
        known.append(memory.table(numbers))
    kind = np.dtype(np.uint8) if result.dtype == np.bool_ else copies.storage(result.dtype)
    memory.launch(reduce.clear, result.size, known[0], boxes.flat(boxes.dtype)[0], result.flat(kind)[0])
