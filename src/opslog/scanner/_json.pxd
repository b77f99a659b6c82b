from libc.stdint cimport int32_t, uint8_t

from opslog.kernel._table cimport Table
from opslog.scanner._state cimport MatchState

ctypedef struct Key:
    int32_t text                # offset of the key in texts
    int32_t length
    int32_t parent              # table the key belongs to: 0 the object itself
    int32_t slot                # where its value goes, -1 nowhere
    int32_t table               # table of its object's keys, -1 not looked into

ctypedef struct Pair:           # of a quoted key or value what stands in the quotes
    int32_t key
    int32_t key_end
    int32_t value
    int32_t value_end
    bint key_escaped            # the key holds a backslash
    bint escaped                # the value does

ctypedef struct Shape:
    int32_t leaf
    int32_t required            # offset in numbers: count, then slots
    int32_t one_of              # offset in numbers: count, then slots of which one must have a value
    int32_t otherwise           # offset in numbers: count, then pairs (slot, slot used if it is null)
    int32_t kept                # offset in numbers: count, then the slots its leaf has, in their order
    int32_t epoch               # slot of seconds since the epoch, -1
    int32_t iso                 # slot of an ISO time, -1
    int32_t micros              # slot of microseconds since the epoch, -1
    int32_t severity            # slot of the level word, -1
    int32_t words               # its format's level words: the first one
    int32_t word_count

cdef enum:
    MOST_PAIRS = 100            # a record keeps no more attributes

cdef int32_t next_pair(const uint8_t* data, int32_t at, int32_t end, Pair* pair) noexcept nogil
cdef int32_t next_member(const uint8_t* data, int32_t at, int32_t end, Pair* pair) noexcept nogil
cdef bint begins_pair(const uint8_t* data, int32_t at, int32_t end) noexcept nogil

cdef class JsonTable:
    cdef Key* keys
    cdef Table known                    # numbers of keys, by their texts and tables
    cdef const uint8_t* texts
    cdef const int32_t* numbers
    cdef Shape* shapes
    cdef int32_t shape_count
    cdef bint pairs                     # of lines of KEY=VALUE, not of objects
    cdef readonly int32_t slots
    cdef const uint8_t* words           # level words: number, length, bytes
    cdef int32_t common                 # how many, from the first on, are of any format
    cdef tuple keep

    cdef int32_t match(self, const uint8_t* data, int32_t at, int32_t end,
                       int32_t* row, MatchState* state) noexcept nogil
