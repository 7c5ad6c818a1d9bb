"""Which stages treat the rows of a convolution: by the dtype that comes in and goes out, and by the activation."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from fastup.cpu.conv.kernels import activate, interleave_phases
from fastup.cpu.simd import convert
from fastup.cpu.simd.item_kinds import KINDS
from fastup.plan import ConvPlan
from fastup.plan.activations import RECORDS
from fastup.plan.base import Array

ITEMS = {2: "uint16", 4: "uint32", 8: "uint64"}  # as which items of so many bytes are moved


class Stages(NamedTuple):
    """Addresses of kernels; 0 where there is nothing to do."""

    load: int
    activate: int
    store: int
    swapped: int  # whether the bytes of items are in the other order


def stages(plan: ConvPlan, computed: np.dtype[Any]) -> Stages:
    """The stages of a plan whose sums are of the dtype `computed`."""
    kind, name = KINDS.index(plan.dtype.name), plan.activation[0]
    family = activate.activate_float if computed == np.float32 else activate.activate_double
    return Stages(
        convert.loader(kind).address,
        0 if name == "none" else family(computed.name, activate.NAMES.index(RECORDS[name].computed_by)).address,
        0 if plan.dtype == computed else convert.storer(kind).address,
        int(not plan.dtype.isnative),
    )


def activated(values: Array, name: str, number: float) -> Array:
    """The function of every value of an array of float32 or float64, as convolutions compute it; in native order."""
    row = values.astype(values.dtype.newbyteorder("="), order="C")
    family = activate.activate_float if row.dtype == np.float32 else activate.activate_double
    beside, params = np.array([number], row.dtype), np.array(activate.P.fill(items=row.size), np.int64)
    entry = family(row.dtype.name, activate.NAMES.index(RECORDS[name].computed_by))
    entry.releasing(params.ctypes.data, row.ctypes.data, beside.ctypes.data, 0, 0, 0, 0)
    return row


def interleaving(itemsize: int, factor: int) -> int:
    """The kernel that weaves rows of so many phases; 0 stands for any number."""
    return interleave_phases.interleave(ITEMS[itemsize], factor if factor in interleave_phases.FACTORS else 0).address
