"""Arrays of dask: every operator, any chunks, the bits of the result in memory; zarr; processes; bounded memory."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import fastup
import fastup.networks
import fastup.nn

da = pytest.importorskip("dask.array")
import dask  # noqa: E402

from tests.cases import CASES, CONVS, POOLS, SEGMENTED, SMOOTH, STUFFED, Case, quickly  # noqa: E402

Array = np.ndarray[Any, Any]
SEGMENTATIONS = [
    Case(case.operator.replace("argmax", name), case.shape, case.keywords)
    for name in ("argmax", "softmax_max", "threshold")
    for case in SEGMENTED
    if 0 not in case.shape
]
ALL = [*CASES[::3], *SMOOTH[::6], *CONVS, *STUFFED, *POOLS, *SEGMENTATIONS[::2]]


def random_chunks(shape: tuple[int, ...], generator: np.random.Generator) -> tuple[tuple[int, ...], ...]:
    """Any chunks, now and then of one item."""
    chunks = []
    for extent in shape:
        ends = (
            sorted({*generator.integers(1, extent + 1, generator.integers(0, 3)).tolist(), extent}) if extent else [0]
        )
        chunks.append(tuple(np.diff([0, *ends]).tolist()))
    return tuple(chunks)


def both(case: Case, chunks: tuple[tuple[int, ...], ...], dtype: str, **more: Any) -> list[tuple[Any, Array]]:
    """The results for a lazy array, and those in memory."""
    x, operands = case.input(dtype), case.arrays(dtype)
    lazy, wanted = case.run(da.from_array(x, chunks), **operands, **more), case.run(x, **operands, **more)
    return list(zip(lazy, wanted, strict=True)) if isinstance(wanted, tuple) else [(lazy, wanted)]


def assert_same(lazy: Any, wanted: Array) -> None:
    assert isinstance(lazy, da.Array)
    assert (lazy.shape, lazy.dtype) == (wanted.shape, wanted.dtype)
    found = lazy.compute(scheduler="synchronous")
    assert found.dtype == wanted.dtype
    np.testing.assert_array_equal(found, wanted)


@pytest.mark.parametrize("case", quickly(ALL, 20), ids=str)
def test_any_chunks_give_the_same_bits(case: Case, generator: np.random.Generator) -> None:
    for _ in range(2):
        for lazy, wanted in both(case, random_chunks(case.shape, generator), "float32"):
            assert_same(lazy, wanted)


def test_unpooling(generator: np.random.Generator) -> None:
    x = generator.standard_normal((2, 6, 8, 10)).astype(np.float32)
    lazy = fastup.max_pool2d(da.from_array(x, (1, 4, 3, 10)), 2, return_indices=True)
    values, indices = fastup.max_pool2d(x, 2, return_indices=True)
    assert_same(fastup.max_unpool2d(*lazy, 2), fastup.max_unpool2d(values, indices, 2))
    assert_same(fastup.max_unpool2d(lazy[0], indices, 2), fastup.max_unpool2d(values, indices, 2))


def test_windows_and_boxes(generator: np.random.Generator) -> None:
    window = (slice(5, 31), slice(17, 18))
    case = Case("interpolate", (2, 3, 20, 30), {"scale_factor": 2.3, "mode": "bicubic"})
    for lazy, wanted in both(case, ((1, 1), (2, 1), (7, 13), (9, 9, 12)), "float64", window=window):
        assert_same(lazy, wanted)
    boxes = np.array([[3, 4, 30, 25], [0, 0, 100, 9]])
    for name, shape in (("argmax", (2, 4)), ("softmax_max", (2, 4)), ("threshold", (2, 4)), ("threshold", (2, 3, 4))):
        boxed = np.resize(boxes, shape) if len(shape) == 2 else np.stack([boxes, boxes + 3, boxes // 2], 1)
        case = Case(f"upsample_{name}", (2, 3, 20, 30), {"scale_factor": 2})
        for lazy, wanted in both(case, ((1, 1), (2, 1), (7, 13), (9, 9, 12)), "float32", boxes=boxed):
            assert_same(lazy, wanted)


def test_arrays_without_items() -> None:
    for case in (
        Case("pixel_shuffle", (2, 4, 0, 3), {"upscale_factor": 2}),
        Case("zero_stuff", (2, 4, 0, 3), {"stride": 2, "padding": 1}),
        Case("conv2d", (2, 4, 0, 3), {"padding": 2}, operands={"weight": (2, 4, 1, 1)}),
        Case("interpolate", (0, 4, 5, 3), {"scale_factor": 2}),
    ):
        for lazy, wanted in both(case, tuple((n,) for n in case.shape), "float32"):
            assert_same(lazy, wanted)


def test_layers_stay_lazy(generator: np.random.Generator) -> None:
    x = generator.standard_normal((2, 4, 16, 16)).astype(np.float32)
    lazy = da.from_array(x, (1, 2, 8, 5))
    normalised = fastup.nn.BatchNorm2d(4)
    normalised.running_mean = np.arange(4, dtype=np.float32)
    elementwise = [fastup.nn.ReLU(), fastup.nn.LeakyReLU(), fastup.nn.PReLU(4), fastup.nn.Tanh(), fastup.nn.Sigmoid()]
    for layer in (normalised, *elementwise, fastup.nn.Skip(fastup.nn.Conv2d(4, 2, 1)), fastup.networks.UNet(4, 2)):
        assert_same(layer(lazy), layer(x))


def test_operands_may_be_lazy(generator: np.random.Generator) -> None:
    x, w = generator.standard_normal((1, 4, 9, 9)), generator.standard_normal((4, 3, 3, 3))
    wanted = fastup.conv_transpose2d(x, w, stride=2)
    lazy = da.from_array(x, (1, 2, 4, 5))
    assert_same(fastup.conv_transpose2d(lazy, da.from_array(w, 2), stride=2), wanted)
    assert_same(fastup.conv_transpose2d(lazy, fastup.pack_weight(w), stride=2), wanted)
    with pytest.raises(TypeError, match="all arrays must be in the memory of the CPU as x is, got a dask"):
        fastup.conv_transpose2d(x, da.from_array(w, 2), stride=2)


def test_a_chunk_reads_its_input_window_only() -> None:
    """Of a hundred blocks, one chunk of the result asks for the block and its neighbours."""
    asked = []

    def block(block_info: Any = None) -> Array:
        asked.append(block_info[None]["chunk-location"])
        return np.ones((1, 1, 10, 10), np.float32)

    x = da.map_blocks(
        block, chunks=((1,), (1,), (10,) * 10, (10,) * 10), dtype=np.float32, meta=np.empty((0,) * 4, "f4")
    )
    y = fastup.interpolate(x, scale_factor=2, mode="bilinear")
    assert not asked
    assert y.chunks == ((1,), (1,), (20,) * 10, (20,) * 10)
    y.blocks[0, 0, 4, 0].compute(scheduler="synchronous")
    assert sorted({place[2:] for place in asked}) == [(i, j) for i in (3, 4, 5) for j in (0, 1)]


def test_chunks_of_the_result_stay_sensible() -> None:
    x = da.zeros((1, 1, 256, 256, 256), chunks=(1, 1, 128, 256, 256), dtype=np.float32)
    y = fastup.interpolate(x, scale_factor=2, mode="trilinear")
    assert max(int(np.prod(shape)) * 4 for shape in _shapes(y)) <= 128 * 2**20
    assert y.npartitions == 4
    with dask.config.set({"array.chunk-size": "1MiB"}):
        small = fastup.interpolate(x, scale_factor=2, mode="trilinear")
    assert max(int(np.prod(shape)) * 4 for shape in _shapes(small)) <= 2**20
    shrunk = fastup.interpolate(x, scale_factor=0.1, mode="trilinear")
    assert shrunk.npartitions <= x.npartitions
    many = fastup.pixel_shuffle(da.zeros((1, 48, 8, 8), chunks=(1, 7, 8, 8)), 2)
    assert many.chunks[1] == (1, 2, 2, 2, 1, 2, 2)  # whole blocks of four, ends as near as can be


def _shapes(y: Any) -> list[tuple[int, ...]]:
    return [tuple(y.blocks[place].shape) for place in np.ndindex(*y.numblocks)]


def test_tasks_are_pickled() -> None:
    y = fastup.conv2d(da.ones((1, 3, 8, 8), chunks=4), np.ones((2, 3, 3, 3)), padding=1)
    again = pickle.loads(pickle.dumps(y))
    np.testing.assert_array_equal(again.compute(scheduler="synchronous"), y.compute(scheduler="synchronous"))


def test_plans_that_are_ready(generator: np.random.Generator) -> None:
    x, w = generator.standard_normal((2, 4, 8, 9)).astype(np.float32), np.ones((2, 4, 3, 3), np.float32)
    lazy = da.from_array(x, (1, 2, 4, 4))
    boxes = np.array([[0, 0, 9, 9], [2, 3, 30, 30]])
    labels = fastup.plan.upsample_argmax(x.shape, x.dtype, scale_factor=2, boxes_shape=(2, 4))
    for plan, operands in (
        (fastup.plan.interpolate(x.shape, x.dtype, scale_factor=2, mode="bicubic"), ()),
        (fastup.plan.pixel_shuffle(x.shape, x.dtype, 2, window=(slice(1, 15), slice(0, 9))), ()),
        (fastup.plan.conv2d(x.shape, x.dtype, w.shape, padding=1), (w,)),
        (labels, (boxes,)),
    ):
        y = pickle.loads(pickle.dumps(fastup.run(plan, lazy, operands=operands)))
        assert_same(y, fastup.run(plan, x, operands=operands))


def test_equal_calls_have_equal_names() -> None:
    x = da.ones((1, 3, 8, 8), chunks=4)
    names = {fastup.interpolate(x, scale_factor=factor).name for factor in (2, 2, 3)}
    assert len(names) == 2
    with dask.config.set({"array.chunk-size": "64B"}):
        assert fastup.interpolate(x, scale_factor=2).name not in names  # other chunks, another array


def test_two_processes(generator: np.random.Generator) -> None:
    distributed = pytest.importorskip("distributed")
    x = generator.random((1, 2, 24, 30, 20), np.float32)
    w = generator.random((2, 3, 3, 3, 3), np.float32)
    lazy = da.from_array(x, (1, 1, 10, 10, 20))
    cluster = distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None, host="127.0.0.1"
    )
    with cluster, distributed.Client(cluster) as client:
        y = fastup.interpolate(lazy, scale_factor=2, mode="trilinear", align_corners=True)
        future = client.compute(y)
        np.testing.assert_array_equal(future.result(), fastup.interpolate(x, None, 2, "trilinear", True))
        z = client.compute(fastup.conv_transpose3d(lazy, w, stride=2)).result()
        np.testing.assert_array_equal(z, fastup.conv_transpose3d(x, w, stride=2))
        kept = client.persist(y)
        distributed.wait(kept)
        assert len({worker for places in client.who_has(kept).values() for worker in places}) == 2


@pytest.mark.quick
def test_messages() -> None:
    x = da.ones((1, 3, 8, 8), chunks=4)
    unknown = x[x[:, 0, 0, 0] > 0]
    with pytest.raises(ValueError, match=r"fastup: x must have chunks of known sizes, got .*compute_chunk_sizes"):
        fastup.interpolate(unknown, scale_factor=2)
    with pytest.raises(TypeError, match="out must be None for arrays of dask, whose results are lazy, got ndarray"):
        fastup.interpolate(x, scale_factor=2, out=np.empty((1, 3, 16, 16)))
    tile = fastup.plan.interpolate(x.shape, x.dtype, scale_factor=2).tile((slice(16), slice(16)))
    with pytest.raises(TypeError, match="x must be in memory for the plan of a tile, got Array of dask"):
        fastup.run(tile, x)
    with pytest.raises(ValueError, match="window must lie within the result of size"):
        fastup.interpolate(x, scale_factor=2, window=(slice(17), slice(3)))
    with pytest.raises(ValueError, match="interpolate: threads must be"):
        fastup.interpolate(x, scale_factor=2, threads=0)
    with pytest.raises(ValueError, match="channels must be divisible by"):
        fastup.pixel_shuffle(x, 2)
    with pytest.raises(TypeError, match="all arrays must be in the memory of the CPU as x is, got a dask"):
        fastup.max_unpool2d(np.ones((1, 3, 8, 8)), da.zeros((1, 3, 8, 8), chunks=4, dtype=np.int64), 2)


BOUNDED = """
    import resource, sys
    import dask, dask.array, numpy as np, zarr
    import fastup
    from fastup.cli import stores
    from pathlib import Path

    fastup.interpolate(np.zeros((1, 1, 4, 4, 4), np.uint8), scale_factor=2, mode="trilinear")
    held = int(open("/proc/self/statm").read().split()[5]) * resource.getpagesize()  # data and stack
    resource.setrlimit(resource.RLIMIT_DATA, (held + 300 * 2**20,) * 2)
    try:
        np.ones(400 * 2**20, np.uint8)
    except MemoryError:
        print("bounded")
    with dask.config.set(scheduler="threads", num_workers=2):
        shape = stores.upscale(Path(sys.argv[1]), Path(sys.argv[2]), (2.0,), "trilinear", None, False)
    print(shape)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="limits of memory as Linux has them")
