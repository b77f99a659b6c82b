# One Arrow column under construction.
#
# Rows come in order and only rows that have a value are told of: offsets and
# validity of the rows between are filled in when the next value, or the end,
# comes.

from libc.stdint cimport int32_t, int64_t, uint8_t, uint64_t
from libc.stdlib cimport calloc, free, malloc
from libc.string cimport memcpy, memset

from opslog.kernel._bytes cimport hash_bytes, same
from opslog.kernel._text cimport Buffer, MICROSECONDS, MILLISECONDS, need, put
from opslog.rows._plan cimport CODES, PAIRS, TEXT

ctypedef struct Place:
    uint64_t hash
    int32_t entry               # number of a dictionary entry, -1: free

ctypedef struct Column:
    int kind
    int32_t rows                # rows there will be
    int32_t filled              # rows whose offsets are written
    int32_t values_set
    uint8_t* validity
    int64_t* numbers            # INTEGER, DECIMAL
    int32_t* indices            # CODES
    int32_t* ends               # TEXT, PAIRS: offsets
    Buffer data                 # TEXT: text; CODES: dictionary; PAIRS: values
    Buffer data_ends            # CODES, PAIRS
    Buffer keys                 # PAIRS
    Buffer key_ends
    int32_t entries             # CODES, PAIRS
    Buffer places               # CODES: hash table
    uint64_t mask
    int32_t last_entry          # CODES: entry looked up last, -1: none


cdef inline void mark(Column* column, int32_t row) noexcept nogil:
    column.validity[row >> 3] |= <uint8_t>(1 << (row & 7))
    column.values_set += 1


cdef inline int add_end(Buffer* ends, Py_ssize_t end) except -1 nogil:
    need(ends, 4)
    (<int32_t*>(ends.data + ends.used))[0] = <int32_t>end
    ends.used += 4
    return 0


cdef inline Place* find_place(Column* column, const uint8_t* text, Py_ssize_t size, uint64_t hashed) noexcept nogil:
    """The text's place in the dictionary's hash table: its own or a free one."""
    cdef uint64_t at = hashed & column.mask
    cdef Place* place
    cdef const int32_t* end
    while True:
        place = <Place*>column.places.data + at
        if place.entry < 0:
            return place
        if place.hash == hashed:
            end = <const int32_t*>column.data_ends.data + place.entry
            if end[1] - end[0] == size and same(column.data.data + end[0], text, size):
                return place
        at = (at + 1) & column.mask


cdef int rehash(Column* column, uint64_t mask) except -1 nogil
cdef int begin(Column* column, int kind, int32_t rows) except -1 nogil
cdef void drop(Column* column) noexcept nogil


cdef inline int end_row(Column* column, int32_t row) noexcept nogil:
    """Write the offsets of the rows before `row` and of `row` itself, whose text is complete."""
    cdef int32_t end
    if column.filled < row:
        end = column.ends[column.filled]
        while column.filled < row:
            column.filled += 1
            column.ends[column.filled] = end
    column.filled = row + 1
    column.ends[row + 1] = column.entries if column.kind == PAIRS else <int32_t>column.data.used
    return 0


cdef inline int32_t intern(Column* column, const uint8_t* text, Py_ssize_t size, int change) except -1 nogil:
    """Return the number of the dictionary entry of this text."""
    cdef uint64_t hashed
    cdef Place* place
    cdef Py_ssize_t start
    cdef const int32_t* last
    if column.last_entry >= 0 and not change:
        # Neighbours mostly share their logger, level, user.
        last = <const int32_t*>column.data_ends.data + column.last_entry
        if last[1] - last[0] == size and same(column.data.data + last[0], text, size):
            return column.last_entry
    start = column.data.used
    if change:
        put(&column.data, text, size, change)
        text = column.data.data + start
        size = column.data.used - start
        column.data.used = start
    hashed = hash_bytes(text, size, 7)
    place = find_place(column, text, size, hashed)
    if place.entry < 0:
        place.hash = hashed
        place.entry = column.last_entry = column.entries
        if change:
            column.data.used = start + size
        else:
            put(&column.data, text, size, 0)
        add_end(&column.data_ends, column.data.used)
        column.entries += 1
        if <uint64_t>column.entries * 2 > column.mask:
            rehash(column, 2 * column.mask + 1)
    else:
        column.last_entry = place.entry
    return column.last_entry


cdef inline bint integer(const uint8_t* text, Py_ssize_t size, int64_t* out) noexcept nogil:
    """Read 1 to 18 digits, nothing else."""
    cdef int64_t number = 0
    cdef Py_ssize_t i
    if size < 1 or size > 18:
        return False
    for i in range(size):
        if <uint8_t>(text[i] - 48) > 9:
            return False
        number = number * 10 + (text[i] - 48)
    out[0] = number
    return True


cdef bint decimal(const uint8_t* text, Py_ssize_t size, int change, double* out) noexcept nogil
