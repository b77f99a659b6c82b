# What matching a line told beside its spans, and what the next line's matching needs of it.

from libc.stdint cimport INT64_MIN, int32_t, int64_t, uint8_t, uint16_t
from libc.string cimport memcpy

from opslog.kernel._block cimport NONE
from opslog.scanner._prefix cimport BytePath
from opslog.scanner._shortcut cimport Route

ctypedef struct MatchState:
    int64_t time
    uint16_t flags              # LineFlag
    uint8_t severity
    int64_t reference           # local microseconds, for times without a year; INT64_MIN: none
    int64_t second              # value and text of the second read last: lines
    uint8_t[20] second_text     # that follow each other mostly share it
    int32_t tree                # number of the tree that took a line last
    int32_t furthest            # for diagnosis: where matching got to at the latest
    int32_t failed              # and the node that failed there
    Route* routes               # tried first, by how a line begins; or NULL
    BytePath* paths             # of the lines before: the next ones mostly begin likewise; or NULL
    uint8_t floor               # severities below are wanted by nobody, 0: all are wanted


cdef inline void begin_state(MatchState* state) noexcept nogil:
    """Make a state valid: the remembered second is a true one."""
    memcpy(state.second_text, b"1970-01-01 00:00:00\0", 20)
    state.second = 0
    state.time = 0
    state.flags = 0
    state.severity = 0
    state.reference = INT64_MIN
    state.tree = 0
    state.furthest = 0
    state.failed = NONE
    state.routes = NULL
    state.paths = NULL
    state.floor = 0
