"""Convolutions of wide layers: stage the input, multiply pixels with the weights of many output channels.

A work item is a block of rows of one strip of columns of one output slice, for a range of panels of output channels of
one group and one image. Its input is staged with zeros around the picture, as ``[slice][row][column][channel]``, or as
``[channel][slice][row][column]`` where channels come first: a tap is one offset into it either way, and the next pixel
lies a constant distance further, whatever the stride. `gemm_wide` writes a row of pixels of one phase and panel: into
the result itself where nothing is left to do, else into z, from where it is copied; where channels come first, `turn`
makes rows of channels of it, which are woven with those of the other phases.

Phase p has output position ``up * t + p`` at lattice position t, which reads from ``step * (first + t)`` on. ``table``
holds three addresses: packed weights, and biases and slopes per panel, phase and channel. Lists that `params` names by
their place are in it, behind the numbers below.
"""

from __future__ import annotations

from fastup.cpu.conv.kernels import gemm, gemm_wide, interleave_phases, transpose
from fastup.cpu.simd.digits import digits, words
from fastup.cpu.simd.moves import clear, publish
from fastup.cpu.simd.pointers import address, as_int64, at, call_stage, pointer_to, view
from fastup.runtime.kernel import inline, kernel

(
    TOTAL, ROW_BLOCKS, STRIPS, SLICES, RANGES, GROUPS, NUMBER_SIZE, LAYERS, ITEMS,
    SOURCE_IMAGE, SOURCE_GROUP, SOURCE_LAYER, SOURCE_SLICE, SOURCE_ROW, SOURCE_PIXEL,
    TARGET_IMAGE, TARGET_CHANNEL, TARGET_SLICE, TARGET_ROW, TARGET_PIXEL, GROUP_OUT,
    IN_SLICES, IN_ROWS, IN_COLUMNS, OUT_SLICES, OUT_ROWS, OUT_COLUMNS,
    UP_SLICES, UP_ROWS, UP_COLUMNS, STEP_SLICES, STEP_ROWS, STEP_COLUMNS,
    FIRST_SLICE, FIRST_ROW, FIRST_COLUMN, STAGED_SLICES, STAGED_ROWS, STAGED_COLUMNS,
    ROWS, BLOCK_ROWS, COLUMNS, STRIP, PANELS, RANGE, PANEL_LIST, PAIRS, PHASE_LIST, GROUP_WEIGHTS, GROUP_BIASES,
    LOAD, LOAD_PARAMS, ACTIVATE, STORE, SWAPPED, STORED_SIZE, JOIN, STREAM, DIRECT, TURN, LINE,
    STAGED_AT, Z_AT, TURNED_AT, STORED_AT, JOIN_AT, LINE_AT,
) = range(67)  # fmt: skip
PARAMS = 67
# A panel of output channels: its kernel, channels of its vectors and of the result, the first of them, and the numbers
# of weights and of biases before it.
KERNEL, WIDTH, OUTPUTS, FIRST_OUTPUT, WEIGHTS_BEFORE, BIASES_BEFORE, PANEL_ENTRY = range(7)
# A phase: its number on each axis, products, place of their offsets, products of the phases before it, products of an
# accumulator, and at whose multiples one ends. All phases of a pair of slice and row phase stand together.
PHASE_PRODUCTS, PHASE_OFFSETS, PRODUCTS_BEFORE, PHASE_AT_ONCE, PHASE_RUN, PHASE_ENTRY = range(3, 9)
WEIGHTS, BIASES, SLOPES = range(3)


@inline
def stage_pixels(params, header, source, inside, column, target):
    """One row of pixels from this column on, with zeros before and behind the picture."""
    columns, items = params[STAGED_COLUMNS], params[ITEMS]
    before = min(max(0, -column), columns)
    end = max(before, min(columns, params[IN_COLUMNS] - column))
    if inside and end > before:
        clear(target, 0, before * items)
        header[0] = end - before
        first = at(target, before * items * params[NUMBER_SIZE])
        call_stage(params[LOAD], header, at(source, (column + before) * params[SOURCE_PIXEL]), first, source)
        clear(target, end * items, columns * items)
    else:
        clear(target, 0, columns * items)


