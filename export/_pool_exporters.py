"""The exporters of max pooling and unpooling."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import onnx

from fastup import plan as plans
from fastup.export._exporters import export
from fastup.export.graph import DEFAULT_OPSET, Graph, Value
from fastup.export.operators.pooling import append_pool, append_unpool
from fastup.plan import MaxPoolPlan, MaxUnpoolPlan
from fastup.plan.documented import documented

_REST = """data_format
        As in `fastup.<name>`.
    dtype, opset, verify
        As in `fastup.export.pixel_shuffle`."""


def _max_pool(rank: int) -> Callable[..., onnx.ModelProto]:
    op = f"max_pool{rank}d"
    dims = ", ".join(f'"{letter}"' for letter in "DHW"[3 - rank :])

    @documented(op, rank, rest=_REST, dims=dims)
    def max_pool(
        shape: Any, kernel_size: Any = None, stride: Any = None, padding: Any = 0, dilation: Any = 1,
        ceil_mode: bool = False, return_indices: bool = False, *, data_format: str = "channels_first",
        dtype: Any = "float32", opset: int = DEFAULT_OPSET, lowering: str = "auto", verify: bool = False,
    ) -> onnx.ModelProto:  # fmt: skip
        """ONNX model of `fastup.<name>`: MaxPool, with its indices brought to positions within a plane.

        NaN wins here, as in torch; in onnxruntime never, in the reference evaluator only as the first of its window.

        Parameters
        ----------
        shape : tuple of int or str, or fastup.plan.Plan
            Shape of the input; any dimension may be a name. A plan brings all other arguments with it.
        kernel_size, stride, padding, dilation, ceil_mode, return_indices
            As in `fastup.<name>`.
        <rest>
        lowering : {"auto", "native", "portable"}
            The same graph in all three: dtypes that onnxruntime does not compare are cast to one that holds them.

        Returns
        -------
        onnx.ModelProto
            With input "x" and output "y", and output "indices" if they are wanted.

        Raises
        ------
        UnsupportedExport
            If no runtime compares the dtype.
        VerificationError
            If `verify` finds a difference.

        Examples
        --------
        >>> import fastup.export
        >>> model = fastup.export.<name>(("N", 3, <dims>), 2, return_indices=True)
        >>> model.graph.node[0].op_type, [output.name for output in model.graph.output]
        ('MaxPool', ['y', 'indices'])
        """
        arguments = (kernel_size, stride, padding, dilation, ceil_mode, return_indices)

        def make(known: tuple[int, ...]) -> MaxPoolPlan:
            plan: MaxPoolPlan = getattr(plans, op)(known, dtype, *arguments, data_format=data_format)
            return plan

        return export(op, shape, make, 32, append_pool, opset, lowering, verify)

    return max_pool


def _max_unpool(rank: int) -> Callable[..., onnx.ModelProto]:
    op = f"max_unpool{rank}d"
    dims = ", ".join(["4"] * rank)

    @documented(op, rank, rest=_REST, dims=dims)
    def max_unpool(
        shape: Any, kernel_size: Any = None, stride: Any = None, padding: Any = 0, output_size: Any = None, *,
        data_format: str = "channels_first", dtype: Any = "float32", opset: int = DEFAULT_OPSET,
        lowering: str = "auto", verify: bool = False,
    ) -> onnx.ModelProto:  # fmt: skip
        """ONNX model of `fastup.<name>`: MaxUnpool with positions over the whole tensor, or ScatterElements.

        Parameters
        ----------
        shape : tuple of int or str, or fastup.plan.Plan
            Shape of the values and of the indices; batch and spatial dimensions may be names. A plan brings all other
            arguments with it.
        kernel_size, stride, padding, output_size
            As in `fastup.<name>`.
        <rest>
        lowering : {"auto", "native", "portable"}
            "native": MaxUnpool with `output_shape`, for floats of known size. "portable": ScatterElements on flattened
            planes. "auto": native for float32, which onnxruntime has a kernel for.

        Returns
        -------
        onnx.ModelProto
            With inputs "x" and "indices" and output "y".

        Raises
        ------
        UnsupportedExport
            If the lowering cannot express the call.
        VerificationError
            If `verify` finds a difference.

        Examples
        --------
        >>> import fastup.export
        >>> model = fastup.export.<name>((1, 3, <dims>), 2)
        >>> [node.op_type for node in model.graph.node]
        ['Add', 'MaxUnpool']
        """

        def make(known: tuple[int, ...]) -> MaxUnpoolPlan:
            arguments = (kernel_size, stride, padding, output_size)
            plan: MaxUnpoolPlan = getattr(plans, op)(known, dtype, *arguments, data_format=data_format)
            return plan

        def append(graph: Graph, x: Value, plan: MaxUnpoolPlan, lowering: str) -> Value:
            indices = graph.input("indices", np.int64, x.shape)
            return append_unpool(graph, x, indices, plan, lowering, output_size is not None)

        return export(op, shape, make, 8, append, opset, lowering, verify)

    return max_unpool


max_pool1d, max_pool2d, max_pool3d = map(_max_pool, (1, 2, 3))
max_unpool1d, max_unpool2d, max_unpool3d = map(_max_unpool, (1, 2, 3))
