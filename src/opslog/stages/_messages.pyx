"""Which records have the same message, without columns of them.

A message is what stands behind one another in these bytes: the severity number, and of service,
logger, the exception's type, the body's template and the traceback the size (int32, -1 of none) and
the text.
"""

cimport cython
from libc.stdint cimport int32_t, int64_t, uint8_t, uint64_t
from libc.stdlib cimport free
from libc.string cimport memcpy

from opslog.kernel._block cimport Line, NONE, Record
from opslog.kernel._bytes cimport hash_bytes, same
from opslog.kernel._table cimport Place, Table, begin_table, first_place, next_place, put_item
from opslog.kernel._text cimport Buffer, need, put
from opslog.rows._values cimport Rows, Value, text_of
from opslog.stages._template cimport put_template

cdef enum:
    BODY = 3                    # its place in COLUMNS
    ASKED = 5                   # how many these are
    ROW = 512                   # bytes of a row of columns that are no text, about

COLUMNS = ("service_name", "logger", "exception_type", "body", "exception_stacktrace")


@cython.final
cdef class Messages(Rows):
    """Records of whose plan these columns are the first."""

    cdef Table known
    cdef Buffer texts               # the messages known, one behind the other
    cdef Buffer ends                # int64 each: where they end
    cdef Buffer changed             # a body that is not as it stands in the block
    cdef readonly bytearray numbers # int32 per record: its message
    cdef readonly bytearray sizes   # int64 per record: bytes, about

    def __init__(self, *args):
        cdef int32_t i
        cdef uint8_t[::1] numbers, sizes
        self.numbers, self.sizes = bytearray(4 * self.count), bytearray(8 * self.count)
        if not self.count:
            return
        numbers, sizes = self.numbers, self.sizes
        begin_table(&self.known, 1024)
        with nogil:
            for i in range(self.count):
                self.load(i)
                (<int32_t*>&numbers[0])[i] = self.number(i)
                (<int64_t*>&sizes[0])[i] = self.size(i)

    def __dealloc__(self):
        free(self.known.places)
        free(self.texts.data)
        free(self.ends.data)
        free(self.changed.data)

    def told(self):
        """Return each message by number, without the traceback, and that, None if it has none."""
        cdef Py_ssize_t i, column
        cdef int64_t start = 0, end, at
        cdef list found = []
        for i in range(self.ends.used // 8):
            end = (<int64_t*>self.ends.data)[i]
            at = start + 1
            for column in range(ASKED - 1):
                at += 4 + self.size_at(at)
            traceback = <bytes>self.texts.data[at + 4:end] if self.size_at(at) else None
            found.append((<bytes>self.texts.data[start:at], traceback))
            start = end
        return found

    cdef int32_t size_at(self, int64_t at) noexcept nogil:
        """The size that stands there, 0 of no text."""
        cdef int32_t size
        memcpy(&size, self.texts.data + at, 4)
        return max(size, 0)

    cdef int64_t size(self, int32_t row) noexcept nogil:
        """About how many bytes the row takes as columns, from its lines: their text may be in none, or in several."""
        cdef int64_t size = ROW
        cdef int32_t at = self.record(row).head
        cdef const Line* line
        while at != NONE:
            line = &self.block.lines[at]
            size += line.stop - line.first
            at = line.next
        return size

    cdef int32_t number(self, int32_t row) except -1 nogil:
        """Return the number of the message of the row loaded last."""
        cdef const Record* record = self.record(row)
        cdef Buffer* texts = &self.texts
        cdef Py_ssize_t start = texts.used
        cdef int32_t column
        cdef uint64_t hashed
        cdef Place* place
        need(texts, 1)
        texts.data[texts.used] = self.block.lines[record.head].severity if record.leaf >= 0 else 0
        texts.used += 1
        for column in range(ASKED):
            self.put(column, texts)
        hashed = hash_bytes(texts.data + start, texts.used - start, 7)
        place = first_place(&self.known, hashed)
        while place.item >= 0 and not (place.hash == hashed and self.has(place.item, start)):
            place = next_place(&self.known, place)
        if place.item >= 0:
            texts.used = start
            return place.item
        column = self.known.used
        put_item(&self.known, place, hashed, column)
        need(&self.ends, 8)
        (<int64_t*>(self.ends.data + self.ends.used))[0] = texts.used
        self.ends.used += 8
        return column

    cdef int put(self, int32_t column, Buffer* out) except -1 nogil:
        """Append the size and the text of a column."""
        cdef const Value* value = &self.values[column]
        cdef const uint8_t* text
        cdef Py_ssize_t at = out.used, size
        cdef int32_t told = NONE
        need(out, 4)
        out.used += 4
        if not self.present >> column & 1:
            memcpy(out.data + at, &told, 4)
            return 0
        if column != BODY:
            put(out, value.data, value.size, value.change)
        else:
            text = text_of(value, &self.changed, &size)
            put_template(out, text, text + size)
        told = <int32_t>(out.used - at - 4)
        memcpy(out.data + at, &told, 4)
        return 0

    cdef bint has(self, int32_t item, Py_ssize_t start) noexcept nogil:
        """Whether this known message is what was put behind them, at `start`."""
        cdef const int64_t* end = <const int64_t*>self.ends.data + item
        cdef int64_t begin = end[-1] if item else 0
        return end[0] - begin == self.texts.used - start and same(
            self.texts.data + begin, self.texts.data + start, self.texts.used - start)
