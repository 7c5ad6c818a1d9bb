"""Plans: what a call would do, as plain data.

``plan = fastup.plan.interpolate(shape, dtype, size=...)`` takes the arguments of the operator with a shape and a dtype
in place of the array. `fastup.run` executes it, the exporters print it, and `Plan.output_shape` answers without either.

The functions are put here by `fastup.operators`, which makes each out of its operator's declaration; type checkers
read them in ``__init__.pyi``.
"""

from __future__ import annotations

from fastup.plan import phases as _phases
from fastup.plan.base import Plan as Plan
from fastup.plan.convolution import ConvPlan as ConvPlan
from fastup.plan.interpolation import InterpolatePlan as InterpolatePlan
from fastup.plan.pooling import MaxPoolPlan as MaxPoolPlan
from fastup.plan.pooling import MaxUnpoolPlan as MaxUnpoolPlan
from fastup.plan.resizing import ResizePlan as ResizePlan
from fastup.plan.sampling.axis import Axis as _Axis
from fastup.plan.sampling.filters import MODES as MODES
from fastup.plan.segmentation import SegmentationPlan as SegmentationPlan
from fastup.plan.shuffle import PixelShufflePlan as PixelShufflePlan
from fastup.plan.stuffing import ZeroStuffPlan as ZeroStuffPlan

Axis, Phase, PhasedAxis, SpreadPhases = _Axis, _phases.Phase, _phases.PhasedAxis, _phases.SpreadPhases
for _class in (
    ConvPlan, InterpolatePlan, MaxPoolPlan, MaxUnpoolPlan, PixelShufflePlan, ResizePlan, SegmentationPlan,
    ZeroStuffPlan, Axis, Phase, PhasedAxis, SpreadPhases,
):  # fmt: skip
    _class.__module__ = __name__  # by which pickles name them, wherever the code stands

__all__ = [
    "ConvPlan",
    "InterpolatePlan",
    "MODES",
    "MaxPoolPlan",
    "MaxUnpoolPlan",
    "PixelShufflePlan",
    "Plan",
    "ResizePlan",
    "SegmentationPlan",
    "ZeroStuffPlan",
]
