"""Arrays that carry more than numbers: masks and gradients are refused, never lost without a word."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import fastup
import fastup.nn

MASKED = np.ma.masked_equal(np.array([[[[10.0, 10, -9999, 10], [10, 10, -9999, 10]]]], "f4"), -9999)
WEIGHT = np.ones((1, 1, 1, 1), "f4")
CALLS: dict[str, Callable[[Any], Any]] = {
    "interpolate": lambda x: fastup.interpolate(x, scale_factor=2, mode="bilinear"),
    "nearest": lambda x: fastup.interpolate(x, scale_factor=2),
    "pixel_unshuffle": lambda x: fastup.pixel_unshuffle(x, 2),
    "conv2d": lambda x: fastup.conv2d(x, WEIGHT),
    "conv_transpose2d": lambda x: fastup.conv_transpose2d(x, WEIGHT),
    "subpixel_conv2d": lambda x: fastup.subpixel_conv2d(x, WEIGHT, upscale_factor=1),
    "max_pool2d": lambda x: fastup.max_pool2d(x, 2),
    "max_unpool2d": lambda x: fastup.max_unpool2d(x, np.zeros((1, 1, 2, 4), "i8"), 1),
    "zero_stuff": lambda x: fastup.zero_stuff(x, 2),
    "upsample_argmax": lambda x: fastup.upsample_argmax(x, 4),
    "run": lambda x: fastup.run(fastup.plan.pixel_unshuffle((1, 1, 2, 4), "f4", 2), x),
    "layer": lambda x: fastup.nn.Upsample(scale_factor=2)(x),
    "activation": lambda x: fastup.nn.ReLU()(x),
    "normalisation": lambda x: fastup.nn.BatchNorm2d(1)(x),
    "skip": lambda x: fastup.nn.Skip(fastup.nn.ReLU())(x),
}


def name_of(call: str) -> str:
    return "logits" if call.startswith("upsample") else "x"


@pytest.mark.quick
@pytest.mark.parametrize("call", CALLS)
def test_masked_arrays(call: str) -> None:
    sentence = (
        f"fastup: {name_of(call)} must be an array without a mask, got MaskedArray; its method filled gives one with a"
        " value of your choice in the place of what is masked"
    )
    for x in (MASKED, np.ma.MaskedArray(MASKED.data)):  # also where nothing is masked
        with pytest.raises(TypeError, match=re.escape(sentence)):
            CALLS[call](x)
    assert CALLS[call](MASKED.filled(0)) is not None


def test_masked_operands_and_results() -> None:
    x, mask = MASKED.filled(0), "must be an array without a mask"
    with pytest.raises(TypeError, match=f"weight {mask}"):
        fastup.conv2d(x, np.ma.MaskedArray(WEIGHT))
    with pytest.raises(TypeError, match=f"bias {mask}"):
        fastup.conv2d(x, WEIGHT, np.ma.zeros(1, "f4"))
    with pytest.raises(TypeError, match=f"indices {mask}"):
        fastup.max_unpool2d(x, np.ma.zeros(x.shape, "i8"), 1)
    with pytest.raises(TypeError, match=f"boxes {mask}"):
        fastup.upsample_threshold(x, 4, 0.5, boxes=np.ma.zeros((1, 4)))
    with pytest.raises(TypeError, match=f"interpolate: out {mask}"):
        fastup.interpolate(x, size=(3, 3), out=np.ma.zeros((1, 1, 3, 3), "f4"))
    with pytest.raises(TypeError, match=f"weight {mask}"):
        fastup.nn.Conv2d(1, 1, 1).load_state_dict({"weight": np.ma.MaskedArray(WEIGHT)}, strict=False)
    with pytest.raises(TypeError, match=f"weight {mask}"):
        fastup.init.checkerboard_score(np.ma.MaskedArray(WEIGHT), 1)
    with pytest.raises(TypeError, match=f"pictures {mask}"):
        fastup.init.fit_subpixel([(np.ma.zeros((9, 9)), np.zeros((18, 18)))], 2, 3)


def test_masked_arrays_of_dask() -> None:
    array = pytest.importorskip("dask.array")
    lazy = array.from_array(MASKED, chunks=(1, 1, 2, 2))
    with pytest.raises(TypeError, match="x must be an array without a mask"):
        fastup.interpolate(lazy, scale_factor=2, mode="bilinear")
    # A function that masks what dask takes for a plain array: seen when the chunk is made.
    plain = array.from_array(MASKED.filled(0), chunks=(1, 1, 2, 2))

    def masked(block: Any, block_info: Any = None) -> Any:
        return np.ma.masked_equal(block, 0) if block_info and block_info[0]["chunk-location"][-1] else block

    hidden = plain.map_blocks(masked, meta=np.empty((0,) * 4, "f4"))
    with pytest.raises(TypeError, match="x must be an array without a mask"):
        fastup.interpolate(hidden, scale_factor=2, mode="bilinear").compute()


@pytest.mark.parametrize("call", [name for name in CALLS if name not in ("run", "max_unpool2d")])
def test_gradients(torch: Any, call: str) -> None:
    x = torch.ones(1, 1, 2, 4, requires_grad=True)
    sentence = (
        f"fastup: {name_of(call)} must be a tensor without a gradient, got one that requires it; call with its"
        " .detach(), or under torch.no_grad()"
    )
    with pytest.raises(TypeError, match=re.escape(sentence)):
        CALLS[call](x)
    with pytest.raises(TypeError, match="without a gradient"):
        CALLS[call](x * 2)
    expected = CALLS[call](x.detach())
    for context in (torch.no_grad, torch.inference_mode):
        with context():
            assert type(CALLS[call](x)) is type(expected)


def test_gradients_of_weights_and_results(torch: Any) -> None:
    x, weight = np.ones((1, 1, 2, 4), "f4"), torch.nn.Parameter(torch.ones(1, 1, 1, 1))
    with pytest.raises(TypeError, match="weight must be a tensor without a gradient"):
        fastup.conv2d(x, weight)
    with pytest.raises(TypeError, match="weight must be a tensor without a gradient"):
        fastup.pack_weight(weight)
    with pytest.raises(TypeError, match="out must be a tensor without a gradient"):
        fastup.interpolate(torch.ones(1, 1, 2, 2), 2, out=torch.ones(1, 1, 2, 2, requires_grad=True))
    layer = fastup.nn.Conv2d(1, 1, 1, bias=False)  # its state is a copy, as in torch
    layer.load_state_dict({"weight": weight})
    layer.weight = weight
    assert layer.weight == 1


@pytest.mark.filterwarnings("ignore:.*torch.jit.*deprecated:DeprecationWarning")
def test_other_ways_to_follow_a_tensor(torch: Any) -> None:
    call, x = CALLS["interpolate"], torch.ones(1, 1, 2, 4)
    with pytest.raises(TypeError, match=r"x must be a tensor outside of torch\.jit\.trace"):
        torch.jit.trace(call, (x,))
    with pytest.raises(TypeError, match="x must be a tensor with memory of its own"):
        torch.func.vmap(lambda one: call(one[None]))(x)
    with pytest.raises(TypeError, match="x must be a tensor without a gradient"):
        torch.func.grad(lambda one: call(one).sum())(x)
    with pytest.raises(TypeError, match="x must be a tensor without a tangent"):
        torch.func.jvp(call, (x,), (x,))
    from torch.fx.experimental.proxy_tensor import make_fx

    with pytest.raises(TypeError, match="x must be a tensor outside of make_fx"):
        make_fx(call)(x)


@pytest.mark.filterwarnings("ignore")  # torch's own
def test_exporters_of_torch(torch: Any) -> None:
    class Network(torch.nn.Module):  # type: ignore[misc]
        def forward(self, x: Any) -> Any:
            return CALLS["interpolate"](x) * 2

    network, x = Network(), (torch.ones(1, 1, 2, 4),)
    with pytest.raises(Exception, match="fastup works on NumPy's memory and has no graph of torch"):
        torch.export.export(network, x, strict=True)
    with pytest.raises(TypeError, match="x must be a tensor with memory of its own, got FakeTensor"):
        torch.export.export(network, x, strict=False)
    with pytest.raises(TypeError, match=r"x must be a tensor outside of torch\.jit\.trace and torch\.onnx\.export"):
        torch.onnx.export(network, x, "/dev/null", dynamo=False)


@pytest.mark.filterwarnings("ignore:.*torch.jit.*deprecated:DeprecationWarning")
@pytest.mark.parametrize("layer", [False, True])
def test_compiled_functions_call_fastup_as_it_is(torch: Any, layer: bool) -> None:
    one = fastup.nn.Sequential(fastup.nn.Upsample(scale_factor=2, mode="bilinear"), fastup.nn.Tanh())
    call = one if layer else CALLS["interpolate"]

    def network(x: Any) -> Any:
        return call(x * 2) + 1

    torch._dynamo.reset()
    compiled = torch.compile(network, backend="eager")
    for extent in (2, 3, 4, 5, 3):
        x = torch.rand(1, 1, extent, 4)
        assert torch.equal(compiled(x), network(x))
    torch._dynamo.reset()
    with pytest.raises(Exception, match="fastup works on NumPy's memory and has no graph of torch"):
        torch.compile(network, backend="eager", fullgraph=True)(x)


@pytest.mark.parametrize(
    "x",
    [
        fastup.pack_weight(np.ones((1, 1, 3, 3), np.float32)),
        fastup.nn.ReLU(),
        fastup.plan.pixel_shuffle((1, 4, 2, 2), "float32", 2),
    ],
    ids=lambda x: type(x).__name__,
)
def test_what_fastup_makes_is_no_array(x: Any) -> None:
    w = np.ones((1, 1, 3, 3), np.float32)
    calls: list[Any] = [
        lambda: fastup.interpolate(x, scale_factor=2),
        lambda: fastup.conv2d(x, w),
        lambda: fastup.nn.Tanh()(x),
    ]
    for call in calls:
        with pytest.raises(
            TypeError, match=f"^fastup: x must be an array in the memory of the CPU, got {type(x).__name__}$"
        ):
            call()
