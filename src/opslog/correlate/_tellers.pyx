"""Several lines that tell of one call, put together; and what several lines tell of it in turn.

Lines come in the order of what the call was (a key of path and status) and then of when it ended, so
that those of one call are near each other, whatever files they stand in.  Memory is of fixed size.
"""

cimport cython
from libc.stdint cimport int32_t, int64_t, uint8_t, uint64_t
from libc.stdlib cimport calloc, free, llabs

from opslog.kernel._bytes cimport hash_bytes

cdef enum:
    MOST = 1024                 # calls that wait for other tellers
    SECOND = 1_000_000
    WAIT = 30 * SECOND          # the longest time between the ends that two tellers tell
    APART = SECOND // 10        # clocks of two tellers, and what they round
    ALIKE = SECOND // 50        # what fits better by less than that fits as well
    UNTOLD = SECOND             # how long a call may have taken if nobody tells
    RANKS = 4                   # the service, its server, a proxy on its host, one further out
    FRONT = 2                   # from this rank on tellers are other processes

cdef uint8_t NOTHING = 0

ctypedef struct Times:          # microseconds
    int64_t low                 # it ended between low and high
    int64_t high
    int64_t length              # -1 unknown

ctypedef struct Call:
    Times times[RANKS]          # by the rank of the teller
    int64_t low                 # the earliest end that was told
    int64_t length              # as the innermost teller measured it that did, -1 if none did
    int32_t process             # -1 unknown
    uint64_t tellers            # a bit for each
    int32_t host
    int32_t service
    int32_t method
    int32_t route
    int32_t status
    int32_t ranks               # a bit for each
    int32_t inner               # the lowest rank


cdef int64_t distance(const Times* inner, const Times* outer) noexcept nogil:
    """How badly two tellings of a call fit, in microseconds; -1 if they cannot be of one."""
    cdef int64_t began, apart = 0
    if outer.length < 0:
        began = inner.low - (inner.length if inner.length >= 0 else UNTOLD)
        return APART if outer.high + APART >= began and outer.low - APART <= inner.high else -1
    began = outer.low - outer.length - APART
    if (inner.high - max(inner.length, 0) < began or inner.low > outer.high + APART
            or inner.high < outer.low - WAIT):
        return -1
    if inner.length >= 0:
        apart = llabs(outer.length - inner.length)
    if outer.high - outer.low < APART and inner.high - inner.low < APART:
        return apart + llabs(outer.low - inner.low)
    return apart + APART        # one of them tells whole seconds


cdef int64_t misfit(const Call* known, const Call* new, int rank) noexcept nogil:
    """How badly a telling fits a call that is known; -1 if it is another call's."""
    cdef int64_t least = WAIT, apart
    cdef const Times* one
    cdef const Times* other = &new.times[rank]
    cdef int i
    if known.tellers & new.tellers:
        return -1
    if known.method != new.method and known.method >= 0 and new.method >= 0:
        return -1
    if known.inner < FRONT and rank < FRONT:
        if known.process >= 0 and new.process >= 0:
            if known.process != new.process:
                return -1
        elif known.inner == rank:
            return -1
        if known.host != new.host and known.host >= 0 and new.host >= 0:
            return -1
        if known.service != new.service and known.service >= 0 and new.service >= 0:
            return -1
    for i in range(RANKS):
        if known.ranks >> i & 1:
            one = &known.times[i]
            if i > rank or (i == rank and one.length > other.length):
                apart = distance(other, one)
            else:
                apart = distance(one, other)
            if apart < 0:
                return -1
            least = min(least, apart)
    return least


cdef void unite(Call* call, const Call* new, int rank) noexcept nogil:
    """Take what a further teller knows; of what both know the inner one is believed."""
    cdef bint better = rank < call.inner or (rank == call.inner and call.method < 0)
    if call.length < 0 or (better and new.length >= 0):
        call.length = new.length
    if better:
        call.service, call.route, call.inner = new.service, new.route, rank
    if call.method < 0:
        call.method = new.method
    if call.process < 0 or (rank < FRONT and new.process >= 0):
        call.process = new.process
    if call.host < 0 or (rank < FRONT and new.host >= 0):
        call.host = new.host
    if not call.ranks >> rank & 1:
        call.times[rank] = new.times[rank]
        call.ranks |= 1 << rank
    call.tellers |= new.tellers


