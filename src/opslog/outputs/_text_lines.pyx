"""Pieces of text become lines, one below the other, in columns as wide as the records before were."""

cimport cython
from cpython.buffer cimport PyBuffer_FillInfo
from libc.stdint cimport int32_t, uint8_t
from libc.stdlib cimport free

from opslog.kernel._bytes cimport same
from opslog.kernel._text cimport Buffer, need
from opslog.outputs._text_rows cimport INDENT, NONE, REQUEST_CELLS, SLACK, WHOLE, Entry, Row, TextRows, add, fill
from opslog.rows._json_text cimport byte, raw
from opslog.terminal._color cimport Color, color_of, put_color
from opslog.terminal._escape cimport without_blanks

from opslog.terminal import style

cdef enum:
    # Widths: grows with the programs seen, `neutron-openvswitch-agent`; more where hosts are shown
    LEAST_PROGRAM = 4
    MOST_PROGRAM = 26
    MOST_HOST = 16
    MOST_REQUEST = 40           # `req-` and a UUID; grows from nothing likewise

cdef Color CYAN = color_of(style.CYAN)
cdef Color RESET = color_of(style.RESET)


@cython.final
cdef class TextLines:
    """Lines, written into one buffer that is used again by the next call.

    ``width`` is that of a narrow terminal, 0 for any other; with ``hosts`` the first
    record has its host, too.
    """

    cdef Buffer out
    cdef Py_ssize_t exports
    cdef Py_ssize_t width
    cdef Py_ssize_t program_cells
    cdef Py_ssize_t request_cells
    cdef Buffer host                # the first one met
    cdef bint hosts                 # there are others

    def __init__(self, Py_ssize_t width, bint hosts):
        self.width, self.hosts = width, hosts
        self.program_cells = LEAST_PROGRAM

    def __dealloc__(self):
        free(self.out.data)
        free(self.host.data)

    def __getbuffer__(self, Py_buffer* view, int flags):
        PyBuffer_FillInfo(view, self, self.out.data, self.out.used, 1, flags)
        self.exports += 1

    def __releasebuffer__(self, Py_buffer* view):
        self.exports -= 1

    def put(self, TextRows rows not None):
        """Write the rows; the bytes are those of the object's buffer until the next call."""
        cdef int32_t i
        cdef const Row* row
        if self.exports:
            raise BufferError("the lines written last are still in use")
        self.out.used = 0
        with nogil:
            for i in range(rows.count):
                row = &rows.rows[i]
                if row.name == WHOLE:
                    add(&self.out, rows.out.data + row.start, row.head)
                else:
                    self.put_row(rows, row)

    cdef int put_row(self, TextRows rows, const Row* row) except -1 nogil:
        cdef const Entry* entries = <const Entry*>rows.entries.data
        cdef const Entry* name = entries + row.name if row.name != NONE else NULL
        cdef const Entry* host = entries + row.host if row.host != NONE else NULL
        cdef const uint8_t* p = rows.out.data + row.start
        cdef Buffer* out = &self.out
        cdef Py_ssize_t start = out.used, taken = 0, used
        if host != NULL and not self.hosts:
            self.meet(rows.texts.data + host.raw_start, host.raw_size)
        if not self.hosts:
            host = NULL
        if name != NULL:
            taken = name.cells
        if host != NULL:
            taken += 1 + host.cells
        self.program_cells = max(self.program_cells, min(taken, MOST_PROGRAM + (MOST_HOST if self.hosts else 0)))
        self.request_cells = max(self.request_cells, min(row.request_cells, MOST_REQUEST if rows.full else REQUEST_CELLS))
        need(out, row.head + row.request + row.message + row.behind + self.program_cells
             + self.request_cells + (name.size if name != NULL else 0) + (host.size if host != NULL else 0) + SLACK)
        raw(out, p, row.head)
        p += row.head
        if taken and rows.colored:
            put_color(out, &CYAN)
        if name != NULL:
            raw(out, rows.texts.data + name.start, name.size)
        if host != NULL:
            byte(out, c'@')
            raw(out, rows.texts.data + host.start, host.size)
        if taken and rows.colored:
            put_color(out, &RESET)
        fill(out, self.program_cells - taken)
        used = row.head_cells + max(self.program_cells, taken)
        if self.request_cells:
            fill(out, 2)
            raw(out, p, row.request)
            fill(out, self.request_cells - row.request_cells)
            used += 2 + max(self.request_cells, row.request_cells)
        p += row.request
        if not row.message:
            out.used = start + without_blanks(out.data + start, out.used - start)
        elif self.width and used + 2 + row.message_cells > self.width:
            out.used = start + without_blanks(out.data + start, out.used - start)
            byte(out, c'\n')
            fill(out, INDENT)
        else:
            fill(out, 2)
        raw(out, p, row.message + row.behind)
        return 0

    cdef int meet(self, const uint8_t* host, Py_ssize_t size) except -1 nogil:
        """Remember the first host, and see whether this is another."""
        if not self.host.used:
            add(&self.host, host, size)
        self.hosts = size != self.host.used or not same(host, self.host.data, size)
        return 0
