"""Routes: the nodes behind which no other layout needs to be asked, as the scanner reads them."""

from libc.stdint cimport int32_t
from libc.stdlib cimport calloc, free
from libc.string cimport memcpy

from opslog.scanner._prefix cimport BRANCH_WORDS

MOST_NODES = ROUTE


cdef class Routes:
    """The routes asked for so far."""

    def __init__(self, ways, Py_ssize_t count):
        self.ways = ways
        self.count = count
        self.table = <Route*>calloc(max(1, count), sizeof(Route))
        if self.table == NULL:
            raise MemoryError()

    def __dealloc__(self):
        free(self.table)

    cdef const Route* of(self, int32_t leaf) noexcept nogil:
        """Return the route to a leaf, NULL if there is none."""
        cdef Route* route
        if not 0 <= leaf < self.count:
            return NULL
        with gil:
            route = &self.table[leaf]
            if not route.known:
                self.learn(leaf, route)
        return route if route.size else NULL

    cdef int learn(self, int32_t leaf, Route* route) except -1:
        cdef Py_ssize_t i
        cdef bytes branches
        route.known = True
        found = self.ways.route(leaf)
        if found is not None:
            nodes, common, limit, left = found
            branches = left.to_bytes(8 * BRANCH_WORDS, "little")
            memcpy(route.branches, <const char*>branches, 8 * BRANCH_WORDS)
            for i in range(min(len(nodes), ROUTE)):
                route.nodes[i] = nodes[i]
            route.common = common
            route.limit = limit
            route.size = <int32_t>min(len(nodes), ROUTE)
        return 0
