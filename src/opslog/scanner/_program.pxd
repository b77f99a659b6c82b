from libc.stdint cimport int16_t, int32_t, uint8_t, uint64_t

from opslog.scanner._json cimport JsonTable
from opslog.scanner._nodes cimport Node, Tables
from opslog.scanner._prefix cimport Prefixes
from opslog.scanner._shortcut cimport Left, Route, Shortcuts
from opslog.scanner._state cimport MatchState

cdef enum Role:
    HEAD = 0
    TRACEBACK = 1

cdef enum LeafFlag:
    STAMPED = 1                 # has a timestamp
    FOLLOW_ON = 2               # unrecognised lines continue its records
    COLORED = 4                 # color codes are removed from its fields
    JSON = 8                    # fields are values of keys, strings are escaped as in JSON
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
    LINED = 262144              # its tracebacks are printed line by line, each behind a head's beginning
    FOREMOST = 131072           # a message's: what it says counts before what its line says
    KEYED = 524288              # the line is pairs, KEY=VALUE: those of no column are attributes
    SECOND = 1048576            # behind the first line of a record of its format it belongs to that
    STORED = 2097152            # a record as opslog writes it: what it says is not told again

cdef enum:
    WORKERS = 7                 # captures that tell writers of one source apart
    MOST_DEPTH = 64             # nodes of one layout variant at most
    MOST_BLANKS = 15            # blanks in a tail layout at most
    LAST = 0x7FFFFFFF           # behind every layout

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
    int32_t closing             # what the last line of its block begins with: closings[closing:][:closing_size]
    int32_t closing_size        # 0: it opens no block
    int32_t[WORKERS] worker

cdef class Program:
    cdef const Node* nodes
    cdef const uint64_t* firsts         # per node: ASCII bytes it may begin with, as bits
    cdef const int32_t* roots           # first nodes of the trees, in the order of their layouts
    cdef int32_t root_count
    cdef Prefixes prefixes              # what of the trees may take what begins so
    cdef Shortcuts shortcuts            # how a line is known by its beginning alone
    cdef Tables tables
    cdef const int32_t* tails
    cdef const int32_t* details         # per format: the tree of its details, -1
    cdef int32_t format_count
    cdef const Leaf* leaves
    cdef const uint8_t* closings
    cdef const int16_t* slots           # [column, leaf]: slot of a column whose values need no change, -1
    cdef readonly int32_t leaf_count
    cdef readonly int32_t most_slots
    cdef JsonTable json
    cdef JsonTable pairs
    cdef list learned                   # of how lines begin, by scans that are over
    cdef dict made_of                   # what it was made of; owns the tables' memory

    cdef bint has_earlier(self, int32_t at, int32_t limit, const uint64_t* branches) noexcept nogil
    cdef int32_t match_tree(self, int32_t at, int32_t limit, const uint8_t* data, int32_t start,
                            int32_t end, int32_t* row, MatchState* state, bint heads,
                            const uint64_t* branches) noexcept nogil
    cdef int32_t match_route(self, const Route* route, const uint8_t* data, int32_t start, int32_t end,
                             int32_t* row, MatchState* state, bint heads) noexcept nogil
    cdef bint is_skimmed(self, const Left* left, int32_t* row, MatchState* state) noexcept nogil
    cdef int32_t count(self, Route* route, uint8_t first, int32_t leaf) except -2 nogil
    cdef int32_t match(self, const uint8_t* data, int32_t start, int32_t end,
                       int32_t* row, MatchState* state, bint heads) except -2 nogil
    cdef bint has_details(self, int32_t format) noexcept nogil
    cdef int32_t match_detail(self, int32_t format, const uint8_t* data, int32_t start, int32_t end,
                                 int32_t* row, MatchState* state) noexcept nogil
    cdef bint read(self, int32_t node, const uint8_t* data, int32_t start, int32_t end, MatchState* state) noexcept nogil
    cdef const int32_t* first_tail(self, int32_t format, int32_t level) noexcept nogil
    cdef int32_t match_tail(self, const int32_t* tail, int32_t level, const uint8_t* data,
                            int32_t start, int32_t end, int32_t* row, MatchState* state,
                            int32_t* at) noexcept nogil
