"""Networks: the same numbers as torch's twin with the same state, and weights that are known in closed form."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import fastup
from fastup import networks, nn
from tests.test_nn_layers import assert_close, numbers, trained

SIZES: list[tuple[nn.Module, tuple[int, ...], tuple[int, ...]]] = [
    (networks.ESPCN(3), (1, 1, 12, 17), (1, 1, 36, 51)),
    (networks.ESPCN(2, channels=3), (2, 3, 9, 8), (2, 3, 18, 16)),
    (networks.FSRCNN(3, channels=2, d=8, s=4, m=1), (1, 2, 10, 11), (1, 2, 30, 33)),
    (networks.FSRCNN(4), (1, 1, 8, 6), (1, 1, 32, 24)),
    (networks.FSRCNN(1, m=0), (1, 1, 8, 6), (1, 1, 8, 6)),
    (networks.UNet(3, 2, (4, 6, 8)), (2, 3, 16, 24), (2, 2, 16, 24)),
    (networks.UNet(1, 1, (4, 6)), (1, 1, 6, 10), (1, 1, 6, 10)),
    (networks.UNet(1, 5, (4,)), (1, 1, 7, 9), (1, 5, 7, 9)),
    (networks.SegNet(3, 4, (6, 8)), (2, 3, 12, 16), (2, 4, 12, 16)),
    (networks.SegNet(2, 1, (5, 3, 4)), (1, 2, 16, 8), (1, 1, 16, 8)),
    (networks.DCGANGenerator(10, 4, 2), (3, 10, 1, 1), (3, 2, 64, 64)),
]


def twin_of(layer: Any, torch: Any) -> Any:
    """The same tree in torch; what torch has no layer for is written out."""

    class Skip(torch.nn.Module):  # type: ignore[misc]
        def __init__(self, inner: Any) -> None:
            super().__init__()
            self.inner = inner

        def forward(self, x: Any) -> Any:
            return torch.cat([x, self.inner(x)], dim=1)

    class Unpooling(torch.nn.Sequential):  # type: ignore[misc]
        def forward(self, x: Any) -> Any:
            kept = []
            for one in self:
                if isinstance(one, torch.nn.MaxPool2d):
                    x, indices = one(x)
                    kept.append(indices)
                else:
                    x = one(x, kept.pop()) if isinstance(one, torch.nn.MaxUnpool2d) else one(x)
            return x

    class SubPixel(torch.nn.Conv2d):  # type: ignore[misc]
        def forward(self, x: Any) -> Any:
            return torch.nn.functional.pixel_shuffle(super().forward(x), layer.upscale_factor[0])

    if isinstance(layer, nn.Sequential):
        children = [twin_of(one, torch) for one in layer]
        indexed = any(isinstance(one, nn.MaxUnpool2d) for one in layer)
        return (Unpooling if indexed else torch.nn.Sequential)(*children)
    if isinstance(layer, nn.Skip):
        return Skip(twin_of(layer.inner, torch))
    if isinstance(layer, nn.SubPixelConv2d):
        return SubPixel(layer.in_channels, layer.weight.shape[0], layer.kernel_size, padding="same")
    return same_arguments(layer, torch)


def same_arguments(layer: nn.Module, torch: Any) -> Any:
    """torch's layer of the same name, built from the attributes of ours."""
    kind = getattr(torch.nn, type(layer).__name__)
    names = [name for name in kind.__init__.__annotations__ if name in vars(layer) or name == "bias"]
    values = {name: getattr(layer, name) for name in names}
    if "bias" in values:
        values["bias"] = layer.bias is not None  # type: ignore[attr-defined]
    values.pop("dtype", None)
    return kind(**values)


@pytest.mark.parametrize(("network", "shape", "expected"), SIZES)
def test_equals_the_twin_in_torch(network: Any, shape: Any, expected: Any, torch: Any) -> None:
    torch.manual_seed(1)
    twin = trained(twin_of(network, torch), torch)
    state = twin.state_dict()
    assert list(network.state_dict()) == list(state)
    network.load_state_dict(state)
    x = numbers(shape)
    with torch.no_grad():  # in float64: on an Emerald Rapids torch's float32 was off by 4e-5 in some runs
        wanted = twin.double()(torch.from_numpy(x).double()).float().numpy()
    y = network(x)
    assert y.shape == wanted.shape == expected
    assert np.abs(wanted).max() > 0.01
    assert_close(y, wanted, 1e-5)
    np.testing.assert_array_equal(network(torch.from_numpy(x)).numpy(), y)


