"""Where texts may name somebody: one pass over the bytes of a column, whose findings rules look at.

Found are known words, dotted numbers, groups between colons, mails, names of
values and what stands behind ``://``.
"""

from libc.stdint cimport int32_t, uint8_t, uint32_t
from libc.string cimport memcpy, memset

cdef enum:
    BITS = 1048576              # which hashes are of known words
    BYTES = 131072              # of so many bits
    LONGEST = 255               # bytes of a word that is looked at

WORD, NUMBERS, GROUPS, MAIL, NAME, URL = range(6)
"""Kinds of findings: a word with a known word in it, an IPv4 address, an IPv6 or MAC address, a mail,
the name of a value, what stands behind ``://``."""

cdef uint8_t[256] WORDS, HEX
cdef int _c
for _c in range(256):
    WORDS[_c] = chr(_c).isalnum() and _c < 128 or _c in b"_.-" or _c >= 128
    HEX[_c] = chr(_c) in "0123456789abcdefABCDEF"


cdef inline uint32_t step(uint32_t h, uint8_t c) noexcept nogil:
    if 65 <= c <= 90:
        c |= 32
    return (h ^ c) * <uint32_t>16777619


cdef inline const uint8_t* with_length(const uint8_t* p, const uint8_t* end) noexcept nogil:
    """Return the end of the length of a prefix, as ``/24``, that may stand at p."""
    cdef const uint8_t* q = p + 1
    if p >= end or p[0] != c"/":
        return p
    while q < end and q - p < 4 and 48 <= q[0] <= 57:
        q += 1
    if q == p + 1 or (q < end and WORDS[q[0]] and q[0] != c"."):
        return p
    return q


cdef const uint8_t* groups(const uint8_t* begin, const uint8_t* p, const uint8_t* end) noexcept nogil:
    """Return the end of the hexadecimal groups between colons that begin at p; p for none."""
    cdef const uint8_t* q = p
    cdef int32_t colons = 0
    cdef bint shortened = False
    if p > begin and WORDS[(p - 1)[0]]:
        return p
    while q < end and (HEX[q[0]] or q[0] == c":" or (q[0] == c"." and colons > 1)):
        if q[0] == c":":
            colons += 1
            shortened |= q + 1 < end and q[1] == c":"
        q += 1
    if colons < 2 or not (shortened or colons >= 5):
        return p
    if q < end and WORDS[q[0]] and q[0] != c"_" and q[0] != c"-":
        return p
    return q


