"""Layers with parameters, pooling and activations: torch's repr, state and values; what the functions give."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import fastup
import fastup.nn
from fastup import nn
from tests.cases import kind_of

Array = np.ndarray[Any, Any]
SHAPES = {1: (2, 4, 17), 2: (2, 4, 9, 11), 3: (2, 4, 5, 6, 7)}
HALVES = ["float16", "bfloat16"]


def numbers(shape: tuple[int, ...], dtype: Any = np.float32, seed: int = 0) -> Array:
    return np.random.default_rng(seed).normal(size=shape).astype(dtype)


def assert_close(y: Any, expected: Any, relative: float = 2e-6) -> None:
    """Equal within a part of the largest value."""
    wide = np.asarray(expected).astype(np.float64)
    assert np.asarray(y).shape == wide.shape
    np.testing.assert_allclose(np.asarray(y).astype(np.float64), wide, rtol=0, atol=relative * np.abs(wide).max())


def trained(twin: Any, torch: Any) -> Any:
    """A layer of torch with random statistics, for inference."""
    torch.manual_seed(0)
    for layer in twin.modules():
        if "BatchNorm" in type(layer).__name__:
            for name, array in [*layer.named_parameters(), *layer.named_buffers()]:
                if array.is_floating_point():
                    (array.data.uniform_(0.5, 2) if name.endswith("var") else array.data.normal_())
    return twin.eval()


# Of one rank each; every option that torch's repr shows.
CONVOLUTIONS: list[tuple[str, tuple[Any, ...], dict[str, Any]]] = [
    ("Conv1d", (4, 6, 3), {"padding": 1, "stride": 2}),
    ("Conv1d", (4, 6, 5), {"padding": "same", "groups": 2}),
    ("Conv2d", (4, 8, 3), {}),
    ("Conv2d", (4, 8, (3, 5)), {"stride": (2, 1), "padding": (0, 2), "dilation": (1, 2), "bias": False}),
    ("Conv2d", (4, 8, 3), {"padding": "same", "dilation": 2, "groups": 4}),
    ("Conv2d", (4, 8, 3), {"padding": "valid", "padding_mode": "zeros"}),
    ("Conv3d", (4, 2, 3), {"padding": (1, 0, 1), "stride": 2}),
    ("ConvTranspose1d", (4, 6, 4), {"stride": 2, "padding": 1}),
    ("ConvTranspose2d", (4, 8, 4), {"stride": 2, "padding": 1}),
    ("ConvTranspose2d", (4, 6, (3, 2), 3, 0, (2, 1), 2, False, 2), {}),
    ("ConvTranspose2d", (4, 8, 3), {"stride": 2, "padding": 1, "output_padding": 1, "groups": 4}),
    ("ConvTranspose3d", (4, 2, 2), {"stride": (1, 2, 2)}),
]
OTHERS: list[tuple[str, tuple[Any, ...], dict[str, Any]]] = [
    ("BatchNorm1d", (4,), {}),
    ("BatchNorm2d", (4, 1e-3, None, False), {}),
    ("BatchNorm2d", (4,), {"bias": False, "momentum": 0.2}),
    ("BatchNorm2d", (4,), {"track_running_stats": False}),
    ("BatchNorm3d", (4,), {"eps": 0.5}),
    ("ReLU", (), {"inplace": True}),
    ("ReLU", (), {}),
    ("LeakyReLU", (), {}),
    ("LeakyReLU", (0.2, True), {}),
    ("PReLU", (), {}),
    ("PReLU", (4, 0.1), {}),
    ("Tanh", (), {}),
    ("Sigmoid", (), {}),
    ("Identity", (3,), {"unused": 5}),
    ("Dropout", (0.2,), {}),
    ("Dropout2d", (), {"inplace": True}),
    ("MaxPool1d", (3, 2, 1), {"ceil_mode": True}),
    ("MaxPool2d", (2,), {}),
    ("MaxPool2d", ((3, 2), (2, 1), (1, 0), (1, 2)), {}),
    ("MaxPool3d", (2, 1), {}),
]


@pytest.mark.parametrize(("name", "arguments", "keywords"), [*CONVOLUTIONS, *OTHERS])
def test_equals_torchs_layer(name: str, arguments: Any, keywords: Any, torch: Any) -> None:
    ours, theirs = getattr(nn, name)(*arguments, **keywords), getattr(torch.nn, name)(*arguments, **keywords)
    assert repr(ours) == repr(theirs)
    before, state = ours.state_dict(), trained(theirs, torch).state_dict()
    assert {key: (one.shape, str(one.dtype)) for key, one in before.items()} == {
        key: (tuple(one.shape), str(one.dtype).removeprefix("torch.")) for key, one in state.items()
    }
    assert list(before) == list(state)
    assert ours.load_state_dict(state) == ([], [])
    x = numbers(SHAPES[int(name[-2]) if name[-1] == "d" and name[-2] in "123" else 2])
    given = x.copy()
    with torch.no_grad():
        if "Conv" in name:  # sums in float64: torch's float32 ones vary from run to run on some processors
            expected = theirs.double()(torch.from_numpy(x).double()).float()
        else:
            expected = theirs(torch.from_numpy(x.copy()))
    assert_close(ours(x), expected)
    np.testing.assert_array_equal(x, given)  # also where torch would work in place
    tensor = ours(torch.from_numpy(x))
    assert isinstance(tensor, torch.Tensor)
    np.testing.assert_array_equal(tensor.numpy(), ours(x))


@pytest.mark.quick
@pytest.mark.parametrize(
    ("layer", "inputs"),
    [
        (nn.Conv2d(32, 64, 3, groups=2), 16 * 9),
        (nn.ConvTranspose1d(64, 32, 4), 32 * 4),  # torch counts the output channels here
        (nn.SubPixelConv3d(2, 8, 2, 3), 2 * 27),
    ],
    ids=repr,
)
def test_first_values_are_torchs_distribution(layer: nn.Module, inputs: int) -> None:
    """torch's reset_parameters draws weight and bias uniformly within 1 / sqrt(inputs)."""
    for array in layer.state_dict().values():
        assert array.dtype == np.float32
        assert 0.7 < np.abs(array).max() * inputs**0.5 < 1 + 1e-6
        assert len(np.unique(array)) > array.size * 0.9


