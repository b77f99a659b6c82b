"""The exception of a record: the text of its traceback, and what was raised finally.

The text is what Python's traceback module prints, lines joined by newlines: the
tracebacks of a chain, each a header, indented frames and the exception, linked
by one of two sentences.  The last block of the chain is the one finally raised;
of an exception group it is the outermost.  Tracebacks quoted inside an
exception's message belong to the message.
"""

cimport cython
from libc.stdint cimport int32_t, uint8_t
from libc.stdlib cimport free
from libc.string cimport memchr, memcmp

from opslog.assembly._traceback_text cimport (CAUSE, CAUSE_SIZE, CONTEXT, CONTEXT_SIZE, GROUP, GROUP_SIZE, HEADER, HEADER_SIZE, STACK, STACK_SIZE, is_list, names_origin)
from opslog.kernel._block cimport (Block, CONTINUED, HAS_STACK, HAS_TRACEBACK, Line, NONE, PART_STACK, PART_TRACEBACK, Record)
from opslog.kernel._text cimport Buffer, CHECKED, JSON_STRING, need, put, put_list
from opslog.rows._line_text cimport body_part, changes_of, text_changes
from opslog.rows._plan cimport Plan, slot_of
from opslog.rows._printed_list cimport put_printed_list
from opslog.scanner._program cimport Leaf

cdef enum:
    SHORTEST_LIST = 25          # bytes of a printed list that is looked at


cdef inline bint begins(const uint8_t* p, const uint8_t* end, const char* text, Py_ssize_t size) noexcept nogil:
    return end - p >= size and memcmp(p, text, size) == 0


cdef inline const uint8_t* line_end(const uint8_t* p, const uint8_t* end) noexcept nogil:
    cdef const void* found = memchr(p, c'\n', end - p) if p < end else NULL
    return max(p, end) if found == NULL else <const uint8_t*>found


cdef inline const uint8_t* next_line(const uint8_t* p, const uint8_t* end) noexcept nogil:
    """Start of the line behind the one at p, or end + 1 behind the last."""
    return line_end(p, end) + 1


cdef inline const uint8_t* behind_link(const uint8_t* p, const uint8_t* end) noexcept nogil:
    """Start of the line behind the one at p if that links two tracebacks, else NULL."""
    if begins(p, end, CONTEXT, CONTEXT_SIZE):
        p += CONTEXT_SIZE
    elif begins(p, end, CAUSE, CAUSE_SIZE):
        p += CAUSE_SIZE
    else:
        return NULL
    return p + 1 if p < end and p[0] == c'\n' else NULL


cdef const uint8_t* last_block(const uint8_t* text, const uint8_t* end) noexcept nogil:
    """Start of the block behind the last link of the chain.

    A blank line stands before and behind a link; oslo.log's JSONFormatter drops
    both, its FluentFormatter the second.  A traceback quoted in a message has
    more of them there, or one behind its header; so has Loguru's, from the first on.
    """
    cdef const uint8_t* p = text
    cdef const uint8_t* found = text
    cdef const uint8_t* behind
    cdef bint spaced = begins(text, end, HEADER, HEADER_SIZE) and begins(text + HEADER_SIZE, end, b"\n\n", 2)
    while p < end:
        behind = behind_link(p, end)
        if behind != NULL and p > text and behind < end:
            if behind[0] == c'\n':
                behind += 1
            if spaced and behind < end and behind[0] == c'\n':
                behind += 1
            if behind < end and behind[0] != c'\n' and (
                    spaced or not begins(behind, end, HEADER, HEADER_SIZE)
                    or begins(behind + HEADER_SIZE, end, b"\n  ", 3)):
                found = behind
        p = next_line(p, end)
    return found


