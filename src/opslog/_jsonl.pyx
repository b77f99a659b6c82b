# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True
"""Record batches to JSON lines: one object a row, nulls left out, valid UTF-8.

Timestamps are RFC 3339 in UTC with microseconds.  A dictionary column's entries
are rendered once per batch, key and comma included, so that a row costs one
copy.  A double is written with the fewest digits that read back as itself.
"""

cimport cython
from cpython.buffer cimport PyBuffer_FillInfo
from libc.stdint cimport int32_t, int64_t, uint8_t, uint32_t, uint64_t
from libc.stdlib cimport calloc, free, realloc
from libc.string cimport memcpy

from opslog._block cimport BAD_TIME, NONE, Line, Record
from opslog._bytes cimport lowest_bit
from opslog._column cimport decimal as read_decimal, integer as read_integer
from opslog._json_text cimport byte, decimal, escaped, integer, key, quoted, quoted_bytes, raw, timestamp
from opslog._text cimport Buffer, need, put
from opslog._values cimport (
    DECIMAL, FORMAT, INTEGER, LEVEL, OFFSET, ORIGINAL, PAIRS, PROGRAM, SOURCE, TIMESTAMP,
    Attribute, Rows, Value,
)

cdef enum ArrayKind:
    OF_TIMESTAMPS
    OF_UINT8
    OF_INT64
    OF_FLOAT64
    OF_STRINGS
    OF_DICTIONARY
    OF_MAPS
    OF_BINARY

ARRAY_KINDS = {
    "timestamp": OF_TIMESTAMPS, "uint8": OF_UINT8, "int64": OF_INT64, "float64": OF_FLOAT64,
    "string": OF_STRINGS, "dictionary": OF_DICTIONARY, "map": OF_MAPS, "binary": OF_BINARY,
}

cdef enum:
    KEY_BYTES = 64
    SLACK = 160                 # a key, a number and what the writers may write behind

ctypedef struct Column:
    int kind
    const uint8_t* validity     # NULL: all valid
    int64_t offset              # of the array inside its buffers
    const uint8_t* values       # fixed-width values, dictionary indices, string offsets, map offsets
    const uint8_t* data         # string data
    const uint8_t* keys         # map: offsets and data of keys and values
    const uint8_t* key_data
    const uint8_t* entries
    const uint8_t* entry_data
    Py_ssize_t key_start        # `"name":` in the texts
    Py_ssize_t key_end
    Py_ssize_t first_entry      # dictionary: number of its first rendered entry


cdef const uint8_t* address(object buffer) except? NULL:
    return NULL if buffer is None else <const uint8_t*><uint64_t>buffer.address


cdef uint8_t[32] COLON          # what stands between a key and a text
COLON[0], COLON[1] = c':', c'"'


