"""Resizing to another library's pixels: their bits, any axes, windows, and the same bits from exported graphs."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import fastup
import fastup.export
from fastup.export import UnsupportedExport
from tests.cases import RESIZED, Case, in_every_runtime, kind_of, quickly
from tests.library_calls import (
    LIBRARIES,
    LibraryCall,
    digest,
    numbers,
    opencv,
    opencv_calls,
    pillow,
    pillow_calls,
    plain_calls,
    rows_of,
)
from tests.make_library_data import calls_of

Array = np.ndarray[Any, Any]
STORED: dict[str, list[str]] = json.loads((Path(__file__).parent / "data" / "libraries.json").read_text())


def ours(row: str, call: LibraryCall) -> Array:
    alpha = False if call.mode == "CMYK" else None
    return fastup.resize(call.picture, call.size, like=f"{row}/{call.method}", alpha=alpha, **call.options)


@pytest.mark.quick
@pytest.mark.parametrize("row", STORED)
def test_bits_of_the_libraries(row: str) -> None:
    """What the libraries gave where the digests were made, on every machine."""
    wrong = [
        str(call) for call, stored in zip(calls_of(row), STORED[row], strict=True) if digest(ours(row, call)) != stored
    ]
    assert wrong == []


@pytest.mark.peers
@pytest.mark.parametrize("seed", range(1, 5))
def test_equals_pillow(seed: int) -> None:
    pil = pytest.importorskip("PIL")
    if pil.__version__.partition(".")[0] != "13":
        pytest.skip("the row is about Pillow 13")
    for call in pillow_calls(384, seed, 60 * seed):
        np.testing.assert_array_equal(ours("pillow", call), pillow(call), err_msg=str(call))


@pytest.mark.peers
@pytest.mark.parametrize("seed", range(1, 5))
def test_equals_opencv(seed: int) -> None:
    pytest.importorskip("cv2")
    for call in opencv_calls(420, seed, 60 * seed):
        np.testing.assert_array_equal(ours("opencv", call), opencv(call), err_msg=str(call))


@pytest.mark.peers
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
def test_cells_of_every_shape_equal_opencv(dtype: Any, generator: np.random.Generator) -> None:
    """Whole factors: pixels of one to four items and of more than the stack holds sums for, rows of many cells."""
    pytest.importorskip("cv2")
    for down, across in ((2, 2), (1, 2), (3, 3), (2, 3), (4, 4), (5, 1), (300, 300)):
        for items in (1, 2, 3, 4):
            for cells in (1, 5, 37, 900):
                if down * across * cells < 100_000 or cells == 1:
                    picture = numbers(generator, (3 * down, cells * across, items), dtype)
                    call = LibraryCall(picture, (3, cells), "area")
                    np.testing.assert_array_equal(ours("opencv", call), opencv(call), err_msg=str(call))
    wide = numbers(generator, (6, 6, 2100), dtype)
    each = [fastup.resize(np.ascontiguousarray(wide[..., k : k + 1]), (2, 2), like="opencv/area") for k in (0, 7, 2099)]
    made = fastup.resize(wide, (2, 2), like="opencv/area")
    np.testing.assert_array_equal(made[..., [0, 7, 2099]], np.concatenate(each, axis=2))


@pytest.mark.peers
def test_equals_opencv_with_intels_library() -> None:
    """As the x86 wheel is imported; pictures that grow far have bands at the sides."""
    cv2 = pytest.importorskip("cv2")
    cv2.ipp.setUseIPP(True)
    if not cv2.ipp.useIPP():
        pytest.skip("this OpenCV has no Intel library")
    generator = np.random.default_rng(3)
    for number in range(160):
        height, width = (int(one) for one in generator.integers(1, 30, 2))
        h, w = (int(one) for one in generator.integers(1, 30 if number % 2 else 700, 2))
        dtype = (np.float32, np.uint16, np.uint8)[number % 3]
        picture = numbers(generator, (height, width, int(generator.integers(1, 5))), dtype)
        call = LibraryCall(picture, (h, w), "linear", mode="ipp")
        np.testing.assert_array_equal(ours("opencv-ipp", call), opencv(call), err_msg=str(call))


@pytest.mark.peers
def test_near_to_cubic_of_intels_library() -> None:
    """Its sums have an order that is not known: a level, or 3e-7 of the largest number."""
    cv2 = pytest.importorskip("cv2")
    cv2.ipp.setUseIPP(True)
    if not cv2.ipp.useIPP():
        pytest.skip("this OpenCV has no Intel library")
    generator, apart, total = np.random.default_rng(4), 0, 0
    for number in range(120):
        height, width, h, w = (int(one) for one in generator.integers(1, 90, 4))
        dtype = (np.float32, np.uint16, np.uint8)[number % 3]
        picture = numbers(generator, (height, width, int(generator.integers(1, 5))), dtype)
        call = LibraryCall(picture, (h, w), "cubic", mode="ipp")
        made, wanted = ours("opencv-ipp", call), opencv(call)
        if dtype == np.float32:
            most = 3e-7 * float(np.abs(picture).max())
            np.testing.assert_allclose(made, wanted, rtol=0, atol=most, err_msg=str(call))
        else:
            assert np.abs(made.astype(int) - wanted).max() <= 1, str(call)
            apart, total = apart + int(np.count_nonzero(made != wanted)), total + made.size
    assert apart <= 1e-3 * total


@pytest.mark.peers
@pytest.mark.parametrize("library", ["tensorflow", "tensorflow1", "jax", "scipy", "skimage", "itk"])
def test_equals_what_is_installed(library: str) -> None:
    """Every bit of what the library gives here: a new version that changes its pixels is seen."""
    pytest.importorskip({"tensorflow1": "tensorflow", "itk": "SimpleITK"}.get(library, library))
    calls, give = LIBRARIES[library]
    for call in calls(240, 1, 150):
        np.testing.assert_array_equal(ours(library, call), give(call), err_msg=str(call))


@pytest.mark.peers
@pytest.mark.parametrize(
    ("library", "within"), [("tensorflow", 2e-6), ("jax", 5e-6), ("scipy", 1e-6), ("skimage", 1e-6), ("itk", 1e-6)]
)
def test_within_rounding_of_what_is_installed(library: str, within: float) -> None:
    """Lanczos of TensorFlow, whose sines are another library's, JAX, whose compiler fuses as it likes, and splines."""
    pytest.importorskip({"itk": "SimpleITK"}.get(library, library))
    methods = [row for row in rows_of(library) if "lanczos" in row or (library == "jax" and row != "nearest")]
    methods = methods or [row for row in rows_of(library) if row[0] in "2345" or row == "bspline"]
    apart, total = 0, 1
    for call in plain_calls(methods, 240, 2):
        if library == "itk" and 2 in call.picture.shape[:2]:
            continue  # ITK reads outside the line there
        if library in ("scipy", "itk") and call.picture.dtype.kind in "iu":
            made, wanted = ours(library, call).astype(np.int64), LIBRARIES[library][1](call).astype(np.int64)
            assert np.abs(made - wanted).max(initial=0) <= 1, str(call)
            apart, total = apart + int(np.count_nonzero(made != wanted)), total + made.size
            continue
        span = float(np.ptp(call.picture.astype(np.float64))) or 1.0
        made, wanted = ours(library, call), LIBRARIES[library][1](call)
        assert made.dtype == wanted.dtype
        np.testing.assert_allclose(made, wanted, rtol=0, atol=within * span, err_msg=str(call))
    assert apart <= (5e-3 if library == "itk" else 1e-4) * total  # whole numbers that ITK meets from below


