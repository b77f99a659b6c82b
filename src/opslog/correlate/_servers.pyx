"""Which request each line of a server tells of: the one that fits, if that fits no other line.

Where a request fits several lines, they tell what all of them say alike, if no more requests claim
them than there are lines.  Requests and lines come by process, in the order of their times.  A line
waits until no request can fit any more.  Memory is of fixed size.
"""

cimport cython
from libc.stdint cimport int32_t, int64_t, uint8_t
from libc.stdlib cimport calloc, free

cdef enum:
    MOST = 4096                 # lines that wait, and requests

cdef enum Kind:                 # matching.py has the same numbers
    LINE = 1                    # of a server; else a request
    SURE = 2                    # no line is missing around it; a request: its path is known
    TOLD = 4                    # the request tells its status itself
    PASSED = 8                  # neither

cdef enum Known:                # matching.py has the same numbers
    STATUS = 1
    METHOD = 2
    PATH = 4
    DURATION = 8                # only one line fits

ctypedef struct Line:
    int64_t end
    int64_t path
    int64_t row
    int32_t method
    int32_t status
    int32_t claims              # requests that fit
    bint sure

ctypedef struct Request:
    int64_t end
    int64_t path
    int64_t row
    int64_t line                # row of the line that tells of it, -1 while there is none
    int32_t method
    int32_t status
    int32_t fits                # lines that fit
    int32_t left                # those of them that still wait
    uint8_t known
    bint lost                   # a line that fits is claimed by more requests than there are lines


cdef inline bint fits(const Line* line, const Request* request) noexcept nogil:
    return (line.row < request.row and line.end >= request.end
            and (not request.path or line.path == request.path)
            and (not request.method or line.method == request.method)
            and (not request.status or line.status == request.status))


@cython.final
cdef class Lines:
    """The lines of servers that may yet tell of a request, and the requests that they may tell of."""

    cdef Line* waiting
    cdef Request* claimants
    cdef Py_ssize_t first, count, first_claimant, claimant_count
    cdef int64_t group, row, blurred
    cdef readonly int most

    def __cinit__(self):
        self.most = MOST
        self.waiting = <Line*>calloc(MOST, sizeof(Line))
        self.claimants = <Request*>calloc(MOST, sizeof(Request))
        if self.waiting == NULL or self.claimants == NULL:
            raise MemoryError()

    def __dealloc__(self):
        free(self.waiting)
        free(self.claimants)

    @property
    def oldest(self):
        """The number of the first row that may still be told of."""
        cdef int64_t oldest = self.row
        cdef Py_ssize_t i
        cdef Request* request
        for i in range(self.count):
            oldest = min(oldest, self.waiting[(self.first + i) % MOST].row)
        for i in range(self.claimant_count):
            request = &self.claimants[(self.first_claimant + i) % MOST]
            oldest = min(oldest, request.row if request.line < 0 else min(request.row, request.line))
        return oldest

    def match(self, bint last, int64_t[::1] lines not None, int64_t[::1] requests not None,
              uint8_t[::1] known not None,
              const int64_t[::1] groups not None, const int64_t[::1] times not None,
              const int64_t[::1] ends not None, const int64_t[::1] paths not None,
              const int32_t[::1] methods not None, const int32_t[::1] statuses not None,
              const uint8_t[::1] kinds not None):
        """Take rows in the order of groups and times; return how many lines have their request now.

        ``lines`` and ``requests`` are filled with the numbers of their rows, counted over all calls, and ``known``
        with what the line tells of the request (Known); they have room for ``most`` more than there are rows.
        Rows of one group are of one process; ``times`` and ``ends`` are when a line's call began at the earliest
        and ended at the latest, and a request's first and last record.  A path, method or status of 0 is not known.
        """
        cdef Py_ssize_t n = groups.shape[0], i, found = 0
        if (min(times.shape[0], ends.shape[0], paths.shape[0], methods.shape[0], statuses.shape[0], kinds.shape[0]) < n
                or min(lines.shape[0], requests.shape[0], known.shape[0]) < n + MOST):
            raise ValueError("columns are not of one length")
        with nogil:
            for i in range(n):
                while self.count and (groups[i] != self.group or self.waiting[self.first].end < times[i]):
                    found = self.tell(lines, requests, known, found)
                if groups[i] != self.group:
                    self.group, self.blurred = groups[i], -1 << 62
                if kinds[i] & PASSED:
                    pass
                elif kinds[i] & LINE:
                    if self.count == MOST:
                        # It may fit requests to come: none is told of until it has ended.
                        self.blurred = max(self.blurred, self.waiting[self.first].end)
                        found = self.tell(lines, requests, known, found)
                    self.waiting[(self.first + self.count) % MOST] = Line(
                        ends[i], paths[i], self.row, methods[i], statuses[i], 0, kinds[i] & SURE != 0)
                    self.count += 1
                else:
                    self.claim(Request(ends[i], paths[i], self.row, -1, methods[i], statuses[i], 0, 0, 0, False),
                               times[i], kinds[i])
                self.row += 1
            while last and self.count:
                found = self.tell(lines, requests, known, found)
        return found

    cdef void claim(self, Request request, int64_t time, int kind) noexcept nogil:
        """Let a request claim all lines that it fits."""
        cdef Py_ssize_t i
        cdef bint sure = True
        cdef Line* line
        cdef Line* one = NULL
        request.known = STATUS | METHOD | PATH
        for i in range(self.count):
            line = &self.waiting[(self.first + i) % MOST]
            if not fits(line, &request):
                continue
            line.claims += 1
            request.fits += 1
            sure &= line.sure
            if one == NULL:
                one = line
            if line.status != one.status:
                request.known &= ~STATUS
            if line.method != one.method:
                request.known &= ~METHOD
            if line.path != one.path:
                request.known &= ~PATH
        if (one == NULL or kind & TOLD or time <= self.blurred or not (sure or kind & SURE)
                or not request.known & STATUS or self.claimant_count == MOST):
            return
        if request.fits == 1:
            request.known |= DURATION
        request.left = request.fits
        self.claimants[(self.first_claimant + self.claimant_count) % MOST] = request
        self.claimant_count += 1

    cdef Py_ssize_t tell(self, int64_t[::1] lines, int64_t[::1] requests, uint8_t[::1] known,
                         Py_ssize_t found) noexcept nogil:
        """Take the first line away; tell of the requests that wait for no other.

        Of as many lines as claim them, whichever each has, requests get one each.
        """
        cdef Line* line = &self.waiting[self.first]
        cdef Request* request
        cdef bint given = False
        cdef Py_ssize_t i
        self.first = (self.first + 1) % MOST
        self.count -= 1
        for i in range(self.claimant_count if line.claims else 0):
            request = &self.claimants[(self.first_claimant + i) % MOST]
            if not request.left or not fits(line, request):
                continue
            request.left -= 1
            request.lost |= line.claims > request.fits
            if request.line < 0 and not given and not request.lost:
                request.line, given = line.row, True
            if not request.left and not request.lost and request.line >= 0:
                lines[found], requests[found], known[found] = request.line, request.row, request.known
                found += 1
        while self.claimant_count and not self.claimants[self.first_claimant].left:
            self.first_claimant = (self.first_claimant + 1) % MOST
            self.claimant_count -= 1
        return found


def mark(const int64_t[::1] numbers not None, uint8_t[::1] marks not None):
    """Set the marks that have these numbers."""
    cdef Py_ssize_t i
    for i in range(numbers.shape[0]):
        if not 0 <= numbers[i] < marks.shape[0]:
            raise ValueError("there is no mark of that number")
        marks[numbers[i]] = 1
