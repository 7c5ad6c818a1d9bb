"""fastup upscale of arrays of zarr."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import fastup

zarr = pytest.importorskip("zarr")
pytest.importorskip("dask.array")
click_testing = pytest.importorskip("click.testing")
pytest.importorskip("rich")

from fastup.cli import command  # noqa: E402

Array = np.ndarray[Any, Any]


def invoke(*arguments: object, status: int = 0) -> str:
    result = click_testing.CliRunner().invoke(command, ["upscale", *(str(argument) for argument in arguments)])
    assert result.exit_code == status, result.output
    return result.output  # type: ignore[no-any-return]


def stored(path: Path, shape: tuple[int, ...], chunks: tuple[int, ...], dtype: str = "float32", **more: Any) -> Array:
    x = (100 * np.random.default_rng(1).random(shape)).astype(dtype)
    zarr.create_array(path, shape=shape, chunks=chunks, dtype=dtype, **more)[...] = x
    return x


@pytest.mark.parametrize("zarr_format", [2, 3])
@pytest.mark.parametrize(
    ("shape", "axes", "scale", "mode"),
    [
        ((20, 30), None, "2.5", "bicubic"),
        ((9, 20, 30), None, "1,2,2", "trilinear"),
        ((20, 30, 3), "yxc", "3", "nearest-exact"),
        ((2, 3, 5, 20, 31), None, "2", "n-linear"),
        ((3, 8, 9), "cyx", "0.7", "area"),
    ],
)
def test_equals_interpolate(
    tmp_path: Path, shape: tuple[int, ...], axes: str | None, scale: str, mode: str, zarr_format: int
) -> None:
    x = stored(tmp_path / "in.zarr", shape, tuple(max(1, n // 2 - 1) for n in shape), zarr_format=zarr_format)
    options = [] if axes is None else ["--axes", axes]
    text = invoke(tmp_path / "in.zarr", tmp_path / "out.zarr", "--scale", scale, "--mode", mode, *options)
    made = zarr.open_array(tmp_path / "out.zarr", mode="r")
    assert "x".join(map(str, made.shape)) in text
    assert made.attrs["fastup_complete"] is True
    assert made.metadata.zarr_format == zarr_format
    factors = tuple(float(part) for part in scale.split(","))
    factor = factors if len(factors) > 1 else factors[0]
    np.testing.assert_array_equal(made[...], expected(x, axes, factor, mode))


def expected(x: Array, axes: str | None, factor: Any, mode: str) -> Array:
    if axes == "yxc":
        return fastup.interpolate(x[None], None, factor, mode, data_format="channels_last")[0]  # type: ignore[no-any-return]
    if axes == "cyx":
        return fastup.interpolate(x[None], None, factor, mode)[0]  # type: ignore[no-any-return]
    if x.ndim == 5:
        return fastup.interpolate(x, None, factor, mode)
    return fastup.interpolate(x[None, None], None, factor, mode)[0, 0]  # type: ignore[no-any-return]


def test_tasks_have_whole_stored_chunks(generator: np.random.Generator) -> None:
    """Else two of them would write into one, and the later one undo what the other did."""
    pytest.importorskip("dask.array")
    from fastup.cli.stores import whole_chunks

    for _ in range(300):
        shape = tuple(generator.integers(1, 3000, 3).tolist())
        stored_chunks = tuple(min(n, int(generator.choice([1, 7, 64, 100, 512]))) for n in shape)
        most = int(generator.integers(1, 10**7))
        chunks = whole_chunks(shape, stored_chunks, most)
        assert all(chunk % one == 0 and chunk > 0 for chunk, one in zip(chunks, stored_chunks, strict=True))
        assert np.prod(chunks) <= max(most, np.prod(stored_chunks))


def test_a_target_is_replaced_only_if_asked(tmp_path: Path) -> None:
    stored(tmp_path / "in.zarr", (8, 8), (4, 4))
    (tmp_path / "out.zarr").mkdir()
    text = invoke(tmp_path / "in.zarr", tmp_path / "out.zarr", "--scale", 2, status=2)
    assert text == f"error: upscale: {tmp_path / 'out.zarr'} exists; --overwrite replaces it\n"
    invoke(tmp_path / "in.zarr", tmp_path / "out.zarr", "--scale", 2, "--overwrite")
    assert zarr.open_array(tmp_path / "out.zarr", mode="r").shape == (16, 16)
    text = invoke(tmp_path / "in.zarr", tmp_path / "in.zarr", "--scale", 2, "--overwrite", status=2)
    assert "target must lie apart from the source" in text
    assert zarr.open_array(tmp_path / "in.zarr", mode="r").shape == (8, 8)


def test_only_arrays_of_zarr_are_ever_replaced(tmp_path: Path) -> None:
    stored(tmp_path / "data" / "in.zarr", (8, 8), (4, 4))
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "cat.png").write_text("a cat")
    zarr.open_group(tmp_path / "group.zarr", mode="w").create_array("0", shape=(4, 4), chunks=(2, 2), dtype="u1")
    source = tmp_path / "data" / "in.zarr"
    for target in (tmp_path / "photos", tmp_path / "group.zarr", tmp_path / "photos" / "cat.png"):
        text = invoke(source, target, "--scale", 2, "--overwrite", status=2)
        assert text == f"error: upscale: target must be an array of zarr to be replaced, got {target}\n"
    for target in (tmp_path / "data", source / "c"):
        text = invoke(source, target, "--scale", 2, "--overwrite", status=2)
        assert text == f"error: upscale: target must lie apart from the source, got {target}\n"
    assert (tmp_path / "photos" / "cat.png").read_text() == "a cat"
    assert zarr.open_group(tmp_path / "group.zarr", mode="r")["0"].shape == (4, 4)
    assert zarr.open_array(source, mode="r").shape == (8, 8)


@pytest.mark.skipif(sys.platform != "linux", reason="limits of file sizes as Linux has them")
def test_a_disk_that_is_full_leaves_a_marked_target(tmp_path: Path) -> None:
    """The system refuses to write files beyond a size, as it does where no room is left."""
    stored(tmp_path / "in.zarr", (64, 64), (32, 32), compressors=None)
    lines = """
