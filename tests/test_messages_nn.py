"""Every message of the layers and networks, in full."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from fastup import networks, nn
from tests.test_messages import assert_message
from tests.test_nn_state import as_safetensors

X = np.zeros((1, 4, 5, 6), np.float32)
SPATIAL = "an integer or one integer per spatial axis"
FLOATS = "float16, bfloat16, float32 or float64"
STATE = "a mapping of arrays or the path of an .npz, .safetensors, .pth or .pt file"
KEYS = "state must have exactly the keys of the layer"


def of(kind: Any, *arguments: Any, **keywords: Any) -> Callable[[], Any]:
    return lambda: kind(*arguments, **keywords)


def load(layer: nn.Module, state: Any) -> Callable[[], Any]:
    return lambda: layer.load_state_dict(state)


def assign(layer: nn.Module, name: str, value: Any) -> Callable[[], Any]:
    return lambda: setattr(layer, name, value)


def state(**changes: Any) -> dict[str, Any]:
    held = nn.Conv2d(4, 8, 3).state_dict()
    return {key: value for key, value in {**held, **changes}.items() if value is not None}


TABLE: list[tuple[Callable[[], Any], type[Exception], str]] = [
    # convolutions: arguments
    (of(nn.Conv2d, 0, 8, 3), ValueError, "Conv2d: in_channels must be at least 1, got 0"),
    (of(nn.Conv2d, 4, 2.5, 3), TypeError, "Conv2d: out_channels must be an integer, got 2.5"),
    (
        of(nn.Conv2d, 4, 8, (3, 3, 3)),
        ValueError,
        "Conv2d: kernel_size must be one integer per spatial axis (2), got (3, 3, 3)",
    ),
    (of(nn.Conv1d, 4, 8, True), TypeError, f"Conv1d: kernel_size must be {SPATIAL}, got True"),
    (of(nn.Conv2d, 4, 8, 3, groups=3), ValueError, "Conv2d: in_channels must be divisible by groups 3, got 4"),
    (
        of(nn.ConvTranspose2d, 4, 6, 3, groups=4),
        ValueError,
        "ConvTranspose2d: out_channels must be divisible by groups 4, got 6",
    ),
    (of(nn.Conv2d, 4, 8, 3, 0), ValueError, "Conv2d: stride must be at least 1, got 0"),
    (of(nn.Conv2d, 4, 8, 3, padding=-1), ValueError, "Conv2d: padding must be at least 0, got -1"),
    (
        of(nn.Conv2d, 4, 8, 3, padding="full"),
        ValueError,
        "Conv2d: padding must be 'same', 'valid' or numbers, got 'full'",
    ),
    (
        of(nn.Conv2d, 4, 8, 3, padding="same", stride=2),
        ValueError,
        "Conv2d: stride must be 1 with padding='same', got (2, 2)",
    ),
    (
        of(nn.ConvTranspose1d, 4, 8, 3, padding="same"),
        TypeError,
        f"ConvTranspose1d: padding must be {SPATIAL}, got 'same'",
    ),
    (
        of(nn.ConvTranspose3d, 4, 8, 3, output_padding=-1),
        ValueError,
        "ConvTranspose3d: output_padding must be at least 0, got -1",
    ),
    (
        of(nn.Conv2d, 4, 8, 3, padding_mode="reflect"),
        ValueError,
        "Conv2d: padding_mode must be one of 'zeros', got 'reflect'",
    ),
    (of(nn.Conv2d, 4, 8, 3, bias=1), TypeError, "Conv2d: bias must be True or False, got 1"),
    (
        of(nn.Conv2d, 4, 8, 3, dtype="int8"),
        TypeError,
        "Conv2d: dtype must be one of float16, bfloat16, float32, float64, got int8",
    ),
    (of(nn.SubPixelConv2d, 4, 8, 0), ValueError, "SubPixelConv2d: upscale_factor must be at least 1, got 0"),
    # convolutions: parameters and calls
    (
        assign(nn.Conv2d(4, 8, 3), "weight", [1]),
        TypeError,
        "fastup: weight must be an array in the memory of the CPU, got list",
    ),
    (assign(nn.Conv2d(4, 8, 3), "weight", None), TypeError, "Conv2d: weight must be an array, got None"),
    (
        assign(nn.Conv2d(4, 8, 3), "weight", X),
        ValueError,
        "Conv2d: weight must have shape (8, 4, 3, 3), got (1, 4, 5, 6)",
    ),
    (assign(nn.Conv2d(4, 8, 3), "bias", np.zeros(8)), TypeError, "Conv2d: bias must have dtype float32, got float64"),
    (
        assign(nn.Conv2d(4, 8, 3, bias=False), "bias", X),
        ValueError,
        "Conv2d: bias must be None for a layer that is made without, got ndarray",
    ),
    (
        of(nn.Conv2d(4, 8, 3), X.astype("f8")),
        TypeError,
        "conv2d: weight must have the dtype of x (float64), got float32",
    ),
    # others
    (of(nn.BatchNorm2d, 0), ValueError, "BatchNorm2d: num_features must be at least 1, got 0"),
    (of(nn.BatchNorm2d, 4, affine=None), TypeError, "BatchNorm2d: affine must be True or False, got None"),
    (of(nn.BatchNorm2d(4), X[0]), ValueError, "BatchNorm2d: x must have 4 dimensions, got shape (4, 5, 6)"),
    (of(nn.BatchNorm1d(4), X), ValueError, "BatchNorm1d: x must have 2 or 3 dimensions, got shape (1, 4, 5, 6)"),
    (of(nn.BatchNorm2d(3), X), ValueError, "BatchNorm2d: channels of x must be 3, got 4 for x of shape (1, 4, 5, 6)"),
    (
        of(nn.BatchNorm2d(4), X.astype("f8")),
        TypeError,
        "BatchNorm2d: x must have dtype float32, float16, bfloat16, got float64",
    ),
    (of(nn.BatchNorm2d(4, dtype="float64"), X), TypeError, "BatchNorm2d: x must have dtype float64, got float32"),
    (of(nn.ReLU, 1), TypeError, "ReLU: inplace must be True or False, got 1"),
    (
        of(nn.ReLU(), X > 0),
        TypeError,
        f"ReLU: x must have an integer dtype, {FLOATS} for rectification, got dtype bool",
    ),
    (of(nn.Tanh(), X.astype(int)), TypeError, f"Tanh: x must have dtype {FLOATS}, got int64"),
    (of(nn.Sigmoid(), [1.0]), TypeError, "fastup: x must be an array in the memory of the CPU, got list"),
    (of(nn.LeakyReLU, "0.1"), TypeError, "LeakyReLU: negative_slope must be a number, got '0.1'"),
    (of(nn.PReLU, 0), ValueError, "PReLU: num_parameters must be at least 1, got 0"),
    (of(nn.PReLU(3), X), ValueError, "PReLU: channels of x must be 3, got 4 for x of shape (1, 4, 5, 6)"),
    (of(nn.PReLU(), X.astype("f2")), TypeError, "PReLU: x must have dtype float32, got float16"),
    (of(nn.MaxPool2d, 2, return_indices=2), TypeError, "MaxPool2d: return_indices must be True or False, got 2"),
    (of(nn.MaxPool2d(0), X), ValueError, "max_pool2d: kernel_size must be at least 1, got 0"),
    (of(nn.MaxUnpool2d, 2, padding=-1), ValueError, "MaxUnpool2d: padding must be at least 0, got -1"),
    # containers
    (of(nn.Sequential, nn.ReLU(), np.tanh), TypeError, "Sequential: layers must be layers of fastup.nn, got ufunc"),
    (of(nn.Skip, None), TypeError, "Skip: layers must be layers of fastup.nn, got NoneType"),
    (
        of(nn.Sequential(nn.MaxUnpool2d(2)), X),
        ValueError,
        "MaxUnpool2d: indices must come from a MaxPool2d(return_indices=True) before it, got none",
    ),
    (
        of(nn.Skip(nn.MaxPool2d(2)), X),
        ValueError,
        "Skip: result of inner must differ from x of shape (1, 4, 5, 6) in axis 1 only, got (1, 4, 2, 3)",
    ),
    # states
    (load(nn.ReLU(), {"weight": X}), ValueError, f"ReLU: {KEYS}, surplus weight"),
    (load(nn.Conv2d(4, 8, 3), {}), ValueError, f"Conv2d: {KEYS}, missing weight, bias"),
    (
        load(nn.Sequential(nn.Conv2d(4, 8, 3)), {"foo": X, "0.bias": X}),
        ValueError,
        f"Sequential: {KEYS}, missing 0.weight, surplus foo",
    ),
    (
        load(nn.Sequential(*[nn.PReLU()] * 9), {}),
        ValueError,
        f"Sequential: {KEYS}, missing 0.weight, 1.weight, 2.weight, 3.weight, 4.weight, 5.weight, and 3 more",
    ),
    (
        load(nn.Conv2d(4, 8, 3), state(weight=X)),
        ValueError,
        "Conv2d: weight must have shape (8, 4, 3, 3), got (1, 4, 5, 6)",
    ),
    (
        load(nn.Sequential(nn.PReLU()), {"0.weight": np.zeros(1, int)}),
        TypeError,
        "Sequential: 0.weight must have dtype float32, got int64",
    ),
    (
        load(nn.Conv2d(4, 8, 3), state(bias=3)),
        TypeError,
        "fastup: bias must be an array in the memory of the CPU, got int",
    ),
    (load(nn.PReLU(), [1]), TypeError, f"PReLU: state must be {STATE}, got list"),
    (load(nn.PReLU(), "weights.bin"), ValueError, f"PReLU: state must be {STATE}, got 'weights.bin'"),
    # networks
    (of(networks.bicubic, 1.5), TypeError, "bicubic: upscale_factor must be an integer, got 1.5"),
    (of(networks.FSRCNN, 0), ValueError, "FSRCNN: upscale_factor must be at least 1, got 0"),
    (of(networks.FSRCNN, 2, m=-1), ValueError, "FSRCNN: m must be at least 0, got -1"),
    (of(networks.UNet, 1, 1, ()), ValueError, "UNet: features must be at least one integer, got ()"),
    (of(networks.SegNet, 1, 1, (4, 0)), ValueError, "SegNet: features must be at least 1, got 0"),
    (of(networks.SegNet, 1, 1, 1.5), TypeError, "SegNet: features must be at least one integer, got 1.5"),
    (of(networks.DCGANGenerator, features=0), ValueError, "DCGANGenerator: features must be at least 1, got 0"),
]


@pytest.mark.quick
@pytest.mark.parametrize(("call", "kind", "message"), TABLE, ids=[message[:60] for _, _, message in TABLE])
def test_message(call: Callable[[], Any], kind: type[Exception], message: str) -> None:
    assert_message(call, kind, message)


@pytest.mark.quick
def test_files_need_their_package(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    path = tmp_path / "state.safetensors"
    path.write_bytes(as_safetensors({}))
    monkeypatch.setitem(sys.modules, "safetensors", None)
    message = (
        "PReLU: state in a .safetensors file must be read by the package safetensors, which"
        " pip install 'fastup[safetensors]' brings"
    )
    assert_message(load(nn.PReLU(), path), ModuleNotFoundError, message)


@pytest.mark.quick
def test_dtypes_that_numpy_lacks(tmp_path: Path) -> None:
    pytest.importorskip("safetensors")
    path = tmp_path / "state.safetensors"
    path.write_bytes(as_safetensors({"weight": np.zeros(1, np.uint8)}, {"uint8": "F8_E5M2"}))
    with pytest.raises(TypeError, match=r"^PReLU: weight must have one of the dtypes BOOL, F16, .*, got F8_E5M2$"):
        nn.PReLU().load_state_dict(path)


@pytest.mark.quick
@pytest.mark.parametrize("suffix", [".npz", ".safetensors"])
def test_files_that_are_none(suffix: str, tmp_path: Path) -> None:
    if suffix == ".safetensors":
        pytest.importorskip("safetensors")
    path = tmp_path / f"state{suffix}"
    for content in (b"", b"not an archive"):
        path.write_bytes(content)
        with pytest.raises(ValueError, match=re.escape(f"PReLU: state must be {STATE}, got {str(path)!r} (")):
            nn.PReLU().load_state_dict(path)
