# The exception finally raised, read from a traceback's text.

from libc.stdint cimport int32_t, uint8_t
from libc.string cimport memcmp

ctypedef struct Raised:
    Py_ssize_t type_start       # -1: no exception found
    Py_ssize_t type_end
    Py_ssize_t message_start
    Py_ssize_t message_end
    bint group                  # message lines begin with the group's "  | "

cdef Raised raised(const uint8_t* text, Py_ssize_t size) noexcept nogil
