"""Arguments -> plan of upsampling logits to labels, confidences or a mask, without holding the upsampled logits."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from fastup.plan import check
from fastup.plan.base import Plan
from fastup.plan.cache import cached
from fastup.plan.interpolation import InterpolatePlan, make_interpolate
from fastup.plan.operands import Operand
from fastup.plan.sampling.filters import FILTERS
from fastup.plan.windows import Window

_MOST_CLASSES = 2**31
_BOXES = "boxes must have one box (x1, y1, x2, y2), in volumes (x1, y1, z1, x2, y2, z2), per"


@dataclass(frozen=True)
class SegmentationPlan(Plan):
    """An interpolation whose result is reduced row by row.

    Attributes
    ----------
    resize : InterpolatePlan
        The interpolation; with its classes second where they are reduced, whatever the layout of the logits.
    labels : numpy.dtype
        Of the first result.
    threshold : float
        What values must exceed; 0 where labels are asked for.
    boxes : tuple of int, or None
        Shape of the boxes beyond which the result is 0.
    """

    resize: InterpolatePlan
    labels: np.dtype[Any]
    threshold: float
    boxes: tuple[int, ...] | None

    keeps_memory_order: ClassVar[bool] = False  # the classes are gone, and masks are made plane by plane

    @property
    def rank(self) -> int:
        """Number of spatial axes."""
        return self.resize.rank

    @property
    def reduces(self) -> bool:
        """Whether the classes are reduced to one number."""
        return _reduces(self.operator)

    @property
    def classes(self) -> int:
        """Extent of the class axis."""
        return self.input_shape[self.channel_axis]

    @property
    def limit(self) -> float:
        """The threshold as a number of the logits' kind: rounded to a float, down to an integer."""
        if self.dtype.kind in "iu":
            bounds = np.iinfo(self.dtype)  # nothing exceeds NaN, nor the largest number
            above_none = math.isnan(self.threshold)
            return float(bounds.max if above_none else np.clip(np.floor(self.threshold), bounds.min - 1, bounds.max))
        with np.errstate(over="ignore"):  # what no logit of this dtype exceeds is infinite
            return float(np.array(self.threshold).astype(self.dtype.newbyteorder("=")))

    @property
    def output_spatial_axes(self) -> tuple[int, ...]:
        """Indices of the result's spatial axes; labels have no class axis before them."""
        return tuple(range(1, 1 + self.rank)) if self.reduces else self.spatial_axes

    @property
    def outputs(self) -> tuple[tuple[tuple[int, ...], np.dtype[Any]], ...]:
        """Shape and dtype of labels or mask, and of the confidences."""
        first = (self.output_shape, self.labels)
        second = (self.output_shape, self.dtype.newbyteorder("="))
        return (first, second) if self.operator == "upsample_softmax_max" else (first,)

    def reads(self, window: Window) -> Window:
        """The input positions, from and to per spatial axis, that these positions of the whole result need."""
        return self.resize.reads(window)

    def windowed_fields(self, window: Window, part: Window | None) -> dict[str, Any]:
        """The interpolation of the window."""
        return {"resize": self.resize.restricted(window, part)}

    def check_operands(self, given: tuple[Operand | None, ...]) -> None:
        """Refuse anything but boxes of the shape that this plan was made for."""
        boxes = given[0] if given else None
        if len(given) > 1 or (boxes and boxes.shape) != self.boxes:
            shapes = [one.shape if one else None for one in given]
            check.invalid(f"run: operands must be boxes of shape {self.boxes} for this plan, got shapes {shapes}")
        if boxes is not None:
            _check_kind("run", boxes)


def _reduces(op: str) -> bool:
    return op != "upsample_threshold"


