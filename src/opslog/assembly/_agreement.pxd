# What a line and the head of an open record have in common.

from libc.stdint cimport int32_t, int64_t, uint8_t
from libc.string cimport memchr, memcmp

from opslog.kernel._block cimport BAD_TIME, Block, HAS_OFFSET, Line, NONE
from opslog.scanner._program cimport ENVELOPE, INDENTED, Leaf, OCTAL, Program, STAMPED, WEAK
from opslog.scanner._time cimport is_digit


cdef inline const uint8_t* text_of(Block block, const Line* line, int32_t slot, int32_t* length) noexcept nogil:
    cdef const int32_t* row = block.spans + line.row
    if slot < 0 or row[2 * slot] < 0:
        length[0] = -1
        return NULL
    length[0] = row[2 * slot + 1] - row[2 * slot]
    return block.data + row[2 * slot]


cdef inline int32_t count_blanks(const uint8_t* text, int32_t size) noexcept nogil:
    """How many blanks and tabs the text begins with."""
    cdef int32_t i = 0
    while i < size and (text[i] == c' ' or text[i] == c'\t'):
        i += 1
    return i


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


cdef inline bint agrees(Program program, Block block, const Line* head, const Line* line, const Leaf* leaf) noexcept nogil:
    """Whether they are equal in every field that both the head and the line's prefix have."""
    cdef const Leaf* other = &program.leaves[head.leaf]
    if leaf.flags & STAMPED and not (
            other.flags & STAMPED
            and same_time(block, line, leaf.timestamp, head, other.timestamp)):
        return False
    return (same_text(block, line, leaf.logger, head, other.logger)
            and same_text(block, line, leaf.resource, head, other.resource))


cdef inline int32_t outermost(Block block, const Line* line, int32_t* row) noexcept nogil:
    """The leaf, and the row of spans, of the outermost envelope around a line, or of the line itself."""
    cdef int32_t leaf = line.leaf, at = line.outer
    row[0] = line.row
    while at != NONE:
        row[0] = block.envelopes[at].row
        leaf = block.envelopes[at].leaf
        at = block.envelopes[at].outer
    return leaf


cdef inline bint same_writer(Program program, Block block, const Line* head, const Line* line,
                             int32_t* start, int32_t* end) noexcept nogil:
    """Whether a line is of the head's worker; data[start:end] is what stands there, a time included."""
    cdef int32_t leaf, row, slot, at
    start[0] = line.start
    end[0] = line.end
    if head.outer == NONE:
        leaf = outermost(block, line, &row)
        if line.outer == NONE and (leaf < 0 or not program.leaves[leaf].flags & ENVELOPE):
            return line.worker == head.worker
        start[0] = line.first
        at = line.outer
        while at != NONE:
            end[0] = block.envelopes[at].end
            at = block.envelopes[at].outer
        return (program.leaves[leaf].flags & (WEAK | STAMPED)) == (WEAK | STAMPED)
    leaf = line.leaf
    row = line.row
    at = line.outer
    if leaf < 0 or not program.leaves[leaf].flags & ENVELOPE or line.worker != block.envelopes[head.outer].stream:
        while at != NONE and block.envelopes[at].stream != block.envelopes[head.outer].stream:
            at = block.envelopes[at].outer
        if at == NONE:
            return False
        leaf = block.envelopes[at].leaf
        row = block.envelopes[at].row
    slot = program.leaves[leaf].body
    start[0] = block.spans[row + 2 * slot]
    end[0] = block.spans[row + 2 * slot + 1]
    return start[0] >= 0


cdef inline bint is_damaged(Program program, Block block, const Line* head, const uint8_t* text, int32_t length) noexcept nogil:
    """Whether a line behind a syslog message is one itself, though not written as one should be."""
    cdef int32_t leaf, row
    cdef int32_t at = 2
    if length < 3 or text[0] != c'<' or not is_digit(text[1]):
        return False
    while at < length and at < 4 and is_digit(text[at]):
        at += 1
    if at < length and text[at] == c'>':
        return True
    leaf = outermost(block, head, &row)
    return leaf >= 0 and program.leaves[leaf].flags & OCTAL


cdef inline bint unindent(Program program, Block block, const Line* head, Line* line) noexcept nogil:
    """Drop the blanks that put a message's further line below its first; return whether it is one."""
    cdef int32_t at = head.outer, leaf = head.leaf, row = head.row, i
    while leaf >= 0 and not program.leaves[leaf].flags & INDENTED:
        if at == NONE:
            return False
        leaf = block.envelopes[at].leaf
        row = block.envelopes[at].row
        at = block.envelopes[at].outer
    if leaf < 0 or program.leaves[leaf].body < 0:
        return False
    at = block.spans[row + 2 * program.leaves[leaf].body]
    if not head.first <= at < head.stop or line.end - line.start < at - head.first:
        return False
    for i in range(line.start, line.start + at - head.first):
        if block.data[i] != c' ':
            return False
    line.start += at - head.first
    return True
