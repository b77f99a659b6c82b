"""Lines to records: the serial step between scanning and building columns.

Rules (docs/explanation/assembly.md gives examples):

1. A head line starts a record; records leave in the order of their heads.  A line
   with a date and time of its own is a head whatever else it is.
2. A line no layout recognises continues the record that owns the line before.
3. A traceback line joins the open record equal in every field its prefix has.
4. Where traceback lines look like heads, a line joins only inside a traceback.
5. In an envelope that hands on a stream (a container's output) rule 2 holds for
   each stream of its own, as long as the envelopes' times are near; elsewhere only
   a traceback's lines join there.
6. Further lines of one message, what continues text cut in the middle, and the
   lines of a block that a format declares belong to their record whatever they
   look like.
7. A record closes at the next head of its worker, or when a window of later input
   has gone by since its own first byte, or at the end of the input, or at a seam
   (_seams.pyx).

All rules read bytes and offsets, never chunks, threads or clocks: the records
do not depend on how the input was cut into blocks.

The file is longer than others because each kind of line is decided by the same open
records: what is known of these alone is in _seams.pyx, _joins.pyx and _records.pyx.
"""

cimport cython
from libc.stdint cimport INT64_MAX, int16_t, int32_t, int64_t, uint8_t, uint16_t, uint64_t
from libc.string cimport memchr

from opslog.assembly._agreement cimport count_blanks, is_damaged, text_of, unindent
from opslog.assembly._joins cimport JoinedRecords
from opslog.assembly._records cimport Records, close
from opslog.assembly._traceback_text cimport (begins, continues_block, inside_block, links_blocks, names_exception, opens_block, torn)
from opslog.assembly._workers cimport Worker, find_worker, get_worker
from opslog.kernel._block cimport (BAD_TIME, Block, CLOSED, CONTINUED, HAS_TRACEBACK, HAS_OFFSET, HEADLESS, IN_BLOCK, Line, MORE, MOST_LINES, NONE, OVERLONG, PART_BODY, PART_TRACEBACK, PIECE, QUOTES, Record, TIMED, TORN, UNENDED, UNRECOGNISED)
from opslog.scanner._envelope cimport keep_match, match_text, undo_envelope, unwrap, worker_of
from opslog.scanner._program cimport (ALONE, BARE, ENVELOPE, FOLLOW_ON, HEAD, JSON, LINED, Leaf, NEWLINES, SECOND, STAMPED, STREAM, UNLOGGED, WEAK)
from opslog.scanner._state cimport MatchState, begin_state

cdef enum:
    DOCKER_BUFFER = 16384
    MOST_UTF8 = 4               # bytes of a character, of which a part may be missing at the end


