from libc.stdint cimport int32_t, uint64_t

from opslog.scanner._prefix cimport BRANCH_WORDS

cdef enum:
    ROUTE = 12                  # nodes of a route at most

ctypedef struct Route:
    int32_t[ROUTE] nodes        # from a root on
    int32_t size
    int32_t common              # how many of them are on every way
    int32_t limit               # to what takes a line that begins so, but for layouts from this one on
    uint64_t[BRANCH_WORDS] branches     # what is left there
    bint known                  # whether it was asked for; without nodes there is none

cdef class Routes:
    cdef object ways                    # route.Ways, which knows them
    cdef Route* table                   # by leaf
    cdef Py_ssize_t count

    cdef int learn(self, int32_t leaf, Route* route) except -1
    cdef const Route* of(self, int32_t leaf) noexcept nogil
