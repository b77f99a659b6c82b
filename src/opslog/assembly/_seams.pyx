"""Seams: the places of a source where no record goes on, so that it can be read in parts.

How long a record stays open depends on where it began, and so, in a chain of them, on
everything before.  Behind each multiple of ``seam_every`` bytes there is one place where
that ends:

1. The seam is before the first ``seam_heads`` sure heads in a row.  A sure head is a line
   whose layout alone says that it begins a record; on the way to a seam nothing overrules
   that.  With the last of these heads every record before the seam closes.  What is known
   then is what these heads tell, and nothing else.
2. Where ``seam_within`` bytes hold no such row, the seam is before the next line, and every
   record closes there.

Both are told by the bytes behind the multiple alone: a reader that begins there finds the
same seam, and from there on the same records.  See docs/decisions/0043-seams.md.
"""

from libc.stdint cimport INT64_MAX, int32_t, int64_t
from libc.string cimport memmove

from opslog.assembly._records cimport OpenRecords, Records
from opslog.kernel._block cimport Block, CLOSED, DATED, Line, MORE, NONE, PIECE, Record, SIZES
from opslog.scanner._program cimport ALONE, ENVELOPE, HEAD, Leaf, LINED, Program, SECOND, STAMPED, UNLOGGED


cdef class SeamedRecords(OpenRecords):
    """The open records of one source, or of a part of it."""

    def __cinit__(self, Program program not None):
        self.stamped = -self.window - 1
        self.origin = self.place = -1
        self.stop = self.ends = INT64_MAX

    def bound(self, int64_t begin, int64_t stop):
        """Give only the records from the seam behind ``begin`` to that behind ``stop``.

        Both are multiples of ``seam_every``; negative, ``stop`` is the end of the source.
        The first block begins with the first line that begins at ``begin`` or behind it.
        """
        self.seeking = begin > 0
        self.place = begin or SIZES.seam_every
        self.stop = stop if stop >= 0 else INT64_MAX
        self.origin = begin - 2 * self.window if begin else 0       # what the first window tells is known

    def go_on(self, int64_t offset, int64_t stop, int64_t dated):
        """Give only the records from the line at ``offset`` on, before which every record has ended.

        ``dated`` is where the last of those with a time begins, -1 without any; ``stop`` as in bound.
        """
        if dated >= 0:
            self.stamped = dated
        self.last_dated = self.dated_before = dated
        self.begins = offset
        self.stop = stop if stop >= 0 else INT64_MAX
        self.origin = 0

    def go_past(self, SeamedRecords before not None):
        """Go on with the part of ``before``, of which some blocks are left out."""
        self.stop = before.stop
        self.begins = before.begins
        self.ends = before.ends
        self.origin = -2 * self.window      # what the first window tells is known

    @property
    def dated(self):
        """Where the last record before the cut begins that has a time, -1 if none or before a seam."""
        return -1 if self.dated_before < self.seam <= self.cut else self.dated_before

    @property
    def begin(self):
        """Where the part begins: the seam, once that has come."""
        return self.begins

    @property
    def sought(self):
        """Whether the seam where the part begins has not come: until then no block can be left out."""
        return self.seeking

    @property
    def over(self):
        """Whether the part has ended: nothing of it is still to come."""
        return self.ends < INT64_MAX

    cdef void date(self, int32_t number) noexcept nogil:
        """Take note that a record has a time."""
        self.stamped = self.records[number].offset
        self.records[number].flags |= DATED

    cdef void enter(self, int64_t offset) noexcept nogil:
        """Take note of where the first block begins."""
        if self.origin == -1:
            self.origin = offset
        if self.place == -1:
            self.place = max(SIZES.seam_every, next_place(offset))

    cdef bint is_sure(self, Block block, int32_t i) noexcept nogil:
        """Whether a line's layout alone says that it is the head of a record."""
        cdef const Line* line = &block.lines[i]
        cdef const Leaf* leaf
        if line.leaf < 0:
            return False
        leaf = &self.program.leaves[line.leaf]
        return (leaf.role == HEAD and leaf.flags & (STAMPED | ALONE) and not leaf.closing_size
                and not leaf.flags & (ENVELOPE | LINED | UNLOGGED | SECOND))

    cdef bint seek_seam(self, Block block, int32_t i) noexcept nogil:
        """Look whether a line behind the place is at a seam; return whether it is a sure head.

        Before the line is assembled.
        """
        cdef const Line* line = &block.lines[i]
        cdef int64_t offset = block.offset + line.first
        if line.flags & MORE:
            return False                # of the line before
        if line.flags & PIECE or (line.first and block.data[line.first - 1] != c'\n'):
            self.heads = 0
            return False
        if offset >= self.place + SIZES.seam_within:
            self.close_before(offset, next_place(offset))
            self.previous = self.latest = self.block = self.blank = NONE
            if offset < self.place:
                return False
        if not self.is_sure(block, i):
            self.heads = 0
            return False
        if not self.heads:
            self.run = offset
        self.heads += 1
        if self.heads == SIZES.seam_heads:
            self.close_before(self.run, self.place + SIZES.seam_every)
        return True

    cdef void close_before(self, int64_t seam, int64_t next_place) noexcept nogil:
        """Close the records before a seam, and what is known of them."""
        cdef int32_t i
        for i in range(self.count):
            if self.records[i].offset >= seam:
                break
            self.records[i].flags |= CLOSED
        self.seam = seam
        if self.stamped < seam:
            self.stamped = -self.window - 1
        if self.seeking:
            self.seeking = False
            self.begins = seam
        if self.place <= self.stop < next_place:
            self.ends = seam
        self.place = next_place
        self.heads = 0

    cdef int trim(self, Records out) except -1 nogil:
        """Drop the complete records that are not of the part."""
        cdef int32_t before = 0, count = out.count
        while before < count and (self.seeking or out.records[before].offset < self.begins):
            before += 1
        while count > before and out.records[count - 1].offset >= self.ends:
            count -= 1
        if before:
            memmove(out.records, out.records + before, (count - before) * sizeof(Record))
        out.count = count - before
        return 0


cdef inline int64_t next_place(int64_t offset) noexcept nogil:
    """The first place whose seam may be at the offset or behind it."""
    cdef int64_t past = offset - SIZES.seam_within
    return 0 if past < 0 else (past // SIZES.seam_every + 1) * SIZES.seam_every
