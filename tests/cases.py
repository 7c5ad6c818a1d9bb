"""The table of cases that the oracle, the runtimes, the exporters and torch's stored results are tested on."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import onnx
import pytest

import fastup
from fastup.export import runtimes
from fastup.export.self_check import sample

Array = np.ndarray[Any, Any]


@dataclass(frozen=True)
class Case:
    """One call; ``torch`` tells whether torch can do it, `operands` the shapes of further arrays."""

    operator: str
    shape: tuple[int, ...]
    keywords: dict[str, Any] = field(default_factory=dict)
    torch: bool = True
    operands: dict[str, tuple[int, ...]] = field(default_factory=dict)

    def __str__(self) -> str:
        words = ",".join(f"{name}={value}" for name, value in {**self.operands, **self.keywords}.items())
        return f"{self.operator}{self.shape}{words}".replace(" ", "")

    def input(self, dtype: Any = "float32") -> Array:
        return sample(self.shape, np.dtype(dtype), seed=len(str(self)))

    def arrays(self, dtype: Any = "float32") -> dict[str, Array]:
        """The operands, so small that sums of products stay near 1."""
        shrink = max(1, int(np.prod(self.operands.get("weight", (1,))[1:]))) ** 0.5
        found = {}
        for number, (name, shape) in enumerate(self.operands.items(), 1):
            array = sample(shape, np.dtype("float64"), seed=len(str(self)) + number)
            found[name] = (array / shrink if name == "weight" else array).astype(dtype)
        return found

    def run(self, x: Array, **more: Any) -> Array:
        return getattr(fastup, self.operator)(x, **self.keywords, **more)  # type: ignore[no-any-return]


def in_every_runtime(model: onnx.ModelProto, *inputs: Array, settings: bool = True) -> Iterator[tuple[str, Any]]:
    """Each runtime that decides and is not known to differ on a node of the model, with the output or outputs."""
    for name, runtime in runtimes.installed(settings).items():
        if runtime.decides and runtime.can_judge(model):
            yield name, runtimes.run(name, model, *inputs)


def kind_of(dtype: str) -> np.dtype[Any]:
    """The dtype of this name; NumPy has no bfloat16 of its own."""
    return np.dtype(pytest.importorskip("ml_dtypes").bfloat16 if dtype == "bfloat16" else dtype)


def quickly(values: list[Any], step: int) -> list[Any]:
    """The values as parameters of a test, every so many in the quick sample."""
    return [pytest.param(v, marks=pytest.mark.quick) if k % step == 0 else v for k, v in enumerate(values)]


def _shuffles() -> list[Case]:
    cases = []
    for factors, channels, space in (
        (2, 8, (3, 5)),
        (3, 9, (4, 4)),
        (4, 48, (2, 3)),
        (5, 25, (3, 2)),
        ((1, 3), 6, (4, 7)),
        ((3, 2), 12, (2, 5)),
        ((4,), 8, (9,)),
        ((2, 1, 3), 12, (2, 3, 4)),
        ((2, 2, 2), 16, (3, 2, 5)),
        (2, 64, (3, 40)),
        (2, 68, (2, 33)),
        (3, 27, (5, 40)),
    ):
        for order in ("CRD", "DCR"):
            for data_format in ("channels_first", "channels_last"):
                shape = (2, channels, *space) if data_format == "channels_first" else (2, *space, channels)
                plain = isinstance(factors, int) and order == "CRD" and data_format == "channels_first"
                keywords = {"order": order, "data_format": data_format}
                cases.append(Case("pixel_shuffle", shape, {"upscale_factor": factors, **keywords}, plain))
                large = _large(shape, factors, data_format)
                cases.append(Case("pixel_unshuffle", large, {"downscale_factor": factors, **keywords}, plain))
    cases.append(Case("pixel_shuffle", (4, 3, 3), {"upscale_factor": 2}))
    cases.append(Case("pixel_shuffle", (2, 3, 2, 4, 3, 3), {"upscale_factor": 2}))
    return cases


def _large(shape: tuple[int, ...], factors: Any, data_format: str) -> tuple[int, ...]:
    factors = (factors, factors) if isinstance(factors, int) else factors
    first = 2 if data_format == "channels_first" else 1
    grown = list(shape)
    for k, factor in enumerate(factors):
        grown[first + k] *= factor
    grown[1 if data_format == "channels_first" else -1] = 3
    return tuple(grown)


def _resizes() -> list[Case]:
    cases = []
    for mode in ("nearest", "nearest-exact"):
        for shape, keywords in (
            ((2, 3, 7), {"size": 19}),
            ((2, 3, 7), {"scale_factor": 2.5}),
            ((1, 2, 40), {"scale_factor": 3}),
            ((2, 3, 5, 6), {"size": (10, 12)}),
            ((2, 3, 5, 6), {"size": (7, 17)}),
            ((2, 3, 5, 6), {"size": (3, 4)}),
            ((2, 3, 5, 6), {"size": (1, 1)}),
            ((2, 3, 1, 1), {"size": (4, 5)}),
            ((2, 3, 5, 6), {"scale_factor": 2}),
            ((2, 3, 5, 6), {"scale_factor": (1.3, 2.0)}),
            ((2, 3, 9, 8), {"scale_factor": (1.7, 0.6), "recompute_scale_factor": True}),
            ((1, 2, 26, 40), {"size": (64, 129)}),
            ((1, 2, 3, 40, 41), {"scale_factor": 2}),
            ((1, 2, 3, 4, 5), {"size": (5, 9, 11)}),
            ((1, 2, 3, 4, 5), {"scale_factor": (1.0, 1.5, 2.5)}),
        ):
            cases.append(Case("interpolate", shape, {**keywords, "mode": mode}))
            last = (shape[0], *shape[2:], shape[1])
            cases.append(Case("interpolate", last, {**keywords, "mode": mode, "data_format": "channels_last"}, False))
    return cases


def _smooth() -> list[Case]:
    """Every mode but nearest. The sizes lie around whole vectors, at the extremes, and on either side of one."""
    cases = []
    for shape, keywords in (
        ((2, 3, 7), {"size": 19}),
        ((2, 3, 7), {"scale_factor": 1.05}),  # as many positions out as in, but a scale of its own
        ((2, 3, 17), {"scale_factor": 3}),
        ((1, 2, 40), {"size": 15}),
        ((1, 5, 1), {"size": 9}),
        ((1, 2, 33), {"size": 1}),
        ((2, 3, 5, 6), {"size": (10, 12)}),
        ((2, 3, 5, 6), {"size": (3, 4)}),
        ((2, 3, 5, 6), {"size": (1, 1)}),
        ((2, 3, 1, 1), {"size": (4, 5)}),
        ((1, 2, 6, 1), {"size": (13, 3)}),
        ((1, 2, 6, 9), {"size": (11, 1)}),
        ((2, 3, 5, 6), {"scale_factor": 2}),
        ((1, 4, 9, 15), {"scale_factor": 2}),
        ((1, 2, 8, 16), {"scale_factor": 3}),
        ((1, 1, 17, 7), {"scale_factor": 4}),
        ((2, 3, 5, 6), {"scale_factor": (1.3, 2.0)}),
        ((1, 2, 20, 30), {"scale_factor": (1.02, 1.01)}),
        ((2, 3, 9, 8), {"scale_factor": (1.7, 0.6), "recompute_scale_factor": True}),
        ((1, 17, 6, 5), {"size": (9, 8)}),
        ((1, 2, 26, 40), {"size": (64, 129)}),
        ((1, 2, 3, 4, 5), {"size": (5, 9, 11)}),
        ((1, 3, 3, 4, 9), {"scale_factor": 2}),
        ((1, 2, 3, 4, 5), {"scale_factor": (1.0, 1.5, 2.5)}),
        ((1, 2, 5, 6, 7), {"size": (2, 6, 3)}),
    ):
        rank = len(shape) - 2
        linear = ("linear", "bilinear", "trilinear")[rank - 1]
        cubic = "bicubic" if rank == 2 else "cubic"
        for mode, options in (
            (linear, {"align_corners": False}),
            (linear, {"align_corners": True}),
            (cubic, {"align_corners": False}),
            (cubic, {"align_corners": True}),
            ("area", {}),
            ("lanczos", {}),
            ("n-linear", {"antialias": True}),
            ("cubic", {"antialias": True}),
            ("lanczos", {"antialias": True}),
        ):
            torch = mode in (linear, "bicubic", "area")
            cases.append(Case("interpolate", shape, {**keywords, "mode": mode, **options}, torch))
    return cases + _mixed() + [_channels_last(case) for case in cases[::2]]


def _mixed() -> list[Case]:
    cases = []
    for shape, mode, keywords in (
        ((1, 2, 3, 6, 7), ("nearest", "linear", "linear"), {"scale_factor": 2}),
        ((1, 2, 3, 6, 7), ("nearest-exact", "cubic", "linear"), {"size": (5, 9, 4), "align_corners": True}),
        ((2, 3, 9, 8), ("linear", "nearest"), {"size": (20, 19)}),
        ((2, 3, 9, 8), ("cubic", "linear"), {"scale_factor": (1.5, 2.0)}),
        ((2, 3, 9, 8), ("linear", "lanczos"), {"size": (5, 19), "antialias": True}),
        ((2, 3, 9, 8), ("nearest", "linear"), {"size": (5, 3), "antialias": True}),
        ((2, 3, 9), ("cubic",), {"size": 16}),
        ((2, 3, 9), ("area",), {"size": 4}),
    ):
        cases.append(Case("interpolate", shape, {**keywords, "mode": mode}, False))
    return cases + [_channels_last(case) for case in cases]


def _channels_last(case: Case) -> Case:
    shape = (case.shape[0], *case.shape[2:], case.shape[1])
    return Case(case.operator, shape, {**case.keywords, "data_format": "channels_last"}, False)


def _convs() -> list[Case]:
    """Kernels smaller, equal and larger than the stride, groups, dilation, all ranks and both layouts."""
    cases = []
    calls: list[tuple[str, tuple[int, ...], tuple[int, ...], dict[str, Any]]] = [
        ("conv", (2, 3, 17), (5, 3, 4), {"stride": 3, "padding": 2}),
        ("conv", (1, 4, 9, 11), (6, 2, 3, 3), {"padding": 1, "groups": 2}),
        ("conv", (2, 3, 9, 40), (7, 3, 2, 5), {"stride": (2, 1), "dilation": (1, 2), "padding": ((1, 0), (2, 3))}),
        ("conv", (1, 2, 8, 9), (3, 2, 4, 3), {"padding": "same"}),
        ("conv", (1, 2, 4, 5, 6), (3, 2, 3, 1, 2), {"stride": (2, 2, 1), "padding": 1}),
        ("conv_transpose", (2, 3, 7), (3, 2, 4), {"stride": 2, "padding": 1}),
        ("conv_transpose", (1, 3, 5), (3, 1, 16), {"stride": 8, "padding": 4}),
        ("conv_transpose", (1, 4, 5, 6), (4, 3, 3, 3), {"stride": 2, "padding": 1, "output_padding": 1}),
        ("conv_transpose", (1, 4, 5, 6), (4, 3, 3, 3), {"stride": 2, "dilation": 2, "groups": 2}),
        ("conv_transpose", (1, 4, 5, 6), (4, 3, 2, 2), {"stride": 3}),
        ("conv_transpose", (2, 3, 6, 20), (3, 1, 9, 9), {"stride": 3, "padding": 4, "output_padding": 2}),
        ("conv_transpose", (1, 3, 4, 4), (3, 4, 3, 3), {"stride": 2, "dilation": 3, "output_padding": 2}),
        ("conv_transpose", (1, 2, 3, 4, 5), (2, 3, 2, 2, 2), {"stride": 2}),
        ("subpixel_conv", (2, 3, 9), (6, 3, 3), {"upscale_factor": 3, "padding": 1}),
        ("subpixel_conv", (1, 4, 7, 9), (12, 4, 3, 3), {"upscale_factor": 2, "padding": "same"}),
        ("subpixel_conv", (1, 2, 5, 20), (18, 2, 3, 5), {"upscale_factor": 3, "padding": (1, 2)}),
        ("subpixel_conv", (1, 2, 3, 4, 5), (16, 2, 1, 3, 3), {"upscale_factor": 2, "padding": (0, 1, 1)}),
    ]
    for op, shape, weight, keywords in calls:
        operator = f"{op}{len(shape) - 2}d"
        bias = weight[1] * keywords.get("groups", 1) if op == "conv_transpose" else weight[0]
        operands: dict[str, tuple[int, ...]] = {"weight": weight, "bias": (bias,)}
        pads = keywords.get("padding")
        plain = op != "subpixel_conv" and not (isinstance(pads, tuple) and isinstance(pads[0], tuple))
        cases.append(Case(operator, shape, keywords, plain, operands))
        last = (shape[0], *shape[2:], shape[1])
        cases.append(Case(operator, last, {**keywords, "data_format": "channels_last"}, False, {"weight": weight}))
    return cases


STUFFED = [
    Case("zero_stuff", (2, 3, 5), {"stride": 2, "padding": 1}, False),
    Case("zero_stuff", (2, 3, 4, 5), {"stride": (3, 1), "padding": (0, 2)}, False),
    Case("zero_stuff", (1, 4, 5, 3), {"stride": 2, "data_format": "channels_last"}, False),
    Case("zero_stuff", (1, 2, 3, 2, 4), {"stride": (1, 2, 3), "padding": 1}, False),
]


def _pools() -> list[Case]:
    """Windows that overlap, leave gaps, begin in the padding, end beyond it; every rank and both layouts."""
    cases = []
    calls: list[tuple[tuple[int, ...], dict[str, Any]]] = [
        ((2, 3, 17), {"kernel_size": 3, "stride": 2, "padding": 1}),
        ((2, 3, 8, 10), {"kernel_size": 2}),
        ((1, 2, 40, 70), {"kernel_size": 2}),
        ((1, 2, 9, 11), {"kernel_size": 3, "stride": 1, "padding": 1}),
        ((1, 2, 9, 11), {"kernel_size": (2, 3), "stride": (3, 2), "padding": (1, 0), "ceil_mode": True}),
        ((1, 2, 12, 14), {"kernel_size": 3, "stride": 2, "dilation": 2}),
        ((1, 2, 4, 6, 9), {"kernel_size": 2, "padding": 1}),
    ]
    for shape, keywords in calls:
        operator = f"max_pool{len(shape) - 2}d"
        cases.append(Case(operator, shape, {**keywords, "return_indices": True}))
        last = (shape[0], *shape[2:], shape[1])
        more = {"return_indices": True, "data_format": "channels_last"}
        cases.append(Case(operator, last, {**keywords, **more}, False))
    return cases


CASES = [*_shuffles(), *_resizes()]
# Not in CASES: logits of few values, so that classes are equal; the other two operators take the same.
SEGMENTED = [
    Case("upsample_argmax", shape, keywords, torch)
    for shape, keywords, torch in (
        ((2, 5, 9, 11), {"size": (40, 37), "mode": "bilinear"}, True),
        ((1, 3, 9, 11), {"size": (20, 60), "mode": "bicubic", "align_corners": True}, True),
        ((2, 4, 30, 7), {"size": (11, 7), "mode": "bilinear", "antialias": True}, False),
        ((2, 4, 6, 7), {"scale_factor": 2.3, "mode": "nearest"}, True),
        ((2, 4, 6, 7), {"size": (6, 7), "mode": "nearest-exact"}, True),
        ((2, 4, 33), {"size": 100}, True),
        ((2, 3, 5, 6, 7), {"size": (11, 13, 20)}, True),
        ((1, 3, 5, 6, 7), {"size": (5, 13, 20), "mode": "trilinear", "align_corners": True}, True),
        ((1, 3, 5, 6, 7), {"size": (9, 6, 7), "mode": ("linear", "nearest", "cubic")}, False),
        ((1, 2, 8, 9), {"size": (40, 3000), "mode": "lanczos"}, False),
        ((1, 1, 4, 4), {"scale_factor": 2}, True),
        ((1, 300, 4, 5), {"size": (7, 9)}, True),
        ((0, 3, 4, 5), {"size": (7, 9)}, False),
    )
]
# Not in CASES: whose pixels they give depends on the convention.
RESIZED = [
    Case("resize", shape, {"size": size, "like": like, **more}, False)
    for shape, size, like, more in (
        ((37, 53, 3), (20, 70), "pillow/bicubic", {}),
        ((300, 9), (7, 11), "pillow/lanczos", {}),
        ((31, 40, 4), (31, 15), "pillow/bilinear", {}),
        ((31, 40, 4), (17, 15), "pillow/hamming", {"alpha": False}),
        ((64, 80, 2), (9, 11), "pillow/bicubic", {"reducing_gap": 2.0, "box": (3, 1.5, 70.25, 60)}),
        ((21, 30, 3), (50, 17), "pillow/nearest", {}),
        ((2, 21, 30, 3), (10, 17), "pillow-11/box", {"axes": (1, 2)}),
        ((600, 4, 3), (70, 5), "pillow-12/bilinear", {}),
        ((5, 8, 9), (12, 4), "torch/bilinear-antialias", {"axes": (1, 2)}),
        ((12, 13, 3), (24, 26), "torch/nearest", {}),
        ((6, 5, 7), (11, 13), "pillow/mks2021", {"axes": (2, 0)}),
        ((33, 21, 3), (20, 50), "opencv/linear", {}),
        ((33, 21), (20, 50), "opencv/cubic", {}),
        ((33, 22, 4), (50, 11), "opencv/lanczos4", {}),
        ((30, 22, 3), (15, 11), "opencv/area", {}),
        ((30, 45, 2), (6, 15), "opencv/area", {}),
        ((31, 45, 3), (20, 11), "opencv/area", {}),
        ((31, 45, 3), (20, 81), "opencv/linear_exact", {}),
        ((31, 45, 3), (20, 81), "opencv/nearest_exact", {}),
        ((21, 30, 3), (13, 50), "tensorflow/bilinear", {}),
        ((21, 30, 3), (13, 50), "tensorflow/bicubic", {}),
        ((21, 30, 3), (13, 50), "tensorflow/mitchellcubic-antialias", {}),
        ((21, 30, 3), (13, 50), "tensorflow/area", {}),
        ((21, 30, 3), (13, 50), "tensorflow1/nearest-align_corners", {}),
        ((21, 30, 3), (13, 50), "jax/nearest", {}),
    )
]
POOLS = _pools()  # not in CASES: two results; unpooling takes them back
CONVS = _convs()  # not in CASES: these take weights
SHUFFLES = [case for case in CASES if case.operator != "interpolate"]
RESIZES = [case for case in CASES if case.operator == "interpolate"]
SMOOTH = _smooth()  # not in CASES: these modes compute, and take numbers only
ITEM_TYPES = ("uint8", "float16", "float32", "float64", "complex128")
