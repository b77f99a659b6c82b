"""Which bytes around a hit hold the records it is in, where the lines there alone tell.

A *sure head* is a line that begins a record whatever stands before it.  From one on, up to
a line that is neither one nor plain text behind one, all is told by these lines: a record
ends at the latest before the next head of its worker, or when its window has gone by.  Of
what lies further back only a block that a format declares (`until`) may overrule text, and
heads of its worker: where that could be, the window before is searched for its beginning.

See docs/decisions/0056-near-a-hit.md.
"""

from libc.stdint cimport int32_t, int64_t, uint64_t

from opslog.kernel._block cimport BAD_TIME, Block, CONTINUED, Line, MORE, NONE, PIECE, SIZES, SYSLOG, UNENDED
from opslog.scanner._program cimport ENVELOPE, HEAD, JSON, Leaf, LINED, Program, SECOND, STAMPED, UNLOGGED

cdef enum:
    MOST_OPEN = 16              # workers whose records hold a hit
    UNSURE = BAD_TIME | PIECE | SYSLOG | MORE | UNENDED | CONTINUED


cdef inline bint is_sure(Program program, const Line* line) noexcept nogil:
    """Whether a line begins a record, whatever stands before it but a declared block."""
    cdef const Leaf* leaf
    if line.leaf < 0 or line.outer != NONE or line.flags & UNSURE:
        return False
    leaf = &program.leaves[line.leaf]
    return (leaf.role == HEAD and leaf.flags & STAMPED and not leaf.closing_size
            and not leaf.flags & (ENVELOPE | LINED | UNLOGGED | SECOND))


cdef inline bint is_indented(Block block, const Line* line) noexcept nogil:
    return line.end > line.start and (block.data[line.start] == c' ' or block.data[line.start] == c'\t')


cdef inline bint is_text(Block block, const Line* line) noexcept nogil:
    """Whether a line is text that what stands directly before it takes, or nothing does.

    Of an indented one a margin decides, which is told at the source's beginning.
    """
    return line.leaf < 0 and line.outer == NONE and not line.flags & UNSURE and not is_indented(block, line)


cdef bint has_block_of_worker(Program program) noexcept nogil:
    """Whether a format declares blocks of one worker among several."""
    cdef int32_t i
    for i in range(program.leaf_count):
        if program.leaves[i].closing_size and program.leaves[i].worker[0] >= 0:
            return True
    return False


cdef bint no_block_before(Program program, Block block, int32_t begin, int32_t end) noexcept nogil:
    """Whether no declared block is open in the lines from `begin` to `end`."""
    cdef int32_t i
    if block.offset and block.lines[begin].first <= SIZES.window + SIZES.longest_line:
        return False
    for i in range(end):
        if block.lines[i].leaf < 0:
            if is_indented(block, &block.lines[i]):
                return False
        elif program.leaves[block.lines[i].leaf].closing_size:
            return False
    return True


cdef inline bint may_close(int64_t begin, int64_t end) noexcept nogil:
    """Whether bytes may hold a seam that is there for want of a better one."""
    cdef int64_t place = (end - SIZES.seam_within) // SIZES.seam_every * SIZES.seam_every
    return (end > SIZES.seam_within and place > 0
            and begin <= place + SIZES.seam_within + SIZES.longest_line)


def around(Program program not None, Block block not None, list places, bint ends):
    """Return where in a scanned block the records begin and end that hold the places, None if that is not sure.

    The places are in order, at least one; ``ends`` says that the source ends with the block.
    """
    cdef uint64_t[MOST_OPEN] workers
    cdef int64_t[MOST_OPEN] heads
    cdef int32_t opened = 0, i = 0, j, begin, owner
    cdef Py_ssize_t k = 0, count = len(places), place = places[0], size = block.size
    cdef const Line* line
    cdef bint hit, plain = not has_block_of_worker(program)
    while i < block.line_count and block.lines[i].stop <= place:
        i += 1
    if i == block.line_count:
        return None
    while not is_sure(program, &block.lines[i]):
        if i == 0 or not is_text(block, &block.lines[i]):
            return None
        i -= 1
    begin = owner = i
    while i < block.line_count:
        line = &block.lines[i]
        if is_sure(program, line):
            owner = i
            plain = plain and line.worker != 1
        elif is_text(block, line):
            plain = False
        else:
            return None
        j = 0
        while j < opened:
            if line.first - heads[j] > SIZES.window or (owner == i and workers[j] == line.worker):
                opened -= 1
                workers[j] = workers[opened]
                heads[j] = heads[opened]
            else:
                j += 1
        if not opened and k == count:
            size = line.first
            break
        hit = False
        while k < count and <Py_ssize_t>places[k] < line.stop:
            k += 1
            hit = True
        if hit and not program.leaves[block.lines[owner].leaf].flags & JSON:
            if opened == MOST_OPEN:
                return None
            workers[opened] = block.lines[owner].worker
            heads[opened] = block.lines[owner].first
            opened += 1
        i += 1
    else:
        if not ends:
            return None
    if not plain and not no_block_before(program, block, begin, i):
        return None
    if may_close(block.offset + block.lines[begin].first, block.offset + size):
        return None
    return block.lines[begin].first, size
