"""``fastup show``: nodes, words, sizes, shares."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

import pytest

pytest.importorskip("onnxruntime")
onnx = pytest.importorskip("onnx")
pytest.importorskip("click.testing")

import fastup  # noqa: E402
import fastup.export  # noqa: E402
from tests.test_cli import invoke  # noqa: E402


def test_words_sizes_and_shares() -> None:
    """ESPCN: all products are of its convolutions, the shuffle moves bytes."""
    network = fastup.networks.ESPCN(3)
    found = fastup.export.show(fastup.export.to_onnx(network, (1, 1, 20, 24)))
    assert [(line.words, line.input_shape, line.output_shape) for line in found.lines] == [
        ("conv2d(weight of (9, 32, 3, 3), padding=(1, 1))", (1, 32, 20, 24), (1, 9, 20, 24)),
        ("pixel_shuffle(3)", (1, 9, 20, 24), (1, 1, 60, 72)),
    ]
    assert found.products == 20 * 24 * (64 * 25 + 32 * 64 * 9 + 9 * 32 * 9)
    assert found.lines[0].products == pytest.approx(20 * 24 * 9 * 32 * 9 / found.products)
    assert found.lines[1].products == 0
    assert 0 < found.lines[1].bytes < 0.5


@pytest.mark.parametrize(("mode", "taps"), [("nearest", 0), ("bilinear", 4), ("bicubic", 16)])
def test_a_resize_alone_is_all_of_a_model(mode: str, taps: int) -> None:
    model = fastup.export.interpolate((1, 3, 8, 8), scale_factor=2, mode=mode, lowering="native")
    found = fastup.export.show(model)
    (line,) = found.lines
    assert found.products == taps * 3 * 16 * 16
    assert line.products == (1.0 if taps else 0.0)
    assert found.bytes >= 4 * 3 * (64 + 256)


def test_open_dimensions_are_chosen() -> None:
    model = fastup.export.interpolate(("N", 3, "H", "W"), scale_factor=2)
    found = fastup.export.show(model, shapes={"x": (2, 3, 5, 7)})
    assert found.lines[0].output_shape == (2, 3, 10, 14)
    assert fastup.export.show(model).chosen


def test_the_command(tmp_path: Path) -> None:
    model = fastup.export.to_onnx(fastup.networks.UNet(3, 2, (4, 8, 16)), (1, 3, 32, 32))
    (tmp_path / "net.onnx").write_bytes(model.SerializeToString())
    text = invoke("show", tmp_path / "net.onnx", "--svg", tmp_path / "net.svg", "--html", tmp_path / "net.html")
    assert text.startswith("2 of ")
    assert len(text.splitlines()) <= 12
    drawing = ElementTree.parse(tmp_path / "net.svg")
    boxes = drawing.findall(".//{http://www.w3.org/2000/svg}rect")
    assert len(boxes) == 2
    assert "conv_transpose2d" in (tmp_path / "net.html").read_text()
    (tmp_path / "bad.onnx").write_bytes(b"no model")
    assert "is not an ONNX model" in invoke("show", tmp_path / "bad.onnx", status=2)
