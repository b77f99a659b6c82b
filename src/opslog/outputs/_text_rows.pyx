"""Records as pieces of text, from Arrow columns; text.py says what a line has.

They are all that is the same wherever a record stands.  Where dictionaries have the texts,
each is escaped and measured once.
"""

cimport cython
from libc.stdint cimport int32_t, int64_t, uint8_t, uint64_t
from libc.stdlib cimport calloc, free
from libc.stdio cimport snprintf
from libc.string cimport memchr, memset

from opslog.kernel._bytes cimport same
from opslog.kernel._text cimport Buffer, need
from opslog.rows._json_arrays cimport Array
from opslog.rows._json_text cimport byte, raw, timestamp
from opslog.terminal._color cimport Color, color_of, put_color
from opslog.terminal._escape cimport LINES, MARKS, blanks_before, cells, put_escaped, without_blanks

from opslog.model.severity import CRIT, ERROR, INFO, WARNING
from opslog.terminal import style

cdef enum:
    # Widths: `2026-03-10 10:00:07.791Z`, the same with `+01:00`, `CRITICAL`
    TIME_CELLS = 24
    ZONED_CELLS = 29
    SEVERITY_CELLS = 8

cdef Color RED, DIM, MAGENTA, RESET
cdef Color[256] SEVERITIES      # of each number

RED, DIM, MAGENTA = color_of(style.RED), color_of(style.DIM), color_of(style.MAGENTA)
RESET = color_of(style.RESET)
cdef int _number
for _number in range(256):
    # Of what is less no color says anything: the blue of many terminals is too dark to read.
    SEVERITIES[_number] = color_of(
        style.BOLD_RED if _number >= CRIT else style.RED if _number >= ERROR
        else style.YELLOW if _number >= WARNING else style.GREEN if _number >= INFO else style.DIM
    )


cdef inline const uint8_t* line_end(const uint8_t* p, const uint8_t* end) noexcept nogil:
    cdef const uint8_t* found = NULL
    if p < end:
        found = <const uint8_t*>memchr(p, c'\n', end - p)
    return found if found != NULL else end


cdef inline const uint8_t* behind_slash(const uint8_t* start, const uint8_t* end) noexcept nogil:
    """Return where the name of a file begins in its path."""
    cdef const uint8_t* p = end
    while p > start and (p - 1)[0] != c'/':
        p -= 1
    return p


cdef inline void put_offset(uint8_t* to, int64_t minutes) noexcept nogil:
    """Write how far a zone is ahead of UTC: six bytes."""
    cdef int64_t ahead = -minutes if minutes < 0 else minutes
    to[0] = c'-' if minutes < 0 else c'+'
    to[1], to[2] = 48 + ahead // 600 % 10, 48 + ahead // 60 % 10
    to[3] = c':'
    to[4], to[5] = 48 + ahead % 60 // 10, 48 + ahead % 10


cdef inline Py_ssize_t mark_before(const uint8_t* p, Py_ssize_t n) noexcept nogil:
    """Return how long the mark is that ends behind p[n - 1], as it is or as a command, 0 if none does."""
    if n >= 3 and p[n - 1] & 0xFE == 0x90 and p[n - 2] == 0xB7 and p[n - 3] == 0xEF:
        return 3
    if n >= 4 and same(p + n - 4, <const uint8_t*>b"\x1b[7m", 4):
        return 4
    if n >= 5 and same(p + n - 5, <const uint8_t*>b"\x1b[27m", 5):
        return 5
    return 0


cdef Py_ssize_t begin_of(const uint8_t* p, Py_ssize_t n, const uint8_t* end, Py_ssize_t size, bint marked) noexcept nogil:
    """Return where `end` begins by which a text ends, but for marks in both; NONE if it does not."""
    cdef Py_ssize_t mark
    while True:
        if marked:
            mark = 1
            while mark:
                mark = mark_before(end, size)
                size -= mark
            mark = 1
            while mark:
                mark = mark_before(p, n)
                n -= mark
        if not size:
            return n
        if not n or p[n - 1] != end[size - 1]:
            return NONE
        n -= 1
        size -= 1


cdef const uint8_t* address(object buffer) except? NULL:
    if buffer is None:
        return NULL
    return <const uint8_t*><uint64_t>buffer.address


cdef inline bint has(const Array* array, int64_t row) noexcept nogil:
    cdef int64_t at = array.offset + row
    if array.values == NULL:
        return False
    return array.validity == NULL or array.validity[at >> 3] >> (at & 7) & 1


cdef inline const uint8_t* text_of(const Array* array, int64_t row, Py_ssize_t* size) noexcept nogil:
    """Return the text of a row, of no bytes if it has none."""
    cdef const int32_t* ends
    size[0] = 0
    if not has(array, row):
        return NULL
    ends = <const int32_t*>array.values + array.offset + row
    size[0] = ends[1] - ends[0]
    return array.data + ends[0]


