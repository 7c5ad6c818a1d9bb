"""ONNX's pads, auto_pad and output_shape, as numbers before and after each axis."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

AUTO = ("NOTSET", "SAME_UPPER", "SAME_LOWER", "VALID")


class Windows(NamedTuple):
    """What Conv, ConvTranspose and the poolings say of their windows, per axis."""

    kernel: tuple[int, ...]
    stride: tuple[int, ...]
    dilation: tuple[int, ...]
    before: tuple[int, ...]
    after: tuple[int, ...]

    @property
    def reach(self) -> tuple[int, ...]:
        """Positions from the first to the last of a window."""
        return tuple(d * (k - 1) + 1 for d, k in zip(self.dilation, self.kernel, strict=True))


def windows(
    op: str,
    kernel: Sequence[int],
    space: Sequence[int],
    strides: Sequence[int] | None,
    dilations: Sequence[int] | None,
    pads: Sequence[int] | None,
    auto_pad: str | None,
) -> Windows:
    """The windows over an input of this spatial shape."""
    rank = len(kernel)
    stride, dilation = tuple(strides or (1,) * rank), tuple(dilations or (1,) * rank)
    pads = tuple(pads or (0,) * (2 * rank))
    auto_pad = auto_pad or "NOTSET"
    if auto_pad not in AUTO:
        raise ValueError(f"{op}: auto_pad must be one of {', '.join(AUTO)}, got {auto_pad!r}")
    if not len(stride) == len(dilation) == len(space) == rank or len(pads) != 2 * rank:
        raise ValueError(f"{op}: strides, dilations and pads must fit a kernel of {rank} axes and x, got {pads}")
    found = Windows(tuple(kernel), stride, dilation, pads[:rank], pads[rank:])
    if auto_pad == "NOTSET":
        return found
    if auto_pad == "VALID":
        return found._replace(before=(0,) * rank, after=(0,) * rank)
    sizes = zip(space, stride, found.reach, strict=True)
    totals = [max(0, (-(-n // s) - 1) * s + reach - n) for n, s, reach in sizes]
    return found._replace(**_split(totals, auto_pad == "SAME_UPPER"))


def transposed(
    found: Windows, space: Sequence[int], more: Sequence[int], wanted: Sequence[int], upper: bool
) -> Windows:
    """The same with the pads that give a wanted output; `upper` puts what is odd at the end."""
    sizes = zip(space, found.stride, found.reach, more, wanted, strict=True)
    totals = [s * (n - 1) + extra + reach - size for n, s, reach, extra, size in sizes]
    return found._replace(**_split(totals, upper))


def _split(totals: Sequence[int], upper: bool) -> dict[str, tuple[int, ...]]:
    halves = tuple(total // 2 for total in totals)
    rests = tuple(total - half for total, half in zip(totals, halves, strict=True))
    return {"before": halves, "after": rests} if upper else {"before": rests, "after": halves}
