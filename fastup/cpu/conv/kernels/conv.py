"""Convolution of every kind: stage the input, multiply it with all weights, join the phases into output rows.

A work item is a block of rows of one strip of columns of one output slice, for a range of output channels of one group
and one image. Its input is staged as ``[channel][residue][slice][row][column]`` with zeros around the picture, the
columns of a stride taken apart by residue, so that every tap is one offset into it and one column after the other.
Where a row is the whole width, zeros that end it also begin the next one. `gemm` writes one row of z per output channel
and phase; a row of the result is woven from the rows of its phases. Panels whose rows of z make whole rows of the
result are a bundle: its rows are woven as soon as they are made, before they leave L1 or L2.

All of z is computed at input positions j: phase p has output position ``up * (j - base_p) + p`` there. Rows are cut
into blocks of j, columns into strips of output positions. ``table`` holds three addresses: packed weights, and one bias
and one slope per row of z. Lists that `params` names by their place are in it, behind the numbers below.
"""

from __future__ import annotations

from fastup.cpu.conv.kernels import gemm, interleave_phases
from fastup.cpu.simd.digits import digits, words
from fastup.cpu.simd.moves import clear, publish
from fastup.cpu.simd.pointers import address, as_int64, at, call_stage, pointer_to
from fastup.runtime.kernel import inline, kernel

(
    TOTAL, ROW_BLOCKS, STRIPS, SLICES, RANGES, GROUPS,
    GROUP_IN, GROUP_OUT, RANGE, CHANNEL_BLOCK, NUMBER_SIZE,
    SOURCE_IMAGE, SOURCE_CHANNEL, SOURCE_SLICE, SOURCE_ROW,
    TARGET_IMAGE, TARGET_CHANNEL, TARGET_SLICE, TARGET_ROW, TARGET_STEP,
    IN_SLICES, IN_ROWS, OUT_SLICES, OUT_ROWS,
    UP_SLICES, UP_ROWS, UP_COLUMNS, STEP_SLICES, STEP_ROWS,
    FIRST_SLICE, FIRST_ROW, END_ROW, BLOCK_ROWS, STAGED_SLICES, MORE_ROWS,
    PITCH, ROW_COLUMNS, OVERLAP, PLANE, CHANNEL, Z_STEP, VECTOR,
    SLICE_RESIDUES, ROW_RESIDUES, COLUMN_RESIDUES, RESIDUES,
    TAP_LIST, BUNDLES, BUNDLE_LIST, STRIP_LIST,
    GROUP_WEIGHTS, RANGE_WEIGHTS, CHANNEL_WEIGHTS, RANGE_ROWS,
    LOAD, ACTIVATE, STORE, JOIN, STREAM, SWAPPED, STORED_SIZE, ROWS_ON_END, FETCHES,
    STAGED_AT, Z_AT, STORED_AT, JOIN_AT, LINE_AT,
) = range(68)  # fmt: skip
PARAMS = 68
# Entries of the lists. A tap group: taps, place of the offsets of all products of a block of channels, products of an
# accumulator, and at whose multiples one ends.
TAPS, TAP_OFFSETS, TAP_AT_ONCE, TAP_RUN, TAP_ENTRY = range(5)
# A kind of bundle: its output channels, and the places of one with so many and of the last one.
BUNDLE_CHANNELS, BUNDLE_WHOLE, BUNDLE_REST, BUNDLE_ENTRY = 0, 1, 2, 3
# A bundle: rows of z, numbers of weights per input channel, panels and pairs of phases, each with the list's place.
ROWS, WEIGHTS_IN, PANELS, PANEL_LIST, PHASES, PHASE_LIST = range(6)
# A panel: its kernel, first row of the bundle's, tap group, numbers of weights per channel before it.
PANEL_KERNEL, PANEL_ROW, PANEL_TAPS, PANEL_WEIGHTS, PANEL_ENTRY = 0, 1, 2, 3, 4
# A pair of slice and row phase: phase and base of both, then per column phase first row, rows per channel, column.
PHASE_HEAD, COLUMN_ENTRY = 4, 3
# A strip: bytes from the result's row, output columns, then per column residue: bytes, zeros before, and load's.
STRIP_HEAD, LOAD_PARAMS = 2, 8
RESIDUE_ENTRY = 2 + LOAD_PARAMS
WEIGHTS, BIASES, SLOPES = range(3)


