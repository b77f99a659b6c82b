from libc.stdint cimport int16_t, int32_t, uint8_t, uint32_t, uint64_t

cdef enum:
    PREFIX = 48                 # bytes of a line that say what may take it
    PLACES = 49                 # before and behind each of them
    PATHS = 16                  # of lines kept, by how they begin
    TREES = 64                  # told apart
    BRANCHES = 512              # of them, told apart: 0 is any
    BRANCH_WORDS = 8
    MOST_STATES = 2048

ctypedef struct Path:
    int32_t size
    bint whole                  # behind it further bytes made no difference
    uint8_t[PREFIX] low         # what leads on where the line before was led: all bytes
    uint8_t[PREFIX] high        # from low to high
    int16_t[PLACES] states

cdef class Prefixes:
    cdef object forest                  # prefix.Forest, which knows where bytes lead
    cdef uint32_t* moves                # [state, ASCII byte]: see MOVE_..., 0 not yet known
    cdef int32_t[MOST_STATES] told      # per state: a number that stands for its trees and branches
    cdef uint64_t[MOST_STATES] trees    # per state: its trees, as bits; the last stands for all from there on
    cdef uint64_t* branches             # [state, word]: its branches, as bits

    cdef int note(self, int32_t state) except -1
    cdef uint32_t learn(self, int32_t state, uint8_t byte) noexcept with gil
    cdef uint32_t asked(self, int32_t state, uint8_t byte) noexcept
    cdef int32_t follow(self, const uint8_t* data, int32_t size, Path* paths) noexcept nogil
    cdef bint tells(self, int32_t state, int32_t other) noexcept nogil
    cdef int32_t leave(self, const uint8_t* data, int32_t at, int32_t stop, int32_t place, Path* path) noexcept nogil

cdef const uint64_t* every_branch() noexcept nogil
