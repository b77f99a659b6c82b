"""Lines of open records from one block to the next."""

from libc.stdint cimport int32_t
from libc.string cimport memcpy

from opslog.kernel._block cimport Block, Line, NONE, Record, Wrap
from opslog.kernel._bytes cimport all_ascii
from opslog.scanner._program cimport Program


cdef int adopt(Block block, Block kept, Record* records, int32_t count) except -1 nogil:
    """Put the carried lines behind those of the block."""
    cdef int32_t shift, base = block.line_used, rows, wraps = block.wrap_used, i
    cdef Line* line
    cdef Wrap* wrap
    if kept.used == 0:
        return 0
    block.need_data(kept.used)
    block.need_lines(kept.line_used)
    block.need_spans(kept.span_used)
    block.need_wraps(kept.wrap_used)
    shift = <int32_t>block.used
    rows = block.span_used
    memcpy(block.data + shift, kept.data, kept.used)
    memcpy(block.lines + base, kept.lines, kept.line_used * sizeof(Line))
    # Of spans and envelopes there may be none, and no memory for any yet.
    if kept.span_used:
        memcpy(block.spans + rows, kept.spans, kept.span_used * sizeof(int32_t))
    if kept.wrap_used:
        memcpy(block.wraps + wraps, kept.wraps, kept.wrap_used * sizeof(Wrap))
    for i in range(rows, rows + kept.span_used):
        if block.spans[i] >= 0:     # a negative one is a JSON null
            block.spans[i] += shift
    for i in range(base, base + kept.line_used):
        line = &block.lines[i]
        line.first += shift
        line.start += shift
        line.end += shift
        line.stop += shift
        if line.row != NONE:
            line.row += rows
        if line.next != NONE:
            line.next += base
        if line.outer != NONE:
            line.outer += wraps
    for i in range(wraps, wraps + kept.wrap_used):
        wrap = &block.wraps[i]
        wrap.start += shift
        wrap.end += shift
        wrap.row += rows
        if wrap.outer != NONE:
            wrap.outer += wraps
    for i in range(count):
        records[i].head += base
        records[i].last += base
    block.ascii = block.ascii and all_ascii(kept.data, kept.used)
    block.used += kept.used
    block.line_used += kept.line_used
    block.span_used += kept.span_used
    block.wrap_used += kept.wrap_used
    return 0


cdef int32_t carry_bytes(Block block, Block kept, int32_t start, int32_t end) except? -1 nogil:
    """Copy bytes and return how far they moved."""
    cdef int32_t shift = <int32_t>kept.used - start
    kept.need_data(end - start)
    if end > start:
        memcpy(kept.data + kept.used, block.data + start, end - start)
        kept.used += end - start
    return shift


cdef int32_t carry_text(Block block, Block kept, const Line* line, int32_t start, int32_t end,
                        int32_t shift) except? -1 nogil:
    """Return how far the text moved: with its line, unless it was unescaped elsewhere."""
    if line.first <= start and end <= line.stop:
        return shift
    return carry_bytes(block, kept, start - 1, end)     # with the byte that is no quote


cdef int32_t carry_spans(Program program, Block block, Block kept, int32_t leaf, int32_t row, int32_t start,
                         int32_t end, int32_t shift) except? -1 nogil:
    """Copy a layout's spans and return where they begin; those of data[start:end] moved by `shift`."""
    cdef int32_t slots = program.leaves[leaf].slots, j, at, stop, moved
    cdef int32_t begin = kept.span_used
    kept.need_spans(2 * slots)
    for j in range(slots):
        at = block.spans[row + 2 * j]
        stop = block.spans[row + 2 * j + 1]
        # What an envelope holds may have been unescaped elsewhere.
        moved = shift
        if at >= 0 and not (start <= at and stop <= end):
            moved = carry_bytes(block, kept, at - 1, stop)
        kept.spans[begin + 2 * j] = at + moved if at >= 0 else at
        kept.spans[begin + 2 * j + 1] = stop + moved if at >= 0 else stop
    kept.span_used += 2 * slots
    return begin


cdef int32_t carry_wrap(Program program, Block block, Block kept, const Line* line, int32_t number, int32_t shift) except? -2 nogil:
    """Copy the envelopes around a line, from one outwards, and return its number."""
    cdef int32_t copy, outer
    cdef Wrap* wrap
    if number == NONE:
        return NONE
    outer = carry_wrap(program, block, kept, line, block.wraps[number].outer, shift)
    kept.need_wraps(1)
    copy = kept.wrap_used
    kept.wrap_used += 1
    wrap = &kept.wraps[copy]
    wrap[0] = block.wraps[number]
    wrap.outer = outer
    shift = carry_text(block, kept, line, wrap.start, wrap.end, shift)
    wrap.row = carry_spans(program, block, kept, wrap.leaf, wrap.row, wrap.start, wrap.end, shift)
    wrap.start += shift
    wrap.end += shift
    return copy


cdef int carry(Program program, Block block, Block kept, Record* records, int32_t count) except -1 nogil:
    """Keep the lines of the records that are left."""
    cdef int32_t i, at, copy, shift, before
    cdef Line* line
    kept.used = kept.size = 0
    kept.line_used = kept.span_used = kept.wrap_used = 0
    for i in range(count):
        at = records[i].head
        before = NONE
        while at != NONE:
            line = &block.lines[at]
            shift = carry_bytes(block, kept, line.first, line.stop)
            kept.need_lines(1)
            copy = kept.line_used
            kept.lines[copy] = line[0]
            kept.line_used += 1
            kept.lines[copy].first += shift
            kept.lines[copy].stop += shift
            kept.lines[copy].next = NONE
            kept.lines[copy].outer = carry_wrap(program, block, kept, line, line.outer, shift)
            shift = carry_text(block, kept, line, line.start, line.end, shift)
            kept.lines[copy].start += shift
            kept.lines[copy].end += shift
            if line.row != NONE:
                kept.lines[copy].row = carry_spans(
                    program, block, kept, line.leaf, line.row, line.start, line.end, shift)
            at = line.next
            if before == NONE:
                records[i].head = copy
            else:
                kept.lines[before].next = copy
            before = copy
        records[i].last = before
    return 0
