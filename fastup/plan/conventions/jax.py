"""JAX: jax.image.resize of 0.10, nearest to the bit and others within 5e-6 of the range: XLA fuses as it likes."""

from __future__ import annotations

import functools

import numpy as np

from fastup.plan.conventions.record import Convention, Request
from fastup.plan.conventions.steps import Cast, Step, resample
from fastup.plan.sampling.libraries.jax import JaxArea, JaxNearest, JaxWeights
from fastup.plan.sampling.rule import Rule

_FLOAT = np.dtype(np.float32)
_DTYPES = ("uint8", "int8", "uint16", "int16", "uint32", "int32", "float16", "bfloat16", "float32")
_INSTEAD = "JAX makes 32-bit numbers of it"
_WITHIN = 5e-6  # of the range: XLA fuses in most lanes of a vector
_METHODS = ("linear", "cubic", "cubic-pytorch", "lanczos3", "lanczos5")


def _build(rule: Rule, request: Request) -> tuple[Step, ...]:
    """Axes that keep their size stay as they are."""
    rules = tuple(None if n == m else rule for n, m in zip(request.shape[1:3], request.size, strict=True))
    if rules == (None, None):
        return () if rule.copies or request.dtype == _FLOAT else (Cast(request.shape, _FLOAT),)
    if rule.copies:
        return (resample(request.shape, request.dtype, (rules[0], rules[1]), request.size),)
    cast = () if request.dtype == _FLOAT else (Cast(request.shape, _FLOAT),)
    return (*cast, resample(request.shape, _FLOAT, (rules[0], rules[1]), request.size))


def _row(name: str, rule: Rule, options: str = "") -> Convention:
    method = name.partition("-no_antialias")[0]
    call = f"jax.image.resize(image, shape, {method!r}{options})"
    result, within = ("", 0.0) if rule.copies else ("float32", _WITHIN)
    return Convention(f"jax/{name}", call, _DTYPES, _INSTEAD, functools.partial(_build, rule), (), result, within)


CONVENTIONS = (
    _row("nearest", JaxNearest()),
    *(_row(name, JaxWeights(name, True)) for name in _METHODS),
    *(_row(f"{name}-no_antialias", JaxWeights(name, False), ", antialias=False") for name in _METHODS),
    _row("area", JaxArea()),
)
