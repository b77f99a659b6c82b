from libc.stdint cimport int16_t, int32_t, int64_t, uint8_t, uint64_t
from libc.string cimport memchr

from opslog.kernel._table cimport Table
from opslog.kernel._text cimport Buffer
from opslog.scanner._state cimport MatchState

ctypedef struct Key:
    int32_t text                # offset of the key in texts
    int32_t length
    int32_t parent              # table the key belongs to: 0 the object itself
    int32_t slot                # where its value goes, -1 nowhere
    int32_t table               # table of its object's keys, -1 not looked into

ctypedef struct Pair:           # of a quoted value what stands in the quotes
    int32_t key
    int32_t key_end
    int32_t value
    int32_t value_end
    bint escaped                # the value holds a backslash
cdef enum:
    NO_COLUMN = -1              # what a key of a shape fills: a slot of its leaf, or one of these
    READ = -2                   # the message
    INSIDE = 1                  # some of its object's keys fill columns
    OPENED = 2                  # likewise, and all of them are keys of the line

ctypedef struct Use:            # of a key, by one shape
    int16_t slot
    int16_t inside

ctypedef struct Unnamed:        # a value that fills no column
    int64_t key                 # where its key begins among those found, and its length
    int64_t key_size
    int32_t start               # the value: data[start:end]
    int32_t end

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
    int32_t host                # slot of the leaf that fills host_name, -1
    int32_t keeps               # whether keys that fill no column are kept
    int32_t stored              # slot of the attributes of a record as opslog writes it, -1: of others

cdef enum:
    MOST_PAIRS = 100            # a record keeps no more attributes

cdef int32_t next_pair(const uint8_t* data, int32_t at, int32_t end, Pair* pair) noexcept nogil
cdef bint begins_pair(const uint8_t* data, int32_t at, int32_t end) noexcept nogil

cdef class JsonTable:
    cdef Key* keys
    cdef Table known                    # numbers of keys, by their texts and tables
    cdef const uint8_t* texts
    cdef const int32_t* numbers
    cdef Shape* shapes
    cdef int32_t shape_count
    cdef bint pairs                     # of lines of KEY=VALUE, not of objects
    cdef int32_t key_count
    cdef uint64_t serial                # of all tables of this process
    cdef uint64_t* needs                # of each shape: the required slots modulo 64, as bits
    cdef uint64_t* own                  # of each shape: the slots of all its keys, as bits
    cdef Use* uses                # [shape, key]
    cdef readonly int32_t slots
    cdef const uint8_t* words           # level words: number, length, bytes
    cdef int32_t common                 # how many, from the first on, are of any format
    cdef tuple made_of                  # owns the tables' memory

    cdef int32_t match(self, const uint8_t* data, int32_t at, int32_t end,
                       int32_t* row, MatchState* state) noexcept nogil
    cdef int members(self, const uint8_t* data, int32_t at, int32_t end, bint ascii, Buffer* keys, Buffer* found) except -1 nogil
    cdef int unnamed(self, int32_t leaf, const uint8_t* data, int32_t at, int32_t end, const int32_t* row,
                     bint ascii, Buffer* keys, Buffer* found) except -1 nogil


cdef inline Py_ssize_t host_size(const uint8_t* text, Py_ssize_t size) noexcept nogil:
    """The length of a host without the port behind it; an IPv6 address has one only behind brackets."""
    cdef Py_ssize_t at = size
    while at > 0 and c'0' <= text[at - 1] <= c'9':
        at -= 1
    if at == size or at < 2 or text[at - 1] != c':' or (
            text[at - 2] != c']' and memchr(text, c':', at - 1) != NULL):
        return size
    return at - 1
