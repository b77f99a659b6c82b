"""Lines to records: the serial step between scanning and building columns.

Rules (docs/explanation/assembly.md gives examples):

1. A head line starts a record; records leave in the order of their heads.
2. A line no layout recognises continues the record that owns the line before.
3. A traceback line joins the open record equal in every field its prefix has.
4. Where traceback lines look like heads, a line joins only inside a block.
5. In an envelope that hands on a stream (a container's output) rule 2 holds for
   each stream of its own; elsewhere only a traceback's lines join there.
6. Further lines of one message, and what continues text cut in the middle, belong
   to its record whatever they look like.
7. A record closes at the next head of its worker, or when WINDOW bytes of later
   input have gone by since its own first byte, or at the end of the input.

All rules read bytes and offsets, never chunks, threads or clocks: the records
do not depend on how the input was cut into blocks.
"""

cimport cython
from libc.stdint cimport int16_t, int32_t, int64_t, uint8_t, uint16_t, uint64_t
from libc.stdlib cimport calloc, free, realloc
from libc.string cimport memchr, memcmp, memcpy

from opslog.kernel._block cimport (BAD_TIME, Block, CLOSED, CONTINUED, HAS_MORE, HAS_OFFSET, HAS_STACK, HAS_TRACEBACK, HEADLESS, HELD, IN_BLOCK, IN_STACK, Line, MORE, MOST_LINES, NONE, OVERLONG, PART_BODY, PART_STACK, PART_TRACEBACK, PIECE, Record, SYSLOG, TIMED, TORN, UNENDED, UNRECOGNISED, WINDOW)
from opslog.kernel._table cimport begin_table
from opslog.assembly._open_lines cimport adopt, carry
from opslog.scanner._envelope cimport undo
from opslog.scanner._program cimport (ALONE, BARE, ENVELOPE, FOLLOW_ON, HEAD, INDENTED, JSON, Leaf, OCTAL, Program, STAMPED, STREAM, UNLOGGED, WEAK)
from opslog.scanner._state cimport MatchState, begin_state
from opslog.scanner._time cimport is_digit
from opslog.assembly._trace_text cimport (begins, continues_block, inside_block, links_blocks, names_exception, opens_block, torn)
from opslog.assembly._workers cimport (FEWEST, Worker, Workers, drop_workers, find_worker, forget_records, get_worker)


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
    cdef int64_t end            # source offset behind all that was fed
    cdef int64_t reach          # source offset behind all lines of released records
    cdef readonly int64_t cut   # no record before it is open, and none has lines on both sides

    def __cinit__(self, Program program not None):
        self.program = program
        self.carried = Block(0)
        self.carried.reset(0)
        self.previous = self.latest = NONE
        self.stamped = -WINDOW - 1
        begin_table(&self.workers.known, FEWEST)

    def __dealloc__(self):
        free(self.records)
        drop_workers(&self.workers)

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
        record.end = block.offset + block.lines[line].stop
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
        record.end = block.offset + block.lines[line].stop
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
            self.latest = self.start(block, i, CLOSED)
            self.previous = NONE
            return 0
        worker = get_worker(&self.workers, block.lines[i].worker)
        self.close(worker.head)
        self.close(worker.orphan)
        worker.orphan = NONE
        worker.head = self.latest = self.previous = self.start(
            block, i, 0)
        if not leaf.flags & FOLLOW_ON:
            self.previous = NONE
        if block.lines[i].flags & TIMED:
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
        cdef Worker* worker = get_worker(&self.workers, line.worker)
        cdef Worker* unnumbered
        cdef int32_t[3] candidates
        cdef uint64_t base
        cdef bint last
        cdef MatchState state
        text = text_of(block, line, leaf.body, &length)
        if length < 0:
            length = 0
        candidates[0] = worker.head
        candidates[1] = worker.orphan
        # A format may print the process id in one of both only.
        base = 1 if line.outer == NONE else block.wraps[line.outer].stream
        unnumbered = find_worker(&self.workers, base)
        if line.worker == base:
            candidates[2] = self.latest if base == 1 else worker.previous
        else:
            candidates[2] = unnumbered.head if unnumbered != NULL else NONE
        for candidate in candidates[:3]:
            if self.takes(block, candidate, line, leaf, text, length):
                self.join(block, candidate, i, PART_TRACEBACK)
                self.previous = candidate
                if line.outer != NONE:
                    self.latest = candidate
                return 0
        if not line.flags & TIMED:
            if not (opens_block(text, length) or begins(text, length, b"  ", 2)) or self.shadowed(block, line):
                return self.raw_line(block, i)
        if torn(text, length, True):
            self.start(block, i, CLOSED | TORN)
            self.previous = NONE
            return 0
        last = names_exception(text, length)
        if not (last or opens_block(text, length) or continues_block(text, length)):
            # Not surely of a traceback: a head, if any layout of heads takes it.
            begin_state(&state)
            block.need_spans(2 * program.most_slots)
            line = &block.lines[i]
            again = program.match(block.data, line.start, line.end, block.spans + block.span_used, &state, True)
            if again >= 0 and not program.leaves[again].flags & ENVELOPE:
                line.leaf = <int16_t>again
                line.row = block.span_used
                block.span_used += 2 * program.leaves[again].slots
                line.severity = state.severity
                return self.head_line(block, i, &program.leaves[again])
            if line.outer != NONE and not leaf.flags & STAMPED:
                undo(block, line)       # a sentence of an envelope that begins as the prefix does
                return self.text_line(program, block, i, &program.leaves[line.leaf])
        self.close(worker.orphan)
        worker.orphan = self.latest = self.previous = self.start(
            block, i, HEADLESS | HAS_TRACEBACK | (IN_BLOCK if length and not last else 0))
        line.part = PART_TRACEBACK
        if line.flags & TIMED:
            self.stamped = self.records[self.latest].offset
        return 0

    cdef inline bint shadowed(self, Block block, const Line* line) noexcept nogil:
        """Whether a record with a timestamp is open, so that a weak line starts none."""
        return block.offset + line.first - self.stamped <= WINDOW

    cdef int raw_line(self, Block block, int32_t i) except -1 nogil:
        cdef Line* line = &block.lines[i]
        cdef const uint8_t* text = block.data + line.start
        cdef int32_t length = line.end - line.start, number = self.previous
        cdef uint16_t alone = 0
        cdef bint whole = False
        line.leaf = line.row = NONE
        if number >= 0 and length and text[0] == c' ':
            whole = self.unindent(block, number, line)
            text = block.data + line.start
            length = line.end - line.start
        if whole and self.traced(block, number, line):
            self.join(block, number, i, PART_TRACEBACK)
            return 0
        if (self.is_open(number, block.offset + line.first) and self.unlogged(number)
                and not line.flags & PIECE):
            if self.traces(block, number, i, text, length):
                return 0
            number = self.previous = NONE
        if line.flags & PIECE:
            alone = OVERLONG
        elif not self.is_open(number, block.offset + line.first):
            alone = CLOSED
        elif torn(text, length, False):
            alone = TORN
        elif self.damaged(block, number, text, length):
            alone = CLOSED
        if alone:
            self.start(block, i, CLOSED | UNRECOGNISED | alone)
            self.previous = NONE
            return 0
        self.join_text(block, number, i, text, length, whole or line.flags & SYSLOG)
        return 0

    cdef inline bint unlogged(self, int32_t number) noexcept nogil:
        """Whether the record is a traceback that nobody logged."""
        return (self.records[number].flags & HEADLESS and self.records[number].leaf >= 0
                and self.program.leaves[self.records[number].leaf].flags & UNLOGGED)

    cdef int unlogged_line(self, Block block, int32_t i) except -1 nogil:
        """The first line of a traceback that nobody logged: it belongs to what is open, or starts a record."""
        cdef Line* line = &block.lines[i]
        cdef int32_t number = self.previous
        if self.is_open(number, block.offset + line.first) and not (
                self.unlogged(number) and not self.records[number].flags & IN_BLOCK):
            return self.raw_line(block, i)
        self.previous = self.start(block, i, HEADLESS | HAS_TRACEBACK | IN_BLOCK)
        line.part = PART_TRACEBACK
        return 0

    cdef bint traces(self, Block block, int32_t number, int32_t i, const uint8_t* text, int32_t length) noexcept nogil:
        """Join a line to a traceback that nobody logged, if it is one of its lines."""
        cdef Record* record = &self.records[number]
        if record.flags & IN_BLOCK:
            if not (inside_block(text, length) or opens_block(text, length)):
                record.flags &= ~IN_BLOCK       # the line that names the exception
        elif length and links_blocks(text, length):
            record.flags |= IN_BLOCK
        elif length:
            return False
        self.join(block, number, i, PART_TRACEBACK)
        return True

    cdef bint damaged(self, Block block, int32_t number, const uint8_t* text, int32_t length) noexcept nogil:
        """Whether a line behind a syslog message is one itself, though not written as one should be."""
        if length < 3 or text[0] != c'<' or not is_digit(text[1]):
            return False
        cdef const Line* head = &block.lines[self.records[number].head]
        cdef int32_t leaf = head.leaf, at = head.outer
        while at != NONE:
            leaf = block.wraps[at].leaf
            at = block.wraps[at].outer
        return leaf >= 0 and self.program.leaves[leaf].flags & OCTAL

    cdef bint unindent(self, Block block, int32_t number, Line* line) noexcept nogil:
        """Drop the blanks that put a message's further line below its first; return whether it is one."""
        cdef const Line* head = &block.lines[self.records[number].head]
        cdef int32_t row = head.row, leaf = head.leaf, at = head.outer, i
        while at != NONE:
            row = block.wraps[at].row
            leaf = block.wraps[at].leaf
            at = block.wraps[at].outer
        if leaf < 0 or not self.program.leaves[leaf].flags & INDENTED or self.program.leaves[leaf].body < 0:
            return False
        at = block.spans[row + 2 * self.program.leaves[leaf].body]
        if not head.first <= at < head.stop or line.end - line.start < at - head.first:
            return False
        for i in range(line.start, line.start + at - head.first):
            if block.data[i] != c' ':
                return False
        line.start += at - head.first
        return True

    cdef int traced(self, Block block, int32_t number, Line* line) except -1 nogil:
        """Whether a message's further line is one of its traceback; if so its layout is found."""
        cdef MatchState state
        cdef int32_t found
        if not self.is_open(number, block.offset + line.first):
            return False
        begin_state(&state)
        block.need_spans(2 * self.program.most_slots)
        found = self.program.match(
            block.data, line.start, line.end, block.spans + block.span_used, &state, False)
        if found < 0 or self.program.leaves[found].role == HEAD:
            return False
        line.leaf = <int16_t>found
        line.row = block.span_used
        block.span_used += 2 * self.program.leaves[found].slots
        return True

    cdef void join_text(self, Block block, int32_t number, int32_t i, const uint8_t* text,
                        int32_t length, bint whole) noexcept nogil:
        """Join text to the record as part of its body, stack or, if its lines come whole, traceback."""
        cdef Record* record = &self.records[number]
        cdef uint8_t part = PART_BODY
        if record.flags & IN_STACK:
            if begins(text, length, b"  ", 2):
                part = PART_STACK
            else:
                record.flags &= ~IN_STACK
        if begins(text, length, b"Stack (most recent call last):", 30) and length == 30:
            record.flags |= IN_STACK
            part = PART_STACK
        if whole:
            if begins(text, length, b"Traceback (most recent call last)", 33):
                record.flags |= IN_BLOCK
            if record.flags & IN_BLOCK:
                part = PART_TRACEBACK
        self.join(block, number, i, part)

    # -- lines in envelopes -------------------------------------------------------

    cdef int part_line(self, Program program, Block block, int32_t i) except -1 nogil:
        """Join a further line of the message that the line before began."""
        cdef Line* line = &block.lines[i]
        cdef int32_t number = self.latest
        if number < 0 or self.records[number].lines >= MOST_LINES:
            return self.raw_line(block, i)
        if line.leaf >= 0 or self.records[number].flags & HEADLESS:
            self.join(block, number, i, PART_TRACEBACK)
        else:
            self.join_text(block, number, i, block.data + line.start, line.end - line.start, True)
        return 0

    cdef bint goes_on(self, Block block, int32_t i, const Leaf* envelope, const uint8_t* text,
                      int32_t length) except -1 nogil:
        """Join text that no layout in an envelope takes to the record before it, if that takes it."""
        cdef Line* line = &block.lines[i]
        cdef Worker* stream = get_worker(&self.workers, line.worker)
        cdef int32_t number = stream.previous
        cdef Record* record
        cdef bint stays
        if not self.is_open(number, block.offset + line.first):
            return False
        record = &self.records[number]
        if record.flags & IN_BLOCK:
            # Inside a traceback: up to the line that names the exception, and on if it is one of a chain.
            stays = inside_block(text, length) or opens_block(text, length)
            if not stays:
                record.flags &= ~IN_BLOCK
            self.join(block, number, i, PART_TRACEBACK)
            return True
        if not length and self.part_of(block, number) == PART_TRACEBACK:
            # The empty line between the exceptions of a chain.
            self.join(block, number, i, PART_TRACEBACK)
            return True
        if opens_block(text, length) and not record.flags & (HAS_TRACEBACK | HEADLESS):
            if envelope.flags & STREAM and self.program.leaves[record.leaf].flags & FOLLOW_ON:
                record.flags |= IN_BLOCK
                if block.lines[record.head].severity == 0:
                    block.lines[record.head].severity = 17      # as a traceback alone has
                self.join(block, number, i, PART_TRACEBACK)
                return True
            return False
        if record.flags & HAS_TRACEBACK and length and links_blocks(text, length):
            record.flags |= IN_BLOCK
            self.join(block, number, i, PART_TRACEBACK)
            return True
        if (not envelope.flags & STREAM or record.flags & HEADLESS
                or not self.program.leaves[record.leaf].flags & FOLLOW_ON
                or self.program.leaves[record.leaf].flags & ENVELOPE):
            return False
        self.join_text(block, number, i, text, length, False)
        return True

    cdef int text_line(self, Program program, Block block, int32_t i, const Leaf* envelope) except -1 nogil:
        """A line whose envelope holds text that no layout takes."""
        cdef Line* line = &block.lines[i]
        cdef Worker* stream
        cdef const uint8_t* text
        cdef int32_t length
        text = text_of(block, line, envelope.body, &length)
        if length >= 0 and self.goes_on(block, i, envelope, text, length):
            self.latest = get_worker(&self.workers, line.worker).previous
            return 0
        if length > 0 and opens_block(text, length) and not begins(text, length, b"Stack", 5):
            # A traceback that nobody logged: what a program prints when it dies.
            self.latest = self.start(block, i, HEADLESS | HAS_TRACEBACK | IN_BLOCK)
            line.part = PART_TRACEBACK
            line.severity = 17
        else:
            self.latest = self.start(block, i, 0)
        stream = get_worker(&self.workers, line.worker)
        self.close(stream.head)
        self.close(stream.orphan)
        stream.orphan = NONE
        stream.head = self.latest
        self.previous = self.latest if envelope.flags & FOLLOW_ON else NONE
        if line.flags & TIMED:
            self.stamped = self.records[self.latest].offset
        return 0

    cdef int wrapped_line(self, Program program, Block block, int32_t i, const Leaf* leaf) except -1 nogil:
        """A line in at least one envelope, or an envelope itself."""
        cdef Line* line = &block.lines[i]
        cdef int32_t at, number
        cdef const Leaf* outermost
        cdef Worker* stream
        stream = get_worker(&self.workers, line.worker if line.outer == NONE or leaf.flags & ENVELOPE
                                  else block.wraps[line.outer].stream)
        if stream.unended and self.is_open(stream.previous, block.offset + line.first):
            number = stream.previous
            line.flags |= CONTINUED
            if not leaf.flags & ENVELOPE:
                line.leaf = line.row = NONE     # it may look like a record of its own
            self.join(block, number, i, self.part_of(block, number))
            self.latest = number
        elif (leaf.flags & WEAK and line.outer == NONE and self.shadowed(block, line)
                and not self.is_open(stream.previous, block.offset + line.first)):
            return self.raw_line(block, i)
        elif leaf.flags & ENVELOPE:
            self.text_line(program, block, i, leaf)
        elif leaf.role != HEAD:
            self.traceback_line(program, block, i, leaf)
        else:
            self.head_line(block, i, leaf)
        line = &block.lines[i]
        # What it now belongs to is what the next text of each of its streams may continue.
        if leaf.flags & ENVELOPE or (line.leaf >= 0 and program.leaves[line.leaf].flags & ENVELOPE):
            self.remember(line.worker, line.flags)
        at = line.outer
        while at != NONE:
            self.remember(block.wraps[at].stream, block.wraps[at].flags)
            outermost = &program.leaves[block.wraps[at].leaf]
            at = block.wraps[at].outer
            if at == NONE and not outermost.flags & FOLLOW_ON:
                self.previous = NONE
        return 0

    cdef int remember(self, uint64_t key, uint16_t flags) except -1 nogil:
        cdef Worker* stream = get_worker(&self.workers, key)
        stream.previous = self.latest
        stream.unended = (flags & UNENDED) != 0
        return 0

    cdef uint8_t part_of(self, Block block, int32_t number) noexcept nogil:
        """The part of a record that its last line belongs to."""
        return block.lines[self.records[number].last].part

    cdef int assemble(self, Program program, Block block) except -1 nogil:
        cdef int32_t i
        cdef const Leaf* leaf
        for i in range(block.line_count):
            if block.lines[i].flags & MORE:
                self.part_line(program, block, i)
                continue
            if block.lines[i].leaf < 0:
                self.raw_line(block, i)
                continue
            leaf = &program.leaves[block.lines[i].leaf]
            if leaf.flags & ENVELOPE or block.lines[i].outer != NONE:
                self.wrapped_line(program, block, i, leaf)
            elif leaf.role != HEAD:
                self.traceback_line(program, block, i, leaf)
            elif leaf.flags & UNLOGGED:
                self.unlogged_line(block, i)
            elif leaf.flags & (STAMPED | ALONE) or not self.shadowed(block, &block.lines[i]):
                self.head_line(block, i, leaf)
            else:
                self.raw_line(block, i)
        return 0

    # -- between blocks ----------------------------------------------------------

    cdef int32_t released(self, int64_t end, bint final) noexcept nogil:
        """Number of records that are complete and have no open record before them."""
        cdef int32_t i
        for i in range(self.count):
            if not final and not self.records[i].flags & CLOSED and end - self.records[i].offset <= WINDOW:
                return i
        return self.count

    cdef void hold(self, int64_t offset) noexcept nogil:
        """Close the open records whose last line ends at `offset` or before."""
        cdef int32_t i
        for i in range(self.count):
            if not self.records[i].flags & CLOSED and self.records[i].end <= offset:
                self.records[i].flags |= CLOSED | HELD

    cdef void find_cut(self, int32_t released) noexcept nogil:
        """Move the cut behind the records to be released, as far as none has lines on both sides."""
        cdef int32_t i
        for i in range(released):
            if self.reach <= self.records[i].offset:
                self.cut = self.records[i].offset
            self.reach = max(self.reach, self.records[i].end)
        if released == self.count:
            self.cut = self.end
        elif self.reach <= self.records[released].offset:
            self.cut = self.records[released].offset

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
        memcpy_down(self.records, released, self.count)
        self.count -= released
        self.previous = self.previous - released if self.previous >= released else NONE
        self.latest = self.latest - released if self.latest >= released else NONE
        return forget_records(&self.workers, released)

    def feed(self, Block block not None, bint final, int64_t held=-1):
        """Assemble the next block of the source and return the records now complete.

        The block must have been scanned by the assembler's program.  With
        ``final`` all records close, with ``held`` those whose last line ends at
        this offset of the source or before.
        """
        cdef Records out = Records()
        cdef Block kept = self.carried
        cdef int32_t released
        with nogil:
            adopt(block, kept, self.records, self.count)
            self.assemble(self.program, block)
            self.end = max(self.end, block.offset + block.size)
            self.hold(held)
            released = self.released(self.end, final)
            self.find_cut(released)
            out.records = <Record*>realloc(NULL, (released + 1) * sizeof(Record))
            if out.records == NULL:
                with gil:
                    raise MemoryError()
            if released:
                memcpy(out.records, self.records, released * sizeof(Record))
            out.count = released
            self.forget(released)
            carry(self.program, block, kept, self.records, self.count)
        out.block = block
        return out


cdef inline void memcpy_down(Record* records, int32_t released, int32_t count) noexcept nogil:
    cdef int32_t i
    for i in range(count - released):
        records[i] = records[i + released]