@cached
def make_segmentation(
    op: str,
    shape: tuple[int, ...],
    dtype: np.dtype[Any],
    boxes: Operand | None,
    size: Any,
    scale_factor: Any,
    mode: Any,
    align_corners: Any,
    antialias: Any,
    threshold: Any,
    labels: Any,
    window: Any,
    data_format: Any,
) -> SegmentationPlan:
    """The plan of `fastup.upsample_argmax`, `upsample_softmax_max` and `upsample_threshold`."""
    if not 3 <= len(shape) <= 5:
        check.invalid(f"{op}: logits must have 3, 4 or 5 dimensions, got shape {shape}")
    number = check.number(op, "threshold", threshold)
    number = math.nan if number != number else number  # one NaN, which equals itself as a key
    last = check.choice(op, "data_format", data_format, check.DATA_FORMATS) == "channels_last"
    seen, order = shape, data_format
    if _reduces(op) and last:
        seen, order = (shape[0], shape[-1], *shape[1:-1]), "channels_first"
    options = (mode, align_corners, None, antialias, "floor", None, order)
    try:
        resize = make_interpolate(seen, dtype, size, scale_factor, *options)
    except (TypeError, ValueError) as error:
        raise check.renamed(error, "interpolate", op) from None
    kind = check.dtype(op, labels, "dtype of labels")
    return _plan(op, shape, dtype, data_format, resize, kind, number, boxes).cut(window)


def _plan(
    op: str, shape: tuple[int, ...], dtype: np.dtype[Any], data_format: str, resize: InterpolatePlan,
    labels: np.dtype[Any], threshold: float, boxes: Operand | None,
) -> SegmentationPlan:  # fmt: skip
    if any(axis.filter.averages for axis in resize.axes):
        names = ", ".join(name for name, record in FILTERS.items() if not record.averages)
        check.invalid(f"{op}: mode must be a mode that samples ({names}), got {resize.mode!r}")
    _check_dtype(op, dtype)
    reduces = _reduces(op)
    classes = shape[1] if data_format == "channels_first" else shape[-1]
    if reduces:
        _check_classes(op, classes, shape, labels)
    _check_boxes(op, boxes, shape, len(resize.axes), None if reduces else classes, data_format)
    made = (shape[0], *resize.size) if reduces else resize.output_shape
    known = None if boxes is None else boxes.shape
    return SegmentationPlan(op, shape, dtype, data_format, made, resize, labels, threshold, known)


def _check_dtype(op: str, dtype: np.dtype[Any]) -> None:
    if op == "upsample_softmax_max":
        check.floats(op, "logits", dtype)
    elif dtype.kind in "iu" and dtype.itemsize == 8:
        raise TypeError(f"{op}: logits must be floats or integers of at most 32 bits, got dtype {dtype}")
    else:
        check.numeric(op, dtype, "labels")


def _check_classes(op: str, classes: int, shape: tuple[int, ...], labels: np.dtype[Any]) -> None:
    if not 1 <= classes <= _MOST_CLASSES:
        check.invalid(f"{op}: class axis of logits must have from 1 to 2**31 entries, got {classes} in shape {shape}")
    if labels.kind not in "iu":
        raise TypeError(f"{op}: dtype of labels must be an integer dtype, got {labels}")
    if not labels.isnative or classes - 1 > np.iinfo(labels).max:
        check.invalid(f"{op}: dtype of labels must be native and hold {classes - 1}, got {labels.str}")


def _check_kind(op: str, boxes: Operand) -> None:
    if boxes.dtype.kind not in "iuf" or boxes.dtype.itemsize > 8:
        raise TypeError(f"{op}: boxes must be integers or floats, got dtype {boxes.dtype}")


def _check_boxes(
    op: str, boxes: Operand | None, shape: tuple[int, ...], rank: int, classes: int | None, data_format: str
) -> None:
    """Refuse boxes of another shape than one per picture or, where masks keep their classes, one per class."""
    if boxes is None:
        return
    _check_kind(op, boxes)
    wanted: list[tuple[int, ...]] = [(shape[0], 2 * rank)]
    if classes is not None and data_format == "channels_first":
        wanted.append((shape[0], classes, 2 * rank))
    if boxes.shape not in wanted:
        entry = "picture" if len(wanted) == 1 else "picture or per class of a picture"
        check.invalid(f"{op}: {_BOXES} {entry} of logits of shape {shape}, got shape {boxes.shape}")
