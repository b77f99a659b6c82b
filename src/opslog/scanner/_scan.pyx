"""Blocks to lines: where each line stands, which layout it has, its field spans."""

cimport cython
from libc.stdint cimport INT64_MIN, int16_t, int32_t, int64_t, uint8_t, uint16_t
from libc.string cimport memchr, memcmp, memset

from opslog.kernel._block cimport Block, Line, MORE, NONE, PIECE, SIZES, SKIMMED, SYSLOG
from opslog.kernel._bytes cimport all_ascii
from opslog.scanner._envelope cimport keep_match, match_text, unwrap, worker_of
from opslog.scanner._prefix cimport BytePath, PATHS
from opslog.scanner._program cimport ENVELOPE, Leaf, Program, STORED
from opslog.scanner._shortcut cimport ROUTES, Route
from opslog.scanner._state cimport MatchState, begin_state

cdef enum:
    LEARNED_BYTES = 4 << 20     # of lines that what is learned of their beginnings serves: others may begin otherwise

cdef extern from "string.h" nogil:
    void* memmem(const void*, size_t, const void*, size_t)


cdef inline int64_t shift_out(const uint8_t* data, int32_t at, int32_t end) noexcept nogil:
    """Position of the next "#012" in data[at:end], or -1."""
    cdef const uint8_t* p = data + at
    cdef const uint8_t* stop = data + end
    while True:
        p = <const uint8_t*>memchr(p, c'#', stop - p)
        if p == NULL or stop - p < 4:
            return -1
        if p[1] == c'0' and p[2] == c'1' and p[3] == c'2':
            return p - data
        p += 1


cdef int add_line(Program program, Block block, int32_t first, int32_t end, int32_t stop,
                  uint16_t flags, MatchState* state) except -1 nogil:
    """Match data[first:end] and append the line."""
    cdef Line* line
    cdef const Leaf* leaf
    cdef int32_t start = first
    cdef int32_t* row
    cdef uint8_t floor
    block.need_lines(1)
    block.need_spans(2 * program.most_slots)
    line = &block.lines[block.line_used]
    block.line_used += 1
    while start < end and block.data[start] == 0:
        start += 1
    if block.offset + first == 0 and end - start >= 3 and memcmp(block.data + start, b"\xef\xbb\xbf", 3) == 0:
        start += 3                  # a byte order mark
    row = block.spans + block.span_used
    line.first = first
    line.start = start
    line.end = end
    line.stop = stop
    line.next = NONE
    line.part = 0
    line.row = line.outer = NONE
    line.worker = 1
    line.stamp = NONE
    line.time = 0                   # until a layout with a time is found: lines without one are compared, too
    line.severity = line.outer_severity = 0
    line.flags = flags
    state.flags = state.severity = 0
    line.leaf = NONE if flags & PIECE else <int16_t>match_text(
        program, block.data, &start, &end, row, state)
    line.start = start
    line.end = end
    if line.leaf < 0:
        line.start = first
        return 0
    leaf = &program.leaves[line.leaf]
    line.row = block.span_used
    block.span_used += 2 * leaf.slots
    line.flags |= state.flags & SKIMMED
    keep_match(line, leaf, state)
    if leaf.flags & ENVELOPE:
        floor = state.floor
        state.floor = 0             # what it holds may be part of a message
        unwrap(program, block, block.line_used - 1, state)
        state.floor = floor
        return 0
    line.worker = worker_of(block, leaf, row, 1)
    return 0


cdef const char* ESCAPED_HEADER = "Traceback (most recent call last):#012"


cdef int scan_line(Program program, Block block, int32_t start, int32_t end, int32_t stop,
                   MatchState* state) except -1 nogil:
    """Add the physical line data[start:end], split where rsyslog wrote a traceback's newlines as #012."""
    cdef int64_t hit = shift_out(block.data, start, end)
    cdef int32_t lines = block.line_used, spans = block.span_used
    add_line(program, block, start, end, stop, 0, state)
    if (hit < 0 or memmem(block.data + start, end - start, ESCAPED_HEADER, 38) == NULL
            or block.lines[lines].outer != NONE or (block.lines[lines].leaf >= 0
            and program.leaves[block.lines[lines].leaf].flags & (ENVELOPE | STORED))):
        return 0
    block.line_used = lines
    block.span_used = spans
    while hit >= 0:
        add_line(program, block, start, <int32_t>hit, <int32_t>hit + 4, SYSLOG, state)
        start = <int32_t>hit + 4
        hit = shift_out(block.data, start, end)
    return add_line(program, block, start, end, stop, SYSLOG, state)


@cython.final
cdef class Learned:
    """How lines began, for those that follow them: in the same block, or in the next of many small ones."""

    cdef Route[ROUTES] routes
    cdef BytePath[PATHS] paths
    cdef int64_t size


