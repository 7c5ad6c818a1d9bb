"""Parameters by torch's keys: listed, taken from mappings and files, refused whole if anything does not fit."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from fastup import nn
from tests.cases import kind_of
from tests.test_nn_layers import numbers


def nested() -> nn.Sequential:
    features = nn.Sequential(nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2), nn.PReLU(2))
    return nn.Sequential({"features": features, "skip": nn.Skip(nn.Sequential(nn.Conv2d(2, 1, 1, bias=False)))})


KEYS = [
    "features.0.weight",
    "features.0.bias",
    "features.1.weight",
    "features.1.bias",
    "features.1.running_mean",
    "features.1.running_var",
    "features.1.num_batches_tracked",
    "features.2.weight",
    "skip.inner.0.weight",
]


def assert_same(layer: nn.Module, state: Any) -> None:
    held = layer.state_dict()
    assert list(held) == list(state)
    for key, array in held.items():
        assert array.dtype == state[key].dtype
        np.testing.assert_array_equal(array, state[key])


def other_state() -> dict[str, Any]:
    state = {key: numbers(one.shape, one.dtype, len(key)) for key, one in nested().state_dict().items()}
    state["features.1.num_batches_tracked"] = np.array(7)
    return state


@pytest.mark.quick
def test_keys_are_torchs_in_torchs_order() -> None:
    network, state = nested(), other_state()
    assert list(network.state_dict()) == KEYS
    assert network.load_state_dict(state) == ([], [])
    assert_same(network, state)
    shuffled = {key: state[key] for key in reversed(KEYS)}
    assert_same(network, network.state_dict())
    assert network.load_state_dict(shuffled).missing_keys == []
    assert_same(network, state)


@pytest.mark.quick
def test_arrays_are_copied_both_ways() -> None:
    network, state = nested(), other_state()
    network.load_state_dict(state)
    kept = network.state_dict()
    for array in (*state.values(), *network.state_dict().values()):
        array[...] = 0
    assert_same(network, kept)
    weight = numbers((2, 1, 3, 3))
    layer = nn.Conv2d(1, 2, 3)
    layer.weight = weight[:, :, ::-1].astype(">f4")  # any strides and byte order
    np.testing.assert_array_equal(layer.weight, weight[:, :, ::-1])
    assert layer.packed_weight.array is layer.weight
    with pytest.raises(ValueError, match="read-only"):
        layer.bias += 1


@pytest.mark.quick
def test_nothing_is_taken_unless_all_fits() -> None:
    network, before = nested(), nested()
    before.load_state_dict(network.state_dict())
    for key, value in (("skip.inner.0.weight", np.zeros(3, np.float32)), ("surplus", np.zeros(1))):
        with pytest.raises(ValueError, match=r"^Sequential: "):
            network.load_state_dict({**other_state(), key: value})
        assert_same(network, before.state_dict())


@pytest.mark.quick
def test_not_strict() -> None:
    network, state = nested(), other_state()
    kept = network.state_dict()["features.0.bias"]
    state["extra"] = state.pop("features.0.bias")
    assert network.load_state_dict(state, strict=False) == (["features.0.bias"], ["extra"])
    state = {key: state.get(key, kept) for key in KEYS}
    assert_same(network, state)


@pytest.mark.quick
def test_states_without_a_counter_are_old_ones() -> None:
    network, state = nested(), other_state()
    del state["features.1.num_batches_tracked"]
    assert network.load_state_dict(state) == ([], [])
    assert network.state_dict()["features.1.num_batches_tracked"] == 0


@pytest.mark.quick
def test_a_subpixel_convolution_takes_the_state_of_its_convolution() -> None:
    state = nn.Conv2d(4, 12, 3).state_dict()
    layer = nn.SubPixelConv2d(4, 3, 2)
    layer.load_state_dict(state)
    assert_same(layer, state)
    network = nn.Sequential(nn.Identity(), nn.SubPixelConv2d(4, 3, 2))
    network.load_state_dict({f"1.conv.{key}": value for key, value in state.items()})
    assert_same(network, {f"1.{key}": value for key, value in state.items()})
    x = numbers((1, 4, 5, 5))
    convolution = nn.Conv2d(4, 12, 3, padding="same")
    convolution.load_state_dict(state)
    np.testing.assert_allclose(network(x), nn.PixelShuffle(2)(convolution(x)), rtol=1e-5, atol=1e-6)


@pytest.mark.quick
@pytest.mark.parametrize("dtype", ["float32", "float64", "float16"])
def test_npz(dtype: str, tmp_path: Path) -> None:
    first, second = (nn.Sequential(nn.Conv1d(2, 3, 3, dtype=dtype), nn.BatchNorm1d(3, dtype=dtype)) for _ in range(2))
    np.savez(tmp_path / "state.npz", **first.state_dict())  # type: ignore[arg-type,unused-ignore]
    second.load_state_dict(tmp_path / "state.npz")
    assert_same(second, first.state_dict())
    second[0].weight = np.zeros_like(second[0].weight)  # type: ignore[attr-defined]
    second.load_state_dict(str(tmp_path / "state.npz"))
    assert_same(second, first.state_dict())
    (tmp_path / "state.npz").unlink()  # it is closed
    with pytest.raises(FileNotFoundError):
        second.load_state_dict(tmp_path / "state.npz")


@pytest.mark.quick
@pytest.mark.parametrize("dtype", ["float32", "float64", "float16", "bfloat16"])
def test_safetensors(dtype: str, tmp_path: Path) -> None:
    pytest.importorskip("safetensors")
    kind = kind_of(dtype)
    first, second = (nn.Sequential(nn.Conv1d(2, 3, 3, dtype=kind), nn.BatchNorm1d(3, dtype=kind)) for _ in range(2))
    path = tmp_path / "state.safetensors"
    path.write_bytes(as_safetensors(first.state_dict()))
    second.load_state_dict(path)
    assert_same(second, first.state_dict())


DTYPES = {"float16": "F16", "bfloat16": "BF16", "float32": "F32", "float64": "F64", "int64": "I64"}


def as_safetensors(state: dict[str, Any], names: dict[str, str] = DTYPES) -> bytes:
    """The format by its definition: the header's length, the header, the arrays one after the other."""
    header, data = {}, b""
    for key, one in state.items():
        begin, data = len(data), data + one.tobytes()
        header[key] = {"dtype": names[str(one.dtype)], "shape": one.shape, "data_offsets": [begin, len(data)]}
    text = json.dumps(header).encode()
    return len(text).to_bytes(8, "little") + text + data


