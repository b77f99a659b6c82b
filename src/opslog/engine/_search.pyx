"""Where a block may hold a text: one look, however many texts there are.

Needles: one text is looked for together with what may hide it, 32 bytes at a time.
Several, after Wu and Manber: a window as long as the shortest text goes over the
block.  The four bytes at its end say how far it may go on without passing over a
text; for ids, whose digits are random, that is nearly its own length.

Ids, a filter after Bloom: which ids may stand in a block, in few bytes.  An id is
known by what it begins with, `req-` or `tx`, and the eight hexadecimal digits
behind that.  Four bits stand for it.  The filter takes 64 bits for each 4 KiB of
the block at most, and is folded as long as no more than an eighth of its bits are
set: 700 ids in 4 MiB take 2 KiB, and one in a thousand others seems to be among
them.
"""

cimport cython
from libc.stdint cimport int32_t, uint8_t, uint32_t, uint64_t
from libc.stdlib cimport free, malloc
from libc.string cimport memcmp, memcpy, memset

from opslog.kernel._block cimport Block
from opslog.kernel._bytes cimport find_id, find_text_or_hidden, hash_bytes
from opslog.kernel._hidden cimport Hidden, begin_hidden, note_hidden

cdef extern from "string.h" nogil:
    void* memmem(const void*, size_t, const void*, size_t)

cdef extern from *:
    int bits_of "__builtin_popcountll" (unsigned long long) nogil

cdef enum:
    GRAM = 4
    PLACES = 1 << 16
    FARTHEST = 255
    MOST_PLACES = 64            # of texts in a block that are told

    DIGITS = 8
    SHORTEST = 10               # `tx` and the digits
    BYTES_EACH = 4096           # of the block, for a word of the filter
    MOST_WORDS = 1024           # 16 bits of a hash say which bit


cdef inline uint32_t place_of(const uint8_t* p) noexcept nogil:
    cdef uint32_t gram
    memcpy(&gram, p, GRAM)
    return (gram * <uint32_t>2654435761) >> 16


@cython.final
cdef class Needles:
    """Texts to look for; without any none is ever found."""

    cdef list _texts
    cdef Py_ssize_t _least, _count
    cdef uint8_t* _steps        # by place: how far the window may go on
    cdef const uint8_t** _starts
    cdef Py_ssize_t* _sizes
    cdef int32_t* _first        # by place: the first text whose window ends so
    cdef int32_t* _next         # by text: the next one

    def __cinit__(self, texts):
        cdef Py_ssize_t number, at, far
        cdef uint32_t place
        cdef bytes text
        self._texts = sorted(set(texts))
        self._count = len(self._texts)
        self._least = min(map(len, self._texts)) if self._texts else 0
        self._steps = <uint8_t*>malloc(PLACES)
        self._first = <int32_t*>malloc(PLACES * sizeof(int32_t))
        self._next = <int32_t*>malloc((self._count + 1) * sizeof(int32_t))
        self._starts = <const uint8_t**>malloc((self._count + 1) * sizeof(void*))
        self._sizes = <Py_ssize_t*>malloc((self._count + 1) * sizeof(Py_ssize_t))
        if not (self._steps and self._first and self._next and self._starts and self._sizes):
            raise MemoryError
        memset(self._first, 0xFF, PLACES * sizeof(int32_t))
        memset(self._steps, min(max(self._least - GRAM + 1, 0), FARTHEST), PLACES)
        for number in range(self._count):
            text = self._texts[number]
            self._starts[number] = text
            self._sizes[number] = len(text)
            for at in range(self._least - GRAM + 1):
                place = place_of(self._starts[number] + at)
                far = self._least - GRAM - at
                if far < self._steps[place]:
                    self._steps[place] = <uint8_t>far
            if self._least >= GRAM:
                place = place_of(self._starts[number] + self._least - GRAM)
                self._next[number] = self._first[place]
                self._first[place] = <int32_t>number

    def __dealloc__(self):
        free(self._steps)
        free(self._first)
        free(self._next)
        free(self._starts)
        free(self._sizes)

    def may_be_in(self, Block block not None):
        """Return whether one occurs in the input, as it is or behind a JSON \\u escape."""
        return self.places(block) != []

    def places(self, Block block not None):
        """Return the offsets at which they occur in the input; None if these are many, or one may be hidden."""
        cdef Py_ssize_t[MOST_PLACES] found
        cdef Py_ssize_t count
        if not self._count or not block.size:
            return []
        with nogil:
            count = self.look(block, found)
        if count > MOST_PLACES or block.may_hide(self._least):
            return None
        return [found[i] for i in range(count)]

    cdef Py_ssize_t look(self, Block block, Py_ssize_t* found) noexcept nogil:
        """Fill in the first places and return how many there are, at most one more than that."""
        cdef Py_ssize_t count = 0
        cdef const uint8_t* p = block.data
        cdef const uint8_t* end = p + block.size
        cdef const uint8_t* text = self._starts[0]
        cdef const uint8_t* ahead = NULL
        cdef Hidden hidden
        if self._count == 1 and self._least and text[0] != c'\\' and text[0] != c'[' and block.hidden < 0:
            begin_hidden(&hidden, p, end)
            while True:
                p = find_text_or_hidden(p, end, text, self._least, &ahead)
                if p >= end:
                    break
                if p[0] == c'\\' or p[0] == c'[':
                    note_hidden(&hidden, p)
                elif count <= MOST_PLACES:
                    if count < MOST_PLACES:
                        found[count] = p - block.data
                    count += 1
                p += 1
            block.hidden = hidden.longest
            return count
        while count <= MOST_PLACES and p < end:
            p = self.find(p, end)
            if p == NULL:
                break
            if count < MOST_PLACES:
                found[count] = p - block.data
            count += 1
            p += 1
        return count

    cdef const uint8_t* find(self, const uint8_t* p, const uint8_t* end) noexcept nogil:
        """The first place where one stands, or NULL."""
        cdef Py_ssize_t number
        cdef const uint8_t* start
        cdef const uint8_t* first = NULL
        cdef uint32_t place
        cdef uint8_t step
        if self._count == 1 or self._least < GRAM:
            for number in range(self._count):
                start = <const uint8_t*>memmem(p, end - p, self._starts[number], self._sizes[number])
                if start != NULL and (first == NULL or start < first):
                    first = start
            return first
        p += self._least - GRAM
        while p + GRAM <= end:
            place = place_of(p)
            step = self._steps[place]
            if step:
                p += step
                continue
            number = self._first[place]
            start = p - (self._least - GRAM)
            while number >= 0:
                if start + self._sizes[number] <= end and memcmp(
                    start, self._starts[number], self._sizes[number]
                ) == 0:
                    return start
                number = self._next[number]
            p += 1
        return NULL


