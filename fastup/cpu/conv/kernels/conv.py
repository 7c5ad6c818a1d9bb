"""Convolution of every kind: stage the input, multiply it with all weights, interleave the phases as output rows.

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
from fastup.cpu.conv.kernels.interleave_phases import set_phase
from fastup.cpu.simd.convert import LOAD, STORE
from fastup.cpu.simd.digits import CALL, COLUMN, ROW, SLICE, TABLE, digits, list_at
from fastup.cpu.simd.moves import clear, publish
from fastup.cpu.simd.pointers import address, as_int64, at, call_stage, pointer_to
from fastup.runtime.fields import Fields
from fastup.runtime.kernel import inline, kernel

P = Fields(
    """
    range channel_block end_row staged_slices more_rows pitch row_columns overlap plane channel z_step vector
    slice_residues row_residues column_residues residue_list tap_list bundles bundle_list strip_list
    group_weights range_weights channel_weights range_rows target_step rows_on_end fetches
    """,
    CALL,
)
# Records of the lists. Taps of some phases: place of the offsets of all products of a block of channels, products of an
# accumulator, and at whose multiples one ends.
TAPS = Fields("taps offsets at_once run")
# Of each kind of bundle: its output channels, and the places of one with so many and of the last one.
BUNDLES = Fields("channels whole rest")
# A bundle: rows of z, numbers of weights per input channel, panels and pairs of phases, each with the list's place.
BUNDLE = Fields("rows weights panels panel_list pairs pair_list")
# A panel: its kernel, first row of the bundle's, taps, numbers of weights per channel before it.
PANEL = Fields("kernel row taps weights")
# A pair of slice and row phase: phase and base of both, then per column phase first row, rows per channel, column.
PAIR, PHASE = Fields("slice slice_base row row_base"), Fields("row channel_rows column")
# A strip: bytes from the result's row, output columns, then per column residue: bytes, zeros before, and load's.
STRIP, RESIDUE = Fields("target outputs"), Fields("source before load", load=LOAD)


@inline
def stage_row(params, strip, source, inside, target):
    """One row of the input, column residue by column residue, with zeros around it."""
    for residue in range(params[P.column_residues]):
        entry = at(strip, STRIP.bytes + RESIDUE.bytes * residue)
        line = at(target, residue * params[P.plane] * params[P.number_size])
        before, count = entry[RESIDUE.before], entry[RESIDUE.load + LOAD.pixels]
        if inside and count > 0:
            clear(line, 0, before)
            begin = at(line, before * params[P.number_size])
            call_stage(params[P.load], at(entry, 8 * RESIDUE.load), at(source, entry[RESIDUE.source]), begin, source)
            clear(line, before + count, params[P.pitch])
        else:
            clear(line, 0, params[P.pitch])


@inline
def stage_rows_on_end(params, strip, source, row, rows, header, target):
    """Rows that lie in the input as they are staged: one load for all of them, then zeros over what stands beside."""
    begin = min(max(0, -row), rows)
    end = max(begin, min(rows, params[P.inside + ROW] - row))
    pitch = params[P.pitch]
    for residue in range(params[P.column_residues]):
        entry = at(strip, STRIP.bytes + RESIDUE.bytes * residue)
        lines = at(target, residue * params[P.plane] * params[P.number_size])
        before, count = entry[RESIDUE.before], entry[RESIDUE.load + LOAD.pixels]
        clear(lines, 0, begin * pitch)
        clear(lines, end * pitch, rows * pitch)
        if end > begin and count > 0:
            for k in range(LOAD.size):
                header[k] = entry[RESIDUE.load + k]
            header[LOAD.pixels] = (end - begin - 1) * pitch + count
            first = at(lines, (begin * pitch + before) * params[P.number_size])
            begins = at(source, (row + begin) * params[P.source + ROW] + entry[RESIDUE.source])
            call_stage(params[P.load], header, begins, first, source)
        for k in range(begin, end):
            clear(lines, k * pitch, k * pitch + before)
            clear(lines, k * pitch + before + count, (k + 1) * pitch)


@inline
def stage_slice(params, strip, source, slice_inside, row, rows, target):
    """The rows of one input slice that `rows` rows of z need."""
    residues = list_at(params, params[P.residue_list] + params[P.slice_residues])
    for residue in range(params[P.row_residues]):
        for k in range(rows + params[P.more_rows]):
            wanted = params[P.step + ROW] * (row + k) + residues[residue]
            inside = slice_inside and wanted >= 0 and wanted < params[P.inside + ROW]
            place = residue * params[P.column_residues] * params[P.plane] + k * params[P.pitch]
            begin = at(source, wanted * params[P.source + ROW])
            stage_row(params, strip, begin, inside, at(target, place * params[P.number_size]))
        for column_residue in range(params[P.column_residues]):
            place = (residue * params[P.column_residues] + column_residue) * params[P.plane]
            end = place + (rows + params[P.more_rows]) * params[P.pitch]
            clear(target, end, end + params[P.overlap])


@inline
def stage_input(params, strip, source, channels, depth, row, rows, header, staged):
    """All of the input that a block of channels contributes to the item."""
    residues = list_at(params, params[P.residue_list])
    a_slice = params[P.plane] // params[P.staged_slices]
    apart_residues = params[P.row_residues] * params[P.column_residues] * params[P.plane]
    for channel in range(channels):
        for residue in range(params[P.slice_residues]):
            for k in range(params[P.staged_slices]):
                wanted = params[P.step + SLICE] * (depth + k) + residues[residue]
                inside = wanted >= 0 and wanted < params[P.inside + SLICE]
                begin = at(source, channel * params[P.source_channel] + wanted * params[P.source + SLICE])
                place = channel * params[P.channel] + residue * apart_residues + k * a_slice
                target = at(staged, place * params[P.number_size])
                if params[P.rows_on_end] and inside:
                    stage_rows_on_end(params, strip, begin, row, rows + params[P.more_rows], header, target)
                else:
                    stage_slice(params, strip, begin, inside, row, rows, target)


@inline
def ask_for_rows(params, source, row, rows, header):
    """What the next block of rows reads beyond this one, a run per channel: it comes while this one is multiplied."""
    first = max(0, params[P.step + ROW] * (row + rows + params[P.more_rows]))
    count = min(params[P.inside + ROW], first + params[P.step + ROW] * rows) - first
    steps = count * params[P.source + ROW] // gemm.FETCHED
    header[gemm.P.fetch_at] = address(source) + first * params[P.source + ROW]
    header[gemm.P.fetch_left] = header[gemm.P.fetch_steps] = steps
    header[gemm.P.fetch_skip] = params[P.source_channel] - steps * gemm.FETCHED
    header[gemm.P.fetch_runs] = params[P.group_in] if params[P.fetches] != 0 and steps > 0 else 0


@inline
def multiply(params, bundle, channels, adds, columns, header, staged, z, weights, biases):
    """The rows of z of a bundle, panel by panel."""
    size = params[P.number_size]
    groups = list_at(params, params[P.tap_list])
    header[gemm.P.columns], header[gemm.P.row_step], header[gemm.P.adds] = columns, params[P.z_step], adds
    for number in range(bundle[BUNDLE.panels]):
        panel = at(list_at(params, bundle[BUNDLE.panel_list]), PANEL.bytes * number)
        group = at(groups, TAPS.bytes * panel[PANEL.taps])
        header[gemm.P.products] = channels * group[TAPS.taps]
        header[gemm.P.at_once], header[gemm.P.run] = group[TAPS.at_once], group[TAPS.run]
        header[gemm.P.offsets] = address(list_at(params, group[TAPS.offsets])) - address(header)
        header[gemm.P.biases] = address(at(biases, panel[PANEL.row] * size)) - address(header)
        target = at(z, panel[PANEL.row] * params[P.z_step] * size)
        begin = at(weights, panel[PANEL.weights] * channels * size)
        call_stage(panel[PANEL.kernel], header, staged, target, begin)


@inline
def finish(params, rows, columns, header, z, slopes, stored):
    """Activate rows of z in place, and turn them into the result's items where they are no floats of its kind."""
    size = params[P.number_size]
    header[STORE.items] = columns  # `activate` takes as many
    if params[P.activate] != 0:
        for row in range(rows):
            call_stage(params[P.activate], header, at(z, row * params[P.z_step] * size), at(slopes, row * size), z)
    if params[P.store] != 0:
        header[STORE.swapped] = params[P.swapped]
        for row in range(rows):
            line = at(stored, row * params[P.z_step] * params[P.stored_size])
            call_stage(params[P.store], header, at(z, row * params[P.z_step] * size), line, z)