def test_torchs_state(torch: Any, tmp_path: Path) -> None:
    twin = torch.nn.Sequential(torch.nn.ConvTranspose2d(3, 4, 3), torch.nn.BatchNorm2d(4), torch.nn.PReLU(4))
    network = nn.Sequential(nn.ConvTranspose2d(3, 4, 3), nn.BatchNorm2d(4), nn.PReLU(4))
    network.load_state_dict(twin.state_dict())
    assert_same(network, {key: value.numpy() for key, value in twin.state_dict().items()})
    network.load_state_dict(dict(twin.named_parameters()), strict=False)  # with gradients
    back = {key: torch.from_numpy(value) for key, value in other_values(network).items()}
    twin.load_state_dict(back)
    x = torch.rand(1, 3, 5, 5)
    network.load_state_dict(back)
    with torch.no_grad():
        np.testing.assert_allclose(network(x).numpy(), twin.eval()(x).numpy(), rtol=1e-5, atol=1e-5)
    stored = pytest.importorskip("safetensors.torch")
    stored.save_file({key: value.contiguous() for key, value in twin.state_dict().items()}, tmp_path / "t.safetensors")
    network.load_state_dict({key: torch.zeros_like(value) for key, value in back.items()})
    network.load_state_dict(tmp_path / "t.safetensors")
    assert_same(network, {key: value.numpy() for key, value in back.items()})


def other_values(network: nn.Module) -> dict[str, Any]:
    return {
        key: np.abs(numbers(one.shape, seed=len(key))).astype(one.dtype) if one.ndim else one
        for key, one in network.state_dict().items()
    }


WRAPPED: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
    "params": lambda state: {"params": state},
    "params_ema": lambda state: {"params": {key: 0 * one for key, one in state.items()}, "params_ema": state},
    "state_dict": lambda state: {"epoch": 3, "state_dict": state, "optimizer": {"lr": 1}},
    "module.": lambda state: {f"module.{key}": one for key, one in state.items()},
    "both": lambda state: {"state_dict": {f"module.{key}": one for key, one in state.items()}},
}


@pytest.mark.quick
@pytest.mark.parametrize("wrapping", WRAPPED)
def test_states_as_trainers_save_them(wrapping: str) -> None:
    network, state = nested(), other_state()
    assert network.load_state_dict(WRAPPED[wrapping](state)) == ([], [])
    assert_same(network, state)


