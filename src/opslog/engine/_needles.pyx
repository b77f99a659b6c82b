"""Whether any of several texts occurs in a block: one look, however many they are.

After Wu and Manber: a window as long as the shortest text goes over the block.
The four bytes at its end say how far it may go on without passing over a text;
for ids, whose digits are random, that is nearly its own length.
"""

cimport cython
from libc.stdint cimport int32_t, uint8_t, uint32_t
from libc.stdlib cimport free, malloc
from libc.string cimport memcpy, memset

from opslog.kernel._block cimport Block

cdef extern from "string.h" nogil:
    void* memmem(const void*, size_t, const void*, size_t)
    int memcmp(const void*, const void*, size_t)

cdef enum:
    GRAM = 4
    PLACES = 1 << 16
    FARTHEST = 255


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
        cdef bint found
        if not self._count or not block.size:
            return False
        with nogil:
            found = self.find(block.data, block.size)
        return found or block.may_hide(self._least)

    cdef bint find(self, const uint8_t* p, Py_ssize_t size) noexcept nogil:
        cdef Py_ssize_t number
        cdef const uint8_t* end = p + size
        cdef const uint8_t* start
        cdef uint32_t place
        cdef uint8_t step
        if self._count == 1 or self._least < GRAM:
            for number in range(self._count):
                if memmem(p, size, self._starts[number], self._sizes[number]) != NULL:
                    return True
            return False
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
                    return True
                number = self._next[number]
            p += 1
        return False
