"""Rows of many runs in the order of time, read side by side from one file.

A run's parts lie anywhere in the file; a row lies in one of them.  A row counts
as no earlier than the one before it in its run, one without a time as late as
that one; of the same time, rows of an earlier run come first.
"""

cimport cython
from cpython.buffer cimport PyBuffer_FillInfo
from libc.errno cimport EINTR, errno
from libc.stdint cimport INT64_MIN, int32_t, int64_t, uint8_t
from libc.stdlib cimport calloc, free, malloc
from libc.string cimport memcpy, memmove
from posix.unistd cimport pread

from opslog.kernel._row_head cimport HEAD, Head
from opslog.kernel._text cimport Buffer, need

import os

assert HEAD == sizeof(Head)

ctypedef struct Run:
    int64_t at                  # what is read next of the part in the file
    int64_t stop
    uint8_t* window             # what has been read
    Py_ssize_t used
    Py_ssize_t next             # in the window: behind the head of the next row
    Head head                   # of the next row; its time is never less than before

ctypedef struct Place:
    int64_t time
    int32_t run


cdef inline bint earlier(const Place* a, const Place* b) noexcept nogil:
    return a.time < b.time or (a.time == b.time and a.run < b.run)


def heads(const int64_t[::1] places not None, int64_t size):
    """Return the heads of rows without bytes, of ``size`` bytes each."""
    cdef Py_ssize_t i, count = places.shape[0]
    cdef bytearray out = bytearray(count * HEAD)
    cdef uint8_t* data = out
    cdef Head head
    head.size = size
    for i in range(count):
        head.time = places[i]
        memcpy(data + i * HEAD, &head, HEAD)
    return out


@cython.final
cdef class Taken:
    """Rows taken: their bytes, one after the other, and the run of each."""

    cdef Buffer out
    cdef Buffer runs            # int32 each
    cdef readonly Py_ssize_t exports

    def __dealloc__(self):
        free(self.out.data)
        free(self.runs.data)

    def __getbuffer__(self, Py_buffer* view, int flags):
        PyBuffer_FillInfo(view, self, self.out.data, self.out.used, 1, flags)
        self.exports += 1

    def __releasebuffer__(self, Py_buffer* view):
        self.exports -= 1

    def order(self, int32_t runs):
        """Return how many rows of each run there are, and the places of the rows, put run after run.

        Both are int64; there must not be more than ``runs`` runs.
        """
        cdef Py_ssize_t i, count = self.runs.used // sizeof(int32_t)
        cdef const int32_t* run = <const int32_t*>self.runs.data
        cdef bytearray counted = bytearray(runs * sizeof(int64_t))
        cdef bytearray next_ones = bytearray((runs + 1) * sizeof(int64_t))
        cdef bytearray placed = bytearray(count * sizeof(int64_t))
        cdef int64_t* counts = <int64_t*><uint8_t*>counted
        cdef int64_t* nexts = <int64_t*><uint8_t*>next_ones
        cdef int64_t* places = <int64_t*><uint8_t*>placed
        for i in range(count):
            if not 0 <= run[i] < runs:
                raise IndexError("there are more runs")
            counts[run[i]] += 1
        for i in range(runs):
            nexts[i + 1] = nexts[i] + counts[i]
        for i in range(count):
            places[i] = nexts[run[i]]
            nexts[run[i]] += 1
        return counted, placed