@cython.final
cdef class Calls:
    """The calls that tellings are of, each once."""

    cdef Call* waiting
    cdef Py_ssize_t first
    cdef Py_ssize_t count
    cdef int64_t key
    cdef readonly int most

    def __cinit__(self):
        self.most = MOST
        self.waiting = <Call*>calloc(MOST, sizeof(Call))
        if self.waiting == NULL:
            raise MemoryError()

    def __dealloc__(self):
        free(self.waiting)

    def unite(self, bint last, int64_t[::1] calls not None, int64_t[::1] call_lengths not None,
              const int64_t[::1] keys not None, const int64_t[::1] ends not None,
              const int64_t[::1] lengths not None, const int64_t[::1] whats not None,
              const int32_t[::1] whos not None, const int32_t[::1] processes not None):
        """Take tellings in the order of keys and ends; return how many calls are known to be told.

        What those were is written to ``calls`` and ``call_lengths``, which have room for ``most`` more than there
        are tellings.  With ``last`` all calls are told.  tellers.py says what is packed into ``whats`` and ``whos``.
        """
        cdef Py_ssize_t n = keys.shape[0], i, told = 0
        cdef int rank
        cdef int64_t what
        cdef Call new
        cdef Call* call
        if (min(ends.shape[0], lengths.shape[0], whats.shape[0], whos.shape[0], processes.shape[0]) < n
                or min(calls.shape[0], call_lengths.shape[0]) < n + MOST):
            raise ValueError("columns are not of one length")
        with nogil:
            for i in range(n):
                what = whats[i]
                new.status, new.route = what & 0x3FF, what >> 10 & 0xFFFFF
                new.method, new.service = (what >> 30 & 0xFFFF) - 1, (what >> 46 & 0xFFFF) - 1
                rank = whos[i] >> 1 & 0xF
                new.tellers, new.host = <uint64_t>1 << (whos[i] >> 5 & 0x3F), (whos[i] >> 11) - 1
                new.low, new.length, new.process = ends[i], lengths[i], processes[i]
                if rank >= RANKS:
                    told = write(&new, calls, call_lengths, told)
                    continue
                new.times[rank] = Times(ends[i], ends[i] + (SECOND if whos[i] & 1 else SECOND // 1000), lengths[i])
                new.inner, new.ranks = rank, 1 << rank
                while self.count and (keys[i] != self.key or self.count == MOST
                                      or self.waiting[self.first].low < new.low - WAIT - 2 * SECOND):
                    told = self.tell(calls, call_lengths, told)
                self.key = keys[i]
                call = self.find(&new, rank)
                if call != NULL:
                    unite(call, &new, rank)
                else:
                    self.waiting[(self.first + self.count) % MOST] = new
                    self.count += 1
            while last and self.count:
                told = self.tell(calls, call_lengths, told)
        return told

    cdef Call* find(self, const Call* new, int rank) noexcept nogil:
        """Return the call that a telling fits best, of several the one that waits longest; NULL for none."""
        cdef Py_ssize_t i
        cdef Call* call
        cdef Call* best = NULL
        cdef int64_t apart, least = 0
        for i in range(self.count):
            call = &self.waiting[(self.first + i) % MOST]
            apart = misfit(call, new, rank)
            if apart >= 0 and (best == NULL or apart < least - ALIKE):
                best, least = call, apart
        return best

    cdef Py_ssize_t tell(self, int64_t[::1] calls, int64_t[::1] lengths, Py_ssize_t told) noexcept nogil:
        told = write(&self.waiting[self.first], calls, lengths, told)
        self.first = (self.first + 1) % MOST
        self.count -= 1
        return told


cdef Py_ssize_t write(const Call* call, int64_t[::1] calls, int64_t[::1] lengths, Py_ssize_t told) noexcept nogil:
    calls[told] = (<int64_t>(call.service + 1) << 46 | <int64_t>(call.method + 1) << 30
                   | <int64_t>call.route << 10 | call.status)
    lengths[told] = call.length
    return told + 1


ctypedef struct Begun:
    uint64_t key                # 0: nothing
    int64_t method


@cython.final
cdef class BegunCalls:
    """The methods of calls that one line began and another will end; new ones push out old ones."""

    cdef Begun* table
    cdef Py_ssize_t places

    def __cinit__(self, Py_ssize_t places):
        self.places = max(1, places)
        self.table = <Begun*>calloc(self.places, sizeof(Begun))
        if self.table == NULL:
            raise MemoryError()

    def __dealloc__(self):
        free(self.table)

    def find_methods(self, const int64_t[::1] keys not None, const uint8_t[::1] begins not None,
                     int32_t[::1] methods not None):
        """Fill in the methods, -1 where unknown, of lines that end calls; lines come in their order.

        A key is what both lines of a call share.
        """
        cdef Py_ssize_t n = methods.shape[0], i
        cdef Begun* place
        cdef uint64_t key
        if min(keys.shape[0], begins.shape[0]) < n:
            raise ValueError("columns are not of one length")
        with nogil:
            for i in range(n):
                if not begins[i] and methods[i] >= 0:
                    continue
                key = <uint64_t>keys[i] | 1
                place = &self.table[(key >> 8) % <uint64_t>self.places]
                if begins[i]:
                    place.key, place.method = key, methods[i]
                elif place.key == key:
                    methods[i] = <int32_t>place.method


def hash_texts(const int32_t[::1] ends not None, const uint8_t[::1] data, const int64_t[::1] seeds not None,
               int64_t[::1] out not None):
    """Fill ``out`` with a hash of each text and its seed."""
    cdef Py_ssize_t n = out.shape[0], i, room = 0 if data is None else data.shape[0]
    cdef const uint8_t* text = &data[0] if room else &NOTHING
    check(ends, seeds, n, room)
    with nogil:
        for i in range(n):
            out[i] = <int64_t>hash_bytes(text + ends[i], ends[i + 1] - ends[i], <uint64_t>seeds[i])


def hash_paths(const int32_t[::1] ends not None, const uint8_t[::1] data, const int64_t[::1] seeds not None,
               int64_t[::1] out not None):
    """Fill ``out`` with a hash of the path of each target and its seed.

    Tellers print a target with or without its host, query, the prefix a service is mounted at
    (``/identity/v3``, ``/placement/``) and slashes at the end: these do not count.
    """
    cdef Py_ssize_t n = out.shape[0], i, begin, end, room = 0 if data is None else data.shape[0]
    cdef const uint8_t* text = &data[0] if room else &NOTHING
    check(ends, seeds, n, room)
    with nogil:
        for i in range(n):
            begin, end = path_in(text, ends[i], ends[i + 1])
            out[i] = <int64_t>hash_bytes(text + begin, end - begin, <uint64_t>seeds[i])


cdef int check(const int32_t[::1] ends, const int64_t[::1] seeds, Py_ssize_t n, Py_ssize_t room) except -1:
    cdef Py_ssize_t i
    if seeds.shape[0] < n or ends.shape[0] < n + 1:
        raise ValueError("columns are not of one length")
    for i in range(n):
        if not 0 <= ends[i] <= ends[i + 1] <= room:
            raise ValueError("texts end where there is none")
    return 0


cdef (Py_ssize_t, Py_ssize_t) path_in(const uint8_t* text, Py_ssize_t begin, Py_ssize_t end) noexcept nogil:
    cdef Py_ssize_t i = begin
    while i < end and text[i] != b"/" and text[i] != b"?" and text[i] != b"#":
        i += 1
    if begin < i and i + 1 < end and text[i - 1] == b":" and text[i] == b"/" and text[i + 1] == b"/":
        begin = i + 2
        while begin < end and text[begin] != b"/" and text[begin] != b"?" and text[begin] != b"#":
            begin += 1
    i = begin
    while i < end and text[i] != b"?" and text[i] != b"#":
        i += 1
    end = i
    while end > begin and text[end - 1] == b"/":
        end -= 1
    i = begin + 1
    while i < end and text[i] != b"/":
        i += 1
    if i + 2 < end and text[i + 1] == b"v" and b"0" <= text[i + 2] <= b"9":
        begin = i
    elif i - begin == 10 and i < end and text[begin + 1] == b"p" and text[begin + 2] == b"l" and text[begin + 9] == b"t":
        begin = i               # /placement/
    return begin, end