@inline
def stage_row(params, strip, source, inside, target):
    """One row of the input, column residue by column residue, with zeros around it."""
    for residue in range(params[COLUMN_RESIDUES]):
        entry = at(strip, 8 * (STRIP_HEAD + residue * RESIDUE_ENTRY))
        line = at(target, residue * params[PLANE] * params[NUMBER_SIZE])
        before, count = entry[1], entry[2]
        if inside and count > 0:
            clear(line, 0, before)
            begin = at(line, before * params[NUMBER_SIZE])
            call_stage(params[LOAD], at(entry, 16), at(source, entry[0]), begin, source)
            clear(line, before + count, params[PITCH])
        else:
            clear(line, 0, params[PITCH])


@inline
def stage_rows_on_end(params, strip, source, row, rows, header, target):
    """Rows that lie in the input as they are staged: one load for all of them, then zeros over what stands beside."""
    begin = min(max(0, -row), rows)
    end = max(begin, min(rows, params[IN_ROWS] - row))
    pitch = params[PITCH]
    for residue in range(params[COLUMN_RESIDUES]):
        entry = at(strip, 8 * (STRIP_HEAD + residue * RESIDUE_ENTRY))
        lines = at(target, residue * params[PLANE] * params[NUMBER_SIZE])
        before, count = entry[1], entry[2]
        clear(lines, 0, begin * pitch)
        clear(lines, end * pitch, rows * pitch)
        if end > begin and count > 0:
            for k in range(LOAD_PARAMS):
                header[k] = entry[2 + k]
            header[0] = (end - begin - 1) * pitch + count
            first = at(lines, (begin * pitch + before) * params[NUMBER_SIZE])
            call_stage(params[LOAD], header, at(source, (row + begin) * params[SOURCE_ROW] + entry[0]), first, source)
        for k in range(begin, end):
            clear(lines, k * pitch, k * pitch + before)
            clear(lines, k * pitch + before + count, (k + 1) * pitch)


@inline
def stage_slice(params, strip, source, slice_inside, row, rows, target):
    """The rows of one input slice that `rows` rows of z need."""
    residues = words(params, params[RESIDUES] + params[SLICE_RESIDUES])
    for residue in range(params[ROW_RESIDUES]):
        for k in range(rows + params[MORE_ROWS]):
            wanted = params[STEP_ROWS] * (row + k) + residues[residue]
            inside = slice_inside and wanted >= 0 and wanted < params[IN_ROWS]
            place = residue * params[COLUMN_RESIDUES] * params[PLANE] + k * params[PITCH]
            begin = at(source, wanted * params[SOURCE_ROW])
            stage_row(params, strip, begin, inside, at(target, place * params[NUMBER_SIZE]))
        for column_residue in range(params[COLUMN_RESIDUES]):
            place = (residue * params[COLUMN_RESIDUES] + column_residue) * params[PLANE]
            end = place + (rows + params[MORE_ROWS]) * params[PITCH]
            clear(target, end, end + params[OVERLAP])


@inline
def stage_input(params, strip, source, channels, depth, row, rows, header, staged):
    """All of the input that a block of channels contributes to the item."""
    residues = words(params, params[RESIDUES])
    a_slice = params[PLANE] // params[STAGED_SLICES]
    apart_residues = params[ROW_RESIDUES] * params[COLUMN_RESIDUES] * params[PLANE]
    for channel in range(channels):
        for residue in range(params[SLICE_RESIDUES]):
            for k in range(params[STAGED_SLICES]):
                wanted = params[STEP_SLICES] * (depth + k) + residues[residue]
                inside = wanted >= 0 and wanted < params[IN_SLICES]
                begin = at(source, channel * params[SOURCE_CHANNEL] + wanted * params[SOURCE_SLICE])
                place = channel * params[CHANNEL] + residue * apart_residues + k * a_slice
                target = at(staged, place * params[NUMBER_SIZE])
                if params[ROWS_ON_END] and inside:
                    stage_rows_on_end(params, strip, begin, row, rows + params[MORE_ROWS], header, target)
                else:
                    stage_slice(params, strip, begin, inside, row, rows, target)


