# The exception of a record: the text of its traceback, and what was raised finally.

from libc.stdint cimport int32_t, uint8_t

from opslog.kernel._block cimport Block, Line, Record
from opslog.kernel._text cimport Buffer
from opslog.rows._plan cimport Plan

ctypedef struct Text:
    const uint8_t* data         # NULL: there is none
    Py_ssize_t size

cdef class ExceptionText:
    cdef Plan plan
    cdef Block block
    cdef Buffer traceback               # of the record looked at last; empty without one
    cdef Buffer other
    cdef Buffer lines                   # of a printed list
    cdef Text type                      # of the exception finally raised
    cdef Text message

    cdef int find(self, const Record* record, const Line* head) except -1 nogil
    cdef int put_parts(self, int32_t at, uint8_t part) except -1 nogil
    cdef int find_list(self, const Record* record, const Line* line) except -1 nogil
    cdef int put_list_lines(self, const uint8_t* text, Py_ssize_t size, int32_t rest) except -1 nogil
    cdef int find_raised(self) except -1 nogil