cdef Learned learned_by(Program program):
    """Return what a scan of the program learned that is over; nobody else uses it."""
    cdef Learned learned = program.learned.pop() if program.learned else Learned()
    if learned.size >= LEARNED_BYTES:
        memset(learned.routes, 0, sizeof(learned.routes))
        memset(learned.paths, 0, sizeof(learned.paths))
        learned.size = 0
    return learned


def scan(Program program not None, Block block not None, int32_t most_lines, reference=None, uint8_t floor=0):
    """Find the lines of a block and match each; return the bytes looked at.

    Times without a year are told by `reference`, local microseconds; without it they are none.
    Lines with a severity below `floor` may be matched no further than tells their worker and format.

    Stops behind `most_lines` lines, so that a block of blank lines does not
    take more memory than one of text: split the rest off and scan it, too.
    """
    cdef int32_t at = 0, size = <int32_t>block.size, end, stop
    cdef const uint8_t* newline
    cdef MatchState state
    cdef bint piece = block.continued, hashes
    cdef int32_t longest = <int32_t>SIZES.longest_line
    cdef Learned learned = learned_by(program)
    begin_state(&state)
    state.paths = learned.paths
    state.routes = learned.routes
    state.floor = floor
    state.reference = block.reference = INT64_MIN if reference is None else <int64_t>reference
    block.line_count = block.line_used = block.span_used = block.envelope_used = 0
    block.guard()
    with nogil:
        block.ascii = all_ascii(block.data, size)
        block.need_lines(size // 128 + 16)
        block.need_spans(size // 8 + 2 * program.most_slots)
        hashes = shift_out(block.data, 0, size) >= 0
        while at < size and block.line_used < most_lines:
            newline = <const uint8_t*>memchr(block.data + at, c'\n', size - at)
            end = size if newline == NULL else <int32_t>(newline - block.data)
            stop = end if newline == NULL else end + 1
            if end - at > longest:
                end = stop = at + longest
                add_line(program, block, at, end, stop, PIECE if piece else 0, &state)
                piece = True
                at = stop
                continue
            if end > at and block.data[end - 1] == c'\r':
                end -= 1
            if piece or not hashes:
                add_line(program, block, at, end, stop, PIECE if piece else 0, &state)
            else:
                scan_line(program, block, at, end, stop, &state)
            piece = False
            at = stop
    block.line_count = block.line_used
    learned.size += at
    program.learned.append(learned)
    return at


def layers(Program program not None, Block block not None):
    """Return for each line of a scanned block the leaves that took it, those of envelopes first."""
    cdef int32_t i, at
    cdef list found = [], own
    for i in range(block.line_count):
        own = [block.lines[i].leaf] if block.lines[i].leaf >= 0 else []
        at = block.lines[i].outer
        while at != NONE:
            own.insert(0, block.envelopes[at].leaf)
            at = block.envelopes[at].outer
        found.append(own)
    return found


def recognise(Program program not None, Block block not None, find, reference=None):
    """Give every line that no layout took to ``find``: its bytes to a pattern.Found, or None.

    The block must have been scanned by the program, with the same reference.
    """
    cdef int32_t i, j, start, at, end
    cdef int32_t* row
    cdef Line* line
    cdef const Leaf* leaf
    cdef MatchState state
    for i in range(block.line_count):
        line = &block.lines[i]
        start = line.start
        while start < line.end and block.data[start] == 0:
            start += 1
        if line.leaf >= 0 or line.flags & (PIECE | MORE) or start >= line.end:
            continue
        found = find(<bytes>(<const char*>block.data)[start:line.end])
        if found is None:
            continue
        if not 0 <= found.leaf < program.leaf_count:
            raise IndexError(found.leaf)
        leaf = &program.leaves[<int32_t>found.leaf]
        if len(found.spans) != leaf.slots:
            raise ValueError("one span for each capture")
        block.need_spans(2 * leaf.slots)
        row = block.spans + block.span_used
        for j, (at, end) in enumerate(found.spans):
            if at > end or end > line.end - start:
                raise IndexError(end)
            row[2 * j] = start + at if at >= 0 else NONE
            row[2 * j + 1] = start + end if at >= 0 else NONE
        begin_state(&state)
        state.reference = INT64_MIN if reference is None else <int64_t>reference
        for node, slot in ((found.time, leaf.timestamp), (found.severity, found.severity_slot)):
            if node >= 0 and row[2 * <int32_t>slot] >= 0:
                program.read(node, block.data, row[2 * <int32_t>slot], row[2 * <int32_t>slot + 1], &state)
        line.start = start
        line.leaf = <int16_t>found.leaf
        line.row = block.span_used
        block.span_used += 2 * leaf.slots
        keep_match(line, leaf, &state)
        line.worker = worker_of(block, leaf, row, 1)
