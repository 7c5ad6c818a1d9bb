"""ITK: SimpleITK's Resample of 2.5 with spacing and origin such that the outer edges of both pictures coincide."""

from __future__ import annotations

import functools

from fastup.plan.conventions.record import Convention, Request
from fastup.plan.conventions.steps import Step, resample
from fastup.plan.sampling.libraries.itk import ItkLinear, ItkNearest

_NUMBERS = ("uint8", "int8", "uint16", "int16", "uint32", "int32", "float32", "float64")


def _nearest(request: Request) -> tuple[Step, ...]:
    return (resample(request.shape, request.dtype, (ItkNearest(False), ItkNearest(True)), request.size),)


def _linear(request: Request) -> tuple[Step, ...]:
    """In float64; integers lose their fraction."""
    rules = (ItkLinear(False), ItkLinear(True))
    rounding = "toward zero" if request.dtype.kind in "iu" else "half even"
    return (resample(request.shape, request.dtype, rules, request.size, double=True, rounding=rounding),)


def _call(name: str) -> str:
    return f"SimpleITK.Resample(image, size, Transform(), SimpleITK.sitk{name}, origin, spacing)"


CONVENTIONS = tuple(
    Convention(f"itk/{name.lower()}", _call(name), _NUMBERS, "ITK has no such pixels here", functools.partial(build))
    for name, build in (("Nearest", _nearest), ("Linear", _linear))
)
