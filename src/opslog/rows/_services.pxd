from libc.stdint cimport int32_t, uint8_t, uint64_t

from opslog.kernel._text cimport Buffer

cdef class Services:
    cdef object find
    cdef bytes program                  # of the source
    cdef const uint8_t* program_data
    cdef Py_ssize_t program_size
    cdef Buffer texts                   # loggers and services
    cdef Buffer entries
    cdef uint64_t mask
    cdef int32_t count

    cdef int32_t look_up(self, const uint8_t* logger, Py_ssize_t size, const uint8_t** service) except -2 nogil
    cdef int32_t ask(self, const uint8_t* logger, Py_ssize_t size) except -2 with gil
    cdef int clear(self) except -1 nogil
