# JSON values as bytes: escaped text, numbers and RFC 3339 times.
#
# Every function writes at the end of a buffer that has room for what it writes:
# 6 bytes for each of a text, 32 for anything else, and 16 more.

from libc.math cimport fabs, isfinite, rint
from libc.stdint cimport int64_t, uint8_t, uint32_t, uint64_t
from libc.stdio cimport snprintf
from libc.string cimport memcpy

from opslog.kernel._bytes cimport copy_plain, put_utf8, utf8_length
from opslog.kernel._text cimport Buffer

cdef extern from *:
    """
    static const char opslog_digits[] =
        "00010203040506070809101112131415161718192021222324252627282930313233343536373839"
        "40414243444546474849505152535455565758596061626364656667686970717273747576777879"
        "8081828384858687888990919293949596979899";
    static const char opslog_hex[] = "0123456789abcdef";
    static const double opslog_powers[] = {
        1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15};
    static const uint64_t opslog_tens[] = {
        1ull, 10ull, 100ull, 1000ull, 10000ull, 100000ull, 1000000ull, 10000000ull, 100000000ull,
        1000000000ull, 10000000000ull, 100000000000ull, 1000000000000ull, 10000000000000ull,
        100000000000000ull, 1000000000000000ull, 10000000000000000ull, 100000000000000000ull,
        1000000000000000000ull, 10000000000000000000ull};
    """
    int leading_zeros "__builtin_clzll" (unsigned long long) nogil
    const uint64_t* TENS "opslog_tens"
    const char* DIGITS "opslog_digits"
    const char* HEX "opslog_hex"
    const double* POWERS "opslog_powers"


cdef inline void raw(Buffer* out, const uint8_t* p, Py_ssize_t n) noexcept nogil:
    memcpy(out.data + out.used, p, n)
    out.used += n


cdef inline void key(Buffer* out, const uint8_t* p, Py_ssize_t n) noexcept nogil:
    """Write a short text whose storage, and the buffer, have 32 bytes."""
    memcpy(out.data + out.used, p, 32)
    out.used += n


cdef inline void byte(Buffer* out, uint8_t c) noexcept nogil:
    out.data[out.used] = c
    out.used += 1


cdef inline uint8_t* put_escaped(uint8_t* to, const uint8_t* p, Py_ssize_t n) noexcept nogil:
    """Write UTF-8 text with JSON escapes and return where it ends; there is room for 6 bytes a byte."""
    cdef Py_ssize_t i = 0, count
    cdef uint8_t c
    while True:
        count = <Py_ssize_t>copy_plain(to, p + i, <size_t>(n - i))
        to += count
        i += count
        if i == n:
            return to
        c = p[i]
        i += 1
        to[0] = c'\\'
        if c == c'"' or c == c'\\':
            to[1] = c
        elif c == c'\n':
            to[1] = c'n'
        elif c == c'\t':
            to[1] = c't'
        elif c == c'\r':
            to[1] = c'r'
        else:
            memcpy(to + 1, b"u00", 3)
            to[4] = HEX[c >> 4]
            to[5] = HEX[c & 15]
            to += 4
        to += 2


cdef inline void escaped(Buffer* out, const uint8_t* p, Py_ssize_t n) noexcept nogil:
    """Write UTF-8 text with JSON escapes; the buffer has room for 6 bytes a byte."""
    out.used = put_escaped(out.data + out.used, p, n) - out.data


cdef inline void quoted(Buffer* out, const uint8_t* p, Py_ssize_t n) noexcept nogil:
    byte(out, c'"')
    escaped(out, p, n)
    byte(out, c'"')


cdef inline void quoted_bytes(Buffer* out, const uint8_t* p, Py_ssize_t n) noexcept nogil:
    """Write bytes that may not be UTF-8, a bad one as U+FFFD."""
    cdef Py_ssize_t i = 0, length
    byte(out, c'"')
    while i < n:
        length = utf8_length(p + i, n - i)
        if length:
            escaped(out, p + i, length)
            i += length
        else:
            out.used += put_utf8(out.data + out.used, 0xFFFD)
            i += 1
    byte(out, c'"')


