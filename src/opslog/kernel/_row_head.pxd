# A row in the file of rows to be merged: its head and, where it is a line, its bytes.

from libc.stdint cimport int64_t

cdef enum:
    HEAD = 16

ctypedef struct Head:
    int64_t time                # microseconds; INT64_MIN: it has none
    int64_t size                # of the row in bytes