def _row_of_pillow() -> str:
    """The rules of the Pillow that is installed."""
    major = pytest.importorskip("PIL").__version__.partition(".")[0]
    return {"13": "pillow", "12": "pillow-12"}.get(major, "pillow-11")


@pytest.mark.quick
def test_pictures_wide_and_high(generator: np.random.Generator) -> None:
    """Strips, several chunks, and both orders of the passes; thumbnails of many taps."""
    pytest.importorskip("PIL")
    for shape, size, mode in (
        ((11, 9000, 3), (5, 6100), "RGB"),
        ((2100, 40), (30, 61), "L"),
        ((700, 900, 3), (31, 40), "RGB"),
        ((33, 20), (401, 300), "F"),
    ):
        dtype = np.float32 if mode == "F" else np.uint8
        picture = (generator.random(shape) * 255).astype(dtype)
        for method in ("bilinear", "lanczos", "box"):
            call = LibraryCall(picture, size, method, {}, mode)
            for threads in (1, 2):
                made = fastup.resize(picture, size, like=f"{_row_of_pillow()}/{method}", threads=threads)
                np.testing.assert_array_equal(made, pillow(call))


@pytest.mark.parametrize("case", quickly(RESIZED, 4), ids=str)
def test_views_and_layouts(case: Case) -> None:
    """Strides, byte orders and given results change nothing."""
    x = case.input("uint8")
    expected = case.run(x)
    wide = np.repeat(x, 2, axis=-1)[..., ::2]
    np.testing.assert_array_equal(case.run(wide), expected)
    np.testing.assert_array_equal(case.run(np.asfortranarray(x)), expected)
    np.testing.assert_array_equal(case.run(x[::-1].copy()[::-1]), expected)
    out = np.empty_like(expected)
    assert case.run(x, out=out) is out
    np.testing.assert_array_equal(out, expected)
    plan = fastup.plan.resize(case.shape, "uint8", **case.keywords)
    np.testing.assert_array_equal(fastup.run(plan, x), expected)
    assert plan.output_shape == expected.shape
    if not case.keywords["like"].startswith("torch"):
        swapped = case.input("uint16") if "reducing_gap" not in case.keywords else None
        if swapped is not None:
            np.testing.assert_array_equal(case.run(swapped.astype(">u2")), case.run(swapped).astype(">u2"))


