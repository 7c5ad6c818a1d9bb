"""``fastup verify`` as a command: exit statuses, what it prints and writes."""

from __future__ import annotations

import base64
import io
import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("click")
image = pytest.importorskip("PIL.Image")

from click.testing import CliRunner

import fastup
import fastup.export
from fastup.cli import command
from fastup.cli.verify import heat_map
from tests.test_verify import PLANTED, SOUND


def run(*arguments: Any) -> Any:
    return CliRunner().invoke(command, ["verify", *map(str, arguments)], terminal_width=200)


@pytest.fixture
def sound(tmp_path: Path) -> Path:
    path = tmp_path / "sound.onnx"
    path.write_bytes(SOUND["espcn"]().SerializeToString())
    return path


@pytest.fixture
def faulty(tmp_path: Path) -> Path:
    path = tmp_path / "faulty.onnx"
    path.write_bytes(PLANTED["antialias without exclude_outside"][0]().SerializeToString())
    return path


def test_statuses(sound: Path, faulty: Path, tmp_path: Path) -> None:
    assert run(sound, "--like", "torch").exit_code == 0
    assert run(faulty).exit_code == 0
    result = run(faulty, "--like", "torch")
    assert result.exit_code == 1
    assert "known difference" in result.output.replace("\n", " ") or "known" in result.output
    for arguments, message in (
        ((tmp_path / "none.onnx",), "no such file"),
        ((sound, "--runtimes", "tensorrt"), "runtimes must be among"),
        ((sound, "--shape", "x=1,a"), "is not like x=1,3,64,64"),
        ((sound, "--input", "x=none.npy"), "is no array of NumPy"),
        ((sound, "--json", tmp_path / "no" / "report.json"), "No such file or directory"),
    ):
        result = run(*arguments)
        assert result.exit_code == 2, arguments
        assert message in result.output.replace("\n", " "), result.output
        assert "Traceback" not in result.output


def test_what_is_written(faulty: Path, tmp_path: Path) -> None:
    x = np.random.default_rng(0).standard_normal((1, 3, 30, 30)).astype(np.float32)
    np.save(tmp_path / "x.npy", x)
    report, page = tmp_path / "report.json", tmp_path / "report.html"
    result = run(faulty, "--like", "torch", "--input", f"x={tmp_path / 'x.npy'}", "--json", report, "--html", page)
    assert result.exit_code == 1
    assert json.loads(report.read_text())["nodes"][0]["torch"]["verdict"] == "known difference"
    text = page.read_text()
    assert "antialias without exclude_outside" in text
    assert 'name="viewport"' in text
    assert "http" not in text.replace("data:image", ""), "the page needs no network"
    assert text.count("data:image/png;base64,") == 1


def test_names_are_text_in_the_page(tmp_path: Path) -> None:
    model = SOUND["espcn"]()
    model.graph.node[-1].name = "<script>alert(1)</script>"
    (tmp_path / "model.onnx").write_bytes(model.SerializeToString())
    page = tmp_path / "report.html"
    assert run(tmp_path / "model.onnx", "--html", page).exit_code == 0
    assert "<script>" not in page.read_text()
    assert "&lt;script&gt;" in page.read_text()


def test_inputs_out_of_one_file(sound: Path, tmp_path: Path) -> None:
    np.savez(tmp_path / "data.npz", x=np.zeros((1, 1, 20, 24), np.float32))
    done = run(sound, "--data", tmp_path / "data.npz")
    assert done.exit_code == 0
    np.savez(tmp_path / "data.npz", other=np.zeros(3))
    assert "has no input named 'other'" in run(sound, "--data", tmp_path / "data.npz").output
    (tmp_path / "data.npz").write_text("no archive")
    assert "is no file that numpy.savez wrote" in run(sound, "--data", tmp_path / "data.npz").output


