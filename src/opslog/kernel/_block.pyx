"""Blocks: the memory one stretch of input lives in, reused from block to block.

A block is cut behind its last newline.  A line longer than the longest is cut
into pieces of exactly that length, counted from the line's start, so that cuts
depend on the bytes alone and memory stays bounded without any newline.
"""

cimport cython
from cpython.buffer cimport PyBUF_WRITE
from cpython.memoryview cimport PyMemoryView_FromMemory
from libc.stdlib cimport free, realloc
from libc.string cimport memcpy

from opslog.kernel._bytes cimport find_hidden
from opslog.kernel._hidden cimport Hidden, begin_hidden, note_hidden

cdef extern from *:
    """
    #if defined(__SANITIZE_ADDRESS__)
    #include <sanitizer/asan_interface.h>
    #else
    #define ASAN_POISON_MEMORY_REGION(address, size) ((void)(address), (void)(size))
    #define ASAN_UNPOISON_MEMORY_REGION(address, size) ((void)(address), (void)(size))
    #endif
    """
    void ASAN_POISON_MEMORY_REGION(void*, size_t) nogil
    void ASAN_UNPOISON_MEMORY_REGION(void*, size_t) nogil

SIZES = Sizes(1 << 20, 1 << 20, 16 << 20, 1 << 20, 16)
PIECE_BYTES = SIZES.longest_line


def sizes():
    """Return the bytes, and the count of heads, by which records and lines end."""
    return SIZES


def set_sizes(known):
    """Set what ``sizes`` returns, for what begins after that: tests make all of it small."""
    global SIZES
    SIZES = known


cdef Py_ssize_t longest_hidden(const uint8_t* start, const uint8_t* end) noexcept nogil:
    """How long a text may be that occurs as JSON escapes or as a list of numbers."""
    cdef const uint8_t* p = find_hidden(start, end)
    cdef Hidden hidden
    begin_hidden(&hidden, start, end)
    while p < end:
        note_hidden(&hidden, p)
        p = find_hidden(p + 1, end)
    return hidden.longest


cdef inline int need_items(void** items, Py_ssize_t* capacity, Py_ssize_t wanted, size_t size) except -1 nogil:
    """Make room for `wanted` items of `size` bytes in an array that grows."""
    cdef void* grown
    if wanted <= capacity[0]:
        return 0
    wanted = max(wanted, 2 * capacity[0])
    grown = realloc(items[0], wanted * size)
    if grown == NULL:
        with gil:
            raise MemoryError()
    items[0] = grown
    capacity[0] = wanted
    return 0


@cython.final
cdef class Block:
    """Bytes of one source from ``offset`` on, and arrays for what is found in them."""

    def __cinit__(self, Py_ssize_t capacity):
        self.need_data(capacity)

    def __dealloc__(self):
        ASAN_UNPOISON_MEMORY_REGION(self.data, self.capacity)
        free(self.data)
        free(self.lines)
        free(self.spans)
        free(self.envelopes)

    cdef int need_data(self, Py_ssize_t more) except -1 nogil:
        """Make room for ``more`` bytes behind ``used``."""
        cdef Py_ssize_t wanted = self.used + more
        cdef uint8_t* data
        if wanted <= self.capacity:
            ASAN_UNPOISON_MEMORY_REGION(self.data, wanted)
            return 0
        ASAN_UNPOISON_MEMORY_REGION(self.data, self.capacity)
        wanted = max(wanted, self.capacity + self.capacity // 2)
        data = <uint8_t*>realloc(self.data, wanted)
        if data == NULL:
            with gil:
                raise MemoryError()
        self.data = data
        self.capacity = wanted
        return 0

    cdef int need_lines(self, Py_ssize_t more) except -1 nogil:
        return need_items(<void**>&self.lines, &self.line_capacity, self.line_used + more, sizeof(Line))

    cdef int need_spans(self, Py_ssize_t more) except -1 nogil:
        return need_items(<void**>&self.spans, &self.span_capacity, self.span_used + more, sizeof(int32_t))

    cdef int need_envelopes(self, Py_ssize_t more) except -1 nogil:
        return need_items(<void**>&self.envelopes, &self.envelope_capacity, self.envelope_used + more,
                          sizeof(Envelope))

    cdef void guard(self) noexcept nogil:
        """Let the address sanitizer catch any read behind the bytes in use."""
        ASAN_POISON_MEMORY_REGION(self.data + self.used, self.capacity - self.used)

    def reset(self, int64_t offset, bint continued=False):
        """Empty the block; its next byte stands at ``offset`` of the source."""
        self.size = self.used = 0
        self.line_count = self.line_used = self.span_used = self.envelope_used = 0
        self.offset = offset
        self.continued = continued
        self.ascii = True
        self.hidden = 0

    def room(self, Py_ssize_t limit):
        """Return a writable view of the bytes from the end of the input up to ``limit``."""
        self.need_data(limit - self.size)
        ASAN_UNPOISON_MEMORY_REGION(self.data, limit)
        return PyMemoryView_FromMemory(<char*>(self.data + self.size), limit - self.size, PyBUF_WRITE)

    def filled(self, Py_ssize_t count):
        """Say that ``count`` bytes of ``room()`` have been written."""
        self.size += count
        self.used = self.size
        self.hidden = -1

    def start(self, Py_ssize_t count):
        """Return the first bytes, ``count`` at most."""
        return self.data[:min(count, self.size)]

    def end(self, Py_ssize_t count):
        """Return the last bytes, ``count`` at most."""
        return self.data[max(0, self.size - count):self.size]

    def whole(self, Py_ssize_t since=0):
        """Return how many bytes are whole lines, or pieces of an overlong one.

        The first ``since`` bytes are known to hold no newline.
        """
        cdef Py_ssize_t end = self.size, pieces
        while end > since and self.data[end - 1] != c'\n':
            end -= 1
        end = end if end > since else 0
        pieces = (self.size - end - 1) // SIZES.longest_line if self.size > end else 0
        return end + pieces * SIZES.longest_line

    def split(self, Py_ssize_t at, Block other not None):
        """Move the input behind ``at`` into ``other``, which is emptied first."""
        cdef Py_ssize_t count = self.size - at
        cdef bint continued = at > 0 and self.data[at - 1] != c'\n'
        other.reset(self.offset + at, continued or (at == 0 and self.continued))
        if count:
            other.need_data(count)
            memcpy(other.data, self.data + at, count)
            other.filled(count)
        # Unescaped text behind the input stays.
        self.used = at if self.used == self.size else self.used
        self.size = at

    def part(self, Py_ssize_t begin, Py_ssize_t end):
        """Return another block of the whole lines from before ``begin`` to behind ``end``."""
        cdef Block other = Block(0)
        begin = min(max(begin, 0), self.size)
        end = min(max(end, begin), self.size)
        while begin > 0 and self.data[begin - 1] != c'\n':
            begin -= 1
        while end < self.size and (end == 0 or self.data[end - 1] != c'\n'):
            end += 1
        other.reset(self.offset + begin, begin == 0 and self.continued)
        if end > begin:
            other.need_data(end - begin)
            memcpy(other.data, self.data + begin, end - begin)
            other.filled(end - begin)
        return other

    def may_hide(self, Py_ssize_t size):
        """Return whether a text of ``size`` bytes may occur as JSON escapes or as a list of numbers."""
        if self.hidden < 0:
            with nogil:
                self.hidden = longest_hidden(self.data, self.data + self.size)
        return self.hidden >= size
