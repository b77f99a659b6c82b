# Rows of Arrow arrays as JSON objects.

from libc.stdint cimport int32_t, int64_t, uint8_t

from opslog.kernel._text cimport Buffer, need
from opslog.rows._json_text cimport byte, decimal, integer, quoted, quoted_bytes, raw, timestamp

cdef enum ArrayKind:
    OF_TIMESTAMPS
    OF_UINT8
    OF_INT64
    OF_FLOAT64
    OF_STRINGS
    OF_DICTIONARY
    OF_MAPS
    OF_BINARY

ctypedef struct Array:
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

ctypedef struct Arrays:
    Array* items
    int32_t count
    Buffer keys                 # `"name":`
    Buffer rendered             # dictionary entries: `"name":"value",`
    Buffer rendered_ends        # int64 ends of the entries


cdef inline bint put_map(Buffer* out, const Array* array, int64_t at) except -1 nogil:
    """Write a map as an object; an empty one is left out."""
    cdef const int32_t* ends = <const int32_t*>array.values + at
    cdef const int32_t* keys = <const int32_t*>array.keys
    cdef const int32_t* values = <const int32_t*>array.entries
    cdef int32_t i
    if ends[0] == ends[1]:
        return False
    byte(out, c'{')
    for i in range(ends[0], ends[1]):
        need(out, 6 * <Py_ssize_t>(keys[i + 1] - keys[i]) + 6 * <Py_ssize_t>(values[i + 1] - values[i]) + 16)
        quoted(out, array.key_data + keys[i], keys[i + 1] - keys[i])
        byte(out, c':')
        quoted(out, array.entry_data + values[i], values[i + 1] - values[i])
        byte(out, c',')
    out.data[out.used - 1] = c'}'
    return True


cdef inline int put_rows(Buffer* out, const Arrays* arrays, int64_t rows) except -1 nogil:
    """Write the rows, each an object and a newline; nulls are left out."""
    cdef int64_t row, at, second = -(1 << 62)
    cdef uint8_t[20] second_text
    cdef int32_t i
    cdef Py_ssize_t start, keys = arrays.keys.used + 32 * arrays.count + 64
    cdef const Array* array
    cdef const int32_t* ends
    cdef const int64_t* entry
    cdef bint written
    for row in range(rows):
        need(out, keys)
        byte(out, c'{')
        for i in range(arrays.count):
            array = &arrays.items[i]
            at = array.offset + row
            if array.validity != NULL and not array.validity[at >> 3] >> (at & 7) & 1:
                continue
            if array.kind == OF_DICTIONARY:
                entry = (<const int64_t*>arrays.rendered_ends.data + array.first_entry
                         + (<const int32_t*>array.values)[at])
                need(out, entry[1] - entry[0] + keys)
                raw(out, arrays.rendered.data + entry[0], entry[1] - entry[0])
                continue
            start = out.used
            raw(out, arrays.keys.data + array.key_start, array.key_end - array.key_start)
            written = True
            if array.kind == OF_STRINGS or array.kind == OF_BINARY:
                ends = <const int32_t*>array.values + at
                need(out, 6 * <Py_ssize_t>(ends[1] - ends[0]) + keys)
                if array.kind == OF_STRINGS:
                    quoted(out, array.data + ends[0], ends[1] - ends[0])
                else:
                    quoted_bytes(out, array.data + ends[0], ends[1] - ends[0])
            elif array.kind == OF_TIMESTAMPS:
                written = timestamp(out, (<const int64_t*>array.values)[at], &second, second_text)
            elif array.kind == OF_INT64:
                integer(out, (<const int64_t*>array.values)[at])
            elif array.kind == OF_UINT8:
                integer(out, array.values[at])
            elif array.kind == OF_FLOAT64:
                written = decimal(out, (<const double*>array.values)[at])
            else:
                written = put_map(out, array, at)
                need(out, keys)
            if written:
                byte(out, c',')
            else:
                out.used = start
        if out.data[out.used - 1] == c',':
            out.used -= 1
        raw(out, b"}\n", 2)
    return 0
