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
from libc.string cimport memchr

from opslog.assembly._agreement cimport agrees, is_damaged, same_text, same_writer, text_of, unindent
from opslog.assembly._records cimport OpenRecords, Records, close, is_open
from opslog.assembly._traceback_text cimport (STACK, STACK_SIZE, begins, continues_block, in_group, inside_block, links_blocks, names_exception, names_origin, opens_block, opens_traceback, torn)
from opslog.assembly._workers cimport Worker, find_worker, get_worker
from opslog.kernel._block cimport (Block, CLOSED, CONTINUED, HAS_MORE, HAS_STACK, HAS_TRACEBACK, HEADLESS, IN_BLOCK, IN_STACK, IN_TEXT, Line, MORE, MOST_LINES, NONE, OVERLONG, PART_BODY, PART_STACK, PART_TRACEBACK, PIECE, QUOTES, Record, TIMED, TORN, UNENDED, UNRECOGNISED, WINDOW)
from opslog.scanner._envelope cimport keep_match, undo_envelope, unwrap
from opslog.scanner._program cimport (ALONE, BARE, ENVELOPE, FOLLOW_ON, HEAD, JSON, LINED, Leaf, Program, STAMPED, STREAM, UNLOGGED, WEAK)
from opslog.scanner._state cimport MatchState, begin_state


cdef enum:
    NEAR = 1000000              # microseconds between the envelopes of one record's lines, at most
    NEAR_IN_BLOCK = 60000000    # inside a traceback

cdef extern from *:
    """
    static const int64_t opslog_day = 86400000000;
    static const int64_t opslog_year = 365 * 86400000000;
    static const int64_t opslog_yearless = -62167219200000000;
    """
    const int64_t DAY "opslog_day"
    const int64_t YEAR "opslog_year"
    const int64_t YEARLESS "opslog_yearless"     # before year 0 are times without a year, where nothing tells it



