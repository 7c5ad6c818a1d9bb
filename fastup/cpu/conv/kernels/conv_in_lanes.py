"""Convolutions with channels in lanes: stage the input, multiply pixels with the weights of many output channels.

A work item is a block of rows of one strip of columns of one output slice, for a range of panels of output channels of
one group and one image. Its input is staged with zeros around the picture, as ``[slice][row][column][channel]``, or as
``[channel][slice][row][column]`` where channels come first: a tap is one offset into it either way, and the next pixel
lies a constant distance further, whatever the stride. `gemm_in_lanes` writes a row of pixels of one phase and panel:
into the result itself where nothing is left to do, else into z, from where it is copied; where channels come first,
`transpose` makes rows of channels of it, which are woven with those of the other phases.

Phase p has output position ``up * t + p`` at lattice position t, which reads from ``step * (first + t)`` on. ``table``
holds three addresses: packed weights, and biases and slopes per panel, phase and channel. Lists that `params` names by
their place are in it, behind the numbers below.
"""

from __future__ import annotations

from fastup.cpu.conv.kernels import gemm, gemm_in_lanes, interleave_phases, transpose
from fastup.cpu.conv.kernels.interleave_phases import set_phase
from fastup.cpu.simd.convert import LOAD, STORE
from fastup.cpu.simd.digits import CALL, COLUMN, ROW, SLICE, TABLE, digits, list_at
from fastup.cpu.simd.moves import clear, publish
from fastup.cpu.simd.pointers import address, as_int64, at, call_stage, pointer_to, view
from fastup.runtime.fields import Fields
from fastup.runtime.kernel import inline, kernel

P = Fields(
    """
    layers items source_group source_layer staged rows columns strip panels range panel_list pairs phase_list
    group_weights group_biases load_params direct transpose line transposed_at
    """,
    CALL,
    load_params=LOAD,
    staged=3,
)
# A panel of output channels: its kernel, channels of its vectors and of the result, the first of them, and the numbers
# of weights and of biases before it.
PANEL = Fields("kernel width outputs first weights biases")
# A phase: its number on each axis, products, place of their offsets, products of the phases before it, products of an
# accumulator, and at whose multiples one ends. All phases of a pair of slice and row phase stand together.
PHASE = Fields("number products offsets before at_once run", number=3)


@inline
def stage_pixels(params, header, source, inside, column, target):
    """One row of pixels from this column on, with zeros before and behind the picture."""
    columns, items = params[P.staged + COLUMN], params[P.items]
    before = min(max(0, -column), columns)
    end = max(before, min(columns, params[P.inside + COLUMN] - column))
    if inside and end > before:
        clear(target, 0, before * items)
        header[LOAD.pixels] = end - before
        first = at(target, before * items * params[P.number_size])
        call_stage(params[P.load], header, at(source, (column + before) * params[P.source + COLUMN]), first, source)
        clear(target, end * items, columns * items)
    else:
        clear(target, 0, columns * items)


@inline
def stage_input(params, header, source, depth, row, rows, column, staged):
    """All that an item reads: the slices and rows from its first ones on, layer by layer."""
    for k in range(LOAD.size):
        header[k] = params[P.load_params + k]
    pitch = params[P.staged + COLUMN] * params[P.items]
    needed = params[P.staged + ROW] - params[P.step + ROW] * (params[P.block_rows] - rows)
    for layer in range(params[P.layers]):
        for s in range(params[P.staged + SLICE]):
            for r in range(needed):
                slice_, line = depth + s, row + r
                is_slice, is_row = 0 <= slice_ < params[P.inside + SLICE], 0 <= line < params[P.inside + ROW]
                moved = slice_ * params[P.source + SLICE] + line * params[P.source + ROW]
                moved += layer * params[P.source_layer]
                place = ((layer * params[P.staged + SLICE] + s) * params[P.staged + ROW] + r) * pitch
                target = at(staged, place * params[P.number_size])
                stage_pixels(params, header, at(source, moved), is_slice and is_row, column, target)


