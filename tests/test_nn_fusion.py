"""Sequential: convolutions take over what follows them, and nothing else changes."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Iterable
from typing import Any

import numpy as np
import pytest

from fastup import nn
from tests.test_nn_layers import SHAPES, assert_close, numbers

CONVOLUTIONS = {
    "Conv": lambda rank, **k: getattr(nn, f"Conv{rank}d")(4, 6, 3, padding=1, groups=2, **k),
    "ConvTranspose": lambda rank, **k: getattr(nn, f"ConvTranspose{rank}d")(4, 6, 4, 2, 1, groups=2, **k),
    "SubPixelConv": lambda rank, **k: getattr(nn, f"SubPixelConv{rank}d")(4, 6, 2, **k),
}
CLOSE = {"float32": 3e-6, "float64": 3e-15, "float16": 4e-3}


def one_by_one(layers: Iterable[nn.Module], x: Any) -> Any:
    for layer in layers:
        x = layer(x)
    return x


def normalisation(rank: int, channels: int = 6, **keywords: Any) -> Any:
    """Statistics and parameters as training would leave them."""
    norm = getattr(nn, f"BatchNorm{rank}d")(channels, **keywords)
    state = {name: numbers(one.shape, one.dtype, len(name)) for name, one in norm.state_dict().items() if one.ndim}
    state = {name: np.abs(one) + one.dtype.type(0.5) if name == "running_var" else one for name, one in state.items()}
    norm.load_state_dict(state)
    return norm


def slopes(channels: int, dtype: Any = None) -> nn.PReLU:
    layer = nn.PReLU(channels, dtype=dtype)
    layer.weight = numbers((channels,), layer.weight.dtype)
    return layer


ACTIVATIONS = [nn.ReLU(), nn.LeakyReLU(0.3), nn.Tanh(), nn.Sigmoid(), slopes(6), slopes(1)]


@pytest.mark.quick
@pytest.mark.parametrize("kind", CONVOLUTIONS)
@pytest.mark.parametrize("rank", [1, 2, 3])
def test_fused_equals_one_by_one(kind: str, rank: int) -> None:
    x = numbers(SHAPES[rank])
    for bias in (True, False):
        for activation in (*ACTIVATIONS, None):
            layers = [CONVOLUTIONS[kind](rank, bias=bias), normalisation(rank)] + [activation] * (
                activation is not None
            )
            assert_close(nn.Sequential(*layers)(x), one_by_one(layers, x), 3e-6)
            if activation is not None:
                del layers[1]
                assert_close(nn.Sequential(*layers)(x), one_by_one(layers, x), 3e-6)


@pytest.mark.quick
@pytest.mark.parametrize("dtype", CLOSE)
@pytest.mark.parametrize("kind", CONVOLUTIONS)
@pytest.mark.parametrize("options", [{}, {"affine": False}, {"bias": False}, {"eps": 0.1}], ids=str)
def test_fused_in_every_dtype(kind: str, dtype: str, options: dict[str, Any]) -> None:
    layers = [CONVOLUTIONS[kind](2, dtype=dtype), normalisation(2, dtype=dtype, **options), slopes(6, dtype)]
    x = numbers(SHAPES[2], dtype)
    y = nn.Sequential(*layers)(x)
    assert y.dtype == dtype
    assert_close(y, one_by_one(layers, x), CLOSE[dtype])


@pytest.mark.quick
@pytest.mark.parametrize("rank", [1, 2, 3])
def test_a_shuffle_joins_its_convolution(rank: int, monkeypatch: pytest.MonkeyPatch) -> None:
    shuffle = nn.PixelShuffle((2,) * rank)
    convolution = getattr(nn, f"Conv{rank}d")(4, 3 * 2**rank, 3, padding="same")
    layers = [convolution, normalisation(rank, 3 * 2**rank), shuffle, slopes(3)]
    x = numbers(SHAPES[rank])
    expected = one_by_one(layers, x)
    for layer, name in ((nn.PReLU, "values"), (type(layers[1]), "_normalised")):
        monkeypatch.setattr(layer, name, None)  # nothing may call it
    monkeypatch.setattr("fastup.operators.pixel_shuffle", None)
    assert_close(nn.Sequential(*layers)(x), expected, 3e-6)


@pytest.mark.parametrize(
    "layers",
    [
        [nn.Conv2d(4, 8, 3, stride=2), nn.PixelShuffle(2)],
        [nn.Conv2d(4, 8, 3, dilation=2), nn.PixelShuffle(2)],
        [nn.Conv2d(4, 8, 3, groups=2), nn.PixelShuffle(2)],
        [nn.ConvTranspose2d(4, 8, 2), nn.PixelShuffle(2)],
        [nn.Conv2d(4, 8, 3), nn.PixelShuffle((2,))],
        [nn.Conv2d(4, 8, 3), nn.PixelShuffle([2])],
        [nn.Conv2d(4, 8, 3), nn.ReLU(), nn.PixelShuffle(2), normalisation(2, 2), nn.Tanh()],
        [nn.Conv2d(4, 6, 3), nn.Identity(), normalisation(2), nn.ReLU(), nn.ReLU()],
        [nn.Conv2d(4, 6, 3), nn.BatchNorm2d(6, track_running_stats=False), nn.ReLU()],
    ],
    ids=lambda layers: "-".join(type(layer).__name__ for layer in layers),
)
def test_what_does_not_join(layers: list[nn.Module]) -> None:
    x = numbers((2, 4, 8, 10))
    assert_close(nn.Sequential(*layers)(x), one_by_one(layers, x), 3e-6)


@pytest.mark.quick
def test_without_a_batch_layers_are_applied_one_by_one() -> None:
    x = numbers((4, 9, 6))
    layers = [nn.Conv2d(4, 6, 3, padding=1), slopes(9)]  # axis 1 is the height here, as in torch
    np.testing.assert_array_equal(nn.Sequential(*layers)(x), one_by_one(layers, x))
    with pytest.raises(ValueError, match=r"^BatchNorm2d: x must have 4 dimensions, got shape \(6, 9, 6\)$"):
        nn.Sequential(layers[0], normalisation(2))(x)
    with pytest.raises(ValueError, match=r"^BatchNorm1d: x must have 2 or 3 dimensions"):
        nn.Sequential(layers[0], normalisation(1))(x[None])


@pytest.mark.quick
def test_a_layer_of_ones_own_is_called() -> None:
    class Louder(nn.ReLU):
        def forward(self, x: Any) -> Any:
            return 2 * super().forward(x)

    class Wider(nn.Conv2d):
        def forward(self, x: Any) -> Any:
            return 3 * super().forward(x)

    x, plain = numbers(SHAPES[2]), nn.Conv2d(4, 6, 3)
    np.testing.assert_array_equal(nn.Sequential(plain, Louder())(x), 2 * nn.ReLU()(plain(x)))
    wider = Wider(4, 6, 3)
    np.testing.assert_array_equal(nn.Sequential(wider, nn.ReLU())(x), nn.ReLU()(wider(x)))


@pytest.mark.quick
def test_parameters_stay_and_new_ones_count() -> None:
    convolution, norm = nn.Conv2d(4, 6, 3), normalisation(2)
    network, x = nn.Sequential(convolution, norm, nn.ReLU()), numbers(SHAPES[2])
    state = network.state_dict()
    before = network(x)
    np.testing.assert_array_equal(network(x), before)
    for name, array in network.state_dict().items():
        np.testing.assert_array_equal(array, state[name])
    for layer, name in ((convolution, "weight"), (convolution, "bias"), (norm, "running_mean"), (norm, "weight")):
        setattr(layer, name, getattr(layer, name) + np.float32(0.5))
        after = network(x)
        assert_close(after, one_by_one(network, x), 3e-6)
        assert np.abs(after - before).max() > 0.01
        before = after
    norm.eps = 2.0
    assert_close(network(x), one_by_one(network, x), 3e-6)


@pytest.mark.quick
@pytest.mark.parametrize("copied", [copy.copy, copy.deepcopy, lambda one: pickle.loads(pickle.dumps(one))])
def test_copies(copied: Any) -> None:
    network, x = nn.Sequential(nn.Conv2d(4, 6, 3), normalisation(2)), numbers(SHAPES[2])
    expected = network(x)
    twin = copied(network)
    np.testing.assert_array_equal(twin(x), expected)
    layer = copied(network[0])
    with pytest.raises(ValueError, match="read-only"):
        layer.weight[...] = 0
    layer.weight = np.zeros_like(layer.weight)
    np.testing.assert_array_equal(layer(x)[0, :, 0, 0], layer.bias)
    np.testing.assert_array_equal(network(x), expected)


@pytest.mark.quick
def test_indices_pass_through_containers() -> None:
    def pool() -> nn.Module:
        return nn.MaxPool2d(2, return_indices=True)

    x = numbers((1, 1, 8, 12))
    once, first = pool()(x)
    twice, second = pool()(once)
    expected = nn.MaxUnpool2d(2)(nn.MaxUnpool2d(2)(twice, second), first)
    down, up = nn.Sequential(pool(), pool()), nn.Sequential(nn.MaxUnpool2d(2), nn.MaxUnpool2d(2))
    np.testing.assert_array_equal(nn.Sequential(*down, *up)(x), expected)
    np.testing.assert_array_equal(nn.Sequential(down, nn.Identity(), up)(x), expected)
    skip = nn.Sequential(nn.Skip(nn.Sequential(down, up)))
    np.testing.assert_array_equal(skip(x), np.concatenate([x, expected], axis=1))
    np.testing.assert_array_equal(nn.Sequential(pool())(x), once)  # indices that nobody takes are dropped


@pytest.mark.quick
def test_sequential_is_a_sequence() -> None:
    layers = [nn.Conv2d(4, 6, 3), nn.ReLU(), nn.Identity()]
    network = nn.Sequential(*layers)
    assert (len(network), [*network], network[0], network[-1]) == (3, layers, layers[0], layers[2])
    part = network[1:]
    assert isinstance(part, nn.Sequential)
    assert dict(part.named_children()) == {"1": layers[1], "2": layers[2]}
    assert [*nn.Sequential()] == []
    x = numbers(SHAPES[2])
    assert nn.Sequential()(x) is x


@pytest.mark.quick
def test_tensors_come_back_as_tensors(torch: Any) -> None:
    inner = nn.Sequential(nn.Conv2d(4, 6, 3, padding=1), normalisation(2), nn.ReLU())
    network = nn.Sequential(nn.Skip(inner), nn.Tanh(), normalisation(2, 10))
    x = numbers(SHAPES[2])
    y = network(torch.from_numpy(x))
    assert isinstance(y, torch.Tensor)
    np.testing.assert_array_equal(y.numpy(), network(x))
    half = nn.Sigmoid()(torch.from_numpy(x).bfloat16())
    assert half.dtype == torch.bfloat16
