"""Stages that turn a row of any dtype into floats and back, with the edges repeated as far as a filter reaches.

``params`` of `load`: pixels; copies of the first and of the last pixel; items per pixel; bytes from pixel to pixel and
from item to item; whether the bytes of an item are swapped; bytes to the row that comes next; the kind of item, where
the kernel has several.
"""

from __future__ import annotations

from typing import Any

from fastup.cpu.simd.item_kinds import COMPUTED, ITEMS, KINDS, SIZES, WIDE, reader, writer
from fastup.cpu.simd.moves import fetch, flush, load_item
from fastup.cpu.simd.pointers import SEEN_AS, as_float32, as_float64, as_uint8
from fastup.runtime.fields import Fields
from fastup.runtime.kernel import inline, intrinsic, kernel

LOAD = Fields("pixels before after items pixel_stride item_stride swapped ahead kind")
STORE = Fields("items swapped kind")
_SHORT_PIXEL = 16  # items
_MOST_AHEAD = 2**12  # bytes; from there on the processor has seen where a row leads
# Kinds that share a kernel: a rare one does not cost every user a kernel of its own.
GROUPS = (
    *((kind,) for kind in KINDS[: KINDS.index("uint32")]),
    ("uint32", "int32", "uint64", "int64"),
    tuple(kind for kind in KINDS if kind.startswith(WIDE)),
)
GROUP_OF = tuple(next(number for number, group in enumerate(GROUPS) if kind in group) for kind in KINDS)
_CODES = tuple(range(len(GROUPS)))


@intrinsic
def _swapped(_, item):
    """The item with its bytes in the other order."""

    def generate(_context, builder, _signature, arguments):
        return builder.bswap(arguments[0])

    return item(item), generate


@intrinsic
def _same_bits(_, item, like):
    """The item's bits as the unsigned integer of its size, or back."""

    def generate(context, builder, signature, arguments):
        return builder.bitcast(arguments[0], context.get_value_type(signature.return_type))

    return like(item, like), generate


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
def set_load(params, pixels, items, pixel_stride, item_stride, swapped, kind):
    """What `load` is told of pixels without edges."""
    params[LOAD.pixels], params[LOAD.before], params[LOAD.after], params[LOAD.items] = pixels, 0, 0, items
    params[LOAD.pixel_stride], params[LOAD.item_stride] = pixel_stride, item_stride
    params[LOAD.swapped], params[LOAD.ahead], params[LOAD.kind] = swapped, 0, kind


def loader(kind: int) -> Any:
    """The kernel that loads items of a kind, by its number."""
    return load("uint8", GROUP_OF[kind])


def storer(kind: int) -> Any:
    """The kernel that stores items of a kind, by its number."""
    return store("uint8", GROUP_OF[kind])


def _by_kind(group, field, function_of):
    """The function ``(params, source, target, begin, number)`` of the kind that a field of the parameters tells."""
    kind = KINDS.index(group[0])
    first = function_of(kind)
    if len(group) == 1:
        return first
    others = _by_kind(group[1:], field, function_of)

    @inline
    def chosen(params, source, target, begin, number):
        if params[field] == kind:
            first(params, source, target, begin, number)
        else:
            others(params, source, target, begin, number)

    return chosen


def _view_of(kind):
    """A buffer as items of a kind; halves as their bits."""
    item = ITEMS[kind]
    return SEEN_AS["uint16" if item in ("float16", "bfloat16") else "uint8" if item == "bytes" else item]


def _run_reader(kind):
    source_view, read = _view_of(kind), reader(KINDS[kind])

    @inline
    def read_run(params, src, line, first, count):
        row = source_view(src, 0)
        for k in range(count):
            line[first + k] = read(row[k])

    return read_run


def _item_reader(kind):
    source_view, read, size = _view_of(kind), reader(KINDS[kind]), SIZES[kind]
    raw_view = SEEN_AS[f"uint{8 * size}"]

    @inline
    def read_item(params, src, line, at, place):
        value = load_item(raw_view(src, place), 0)
        if params[LOAD.swapped] and size > 1:
            value = _swapped(value)
        line[at] = read(_same_bits(value, source_view(src, 0)[0]))

    return read_item


@kernel("uint8", "uint8", elements=("uint8",), group=_CODES)
def load(group):
    """A row of pixels as floats (bytes as bytes), with its first and last pixel repeated."""
    kinds = GROUPS[group]
    first_kind = KINDS.index(kinds[0])
    target_view = {"uint8": as_uint8, "float32": as_float32, "float64": as_float64}[COMPUTED[first_kind]]
    sizes = tuple(SIZES[KINDS.index(kind)] for kind in kinds)
    read_run, read_item = _by_kind(kinds, LOAD.kind, _run_reader), _by_kind(kinds, LOAD.kind, _item_reader)

    @inline
    def size_of_item(params):
        return sizes[0] if len(sizes) == 1 else sizes[params[LOAD.kind] - first_kind]

    @inline
    def scattered(params, src, dst, first):
        count, inner = params[LOAD.pixels], params[LOAD.items]
        apart, step, to_next, to_inner = params[LOAD.pixel_stride], params[LOAD.item_stride], inner, 1
        if inner < _SHORT_PIXEL:  # the inner loop is to be the longer one
            count, inner, apart, step, to_next, to_inner = inner, count, step, apart, 1, inner
        for outer in range(count):
            for k in range(inner):
                read_item(params, src, dst, first + outer * to_next + k * to_inner, outer * apart + k * step)

    def body(params, src, dst, start, stop):
        items, size = params[LOAD.items], size_of_item(params)
        line = target_view(dst, 0)
        first, count = params[LOAD.before] * items, params[LOAD.pixels] * items
        if params[LOAD.swapped] == 0 and params[LOAD.item_stride] == size and params[LOAD.pixel_stride] == size * items:
            read_run(params, src, line, first, count)
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


def _storing(kind):
    source_view = {"uint8": as_uint8, "float32": as_float32, "float64": as_float64}[COMPUTED[kind]]
    target_view, size = _view_of(kind), SIZES[kind]
    raw_view = SEEN_AS[f"uint{8 * size}"]
    write = writer(KINDS[kind])
    streams = KINDS[kind] in ("bytes", "float32", "float64")

    @inline
    def store_row(params, src, dst, begin, count):
        line, row, raw = source_view(src, 0), target_view(dst, 0), raw_view(dst, 0)
        if params[STORE.swapped] and size > 1:
            for k in range(count):
                raw[k] = _swapped(_same_bits(write(line[k]), raw[0]))
        elif streams:
            flush(line, count, row, 0)
        else:
            for k in range(count):
                row[k] = write(line[k])

    return store_row


@kernel("uint8", "uint8", elements=("uint8",), group=_CODES)
def store(group):
    """A row of floats (bytes) as items of their kind; "bytes", "float32" and "float64" past the caches."""
    store_row = _by_kind(GROUPS[group], STORE.kind, _storing)

    def body(params, src, dst, start, stop):
        store_row(params, src, dst, 0, params[STORE.items])

    return body