import resource, sys
import fastup.__main__
resource.setrlimit(resource.RLIMIT_FSIZE, (6000, 6000))
sys.argv = ["fastup", "upscale", sys.argv[1], sys.argv[2], "--scale", "2", *sys.argv[3:]]
fastup.__main__.main()
"""
    paths = [str(tmp_path / "in.zarr"), str(tmp_path / "out.zarr")]
    environment = {**os.environ, "FASTUP_RUNTIME": "numba"}  # whose objects no file has to hold
    done = subprocess.run(
        [sys.executable, "-c", lines, *paths], env=environment, capture_output=True, text=True, check=False
    )
    # A chunk of 4 KB can be written; where a chunk of the result is larger, none can.
    assert done.returncode == 0, done.stderr
    stored(tmp_path / "large.zarr", (64, 64), (64, 64), compressors=None)
    paths = [str(tmp_path / "large.zarr"), str(tmp_path / "full.zarr")]
    done = subprocess.run(
        [sys.executable, "-c", lines, *paths], env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    message = f"error: upscale: {tmp_path / 'full.zarr'} is incomplete and marked as such: "
    assert done.stderr.splitlines()[-1].startswith(message), done.stderr
    assert zarr.open_array(tmp_path / "full.zarr", mode="r").attrs["fastup_complete"] is False
    text = invoke(tmp_path / "full.zarr", tmp_path / "next.zarr", "--scale", 2, status=2)
    assert "source must be complete" in text
    invoke(tmp_path / "large.zarr", tmp_path / "full.zarr", "--scale", 2, "--overwrite")
    assert zarr.open_array(tmp_path / "full.zarr", mode="r").attrs["fastup_complete"] is True


def test_a_scheduler_of_distributed(tmp_path: Path) -> None:
    distributed = pytest.importorskip("distributed")
    x = stored(tmp_path / "in.zarr", (20, 30), (7, 9))
    cluster = distributed.LocalCluster(n_workers=1, threads_per_worker=1, processes=False, dashboard_address=None)
    with cluster:
        invoke(tmp_path / "in.zarr", tmp_path / "out.zarr", "--scale", 2, "--scheduler", cluster.scheduler_address)
    made = zarr.open_array(tmp_path / "out.zarr", mode="r")
    np.testing.assert_array_equal(made[...], fastup.interpolate(x[None, None], scale_factor=2)[0, 0])


def test_a_scheduler_that_is_not_there_costs_nothing(tmp_path: Path) -> None:
    """What is to be replaced stays until there is someone to make the new one."""
    dask = pytest.importorskip("dask")
    pytest.importorskip("distributed")
    stored(tmp_path / "in.zarr", (8, 8), (4, 4))
    old = stored(tmp_path / "out.zarr", (3, 3), (2, 2))
    with dask.config.set({"distributed.comm.timeouts.connect": "1s"}):
        for address in ("tcp://127.0.0.1:9", "nonsense://x"):
            arguments = ("--scale", 2, "--overwrite", "--scheduler", address)
            text = invoke(tmp_path / "in.zarr", tmp_path / "out.zarr", *arguments, status=2)
            assert f"upscale: scheduler must be the address of a scheduler, got {address}" in text
    assert dask.config.get("scheduler", None) is None  # nor do later calls of dask wait for it
    np.testing.assert_array_equal(zarr.open_array(tmp_path / "out.zarr", mode="r")[...], old)


def test_shards_and_filters_stay(tmp_path: Path) -> None:
    codec = zarr.codecs.TransposeCodec(order=(1, 0))
    x = stored(tmp_path / "in.zarr", (50, 60), (5, 6), shards=(20, 12), filters=[codec])
    invoke(tmp_path / "in.zarr", tmp_path / "out.zarr", "--scale", 1.5, "--mode", "bilinear")
    made = zarr.open_array(tmp_path / "out.zarr", mode="r")
    assert (made.chunks, made.shards, made.filters) == ((5, 6), (20, 12), (codec,))
    np.testing.assert_array_equal(made[...], fastup.interpolate(x[None, None], None, 1.5, "bilinear")[0, 0])


def test_what_only_one_format_has_stays(tmp_path: Path) -> None:
    separator = {"name": "v2", "separator": "/"}
    stored(tmp_path / "2.zarr", (9, 8), (4, 4), zarr_format=2, order="F", chunk_key_encoding=separator)
    stored(tmp_path / "3.zarr", (9, 8), (4, 4), chunk_key_encoding=separator, dimension_names=["row", "column"],
           serializer=zarr.codecs.BytesCodec(endian="big"))  # fmt: skip
    kept = {"2": ("order", "dimension_separator"), "3": ("codecs", "chunk_key_encoding", "dimension_names")}
    for name, fields in kept.items():
        invoke(tmp_path / f"{name}.zarr", tmp_path / f"{name}-out.zarr", "--scale", 2)
        before, after = (zarr.open_array(tmp_path / f"{name}{end}.zarr", mode="r") for end in ("", "-out"))
        assert [getattr(before.metadata, field) for field in fields] == [
            getattr(after.metadata, field) for field in fields
        ]
        np.testing.assert_array_equal(after[...], before[...].repeat(2, 0).repeat(2, 1))


def test_a_damaged_source_leaves_a_marked_target(tmp_path: Path) -> None:
    stored(tmp_path / "in.zarr", (8, 8), (4, 4))
    for chunk in (tmp_path / "in.zarr" / "c").glob("*/*"):
        chunk.write_bytes(b"abc")
    text = invoke(tmp_path / "in.zarr", tmp_path / "out.zarr", "--scale", 2, status=2)
    assert f"upscale: {tmp_path / 'out.zarr'} is incomplete and marked as such: " in text
    assert zarr.open_array(tmp_path / "out.zarr", mode="r").attrs["fastup_complete"] is False


def test_messages(tmp_path: Path) -> None:
    stored(tmp_path / "in.zarr", (8, 8), (4, 4))
    target = tmp_path / "out.zarr"

    def refused(*arguments: object) -> str:
        text = invoke(*arguments, status=2)
        assert not target.exists()
        return text

    rule = "upscale: axes must be 2 different letters of tczyx (t and c are kept, z, y and x are enlarged), got"
    assert f"{rule} 'zyx'" in refused(tmp_path / "in.zarr", target, "--scale", 2, "--axes", "zyx")
    assert f"{rule} 'xx'" in refused(tmp_path / "in.zarr", target, "--scale", 2, "--axes", "xx")
    text = refused(tmp_path / "in.zarr", target, "--scale", 2, "--axes", "tc")
    assert "upscale: axes must name one of z, y and x, got 'tc'" in text
    text = refused(tmp_path / "in.zarr", target, "--size", "9x9")
    assert "upscale: arrays of zarr must be given --scale and a mode, not --size, --weights and --like" in text
    (tmp_path / "folder").mkdir()
    assert "must be a folder that exists" in refused(tmp_path / "folder", target, "--scale", 2)
    text = refused(tmp_path / "in.zarr", tmp_path / "folder", target, "--scale", 2)
    assert "upscale: sources must be files, or one array of zarr and its target, got" in text
    for scale in ("twice", "", "2,"):
        assert "is not of the form 2 or 1,2,2" in refused(tmp_path / "in.zarr", target, f"--scale={scale}")
    for scale in ("nan", "1,inf", "-2", "0"):
        assert "scale_factor must be finite and greater than 0" in refused(
            tmp_path / "in.zarr", target, f"--scale={scale}"
        )
    assert "result must be smaller than 2**63 bytes" in refused(tmp_path / "in.zarr", target, "--scale=1e200")
    (tmp_path / "empty.zarr").mkdir()
    assert f"source must be an array of zarr, got {tmp_path / 'empty.zarr'}" in refused(
        tmp_path / "empty.zarr", target, "--scale", 2
    )
    (tmp_path / "empty.zarr" / "zarr.json").write_text("[]")
    assert "source must be an array of zarr, got" in refused(tmp_path / "empty.zarr", target, "--scale", 2)
    zarr.create_array(tmp_path / "point.zarr", shape=(), dtype="f4")
    text = refused(tmp_path / "point.zarr", target, "--scale", 2)
    assert "upscale: source must have from 1 to 5 axes, got 0" in text
    (tmp_path / "link.zarr").symlink_to(tmp_path / "in.zarr")
    text = invoke(tmp_path / "in.zarr", tmp_path / "link.zarr", "--scale", 2, "--overwrite", status=2)
    assert "upscale: target must be no symbolic link, got" in text
    group = zarr.open_group(tmp_path / "group.zarr", mode="w")
    group.create_array("0", shape=(4, 4), chunks=(2, 2), dtype="u1")
    text = refused(tmp_path / "group.zarr", target, "--scale", 2)
    assert "source must be an array of zarr, got the group" in text
    assert "whose arrays are: 0" in text
    text = refused(tmp_path / "in.zarr", target, "--scale", "2,2,2")
    assert "scale_factor must have 2 entries" in text
