# What the scanner's nodes match, one function each: the position behind what is
# accepted at `at`, or -1.  Their types, and what else these are, stand in language/hole_types.py.

from libc.stdint cimport int32_t, uint8_t, uint64_t
from libc.string cimport memchr, memcmp

from opslog.kernel._bytes cimport find_either, hex_end, is_uuid, load8, request_end, same, token_end
from opslog.kernel._text cimport color_code
from opslog.scanner._state cimport MatchState
from opslog.scanner._time cimport is_digit, zone_name


cdef inline int32_t hex_run(const uint8_t* data, int32_t at, int32_t end, int32_t most) noexcept nogil:
    # Whole sixteens, which are read at once, but not all of a long text.
    cdef int32_t stop = min(end, at + ((most + 15) & ~15))
    return min(<int32_t>(hex_end(data + at, data + stop) - data), at + most)


cdef inline int32_t pointer(const uint8_t* data, int32_t at, int32_t end) noexcept nogil:
    """Behind 0x and up to 16 hex digits, or behind 10 to 14 of which one is a letter."""
    cdef int32_t p
    if end - at > 2 and data[at] == c'0' and data[at + 1] == c'x':
        p = hex_run(data, at + 2, end, 17)
        return p if at + 2 < p <= at + 18 else -1
    p = hex_run(data, at, end, 15)
    if not at + 10 <= p <= at + 14:
        return -1
    # Of hex digits the letters have this bit; two eights hold all of them.
    return p if (load8(data + at) | load8(data + p - 8)) & <uint64_t>0x4040404040404040 else -1


cdef inline int32_t uuid(const uint8_t* data, int32_t at, int32_t end) noexcept nogil:
    return at + 36 if end - at >= 36 and is_uuid(data + at) else -1


cdef inline int32_t request(const uint8_t* data, int32_t at, int32_t end, bint maybe) noexcept nogil:
    cdef int32_t p
    if end - at > 4 and data[at] == c'r' and data[at + 1] == c'e' and data[at + 2] == c'q' and data[at + 3] == c'-':
        p = <int32_t>(request_end(data + at + 4, data + end) - data)
        if p > at + 4:
            return p
    p = uuid(data, at, end)
    if p >= 0:
        return p
    p = hex_run(data, at, end, 32)
    if p == at + 32:
        return p
    if not maybe:
        return -1
    if end - at >= 4 and memcmp(data + at, b"None", 4) == 0:
        return at + 4
    return at + 1 if at < end and data[at] == c'-' else at


cdef inline int32_t transaction(const uint8_t* data, int32_t at, int32_t end) noexcept nogil:
    """Behind `req-` and a UUID, or Swift's `tx`, 21 and 10 hex digits with what is appended; or a dash."""
    cdef int32_t p
    cdef uint8_t c
    if end - at >= 40 and memcmp(data + at, b"req-", 4) == 0:
        return uuid(data, at + 4, end)
    if end - at >= 34 and data[at] == c't' and data[at + 1] == c'x':
        p = hex_run(data, at + 2, end, 21)
        if p < at + 23 or data[p] != c'-' or hex_run(data, p + 1, end, 10) < p + 11:
            return -1
        p += 11
        while p < end:
            c = data[p]
            if not (is_digit(c) or <uint8_t>((c | 0x20) - 97) < 26 or c == c'.' or c == c'_' or c == c'-'):
                break
            p += 1
        return p
    return at + 1 if at < end and data[at] == c'-' else -1


cdef inline int32_t identity(const uint8_t* data, int32_t at, int32_t end) noexcept nogil:
    cdef int32_t p = uuid(data, at, end)
    if p >= 0:
        return p
    p = hex_run(data, at, end, 64)
    if p >= at + 64:
        return at + 64
    if p >= at + 32:
        return at + 32
    if end - at >= 4 and memcmp(data + at, b"None", 4) == 0:
        return at + 4
    return at + 1 if at < end and data[at] == c'-' else -1


cdef inline int32_t colors(const uint8_t* data, int32_t at, int32_t end) noexcept nogil:
    cdef Py_ssize_t size = 1
    while at < end and size:
        size = color_code(data + at, end - at)
        at += <int32_t>size
    return at


cdef inline bint literal(const uint8_t* text, int32_t size, uint64_t word, const uint8_t* data,
                         int32_t at, int32_t end) noexcept nogil:
    """Whether data[at:end] begins with the text, whose first 8 bytes are `word`."""
    if size <= 8 and end - at >= 8:
        return (load8(data + at) ^ word) << (64 - 8 * size) == 0
    return end - at >= size and same(text, data + at, size)


cdef inline bint is_letter(uint8_t c) noexcept nogil:
    return <uint8_t>((c | 0x20) - 97) < 26