@inline
def interleave_rows(params, bundle, strip, channels, depth, row, rows, header, stored, line, target):
    """Every output row that a bundle has, of all its slice and row phases."""
    each = PAIR.bytes + PHASE.bytes * params[P.up + COLUMN]
    header[interleave_phases.P.outputs], header[interleave_phases.P.channels] = strip[STRIP.outputs], channels
    for number in range(bundle[BUNDLE.pairs]):
        pair = at(list_at(params, bundle[BUNDLE.pair_list]), each * number)
        out_slice = params[P.up + SLICE] * (depth - pair[PAIR.slice_base]) + pair[PAIR.slice]
        first = max(0, pair[PAIR.row_base] - row)
        out_row = params[P.up + ROW] * (row + first - pair[PAIR.row_base]) + pair[PAIR.row]
        beyond = (params[P.outside + ROW] - out_row + params[P.up + ROW] - 1) // params[P.up + ROW]
        count = header[interleave_phases.P.rows] = min(rows - first, beyond)
        if depth >= pair[PAIR.slice_base] and out_slice < params[P.outside + SLICE] and count > 0:
            for k in range(params[P.up + COLUMN]):
                phase = at(pair, PAIR.bytes + PHASE.bytes * k)
                origin = phase[PHASE.row] * params[P.z_step] + first * params[P.pitch] + phase[PHASE.column]
                set_phase(header, k, origin, phase[PHASE.channel_rows] * params[P.z_step])
            place = out_slice * params[P.target + SLICE] + out_row * params[P.target + ROW] + strip[STRIP.target]
            call_stage(params[P.interleave], header, stored, at(target, place), line)


