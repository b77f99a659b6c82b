"""Envelopes: what syslog, the journal or a container runtime put around a record.

The text an envelope holds is matched as a line of its own, to any depth up to
DEEPEST: the innermost layout becomes the line's, those around it are kept as
Envelopes.  Text written as a JSON string, or as rsyslog's #012, is unescaped behind
the block's input, and split where it holds several lines: the first may be a
head, the others are further parts of the same message.
"""

from libc.stdint cimport int16_t, int32_t, int64_t, uint8_t, uint64_t
from libc.stdlib cimport free
from libc.string cimport memchr, memcpy, memset

from opslog.kernel._block cimport (BAD_TIME, Block, ESCAPED, Line, MORE, MOST_LINES, NONE, SYSLOG, TIMED, UNENDED, UNNAMED, Envelope)
from opslog.kernel._bytes cimport all_ascii
from opslog.scanner._program cimport (ENVELOPE, GRADED, HOLLOW, Leaf, NEWLINES, OCTAL, Program, STAMPED, TRACEBACK, UNFINISHED, UNLOGGED, WEAK)
from opslog.scanner._state cimport MatchState
from opslog.scanner._time cimport nearest_year
from opslog.kernel._text cimport Buffer, CHECKED, JSON_STRING, RSYSLOG, need, put, put_list

cdef enum:
    DEEPEST = 8                 # envelopes around a line


ctypedef struct HeldText:
    int32_t start
    int32_t end
    bint unended                # the next text of the stream continues it
    bint apart                  # unescaped, so it stands behind the input


cdef inline bint ends_escaped(const uint8_t* data, int32_t start, int32_t end) noexcept nogil:
    """Whether the JSON string data[start:end] ends in an escaped newline."""
    cdef int32_t backslashes = 0, at = end - 2
    if end - start < 2 or data[end - 1] != c'n':
        return False
    while at >= start and data[at] == c'\\':
        backslashes += 1
        at -= 1
    return backslashes & 1


cdef int put_bytes(Buffer* out, const uint8_t* data, int32_t at, int32_t end) except -1 nogil:
    """Append the bytes whose values the JSON list data[at:end] gives."""
    cdef int32_t value = -1
    need(out, end - at)
    while at < end:
        if 48 <= data[at] <= 57:
            value = 10 * max(value, 0) + data[at] - 48 if value < 256 else value
        elif value >= 0:
            out.data[out.used] = <uint8_t>value
            out.used += 1
            value = -1
        at += 1
    return 0


cdef int unescape(Block block, HeldText* text, int change) except -1 nogil:
    """Write what the text means behind the block's input."""
    cdef Buffer out
    cdef const uint8_t* data = block.data + text.start
    memset(&out, 0, sizeof(out))
    try:
        if change & JSON_STRING and (data - 1)[0] != c'"':
            if memchr(data, c'"', text.end - text.start) != NULL:
                put_list(&out, data, text.end - text.start, CHECKED)
            else:
                put_bytes(&out, data, 0, text.end - text.start)
        else:
            put(&out, data, text.end - text.start, change)
        # A byte that is no quote goes before it: only JSON's own text is in quotes.
        block.need_data(out.used + 1)
        block.data[block.used] = c'\n'
        if out.used:
            memcpy(block.data + block.used + 1, out.data, out.used)
        block.ascii = block.ascii and all_ascii(out.data, out.used)
        text.start = <int32_t>block.used + 1
        text.end = text.start + <int32_t>out.used
        block.used += out.used + 1
        text.apart = True
    finally:
        free(out.data)
    return 0


cdef bint has_octal(const uint8_t* p, int32_t n) noexcept nogil:
    """Whether a control character is written as #ooo."""
    cdef const uint8_t* end = p + n
    while True:
        p = <const uint8_t*>memchr(p, c'#', end - p)
        if p == NULL or end - p < 4:
            return False
        if p[1] == c'0' and 48 <= p[2] <= 51 and 48 <= p[3] <= 55:
            return True
        p += 1


cdef int unescape_text(Block block, const Line* line, const Leaf* leaf, HeldText* text) except -1 nogil:
    """Find the text the envelope holds; unescape it where that changes it."""
    cdef const uint8_t* data = block.data + text.start
    cdef int32_t size = text.end - text.start
    cdef bint quoted
    if line.flags & ESCAPED:
        quoted = (data - 1)[0] == c'"'
        if quoted and ends_escaped(block.data, text.start, text.end):
            text.end -= 2
            size -= 2
            text.unended = False
        if memchr(data, c'\\', size) != NULL if quoted else size > 0 and data[0] == c'[':
            unescape(block, text, JSON_STRING)
            if text.end > text.start and block.data[text.end - 1] == c'\n':
                text.end -= 1
                text.unended = False
    elif leaf.flags & OCTAL and has_octal(data, size):
        unescape(block, text, RSYSLOG)
    return 0


