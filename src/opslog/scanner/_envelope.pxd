# What an envelope holds, read again as a line of its own.

from libc.stdint cimport int32_t, uint8_t, uint64_t

from opslog.kernel._block cimport BAD_TIME, Block, ESCAPED, HAS_OFFSET, Line, TIMED, UNNAMED
from opslog.kernel._bytes cimport hash_bytes
from opslog.scanner._program cimport GRADED, Leaf, Program, STAMPED, UTC, WORKERS
from opslog.scanner._state cimport MatchState

cdef inline void keep_match(Line* line, const Leaf* leaf, const MatchState* state) noexcept nogil:
    """Keep what matching a layout told beside spans: time and severity, if it told any."""
    cdef uint8_t severity = 0
    line.flags |= state.flags & (ESCAPED | UNNAMED)
    if leaf.flags & STAMPED:
        line.time = state.time
        line.flags &= ~(HAS_OFFSET | BAD_TIME)
        line.flags |= TIMED | (state.flags & (HAS_OFFSET | BAD_TIME))
        if leaf.flags & UTC:
            line.flags |= HAS_OFFSET
    # A layout that was tried before may have left a severity behind.
    if leaf.flags & GRADED:
        severity = state.severity
    if not severity:
        severity = <uint8_t>leaf.level
    if severity:
        line.severity = severity


cdef inline uint64_t worker_of(Block block, const Leaf* leaf, const int32_t* row, uint64_t seed) noexcept nogil:
    """Hash of what tells writers of one source apart."""
    cdef uint64_t worker = seed
    cdef int32_t i, slot
    for i in range(WORKERS):
        slot = leaf.worker[i]
        if slot < 0:
            break
        if row[2 * slot] >= 0:
            worker = hash_bytes(block.data + row[2 * slot], row[2 * slot + 1] - row[2 * slot], worker)
    return worker


cdef inline int32_t color_size(const uint8_t* p, int32_t n) noexcept nogil:
    """Size of the color code that begins at p, 0 if none does."""
    cdef int32_t i = 2
    if n < 3 or p[0] != 27 or p[1] != c'[':
        return 0
    while i < n and (48 <= p[i] <= 57 or p[i] == c';'):
        i += 1
    return i + 1 if i < n and p[i] == c'm' else 0


cdef inline void without_colors(const uint8_t* data, int32_t* start, int32_t* end) noexcept nogil:
    """Leave out color codes around a text: who colors whole lines puts them there."""
    cdef int32_t at
    while start[0] < end[0] and data[start[0]] == 27:
        at = color_size(data + start[0], end[0] - start[0])
        if not at:
            break
        start[0] += at
    while end[0] > start[0] and data[end[0] - 1] == c'm':
        at = end[0] - 1
        while at > start[0] and data[at] != 27 and end[0] - at < 16:
            at -= 1
        if data[at] != 27 or color_size(data + at, end[0] - at) != end[0] - at:
            break
        end[0] = at


cdef int32_t match_text(Program program, const uint8_t* data, int32_t* start, int32_t* end, int32_t* row,
                        MatchState* state) except -2 nogil

cdef void undo_envelope(Block block, Line* line) noexcept nogil

cdef int unwrap(Program program, Block block, int32_t number, MatchState* state) except -1 nogil
