"""Enlarge a picture with a layer, write it as an ONNX model, and prove that onnxruntime gives the same numbers."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
import onnx
import onnxruntime

import fastup

rows, columns = np.mgrid[0:120, 0:160]
picture = np.stack([np.hypot(rows - 60, columns - 80) % 40 < 20, rows % 24 < 12, columns % 32 < 16])
x = picture.astype(np.float32)[None]  # (1, 3, 120, 160)

layer = fastup.nn.Upsample(scale_factor=2, mode="bicubic")
y = layer(x)
print(f"{x.shape} -> {y.shape}, from {y.min():.3f} to {y.max():.3f}")  # bicubic overshoots at edges

# Sizes may be open; verify=True has already run the model and compared it with the layer.
model = fastup.export.to_onnx(layer, ("N", 3, "H", "W"), verify=True)
with tempfile.TemporaryDirectory() as folder:
    path = Path(folder) / "upscale.onnx"
    onnx.save(model, path)
    session = onnxruntime.InferenceSession(path.read_bytes(), providers=["CPUExecutionProvider"])
(found,) = session.run(None, {session.get_inputs()[0].name: x})

difference = float(np.abs(found - y).max())
print(f"nodes: {', '.join(sorted({node.op_type for node in model.graph.node}))}")
print(f"largest difference in onnxruntime: {difference:.1e}")
if difference > 1e-4:
    raise SystemExit("the exported model gives other numbers")
