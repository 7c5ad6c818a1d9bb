"""How exact the sums are, and the laws that tie the operators together, over random calls."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

import fastup
from fastup.runtime.kernel import target_has
from tests import oracles_conv

Array = np.ndarray[Any, Any]
SWEEP = settings(deadline=None, max_examples=200, suppress_health_check=[HealthCheck.filter_too_much])


@st.composite
def calls(draw: Any, rank: int) -> tuple[tuple[int, ...], tuple[int, ...], dict[str, Any]]:
    """Space, kernel and keywords of one transposed convolution of small integers, whose sums are exact."""

    def numbers(low: int, high: int) -> tuple[int, ...]:
        return tuple(draw(st.integers(low, high)) for _ in range(rank))

    space, kernel = numbers(1, (12, 7, 4)[rank - 1]), numbers(1, (9, 5, 3)[rank - 1])
    stride, dilation, padding = numbers(1, 5), numbers(1, 3), numbers(0, 4)
    more = tuple(draw(st.integers(0, max(s, d) - 1)) for s, d in zip(stride, dilation, strict=True))
    sizes = zip(space, kernel, stride, dilation, padding, more, strict=True)
    assume(all((n - 1) * s - 2 * p + d * (k - 1) + m + 1 > 0 for n, k, s, d, p, m in sizes))
    keywords = {"stride": stride, "padding": padding, "output_padding": more, "dilation": dilation}
    return space, kernel, keywords


def integers(shape: tuple[int, ...], seed: int) -> Array:
    return np.random.default_rng(seed).integers(-5, 6, shape).astype(np.float64)


@pytest.mark.parametrize("rank", [1, 2, 3])
@pytest.mark.parametrize("groups", [1, 2])
def test_transposed_convolution_in_all_its_forms(rank: int, groups: int) -> None:
    """The definition, zeros stuffed between the entries, and the sub-pixel form: equal to the last bit on integers."""

    @SWEEP
    @given(calls(rank))
    def check(call: Any) -> None:
        space, kernel, keywords = call
        x, w = integers((2, 2 * groups, *space), 1), integers((2 * groups, 3, *kernel), 2)
        y = getattr(fastup, f"conv_transpose{rank}d")(x, w, groups=groups, **keywords)
        np.testing.assert_array_equal(y, oracles_conv.conv_transpose(x, w, groups=groups, **keywords))
        if groups == 1:
            np.testing.assert_array_equal(_by_stuffing(x, w, y.shape[2:], **keywords), y)
            sub, padding = fastup.transposed_to_subpixel(w, **keywords)
            z = getattr(fastup, f"subpixel_conv{rank}d")(x, sub, upscale_factor=keywords["stride"], padding=padding)
            np.testing.assert_array_equal(z[(..., *(slice(n) for n in y.shape[2:]))], y)

    check()


def _by_stuffing(x: Array, w: Array, size: tuple[int, ...], **keywords: Any) -> Array:
    """A stride-1 convolution of the stuffed input with the kernel turned round; zeros beyond reach the whole size."""
    rank, d = x.ndim - 2, keywords["dilation"]
    reach = [dd * (k - 1) for dd, k in zip(d, w.shape[2:], strict=True)]
    stuffed = np.pad(fastup.zero_stuff(x, keywords["stride"]), [(0, 0), (0, 0), *((r, r + 5) for r in reach)])
    turned = np.ascontiguousarray(np.flip(w, tuple(range(2, w.ndim))).swapaxes(0, 1))
    full = getattr(fastup, f"conv{rank}d")(stuffed, turned, dilation=d)
    kept = tuple(slice(p, p + n) for p, n in zip(keywords["padding"], size, strict=True))
    return full[(..., *kept)]  # type: ignore[no-any-return]


@pytest.mark.parametrize("rank", [1, 2, 3])
def test_the_adjoint(rank: int) -> None:
    """The inner products of conv(x) with y and of x with conv_transpose(y) are equal."""

    @SWEEP
    @given(calls(rank), st.sampled_from((1, 2)))
    def check(call: Any, groups: int) -> None:
        space, kernel, keywords = call
        w = integers((2 * groups, 3, *kernel), 3)
        y = integers((1, 2 * groups, *space), 4)
        back = getattr(fastup, f"conv_transpose{rank}d")(y, w, groups=groups, **keywords)
        x = integers(back.shape, 5)
        del keywords["output_padding"]
        forth = getattr(fastup, f"conv{rank}d")(x, w, groups=groups, **keywords)
        assume(forth.shape == y.shape)  # an output padding of a stride or more adds positions
        assert (forth * y).sum() == (x * back).sum()

    check()


@pytest.mark.parametrize("rank", [1, 2, 3])
def test_weights_turned_there_and_back(rank: int) -> None:
    @SWEEP
    @given(calls(rank))
    def check(call: Any) -> None:
        space, kernel, keywords = call
        factors, padding = keywords["stride"], keywords["padding"]
        assume(all(n + 2 * p >= k for n, p, k in zip(space, padding, kernel, strict=True)))
        w = integers((2 * int(np.prod(factors)), 3, *kernel), 6)
        x = integers((1, 3, *space), 7)
        y = getattr(fastup, f"subpixel_conv{rank}d")(x, w, upscale_factor=factors, padding=padding)
        turned, pads = fastup.subpixel_to_transposed(w, factors, padding)
        np.testing.assert_array_equal(
            getattr(fastup, f"conv_transpose{rank}d")(x, turned, stride=factors, padding=pads), y
        )

    check()


EXACT: list[tuple[str, tuple[int, ...], tuple[int, ...], dict[str, Any]]] = [
    ("conv2d", (1, 48, 24, 24), (48, 48, 3, 3), {"padding": 1}),
    ("conv2d", (2, 64, 17, 33), (64, 1, 3, 3), {"padding": 1, "groups": 64}),
    ("conv1d", (1, 256, 100), (16, 256, 9), {"stride": 2}),
    ("conv_transpose2d", (1, 64, 16, 16), (64, 32, 4, 4), {"stride": 2, "padding": 1}),
    ("conv_transpose2d", (1, 512, 4, 4), (512, 64, 4, 4), {"stride": 2, "padding": 1}),
    ("conv_transpose2d", (1, 56, 18, 32), (56, 1, 9, 9), {"stride": 3, "padding": 4, "output_padding": 2}),
    ("conv_transpose1d", (1, 200, 30), (200, 1, 1024), {"stride": 256}),
    ("conv_transpose3d", (1, 32, 4, 6, 6), (32, 16, 2, 2, 2), {"stride": 2}),
]


@pytest.mark.parametrize(("op", "shape", "weight", "keywords"), EXACT, ids=str)
def test_sums_are_as_exact_as_their_length_allows(
    op: str, shape: Any, weight: Any, keywords: Any, generator: np.random.Generator, torch: Any
) -> None:
    """The error of a sum of n products stays below sqrt(n) eps |x| |w|, and on the whole is no larger than torch's."""
    x, w = generator.standard_normal(shape, np.float32), generator.standard_normal(weight, np.float32)
    run = getattr(fastup, op)
    exact = run(x.astype(np.float64), w.astype(np.float64), **keywords)
    size = run(np.abs(x).astype(np.float64), np.abs(w).astype(np.float64), **keywords)
    taps = np.prod(weight[2:]) * (weight[1] if op.startswith("conv2") or op.startswith("conv1") else weight[0])
    error = np.abs(run(x, w, **keywords) - exact)
    assert (error <= np.sqrt(taps) * np.finfo(np.float32).eps * size).all()
    theirs = getattr(torch.nn.functional, op)(torch.from_numpy(x), torch.from_numpy(w), **keywords).numpy()
    # torch multiplies and adds in one rounding; without that instruction each product is rounded too.
    allowed = 1.02 if target_has("fma") else 1.2
    assert np.sqrt(np.mean(error**2)) <= allowed * np.sqrt(np.mean((theirs - exact) ** 2))


@pytest.mark.parametrize("kernel", [11, 13, 17, 23, 31, (1, 127)], ids=str)
def test_kernels_of_many_taps_are_summed_in_parts(kernel: Any, generator: np.random.Generator) -> None:
    """Of positive numbers one accumulator of 961 products is off by 27 units in the last place, parts of 97 by 4."""
    kernel = kernel if isinstance(kernel, tuple) else (kernel, kernel)
    for channels, groups in ((8, 8), (4, 1)):
        x = generator.random((1, channels, 40, 140), np.float32)
        w = generator.random((channels, channels // groups, *kernel), np.float32)
        exact = fastup.conv2d(x.astype(np.float64), w.astype(np.float64), groups=groups)
        error = np.abs(fastup.conv2d(x, w, groups=groups) - exact) / exact
        assert error.max() < 8 * 2.0**-24
