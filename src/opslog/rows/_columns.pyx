"""Arrow columns of records: rows loaded one by one, appended to one builder a column."""

cimport cython
from cpython.buffer cimport PyBuffer_FillInfo
from libc.stdint cimport int32_t, int64_t, uint8_t, uint64_t
from libc.stdlib cimport calloc, free, malloc
from libc.string cimport memset

from opslog.kernel._block cimport BAD_TIME, HAS_OFFSET, Line, NONE, Record, TIMED
from opslog.kernel._bytes cimport lowest_bit
from opslog.rows._column cimport (Column, add_end, begin, decimal, drop, end_row, integer, intern, mark)
from opslog.scanner._program cimport Program
from opslog.assembly._records cimport Records
from opslog.kernel._text cimport Buffer, put
from opslog.rows._plan cimport CODES, DECIMAL, INTEGER, PAIRS, TEXT
from opslog.rows._values cimport Attribute, Rows, Value


@cython.final
cdef class Memory:
    """Bytes owned by Python, for Arrow to hold without copying."""

    cdef void* data
    cdef Py_ssize_t size

    def __dealloc__(self):
        free(self.data)

    def __getbuffer__(self, Py_buffer* view, int flags):
        PyBuffer_FillInfo(view, self, self.data, self.size, 0, flags)


cdef Memory owned(void** data, Py_ssize_t size):
    """Hand malloc'ed bytes to Python; the pointer is set to NULL."""
    cdef Memory memory = Memory()
    if data[0] == NULL:         # Arrow wants an address even for nothing
        data[0] = malloc(8)
        if data[0] == NULL:
            raise MemoryError()
    memory.data = data[0]
    memory.size = size
    data[0] = NULL
    return memory


cdef Memory room(Py_ssize_t size):
    cdef void* data = calloc(size + 8, 1)
    if data == NULL:
        raise MemoryError()
    return owned(&data, size)