def test_a_folder_of_pictures(tmp_path: Path) -> None:
    """Each as the model takes it: its size where that is open, planes or pixels, floats of 0 to 1 or bytes."""
    from PIL import Image

    from fastup.cli.given import pictures_for

    folder = tmp_path / "pictures"
    folder.mkdir()
    pixels = np.random.default_rng(0).integers(0, 256, (20, 30, 3), np.uint8)
    Image.fromarray(pixels).save(folder / "a.png")
    Image.fromarray(pixels[..., 0]).save(folder / "b.png")
    models = {
        "open": fastup.export.interpolate((1, 3, "H", "W"), scale_factor=2),
        "bytes": fastup.export.pixel_unshuffle((1, 20, 30, 3), 2, dtype="uint8", data_format="channels_last"),
        "fixed": fastup.export.interpolate((1, 1, 8, 9), scale_factor=2),
        "volume": fastup.export.interpolate((1, 1, 8, 9, 3), scale_factor=2),
    }
    files = {name: tmp_path / f"{name}.onnx" for name in models}
    for name, model in models.items():
        files[name].write_bytes(model.SerializeToString())
    first, second = (one["x"] for one in pictures_for(files["open"], folder, {}))
    np.testing.assert_array_equal(first[0], np.moveaxis(pixels, -1, 0).astype(np.float32) / 255)
    np.testing.assert_array_equal(second[0], np.stack([pixels[..., 0]] * 3).astype(np.float32) / 255)
    np.testing.assert_array_equal(pictures_for(files["bytes"], folder, {})[0]["x"][0], pixels)
    wanted = fastup.resize(pixels[..., 0], (8, 9), like="pillow/bilinear") / 255
    np.testing.assert_array_equal(pictures_for(files["fixed"], folder, {})[1]["x"][0, 0], wanted.astype(np.float32))
    assert pictures_for(files["open"], folder, {"x": (2, 3, 5, 7)})[0]["x"].shape == (2, 3, 5, 7)
    assert run(files["open"], "--data", folder, "--like", "torch").exit_code == 0
    assert "pictures need an input like" in run(files["volume"], "--data", folder).output.replace("\n", " ")
    (tmp_path / "empty").mkdir()
    assert "holds no pictures" in run(files["open"], "--data", tmp_path / "empty").output.replace("\n", " ")


def test_weights_among_the_inputs_take_no_pictures(tmp_path: Path) -> None:
    """As models before IR 4 have them."""
    from onnx import helper, numpy_helper
    from PIL import Image

    from fastup.cli.given import pictures_for

    weight = np.ones((3, 2, 2, 2), np.float32)
    node = helper.make_node("ConvTranspose", ["x", "w"], ["y"], strides=[2, 2])
    shapes = {"w": weight.shape, "x": (1, 3, "H", "W"), "y": (1, 2, "P", "Q")}
    w, x, y = (helper.make_tensor_value_info(name, 1, shape) for name, shape in shapes.items())
    graph = helper.make_graph([node], "g", [w, x], [y], [numpy_helper.from_array(weight, "w")])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    (tmp_path / "model.onnx").write_bytes(model.SerializeToString())
    (tmp_path / "pictures").mkdir()
    Image.fromarray(np.zeros((4, 5, 3), np.uint8)).save(tmp_path / "pictures" / "a.png")
    (given,) = pictures_for(tmp_path / "model.onnx", tmp_path / "pictures", {})
    assert {name: array.shape for name, array in given.items()} == {"x": (1, 3, 4, 5)}


def test_names_are_no_markup(tmp_path: Path) -> None:
    from onnx import helper

    x, y = (helper.make_tensor_value_info(name, 1, shape) for name, shape in (("x", [1, 4, 2, 2]), ("y", [1, 1, 4, 4])))
    node = helper.make_node("DepthToSpace", ["x"], ["y"], "[red]a[/b]", blocksize=2, mode="CRD")
    model = helper.make_model(
        helper.make_graph([node], "g", [x], [y]), opset_imports=[helper.make_opsetid("", 18)], ir_version=8
    )
    file, page = tmp_path / "model.onnx", tmp_path / "page.html"
    file.write_bytes(model.SerializeToString())
    done = run(file, "--html", page)
    assert done.exit_code == 0
    assert "[red]a[/b]" in done.output


def test_the_worst_of_several_sets_is_reported(faulty: Path) -> None:
    """A flat picture tells nothing, the other does."""
    flat = {"x": np.zeros((1, 3, 30, 30), np.float32)}
    other = {"x": np.random.default_rng(0).standard_normal((1, 3, 30, 30), np.float32)}
    both = fastup.export.verify(faulty, [flat, other], like="torch")
    alone = fastup.export.verify(faulty, other, like="torch")
    assert both.nodes[0].torch is not None
    assert alone.nodes[0].torch is not None
    assert both.nodes[0].torch.verdict == alone.nodes[0].torch.verdict == "known difference"
    assert any("zeros" in one for one in both.nodes[0].warnings)