@pytest.mark.quick
@pytest.mark.parametrize("dtype", ["float32", "float64", *HALVES])
@pytest.mark.parametrize("rank", [1, 2, 3])
def test_the_layer_is_the_function(rank: int, dtype: str) -> None:
    kind = kind_of(dtype)
    x = numbers(SHAPES[rank], kind)
    conv = getattr(nn, f"Conv{rank}d")(4, 6, 3, 2, 1, groups=2, dtype=dtype)
    expected = getattr(fastup, f"conv{rank}d")(x, conv.weight, conv.bias, 2, 1, 1, 2)
    assert conv.weight.dtype == conv.bias.dtype == expected.dtype == kind
    np.testing.assert_array_equal(conv(x), expected)
    turned = getattr(nn, f"ConvTranspose{rank}d")(4, 6, 3, 2, 1, 1, dtype=kind)
    function = getattr(fastup, f"conv_transpose{rank}d")
    np.testing.assert_array_equal(turned(x), function(x, turned.weight, turned.bias, 2, 1, 1))
    size = tuple(2 * n - 1 for n in x.shape[2:])  # in place of the output padding
    np.testing.assert_array_equal(turned(x, output_size=size), function(x, turned.weight, turned.bias, 2, 1))
    subpixel = getattr(nn, f"SubPixelConv{rank}d")(4, 3, 2, dtype=dtype)
    function = getattr(fastup, f"subpixel_conv{rank}d")
    y = subpixel(x)
    assert y.shape == (2, 3, *(2 * n for n in x.shape[2:]))
    np.testing.assert_array_equal(y, function(x, subpixel.weight, subpixel.bias, upscale_factor=2, padding=1))


@pytest.mark.quick
@pytest.mark.parametrize("rank", [1, 2, 3])
def test_pooling_and_back(rank: int) -> None:
    x = numbers(SHAPES[rank])
    pool = getattr(nn, f"MaxPool{rank}d")(2, return_indices=True)
    unpool = getattr(nn, f"MaxUnpool{rank}d")(2)
    values, indices = pool(x)
    expected = getattr(fastup, f"max_pool{rank}d")(x, 2, return_indices=True)
    np.testing.assert_array_equal(values, expected[0])
    np.testing.assert_array_equal(indices, expected[1])
    back = unpool(values, indices, output_size=x.shape)
    assert set(np.unique(back[back != x])) == {0}
    assert np.count_nonzero(back) == values.size
    smallest = getattr(fastup, f"max_unpool{rank}d")(values, np.minimum(indices, 3), 2)
    np.testing.assert_array_equal(unpool(values, np.minimum(indices, 3)), smallest)
    ones = ", ".join(["{}"] * rank) + ("," if rank == 1 else "")
    two, zero = (f"({ones.format(*[number] * rank)})" for number in (2, 0))
    assert repr(unpool) == f"MaxUnpool{rank}d(kernel_size={two}, stride={two}, padding={zero})"


