"""Write tests/data/models: small networks as torch's two exporters write them (torch 2.13, onnxscript)."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import onnx
import torch
from torch import nn

FOLDER = Path(__file__).with_name("data") / "models"


class UNet(nn.Module):
    """Two levels, a learned upsampling and a skip."""

    def __init__(self) -> None:
        super().__init__()
        self.down, self.deep = nn.Conv2d(3, 4, 3, padding=1), nn.Conv2d(4, 8, 3, padding=1)
        self.up, self.last = nn.ConvTranspose2d(8, 4, 2, 2), nn.Conv2d(8, 2, 1)

    def forward(self, x: Any) -> Any:
        skip = torch.relu(self.down(x))
        deep = torch.relu(self.deep(nn.functional.max_pool2d(skip, 2)))
        return self.last(torch.cat([skip, self.up(deep)], 1))


class SegNet(nn.Module):
    """Pooling that keeps its positions, and unpooling."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.last = nn.Conv2d(3, 4, 3, padding=1), nn.Conv2d(4, 2, 3, padding=1)

    def forward(self, x: Any) -> Any:
        pooled, places = nn.functional.max_pool2d(self.first(x), 2, return_indices=True)
        return self.last(nn.functional.max_unpool2d(pooled, places, 2))


class DeepLabHead(nn.Module):
    """Classes at an eighth of the size, upsampled as DeepLab does."""

    def __init__(self) -> None:
        super().__init__()
        self.classes = nn.Conv2d(3, 5, 1)

    def forward(self, x: Any) -> Any:
        return nn.functional.interpolate(self.classes(x), scale_factor=8, mode="bilinear", align_corners=False)


NETWORKS: dict[str, tuple[nn.Module, tuple[int, ...]]] = {
    "unet": (UNet(), (1, 3, 16, 16)),
    "espcn": (
        nn.Sequential(nn.Conv2d(1, 8, 5, padding=2), nn.Tanh(), nn.Conv2d(8, 9, 3, padding=1), nn.PixelShuffle(3)),
        (1, 1, 10, 12),
    ),
    "fsrcnn": (
        nn.Sequential(
            nn.Conv2d(1, 6, 5, padding=2), nn.PReLU(6), nn.ConvTranspose2d(6, 1, 9, 2, padding=4, output_padding=1)
        ),
        (1, 1, 10, 12),
    ),
    "deeplab": (DeepLabHead(), (1, 3, 9, 9)),
    "segnet": (SegNet(), (1, 3, 8, 8)),
}


def without_traces(path: Path) -> None:
    """Drop what the exporter tells of the machine that it ran on."""
    model = onnx.load(str(path))
    for one in (model, model.graph, *model.graph.node, *model.graph.value_info, *model.functions):
        del one.metadata_props[:]
    for value in (*model.graph.input, *model.graph.output, *model.graph.initializer):
        del value.metadata_props[:]
    for node in model.graph.node:
        node.doc_string = ""
    path.write_bytes(model.SerializeToString())


def main() -> None:
    """Export all of them both ways; what an exporter refuses is left out and said."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(0)
    warnings.simplefilter("ignore")
    for name, (network, shape) in NETWORKS.items():
        for kind, dynamo in (("torchscript", False), ("dynamo", True)):
            path = FOLDER / f"{name}-{kind}.onnx"
            try:
                torch.onnx.export(network.eval(), (torch.randn(shape),), str(path), dynamo=dynamo, external_data=False)
                without_traces(path)
            except Exception as error:  # each exporter has its own kinds
                print(f"{path.name}: refused ({str(error).splitlines()[0][:100]})")
                path.unlink(missing_ok=True)


if __name__ == "__main__":
    main()