@inline
def begin_interleaving(params, header):
    """What all calls of `interleave` have in common."""
    item = params[P.stored_size]
    header[interleave_phases.P.phases], header[interleave_phases.P.step] = params[P.up + COLUMN], params[P.target_step]
    header[interleave_phases.P.stream], header[interleave_phases.P.source_row] = params[P.stream], params[P.pitch]
    header[interleave_phases.P.target_row] = params[P.up + ROW] * params[P.target + ROW] // item
    header[interleave_phases.P.target_channel] = params[P.target_channel] // item


@kernel("uint8", "uint8", "uint8", "element", elements=gemm.FLOATS)
def conv():
    """Convolution, transposed convolution and sub-pixel convolution of any rank."""

    def body(params, src, dst, table, work, start, stop):
        header, woven = as_int64(work, 0), as_int64(work, params[P.interleave_at])
        staged, z = at(work, params[P.staged_at]), at(work, params[P.z_at])
        line, stored = at(work, params[P.line_at]), at(work, params[P.stored_at])
        size = params[P.number_size]
        is_kept = params[P.channel_block] < params[P.group_in]  # else a bundle's z is reused
        kept = params[P.z_step] * size if is_kept else 0
        begin_interleaving(params, woven)
        for item in range(start, stop):
            block, number, upper, part, group, image = digits(params, item)
            row = params[P.first + ROW] + block * params[P.block_rows]
            rows = min(params[P.block_rows], params[P.end_row] - row)
            each = STRIP.bytes + RESIDUE.bytes * params[P.column_residues]
            strip = at(list_at(params, params[P.strip_list]), each * number)
            depth = params[P.first + SLICE] + upper
            begin = part * params[P.range]
            count = min(params[P.range], params[P.group_out] - begin)
            range_rows = (group * params[P.ranges] + part) * params[P.range_rows]
            first_weight = group * params[P.group_weights] + part * params[P.range_weights]
            source = at(src, image * params[P.source_image] + group * params[P.group_in] * params[P.source_channel])
            out_channel = group * params[P.group_out] + begin
            target = at(dst, image * params[P.target_image] + out_channel * params[P.target_channel])
            columns = (rows - 1) * params[P.pitch] + params[P.row_columns]
            columns = (columns + params[P.vector] - 1) // params[P.vector] * params[P.vector]
            for channel in range(0, params[P.group_in], params[P.channel_block]):
                channels = min(params[P.channel_block], params[P.group_in] - channel)
                origin = at(source, channel * params[P.source_channel])
                stage_input(params, strip, origin, channels, depth, row, rows, header, staged)
                ask_for_rows(params, source, row, rows, header)
                passed = first_weight + count * params[P.channel_weights] * channel
                weights = at(pointer_to(table, TABLE.weights, work), passed * size)
                last = channel + channels == params[P.group_in]
                z_row = 0
                for number in range(params[P.bundles]):
                    bundles = at(list_at(params, params[P.bundle_list]), BUNDLES.bytes * number)
                    for first in range(0, count, bundles[BUNDLES.channels]):
                        outputs = min(bundles[BUNDLES.channels], count - first)
                        whole = outputs == bundles[BUNDLES.channels]
                        bundle = list_at(params, bundles[BUNDLES.whole] if whole else bundles[BUNDLES.rest])
                        lines = at(z, z_row * kept)
                        biases = at(pointer_to(table, TABLE.biases, work), (range_rows + z_row) * size)
                        multiply(params, bundle, channels, channel, columns, header, staged, lines, weights, biases)
                        if last:
                            slopes = at(pointer_to(table, TABLE.slopes, work), (range_rows + z_row) * size)
                            finish(params, bundle[BUNDLE.rows], columns, header, lines, slopes, stored)
                            made = stored if params[P.store] != 0 else lines
                            place = at(target, first * params[P.target_channel])
                            interleave_rows(params, bundle, strip, outputs, depth, row, rows, woven, made, line, place)
                        weights = at(weights, bundle[BUNDLE.weights] * channels * size)
                        z_row += bundle[BUNDLE.rows]
        publish()

    return body