@pytest.mark.parametrize("arguments", [(2,), ((3, 2), 2, 1), (3, (2, 1))])
def test_unpooling_has_torchs_repr_and_values(arguments: Any, torch: Any) -> None:
    ours, theirs = nn.MaxUnpool2d(*arguments), torch.nn.MaxUnpool2d(*arguments)
    assert repr(ours) == repr(theirs)
    x = torch.rand(2, 3, 9, 10)
    values, indices = torch.nn.MaxPool2d(*arguments, return_indices=True)(x)
    expected = theirs(values, indices, output_size=x.shape)
    assert torch.equal(ours(values, indices, output_size=x.shape), expected)


@pytest.mark.quick
@pytest.mark.parametrize("factor", [2, (2, 3)])
def test_subpixel_repr_says_what_it_was_made_of(factor: Any) -> None:
    layer = nn.SubPixelConv2d(4, 2, factor, kernel_size=5, padding=(2, 1), bias=False)
    high, wide = factor if isinstance(factor, tuple) else (factor, factor)
    made_of = f"4, 2, upscale_factor=({high}, {wide}), kernel_size=(5, 5), padding=(2, 1), bias=False"
    assert repr(layer) == f"SubPixelConv2d({made_of})"
    assert layer.weight.shape == (2 * high * wide, 4, 5, 5)
    assert layer.bias is None


SPECIAL = np.array([[-np.inf, -200.0, -1.5, -0.0], [0.0, 2.5, np.inf, np.nan]])


@pytest.mark.quick
@pytest.mark.parametrize("dtype", ["float32", "float64", ">f4", *HALVES])
@pytest.mark.parametrize("layer", [nn.ReLU(), nn.LeakyReLU(0.25), nn.LeakyReLU(0.0), nn.Tanh(), nn.Sigmoid()], ids=repr)
def test_special_values_of_activations(layer: nn.Module, dtype: str) -> None:
    """The definition in float64, rounded once more; NaN and infinities as the definition has them."""
    x = SPECIAL.astype(kind_of(dtype))
    with np.errstate(all="ignore"):
        slope = getattr(layer, "negative_slope", 0)
        wanted = {
            "ReLU": np.maximum(SPECIAL, 0),
            "LeakyReLU": np.where(SPECIAL > 0, SPECIAL, SPECIAL * slope),
            "Tanh": np.tanh(SPECIAL),
            "Sigmoid": 1 / (1 + np.exp(-SPECIAL)),
        }[type(layer).__name__]
    y = layer(x)
    assert y.dtype == x.dtype
    unit = {"float16": 2.0**-10, "bfloat16": 2.0**-7}.get(dtype, 1e-6)
    np.testing.assert_allclose(y.astype(np.float64), wanted, rtol=unit, atol=1e-30)


@pytest.mark.parametrize("name", ["ReLU", "LeakyReLU", "PReLU", "Tanh", "Sigmoid"])
def test_special_values_are_torchs(name: str, torch: Any) -> None:
    x = torch.from_numpy(SPECIAL.astype(np.float32))
    with torch.no_grad():
        expected = getattr(torch.nn, name)()(x)
    np.testing.assert_allclose(getattr(nn, name)()(x).numpy(), expected.numpy(), rtol=2e-6, atol=1e-30)


@pytest.mark.quick
def test_relu_keeps_integers() -> None:
    for dtype in ("int8", "int64", "uint16"):
        x = np.arange(-3, 4).astype(dtype)
        y = nn.ReLU()(x)
        assert y.dtype == dtype
        np.testing.assert_array_equal(y, np.maximum(x, 0))


@pytest.mark.quick
def test_one_slope_or_one_per_channel() -> None:
    x = -np.ones((2, 3, 4), np.float32)
    layer = nn.PReLU(3)
    layer.weight = np.array([1, 2, 3], np.float32)
    np.testing.assert_array_equal(layer(x), x * np.array([1, 2, 3], np.float32)[:, None])
    np.testing.assert_array_equal(nn.PReLU(init=0.5)(x[0, 0]), -0.5)  # no channel axis
    assert nn.PReLU(2, dtype="float64")(np.zeros((1, 2))).dtype == np.float64


@pytest.mark.quick
@pytest.mark.parametrize("dtype", HALVES)
def test_half_precision_is_normalised_in_float32(dtype: str) -> None:
    layer = nn.BatchNorm2d(4)
    layer.running_mean, layer.running_var = numbers((4,)), np.square(numbers((4,), seed=1))
    x = numbers(SHAPES[2], kind_of(dtype))
    y = layer(x)
    assert y.dtype == x.dtype
    np.testing.assert_array_equal(y, layer(x.astype(np.float32)).astype(x.dtype))
    own = nn.BatchNorm2d(4, dtype=dtype)
    assert own(x).dtype == own.running_var.dtype == x.dtype