def test_arrays_larger_than_a_limit_of_memory(tmp_path: Path) -> None:
    """512 MB of result within 300 MB; every slice is checked against the tile of its own window."""
    zarr = pytest.importorskip("zarr")
    pytest.importorskip("rich")
    generator = np.random.default_rng(0)
    stored = zarr.create_array(tmp_path / "in.zarr", shape=(256, 512, 512), chunks=(32, 256, 256), dtype="u1")
    for k in range(0, 256, 32):
        stored[k : k + 32] = np.repeat(generator.integers(0, 255, (32, 512, 64), np.uint8), 8, 2)
    lines = "\n".join(line[4:] for line in BOUNDED.splitlines())
    paths = [str(tmp_path / "in.zarr"), str(tmp_path / "out.zarr")]
    environment = {**os.environ, "FASTUP_POOL_BYTES": "0", "MALLOC_ARENA_MAX": "2"}
    done = subprocess.run(
        [sys.executable, "-c", lines, *paths], env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == ["bounded", "(512, 1024, 1024)"]
    made = zarr.open_array(tmp_path / "out.zarr", mode="r")
    assert made.attrs["fastup_complete"] is True
    plan = fastup.plan.interpolate((1, 1, 256, 512, 512), "uint8", scale_factor=2, mode="trilinear")
    for k in (0, 131, 511):
        window = (slice(k, k + 1), slice(None), slice(None))
        part = plan.input_window(window)
        y = fastup.run(plan.tile(window), np.asarray(stored[part])[None, None])
        np.testing.assert_array_equal(made[k : k + 1], y[0, 0])


def test_memory_maps_by_windows(tmp_path: Path) -> None:
    """A file of 64 MB into one of 256 MB: what is allocated beside the maps is a window at a time."""
    import tracemalloc

    x = np.lib.format.open_memmap(tmp_path / "x.npy", "w+", np.float32, (1, 1, 4096, 4096))
    x[...] = np.arange(4096, dtype=np.float32)
    plan = fastup.plan.interpolate(x.shape, x.dtype, scale_factor=2, mode="bicubic")
    y = np.lib.format.open_memmap(tmp_path / "y.npy", "w+", np.float32, plan.output_shape)
    tracemalloc.start()
    try:
        for window in plan.windows(8 * 2**20):
            needed: Any = (..., *plan.input_window(window))
            part: Any = (..., *window)
            y[part] = fastup.run(plan.tile(window), x[needed])
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 40 * 2**20
    np.testing.assert_array_equal(
        y[0, 0, 4000:4100], fastup.interpolate(np.asarray(x), None, 2, "bicubic")[0, 0, 4000:4100]
    )