cdef inline uint64_t hash_of(const uint8_t* digits) noexcept nogil:
    cdef uint64_t bits = hash_bytes(digits, DIGITS, (digits - 1)[0]) * <uint64_t>0xFF51AFD7ED558CCD
    return bits ^ (bits >> 32)


@cython.final
cdef class Ids:
    """The ids of a block, as they are and hidden in JSON."""

    cdef uint64_t* _words
    cdef Py_ssize_t _count      # of words: a power of two
    cdef bint _hidden

    def __cinit__(self, Block block):
        cdef uint64_t words[MOST_WORDS]
        if block is None:       # for `unpacked`: without words it may hold any
            return
        self._count = 1
        while self._count < MOST_WORDS and self._count * BYTES_EACH < block.size:
            self._count *= 2
        with nogil:
            memset(words, 0, self._count * sizeof(uint64_t))
            self.fill(words, block.data, block.data + block.size)
            self.fold(words)
        self._words = <uint64_t*>malloc(self._count * sizeof(uint64_t))
        if self._words == NULL:
            raise MemoryError()
        memcpy(self._words, words, self._count * sizeof(uint64_t))
        self._hidden = block.may_hide(SHORTEST)

    def __dealloc__(self):
        free(self._words)

    def __len__(self):
        """Return how many bytes the filter takes."""
        return self._count * sizeof(uint64_t)

    def packed(self):
        """Return it as bytes, in the byte order of this machine."""
        return bytes([self._hidden]) + (<const uint8_t*>self._words)[:self._count * sizeof(uint64_t)]

    @staticmethod
    def unpacked(bytes data not None):
        """Return what was ``packed``; raises ValueError for what cannot be that."""
        cdef Py_ssize_t size = len(data) - 1
        cdef Py_ssize_t count = size // <Py_ssize_t>sizeof(uint64_t)
        cdef const uint8_t* start = data
        cdef Ids ids = Ids.__new__(Ids, None)
        if not 0 < count <= MOST_WORDS or count & (count - 1) or size % sizeof(uint64_t) or start[0] > 1:
            raise ValueError(f"ids of a block: expected a power of two of words, found {size:,} bytes")
        ids._words = <uint64_t*>malloc(size)
        if ids._words == NULL:
            raise MemoryError()
        memcpy(ids._words, start + 1, size)
        ids._count = count
        ids._hidden = start[0]
        return ids

    cdef void fill(self, uint64_t* words, const uint8_t* p, const uint8_t* end) noexcept nogil:
        cdef uint64_t bits, last = 0
        cdef int i
        p = find_id(p, end)
        while p < end:
            bits = hash_of(p)
            if bits != last:        # as in the line before, mostly
                last = bits
                for i in range(4):
                    words[(bits >> 6) & <uint64_t>(self._count - 1)] |= <uint64_t>1 << (bits & 63)
                    bits >>= 16
            p = find_id(p + DIGITS, end)

    cdef void fold(self, uint64_t* words) noexcept nogil:
        cdef Py_ssize_t i, set_bits
        while self._count > 1:
            set_bits = 0
            for i in range(self._count):
                set_bits += bits_of(words[i])
            if set_bits * 8 > self._count * 64:
                break
            self._count //= 2
            for i in range(self._count):
                words[i] |= words[i + self._count]

    def may_hold(self, texts not None):
        """Return whether one of ``texts`` (bytes) may occur in the block; no only where none does."""
        cdef const uint8_t* start
        cdef const uint8_t* end
        cdef const uint8_t* p
        cdef bytes text
        if self._hidden or not self._count:
            return True
        for text in texts:
            start = text
            end = start + len(text)
            p = find_id(start, end)
            if p >= end or self.has(hash_of(p)):
                return True
        return False

    cdef bint has(self, uint64_t bits) noexcept nogil:
        cdef int i
        for i in range(4):
            if not self._words[(bits >> 6) & <uint64_t>(self._count - 1)] >> (bits & 63) & 1:
                return False
            bits >>= 16
        return True


def holds_id(bytes text not None):
    """Return whether there is an id in ``text`` that Ids know."""
    cdef const uint8_t* start = text
    return find_id(start, start + len(text)) < start + len(text)
