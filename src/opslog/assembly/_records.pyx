"""Records of one source: those complete with a block, and those still open behind it.

A record leaves when it is closed and no open one stands before it.  The lines of the
others are copied out of their block, and stand behind those of the next one.
"""

cimport cython
from libc.stdint cimport INT64_MAX, int16_t, int32_t, int64_t, uint8_t, uint16_t
from libc.stdlib cimport calloc, free, malloc, realloc
from libc.string cimport memcmp, memcpy, memmove

from opslog.assembly._workers cimport FEWEST, drop_workers, forget_records
from opslog.kernel._block cimport (Block, CLOSED, DATED, Envelope, HAS_MORE, HAS_STACK, HAS_TRACEBACK, HELD, Line, MORE, NONE, PART_BODY, PART_TRACEBACK, PIECE, Record, SIZES, SKIMMED, UNRECOGNISED, WITHIN)
from opslog.kernel._bytes cimport all_ascii
from opslog.kernel._table cimport begin_table
from opslog.scanner._envelope cimport match_text
from opslog.scanner._program cimport Program, STORED
from opslog.scanner._state cimport MatchState, begin_state

cdef enum:
    FORMATS = 64                # of records as opslog writes them that are counted together


@cython.final
cdef class Records:
    """Complete records of one block, in the order of their heads."""

    def __dealloc__(self):
        free(self.records)

    def counts(self, Program program not None):
        """Return {format number or -1: (records, lines, bytes)}, but of records as opslog writes them."""
        cdef int32_t i, line, format
        cdef Record* record
        cdef dict out = {}
        cdef int64_t* table = <int64_t*>calloc(3 * (program.format_count + 1), sizeof(int64_t))
        if table == NULL:
            raise MemoryError()
        with nogil:
            for i in range(self.count):
                record = &self.records[i]
                if record.leaf >= 0 and program.leaves[record.leaf].flags & STORED:
                    continue
                format = program.leaves[record.leaf].format + 1 if record.leaf >= 0 else 0
                table[3 * format] += 1
                table[3 * format + 1] += record.lines
                line = record.head
                while line != NONE:
                    table[3 * format + 2] += self.block.lines[line].stop - self.block.lines[line].first
                    line = self.block.lines[line].next
        for i in range(program.format_count + 1):
            if table[3 * i]:
                out[i - 1] = table[3 * i], table[3 * i + 1], table[3 * i + 2]
        free(table)
        return out

    def stored(self, Program program not None):
        """Return for each record a byte, 1 of one as opslog writes it; None if there is none such."""
        cdef int32_t i
        cdef bytes flags = None
        cdef uint8_t* found = NULL
        for i in range(self.count):
            if self.records[i].leaf >= 0 and program.leaves[self.records[i].leaf].flags & STORED:
                if found == NULL:
                    flags = bytes(self.count)
                    found = <uint8_t*><const uint8_t*>flags
                found[i] = 1
        return flags

    def stored_counts(self, Program program not None, int32_t column):
        """Return {format or None: (records, lines, bytes)} of records as opslog writes them.

        ``column`` is the number of the format's among the columns.
        """
        cdef int32_t i, slot, line, size, j, used = 0
        cdef Record* record
        cdef const int32_t* span
        cdef const uint8_t* text
        cdef int64_t[4 * FORMATS] table     # where a format's name stands, records, lines, bytes
        cdef int32_t[FORMATS] sizes
        cdef dict out = {}
        for i in range(self.count):
            record = &self.records[i]
            if record.leaf < 0 or not program.leaves[record.leaf].flags & STORED:
                continue
            slot = program.slots[column * program.leaf_count + record.leaf]
            span = self.block.spans + self.block.lines[record.head].row + 2 * slot
            text = self.block.data + max(span[0], 0)
            size = span[1] - span[0] if span[0] >= 0 else -1
            for j in range(used):
                if sizes[j] == size and (size < 0 or memcmp(
                        self.block.data + table[4 * j], text, size) == 0):
                    break
            else:
                if used == FORMATS:
                    self.add_counts(out, table, sizes, used)
                    used = 0
                j = used
                used += 1
                sizes[j] = size
                table[4 * j] = text - self.block.data
                table[4 * j + 1] = table[4 * j + 2] = table[4 * j + 3] = 0
            table[4 * j + 1] += 1
            table[4 * j + 2] += record.lines
            line = record.head
            while line != NONE:
                table[4 * j + 3] += self.block.lines[line].stop - self.block.lines[line].first
                line = self.block.lines[line].next
        self.add_counts(out, table, sizes, used)
        return out

    cdef int add_counts(self, dict out, const int64_t* table, const int32_t* sizes, int32_t used) except -1:
        """Add what was counted of some formats."""
        cdef int32_t j
        for j in range(used):
            name = None if sizes[j] < 0 else (
                (<const char*>self.block.data)[table[4 * j]:table[4 * j] + sizes[j]]).decode("utf-8", "replace")
            records, lines, size = out.get(name, (0, 0, 0))
            out[name] = records + table[4 * j + 1], lines + table[4 * j + 2], size + table[4 * j + 3]
        return 0


