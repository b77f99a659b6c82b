from libc.stdint cimport int32_t, uint8_t

from opslog.kernel._text cimport Buffer
from opslog.rows._plan cimport Plan
from opslog.scanner._state cimport MatchState

cdef class Message:
    cdef Plan plan
    cdef bytearray routes       # memory of the state's
    cdef MatchState state
    cdef int32_t leaf                   # of the message format that takes it, NONE
    cdef const uint8_t* data            # what its spans point into
    cdef int change                     # what must be done with its values
    cdef bint printed                   # read from what Python's repr printed
    cdef Buffer spans
    cdef Buffer text                    # the message without escapes
    cdef Buffer event                   # the JSON that a printed event means

    cdef int forget(self) except -1
    cdef int find(self, const uint8_t* data, int32_t start, int32_t end, int change, int checked) except -1 nogil
    cdef bint read_event(self, const uint8_t* text, Py_ssize_t size) except -1 with gil
    cdef const uint8_t* value_of(self, int32_t column, Py_ssize_t* size) noexcept nogil
