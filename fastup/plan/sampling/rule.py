"""A library's rule of sampling, in place of torch's."""

from __future__ import annotations

from abc import ABC, abstractmethod

from fastup.plan.base import Array


class Rule(ABC):
    """Which input positions an output position reads, and with which weights.

    Rules are frozen dataclasses: axes are compared by them.

    Attributes
    ----------
    bits : int
        Binary digits behind the point of integer weights; 0 where weights are floats.
    copies : bool
        Whether every output position is one input position as it is.
    in_steps : bool
        Whether products are rounded before they are added, the first tap first, and taps of weight 0 are read too.
    blend : str
        Of sums `in_steps`, how rows are put together: "in steps"; "backward", from the last tap on; "bytes linear",
        "bytes exact linear", "bytes exactly" and "bytes cubic", OpenCV's; "lerp", ``a + (b - a) * weight``;
        "fused lerp", with one rounding.
    sums_bytes : bool
        Of sums `in_steps` along rows: whether weights are integers of less than 16 bits, with which sums of bytes are
        whole numbers that float32 holds.
    lanes : int
        Of "backward" and "bytes cubic": items of the vectors that a library runs; what a row has beyond whole ones is
        summed forward.
    """

    bits: int = 0
    copies: bool = False
    in_steps: bool = False
    blend: str = "in steps"
    sums_bytes: bool = False
    lanes: int = 0

    @abstractmethod
    def most_taps(self, n_in: int, n_out: int) -> int:
        """Upper bound of the input positions that one output position reads."""

    @abstractmethod
    def taps(self, position: Array, n_in: int, n_out: int) -> tuple[Array, Array]:
        """First input position and weights of each output position; positions beyond the input read its edge.

        Weights of `bits` are integers, others floats. Those of absent taps are 0, or NaN of sums `in_steps`.
        """