@pytest.mark.quick
@pytest.mark.parametrize("case", RESIZED, ids=str)
def test_windows_are_parts_of_the_whole(case: Case, generator: np.random.Generator) -> None:
    x = case.input("uint8")
    whole = case.run(x)
    axes = [axis % x.ndim for axis in case.keywords.get("axes", (0, 1))]
    plan = fastup.plan.resize(case.shape, "uint8", **case.keywords)
    for _ in range(6):
        window, index = [], [slice(None)] * x.ndim
        for axis in axes:
            start = int(generator.integers(0, whole.shape[axis]))
            index[axis] = slice(start, int(generator.integers(start + 1, whole.shape[axis] + 1)))
            window.append(index[axis])
        np.testing.assert_array_equal(case.run(x, window=tuple(window)), whole[tuple(index)])
        part = [slice(None)] * x.ndim
        for axis, held in zip(axes, plan.input_window(tuple(window)), strict=True):
            part[axis] = held
        made = fastup.run(plan.tile(tuple(window)), x[tuple(part)])
        np.testing.assert_array_equal(made, whole[tuple(index)])


@pytest.mark.quick
@pytest.mark.parametrize("case", RESIZED, ids=str)
def test_exported_graphs_give_the_same_bits(case: Case) -> None:
    if case.keywords.get("axes") == (2, 0):
        with pytest.raises(UnsupportedExport, match="axes must stand side by side"):
            fastup.export.resize(case.shape, **case.keywords)
        return
    dtypes = ["uint8"] if "reducing_gap" in case.keywords else ["uint8", "uint16", "int32", "float32"]
    taken = next(one.dtypes for one in fastup.conventions() if one.name == case.keywords["like"])
    for dtype in [one for one in dtypes if one in taken]:
        if case.keywords["like"].startswith("torch/bilinear") and dtype != "uint8":
            continue  # within the tolerance of interpolate's own tests
        if case.keywords["like"].startswith("pillow-11") and dtype == "uint16":
            continue
        x = case.input(dtype)
        model = fastup.export.resize(case.shape, dtype=dtype, **case.keywords)
        for name, result in in_every_runtime(model, x):
            np.testing.assert_array_equal(result, case.run(x), err_msg=f"{name} {dtype}")


