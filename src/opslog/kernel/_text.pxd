# Growable output, and field text on its way into it: JSON and rsyslog escapes
# undone, color codes removed, anything but UTF-8 replaced by U+FFFD.

from libc.stdint cimport int32_t, int64_t, uint8_t, uint32_t
from libc.stdlib cimport realloc
from libc.string cimport memchr, memcmp, memcpy

from opslog.kernel._bytes cimport all_ascii, find_either, put_utf8, utf8_length

cdef enum Change:
    JSON_STRING = 1             # undo JSON escapes
    NO_COLORS = 2               # remove terminal color codes
    RSYSLOG = 4                 # undo #ooo
    CHECKED = 8                 # may hold bytes above 127: check them
    MILLISECONDS = 16           # a number: as seconds
    MICROSECONDS = 32
    PERCENT = 64                # undo %XX

ctypedef struct Buffer:
    uint8_t* data
    Py_ssize_t used
    Py_ssize_t capacity


cdef inline int need(Buffer* out, Py_ssize_t more) except -1 nogil:
    cdef Py_ssize_t wanted = out.used + more
    cdef uint8_t* data
    if wanted <= out.capacity:
        return 0
    wanted = max(wanted, 2 * out.capacity)
    data = <uint8_t*>realloc(out.data, wanted)
    if data == NULL:
        with gil:
            raise MemoryError()
    out.data = data
    out.capacity = wanted
    return 0


cdef inline int32_t hex2(const uint8_t* p, Py_ssize_t n) noexcept nogil:
    """Value of the two hexadecimal digits at p, or -1."""
    cdef int32_t value = 0, i
    cdef uint8_t c
    if n < 2:
        return -1
    for i in range(2):
        c = p[i]
        if 48 <= c <= 57:
            c -= 48
        elif 65 <= (c & 0xDF) <= 70:
            c = (c & 0xDF) - 55
        else:
            return -1
        value = value * 16 + c
    return value


cdef inline int32_t hex4(const uint8_t* p) noexcept nogil:
    """Value of four hexadecimal digits, or -1."""
    cdef int32_t value = 0, i
    cdef uint8_t c
    for i in range(4):
        c = p[i]
        if 48 <= c <= 57:
            c -= 48
        elif 97 <= c <= 102:
            c -= 87
        elif 65 <= c <= 70:
            c -= 55
        else:
            return -1
        value = value * 16 + c
    return value


cdef inline Py_ssize_t color_code(const uint8_t* p, Py_ssize_t n) noexcept nogil:
    """Length of the color code at p, 0 if there is none."""
    cdef Py_ssize_t i
    if p[0] == 0x1B:
        i = 1
    elif n > 4 and memcmp(p, b"#033", 4) == 0:
        i = 4
    elif n > 2 and p[0] == c'^' and p[1] == c'[':
        i = 2
    else:
        return 0
    if i >= n or p[i] != c'[':
        return 0
    i += 1
    while i < n and (48 <= p[i] <= 57 or p[i] == c';'):
        i += 1
    return i + 1 if i < n and p[i] == c'm' else 0


cdef inline Py_ssize_t json_escape(const uint8_t* p, Py_ssize_t n, Buffer* out) noexcept nogil:
    """Write what the escape at p (a backslash) stands for; return its length.

    `out` has room for 4 bytes.  Those of Go's strconv.Quote that JSON lacks are read, too;
    any other is kept as written.
    """
    cdef int32_t high, low
    cdef uint8_t c
    if n >= 2:
        c = p[1]
        if c == c'u':
            high = hex4(p + 2) if n >= 6 else -1
            if high >= 0:
                if (0xD800 <= high < 0xDC00 and n >= 12 and p[6] == c'\\' and p[7] == c'u'):
                    low = hex4(p + 8)
                    if 0xDC00 <= low < 0xE000:
                        out.used += put_utf8(out.data + out.used, 0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00))
                        return 12
                out.used += put_utf8(out.data + out.used, <uint32_t>high)
                return 6
        elif c == c'U':
            high = hex4(p + 2) if n >= 10 else -1
            low = hex4(p + 6) if n >= 10 else -1
            if 0 <= high <= 0x10 and low >= 0:
                out.used += put_utf8(out.data + out.used, <uint32_t>(high << 16 | low))
                return 10
        elif c == c'x':
            high = hex2(p + 2, n - 2)
            if high >= 0:
                # Above 127 it is a byte that was no UTF-8.
                out.used += put_utf8(out.data + out.used, <uint32_t>(high if high < 128 else 0xFFFD))
                return 4
        else:
            if c == c'n':
                c = c'\n'
            elif c == c't':
                c = c'\t'
            elif c == c'r':
                c = c'\r'
            elif c == c'b':
                c = 8
            elif c == c'f':
                c = 12
            elif c == c'v':
                c = 11
            elif c == c'a':
                c = 7
            elif c != c'"' and c != c'\\' and c != c'/':
                c = 0
            if c:
                out.data[out.used] = c
                out.used += 1
                return 2
    out.data[out.used] = p[0]
    out.used += 1
    return 1


