"""Which records may say that one request called another, and when requests were seen.

Both are answered from the bytes of the lines: a link needs two ids in one
record, and few records have two.  What a record really says is found out from
the columns of those few (correlate/links.py).
"""

cimport cython
from cpython.buffer cimport PyBuffer_FillInfo
from libc.stdint cimport int32_t, int64_t, uint8_t, uint64_t
from libc.stdlib cimport calloc, free, realloc
from libc.string cimport memchr, memcmp, memcpy

cdef extern from "string.h" nogil:
    void* memmem(const void*, size_t, const void*, size_t)

from opslog.assembly._records cimport Records
from opslog.kernel._block cimport Line, NONE, PART_BODY
from opslog.kernel._bytes cimport hash_bytes

cdef enum:
    UUID = 36
    ID = 40                     # `req-` and a UUID
    RECENT = 1024               # pairs and ids of a block remembered, so that most are told once
    WAYS = 4                    # ids that share a place in the table
    CONTEXT = 4                 # ids of a line's own at most: of more the first count
    LASTING = 600_000_000       # microseconds: what lives longer is mostly a task, of which few are

ctypedef struct Sight:          # when an id stood where a line says its own request
    uint64_t key                # hash of its UUID, 0: nothing
    int64_t first               # microseconds
    int64_t last
    int64_t users               # Users

cdef enum Users:                # what is said beside an id
    NAMED = 1                   # a user or project
    NOBODY = 2
    HEADS = 4                   # it is the record's own, not its cause
    ADOPTS = 8                  # its program works under the ids it is sent: of records alone

cdef enum Said:                 # what a record's lines hold beside ids
    WORDS = 1                   # of a client that tells what its call was
    KEY = 2                     # the name of a field that holds an id
    EVENT = 4                   # who began an audit event: it tells itself which request it is of


USERS, ADOPTED = (NAMED, NOBODY), ADOPTS


cdef inline bint an_id(const uint8_t* p, const uint8_t* end) noexcept nogil:
    """Whether `req-` and what is shaped like a UUID begin at p."""
    return (end - p >= ID and memcmp(p, b"req-", 4) == 0
            and p[12] == c'-' and p[17] == c'-' and p[22] == c'-' and p[27] == c'-')


cdef inline int words(const uint8_t* q, const uint8_t* end, bint in_json) noexcept nogil:
    """What the q of a word that ends in `equest` introduces: `request id `, `Request-ID`, ...

    The keys of a JSON line itself tell of its own request.
    """
    if end - q < 8 or memcmp(q - 1, b"equest", 6) != 0:
        return 0
    q += 5
    if (q[0] == c' ' or q[0] == c'-') and q[1] | 32 == c'i' and q[2] | 32 == c'd':
        return WORDS
    if q[0] == c'_' and q[1] == c'i' and q[2] == c'd' and not (in_json and q + 3 < end and q[3] == c'"'):
        return KEY
    return 0


cdef inline bint own(const uint8_t* line, const uint8_t* p) noexcept nogil:
    """Whether the id at p stands where a line says its own: `[req-`, `[None req-`, a JSON key."""
    if p - line < 16:
        return False
    return ((p - 1)[0] == c'[' or (p - 1)[0] == c'm' or memcmp(p - 2, b"[ ", 2) == 0
            or memcmp(p - 6, b"[None ", 6) == 0 or (line[0] == c'{' and memcmp(p - 7, b"_id\": \"", 7) == 0))


cdef inline bint is_stored_key(const uint8_t* line, const uint8_t* p) noexcept nogil:
    """Whether the id at p is the value of a key of a record as opslog writes it, whatever it is called."""
    return p - line > 16 and (memcmp(p - 6, b"_id\":\"", 6) == 0 or memcmp(p - 6, b".id\":\"", 6) == 0)


cdef inline int users(const uint8_t* p, const uint8_t* end) noexcept nogil:
    """Whether a user or a project is named behind the id that ends at p; 0 if nothing says so."""
    if end - p < 6 or p[0] != c' ':
        return 0
    if p[1] == c']' or memcmp(p, b" - -", 4) == 0 or memcmp(p, b" None]", 6) == 0 or (
            end - p > 9 and memcmp(p, b" None None", 10) == 0):
        return NOBODY
    return 0 if memcmp(p, b" req-", 5) == 0 else NAMED


