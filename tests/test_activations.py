"""Activation functions: one record each, four units in the last place, the same in convolutions, layers and graphs."""

from __future__ import annotations

import importlib.util
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, get_args

import numpy as np
import pytest

import fastup
import fastup.export
import fastup.nn
from fastup.cpu.conv.kernels import activate
from fastup.cpu.conv.row_stages import activated
from fastup.export.operators.activations import WRITERS
from fastup.plan import activations
from fastup.plan.activations import FUNCTIONS, RECORDS

Array = np.ndarray[Any, Any]
LONG = np.longdouble
ROOT = np.sqrt(LONG(2) / LONG("3.14159265358979323846264338327950288"))


def _gate(x: Array, distance: Array) -> Array:
    """x times the sigmoid of a distance, without overflow."""
    share = np.exp(-abs(distance))
    return np.asarray(x * np.where(distance < 0, share, LONG(1)) / (1 + share))


def _erfc(z: Array) -> Array:
    """By its continued fraction where it is small, else by the series of erf, each to 1e-19."""
    small = np.minimum(z, LONG(1.3))
    term = total = 2 * small / np.sqrt(LONG("3.14159265358979323846264338327950288"))
    for n in range(1, 60):
        term = -term * small * small / n
        total = total + term / (2 * n + 1)
    far = np.maximum(z, LONG(1.2))
    fraction = far
    for n in range(400, 0, -1):
        fraction = far + LONG(n) / 2 / fraction
    tail = np.exp(-far * far) / fraction / np.sqrt(LONG("3.14159265358979323846264338327950288"))
    return np.asarray(np.where(z > 1.25, tail, 1 - total))


def _gelu(x: Array, _: Any) -> Array:
    below = _erfc(abs(x) / np.sqrt(LONG(2))) / 2
    return np.asarray(x * np.where(x < 0, below, 1 - below))


EXACT: dict[str, Callable[[Array, Any], Array]] = {
    "relu": lambda x, _: np.maximum(x, 0),
    "leaky_relu": lambda x, slope: np.where(x > 0, x, slope * x),
    "tanh": lambda x, _: np.tanh(x),
    "sigmoid": lambda x, _: _gate(np.ones_like(x), x),
    "silu": lambda x, _: _gate(x, x),
    "gelu": _gelu,
    "gelu_tanh": lambda x, _: _gate(x, 2 * ROOT * (x + LONG("0.044715") * x * x * x)),
    "hardswish": lambda x, _: x * np.clip(x + 3, 0, 6) / 6,
    "elu": lambda x, alpha: np.where(x > 0, x, alpha * np.expm1(x)),
    "softplus": lambda x, beta: np.where(
        x * beta > 20, x, (np.maximum(x * beta, 0) + np.log1p(np.exp(-abs(x * beta)))) / beta
    ),
}
NUMBERS = {"leaky_relu": (0.01, -0.5), "elu": (1.0, 0.7), "softplus": (1.0, 0.7, 3.0)}
NEW = ("silu", "gelu", "gelu_tanh", "hardswish", "elu", "softplus")


@pytest.mark.quick
def test_every_room_has_every_function() -> None:
    assert set(activate.NAMES) == set(FUNCTIONS) == set(WRITERS) == set(EXACT)
    on_gpu = (Path(fastup.__file__).parent / "cuda" / "kernels" / "activate.py").read_text()  # needs an extra to import
    (names,) = re.findall(r"^NAMES = (.*)$", on_gpu, re.MULTILINE)
    assert set(re.findall(r"\w+", names)) == set(FUNCTIONS)
    assert {"none", *RECORDS} == {*get_args(activations.Name), "prelu"}
    layers = [layer for layer in vars(fastup.nn).values() if isinstance(layer, type)]
    made = [layer for layer in layers if hasattr(layer, "in_convolution")]
    names = {activations.with_slopes(layer().in_convolution)[0] for layer in made}
    assert {name if isinstance(name, str) else name[0] for name in names} | {"gelu_tanh"} == set(RECORDS)


