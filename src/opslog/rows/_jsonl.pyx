"""JSON lines: one object a record, nulls left out, valid UTF-8.

They come from records, without columns between, or from record batches; both say
the same.  Timestamps are RFC 3339 in UTC with microseconds.  A double is written
with the fewest digits that read back as itself.  A dictionary's entries, and what
never changes, are rendered once, key and comma included, so that a row costs one
copy.
"""

cimport cython
from cpython.buffer cimport PyBuffer_FillInfo
from libc.stdint cimport int32_t, int64_t, uint8_t, uint64_t
from libc.stdlib cimport calloc, free, malloc, realloc
from libc.string cimport memcpy

from opslog.kernel._block cimport Line, NONE, Record
from opslog.kernel._bytes cimport load8, lowest_bit, same
from opslog.kernel._row_head cimport HEAD, Head
from opslog.kernel._screen cimport Screen
from opslog.kernel._text cimport Buffer, need, put
from opslog.rows._json_arrays cimport (Array, Arrays, OF_BINARY, OF_DICTIONARY, OF_FLOAT64, OF_INT64, OF_MAPS, OF_STRINGS, OF_TIMESTAMPS, OF_UINT8, put_rows)
from opslog.rows._json_text cimport (byte, decimal, escaped, integer, key, put_escaped, quoted, quoted_bytes, raw, timestamp)
from opslog.rows._numbers cimport read_decimal, read_integer, read_written
from opslog.rows._plan cimport (DECIMAL, FORMAT, INTEGER, LEVEL, OFFSET, ORIGINAL, PAIRS, SOURCE, TIMESTAMP)
from opslog.rows._values cimport Attribute, Rows, Value, key_of, text_of

cdef enum:
    KEY_BYTES = 64
    SHORT = 59                  # bytes of texts that are remembered, as they come again: ids, names
    REMEMBERED = 4096           # of them
    SLACK = 160                 # a key, a number and what the writers may write behind

ARRAY_KINDS = {
    "timestamp": OF_TIMESTAMPS, "uint8": OF_UINT8, "int64": OF_INT64, "float64": OF_FLOAT64,
    "string": OF_STRINGS, "dictionary": OF_DICTIONARY, "map": OF_MAPS, "binary": OF_BINARY,
}

ctypedef struct Short:
    int32_t size                # less than 0: none
    uint8_t is_name
    uint8_t[SHORT] text

cdef uint8_t[32] COLON          # what stands between a key and a text
COLON[0], COLON[1] = c':', c'"'


@cython.final
cdef class JsonKeys:
    """What stands before each column's value, and values that never change.

    ``columns``: (name, kind) in the plan's order, ``shown`` of them written;
    ``formats``: their names.
    """

    cdef uint8_t* keys                  # KEY_BYTES each: `"name":` or `"name":"`
    cdef uint8_t[64] sizes
    cdef int32_t count
    cdef uint64_t shown
    cdef uint64_t always                # columns that every record has, or may have
    cdef Buffer chunks                  # `"format":"name",` per format
    cdef Buffer ends

    def __init__(self, list columns, int32_t shown, list formats):
        cdef int32_t i
        cdef bytes text
        self.keys = <uint8_t*>calloc(len(columns) + 1, KEY_BYTES)
        if self.keys == NULL:
            raise MemoryError()
        self.count = <int32_t>len(columns)
        self.shown = (<uint64_t>1 << shown) - 1 if shown < 64 else <uint64_t>-1
        called = ""
        for i, (name, kind) in enumerate(columns):
            called = name if kind == "format" else called
            text = b'"' + name.encode() + (b'":"' if kind in ("string", "dictionary") else b'":')
            if len(text) > 32:
                raise ValueError(f"column name too long: {name}")
            memcpy(self.keys + KEY_BYTES * i, <const char*>text, len(text))
            self.sizes[i] = <uint8_t>len(text)
            if kind in ("timestamp", "level", "format", "source", "offset", "original"):
                self.always |= <uint64_t>1 << i
        for value in formats:
            text = b'"' + called.encode() + b'":'
            need(&self.chunks, len(text))
            raw(&self.chunks, text, len(text))
            text = value.encode()
            need(&self.chunks, 6 * len(text) + 32)
            quoted(&self.chunks, text, len(text))
            byte(&self.chunks, c',')
            need(&self.chunks, 32)      # which key() reads
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
        if ends[number] - start <= 32:
            key(out, self.chunks.data + start, ends[number] - start)
        else:
            raw(out, self.chunks.data + start, ends[number] - start)
        return 0


