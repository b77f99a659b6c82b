from libc.stdint cimport uint8_t

from opslog.kernel._text cimport Buffer

cdef int put_event(Buffer* out, const uint8_t* p, Py_ssize_t n) except -1 nogil