@inline
def ask_for_rows(params, source, row, rows, header):
    """What the next block of rows reads beyond this one, a run per channel: it comes while this one is multiplied."""
    first = max(0, params[STEP_ROWS] * (row + rows + params[MORE_ROWS]))
    count = min(params[IN_ROWS], first + params[STEP_ROWS] * rows) - first
    steps = count * params[SOURCE_ROW] // gemm.FETCH_STEP
    header[gemm.FETCH_AT] = address(source) + first * params[SOURCE_ROW]
    header[gemm.FETCH_LEFT] = header[gemm.FETCH_STEPS] = steps
    header[gemm.FETCH_SKIP] = params[SOURCE_CHANNEL] - steps * gemm.FETCH_STEP
    header[gemm.FETCH_RUNS] = params[GROUP_IN] if params[FETCHES] != 0 and steps > 0 else 0


@inline
def multiply(params, bundle, channels, adds, columns, header, staged, z, weights, biases):
    """The rows of z of a bundle, panel by panel."""
    size = params[NUMBER_SIZE]
    groups = words(params, params[TAP_LIST])
    header[gemm.COLUMNS], header[gemm.ROW_STEP], header[gemm.ADDS] = columns, params[Z_STEP], adds
    for number in range(bundle[PANELS]):
        panel = at(words(params, bundle[PANEL_LIST]), 8 * PANEL_ENTRY * number)
        group = at(groups, 8 * TAP_ENTRY * panel[PANEL_TAPS])
        header[gemm.PRODUCTS] = channels * group[TAPS]
        header[gemm.AT_ONCE], header[gemm.RUN] = group[TAP_AT_ONCE], group[TAP_RUN]
        header[gemm.OFFSETS] = address(words(params, group[TAP_OFFSETS])) - address(header)
        header[gemm.BIASES] = address(at(biases, panel[PANEL_ROW] * size)) - address(header)
        target = at(z, panel[PANEL_ROW] * params[Z_STEP] * size)
        begin = at(weights, panel[PANEL_WEIGHTS] * channels * size)
        call_stage(panel[PANEL_KERNEL], header, staged, target, begin)


@inline
def finish(params, rows, columns, header, z, slopes, stored):
    """Activate rows of z in place, and turn them into the result's items where they are no floats of its kind."""
    size = params[NUMBER_SIZE]
    header[0] = columns
    if params[ACTIVATE] != 0:
        for row in range(rows):
            call_stage(params[ACTIVATE], header, at(z, row * params[Z_STEP] * size), at(slopes, row * size), z)
    if params[STORE] != 0:
        header[1] = params[SWAPPED]
        for row in range(rows):
            line = at(stored, row * params[Z_STEP] * params[STORED_SIZE])
            call_stage(params[STORE], header, at(z, row * params[Z_STEP] * size), line, z)


@inline
def join_rows(params, bundle, strip, channels, depth, row, rows, joining, stored, line, target):
    """Every output row that a bundle has, of all its slice and row phases."""
    each = PHASE_HEAD + COLUMN_ENTRY * params[UP_COLUMNS]
    joining[interleave_phases.OUTPUTS], joining[interleave_phases.CHANNELS] = strip[1], channels
    for number in range(bundle[PHASES]):
        phase = at(words(params, bundle[PHASE_LIST]), 8 * each * number)
        out_slice = params[UP_SLICES] * (depth - phase[1]) + phase[0]
        first = max(0, phase[3] - row)
        out_row = params[UP_ROWS] * (row + first - phase[3]) + phase[2]
        beyond = (params[OUT_ROWS] - out_row + params[UP_ROWS] - 1) // params[UP_ROWS]
        joining[interleave_phases.ROWS] = min(rows - first, beyond)
        if depth >= phase[1] and out_slice < params[OUT_SLICES] and joining[interleave_phases.ROWS] > 0:
            for k in range(params[UP_COLUMNS]):
                entry = at(phase, 8 * (PHASE_HEAD + COLUMN_ENTRY * k))
                joining[interleave_phases.FIRST + 2 * k] = entry[0] * params[Z_STEP] + first * params[PITCH] + entry[2]
                joining[interleave_phases.FIRST + 2 * k + 1] = entry[1] * params[Z_STEP]
            begin = at(target, out_slice * params[TARGET_SLICE] + out_row * params[TARGET_ROW] + strip[0])
            call_stage(params[JOIN], joining, stored, begin, line)


