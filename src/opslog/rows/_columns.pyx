"""Arrow columns of records: rows loaded one by one, appended to one builder a column.

Only rows that have a value are appended: offsets and validity of the rows between
are filled in when the next value, or the end, comes.  Below stand the columns every
record has, or that the line's scan already knows: they need no row to be loaded.
"""

cimport cython
from cpython.buffer cimport PyBuffer_FillInfo
from libc.stdint cimport int32_t, int64_t, uint8_t, uint64_t
from libc.stdlib cimport calloc, free, malloc
from libc.string cimport memset

from opslog.assembly._records cimport Records
from opslog.kernel._block cimport BAD_TIME, HAS_OFFSET, Line, NONE, Record, TIMED
from opslog.kernel._bytes cimport hash_bytes, lowest_bit, same
from opslog.kernel._table cimport Place, Table, begin_table, first_place, next_place, put_item
from opslog.kernel._text cimport Buffer, need, put
from opslog.rows._numbers cimport read_decimal, read_integer, read_written
from opslog.rows._plan cimport CODES, DECIMAL, FORMAT, INTEGER, OFFSET, ORIGINAL, PAIRS, SOURCE, TEXT
from opslog.rows._values cimport Attribute, Rows, Value, key_of
from opslog.scanner._program cimport Program

cdef enum:
    ROW = 512                   # bytes of a row of columns that are no text, about


ctypedef struct Column:
    int kind
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


