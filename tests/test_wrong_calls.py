"""Twenty thousand calls with arguments that do not belong there: each works, or is refused in one sentence."""

from __future__ import annotations

import inspect
import re
import warnings
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np
import pytest

import fastup
import fastup.nn
from fastup.operators import OPERATORS
from fastup.plan.check import shown

X, X1, X3 = (np.ones((1, 4, *(4,) * rank), np.float32) for rank in (2, 1, 3))
W, W1, W3 = (np.ones((4, 4, *(2,) * rank), np.float32) for rank in (2, 1, 3))
JUNK: tuple[Any, ...] = (
    None,
    True,
    False,
    -1,
    0,
    1,
    2,
    3,
    7,
    1.5,
    -0.5,
    0.0,
    1e-30,
    1e300,
    float("nan"),
    float("inf"),
    float("-inf"),
    10**400,
    -(10**400),
    10**5000,
    2**40,
    2**62,
    2**63,
    -(2**63),
    1 + 2j,
    "",
    "same",
    "valid",
    "nearest",
    "bilinear",
    "channels_last",
    "relu",
    "prelu",
    "(2,",
    "float32",
    "int32",
    "O",
    "U3",
    "M8",
    "float8",
    "a\nb",
    b"relu",
    bytearray(4),
    (),
    (1,),
    (2, 2),
    (1, 2, 3, 4),
    (None, None),
    ("nearest", "linear"),
    ((1, 1), (0, 0)),
    ((1,), (1,)),
    [2, 2],
    [[1], [2, 3]],
    ("prelu", None),
    ("prelu", 0.5),
    ("leaky_relu", "x"),
    ("leaky_relu", 10**400),
    ("relu", 1),
    ("tanh",),
    {},
    {"weight": 1},
    {1, 2},
    range(2),
    slice(0, 2),
    (slice(0, 2), slice(0, 2)),
    (slice(0, 2, 2),) * 2,
    (slice(None, 10**30),) * 2,
    (slice("a"), slice(2)),
    Ellipsis,
    NotImplemented,
    object(),
    object,
    len,
    lambda: 0,
    iter(()),
    np.array([1, 1]),
    np.array([1.5, 1.5]),
    np.array(2),
    np.array([]),
    np.array(["a"]),
    np.array([None, 1]),
    np.zeros((0, 4)),
    np.int8(1),
    np.float64(2),
    np.float32("nan"),
    np.bool_(True),
    np.datetime64("2020"),
    np.str_("relu"),
    np.array([[1, 2], [3, 4]]),
    np.ones((1, 4, 4, 4), "f4"),
    np.ones((4, 4, 2, 2), "f4"),
    np.ones((4, 4, 2, 2)),
    np.ones(4, "f4"),
    np.ones(4, "i8"),
    np.ma.ones((1, 4, 4, 4), "f4"),
    np.ones((1, 4, 4, 4), "c8"),
    np.ones((1, 4, 4, 4), "O"),
    np.ones((1, 4, 4, 4), "U1"),
    np.ones((1, 4, 4, 4), "m8[s]"),
    np.ones((1, 4, 4, 4), "f4,i2"),
    np.ones((1, 4, 4, 4), ">f4"),
    np.float32,
    np.dtype("V3"),
    memoryview(b"abcd"),
    np.ones((1, 4, 4, 4), "f4").data,
)


class Target(NamedTuple):
    """A callable, arguments that it takes, and how its messages begin."""

    name: str
    call: Callable[..., Any]
    good: dict[str, Any]

    @property
    def operators(self) -> tuple[str, ...]:
        ran = (self.good["plan"].operator,) if self.name == "run" else ()
        if "opset" in self.good:
            return (self.name, "fastup", "export", "PixelShuffle", "pixel_shuffle")
        return (self.name, "fastup", "run", *ran, *(OPERATORS if hasattr(fastup.nn, self.name) else ()))