@pytest.mark.quick
def test_exported_windows_and_batches(generator: np.random.Generator) -> None:
    """A window is part of the graph; a batch may be a name."""
    shape, size = (2, 30, 41, 4), (50, 17)
    x = generator.integers(0, 256, shape, np.uint8)
    window = (slice(7, 30), slice(3, 16))
    for like in ("pillow/bicubic", "pillow/nearest"):
        call: dict[str, Any] = {"size": size, "like": like, "axes": (1, 2), "window": window, "alpha": True}
        model = fastup.export.resize(("N", *shape[1:]), **call, verify=False)
        for _, result in in_every_runtime(model, x):
            np.testing.assert_array_equal(result, fastup.resize(x, **call))


@pytest.mark.quick
def test_rules_that_differ_between_versions(generator: np.random.Generator) -> None:
    """Each of Pillow's rows has a picture on which it alone is right: they are not the same under three names."""
    tall = generator.integers(0, 256, (900, 7), np.uint8)
    made = [fastup.resize(tall, (30, 11), like=f"{row}/bicubic") for row in ("pillow", "pillow-12", "pillow-11")]
    assert not np.array_equal(made[0], made[2])
    assert not np.array_equal(made[1], made[2])
    wide = generator.integers(0, 65536, (40, 50), np.uint16)
    wide[::2] = 65535
    assert not np.array_equal(
        fastup.resize(wide, (80, 90), like="pillow-11/bicubic"), fastup.resize(wide, (80, 90), like="pillow-12/bicubic")
    )


@pytest.mark.quick
@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        ({"like": "pilow/bicubic"}, ValueError, "like must be one of fastup.conventions(), such as pillow/bicubic"),
        ({"like": 3}, TypeError, "like must be a name or a Convention, got 3"),
        ({"dtype": "float64"}, TypeError, "image must be of dtype uint8, uint16, int32, float32"),
        ({"size": 3}, TypeError, "size must be two integers, height and width, got 3"),
        ({"size": (3, 4, 5)}, ValueError, "size must be two integers, height and width, got (3, 4, 5)"),
        ({"size": (3, 0)}, ValueError, "size must be at least 1, got 0"),
        ({"size": None}, ValueError, "give exactly one of size and scale_factor, got neither"),
        ({"scale_factor": 2}, ValueError, "give exactly one of size and scale_factor, got both"),
        ({"size": None, "scale_factor": 1e-3}, ValueError, "scale_factor must give sizes of at least 1"),
        ({"axes": (0, 0)}, ValueError, "axes must be two different ones of 3, got (0, 0)"),
        ({"axes": (0, 3)}, ValueError, "axes must be two different ones of 3, got (0, 3)"),
        ({"axes": 1}, ValueError, "axes must be two different ones of 3, got 1"),
        ({"shape": (7,)}, ValueError, "axes must be given for an image that is not (H, W) or (H, W, C), got (7,)"),
        ({"shape": (1, 2, 3, 4)}, ValueError, "axes must be given for an image that is not (H, W) or (H, W, C)"),
        ({"shape": (0, 4)}, ValueError, "height and width must be at least 1, got (0, 4)"),
        ({"box": (0, 0, 5, 50)}, ValueError, "box must lie within the image and not be empty"),
        ({"box": (0, 0, 0, 5)}, ValueError, "box must lie within the image and not be empty"),
        ({"box": 4}, TypeError, "box must be four numbers: left, top, right, bottom, got 4"),
        ({"reducing_gap": 0.5}, ValueError, "reducing_gap must be at least 1, got 0.5"),
        ({"like": "torch/bilinear", "box": (0, 0, 5, 5)}, ValueError, "box must be None for like='torch/bilinear'"),
        (
            {"like": "torch/bilinear", "alpha": True},
            ValueError,
            "alpha must be None or False for like='torch/bilinear'",
        ),
        ({"alpha": True, "dtype": "int32"}, ValueError, "alpha must be None or False but for uint8"),
        ({"alpha": 1}, TypeError, "alpha must be True or False, got 1"),
    ],
)
def test_wrong_calls(call: dict[str, Any], error: type[Exception], message: str) -> None:
    shape, dtype = call.pop("shape", (8, 9, 3)), call.pop("dtype", "uint8")
    arguments = {"size": (4, 5), "like": "pillow/bicubic", **call}
    with pytest.raises(error, match=re.escape(f"resize: {message}")):
        fastup.resize(np.zeros(shape, dtype), **arguments)
    with pytest.raises(error, match=re.escape(f"resize: {message}")):
        fastup.plan.resize(shape, dtype, **arguments)


