from libc.stdint cimport uint8_t, uint64_t

from opslog.kernel._text cimport Buffer

cdef enum:
    ID = 16                     # hexadecimal digits

cdef enum:                      # the texts of what a record says
    SERVICE
    LOGGER
    BODY
    TYPE
    MESSAGE
    TRACEBACK
    SUMMARY                     # of an exception, where it stands beside the body
    TEXTS                       # how many they are

ctypedef struct Part:           # nothing is a text of no bytes
    const uint8_t* data
    Py_ssize_t size

ctypedef struct Said:
    uint8_t severity
    Part[7] texts

cdef class Fingerprint:
    cdef Buffer parts
    cdef Buffer work
    cdef Buffer other
    cdef uint8_t[16] id         # of what was asked for last

    cdef uint64_t find(self, const Said* said) except? 0 nogil
    cdef int put_part(self, const uint8_t* text, Py_ssize_t size) except -1 nogil
    cdef int put_body(self, const Said* said) except -1 nogil
    cdef Py_ssize_t without_summary(self, const Said* said) except -1 nogil
    cdef int put_frames(self, const uint8_t* text, Py_ssize_t size) except -1 nogil
    cdef int put_frame(self, const uint8_t* path, const uint8_t* end, const uint8_t* function, const uint8_t* stop) except -1 nogil
