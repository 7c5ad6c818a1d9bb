"""One axis of a convolution as phases: what each output position reads, whatever the operator.

Output position ``o = up * q + p`` of phase p is ``sum_t weight[tap] * x[step * q + shift]``. A convolution has one
phase and a step of its stride; a transposed convolution has as many phases as its stride and a step of 1, each phase
with the taps whose input position is whole; a sub-pixel convolution has as many phases as its factor, all with the same
taps.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple, overload

from fastup.plan.lazy import lazy


class Phase(NamedTuple):
    """The taps of the output positions of one phase, in the order of the input."""

    taps: tuple[int, ...]  # places in the kernel
    shifts: tuple[int, ...]  # input position of each, less step * q
    number: int = 0  # which phase of the whole axis it is: its weights, where phases have their own


@dataclass(frozen=True)
class SpreadPhases(Sequence[Phase]):
    """The phases of a transposed convolution, made when they are asked for: there may be any number of them.

    Attributes
    ----------
    size : int
        Phases that have outputs.
    kernel, stride, dilation : int
    start : int
        Where phase 0 stands on the axis that reads the padded input: the padding, and what a window leaves out.
    held : int
        The first input position that there is.
    """

    size: int
    kernel: int
    stride: int
    dilation: int
    start: int
    held: int = 0

    def __len__(self) -> int:
        return self.size

    @overload
    def __getitem__(self, number: int) -> Phase: ...

    @overload
    def __getitem__(self, number: slice) -> tuple[Phase, ...]: ...

    def __getitem__(self, number: int | slice) -> Phase | tuple[Phase, ...]:
        if isinstance(number, slice):
            return tuple(self[k] for k in range(*number.indices(self.size)))
        if not 0 <= number < self.size:
            raise IndexError(number)
        place = number + self.start
        taps = self._taps.get(place % self.stride, ())
        return Phase(taps, tuple((place - k * self.dilation) // self.stride - self.held for k in taps), number)

    @lazy
    def _taps(self) -> dict[int, tuple[int, ...]]:
        """By the remainder of a position, the taps that read the input there; other positions read nothing."""
        found: dict[int, tuple[int, ...]] = {}
        for k in reversed(range(self.kernel)):
            remainder = k * self.dilation % self.stride
            found[remainder] = (*found.get(remainder, ()), k)
        return found

    def live(self) -> list[int]:
        """The phases that have taps."""
        places = ((remainder - self.start) % self.stride for remainder in self._taps)
        return sorted(place for place in places if place < self.size)


class PhasedAxis(NamedTuple):
    """Sizes and phases of one axis."""

    n_in: int
    n_out: int
    up: int
    step: int
    phases: Sequence[Phase]

    @property
    def live(self) -> Iterable[int]:
        """The phases that may have taps."""
        return self.phases.live() if isinstance(self.phases, SpreadPhases) else range(len(self.phases))


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
    up = max(1, min(stride, n_out))  # where there are fewer outputs than phases, each output is one
    return PhasedAxis(n_in, n_out, up, 1, SpreadPhases(up, kernel, stride, dilation, padding[0]))


def sub_pixel(n_in: int, kernel: int, factor: int, padding: tuple[int, int]) -> PhasedAxis:
    """``y[factor * q + p] = sum_k w_p[k] * x[q - before + k]``."""
    n_out = (n_in + sum(padding) - kernel + 1) * factor
    taps = tuple(range(kernel))
    shifts = tuple(k - padding[0] for k in taps)
    return PhasedAxis(n_in, n_out, factor, 1, tuple(Phase(taps, shifts, number) for number in range(factor)))


def window(axis: PhasedAxis, start: int, stop: int) -> PhasedAxis:
    """The output positions from `start` to `stop` alone: phases change places where `start` is amid a period."""
    if isinstance(axis.phases, SpreadPhases):
        up = max(1, min(axis.phases.stride, stop - start))
        moved = replace(axis.phases, size=up, start=axis.phases.start + start)
        return axis._replace(n_out=stop - start, up=up, phases=moved)
    phases = []
    for p in range(axis.up):
        periods, number = divmod(p + start, axis.up)
        phase = axis.phases[number]
        phases.append(phase._replace(shifts=tuple(shift + axis.step * periods for shift in phase.shifts)))
    return axis._replace(n_out=stop - start, phases=tuple(phases))


def reads(axis: PhasedAxis) -> tuple[int, int]:
    """The input positions, from and to, that the axis reads; the first one where all that it reads is zeros."""
    low, high = axis.n_in, 0
    for p in axis.live:
        if p >= axis.n_out:
            continue
        phase = axis.phases[p]
        last = axis.step * (-(-(axis.n_out - p) // axis.up) - 1)
        for shift in phase.shifts:
            begin = shift if shift >= 0 else shift % axis.step
            end = min(axis.n_in - 1, shift + last)
            if begin <= end:
                low, high = min(low, begin), max(high, end - (end - begin) % axis.step + 1)
    return (low, high) if low < high else (0, min(1, axis.n_in))


def number_of(axes: Sequence[PhasedAxis], phase: tuple[int, ...]) -> int:
    """The place of a phase of several axes among all of them, as a weight with one kernel per phase has them."""
    number = 0
    for axis, p in zip(axes, phase, strict=True):
        number = number * axis.up + axis.phases[p].number
    return number


def on_part(axis: PhasedAxis, start: int, stop: int) -> PhasedAxis:
    """The same axis for an input of which only these positions are there."""
    if isinstance(axis.phases, SpreadPhases):
        return axis._replace(n_in=stop - start, phases=replace(axis.phases, held=start))
    phases = tuple(phase._replace(shifts=tuple(s - start for s in phase.shifts)) for phase in axis.phases)
    return axis._replace(n_in=stop - start, phases=phases)


def taps_of(axis: PhasedAxis) -> Hashable:
    """What the arrangement of a weight depends on: the taps of each phase, wherever they read the input."""
    if isinstance(axis.phases, SpreadPhases):
        phases = axis.phases
        return (len(phases), phases.kernel, phases.stride, phases.dilation, phases.start % phases.stride)
    return tuple((phase.taps, phase.number) for phase in axis.phases)
