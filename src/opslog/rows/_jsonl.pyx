"""Record batches to JSON lines: one object a row, nulls left out, valid UTF-8.

Timestamps are RFC 3339 in UTC with microseconds.  A dictionary column's entries
are rendered once per batch, key and comma included, so that a row costs one
copy.  A double is written with the fewest digits that read back as itself.
"""

cimport cython
from cpython.buffer cimport PyBuffer_FillInfo
from libc.stdint cimport INT64_MIN, int32_t, int64_t, uint8_t, uint32_t, uint64_t
from libc.stdlib cimport calloc, free, realloc
from libc.string cimport memcpy

from opslog.rows._json_rows cimport JsonRows
from opslog.rows._json_text cimport byte, decimal, integer, quoted, quoted_bytes, raw, timestamp
from opslog.kernel._row_head cimport HEAD, Head
from opslog.kernel._text cimport Buffer, need

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
    if buffer is None:
        return NULL
    return <const uint8_t*><uint64_t>buffer.address


@cython.final
cdef class JsonLines:
    """Writes batches into one buffer that is used again by the next."""

    cdef Buffer out
    cdef Buffer texts           # keys
    cdef Buffer rendered        # dictionary entries: `"name":"value",`
    cdef Buffer rendered_ends   # int64 ends of the entries
    cdef Column* columns
    cdef readonly Py_ssize_t exports

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

    def encode_rows(self, JsonRows rows not None, bint heads=False):
        """Write the rows; return bytes written.

        The bytes are those of the object's buffer until the next call.  With
        ``heads`` each line stands behind its head, to be merged.
        """
        cdef int32_t i
        cdef Head head
        cdef Py_ssize_t start
        if self.exports:
            raise BufferError("the lines written last are still in use")
        if heads and rows.moments is None:
            raise ValueError("to be merged, rows need their moments")
        self.out.used = 0
        with nogil:
            for i in range(rows.count):
                rows.load(i)
                if not heads:
                    rows.write(i, &self.out)
                    continue
                need(&self.out, HEAD)
                start = self.out.used
                self.out.used += HEAD
                rows.write(i, &self.out)
                head.time = rows.moments[i]
                if rows.timed is not None and not rows.timed[i >> 3] >> (i & 7) & 1:
                    head.time = INT64_MIN
                head.size = self.out.used - start - HEAD
                memcpy(self.out.data + start, &head, HEAD)
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
