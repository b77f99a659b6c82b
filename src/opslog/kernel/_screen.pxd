# What is asked of a row's texts before it is written: whether they must be looked at first.

from libc.stdint cimport uint8_t


cdef class Screen:
    cdef Py_ssize_t shortest        # bytes of the shortest text that is held back

    cdef int holds(self, const uint8_t* begin, const uint8_t* end) except -1 nogil
    cdef int named(self, const uint8_t* name, Py_ssize_t size) except -1 nogil
