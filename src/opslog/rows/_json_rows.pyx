"""Records to JSON lines, without columns between: the same text as from their batch."""

cimport cython
from libc.stdlib cimport calloc, free
from libc.string cimport memcpy

from opslog.kernel._block cimport Line, NONE
from opslog.kernel._bytes cimport lowest_bit
from opslog.rows._column cimport decimal as read_decimal, integer as read_integer
from opslog.rows._json_text cimport (byte, decimal, escaped, integer, key, quoted, quoted_bytes, raw, timestamp)
from opslog.rows._plan cimport (DECIMAL, FORMAT, INTEGER, LEVEL, OFFSET, PAIRS, PROGRAM, SOURCE, TIMESTAMP)
from opslog.kernel._text cimport need, put
from opslog.rows._values cimport Attribute

cdef enum:
    KEY_BYTES = 64
    SLACK = 160                 # a key, a number and what the writers may write behind

cdef uint8_t[32] COLON          # what stands between a key and a text
COLON[0], COLON[1] = c':', c'"'


@cython.final
cdef class JsonKeys:
    """What stands before each column's value, and values that never change.

    ``columns``: (name, kind) in the plan's order, ``shown`` of them written;
    ``formats``: their names; ``fixed``: kind ("source", "program") to text.
    """

    def __init__(self, list columns, int32_t shown, list formats, str source, program):
        cdef int32_t i
        cdef bytes text
        self.keys = <uint8_t*>calloc(len(columns) + 1, KEY_BYTES)
        if self.keys == NULL:
            raise MemoryError()
        self.shown = (<uint64_t>1 << shown) - 1 if shown < 64 else <uint64_t>-1
        self.formats = len(formats)
        names = {}
        for i, (name, kind) in enumerate(columns):
            names[kind] = name
            text = b'"' + name.encode() + (b'":"' if kind in ("string", "dictionary") else b'":')
            if len(text) > 32:
                raise ValueError(f"column name too long: {name}")
            memcpy(self.keys + KEY_BYTES * i, <const char*>text, len(text))
            self.sizes[i] = <uint8_t>len(text)
            if kind in ("timestamp", "level", "format", "source", "offset", "original") or (
                    kind == "program" and program is not None):
                self.always |= <uint64_t>1 << i
        for name, value in (*((names.get("format", ""), f) for f in formats),
                            (names.get("source", ""), source), (names.get("program", ""), program or "")):
            text = b'"' + name.encode() + b'":'
            need(&self.chunks, len(text))
            raw(&self.chunks, text, len(text))
            text = value.encode()
            need(&self.chunks, 6 * len(text) + 32)
            quoted(&self.chunks, text, len(text))
            byte(&self.chunks, c',')
            need(&self.ends, 4)
            (<int32_t*>(self.ends.data + self.ends.used))[0] = <int32_t>self.chunks.used
            self.ends.used += 4

    def __dealloc__(self):
        free(self.keys)
        free(self.chunks.data)
        free(self.ends.data)

    cdef inline int chunk(self, int32_t number, Buffer* out) except -1 nogil:
        cdef const int32_t* ends = <const int32_t*>self.ends.data
        cdef int32_t start = ends[number - 1] if number else 0
        need(out, ends[number] - start + SLACK)
        raw(out, self.chunks.data + start, ends[number] - start)
        return 0


