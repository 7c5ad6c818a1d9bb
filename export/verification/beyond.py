"""What a verification does not judge, named so that nobody takes silence for praise."""

from __future__ import annotations

from collections.abc import Iterator

import onnx

from fastup.export.verification.model import OPERATORS

_OTHERS = ("GridSample", "Col2Im", "AffineGrid", "RoiAlign", "CenterCropPad")


def unjudged(model: onnx.ModelProto) -> list[str]:
    """Nodes that move or weigh pixels by a rule that fastup does not have."""
    return [f"{node.name or node.output[0]} ({node.op_type})" for node in model.graph.node if node.op_type in _OTHERS]


def in_subgraphs(model: onnx.ModelProto) -> list[str]:
    """Upsampling nodes of control flow, which one run cannot show."""

    def within(graph: onnx.GraphProto) -> Iterator[str]:
        for node in graph.node:
            for attribute in node.attribute:
                for inner in (attribute.g, *attribute.graphs):
                    for one in inner.node:
                        if one.op_type in OPERATORS:
                            yield one.name or one.output[0]
                    yield from within(inner)

    return list(within(model.graph))
