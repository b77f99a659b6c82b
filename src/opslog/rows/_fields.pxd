# What the text of a field says of it.

from libc.stdint cimport uint8_t
from libc.string cimport memcmp

from opslog.kernel._bytes cimport hex_end, is_uuid


cdef inline bint is_null_word(const uint8_t* p, Py_ssize_t n) noexcept nogil:
    return n == 0 or (n == 1 and p[0] == c'-') or (
        n == 4 and p[0] == c'N' and p[1] == c'o' and p[2] == c'n' and p[3] == c'e')


cdef inline bint is_no_context(const uint8_t* p, Py_ssize_t n) noexcept nogil:
    """Whether a value of a context says nothing: oslo.log's adapters call a missing project `unknown`."""
    return is_null_word(p, n) or (n == 7 and memcmp(p, b"unknown", 7) == 0)


cdef inline bint is_empty(const uint8_t* p, Py_ssize_t n) noexcept nogil:
    """Whether a value is an empty object or list."""
    return n == 2 and ((p[0] == c'{' and p[1] == c'}') or (p[0] == c'[' and p[1] == c']'))


cdef inline bint is_nothing(const uint8_t* p, Py_ssize_t n) noexcept nogil:
    """Whether a bare value is null, or an empty object or list."""
    return (n == 4 and memcmp(p, b"null", 4) == 0) or is_empty(p, n)


cdef inline bint has_id_shape(const uint8_t* p, Py_ssize_t n) noexcept nogil:
    """Whether the text is 32 or 64 hex digits or a dashed UUID."""
    if n == 36:
        return is_uuid(p)
    return (n == 32 or n == 64) and hex_end(p, p + n) == p + n


cdef inline const uint8_t* facility(const uint8_t* pri, Py_ssize_t* size) noexcept nogil:
    """The facility of a syslog priority, and its length."""
    cdef const char* numbers = "000102030405060708091011121314151617181920212223"
    cdef Py_ssize_t i, value = 0
    for i in range(size[0]):
        value = 10 * value + pri[i] - c'0'
    size[0] = 1 if value < 80 else 2
    return <const uint8_t*>numbers + (value >> 3) * 2 + (value < 80)


cdef inline const uint8_t* in_brackets(const uint8_t* text, Py_ssize_t* size, bint kind) noexcept nogil:
    """The id, or the kind, of a resource as oslo.log's adapters write it: `[volume-UUID] `.

    Another text is itself, but the kind of a bare id is an instance: of others the adapters write
    the kind.  NULL stands for an object, and for brackets around something else.
    """
    cdef Py_ssize_t end = size[0]
    if kind and has_id_shape(text, end):
        size[0] = 8
        return <const uint8_t*>"instance"
    if end == 0 or text[0] != c'[':
        if end > 0 and text[0] == c'{':
            return NULL
        return text
    while end > 0 and text[end - 1] == c' ':
        end -= 1
    if end < 40 or text[end - 1] != c']' or text[end - 38] != c'-' or not has_id_shape(text + end - 37, 36):
        return NULL
    size[0] = end - 39 if kind else 36
    if kind:
        return text + 1
    return text + end - 37
