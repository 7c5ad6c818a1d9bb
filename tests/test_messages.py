"""Every message, in full, but interpolate's. A message that is not here has not been reviewed."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from typing import Any, ClassVar

import numpy as np
import pytest

import fastup
import fastup.export
import fastup.nn
from fastup.export.graph import NEWEST_OPSET
from fastup.operators import OPERATORS

X = np.zeros((1, 8, 4, 6), np.float32)
V = np.zeros((1, 3, 8), np.float32)
AXES = "an integer or a tuple of 1 to 3 integers"
SPATIAL = "an integer or one integer per spatial axis"
NUMBER = "a number or one number per spatial axis"


def shuffle(*arguments: Any, **keywords: Any) -> Callable[[], Any]:
    return lambda: fastup.pixel_shuffle(*arguments, **keywords)


def unshuffle(*arguments: Any, **keywords: Any) -> Callable[[], Any]:
    return lambda: fastup.pixel_unshuffle(*arguments, **keywords)


def overlapping() -> Any:
    memory = np.zeros(400, np.float32)
    return fastup.pixel_shuffle(memory[:192].reshape(1, 8, 4, 6), 2, out=memory[100:292].reshape(1, 2, 8, 12))


def read_only_out() -> Any:
    out = np.zeros((1, 2, 8, 12), np.float32)
    out.flags.writeable = False
    return fastup.pixel_shuffle(X, 2, out=out)


TABLE: list[tuple[Callable[[], Any], type[Exception], str]] = [
    # arrays
    (shuffle([[1]], 2), TypeError, "fastup: x must be an array in the memory of the CPU, got list"),
    (shuffle(None, 2), TypeError, "fastup: x must be an array in the memory of the CPU, got NoneType"),
    (
        shuffle(np.zeros((1, 4, 2, 2), object), 2),
        TypeError,
        "pixel_shuffle: x must have items of 1, 2, 4, 8 or 16 bytes without Python objects, got dtype object",
    ),
    # factors
    (shuffle(X, 2.0), TypeError, f"pixel_shuffle: upscale_factor must be {AXES}, got 2.0"),
    (shuffle(X, True), TypeError, f"pixel_shuffle: upscale_factor must be {AXES}, got True"),
    (shuffle(X, "2"), TypeError, f"pixel_shuffle: upscale_factor must be {AXES}, got '2'"),
    (shuffle(X, 0), ValueError, "pixel_shuffle: upscale_factor must be at least 1, got 0"),
    (shuffle(X, (2, -1)), ValueError, "pixel_shuffle: upscale_factor must be at least 1, got -1"),
    (shuffle(X, ()), ValueError, f"pixel_shuffle: upscale_factor must be {AXES}, got ()"),
    (shuffle(X, (1, 1, 1, 1)), ValueError, f"pixel_shuffle: upscale_factor must be {AXES}, got (1, 1, 1, 1)"),
    (unshuffle(X, 2.5), TypeError, f"pixel_unshuffle: downscale_factor must be {AXES}, got 2.5"),
    (unshuffle(X, -2), ValueError, "pixel_unshuffle: downscale_factor must be at least 1, got -2"),
    # shapes
    (
        shuffle(X, 3),
        ValueError,
        "pixel_shuffle: channels must be divisible by 3*3 = 9, got 8 for x of shape (1, 8, 4, 6)",
    ),
    (
        shuffle(V, (2,)),
        ValueError,
        "pixel_shuffle: channels must be divisible by 2, got 3 for x of shape (1, 3, 8)",
    ),
    (
        shuffle(np.zeros((4, 4)), 2),
        ValueError,
        "pixel_shuffle: x must have at least 3 dimensions for upscale_factor (2, 2), got shape (4, 4)",
    ),
    (
        unshuffle(np.zeros((4, 4)), 2),
        ValueError,
        "pixel_unshuffle: x must have at least 3 dimensions for downscale_factor (2, 2), got shape (4, 4)",
    ),
    (
        unshuffle(X, 4),
        ValueError,
        "pixel_unshuffle: spatial sizes must be divisible by downscale_factor (4, 4), got (4, 6)"
        " for x of shape (1, 8, 4, 6)",
    ),
    # choices
    (shuffle(X, 2, order="RGB"), ValueError, "pixel_shuffle: order must be one of 'CRD', 'DCR', got 'RGB'"),
    (shuffle(X, 2, order=["CRD"]), TypeError, "pixel_shuffle: order must be a string, got ['CRD']"),
    (
        shuffle(X, 2, data_format="NCHW"),
        ValueError,
        "pixel_shuffle: data_format must be one of 'channels_first', 'channels_last', got 'NCHW'",
    ),
    (shuffle(X, np.array(2.0)), TypeError, f"pixel_shuffle: upscale_factor must be {AXES}, got array(2.)"),
    (
        shuffle(np.zeros((1, 0, 4, 4)), 2**61),
        ValueError,
        "pixel_shuffle: result must be smaller than 2**63 bytes, got shape"
        f" (1, 0, {4 * 2**61}, {4 * 2**61}) and dtype float64",
    ),
    # options
    (lambda: fastup.set_num_threads(0), ValueError, "set_num_threads: count must be at least 1, got 0"),
    (lambda: fastup.set_num_threads(True), TypeError, "set_num_threads: count must be an integer, got True"),
    # out
    (shuffle(X, 2, out=[0]), TypeError, "pixel_shuffle: out must be an array of the same kind as x, got list"),
    (
        shuffle(X, 2, out=np.zeros((1, 2, 8, 8), np.float32)),
        ValueError,
        "pixel_shuffle: out must have shape (1, 2, 8, 12) for x of shape (1, 8, 4, 6), got (1, 2, 8, 8)",
    ),
    (
        shuffle(X, 2, out=np.zeros((1, 2, 8, 12))),
        ValueError,
        "pixel_shuffle: out must have dtype float32, got float64",
    ),
    (
        shuffle(X, 2, out=np.zeros((1, 2, 8, 24), np.float32)[..., ::2]),
        ValueError,
        "pixel_shuffle: out must be C-contiguous, aligned and writable, got one that is not C-contiguous",
    ),
    (
        read_only_out,
        ValueError,
        "pixel_shuffle: out must be C-contiguous, aligned and writable, got one that is not writable",
    ),
    (overlapping, ValueError, "pixel_shuffle: out must not share memory with x, got arrays that overlap"),
    # plans
    (lambda: fastup.run(None, X), TypeError, "run: plan must be a plan of fastup.plan, got NoneType"),
    (
        lambda: fastup.run(fastup.plan.pixel_shuffle((1, 4, 2, 2), "uint8", 2), X),
        ValueError,
        "run: x must have shape (1, 4, 2, 2) and dtype uint8 for this plan, got shape (1, 8, 4, 6) and dtype float32",
    ),
    (
        lambda: fastup.plan.pixel_shuffle("4422", "uint8", 2),
        TypeError,
        "pixel_shuffle: shape must be a tuple of integers, got '4422'",
    ),
    (
        lambda: fastup.plan.pixel_shuffle((1, 4.0, 2, 2), "uint8", 2),
        TypeError,
        "pixel_shuffle: shape must be a tuple of integers, got 4.0",
    ),
    (
        lambda: fastup.plan.interpolate((1, -4, 2, 2), "uint8", 2),
        ValueError,
        "interpolate: shape must be at least 0, got -4",
    ),
    (
        lambda: fastup.plan.interpolate((1, 4, 2, 2), "float13", 2),
        TypeError,
        "interpolate: dtype must be a NumPy dtype, got 'float13'",
    ),
    (
        lambda: fastup.warmup(["sharpen"]),
        ValueError,
        f"warmup: operators must be one of {', '.join(map(repr, OPERATORS))}, got 'sharpen'",
    ),
    (
        lambda: fastup.warmup(dtypes=["S3"]),
        TypeError,
        "warmup: dtypes must have items of 1, 2, 4, 8 or 16 bytes without Python objects, got dtype |S3",
    ),
    (
        lambda: fastup.nn.Upsample(scale_factor=True),
        TypeError,
        f"Upsample: scale_factor must be {NUMBER}, got True",
    ),
    (
        lambda: fastup.nn.PixelShuffle(2).load_state_dict({"weight": X}),
        ValueError,
        "PixelShuffle: state must have exactly the keys of the layer, surplus weight",
    ),
    # export
    (
        lambda: fastup.export.pixel_shuffle((1, 4, 2, 2), 2, opset=10),
        ValueError,
        f"export: opset must be from 11 to {NEWEST_OPSET}, got 10",
    ),
    (
        lambda: fastup.export.pixel_shuffle((1, 4, 2, 2), 2, lowering="fast"),
        ValueError,
        "pixel_shuffle: lowering must be one of 'auto', 'native', 'portable', got 'fast'",
    ),
    (
        lambda: fastup.export.pixel_shuffle("N422", 2),
        TypeError,
        "pixel_shuffle: shape must be a tuple of integers and names, got 'N422'",
    ),
    (
        lambda: fastup.export.pixel_shuffle(("N", "C", 2, 2), 2),
        fastup.export.UnsupportedExport,
        "pixel_shuffle: channels must be a number, got 'C'",
    ),
    (
        lambda: fastup.export.pixel_shuffle(fastup.plan.interpolate((1, 4, 2, 2), "uint8", 2)),
        ValueError,
        "pixel_shuffle: shape must be a shape or a plan of pixel_shuffle, got a plan of interpolate",
    ),
    (
        lambda: fastup.export.pixel_shuffle((4, 2, 2), 2, lowering="native"),
        fastup.export.UnsupportedExport,
        "pixel_shuffle: lowering='native' needs an input (N, C, H, W); lowering='portable' exports this call",
    ),
    (
        lambda: fastup.export.pixel_shuffle((1, 6, 2, 2), (2, 3), lowering="native"),
        fastup.export.UnsupportedExport,
        "pixel_shuffle: lowering='native' needs equal factors; lowering='portable' exports this call",
    ),
    (
        lambda: fastup.export.pixel_unshuffle((1, 3, 2, 2), 2, lowering="native"),
        fastup.export.UnsupportedExport,
        "pixel_unshuffle: lowering='native' needs order='DCR' or a single channel (SpaceToDepth counts its channels so)"
        "; lowering='portable' exports this call",
    ),
    (
        lambda: fastup.export.interpolate((1, 1, 100), scale_factor=1.009, rounding="ceil", lowering="native"),
        fastup.export.UnsupportedExport,
        "interpolate: lowering='native' has no scale that turns 100 into 101; lowering='portable' exports this call",
    ),
    (
        lambda: fastup.export.interpolate(
            (1, 1, "L"), scale_factor=1.3, recompute_scale_factor=True, lowering="native"
        ),
        fastup.export.UnsupportedExport,
        "interpolate: lowering='native' cannot recompute the scale factor of symbolic sizes;"
        " lowering='portable' exports this call",
    ),
    (
        lambda: fastup.export.interpolate((1, 1, "L"), scale_factor=1.3, rounding="ceil", lowering="native"),
        fastup.export.UnsupportedExport,
        "interpolate: lowering='native' takes the floor of symbolic sizes, not rounding='ceil';"
        " lowering='portable' exports this call",
    ),
    (
        lambda: fastup.export.interpolate((1, 1, 4), 2, dtype="datetime64[s]"),
        fastup.export.UnsupportedExport,
        "export: dtype must be one that ONNX has, got datetime64[s]",
    ),
    (
        lambda: fastup.export.to_onnx(fastup.nn.Module(), (1, 4, 2, 2)),
        fastup.export.UnsupportedExport,
        "to_onnx: layer must be one of fastup.nn, got Module",
    ),
]


@pytest.mark.quick
@pytest.mark.parametrize(("call", "kind", "message"), TABLE, ids=[message[:60] for _, _, message in TABLE])
def test_message(call: Callable[[], Any], kind: type[Exception], message: str) -> None:
    assert_message(call, kind, message)


def assert_message(call: Callable[[], Any], kind: type[Exception], message: str) -> None:
    with pytest.raises(kind) as caught:
        call()
    assert type(caught.value) is kind
    assert str(caught.value) == message


def test_nothing_is_written_when_arguments_are_wrong() -> None:
    out = np.full((1, 2, 8, 12), 7, np.float32)
    with pytest.raises(ValueError, match="order must be one of"):
        fastup.pixel_shuffle(X, 2, order="XYZ", out=out)
    with pytest.raises(ValueError, match="dtype"):
        fastup.pixel_shuffle(X.astype(np.float64), 2, out=out)
    assert (out == 7).all()


def test_numba_runtime_name_is_checked(monkeypatch: pytest.MonkeyPatch) -> None:
    from fastup.runtime import kernel

    monkeypatch.setenv("FASTUP_RUNTIME", "fast")
    with pytest.raises(ValueError, match=r"^fastup: FASTUP_RUNTIME must be 'seed', 'object' or 'numba', got 'fast'$"):
        kernel.runtime()


@pytest.mark.quick
def test_arrays_on_a_gpu_without_the_extra() -> None:
    """Any object that says it is on a GPU gets this; where the extra is, `test_cuda` has the errors."""
    if importlib.util.find_spec("numba_cuda") is not None:
        pytest.skip("the extra is here")

    class OnDevice:
        __cuda_array_interface__: ClassVar[dict[str, Any]] = {"shape": (1, 4, 2, 2), "typestr": "<f4"}

    with pytest.raises(RuntimeError, match=r"arrays on a GPU need the extra, pip install 'fastup\[cuda\]'"):
        fastup.pixel_shuffle(OnDevice(), 2)