@cython.final
cdef class Merge:
    """Reads runs side by side.

    ``parts`` has an iterator for each: (start, stop) in the file ``fd``.  With
    ``lines`` the rows' bytes follow their heads.  ``window`` bytes of each run
    are read at a time.
    """

    cdef int fd
    cdef bint lines
    cdef list parts
    cdef Py_ssize_t window
    cdef uint8_t* windows
    cdef Run* runs
    cdef Place* heap
    cdef int32_t live

    def __init__(self, int fd, list parts not None, bint lines, Py_ssize_t window):
        cdef int32_t i, count = len(parts)
        if self.runs != NULL:
            raise RuntimeError("begun already")
        self.fd, self.lines, self.parts = fd, lines, parts
        self.window = max(window, <Py_ssize_t>HEAD)
        self.windows = <uint8_t*>malloc(count * self.window + 1)
        self.runs = <Run*>calloc(count + 1, sizeof(Run))
        self.heap = <Place*>calloc(count + 1, sizeof(Place))
        if self.windows == NULL or self.runs == NULL or self.heap == NULL:
            raise MemoryError()
        with nogil:
            for i in range(count):
                self.runs[i].window = self.windows + i * self.window
                self.runs[i].head.time = INT64_MIN
                if self.step(i):
                    self.heap[self.live] = Place(self.runs[i].head.time, i)
                    self.live += 1
            for i in range(self.live // 2 - 1, -1, -1):
                self.sift(i)

    def __dealloc__(self):
        free(self.windows)
        free(self.runs)
        free(self.heap)

    def take(self, Taken out not None, int64_t rows, int64_t size):
        """Put the next rows into ``out``, at most ``rows``, about ``size`` bytes; return how many."""
        cdef int64_t count = 0, total = 0
        cdef Run* run
        if out.exports:
            raise BufferError("the rows taken last are still in use")
        out.out.used = out.runs.used = 0
        with nogil:
            need(&out.out, 1)
            while self.live and count < rows and total < size:
                run = &self.runs[self.heap[0].run]
                total += run.head.size
                count += 1
                if self.lines:
                    self.copy(run, &out.out)
                else:
                    need(&out.runs, sizeof(int32_t))
                    memcpy(out.runs.data + out.runs.used, &self.heap[0].run, sizeof(int32_t))
                    out.runs.used += sizeof(int32_t)
                if self.step(self.heap[0].run):
                    self.heap[0].time = run.head.time
                else:
                    self.live -= 1
                    self.heap[0] = self.heap[self.live]
                self.sift(0)
        return count

    cdef void sift(self, int32_t at) noexcept nogil:
        """Let the place ``at`` sink below those that are earlier."""
        cdef Place moved = self.heap[at]
        cdef int32_t child = 2 * at + 1
        while child < self.live:
            child += child + 1 < self.live and earlier(&self.heap[child + 1], &self.heap[child])
            if not earlier(&self.heap[child], &moved):
                break
            self.heap[at] = self.heap[child]
            at, child = child, 2 * child + 1
        self.heap[at] = moved

    cdef bint step(self, int32_t number) except -1 nogil:
        """Read the head of a run's next row; return whether there is one."""
        cdef Run* run = &self.runs[number]
        cdef int64_t latest = run.head.time
        cdef Py_ssize_t left = run.used - run.next
        if left < HEAD:
            memmove(run.window, run.window + run.next, left)
            run.used, run.next = left, 0
            while run.at == run.stop and not left:
                with gil:
                    run.at, run.stop = next(self.parts[number], (-1, -1))
                if run.at < 0:
                    return False
                if run.at > run.stop:
                    self.broken()
            left = min(<int64_t>(self.window - run.used), run.stop - run.at)
            self.fetch(run, run.window + run.used, left)
            run.used += left
            if run.used < HEAD:
                self.broken()
        memcpy(&run.head, run.window + run.next, HEAD)
        run.next += HEAD
        run.head.time = max(run.head.time, latest)
        if self.lines and not 0 <= run.head.size <= run.used - run.next + run.stop - run.at:
            self.broken()
        return True

    cdef int copy(self, Run* run, Buffer* out) except -1 nogil:
        """Append the bytes of the run's next row, those beyond the window right from the file."""
        cdef Py_ssize_t size = run.head.size, have = min(size, run.used - run.next)
        need(out, size)
        memcpy(out.data + out.used, run.window + run.next, have)
        run.next += have
        if have < size:
            self.fetch(run, out.data + out.used + have, size - have)
        out.used += size
        return 0

    cdef int fetch(self, Run* run, uint8_t* into, Py_ssize_t size) except -1 nogil:
        cdef Py_ssize_t count
        while size > 0:
            count = pread(self.fd, into, size, run.at)
            if count == 0:
                self.broken()
            elif count > 0:
                into += count
                run.at += count
                size -= count
            elif errno != EINTR:
                with gil:
                    raise OSError(errno, os.strerror(errno))
        return 0

    cdef int broken(self) except -1 nogil:
        with gil:
            raise OSError(0, "the rows to be merged have been changed")