cdef inline void two(Buffer* out, uint32_t value) noexcept nogil:
    raw(out, <const uint8_t*>DIGITS + 2 * value, 2)


cdef inline void integer(Buffer* out, int64_t value) noexcept nogil:
    """Write a number where it belongs: bytes put together elsewhere are slow to be read again at once."""
    cdef uint64_t left = <uint64_t>value
    cdef uint8_t* to
    cdef int size
    if value < 0:
        byte(out, c'-')
        left = 0 - left
    size = (64 - leading_zeros(left | 1)) * 1233 >> 12      # decimal digits, or one less
    size += left >= TENS[size]
    size += size == 0
    to = out.data + out.used + size
    out.used += size
    while left >= 100:
        to -= 2
        memcpy(to, DIGITS + 2 * (left % 100), 2)
        left //= 100
    if left >= 10:
        memcpy(to - 2, DIGITS + 2 * left, 2)
    else:
        (to - 1)[0] = <uint8_t>(c'0' + left)


cdef inline bint decimal(Buffer* out, double value) noexcept nogil:
    """Write a finite double with the fewest decimals that read back as itself."""
    cdef int places
    cdef double scaled, size = fabs(value)
    cdef int64_t number, whole, power
    if not isfinite(value):
        return False
    if size < 1e15:
        for places in range(1, 16):
            scaled = rint(size * POWERS[places])
            if scaled >= 9007199254740992.0:
                break
            if scaled / POWERS[places] == size:
                number = <int64_t>scaled
                power = <int64_t>POWERS[places]
                whole = number // power
                if value < 0:
                    byte(out, c'-')
                integer(out, whole)
                byte(out, c'.')
                number -= whole * power
                while places:
                    places -= 1
                    power //= 10
                    byte(out, <uint8_t>(48 + number // power))
                    number %= power
                return True
    out.used += snprintf(<char*>out.data + out.used, 32, "%.17g", value)
    return True


cdef inline bint timestamp(Buffer* out, int64_t us, int64_t* second, uint8_t* text) noexcept nogil:
    """Write microseconds since the epoch; `text` keeps the second written last."""
    cdef int64_t seconds = us // 1000000, day, era, doe, yoe, doy, mp, y
    cdef uint32_t rest, m, d
    if us < 0 and seconds * 1000000 != us:
        seconds -= 1
    if seconds != second[0]:
        day = seconds // 86400
        if seconds < 0 and day * 86400 != seconds:
            day -= 1
        rest = <uint32_t>(seconds - day * 86400)
        # Civil date from days, the inverse of days() in _time.pxd.
        day += 719468
        era = (day if day >= 0 else day - 146096) // 146097
        doe = day - era * 146097
        yoe = (doe - doe // 1460 + doe // 36524 - doe // 146096) // 365
        doy = doe - (365 * yoe + yoe // 4 - yoe // 100)
        mp = (5 * doy + 2) // 153
        d = <uint32_t>(doy - (153 * mp + 2) // 5 + 1)
        m = <uint32_t>(mp + 3 if mp < 10 else mp - 9)
        y = yoe + era * 400 + (1 if m <= 2 else 0)
        if y < 0 or y > 9999:
            return False
        memcpy(text, DIGITS + 2 * (y // 100), 2)
        memcpy(text + 2, DIGITS + 2 * (y % 100), 2)
        text[4] = c'-'
        memcpy(text + 5, DIGITS + 2 * m, 2)
        text[7] = c'-'
        memcpy(text + 8, DIGITS + 2 * d, 2)
        text[10] = c'T'
        memcpy(text + 11, DIGITS + 2 * (rest // 3600), 2)
        text[13] = c':'
        memcpy(text + 14, DIGITS + 2 * (rest // 60 % 60), 2)
        text[16] = c':'
        memcpy(text + 17, DIGITS + 2 * (rest % 60), 2)
        text[19] = c'.'
        second[0] = seconds
    rest = <uint32_t>(us - seconds * 1000000)
    byte(out, c'"')
    raw(out, text, 20)
    two(out, rest // 10000)
    two(out, rest // 100 % 100)
    two(out, rest % 100)
    raw(out, b'Z"', 2)
    return True