@cython.final
cdef class JsonKeys:
    """What stands before each column's value, and values that never change.

    ``columns``: (name, kind) in the plan's order, ``shown`` of them written;
    ``formats``: their names; ``fixed``: kind ("source", "program") to text.
    """

    cdef uint8_t* keys          # KEY_BYTES each: `"name":` or `"name":"`
    cdef uint8_t[64] sizes
    cdef uint64_t shown
    cdef uint64_t always        # columns that every record has, or may have
    cdef Buffer chunks          # `"format":"name",` per format, then source and program
    cdef Buffer ends
    cdef int32_t formats

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

    cdef JsonKeys names
    cdef const int64_t[::1] moments     # UTC microseconds
    cdef const uint8_t[::1] timed       # bits: has a timestamp; None: all have
    cdef int64_t second
    cdef uint8_t[20] second_text
    cdef Buffer scratch

    def __init__(self, records, plan, services, selection, ambiguous, decode_list,
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
                if not read_decimal(value.data, value.size, &real):
                    continue
                need(out, SLACK)
                key(out, name, size)
                decimal(out, real)
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


@cython.final
cdef class JsonLines:
    """Writes batches into one buffer that is used again by the next."""

    cdef Buffer out
    cdef Buffer texts           # keys
    cdef Buffer rendered        # dictionary entries: `"name":"value",`
    cdef Buffer rendered_ends   # int64 ends of the entries
    cdef Column* columns
    cdef Py_ssize_t exports

    def __dealloc__(self):
        free(self.out.data)
        free(self.texts.data)
        free(self.rendered.data)
        free(self.rendered_ends.data)
        free(self.columns)

    def __getbuffer__(self, Py_buffer* view, int flags):
        PyBuffer_FillInfo(view, self, self.out.data, self.out.used, 1, flags)
        self.exports += 1

    def __releasebuffer__(self, Py_buffer* view):
        self.exports -= 1

    def encode_rows(self, JsonRows rows not None):
        """Write the rows; return bytes written.

        The bytes are those of the object's buffer until the next call.
        """
        cdef int32_t i
        if self.exports:
            raise BufferError("the lines written last are still in use")
        self.out.used = 0
        with nogil:
            for i in range(rows.count):
                rows.load(i)
                rows.write(i, &self.out)
        return self.out.used

    def encode(self, list columns, int64_t rows):
        """Write ``rows`` rows of ``columns``: (name, kind, array) each, likewise."""
        cdef Column* column
        cdef int32_t i, count = len(columns)
        cdef bytes key
        cdef list keep = []
        if self.exports:
            raise BufferError("the lines written last are still in use")
        self.columns = <Column*>realloc(self.columns, (count + 1) * sizeof(Column))
        if self.columns == NULL:
            raise MemoryError()
        self.texts.used = self.rendered.used = self.rendered_ends.used = self.out.used = 0
        need(&self.rendered_ends, 8)
        for i, (name, kind, array) in enumerate(columns):
            column = &self.columns[i]
            column.kind = ARRAY_KINDS[kind]
            column.offset = array.offset
            buffers = array.buffers()
            keep.append(buffers)
            column.validity = address(buffers[0]) if array.null_count else NULL
            column.values = address(buffers[1])
            column.data = address(buffers[2]) if column.kind in (OF_STRINGS, OF_BINARY) else NULL
            key = b'"' + name.encode() + b'":'
            need(&self.texts, len(key))
            column.key_start = self.texts.used
            raw(&self.texts, key, len(key))
            column.key_end = self.texts.used
            if column.kind == OF_DICTIONARY:
                keep.append(self.render(column, array.dictionary))
            elif column.kind == OF_MAPS:
                # validity, offsets, struct validity, key validity, offsets, data, value ...
                column.keys, column.key_data = address(buffers[4]), address(buffers[5])
                column.entries, column.entry_data = address(buffers[7]), address(buffers[8])
        need(&self.out, 64)
        with nogil:
            self.write(count, rows)
        return self.out.used

    cdef object render(self, Column* column, object dictionary):
        """Render the entries of a dictionary."""
        cdef list buffers = dictionary.buffers()
        cdef const int32_t* ends = <const int32_t*>address(buffers[1])
        cdef const uint8_t* data = address(buffers[2])
        cdef int64_t i, start, first = dictionary.offset
        column.first_entry = self.rendered_ends.used // 8
        need(&self.rendered_ends, 8)
        (<int64_t*>(self.rendered_ends.data + self.rendered_ends.used))[0] = self.rendered.used
        self.rendered_ends.used += 8
        for i in range(<int64_t>len(dictionary)):
            start = ends[first + i]
            need(&self.rendered, column.key_end - column.key_start + 6 * (ends[first + i + 1] - start) + 16)
            raw(&self.rendered, self.texts.data + column.key_start, column.key_end - column.key_start)
            quoted(&self.rendered, data + start, ends[first + i + 1] - start)
            byte(&self.rendered, c',')
            need(&self.rendered_ends, 8)
            (<int64_t*>(self.rendered_ends.data + self.rendered_ends.used))[0] = self.rendered.used
            self.rendered_ends.used += 8
        return buffers

    cdef int write(self, int32_t count, int64_t rows) except -1 nogil:
        cdef int64_t row, at, second = -(1 << 62)
        cdef uint8_t[20] text
        cdef int32_t i
        cdef Py_ssize_t start, keys = self.texts.used + 32 * count + 64
        cdef Column* column
        cdef Buffer* out = &self.out
        cdef const int32_t* ends
        cdef const int64_t* entry
        cdef bint written
        for row in range(rows):
            need(out, keys)
            byte(out, c'{')
            for i in range(count):
                column = &self.columns[i]
                at = column.offset + row
                if column.validity != NULL and not column.validity[at >> 3] >> (at & 7) & 1:
                    continue
                if column.kind == OF_DICTIONARY:
                    entry = (<const int64_t*>self.rendered_ends.data + column.first_entry
                             + (<const int32_t*>column.values)[at])
                    need(out, entry[1] - entry[0] + keys)
                    raw(out, self.rendered.data + entry[0], entry[1] - entry[0])
                    continue
                start = out.used
                raw(out, self.texts.data + column.key_start, column.key_end - column.key_start)
                written = True
                if column.kind == OF_STRINGS or column.kind == OF_BINARY:
                    ends = <const int32_t*>column.values + at
                    need(out, 6 * <Py_ssize_t>(ends[1] - ends[0]) + keys)
                    if column.kind == OF_STRINGS:
                        quoted(out, column.data + ends[0], ends[1] - ends[0])
                    else:
                        quoted_bytes(out, column.data + ends[0], ends[1] - ends[0])
                elif column.kind == OF_TIMESTAMPS:
                    written = timestamp(out, (<const int64_t*>column.values)[at], &second, text)
                elif column.kind == OF_INT64:
                    integer(out, (<const int64_t*>column.values)[at])
                elif column.kind == OF_UINT8:
                    integer(out, column.values[at])
                elif column.kind == OF_FLOAT64:
                    written = decimal(out, (<const double*>column.values)[at])
                else:
                    written = self.pairs(column, at)
                    need(out, keys)
                if written:
                    byte(out, c',')
                else:
                    out.used = start
            if out.data[out.used - 1] == c',':
                out.used -= 1
            raw(out, b"}\n", 2)
        return 0

    cdef bint pairs(self, Column* column, int64_t at) except -1 nogil:
        """Write a map as an object; an empty one is left out."""
        cdef const int32_t* ends = <const int32_t*>column.values + at
        cdef const int32_t* keys = <const int32_t*>column.keys
        cdef const int32_t* values = <const int32_t*>column.entries
        cdef int32_t i
        if ends[0] == ends[1]:
            return False
        byte(&self.out, c'{')
        for i in range(ends[0], ends[1]):
            need(&self.out, 6 * <Py_ssize_t>(keys[i + 1] - keys[i]) + 6 * <Py_ssize_t>(values[i + 1] - values[i]) + 16)
            quoted(&self.out, column.key_data + keys[i], keys[i + 1] - keys[i])
            byte(&self.out, c':')
            quoted(&self.out, column.entry_data + values[i], values[i + 1] - values[i])
            byte(&self.out, c',')
        self.out.data[self.out.used - 1] = c'}'
        return True