@pytest.mark.quick
def test_every_convention_works(generator: np.random.Generator) -> None:
    """Each name resizes each dtype that it says it takes; torch's give what `interpolate` does."""
    names = [one.name for one in fastup.conventions()]
    assert len(set(names)) == len(names)
    for one in fastup.conventions():
        for dtype in one.dtypes:
            x = generator.integers(0, 2, (9, 8, 3)).astype(kind_of(dtype))
            y = fastup.resize(x, (5, 11), like=one.name)
            assert (y.shape, y.dtype) == ((5, 11, 3), one.result_of(x.dtype))
    x = generator.integers(0, 256, (9, 8, 3), np.uint8)
    same = fastup.interpolate(x[None], (5, 11), mode="bicubic", antialias=True, data_format="channels_last")[0]
    np.testing.assert_array_equal(fastup.resize(x, (5, 11), like="torch/bicubic-antialias"), same)
    np.testing.assert_array_equal(
        fastup.resize(x, scale_factor=1.3, like="torch/bilinear"),
        fastup.interpolate(x[None], scale_factor=1.3, mode="bilinear", data_format="channels_last")[0],
    )


@pytest.mark.quick
def test_windows_at_every_edge(generator: np.random.Generator) -> None:
    """Corners and edges of pictures, as chunks have them, for every way of arithmetic and every edge."""
    x = generator.integers(0, 256, (60, 80, 3), np.uint8)
    for like in ("opencv/cubic", "opencv/lanczos4", "opencv/linear", "opencv/area", "pillow/lanczos", "jax/cubic",
                 "tensorflow/bicubic", "scipy/3-mirror", "skimage/1", "itk/linear", "keras/bicubic"):  # fmt: skip
        for size in ((37, 100), (100, 37)):
            plan = fastup.plan.resize(x.shape, "uint8", size, like=like)
            whole = fastup.run(plan, x)
            for rows in (slice(0, 16), slice(16, 30), slice(size[0] - 9, size[0])):
                for columns in (slice(0, 16), slice(16, 30), slice(size[1] - 9, size[1])):
                    window = (rows, columns)
                    part = np.ascontiguousarray(x[plan.input_window(window)])
                    made = fastup.run(plan.tile(window), part)
                    np.testing.assert_array_equal(made, whole[window], err_msg=f"{like} {size} {window}")


@pytest.mark.quick
def test_lazy_pictures(generator: np.random.Generator) -> None:
    """Chunks of dask along any axis give what the whole array does; tensors come back as tensors."""
    array = pytest.importorskip("dask.array")
    x = generator.integers(0, 256, (60, 80, 4), np.uint8)
    for like in ("pillow/bicubic", "opencv/cubic", "torch/bilinear", "tensorflow/area", "skimage/3-symmetric"):
        whole = fastup.resize(x, (37, 100), like=like)
        lazy: Any = fastup.resize(array.from_array(x, (25, 30, 2)), (37, 100), like=like)
        assert lazy.dtype == whole.dtype
        np.testing.assert_array_equal(lazy.compute(), whole, err_msg=like)
        flat: Any = fastup.resize(array.from_array(x[..., 0], (25, 30)), (37, 100), like=like)
        np.testing.assert_array_equal(flat.compute(), fastup.resize(x[..., 0], (37, 100), like=like))
    batch = np.stack([x, x[::-1]])
    lazy = fastup.resize(array.from_array(batch, (1, 60, 40, 4)), (37, 100), like="skimage/1-edge", axes=(1, 2))
    each = [fastup.resize(one, (37, 100), like="skimage/1-edge") for one in batch]
    np.testing.assert_array_equal(lazy.compute(), np.stack(each))


