# Shortcuts: nodes behind which few layouts are left, and those known of lines that begin alike.

from libc.stdint cimport int32_t, uint8_t, uint32_t, uint64_t

from opslog.scanner._prefix cimport BRANCH_WORDS

cdef enum:
    MOST_NODES = 12             # of a shortcut
    KINDS = 4                   # of first bytes: shortcuts hold for lines that begin so
    ROUTES = 64                 # kept, by how lines begin
    MOST_STEPS = 40             # of a route
    CANDIDATES = 8              # leaves of which lines are counted

ctypedef struct Left:           # behind some nodes: what may take a line that matches them
    int32_t common              # how many of them are on every way, 0: not told
    int32_t limit               # to what takes such a line, but for layouts from this one on
    int32_t settled             # a node whose layout is like that of such a line but for what follows, NONE
    uint32_t unsure             # not at these severities, as bits
    uint64_t[BRANCH_WORDS] branches

ctypedef struct Shortcut:       # nodes behind which few layouts are left
    int32_t size                # 0: there is none
    int32_t[MOST_NODES] nodes   # from a root on
    Left[MOST_NODES] left       # behind each of them

ctypedef struct Step:
    int32_t node
    int32_t below               # the step behind it where its node matched, NONE: no further
    int32_t beside              # the one tried instead where it did not
    const Left* left

ctypedef struct Route:          # shortcuts of lines that begin alike, as a tree; zeros are none
    int32_t size
    int32_t[CANDIDATES] leaves  # of lines that no shortcut led to, and how many there were
    int32_t[CANDIDATES] counts
    Step[MOST_STEPS] steps

cdef class Shortcuts:
    cdef object trees           # whose finder knows them
    cdef Shortcut** table       # by leaf and kind: NULL until asked for
    cdef int32_t count

    cdef const Shortcut* ask_finder(self, int32_t leaf, int32_t kind) except NULL with gil
    cdef int count_line(self, Route* route, uint8_t first, int32_t leaf) except -1 nogil

cdef Route* route_of(Route* routes, const uint8_t* data, int32_t size) noexcept nogil