@cython.final
cdef class Columns(Rows):
    """The captured columns of records, for Arrow."""

    cdef Column* columns

    def __init__(self, *args):
        cdef int32_t i
        self.columns = <Column*>calloc(self.plan.count + 1, sizeof(Column))
        if self.columns == NULL:
            raise MemoryError()
        with nogil:
            for i in range(self.plan.count):
                if self.plan.kinds[i] <= PAIRS:
                    begin(&self.columns[i], self.plan.kinds[i], self.count)
            for i in range(self.count):
                self.load(i)
                self.append(i)

    def __dealloc__(self):
        cdef int32_t i
        if self.columns != NULL:
            for i in range(self.plan.count):
                drop(&self.columns[i])
        free(self.columns)

    cdef int append(self, int32_t row) except -1 nogil:
        """Append the row loaded last."""
        cdef uint64_t left = self.present
        cdef int32_t number, i
        cdef Column* column
        cdef Value* value
        cdef Attribute* attribute
        cdef int64_t whole
        while left:
            number = lowest_bit(left)
            left &= left - 1
            column = &self.columns[number]
            value = &self.values[number]
            if column.kind == CODES:
                column.indices[row] = intern(column, value.data, value.size, value.change)
                mark(column, row)
            elif column.kind == TEXT:
                put(&column.data, value.data, value.size, value.change)
                end_row(column, row)
                mark(column, row)
            elif column.kind == INTEGER:
                if integer(value.data, value.size, &whole):
                    column.numbers[row] = whole
                    mark(column, row)
            elif column.kind == DECIMAL:
                if decimal(value.data, value.size, value.change, <double*>&column.numbers[row]):
                    mark(column, row)
            else:
                for i in range(self.attribute_count):
                    attribute = &self.attributes[i]
                    put(&column.keys, <const uint8_t*>self.plan.text_data[attribute.name],
                        self.plan.text_sizes[attribute.name], 0)
                    add_end(&column.key_ends, column.keys.used)
                    put(&column.data, attribute.value.data, attribute.value.size, attribute.value.change)
                    add_end(&column.data_ends, column.data.used)
                    column.entries += 1
                end_row(column, row)
        return 0

    def column(self, int32_t number):
        """Return the buffers of a column built; it can be asked for once.

        TEXT: (nulls, validity, offsets, data); CODES: (nulls, validity, indices,
        entries, dictionary offsets, data); INTEGER, DECIMAL: (nulls, validity,
        values); PAIRS: (entries, offsets, key offsets, keys, value offsets, values).
        """
        cdef Column* column = &self.columns[number]
        cdef Memory validity = owned(<void**>&column.validity, (self.count + 7) // 8)
        nulls = self.count - column.values_set
        if column.kind == TEXT or column.kind == PAIRS:
            while column.filled < self.count:
                column.filled += 1
                column.ends[column.filled] = column.ends[column.filled - 1]
            offsets = owned(<void**>&column.ends, 4 * (self.count + 1))
            data = owned(<void**>&column.data.data, column.data.used)
            if column.kind == TEXT:
                return nulls, validity, offsets, data
            return (column.entries, offsets,
                    owned(<void**>&column.key_ends.data, column.key_ends.used),
                    owned(<void**>&column.keys.data, column.keys.used),
                    owned(<void**>&column.data_ends.data, column.data_ends.used), data)
        if column.kind == CODES:
            return (nulls, validity, owned(<void**>&column.indices, 4 * self.count), column.entries,
                    owned(<void**>&column.data_ends.data, column.data_ends.used),
                    owned(<void**>&column.data.data, column.data.used))
        return nulls, validity, owned(<void**>&column.numbers, 8 * self.count)


# -- columns every record has, or that the line's scan already knows --------------------

cdef inline Record* selected(Records records, const int32_t[::1] selection, int32_t i) noexcept nogil:
    return &records.records[i if selection is None else selection[i]]


cdef int32_t counted(Records records, const int32_t[::1] selection) except -1:
    cdef int32_t i
    if selection is None:
        return records.count
    for i in range(<int32_t>selection.shape[0]):
        if not 0 <= selection[i] < records.count:
            raise IndexError(selection[i])
    return <int32_t>selection.shape[0]


# What datetime and RFC 3339 can say, years 1 to 9999, less a day for the time zone.
cdef int64_t EARLIEST = -62135510400000000
cdef int64_t LATEST = 253402214399999999


def times(Records records not None, Program program not None, const int32_t[::1] selection):
    """Return (nulls, validity, int64 microseconds, bits: is UTC, any local)."""
    cdef int32_t i, count = counted(records, selection), nulls = 0
    cdef Memory validity = room((count + 7) // 8)
    cdef Memory utc = room((count + 7) // 8)
    cdef Memory values = room(8 * count)
    cdef Record* record
    cdef Line* line
    with nogil:
        for i in range(count):
            record = selected(records, selection, i)
            line = &records.block.lines[record.head]
            if (record.leaf < 0 or not line.flags & TIMED or line.flags & BAD_TIME
                    or not EARLIEST <= line.time <= LATEST):
                nulls += 1
                continue
            (<uint8_t*>validity.data)[i >> 3] |= <uint8_t>(1 << (i & 7))
            if line.flags & HAS_OFFSET:
                (<uint8_t*>utc.data)[i >> 3] |= <uint8_t>(1 << (i & 7))
            (<int64_t*>values.data)[i] = line.time
    return nulls, validity, values, utc


def severities(Records records not None, const int32_t[::1] selection):
    """Return (nulls, validity, uint8 values)."""
    cdef int32_t i, count = counted(records, selection), nulls = 0
    cdef Memory validity = room((count + 7) // 8)
    cdef Memory values = room(count)
    cdef Record* record
    cdef uint8_t number
    with nogil:
        for i in range(count):
            record = selected(records, selection, i)
            number = records.block.lines[record.head].severity if record.leaf >= 0 else 0
            (<uint8_t*>values.data)[i] = number
            nulls += number == 0
            (<uint8_t*>validity.data)[i >> 3] |= <uint8_t>((number != 0) << (i & 7))
    return nulls, validity, values


def formats(Records records not None, Program program not None, const int32_t[::1] selection):
    """Return (nulls, validity, int32 format numbers)."""
    cdef int32_t i, leaf, count = counted(records, selection), nulls = 0
    cdef Memory validity = room((count + 7) // 8)
    cdef Memory values = room(4 * count)
    with nogil:
        for i in range(count):
            leaf = selected(records, selection, i).leaf
            if leaf < 0:
                nulls += 1
            else:
                (<uint8_t*>validity.data)[i >> 3] |= <uint8_t>(1 << (i & 7))
                (<int32_t*>values.data)[i] = program.leaves[leaf].format
    return nulls, validity, values


def offsets(Records records not None, const int32_t[::1] selection):
    """Return int64 source offsets of the records' first bytes."""
    cdef int32_t i, count = counted(records, selection)
    cdef Memory values = room(8 * count)
    with nogil:
        for i in range(count):
            (<int64_t*>values.data)[i] = selected(records, selection, i).offset
    return values


def originals(Records records not None, const int32_t[::1] selection):
    """Return (offsets, data) of the records' bytes as read."""
    cdef int32_t i, at, count = counted(records, selection)
    cdef Memory ends = room(4 * (count + 1))
    cdef Buffer out
    cdef Line* line
    memset(&out, 0, sizeof(out))
    with nogil:
        for i in range(count):
            at = selected(records, selection, i).head
            while at != NONE:
                line = &records.block.lines[at]
                put(&out, records.block.data + line.first, line.stop - line.first, 0)
                at = line.next
            (<int32_t*>ends.data)[i + 1] = <int32_t>out.used
    return ends, owned(<void**>&out.data, out.used)
