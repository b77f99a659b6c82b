# What a text that is looked for may be hidden in: JSON escapes, and lists of the numbers of its bytes.

from libc.stdint cimport uint8_t
from libc.string cimport memchr

ctypedef struct Hidden:
    const uint8_t* start        # of the input
    const uint8_t* end
    const uint8_t* listed       # where the last list ends: in it begins no longer one
    Py_ssize_t longest          # text that may be hidden so far


cdef inline const uint8_t* list_end(const uint8_t* p, const uint8_t* start, const uint8_t* end, Py_ssize_t* count) noexcept nogil:
    """Where the list of numbers ends that the '[' at p may begin as a JSON value; counts them."""
    cdef const uint8_t* before = p - 1
    cdef bint inside = False
    while before >= start and (before[0] == c' ' or before[0] == c'\t'):
        before -= 1
    p += 1
    if before < start or before[0] != c':':
        return p
    while p < end and p[0] != c'"' and p[0] != c'\n':
        if 48 <= p[0] <= 57:
            count[0] += not inside
            inside = True
        else:
            inside = False
        p += 1
    return p


cdef inline int digit(uint8_t c) noexcept nogil:
    """The value of a hexadecimal digit, 16 for anything else."""
    if 48 <= c <= 57:
        return c - 48
    c |= 32
    return c - 87 if 97 <= c <= 102 else 16


cdef inline bint escapes(const uint8_t* p, const uint8_t* end) noexcept nogil:
    """Whether the `\\u` at p may stand for a character of a text that is looked for.

    Writers escape what is not ASCII, control characters and, against HTML,
    "&'+<=>`: such a text has none of these.
    """
    cdef int c
    if end - p < 6 or p[2] != c'0' or p[3] != c'0':
        return False
    c = 16 * digit(p[4]) + digit(p[5])
    return 32 <= c < 127 and memchr(b"\"&'+<=>`", c, 8) == NULL


cdef inline void begin_hidden(Hidden* self, const uint8_t* start, const uint8_t* end) noexcept nogil:
    self.start = self.listed = start
    self.end = end
    self.longest = 0


cdef inline void note_hidden(Hidden* self, const uint8_t* p) noexcept nogil:
    """Take note of what find_hidden found at p, behind all that it found before."""
    cdef Py_ssize_t count = 0
    if p[0] == c'\\':
        if escapes(p, self.end):
            self.longest = self.end - self.start
    elif p >= self.listed:
        self.listed = list_end(p, self.start, self.end, &count)
        self.longest = max(self.longest, count)
