"""Open records by worker: a hash table that grows with the workers and shrinks with time."""

cimport cython
from libc.stdlib cimport calloc, free

from opslog.kernel._block cimport NONE


@cython.final
cdef class Workers:
    """The open records of each worker, by their numbers."""

    def __cinit__(self):
        self.grow(64)

    def __dealloc__(self):
        free(self.places)

    cdef int grow(self, uint64_t size) except -1 nogil:
        """Move all workers to a table of `size` places."""
        cdef Worker* old = self.places
        cdef uint64_t i, old_size = (self.mask + 1) if old != NULL else 0
        self.places = <Worker*>calloc(size, sizeof(Worker))
        if self.places == NULL:
            self.places = old
            with gil:
                raise MemoryError()
        self.mask = size - 1
        for i in range(old_size):
            if old[i].used:
                self.find(old[i].key)[0] = old[i]
        free(old)
        return 0

    cdef Worker* find(self, uint64_t key) noexcept nogil:
        """The worker's place, or the free one where it would stand."""
        cdef uint64_t at = key & self.mask
        while self.places[at].used and self.places[at].key != key:
            at = (at + 1) & self.mask
        return &self.places[at]

    cdef Worker* get(self, uint64_t key) except NULL nogil:
        """The worker; the pointer is good until the next call."""
        cdef Worker* worker = self.find(key)
        if not worker.used:
            if <uint64_t>self.count * 2 > self.mask:
                self.grow(2 * (self.mask + 1))
                worker = self.find(key)
            worker.used = True
            worker.key = key
            worker.head = worker.orphan = worker.previous = NONE
            worker.unended = False
            self.count += 1
        return worker

    cdef int forget(self, int32_t released) except -1 nogil:
        """Drop the first `released` records, renumber the rest, keep only workers that have one."""
        cdef Worker* old = self.places
        cdef Worker* worker
        cdef uint64_t i, size = self.mask + 1
        self.places = NULL
        self.count = 0
        self.grow(64)
        for i in range(size):
            if old[i].used and max(old[i].head, old[i].orphan, old[i].previous) >= released:
                worker = self.get(old[i].key)
                worker.head = old[i].head - released if old[i].head >= released else NONE
                worker.orphan = old[i].orphan - released if old[i].orphan >= released else NONE
                if old[i].previous >= released:
                    worker.previous = old[i].previous - released
                    worker.unended = old[i].unended
        free(old)
        return 0
