"""Layers and networks as graphs: onnxruntime gives their numbers."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import fastup.export
import fastup.networks
import fastup.nn
from fastup import networks, nn
from fastup.export import runtimes, self_check

NETWORKS: list[tuple[nn.Module, tuple[int, ...]]] = [
    (networks.ESPCN(3), (1, 1, 20, 24)),
    (networks.FSRCNN(2), (1, 1, 20, 24)),
    (networks.UNet(3, 2, (4, 8, 16)), (2, 3, 16, 24)),
    (networks.SegNet(3, 2, (4, 8)), (2, 3, 16, 24)),
    (networks.DCGANGenerator(8, 4, 1), (2, 8, 1, 1)),
    (networks.bicubic(2), (1, 1, 9, 8)),
]
LAYERS: list[tuple[nn.Module, tuple[int, ...]]] = [
    (nn.Conv1d(2, 4, 3, stride=2, padding=1), (2, 2, 17)),
    (nn.Conv2d(2, 4, 3, padding="same"), (1, 2, 8, 9)),
    (nn.Conv3d(2, 2, 2, groups=2), (1, 2, 4, 5, 6)),
    (nn.ConvTranspose1d(2, 3, 16, stride=8, padding=4), (1, 2, 9)),
    (nn.ConvTranspose3d(2, 3, 2, stride=2), (1, 2, 3, 4, 5)),
    (nn.SubPixelConv2d(2, 3, 2), (1, 2, 8, 9)),
    (nn.MaxPool2d(3, 2, 1), (1, 2, 8, 9)),
    (nn.BatchNorm2d(2), (2, 2, 4, 5)),
    (nn.Sequential(nn.Upsample(scale_factor=2, mode="bilinear"), nn.LeakyReLU(0.2), nn.PReLU()), (1, 2, 8, 9)),
    (nn.Sequential(nn.PixelUnshuffle(2), nn.Sigmoid(), nn.PixelShuffle(2), nn.Tanh(), nn.Identity()), (1, 2, 8, 10)),
    (nn.Skip(nn.ReLU()), (1, 2, 8, 9)),
]


def with_statistics(network: nn.Module, seed: int = 0) -> nn.Module:
    """Other statistics than those of the start, so that normalisation does something."""
    generator, state = np.random.default_rng(seed), network.state_dict()
    for key, array in state.items():
        if key.endswith("running_mean"):
            state[key] = np.asarray(generator.standard_normal(array.shape), array.dtype)
        elif key.endswith("running_var"):
            state[key] = np.asarray(generator.uniform(0.5, 2, array.shape), array.dtype)
    network.load_state_dict(state)
    return network


@pytest.mark.quick
@pytest.mark.parametrize(("network", "shape"), [*NETWORKS, *LAYERS], ids=lambda one: str(one).split("(")[0][:20])
@pytest.mark.parametrize("opset", [11, 18, 21])
def test_graphs_of_networks(network: nn.Module, shape: tuple[int, ...], opset: int) -> None:
    """With known sizes and with a symbolic batch and space, whose graph serves another batch too."""
    network = with_statistics(network)
    model = fastup.export.to_onnx(network, shape, opset=opset, verify=True)
    symbolic: tuple[Any, ...] = ("N", shape[1], *(f"d{k}" if n > 1 else n for k, n in enumerate(shape[2:])))
    for graph, size in ((model, shape), (fastup.export.to_onnx(network, symbolic, opset=opset), (3, *shape[1:]))):
        x = self_check.sample(size, np.dtype(np.float32))
        y = network(x)
        result = runtimes.run("onnxruntime", graph, x)
        assert result.shape == y.shape
        np.testing.assert_allclose(result, y, rtol=0, atol=1e-5 * np.abs(y).max() + 1e-7)


def test_networks_that_have_no_graph() -> None:
    class Own(nn.Module):
        def forward(self, x: Any) -> Any:
            return x

    error = fastup.export.UnsupportedExport
    with pytest.raises(error, match=r"^to_onnx: layer must be one of fastup\.nn, got Own$"):
        fastup.export.to_onnx(nn.Sequential(Own()), (1, 1, 4, 4))
    with pytest.raises(error, match=r"^MaxUnpool2d: a pooling with return_indices must come before, got none$"):
        fastup.export.to_onnx(nn.Sequential(nn.MaxUnpool2d(2)), (1, 1, 4, 4))
    with pytest.raises(error, match=r"^BatchNorm2d: running statistics must be there, got none$"):
        fastup.export.to_onnx(nn.BatchNorm2d(1, track_running_stats=False), (1, 1, 4, 4))


@pytest.mark.parametrize("more", [0.5, np.nan])
def test_verification_of_a_network_finds_another_weight(more: float) -> None:
    layer = nn.Conv2d(1, 1, 3, bias=False)
    model = fastup.export.to_onnx(layer, (1, 1, 8, 8))
    layer.weight = layer.weight + np.float32(more)
    with pytest.raises(
        fastup.export.VerificationError, match=r"^Conv2d: onnxruntime differs from fastup in \d+ of 36 items$"
    ):
        self_check.compare_layer(model, layer, (1, 1, 8, 8), np.dtype(np.float32))