def _numbers(dtype: str, generator: np.random.Generator) -> Array:
    """Numbers of all exponents and both signs, and those where the functions bend."""
    kind = np.finfo(dtype)
    exponents = np.arange(kind.minexp - kind.nmant, 12)
    spread = np.ldexp(generator.uniform(1, 2, (40, len(exponents))), exponents).ravel()
    dense = np.concatenate([np.linspace(-20, 20, 20_001), np.linspace(-800, -20, 4_001)])
    return np.concatenate([spread, -spread, dense]).astype(dtype)


@pytest.mark.skipif(np.finfo(LONG).nmant < 63, reason="no longer floats to compare with")
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", FUNCTIONS)
def test_four_units_in_the_last_place(name: str, dtype: str, generator: np.random.Generator) -> None:
    x = _numbers(dtype, generator)
    for number in NUMBERS.get(name, (0.0,)):
        held = x.dtype.type(number)
        with np.errstate(all="ignore"):
            expected = EXACT[name](x.astype(LONG), LONG(held))
            result = activated(x, name, number)
            unit = np.spacing(np.maximum(abs(expected), np.finfo(dtype).smallest_normal).astype(dtype)).astype(LONG)
        least = 2 * np.finfo(dtype).smallest_normal if name == "sigmoid" else 0  # below it is 0
        error = np.where(abs(expected) < least, 0, abs(result - expected) / unit)
        assert np.nanmax(error) <= 4, (number, x[np.nanargmax(error)])


@pytest.mark.quick
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", NEW)
def test_ends_of_the_numbers(name: str, dtype: str) -> None:
    """As torch has them: NaN where minus infinity meets a share of zero."""
    x = np.array([np.inf, -np.inf, np.nan, 0.0, -1e30, 1e30], dtype)
    below = {"elu": [-1, -1], "softplus": [0, 0]}.get(name, [np.nan, 0])
    origin = np.log(2) if name == "softplus" else 0
    expected = np.array([np.inf, below[0], np.nan, origin, below[1], 1e30], dtype)
    np.testing.assert_allclose(activated(x, name, 1.0), expected, rtol=1e-6)


@pytest.mark.quick
@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32", "float64"])
@pytest.mark.parametrize("activation", [*NEW, ("elu", 0.5), ("softplus", 2.0), ("gelu", "tanh"), ("gelu", "none")])
def test_convolutions_apply_it_to_their_sums(activation: Any, dtype: str, generator: np.random.Generator) -> None:
    kind = fastup.plan.interpolate((1, 1, 1), dtype, size=1).dtype
    x, w = (generator.standard_normal(shape).astype(kind) for shape in ((2, 4, 9, 11), (8, 4, 3, 3)))
    name, number = activations.normalised("test", activation, None)
    for function, options in (
        (fastup.conv2d, {"padding": 1}),
        (fastup.subpixel_conv2d, {"upscale_factor": 2}),
        (fastup.conv_transpose2d, {"stride": 2}),
    ):
        weight = w.transpose(1, 0, 2, 3) if function is fastup.conv_transpose2d else w
        wide = np.dtype(np.float64 if dtype == "float64" else np.float32)
        plain: Any = function(x.astype(wide), weight.astype(wide), **options)
        expected = activated(plain, name, number).astype(kind)
        result: Any = function(x, weight, activation=activation, **options)
        np.testing.assert_array_equal(result, expected)
        windowed: Any = function(x, weight, activation=activation, window=(slice(2, 5), slice(1, 7)), **options)
        np.testing.assert_array_equal(windowed, expected[:, :, 2:5, 1:7])