cdef inline bint is_prefix(const Leaf* leaf) noexcept nogil:
    """Whether it is an envelope of a name alone: `name | text`."""
    return leaf.flags & (ENVELOPE | WEAK | STAMPED) == ENVELOPE | WEAK


cdef inline bint has_prefix(Program program, Block block, const Line* line) noexcept nogil:
    """Whether a prefix was taken off already: behind it `a | b` is a table."""
    cdef int32_t at = line.outer
    if is_prefix(&program.leaves[line.leaf]):
        return True
    while at != NONE:
        if is_prefix(&program.leaves[block.envelopes[at].leaf]):
            return True
        at = block.envelopes[at].outer
    return False


cdef inline bint is_doubtful(Program program, const Line* line) noexcept nogil:
    """Whether the line's envelope is one only by the line it holds."""
    cdef const Leaf* leaf = &program.leaves[line.leaf]
    return leaf.flags & HOLLOW != 0 or (line.outer != NONE and is_prefix(leaf))


cdef inline bint bears_out(Program program, Block block, const Line* line, const Leaf* held) noexcept nogil:
    """Whether a doubtful envelope is one, as it holds a line with a time.

    A hollow one right behind a time that may be anything's has taken the place of the line's own: a line
    with a level is enough there.
    """
    cdef int32_t around
    if held.flags & STAMPED:
        return True
    if line.outer == NONE or not program.leaves[line.leaf].flags & HOLLOW:
        return False
    around = program.leaves[block.envelopes[line.outer].leaf].flags
    return around & STAMPED != 0 and around & WEAK != 0 and (held.flags & GRADED != 0 or held.role == TRACEBACK)


cdef int32_t match_text(Program program, const uint8_t* data, int32_t* start, int32_t* end, int32_t* row,
                        MatchState* state) except -2 nogil:
    """Match data[start:end]; color codes around it are left out if no layout knows of them."""
    cdef int32_t first = start[0], last = end[0], slot, found
    found = program.match(data, first, last, row, state, False)
    if first >= last or (data[first] != 27 and data[last - 1] != c'm'):
        return found
    without_colors(data, &first, &last)
    if found >= 0:
        slot = program.leaves[found].body
        if slot < 0 or row[2 * slot + 1] != end[0] or row[2 * slot] > last:
            return found
        row[2 * slot + 1] = last
    elif first > start[0] or last < end[0]:
        found = program.match(data, first, last, row, state, False)
        if found < 0:
            return found
        start[0] = first
    end[0] = last
    return found