@cython.final
cdef class Assembler(JoinedRecords):
    """The open records of one source, and what each line of it is."""

    def feed(self, Block block not None, bint final, int64_t held=-1):
        """Assemble the next block of the source and return the records now complete.

        The block must have been scanned by the assembler's program.  With
        ``final`` all records close, with ``held`` those whose last line ends at
        this offset of the source or before.
        """
        cdef Records out = Records()
        out.block = block
        with nogil:
            self.enter(block.offset)
            self.adopt(block)
            self.assemble(block)
            self.waits = self.run if self.heads and (self.seeking or self.stop < INT64_MAX) else INT64_MAX
            self.release(block, final, held, out)
            self.trim(out)
        return out

    @property
    def quoted(self):
        """How many blanks stand before each line of a log that is quoted, 0."""
        return self.margin

    @property
    def settled(self):
        """Whether that is known: a line with a time has come."""
        return self.margin > 0 or self.stamped >= 0

    @quoted.setter
    def quoted(self, int32_t margin):
        self.margin = margin

    # -- lines -----------------------------------------------------------------

    cdef int head_line(self, Block block, int32_t i, const Leaf* leaf) except -1 nogil:
        if leaf.flags & JSON:
            # Complete in itself: nothing can follow, nothing is held back.
            self.latest = self.start(block, i, CLOSED)
            self.previous = NONE
            return 0
        if leaf.flags & LINED and self.lined(block, i, leaf):
            return 0
        return self.lead(block, self.start(block, i, 0), leaf)

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
        if not line.flags & TIMED and line.outer == NONE:
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
            self.date(self.latest)
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

    cdef bint match_indented(self, Block block, int32_t i) except -1 nogil:
        """Whether a line is matched behind the margin of its source, as in a bug report that quotes a log.

        The first line with a time tells how wide the margin is, if it is in the first window.
        """
        cdef Line* line = &block.lines[i]
        cdef Line before
        cdef MatchState state
        cdef const Leaf* leaf
        cdef int32_t start, end = line.end, lines = block.line_used, found
        cdef int32_t indent = count_blanks(block.data + line.start, end - line.start)
        if not indent or line.flags & PIECE or indent < self.margin:
            return False
        if not self.margin and (self.stamped >= 0 or block.offset + line.first - self.origin > self.window):
            return False
        if self.margin:
            indent = self.margin
            line.start += indent
        before = line[0]
        start = line.start if self.margin else line.start + indent
        begin_state(&state)
        state.reference = block.reference
        block.need_spans(2 * self.program.most_slots)
        found = match_text(self.program, block.data, &start, &end, block.spans + block.span_used, &state)
        if found < 0 or not (self.margin or self.program.leaves[found].flags & STAMPED):
            return False
        leaf = &self.program.leaves[found]
        line.start = start
        line.end = end
        line.leaf = <int16_t>found
        line.row = block.span_used
        block.span_used += 2 * leaf.slots
        keep_match(line, leaf, &state)
        if leaf.flags & ENVELOPE:
            unwrap(self.program, block, i, &state)
        else:
            line.worker = worker_of(block, leaf, block.spans + line.row, 1)
        line = &block.lines[i]
        if line.leaf < 0 or block.line_used > lines:
            # No envelope after all, or further lines of its message stand behind those of the block.
            block.line_used = lines
            line[0] = before
            return False
        self.margin = indent
        return True

    cdef inline bint is_shadowed(self, Block block, const Line* line) noexcept nogil:
        """Whether a record with a timestamp is open, so that a weak line starts none."""
        return block.offset + line.first - self.stamped <= self.window

    cdef inline bint is_overshadowed(self, Block block, const Line* line) noexcept nogil:
        """Whether a record with a timestamp takes what follows, so that a line without one belongs to it."""
        return (self.is_shadowed(block, line) and self.takes(block, self.previous, line)
                and self.head_of(block, self.previous).flags & TIMED != 0)

    cdef int raw_line(self, Block block, int32_t i) except -1 nogil:
        cdef Line* line = &block.lines[i]
        cdef const uint8_t* text = block.data + line.start
        cdef int32_t length = line.end - line.start, number = self.previous
        cdef uint16_t alone = 0
        cdef bint whole = False
        line.leaf = line.row = NONE
        if length and text[0] == c' ' and self.takes(block, number, line):
            self.ask(block, number, i)
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
            self.ask(block, number, i)
        elif is_damaged(self.program, block, self.head_of(block, number), text, length):
            alone = CLOSED
        if alone == CLOSED and not length:
            # A run of blank lines that belongs to no record is one itself.
            if self.is_open(block, self.blank, line):
                self.join(block, self.blank, i, PART_BODY)
            else:
                if self.blank != NONE:
                    close(self.records, self.blank)     # a full one is waited for no longer
                self.blank = self.start(block, i, UNRECOGNISED)
            self.previous = NONE
            return 0
        if alone:
            self.start(block, i, CLOSED | UNRECOGNISED | alone)
            self.previous = NONE
            return 0
        self.join_text(block, number, i, text, length)
        if (not (self.head_of(block, number).flags & TIMED and self.head_of(block, number).severity)
                and self.program.has_details(self.program.leaves[self.records[number].leaf].format)):
            self.add_detail(block, number, &block.lines[i])
        return 0

    cdef int unlogged_line(self, Block block, int32_t i) except -1 nogil:
        """The first line of a traceback that nobody logged: it belongs to what is open, or starts a record."""
        cdef Line* line = &block.lines[i]
        cdef int32_t number = self.previous
        if self.takes(block, number, line) and not (
                self.is_unlogged(number) and not self.records[number].flags & IN_BLOCK):
            self.ask(block, number, i)
            return self.raw_line(block, i)
        self.previous = self.start(block, i, HEADLESS | HAS_TRACEBACK | IN_BLOCK)
        line.part = PART_TRACEBACK
        return 0

    cdef int add_detail(self, Block block, int32_t number, const Line* line) except -1 nogil:
        """Give a head without a time, or a level, that of a further line, if a detail of its format finds one."""
        cdef Line* head
        cdef MatchState state
        cdef int32_t found
        cdef const Leaf* leaf = &self.program.leaves[self.records[number].leaf]
        begin_state(&state)
        block.need_spans(2 * self.program.most_slots)
        found = self.program.match_detail(
            leaf.format, block.data, line.start, line.end, block.spans + block.span_used, &state)
        if found < 0:
            return 0
        head = &block.lines[self.records[number].head]
        if not head.severity:
            head.severity = state.severity
        if self.program.leaves[found].flags & STAMPED and not head.flags & TIMED:
            head.time = state.time
            head.flags |= TIMED | (state.flags & (HAS_OFFSET | BAD_TIME))
        return 0

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
            if stays or not self.ends_in_group(block, number):
                self.join(block, number, i, PART_TRACEBACK)
                return True
        if not length and self.part_of(block, number) == PART_TRACEBACK:
            # The empty line between the exceptions of a chain.
            self.join(block, number, i, PART_TRACEBACK)
            return True
        if (opens_block(text, length) and not record.flags & (HAS_TRACEBACK | HEADLESS | QUOTES)
                and not self.quotes(block, number)):
            # A sentence with a level takes no other text, but what it tells of may have a traceback.
            if self.program.leaves[record.leaf].flags & (FOLLOW_ON | BARE) and (
                    envelope.flags & STREAM or not self.program.leaves[record.leaf].flags & (ENVELOPE | STAMPED)):
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
                or not self.program.leaves[record.leaf].flags & STAMPED
                and (self.program.leaves[record.leaf].logger < 0 or (envelope.flags & WEAK and line.flags & TIMED))):
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
        cdef int32_t number
        cdef Worker* stream
        stream = get_worker(&self.workers, line.worker if line.outer == NONE or leaf.flags & ENVELOPE
                                  else block.envelopes[line.outer].stream)
        if stream.unended and self.goes_on(block, stream.previous, line, leaf):
            number = stream.previous
            line.flags |= CONTINUED
            if not leaf.flags & ENVELOPE:
                line.leaf = line.row = NONE     # it may look like a record of its own
            self.join(block, number, i, self.part_of(block, number))
            self.latest = number
        elif leaf.flags & WEAK and not line.flags & TIMED and line.outer == NONE and self.is_shadowed(block, line):
            if not self.takes(block, stream.previous, line):
                return self.raw_line(block, i)
            self.ask(block, stream.previous, i)
            self.enveloped_line(block, i, leaf)
        else:
            self.enveloped_line(block, i, leaf)
        return self.remember_streams(block, i, leaf)

    cdef int enveloped_line(self, Block block, int32_t i, const Leaf* leaf) except -1 nogil:
        if leaf.flags & ENVELOPE:
            self.text_line(block, i, leaf)
        elif leaf.role != HEAD:
            self.traceback_line(block, i, leaf)
        else:
            self.head_line(block, i, leaf)
        return 0

    cdef int sure_line(self, Block block, int32_t i) except -1 nogil:
        """A head, whatever is open."""
        cdef const Leaf* leaf = &self.program.leaves[block.lines[i].leaf]
        self.head_line(block, i, leaf)
        return 0 if block.lines[i].outer == NONE else self.remember_streams(block, i, leaf)

    cdef int remember_streams(self, Block block, int32_t i, const Leaf* leaf) except -1 nogil:
        """What a line now belongs to is what the next text of each of its streams may continue."""
        cdef const Line* line = &block.lines[i]
        cdef const Leaf* outermost
        cdef int32_t at
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

    cdef bint goes_on(self, Block block, int32_t number, const Line* line, const Leaf* leaf) noexcept nogil:
        """Whether a line is the next piece of the text that its stream's last one began.

        Docker cuts a line where its buffer is full, and gives all pieces one time.  A shorter text
        without a newline is mostly whole: what passed it on took the newline away, or the program
        ended.  Behind one goes on only what has the same time, or what ends it.
        """
        cdef const Leaf* envelope = leaf
        cdef const Line* last
        if not self.is_open(block, number, line):
            return False
        if not leaf.flags & ENVELOPE and line.outer != NONE:
            envelope = &self.program.leaves[block.envelopes[line.outer].leaf]
        last = &block.lines[self.records[number].last]
        if not envelope.flags & NEWLINES or last.end - last.start >= DOCKER_BUFFER - MOST_UTF8:
            return True
        return leaf.flags & ENVELOPE and self.is_near(block, number, line) and (
            not line.flags & UNENDED or (line.stamp == last.stamp and line.stamp != NONE))

    cdef int remember_stream(self, uint64_t key, uint16_t flags) except -1 nogil:
        cdef Worker* stream = get_worker(&self.workers, key)
        stream.previous = self.latest
        stream.unended = (flags & UNENDED) != 0
        return 0

    cdef bint is_second(self, Block block, int32_t i, const Leaf* leaf) noexcept nogil:
        """Whether the line stands behind a record of its format that has one line of another layout."""
        cdef const Record* record
        if not self.is_open(block, self.previous, &block.lines[i]):
            return False
        record = &self.records[self.previous]
        return (record.lines == 1 and record.leaf >= 0 and self.program.leaves[record.leaf].format == leaf.format
                and self.program.leaves[record.leaf].layout != leaf.layout)

    cdef int assemble(self, Block block) except -1 nogil:
        cdef int32_t i
        cdef const Leaf* leaf
        for i in range(block.line_count):
            if self.blank != NONE and block.lines[i].end > block.lines[i].start:
                close(self.records, self.blank)
                self.blank = NONE
            if block.offset + block.lines[i].first >= self.place and self.seek_seam(block, i):
                self.sure_line(block, i)
                continue
            if block.lines[i].flags & MORE:
                self.part_line(block, i)
                continue
            if self.block != NONE and self.block_line(block, i):
                continue
            if block.lines[i].leaf < 0 and not self.match_indented(block, i):
                self.raw_line(block, i)
                continue
            leaf = &self.program.leaves[block.lines[i].leaf]
            if leaf.flags & ENVELOPE or block.lines[i].outer != NONE:
                self.wrapped_line(block, i, leaf)
            elif leaf.role != HEAD:
                self.traceback_line(block, i, leaf)
            elif leaf.flags & UNLOGGED:
                self.unlogged_line(block, i)
            elif leaf.flags & SECOND and self.is_second(block, i, leaf):
                self.ask(block, self.previous, i)
                self.raw_line(block, i)
            elif leaf.flags & (STAMPED | ALONE) or not self.is_overshadowed(block, &block.lines[i]):
                self.head_line(block, i, leaf)
            else:
                self.raw_line(block, i)
        return 0
