# UTF-8 for a terminal: what escape.py and cells.py say of characters.

from libc.stdint cimport uint8_t

from opslog.kernel._text cimport Buffer

cdef enum:
    # How put_escaped treats what is no text
    LINES = 1                   # line breaks stay
    MARKS = 2                   # of marks.py become commands

cdef int put_escaped(Buffer* out, const uint8_t* p, Py_ssize_t n, int how) except -1 nogil
cdef Py_ssize_t cells(const uint8_t* p, Py_ssize_t n) except -1 nogil
cdef Py_ssize_t without_blanks(const uint8_t* p, Py_ssize_t n) except -1 nogil
cdef Py_ssize_t blanks_before(const uint8_t* p, Py_ssize_t n) except -1 nogil