@cython.final
cdef class JsonRows(Rows):
    """Records as JSON lines, without columns between; see Rows for the first arguments.

    ``source`` is that of all the records.  A ``screen`` is asked of every text of a row, but
    for source and format, and of the names of its attributes.  For a text it holds back,
    ``change`` returns what is written, or None: then the rows are not for this writer, as they
    are not with such a name.
    """

    cdef JsonKeys names
    cdef const int64_t[::1] moments     # UTC microseconds
    cdef const uint8_t[::1] timed       # bits: has a timestamp; None: all have
    cdef int64_t second
    cdef uint8_t[20] second_text
    cdef Buffer source                  # as it is written, with its key
    cdef Buffer scratch
    cdef Screen screen
    cdef object change
    cdef Buffer changed                 # what stands for the text that was held back last
    cdef bint held                      # whether a row is not for this writer
    cdef Short* passed                  # texts that stay

    def __init__(self, records, plan, service, program, host, selection, ambiguous,
                 JsonKeys names not None, const int64_t[::1] moments, const uint8_t[::1] timed,
                 bytes source not None, Screen screen=None, change=None):
        cdef int32_t i
        self.names = names
        self.moments = moments
        self.timed = timed
        self.second = -(1 << 62)
        if moments is not None and moments.shape[0] < self.count or (
                timed is not None and timed.shape[0] * 8 < self.count):
            raise ValueError("fewer moments than rows")
        need(&self.source, 6 * len(source) + 64)
        for i in range(names.count):
            if self.plan.kinds[i] == SOURCE:
                key(&self.source, names.keys + KEY_BYTES * i, names.sizes[i])
                quoted(&self.source, source, len(source))
                byte(&self.source, c',')
        self.screen = screen
        self.change = change
        if screen is not None:
            self.passed = <Short*>malloc(REMEMBERED * sizeof(Short))
            if self.passed == NULL:
                raise MemoryError()
            for i in range(REMEMBERED):
                self.passed[i].size = -1

    def __dealloc__(self):
        free(self.source.data)
        free(self.scratch.data)
        free(self.changed.data)
        free(self.passed)

    cdef int write(self, int32_t row, Buffer* out) except -1 nogil:
        """Write the row loaded last."""
        cdef uint64_t left = (self.present | self.names.always) & self.names.shown
        cdef int32_t number, kind
        cdef Record* record = self.record(row)
        cdef Line* line = &self.block.lines[record.head]
        cdef Value* value
        cdef const uint8_t* name
        cdef const uint8_t* text
        cdef Py_ssize_t size, length
        cdef int64_t whole
        cdef double real
        # Of all that is written through bytes, C must think that they may be these.
        cdef const int32_t* kinds = self.plan.kinds
        cdef const uint8_t* keys = self.names.keys
        cdef const uint8_t* sizes = self.names.sizes
        cdef uint8_t* to
        need(out, SLACK)
        byte(out, c'{')
        while left:
            number = lowest_bit(left)
            left &= left - 1
            kind = kinds[number]
            name = keys + KEY_BYTES * number
            size = sizes[number]
            if kind < INTEGER:
                value = &self.values[number]
                if value.change:
                    self.text(out, name, size, value)
                    to = out.data + out.used
                else:
                    text, length = value.data, value.size
                    if self.passed != NULL and self.look(text, length):
                        text, length = self.changed.data, self.changed.used
                    need(out, 6 * length + SLACK)
                    to = out.data + out.used
                    memcpy(to, name, 32)
                    to = put_escaped(to + size, text, length)
                memcpy(to, b'",', 2)
                out.used = to + 2 - out.data
                continue
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
                if not (read_written(value.data, value.size, &real) if self.is_stored
                        else read_decimal(value.data, value.size, value.change, &real)):
                    continue
                need(out, SLACK)
                key(out, name, size)
                if not decimal(out, real):
                    out.used -= size
                    continue
            elif self.is_stored and kind >= FORMAT and (kind < ORIGINAL or self.present >> number & 1):
                self.stored(out, name, size, number, kind)
                continue
            elif kind == FORMAT:
                if record.leaf >= 0:
                    self.names.chunk(self.plan.lines.leaves[record.leaf].format, out)
                continue
            elif kind == SOURCE:
                need(out, self.source.used + SLACK)
                raw(out, self.source.data, self.source.used)
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

    cdef int stored(self, Buffer* out, const uint8_t* name, Py_ssize_t size, int32_t number, int32_t kind) except -1 nogil:
        """Write what a record as opslog writes it says of where it stood."""
        cdef Value* value = &self.values[number]
        cdef const uint8_t* text
        cdef Py_ssize_t length
        cdef int64_t whole
        if not self.present >> number & 1:
            return 0
        if kind == OFFSET:
            if not read_integer(value.data, value.size, &whole):
                return 0
            need(out, SLACK)
            key(out, name, size)
            integer(out, whole)
        else:
            text = text_of(value, &self.scratch, &length)
            if self.passed != NULL and self.look(text, length):
                text, length = self.changed.data, self.changed.used
            need(out, 6 * length + SLACK)
            key(out, name, size)
            quoted(out, text, length)
        byte(out, c',')
        return 0

    cdef inline int text(self, Buffer* out, const uint8_t* name, Py_ssize_t size, Value* value) except -1 nogil:
        """Write a key (which ends in a quote) and a text, without the quote behind it."""
        cdef Py_ssize_t length
        cdef const uint8_t* text = text_of(value, &self.scratch, &length)
        if self.passed != NULL and self.look(text, length):
            text, length = self.changed.data, self.changed.used
        need(out, 6 * length + SLACK)
        key(out, name, size)
        escaped(out, text, length)
        return 0

    cdef int look(self, const uint8_t* text, Py_ssize_t size, bint is_name=False) except -1 nogil:
        """Ask the screen of a text, or of an attribute's name; return whether another text stands for it."""
        cdef Short* short
        cdef uint64_t hashed
        if self.held or (size < self.screen.shortest and not is_name):
            return 0
        if size > SHORT:
            return self.asked(text, size, is_name)
        # Where ids differ: what has the same place comes in turns.
        hashed = size + is_name if size < 8 else load8(text) ^ (load8(text + size - 8) + <uint64_t>size)
        short = self.passed + (hashed * <uint64_t>0x9E3779B97F4A7C15 >> 52)
        if short.size == size and short.is_name == is_name and same(short.text, text, size):
            return 0
        if self.asked(text, size, is_name):
            return 1
        short.size = <int32_t>size
        short.is_name = is_name
        memcpy(short.text, text, size)
        return 0

    cdef int asked(self, const uint8_t* text, Py_ssize_t size, bint is_name) except -1 nogil:
        if is_name:
            self.held = self.screen.named(text, size)
            return 0
        return self.screen.holds(text, text + size) and self.changes(text, size)

    cdef int changes(self, const uint8_t* text, Py_ssize_t size) except -1 with gil:
        cdef bytes known = text[:size]
        cdef bytes new = self.change(known)
        self.held = new is None
        if new is None or new == known:
            return 0
        self.changed.used = 0
        put(&self.changed, new, len(new), 0)
        return 1

    cdef int pairs(self, Buffer* out) except -1 nogil:
        cdef int32_t i
        cdef Attribute* attribute
        cdef const uint8_t* name
        cdef Py_ssize_t size
        byte(out, c'{')
        for i in range(self.attribute_count):
            attribute = &self.attributes[i]
            name = key_of(self, attribute, &size)
            need(out, 6 * size + SLACK)
            quoted(out, name, size)
            if self.passed != NULL:
                self.look(name, size, True)
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
        if self.passed != NULL and self.look(self.scratch.data, self.scratch.used):
            self.scratch.used = 0
            put(&self.scratch, self.changed.data, self.changed.used, 0)
        need(out, 6 * self.scratch.used + SLACK)
        quoted_bytes(out, self.scratch.data, self.scratch.used)
        return 0


