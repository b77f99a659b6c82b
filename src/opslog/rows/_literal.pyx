"""What Python's repr prints, as JSON: a value is read by its signs, nothing is evaluated.

keystonemiddleware prints an audit event so where it has no notifier: with
``%(payload)s`` of a dict.  Strings, numbers, None, True, False and lists, tuples and
dicts with keys of text are read, in one pass; with anything else (an object in
pointed brackets, a set, a call) the text stays what it is.
"""

from libc.stdint cimport int32_t, uint8_t, uint32_t
from libc.stdlib cimport free
from libc.string cimport memcmp, memcpy, memset

from opslog.kernel._bytes cimport put_utf8
from opslog.kernel._text cimport Buffer, hex2, hex4, need

cdef enum:
    DEEPEST = 200               # brackets in one another at most, as in JSON that is read
    MOST = 6                    # bytes that one becomes at most: \u001f

    VALUE = 0                   # what may come next
    FIRST = 1                   # a value, or the end of an empty list or tuple
    KEY = 2
    FIRST_KEY = 3               # a key, or the end of an empty dict
    COLON = 4
    END = 5                     # a comma or the end

cdef const char* HEX = "0123456789abcdef"


cdef inline void put_bytes(Buffer* out, const char* text, Py_ssize_t size) noexcept nogil:
    memcpy(out.data + out.used, text, size)
    out.used += size


cdef inline void put_byte(Buffer* out, uint8_t c) noexcept nogil:
    out.data[out.used] = c
    out.used += 1


cdef inline void put_control(Buffer* out, uint8_t c) noexcept nogil:
    put_bytes(out, "\\u00", 4)
    put_byte(out, HEX[c >> 4])
    put_byte(out, HEX[c & 15])


cdef Py_ssize_t escape(Buffer* out, const uint8_t* p, Py_ssize_t n) noexcept nogil:
    """Write what the escape at p (a backslash) stands for; return its length, 0 if it is none."""
    cdef int32_t high, low = 0
    cdef uint32_t code
    cdef bint right
    cdef uint8_t c
    if n < 2:
        return 0
    c = p[1]
    if c == c"'":
        put_byte(out, c)
        return 2
    if c == c'\\' or c == c'"' or c == c'n' or c == c'r' or c == c't':
        put_byte(out, c'\\')
        put_byte(out, c)
        return 2
    if c == c'x':
        c = hex2(p + 2, n - 2, &right)
        if not right:
            return 0
        put_control(out, c)
        return 4
    if c != c'u' and c != c'U' or n < 6:
        return 0
    high = hex4(p + 2)
    if c == c'U':
        low = hex4(p + 6) if n >= 10 else -1
    if high < 0 or low < 0:
        return 0
    code = <uint32_t>high if c == c'u' else <uint32_t>high << 16 | <uint32_t>low
    if code > 0x10FFFF:
        return 0
    if code < 0x80:             # of these some would have to be escaped
        put_control(out, <uint8_t>code)
    else:
        out.used += put_utf8(out.data + out.used, 0xFFFD if code >> 11 == 0x1B else code)
    return 6 if c == c'u' else 10


cdef Py_ssize_t text_at(Buffer* out, const uint8_t* p, Py_ssize_t n) noexcept nogil:
    """Write the string whose quote is at p; return its length, 0 if it does not end."""
    cdef uint8_t quote = p[0], c
    cdef Py_ssize_t i = 1, length
    put_byte(out, c'"')
    while i < n:
        c = p[i]
        if c == quote:
            put_byte(out, c'"')
            return i + 1
        if c == c'\\':
            length = escape(out, p + i, n - i)
            if length == 0:
                return 0
            i += length
            continue
        if c == c'"':
            put_byte(out, c'\\')
            put_byte(out, c)
        elif c < 0x20:
            put_control(out, c)
        else:
            put_byte(out, c)
        i += 1
    return 0


cdef inline Py_ssize_t digits(const uint8_t* p, Py_ssize_t n, Py_ssize_t at) noexcept nogil:
    while at < n and c'0' <= p[at] <= c'9':
        at += 1
    return at


cdef Py_ssize_t number_at(const uint8_t* p, Py_ssize_t n) noexcept nogil:
    """Length of the number at p as repr prints it, which is JSON's way; 0 if there is none."""
    cdef Py_ssize_t begin = 1 if n > 0 and p[0] == c'-' else 0
    cdef Py_ssize_t at = digits(p, n, begin), part
    if at == begin or (p[begin] == c'0' and at > begin + 1):
        return 0
    if at < n and p[at] == c'.':
        part = at + 1
        at = digits(p, n, part)
        if at == part:
            return 0
    if at < n and p[at] == c'e':
        part = at + 1
        if part < n and (p[part] == c'+' or p[part] == c'-'):
            part += 1
        at = digits(p, n, part)
        if at == part:
            return 0
    return at