cdef class OpenRecords:
    """The open records of one source, and the lines they own between blocks."""

    def __cinit__(self, Program program not None):
        self.program = program
        self.window = SIZES.window
        self.waits = INT64_MAX
        self.last_dated = self.dated_before = -1
        self.kept = Block(0)
        self.kept.reset(0)
        self.previous = self.latest = self.block = self.blank = NONE
        begin_table(&self.workers.known, FEWEST)

    def __dealloc__(self):
        free(self.records)
        drop_workers(&self.workers)

    cdef int32_t start(self, Block block, int32_t line, uint16_t flags) except -2 nogil:
        """Begin a record with this line and return its number."""
        cdef Record* records
        cdef Record* record
        cdef Py_ssize_t wanted
        if self.count == self.capacity:
            wanted = 2 * self.capacity + 256
            records = <Record*>realloc(self.records, wanted * sizeof(Record))
            if records == NULL:
                with gil:
                    raise MemoryError()
            self.records = records
            self.capacity = wanted
        record = &self.records[self.count]
        record.offset = block.offset + block.lines[line].first
        record.head = record.last = line
        record.end = record.asked = block.offset + block.lines[line].stop
        record.lines = 1
        record.leaf = block.lines[line].leaf
        record.flags = flags
        if flags & UNRECOGNISED:
            record.leaf = NONE
        if begins_within(block, &block.lines[line]):
            record.flags |= WITHIN
        self.count += 1
        return self.count - 1

    cdef int read_head(self, Block block, int32_t number) except -1 nogil:
        """Match the head of a record to its end, if the scan did not: what the record takes depends on it."""
        cdef Line* line = &block.lines[self.records[number].head]
        cdef MatchState state
        cdef int32_t start = line.start, end = line.end, found
        if not line.flags & SKIMMED:
            return 0
        begin_state(&state)
        state.reference = block.reference
        block.need_spans(2 * self.program.most_slots)
        found = match_text(self.program, block.data, &start, &end, block.spans + block.span_used, &state)
        if found < 0:
            return 0
        line.flags &= ~SKIMMED
        line.start = start
        line.end = end
        line.leaf = self.records[number].leaf = <int16_t>found
        line.row = block.span_used
        block.span_used += 2 * self.program.leaves[found].slots
        return 0

    cdef void join(self, Block block, int32_t number, int32_t line, uint8_t part) noexcept nogil:
        cdef Record* record = &self.records[number]
        block.lines[line].part = part
        block.lines[record.last].next = line
        record.last = line
        record.end = block.offset + block.lines[line].stop
        record.lines += 1
        if part == PART_BODY:
            record.flags |= HAS_MORE
        elif part == PART_TRACEBACK:
            record.flags |= HAS_TRACEBACK
        else:
            record.flags |= HAS_STACK

    cdef void ask(self, Block block, int32_t number, int32_t line) noexcept nogil:
        """Take note that what a line is was told by an open record, though it may not join it."""
        self.records[number].asked = block.offset + block.lines[line].stop

    cdef int adopt(self, Block block) except -1 nogil:
        """Put the lines of the open records behind those of the next block."""
        return append_lines(block, self.kept, self.records, self.count)

    cdef int release(self, Block block, bint final, int64_t held, Records out) except -1 nogil:
        """Move what is complete behind a block to `out`; keep the lines of the others.

        With `final` all records close, with `held` those whose last line ends there or before.
        """
        cdef int32_t released
        self.end = max(self.end, block.offset + block.size)
        self.hold(held)
        released = self.complete(final)
        self.find_cut(released)
        out.records = <Record*>malloc((released + 1) * sizeof(Record))
        if out.records == NULL:
            with gil:
                raise MemoryError()
        if released:
            memcpy(out.records, self.records, released * sizeof(Record))
        out.count = released
        self.forget(released)
        return copy_lines(self.program, block, self.kept, self.records, self.count)

    cdef int32_t complete(self, bint final) noexcept nogil:
        """Number of records that are complete and have no open record before them."""
        cdef int32_t i
        for i in range(self.count):
            if not final and not self.records[i].flags & CLOSED and self.end - self.records[i].offset <= self.window:
                return i
            if not final and self.records[i].offset >= self.waits:
                return i
        return self.count

    cdef void hold(self, int64_t offset) noexcept nogil:
        """Close the open records whose last line ends at `offset` or before."""
        cdef int32_t i
        for i in range(self.count):
            if not self.records[i].flags & CLOSED and self.records[i].end <= offset:
                self.records[i].flags |= CLOSED | HELD

    cdef void find_cut(self, int32_t released) noexcept nogil:
        """Move the cut behind the records to be released, as far as none has lines on both sides.

        Nor was any line behind it told by a record before it.
        """
        cdef int32_t i
        for i in range(released):
            self.cut_before(i)
            self.reach = max(self.reach, self.records[i].end, self.records[i].asked)
            if self.records[i].flags & DATED:
                self.last_dated = self.records[i].offset
        if released == self.count:
            self.cut_at(self.end)
        else:
            self.cut_before(released)

    cdef inline void cut_before(self, int32_t number) noexcept nogil:
        cdef Record* record = &self.records[number]
        if self.reach <= record.offset and not record.flags & WITHIN:
            self.cut_at(record.offset)

    cdef inline void cut_at(self, int64_t offset) noexcept nogil:
        self.cut = offset
        self.dated_before = self.last_dated

    @property
    def open_end(self):
        """Where the last line of an open record ends, of all such ends the first; None without any."""
        cdef int32_t i
        cdef int64_t least = -1
        for i in range(self.count):
            if not self.records[i].flags & CLOSED and (least < 0 or self.records[i].end < least):
                least = self.records[i].end
        return None if least < 0 else least

    cdef int forget(self, int32_t released) except -1 nogil:
        """Drop what refers to released records and renumber the rest."""
        if released == 0:
            return 0
        memmove(self.records, self.records + released, (self.count - released) * sizeof(Record))
        self.count -= released
        self.previous = self.previous - released if self.previous >= released else NONE
        self.block = self.block - released if self.block >= released else NONE
        self.blank = self.blank - released if self.blank >= released else NONE
        self.latest = self.latest - released if self.latest >= released else NONE
        return forget_records(&self.workers, released)


