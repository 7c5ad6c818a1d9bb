"""What the exporters say of themselves: the docstrings, of which each operator tells what is its own."""

from __future__ import annotations

import inspect
import textwrap
from typing import NamedTuple

from fastup.operators.operator import of_this_rank


class About(NamedTuple):
    """What is particular to the exporter of an operator."""

    graph: str  # what the model consists of
    lowering: str
    example: str


_TEMPLATE = """ONNX model of `fastup.<name>`: <graph>

Parameters
----------
shape : tuple of int or str, or fastup.plan.Plan
    Shape of the input; dimensions may be names, and are known at run time only then. A plan brings all other arguments
    with it<but>.
<arguments>
    As in `fastup.<name>`<constants>.
<options>
lowering : {"auto", "native", "portable"}
    <lowering>
verify : bool
    Run the model in onnxruntime and compare it with fastup.

Returns
-------
onnx.ModelProto
    With input "x" and output "y"<second>.

Raises
------
UnsupportedExport
    If the lowering cannot express the call.
VerificationError
    If `verify` finds a difference.

Examples
--------
<example>
"""
_OPTIONS = {
    "dtype": "dtype : dtype\n    Of the input.",
    "labels": "labels : dtype\n    Of the labels.",
    "subpixel": """subpixel : {"conv", "conv_transpose"}
    Write the convolution and the shuffle, or the transposed convolution that is the same.""",
    "opset": "opset : int\n    Version of ONNX's operators, from 11 on.",
}
_SECONDS = {
    "max_pool": ', and output "indices" if they are wanted',
    "max_unpool": '; the positions are a second input, "indices"',
    "upsample_softmax_max": ', and output "confidence"',
}
_CONVOLUTION = """"native": ONNX's operator, in float32 for halves. "portable": Gather with the plan's own table, and
    MatMul. "auto": native, and portable for float64, which onnxruntime cannot convolve, where the table is at most
    1 MB."""
_SEGMENTATION = """As in `fastup.export.interpolate`; labels may differ where two classes are equal within the rounding
    of the interpolation."""
_SHUFFLE = """"native": ONNX's own operator. "portable": Reshape, Transpose, Reshape. "auto": native where it has the
    order and onnxruntime the dtype."""