@cython.final
cdef class Sights:
    """Ids seen in one block, as bytes for Sightings.add."""

    cdef Sight* data
    cdef Py_ssize_t used, capacity

    def __dealloc__(self):
        free(self.data)

    def __getbuffer__(self, Py_buffer* view, int flags):
        PyBuffer_FillInfo(view, self, self.data, self.used * sizeof(Sight), 0, flags)

    def __reduce__(self):
        return sights_of, (bytes(self),)

    cdef int put(self, Sight* sight) except -1 nogil:
        cdef Sight* grown
        if self.used == self.capacity:
            self.capacity = 2 * self.capacity + 64
            grown = <Sight*>realloc(self.data, self.capacity * sizeof(Sight))
            if grown == NULL:
                with gil:
                    raise MemoryError()
            self.data = grown
        self.data[self.used] = sight[0]
        self.used += 1
        return 0


def sights_of(bytes data not None):
    """Return the sights that were these bytes, in another process perhaps."""
    cdef Sights sights = Sights()
    cdef Py_ssize_t i
    for i in range(len(data) // <Py_ssize_t>sizeof(Sight)):
        sights.put(<Sight*><char*>data + i)
    return sights


def sightings_of(Py_ssize_t places, Py_ssize_t evicted, bytes data not None):
    """Return the sightings whose table was these bytes."""
    cdef Sightings sightings = Sightings(places)
    memcpy(sightings.table, <const char*>data, len(data))
    sightings.evicted = evicted
    return sightings


def find_links(Records records not None, const int64_t[::1] moments not None, const uint8_t[::1] timed,
         int32_t[::1] pairs not None, int32_t[::1] quotes not None, bint adopted,
         const uint8_t[::1] stored=None):
    """Return (how many pairs, how many quotes, sights) of the records.

    ``pairs`` is filled with the numbers of records that have two ids and
    nothing else of interest, one for each pair of ids at least; ``quotes`` with
    those whose message may tell of a call.  ``timed`` is the validity bitmap of
    ``moments``, None if all are known.  ``adopted``: the program works under the ids it is sent.
    ``stored`` says of each record that is as opslog writes it what its columns say (Users), 0 of others.
    """
    cdef Sights sights = Sights()
    cdef Sight* recent = <Sight*>calloc(RECENT, sizeof(Sight))
    cdef uint64_t* told = <uint64_t*>calloc(RECENT, sizeof(uint64_t))
    cdef int32_t i, j, at, ids, said, owned, pair_count = 0, quote_count = 0
    cdef uint64_t[CONTEXT] keys
    cdef int[CONTEXT] named
    cdef const uint8_t* start
    cdef const uint8_t* p
    cdef const uint8_t* end
    cdef const uint8_t* behind
    cdef const Line* line
    cdef uint64_t key, pair
    cdef bint known, as_stored, adopts
    if recent == NULL or told == NULL:
        free(recent)
        free(told)
        raise MemoryError()
    if min(moments.shape[0], pairs.shape[0], quotes.shape[0]) < records.count or (
            stored is not None and stored.shape[0] < records.count):
        raise ValueError("too little room")
    try:
        with nogil:
            for i in range(records.count):
                ids = said = owned = 0
                pair = 0
                behind = NULL
                as_stored = stored is not None and stored[i] != 0
                adopts = stored[i] & ADOPTS != 0 if as_stored else adopted
                known = timed is None or timed[i >> 3] >> (i & 7) & 1
                at = records.records[i].head
                while at != NONE:
                    line = &records.block.lines[at]
                    at = line.next
                    if line.part != PART_BODY:
                        continue
                    start = records.block.data + line.start
                    end = records.block.data + line.end
                    p = start + 2
                    while p < end:
                        p = <const uint8_t*>memchr(p, c'q', end - p)
                        if p == NULL:
                            break
                        if not an_id(p - 2, end):
                            said |= words(p, end, start < end and start[0] == c'{')
                            p += 1
                            continue
                        p -= 2
                        key = hash_bytes(p + 4, UUID, 0) | 1
                        ids += 1
                        pair = pair * <uint64_t>0x9E3779B97F4A7C15 + key
                        if ids > 1 and p > start and (p - 1)[0] == c'[':
                            said |= WORDS       # in front of a message: what was called
                        elif owned < CONTEXT and (is_stored_key(start, p) if as_stored else own(start, p) or (
                                p - 1 == behind and behind[0] == c' ')):
                            keys[owned] = key
                            named[owned] = stored[i] & (NAMED | NOBODY) if as_stored else users(p + ID, end)
                            owned += 1
                        behind = p + ID
                        p += ID
                    if said & KEY and memmem(start, end - start, b"initiator", 9) != NULL:
                        said |= EVENT
                # The context that an audit event is logged in may be one left behind.
                if known and not said & EVENT:
                    for j in range(owned):
                        see(sights, recent, keys[j], moments[i], named[j] | (HEADS if owned == 1 and not adopts else 0))
                if ((said & WORDS and ids > 0) or (said & KEY and ids > 1)
                        or (said & EVENT and ids > 0) or ids > 2):
                    quotes[quote_count] = i
                    quote_count += 1
                elif ids == 2 and told[pair % RECENT] != pair:
                    told[pair % RECENT] = pair
                    pairs[pair_count] = i
                    pair_count += 1
            for i in range(RECENT):
                if recent[i].key:
                    sights.put(&recent[i])
    finally:
        free(recent)
        free(told)
    return pair_count, quote_count, sights


cdef int see(Sights sights, Sight* recent, uint64_t key, int64_t time, int named) except -1 nogil:
    """Take note of an id; one that must make room for it is put out."""
    cdef Sight* sight = &recent[(key >> 1) % RECENT]
    if sight.key != key:
        if sight.key:
            sights.put(sight)
        sight.key = key
        sight.first = sight.last = time
        sight.users = 0
    sight.first = min(sight.first, time)
    sight.last = max(sight.last, time)
    sight.users |= named
    return 0


cdef inline bint goes_first(const Sight* sight, const Sight* other) noexcept nogil:
    """Whether a place is to be given to a new id before another one."""
    cdef bint lasting = <uint64_t>sight.last - <uint64_t>sight.first > LASTING
    cdef bint other_lasting = <uint64_t>other.last - <uint64_t>other.first > LASTING
    if sight.key == 0 or other.key == 0:
        return other.key != 0
    return sight.last < other.last if lasting == other_lasting else other_lasting


@cython.final
cdef class Sightings:
    """When ids were seen first and last, in a table of fixed size: new ids push out the stalest.

    Tasks stay: what they call would else be taken for one request of weeks.
    """

    cdef Sight* table
    cdef readonly Py_ssize_t places
    cdef readonly Py_ssize_t evicted

    def __cinit__(self, Py_ssize_t places):
        self.places = max(1, places // WAYS) * WAYS
        self.table = <Sight*>calloc(self.places, sizeof(Sight))
        if self.table == NULL:
            raise MemoryError()

    def __dealloc__(self):
        free(self.table)

    def __reduce__(self):
        table = <bytes>(<char*>self.table)[:self.places * <Py_ssize_t>sizeof(Sight)]
        return sightings_of, (self.places, self.evicted, table)

    cdef Sight* group(self, uint64_t key) noexcept nogil:
        return &self.table[key % <uint64_t>(self.places // WAYS) * WAYS]

    def add(self, Sights sights not None):
        """Take note of the ids of a block."""
        cdef Py_ssize_t i
        with nogil:
            for i in range(sights.used):
                self.put(&sights.data[i])

    def see(self, str id not None, int64_t time, object named, bint heads):
        """Take note of one id, `req-` and a UUID.

        ``named``: whether with a user, None if unknown; ``heads``: whether as a record's own.
        """
        cdef Sight sight
        cdef bytes text = id.encode()
        if an_id(text, <const uint8_t*><const char*>text + len(text)):
            sight.key = hash_bytes(<const uint8_t*><const char*>text + 4, UUID, 0) | 1
            sight.first = sight.last = time
            sight.users = (0 if named is None else NAMED if named else NOBODY) | (HEADS if heads else 0)
            self.put(&sight)

    cdef void put(self, Sight* sight) noexcept nogil:
        cdef Sight* group = self.group(sight.key)
        cdef Sight* place = group
        cdef int i
        for i in range(WAYS):
            if group[i].key == sight.key:
                group[i].first = min(group[i].first, sight.first)
                group[i].last = max(group[i].last, sight.last)
                group[i].users |= sight.users
                return
            if goes_first(&group[i], place):
                place = &group[i]
        self.evicted += place.key != 0
        place[0] = sight[0]

    def get(self, str id not None):
        """Return (first, last, whether it never had a user, whether it was a record's own).

        None if it is not known.
        """
        cdef bytes text = id.encode()
        cdef uint64_t key
        cdef Sight* group
        cdef int i
        if not an_id(text, <const uint8_t*><const char*>text + len(text)):
            return None
        key = hash_bytes(<const uint8_t*><const char*>text + 4, UUID, 0) | 1
        group = self.group(key)
        for i in range(WAYS):
            if group[i].key == key:
                return (group[i].first, group[i].last, group[i].users & (NAMED | NOBODY) == NOBODY,
                        group[i].users & HEADS != 0)
        return None
