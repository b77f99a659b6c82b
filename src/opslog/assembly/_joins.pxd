from libc.stdint cimport int32_t, int64_t, uint8_t

from opslog.assembly._seams cimport SeamedRecords
from opslog.kernel._block cimport Block, Line, Record
from opslog.scanner._program cimport Leaf

cdef class JoinedRecords(SeamedRecords):
    cdef int32_t margin         # bytes of blanks before each line of a log that is quoted, 0

    cdef const Line* head_of(self, Block block, int32_t number) noexcept nogil
    cdef bint is_open(self, Block block, int32_t number, const Line* line) noexcept nogil
    cdef bint takes(self, Block block, int32_t number, const Line* line) noexcept nogil
    cdef bint is_near(self, Block block, int32_t number, const Line* line) noexcept nogil
    cdef bint is_in_block(self, Block block, int32_t number) noexcept nogil
    cdef const uint8_t* line_text(self, Block block, const Line* line, int32_t* length) noexcept nogil
    cdef int lead(self, Block block, int32_t number, const Leaf* leaf) except -1 nogil
    cdef bint block_line(self, Block block, int32_t i) noexcept nogil
    cdef bint lined(self, Block block, int32_t i, const Leaf* leaf) except -1 nogil
    cdef bint is_alike(self, Block block, int32_t number, const Line* line, const Leaf* leaf) noexcept nogil
    cdef void turn_head(self, Block block, int32_t number) noexcept nogil
    cdef bint takes_traceback(self, Block block, int32_t number, const Line* line, const Leaf* leaf, const uint8_t* text, int32_t length) except -1 nogil
    cdef bint is_unlogged(self, int32_t number) noexcept nogil
    cdef bint ends_in_group(self, Block block, int32_t number) noexcept nogil
    cdef bint join_unlogged(self, Block block, int32_t number, int32_t i, const uint8_t* text, int32_t length) noexcept nogil
    cdef int join_text(self, Block block, int32_t number, int32_t i, const uint8_t* text, int32_t length) except -1 nogil
    cdef bint follows_header(self, Block block, const Record* record, const uint8_t* text, int32_t length) noexcept nogil
    cdef bint ends_in_header(self, Block block, int32_t number) noexcept nogil
    cdef bint quotes(self, Block block, int32_t number) noexcept nogil
    cdef uint8_t part_of(self, Block block, int32_t number) noexcept nogil