CONV: dict[str, Any] = {
    "stride": 1,
    "padding": 1,
    "dilation": 1,
    "groups": 1,
    "activation": None,
    "data_format": "channels_first",
}
RESIZE: dict[str, Any] = {
    "size": 6,
    "mode": "n-linear",
    "align_corners": None,
    "antialias": False,
    "data_format": "channels_first",
}


def functions() -> Iterator[Target]:
    """Every public operator."""
    for rank, x, w in ((1, X1, W1), (2, X, W), (3, X3, W3)):
        both = {"x": x, "weight": w, "bias": np.ones(4, np.float32)}
        more = {"window": None, "out": None}
        yield Target(f"conv{rank}d", getattr(fastup, f"conv{rank}d"), {**both, **CONV, **more})
        transposed = {**both, **CONV, "output_padding": 0, "output_size": None, **more}
        yield Target(f"conv_transpose{rank}d", getattr(fastup, f"conv_transpose{rank}d"), transposed)
        sub = {"x": x, "weight": w, "bias": None, "upscale_factor": 1, "padding": 0, "activation": None, **more}
        yield Target(f"subpixel_conv{rank}d", getattr(fastup, f"subpixel_conv{rank}d"), sub)
        pool = {"x": x, "kernel_size": 2, "stride": 2, "padding": 0, "data_format": "channels_first", "out": None}
        extra = {"dilation": 1, "ceil_mode": False, "return_indices": False}
        yield Target(f"max_pool{rank}d", getattr(fastup, f"max_pool{rank}d"), {**pool, **extra})
        back = {**pool, "indices": np.zeros(x.shape, np.int64), "output_size": None}
        yield Target(f"max_unpool{rank}d", getattr(fastup, f"max_unpool{rank}d"), back)
    resize = {
        "x": X,
        "scale_factor": None,
        "recompute_scale_factor": None,
        "rounding": "floor",
        "window": None,
        "threads": None,
        "out": None,
    }
    yield Target("interpolate", fastup.interpolate, {**RESIZE, **resize})
    yield Target(
        "interpolate", fastup.interpolate, {**RESIZE, **resize, "size": None, "scale_factor": 2, "mode": "nearest"}
    )
    yield Target(
        "pixel_shuffle",
        fastup.pixel_shuffle,
        {"x": X, "upscale_factor": 2, "order": "CRD", "window": None, "data_format": "channels_first", "out": None},
    )
    yield Target(
        "pixel_unshuffle",
        fastup.pixel_unshuffle,
        {"x": X, "downscale_factor": 2, "order": "CRD", "window": None, "data_format": "channels_first", "out": None},
    )
    yield Target(
        "zero_stuff",
        fastup.zero_stuff,
        {"x": X, "stride": 2, "padding": 0, "data_format": "channels_first", "out": None},
    )
    picture = {
        "image": np.zeros((6, 7, 3), np.uint8),
        "size": (3, 4),
        "scale_factor": None,
        "like": "pillow/bicubic",
        "axes": None,
        "box": None,
        "reducing_gap": None,
        "alpha": None,
        "window": None,
        "threads": None,
        "out": None,
    }
    yield Target("resize", fastup.resize, picture)
    labels = {"logits": X, **RESIZE, "boxes": None, "window": None, "threads": None, "out": None, "scale_factor": None}
    own: dict[str, dict[str, Any]] = {
        "argmax": {"dtype": "i4"},
        "softmax_max": {"dtype": "i4"},
        "threshold": {"threshold": 0},
    }
    for name, one in own.items():
        yield Target(f"upsample_{name}", getattr(fastup, f"upsample_{name}"), {**labels, **one})


