# Lines of records that are not yet complete: copied out of a block, and behind the
# lines of the next one.

from libc.stdint cimport int32_t

from opslog.kernel._block cimport Block, Record
from opslog.scanner._program cimport Program

cdef int adopt(Block block, Block kept, Record* records, int32_t count) except -1 nogil
cdef int carry(Program program, Block block, Block kept, Record* records, int32_t count) except -1 nogil