def test_heat_maps_are_brightest_where_most_differs() -> None:
    away = np.zeros((4, 5))
    away[1, 2], away[3, 4] = 1.0, 0.1
    uri = heat_map(away)
    assert uri is not None
    picture = np.asarray(image.open(io.BytesIO(base64.b64decode(uri.split(",")[1]))).convert("RGB"))
    side = picture.shape[0] // 4
    sums = picture[side // 2 :: side, side // 2 :: side].astype(int).sum(axis=-1)
    assert sums[1, 2] == 3 * 255
    assert 0 < sums[3, 4] < sums[1, 2]
    assert np.count_nonzero(sums) == 2
    assert heat_map(np.zeros((4, 5))) is None


BROWSER = shutil.which("chromium") or shutil.which("chromium-browser")
# As root it needs --no-sandbox; the rest keeps it from asking the network for anything.
QUIET = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync",
    "--disable-background-networking", "--disable-component-update",
)  # fmt: skip


@pytest.mark.skipif(BROWSER is None, reason="needs Chromium")
def test_the_page_on_a_phone(faulty: Path, tmp_path: Path) -> None:
    """Nothing is wider than the screen, and the heat map is a picture."""
    page = tmp_path / "report.html"
    run(faulty, "--like", "torch", "--html", page)
    measure = "document.title = [document.documentElement.scrollWidth, innerWidth, document.images[0].naturalWidth]"
    wide, screen, picture = measured(page, measure, 412)
    assert wide <= screen <= 500
    assert picture >= 160


def measured(page: Path, measure: str, width: int) -> list[int]:
    """What a script that writes numbers into the title finds in a window of this width."""
    shown = page.with_name(f"{width}-{page.name}")
    shown.write_text(page.read_text().replace("</body>", f"<script>{measure}</script></body>"))
    own = [f"--user-data-dir={page.parent / 'profile'}", f"--window-size={width},900", "--dump-dom"]
    arguments = [str(BROWSER), *QUIET, *own, shown.as_uri()]
    done = subprocess.run(arguments, capture_output=True, text=True, check=True, timeout=120)
    return [*map(int, done.stdout.split("<title>")[1].split("</title>")[0].split(","))]


@pytest.mark.skipif(BROWSER is None, reason="needs Chromium")
@pytest.mark.parametrize("width", [412, 1280])
def test_the_page_of_the_demo(tmp_path: Path, width: int) -> None:
    """Nothing is wider than the window, all details are shown at one size, and no name is cut."""
    from fastup.cli import cases, demo, demo_page

    x = np.random.default_rng(0).integers(0, 256, (1, 3, 24, 32), np.uint8)
    ran = [demo.run_case(case, x, tmp_path) for case in cases.CASES[::3]]
    demo_page.write(tmp_path / "index.html", x, ran, [], demo._machine(), "a picture of noise")
    measure = """
        const pairs = [...document.querySelectorAll(".pair img")].map(one => one.getBoundingClientRect());
        const sizes = pairs.flatMap(one => [Math.round(one.width), Math.round(one.height)]);
        const names = [...document.querySelectorAll("figcaption b")];
        const cut = names.filter(one => one.scrollWidth > one.clientWidth).length;
        document.title = [document.documentElement.scrollWidth, innerWidth, Math.min(...sizes), Math.max(...sizes), cut,
                          pairs.length];
    """
    wide, window, smallest, largest, cut, pictures = measured(tmp_path / "index.html", measure, width)
    assert wide <= window
    assert smallest > 100
    assert largest - smallest <= 1
    assert (cut, pictures) == (0, 2 * len(ran))


@pytest.mark.skipif(BROWSER is None, reason="needs Chromium")
@pytest.mark.parametrize(("width", "columns"), [(412, 2), (1280, 4)])
def test_the_page_of_the_matrix(tmp_path: Path, width: int, columns: int) -> None:
    """One runtime at a time on a phone, all of them where there is room."""
    from fastup.cli.verify import matrix_page

    names = ("onnxruntime", "reference", "openvino")
    long = "refused with " + "a_long_word_of_a_runtime_" * 6
    cells = {f"Resize mode=cubic rank={k}": dict.fromkeys(names, long) for k in range(5)}
    page = tmp_path / "matrix.html"
    page.write_text(matrix_page(cells, {"onnx": "1"}))
    measure = """
        const shown = [...document.querySelectorAll("thead th")].filter(one => one.offsetParent !== null).length;
        document.title = [document.documentElement.scrollWidth, innerWidth, shown];
    """
    wide, window, shown = measured(page, measure, width)
    assert wide <= window
    assert shown == columns