def others() -> Iterator[Target]:
    """Plans, weights, first values, layers, settings."""
    plans = fastup.plan
    yield Target("interpolate", plans.interpolate, {"shape": X.shape, "dtype": "f4", **RESIZE, "scale_factor": None})
    yield Target(
        "pixel_shuffle", plans.pixel_shuffle, {"shape": X.shape, "dtype": "f4", "upscale_factor": 2, "order": "DCR"}
    )
    yield Target("conv2d", plans.conv2d, {"shape": X.shape, "dtype": "f4", "weight_shape": W.shape, **CONV})
    yield Target("max_pool2d", plans.max_pool2d, {"shape": X.shape, "dtype": "f4", "kernel_size": 2, "stride": 2})
    yield Target(
        "upsample_argmax",
        plans.upsample_argmax,
        {"shape": X.shape, "dtype": "f4", "size": 6, "boxes_shape": None, "labels": "i4"},
    )
    yield Target(
        "run",
        fastup.run,
        {"plan": plans.pixel_shuffle(X.shape, X.dtype, 2), "x": X, "out": None, "operands": (), "threads": None},
    )
    yield Target(
        "run", fastup.run, {"plan": plans.conv2d(X.shape, X.dtype, W.shape), "x": X, "out": None, "operands": (W,)}
    )
    yield Target(
        "transposed_to_subpixel",
        fastup.transposed_to_subpixel,
        {"weight": W, "stride": 2, "padding": 1, "output_padding": 0, "dilation": 1},
    )
    yield Target("subpixel_to_transposed", fastup.subpixel_to_transposed, {"weight": W, "factor": 2, "padding": 1})
    yield Target("pack_weight", fastup.pack_weight, {"weight": W})
    yield Target("icnr", fastup.init.icnr, {"weight": W, "factor": 2})
    yield Target("bilinear", fastup.init.bilinear, {"weight": W, "stride": 2})
    yield Target("checkerboard_score", fastup.init.checkerboard_score, {"weight": W, "stride": 2})
    small, large = np.random.default_rng(0).random((8, 8)), np.random.default_rng(1).random((16, 16))
    yield Target(
        "fit_subpixel",
        fastup.init.fit_subpixel,
        {"pairs": [(small, large)], "factor": 2, "kernel_size": 3, "ridge": 0.0},
    )
    yield Target(
        "set_num_threads", lambda count: fastup.set_num_threads(count).__exit__(None, None, None), {"count": 2}
    )
    yield Target("warmup", fastup.warmup, {"operators": ["pixel_shuffle"], "dtypes": ()})


def layers() -> Iterator[Target]:
    """A layer is made, and called on X."""

    def of(name: str, good: dict[str, Any], x: Any = X, **calls: Any) -> Target:
        kind = getattr(fastup.nn, name)

        def call(**given: Any) -> Any:
            layer = kind(**{key: value for key, value in given.items() if key in good})
            return layer(**{key: value for key, value in given.items() if key not in good})

        return Target(name, call, {**good, "x": x, **calls})

    conv = {
        "in_channels": 4,
        "out_channels": 2,
        "kernel_size": 2,
        "stride": 1,
        "padding": 0,
        "dilation": 1,
        "groups": 1,
        "bias": True,
        "dtype": None,
    }
    yield of("Conv2d", conv)
    yield of("ConvTranspose2d", {**conv, "output_padding": 0}, output_size=None)
    yield of(
        "SubPixelConv2d",
        {"in_channels": 4, "out_channels": 2, "upscale_factor": 2, "kernel_size": 3, "padding": "same", "bias": False},
    )
    yield of(
        "Upsample",
        {
            "size": None,
            "scale_factor": 2,
            "mode": "nearest",
            "align_corners": None,
            "antialias": False,
            "rounding": "floor",
        },
        output_size=None,
    )
    yield of("UpsamplingNearest2d", {"size": 3, "scale_factor": None})
    yield of("PixelShuffle", {"upscale_factor": 2})
    yield of("PixelUnshuffle", {"downscale_factor": 2})
    yield of("LeakyReLU", {"negative_slope": 0.1, "inplace": False})
    yield of("PReLU", {"num_parameters": 4, "init": 0.25, "dtype": None})
    yield of("ReLU", {"inplace": False})
    yield of(
        "BatchNorm2d", {"num_features": 4, "eps": 1e-5, "momentum": 0.1, "affine": True, "track_running_stats": True}
    )
    yield of(
        "MaxPool2d",
        {"kernel_size": 2, "stride": None, "padding": 0, "dilation": 1, "return_indices": False, "ceil_mode": False},
    )
    yield of(
        "MaxUnpool2d",
        {"kernel_size": 2, "stride": None, "padding": 0},
        indices=np.zeros(X.shape, np.int64),
        output_size=None,
    )


