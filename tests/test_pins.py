"""What must not change without being meant; ``python -m tests.make_pins`` writes a deliberate change, which is seen."""

from __future__ import annotations

import json
import pickle

import onnx
import pytest

import fastup
from fastup.plan import Plan
from fastup.runtime.kernel import target_has
from tests import make_pins

PLANS: list[Plan] = [
    fastup.plan.interpolate((1, 3, 20, 21), "float32", (33, 17), mode="bicubic", antialias=True),
    fastup.plan.interpolate((1, 3, 20, 21), "uint8", scale_factor=2, mode="bilinear", window=(slice(3, 9), slice(4))),
    fastup.plan.pixel_shuffle((1, 12, 5, 5), "uint8", 2),
    fastup.plan.conv2d((2, 6, 14, 15), "float32", (8, 3, 3, 3), padding="same", groups=2, activation="prelu"),
    fastup.plan.conv_transpose2d((2, 6, 14, 15), "float64", (6, 4, 4, 4), stride=2, window=(slice(3, 9), slice(4))),
    fastup.plan.max_pool3d((1, 2, 8, 8, 8), "int16", 2, return_indices=True),
    fastup.plan.max_unpool1d((1, 2, 8), "float32", 2),
    fastup.plan.zero_stuff((1, 2, 8), "float32", 2),
    fastup.plan.upsample_argmax((1, 5, 8, 8), "float32", 20, boxes_shape=(1, 4)),
]


def test_signatures() -> None:
    assert [*make_pins.signatures()] == (make_pins.FOLDER / "signatures.txt").read_text().splitlines()


@pytest.mark.quick
@pytest.mark.skipif(not target_has("fma"), reason="without FMA the last bits differ")
def test_bits_of_results() -> None:
    assert make_pins.digests() == json.loads((make_pins.FOLDER / "results.json").read_text())


def test_bytes_of_models() -> None:
    stored = json.loads((make_pins.FOLDER / "models.json").read_text())
    if stored.pop("onnx") != onnx.__version__:
        pytest.skip("another version of onnx may write the same model in other bytes")
    assert make_pins.models() == stored


@pytest.mark.quick
@pytest.mark.parametrize("plan", PLANS, ids=lambda plan: plan.operator)
def test_plans_survive_a_pickle(plan: Plan) -> None:
    content = pickle.dumps(plan)
    copy = pickle.loads(content)
    assert copy == plan
    assert copy.outputs == plan.outputs
    assert copy.backend_cache == {}
    assert len(content) < 20_000
