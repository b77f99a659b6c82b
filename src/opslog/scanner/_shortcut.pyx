"""The shortcuts that lines led to so far, and what is tried first of lines that begin alike.

Shortcuts are the nodes behind which few other layouts are left (shortcut.py).  They are
asked for once many lines had their leaf.  Lines that begin alike are mostly of a few
leaves: the shortcuts to these share their first nodes, as a tree of steps.
"""

cimport cython
from libc.stdint cimport int32_t, uint8_t
from libc.stdlib cimport calloc, free
from libc.string cimport memcpy

from opslog.kernel._block cimport NONE
from opslog.scanner._prefix cimport BRANCH_WORDS

cdef enum:
    MANY = 512                  # lines of a leaf, from which on its shortcut is asked for
    SOME = 32                   # from which on a known one is used

cdef Py_ssize_t HEAD_SIZE = sizeof(Shortcut) - MOST_NODES * sizeof(Left)

LONGEST_SHORTCUT = MOST_NODES
STREAK = MANY

BEGINNINGS = ("0-9", "A-Z", "a-z", None)
"""The first bytes of each kind of lines, as a class; None are all others."""


cdef inline int32_t kind_of(uint8_t first) noexcept nogil:
    """The number of the kind of lines that begin with the byte."""
    if c'0' <= first <= c'9':
        return 0
    if c'A' <= first <= c'Z':
        return 1
    return 2 if c'a' <= first <= c'z' else 3


cdef Route* route_of(Route* routes, const uint8_t* data, int32_t size) noexcept nogil:
    """The route of lines that begin as the text does, which is not empty: of one kind."""
    # A date is mostly told apart by what stands behind it.
    cdef int32_t shape = data[0] * 5 + (data[10] >> 4 if size > 10 else 0)
    return &routes[kind_of(data[0]) * (ROUTES // KINDS) + shape % (ROUTES // KINDS)]


cdef int add_shortcut(Route* route, const Shortcut* shortcut) noexcept nogil:
    """Put the steps of a shortcut among those of a route, as far as there is room."""
    cdef int32_t i, at = 0, above = NONE
    cdef Step* step
    for i in range(shortcut.size):
        # Step 0 is the first beside which others stand.
        if above == NONE:
            at = 0 if route.size else NONE
        else:
            at = route.steps[above].below
        while at != NONE and route.steps[at].node != shortcut.nodes[i] and route.steps[at].beside != NONE:
            at = route.steps[at].beside
        if at == NONE or route.steps[at].node != shortcut.nodes[i]:
            if route.size == MOST_STEPS:
                return 0
            step = &route.steps[route.size]
            step.node = shortcut.nodes[i]
            step.left = &shortcut.left[i]
            step.below = step.beside = NONE
            if at != NONE:
                route.steps[at].beside = route.size
            elif above != NONE:
                route.steps[above].below = route.size
            at = route.size
            route.size += 1
        above = at
    return 0


@cython.final
cdef class Shortcuts:
    """The shortcuts asked for so far; ``count`` leaves may have some."""

    def __init__(self, trees, int32_t count, known=()):
        """Begin with the shortcuts that ``known`` returned."""
        cdef int32_t at
        self.trees = trees
        self.count = count
        self.table = <Shortcut**>calloc(max(1, KINDS * count), sizeof(Shortcut*))
        if self.table == NULL:
            raise MemoryError()
        for at, packed in known:
            if not 0 <= at < KINDS * count or len(packed) < HEAD_SIZE:
                raise IndexError(at)
            self.table[at] = <Shortcut*>calloc(1, len(packed))
            if self.table[at] == NULL:
                raise MemoryError()
            memcpy(self.table[at], <const char*>packed, len(packed))

    def ask_all(self):
        """Ask for the shortcuts of all leaves."""
        cdef int32_t leaf, kind
        for leaf in range(self.count):
            for kind in range(KINDS):
                if self.table[KINDS * leaf + kind] == NULL:
                    self.ask_finder(leaf, kind)

    def known(self):
        """Return the shortcuts asked for so far: their places and what they are."""
        cdef int32_t at
        cdef list found = []
        for at in range(KINDS * self.count):
            if self.table[at] != NULL:
                size = HEAD_SIZE + self.table[at].size * <Py_ssize_t>sizeof(Left)
                found.append((at, <bytes>(<const char*>self.table[at])[:size]))
        return found

    def __dealloc__(self):
        cdef int32_t i
        if self.table != NULL:
            for i in range(KINDS * self.count):
                free(self.table[i])
        free(self.table)

    cdef const Shortcut* ask_finder(self, int32_t leaf, int32_t kind) except NULL with gil:
        """Return the shortcut of lines of a kind to a leaf; where there is none its size is 0."""
        cdef int32_t i, at = KINDS * leaf + kind
        cdef Left* left
        cdef bytes branches
        cdef Shortcut* shortcut
        found = self.trees.finder.find(leaf, kind) or []
        if len(found) > MOST_NODES:
            raise ValueError(f"more than {MOST_NODES} nodes")
        if self.table[at] != NULL:          # another thread asked meanwhile: the answer is the same
            return self.table[at]
        shortcut = <Shortcut*>calloc(1, sizeof(Shortcut))
        if shortcut == NULL:
            raise MemoryError()
        for i, (node, common, limit, allowed, settled, unsure) in enumerate(found):
            left = &shortcut.left[i]
            shortcut.nodes[i] = node
            left.common = common
            left.limit = limit
            left.settled = settled
            left.unsure = unsure
            branches = allowed.to_bytes(8 * BRANCH_WORDS, "little")
            memcpy(left.branches, <const char*>branches, 8 * BRANCH_WORDS)
        shortcut.size = <int32_t>len(found)
        self.table[at] = shortcut
        return shortcut

    cdef int count_line(self, Route* route, uint8_t first, int32_t leaf) except -1 nogil:
        """Count a line that no shortcut led to; those of a leaf that has many get one."""
        cdef int32_t at = leaf % CANDIDATES, kind = kind_of(first)
        cdef const Shortcut* shortcut
        if not 0 <= leaf < self.count:
            return 0
        if route.leaves[at] != leaf:
            if route.counts[at]:
                route.counts[at] -= 1
                return 0
            route.leaves[at] = leaf
        route.counts[at] += 1
        if route.counts[at] < SOME:
            return 0
        shortcut = self.table[KINDS * leaf + kind]
        if shortcut == NULL:
            if route.counts[at] < MANY:
                return 0
            shortcut = self.ask_finder(leaf, kind)
        route.counts[at] = 0
        add_shortcut(route, shortcut)
        return 0
