"""One axis of a convolution as phases: what each output position reads, whatever the operator.

Output position ``o = up * q + p`` of phase p is ``sum_t weight[tap] * x[step * q + shift]``. A convolution has one
phase and a step of its stride; a transposed convolution has as many phases as its stride and a step of 1, each phase
with the taps whose input position is whole; a sub-pixel convolution has as many phases as its factor, all with the same
taps.
"""

from __future__ import annotations

from typing import NamedTuple


class Phase(NamedTuple):
    """The taps of the output positions of one phase, in the order of the input."""

    taps: tuple[int, ...]  # places in the kernel
    shifts: tuple[int, ...]  # input position of each, less step * q


class PhasedAxis(NamedTuple):
    """Sizes and phases of one axis."""

    n_in: int
    n_out: int
    up: int
    step: int
    phases: tuple[Phase, ...]


def convolution(n_in: int, kernel: int, stride: int, padding: tuple[int, int], dilation: int) -> PhasedAxis:
    """``y[o] = sum_k w[k] * x[o * stride - before + k * dilation]``."""
    n_out = (n_in + sum(padding) - dilation * (kernel - 1) - 1) // stride + 1
    taps = tuple(range(kernel))
    return PhasedAxis(n_in, n_out, 1, stride, (Phase(taps, tuple(k * dilation - padding[0] for k in taps)),))


def transposed(
    n_in: int, kernel: int, stride: int, padding: tuple[int, int], output_padding: int, dilation: int
) -> PhasedAxis:
    """``y[o] = sum_k w[k] * x[(o + before - k * dilation) / stride]`` over the k for which the position is whole."""
    n_out = (n_in - 1) * stride - sum(padding) + dilation * (kernel - 1) + output_padding + 1
    phases = []
    for phase in range(stride):
        taps = tuple(k for k in reversed(range(kernel)) if (phase + padding[0] - k * dilation) % stride == 0)
        phases.append(Phase(taps, tuple((phase + padding[0] - k * dilation) // stride for k in taps)))
    return PhasedAxis(n_in, n_out, stride, 1, tuple(phases))


def sub_pixel(n_in: int, kernel: int, factor: int, padding: tuple[int, int]) -> PhasedAxis:
    """``y[factor * q + p] = sum_k w_p[k] * x[q - before + k]``."""
    n_out = (n_in + sum(padding) - kernel + 1) * factor
    taps = tuple(range(kernel))
    return PhasedAxis(n_in, n_out, factor, 1, (Phase(taps, tuple(k - padding[0] for k in taps)),) * factor)