cdef bint raised(const uint8_t* text, Py_ssize_t size, Text* type, Text* message) noexcept nogil:
    """Find type and message of the exception finally raised; return whether it is a group.

    A group's message still has the margin "  | " before each line.
    """
    cdef const uint8_t* end = text + size
    cdef const uint8_t* p = last_block(text, end)
    cdef const uint8_t* stop
    cdef const uint8_t* q
    cdef bint group = False
    type.data = NULL
    if begins(p, end, STACK, STACK_SIZE):
        return False
    if begins(p, end, GROUP, GROUP_SIZE):
        group = True
        p = next_line(p, end)
        # Frames: "  |   File ..."; the exception: "  | name: message".
        while p < end and begins(p, end, b"  |  ", 5):
            p = next_line(p, end)
        if not begins(p, end, b"  | ", 4):
            return False
        stop = p
        while stop < end and begins(stop, end, b"  | ", 4):
            stop = next_line(stop, end)
        stop = stop - 1 if stop > p else p
        if stop > end:
            stop = end
        p += 4
    else:
        if begins(p, end, HEADER, HEADER_SIZE):
            p = next_line(p, end)
        while p < end and (p[0] == c' ' or p[0] == c'\n' or begins(p, end, b"> File \"", 8)):
            p = next_line(p, end)
        if p >= end:
            return False
        # What a stack_info appended is not the exception's.
        stop = end
        q = p
        while q < end:
            if begins(q, end, STACK, STACK_SIZE) and q > p and line_end(q, end) - q == STACK_SIZE:
                stop = q - 1
                break
            q = next_line(q, end)
    q = p
    while q < stop and q[0] != c':' and q[0] != c'\n':
        if q[0] == c' ':
            return False        # not "name: message"
        q += 1
    if q == p:
        return False
    type[0] = Text(p, q - p)
    if q < stop and q[0] == c':':
        q += 1
        if q < stop and q[0] == c' ':
            q += 1
    elif q < stop:
        q = stop                # text behind a bare name is not its message
    message[0] = Text(q, stop - q)
    return group


cdef inline bint breaks_line(const uint8_t* text, Py_ssize_t at) noexcept nogil:
    """Whether str.splitlines, by which Python indents an exception group, breaks before `at`."""
    cdef uint8_t c = text[at - 1]
    if c < 0x80:
        return 0x0A <= c <= 0x0D or 0x1C <= c <= 0x1E
    if c == 0x85:
        return at >= 2 and text[at - 2] == 0xC2
    return (c == 0xA8 or c == 0xA9) and at >= 3 and text[at - 2] == 0x80 and text[at - 3] == 0xE2


cdef inline int put_newline(Buffer* out) except -1 nogil:
    need(out, 1)
    out.data[out.used] = c'\n'
    out.used += 1
    return 0