cdef inline bint begins_within(Block block, const Line* line) noexcept nogil:
    """Whether the line stands behind another one in the same line of the source."""
    return line.flags & MORE != 0 or (line.first and not line.flags & PIECE and block.data[line.first - 1] != c'\n')


# -- lines of open records, from one block to the next ------------------------------------

cdef int append_lines(Block block, Block kept, Record* records, int32_t count) except -1 nogil:
    """Put the lines kept behind those of the block."""
    cdef int32_t shift, base = block.line_used, rows, envelopes = block.envelope_used, i
    cdef Line* line
    cdef Envelope* envelope
    if kept.used == 0:
        return 0
    block.need_data(kept.used)
    block.need_lines(kept.line_used)
    block.need_spans(kept.span_used)
    block.need_envelopes(kept.envelope_used)
    shift = <int32_t>block.used
    rows = block.span_used
    memcpy(block.data + shift, kept.data, kept.used)
    memcpy(block.lines + base, kept.lines, kept.line_used * sizeof(Line))
    # Of spans and envelopes there may be none, and no memory for any yet.
    if kept.span_used:
        memcpy(block.spans + rows, kept.spans, kept.span_used * sizeof(int32_t))
    if kept.envelope_used:
        memcpy(block.envelopes + envelopes, kept.envelopes, kept.envelope_used * sizeof(Envelope))
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
            line.outer += envelopes
    for i in range(envelopes, envelopes + kept.envelope_used):
        envelope = &block.envelopes[i]
        envelope.start += shift
        envelope.end += shift
        envelope.row += rows
        if envelope.outer != NONE:
            envelope.outer += envelopes
    for i in range(count):
        records[i].head += base
        records[i].last += base
    block.ascii = block.ascii and all_ascii(kept.data, kept.used)
    block.used += kept.used
    block.line_used += kept.line_used
    block.span_used += kept.span_used
    block.envelope_used += kept.envelope_used
    return 0


