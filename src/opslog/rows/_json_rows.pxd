from libc.stdint cimport int32_t, int64_t, uint8_t, uint64_t

from opslog.kernel._block cimport Record
from opslog.kernel._text cimport Buffer
from opslog.rows._values cimport Rows, Value

cdef class JsonKeys:
    cdef uint8_t* keys                  # KEY_BYTES each: `"name":` or `"name":"`
    cdef uint8_t[64] sizes
    cdef uint64_t shown
    cdef uint64_t always                # columns that every record has, or may have
    cdef Buffer chunks                  # `"format":"name",` per format, then source and program
    cdef Buffer ends
    cdef int32_t formats

    cdef int chunk(self, int32_t number, Buffer* out) except -1 nogil

cdef class JsonRows(Rows):
    cdef JsonKeys names
    cdef const int64_t[::1] moments     # UTC microseconds
    cdef const uint8_t[::1] timed       # bits: has a timestamp; None: all have
    cdef int64_t second
    cdef uint8_t[20] second_text
    cdef Buffer scratch

    cdef int write(self, int32_t row, Buffer* out) except -1 nogil
    cdef int text(self, Buffer* out, const uint8_t* name, Py_ssize_t size, Value* value) except -1 nogil
    cdef int pairs(self, Buffer* out) except -1 nogil
    cdef int original(self, Record* record, Buffer* out) except -1 nogil
