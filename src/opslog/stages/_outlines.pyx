"""What texts of one kind have in common: numbers, addresses, ids and tokens are made equal, in place.

No rule about secrets tells two texts with one outline apart: of numbers and ids each sees how long they are,
and that they have digits and letters, but not which.  What a rule may see more of stays as it is.
"""

from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize
from libc.stdint cimport int32_t, uint8_t
from libc.string cimport memset

cdef enum:
    LONGEST = 1024  # bytes of a text
    HEXADECIMAL = 16
    NUMBER = 7
    FERNET = 26
    # Bytes that no text has
    ID = 1
    RUN = 2
    DIGIT = 3
    LETTER = 4

cdef uint8_t[256] DIGITS, HEXES, WORDS, NAMES, BEFORE, OPENS
cdef int _c
for _c in range(256):
    DIGITS[_c] = _c in b"0123456789"
    HEXES[_c] = _c in b"0123456789abcdef"
    WORDS[_c] = _c < 128 and chr(_c).isalnum() or _c == c"_"
    NAMES[_c] = WORDS[_c] or _c in b".-"
    OPENS[_c] = _c in b" \t'\":"  # no other token goes on behind these
    BEFORE[_c] = WORDS[_c] or _c in b"%\\#;$<&^+"  # what follows may be another character's number


cdef int32_t address(const uint8_t* p, const uint8_t* end) noexcept nogil:
    """Return the length of the IPv4 address at p, 0 for none."""
    cdef const uint8_t* begin = p
    cdef int32_t part, n
    for part in range(4):
        n = 0
        while p < end and DIGITS[p[0]] and n < 4:
            p += 1
            n += 1
        if not 0 < n < 4:
            return 0
        if part < 3:
            if p == end or p[0] != c".":
                return 0
            p += 1
    return 0 if p < end and (NAMES[p[0]]) else p - begin


cdef bint is_uuid(const uint8_t* p, const uint8_t* end) noexcept nogil:
    cdef int32_t i
    cdef bint digit = False, letter = False
    if end - p < 36 or (end - p > 36 and NAMES[p[36]]):
        return False
    for i in range(36):
        if i == 8 or i == 13 or i == 18 or i == 23:
            if p[i] != c"-":
                return False
        elif not HEXES[p[i]]:
            return False
        else:
            digit |= DIGITS[p[i]]
            letter |= not DIGITS[p[i]]
    return digit and letter


def outline(text: bytes) -> bytes | None:
    """Return the outline of ``text``, of equal length; None for one that is not ASCII, is long or has lists of numbers."""
    cdef const uint8_t* begin = <const uint8_t*>text
    cdef const uint8_t* end = begin + len(text)
    cdef const uint8_t* p = begin
    cdef const uint8_t* q
    cdef uint8_t before = 32, ahead = 32
    cdef uint8_t* to
    cdef int32_t n, digits
    if len(text) > LONGEST:
        return None
    made = PyBytes_FromStringAndSize(<const char*>begin, len(text))
    to = <uint8_t*>PyBytes_AS_STRING(made)
    while p < end:
        if p[0] > 127 or p[0] <= LETTER:
            return None
        if p[0] == c"[" and end - p > 2 and (DIGITS[p[1]] or DIGITS[p[2]]):
            return None  # it may be a text as numbers
        if (p[0] == c"'" and end - p > 1 and p[1] == c'"') or (p[0] == c'"' and end - p > 1 and p[1] == c"'"):
            return None  # a shell may put together what is around
        if not HEXES[p[0]] and p[0] != c"g":
            ahead = before
            before = p[0]
            p += 1
            continue
        # A word begins.
        q = p
        digits = 0
        if not BEFORE[before]:
            while q < end and HEXES[q[0]]:
                digits += DIGITS[q[0]]
                q += 1
            n = q - p
            if n == 8 and q < end and q[0] == c"-" and (not NAMES[before] or (before == c"-" and ahead == c"q")) and is_uuid(p, end):
                for n in range(36):
                    if p[n] != c"-":
                        to[p - begin + n] = ID
                q = p + 36
            elif n == digits and n and not (q < end and WORDS[q[0]]) and (before != c"-" or DIGITS[ahead]):
                n = address(p, end) if before != c"." else 0
                if n:
                    q = p + n
                    for n in range(n):
                        if p[n] != c".":
                            to[p - begin + n] = DIGIT
                elif 1 < q - p <= NUMBER and not (q - p == 3 and p[0] == c"3" and p[1] == c"3"):
                    memset(to + (p - begin), DIGIT, q - p)
            elif n >= HEXADECIMAL and 0 < digits < n and not NAMES[before] and not (q < end and NAMES[q[0]]):
                memset(to + (p - begin), RUN, n)
            elif end - p >= FERNET and p[0] == c"g" and p[1] == c"A" and p[2] == c"A" and p[3] == c"A" and p[4] == c"A" and p[5] == c"A" and OPENS[before]:
                q = p + 6
                while q < end and (WORDS[q[0]] or q[0] == c"-"):
                    q += 1
                if q - p >= FERNET:
                    memset(to + (p + 6 - begin), LETTER, q - p - 6)
        # What follows in the word stays.
        while q < end and WORDS[q[0]]:
            q += 1
        if q == p:
            q += 1
        if q - p > 1:
            ahead = (q - 2)[0]
        else:
            ahead = before
        before = (q - 1)[0]
        p = q
    return made