@cython.final
cdef class ExceptionText:
    """Finds the exceptions of records of a block, one after the other."""

    def __cinit__(self, Plan plan not None, Block block not None):
        self.plan = plan
        self.block = block

    def __dealloc__(self):
        free(self.traceback.data)
        free(self.other.data)
        free(self.lines.data)

    cdef int find(self, const Record* record, const Line* head) except -1 nogil:
        """Find the exception of a record; what is found is good until the next one is looked for."""
        cdef Buffer* out = &self.traceback
        cdef const int32_t* span
        cdef const uint8_t* data = self.block.data
        cdef int32_t slot
        out.used = 0
        need(out, 1)
        self.type.data = self.message.data = NULL
        if record.flags & (HAS_TRACEBACK | HAS_STACK):
            if record.flags & HAS_TRACEBACK:
                self.put_parts(record.head, PART_TRACEBACK)
            if record.flags & HAS_STACK:
                if record.flags & HAS_TRACEBACK:
                    put_newline(out)
                self.put_parts(record.head, PART_STACK)
        elif record.leaf < 0:
            return 0
        else:
            slot = slot_of(self.plan.lines, self.plan.trace_slots, record.leaf)
            if slot >= 0:
                span = self.block.spans + head.row + 2 * slot
                if span[0] >= 0 and span[0] < span[1]:
                    if data[span[0] - 1] == c'"':
                        put(out, data + span[0], span[1] - span[0], changes_of(self.block, head, NULL))
                    elif data[span[0]] == c'[':
                        put_list(out, data + span[0], span[1] - span[0], changes_of(self.block, head, NULL))
        if not record.flags & HAS_STACK:
            self.find_list(record, head)
        return self.find_raised() if out.used else 0

    cdef int put_parts(self, int32_t at, uint8_t part) except -1 nogil:
        """Append a record's lines of one part, from one on, joined by newlines."""
        cdef Buffer* out = &self.traceback
        cdef const Line* line
        cdef const Leaf* leaf
        cdef int32_t start, end
        cdef Py_ssize_t first = out.used
        cdef bint begun = False
        while at != NONE:
            line = &self.block.lines[at]
            if line.part == part:
                if begun and not line.flags & CONTINUED:
                    put_newline(out)
                body_part(self.plan, self.block, line, &start, &end)
                leaf = &self.plan.lines.leaves[line.leaf] if line.leaf >= 0 else NULL
                put(out, self.block.data + start, end - start, text_changes(self.block, line, leaf, start))
                begun = True
            at = line.next
        # The prefix before nothing that ends a printed traceback.
        if part == PART_TRACEBACK and out.used > first and out.data[out.used - 1] == c'\n':
            out.used -= 1
        return 0

    cdef int find_list(self, const Record* record, const Line* line) except -1 nogil:
        """Read a traceback that is the repr of a list: all of it, or in the body if there is no other."""
        cdef int32_t start, end, at = record.head
        cdef const uint8_t* p
        cdef const uint8_t* stop
        cdef const uint8_t* begin
        if record.flags & HAS_TRACEBACK:
            while at != NONE and self.block.lines[at].part != PART_TRACEBACK:
                at = self.block.lines[at].next
            line = &self.block.lines[at]
        elif self.traceback.used:
            return 0
        body_part(self.plan, self.block, line, &start, &end)
        if start < 0:
            return 0
        p = self.block.data + start
        stop = self.block.data + end
        if text_changes(self.block, line, NULL, start) & JSON_STRING:
            self.other.used = 0
            put(&self.other, p, end - start, JSON_STRING)
            p = self.other.data
            stop = p + self.other.used
        begin = p
        while stop - p >= SHORTEST_LIST:
            if not record.flags & HAS_TRACEBACK:
                p = <const uint8_t*>memchr(p, c'[', stop - p)
            if p == NULL or stop - p < SHORTEST_LIST:
                return 0
            if is_list(p, SHORTEST_LIST):
                if not record.flags & HAS_TRACEBACK and names_origin(begin, <int32_t>(p - begin)):
                    return 0            # of another program
                return self.put_list_lines(p, stop - p, self.block.lines[at].next)
            if record.flags & HAS_TRACEBACK:
                return 0
            p += 1
        return 0

    cdef int put_list_lines(self, const uint8_t* text, Py_ssize_t size, int32_t rest) except -1 nogil:
        """Put the lines of the list, and traceback lines from ``rest`` on, in place of the traceback."""
        cdef Buffer* out = &self.traceback
        self.lines.used = 0
        if put_printed_list(&self.lines, text, size):
            if self.lines.used and self.lines.data[self.lines.used - 1] == c'\n':
                self.lines.used -= 1
            out.used = 0
            put(out, self.lines.data, self.lines.used, CHECKED)
            put_newline(out)
            self.put_parts(rest, PART_TRACEBACK)
            while out.used and out.data[out.used - 1] == c'\n':
                out.used -= 1
        return 0

    cdef int find_raised(self) except -1 nogil:
        """Find type and message of the exception the traceback ends with."""
        cdef const uint8_t* p
        cdef const uint8_t* end
        cdef Buffer* out = &self.other
        if not raised(self.traceback.data, self.traceback.used, &self.type, &self.message):
            return 0
        p = self.message.data
        end = p + self.message.size
        out.used = 0
        need(out, self.message.size + 1)
        while p < end:
            out.data[out.used] = p[0]
            out.used += 1
            p += 1
            if breaks_line(self.message.data, p - self.message.data) and begins(p, end, b"  | ", 4):
                p += 4
        self.message = Text(out.data, out.used)
        return 0