@cython.final
cdef class Assembler(OpenRecords):
    """The open records of one source, and the rules by which lines join them."""

    cdef int64_t stamped        # offset of the latest record with a timestamp

    def __cinit__(self, Program program not None):
        self.stamped = -WINDOW - 1

    def feed(self, Block block not None, bint final, int64_t held=-1):
        """Assemble the next block of the source and return the records now complete.

        The block must have been scanned by the assembler's program.  With
        ``final`` all records close, with ``held`` those whose last line ends at
        this offset of the source or before.
        """
        cdef Records out = Records()
        out.block = block
        with nogil:
            self.adopt(block)
            self.assemble(block)
            self.release(block, final, held, out)
        return out

    cdef inline const Line* head_of(self, Block block, int32_t number) noexcept nogil:
        return &block.lines[self.records[number].head]

    # -- lines -----------------------------------------------------------------

    cdef inline bint is_open(self, Block block, int32_t number, const Line* line) noexcept nogil:
        return is_open(self.records, number, block.offset + line.first)

    cdef inline bint takes(self, Block block, int32_t number, const Line* line) noexcept nogil:
        """Whether a line without a time of its own may still join the record."""
        return self.is_open(block, number, line) and self.is_near(block, number, line)

    cdef bint is_near(self, Block block, int32_t number, const Line* line) noexcept nogil:
        """Whether the envelope of the line is hardly later than that of the record's last line."""
        cdef const Line* last = &block.lines[self.records[number].last]
        cdef int64_t later
        if line.stamp == NONE or last.stamp == NONE:
            return True
        later = line.stamp - last.stamp
        if line.stamp < YEARLESS:
            # As between the years that a file's time would tell.
            later += YEAR if later < -YEAR // 2 else -YEAR if later > YEAR - 2 * DAY else 0
        return later <= NEAR or (later <= NEAR_IN_BLOCK and self.is_in_block(block, number))

    cdef bint is_in_block(self, Block block, int32_t number) noexcept nogil:
        """Whether the record's last line is inside a traceback."""
        cdef const Line* last = &block.lines[self.records[number].last]
        cdef const uint8_t* text
        cdef int32_t length
        if self.records[number].flags & IN_BLOCK:
            return True
        if last.part != PART_TRACEBACK:
            return False
        text = self.line_text(block, last, &length)
        return inside_block(text, length) or opens_block(text, length)

    cdef const uint8_t* line_text(self, Block block, const Line* line, int32_t* length) noexcept nogil:
        """What of a line is not its prefix."""
        cdef const uint8_t* text = NULL
        if line.leaf >= 0:
            text = text_of(block, line, self.program.leaves[line.leaf].body, length)
        if text == NULL:
            text = block.data + line.start
            length[0] = line.end - line.start
        return text

    cdef int lead(self, Block block, int32_t number, const Leaf* leaf) except -1 nogil:
        """Make a record just begun the open one of its worker."""
        cdef const Line* line = self.head_of(block, number)
        cdef Worker* worker = get_worker(&self.workers, line.worker)
        close(self.records, worker.head)
        close(self.records, worker.orphan)
        worker.orphan = NONE
        worker.head = self.latest = number
        self.previous = number if leaf.flags & FOLLOW_ON else NONE
        if line.flags & TIMED:
            self.stamped = self.records[number].offset
        if leaf.closing_size:
            self.block = number
        return 0

    cdef bint block_line(self, Block block, int32_t i) noexcept nogil:
        """Whether the line is of the block that a record opened: whatever its own looks are."""
        cdef Line* line = &block.lines[i]
        cdef int32_t number = self.block, start, end
        cdef const Leaf* leaf = &self.program.leaves[self.records[number].leaf]
        if line.flags & PIECE or not same_writer(self.program, block, self.head_of(block, number), line, &start, &end):
            return False
        if not self.is_open(block, number, line) or line.leaf == self.records[number].leaf:
            self.block = NONE
            return False
        line.start = start
        line.end = end
        line.leaf = line.row = NONE
        if begins(block.data + start, end - start, <const char*>self.program.closings + leaf.closing, leaf.closing_size):
            self.block = NONE
        self.join(block, number, i, PART_BODY)
        self.previous = self.latest = number
        return True

    cdef int head_line(self, Block block, int32_t i, const Leaf* leaf) except -1 nogil:
        if leaf.flags & JSON:
            # Complete in itself: nothing can follow, nothing is held back.
            self.latest = self.start(block, i, CLOSED)
            self.previous = NONE
            return 0
        if leaf.flags & LINED and self.lined(block, i, leaf):
            return 0
        return self.lead(block, self.start(block, i, 0), leaf)

    cdef bint lined(self, Block block, int32_t i, const Leaf* leaf) except -1 nogil:
        """Whether a line that looks like a head is one of a traceback that is printed line by line."""
        cdef Line* line = &block.lines[i]
        cdef int32_t length, number
        cdef const uint8_t* text = text_of(block, line, leaf.body, &length)
        cdef const Worker* worker
        cdef Record* record
        cdef bint opens, inside
        if length < 0:
            return False
        opens = opens_traceback(text, length)
        inside = inside_block(text, length)
        worker = find_worker(&self.workers, line.worker)
        number = worker.head if worker != NULL else NONE
        if self.is_open(block, number, line) and self.is_alike(block, number, line, leaf):
            record = &self.records[number]
            if record.flags & IN_BLOCK:
                if not (inside or opens):
                    record.flags &= ~IN_BLOCK
                    if not record.flags & HAS_TRACEBACK:
                        return False        # the header alone was a message
                self.turn_head(block, number)
                self.join(block, number, i, PART_TRACEBACK)
                return True
            if (record.flags & HAS_TRACEBACK and self.part_of(block, number) == PART_TRACEBACK and inside
                    and (length == 0 or links_blocks(text, length))):
                if length:
                    record.flags |= IN_BLOCK
                self.join(block, number, i, PART_TRACEBACK)
                return True
            if opens and not record.flags & HAS_TRACEBACK and line.time == self.head_of(block, number).time:
                record.flags |= IN_BLOCK
                self.join(block, number, i, PART_TRACEBACK)
                return True
        if not opens:
            return False
        self.lead(block, self.start(block, i, IN_BLOCK), leaf)
        return True

    cdef bint is_alike(self, Block block, int32_t number, const Line* line, const Leaf* leaf) noexcept nogil:
        """Whether a head has the level, the logger and about the time of the record's last line."""
        cdef const Line* last = &block.lines[self.records[number].last]
        cdef const Line* head = self.head_of(block, number)
        return (last.leaf >= 0 and self.program.leaves[last.leaf].format == leaf.format
                and last.severity == line.severity
                and line.time - last.time <= NEAR_IN_BLOCK
                and same_text(block, line, leaf.logger, head, self.program.leaves[head.leaf].logger))

    cdef void turn_head(self, Block block, int32_t number) noexcept nogil:
        """Make a head that is the header of a traceback a line of it, too."""
        cdef Line* head = &block.lines[self.records[number].head]
        cdef int32_t length
        cdef const uint8_t* text = self.line_text(block, head, &length)
        if self.records[number].lines == 1 and opens_traceback(text, length):
            head.part = PART_TRACEBACK
            self.records[number].flags |= HAS_TRACEBACK

    cdef bint takes_traceback(self, Block block, int32_t number, const Line* line, const Leaf* leaf,
                              const uint8_t* text, int32_t length) noexcept nogil:
        """Whether the open record takes the traceback line; keeps track of its block."""
        cdef Record* record
        cdef const Line* head
        cdef const Leaf* other
        cdef bint names
        if not self.is_open(block, number, line):
            return False
        head = self.head_of(block, number)
        if not (leaf.flags & STAMPED or self.is_near(block, number, line)):
            return False
        if not agrees(self.program, block, head, line, leaf):
            return False
        record = &self.records[number]
        other = &self.program.leaves[head.leaf]
        names = leaf.logger >= 0 and other.logger >= 0
        if not (record.flags & HEADLESS or other.flags & BARE) and names:
            return True
        # A head may look like this line, too: only what is inside a block joins.
        if opens_block(text, length):
            if not (names or other.format == leaf.format):
                return False
            record.flags |= IN_BLOCK
            return True
        if inside_block(text, length) and record.flags & (HAS_TRACEBACK | HAS_STACK):
            if links_blocks(text, length):
                record.flags |= IN_BLOCK
            return True
        if not record.flags & IN_BLOCK:
            return False
        record.flags &= ~IN_BLOCK           # the line that names the exception
        return True

    cdef int traceback_line(self, Block block, int32_t i, const Leaf* leaf) except -1 nogil:
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
        base = 1 if line.outer == NONE else block.envelopes[line.outer].stream
        unnumbered = find_worker(&self.workers, base)
        if line.worker == base:
            candidates[2] = self.latest if base == 1 else worker.previous
        else:
            candidates[2] = unnumbered.head if unnumbered != NULL else NONE
        for candidate in candidates[:3]:
            if self.takes_traceback(block, candidate, line, leaf, text, length):
                self.join(block, candidate, i, PART_TRACEBACK)
                self.previous = candidate
                if line.outer != NONE:
                    self.latest = candidate
                return 0
        if not line.flags & TIMED:
            if not (opens_block(text, length) or begins(text, length, b"  ", 2)) or self.is_shadowed(block, line):
                return self.raw_line(block, i)
        if torn(text, length, True):
            self.start(block, i, CLOSED | TORN)
            self.previous = NONE
            return 0
        last = names_exception(text, length)
        if not (opens_block(text, length) or ((last or continues_block(text, length)) and self.is_named(block, line, leaf, text, length))):
            # Not surely of a traceback: a head, if any layout of heads takes it.
            begin_state(&state)
            block.need_spans(2 * self.program.most_slots)
            line = &block.lines[i]
            again = self.program.match(block.data, line.start, line.end, block.spans + block.span_used, &state, True)
            if again >= 0 and not self.program.leaves[again].flags & ENVELOPE:
                line.leaf = <int16_t>again
                line.row = block.span_used
                block.span_used += 2 * self.program.leaves[again].slots
                line.severity = state.severity
                return self.head_line(block, i, &self.program.leaves[again])
            if again >= 0 and line.outer == NONE and self.program.leaves[again].flags & STAMPED:
                return self.dated_line(block, i, again, &state)
            if line.outer != NONE and not leaf.flags & STAMPED:
                undo_envelope(block, line)       # a sentence of an envelope that begins as the prefix does
                return self.text_line(block, i, &self.program.leaves[line.leaf])
        close(self.records, worker.orphan)
        worker.orphan = self.latest = self.previous = self.start(
            block, i, HEADLESS | HAS_TRACEBACK | (IN_BLOCK if length and not last else 0))
        line.part = PART_TRACEBACK
        if line.flags & TIMED:
            self.stamped = self.records[self.latest].offset
        return 0

    cdef bint is_named(self, Block block, const Line* line, const Leaf* leaf, const uint8_t* text, int32_t length) noexcept nogil:
        """Whether the line has a logger that is more than a word, or says more than a word can."""
        cdef int32_t size
        cdef const uint8_t* logger = text_of(block, line, leaf.logger, &size)
        return (size < 0 or memchr(logger, c'.', size - 1) != NULL
                or (length > 0 and begins(text, length, b"  ", 2)) or links_blocks(text, length))

    cdef int dated_line(self, Block block, int32_t i, int32_t leaf, MatchState* state) except -1 nogil:
        """A line that only its time tells: what stands behind that is read as a line of its own."""
        cdef Line* line = &block.lines[i]
        line.leaf = <int16_t>leaf
        line.row = block.span_used
        block.span_used += 2 * self.program.leaves[leaf].slots
        line.severity = 0
        keep_match(line, &self.program.leaves[leaf], state)
        unwrap(self.program, block, i, state)
        return self.wrapped_line(block, i, &self.program.leaves[block.lines[i].leaf])

    cdef inline bint is_shadowed(self, Block block, const Line* line) noexcept nogil:
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
            whole = unindent(self.program, block, self.head_of(block, number), line)
            text = block.data + line.start
            length = line.end - line.start
        if whole and self.match_traceback_line(block, number, line):
            self.join(block, number, i, PART_TRACEBACK)
            return 0
        if (self.takes(block, number, line) and self.is_unlogged(number)
                and not line.flags & PIECE):
            if self.join_unlogged(block, number, i, text, length):
                return 0
            number = self.previous = NONE
        if line.flags & PIECE:
            alone = OVERLONG
        elif not self.takes(block, number, line):
            alone = CLOSED
        elif torn(text, length, False):
            alone = TORN
        elif is_damaged(self.program, block, self.head_of(block, number), text, length):
            alone = CLOSED
        if alone:
            self.start(block, i, CLOSED | UNRECOGNISED | alone)
            self.previous = NONE
            return 0
        self.join_text(block, number, i, text, length)
        return 0

    cdef inline bint is_unlogged(self, int32_t number) noexcept nogil:
        """Whether the record is a traceback that nobody logged."""
        return (self.records[number].flags & HEADLESS and self.records[number].leaf >= 0
                and self.program.leaves[self.records[number].leaf].flags & UNLOGGED)

    cdef int unlogged_line(self, Block block, int32_t i) except -1 nogil:
        """The first line of a traceback that nobody logged: it belongs to what is open, or starts a record."""
        cdef Line* line = &block.lines[i]
        cdef int32_t number = self.previous
        if self.takes(block, number, line) and not (
                self.is_unlogged(number) and not self.records[number].flags & IN_BLOCK):
            return self.raw_line(block, i)
        self.previous = self.start(block, i, HEADLESS | HAS_TRACEBACK | IN_BLOCK)
        line.part = PART_TRACEBACK
        return 0

    cdef bint join_unlogged(self, Block block, int32_t number, int32_t i, const uint8_t* text, int32_t length) noexcept nogil:
        """Join a line to a traceback that nobody logged, if it is one of its lines."""
        cdef Record* record = &self.records[number]
        cdef const uint8_t* last
        cdef int32_t size
        if record.flags & IN_BLOCK:
            if not (inside_block(text, length) or opens_block(text, length)):
                record.flags &= ~IN_BLOCK       # the line that names the exception
                last = self.line_text(block, &block.lines[record.last], &size)
                if in_group(last, size):
                    return False                # a group names it inside its margin
        elif length and links_blocks(text, length):
            record.flags |= IN_BLOCK
        elif length:
            return False
        self.join(block, number, i, PART_TRACEBACK)
        return True

    cdef int match_traceback_line(self, Block block, int32_t number, Line* line) except -1 nogil:
        """Whether a message's further line is one of its traceback; if so its layout is found."""
        cdef MatchState state
        cdef int32_t found
        if not self.takes(block, number, line):
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
                        int32_t length) noexcept nogil:
        """Join text to the record as part of its body, its stack or its traceback."""
        cdef Record* record = &self.records[number]
        cdef uint8_t part = PART_BODY
        if record.flags & IN_STACK:
            if begins(text, length, b"  ", 2):
                part = PART_STACK
            else:
                record.flags &= ~IN_STACK
        if length == STACK_SIZE and begins(text, length, STACK, STACK_SIZE):
            record.flags |= IN_STACK
            part = PART_STACK
        if part == PART_BODY:
            if not record.flags & (IN_TEXT | QUOTES) and opens_traceback(text, length):
                record.flags |= QUOTES if self.quotes(block, number) else IN_TEXT
                if not block.lines[record.head].severity:
                    block.lines[record.head].severity = 17      # as a traceback alone has
            elif record.lines == 1 and inside_block(text, length):
                self.turn_head(block, number)
                if record.flags & HAS_TRACEBACK:
                    record.flags |= IN_TEXT
            elif not length and record.flags & IN_TEXT and self.ends_in_header(block, number):
                # Printed with empty lines between: by oslo.messaging, of what another program raised.
                record.flags = record.flags & ~(IN_TEXT | HAS_TRACEBACK) | QUOTES | HAS_MORE
                block.lines[record.last].part = PART_BODY
            if record.flags & (IN_TEXT | HEADLESS):
                part = PART_TRACEBACK
        self.join(block, number, i, part)

    cdef bint ends_in_header(self, Block block, int32_t number) noexcept nogil:
        """Whether the record's last line begins its traceback."""
        cdef const Line* last = &block.lines[self.records[number].last]
        cdef int32_t length
        cdef const uint8_t* text = self.line_text(block, last, &length)
        return last.part == PART_TRACEBACK and length > 0 and opens_traceback(text, length)

    cdef bint quotes(self, Block block, int32_t number) noexcept nogil:
        """Whether the record's text says that a traceback in it is of another program."""
        cdef int32_t at = self.records[number].head, length
        cdef const uint8_t* text
        while at != NONE:
            text = self.line_text(block, &block.lines[at], &length)
            if names_origin(text, length):
                return True
            at = block.lines[at].next
        return False

    # -- lines in envelopes -------------------------------------------------------

    cdef int part_line(self, Block block, int32_t i) except -1 nogil:
        """Join a further line of the message that the line before began."""
        cdef Line* line = &block.lines[i]
        cdef int32_t number = self.latest
        if number < 0 or self.records[number].lines >= MOST_LINES:
            return self.raw_line(block, i)
        if line.leaf >= 0 or self.records[number].flags & HEADLESS:
            self.join(block, number, i, PART_TRACEBACK)
        else:
            self.join_text(block, number, i, block.data + line.start, line.end - line.start)
        return 0

    cdef bint join_stream(self, Block block, int32_t i, const Leaf* envelope, const uint8_t* text,
                          int32_t length) except -1 nogil:
        """Join text that no layout in an envelope takes to the record before it, if that takes it."""
        cdef Line* line = &block.lines[i]
        cdef Worker* stream = get_worker(&self.workers, line.worker)
        cdef int32_t number = stream.previous
        cdef Record* record
        cdef bint stays
        if not self.takes(block, number, line):
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
                or self.program.leaves[record.leaf].flags & ENVELOPE
                or (envelope.flags & WEAK and line.flags & TIMED
                    and not self.program.leaves[record.leaf].flags & STAMPED)):
            return False
        self.join_text(block, number, i, text, length)
        return True

    cdef int text_line(self, Block block, int32_t i, const Leaf* envelope) except -1 nogil:
        """A line whose envelope holds text that no layout takes."""
        cdef Line* line = &block.lines[i]
        cdef const uint8_t* text
        cdef int32_t length, number
        text = text_of(block, line, envelope.body, &length)
        if length >= 0 and self.join_stream(block, i, envelope, text, length):
            self.latest = get_worker(&self.workers, line.worker).previous
            return 0
        if length > 0 and opens_block(text, length) and not begins(text, length, b"Stack", 5):
            # A traceback that nobody logged: what a program prints when it dies.
            number = self.start(block, i, HEADLESS | HAS_TRACEBACK | IN_BLOCK)
            line.part = PART_TRACEBACK
            line.severity = 17
        else:
            number = self.start(block, i, 0)
        return self.lead(block, number, envelope)

    cdef int wrapped_line(self, Block block, int32_t i, const Leaf* leaf) except -1 nogil:
        """A line in at least one envelope, or an envelope itself."""
        cdef Line* line = &block.lines[i]
        cdef int32_t at, number
        cdef const Leaf* outermost
        cdef Worker* stream
        stream = get_worker(&self.workers, line.worker if line.outer == NONE or leaf.flags & ENVELOPE
                                  else block.envelopes[line.outer].stream)
        if stream.unended and self.is_open(block, stream.previous, line):
            number = stream.previous
            line.flags |= CONTINUED
            if not leaf.flags & ENVELOPE:
                line.leaf = line.row = NONE     # it may look like a record of its own
            self.join(block, number, i, self.part_of(block, number))
            self.latest = number
        elif (leaf.flags & WEAK and not line.flags & TIMED and line.outer == NONE and self.is_shadowed(block, line)
                and not self.takes(block, stream.previous, line)):
            return self.raw_line(block, i)
        elif leaf.flags & ENVELOPE:
            self.text_line(block, i, leaf)
        elif leaf.role != HEAD:
            self.traceback_line(block, i, leaf)
        else:
            self.head_line(block, i, leaf)
        line = &block.lines[i]
        # What it now belongs to is what the next text of each of its streams may continue.
        if leaf.flags & ENVELOPE or (line.leaf >= 0 and self.program.leaves[line.leaf].flags & ENVELOPE):
            self.remember_stream(line.worker, line.flags)
        at = line.outer
        while at != NONE:
            self.remember_stream(block.envelopes[at].stream, block.envelopes[at].flags)
            outermost = &self.program.leaves[block.envelopes[at].leaf]
            at = block.envelopes[at].outer
            if at == NONE and not outermost.flags & FOLLOW_ON:
                self.previous = NONE
        return 0

    cdef int remember_stream(self, uint64_t key, uint16_t flags) except -1 nogil:
        cdef Worker* stream = get_worker(&self.workers, key)
        stream.previous = self.latest
        stream.unended = (flags & UNENDED) != 0
        return 0

    cdef uint8_t part_of(self, Block block, int32_t number) noexcept nogil:
        """The part of a record that its last line belongs to."""
        return block.lines[self.records[number].last].part

    cdef int assemble(self, Block block) except -1 nogil:
        cdef int32_t i
        cdef const Leaf* leaf
        for i in range(block.line_count):
            if block.lines[i].flags & MORE:
                self.part_line(block, i)
                continue
            if self.block != NONE and self.block_line(block, i):
                continue
            if block.lines[i].leaf < 0:
                self.raw_line(block, i)
                continue
            leaf = &self.program.leaves[block.lines[i].leaf]
            if leaf.flags & ENVELOPE or block.lines[i].outer != NONE:
                self.wrapped_line(block, i, leaf)
            elif leaf.role != HEAD:
                self.traceback_line(block, i, leaf)
            elif leaf.flags & UNLOGGED:
                self.unlogged_line(block, i)
            elif leaf.flags & (STAMPED | ALONE) or not self.is_shadowed(block, &block.lines[i]):
                self.head_line(block, i, leaf)
            else:
                self.raw_line(block, i)
        return 0