cdef int unwrap(Program program, Block block, int32_t number, MatchState* state) except -1 nogil:
    """Read what the envelopes of a line hold; its further parts become lines behind it."""
    cdef Line* line
    cdef Envelope* envelope
    cdef const Leaf* leaf
    cdef int32_t* row
    cdef int32_t depth = 0, first_end, found, slot, parts = 0
    cdef int32_t[2 * DEEPEST] rests     # where each envelope's further parts begin and end
    cdef const void* newline
    cdef HeldText text
    cdef MatchState before
    cdef uint64_t stream = 1
    cdef int64_t reference = state.reference
    while depth < DEEPEST:
        depth += 1
        line = &block.lines[number]
        leaf = &program.leaves[line.leaf]
        slot = leaf.body
        if not leaf.flags & ENVELOPE or slot < 0:
            break
        if leaf.flags & STAMPED:
            line.stamp = line.time
        if leaf.flags & GRADED:
            line.outer_severity = line.severity
        row = block.spans + line.row
        stream = worker_of(block, leaf, row, stream * 31 + leaf.format + 1)
        line.worker = stream
        text.start = row[2 * slot]
        text.end = row[2 * slot + 1]
        if text.start < 0:
            break
        text.apart = False
        text.unended = (leaf.flags & (NEWLINES | UNFINISHED)) != 0
        unescape_text(block, line, leaf, &text)
        if text.unended:
            line.flags |= UNENDED
        if (leaf.flags & OCTAL and text.end - text.start > 1 and block.data[text.start] == c' '
                and block.data[text.start + 1] != c' '):
            text.start += 1             # the blank between tag and text comes twice
        row = block.spans + line.row
        first_end = text.end
        if text.apart:
            newline = memchr(block.data + text.start, c'\n', text.end - text.start)
            if newline != NULL:
                first_end = <int32_t>(<const uint8_t*>newline - block.data)
                rests[2 * parts] = first_end + 1
                rests[2 * parts + 1] = text.end
                parts += 1
        if text.start < first_end and block.data[first_end - 1] == c'\r':
            first_end -= 1
        row[2 * slot] = text.start
        row[2 * slot + 1] = first_end
        block.need_spans(2 * program.most_slots)
        before = state[0]
        state.flags = state.severity = 0
        if line.flags & TIMED and not line.flags & BAD_TIME:
            state.reference = line.time + nearest_year()
        row = block.spans + block.span_used
        found = match_text(program, block.data, &text.start, &first_end, row, state)
        if found < 0 and text.start < first_end and block.data[text.start] == c' ':
            # A relay may put one more blank before what is a line of its own.
            while text.start < first_end and block.data[text.start] == c' ':
                text.start += 1
            found = program.match(block.data, text.start, first_end, row, state, True)
        if found >= 0 and (program.leaves[found].flags & UNLOGGED
                           or (is_doubtful(program, line) and not bears_out(program, block, line, &program.leaves[found]))
                           or (is_prefix(&program.leaves[found]) and has_prefix(program, block, line))):
            found = NONE
        if found < 0:
            state[0] = before
            while line.leaf >= 0 and is_doubtful(program, line):
                undo_envelope(block, line)
            break
        block.need_envelopes(1)
        envelope = &block.envelopes[block.envelope_used]
        envelope.stream = stream
        envelope.start = line.start
        envelope.end = line.end
        envelope.row = line.row
        envelope.outer = line.outer
        envelope.leaf = line.leaf
        envelope.flags = line.flags
        leaf = &program.leaves[found]
        line.outer = block.envelope_used
        block.envelope_used += 1
        line.leaf = <int16_t>found
        line.row = block.span_used
        block.span_used += 2 * leaf.slots
        line.start = text.start
        line.end = first_end
        line.flags &= ~(ESCAPED | SYSLOG | UNNAMED)
        keep_match(line, leaf, state)
        if leaf.flags & STAMPED:
            # The time is the innermost one: those around it are kept as attributes.
            envelope.flags &= ~TIMED
            forget_outer_times(block, envelope)
        line.worker = worker_of(block, leaf, row, stream)
    state.reference = reference
    while parts:                # the innermost text ends before that around it goes on
        parts -= 1
        add_parts(program, block, number, rests[2 * parts], rests[2 * parts + 1], state)
    return 0


cdef void undo_envelope(Block block, Line* line) noexcept nogil:
    """Take the line's envelope for text of the one around it."""
    cdef const Envelope* envelope
    if line.outer == NONE:
        line.start = line.first
        line.leaf = line.row = NONE
        line.worker = 1
        line.flags &= SYSLOG        # told by where it stands, not by its layout
        line.severity = 0
        return
    envelope = &block.envelopes[line.outer]
    line.start = envelope.start
    line.end = envelope.end
    line.row = envelope.row
    line.leaf = envelope.leaf
    line.flags = envelope.flags
    line.worker = envelope.stream
    line.outer = envelope.outer


cdef void forget_outer_times(Block block, Envelope* envelope) noexcept nogil:
    """Say of all envelopes around one that the time is not from them."""
    while envelope.outer != NONE:
        envelope = &block.envelopes[envelope.outer]
        envelope.flags &= ~TIMED


cdef int add_parts(Program program, Block block, int32_t number, int32_t at, int32_t end, MatchState* state) except -1 nogil:
    """Add the further lines of a message, data[at:end], behind its first."""
    cdef Line* line
    cdef const void* newline
    cdef int32_t stop, found, count = 0
    cdef MatchState before = state[0]
    while at <= end:
        newline = memchr(block.data + at, c'\n', end - at)
        count += 1
        stop = end if newline == NULL or count >= MOST_LINES - 1 else <int32_t>(<const uint8_t*>newline - block.data)
        block.need_lines(1)
        block.need_spans(2 * program.most_slots)
        line = &block.lines[block.line_used]
        block.line_used += 1
        line[0] = block.lines[number]
        line.flags = MORE | (line.flags & UNENDED)
        line.outer = line.next = line.row = line.leaf = NONE
        line.first = line.stop
        line.start = at
        line.end = stop - 1 if stop > at and block.data[stop - 1] == c'\r' else stop
        found = program.match(block.data, at, line.end, block.spans + block.span_used, state, False)
        if found >= 0 and program.leaves[found].role == TRACEBACK:
            line.leaf = <int16_t>found
            line.row = block.span_used
            block.span_used += 2 * program.leaves[found].slots
        at = stop + 1
    state[0] = before
    return 0