@inline
def begin_joining(params, joining):
    """What all calls of `join` have in common."""
    item = params[STORED_SIZE]
    joining[interleave_phases.PHASES], joining[interleave_phases.STEP] = params[UP_COLUMNS], params[TARGET_STEP]
    joining[interleave_phases.STREAM], joining[interleave_phases.SOURCE_ROW] = params[STREAM], params[PITCH]
    joining[interleave_phases.TARGET_ROW] = params[UP_ROWS] * params[TARGET_ROW] // item
    joining[interleave_phases.TARGET_CHANNEL] = params[TARGET_CHANNEL] // item


@kernel("uint8", "uint8", "uint8", "element", elements=gemm.FLOATS)
def conv():
    """Convolution, transposed convolution and sub-pixel convolution of any rank."""

    def body(params, src, dst, table, work, start, stop):
        header, joining = as_int64(work, 0), as_int64(work, params[JOIN_AT])
        staged, z = at(work, params[STAGED_AT]), at(work, params[Z_AT])
        line, stored = at(work, params[LINE_AT]), at(work, params[STORED_AT])
        size = params[NUMBER_SIZE]
        kept = params[Z_STEP] * size if params[CHANNEL_BLOCK] < params[GROUP_IN] else 0  # else a bundle's z is reused
        begin_joining(params, joining)
        for item in range(start, stop):
            block, number, upper, part, group, image = digits(params, item)
            row = params[FIRST_ROW] + block * params[BLOCK_ROWS]
            rows = min(params[BLOCK_ROWS], params[END_ROW] - row)
            each = STRIP_HEAD + RESIDUE_ENTRY * params[COLUMN_RESIDUES]
            strip = at(words(params, params[STRIP_LIST]), 8 * each * number)
            depth = params[FIRST_SLICE] + upper
            begin = part * params[RANGE]
            count = min(params[RANGE], params[GROUP_OUT] - begin)
            range_rows = (group * params[RANGES] + part) * params[RANGE_ROWS]
            first_weight = group * params[GROUP_WEIGHTS] + part * params[RANGE_WEIGHTS]
            source = at(src, image * params[SOURCE_IMAGE] + group * params[GROUP_IN] * params[SOURCE_CHANNEL])
            out_channel = group * params[GROUP_OUT] + begin
            target = at(dst, image * params[TARGET_IMAGE] + out_channel * params[TARGET_CHANNEL])
            columns = (rows - 1) * params[PITCH] + params[ROW_COLUMNS]
            columns = (columns + params[VECTOR] - 1) // params[VECTOR] * params[VECTOR]
            for channel in range(0, params[GROUP_IN], params[CHANNEL_BLOCK]):
                channels = min(params[CHANNEL_BLOCK], params[GROUP_IN] - channel)
                origin = at(source, channel * params[SOURCE_CHANNEL])
                stage_input(params, strip, origin, channels, depth, row, rows, header, staged)
                ask_for_rows(params, source, row, rows, header)
                passed = first_weight + count * params[CHANNEL_WEIGHTS] * channel
                weights = at(pointer_to(table, WEIGHTS, work), passed * size)
                last = channel + channels == params[GROUP_IN]
                z_row = 0
                for number in range(params[BUNDLES]):
                    kind = at(words(params, params[BUNDLE_LIST]), 8 * BUNDLE_ENTRY * number)
                    for first in range(0, count, kind[BUNDLE_CHANNELS]):
                        outputs = min(kind[BUNDLE_CHANNELS], count - first)
                        whole = outputs == kind[BUNDLE_CHANNELS]
                        bundle = words(params, kind[BUNDLE_WHOLE] if whole else kind[BUNDLE_REST])
                        lines = at(z, z_row * kept)
                        biases = at(pointer_to(table, BIASES, work), (range_rows + z_row) * size)
                        multiply(params, bundle, channels, channel, columns, header, staged, lines, weights, biases)
                        if last:
                            slopes = at(pointer_to(table, SLOPES, work), (range_rows + z_row) * size)
                            finish(params, bundle[ROWS], columns, header, lines, slopes, stored)
                            made = stored if params[STORE] != 0 else lines
                            place = at(target, first * params[TARGET_CHANNEL])
                            join_rows(params, bundle, strip, outputs, depth, row, rows, joining, made, line, place)
                        weights = at(weights, bundle[WEIGHTS_IN] * channels * size)
                        z_row += bundle[ROWS]
        publish()

    return body