cdef Py_ssize_t word_at(Buffer* out, const uint8_t* p, Py_ssize_t n) noexcept nogil:
    """Write the number, None, True or False at p; return its length, 0 if it is nothing of these."""
    cdef Py_ssize_t i = 0
    if n >= 4 and memcmp(p, b"None", 4) == 0:
        put_bytes(out, "null", 4)
        i = 4
    elif n >= 4 and memcmp(p, b"True", 4) == 0:
        put_bytes(out, "true", 4)
        i = 4
    elif n >= 5 and memcmp(p, b"False", 5) == 0:
        put_bytes(out, "false", 5)
        i = 5
    else:
        i = number_at(p, n)
        if i == 0:
            return 0
        put_bytes(out, <const char*>p, i)
        if i < n and p[i] == c'L':      # Python 2's long
            i += 1
    if i < n and (c'0' <= p[i] <= c'9' or c'A' <= p[i] <= c'Z' or c'a' <= p[i] <= c'z' or p[i] == c'_'):
        return 0
    return i


cdef Py_ssize_t put_literal(Buffer* out, const uint8_t* p, Py_ssize_t n) except -1 nogil:
    """Append the value at p as JSON; return its length, 0 if it is none that is read."""
    cdef uint8_t[DEEPEST] closing
    cdef int32_t depth = 0, expected = VALUE
    cdef Py_ssize_t i = 0, length
    cdef uint8_t c
    need(out, MOST * n + 8)
    while i < n:
        c = p[i]
        if c == c' ':
            i += 1
        elif expected == COLON:
            if c != c':':
                return 0
            put_byte(out, c)
            expected = VALUE
            i += 1
        elif expected == END and c == c',':
            # A comma behind the last item is a tuple's of one: JSON has none.
            if closing[depth - 1] != c')' or i + 1 >= n or p[i + 1] != c')':
                put_byte(out, c)
                expected = KEY if closing[depth - 1] == c'}' else VALUE
            i += 1
        elif c == c']' or c == c')' or c == c'}':
            if (depth == 0 or closing[depth - 1] != c
                    or expected != END and expected != (FIRST_KEY if c == c'}' else FIRST)):
                return 0
            depth -= 1
            put_byte(out, c if c == c'}' else c']')
            expected = END
            i += 1
            if depth == 0:
                return i
        elif expected == END:
            return 0
        else:
            if (c == c'u' or c == c'b') and i + 1 < n and (p[i + 1] == c"'" or p[i + 1] == c'"'):
                i += 1
                c = p[i]
            if c == c"'" or c == c'"':
                length = text_at(out, p + i, n - i)
            elif expected == KEY or expected == FIRST_KEY:
                return 0
            elif c == c'[' or c == c'(' or c == c'{':
                if depth == DEEPEST:
                    return 0
                closing[depth] = c')' if c == c'(' else <uint8_t>(c + 2)
                depth += 1
                put_byte(out, c if c == c'{' else c'[')
                expected = FIRST_KEY if c == c'{' else FIRST
                i += 1
                continue
            else:
                length = word_at(out, p + i, n - i)
            if length == 0:
                return 0
            i += length
            if depth == 0:
                return i
            expected = COLON if expected == KEY or expected == FIRST_KEY else END
    return 0


cdef inline Py_ssize_t behind(const uint8_t* p, Py_ssize_t n, const char* text, Py_ssize_t size) noexcept nogil:
    return size if n >= size and memcmp(p, text, size) == 0 else 0


cdef int put_event(Buffer* out, const uint8_t* p, Py_ssize_t n) except -1 nogil:
    """Append `Event type: T, Context: C, Payload: P` as a JSON object; return whether the text is that.

    The priority is that of the call that printed it.
    """
    cdef Py_ssize_t first = out.used, at = 12, begin = 12, length
    if not behind(p, n, "Event type: ", 12):
        return False
    while at < n and (c'a' <= p[at] <= c'z' or c'A' <= p[at] <= c'Z' or c'0' <= p[at] <= c'9'
                      or p[at] == c'.' or p[at] == c'_' or p[at] == c'-'):
        at += 1
    if at == begin or not behind(p + at, n - at, ", Context: ", 11):
        return False
    need(out, n + 64)
    put_bytes(out, '{"event_type": "', 16)
    put_bytes(out, <const char*>p + begin, at - begin)
    put_bytes(out, '", "priority": "INFO", "context": ', 34)
    at += 11
    length = put_literal(out, p + at, n - at)
    at += length
    if length and behind(p + at, n - at, ", Payload: ", 11):
        need(out, 16)
        put_bytes(out, ', "payload": ', 13)
        at += 11
        length = put_literal(out, p + at, n - at)
        if length and at + length == n:
            need(out, 1)
            put_byte(out, c'}')
            return True
    out.used = first
    return False


def event_as_json(bytes text not None):
    """Return the event that a message of keystonemiddleware's log notifier is, as JSON; None if it is none."""
    cdef Buffer out
    memset(&out, 0, sizeof(out))
    try:
        if put_event(&out, text, len(text)):
            return <bytes>(<const char*>out.data)[:out.used]
        return None
    finally:
        free(out.data)