@pytest.mark.quick
@pytest.mark.parametrize(("network", "shape", "expected"), SIZES)
def test_equals_its_layers_one_by_one(network: Any, shape: Any, expected: Any) -> None:
    def plainly(layer: Any, x: Any, indices: list[Any]) -> Any:
        if isinstance(layer, nn.Sequential):
            for one in layer:
                x = plainly(one, x, indices)
            return x
        if isinstance(layer, nn.Skip):
            return np.concatenate([x, plainly(layer.inner, x, indices)], axis=1)
        if isinstance(layer, nn.MaxPool2d) and layer.return_indices:
            x, found = layer(x)
            indices.append(found)
            return x
        return layer(x, indices.pop()) if isinstance(layer, nn.MaxUnpool2d) else layer(x)

    y, wanted = network(numbers(shape)), plainly(network, numbers(shape), [])
    assert y.shape == expected
    assert_close(y, wanted, 1e-5)


@pytest.mark.quick
def test_architectures() -> None:
    """The layers of the papers, by name and kernel."""
    espcn = [(one.in_channels, one.weight.shape[0], one.kernel_size) for one in convolutions(networks.ESPCN(3))]
    assert espcn == [(1, 64, (5, 5)), (64, 32, (3, 3)), (32, 9, (3, 3))]
    fsrcnn = [one.weight.shape[-1] for one in convolutions(networks.FSRCNN(2))]
    assert fsrcnn == [5, 1, 3, 3, 3, 3, 1, 9]
    weights = sum(one.size for one in networks.FSRCNN(2).state_dict().values() if one.ndim == 4)
    assert weights == 12464  # the paper's count
    generator = convolutions(networks.DCGANGenerator())
    assert [one.in_channels for one in generator] == [100, 512, 256, 128, 64]
    assert all(one.bias is None for one in generator)
    unet = networks.UNet(1, 1, (4, 8, 16))
    ups = [one for one in convolutions(unet) if isinstance(one, nn.ConvTranspose2d)]
    assert [(one.in_channels, one.out_channels, one.stride) for one in ups] == [(16, 8, (2, 2)), (8, 4, (2, 2))]


def convolutions(layer: nn.Module) -> list[Any]:
    found = [layer] if hasattr(layer, "kernel_size") and hasattr(layer, "weight") else []
    return found + [one for child in layer.children() for one in convolutions(child)]


@pytest.mark.quick
@pytest.mark.parametrize("factor", [1, 2, 3, 4, 8])
def test_bicubic_in_closed_form(factor: int) -> None:
    x = np.random.default_rng(0).random((2, 3, 14, 11), np.float32)
    y = networks.bicubic(factor, channels=3)(x)
    expected = fastup.interpolate(x, scale_factor=factor, mode="bicubic")
    inside = (..., slice(2 * factor, -2 * factor), slice(2 * factor, -2 * factor))
    assert y.shape == expected.shape
    np.testing.assert_allclose(y[inside], expected[inside], rtol=0, atol=1e-6)
    phases = networks.bicubic(factor).weight.sum((1, 2, 3))
    np.testing.assert_allclose(phases, 1, atol=1e-6)  # a constant stays one


@pytest.mark.quick
def test_the_taps_of_bicubic() -> None:
    """A quarter of a pixel before and beyond: far(1.75), near(0.75), near(0.25), far(1.25) of Keys' cubic."""
    taps = np.array([-9, 67, 225, -27]) / 256
    before, beyond = np.append(taps, 0), np.append(0, taps[::-1])
    weight = networks.bicubic(2).weight
    for phase, (rows, columns) in enumerate(((before, before), (before, beyond), (beyond, before), (beyond, beyond))):
        np.testing.assert_allclose(weight[phase, 0], np.outer(rows, columns), rtol=1e-6)
