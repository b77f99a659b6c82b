"""Lines to records: the serial step between scanning and building columns.

Rules (docs/explanation/assembly.md gives examples):

1. A head line starts a record; records leave in the order of their heads.
2. A line no layout recognises continues the record that owns the line before.
3. A traceback line joins the open record equal in every field its prefix has.
4. Where traceback lines look like heads, a line joins only inside a block.
5. A record closes at the next head of its worker, or when WINDOW bytes of later
   input have gone by since its own first byte, or at the end of the input.

All rules read bytes and offsets, never chunks, threads or clocks: the records
do not depend on how the input was cut into blocks.
"""

cimport cython
from libc.stdint cimport int16_t, int32_t, int64_t, uint8_t, uint16_t, uint64_t
from libc.stdlib cimport calloc, free, realloc
from libc.string cimport memchr, memcmp, memcpy

from opslog._block cimport (
    BAD_TIME, CLOSED, HAS_MORE, HAS_OFFSET, HAS_STACK, HAS_TRACEBACK, HEADLESS, IN_BLOCK, IN_STACK,
    MOST_LINES, NONE, OVERLONG, PART_BODY, PART_STACK, PART_TRACEBACK, PIECE, SYSLOG, TORN,
    UNRECOGNISED, WINDOW, Block, Line, Record,
)
from opslog._bytes cimport all_ascii
from opslog._program cimport BARE, FOLLOW_ON, HEAD, JSON, STAMPED, Leaf, Program, fresh
from opslog._time cimport State
from opslog._trace_text cimport (
    begins, continues_block, inside_block, links_blocks, names_exception, opens_block, torn,
)
from opslog._workers cimport Worker, Workers


@cython.final
cdef class Records:
    """Complete records of one block, in the order of their heads."""

    def __dealloc__(self):
        free(self.records)

    def counts(self, Program program not None):
        """Return {format number or -1: (records, lines, bytes)} of these records."""
        cdef int32_t i, line, format
        cdef Record* record
        cdef int64_t[3] none = [0, 0, 0]
        cdef dict out = {}
        cdef Py_ssize_t leaves = program.leaf_count
        cdef int64_t* table = <int64_t*>calloc(3 * (leaves + 1), sizeof(int64_t))
        if table == NULL:
            raise MemoryError()
        with nogil:
            for i in range(self.count):
                record = &self.records[i]
                format = record.leaf + 1
                table[3 * format] += 1
                table[3 * format + 1] += record.lines
                line = record.head
                while line != NONE:
                    table[3 * format + 2] += self.block.lines[line].stop - self.block.lines[line].first
                    line = self.block.lines[line].next
        for i in range(<int32_t>leaves + 1):
            if table[3 * i]:
                format = -1 if i == 0 else program.leaves[i - 1].format
                records, lines, size = out.get(format, (0, 0, 0))
                out[format] = (records + table[3 * i], lines + table[3 * i + 1], size + table[3 * i + 2])
        free(table)
        return out


cdef inline const uint8_t* text_of(Block block, const Line* line, int32_t slot, int32_t* length) noexcept nogil:
    cdef const int32_t* row = block.spans + line.row
    if slot < 0 or row[2 * slot] < 0:
        length[0] = -1
        return NULL
    length[0] = row[2 * slot + 1] - row[2 * slot]
    return block.data + row[2 * slot]


cdef inline bint has_fraction(const uint8_t* text, int32_t size) noexcept nogil:
    """Whether a timestamp says more than seconds."""
    return memchr(text, c'.', size) != NULL or memchr(text, c',', size) != NULL


