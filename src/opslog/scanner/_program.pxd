from libc.stdint cimport int16_t, int32_t, uint8_t, uint64_t

from opslog.scanner._json cimport JsonTable
from opslog.scanner._prefix cimport Prefixes
from opslog.scanner._shortcut cimport Route, Routes
from opslog.scanner._time cimport State

cdef enum Role:
    HEAD = 0
    TRACEBACK = 1

cdef enum LeafFlag:
    STAMPED = 1                 # has a timestamp
    FOLLOW_ON = 2               # unrecognised lines continue its records
    COLORED = 4                 # color codes are removed from its fields
    JSON = 8                    # fields are JSON values
    BARE = 16                   # its traceback lines look like its heads
    UTC = 32                    # its times without an offset are UTC
    GRADED = 64                 # has a severity
    ENVELOPE = 128              # its body is read as a line of its own
    STREAM = 256                # text in it that no layout takes continues the record before
    OCTAL = 512                 # rsyslog wrote its control characters as #ooo
    NEWLINES = 1024             # text in it without a newline is continued by the next
    INDENTED = 2048             # further lines of its text stand below the first, behind blanks
    UNFINISHED = 4096           # its text is continued by the next
    WEAK = 8192                 # text in it that no layout takes may as well be part of a message
    ALONE = 16384               # starts a record whatever is open, even without a timestamp
    HOLLOW = 32768              # nothing but the record it holds tells that it is one
    UNLOGGED = 65536            # begins a traceback that nobody logged
    FOREMOST = 131072           # a message's: what it says counts before what its line says

cdef enum:
    WORKERS = 6                 # captures that tell writers of one source apart
    MOST_DEPTH = 64             # nodes of one layout variant at most
    MOST_BLANKS = 15            # blanks in a tail layout at most
    LAST = 0x7FFFFFFF           # behind every layout

ctypedef struct Node:
    int32_t op
    int32_t a
    int32_t b
    int32_t slot                # capture number, -1: not kept
    int32_t child               # next node of the layout
    int32_t sibling             # tried where this node or what follows it fails
    int32_t leaf                # layout variant that ends here, -1
    int32_t order               # number of the first layout that goes through here
    int32_t then                # literal that must follow: offset in literals, length
    int32_t then_size
    int16_t more                # captures besides `slot` that end here: those before are written
    int16_t branch              # number by which Prefixes tells it from its siblings, 0: not
    int32_t width               # blanks fill the capture up to it: behind, before if negative
    uint64_t word               # a literal of at most 8 bytes
    uint64_t then_word

ctypedef struct Leaf:
    int32_t format
    int32_t layout
    int32_t role
    int32_t flags
    int32_t slots               # captures of the variant
    int32_t timestamp           # their slots, -1 where absent
    int32_t logger
    int32_t resource
    int32_t body
    int32_t level               # OpenTelemetry number the layout implies, 0: none
    int32_t[WORKERS] worker

cdef class Program:
    cdef const Node* nodes
    cdef const uint64_t* firsts         # per node: ASCII bytes it may begin with, as bits
    cdef const int32_t* roots           # first nodes of the trees, in the order of their layouts
    cdef int32_t root_count
    cdef Prefixes prefixes              # what of the trees may take what begins so
    cdef Routes routes                  # how a line is known by its beginning alone
    cdef const uint8_t* literals
    cdef const uint8_t* classes
    cdef const int32_t* words
    cdef const int32_t* times
    cdef const int32_t* tails
    cdef const int32_t* details         # per format: the tree of its details, -1
    cdef int32_t format_count
    cdef const Leaf* leaves
    cdef const int16_t* slots           # [column, leaf]: slot, see _columns.pyx
    cdef readonly int32_t columns       # columns and attributes together
    cdef readonly int32_t leaf_count
    cdef readonly int32_t most_slots
    cdef JsonTable json
    cdef tuple keep

    cdef bint earlier(self, int32_t at, int32_t limit, const uint64_t* branches) noexcept nogil
    cdef int32_t walk(self, int32_t at, int32_t limit, const uint8_t* data, int32_t start,
                      int32_t end, int32_t* row, State* state, bint heads, const uint64_t* branches) noexcept nogil
    cdef int32_t along(self, const Route* route, const uint8_t* data, int32_t start, int32_t end,
                       int32_t* row, State* state, bint heads) noexcept nogil
    cdef void note(self, int32_t tree, int32_t leaf, State* state) noexcept nogil
    cdef int32_t match(self, const uint8_t* data, int32_t start, int32_t end,
                       int32_t* row, State* state, bint heads) noexcept nogil
    cdef bint has_details(self, int32_t format) noexcept nogil
    cdef int32_t match_detail(self, int32_t format, const uint8_t* data, int32_t start, int32_t end,
                                 int32_t* row, State* state) noexcept nogil
    cdef bint read(self, int32_t node, const uint8_t* data, int32_t start, int32_t end, State* state) noexcept nogil
    cdef const int32_t* first_tail(self, int32_t format, int32_t level) noexcept nogil
    cdef int32_t match_tail(self, const int32_t* tail, int32_t level, const uint8_t* data,
                            int32_t start, int32_t end, int32_t* row, State* state,
                            int32_t* at) noexcept nogil

cdef void fresh(State* state) noexcept nogil