@inline
def finish(params, items, header, z, slopes, stored):
    """Activate items of z in place, and turn them into the result's where those are no floats of its kind."""
    header[STORE.items] = items  # `activate` takes as many
    if params[P.activate] != 0:
        call_stage(params[P.activate], header, z, slopes, z)
    if params[P.store] != 0:
        header[STORE.swapped] = params[P.swapped]
        call_stage(params[P.store], header, z, stored, z)


@inline
def deliver(params, panel, pixels, header, woven, z, slopes, stored, target):
    """A row of pixels from z into a result whose channels come last, without the vectors' surplus."""
    finish(params, pixels * panel[PANEL.width], header, z, slopes, stored)
    woven[interleave_phases.P.outputs], woven[interleave_phases.P.rows] = panel[PANEL.outputs], pixels
    woven[interleave_phases.P.source_row] = panel[PANEL.width]
    call_stage(params[P.interleave], woven, stored if params[P.store] != 0 else z, target, z)


@inline
def transpose_pixels(params, panel, number, pixels, header, z, transposed):
    """A row of pixels of one column phase from z into rows of channels."""
    header[transpose.P.pixels], header[transpose.P.channels] = pixels, panel[PANEL.width]
    header[transpose.P.step] = params[P.line]
    place = number * panel[PANEL.width] * params[P.line] * params[P.number_size]
    call_stage(params[P.transpose], header, z, at(transposed, place), z)


@inline
def interleave_rows(params, panel, outputs, header, woven, transposed, slopes, stored, line, target):
    """Rows of channels of all column phases into a result whose channels come first."""
    if params[P.activate] != 0 or params[P.store] != 0:
        for number in range(params[P.up + COLUMN]):
            for channel in range(panel[PANEL.outputs]):
                place = (number * panel[PANEL.width] + channel) * params[P.line]
                slope = at(slopes, (number * panel[PANEL.width] + channel) * params[P.number_size])
                row = at(transposed, place * params[P.number_size])
                finish(params, params[P.line], header, row, slope, at(stored, place * params[P.stored_size]))
    woven[interleave_phases.P.outputs], woven[interleave_phases.P.channels] = outputs, panel[PANEL.outputs]
    for number in range(params[P.up + COLUMN]):
        first = number * panel[PANEL.width] * params[P.line]
        set_phase(woven, number, first, params[P.line])
    call_stage(params[P.interleave], woven, stored if params[P.store] != 0 else transposed, target, line)


@inline
def begin_interleaving(params, header):
    """What all calls of `interleave` have in common: its rows are pixels, or rows of channels."""
    phases = params[P.up + COLUMN] if params[P.transpose] != 0 else 1
    for number in range(phases):
        set_phase(header, number, 0, 0)
    header[interleave_phases.P.source_row] = 0
    header[interleave_phases.P.phases], header[interleave_phases.P.stream] = phases, params[P.stream]
    header[interleave_phases.P.step] = header[interleave_phases.P.channels] = header[interleave_phases.P.rows] = 1
    header[interleave_phases.P.target_row] = params[P.up + COLUMN] * params[P.target + COLUMN] // params[P.stored_size]
    header[interleave_phases.P.target_channel] = params[P.target_channel] // params[P.stored_size]


@inline
def multiply(params, panel, phase, weights, bias, header, staged, z, z_step, pixels):
    """One row of pixels of one phase and panel."""
    header[gemm_in_lanes.P.pixels], header[gemm_in_lanes.P.products] = pixels, phase[PHASE.products]
    header[gemm_in_lanes.P.at_once], header[gemm_in_lanes.P.run] = phase[PHASE.at_once], phase[PHASE.run]
    header[gemm_in_lanes.P.step], header[gemm_in_lanes.P.z_step] = params[P.step + COLUMN] * params[P.items], z_step
    header[gemm_in_lanes.P.offsets] = address(list_at(params, phase[PHASE.offsets])) - address(header)
    header[gemm_in_lanes.P.biases] = address(bias) - address(header)
    call_stage(panel[PANEL.kernel], header, staged, z, weights)


