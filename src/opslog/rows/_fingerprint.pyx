"""Fingerprints: one id for all records that say the same but for their values.

An id is 16 hexadecimal digits of the BLAKE2b of severity, service, logger, the exception's type,
the template of the body, and the files and functions of the traceback with the template of what
was raised.  Whatever form a record is written in, these are the same: oslo.log's text adds a
summary of the exception to the body, which is told by the traceback already, or stands beside the
body elsewhere; its JSON has no blank lines.
"""

cimport cython
from libc.stdint cimport int32_t, uint8_t, uint64_t
from libc.stdlib cimport free
from libc.string cimport memchr, memcmp, memcpy

from opslog.kernel._bytes cimport find_text
from opslog.kernel._text cimport Buffer, need, put
from opslog.rows._blake2b cimport blake2b
from opslog.rows._template cimport put_template

cdef enum:
    MOST_LINES = 16             # of what was raised, behind each of which its summary may end
    MOST_SUMMARIES = 8          # one behind the other

ctypedef const int32_t* Ends
ctypedef const uint8_t* Bytes

cdef const char* DIGITS = b"0123456789abcdef"


cdef inline bint is_blank(uint8_t c) noexcept nogil:
    return c == c' ' or 9 <= c <= 13 or 28 <= c <= 31


cdef inline const uint8_t* stripped(const uint8_t* p, const uint8_t* end) noexcept nogil:
    """The end of the text without blanks before it."""
    while end > p and is_blank((end - 1)[0]):
        end -= 1
    return end


cdef inline Py_ssize_t margin(const uint8_t* p, const uint8_t* end) noexcept nogil:
    """How deep a line of a traceback stands, in a group of exceptions, too."""
    cdef const uint8_t* q = p
    while q < end and (q[0] == c' ' or q[0] == c'|' or q[0] == c'+'):
        q += 1
    return q - p


cdef inline bint is_frame(const uint8_t* p, const uint8_t* end, const uint8_t** path, Py_ssize_t* size,
                          const uint8_t** function) noexcept nogil:
    """Whether a line is ``File "PATH", line N, in FUNCTION``, without its margin."""
    cdef const uint8_t* q
    if end - p < 6 or memcmp(p, b'File "', 6) != 0:
        return False
    p += 6
    q = <const uint8_t*>memchr(p, c'"', end - p)
    if q == NULL or end - q < 8 or memcmp(q, b'", line ', 8) != 0:
        return False
    path[0], size[0] = p, q - p
    p = q = q + 8
    while q < end and 48 <= q[0] <= 57:
        q += 1
    if q == p or end - q < 5 or memcmp(q, b", in ", 5) != 0:
        return False
    function[0] = q + 5
    return True


cdef inline const uint8_t* behind_last(const uint8_t* p, const uint8_t* end, const char* text, Py_ssize_t size) noexcept nogil:
    """What stands behind the last of these texts, all if there is none."""
    cdef const uint8_t* found
    while True:
        found = find_text(p, end, <const uint8_t*>text, size)
        if found == NULL:
            return p
        p = found + size