@cython.final
cdef class JsonRows(Rows):
    """Records as JSON lines, without columns between; see Rows for the first arguments."""

    def __init__(self, records, plan, find_service, program, selection, ambiguous,
                 JsonKeys names not None, const int64_t[::1] moments, const uint8_t[::1] timed):
        self.names = names
        self.moments = moments
        self.timed = timed
        self.second = -(1 << 62)
        if moments is not None and moments.shape[0] < self.count or (
                timed is not None and timed.shape[0] * 8 < self.count):
            raise ValueError("fewer moments than rows")

    def __dealloc__(self):
        free(self.scratch.data)

    cdef int write(self, int32_t row, Buffer* out) except -1 nogil:
        """Write the row loaded last."""
        cdef uint64_t left = (self.present | self.names.always) & self.names.shown
        cdef int32_t number, kind
        cdef Record* record = self.record(row)
        cdef Line* line = &self.block.lines[record.head]
        cdef Value* value
        cdef const uint8_t* name
        cdef Py_ssize_t size
        cdef int64_t whole
        cdef double real
        need(out, SLACK)
        byte(out, c'{')
        while left:
            number = lowest_bit(left)
            left &= left - 1
            kind = self.plan.kinds[number]
            name = self.names.keys + KEY_BYTES * number
            size = self.names.sizes[number]
            if kind < INTEGER:
                value = &self.values[number]
                self.text(out, name, size, value)
                byte(out, c'"')
            elif kind == TIMESTAMP:
                if self.timed is not None and not self.timed[row >> 3] >> (row & 7) & 1:
                    continue
                need(out, SLACK)
                key(out, name, size)
                if not timestamp(out, self.moments[row], &self.second, self.second_text):
                    out.used -= size
                    continue
            elif kind == LEVEL:
                if record.leaf < 0 or line.severity == 0:
                    continue
                need(out, SLACK)
                key(out, name, size)
                integer(out, line.severity)
            elif kind == INTEGER:
                value = &self.values[number]
                if not read_integer(value.data, value.size, &whole):
                    continue
                need(out, SLACK)
                key(out, name, size)
                integer(out, whole)
            elif kind == DECIMAL:
                value = &self.values[number]
                if not read_decimal(value.data, value.size, value.change, &real):
                    continue
                need(out, SLACK)
                key(out, name, size)
                if not decimal(out, real):
                    out.used -= size
                    continue
            elif kind == FORMAT:
                if record.leaf >= 0:
                    self.names.chunk(self.plan.lines.leaves[record.leaf].format, out)
                continue
            elif kind == SOURCE:
                self.names.chunk(self.names.formats, out)
                continue
            elif kind == PROGRAM:
                self.names.chunk(self.names.formats + 1, out)
                continue
            elif kind == OFFSET:
                need(out, SLACK)
                key(out, name, size)
                integer(out, record.offset)
            elif kind == PAIRS:
                need(out, SLACK)
                key(out, name, size)
                self.pairs(out)
            else:
                need(out, SLACK)
                key(out, name, size)
                self.original(record, out)
            byte(out, c',')
        if out.data[out.used - 1] == c',':
            out.used -= 1
        raw(out, b"}\n", 2)
        return 0

    cdef inline int text(self, Buffer* out, const uint8_t* name, Py_ssize_t size, Value* value) except -1 nogil:
        """Write a key (which ends in a quote) and a text, without the quote behind it."""
        if value.change:
            self.scratch.used = 0
            put(&self.scratch, value.data, value.size, value.change)
            need(out, 6 * self.scratch.used + SLACK)
            key(out, name, size)
            escaped(out, self.scratch.data, self.scratch.used)
        else:
            need(out, 6 * value.size + SLACK)
            key(out, name, size)
            escaped(out, value.data, value.size)
        return 0

    cdef int pairs(self, Buffer* out) except -1 nogil:
        cdef int32_t i
        cdef Attribute* attribute
        byte(out, c'{')
        for i in range(self.attribute_count):
            attribute = &self.attributes[i]
            need(out, 6 * self.plan.text_sizes[attribute.name] + SLACK)
            quoted(out, <const uint8_t*>self.plan.text_data[attribute.name],
                   self.plan.text_sizes[attribute.name])
            self.text(out, COLON, 2, &attribute.value)
            raw(out, b'",', 2)
        out.data[out.used - 1] = c'}'
        return 0

    cdef int original(self, Record* record, Buffer* out) except -1 nogil:
        cdef Line* line
        cdef int32_t at = record.head
        self.scratch.used = 0
        while at != NONE:
            line = &self.block.lines[at]
            put(&self.scratch, self.block.data + line.first, line.stop - line.first, 0)
            at = line.next
        need(out, 6 * self.scratch.used + SLACK)
        quoted_bytes(out, self.scratch.data, self.scratch.used)
        return 0
