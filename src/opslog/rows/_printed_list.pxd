# The strings of a list that Python's repr printed: read by its signs, nothing is evaluated.

from libc.stdint cimport int32_t, uint8_t, uint32_t
from libc.string cimport memcpy

from opslog.kernel._bytes cimport find_either, put_utf8
from opslog.kernel._text cimport Buffer, hex2, hex4, need


cdef inline const uint8_t* behind_blanks(const uint8_t* p, const uint8_t* end) noexcept nogil:
    while p < end and (p[0] == c' ' or 9 <= p[0] <= 13):
        p += 1
    return p


cdef inline Py_ssize_t put_escape(Buffer* out, const uint8_t* p, Py_ssize_t n) noexcept nogil:
    """Write what the escape at p, a backslash and a byte at least, stands for; return its length.

    It is never longer than what is written.
    """
    cdef int32_t high, low
    cdef uint8_t c = p[1]
    if c == c'x':
        high = hex2(p + 2, n - 2)
        if high >= 0:
            out.used += put_utf8(out.data + out.used, <uint32_t>high)
            return 4
    elif c == c'u' and n >= 6:
        high = hex4(p + 2)
        if high >= 0:
            out.used += put_utf8(out.data + out.used, <uint32_t>high)
            return 6
    elif c == c'U' and n >= 10:
        high = hex4(p + 2)
        low = hex4(p + 6)
        if high >= 0 and low >= 0:
            out.used += put_utf8(out.data + out.used, <uint32_t>high << 16 | <uint32_t>low)
            return 10
    elif c == c'n':
        c = c'\n'
    elif c == c't':
        c = c'\t'
    elif c == c'r':
        c = c'\r'
    out.data[out.used] = c
    out.used += 1
    return 2


cdef inline const uint8_t* item_end(const uint8_t* p, const uint8_t* end, uint8_t quote) noexcept nogil:
    """Where the quote stands that ends a string, NULL if none does."""
    while True:
        p = find_either(p, end, quote, c'\\')
        if p >= end:
            return NULL
        if p[0] == quote:
            return p
        p += 2
        if p > end:
            return NULL


cdef inline int put_printed_list(Buffer* out, const uint8_t* p, Py_ssize_t n) except -1 nogil:
    """Append the strings of the list p[0:n], which may be cut, one behind the other; return whether there are any."""
    cdef const uint8_t* end = p + n
    cdef const uint8_t* stop
    cdef const uint8_t* plain
    cdef bint found = False
    cdef uint8_t quote
    need(out, n)
    p += 1                          # the bracket
    while True:
        p = behind_blanks(p, end)
        if p < end and (p[0] == c'u' or p[0] == c'b'):
            p += 1
        if p >= end or (p[0] != c"'" and p[0] != c'"'):
            return found
        quote = p[0]
        p += 1
        stop = item_end(p, end, quote)
        if stop == NULL:
            return found
        found = True
        while p < stop:
            plain = find_either(p, stop, c'\\', c'\\')
            memcpy(out.data + out.used, p, plain - p)
            out.used += plain - p
            p = plain
            if p < stop:
                p += put_escape(out, p, stop - p)
        p = behind_blanks(stop + 1, end)
        if p < end and p[0] == c',':
            p += 1