def test_a_layer_may_be_called_as_a_wrapper_is() -> None:
    network = nn.Sequential({"module": nn.PReLU(), "params": nn.PReLU()})
    state = {"module.weight": np.array([0.5], np.float32), "params.weight": np.array([0.7], np.float32)}
    assert network.load_state_dict(state) == ([], [])
    assert_same(network, state)


@pytest.mark.quick
@pytest.mark.parametrize("dtype", ["float16", "float64", "bfloat16"])
def test_floats_of_another_width_are_cast(dtype: str) -> None:
    kind = kind_of(dtype)
    network, state = nested(), other_state()
    given = {key: one.astype(kind) if one.dtype.kind == "f" else one.astype(np.int32) for key, one in state.items()}
    assert network.load_state_dict(given) == ([], [])
    assert_same(network, {key: one.astype(state[key].dtype) for key, one in given.items()})
    with pytest.raises(TypeError, match="weight must have dtype float32, got int64"):
        nn.PReLU().load_state_dict({"weight": np.array([1])})
    with pytest.raises(TypeError, match="weight must have dtype float32, got float64"):
        nn.PReLU().weight = np.array([1.0])


SPELLINGS = [("weight_g", "weight_v"), ("parametrizations.weight.original0", "parametrizations.weight.original1")]


@pytest.mark.quick
@pytest.mark.parametrize("names", SPELLINGS)
@pytest.mark.parametrize(
    ("layer", "axis"),
    [
        (nn.Conv2d(3, 4, 3), 0),
        (nn.ConvTranspose1d(3, 4, 5), 0),
        (nn.Conv1d(3, 4, 3), 2),
        (nn.Conv1d(3, 4, 3), None),
    ],
)
def test_weights_as_length_and_direction(names: tuple[str, str], layer: nn.Module, axis: int | None) -> None:
    v = numbers(layer.weight.shape, np.float32, 5)  # type: ignore[attr-defined]
    g = np.array(3.0, np.float32)
    if axis is not None:
        g = numbers(tuple(n if k == axis else 1 for k, n in enumerate(v.shape)), np.float32, 6)
    axes = tuple(k for k in range(v.ndim) if k != axis)
    wide = v.astype(np.float64)
    expected = g * wide / np.sqrt((wide**2).sum(axis=axes, keepdims=True))
    bias = np.arange(4, dtype=np.float32)
    assert layer.load_state_dict({names[0]: g, names[1]: v, "bias": bias}) == ([], [])
    np.testing.assert_allclose(layer.weight, expected, rtol=1e-6)  # type: ignore[attr-defined]


@pytest.mark.quick
def test_the_nearest_keys_are_named() -> None:
    state = other_state()
    state["features.0.weights"] = state.pop("features.0.weight")
    with pytest.raises(
        ValueError, match=r"missing features.0.weight.*\(features.0.weight may be features.0.weights\)$"
    ):
        nested().load_state_dict(state)


def test_weight_norm_and_files_of_torch(torch: Any, tmp_path: Path) -> None:
    """Both spellings, out of files; a pickle of anything else is not read."""
    for norm in (torch.nn.utils.weight_norm, torch.nn.utils.parametrizations.weight_norm):
        torch.manual_seed(0)
        with pytest.warns() if norm is torch.nn.utils.weight_norm else contextlib.nullcontext():
            theirs = torch.nn.Sequential(norm(torch.nn.Conv1d(2, 3, 3)), norm(torch.nn.ConvTranspose1d(3, 2, 4, 2)))
        torch.save({"params": theirs.state_dict()}, tmp_path / "state.pth")
        ours = nn.Sequential(nn.Conv1d(2, 3, 3), nn.ConvTranspose1d(3, 2, 4, 2)).eval()
        assert ours.load_state_dict(tmp_path / "state.pth") == ([], [])
        x = numbers((1, 2, 9))
        with torch.no_grad():
            np.testing.assert_allclose(ours(x), theirs(torch.from_numpy(x)).numpy(), rtol=1e-5, atol=1e-6)
    torch.save(torch.nn.Conv1d(2, 3, 3), tmp_path / "whole.pt")
    with pytest.raises(ValueError, match="state must be a mapping of arrays or the path"):
        ours.load_state_dict(tmp_path / "whole.pt")
    half = torch.nn.Conv1d(2, 3, 3).half().state_dict()
    nn.Conv1d(2, 3, 3).load_state_dict(half)
