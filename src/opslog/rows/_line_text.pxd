# Where the text of a line stands, and what must be done with it.

from libc.stdint cimport int32_t

from opslog.kernel._block cimport Block, ESCAPED, Line, NONE, SYSLOG
from opslog.kernel._text cimport CHECKED, JSON_STRING, NO_COLORS, RSYSLOG
from opslog.rows._plan cimport Plan, slot_of
from opslog.scanner._program cimport COLORED, ENVELOPE, FOLLOW_ON, JSON, Leaf, TRACEBACK


cdef inline int changes_of(Block block, const Line* line, const Leaf* leaf) noexcept nogil:
    """What put() must do with values of this line."""
    cdef int change = 0 if block.ascii else CHECKED
    if line.flags & ESCAPED:
        change |= JSON_STRING
    if line.flags & SYSLOG:
        change |= RSYSLOG
    if leaf != NULL and leaf.flags & COLORED:
        change |= NO_COLORS
    return change


cdef inline int text_changes(Block block, const Line* line, const Leaf* leaf, int32_t start) noexcept nogil:
    """Likewise, with the text at `start`: in JSON only what is in quotes is escaped."""
    cdef int change = changes_of(block, line, leaf)
    if change & JSON_STRING and (start == 0 or block.data[start - 1] != c'"'):
        change &= ~JSON_STRING
    return change


cdef inline void body_part(Plan plan, Block block, const Line* line, int32_t* start, int32_t* end) noexcept nogil:
    """What of a line is message text: all if its layout does not say; -1 if JSON has none."""
    cdef int32_t slot
    cdef const Leaf* leaf
    start[0] = line.start
    end[0] = line.end
    if line.leaf < 0:
        return
    leaf = &plan.lines.leaves[line.leaf]
    slot = slot_of(plan.lines, plan.body_slots, line.leaf)
    if slot >= 0:
        start[0] = block.spans[line.row + 2 * slot]
        end[0] = block.spans[line.row + 2 * slot + 1]
    elif leaf.flags & JSON:
        start[0] = NONE
    elif leaf.role == TRACEBACK or leaf.flags & (FOLLOW_ON | ENVELOPE):
        start[0] = line.end             # a prefix before nothing, or before what follows
