# Records as pieces of text, made in any thread, and what is shared with what puts them together.

cimport cython
from libc.stdint cimport int32_t, int64_t, uint8_t
from libc.string cimport memcpy, memset

from opslog.kernel._text cimport Buffer, need
from opslog.rows._json_arrays cimport Array
from opslog.terminal._color cimport Color

cdef enum:
    # The columns, in order
    FORMAT
    TIME
    NUMBER
    SEVERITY
    SERVICE
    PROGRAM
    HOST
    REQUEST
    CAUSE
    BODY
    KIND
    MESSAGE
    TRACE
    SOURCE
    COLUMNS

cdef enum:
    NONE = -1
    WHOLE = -2                  # name of a row that is no record
    SLACK = 128                 # bytes: colors, and what else is short
    INDENT = 4
    REQUEST_CELLS = 12          # `req-` and eight digits

ctypedef struct Entry:          # of a dictionary: where it stands in the texts
    Py_ssize_t start            # escaped
    Py_ssize_t size
    Py_ssize_t cells
    Py_ssize_t raw_start        # as it is
    Py_ssize_t raw_size

ctypedef struct Row:            # its pieces, one behind the other
    Py_ssize_t start
    Py_ssize_t head             # bytes of what stands before the program
    Py_ssize_t request
    Py_ssize_t message
    Py_ssize_t behind
    Py_ssize_t head_cells
    Py_ssize_t request_cells
    Py_ssize_t message_cells    # where it is asked for
    int32_t name                # entries
    int32_t host


@cython.final
cdef class TextRows:
    cdef Array[COLUMNS] columns
    cdef int32_t[COLUMNS] firsts    # of a dictionary's entries
    cdef int32_t[COLUMNS] counts
    cdef Buffer entries
    cdef Buffer texts               # theirs
    cdef Row* rows
    cdef readonly int32_t count
    cdef Buffer out
    cdef bint colored
    cdef bint full
    cdef bint measured
    cdef bint zoned                 # times are local
    cdef int marks                  # MARKS, or 0
    cdef Array locals               # the local times, microseconds
    cdef object local               # owns them
    cdef int64_t second             # written last
    cdef uint8_t[20] second_text
    # Of one record
    cdef Buffer lines
    cdef Buffer error               # as it is
    cdef Buffer shown               # escaped
    cdef Buffer trace               # escaped

    cdef void drop_scratch(self) noexcept nogil
    cdef int render(self, int32_t column, object dictionary) except -1
    cdef int32_t entry_of(self, int32_t column, int64_t row) noexcept nogil
    cdef int styled(self, Buffer* out, const Color* color, const uint8_t* p, Py_ssize_t n) except -1 nogil
    cdef int add(self, int32_t i) except -1 nogil
    cdef int unrecognised(self, const uint8_t* p, Py_ssize_t size) except -1 nogil
    cdef int put_time(self, int32_t i) except -1 nogil
    cdef int put_severity(self, Row* row, int32_t i) except -1 nogil
    cdef int put_request(self, Row* row, int32_t i) except -1 nogil
    cdef int put_lines(self, Row* row) except -1 nogil
    cdef int put_lines_with_exception(self, int32_t i, const uint8_t* body, Py_ssize_t size) except -1 nogil
    cdef int put_trace(self) except -1 nogil
    cdef int make_shown(self) except -1 nogil
    cdef int end_line(self) except -1 nogil


cdef inline int add(Buffer* out, const uint8_t* p, Py_ssize_t n) except -1 nogil:
    if n > 0:
        need(out, n)
        memcpy(out.data + out.used, p, n)
        out.used += n
    return 0


cdef inline void fill(Buffer* out, Py_ssize_t n) noexcept nogil:
    """Write so many blanks, if any; `out` has room for them."""
    if n > 0:
        memset(out.data + out.used, c' ', n)
        out.used += n
