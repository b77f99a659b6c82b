# Small byte helpers shared by the kernels; none looks behind what it is given.

from libc.stdint cimport int32_t, int64_t, uint8_t, uint32_t, uint64_t
from libc.string cimport memcpy

cdef extern from "_vector.h" nogil:
    const uint8_t* token_end "opslog_token_end" (const uint8_t* p, const uint8_t* end, uint8_t stop)
    const uint8_t* request_end "opslog_request_end" (const uint8_t* p, const uint8_t* end)
    const uint8_t* hex_end "opslog_hex_end" (const uint8_t* p, const uint8_t* end)
    bint is_uuid "opslog_is_uuid" (const uint8_t* p)
    const uint8_t* find_either "opslog_find_either" (const uint8_t* p, const uint8_t* end, uint8_t a, uint8_t b)
    const uint8_t* find_digit_or_quote "opslog_find_digit_or_quote" (const uint8_t* p, const uint8_t* end)
    const uint8_t* find_id "opslog_find_id" (const uint8_t* p, const uint8_t* end)
    const uint8_t* find_hidden "opslog_find_hidden" (const uint8_t* p, const uint8_t* end)
    size_t copy_plain "opslog_copy_plain" (uint8_t* out, const uint8_t* p, size_t n)
    size_t copy_printable "opslog_copy_printable" (uint8_t* out, const uint8_t* p, size_t n)
    bint all_ascii "opslog_all_ascii" (const uint8_t* p, size_t n)
    bint request_uuid "opslog_request_uuid" (uint8_t* out, const uint8_t* p)
    const uint8_t* find_text "opslog_find_text" (const uint8_t* p, const uint8_t* end, const uint8_t* text, size_t m)
    const uint8_t* find_text_or_hidden "opslog_find_text_or_hidden" (const uint8_t* p, const uint8_t* end, const uint8_t* text, size_t m, const uint8_t** hidden)
    size_t within "opslog_within" (const uint8_t* p, const uint8_t* low, const uint8_t* high, size_t n)
    bint begins_with "opslog_begins_with" (const uint8_t* p, Py_ssize_t room, const uint8_t* text, size_t n)
    const uint8_t* JSON_MARKS "opslog_json_marks"
    bint same "opslog_same" (const uint8_t* a, const uint8_t* b, size_t n)


cdef extern from *:
    int lowest_bit "__builtin_ctzll" (unsigned long long) nogil


cdef inline uint64_t load8(const uint8_t* p) noexcept nogil:
    cdef uint64_t x
    memcpy(&x, p, 8)
    return x


cdef inline uint64_t hash_bytes(const uint8_t* p, Py_ssize_t n, uint64_t seed) noexcept nogil:
    cdef uint64_t h = seed ^ (<uint64_t>n * <uint64_t>0x9E3779B97F4A7C15), x
    while n > 8:
        h = (h ^ load8(p)) * <uint64_t>0xFF51AFD7ED558CCD
        h ^= h >> 32
        p += 8
        n -= 8
    x = 0
    if n > 0:                   # of no text there may be no place
        memcpy(&x, p, n)
    h = (h ^ x) * <uint64_t>0xC4CEB9FE1A85EC53
    return h ^ (h >> 29)


cdef inline int32_t utf8_length(const uint8_t* p, Py_ssize_t n) noexcept nogil:
    """Length of the valid UTF-8 sequence at p (1 to 4), or 0 if the byte at p starts none."""
    cdef uint8_t c = p[0], lowest = 0x80, highest = 0xBF
    if c < 0x80:
        return 1
    if c < 0xC2 or c > 0xF4:
        return 0
    if c < 0xE0:
        return 2 if n >= 2 and (p[1] & 0xC0) == 0x80 else 0
    if c < 0xF0:
        if c == 0xE0:
            lowest = 0xA0
        elif c == 0xED:
            highest = 0x9F      # no surrogates
        return 3 if n >= 3 and lowest <= p[1] <= highest and (p[2] & 0xC0) == 0x80 else 0
    if c == 0xF0:
        lowest = 0x90
    elif c == 0xF4:
        highest = 0x8F
    return 4 if (n >= 4 and lowest <= p[1] <= highest and (p[2] & 0xC0) == 0x80
                 and (p[3] & 0xC0) == 0x80) else 0


cdef inline int32_t put_utf8(uint8_t* out, uint32_t c) noexcept nogil:
    """Write code point c (a surrogate as U+FFFD) and return the bytes written."""
    if 0xD800 <= c <= 0xDFFF or c > 0x10FFFF:
        c = 0xFFFD
    if c < 0x80:
        out[0] = <uint8_t>c
        return 1
    if c < 0x800:
        out[0] = 0xC0 | (c >> 6)
        out[1] = 0x80 | (c & 0x3F)
        return 2
    if c < 0x10000:
        out[0] = 0xE0 | (c >> 12)
        out[1] = 0x80 | ((c >> 6) & 0x3F)
        out[2] = 0x80 | (c & 0x3F)
        return 3
    out[0] = 0xF0 | (c >> 18)
    out[1] = 0x80 | ((c >> 12) & 0x3F)
    out[2] = 0x80 | ((c >> 6) & 0x3F)
    out[3] = 0x80 | (c & 0x3F)
    return 4
