from libc.stdint cimport int32_t, int64_t, uint8_t, uint16_t

from opslog.assembly._workers cimport Workers
from opslog.kernel._block cimport Block, CLOSED, MOST_LINES, Record
from opslog.scanner._program cimport Program

cdef class Records:
    cdef readonly Block block
    cdef Record* records
    cdef readonly int32_t count
    cdef public object places   # where they stand in the order of time: an Arrow array, None

    cdef int add_counts(self, dict out, const int64_t* table, const int32_t* sizes, int32_t used) except -1

cdef class OpenRecords:
    cdef Program program
    cdef Record* records        # not yet released, in the order of their heads
    cdef Py_ssize_t capacity
    cdef int32_t count
    cdef int64_t window         # bytes of later input after which a record closes
    cdef int64_t waits          # offset from which on no record leaves yet
    cdef Workers workers
    cdef int32_t previous       # record of the line before, NONE if it takes no follow-on
    cdef int32_t latest         # latest head or headless record
    cdef int32_t block          # record whose block is open, NONE
    cdef int32_t blank          # record of the blank lines just before, NONE
    cdef Block kept             # lines of the records not yet released
    cdef int64_t end            # source offset behind all that was fed
    cdef int64_t reach          # source offset behind all lines of released records, and those these told of
    cdef int64_t last_dated     # where the last released record with a time begins, -1
    cdef int64_t dated_before   # likewise of those before the cut
    cdef readonly int64_t cut   # no record before it is open, has lines behind it, or told what one there is

    cdef int32_t start(self, Block block, int32_t line, uint16_t flags) except -2 nogil
    cdef int read_head(self, Block block, int32_t number) except -1 nogil
    cdef void join(self, Block block, int32_t number, int32_t line, uint8_t part) noexcept nogil
    cdef void ask(self, Block block, int32_t number, int32_t line) noexcept nogil
    cdef int adopt(self, Block block) except -1 nogil
    cdef int release(self, Block block, bint final, int64_t held, Records out) except -1 nogil
    cdef int32_t complete(self, bint final) noexcept nogil
    cdef void hold(self, int64_t offset) noexcept nogil
    cdef void find_cut(self, int32_t released) noexcept nogil
    cdef void cut_before(self, int32_t number) noexcept nogil
    cdef void cut_at(self, int64_t offset) noexcept nogil
    cdef int forget(self, int32_t released) except -1 nogil


cdef inline bint is_open(const Record* records, int32_t number, int64_t offset, int64_t window) noexcept nogil:
    """Whether a line at `offset` may still join the record."""
    return (number >= 0 and not records[number].flags & CLOSED
            and offset - records[number].offset <= window and records[number].lines < MOST_LINES)


cdef inline void close(Record* records, int32_t number) noexcept nogil:
    if number >= 0:
        records[number].flags |= CLOSED