@pytest.mark.peers
def test_tensors_come_back_as_tensors(generator: np.random.Generator) -> None:
    torch = pytest.importorskip("torch")
    x = generator.integers(0, 256, (60, 80, 3), np.uint8)
    made = fastup.resize(torch.from_numpy(x), (37, 100), like="pillow/box")
    assert isinstance(made, torch.Tensor)
    np.testing.assert_array_equal(made.numpy(), fastup.resize(x, (37, 100), like="pillow/box"))


@pytest.mark.quick
@pytest.mark.parametrize("dtype", ["uint8", "float32"])
def test_onnx_rows_are_the_backends(dtype: str, generator: np.random.Generator) -> None:
    """Every rule gives what the backend does with the attributes of that name."""
    from fastup.export.backend.resize import Attributes, resize

    x = (generator.random((9, 14)) * 255).astype(dtype)
    for row in rows_of("onnx"):
        for size in ((13, 5), (9, 31), (4, 14)):
            mode, *words = row.split("-")
            given = Attributes(
                mode,
                next((word for word in words if word not in _OTHERS), "half_pixel"),
                next((word for word in words if word in _OTHERS[:3]), "round_prefer_floor"),
                exclude_outside="exclude_outside" in words,
                antialias="antialias" in words,
            )
            wanted = resize(x, None, size, None, None, given, "runtimes")
            np.testing.assert_array_equal(fastup.resize(x, size, like=f"onnx/{row}"), wanted, err_msg=row)


_OTHERS = ("round_prefer_ceil", "floor", "ceil", "antialias", "exclude_outside")


def naive(x: Array, size: tuple[int, int], one: Any) -> Array:
    """Both axes of a convention of one's own, tap by tap, in float64."""
    weight: Any = {
        "linear": lambda t: max(0.0, 1 - abs(t)),
        "box": lambda t: float(-0.5 < t <= 0.5),
        "cubic": lambda t: _keys(one.cubic_coeff_a, abs(t)),
        "mitchell": lambda t: _of_two_parameters(1 / 3, 1 / 3, abs(t)),
    }[one.filter]
    for axis, m in ((1, size[1]), (0, size[0])):
        x = np.moveaxis(x, axis, 0)
        n, rows = len(x), []
        stretch = max(1.0, n / m) if one.antialias else 1.0
        for i in range(m):
            at = {
                "half_pixel": (i + 0.5) * n / m - 0.5,
                "asymmetric": i * n / m,
                "align_corners": i * (n - 1) / (m - 1),
            }
            centre = at[one.coordinates]
            reads = range(int(np.floor(centre - 3 * stretch)), int(np.ceil(centre + 3 * stretch)) + 1)
            taps = [(k, weight((k - centre) / stretch)) for k in reads]
            if one.edge == "renormalise":
                taps = [(k, w) for k, w in taps if 0 <= k < n]
            total = sum(w for _, w in taps)
            rows.append(sum(x[_place(one.edge, k, n)] * (w / (total or 1.0)) for k, w in taps))
        x = np.moveaxis(np.stack(rows), 0, axis)
    return x


def _place(edge: str, k: int, n: int) -> int:
    if edge in ("repeat", "renormalise"):
        return min(max(k, 0), n - 1)
    if edge == "wrap":
        return k % n
    return k % (2 * n) if k % (2 * n) < n else 2 * n - 1 - k % (2 * n)


