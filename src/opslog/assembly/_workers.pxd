# Open records by worker: what writes lines of one source, told apart by a hash.
# The stream of an envelope has a place here, too: the hash of what the envelope knows.

from libc.stdint cimport int32_t, uint64_t

ctypedef struct Worker:
    uint64_t key
    int32_t head                # its open record, NONE
    int32_t orphan              # its open record of headless traceback lines, NONE
    int32_t previous            # record of the line before of its stream, NONE if it takes no text
    bint unended                # whose text the next line of the stream continues
    bint used

cdef class Workers:
    cdef Worker* places
    cdef uint64_t mask
    cdef Py_ssize_t count

    cdef int grow(self, uint64_t size) except -1 nogil
    cdef Worker* find(self, uint64_t key) noexcept nogil
    cdef Worker* get(self, uint64_t key) except NULL nogil
    cdef int forget(self, int32_t released) except -1 nogil
