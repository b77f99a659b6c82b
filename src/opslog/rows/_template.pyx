"""Templates of messages: ``<*>`` in place of each value, from one digit or quote to the next.

Values are what this pattern finds, from left to right, ``\\w`` and ``\\b`` meaning ASCII:

    (?:\\b[ub]|\\B)(?:'[^'\\n]*'|"[^"\\n]*")\\B  |  \\w*\\d\\w*(?:[-.:]+\\w+)*
"""

from cpython.bytes cimport PyBytes_FromStringAndSize
from libc.stdint cimport int32_t, uint8_t
from libc.stdlib cimport free
from libc.string cimport memcpy

from opslog.kernel._bytes cimport find_digit_or_quote, find_either
from opslog.kernel._text cimport Buffer, need

cdef enum:
    MARK = 3                    # bytes of <*>
    LONGEST = 0x7FFFFFFF        # what Arrow's offsets can say

cdef uint8_t[256] WORDS, DIGITS, JOINTS
cdef int _c
for _c in range(256):
    DIGITS[_c] = _c in b"0123456789"
    WORDS[_c] = _c < 128 and chr(_c).isalnum() or _c == c"_"
    JOINTS[_c] = _c in b"-.:"


cdef inline const uint8_t* quoted_end(const uint8_t* p, const uint8_t* end) noexcept nogil:
    """Return the end of the quoted text that begins at p, NULL if none does."""
    cdef const uint8_t* close = find_either(p + 1, end, p[0], c'\n')
    if close == end or close[0] == c'\n' or (close + 1 < end and WORDS[close[1]]):
        return NULL
    return close + 1


cdef inline const uint8_t* joined_end(const uint8_t* p, const uint8_t* end) noexcept nogil:
    """Return the end of what is joined to a word that ends at p."""
    cdef const uint8_t* q
    while True:
        q = p
        while q < end and JOINTS[q[0]]:
            q += 1
        if q == p or q == end or not WORDS[q[0]]:
            return p
        p = q
        while p < end and WORDS[p[0]]:
            p += 1


cdef int put_template(Buffer* out, const uint8_t* p, const uint8_t* end) except -1 nogil:
    """Append the template of a text."""
    cdef const uint8_t* start = p
    cdef const uint8_t* copied = p      # up to here
    cdef const uint8_t* begin           # of a value
    cdef const uint8_t* stop
    if p == end:
        return 0
    need(out, MARK * (end - p))
    while True:
        p = find_digit_or_quote(p, end)
        if p == end:
            break
        begin = p
        if DIGITS[p[0]]:
            while begin > copied and WORDS[(begin - 1)[0]]:
                begin -= 1
            while p < end and WORDS[p[0]]:
                p += 1
            stop = joined_end(p, end)
        else:
            stop = NULL
            if p == start or not WORDS[(p - 1)[0]]:
                stop = quoted_end(p, end)
            elif (p - 1 >= copied and ((p - 1)[0] == c'u' or (p - 1)[0] == c'b')
                    and (p - 1 == start or not WORDS[(p - 2)[0]])):
                begin = p - 1
                stop = quoted_end(p, end)
            if stop == NULL:
                p += 1
                continue
        memcpy(out.data + out.used, copied, begin - copied)
        out.used += begin - copied
        memcpy(out.data + out.used, b"<*>", MARK)
        out.used += MARK
        p = copied = stop
    memcpy(out.data + out.used, copied, end - copied)
    out.used += end - copied
    return 0


def templates_of(const int32_t[::1] ends not None, const uint8_t[::1] texts not None, int32_t count):
    """Return the offsets (int32) and the bytes of the templates of ``count`` texts.

    Raises ValueError for offsets that are not of the texts, or are too few, and for too long templates.
    """
    cdef int32_t i
    cdef Py_ssize_t size = texts.shape[0]
    cdef const uint8_t* data = &texts[0] if size else NULL
    cdef Buffer out = Buffer(NULL, 0, 0)
    cdef int32_t* to
    if ends.shape[0] <= count:
        raise ValueError("fewer offsets than texts")
    new_ends = bytearray(4 * (count + 1))
    cdef uint8_t[::1] made = new_ends
    to = <int32_t*>&made[0]
    try:
        with nogil:
            for i in range(count):
                if not 0 <= ends[i] <= ends[i + 1] <= size:
                    with gil:
                        raise ValueError("offsets that are not of the texts")
                put_template(&out, data + ends[i], data + ends[i + 1])
                if out.used > LONGEST:
                    with gil:
                        raise ValueError("templates of more than 2 GiB")
                to[i + 1] = <int32_t>out.used
        return new_ends, PyBytes_FromStringAndSize(<const char*>out.data, out.used) if out.used else b""
    finally:
        free(out.data)