def _of_two_parameters(b: float, c: float, t: float) -> float:
    """Mitchell and Netravali's family of cubics."""
    if t < 1:
        return ((12 - 9 * b - 6 * c) * t**3 + (-18 + 12 * b + 6 * c) * t**2 + 6 - 2 * b) / 6
    far = (-b - 6 * c) * t**3 + (6 * b + 30 * c) * t**2 + (-12 * b - 48 * c) * t + 8 * b + 24 * c
    return far / 6 if t < 2 else 0.0


def _keys(a: float, t: float) -> float:
    if t <= 1:
        return ((a + 2) * t - (a + 3)) * t * t + 1
    return ((a * t - 5 * a) * t + 8 * a) * t - 4 * a if t < 2 else 0.0


@pytest.mark.quick
@pytest.mark.parametrize("edge", ["repeat", "renormalise", "reflect", "wrap"])
@pytest.mark.parametrize("coordinates", ["half_pixel", "asymmetric", "align_corners"])
@pytest.mark.parametrize("name", ["linear", "cubic", "box", "mitchell"])
def test_conventions_of_ones_own(name: str, coordinates: str, edge: str, generator: np.random.Generator) -> None:
    x = generator.standard_normal((11, 17))
    for antialias, order in ((False, "columns first"), (True, "rows first")):
        one = fastup.Convention(
            filter=name, cubic_coeff_a=-0.6, coordinates=coordinates, antialias=antialias, edge=edge,
            arithmetic="float64", order=order,
        )  # fmt: skip
        for size in ((7, 23), (30, 5)):
            if name != "box" or antialias:
                made = fastup.resize(x, size, like=one)
                np.testing.assert_allclose(made, naive(x, size, one), atol=1e-12, err_msg=f"{one.name} {size}")


@pytest.mark.quick
def test_bytes_and_roundings_of_ones_own(generator: np.random.Generator) -> None:
    x = generator.integers(0, 256, (40, 30, 3), np.uint8)
    pillow_like = fastup.Convention(filter="linear", antialias=True, edge="renormalise", arithmetic="bytes")
    np.testing.assert_array_equal(
        fastup.resize(x, (29, 31), like=pillow_like), fastup.resize(x, (29, 31), like="pillow-11/bilinear")
    )
    halves = np.array([[1, 2, 4, 7]], np.uint8)
    for rounding, wanted in {
        "half even": [2, 6],
        "half away": [2, 6],
        "half up": [2, 6],
        "toward zero": [1, 5],
    }.items():
        one = fastup.Convention(filter="box", antialias=True, rounding=rounding)
        np.testing.assert_array_equal(fastup.resize(halves, (1, 2), like=one)[0], wanted)
    with pytest.raises(ValueError, match="filter of like must be"):
        fastup.resize(x, (3, 3), like=fastup.Convention(filter="bicubik"))
    with pytest.raises(ValueError, match="arithmetic of like must be 'float32' or 'float64' for float32, got 'bytes'"):
        fastup.resize(x.astype(np.float32), (3, 3), like=fastup.Convention(arithmetic="bytes"))


@pytest.mark.quick
def test_all_quotients_of_alpha() -> None:
    """Every colour with every alpha, in the vectors of four channels and in the loop of two."""
    colour, alpha = np.meshgrid(np.arange(256), np.arange(256), indexing="ij")
    product = colour * alpha + 128
    multiplied = ((product >> 8) + product) >> 8
    divided = np.where(
        (alpha == 0) | (alpha == 255), multiplied, np.minimum(255, 255 * multiplied // np.maximum(alpha, 1))
    )
    for channels in (2, 4):
        x = np.stack([*[colour] * (channels - 1), alpha], axis=-1).astype(np.uint8)
        y = fastup.resize(x, (256, 512), like="pillow/box")[:, ::2]  # every pixel twice
        np.testing.assert_array_equal(y[..., 0], divided)
        np.testing.assert_array_equal(y[..., -1], alpha)