cdef inline bint prolongs(uint8_t last, uint8_t c) noexcept nogil:
    """Whether a word that ends in `last` goes on with `c`: letters, digits, or the same sign again."""
    if is_letter(last):
        return is_letter(c)
    return is_digit(c) if is_digit(last) else c == last


cdef enum:
    WORD_GROUPS = 32            # of level words, by how they begin
    WORD_INTS = 6               # of a level word: its length, its number, 16 bytes of text


cdef inline int32_t severity(const int32_t* words, const uint8_t* data, int32_t at, int32_t end, MatchState* state) noexcept nogil:
    """words: where those are that begin with a byte, by its lowest bits; these end in a 0.

    Of each, longest first, its length, number and 16 bytes of text.
    """
    cdef int32_t size
    cdef const int32_t* word
    if at == end:
        return -1
    word = words + words[data[at] % WORD_GROUPS]
    while word[0]:
        size = word[0]
        if (literal(<const uint8_t*>(word + 2), size, load8(<const uint8_t*>(word + 2)), data, at, end)
                and (at + size == end or not prolongs(data[at + size - 1], data[at + size]))):
            state.severity = <uint8_t>word[1]
            return at + size
        word += WORD_INTS
    return -1


cdef inline int32_t pri(const uint8_t* data, int32_t at, int32_t end, MatchState* state) noexcept nogil:
    """Read facility * 8 + severity of syslog: 0 to 191 without zeros before."""
    cdef const uint8_t* numbers = <const uint8_t*>b"\x15\x13\x12\x11\x0d\x0a\x09\x05"
    cdef int32_t value = 0, p = at
    while p < end and p < at + 4 and is_digit(data[p]):
        value = 10 * value + data[p] - c'0'
        p += 1
    if p == at or value > 191 or (p > at + 1 and data[at] == c'0'):
        return -1
    state.severity = numbers[value & 7]
    return p


cdef inline int32_t source_file(const uint8_t* data, int32_t at, int32_t end, uint8_t stop, bint go) noexcept nogil:
    cdef int32_t p = <int32_t>(find_either(data + at, data + end, c' ', stop) - data)
    if p == at:
        return -1
    if go:
        return p if p - at > 3 and memcmp(data + p - 3, b".go", 3) == 0 else -1
    if data[p - 1] == c'>' or (p - at >= 3 and memcmp(data + p - 3, b".py", 3) == 0):
        return p
    if p - at >= 4 and (memcmp(data + p - 4, b".pyc", 4) == 0 or memcmp(data + p - 4, b".pyx", 4) == 0):
        return p
    return -1


cdef inline int32_t token(const uint8_t* data, int32_t at, int32_t end, uint8_t stop) noexcept nogil:
    """Position behind a token, which ends before a color code, too."""
    cdef int32_t p = <int32_t>(token_end(data + at, data + end, stop) - data)
    if p < end and data[p] == c'[':
        if p - at >= 4 and memcmp(data + p - 4, b"#033", 4) == 0:
            return p - 4
        if p > at and data[p - 1] == c'^':
            return p - 1
    return p


cdef inline int32_t number(const uint8_t* data, int32_t at, int32_t end) noexcept nogil:
    cdef int32_t p = at
    while p < end and p < at + 18 and 48 <= data[p] <= 57:
        p += 1
    if p == at:
        return -1
    if end - p >= 2 and data[p] == c'.' and 48 <= data[p + 1] <= 57:
        p += 1
        while p < end and 48 <= data[p] <= 57:
            p += 1
    return p


cdef inline int32_t maybe_int(const uint8_t* data, int32_t at, int32_t end) noexcept nogil:
    cdef int32_t p = at
    if at < end and data[at] == c'-':
        return at + 2 if at + 1 < end and data[at + 1] == c'1' else at + 1
    while p < end and p < at + 18 and 48 <= data[p] <= 57:
        p += 1
    return p if p > at else -1


cdef inline bint in_host(uint8_t c) noexcept nogil:
    return (is_letter(c) or 48 <= c <= 57 or c == c'.' or c == c':' or c == c'-' or c == c'_'
            or c == c'%')


cdef inline int32_t address(const uint8_t* data, int32_t at, int32_t end) noexcept nogil:
    cdef int32_t p = at, port
    while p < end and in_host(data[p]):
        p += 1
    port = p
    while port > at and 48 <= data[port - 1] <= 57:
        port -= 1
    if port < p and port > at and data[port - 1] == c':':
        p = port - 1
    return p if p > at else -1


cdef inline int32_t quoted(const uint8_t* data, int32_t at, int32_t end) noexcept nogil:
    cdef int32_t p = at
    while True:
        p = <int32_t>(find_either(data + p, data + end, c'"', c'\\') - data)
        if p + 1 >= end or data[p] == c'"':
            return p
        p += 2


