from libc.stdint cimport int32_t, int64_t

from opslog.assembly._records cimport OpenRecords, Records
from opslog.kernel._block cimport Block

cdef class SeamedRecords(OpenRecords):
    cdef int64_t stamped        # offset of the latest record with a timestamp
    cdef int64_t origin         # source offset of the first byte that was fed
    cdef int64_t place          # behind it comes the next seam
    cdef int64_t run            # offset of the first of the sure heads that stand in a row up to here
    cdef int64_t heads          # how many these are
    cdef bint seeking           # the seam where the part begins has not come
    cdef int64_t stop           # behind it comes the seam where the part ends
    cdef int64_t begins         # where that of the beginning is
    cdef int64_t ends           # where that of the end is
    cdef int64_t seam           # where the latest one is

    cdef void date(self, int32_t number) noexcept nogil
    cdef void enter(self, int64_t offset) noexcept nogil
    cdef bint is_sure(self, Block block, int32_t i) noexcept nogil
    cdef bint seek_seam(self, Block block, int32_t i) noexcept nogil
    cdef void close_before(self, int64_t seam, int64_t next_place) noexcept nogil
    cdef int trim(self, Records out) except -1 nogil
