"""Cells of convolutions: weights are packed, or constants of a session, before the clock runs."""

from __future__ import annotations

from typing import Any

from benchmarks import peers
from benchmarks.cell import Array, Cell, NetworkCell, Way


def _torch(cell: Cell, x: Array, y: Array) -> Way:
    import torch

    weight = peers.tensor_of(cell.arrays()["weight"])
    rank, given = x.ndim - 2, cell.keywords

    def each(name: str, default: int) -> list[int]:
        value = given.get(name, default)
        return list(value) if isinstance(value, tuple) else [value] * rank

    transposed = cell.operator.startswith("conv_transpose")
    rest = (
        each("stride", 1), each("padding", 0), each("dilation", 1), transposed, each("output_padding", 0),
        given.get("groups", 1),
    )  # fmt: skip

    def convolve(t: Any) -> Any:
        return torch.ops.aten.convolution(t, weight, None, *rest)

    def into(t: Any, out: Any) -> Any:
        return torch.ops.aten.convolution.out(t, weight, None, *rest, out=out)

    if not cell.operator.startswith("subpixel"):
        return peers.torch(cell, x, y, convolve, into)
    factor = given["upscale_factor"]
    return peers.torch(
        cell,
        x,
        y,
        lambda t: torch.nn.functional.pixel_shuffle(convolve(t), factor),
        lambda t, out: torch.ops.aten.pixel_shuffle.out(convolve(t), factor, out=out),
    )


_PEERS = {**peers.EXPORTED, "torch": _torch}


def _cell(op: str, shape: tuple[int, ...], weight: tuple[int, ...], target: float, **keywords: Any) -> Cell:
    # Sums of up to 4,608 products of numbers near 1 in another order; OpenVINO's and torch's own differ as much.
    return Cell(op, shape, keywords, target=target, peers=_PEERS, tolerance=1e-4, operands={"weight": weight})


CELLS = (
    _cell("conv_transpose2d", (1, 64, 128, 128), (64, 32, 4, 4), 1.5, stride=2, padding=1),
    _cell("conv_transpose2d", (1, 128, 64, 64), (128, 64, 2, 2), 1.2, stride=2),
    _cell("conv_transpose2d", (1, 512, 8, 8), (512, 256, 4, 4), 1.05, stride=2, padding=1),
    _cell("conv_transpose2d", (1, 56, 180, 320), (56, 1, 9, 9), 2, stride=3, padding=4, output_padding=2),
    _cell("conv_transpose2d", (1, 21, 64, 64), (21, 1, 16, 16), 2, stride=8, groups=21),
    _cell("conv_transpose2d", (1, 32, 64, 64), (32, 32, 3, 3), 2, stride=2, dilation=2),
    _cell("conv_transpose3d", (1, 64, 16, 32, 32), (64, 32, 2, 2, 2), 1.3, stride=2),
    _cell("conv_transpose1d", (1, 256, 1024), (256, 128, 16), 1.3, stride=8),
    _cell("conv_transpose1d", (1, 1026, 224), (1026, 1, 1024), 2, stride=256),
    _cell("subpixel_conv2d", (1, 32, 360, 640), (27, 32, 3, 3), 1.8, upscale_factor=3, padding=1),
    _cell("subpixel_conv2d", (1, 32, 360, 640), (12, 32, 3, 3), 1.8, upscale_factor=2, padding=1),
    _cell("subpixel_conv2d", (1, 32, 360, 640), (48, 32, 3, 3), 1.8, upscale_factor=4, padding=1),
    _cell("conv2d", (1, 48, 96, 96), (48, 48, 3, 3), 1.05, padding=1),
    _cell("conv2d", (1, 64, 256, 256), (64, 64, 3, 3), 1.05, padding=1),
)


def _network(cell: Cell, x: Array, _y: Array) -> Way:
    """A network allocates what its layers give; it takes no `out`."""
    if not isinstance(cell, NetworkCell):
        raise TypeError(f"{cell.title} is no network")
    network = cell.network
    return Way(lambda: network(x), lambda: network(x), lambda: network(x))


NETWORKS = (
    NetworkCell(
        "ESPCN",
        (1, 1, 360, 640),
        {"upscale_factor": 3},
        target=1.2,
        peers=peers.EXPORTED,
        tolerance=1e-4,
        ours=_network,
    ),
)