cdef int begin_column(Column* column, int kind, int32_t rows) except -1 nogil:
    """Make room for `rows` rows, all null."""
    memset(column, 0, sizeof(Column))
    column.kind = kind
    column.last_entry = -1
    column.validity = <uint8_t*>calloc((rows + 7) // 8 + 8, 1)
    if kind == TEXT or kind == PAIRS:
        column.ends = <int32_t*>malloc((rows + 2) * sizeof(int32_t))
    elif kind == CODES:
        column.indices = <int32_t*>calloc(rows + 2, sizeof(int32_t))
    else:
        column.numbers = <int64_t*>calloc(rows + 1, sizeof(int64_t))
    if column.validity == NULL or (column.ends == NULL and column.indices == NULL and column.numbers == NULL):
        with gil:
            raise MemoryError()
    if column.ends != NULL:
        column.ends[0] = 0
    if kind == CODES or kind == PAIRS:
        add_end(&column.data_ends, 0)
        add_end(&column.key_ends, 0)
    if kind == CODES:
        begin_table(&column.codes, 256)
    return 0


cdef void drop_column(Column* column) noexcept nogil:
    """Free what has not been handed out."""
    free(column.validity)
    free(column.numbers)
    free(column.indices)
    free(column.ends)
    free(column.data.data)
    free(column.data_ends.data)
    free(column.keys.data)
    free(column.key_ends.data)
    free(column.codes.places)
    memset(column, 0, sizeof(Column))


cdef inline void end_row(Column* column, int32_t row) noexcept nogil:
    """Write the offsets of the rows before `row` and of `row` itself, whose text is complete."""
    cdef int32_t end
    if column.filled < row:
        end = column.ends[column.filled]
        while column.filled < row:
            column.filled += 1
            column.ends[column.filled] = end
    column.filled = row + 1
    column.ends[row + 1] = column.entries if column.kind == PAIRS else <int32_t>column.data.used


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


cdef Memory zeroed(Py_ssize_t size):
    cdef void* data = calloc(size + 8, 1)
    if data == NULL:
        raise MemoryError()
    return owned(&data, size)


@cython.final
cdef class Columns(Rows):
    """The captured columns of records, for Arrow; those all records have where some are opslog's own."""

    cdef Column* columns
    cdef int32_t shown              # how many of them are built: the first ones
    cdef bytes source
    cdef const uint8_t* source_data
    cdef Py_ssize_t source_size

    def __init__(self, *args, bytes source not None, int32_t shown):
        cdef int32_t i, kind
        self.shown = min(shown, self.plan.count)
        self.source, self.source_data, self.source_size = source, source, len(source)
        self.columns = <Column*>calloc(self.plan.count + 1, sizeof(Column))
        if self.columns == NULL:
            raise MemoryError()
        with nogil:
            for i in range(self.shown):
                kind = self.plan.kinds[i]
                if self.some_stored and kind > PAIRS:
                    kind = (CODES if kind == FORMAT or kind == SOURCE else INTEGER if kind == OFFSET
                            else TEXT if kind == ORIGINAL else kind)
                if kind <= PAIRS:
                    begin_column(&self.columns[i], kind, self.count)
                else:
                    self.columns[i].kind = kind
            for i in range(self.count):
                self.load(i)
                if self.some_stored:
                    self.append_places(i)
                self.append(i)

    def __dealloc__(self):
        cdef int32_t i
        if self.columns != NULL:
            for i in range(self.plan.count):
                drop_column(&self.columns[i])
        free(self.columns)

    cdef int append_places(self, int32_t row) except -1 nogil:
        """Append of the row loaded last what is not said by the line, but by where it stands."""
        cdef Record* record = self.record(row)
        cdef Line* line
        cdef Column* column
        cdef int32_t i, kind, at
        for i in range(self.shown):
            kind = self.plan.kinds[i]
            column = &self.columns[i]
            if kind == ORIGINAL and not self.present >> i & 1:
                at = record.head
                while at != NONE:
                    line = &self.block.lines[at]
                    put(&column.data, self.block.data + line.first, line.stop - line.first, 0)
                    at = line.next
                end_row(column, row)
                mark(column, row)
            elif self.is_stored:
                continue
            elif kind == SOURCE:
                column.indices[row] = intern(column, self.source_data, self.source_size, 0)
                mark(column, row)
            elif kind == OFFSET:
                column.numbers[row] = record.offset
                mark(column, row)
            elif kind == FORMAT and record.leaf >= 0:
                at = self.plan.line_owners[record.leaf]
                column.indices[row] = intern(column, <const uint8_t*>self.plan.text_data[at], self.plan.text_sizes[at], 0)
                mark(column, row)
        return 0

    cdef int append(self, int32_t row) except -1 nogil:
        """Append the row loaded last."""
        cdef uint64_t left = self.present & ((<uint64_t>1 << self.shown) - 1)
        cdef int32_t number, i
        cdef Column* column
        cdef Value* value
        cdef Attribute* attribute
        cdef const uint8_t* key
        cdef Py_ssize_t size
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
                if read_integer(value.data, value.size, &whole):
                    column.numbers[row] = whole
                    mark(column, row)
            elif column.kind > PAIRS:
                continue        # known from the line's scan
            elif column.kind == DECIMAL:
                if (read_written(value.data, value.size, <double*>&column.numbers[row]) if self.is_stored
                        else read_decimal(value.data, value.size, value.change, <double*>&column.numbers[row])):
                    mark(column, row)
            else:
                for i in range(self.attribute_count):
                    attribute = &self.attributes[i]
                    key = key_of(self, attribute, &size)
                    put(&column.keys, key, size, 0)
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
        if not 0 <= number < self.shown:
            raise IndexError(number)
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


cdef int32_t checked_count(Records records, const int32_t[::1] selection) except -1:
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


cdef inline bint has_time(const Record* record, const Line* line) noexcept nogil:
    return (record.leaf >= 0 and line.flags & TIMED and not line.flags & BAD_TIME
            and EARLIEST <= line.time <= LATEST)


def times(Records records not None, const int32_t[::1] selection):
    """Return (nulls, validity, int64 microseconds, bits: is UTC, any local)."""
    cdef int32_t i, count = checked_count(records, selection), nulls = 0
    cdef Memory validity = zeroed((count + 7) // 8)
    cdef Memory utc = zeroed((count + 7) // 8)
    cdef Memory values = zeroed(8 * count)
    cdef Record* record
    cdef Line* line
    with nogil:
        for i in range(count):
            record = selected(records, selection, i)
            line = &records.block.lines[record.head]
            if not has_time(record, line):
                nulls += 1
                continue
            (<uint8_t*>validity.data)[i >> 3] |= <uint8_t>(1 << (i & 7))
            if line.flags & HAS_OFFSET:
                (<uint8_t*>utc.data)[i >> 3] |= <uint8_t>(1 << (i & 7))
            (<int64_t*>values.data)[i] = line.time
    return nulls, validity, values, utc


def last_time(Records records not None):
    """Return (microseconds, whether they are UTC, not local) of the last record; None if it has no time."""
    if not records.count:
        return None
    cdef Record* record = &records.records[records.count - 1]
    cdef Line* line = &records.block.lines[record.head]
    if not has_time(record, line):
        return None
    return line.time, bool(line.flags & HAS_OFFSET)


def severities(Records records not None, const int32_t[::1] selection):
    """Return (nulls, validity, uint8 values)."""
    cdef int32_t i, count = checked_count(records, selection), nulls = 0
    cdef Memory validity = zeroed((count + 7) // 8)
    cdef Memory values = zeroed(count)
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


def within(Records records not None, const int32_t[::1] selection, uint8_t least,
           const int64_t[::1] moments, const uint8_t[::1] known, int64_t since, int64_t until):
    """Return (how many, int32 numbers) of the records of a severity number from `least` on, unless that is 0.

    With `moments`, UTC microseconds, and from `since` on and before `until`; bits `known` tell which have a
    time, None that all have.
    """
    cdef int32_t i, number, found = 0, count = checked_count(records, selection)
    cdef Memory values = zeroed(4 * count)
    cdef int32_t* numbers = <int32_t*>values.data
    cdef const Record* record
    if moments is not None and moments.shape[0] < count or (known is not None and known.shape[0] * 8 < count):
        raise ValueError("fewer moments than rows")
    with nogil:
        for i in range(count):
            number = i if selection is None else selection[i]
            record = &records.records[number]
            if least and (record.leaf < 0 or records.block.lines[record.head].severity < least):
                continue
            if moments is not None and not (
                    (known is None or known[i >> 3] >> (i & 7) & 1) and since <= moments[i] < until):
                continue
            numbers[found] = number
            found += 1
    return found, values


def formats(Records records not None, Program program not None, const int32_t[::1] selection):
    """Return (nulls, validity, int32 format numbers)."""
    cdef int32_t i, leaf, count = checked_count(records, selection), nulls = 0
    cdef Memory validity = zeroed((count + 7) // 8)
    cdef Memory values = zeroed(4 * count)
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
    cdef int32_t i, count = checked_count(records, selection)
    cdef Memory values = zeroed(8 * count)
    with nogil:
        for i in range(count):
            (<int64_t*>values.data)[i] = selected(records, selection, i).offset
    return values


def sizes(Records records not None, const int32_t[::1] selection):
    """Return about how many bytes records take as columns (int64), from their lines."""
    cdef int32_t i, at, count = checked_count(records, selection)
    cdef Memory values = zeroed(8 * count)
    cdef const Line* line
    with nogil:
        for i in range(count):
            (<int64_t*>values.data)[i] = ROW
            at = selected(records, selection, i).head
            while at != NONE:
                line = &records.block.lines[at]
                (<int64_t*>values.data)[i] += line.stop - line.first
                at = line.next
    return values


def originals(Records records not None, const int32_t[::1] selection):
    """Return (offsets, data) of the records' bytes as read."""
    cdef int32_t i, at, count = checked_count(records, selection)
    cdef Memory ends = zeroed(4 * (count + 1))
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