cdef const uint8_t* address(object buffer) except? NULL:
    if buffer is None:
        return NULL
    return <const uint8_t*><uint64_t>buffer.address


@cython.final
cdef class JsonLines:
    """Writes rows or batches into one buffer that is used again by the next."""

    cdef Buffer out
    cdef Arrays arrays          # of the batch written last
    cdef readonly Py_ssize_t exports

    def __dealloc__(self):
        free(self.out.data)
        free(self.arrays.keys.data)
        free(self.arrays.rendered.data)
        free(self.arrays.rendered_ends.data)
        free(self.arrays.items)

    def __getbuffer__(self, Py_buffer* view, int flags):
        PyBuffer_FillInfo(view, self, self.out.data, self.out.used, 1, flags)
        self.exports += 1

    def __releasebuffer__(self, Py_buffer* view):
        self.exports -= 1

    def encode_rows(self, JsonRows rows not None, const int64_t[::1] places=None):
        """Write the rows; return whether they were for this writer, of which their screen knows.

        The bytes are those of the object's buffer until the next call.  With
        ``places`` in the order of time each line stands behind its head, to be merged.
        """
        cdef int32_t i
        cdef Head head
        cdef Py_ssize_t start
        if self.exports:
            raise BufferError("the lines written last are still in use")
        if places is not None and places.shape[0] < rows.count:
            raise ValueError("fewer places than rows")
        self.out.used = 0
        with nogil:
            for i in range(rows.count):
                rows.load(i)
                if places is None:
                    rows.write(i, &self.out)
                    if rows.held:
                        break
                    continue
                need(&self.out, HEAD)
                start = self.out.used
                self.out.used += HEAD
                rows.write(i, &self.out)
                head.time = places[i]
                head.size = self.out.used - start - HEAD
                memcpy(self.out.data + start, &head, HEAD)
        return not rows.held

    def encode(self, list columns, int64_t rows):
        """Write ``rows`` rows of ``columns``: (name, kind, array) each, likewise."""
        cdef Array* item
        cdef int32_t i, count = len(columns)
        cdef bytes text
        cdef list owners = []
        if self.exports:
            raise BufferError("the lines written last are still in use")
        self.arrays.items = <Array*>realloc(self.arrays.items, (count + 1) * sizeof(Array))
        if self.arrays.items == NULL:
            raise MemoryError()
        self.arrays.count = count
        self.arrays.keys.used = self.arrays.rendered.used = self.arrays.rendered_ends.used = self.out.used = 0
        for i, (name, kind, array) in enumerate(columns):
            item = &self.arrays.items[i]
            item.kind = ARRAY_KINDS[kind]
            item.offset = array.offset
            buffers = array.buffers()
            owners.append(buffers)
            item.validity = address(buffers[0]) if array.null_count else NULL
            item.values = address(buffers[1])
            item.data = address(buffers[2]) if item.kind in (OF_STRINGS, OF_BINARY) else NULL
            text = b'"' + name.encode() + b'":'
            need(&self.arrays.keys, len(text))
            item.key_start = self.arrays.keys.used
            raw(&self.arrays.keys, text, len(text))
            item.key_end = self.arrays.keys.used
            if item.kind == OF_DICTIONARY:
                owners.append(self.render(item, array.dictionary))
            elif item.kind == OF_MAPS:
                # validity, offsets, struct validity, key validity, offsets, data, value ...
                item.keys, item.key_data = address(buffers[4]), address(buffers[5])
                item.entries, item.entry_data = address(buffers[7]), address(buffers[8])
        need(&self.out, 64)
        with nogil:
            put_rows(&self.out, &self.arrays, rows)
        return self.out.used

    cdef object render(self, Array* item, object dictionary):
        """Render the entries of a dictionary."""
        cdef list buffers = dictionary.buffers()
        cdef const int32_t* ends = <const int32_t*>address(buffers[1])
        cdef const uint8_t* data = address(buffers[2])
        cdef int64_t i, start, first = dictionary.offset
        item.first_entry = self.arrays.rendered_ends.used // 8
        need(&self.arrays.rendered_ends, 8)
        (<int64_t*>(self.arrays.rendered_ends.data + self.arrays.rendered_ends.used))[0] = self.arrays.rendered.used
        self.arrays.rendered_ends.used += 8
        for i in range(<int64_t>len(dictionary)):
            start = ends[first + i]
            need(&self.arrays.rendered, item.key_end - item.key_start + 6 * (ends[first + i + 1] - start) + 16)
            raw(&self.arrays.rendered, self.arrays.keys.data + item.key_start, item.key_end - item.key_start)
            quoted(&self.arrays.rendered, data + start, ends[first + i + 1] - start)
            byte(&self.arrays.rendered, c',')
            need(&self.arrays.rendered_ends, 8)
            (<int64_t*>(self.arrays.rendered_ends.data + self.arrays.rendered_ends.used))[0] = self.arrays.rendered.used
            self.arrays.rendered_ends.used += 8
        return buffers
