"""Whether a line joins an open record, and as what part of it."""

from libc.stdint cimport int32_t, int64_t, uint8_t
from libc.string cimport memcmp

from opslog.assembly._agreement cimport agrees, same_text, same_writer, text_of
from opslog.assembly._records cimport close, is_open
from opslog.assembly._seams cimport SeamedRecords
from opslog.assembly._traceback_text cimport (HEADER, HEADER_SIZE, STACK, STACK_SIZE, begins, in_group, inside_block, links_blocks, names_origin, opens_block, opens_traceback)
from opslog.assembly._workers cimport Worker, find_worker, get_worker
from opslog.kernel._block cimport (Block, HAS_MORE, HAS_STACK, HAS_TRACEBACK, HEADLESS, IN_BLOCK, IN_STACK, IN_TEXT, Line, NONE, PART_BODY, PART_STACK, PART_TRACEBACK, PIECE, QUOTES, Record, TIMED)
from opslog.scanner._program cimport BARE, FOLLOW_ON, LINED, Leaf, Program, STAMPED, UNLOGGED

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



cdef class JoinedRecords(SeamedRecords):
    """The open records of one source, and which lines they take."""

    cdef const Line* head_of(self, Block block, int32_t number) noexcept nogil:
        return &block.lines[self.records[number].head]

    cdef bint is_open(self, Block block, int32_t number, const Line* line) noexcept nogil:
        return is_open(self.records, number, block.offset + line.first, self.window)

    cdef bint takes(self, Block block, int32_t number, const Line* line) noexcept nogil:
        """Whether a line without a time of its own may still join the record."""
        return self.is_open(block, number, line) and self.is_near(block, number, line)

    cdef bint is_near(self, Block block, int32_t number, const Line* line) noexcept nogil:
        """Whether the line's envelope is hardly later than that of the record's last line, and of its level."""
        cdef const Line* last = &block.lines[self.records[number].last]
        cdef int64_t later
        if line.outer_severity != last.outer_severity and line.outer_severity and last.outer_severity:
            return False
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
            self.date(number)
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
        worker = find_worker(&self.workers, line.worker)
        number = worker.head if worker != NULL else NONE
        if number == NONE or not (opens or self.records[number].flags & (IN_BLOCK | HAS_TRACEBACK)):
            pass                            # as most lines do: nothing there to go on with
        elif self.is_open(block, number, line) and self.is_alike(block, number, line, leaf):
            inside = inside_block(text, length)
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
                              const uint8_t* text, int32_t length) except -1 nogil:
        """Whether the open record takes the traceback line; keeps track of its block."""
        cdef Record* record
        cdef const Line* head
        cdef const Leaf* other
        cdef bint names
        cdef int32_t size
        if not self.is_open(block, number, line):
            return False
        self.read_head(block, number)
        head = self.head_of(block, number)
        if not (leaf.flags & STAMPED or self.is_near(block, number, line)):
            return False
        if not agrees(self.program, block, head, line, leaf):
            return False
        record = &self.records[number]
        other = &self.program.leaves[head.leaf]
        names = (leaf.logger >= 0 and text_of(block, head, other.logger, &size) != NULL) or (
            other.format == leaf.format and (leaf.flags & STAMPED or leaf.logger < 0))
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

    cdef bint is_unlogged(self, int32_t number) noexcept nogil:
        """Whether the record is a traceback that nobody logged."""
        return (self.records[number].flags & HEADLESS and self.records[number].leaf >= 0
                and self.program.leaves[self.records[number].leaf].flags & UNLOGGED)

    cdef bint ends_in_group(self, Block block, int32_t number) noexcept nogil:
        """Whether the record's last line is of an exception group, which names its exceptions inside its margin."""
        cdef int32_t size
        cdef const uint8_t* last = self.line_text(block, &block.lines[self.records[number].last], &size)
        return in_group(last, size)

    cdef bint join_unlogged(self, Block block, int32_t number, int32_t i, const uint8_t* text, int32_t length) noexcept nogil:
        """Join a line to a traceback that nobody logged, if it is one of its lines."""
        cdef Record* record = &self.records[number]
        if record.flags & IN_BLOCK:
            if not (inside_block(text, length) or opens_block(text, length)):
                record.flags &= ~IN_BLOCK       # the line that names the exception
                if self.ends_in_group(block, number):
                    return False
        elif length and links_blocks(text, length):
            record.flags |= IN_BLOCK
        elif length:
            return False
        self.join(block, number, i, PART_TRACEBACK)
        return True

    cdef int join_text(self, Block block, int32_t number, int32_t i, const uint8_t* text,
                       int32_t length) except -1 nogil:
        """Join text to the record as part of its body, its stack or its traceback."""
        cdef Record* record = &self.records[number]
        cdef uint8_t part = PART_BODY
        self.read_head(block, number)
        if record.flags & IN_STACK:
            if begins(text, length, b"  ", 2):
                part = PART_STACK
            else:
                record.flags &= ~IN_STACK
        if length == STACK_SIZE and begins(text, length, STACK, STACK_SIZE):
            record.flags |= IN_STACK
            part = PART_STACK
        if part == PART_BODY and record.flags & IN_BLOCK and not record.flags & IN_TEXT:
            # The header came behind a prefix of its own, the rest of the traceback without one.
            record.flags |= IN_TEXT
        if part == PART_BODY:
            if not record.flags & (IN_TEXT | QUOTES) and (
                    opens_traceback(text, length) or self.follows_header(block, record, text, length)):
                record.flags |= QUOTES if self.quotes(block, number) else IN_TEXT
                if not block.lines[record.head].severity:
                    block.lines[record.head].severity = 17      # as a traceback alone has
            elif record.lines == 1 and inside_block(text, length):
                self.turn_head(block, number)
                if record.flags & HAS_TRACEBACK:
                    record.flags |= IN_TEXT
            elif (not length and record.flags & IN_TEXT and self.ends_in_header(block, number)
                    and not self.program.leaves[record.leaf].flags & LINED):
                # Printed with empty lines between: by oslo.messaging, of what another program raised.  Loguru prints its own so.
                record.flags = record.flags & ~(IN_TEXT | HAS_TRACEBACK) | QUOTES | HAS_MORE
                block.lines[record.last].part = PART_BODY
            if record.flags & (IN_TEXT | HEADLESS):
                part = PART_TRACEBACK
        self.join(block, number, i, part)
        return 0

    cdef bint follows_header(self, Block block, const Record* record, const uint8_t* text, int32_t length) noexcept nogil:
        """Whether the text is the first frame of a traceback whose header ends the line before: `failed: Traceback`."""
        cdef const uint8_t* last
        cdef int32_t size
        if not begins(text, length, b"  File \"", 8):
            return False
        last = self.line_text(block, &block.lines[record.last], &size)
        return size > <int32_t>HEADER_SIZE and memcmp(last + size - HEADER_SIZE, HEADER, HEADER_SIZE) == 0

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

    cdef uint8_t part_of(self, Block block, int32_t number) noexcept nogil:
        """The part of a record that its last line belongs to."""
        return block.lines[self.records[number].last].part
