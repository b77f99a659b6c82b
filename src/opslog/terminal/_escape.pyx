"""What escape.py and cells.py do, on bytes.  They are asked once for each character beyond ASCII."""

from libc.stdint cimport int32_t, uint8_t, uint32_t
from libc.string cimport memcpy

from opslog.kernel._bytes cimport copy_printable, put_utf8, utf8_length
from opslog.kernel._text cimport Buffer, need

from opslog.terminal import cells as text_cells
from opslog.terminal import escape

cdef enum:
    WIDTH = 3                   # cells
    BLANK = 4                   # str.isspace
    SHOWN = 8                   # needs no escape
    KNOWN = 16                  # has been asked for
    MOST_GROWTH = 4             # of a control character: \x1b

cdef uint8_t[0x110000] _kinds   # of characters, by their numbers

cdef const char* HEX = "0123456789abcdef"


cdef int ask(uint32_t c) except -1 with gil:
    """Return, and remember, what is known of a character."""
    cdef str text = chr(c)
    cdef int kind = KNOWN | <int>text_cells.cells(text)
    if text.isspace():
        kind |= BLANK
    if escape.escaped(text) == text:
        kind |= SHOWN
    _kinds[c] = <uint8_t>kind
    return kind


cdef inline int kind_of(uint32_t c) except -1 nogil:
    cdef int kind = _kinds[c]
    return kind if kind else ask(c)


cdef inline uint32_t decoded(const uint8_t* p, int32_t length) noexcept nogil:
    """Return the character whose UTF-8 is p[0:length]."""
    if length == 1:
        return p[0]
    if length == 2:
        return (p[0] & 0x1F) << 6 | (p[1] & 0x3F)
    if length == 3:
        return (p[0] & 0x0F) << 12 | (p[1] & 0x3F) << 6 | (p[2] & 0x3F)
    return (p[0] & 0x07) << 18 | (p[1] & 0x3F) << 12 | (p[2] & 0x3F) << 6 | (p[3] & 0x3F)


cdef inline void put_code(Buffer* out, uint32_t c) noexcept nogil:
    """Write a character as Python does in a literal; `out` has room for 10 bytes."""
    cdef int32_t digits = 2 if c < 0x80 else 4 if c <= 0xFFFF else 8
    cdef uint8_t* to = out.data + out.used
    cdef int32_t i
    to[0] = c'\\'
    if c == c'\t' or c == c'\r' or c == c'\n':
        to[1] = c't' if c == c'\t' else c'r' if c == c'\r' else c'n'
        out.used += 2
        return
    to[1] = c'x' if digits == 2 else c'u' if digits == 4 else c'U'
    for i in range(digits):
        to[2 + i] = HEX[c >> 4 * (digits - 1 - i) & 15]
    out.used += 2 + digits


cdef int put_escaped(Buffer* out, const uint8_t* p, Py_ssize_t n, int how) except -1 nogil:
    """Append text as escape.escaped returns it, or with what `how` says: LINES, MARKS.

    Bytes that are no UTF-8 are shown as U+FFFD.
    """
    cdef Py_ssize_t i = 0, size
    cdef int32_t length
    need(out, MOST_GROWTH * n + 16)
    while i < n:
        size = copy_printable(out.data + out.used, p + i, n - i)
        out.used += size
        i += size
        if i == n:
            break
        if p[i] < 0x80:
            if how & LINES and p[i] == c'\n':
                out.data[out.used] = c'\n'
                out.used += 1
            else:
                put_code(out, p[i])
            i += 1
            continue
        length = utf8_length(p + i, n - i)
        if not length:
            out.used += put_utf8(out.data + out.used, 0xFFFD)
            i += 1
            continue
        if how & MARKS and length == 3 and p[i] == 0xEF and p[i + 1] == 0xB7 and p[i + 2] & 0xFE == 0x90:
            # U+FDD0 begins reverse video, U+FDD1 ends it.
            size = 4 if p[i + 2] == 0x90 else 5
            memcpy(out.data + out.used, b"\x1b[7m" if size == 4 else b"\x1b[27m", size)
            out.used += size
            i += 3
        elif kind_of(decoded(p + i, length)) & SHOWN:
            for _ in range(length):
                out.data[out.used] = p[i]
                out.used += 1
                i += 1
        else:
            put_code(out, decoded(p + i, length))
            i += length
    return 0


cdef Py_ssize_t cells(const uint8_t* p, Py_ssize_t n) except -1 nogil:
    """Return how many cells escaped text takes; colors take none."""
    cdef Py_ssize_t i = 0, count = 0
    cdef int32_t length
    while i < n:
        if p[i] == 0x1B:
            while i < n and p[i] != c'm':
                i += 1
            i += 1
        elif p[i] < 0x80:
            count += 1
            i += 1
        else:
            length = max(utf8_length(p + i, n - i), 1)
            count += kind_of(decoded(p + i, length)) & WIDTH
            i += length
    return count


cdef Py_ssize_t without_blanks(const uint8_t* p, Py_ssize_t n) except -1 nogil:
    """Return how much of an escaped text is left without the blanks at its end."""
    cdef Py_ssize_t start
    cdef int32_t length
    while n:
        if p[n - 1] < 0x80:
            if p[n - 1] != c' ':
                break
            n -= 1
            continue
        start = n - 1
        while start and p[start] & 0xC0 == 0x80:
            start -= 1
        length = utf8_length(p + start, n - start)
        if length != n - start or not kind_of(decoded(p + start, length)) & BLANK:
            break
        n = start
    return n


cdef Py_ssize_t blanks_before(const uint8_t* p, Py_ssize_t n) except -1 nogil:
    """Return how many bytes of blanks an escaped text begins with."""
    cdef Py_ssize_t i = 0
    cdef int32_t length
    while i < n:
        length = max(utf8_length(p + i, n - i), 1)
        if p[i] != c' ' and (p[i] < 0x80 or not kind_of(decoded(p + i, length)) & BLANK):
            break
        i += length
    return i
