"""Which rows repeat a message within a window of time.

Rows of batches as numbers: what they stand for, dedup.py knows.
"""

cimport cython
from libc.stdint cimport int32_t, int64_t, uint64_t
from libc.stdlib cimport calloc, free

from opslog.kernel._table cimport Place, Table, begin_table, first_place, next_place, put_item
from opslog.kernel._text cimport Buffer, need

cdef enum:
    NONE = -1


cdef inline int add_int(Buffer* out, int64_t value) except -1 nogil:
    need(out, 8)
    (<int64_t*>(out.data + out.used))[0] = value
    out.used += 8
    return 0


cdef inline list ints_of(const Buffer* found):
    cdef Py_ssize_t i
    return [(<const int64_t*>found.data)[i] for i in range(found.used // 8)]


ctypedef struct Window:         # what is known of one message
    uint64_t name
    int64_t begin
    int64_t repeats
    int64_t since               # time of the first repeat
    int64_t last                # number of the last repeat's row
    int64_t size                # its bytes
    int32_t number              # its message in the batch, NONE
    int32_t before              # the window that began before it, NONE
    int32_t behind              # the next one; of those not in use, the next one of these


@cython.final
cdef class Windows:
    """Windows of ``length``, at most ``most`` at a time, with at most ``most_bytes`` of repeats."""

    cdef Window* windows
    cdef int64_t length
    cdef int32_t most
    cdef int64_t most_bytes
    cdef int64_t bytes
    cdef int32_t count
    cdef int32_t oldest
    cdef int32_t newest
    cdef int32_t spare
    cdef readonly int64_t let_go    # ended before their time: there were too many
    cdef Table names                # of the windows when a batch begins
    cdef Buffer numbers             # int32 per message of the batch: its window, NONE
    cdef Buffer passed
    cdef Buffer marks

    def __init__(self, int64_t length, int32_t most, int64_t most_bytes):
        cdef int32_t i
        self.length, self.most, self.most_bytes = length, most, most_bytes
        self.windows = <Window*>calloc(most + 1, sizeof(Window))
        if self.windows == NULL:
            raise MemoryError()
        for i in range(most + 1):
            self.windows[i].behind = i + 1 if i < most else NONE
        self.oldest = self.newest = NONE

    def __dealloc__(self):
        free(self.windows)
        free(self.names.places)
        free(self.numbers.data)
        free(self.passed.data)
        free(self.marks.data)

    def feed(self, const int32_t[::1] messages not None, const uint64_t[::1] names not None,
             const int64_t[::1] times not None, const int64_t[::1] sizes not None, int64_t first):
        """See what passes of a batch, whose rows are numbered from ``first`` on.

        ``messages`` are numbers of each row's message, ``names`` what the numbers stand for, each
        once.
        """
        cdef Py_ssize_t row, count = messages.shape[0]
        cdef int32_t* numbers
        cdef int32_t message, at
        cdef Window* window
        if times.shape[0] < count or sizes.shape[0] < count:
            raise ValueError("fewer times or sizes than rows")
        self.open(names)
        with nogil:
            numbers = <int32_t*>self.numbers.data
            for row in range(count):
                message = messages[row]
                if not 0 <= message < names.shape[0]:
                    with gil:
                        raise IndexError(message)
                while self.oldest != NONE and self.ended(self.oldest, times[row]):
                    self.end(self.oldest)
                at = numbers[message]
                if at != NONE and self.ended(at, times[row]):
                    self.end(at)
                    at = NONE
                if at == NONE:
                    numbers[message] = self.begin(names[message], message, times[row])
                    add_int(&self.passed, first + row)
                else:
                    window = &self.windows[at]
                    if not window.repeats:
                        window.since = times[row]
                    window.repeats += 1
                    window.last = first + row
                    self.bytes += sizes[row] - window.size
                    window.size = sizes[row]
                while self.count > self.most or self.bytes > self.most_bytes:
                    self.end(self.oldest)
                    self.let_go += 1

    def close(self):
        """End all windows."""
        while self.oldest != NONE:
            self.end(self.oldest)

    def taken(self):
        """Return the rows that pass, in order, and of some of these the place, repeats and since."""
        cdef Py_ssize_t i
        passed, marks = ints_of(&self.passed), ints_of(&self.marks)
        self.passed.used = self.marks.used = 0
        return passed, marks[::3], marks[1::3], marks[2::3]

    def waiting(self):
        """Return the rows that stand for repeats, which are numbered anew from 0 on."""
        cdef int32_t at = self.oldest
        cdef list rows = []
        while at != NONE:
            if self.windows[at].repeats:
                rows.append(self.windows[at].last)
                self.windows[at].last = len(rows) - 1
            at = self.windows[at].behind
        return rows

    cdef int open(self, const uint64_t[::1] names) except -1:
        """Find the windows that the messages of a batch have."""
        cdef int32_t* numbers
        cdef int32_t at = self.oldest
        cdef Py_ssize_t i
        cdef Place* place
        begin_table(&self.names, 1024)
        while at != NONE:
            self.windows[at].number = NONE
            put_item(&self.names, self.place_of(self.windows[at].name), self.windows[at].name, at)
            at = self.windows[at].behind
        self.numbers.used = 0
        need(&self.numbers, 4 * names.shape[0])
        numbers = <int32_t*>self.numbers.data
        for i in range(names.shape[0]):
            at = self.place_of(names[i]).item
            numbers[i] = at if at >= 0 else NONE
            if at >= 0:
                self.windows[at].number = <int32_t>i
        return 0

    cdef Place* place_of(self, uint64_t name) noexcept nogil:
        cdef Place* place = first_place(&self.names, name)
        while place.item >= 0 and place.hash != name:
            place = next_place(&self.names, place)
        return place

    cdef bint ended(self, int32_t at, int64_t moment) noexcept nogil:
        """Whether the time is as much earlier or later: the difference of any two fits."""
        cdef int64_t begin = self.windows[at].begin
        cdef uint64_t apart = (<uint64_t>moment - <uint64_t>begin if moment > begin
                               else <uint64_t>begin - <uint64_t>moment)
        return apart >= <uint64_t>self.length

    cdef int32_t begin(self, uint64_t name, int32_t number, int64_t moment) noexcept nogil:
        cdef int32_t at = self.spare
        cdef Window* window = &self.windows[at]
        self.spare = window.behind
        window[0] = Window(name, moment, 0, 0, 0, 0, number, self.newest, NONE)
        if self.newest != NONE:
            self.windows[self.newest].behind = at
        else:
            self.oldest = at
        self.newest = at
        self.count += 1
        return at

    cdef int end(self, int32_t at) except -1 nogil:
        cdef Window* window = &self.windows[at]
        if window.before != NONE:
            self.windows[window.before].behind = window.behind
        else:
            self.oldest = window.behind
        if window.behind != NONE:
            self.windows[window.behind].before = window.before
        else:
            self.newest = window.before
        if window.number != NONE:
            (<int32_t*>self.numbers.data)[window.number] = NONE
        window.behind = self.spare
        self.spare = at
        self.count -= 1
        self.bytes -= window.size
        if window.repeats:
            add_int(&self.marks, self.passed.used // 8)
            add_int(&self.marks, window.repeats)
            add_int(&self.marks, window.since)
            add_int(&self.passed, window.last)
        return 0