cdef inline int32_t sd_name(const uint8_t* data, int32_t at, int32_t end) noexcept nogil:
    cdef int32_t p = at
    while p < end and 32 < data[p] < 127 and data[p] != c'"' and data[p] != c'=' and data[p] != c']':
        p += 1
    return p


cdef inline int32_t structure(const uint8_t* data, int32_t at, int32_t end) noexcept nogil:
    """Position behind elements as RFC 5424 has them: [id name="value" name="value"][id]."""
    cdef int32_t whole = at, p, begin
    while whole < end and data[whole] == c'[':
        p = sd_name(data, whole + 1, end)
        if p == whole + 1:
            break
        while p < end and data[p] == c' ':
            begin = p + 1
            p = sd_name(data, begin, end)
            if p == begin or end - p < 3 or data[p] != c'=' or data[p + 1] != c'"':
                p = end
                break
            p = quoted(data, p + 2, end)
            if p >= end or data[p] != c'"':
                p = end
                break
            p += 1
        if p >= end or data[p] != c']':
            break
        whole = p + 1
    return whole if whole > at else -1


cdef inline int32_t url(const uint8_t* data, int32_t at, int32_t end) noexcept nogil:
    cdef int32_t p, host
    if end - at < 8 or memcmp(data + at, b"http", 4) != 0:
        return -1
    host = at + 4 + (data[at + 4] == c's')
    if end - host < 4 or memcmp(data + host, b"://", 3) != 0:
        return -1
    p = <int32_t>(find_either(data + host + 3, data + end, c' ', c'"') - data)
    return p if p > host + 3 else -1


cdef inline int32_t resource(const uint8_t* data, int32_t at, int32_t end) noexcept nogil:
    cdef int32_t p = at
    while p < end and (is_letter(data[p]) or data[p] == c'_'):
        p += 1
    return -1 if p == at or (p - at == 3 and memcmp(data + at, b"req", 3) == 0) else p


cdef inline bint in_name(uint8_t c) noexcept nogil:
    return is_letter(c) or c'0' <= c <= c'9' or c == c'_' or c == c'.' or c == c'-'


cdef inline bint is_listed(const char* words, const uint8_t* text, int32_t size, uint8_t change) noexcept nogil:
    """Whether one of the words, each behind a blank, is the text, whose letters differ by `change` in case."""
    cdef int32_t at = 0, i
    while words[at]:
        at += 1
        i = 0
        while words[at] and words[at] != c' ':
            if i >= 0 and i < size and (text[i] | change) == <uint8_t>words[at]:
                i += 1
            else:
                i = -1
            at += 1
        if i == size:
            return True
    return False


cdef inline bint is_zone(const uint8_t* data, int32_t at, int32_t end) noexcept nogil:
    """Whether data[at:end] is the name of a zone, or an offset: +0100."""
    if end - at == 3 or end - at == 4:
        return zone_name(data, at, end) == end
    return (end - at == 5 and (data[at] == c'+' or data[at] == c'-') and is_digit(data[at + 1])
            and is_digit(data[at + 2]) and is_digit(data[at + 3]) and is_digit(data[at + 4]))


cdef inline bint is_no_name(const uint8_t* data, int32_t at, int32_t end) noexcept nogil:
    """Whether data[at:end] is a level word of any source, whatever its case, maybe in brackets or with a colon.

    Nor is a word with a colon behind it a name, what stands before a text, or a zone behind a time.
    """
    cdef const char* words
    cdef uint8_t first
    if is_zone(data, at, end):
        return True
    while at < end and (data[at] == c'[' or data[at] == c'(' or data[at] == c'<' or data[at] == c' '):
        at += 1
    if at == end:
        return False
    if data[end - 1] == c':' and memchr(data + at, c':', end - at - 1) == NULL:
        return True
    first = data[at] | 32
    # Most names are told from these words by their first letter.
    if first == c'a':
        # In small letters it is what systemd calls the kernel's audit.
        words = b" alert" if end - at >= 5 and memcmp(data + at, b"audit", 5) == 0 else b" alert audit"
    elif first == c'c':
        words = b" crit critical"
    elif first == c'd':
        words = b" debug dbg dpanic"
    elif first == c'e':
        words = b" error err emergency emerg"
    elif first == c'f':
        words = b" fatal ftl"
    elif first == c'i':
        words = b" info information inf"
    elif first == c'n':
        words = b" notice"
    elif first == c'p':
        words = b" panic pnc"
    elif first == c's':
        words = b" severe"
    elif first == c't':
        words = b" trace trc"
    elif first == c'w':
        words = b" warning warn wrn"
    elif first == c'v':
        words = b" vrb"
    else:
        return False
    while end > at and (data[end - 1] == c']' or data[end - 1] == c')' or data[end - 1] == c'>'
                        or data[end - 1] == c':' or data[end - 1] == c' '):
        end -= 1
    return end - at <= 11 and is_listed(words, data + at, end - at, 32)
