"""Convolution, transposed and sub-pixel convolution: worked values, the definition, torch, how they belong together."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import fastup
from fastup.cpu.conv import channels_in_lanes, column_tiling, convolution
from fastup.cpu.conv.phase_grid import PhaseGrid
from fastup.plan import cache
from tests import oracles_conv
from tests.cases import CONVS, Case, kind_of

Array = np.ndarray[Any, Any]
# A rounding per product and sum of a few dozen terms near 1, and one of the result.
CLOSE = {"float32": 4e-6, "float64": 1e-14, "float16": 2e-3, "bfloat16": 2e-2}


def expected(case: Case, x: Array, operands: dict[str, Array]) -> Array:
    keywords = dict(case.keywords)
    last = keywords.pop("data_format", "channels_first") == "channels_last"
    if keywords.get("padding") == "same":
        sizes = [k - 1 for k in operands["weight"].shape[2:]]
        keywords["padding"] = tuple((n // 2, n - n // 2) for n in sizes)
    x = np.moveaxis(x, -1, 1) if last else x
    y = getattr(oracles_conv, case.operator[:-2])(x, operands["weight"], operands.get("bias"), **keywords)
    return np.moveaxis(y, 1, -1) if last else y


@pytest.mark.quick
@pytest.mark.parametrize("case", CONVS, ids=str)
@pytest.mark.parametrize("dtype", ["float32", "float64", "float16", "bfloat16"])
def test_equals_the_definition(case: Case, dtype: str) -> None:
    kind = kind_of(dtype)
    x, operands = case.input(kind), case.arrays(kind)
    y = case.run(x, **operands)
    assert y.dtype == kind
    np.testing.assert_allclose(y.astype(np.float64), expected(case, x, operands), rtol=CLOSE[dtype], atol=CLOSE[dtype])


MANY_TILES = Case("conv_transpose2d", (1, 60, 5, 90), {"stride": 2}, True, {"weight": (60, 20, 4, 4)})


@pytest.mark.parametrize("level2", [2**8, 2**12])
def test_equals_the_definition_in_many_tiles(level2: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """With small caches small calls have strips, blocks of channels that are added up, and ranges; bits stay."""
    cases = [*CONVS, MANY_TILES]
    before = [case.run(case.input(), **case.arrays()) for case in cases]
    chosen = []

    def choose(plan: fastup.plan.ConvPlan, grid: PhaseGrid) -> column_tiling.ColumnTiling:
        chosen.append((grid, whole(plan, grid)))
        return chosen[-1][1]

    whole = column_tiling.choose
    monkeypatch.setattr(column_tiling, "choose", choose)
    monkeypatch.setattr(column_tiling, "_MOST_L2", level2)
    monkeypatch.setattr(channels_in_lanes, "applies", lambda plan: False)
    monkeypatch.setattr(cache, "cache", type(cache.cache)(2**20))
    for case, usual in zip(cases, before, strict=True):
        x, operands = case.input(), case.arrays()
        y = case.run(x, **operands)
        np.testing.assert_array_equal(y, usual, err_msg=str(case))
        np.testing.assert_allclose(y, expected(case, x, operands), rtol=4e-6, atol=4e-6, err_msg=str(case))
    assert any(len(tiling.strips) > 1 for _, tiling in chosen)
    assert any(tiling.ranges > 1 for _, tiling in chosen)
    assert any(tiling.channels_in < grid.group_in for grid, tiling in chosen)


@pytest.mark.filterwarnings("ignore:Using padding='same' with even kernel lengths")
@pytest.mark.parametrize("case", [case for case in CONVS if case.torch], ids=str)
def test_equals_torch(case: Case, torch: Any) -> None:
    x, operands = case.input(), case.arrays()
    # In float64: torch's float32 sums vary from run to run on some processors.
    tensors = [torch.from_numpy(one).double() for one in operands.values()]
    wanted = getattr(torch.nn.functional, case.operator)(torch.from_numpy(x).double(), *tensors, **case.keywords)
    np.testing.assert_allclose(case.run(x, **operands), wanted.numpy(), rtol=4e-6, atol=4e-6)


@pytest.mark.parametrize("width", [1, 2, 3, 7, 15, 16, 17])
@pytest.mark.parametrize(
    ("operator", "kernel", "keywords"),
    [
        ("conv_transpose2d", (4, 4), {"stride": 2, "padding": 1}),
        ("conv_transpose2d", (3, 5), {"stride": (1, 2), "padding": (1, 2), "dilation": 2}),
        ("conv_transpose2d", (2, 1), {"stride": 3, "output_padding": 2}),
        ("conv_transpose3d", (2, 4, 4), {"stride": (1, 2, 2), "padding": (0, 1, 1)}),
        ("conv2d", (3, 3), {"padding": 1}),
        ("conv2d", (5, 5), {"padding": (3, 9), "stride": 2}),
        ("conv2d", (1, 1), {"padding": (0, 2)}),
    ],
)
def test_many_channels_of_narrow_pictures(
    operator: str, kernel: tuple[int, ...], keywords: dict[str, Any], width: int, generator: np.random.Generator
) -> None:
    """Each tap has a copy of the picture, each phase positions of its own, and rows are staged together."""
    x = generator.integers(-9, 10, (2, 5, *range(2, len(kernel)), 6, width)).astype(np.float32)
    w = generator.integers(-9, 10, (5, 18, *kernel) if "transpose" in operator else (18, 5, *kernel)).astype(np.float32)
    wanted = getattr(oracles_conv, operator[:-2])(x, w, **keywords)
    np.testing.assert_array_equal(getattr(fastup, operator)(x, w, **keywords), wanted)
    last = np.ascontiguousarray(np.moveaxis(x, 1, -1)).astype(np.float16)
    y = getattr(fastup, operator)(last, w.astype(np.float16), data_format="channels_last", **keywords)
    np.testing.assert_array_equal(np.moveaxis(y, -1, 1), wanted.astype(np.float16))


@pytest.mark.quick
def test_worked_values_in_one_dimension() -> None:
    """Filter 1 2 3 4, stride 2: y3 = 3 x1 + 1 x2; and the convolution that it turns round."""
    w = np.array([[[1.0, 2, 3, 4]]])
    y = fastup.conv_transpose1d(np.arange(1.0, 6).reshape(1, 1, 5), w, stride=2)
    assert y.ravel().tolist() == [1, 2, 5, 8, 9, 14, 13, 20, 17, 26, 15, 20]
    x, z = np.random.default_rng(0).integers(-9, 10, (2, 8)).astype(float)
    small = fastup.conv1d(x[None, None], w, stride=2, padding=2)
    assert small.shape == (1, 1, 5)
    back = fastup.conv_transpose1d(z[None, None, :5], w, stride=2, padding=2)
    assert (small * z[:5]).sum() == (x * back).sum()


def test_fractional_stride_view() -> None:
    """Zeros between the entries, k - 1 more at both ends, and the filter turned round, give the same."""
    x, w = np.arange(1.0, 6).reshape(1, 1, 5), np.array([[[1.0, 2, 3, 4]]])
    stuffed = fastup.zero_stuff(x, 2, 3)
    assert stuffed.ravel().tolist() == [0, 0, 0, 1, 0, 2, 0, 3, 0, 4, 0, 5, 0, 0, 0]
    np.testing.assert_array_equal(fastup.conv1d(stuffed, w[..., ::-1]), fastup.conv_transpose1d(x, w, stride=2))


@pytest.mark.quick
def test_four_phases_and_a_shuffle(generator: np.random.Generator) -> None:
    """A 4x4 kernel with stride 2 and padding 1 is four 2x2 convolutions of the raw input, shuffled."""
    x, w = generator.integers(-9, 10, (1, 1, 4, 4)).astype(float), generator.integers(-9, 10, (4, 4)).astype(float)
    phases = []
    for i in (0, 1):
        for j in (0, 1):
            kernel = np.flip(w[(i + 1) % 2 :: 2, (j + 1) % 2 :: 2])
            padded = np.pad(x, [(0, 0), (0, 0), (1 - i, i), (1 - j, j)])
            phases.append(fastup.conv2d(padded, np.ascontiguousarray(kernel)[None, None]))
    whole = fastup.conv_transpose2d(x, w[None, None], stride=2, padding=1)
    np.testing.assert_array_equal(fastup.pixel_shuffle(np.concatenate(phases, 1), 2), whole)


@pytest.mark.parametrize("activation", ["relu", "leaky_relu", ("leaky_relu", 0.3), "tanh", "sigmoid", "prelu"])
@pytest.mark.parametrize("dtype", ["float32", "float64", "float16"])
def test_activations(activation: Any, dtype: str, generator: np.random.Generator) -> None:
    """Over the whole range of floats; the exponential is within 4 units in the last place."""
    if activation == "prelu":
        activation = ("prelu", generator.standard_normal(3).astype(dtype))
    one = np.eye(3, dtype=dtype)[..., None]
    x = (generator.standard_normal((2, 3, 500)) * 10.0 ** generator.integers(-4, 3, (2, 3, 500))).astype(dtype)
    x[0, :, :8] = [0.0, -0.0, np.inf, -np.inf, np.nan, 1e-3, -80.0, 80.0]
    finite = np.isfinite(x).all(axis=1, keepdims=True)  # 0 * inf of the other channels is no number
    allowed: Any = {"rtol": 4 * float(np.finfo(dtype).eps), "atol": 2 * float(np.finfo(dtype).tiny)}
    y = fastup.conv1d(np.where(finite, x, 1), one, activation=activation)
    wanted = oracles_conv.activated(np.where(finite, x, 1).astype(np.float64), activation)
    np.testing.assert_allclose(y, wanted.astype(dtype), **allowed)
    alone = fastup.conv1d(x[:, :1], one[:1, :1], activation=_first(activation))
    edge = oracles_conv.activated(x[:, :1].astype(np.float64), _first(activation))
    np.testing.assert_allclose(alone, edge.astype(dtype), **allowed)


def _first(activation: Any) -> Any:
    return ("prelu", activation[1][:1]) if isinstance(activation, tuple) and activation[0] == "prelu" else activation


def test_packed_weights_are_kept(generator: np.random.Generator) -> None:
    """One packed weight serves several geometries, and does not follow the array that it was made of."""
    weight = generator.standard_normal((4, 3, 3, 3), np.float32)
    packed = fastup.pack_weight(weight)
    before = weight.copy()
    weight[...] = 0
    for shape, keywords in (((1, 3, 9, 9), {}), ((2, 3, 20, 33), {"padding": 1}), ((1, 3, 9, 9), {"stride": 2})):
        x = generator.standard_normal(shape, np.float32)
        for _ in range(2):
            y = fastup.conv2d(x, packed, **keywords)
            np.testing.assert_array_equal(y, fastup.conv2d(x, before, **keywords))


def test_batches_threads_and_layouts_give_the_same_bits(generator: np.random.Generator) -> None:
    x, w = generator.standard_normal((3, 8, 40, 50), np.float32), generator.standard_normal((8, 5, 4, 4), np.float32)
    y = fastup.conv_transpose2d(x, w, stride=2, padding=1)
    for k in range(3):
        np.testing.assert_array_equal(fastup.conv_transpose2d(x[k : k + 1], w, stride=2, padding=1), y[k : k + 1])
        np.testing.assert_array_equal(fastup.conv_transpose2d(x[k], w, stride=2, padding=1), y[k])
    with fastup.set_num_threads(1):
        np.testing.assert_array_equal(fastup.conv_transpose2d(x, w, stride=2, padding=1), y)
    last = np.ascontiguousarray(np.moveaxis(x, 1, -1))
    np.testing.assert_array_equal(
        fastup.conv_transpose2d(last, w, stride=2, padding=1, data_format="channels_last"), np.moveaxis(y, 1, -1)
    )
    view = np.moveaxis(last, -1, 1)
    z = fastup.conv_transpose2d(view, w, stride=2, padding=1)
    np.testing.assert_array_equal(z, y)
    assert np.moveaxis(z, 1, -1).flags.c_contiguous  # memory that is channels-last stays so
    np.testing.assert_array_equal(fastup.conv_transpose2d(x[:, :, ::2, ::-1], w, stride=2), fastup.conv_transpose2d(
        np.ascontiguousarray(x[:, :, ::2, ::-1]), w, stride=2
    ))  # fmt: skip
    swapped = fastup.conv_transpose2d(x.astype(">f4"), w, stride=2, padding=1)
    assert swapped.dtype == np.dtype(">f4")
    np.testing.assert_array_equal(swapped, y)


def test_a_plan_and_out(generator: np.random.Generator) -> None:
    x, w = generator.standard_normal((1, 3, 9, 9), np.float32), generator.standard_normal((12, 3, 3, 3), np.float32)
    plan = fastup.plan.subpixel_conv2d(x.shape, x.dtype, w.shape, upscale_factor=2, padding=1)
    out = np.empty(plan.output_shape, np.float32)
    assert fastup.run(plan, x, out, operands=(w,)) is out
    np.testing.assert_array_equal(out, fastup.subpixel_conv2d(x, w, upscale_factor=2, padding=1))


@pytest.mark.parametrize(
    ("operator", "shape", "weight", "keywords"),
    [
        ("conv2d", (1, 64, 512, 4096), (64, 64, 3, 3), {"padding": 1}),
        ("conv2d", (1, 8192, 64, 64), (64, 8192, 3, 3), {"padding": 1}),
        ("conv2d", (1, 3, 300, 300), (64, 3, 33, 33), {"stride": 4, "dilation": 3}),
        ("conv_transpose1d", (1, 1026, 20_000), (1026, 1, 1024), {"stride": 256}),
        ("conv_transpose2d", (1, 512, 8, 8), (512, 1024, 4, 4), {"stride": 2, "padding": 1}),
        ("conv_transpose2d", (1, 21, 640, 640), (21, 21, 64, 64), {"stride": 32, "padding": 16}),
        ("conv_transpose3d", (1, 512, 8, 8, 8), (512, 64, 4, 4, 4), {"stride": 4}),
        ("subpixel_conv2d", (1, 512, 720, 1280), (48, 512, 5, 5), {"upscale_factor": 4, "padding": 2}),
    ],
)
@pytest.mark.parametrize("dtype", ["float32", "float64", "float16"])
@pytest.mark.parametrize("last", [False, True])
def test_workspaces_stay_small(
    operator: str, shape: tuple[int, ...], weight: tuple[int, ...], keywords: dict[str, Any], dtype: str, last: bool
) -> None:
    """Below 4 MB a thread, for large pictures, large kernels and many channels."""
    shape = (shape[0], *shape[2:], shape[1]) if last else shape
    layout = "channels_last" if last else "channels_first"
    plan = getattr(fastup.plan, operator)(shape, dtype, weight, data_format=layout, **keywords)
    strides = tuple(int(np.prod(shape[k + 1 :])) for k in range(len(shape)))
    assert convolution.launch(plan, strides).workspace < 4 * 2**20


def test_empty_batches() -> None:
    w = np.ones((3, 2, 2, 2), np.float32)
    assert fastup.conv_transpose2d(np.zeros((0, 3, 4, 4), np.float32), w, stride=2).shape == (0, 2, 8, 8)


@pytest.mark.parametrize("data_format", ["channels_first", "channels_last"])
@pytest.mark.parametrize(
    ("strides", "kernel", "padding", "dilation"),
    [((40, 3), (2, 3), (0, 1), (1, 1)), ((50, 64), (3, 1), (7, 0), (1, 2)), ((33, 100), (2, 2), (40, 3), (20, 101))],
)
def test_strides_that_leave_gaps(
    strides: tuple[int, int],
    kernel: tuple[int, int],
    padding: tuple[int, int],
    dilation: tuple[int, int],
    data_format: str,
) -> None:
    """Only phases with taps are computed; the others hold what bias and activation make of nothing."""
    generator = np.random.default_rng(3)
    x, w = generator.standard_normal((2, 4, 3, 5), np.float32), generator.standard_normal((4, 3, *kernel), np.float32)
    bias = generator.standard_normal(6, np.float32)
    keywords: dict[str, Any] = {"stride": strides, "padding": padding, "dilation": dilation, "groups": 2}
    expected = oracles_conv.conv_transpose(x, w, bias, **keywords)
    last = data_format == "channels_last"
    given = np.ascontiguousarray(np.moveaxis(x, 1, -1)) if last else x
    y = fastup.conv_transpose2d(given, w, bias, **keywords, data_format=data_format)
    found = np.moveaxis(y, -1, 1) if last else y
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-5)
    part = (slice(5, y.shape[1 if last else 2] - 1), slice(2, 12))
    cut = fastup.conv_transpose2d(given, w, bias, **keywords, data_format=data_format, window=part)
    np.testing.assert_array_equal(cut, y[(slice(None), *part)] if last else y[(..., *part)])
    active = fastup.conv_transpose2d(x, w, bias, **keywords, activation="sigmoid")
    np.testing.assert_allclose(active, 1 / (1 + np.exp(-expected)), rtol=1e-5)


def test_phases_without_outputs_cost_nothing() -> None:
    x, w = np.ones((1, 4, 4), np.float32), np.ones((4, 1, 2), np.float32)
    for power in (16, 40):
        y = fastup.conv_transpose1d(x, w, stride=2**power, padding=3 * 2 ** (power - 1))
        assert y.ravel().tolist() == [0, 0]
        middle = fastup.conv_transpose1d(x, w, stride=2**power, padding=2**power, window=(slice(0, 3),))
        assert middle.ravel().tolist() == [4, 4, 0]
    with pytest.raises(MemoryError, match=r"result of shape \(1, 1, 3298534883330\)"):
        fastup.conv_transpose1d(x, w, stride=2**40)
    assert fastup.init.checkerboard_score(w, 10**12) == 1