@cython.final
cdef class Fingerprint:
    """Makes ids, one after the other."""

    def __dealloc__(self):
        free(self.parts.data)
        free(self.work.data)
        free(self.other.data)

    cdef uint64_t find(self, const Said* said) except? 0 nogil:
        """Find the id; return the digest that it is written from."""
        cdef uint64_t digest
        cdef uint8_t[3] number
        cdef int i
        self.parts.used = 0
        if said.severity >= 10:
            number[0] = c'0' + said.severity // 10 % 10
            number[1] = c'0' + said.severity % 10
            self.put_part(number, 2)
        else:
            number[0] = c'0' + said.severity
            self.put_part(number, said.severity != 0)
        self.put_part(said.texts[SERVICE].data, said.texts[SERVICE].size)
        self.put_part(said.texts[LOGGER].data, said.texts[LOGGER].size)
        self.put_part(said.texts[TYPE].data, said.texts[TYPE].size)
        self.put_body(said)
        self.put_frames(said.texts[TRACEBACK].data, said.texts[TRACEBACK].size)
        digest = blake2b(self.parts.data, self.parts.used)
        for i in range(ID // 2):
            self.id[2 * i] = DIGITS[digest >> (8 * i + 4) & 15]
            self.id[2 * i + 1] = DIGITS[digest >> (8 * i) & 15]
        return digest

    cdef int put_part(self, const uint8_t* text, Py_ssize_t size) except -1 nogil:
        """Append a text so that where it ends is told."""
        cdef uint8_t[24] digits
        cdef int at = 23
        cdef Py_ssize_t rest = size
        if not size:
            put(&self.parts, <const uint8_t*>b"-", 1, 0)
            return 0
        digits[at] = c':'
        while rest:
            at -= 1
            digits[at] = <uint8_t>(c'0' + rest % 10)
            rest //= 10
        put(&self.parts, digits + at, 24 - at, 0)
        put(&self.parts, text, size, 0)
        return 0

    cdef int put_body(self, const Said* said) except -1 nogil:
        """Append the template of the body as every form has it."""
        cdef const uint8_t* text = said.texts[BODY].data
        cdef Py_ssize_t size = said.texts[BODY].size
        cdef Buffer* out = &self.work
        if said.texts[TRACEBACK].size:
            if said.texts[TYPE].size:
                size = self.without_summary(said)
        elif said.texts[SUMMARY].size and not (said.texts[SUMMARY].size == 1 and said.texts[SUMMARY].data[0] == c'-'):
            self.other.used = 0
            put(&self.other, text, size, 0)
            put(&self.other, <const uint8_t*>b": ", 2, 0)
            put(&self.other, said.texts[SUMMARY].data, said.texts[SUMMARY].size, 0)
            text, size = self.other.data, self.other.used
        out.used = 0
        if size:
            put_template(out, text, stripped(text, text + size))
        self.put_part(out.data, out.used)
        return 0

    cdef Py_ssize_t without_summary(self, const Said* said) except -1 nogil:
        """The size of the body without what was raised, `: TYPE: MESSAGE`, or its first lines, at its end.

        Somebody may have said it as well before oslo.log did.
        """
        cdef Py_ssize_t size = said.texts[BODY].size, line, left = MOST_SUMMARIES
        cdef Buffer* raised = &self.other
        cdef const uint8_t* p
        cdef const uint8_t* end
        cdef const uint8_t* stop
        cdef int lines
        raised.used = 0
        put(raised, <const uint8_t*>b": ", 2, 0)
        put(raised, said.texts[TYPE].data, said.texts[TYPE].size, 0)
        if said.texts[MESSAGE].size:
            put(raised, <const uint8_t*>b": ", 2, 0)
            put(raised, said.texts[MESSAGE].data, said.texts[MESSAGE].size, 0)
        p = raised.data
        end = p + raised.used
        while left:
            left -= 1
            lines = 0
            stop = p
            while stop < end and lines < MOST_LINES:
                stop = <const uint8_t*>memchr(stop, c'\n', end - stop) if lines + 1 < MOST_LINES else end
                if stop == NULL:
                    stop = end
                line = stripped(p, stop) - p
                if line <= size and memcmp(said.texts[BODY].data + size - line, p, line) == 0:
                    size -= line
                    break
                stop += 1
                lines += 1
            else:
                break
        return size

    cdef int put_frames(self, const uint8_t* text, Py_ssize_t size) except -1 nogil:
        """Append files and functions of a traceback, then the template of what was raised; of none, of all."""
        cdef const uint8_t* end = text + size
        cdef const uint8_t* p = text
        cdef const uint8_t* stop
        cdef const uint8_t* path
        cdef const uint8_t* function
        cdef Py_ssize_t path_size, deep = -1, own
        cdef Buffer* raised = &self.other       # lines behind the last frame
        cdef Buffer* out = &self.work
        cdef bint code = False                  # the lines before were a frame and its code
        out.used = raised.used = 0
        while p < end:
            stop = <const uint8_t*>memchr(p, c'\n', end - p)
            if stop == NULL:
                stop = end
            own = margin(p, stop)
            if is_frame(p + own, stop, &path, &path_size, &function):
                deep = own
                code = True
                raised.used = 0
                self.put_frame(path, path + path_size, function, stop)
            elif stripped(p, stop) > p and not (code and own > deep):
                code = False
                if raised.used:
                    put(raised, <const uint8_t*>b"\n", 1, 0)
                put(raised, p, stripped(p, stop) - p, 0)
            p = stop + 1
        if raised.used:
            put_template(out, raised.data, raised.data + raised.used)
        self.put_part(out.data, out.used)
        return 0

    cdef int put_frame(self, const uint8_t* path, const uint8_t* end, const uint8_t* function, const uint8_t* stop) except -1 nogil:
        """Append a frame: of an installed file the path below the folder of all these."""
        cdef Buffer* out = &self.work
        path = behind_last(path, end, b"/site-packages/", 15)
        path = behind_last(path, end, b"/dist-packages/", 15)
        put(out, path, end - path, 0)
        put(out, <const uint8_t*>b" ", 1, 0)
        put(out, function, stripped(function, stop) - function, 0)
        put(out, <const uint8_t*>b"\n", 1, 0)
        return 0


def fingerprints_of(const uint8_t[::1] severities not None, list columns not None):
    """Return the ids of rows, one behind the other.

    ``columns`` are (offsets, int32, and bytes) of texts, in the order of Said, one for each row of
    ``severities``.  Raises ValueError for offsets that are not of the texts, or are too few.
    """
    cdef Fingerprint fingerprint = Fingerprint()
    cdef Py_ssize_t row, count = severities.shape[0]
    cdef const int32_t[::1] ends
    cdef const uint8_t[::1] text
    cdef Ends[TEXTS] all_ends
    cdef Bytes[TEXTS] texts
    cdef const int32_t* each
    cdef Said said
    cdef int i
    cdef bytearray ids = bytearray(ID * count)
    cdef uint8_t[::1] out = ids
    if len(columns) != TEXTS:
        raise ValueError(f"expected {<int>TEXTS} columns, found {len(columns)}")
    if not count:
        return ids
    for i in range(TEXTS):
        ends, text = columns[i]
        if ends.shape[0] <= count:
            raise ValueError("fewer offsets than texts")
        for row in range(count):
            if not 0 <= ends[row] <= ends[row + 1] <= text.shape[0]:
                raise ValueError("offsets that are not of the texts")
        all_ends[i] = &ends[0]
        texts[i] = &text[0] if text.shape[0] else NULL
    with nogil:
        for row in range(count):
            said.severity = severities[row]
            for i in range(TEXTS):
                each = all_ends[i] + row
                said.texts[i].data = texts[i] + each[0]
                said.texts[i].size = each[1] - each[0]
            fingerprint.find(&said)
            memcpy(&out[ID * row], fingerprint.id, ID)
    return ids