@inline
def stage_input(params, header, source, depth, row, rows, column, staged):
    """All that an item reads: the slices and rows from its first ones on, layer by layer."""
    for k in range(1, 8):
        header[k] = params[params[LOAD_PARAMS] + k]
    pitch = params[STAGED_COLUMNS] * params[ITEMS]
    needed = params[STAGED_ROWS] - params[STEP_ROWS] * (params[BLOCK_ROWS] - rows)
    for layer in range(params[LAYERS]):
        for s in range(params[STAGED_SLICES]):
            for r in range(needed):
                slice_, line = depth + s, row + r
                inside = slice_ >= 0 and slice_ < params[IN_SLICES] and line >= 0 and line < params[IN_ROWS]
                moved = layer * params[SOURCE_LAYER] + slice_ * params[SOURCE_SLICE] + line * params[SOURCE_ROW]
                place = ((layer * params[STAGED_SLICES] + s) * params[STAGED_ROWS] + r) * pitch
                target = at(staged, place * params[NUMBER_SIZE])
                stage_pixels(params, header, at(source, moved), inside, column, target)


@inline
def finish(params, items, header, z, slopes, stored):
    """Activate items of z in place, and turn them into the result's where those are no floats of its kind."""
    header[0] = items
    if params[ACTIVATE] != 0:
        call_stage(params[ACTIVATE], header, z, slopes, z)
    if params[STORE] != 0:
        header[1] = params[SWAPPED]
        call_stage(params[STORE], header, z, stored, z)


@inline
def deliver(params, panel, pixels, header, joining, z, slopes, stored, target):
    """A row of pixels from z into a result whose channels come last, without the vectors' surplus."""
    finish(params, pixels * panel[WIDTH], header, z, slopes, stored)
    joining[interleave_phases.OUTPUTS], joining[interleave_phases.ROWS], joining[interleave_phases.SOURCE_ROW] = (
        panel[OUTPUTS],
        pixels,
        panel[WIDTH],
    )
    call_stage(params[JOIN], joining, stored if params[STORE] != 0 else z, target, z)


@inline
def turn_pixels(params, panel, number, pixels, header, z, turned):
    """A row of pixels of one column phase from z into rows of channels."""
    header[transpose.PIXELS], header[transpose.CHANNELS], header[transpose.STEP] = pixels, panel[WIDTH], params[LINE]
    place = number * panel[WIDTH] * params[LINE] * params[NUMBER_SIZE]
    call_stage(params[TURN], header, z, at(turned, place), z)


@inline
def weave(params, panel, outputs, header, joining, turned, slopes, stored, line, target):
    """Rows of channels of all column phases into a result whose channels come first."""
    if params[ACTIVATE] != 0 or params[STORE] != 0:
        for number in range(params[UP_COLUMNS]):
            for channel in range(panel[OUTPUTS]):
                place = (number * panel[WIDTH] + channel) * params[LINE]
                slope = at(slopes, (number * panel[WIDTH] + channel) * params[NUMBER_SIZE])
                row = at(turned, place * params[NUMBER_SIZE])
                finish(params, params[LINE], header, row, slope, at(stored, place * params[STORED_SIZE]))
    joining[interleave_phases.OUTPUTS], joining[interleave_phases.CHANNELS] = outputs, panel[OUTPUTS]
    for number in range(params[UP_COLUMNS]):
        joining[interleave_phases.FIRST + 2 * number] = number * panel[WIDTH] * params[LINE]
        joining[interleave_phases.FIRST + 2 * number + 1] = params[LINE]
    call_stage(params[JOIN], joining, stored if params[STORE] != 0 else turned, target, line)


@inline
def begin_joining(params, joining):
    """What all calls of `join` have in common: its rows are pixels, or rows of channels."""
    phases = params[UP_COLUMNS] if params[TURN] != 0 else 1
    for k in range(interleave_phases.FIRST + 2 * phases):
        joining[k] = 0
    joining[interleave_phases.PHASES], joining[interleave_phases.STREAM] = phases, params[STREAM]
    joining[interleave_phases.STEP] = joining[interleave_phases.CHANNELS] = joining[interleave_phases.ROWS] = 1
    joining[interleave_phases.TARGET_ROW] = params[UP_COLUMNS] * params[TARGET_PIXEL] // params[STORED_SIZE]
    joining[interleave_phases.TARGET_CHANNEL] = params[TARGET_CHANNEL] // params[STORED_SIZE]


@inline
def multiply(params, panel, phase, weights, bias, header, staged, z, z_step, pixels):
    """One row of pixels of one phase and panel."""
    header[gemm_wide.PIXELS], header[gemm_wide.PRODUCTS] = pixels, phase[PHASE_PRODUCTS]
    header[gemm_wide.AT_ONCE], header[gemm_wide.RUN] = phase[PHASE_AT_ONCE], phase[PHASE_RUN]
    header[gemm_wide.STEP], header[gemm_wide.Z_STEP] = params[STEP_COLUMNS] * params[ITEMS], z_step
    header[gemm_wide.OFFSETS] = address(words(params, phase[PHASE_OFFSETS])) - address(header)
    header[gemm_wide.BIASES] = address(bias) - address(header)
    call_stage(panel[KERNEL], header, staged, z, weights)