_ABOUT = {
    "pixel_shuffle": About(
        "DepthToSpace, or Reshape, Transpose, Reshape.",
        _SHUFFLE,
        """
        >>> import fastup.export
        >>> model = fastup.export.pixel_shuffle(("N", 12, "H", "W"), 2)
        >>> [node.op_type for node in model.graph.node]
        ['DepthToSpace']
        """,
    ),
    "pixel_unshuffle": About(
        "SpaceToDepth where its order fits, else Reshape, Transpose, Reshape.",
        _SHUFFLE,
        """
        >>> import fastup.export
        >>> model = fastup.export.pixel_unshuffle((1, 3, 8, 8), 2)
        >>> [node.op_type for node in model.graph.node]
        ['Reshape', 'Transpose', 'Reshape']
        """,
    ),
    "interpolate": About(
        "Resize where it gives the same numbers, else the plan's own tables.",
        """"native": Resize, which antialiases from opset 18 on, and AveragePool for area where sizes divide.
        "portable": Gather, with products and sums or MatMul where pixels are weighted. "auto": nearest native where it
        picks the same pixels, else Gather; weighted modes native unless that would be wrong or onnxruntime has no
        kernel, and then tables of at most 1 MB.""",
        """
        >>> import fastup.export
        >>> model = fastup.export.interpolate(("N", 3, "H", "W"), scale_factor=2)
        >>> [node.op_type for node in model.graph.node]
        ['Resize']
        >>> model = fastup.export.interpolate((1, 3, 20, 20), size=33)
        >>> [node.op_type for node in model.graph.node]
        ['Gather', 'Gather']
        >>> model = fastup.export.interpolate(("N", 3, "H", "W"), (64, 64), mode="bilinear", antialias=True)
        >>> [node.op_type for node in model.graph.node]
        ['Resize']
        """,
    ),
    "resize": About(
        """the convention's steps, with its tables as constants.

        Height and width are numbers, other dimensions may be names. The values are fastup's to the bit, but for
        torch's floats, which are those of `fastup.export.interpolate`.""",
        """"portable": Gather and MatMul in whole numbers of float32 for bytes, Gather, Mul and Add in the library's
        order for others. "native": torch's conventions alone, as in `fastup.export.interpolate`. "auto": as there for
        torch's, else portable.""",
        """
        >>> import fastup.export
        >>> model = fastup.export.resize(("N", 480, 640, 3), (224, 224), like="pillow/bicubic", axes=(1, 2))
        >>> model.graph.output[0].name
        'y'
        """,
    ),
    "zero_stuff": About(
        "Pad, Reshape and Slice along each axis.",
        "The same graph in all three.",
        """
        >>> import fastup.export
        >>> model = fastup.export.zero_stuff(("N", 3, "W"), 2)
        >>> [node.op_type for node in model.graph.node]
        ['Unsqueeze', 'Pad', 'Shape', 'Gather', 'Shape', 'Gather', 'Mul', 'Concat', 'Reshape', 'Slice']
        """,
    ),
    "conv": About(
        "Conv.",
        _CONVOLUTION,
        """
        >>> import numpy as np, fastup.export
        >>> w = np.ones((2, 1, *(3,) * <rank>), np.float32)
        >>> model = fastup.export.<name>(("N", 1, <dims>), w, stride=2)
        >>> model.graph.node[0].op_type
        'Conv'
        """,
    ),
    "conv_transpose": About(
        "ConvTranspose.",
        _CONVOLUTION,
        """
        >>> import numpy as np, fastup.export
        >>> w = np.ones((1, 2, *(4,) * <rank>), np.float32)
        >>> model = fastup.export.<name>(("N", 1, <dims>), w, stride=2, padding=1)
        >>> model.graph.node[0].op_type
        'ConvTranspose'
        """,
    ),
    "subpixel_conv": About(
        "Conv and DepthToSpace, or the transposed convolution that is the same.",
        _CONVOLUTION,
        """
        >>> import numpy as np, fastup.export
        >>> w = np.ones((2**<rank>, 1, *(3,) * <rank>), np.float32)
        >>> model = fastup.export.<name>(("N", 1, <dims>), w, upscale_factor=2, padding=1)
        >>> model.graph.node[0].op_type
        'Conv'
        """,
    ),
    "max_pool": About(
        """MaxPool, with its indices brought to positions within a plane.

        NaN wins here, as in torch; in onnxruntime never, in the reference evaluator only as the first of its window.
        A dtype that no runtime compares has no graph.""",
        "The same graph in all three: dtypes that onnxruntime does not compare are cast to one that holds them.",
        """
        >>> import fastup.export
        >>> model = fastup.export.<name>(("N", 3, <dims>), 2, return_indices=True)
        >>> model.graph.node[0].op_type, [output.name for output in model.graph.output]
        ('MaxPool', ['y', 'indices'])
        """,
    ),
    "max_unpool": About(
        "MaxUnpool with positions over the whole tensor, or ScatterElements.",
        """"native": MaxUnpool with `output_shape`, for floats of known size. "portable": ScatterElements on flattened
        planes. "auto": native for float32, which onnxruntime has a kernel for.""",
        """
        >>> import fastup.export
        >>> model = fastup.export.<name>((1, 3, *(4,) * <rank>), 2)
        >>> [node.op_type for node in model.graph.node]
        ['Add', 'MaxUnpool']
        """,
    ),
    "upsample_argmax": About(
        """the graph of the interpolation, and ArgMax.

        A runtime holds the upsampled logits; fastup does not.""",
        _SEGMENTATION,
        """
        >>> import fastup.export
        >>> model = fastup.export.upsample_argmax(("N", 21, "H", "W"), scale_factor=8)
        >>> [node.op_type for node in model.graph.node]
        ['Resize', 'ArgMax', 'Cast']
        """,
    ),
    "upsample_softmax_max": About(
        "the graph of the interpolation, ArgMax, and the softmax of the largest.",
        _SEGMENTATION,
        """
        >>> import fastup.export
        >>> model = fastup.export.upsample_softmax_max((1, 21, 65, 65), 513)
        >>> [output.name for output in model.graph.output]
        ['y', 'confidence']
        """,
    ),
    "upsample_threshold": About(
        "the graph of the interpolation, and Greater.",
        _SEGMENTATION,
        """
        >>> import fastup.export
        >>> model = fastup.export.upsample_threshold(("N", 1, 28, 28), (120, 80), 0.5)
        >>> [node.op_type for node in model.graph.node]
        ['Resize', 'Greater']
        """,
    ),
}


def documentation(name: str, arguments: list[str], options: list[str]) -> str:
    """The docstring of the exporter of an operator."""
    kind, rank = (name[:-2], int(name[-2])) if name not in _ABOUT else (name, 0)
    about = _ABOUT[kind]
    texts = {
        "graph": inspect.cleandoc(about.graph),
        "arguments": textwrap.fill(", ".join(one for one in arguments if one not in _OPTIONS), 119),
        "options": "\n".join(_OPTIONS[one] for one in (*arguments, *options) if one in _OPTIONS),
        "lowering": inspect.cleandoc(about.lowering).replace("\n", "\n    "),
        "but": ", but for weight and bias" if "weight" in arguments else "",
        "constants": "; constants of the graph are of the input's dtype" if "weight" in arguments else "",
        "second": _SECONDS.get(kind, ""),
        "example": inspect.cleandoc(about.example),
        "dims": ", ".join(f'"{letter}"' for letter in "DHW"[3 - rank :]) if rank else "",
    }
    return of_this_rank(_TEMPLATE, name, rank, **texts)
