from libc.stdint cimport int16_t, int32_t, int64_t, uint8_t, uint32_t, uint64_t

cdef enum:
    PREFIX = 48                 # bytes of a line that say what may take it
    PLACES = 49                 # before and behind each of them
    PATHS = 16                  # of lines kept, by how they begin
    BRANCHES = 1024             # of trees, told apart: 0 is any, the roots are the first
    BRANCH_WORDS = 16
    MOST_STATES = 16000
    MOVES = 129                 # of a state: ASCII bytes, and the line's end

ctypedef struct BytePath:       # what led the lines before
    int32_t size
    bint whole                  # behind it further bytes made no difference
    uint8_t[PREFIX] low         # what leads on where the line before was led: all bytes
    uint8_t[PREFIX] high        # from low to high
    int16_t[PLACES] states

cdef class Prefixes:
    cdef object trees                   # whose forest knows where bytes lead
    cdef int32_t count                  # of states
    cdef bint full                      # whether a state found no room
    cdef int32_t patience               # how often not to ask, as to unpack the trees costs more
    cdef uint32_t* moves                # [state, ASCII byte or END]: see MOVE_..., 0 not yet known
    cdef int32_t[MOST_STATES] sets      # per state: a number that stands for its branches
    cdef uint64_t* branches             # [state, word]: its branches, as bits

    cdef int add_state(self, int32_t state, forest) except -1
    cdef int64_t learn_move(self, int32_t state, uint8_t byte) except -1 nogil
    cdef int64_t ask_forest(self, int32_t state, uint8_t byte) except -1 with gil
    cdef int64_t remember_move(self, int32_t state, uint8_t byte, forest) except -1
    cdef int32_t follow(self, const uint8_t* data, int32_t size, BytePath* paths) except -1 nogil
    cdef int32_t follow_alone(self, const uint8_t* data, int32_t size) except -1 nogil
    cdef int32_t ended(self, int32_t state) except -1 nogil
    cdef bint allows(self, int32_t state, int32_t other) noexcept nogil
    cdef int32_t follow_apart(self, const uint8_t* data, int32_t at, int32_t size, int32_t state,
                              BytePath* path) except -1 nogil

cdef const uint64_t* every_branch() noexcept nogil
