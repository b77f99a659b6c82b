"""Which request each line of a server tells of: the one that fits, if that fits no other line.

Requests and lines come by process, in the order of their times.  A line waits until no request
can fit any more.  Memory is of fixed size.
"""

cimport cython
from libc.stdint cimport int32_t, int64_t, uint8_t
from libc.stdlib cimport calloc, free

cdef enum:
    MOST = 4096                 # lines that wait

cdef enum Kind:                 # servers.py has the same numbers
    LINE = 1                    # of a server; else a request
    SURE = 2                    # no line is missing around it; a request: its path is known
    TOLD = 4                    # the request tells its status itself
    PASSED = 8                  # neither

ctypedef struct Line:
    int64_t end
    int64_t path
    int64_t row
    int64_t claimant            # row of the request that fits this line alone, -1 if none does
    int32_t method
    int32_t status
    int32_t claims              # requests that fit
    bint sure


@cython.final
cdef class Lines:
    """The lines of servers that may yet tell of a request."""

    cdef Line* waiting
    cdef Py_ssize_t first, count
    cdef int64_t group, row, blurred
    cdef readonly int most

    def __cinit__(self):
        self.most = MOST
        self.waiting = <Line*>calloc(MOST, sizeof(Line))
        if self.waiting == NULL:
            raise MemoryError()

    def __dealloc__(self):
        free(self.waiting)

    @property
    def oldest(self):
        """The number of the first row that may still be told of."""
        cdef int64_t oldest = self.row
        cdef Py_ssize_t i
        cdef Line* line
        for i in range(self.count):
            line = &self.waiting[(self.first + i) % MOST]
            oldest = min(oldest, line.row)
            if line.claimant >= 0:
                oldest = min(oldest, line.claimant)
        return oldest

    def match(self, bint last, int64_t[::1] lines not None, int64_t[::1] requests not None,
              const int64_t[::1] groups not None, const int64_t[::1] times not None,
              const int64_t[::1] ends not None, const int64_t[::1] paths not None,
              const int32_t[::1] methods not None, const int32_t[::1] statuses not None,
              const uint8_t[::1] kinds not None):
        """Take rows in the order of groups and times; return how many lines have their request now.

        ``lines`` and ``requests`` are filled with the numbers of their rows, counted over all calls; they have
        room for ``most`` more than there are rows.  Rows of one group are of one process; ``times`` and ``ends``
        are when a line's call began at the earliest and ended at the latest, and a request's first and last record.
        A path, method or status of 0 is not known.
        """
        cdef Py_ssize_t n = groups.shape[0], i, found = 0
        cdef Line* line
        if (min(times.shape[0], ends.shape[0], paths.shape[0], methods.shape[0], statuses.shape[0], kinds.shape[0]) < n
                or min(lines.shape[0], requests.shape[0]) < n + MOST):
            raise ValueError("columns are not of one length")
        with nogil:
            for i in range(n):
                while self.count and (groups[i] != self.group or self.waiting[self.first].end < times[i]):
                    found = self.tell(lines, requests, found)
                if groups[i] != self.group:
                    self.group, self.blurred = groups[i], -1 << 62
                if kinds[i] & PASSED:
                    pass
                elif kinds[i] & LINE:
                    if self.count == MOST:
                        # It may fit requests to come: none is told of until it has ended.
                        self.blurred = max(self.blurred, self.waiting[self.first].end)
                        found = self.tell(lines, requests, found)
                    line = &self.waiting[(self.first + self.count) % MOST]
                    line[0] = Line(ends[i], paths[i], self.row, -1, methods[i], statuses[i], 0, kinds[i] & SURE != 0)
                    self.count += 1
                else:
                    self.claim(times[i], ends[i], paths[i], methods[i], statuses[i], kinds[i])
                self.row += 1
            while last and self.count:
                found = self.tell(lines, requests, found)
        return found

    cdef void claim(self, int64_t time, int64_t end, int64_t path, int32_t method, int32_t status,
                    int kind) noexcept nogil:
        """Let a request claim all lines that it fits."""
        cdef Py_ssize_t i
        cdef int fits = 0
        cdef Line* line
        cdef Line* one = NULL
        for i in range(self.count):
            line = &self.waiting[(self.first + i) % MOST]
            if (line.end < end or (path and line.path != path) or (method and line.method != method)
                    or (status and line.status != status)):
                continue
            line.claims += 1
            one = line
            fits += 1
        if fits == 1 and not kind & TOLD and time > self.blurred and (one.sure or kind & SURE):
            one.claimant = self.row

    cdef Py_ssize_t tell(self, int64_t[::1] lines, int64_t[::1] requests, Py_ssize_t found) noexcept nogil:
        """Take the first line away; a request that is the only one to claim it is told of."""
        cdef Line* line = &self.waiting[self.first]
        self.first = (self.first + 1) % MOST
        self.count -= 1
        if line.claims != 1 or line.claimant < 0:
            return found
        lines[found], requests[found] = line.row, line.claimant
        return found + 1


def mark(const int64_t[::1] numbers not None, uint8_t[::1] marks not None):
    """Set the marks that have these numbers."""
    cdef Py_ssize_t i
    for i in range(numbers.shape[0]):
        if not 0 <= numbers[i] < marks.shape[0]:
            raise ValueError("there is no mark of that number")
        marks[numbers[i]] = 1
