"""Plans: equality, the cache, pickling, what they tell without running."""

from __future__ import annotations

import pickle
from typing import Any

import numpy as np
import pytest

import fastup
from fastup.plan import base
from fastup.plan import cache as plan_cache


def test_plans_of_other_results_differ() -> None:
    """The size of an unpooling follows from nothing else that its plan holds."""
    sizes = (8, 9)
    first, second = (fastup.plan.max_unpool2d((1, 3, 4, 4), "float32", 2, 2, output_size=n) for n in sizes)
    assert first != second
    assert [plan.output_shape[-1] for plan in (first, second)] == [*sizes]


@pytest.mark.quick
def test_equal_arguments_give_the_same_plan() -> None:
    first = fastup.plan.interpolate((1, 3, 8, 8), "float32", scale_factor=2)
    assert fastup.plan.interpolate([1, 3, 8, 8], np.float32, None, 2.0) is first
    assert fastup.plan.interpolate(np.array([1, 3, 8, 8]), np.dtype("f4"), scale_factor=np.float64(2)) is first
    by_size = fastup.plan.interpolate((1, 3, 8, 8), "float32", size=(16, 16))
    assert by_size.output_shape == first.output_shape
    assert by_size != first  # the factor sets the sampling scale, the size does not


def test_equality_and_hash_are_the_arguments() -> None:
    plan = fastup.plan.pixel_shuffle((1, 8, 3, 3), "uint8", 2)
    again = base.Plan.with_channels_last(plan)
    assert plan != again
    copy = pickle.loads(pickle.dumps(plan))
    assert copy == plan
    assert hash(copy) == hash(plan)
    assert copy is not plan


def test_pickles_leave_addresses_behind() -> None:
    plan = fastup.plan.interpolate((1, 3, 8, 8), "float32", size=13)
    x = np.arange(192, dtype=np.float32).reshape(1, 3, 8, 8)
    expected = fastup.run(plan, x)
    assert plan.backend_cache
    copy = pickle.loads(pickle.dumps(plan))
    assert copy.backend_cache == {}
    np.testing.assert_array_equal(fastup.run(copy, x), expected)


def test_wrong_kinds_do_not_reach_the_cache() -> None:
    """2.0 and True equal 2 and 1 as keys; they must not find their plans."""
    x = np.zeros((1, 4, 3, 3), np.float32)
    fastup.pixel_shuffle(x, 2)
    fastup.pixel_shuffle(x, 1)
    for wrong in (2.0, True, np.float32(2)):
        with pytest.raises(TypeError):
            fastup.pixel_shuffle(x, wrong)
    fastup.interpolate(x, 2)
    for wrong in (2.0, True):
        with pytest.raises(TypeError):
            fastup.interpolate(x, wrong)


def test_tables_are_read_only() -> None:
    plan = fastup.plan.interpolate((1, 1, 9), "float32", size=20)
    with pytest.raises(ValueError, match="read-only"):
        plan.indices[0][0] = 5


def test_the_cache_is_bounded_by_bytes() -> None:
    cache = plan_cache._Cache(100_000)
    plans: list[Any] = [fastup.plan.interpolate((1, 1, 500), "float32", size=n) for n in range(1000, 1030)]
    for plan in plans:
        cache.put((plan.size,), plan)
        assert cache._bytes <= 100_000
    assert 0 < len(cache) < 30
    assert cache.get((plans[-1].size,)) is plans[-1]
    assert cache.get((plans[0].size,)) is None
    huge = fastup.plan.interpolate((1, 1, 500), "float32", size=50_000, mode="linear")
    fastup.run(huge, np.ones((1, 1, 500), np.float32))
    cache.put(("huge",), huge)
    assert cache.get(("huge",)) is None


def test_the_least_recently_used_plan_goes_first() -> None:
    plans = {n: fastup.plan.interpolate((1, 1, n), "float32", size=100) for n in (10, 11, 12, 13)}
    for n, plan in plans.items():
        fastup.run(plan, np.ones((1, 1, n), np.float32))
    cache = plan_cache._Cache(3 * (max(map(plan_cache.weight, plans.values())) + plan_cache._KEY_BYTES))
    for n in (10, 11, 12):
        cache.put((n,), plans[n])
    cache.get((10,))
    cache.put((13,), plans[13])
    assert [n for n in plans if cache.get((n,))] == [10, 12, 13]


def test_plans_are_weighed_again_after_they_were_used() -> None:
    cache = plan_cache._Cache(2**19)
    plans = [fastup.plan.interpolate((1, 1, 900), "float32", size=20_000 + n) for n in range(8)]
    for n, plan in enumerate(plans):
        cache.put((n,), plan)
        fastup.run(plan, np.ones((1, 1, 900), np.float32))
    cache.put(("last",), fastup.plan.interpolate((1, 1, 5), "float32", size=6))
    held = [plan for n, plan in enumerate(plans) if cache.get((n,))]
    assert 0 < len(held) < len(plans)
    assert sum(map(plan_cache.weight, held)) <= 2**19


def test_a_plan_keeps_few_launches() -> None:
    from fastup import cpu

    plan = fastup.plan.interpolate((1, 1, 4, 4), "uint8", size=7)
    memory = np.arange(100000, dtype=np.uint8)
    out = np.empty((1, 1, 7, 7), np.uint8)
    for step in range(1, 60):
        x = np.lib.stride_tricks.as_strided(memory, (1, 1, 4, 4), (1, 1, 5 * step, step))
        fastup.run(plan, x, out)
        np.testing.assert_array_equal(out, fastup.run(plan, x.copy()))
    assert len(plan.backend_cache) <= cpu._STRIDES_PER_PLAN