LAYERS: list[Any] = [
    lambda nn: nn.SiLU(),
    lambda nn: nn.Hardswish(),
    lambda nn: nn.GELU(),
    lambda nn: nn.GELU("tanh"),
    lambda nn: nn.ELU(0.5),
    lambda nn: nn.Softplus(),
    lambda nn: nn.Softplus(2.0),
    lambda nn: nn.Softplus(1.0, 5.0),
]


@pytest.mark.quick
@pytest.mark.parametrize("make", LAYERS)
def test_layers_join_convolutions_and_stand_alone(make: Any, generator: np.random.Generator) -> None:
    layer, conv = make(fastup.nn), fastup.nn.Conv2d(3, 5, 3)
    x = 3 * generator.standard_normal((1, 3, 9, 9), np.float32)
    np.testing.assert_array_equal(fastup.nn.Sequential(conv, layer)(x), layer(conv(x)))
    y = layer(x.astype(np.float16))
    assert y.dtype == np.float16
    np.testing.assert_array_equal(y, layer(x.astype(np.float16).astype(np.float32)).astype(np.float16))


@pytest.mark.quick
@pytest.mark.parametrize("make", LAYERS)
@pytest.mark.parametrize("dtype", ["<f4", ">f4", "<f8", ">f8", "<f2", ">f2"])
def test_layers_take_any_layout_and_byte_order(make: Any, dtype: str, generator: np.random.Generator) -> None:
    layer, x = make(fastup.nn), (4 * generator.standard_normal((4, 6))).astype(dtype)
    expected = layer(x.astype(x.dtype.newbyteorder("=")))
    for given in (x, np.asfortranarray(x), np.repeat(x, 2, 1)[:, ::2], x[::-1][::-1]):
        result = layer(given)
        assert result.dtype == x.dtype
        np.testing.assert_array_equal(result, expected)
    assert layer(x[:0]).shape == (0, 6)
    assert layer(x[0, 0, ...]).shape == ()


@pytest.mark.peers
@pytest.mark.parametrize("make", LAYERS)
def test_layers_equal_torch(make: Any, generator: np.random.Generator) -> None:
    torch = pytest.importorskip("torch")
    x = 4 * generator.standard_normal((2, 3, 50))
    layer, theirs = make(fastup.nn), make(torch.nn)
    assert repr(layer) == repr(theirs)
    np.testing.assert_allclose(layer(x), theirs(torch.from_numpy(x)).numpy(), rtol=1e-13, atol=1e-15)


@pytest.mark.quick
@pytest.mark.skipif(importlib.util.find_spec("onnxruntime") is None, reason="needs onnxruntime")
@pytest.mark.parametrize("opset", [11, 18, 20])
@pytest.mark.parametrize("activation", [*NEW, ("elu", 0.5), ("softplus", 2.0)])
def test_exported_graphs_give_the_same(activation: Any, opset: int, generator: np.random.Generator) -> None:
    w = generator.standard_normal((4, 3, 3, 3), np.float32)
    fastup.export.conv2d((1, 3, 9, 9), w, activation=activation, opset=opset, verify=True)
    wide = w.astype(np.float64)
    if activation == "gelu":
        with pytest.raises(fastup.export.UnsupportedExport, match="no float64 kernel of Erf"):
            fastup.export.conv2d((1, 3, 9, 9), wide, activation=activation, opset=opset)
    else:
        fastup.export.conv2d((1, 3, 9, 9), wide, activation=activation, opset=opset, verify=True)


@pytest.mark.quick
@pytest.mark.parametrize("make", LAYERS)
def test_layers_are_exported(make: Any) -> None:
    network = fastup.nn.Sequential(fastup.nn.Conv2d(2, 3, 3), fastup.nn.MaxPool2d(2), make(fastup.nn))
    if getattr(network[2], "threshold", 20) != 20:
        with pytest.raises(fastup.export.UnsupportedExport, match="threshold of its own"):
            fastup.export.to_onnx(network, (1, 2, 10, 10))
    else:
        fastup.export.to_onnx(network, (1, 2, 10, 10), verify=True)
