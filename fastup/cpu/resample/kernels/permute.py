"""Weighted sums of neighbours that LLVM would gather: whole vectors are loaded and permuted in registers.

A block of outputs, one vector, reads per tap items from one short stretch of the row. The stretch is loaded as one
vector (or as two), and a permutation that the table holds brings each item to its lane: one load and one permutation
where a gather would be a load an item.
"""

from __future__ import annotations

from fastup.cpu.simd.vectors import call, fma, in_order, load, moved, plus, repeated, store, vector
from fastup.runtime.kernel import intrinsic, target_has

_SIZES = {"float32": 4, "float64": 8}


def block_bytes() -> int:
    """Bytes of a block's vector."""
    return 64 if target_has("avx512f") else 32


def lanes(computed: str) -> int:
    """Outputs of a block."""
    return block_bytes() // _SIZES[computed]


def place_type(computed: str) -> str:
    """The integers that name places: AVX2 moves a float64 as two halves."""
    return "int64" if computed == "float64" and target_has("avx512f") else "int32"


class _Permutation:
    """Each lane takes the item at its place, of one vector or of two that lie one after the other."""

    def __init__(self, builder, kind, places, pair):
        from llvmlite import ir

        self.builder, self.kind, self.places, self.pair = builder, kind, places, pair
        self.count, self.vector = block_bytes() // (8 if str(kind) == "double" else 4), None
        self.vector = vector(kind, self.count)
        if pair and not target_has("avx512f"):
            most = places.type.count - 1
            self.beyond = builder.icmp_unsigned(">", places, ir.Constant(places.type, [most] * (most + 1)))

    def __call__(self, pointer):
        """The lanes' items of what lies at an address."""
        from llvmlite import ir

        near = load(self.builder, pointer, self.kind, self.count)
        far = None
        if self.pair:
            far = load(self.builder, self.builder.gep(pointer, [ir.IntType(64)(self.count)]), self.kind, self.count)
        if target_has("avx512f"):
            return self._of_avx512(near, far)
        return self._of_avx2(near, far)

    def _of_avx512(self, near, far):
        letter = {"float": "s", "double": "d"}[str(self.kind)]
        if far is None:
            return call(self.builder, f"llvm.x86.avx512.permvar.{letter}f.512", near.type, [near, self.places])
        name = f"llvm.x86.avx512.vpermi2var.p{letter}.512"
        return call(self.builder, name, near.type, [near, self.places, far])

    def _of_avx2(self, near, far):
        chosen = self._permuted(near)
        if far is not None:
            chosen = self.builder.select(self.beyond, self._permuted(far), chosen)
        return self.builder.bitcast(chosen, self.vector)

    def _permuted(self, values):
        """By the last three bits of each place."""
        from llvmlite import ir

        builder, words = self.builder, vector(ir.FloatType(), 8)
        values = builder.bitcast(values, words)
        if target_has("avx2"):
            return call(builder, "llvm.x86.avx2.permps", words, [values, self.places])
        result = ir.Constant(words, ir.Undefined)
        for lane in range(8):
            number = ir.Constant(ir.IntType(32), lane)
            place = builder.and_(builder.extract_element(self.places, number), ir.Constant(ir.IntType(32), 7))
            result = builder.insert_element(result, builder.extract_element(values, place), number)
        return result


def _places(builder, block, name):
    """The places of the lanes, with which a block begins."""
    from llvmlite import ir

    bits = 64 if place_type(name) == "int64" else 32
    return load(builder, block, ir.IntType(bits), 8 * block_bytes() // bits)


def _is_read(builder, by, in_steps):
    """Which lanes' taps are: weights are not 0; or of sums in steps, no NaN."""
    from llvmlite import ir

    if in_steps:
        return builder.fcmp_ordered("ord", by, by)
    return builder.fcmp_unordered("une", by, ir.Constant(by.type, [0.0] * by.type.count))


def permuted_sum(taps, pair, rows=1, adds=False, in_steps=False):
    """A helper ``(line, line_step, begin, apart, block, dst, target_step, index, whole, count)`` for a block of rows.

    So many `rows` lie `line_step` bytes from each other, and their results `target_step`. The items of tap k lie within
    a vector (with `pair`: two) from ``line[begin + k * apart]`` on. `block` points to the places of the lanes and to
    the weights, tap by tap. `taps` is 2, 4, or 0 for `count`, summed in sequence; there a weight of 0, which only taps
    from `whole` on have, stands for a tap that is not read; NaN where sums are rounded `in_steps`. With `adds` the sums
    begin with what `dst` holds.
    """
    add = plus if in_steps else fma

    @intrinsic
    def block_sum(_, line, line_step, begin, apart, block, dst, target_step, index, whole, count):
        from llvmlite import ir
        from numba import types

        def generate(context, builder, _signature, arguments):
            line, line_step, begin, apart, block, dst, target_step, index, whole, count = arguments
            kind, word, name = context.get_value_type(element), ir.IntType(64), str(element)
            size = lanes(name)
            permuted = _Permutation(builder, kind, _places(builder, block, name), pair)
            lines = [moved(builder, line, number, line_step) for number in range(rows)]
            targets = [builder.gep(moved(builder, dst, number, target_step), [index]) for number in range(rows)]

            def values(tap):
                place = builder.add(begin, builder.mul(tap, apart))
                return [permuted(builder.gep(one, [place])) for one in lines]

            def weight(tap):
                distance = builder.mul(builder.add(tap, word(1)), word(block_bytes()))
                return load(builder, builder.gep(block, [distance]), kind, size)

            def added(tap, totals, all_are_read):
                by = weight(tap)
                sums = [add(builder, one, by, total) for one, total in zip(values(tap), totals, strict=True)]
                if all_are_read:
                    return sums
                read = _is_read(builder, by, in_steps)
                return [builder.select(read, one, total) for one, total in zip(sums, totals, strict=True)]

            def further(start, stop, totals, all_are_read):
                def step(k, sums):
                    return added(builder.add(k, start), sums, all_are_read)

                return repeated(builder, builder.sub(stop, start), totals, step)

            if adds:
                totals = [load(builder, target, kind, size) for target in targets]
                totals = further(word(0), count, totals, False)
            else:
                first, *rest = in_order(taps) if taps else [0]
                by = weight(word(first))
                totals = [builder.fmul(one, by) for one in values(word(first))]
                for tap in rest:
                    totals = added(word(tap), totals, True)
                if not taps:
                    totals = further(word(1), whole, totals, True)
                    totals = further(whole, count, totals, False)
            for total, target in zip(totals, targets, strict=True):
                store(builder, total, target)
            return context.get_dummy_value()

        element, long = dst.dtype, types.intp
        return types.void(line, long, long, long, block, dst, long, long, long, long), generate

    return block_sum
