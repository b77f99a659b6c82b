"""Which ids may stand in a block, in few bytes: a filter after Bloom.

An id is known by what it begins with, `req-` or `tx`, and the eight hexadecimal
digits behind that.  Four bits stand for it.  The filter takes 64 bits for each
4 KiB of the block at most, and is folded as long as no more than an eighth of
its bits are set: 700 ids in 4 MiB take 2 KiB, and one in a thousand others
seems to be among them.
"""

cimport cython
from libc.stdint cimport uint8_t, uint64_t
from libc.stdlib cimport free, malloc
from libc.string cimport memcpy, memset

from opslog.kernel._block cimport Block
from opslog.kernel._bytes cimport find_id, hash_bytes

cdef extern from *:
    int bits_of "__builtin_popcountll" (unsigned long long) nogil

cdef enum:
    DIGITS = 8
    SHORTEST = 10               # `tx` and the digits
    BYTES_EACH = 4096           # of the block, for a word of the filter
    MOST_WORDS = 1024           # 16 bits of a hash say which bit


cdef inline uint64_t hash_of(const uint8_t* digits) noexcept nogil:
    cdef uint64_t bits = hash_bytes(digits, DIGITS, (digits - 1)[0]) * <uint64_t>0xFF51AFD7ED558CCD
    return bits ^ (bits >> 32)


@cython.final
cdef class Ids:
    """The ids of a block, as they are and hidden in JSON."""

    cdef uint64_t* _words
    cdef Py_ssize_t _count      # of words: a power of two
    cdef bint _hidden

    def __cinit__(self, Block block not None):
        cdef uint64_t words[MOST_WORDS]
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
        if self._hidden:
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
