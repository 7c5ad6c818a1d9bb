"""Functions of a model: those that hold upsampling nodes are inlined, others stay."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import onnx

from fastup.export.verification.model import is_judged

_Id = tuple[str, str]


def with_functions_inlined(model: onnx.ModelProto) -> tuple[onnx.ModelProto, list[str]]:
    """The model without the functions that hold an upsampling node, or call one that does; and their names."""
    import onnx.inliner

    bodies = {(one.domain, one.name): list(_all_nodes(one.node)) for one in model.functions}
    holding = {name for name, nodes in bodies.items() if any(map(is_judged, nodes))}
    while more := {name for name, nodes in bodies.items() if name not in holding and _calls(nodes, holding)}:
        holding |= more
    if not holding:
        return model, []
    return onnx.inliner.inline_selected_functions(model, sorted(holding)), sorted(name for _, name in holding)


def _calls(nodes: Iterable[onnx.NodeProto], names: set[_Id]) -> bool:
    return any((node.domain, node.op_type) in names for node in nodes)


def _all_nodes(nodes: Iterable[onnx.NodeProto]) -> Iterator[onnx.NodeProto]:
    """Those of graphs within nodes too."""
    for node in nodes:
        yield node
        for attribute in node.attribute:
            for inner in (attribute.g, *attribute.graphs):
                yield from _all_nodes(inner.node)