cdef inline bint same_time(Block block, const Line* line, int32_t slot, const Line* other, int32_t other_slot) noexcept nogil:
    """Whether two timestamps are the same time, as far as both tell it.

    One may lack the fraction, or the offset: then the hour may differ, too.
    """
    cdef int32_t n, m
    cdef const uint8_t* a = text_of(block, line, slot, &n)
    cdef const uint8_t* b = text_of(block, other, other_slot, &m)
    cdef int64_t unit, apart
    if n < 0 or m < 0 or (line.flags ^ other.flags) & BAD_TIME:
        return False
    if line.time == other.time and not (line.flags ^ other.flags) & HAS_OFFSET:
        return True
    unit = 1000 if has_fraction(a, n) and has_fraction(b, m) else 1000000
    apart = line.time // unit - other.time // unit
    if (line.flags ^ other.flags) & HAS_OFFSET:
        return apart % (900000000 // unit) == 0
    return apart == 0


cdef inline bint same_text(Block block, const Line* line, int32_t slot, const Line* other, int32_t other_slot) noexcept nogil:
    """Whether two captures are equal, or one of them is absent: a format may print it in one only."""
    cdef int32_t n, m
    cdef const uint8_t* a = text_of(block, line, slot, &n)
    cdef const uint8_t* b = text_of(block, other, other_slot, &m)
    return n < 0 or m < 0 or (n == m and memcmp(a, b, n) == 0)


@cython.final
cdef class Assembler:
    """The state of one source between blocks: open records and the lines they own."""

    cdef Program program
    cdef Record* records        # not yet released, in the order of their heads
    cdef Py_ssize_t capacity
    cdef int32_t count
    cdef Workers workers
    cdef int32_t previous       # record of the line before, NONE if it takes no follow-on
    cdef int32_t latest         # latest head or headless record
    cdef int64_t stamped        # offset of the latest record with a timestamp
    cdef Block carried          # lines of the records not yet released

    def __cinit__(self, Program program not None):
        self.program = program
        self.carried = Block(0)
        self.carried.reset(0)
        self.previous = self.latest = NONE
        self.stamped = -WINDOW - 1
        self.workers = Workers()

    def __dealloc__(self):
        free(self.records)

    # -- records ---------------------------------------------------------------

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
        record.lines = 1
        record.leaf = block.lines[line].leaf
        record.flags = flags
        if flags & UNRECOGNISED:
            record.leaf = NONE
        self.count += 1
        return self.count - 1

    cdef void join(self, Block block, int32_t number, int32_t line, uint8_t part) noexcept nogil:
        cdef Record* record = &self.records[number]
        block.lines[line].part = part
        block.lines[record.last].next = line
        record.last = line
        record.lines += 1
        if part == PART_BODY:
            record.flags |= HAS_MORE
        elif part == PART_TRACEBACK:
            record.flags |= HAS_TRACEBACK
        else:
            record.flags |= HAS_STACK

    cdef inline bint is_open(self, int32_t number, int64_t offset) noexcept nogil:
        """Whether a line at `offset` may still join the record."""
        cdef Record* record
        if number < 0:
            return False
        record = &self.records[number]
        return (not record.flags & CLOSED and offset - record.offset <= WINDOW
                and record.lines < MOST_LINES)

    cdef inline void close(self, int32_t number) noexcept nogil:
        if number >= 0:
            self.records[number].flags |= CLOSED

    # -- lines -----------------------------------------------------------------

    cdef int head_line(self, Block block, int32_t i, const Leaf* leaf) except -1 nogil:
        cdef Worker* worker
        if leaf.flags & JSON:
            # Complete in itself: nothing can follow, nothing is held back.
            self.start(block, i, CLOSED)
            self.previous = NONE
            return 0
        worker = self.workers.get(block.lines[i].worker)
        self.close(worker.head)
        self.close(worker.orphan)
        worker.orphan = NONE
        worker.head = self.latest = self.previous = self.start(
            block, i, 0)
        if not leaf.flags & FOLLOW_ON:
            self.previous = NONE
        if leaf.flags & STAMPED:
            self.stamped = self.records[self.latest].offset
        return 0

    cdef bint belongs(self, Block block, int32_t number, const Line* line, const Leaf* leaf) noexcept nogil:
        """Whether the record is equal in every field that both its head and the prefix have."""
        cdef const Line* head = &block.lines[self.records[number].head]
        cdef const Leaf* other = &self.program.leaves[head.leaf]
        if leaf.flags & STAMPED and not (
                other.flags & STAMPED
                and same_time(block, line, leaf.timestamp, head, other.timestamp)):
            return False
        return (same_text(block, line, leaf.logger, head, other.logger)
                and same_text(block, line, leaf.resource, head, other.resource))

    cdef bint takes(self, Block block, int32_t number, const Line* line, const Leaf* leaf,
                    const uint8_t* text, int32_t length) noexcept nogil:
        """Whether the open record takes the traceback line; keeps track of its block."""
        cdef Record* record
        cdef int64_t offset = block.offset + line.first
        if not self.is_open(number, offset) or not self.belongs(block, number, line, leaf):
            return False
        record = &self.records[number]
        if not (record.flags & HEADLESS or self.program.leaves[record.leaf].flags & BARE):
            return True
        # A head may look like this line, too: only what is inside a block joins.
        if opens_block(text, length):
            record.flags |= IN_BLOCK
            return True
        if inside_block(text, length):
            if links_blocks(text, length):
                record.flags |= IN_BLOCK
            return True
        if record.flags & IN_BLOCK:
            record.flags &= ~IN_BLOCK       # the line that names the exception
            return True
        return False

    cdef int traceback_line(self, Program program, Block block, int32_t i, const Leaf* leaf) except -1 nogil:
        cdef Line* line = &block.lines[i]
        cdef const uint8_t* text
        cdef int32_t length, candidate, again
        cdef Worker* worker = self.workers.get(line.worker)
        cdef Worker* unnumbered
        cdef int32_t[3] candidates
        cdef bint last
        cdef State state
        text = text_of(block, line, leaf.body, &length)
        if length < 0:
            length = 0
        candidates[0] = worker.head
        candidates[1] = worker.orphan
        # A format may print the process id in one of both only.
        unnumbered = self.workers.find(1)
        candidates[2] = self.latest if line.worker == 1 else (unnumbered.head if unnumbered.used else NONE)
        for candidate in candidates[:3]:
            if self.takes(block, candidate, line, leaf, text, length):
                self.join(block, candidate, i, PART_TRACEBACK)
                self.previous = candidate
                return 0
        if not leaf.flags & STAMPED:
            if not (opens_block(text, length) or begins(text, length, b"  ", 2)) or self.shadowed(block, line):
                return self.raw_line(block, i)
        if torn(text, length, True):
            self.start(block, i, CLOSED | TORN)
            self.previous = NONE
            return 0
        last = names_exception(text, length)
        if not (last or opens_block(text, length) or continues_block(text, length)):
            # Not surely of a traceback: a head, if any layout of heads takes it.
            fresh(&state)
            block.need_spans(2 * program.most_slots)
            line = &block.lines[i]
            again = program.match(block.data, line.start, line.end, block.spans + block.span_used, &state, True)
            if again >= 0:
                line.leaf = <int16_t>again
                line.row = block.span_used
                block.span_used += 2 * program.leaves[again].slots
                line.severity = state.severity
                return self.head_line(block, i, &program.leaves[again])
        self.close(worker.orphan)
        worker.orphan = self.latest = self.previous = self.start(
            block, i, HEADLESS | HAS_TRACEBACK | (IN_BLOCK if length and not last else 0))
        line.part = PART_TRACEBACK
        if leaf.flags & STAMPED:
            self.stamped = self.records[self.latest].offset
        return 0

    cdef inline bint shadowed(self, Block block, const Line* line) noexcept nogil:
        """Whether a record with a timestamp is open, so that a weak line starts none."""
        return block.offset + line.first - self.stamped <= WINDOW

    cdef int raw_line(self, Block block, int32_t i) except -1 nogil:
        cdef Line* line = &block.lines[i]
        cdef const uint8_t* text = block.data + line.start
        cdef int32_t length = line.end - line.start, number = self.previous
        cdef Record* record
        cdef uint8_t part = PART_BODY
        cdef uint16_t alone = 0
        line.leaf = line.row = NONE
        if line.flags & PIECE:
            alone = OVERLONG
        elif not self.is_open(number, block.offset + line.first):
            alone = CLOSED
        elif torn(text, length, False):
            alone = TORN
        if alone:
            self.start(block, i, CLOSED | UNRECOGNISED | alone)
            self.previous = NONE
            return 0
        record = &self.records[number]
        if record.flags & IN_STACK:
            if begins(text, length, b"  ", 2):
                part = PART_STACK
            else:
                record.flags &= ~IN_STACK
        if begins(text, length, b"Stack (most recent call last):", 30) and length == 30:
            record.flags |= IN_STACK
            part = PART_STACK
        if line.flags & SYSLOG:
            if begins(text, length, b"Traceback (most recent call last)", 33):
                record.flags |= IN_BLOCK
            if record.flags & IN_BLOCK:
                part = PART_TRACEBACK
        self.join(block, number, i, part)
        return 0

    cdef int assemble(self, Program program, Block block) except -1 nogil:
        cdef int32_t i
        cdef const Leaf* leaf
        for i in range(block.line_count):
            if block.lines[i].leaf < 0:
                self.raw_line(block, i)
                continue
            leaf = &program.leaves[block.lines[i].leaf]
            if leaf.role != HEAD:
                self.traceback_line(program, block, i, leaf)
            elif leaf.flags & STAMPED or not self.shadowed(block, &block.lines[i]):
                self.head_line(block, i, leaf)
            else:
                self.raw_line(block, i)
        return 0

    # -- between blocks ----------------------------------------------------------

    cdef int adopt(self, Block block, Block kept) except -1 nogil:
        """Put the carried lines behind those of the block."""
        cdef int32_t shift, base = block.line_used, rows, i, j, leaf
        cdef Line* line
        if kept.used == 0:
            return 0
        block.need_data(kept.used)
        block.need_lines(kept.line_used)
        block.need_spans(kept.span_used)
        shift = <int32_t>block.used
        rows = block.span_used
        memcpy(block.data + shift, kept.data, kept.used)
        memcpy(block.lines + base, kept.lines, kept.line_used * sizeof(Line))
        memcpy(block.spans + rows, kept.spans, kept.span_used * sizeof(int32_t))
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
        for i in range(self.count):
            self.records[i].head += base
            self.records[i].last += base
        block.ascii = block.ascii and all_ascii(kept.data, kept.used)
        block.used += kept.used
        block.line_used += kept.line_used
        block.span_used += kept.span_used
        return 0

    cdef int carry(self, Block block, Block kept) except -1 nogil:
        """Keep the lines of the records that are left."""
        cdef int32_t i, at, copy, shift, slots, j, before, at_span
        cdef Line* line
        kept.used = kept.size = 0
        kept.line_used = kept.span_used = 0
        for i in range(self.count):
            at = self.records[i].head
            before = NONE
            while at != NONE:
                line = &block.lines[at]
                kept.need_data(line.stop - line.first)
                kept.need_lines(1)
                shift = <int32_t>kept.used - line.first
                memcpy(kept.data + kept.used, block.data + line.first, line.stop - line.first)
                kept.used += line.stop - line.first
                copy = kept.line_used
                kept.lines[copy] = line[0]
                kept.line_used += 1
                at = line.next
                line = &kept.lines[copy]
                line.first += shift
                line.start += shift
                line.end += shift
                line.stop += shift
                line.next = NONE
                if line.row != NONE:
                    slots = self.program.leaves[line.leaf].slots
                    kept.need_spans(2 * slots)
                    for j in range(2 * slots):
                        at_span = block.spans[line.row + j]
                        kept.spans[kept.span_used + j] = at_span + shift if at_span >= 0 else at_span
                    line.row = kept.span_used
                    kept.span_used += 2 * slots
                if before == NONE:
                    self.records[i].head = copy
                else:
                    kept.lines[before].next = copy
                before = copy
            self.records[i].last = before
        return 0

    cdef int32_t released(self, int64_t end, bint final) noexcept nogil:
        """Number of records that are complete and have no open record before them."""
        cdef int32_t i
        for i in range(self.count):
            if not final and not self.records[i].flags & CLOSED and end - self.records[i].offset <= WINDOW:
                return i
        return self.count

    cdef int forget(self, int32_t released) except -1 nogil:
        """Drop what refers to released records and renumber the rest."""
        if released == 0:
            return 0
        memcpy_down(self.records, released, self.count)
        self.count -= released
        self.previous = self.previous - released if self.previous >= released else NONE
        self.latest = self.latest - released if self.latest >= released else NONE
        return self.workers.forget(released)

    def feed(self, Block block not None, bint final):
        """Assemble the next block of the source and return the records now complete.

        The block must have been scanned by the assembler's program.  With
        ``final`` all records close.
        """
        cdef Records out = Records()
        cdef Block kept = self.carried
        cdef int32_t released
        with nogil:
            self.adopt(block, kept)
            self.assemble(self.program, block)
            released = self.released(block.offset + block.size, final)
            out.records = <Record*>realloc(NULL, (released + 1) * sizeof(Record))
            if out.records == NULL:
                with gil:
                    raise MemoryError()
            if released:
                memcpy(out.records, self.records, released * sizeof(Record))
            out.count = released
            self.forget(released)
            self.carry(block, kept)
        out.block = block
        return out


cdef inline void memcpy_down(Record* records, int32_t released, int32_t count) noexcept nogil:
    cdef int32_t i
    for i in range(count - released):
        records[i] = records[i + released]
