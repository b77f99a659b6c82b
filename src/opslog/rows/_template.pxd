from libc.stdint cimport uint8_t

from opslog.kernel._text cimport Buffer

cdef int put_template(Buffer* out, const uint8_t* p, const uint8_t* end) except -1 nogil