def exporters() -> Iterator[Target]:
    """Graphs, of which only those that are written take their time."""
    export = fastup.export
    options = {"opset": 18, "lowering": "auto", "verify": False}
    shape = {"shape": X.shape, "dtype": "float32"}
    yield Target(
        "interpolate", export.interpolate, {**shape, **RESIZE, "scale_factor": None, "window": None, **options}
    )
    yield Target("pixel_shuffle", export.pixel_shuffle, {**shape, "upscale_factor": 2, "order": "CRD", **options})
    yield Target("conv2d", export.conv2d, {"shape": X.shape, "weight": W, "bias": None, **CONV, **options})
    pool = {"kernel_size": 2, "stride": None, "padding": 0, "ceil_mode": False, "return_indices": False}
    yield Target("max_pool2d", export.max_pool2d, {**shape, **pool, **options})
    yield Target("to_onnx", export.to_onnx, {"layer": fastup.nn.PixelShuffle(2), "input_shape": X.shape, "opset": 18})


def wrong_calls(targets: list[Target], count: int) -> Iterator[tuple[Target, dict[str, Any], list[str]]]:
    """Calls with one argument in its place wrong, in every way that there is, then with two at random."""
    generator = np.random.default_rng(20261129)
    for target in targets:
        for name in target.good:
            for junk in JUNK:
                yield target, {**target.good, name: junk}, [name]
                count -= 1
    for _ in range(max(0, count)):
        target = targets[generator.integers(len(targets))]
        names = list(generator.choice(list(target.good), min(2, len(target.good)), replace=False))
        changed = {str(name): JUNK[generator.integers(len(JUNK))] for name in names}
        yield target, {**target.good, **changed}, [*changed]


def fault(target: Target, arguments: dict[str, Any]) -> str | None:
    """What is wrong with how a call ends; None if nothing is."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            target.call(**arguments)
    except (TypeError, ValueError, MemoryError) as error:
        text = str(error)
        if type(error) not in (TypeError, ValueError, MemoryError) and type(error).__name__ != "UnsupportedExport":
            return f"{type(error).__name__}: {text}"
        begin = re.match(r"(\w+): (.+)", text)
        if not begin or begin[1] not in target.operators or "\n" in text or len(text) > 700:
            return f"message {text!r}"
        words = set(re.findall(r"\w+", begin[2]))
        if not words & (
            set(target.good)
            | {
                "result",
                "channels",
                "arrays",
                "slopes",
                "slope",
                "spatial",
                "pictures",
                "state",
                "operand",
                "shape",
                "x",
            }
        ):
            return f"no parameter in {text!r}"
    except BaseException as error:
        return f"{type(error).__name__}: {error}"
    return None


@pytest.mark.quick
@pytest.mark.parametrize("group", ["functions", "others", "layers", "exporters"])
def test_wrong_calls(group: str) -> None:
    if group == "exporters":
        pytest.importorskip("onnxruntime")
    targets = list({"functions": functions, "others": others, "layers": layers, "exporters": exporters}[group]())
    for target in targets:
        assert fault(target, target.good) is None, target.name
    count, faults = 0, {}
    for target, arguments, names in wrong_calls(
        targets, {"functions": 14_000, "others": 6_000, "layers": 6_000, "exporters": 0}[group]
    ):
        count += 1
        if found := fault(target, arguments):
            faults[(target.name, *names, found[:60])] = (
                f"{target.name}({', '.join(f'{n}={shown(arguments[n]):.60}' for n in names)}): {found}"
            )
    listed = "\n".join(list(faults.values())[:60])
    assert not faults, f"{len(faults)} kinds of {count} calls\n{listed}"


def test_every_operator_is_called_wrongly() -> None:
    assert {target.name for target in functions()} == set(OPERATORS)
    for target in functions():
        if "interpolate" in target.name:
            assert set(inspect.signature(target.call).parameters) == set(target.good)
