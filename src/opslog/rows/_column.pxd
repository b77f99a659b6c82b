# One Arrow column under construction.
#
# Rows come in order and only rows that have a value are told of: offsets and
# validity of the rows between are filled in when the next value, or the end,
# comes.

from libc.stdint cimport int32_t, int64_t, uint8_t, uint64_t
from libc.stdlib cimport calloc, free, malloc
from libc.string cimport memcpy, memset

from opslog.kernel._bytes cimport hash_bytes, same
from opslog.kernel._table cimport Place, Table, begin_table, first_place, next_place, put_item
from opslog.kernel._text cimport Buffer, MICROSECONDS, MILLISECONDS, need, put
from opslog.rows._plan cimport CODES, PAIRS, TEXT

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
    Table codes                 # CODES: entries by their texts
    int32_t last_entry          # CODES: entry looked up last, -1: none


cdef inline void mark(Column* column, int32_t row) noexcept nogil:
    column.validity[row >> 3] |= <uint8_t>(1 << (row & 7))
    column.values_set += 1


cdef inline int add_end(Buffer* ends, Py_ssize_t end) except -1 nogil:
    need(ends, 4)
    (<int32_t*>(ends.data + ends.used))[0] = <int32_t>end
    ends.used += 4
    return 0


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


cdef inline bint is_entry(const Column* column, int32_t entry, const uint8_t* text, Py_ssize_t size) noexcept nogil:
    """Whether the text is that of a dictionary entry."""
    cdef const int32_t* end = <const int32_t*>column.data_ends.data + entry
    return end[1] - end[0] == size and same(column.data.data + end[0], text, size)


cdef inline int32_t intern(Column* column, const uint8_t* text, Py_ssize_t size, int change) except -1 nogil:
    """Return the number of the dictionary entry of this text."""
    cdef uint64_t hashed
    cdef Place* place
    cdef Py_ssize_t start
    # Neighbours mostly share their logger, level, user.
    if column.last_entry >= 0 and not change and is_entry(column, column.last_entry, text, size):
        return column.last_entry
    start = column.data.used
    if change:
        put(&column.data, text, size, change)
        text = column.data.data + start
        size = column.data.used - start
        column.data.used = start
    hashed = hash_bytes(text, size, 7)
    place = first_place(&column.codes, hashed)
    while place.item >= 0 and not (place.hash == hashed and is_entry(column, place.item, text, size)):
        place = next_place(&column.codes, place)
    if place.item >= 0:
        column.last_entry = place.item
        return place.item
    column.last_entry = column.entries
    if change:
        column.data.used = start + size
    else:
        put(&column.data, text, size, 0)
    add_end(&column.data_ends, column.data.used)
    put_item(&column.codes, place, hashed, column.entries)
    column.entries += 1
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
