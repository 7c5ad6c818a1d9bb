"""The command, as a person would use it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import fastup
import fastup.export

click_testing = pytest.importorskip("click.testing")
Image = pytest.importorskip("PIL.Image")
pytest.importorskip("rich")
onnx = pytest.importorskip("onnx")

from fastup.cli import command, leave_one_out  # noqa: E402
from fastup.export import runtimes  # noqa: E402


def invoke(*arguments: object, status: int = 0) -> str:
    result = click_testing.CliRunner().invoke(command, [str(argument) for argument in arguments])
    assert result.exit_code == status, result.output
    return result.output  # type: ignore[no-any-return]


def picture(path: Path, mode: str = "RGB", size: tuple[int, int] = (31, 20)) -> Path:
    generator = np.random.default_rng(3)
    channels = {"L": 1, "LA": 2, "RGB": 3, "RGBA": 4}.get(mode, 1)
    if mode == "I;16":
        pixels = generator.integers(0, 2**16, size[::-1], np.uint16)
    else:
        shape = size[::-1] if channels == 1 else (*size[::-1], channels)
        pixels = generator.integers(0, 256, shape, np.uint8)
    image = Image.fromarray(pixels)
    if mode in ("1", "P"):
        image = image.convert(mode)
    image.save(path)
    return path


def opened(path: Path) -> Any:
    with Image.open(path) as image:
        image.load()
        return image


@pytest.mark.quick
def test_help_names_every_command() -> None:
    text = invoke("--help")
    for name in ("demo", "upscale", "fit", "export", "warmup", "info"):
        assert name in text
    assert fastup.__version__ in invoke("--version")


@pytest.mark.quick
def test_demo_shows_every_operator(tmp_path: Path) -> None:
    from fastup.operators import OPERATORS

    out = tmp_path / "out"
    text = invoke("demo", "-o", out)
    assert "differ" not in text
    report = json.loads((out / "report.json").read_text())
    assert {case["operator"] for case in report["cases"]} == set(OPERATORS)
    graphs = [graph for case in report["cases"] for graph in case["graphs"].values()]
    assert {graph["too_far"] for graph in graphs} == {0}
    assert all("portable" in case["graphs"] for case in report["cases"])
    portable = [case for case in report["cases"] if "conv" not in case["operator"] and "soft" not in case["operator"]]
    assert {case["graphs"]["portable"]["different"] for case in portable} == {0}
    assert sum("native" in case["graphs"] for case in report["cases"]) >= 25
    assert {path.name for path in out.glob("*.onnx")} == {graph["file"] for graph in graphs}
    assert [row["name"] for row in report["learned"]] == [photo.stem for photo in leave_one_out.photos()]
    assert ("sub-pixel layer fitted to all the other pictures" in text) == bool(report["learned"])
    _check_page((out / "index.html").read_text(), report)


def _check_page(page: str, report: dict[str, Any]) -> None:
    """Summary, pictures, table, models; names are whole, and each case has its detail and its difference."""
    parts = [page.index(f"<h2>{title}</h2>") for title in ("The same detail of every result", "Figures")]
    parts.append(page.index("<h2>Models to open</h2>"))
    assert page.index('<ul class="summary">') < parts[0] < parts[1] < parts[2]
    cases = report["cases"]
    assert page.count("data:image/png;base64,") == 1 + 2 * len(cases)
    for case in cases:
        assert f"<b>{case['title']}</b>" in page
        assert all(page.count(f'href="{graph["file"]}"') == 2 for graph in case["graphs"].values())


@pytest.mark.parametrize(
    ("name", "mode"), [("a.png", "RGBA"), ("a.jpg", "RGB"), ("a.tif", "I;16"), ("a.webp", "RGB"), ("a.png", "L")]
)
def test_cases_run_on_any_picture(tmp_path: Path, name: str, mode: str) -> None:
    from fastup.cli import cases, demo, demo_page
    from fastup.pictures import read

    x = np.ascontiguousarray(np.moveaxis(read(picture(tmp_path / name, mode, (30, 20))), -1, 0)[None])
    ran = [demo.run_case(case, x, tmp_path) for case in cases.CASES[::4]]
    assert [one.row.too_far for one in ran] == [0] * len(ran)
    demo_page.write(tmp_path / "index.html", x, ran, [], {}, name)
    assert (tmp_path / "index.html").exists()


def test_a_graph_that_is_wrong_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from fastup.cli import cases, demo

    case = next(case for case in cases.CASES if case.title == "nearest x2")
    x = np.random.default_rng(0).integers(0, 256, (1, 3, 8, 8), np.uint8)
    wrong = fastup.export.interpolate(x.shape, size=(16, 16), mode="nearest-exact", dtype="uint8")
    monkeypatch.setattr(demo, "_models", lambda *_: {"native": wrong})
    assert demo.run_case(case, x, tmp_path).row.too_far == 0  # twice the size: the same pixels
    wrong = fastup.export.interpolate(x.shape, size=(16, 16), mode="bilinear", dtype="uint8")
    monkeypatch.setattr(demo, "_models", lambda *_: {"native": wrong})
    row = demo.run_case(case, x, tmp_path).row
    assert row.too_far > 0
    assert row.graphs["native"].verdict == f"{row.too_far} differ"


@pytest.mark.quick
def test_export_writes_a_checked_model(tmp_path: Path) -> None:
    text = invoke("export", "pixel_shuffle", "--shape", "N,8,H,W", "--upscale-factor", 2, "-o", tmp_path / "m.onnx")
    assert "DepthToSpace" in text
    assert "onnxruntime gives the same numbers as fastup" in text
    x = np.arange(72, dtype=np.float32).reshape(1, 8, 3, 3)
    np.testing.assert_array_equal(
        runtimes.run("onnxruntime", onnx.load(tmp_path / "m.onnx"), x), fastup.pixel_shuffle(x, 2)
    )
    text = invoke(
        "export", "interpolate", "--shape", "1,3,8,8", "--size", "5,9", "--mode", "nearest-exact", "--opset", 13,
        "--dtype", "uint8", "--lowering", "portable", "-o", tmp_path / "n.onnx",
    )  # fmt: skip
    assert "opset 13" in text
    assert text.count("Gather") == 2


def test_export_has_every_keyword_as_an_option() -> None:
    text = invoke("export", "interpolate", "--help")
    for option in (
        "--size",
        "--scale-factor",
        "--mode",
        "--recompute-scale-factor",
        "--rounding",
        "--opset",
        "--lowering",
    ):
        assert option in text
    assert set(invoke("export", "--help").split()) >= {"interpolate", "pixel_shuffle", "pixel_unshuffle"}


def test_export_takes_weights_from_a_file(tmp_path: Path) -> None:
    generator = np.random.default_rng(0)
    weight, bias = generator.standard_normal((3, 2, 4, 4), np.float32), np.ones(2, np.float32)
    np.savez(tmp_path / "w.npz", weight=weight, bias=bias)
    np.savez(tmp_path / "other.npz", other=bias)
    (tmp_path / "text.npz").write_text("no archive")
    call = ("export", "conv_transpose2d", "--shape", "N,3,H,W", "--stride", 2, "-o", tmp_path / "m.onnx", "--weights")
    assert "ConvTranspose" in invoke(*call, tmp_path / "w.npz")
    x = generator.standard_normal((1, 3, 5, 6), np.float32)
    result = runtimes.run("onnxruntime", onnx.load(tmp_path / "m.onnx"), x)
    np.testing.assert_allclose(result, fastup.conv_transpose2d(x, weight, bias, stride=2), rtol=1e-5, atol=1e-5)
    text = invoke(*call, tmp_path / "other.npz", status=2)
    assert text.startswith("error: conv_transpose2d: weights must hold an array named weight, got ")
    text = invoke(*call, tmp_path / "text.npz", status=2)
    assert text.startswith("error: conv_transpose2d: weights must be a file that numpy.savez wrote, got ")


def test_export_errors_are_one_line(tmp_path: Path) -> None:
    text = invoke(
        "export", "pixel_shuffle", "--shape", "1,3,4,4", "--upscale-factor", 2, "-o", tmp_path / "m", status=2
    )
    assert text.startswith("error: pixel_shuffle: channels must be divisible by 2*2 = 4, got 3")
    assert not (tmp_path / "m").exists()


def test_warmup_and_info(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = invoke("warmup", "--operator", "pixel_shuffle", "--dtype", "uint16")
    assert int(text.split()[0]) > 5
    text = invoke("info")
    for word in ("processor", "caches", "threads", "kernels", "peers", "onnxruntime"):
        assert word in text


def test_warmup_for_this_very_processor(tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    command = [sys.executable, "-m", "fastup", "warmup", "--operator", "zero_stuff", "--dtype", "uint8", "--native"]
    environment = {**os.environ, "FASTUP_CACHE_DIR": str(cache)}
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
    assert int(done.stdout.split()[0]) > 0
    assert (cache / "native").is_file()
    cache.chmod(0o777)
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    assert done.returncode == 2
    assert "can be written by others" in done.stderr
    done = subprocess.run([*command, "--level", "x86-64-v3"], capture_output=True, text=True, check=False)
    assert "--native and --level exclude each other" in done.stderr


def test_the_module_runs_and_says_what_is_missing() -> None:
    done = subprocess.run([sys.executable, "-m", "fastup", "--version"], capture_output=True, text=True, check=True)
    assert fastup.__version__ in done.stdout
    code = "import sys; sys.modules['click'] = None; from fastup.__main__ import main; main()"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "the command needs click; install it with: pip install 'fastup[cli,image,onnx]'" in done.stderr
