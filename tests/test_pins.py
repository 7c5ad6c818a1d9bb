"""What must not change without being meant; ``python -m tests.make_pins`` writes a deliberate change, which is seen."""

from __future__ import annotations

import json
import pickle
from typing import Any

import numpy as np
import onnx
import pytest

from fastup.plan import Plan
from fastup.runtime.kernel import target_has
from tests import make_pins
from tests.pinned_calls import numbers
from tests.pinned_plans import OBJECTS, PLANS, results


def lines(name: str) -> list[str]:
    return (make_pins.FOLDER / name).read_text().splitlines()


@pytest.fixture(scope="module")
def stored() -> dict[str, bytes]:
    """Pickles of an earlier version, each by itself."""
    found: dict[str, bytes] = pickle.loads(make_pins.PICKLES.read_bytes())
    return found


def test_signatures() -> None:
    assert make_pins.signatures() == lines("signatures.txt")


def test_docstrings() -> None:
    assert make_pins.documents() == lines("documents.txt")


@pytest.mark.quick
@pytest.mark.skipif(not target_has("fma"), reason="without FMA the last bits differ")
def test_bits_of_results() -> None:
    assert make_pins.digests() == json.loads((make_pins.FOLDER / "results.json").read_text())


def test_bytes_of_models() -> None:
    stored = json.loads((make_pins.FOLDER / "models.json").read_text())
    version = stored.pop("onnx")
    if version != onnx.__version__:
        pytest.skip(f"written with onnx {version}; {onnx.__version__} may write the same model in other bytes")
    assert make_pins.models() == stored


def test_every_pin_has_its_pickle(stored: dict[str, bytes]) -> None:
    assert [*stored] == [*OBJECTS]


@pytest.mark.parametrize("name", PLANS)
def test_plans_of_earlier_pickles_load_and_run(name: str, stored: dict[str, bytes]) -> None:
    plan, made = pickle.loads(stored[name]), PLANS[name]()
    assert type(plan) is type(made)
    assert plan == made
    assert hash(plan) == hash(made)
    assert plan.outputs == made.outputs
    assert plan.whole == made.whole
    assert results(plan) == results(made)


@pytest.fixture
def numpy_2() -> None:
    """Skip where NumPy is too old to read the arrays in the pickles; plans hold none."""
    pytest.importorskip("numpy._core", reason="arrays were pickled by NumPy 2")


def test_weights_of_earlier_pickles_load(stored: dict[str, bytes], numpy_2: None) -> None:
    weight, made = pickle.loads(stored["packed weight"]), OBJECTS["packed weight"]()
    np.testing.assert_array_equal(weight.array, made.array)
    assert type(weight) is type(made)


def test_networks_of_earlier_pickles_load_and_run(stored: dict[str, bytes], numpy_2: None) -> None:
    network, made = pickle.loads(stored["network"]), OBJECTS["network"]()
    x = numbers((1, 2, 8, 10), "float32")
    assert repr(network) == repr(made)
    np.testing.assert_array_equal(network(x), made(x))


@pytest.mark.quick
@pytest.mark.parametrize("name", PLANS)
def test_plans_survive_a_pickle(name: str) -> None:
    plan: Plan = PLANS[name]()
    content = pickle.dumps(plan)
    copy: Any = pickle.loads(content)
    assert copy == plan
    assert copy.outputs == plan.outputs
    assert copy.backend_cache == {}
    assert len(content) < 20_000
