"""What an exporter of interpolation knows of a call: its plan, and what symbolic sizes need beyond it."""

from __future__ import annotations

from dataclasses import dataclass

from fastup.export.graph import Dim, UnsupportedExport
from fastup.plan import InterpolatePlan
from fastup.plan.sampling.table import repetition

# Whole factors up to here are the same pixels in onnxruntime, the reference evaluator and torch's own rule (checked to
# 4 million outputs an axis).
LARGEST_EXACT_FACTOR = 32


@dataclass(frozen=True)
class Request:
    """A call to be exported; spatial axes are numbered from 0.

    Attributes
    ----------
    plan : InterpolatePlan
        Of the call; where the size of an axis is symbolic, of some size that stands in for it.
    dims : tuple of int or str
        Shape of the input.
    scale_factor : tuple of float, or None
        As asked for, whether or not it sets the sampling scale.
    rounding : str
        As in `fastup.interpolate`.
    """

    plan: InterpolatePlan
    dims: tuple[Dim, ...]
    scale_factor: tuple[float, ...] | None = None
    rounding: str = "floor"

    @property
    def numbers(self) -> range:
        """The spatial axes."""
        return range(len(self.plan.axes))

    def name(self, k: int) -> Dim:
        """Extent of an axis of the input."""
        return self.dims[self.plan.spatial_axes[k]]

    def symbolic(self, k: int) -> bool:
        """Whether an axis of the input is known at run time only."""
        return isinstance(self.name(k), str)

    def factor(self, k: int) -> float | None:
        """The scale factor that decides a symbolic axis, if one does."""
        return self.scale_factor[k] if self.scale_factor is not None and self.symbolic(k) else None

    def extent(self, k: int) -> Dim:
        """Extent of an axis of the whole result; one that stays unknown is named after the input's."""
        factor = self.factor(k)
        if factor == 1:
            return self.name(k)
        return self.plan.size[k] if factor is None else f"{self.name(k)}*{factor:g}"

    def length(self, k: int) -> Dim:
        """Extent of an axis of the wanted window."""
        return self.extent(k) if self.plan.window is None else self.plan.axes[k].length

    def idle(self, k: int) -> bool:
        """Whether every position of the whole result copies the input position of its own number."""
        axis = self.plan.axes[k]
        if self.symbolic(k):
            return not axis.filter.copies and axis.filter.interpolates and self.factor(k) == 1
        return axis.is_identity

    def repetition(self, k: int) -> int:
        """How often each position of an axis is repeated, if that is all that happens to the whole axis; else 0."""
        axis, factor = self.plan.axes[k], self.factor(k)
        if not self.symbolic(k):
            return repetition(axis.whole())
        if factor is None or not factor.is_integer() or axis.filter.half:
            return 1 if self.idle(k) else 0
        return int(factor)

    def copies(self, k: int) -> bool:
        """Whether every position of an axis copies one of the input."""
        return self.plan.axes[k].filter.copies or self.repetition(k) > 0

    def resize_mode(self, k: int) -> str | None:
        """ONNX's name of what a Resize does along an axis; None where no Resize does it."""
        onnx = self.plan.axes[k].form.onnx
        return onnx["mode"] if onnx else None

    def exact(self, k: int) -> bool:
        """Whether a native Resize of an axis that copies is sure to take the same pixels."""
        return 0 < self.repetition(k) <= LARGEST_EXACT_FACTOR


def unsupported(reason: str, remedy: str) -> UnsupportedExport:
    """The error that says why a call has no graph, and what would work."""
    return UnsupportedExport(f"interpolate: {reason}; {remedy}")


PORTABLE = "lowering='portable' exports this call"
