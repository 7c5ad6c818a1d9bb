"""What a verification does not judge, named so that nobody takes silence for praise."""

from __future__ import annotations

import onnx

_OTHERS = ("GridSample", "Col2Im", "AffineGrid", "RoiAlign", "CenterCropPad")


def unjudged(model: onnx.ModelProto) -> list[str]:
    """Nodes that move or weigh pixels by a rule that fastup does not have."""
    return [f"{node.name or node.output[0]} ({node.op_type})" for node in model.graph.node if node.op_type in _OTHERS]