cdef int32_t copy_bytes(Block block, Block kept, int32_t start, int32_t end) except? -1 nogil:
    """Copy bytes and return how far they moved."""
    cdef int32_t shift = <int32_t>kept.used - start
    kept.need_data(end - start)
    if end > start:
        memcpy(kept.data + kept.used, block.data + start, end - start)
        kept.used += end - start
    return shift


cdef int32_t copy_text(Block block, Block kept, const Line* line, int32_t start, int32_t end,
                        int32_t shift) except? -1 nogil:
    """Return how far the text moved: with its line, unless it was unescaped elsewhere."""
    if line.first <= start and end <= line.stop:
        return shift
    return copy_bytes(block, kept, start - 1, end)     # with the byte that is no quote


cdef int32_t copy_spans(Program program, Block block, Block kept, int32_t leaf, int32_t row, int32_t start,
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
            moved = copy_bytes(block, kept, at - 1, stop)
        kept.spans[begin + 2 * j] = at + moved if at >= 0 else at
        kept.spans[begin + 2 * j + 1] = stop + moved if at >= 0 else stop
    kept.span_used += 2 * slots
    return begin


cdef int32_t copy_envelope(Program program, Block block, Block kept, const Line* line, int32_t number, int32_t shift) except? -2 nogil:
    """Copy the envelopes around a line, from one outwards, and return its number."""
    cdef int32_t copy, outer
    cdef Envelope* envelope
    if number == NONE:
        return NONE
    outer = copy_envelope(program, block, kept, line, block.envelopes[number].outer, shift)
    kept.need_envelopes(1)
    copy = kept.envelope_used
    kept.envelope_used += 1
    envelope = &kept.envelopes[copy]
    envelope[0] = block.envelopes[number]
    envelope.outer = outer
    shift = copy_text(block, kept, line, envelope.start, envelope.end, shift)
    envelope.row = copy_spans(program, block, kept, envelope.leaf, envelope.row, envelope.start, envelope.end, shift)
    envelope.start += shift
    envelope.end += shift
    return copy


cdef int copy_lines(Program program, Block block, Block kept, Record* records, int32_t count) except -1 nogil:
    """Keep the lines of the records that are left."""
    cdef int32_t i, at, copy, shift, before
    cdef Line* line
    kept.used = kept.size = 0
    kept.line_used = kept.span_used = kept.envelope_used = 0
    for i in range(count):
        at = records[i].head
        before = NONE
        while at != NONE:
            line = &block.lines[at]
            shift = copy_bytes(block, kept, line.first, line.stop)
            kept.need_lines(1)
            copy = kept.line_used
            kept.lines[copy] = line[0]
            kept.line_used += 1
            kept.lines[copy].first += shift
            kept.lines[copy].stop += shift
            kept.lines[copy].next = NONE
            kept.lines[copy].outer = copy_envelope(program, block, kept, line, line.outer, shift)
            shift = copy_text(block, kept, line, line.start, line.end, shift)
            kept.lines[copy].start += shift
            kept.lines[copy].end += shift
            if line.row != NONE:
                kept.lines[copy].row = copy_spans(
                    program, block, kept, line.leaf, line.row, line.start, line.end, shift)
            at = line.next
            if before == NONE:
                records[i].head = copy
            else:
                kept.lines[before].next = copy
            before = copy
        records[i].last = before
    return 0