@cython.final
cdef class TextRows:
    """Pieces of the lines of ``count`` records.

    ``arrays`` are those of TextSink.columns, of the types in schema.py.  ``measured`` says that it is
    told how many cells the messages take.  ``local`` are the times in the zone they are shown in
    (int64, microseconds), None where that is UTC; ``marked``: texts hold the marks of marks.py.
    """

    def __init__(self, list arrays, int32_t count, bint colored, bint full, bint measured, local=None,
                 bint marked=False):
        cdef int32_t i
        cdef Array* item
        cdef list owners = []
        if len(arrays) != COLUMNS or any(len(array) != count for array in arrays):
            raise ValueError(f"expected {<int>COLUMNS} columns of {count} rows")
        if local is not None and len(local) != count:
            raise ValueError(f"expected {count} local times")
        self.colored, self.full, self.measured = colored, full, measured
        self.marks = MARKS if marked else 0
        self.zoned = local is not None
        self.local = local
        memset(&self.locals, 0, sizeof(Array))
        if local is not None and local.null_count < count:
            buffers = local.buffers()
            owners.append(buffers)
            self.locals.offset = local.offset
            self.locals.validity = address(buffers[0]) if local.null_count else NULL
            self.locals.values = address(buffers[1])
        self.second = -(1 << 62)
        self.count = count
        self.rows = <Row*>calloc(count + 1, sizeof(Row))
        if self.rows == NULL:
            raise MemoryError()
        for i, array in enumerate(arrays):
            item = &self.columns[i]
            memset(item, 0, sizeof(Array))
            if array.null_count == count:
                continue
            buffers = array.buffers()
            owners.append(buffers)
            item.offset = array.offset
            item.validity = address(buffers[0]) if array.null_count else NULL
            item.values = address(buffers[1])
            item.data = address(buffers[2]) if i >= REQUEST and i != SOURCE else NULL
            if i >= SEVERITY and i <= HOST or i == SOURCE:
                self.render(i, array.dictionary)
        with nogil:
            for i in range(count):
                self.add(i)
        self.drop_scratch()

    def __dealloc__(self):
        free(self.rows)
        free(self.entries.data)
        free(self.texts.data)
        free(self.out.data)
        self.drop_scratch()

    cdef void drop_scratch(self) noexcept nogil:
        free(self.lines.data)
        free(self.error.data)
        free(self.shown.data)
        free(self.trace.data)
        memset(&self.lines, 0, sizeof(Buffer))
        memset(&self.error, 0, sizeof(Buffer))
        memset(&self.shown, 0, sizeof(Buffer))
        memset(&self.trace, 0, sizeof(Buffer))

    cdef int render(self, int32_t column, object dictionary) except -1:
        """Escape the entries of a dictionary."""
        cdef list buffers = dictionary.buffers()
        cdef const int32_t* ends = <const int32_t*>address(buffers[1]) + <int64_t>dictionary.offset
        cdef const uint8_t* data = address(buffers[2])
        cdef const uint8_t* start
        cdef const uint8_t* stop
        cdef int32_t i
        cdef Entry* entry
        self.firsts[column] = <int32_t>(self.entries.used // sizeof(Entry))
        self.counts[column] = <int32_t>len(dictionary)
        for i in range(self.counts[column]):
            need(&self.entries, sizeof(Entry))
            entry = <Entry*>(self.entries.data + self.entries.used)
            self.entries.used += sizeof(Entry)
            start = data + ends[i]
            stop = data + ends[i + 1]
            if column == SOURCE:
                start = behind_slash(start, stop)
            entry.raw_start = self.texts.used
            entry.raw_size = stop - start
            add(&self.texts, start, entry.raw_size)
            entry.start = self.texts.used
            put_escaped(&self.texts, start, entry.raw_size, 0)
            entry.size = self.texts.used - entry.start
            entry.cells = cells(self.texts.data + entry.start, entry.size)
        return 0

    cdef int32_t entry_of(self, int32_t column, int64_t row) noexcept nogil:
        """Return the number of a row's entry that has a text, NONE if there is none."""
        cdef int32_t number
        if not has(&self.columns[column], row):
            return NONE
        number = (<const int32_t*>self.columns[column].values)[self.columns[column].offset + row]
        if not 0 <= number < self.counts[column]:
            return NONE
        number += self.firsts[column]
        return number if (<const Entry*>self.entries.data)[number].size else NONE

    cdef int styled(self, Buffer* out, const Color* color, const uint8_t* p, Py_ssize_t n) except -1 nogil:
        """Append escaped text in a color."""
        need(out, n + SLACK)
        if n > 0 and self.colored:
            put_color(out, color)
            raw(out, p, n)
            put_color(out, &RESET)
        elif n > 0:
            raw(out, p, n)
        return 0

    cdef int add(self, int32_t i) except -1 nogil:
        cdef Row* row = &self.rows[i]
        cdef Buffer* out = &self.out
        cdef const uint8_t* body
        cdef Py_ssize_t size, start
        body = text_of(&self.columns[BODY], i, &size)
        row.start = start = out.used
        if not has(&self.columns[FORMAT], i):
            row.name = WHOLE
            self.unrecognised(body, size)
            row.head = out.used - start
            return 0
        self.put_time(i)
        self.put_severity(row, i)
        row.head = out.used - start
        row.name = self.entry_of(PROGRAM, i)
        if row.name == NONE:
            row.name = self.entry_of(SERVICE, i)
        if row.name == NONE:
            row.name = self.entry_of(SOURCE, i)
        row.host = self.entry_of(HOST, i)
        start = out.used
        self.put_request(row, i)
        row.request = out.used - start
        start = out.used
        if has(&self.columns[TRACE], i):
            self.put_lines_with_exception(i, body, size)
            self.put_lines(row)
        else:
            put_escaped(out, body, size, LINES | self.marks)
            size = out.used - start
            if size and memchr(out.data + start, c'\n', size) != NULL:
                self.lines.used = 0
                add(&self.lines, out.data + start, size)
                out.used = start
                self.put_lines(row)
            else:
                row.message = without_blanks(out.data + start, size)
                out.used = start + row.message
                need(out, 1)
                byte(out, c'\n')
                row.behind = 1
        if self.measured:
            row.message_cells = cells(out.data + start, row.message)
        return 0

    cdef int unrecognised(self, const uint8_t* p, Py_ssize_t size) except -1 nogil:
        """Write the lines of what no format recognised."""
        cdef const uint8_t* end = p + size
        cdef const uint8_t* stop
        cdef Buffer* out = &self.out
        cdef Py_ssize_t start
        while True:
            stop = line_end(p, end)
            start = out.used
            self.styled(out, &DIM, <const uint8_t*>b"?", 1)
            byte(out, c' ')
            put_escaped(out, p, stop - p, self.marks)
            out.used = start + without_blanks(out.data + start, out.used - start)
            need(out, 1)
            byte(out, c'\n')
            if stop == end:
                return 0
            p = stop + 1

    cdef int put_time(self, int32_t i) except -1 nogil:
        cdef const Array* times = &self.columns[TIME]
        cdef uint8_t[64] text
        cdef Buffer made = Buffer(&text[0], 0, 64)
        cdef int64_t moment, local
        cdef int32_t size = ZONED_CELLS if self.zoned else TIME_CELLS
        if has(times, i) and (not self.zoned or has(&self.locals, i)):
            local = moment = (<const int64_t*>times.values)[times.offset + i]
            if self.zoned:
                local = (<const int64_t*>self.locals.values)[self.locals.offset + i]
            # Written as in JSON: behind a quote, with microseconds.
            if timestamp(&made, local // 1000 * 1000, &self.second, self.second_text):
                text[11] = c' '
                text[TIME_CELLS] = c'Z'
                if self.zoned:
                    put_offset(text + TIME_CELLS, (local - moment) // 60_000_000)
                return self.styled(&self.out, &DIM, text + 1, size)
        memset(text, c' ', size)
        text[0] = c'-'
        return self.styled(&self.out, &DIM, text, size)

    cdef int put_severity(self, Row* row, int32_t i) except -1 nogil:
        cdef int32_t number = self.entry_of(SEVERITY, i)
        cdef const Array* levels = &self.columns[NUMBER]
        cdef uint8_t level = levels.values[levels.offset + i] if has(levels, i) else 0
        cdef const Entry* entry
        cdef Py_ssize_t taken = 0
        fill(&self.out, 2)      # styled() leaves room
        if number != NONE:
            entry = <const Entry*>self.entries.data + number
            self.styled(&self.out, &SEVERITIES[level], self.texts.data + entry.start, entry.size)
            taken = entry.cells
        need(&self.out, SLACK)
        fill(&self.out, SEVERITY_CELLS - taken + 2 if taken < SEVERITY_CELLS else 2)
        row.head_cells = (ZONED_CELLS if self.zoned else TIME_CELLS) + 4 + max(taken, SEVERITY_CELLS)
        return 0

    cdef int put_request(self, Row* row, int32_t i) except -1 nogil:
        cdef Py_ssize_t size, at = 0, characters = 0
        cdef const uint8_t* id = text_of(&self.columns[CAUSE], i, &size)
        if not size:
            id = text_of(&self.columns[REQUEST], i, &size)
        if not size:
            return 0
        self.lines.used = 0
        put_escaped(&self.lines, id, size, 0)
        size = self.lines.used
        if not self.full:
            while at < size:
                characters += self.lines.data[at] & 0xC0 != 0x80
                if characters > REQUEST_CELLS:
                    break
                at += 1
            size = at
        row.request_cells = cells(self.lines.data, size)
        return self.styled(&self.out, &MAGENTA, self.lines.data, size)

    cdef int put_lines(self, Row* row) except -1 nogil:
        """Write the lines of a message: the first, and behind it the others, indented."""
        cdef const uint8_t* p = self.lines.data
        cdef const uint8_t* end = p + self.lines.used
        cdef const uint8_t* stop = line_end(p, end)
        cdef Buffer* out = &self.out
        cdef Py_ssize_t start
        row.message = without_blanks(p, stop - p)
        add(out, p, row.message)
        start = out.used
        need(out, 1)
        byte(out, c'\n')
        while stop < end:
            p = stop + 1
            stop = line_end(p, end)
            need(out, stop - p + SLACK)
            if stop > p:
                fill(out, INDENT)
                raw(out, p, stop - p)
            byte(out, c'\n')
        row.behind = out.used - start
        return 0

    cdef int put_lines_with_exception(self, int32_t i, const uint8_t* body, Py_ssize_t size) except -1 nogil:
        """Make the lines of a message, and of what there is to show of its traceback."""
        cdef Py_ssize_t kind_size, message_size, trace_size, last = 0, more = 0, begin
        cdef const uint8_t* kind = text_of(&self.columns[KIND], i, &kind_size)
        cdef const uint8_t* message = text_of(&self.columns[MESSAGE], i, &message_size)
        cdef const uint8_t* trace = text_of(&self.columns[TRACE], i, &trace_size)
        cdef const uint8_t* p
        cdef Buffer* out = &self.lines
        cdef uint8_t[32] told
        out.used = self.error.used = self.trace.used = 0
        put_escaped(&self.trace, trace, trace_size, LINES | self.marks)
        if message_size and not has(&self.columns[KIND], i):
            add(&self.error, b"None", 4)
        add(&self.error, kind, kind_size)
        if message_size:
            add(&self.error, b": ", 2)
            add(&self.error, message, message_size)
        if self.full:
            put_escaped(out, body, size, LINES | self.marks)
            return self.put_trace()
        begin = begin_of(body, size, self.error.data, self.error.used, self.marks) if self.error.used else NONE
        if begin != NONE:
            # As oslo.log adds it; its last line ends the message's last.
            last = size
            while last > begin and body[last - 1] != c'\n':
                last -= 1
            put_escaped(out, body, last, LINES | self.marks)
            self.shown.used = 0
            put_escaped(&self.shown, body + last, size - last, self.marks)
        else:
            put_escaped(out, body, size, LINES | self.marks)
            self.end_line()
            self.make_shown()
        p = self.shown.data
        self.styled(out, &RED, p, line_end(p, p + self.shown.used) - p)
        for last in range(self.trace.used):
            more += self.trace.data[last] == c'\n'
        if more:
            fill(out, 2)        # styled() leaves room
            last = snprintf(<char*>told, 32, "(+%lld lines)", <long long>more)
            self.styled(out, &DIM, told, last)
        return 0

    cdef int put_trace(self) except -1 nogil:
        """Add all of the traceback; the error that ends it is red."""
        cdef Py_ssize_t before
        cdef const uint8_t* p
        cdef const uint8_t* end
        cdef const uint8_t* stop
        self.make_shown()
        self.end_line()
        before = begin_of(self.trace.data, self.trace.used, self.shown.data, self.shown.used, self.marks)
        if before == NONE or (before and self.trace.data[before - 1] != c'\n'):
            return add(&self.lines, self.trace.data, self.trace.used)
        add(&self.lines, self.trace.data, before)
        p = self.shown.data
        end = p + self.shown.used
        while True:
            stop = line_end(p, end)
            self.styled(&self.lines, &RED, p, stop - p)
            if stop == end:
                return 0
            self.end_line()
            p = stop + 1

    cdef int make_shown(self) except -1 nogil:
        """Escape the error; where there is none, the last line of the traceback stands for it."""
        cdef Py_ssize_t start = self.trace.used, end
        self.shown.used = 0
        if self.error.used:
            return put_escaped(&self.shown, self.error.data, self.error.used, LINES | self.marks)
        while start and self.trace.data[start - 1] != c'\n':
            start -= 1
        end = start + without_blanks(self.trace.data + start, self.trace.used - start)
        start += blanks_before(self.trace.data + start, end - start)
        return add(&self.shown, self.trace.data + start, end - start)

    cdef int end_line(self) except -1 nogil:
        need(&self.lines, 1)
        byte(&self.lines, c'\n')
        return 0
