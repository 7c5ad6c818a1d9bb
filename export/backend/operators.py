"""The operators, as classes that ONNX's reference evaluator runs in place of its own."""

from __future__ import annotations

from collections import Counter
from typing import Any, ClassVar

import numpy as np
from onnx.reference.op_run import OpRun

from fastup import operators
from fastup.export.backend import windows
from fastup.export.backend.resize import Attributes, resize

Array = np.ndarray[Any, Any]
calls: Counter[str] = Counter()  # how often a fastup operator has computed a node, by kind


class _Node(OpRun):
    """What all share: the default domain, the switch, the count of calls."""

    op_domain = ""
    follow: ClassVar[str] = "onnx"

    def count(self) -> None:
        """Note that fastup computed this node."""
        calls[type(self).__name__] += 1


class Resize(_Node):
    """Resize of opset 10 and newer."""

    def _run(
        self, x: Array, roi: Any = None, scales: Any = None, sizes: Any = None, *, antialias: Any = None,
        axes: Any = None, coordinate_transformation_mode: Any = None, cubic_coeff_a: Any = None,
        exclude_outside: Any = None, extrapolation_value: Any = None, keep_aspect_ratio_policy: Any = None,
        mode: Any = None, nearest_mode: Any = None,
    ) -> tuple[Array]:  # fmt: skip
        self.count()
        if self.run_params["opsets"].get("", 11) < 11:  # X and scales, and a rule of its own
            return (resize(x, _listed(roi), None, None, None, _as_upsample(mode), self.follow),)
        given = Attributes(
            mode or "nearest",
            coordinate_transformation_mode or "half_pixel",
            nearest_mode or "round_prefer_floor",
            -0.75 if cubic_coeff_a is None else cubic_coeff_a,
            bool(exclude_outside),
            extrapolation_value or 0.0,
            bool(antialias),
            keep_aspect_ratio_policy or "stretch",
        )
        return (resize(x, _listed(scales), _listed(sizes), _listed(roi), axes, given, self.follow),)


class Upsample(_Node):
    """Upsample: an attribute in opset 7, an input from 9 on."""

    def _run(self, x: Array, factors: Any = None, *, mode: Any = None, scales: Any = None) -> tuple[Array]:
        self.count()
        wanted = _listed(scales if factors is None else factors)
        return (resize(x, wanted, None, None, None, _as_upsample(mode), self.follow),)


def _as_upsample(mode: Any) -> Attributes:
    return Attributes(mode or "nearest", "asymmetric", "floor")


def _listed(values: Any) -> list[Any] | None:
    return None if values is None or not len(values) else list(values)


class DepthToSpace(_Node):
    """DepthToSpace in both orders."""

    def _run(self, x: Array, *, blocksize: int, mode: Any = None) -> tuple[Array]:
        self.count()
        return (operators.pixel_shuffle(x, blocksize, order=mode or "DCR"),)


class SpaceToDepth(_Node):
    """SpaceToDepth in both orders."""

    def _run(self, x: Array, *, blocksize: int, mode: Any = None) -> tuple[Array]:
        self.count()
        return (operators.pixel_unshuffle(x, blocksize, order=mode or "DCR"),)


class Conv(_Node):
    """Conv of one to three axes."""

    def _run(
        self, x: Array, w: Array, bias: Any = None, *, auto_pad: Any = None, dilations: Any = None, group: Any = None,
        kernel_shape: Any = None, pads: Any = None, strides: Any = None,
    ) -> tuple[Array]:  # fmt: skip
        self.count()
        given = {"auto_pad": auto_pad, "dilations": dilations, "group": group, "pads": pads, "strides": strides}
        return (windows.conv(x, w, bias, **given),)


class ConvTranspose(_Node):
    """ConvTranspose of one to three axes."""

    def _run(
        self, x: Array, w: Array, bias: Any = None, *, auto_pad: Any = None, dilations: Any = None, group: Any = None,
        kernel_shape: Any = None, output_padding: Any = None, output_shape: Any = None, pads: Any = None,
        strides: Any = None,
    ) -> tuple[Array]:  # fmt: skip
        self.count()
        given = {"auto_pad": auto_pad, "dilations": dilations, "group": group, "pads": pads, "strides": strides}
        more = {"output_padding": output_padding, "output_shape": output_shape}
        return (windows.conv_transpose(x, w, bias, **given, **more),)


class MaxPool(_Node):
    """MaxPool, with indices where they are an output of the node."""

    def _run(
        self, x: Array, *, auto_pad: Any = None, ceil_mode: Any = None, dilations: Any = None, kernel_shape: Any,
        pads: Any = None, storage_order: Any = None, strides: Any = None,
    ) -> tuple[Array, ...]:  # fmt: skip
        self.count()
        given = {"auto_pad": auto_pad, "ceil_mode": ceil_mode, "dilations": dilations, "pads": pads, "strides": strides}
        indices = len(self.onnx_node.output) > 1
        return windows.max_pool(x, kernel=kernel_shape, storage_order=storage_order, indices=indices, **given)


class MaxUnpool(_Node):
    """MaxUnpool."""

    def _run(
        self, x: Array, indices: Array, output_shape: Any = None, *, kernel_shape: Any, pads: Any = None,
        strides: Any = None,
    ) -> tuple[Array]:  # fmt: skip
        self.count()
        wanted = None if output_shape is None else [int(n) for n in output_shape]
        given = {"kernel": kernel_shape, "pads": pads, "strides": strides}
        return (windows.max_unpool(x, indices, wanted, **given, follow=self.follow),)


OPERATORS = (Resize, Upsample, DepthToSpace, SpaceToDepth, Conv, ConvTranspose, MaxPool, MaxUnpool)


def following(follow: str) -> list[type[OpRun]]:
    """The operators with the switch set."""
    if follow == "onnx":
        return list(OPERATORS)
    return [type(one.__name__, (one,), {"follow": follow}) for one in OPERATORS]
