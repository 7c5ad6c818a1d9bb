"""Stages that turn a row of any dtype into floats and back, with the edges repeated as far as a filter reaches.

``params`` of `load`: pixels; copies of the first and of the last pixel; items per pixel; bytes from pixel to pixel and
from item to item; whether the bytes of an item are swapped; bytes to the row that comes next.
"""

from __future__ import annotations

import numpy as np

from fastup.cpu.simd.moves import fetch, flush, load_item
from fastup.cpu.simd.pointers import SEEN_AS, as_float32, as_float64, as_uint8, as_uint16
from fastup.runtime.fields import Fields
from fastup.runtime.kernel import inline, intrinsic, kernel, target_has

LOAD, STORE = Fields("pixels before after items pixel_stride item_stride swapped ahead"), Fields("items swapped")
_SHORT_PIXEL = 16  # items
_MOST_AHEAD = 2**12  # bytes; from there on the processor has seen where a row leads
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
_ITEMS = tuple(kind.removeprefix(WIDE) for kind in KINDS)
_RANGES = {name: (float(np.iinfo(name).min), float(np.iinfo(name).max)) for name in _ITEMS if "int" in name}
_CODES = tuple(range(len(KINDS)))


@intrinsic
def _swapped(_, item):
    """The item with its bytes in the other order."""

    def generate(_context, builder, _signature, arguments):
        return builder.bswap(arguments[0])

    return item(item), generate


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


@intrinsic
def _same_bits(_, item, like):
    """The item's bits as the unsigned integer of its size, or back."""

    def generate(context, builder, signature, arguments):
        return builder.bitcast(arguments[0], context.get_value_type(signature.return_type))

    return like(item, like), generate


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


def _writer(kind):
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


@inline
def fetch_next(params, src):
    """Ask for the next row of pixels that lie one after the other: they arrive while this row is worked on.

    The processor follows addresses that grow steadily, not bursts of a row between stores. On Zen 3 bilinear
    channels_last takes 10 to 15 % less so, area x2 a third.
    """
    if params[LOAD.ahead] != 0:
        for k in range(0, min(_MOST_AHEAD, params[LOAD.pixels] * params[LOAD.pixel_stride]), 64):
            fetch(src, params[LOAD.ahead] + k)


@inline
def set_load(params, pixels, items, pixel_stride, item_stride, swapped):
    """What `load` is told of pixels without edges."""
    params[LOAD.pixels], params[LOAD.before], params[LOAD.after], params[LOAD.items] = pixels, 0, 0, items
    params[LOAD.pixel_stride], params[LOAD.item_stride] = pixel_stride, item_stride
    params[LOAD.swapped], params[LOAD.ahead] = swapped, 0


@kernel("uint8", "uint8", elements=("uint8",), kind=_CODES)
def load(kind):
    """A row of pixels as floats (bytes as bytes), with its first and last pixel repeated."""
    name, item_name = KINDS[kind], _ITEMS[kind]
    halves = item_name in ("float16", "bfloat16")
    source_view = SEEN_AS["uint16" if halves else "uint8" if name == "bytes" else item_name]
    target_view = {"uint8": as_uint8, "float32": as_float32, "float64": as_float64}[COMPUTED[kind]]
    raw_view = SEEN_AS[f"uint{8 * SIZES[kind]}"]
    size = SIZES[kind]
    read = reader(name)

    @inline
    def scattered(params, src, dst, first):
        count, inner = params[LOAD.pixels], params[LOAD.items]
        apart, step, to_next, to_inner = params[LOAD.pixel_stride], params[LOAD.item_stride], inner, 1
        if inner < _SHORT_PIXEL:  # the inner loop is to be the longer one
            count, inner, apart, step, to_next, to_inner = inner, count, step, apart, 1, inner
        for outer in range(count):
            for k in range(inner):
                place = outer * apart + k * step
                value = load_item(raw_view(src, place), 0)
                if params[LOAD.swapped] and size > 1:
                    value = _swapped(value)
                dst[first + outer * to_next + k * to_inner] = read(_same_bits(value, source_view(src, 0)[0]))

    def body(params, src, dst, start, stop):
        items = params[LOAD.items]
        line, row = target_view(dst, 0), source_view(src, 0)
        first, count = params[LOAD.before] * items, params[LOAD.pixels] * items
        if params[LOAD.swapped] == 0 and params[LOAD.item_stride] == size and params[LOAD.pixel_stride] == size * items:
            for k in range(count):
                line[first + k] = read(row[k])
            fetch_next(params, src)
        else:
            scattered(params, src, line, first)
        for pixel in range(params[LOAD.before]):
            for item in range(items):
                line[pixel * items + item] = line[first + item]
        end = first + count
        for pixel in range(params[LOAD.after]):
            for item in range(items):
                line[end + pixel * items + item] = line[end - items + item]

    return body


@kernel("uint8", "uint8", elements=("uint8",), kind=_CODES)
def store(kind):
    """A row of floats (bytes) as items of their kind; "bytes", "float32" and "float64" past the caches."""
    name = KINDS[kind]
    source_view = {"uint8": as_uint8, "float32": as_float32, "float64": as_float64}[COMPUTED[kind]]
    halves = _ITEMS[kind] in ("float16", "bfloat16")
    target_view = as_uint16 if halves else SEEN_AS["uint8" if name == "bytes" else _ITEMS[kind]]
    raw_view = SEEN_AS[f"uint{8 * SIZES[kind]}"]
    write = _writer(name)
    size = SIZES[kind]
    streams = name in ("bytes", "float32", "float64")

    def body(params, src, dst, start, stop):
        line, row, raw = source_view(src, 0), target_view(dst, 0), raw_view(dst, 0)
        if params[STORE.swapped] and size > 1:
            for k in range(params[STORE.items]):
                raw[k] = _swapped(_same_bits(write(line[k]), raw[0]))
        elif streams:
            flush(line, params[STORE.items], row, 0)
        else:
            for k in range(params[STORE.items]):
                row[k] = write(line[k])

    return body