cdef class Whereabouts:
    """Finds words that are known, whatever their case, and what has the shape of an address."""
    cdef uint8_t[BYTES] _known
    cdef uint8_t[BYTES] _names

    def __init__(self, names: list[bytes]) -> None:
        """``names``: of values."""
        memset(self._names, 0, BYTES)
        self.forget()
        for name in names:
            self._set(self._names, name)

    def forget(self) -> None:
        """Know no word any more."""
        memset(self._known, 0, BYTES)

    def know(self, word: bytes) -> None:
        """Find ``word`` from now on."""
        self._set(self._known, word)

    cdef void _set(self, uint8_t* bits, bytes word) except *:
        cdef uint32_t h = <uint32_t>2166136261
        for c in word:
            h = step(h, c)
        h &= BITS - 1
        bits[h >> 3] |= 1 << (h & 7)

    cdef inline bint _is(self, const uint8_t* bits, uint32_t h) noexcept nogil:
        h &= BITS - 1
        return (bits[h >> 3] >> (h & 7)) & 1

    cdef bint _has(self, const uint8_t* p, const uint8_t* end) noexcept nogil:
        """Whether the word between p and end is known, or a part of it between dots and low lines."""
        cdef uint32_t part = <uint32_t>2166136261
        cdef uint32_t rest
        cdef const uint8_t* q = p
        cdef const uint8_t* r
        cdef bint whole = True
        while True:
            if q == end or q[0] == c"." or q[0] == c"_":
                if self._is(self._known, part):
                    return True
                if q == end:
                    break
                whole = False
                part = <uint32_t>2166136261
                rest = part
                if q[0] == c".":
                    r = q + 1
                    while r < end:          # a domain
                        rest = step(rest, r[0])
                        r += 1
                    if self._is(self._known, rest):
                        return True
            else:
                part = step(part, q[0])
            q += 1
        if whole:
            return False
        rest = <uint32_t>2166136261
        q = p
        while q < end:
            rest = step(rest, q[0])
            q += 1
        return self._is(self._known, rest)

    cdef void _find(self, const uint8_t* base, const uint8_t* begin, const uint8_t* end, list found) except *:
        cdef const uint8_t* p = begin
        cdef const uint8_t* q
        cdef const uint8_t* r
        cdef uint32_t h
        cdef int32_t dots
        cdef bint digit
        cdef uint8_t c
        while p < end:
            c = p[0]
            if not WORDS[c]:
                if c == c"%" and end - p > 2 and HEX[p[1]] and HEX[p[2]]:
                    p += 3
                elif c == c"\\" and end - p > 1:
                    c = p[1]
                    p += 6 if c == c"u" else 4 if c == c"x" else 2 if c == c"n" or c == c"r" or c == c"t" or c == c"\\" else 1
                elif c == c":" and end - p > 2 and p[1] == c":" and groups(begin, p, end) > p:
                    q = groups(begin, p, end)
                    r = with_length(q, end)
                    found.append((GROUPS, p - base, r - base))
                    p = r
                elif c == c":" and end - p > 3 and p[1] == c"/" and p[2] == c"/":
                    p += 3
                    found.append((URL, p - base, p - base))
                elif c == c":" and end - p > 5 and p[1] == c"\\" and p[2] == c"/" and p[3] == c"\\" and p[4] == c"/":
                    p += 5                  # in JSON
                    found.append((URL, p - base, p - base))
                else:
                    p += 1
                continue
            if HEX[c]:
                q = groups(begin, p, end)
                if q > p:
                    q = with_length(q, end)
                    found.append((GROUPS, p - base, q - base))
                    p = q
                    continue
            while p < end and (p[0] == c"." or p[0] == c"-" or p[0] == c"_"):
                p += 1
            q = p
            h = <uint32_t>2166136261
            dots = 0
            digit = False
            while q < end and WORDS[q[0]]:
                c = q[0]
                h = step(h, c)
                dots += c == c"."
                digit |= 48 <= c <= 57
                q += 1
            if q == p:
                continue
            r = q
            while r > p and ((r - 1)[0] == c"." or (r - 1)[0] == c"-" or (r - 1)[0] == c"_"):
                r -= 1
                dots -= r[0] == c"."
            if q - p > LONGEST:
                p = q
                continue
            if r == q and q < end:
                c = q[0]
                if c == c"@" and end - q > 3 and WORDS[q[1]]:
                    r = q + 1
                    while r < end and WORDS[r[0]]:
                        r += 1
                    while WORDS[(r - 1)[0]] and not HEX[(r - 1)[0]] and ((r - 1)[0] == c"." or (r - 1)[0] == c"-" or (r - 1)[0] == c"_"):
                        r -= 1
                    found.append((MAIL, p - base, r - base))
                    p = r
                    continue
                if (c == c"=" or c == c":" or c == c"'" or c == c'"' or c == c"\\" or c == c"/" or c == c"%" or c == c" ") and self._is(self._names, h):
                    found.append((NAME, p - base, q - base))
            if dots >= 3 and digit:
                q = with_length(r, end)
                found.append((NUMBERS, p - base, q - base))
                p = q
                continue
            if self._has(p, r):
                found.append((WORD, p - base, r - base))
            p = q

    def find(self, data: bytes) -> list[tuple[int, int, int]]:
        """Return the kind of each finding in ``data``, where it begins and ends, in order."""
        cdef const uint8_t* p = <const uint8_t*>data
        found = []
        self._find(p, p, p + len(data), found)
        return found

    def column(self, const int32_t[::1] offsets, const uint8_t[::1] data, Py_ssize_t first, Py_ssize_t count) -> list[tuple[int, int, int]]:
        """Return the same for ``count`` texts from ``first`` on; places are those in ``data``."""
        cdef Py_ssize_t row
        found = []
        if count and data.shape[0]:
            for row in range(first, first + count):
                self._find(&data[0], &data[0] + offsets[row], &data[0] + offsets[row + 1], found)
        return found


def replaced(const int32_t[::1] offsets, const uint8_t[::1] data, Py_ssize_t first, Py_ssize_t count, list changes) -> tuple[bytearray, bytearray]:
    """Return offsets and data of ``count`` texts from ``first`` on with ``changes`` made.

    A change is where it begins and ends in ``data``, and the bytes that stand there
    instead; they are in order and of one text each.  Raises OverflowError beyond 2 GiB.
    """
    cdef Py_ssize_t size = offsets[first + count] - offsets[first], at, begin, end, row, moved = 0, out = 0
    for begin, end, new in changes:
        size += len(new) - (end - begin)
    if size > 2147483647:
        raise OverflowError
    ends = bytearray(4 * (count + 1))
    texts = bytearray(size)
    cdef int32_t[::1] places = memoryview(ends).cast("i")
    cdef uint8_t[::1] written = texts
    cdef Py_ssize_t start = offsets[first], length
    cdef const uint8_t* added
    row = 0
    at = start
    for begin, end, new in changes:
        while row <= count and offsets[first + row] <= begin:
            places[row] = <int32_t>(offsets[first + row] - start + moved)
            row += 1
        if begin > at:
            memcpy(&written[out], &data[at], begin - at)
            out += begin - at
        length = len(new)
        if length:
            added = <const uint8_t*><bytes>new
            memcpy(&written[out], added, length)
            out += length
        moved += length - (end - begin)
        at = end
    while row <= count:
        places[row] = <int32_t>(offsets[first + row] - start + moved)
        row += 1
    end = offsets[first + count]
    if end > at:
        memcpy(&written[out], &data[at], end - at)
    return ends, texts