@inline
def make_row(params, panel, pair, table, group, column, columns, header, joining, staged, work, target):
    """One row of the result of one panel: all column phases of a pair of slice and row phase."""
    size, width, phases = params[NUMBER_SIZE], panel[WIDTH], params[UP_COLUMNS]
    z, turned, stored = at(work, params[Z_AT]), at(work, params[TURNED_AT]), at(work, params[STORED_AT])
    first = group * params[GROUP_BIASES] + panel[BIASES_BEFORE] + pair * phases * width
    slopes = at(pointer_to(table, SLOPES, work), first * size)
    for number in range(phases):
        phase = at(words(params, params[PHASE_LIST]), 8 * PHASE_ENTRY * (pair * phases + number))
        passed = group * params[GROUP_WEIGHTS] + panel[WEIGHTS_BEFORE] + phase[PRODUCTS_BEFORE] * width
        weights = at(pointer_to(table, WEIGHTS, work), passed * size)
        bias = at(pointer_to(table, BIASES, work), (first + number * width) * size)
        pixels = min(columns, (params[OUT_COLUMNS] - phases * column - number + phases - 1) // phases)
        place = at(target, (phases * column + number) * params[TARGET_PIXEL])
        direct = params[DIRECT] != 0 and panel[OUTPUTS] == width
        made = view(place, 0, z) if direct else z
        step = joining[interleave_phases.TARGET_ROW] if direct else width
        if pixels > 0:
            multiply(params, panel, phase, weights, bias, header, staged, made, step, pixels)
            if params[TURN] != 0:
                turn_pixels(params, panel, number, pixels, header, z, turned)
            elif not direct:
                deliver(params, panel, pixels, header, joining, z, slopes, stored, place)
    if params[TURN] != 0:
        outputs = min(columns * phases, params[OUT_COLUMNS] - phases * column)
        place = at(target, phases * column * params[TARGET_PIXEL])
        line = at(work, params[LINE_AT])
        if outputs > 0:
            weave(params, panel, outputs, header, joining, turned, slopes, stored, line, place)


@kernel("uint8", "uint8", "uint8", "element", elements=gemm.FLOATS)
def conv_wide():
    """Convolution, transposed convolution and sub-pixel convolution of any rank."""

    def body(params, src, dst, table, work, start, stop):
        header, joining, staged = as_int64(work, 0), as_int64(work, params[JOIN_AT]), at(work, params[STAGED_AT])
        pitch = params[STAGED_COLUMNS] * params[ITEMS] * params[NUMBER_SIZE]
        begin_joining(params, joining)
        for item in range(start, stop):
            block, strip, upper, part, group, image = digits(params, item)
            row, column = block * params[BLOCK_ROWS], strip * params[STRIP]
            rows, columns = min(params[BLOCK_ROWS], params[ROWS] - row), min(params[STRIP], params[COLUMNS] - column)
            source = at(src, image * params[SOURCE_IMAGE] + group * params[SOURCE_GROUP])
            depth = params[STEP_SLICES] * (params[FIRST_SLICE] + upper)
            first_row = params[STEP_ROWS] * (params[FIRST_ROW] + row)
            first_column = params[STEP_COLUMNS] * (params[FIRST_COLUMN] + column)
            stage_input(params, header, source, depth, first_row, rows, first_column, staged)
            target = at(dst, image * params[TARGET_IMAGE] + group * params[GROUP_OUT] * params[TARGET_CHANNEL])
            for place in range(part * params[RANGE], min((part + 1) * params[RANGE], params[PANELS])):
                panel = at(words(params, params[PANEL_LIST]), 8 * PANEL_ENTRY * place)
                for pair in range(params[PAIRS]):
                    phase = at(words(params, params[PHASE_LIST]), 8 * PHASE_ENTRY * pair * params[UP_COLUMNS])
                    out_slice = params[UP_SLICES] * upper + phase[0]
                    for k in range(rows):
                        out_row = params[UP_ROWS] * (row + k) + phase[1]
                        if out_slice < params[OUT_SLICES] and out_row < params[OUT_ROWS]:
                            moved = out_slice * params[TARGET_SLICE] + out_row * params[TARGET_ROW]
                            made = at(target, moved + panel[FIRST_OUTPUT] * params[TARGET_CHANNEL])
                            line = at(staged, k * params[STEP_ROWS] * pitch)
                            make_row(
                                params, panel, pair, table, group, column, columns, header, joining, line, work, made
                            )
        publish()

    return body
