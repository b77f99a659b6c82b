from libc.stdint cimport int32_t, uint8_t

cdef int32_t name(int32_t kind, const uint8_t* data, int32_t at, int32_t end) noexcept nogil
