from libc.stdint cimport int32_t

from opslog.kernel._block cimport Block, Record

cdef class Records:
    cdef readonly Block block
    cdef Record* records
    cdef readonly int32_t count
