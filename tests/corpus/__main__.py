"""``python -m tests.corpus``: what verify says of every model of the corpus, beside what is stored.

It needs an environment of its own: torch, torchvision, onnxscript, segmentation_models_pytorch, spandrel, timm and
diffusers. ``--write`` stores what is found, ``--only TEXT`` takes some models.
"""

from __future__ import annotations

import argparse
import collections
import json
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import onnx

import fastup.export
from tests.corpus import wheels

_STORED = Path(__file__).with_name("stored.json")


def models(only: str) -> Iterator[tuple[str, Any, Any]]:
    """Name, model, and shapes of what it leaves open."""
    from tests.corpus import architectures

    for name, (make, shape) in architectures.architectures().items():
        for exporter in architectures.exporters(name):
            title = f"{name}, {exporter}"
            if only in title:
                yield title, lambda make=make, shape=shape, to=exporter: architectures.exported(make, shape, to), {}
    for name, content in wheels.models():
        if only in name:
            yield name, lambda content=content: onnx.load_from_string(content), wheels.SHAPES.get(name.split()[1], {})


def said(model: onnx.ModelProto, shapes: Any) -> dict[str, int]:
    """How many nodes have which words' first part, and which verdict."""
    report = fastup.export.verify(model, shapes=shapes, like="torch", skip=["torch"])
    agrees = {"equal": "agrees", "within tolerance": "agrees"}  # which of both is up to the processor
    verdicts = [node.verdict(report.judged) for node in report.nodes]
    lines = [
        f"{node.op_type}: {node.words.split('(')[0]}: {agrees.get(verdict, verdict)}"
        for node, verdict in zip(report.nodes, verdicts, strict=True)
    ]
    lines += [f"not judged: {line.split('(')[-1].rstrip(')')}" for line in report.unjudged]
    lines += ["within control flow"] * len(report.skipped)
    return dict(collections.Counter(lines))


def main() -> None:
    """Compare, or write."""
    parser = argparse.ArgumentParser(prog="python -m tests.corpus", description=__doc__)
    parser.add_argument("--write", action="store_true")
    parser.add_argument("--only", default="")
    arguments = parser.parse_args()
    found, begin = {}, time.perf_counter()
    for name, make, shapes in models(arguments.only):
        start = time.perf_counter()
        try:
            model = make()
        except Exception as error:  # each exporter has errors of its own
            found[name] = {f"not exported: {type(error).__name__}": 1}
        else:
            found[name] = said(model, shapes)
        print(f"{name} ({time.perf_counter() - start:.1f} s): {found[name]}", flush=True)
    print(f"{len(found)} models, {time.perf_counter() - begin:.0f} s")
    if arguments.write:
        _STORED.write_text(json.dumps(found, indent=1) + "\n")
        return
    stored = {name: one for name, one in json.loads(_STORED.read_text()).items() if arguments.only in name}
    changed = [name for name in {**stored, **found} if stored.get(name) != found.get(name)]
    for name in changed:
        print(f"changed: {name}: stored {stored.get(name)}, found {found.get(name)}")
    sys.exit(bool(changed))


if __name__ == "__main__":
    main()