@inline
def make_row(params, panel, pair, table, group, column, columns, header, woven, staged, work, target):
    """One row of the result of one panel: all column phases of a pair of slice and row phase."""
    size, width, phases = params[P.number_size], panel[PANEL.width], params[P.up + COLUMN]
    z, transposed, stored = at(work, params[P.z_at]), at(work, params[P.transposed_at]), at(work, params[P.stored_at])
    first = group * params[P.group_biases] + panel[PANEL.biases] + pair * phases * width
    slopes = at(pointer_to(table, TABLE.slopes, work), first * size)
    for number in range(phases):
        phase = at(list_at(params, params[P.phase_list]), PHASE.bytes * (pair * phases + number))
        passed = group * params[P.group_weights] + panel[PANEL.weights] + phase[PHASE.before] * width
        weights = at(pointer_to(table, TABLE.weights, work), passed * size)
        bias = at(pointer_to(table, TABLE.biases, work), (first + number * width) * size)
        pixels = min(columns, (params[P.outside + COLUMN] - phases * column - number + phases - 1) // phases)
        place = at(target, (phases * column + number) * params[P.target + COLUMN])
        direct = params[P.direct] != 0 and panel[PANEL.outputs] == width
        made = view(place, 0, z) if direct else z
        step = woven[interleave_phases.P.target_row] if direct else width
        if pixels > 0:
            multiply(params, panel, phase, weights, bias, header, staged, made, step, pixels)
            if params[P.transpose] != 0:
                transpose_pixels(params, panel, number, pixels, header, z, transposed)
            elif not direct:
                deliver(params, panel, pixels, header, woven, z, slopes, stored, place)
    if params[P.transpose] != 0:
        outputs = min(columns * phases, params[P.outside + COLUMN] - phases * column)
        place = at(target, phases * column * params[P.target + COLUMN])
        line = at(work, params[P.line_at])
        if outputs > 0:
            interleave_rows(params, panel, outputs, header, woven, transposed, slopes, stored, line, place)


@kernel("uint8", "uint8", "uint8", "element", elements=gemm.FLOATS)
def conv_in_lanes():
    """Convolution, transposed convolution and sub-pixel convolution of any rank."""

    def body(params, src, dst, table, work, start, stop):
        header, woven = as_int64(work, 0), as_int64(work, params[P.interleave_at])
        staged = at(work, params[P.staged_at])
        pitch = params[P.staged + COLUMN] * params[P.items] * params[P.number_size]
        begin_interleaving(params, woven)
        for item in range(start, stop):
            block, strip, upper, part, group, image = digits(params, item)
            row, column = block * params[P.block_rows], strip * params[P.strip]
            rows = min(params[P.block_rows], params[P.rows] - row)
            columns = min(params[P.strip], params[P.columns] - column)
            source = at(src, image * params[P.source_image] + group * params[P.source_group])
            depth = params[P.step + SLICE] * (params[P.first + SLICE] + upper)
            first_row = params[P.step + ROW] * (params[P.first + ROW] + row)
            first_column = params[P.step + COLUMN] * (params[P.first + COLUMN] + column)
            stage_input(params, header, source, depth, first_row, rows, first_column, staged)
            target = at(dst, image * params[P.target_image] + group * params[P.group_out] * params[P.target_channel])
            for place in range(part * params[P.range], min((part + 1) * params[P.range], params[P.panels])):
                panel = at(list_at(params, params[P.panel_list]), PANEL.bytes * place)
                for pair in range(params[P.pairs]):
                    phase = at(list_at(params, params[P.phase_list]), PHASE.bytes * pair * params[P.up + COLUMN])
                    out_slice = params[P.up + SLICE] * upper + phase[PHASE.number + SLICE]
                    for k in range(rows):
                        out_row = params[P.up + ROW] * (row + k) + phase[PHASE.number + ROW]
                        if out_slice < params[P.outside + SLICE] and out_row < params[P.outside + ROW]:
                            moved = out_slice * params[P.target + SLICE] + out_row * params[P.target + ROW]
                            made = at(target, moved + panel[PANEL.first] * params[P.target_channel])
                            line = at(staged, k * params[P.step + ROW] * pitch)
                            make_row(
                                params, panel, pair, table, group, column, columns, header, woven, line, work, made
                            )
        publish()

    return body
