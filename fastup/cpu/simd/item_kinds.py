"""Kinds of item: what numbers they are computed in, and how one is read as such a number and written back."""

from __future__ import annotations

import numpy as np

from fastup.runtime.kernel import inline, intrinsic, target_has

# Kinds of item that come in and go out, by their place here; "bytes" stay as they are.
KINDS = (
    "bytes", "float32", "float64", "float16", "bfloat16",
    "uint8", "int8", "uint16", "int16", "uint32", "int32", "uint64", "int64",
    "wide uint8", "wide int8", "wide uint16", "wide int16", "wide float16", "wide bfloat16", "wide float32",
)  # fmt: skip
SIZES = (1, 4, 8, 2, 2, 1, 1, 2, 2, 4, 4, 8, 8, 1, 1, 2, 2, 2, 2, 4)
WIDE = "wide "  # of items that float32 holds, but whose weights or sums have more digits
# What they are computed in: float32 has all integers of 16 bits, float64 most of the others.
COMPUTED = tuple(
    "uint8"
    if kind == "bytes"
    else "float64"
    if size == 8 or kind in ("uint32", "int32") or kind.startswith(WIDE)
    else "float32"
    for kind, size in zip(KINDS, SIZES, strict=True)
)
ITEMS = tuple(kind.removeprefix(WIDE) for kind in KINDS)
_RANGES = {name: (float(np.iinfo(name).min), float(np.iinfo(name).max)) for name in ITEMS if "int" in name}


@intrinsic
def _float_of_half(_, bits):
    from llvmlite import ir
    from numba import types

    def generate(_context, builder, _signature, arguments):
        if target_has("f16c"):
            return builder.fpext(builder.bitcast(arguments[0], ir.HalfType()), ir.FloatType())
        word = ir.IntType(32)
        wide = builder.zext(arguments[0], word)
        magnitude = builder.shl(builder.and_(wide, word(0x7FFF)), word(13))
        # The exponent's bias grows by 112; the product also makes normal numbers of denormal ones.
        scaled = builder.fmul(builder.bitcast(magnitude, ir.FloatType()), ir.FloatType()(2.0**112))
        raised = builder.bitcast(scaled, word)
        special = builder.icmp_unsigned(">=", magnitude, word(0x7C00 << 13))
        raised = builder.select(special, builder.or_(raised, word(0x7F800000)), raised)
        sign = builder.shl(builder.and_(wide, word(0x8000)), word(16))
        return builder.bitcast(builder.or_(raised, sign), ir.FloatType())

    return types.float32(bits), generate


@intrinsic
def _half_of_float(_, value):
    from llvmlite import ir
    from numba import types

    def generate(_context, builder, _signature, arguments):
        if target_has("f16c"):
            return builder.bitcast(builder.fptrunc(arguments[0], ir.HalfType()), ir.IntType(16))
        word = ir.IntType(32)
        bits = builder.bitcast(arguments[0], word)
        magnitude = builder.and_(bits, word(0x7FFFFFFF))
        # Round half to even at bit 13, and take 112 from the exponent.
        odd = builder.and_(builder.lshr(magnitude, word(13)), word(1))
        rounded = builder.lshr(builder.add(builder.add(magnitude, word(0xFFF - (112 << 23))), odd), word(13))
        # Below 2**-14 the sum with 0.5 rounds at 2**-24, the step of denormal halves.
        summed = builder.fadd(builder.bitcast(magnitude, ir.FloatType()), ir.FloatType()(0.5))
        small = builder.sub(builder.bitcast(summed, word), word(0x3F000000))
        result = builder.select(builder.icmp_unsigned("<", magnitude, word(0x38800000)), small, rounded)
        result = builder.select(builder.icmp_unsigned(">=", magnitude, word(0x47800000)), word(0x7C00), result)
        result = builder.select(builder.icmp_unsigned(">", magnitude, word(0x7F800000)), word(0x7E00), result)
        sign = builder.and_(builder.lshr(bits, word(16)), word(0x8000))
        return builder.trunc(builder.or_(result, sign), ir.IntType(16))

    return types.uint16(value), generate


@intrinsic
def _float_of_bfloat(_, bits):
    from llvmlite import ir
    from numba import types

    def generate(_context, builder, _signature, arguments):
        word = ir.IntType(32)
        return builder.bitcast(builder.shl(builder.zext(arguments[0], word), word(16)), ir.FloatType())

    return types.float32(bits), generate


@intrinsic
def _bfloat_of_float(_, value):
    """Round half to even; the processor's own instruction would flush denormal numbers to zero."""
    from llvmlite import ir
    from numba import types

    def generate(_context, builder, _signature, arguments):
        word = ir.IntType(32)
        bits = builder.bitcast(arguments[0], word)
        odd = builder.and_(builder.lshr(bits, word(16)), word(1))
        rounded = builder.lshr(builder.add(builder.add(bits, word(0x7FFF)), odd), word(16))
        quiet = builder.or_(builder.lshr(bits, word(16)), word(0x40))
        is_nan = builder.fcmp_unordered("uno", arguments[0], arguments[0])
        return builder.trunc(builder.select(is_nan, quiet, rounded), ir.IntType(16))

    return types.uint16(value), generate


def reader(kind):
    """Item of this kind -> float, or byte -> byte."""
    halves = {"float16": _float_of_half, "bfloat16": _float_of_bfloat}
    if kind in halves:
        widened = halves[kind]
        return inline(lambda bits: widened(bits))
    if kind.removeprefix(WIDE) in halves:
        widened = halves[kind.removeprefix(WIDE)]
        return inline(lambda bits: np.float64(widened(bits)))
    if COMPUTED[KINDS.index(kind)] == "float64":
        return inline(lambda item: np.float64(item))
    if kind == "bytes":
        return inline(lambda item: item)
    return inline(lambda item: np.float32(item))


def writer(kind):
    """Float -> item of this kind: integers are rounded half to even and saturate."""
    item = kind.removeprefix(WIDE)
    halves = {"float16": _half_of_float, "bfloat16": _bfloat_of_float}
    if item in halves:
        narrowed = halves[item]
        return inline(lambda value: narrowed(np.float32(value)))
    if kind == "wide float32":
        return inline(lambda value: np.float32(value))
    if item not in _RANGES:
        return inline(lambda value: value)
    double = COMPUTED[KINDS.index(kind)] == "float64"
    f = np.float64 if double else np.float32
    low, high = (f(bound) for bound in _RANGES[item])
    grid = f(1.5 * 2.0**22)  # what a sum of small integers errs by in float64 is far below the grid's step of 2**-30
    # Adding and taking away a number whose step is 1 rounds half to even; a float64 from 2**52 on is whole as it is.
    magic, whole = f(1.5 * 2.0**23), f(2.0**52)
    largest, integer = np.iinfo(item).max, getattr(np, item)

    @inline
    def rounded_float(value):
        return (value + magic) - magic

    @inline
    def rounded_double(value):
        if abs(value) >= whole:
            return value
        return (value + whole) - whole if value >= 0 else (value - whole) + whole

    @inline
    def rounded_wide(value):
        on_grid = (value + grid) - grid
        return (on_grid + magic_double) - magic_double

    magic_double = f(1.5 * 2.0**52)
    to_whole = rounded_wide if kind.startswith(WIDE) else rounded_double if double else rounded_float

    @inline
    def write(value):
        rounded = to_whole(value)
        if rounded >= high:  # as floats 2**63 and 2**64, which no integer of theirs holds
            return integer(largest)
        return integer(max(rounded, low))

    return write