cdef inline Py_ssize_t put_plain(Buffer* out, const uint8_t* p, Py_ssize_t n) noexcept nogil:
    """Copy ASCII in front of what may stand for something else; return how much it is.

    `out` has room for n bytes.
    """
    cdef Py_ssize_t i = 0, j
    cdef uint8_t* to = out.data + out.used
    cdef uint8_t special = 0
    while n - i >= 16:
        for j in range(16):
            special |= may_change(p[i + j])
        if special:
            break
        memcpy(to + i, p + i, 16)
        i += 16
    while i < n and not may_change(p[i]):
        to[i] = p[i]
        i += 1
    out.used += i
    return i


cdef inline uint8_t may_change(uint8_t c) noexcept nogil:
    return (c > 127) | (c == c'\\') | (c == 0x1B) | (c == c'#') | (c == c'^')


cdef inline int put_changed(Buffer* out, const uint8_t* p, Py_ssize_t n, int change) except -1 nogil:
    cdef Py_ssize_t i = 0, length
    need(out, 3 * n + 4)
    while i < n:
        i += put_plain(out, p + i, n - i)
        if i == n:
            break
        if p[i] == c'\\' and change & JSON_STRING:
            i += json_escape(p + i, n - i, out)
            continue
        if change & NO_COLORS and (p[i] == 0x1B or p[i] == c'#' or p[i] == c'^'):
            length = color_code(p + i, n - i)
            if length:
                i += length
                continue
        if (p[i] == c'#' and change & RSYSLOG and n - i >= 4 and p[i + 1] == c'0'
                and 48 <= p[i + 2] <= 51 and 48 <= p[i + 3] <= 55):
            out.data[out.used] = (p[i + 2] - 48) * 8 + (p[i + 3] - 48)
            out.used += 1
            i += 4
            continue
        if p[i] < 0x80:
            out.data[out.used] = p[i]
            out.used += 1
            i += 1
            continue
        length = utf8_length(p + i, n - i)
        if length:
            memcpy(out.data + out.used, p + i, length)
            out.used += length
            i += length
        else:
            out.used += put_utf8(out.data + out.used, 0xFFFD)
            i += 1
    return 0


cdef inline int put_unquoted(Buffer* out, const uint8_t* p, Py_ssize_t n) except -1 nogil:
    """Append text, each %XX as the byte it stands for."""
    cdef Py_ssize_t i = 0, size = 0
    cdef uint8_t* bytes
    cdef int32_t quoted
    cdef uint8_t c
    # The bytes stand behind the room that putting them takes.
    need(out, 4 * n + 8)
    bytes = out.data + out.used + 3 * n + 4
    while i < n:
        c = p[i]
        i += 1
        if c == c'%':
            quoted = hex2(p + i, n - i)
            if quoted >= 0:
                i += 2
                c = <uint8_t>quoted
        bytes[size] = c
        size += 1
    return put_changed(out, bytes, size, CHECKED)


cdef inline bint may_be_colored(const uint8_t* p, Py_ssize_t n) noexcept nogil:
    return memchr(p, 0x1B, n) != NULL or find_either(p, p + n, c'#', c'^') < p + n


cdef inline int put(Buffer* out, const uint8_t* p, Py_ssize_t n, int change) except -1 nogil:
    """Append text, changed as its line demands; what is appended is valid UTF-8."""
    if change & ~CHECKED == PERCENT and memchr(p, c'%', n) != NULL:
        return put_unquoted(out, p, n)
    if change:
        # Most lines of a format with escapes or colors, and of a block that is
        # not all ASCII, hold none.
        if not ((change & JSON_STRING and memchr(p, c'\\', n) != NULL)
                or (change & NO_COLORS and may_be_colored(p, n))
                or change & RSYSLOG
                or (change & CHECKED and not all_ascii(p, n))):
            change = 0
    if change:
        return put_changed(out, p, n, change)
    if n > 0:
        need(out, n)
        memcpy(out.data + out.used, p, n)
        out.used += n
    return 0


cdef inline int put_list(Buffer* out, const uint8_t* p, Py_ssize_t n, int change) except -1 nogil:
    """Append the strings of the JSON list p[0:n], joined by newlines."""
    cdef Py_ssize_t i = 0, start, first = out.used
    while i < n:
        if p[i] != c'"':
            i += 1
            continue
        start = i + 1
        i = start
        while i < n and p[i] != c'"':
            i += 2 if p[i] == c'\\' else 1
        if i > n:
            i = n
        if out.used > first:
            need(out, 1)
            if out.data[out.used - 1] == c'\n':
                out.used -= 1
            out.data[out.used] = c'\n'
            out.used += 1
        put(out, p + start, i - start, change | JSON_STRING)
        i += 1
    if out.used > first and out.data[out.used - 1] == c'\n':
        out.used -= 1
    return 0
