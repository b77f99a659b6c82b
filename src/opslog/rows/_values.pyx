"""The values of one record at a time, as pointers into its block.

A layout's captures are its *fields*: each names the column it fills.  A row
touches only the fields its layouts have, while the line's bytes are in the
cache; a column that no row has costs nothing.  Three layouts can speak of one
record: the line's own, that of the message's tail and that of the message.
"""

from libc.stdlib cimport free, malloc
from libc.string cimport memchr, memcmp

from opslog.kernel._block cimport (CONTINUED, ESCAPED, HAS_MORE, HAS_STACK, HAS_TRACEBACK, HEADLESS, HELD, NONE, OVERLONG, PART_BODY, PART_STACK, PART_TRACEBACK, SYSLOG, TIMED, TORN, Envelope)
from opslog.kernel._bytes cimport request_uuid
from opslog.rows._plan cimport Field, PAIRS
from opslog.rows._services cimport drop_services, service_of
from opslog.scanner._program cimport (COLORED, ENVELOPE, FOLLOW_ON, FOREMOST, JSON, TRACEBACK)
from opslog.scanner._state cimport begin_state
from opslog.kernel._text cimport CHECKED, JSON_STRING, NO_COLORS, RSYSLOG, need, put, put_list
from opslog.assembly._traceback cimport Raised, raised

from opslog.rows.literal import event_as_json, joined_lines

cdef enum FixedText:
    INCOMPLETE = 0
    AMBIGUOUS = 1
    CLOSED_BY = 2

cdef enum Shape:
    ANY = 0
    ID_ONLY = 1                 # a field only if its text has the shape of an id
    NAME_ONLY = 2               # only if it has not
    PRI = 3                     # a syslog priority, of which the facility is kept
    STAMP_ONLY = 4              # an envelope's time, where that of the record is another

cdef enum:
    NO_SLOT = -1

cdef uint8_t[256] LOWER         # a hex digit in lower case, 0 for any other byte
cdef int32_t _c
for _c in range(256):
    LOWER[_c] = ord(chr(_c).lower()) if chr(_c) in "0123456789abcdefABCDEF" else 0


cdef inline bint is_null_word(const uint8_t* p, Py_ssize_t n) noexcept nogil:
    return n == 0 or (n == 1 and p[0] == c'-') or (
        n == 4 and p[0] == c'N' and p[1] == c'o' and p[2] == c'n' and p[3] == c'e')


cdef bint has_id_shape(const uint8_t* p, Py_ssize_t n) noexcept nogil:
    """Whether the text is 32 or 64 hex digits or a dashed UUID."""
    cdef Py_ssize_t i
    if n != 32 and n != 64 and n != 36:
        return False
    for i in range(n):
        if n == 36 and (i == 8 or i == 13 or i == 18 or i == 23):
            if p[i] != c'-':
                return False
        elif not LOWER[p[i]]:
            return False
    return True


cdef inline const uint8_t* facility(const uint8_t* pri, Py_ssize_t* size) noexcept nogil:
    """The facility of a syslog priority, and its length."""
    cdef const char* numbers = "000102030405060708091011121314151617181920212223"
    cdef Py_ssize_t i, value = 0
    for i in range(size[0]):
        value = 10 * value + pri[i] - c'0'
    size[0] = 1 if value < 80 else 2
    return <const uint8_t*>numbers + (value >> 3) * 2 + (value < 80)


cdef inline bint breaks_line(const uint8_t* text, Py_ssize_t at) noexcept nogil:
    """Whether str.splitlines, by which Python indents an exception group, breaks before `at`."""
    cdef uint8_t c = text[at - 1]
    if c < 0x80:
        return 0x0A <= c <= 0x0D or 0x1C <= c <= 0x1E
    if c == 0x85:
        return at >= 2 and text[at - 2] == 0xC2
    return (c == 0xA8 or c == 0xA9) and at >= 3 and text[at - 2] == 0x80 and text[at - 3] == 0xE2


cdef class Rows:
    """The records numbered by ``selection`` (all if None), loaded one after the other.

    ``find_service`` (bytes to bytes or None) tells the service of a logger, behind which
    program and format's service may stand, a newline between.  ``program`` is that of
    records that do not say theirs, empty if there is none.
    """

    def __cinit__(self, Records records not None, Plan plan not None, find_service, bytes program not None,
                  const int32_t[::1] selection, const uint8_t[::1] ambiguous, *args, **kwargs):
        cdef int32_t i
        self.records = records
        self.block = records.block
        self.plan = plan
        self.find_service = find_service
        if program:
            self.program = Value(program, len(program), 0)
        self.owners = (program, ambiguous)
        self.count = records.count if selection is None else <int32_t>selection.shape[0]
        self.selected = <int32_t*>malloc((self.count + 1) * sizeof(int32_t))
        if self.selected == NULL:
            raise MemoryError()
        for i in range(self.count):
            self.selected[i] = i if selection is None else selection[i]
            if not 0 <= self.selected[i] < records.count:
                raise IndexError(self.selected[i])
        if ambiguous is not None:
            if ambiguous.shape[0] * 8 < self.count:
                raise ValueError("too few bits")
            self.ambiguous = &ambiguous[0]
        need(&self.tail_spans, 8 * plan.lines.most_slots + 8)
        need(&self.request_spans, 8 * plan.messages.most_slots + 8)
        begin_state(&self.state)

    def __dealloc__(self):
        free(self.selected)
        drop_services(&self.services)
        free(self.tail_spans.data)
        free(self.request_spans.data)
        free(self.request_text.data)
        free(self.event_text.data)
        free(self.body_text.data)
        free(self.trace_text.data)
        free(self.message_text.data)

    cdef inline Record* record(self, int32_t i) noexcept nogil:
        return &self.records.records[self.selected[i]]

    cdef inline int changes(self, const Line* line, const Leaf* leaf) noexcept nogil:
        """What put() must do with text of this line."""
        cdef int change = 0 if self.block.ascii else CHECKED
        if line.flags & ESCAPED:
            change |= JSON_STRING
        if line.flags & SYSLOG:
            change |= RSYSLOG
        if leaf != NULL and leaf.flags & COLORED:
            change |= NO_COLORS
        return change

    cdef inline int text_changes(self, const Line* line, const Leaf* leaf, int32_t start) noexcept nogil:
        """Likewise, of the text at `start`: in JSON only what is in quotes is escaped."""
        cdef int change = self.changes(line, leaf)
        if change & JSON_STRING and self.block.data[start - 1] != c'"':
            change &= ~JSON_STRING
        return change

    cdef int load(self, int32_t i) except -1 nogil:
        """Find all values of a row; they are valid until the next one is loaded."""
        cdef Record* record = self.record(i)
        cdef Line* line = &self.block.lines[record.head]
        cdef const Leaf* leaf = NULL
        cdef int change
        self.present = 0
        self.attribute_count = 0
        self.tail = NONE
        self.message = NONE
        self.foremost = False
        self.withheld = 0
        self.detailed[0].data = self.detailed[1].data = NULL
        if record.leaf >= 0:
            leaf = &self.plan.lines.leaves[record.leaf]
            change = self.changes(line, leaf)
            if not record.flags & HEADLESS:
                # A tail's process id is the worker's own: it goes before the head's.
                if self.plan.tails and not leaf.flags & JSON:
                    self.find_tail(record, leaf)
            if self.plan.requests and not record.flags & HEADLESS:
                self.find_request(record, line, change)
            if self.foremost:
                self.message_fields()
                if self.plan.special.global_request_id != NONE and self.of_another(record.leaf, line):
                    self.withheld = <uint64_t>1 << self.plan.special.global_request_id
            self.fields(self.plan.line_fields, record.leaf, self.block.data,
                        self.block.spans + line.row, change)
            # What the line says of its request counts more than what its message says.
            if not self.foremost:
                self.message_fields()
            if self.plan.details and not record.flags & HEADLESS:
                self.find_details(record, leaf)
            if line.outer != NONE:
                self.envelopes(line.outer)
            if self.plan.special.trace_id != NONE:
                self.trace(record.leaf, line)
            if self.plan.special.service_name != NONE and not (
                    self.present >> self.plan.special.service_name & 1):
                self.service(record.leaf, line.row, line.outer)
        if self.plan.special.program != NONE and self.program.data != NULL and not (
                self.present >> self.plan.special.program & 1):
            found(self, self.plan.special.program, self.program.data, self.program.size, 0)
        if self.plan.special.body != NONE and not record.flags & HEADLESS:
            self.body(record, leaf)
        if self.plan.special.exception_stacktrace != NONE:
            self.exception(record, line)
        if self.plan.special.attributes != NONE:
            if record.flags & (HEADLESS | TORN | OVERLONG):
                self.add_attribute(
                    INCOMPLETE,
                    <const uint8_t*>b"torn" if record.flags & TORN
                    else <const uint8_t*>b"line" if record.flags & OVERLONG
                    else <const uint8_t*>b"head", 4, 0)
            if self.ambiguous != NULL and self.ambiguous[i >> 3] >> (i & 7) & 1:
                self.add_attribute(AMBIGUOUS, <const uint8_t*>b"true", 4, 0)
            if record.flags & HELD:
                self.add_attribute(CLOSED_BY, <const uint8_t*>b"hold", 4, 0)
            if self.attribute_count:
                self.present |= <uint64_t>1 << self.plan.special.attributes
        return 0

    cdef int envelopes(self, int32_t at) except -1 nogil:
        """Add what the envelopes know, from the inner ones outwards: what is nearer wins."""
        cdef const Envelope* envelope
        cdef int change
        while at != NONE:
            envelope = &self.block.envelopes[at]
            change = 0 if self.block.ascii else CHECKED
            if envelope.flags & ESCAPED:
                change |= JSON_STRING
            self.untimed = not envelope.flags & TIMED
            self.fields(self.plan.line_fields, envelope.leaf, self.block.data, self.block.spans + envelope.row, change)
            at = envelope.outer
        self.untimed = False
        return 0

    cdef int fields(self, const int32_t* starts, int32_t leaf, const uint8_t* data,
                    const int32_t* spans, int change) except -1 nogil:
        cdef const Field* field = self.plan.fields + starts[leaf]
        cdef const Field* end = self.plan.fields + starts[leaf + 1]
        cdef const uint8_t* text
        cdef Py_ssize_t size
        cdef int own
        while field < end:
            if ((self.present | self.withheld) >> field.column & 1      # a layout before had it
                    or (field.shape == STAMP_ONLY and not self.untimed)):
                field += 1
                continue
            if field.slot == NO_SLOT:
                found(self, field.column, <const uint8_t*>self.plan.text_data[field.text],
                      self.plan.text_sizes[field.text], 0)
                field += 1
                continue
            text = data + spans[2 * field.slot]
            size = spans[2 * field.slot + 1] - spans[2 * field.slot]
            if spans[2 * field.slot] < 0 or (
                    self.plan.contexts[field.column] and is_null_word(text, size)) or (
                    0 < field.shape < PRI and has_id_shape(text, size) != (field.shape == ID_ONLY)):
                field += 1
                continue
            if field.shape == PRI:
                text = facility(text, &size)
            own = change | field.change
            if change & JSON_STRING and (text - 1)[0] != c'"':
                own &= ~JSON_STRING         # a list or object is kept as JSON
            if self.plan.kinds[field.column] != PAIRS:
                found(self, field.column, text, size, own)
            elif not is_null_word(text, size) and not (size == 2 and text[0] == c'{'):
                self.add_attribute(field.text, text, size, own)
            field += 1
        return 0

    cdef void add_attribute(self, int32_t name, const uint8_t* data, Py_ssize_t size, int change) noexcept nogil:
        cdef Attribute* attribute
        if self.attribute_count < MOST_ATTRIBUTES:
            attribute = &self.attributes[self.attribute_count]
            attribute.name = name
            attribute.value.data = data
            attribute.value.size = size
            attribute.value.change = change
            self.attribute_count += 1

    # -- the message ----------------------------------------------------------------

    cdef inline void body_part(self, const Line* line, int32_t* start, int32_t* end) noexcept nogil:
        """What of a line is message text: all if its layout does not say; -1 if JSON has none."""
        cdef int32_t slot
        start[0] = line.start
        end[0] = line.end
        if line.leaf >= 0:
            slot = self.plan.lines.slots[
                self.plan.body_slots * self.plan.lines.leaf_count + line.leaf]
            if slot >= 0:
                start[0] = self.block.spans[line.row + 2 * slot]
                end[0] = self.block.spans[line.row + 2 * slot + 1]
            elif self.plan.lines.leaves[line.leaf].flags & JSON:
                start[0] = NONE
            elif (self.plan.lines.leaves[line.leaf].role == TRACEBACK
                    or self.plan.lines.leaves[line.leaf].flags & (FOLLOW_ON | ENVELOPE)):
                start[0] = line.end         # a prefix before nothing, or before what follows

    cdef int find_tail(self, Record* record, const Leaf* leaf) except -1 nogil:
        """Find what follows the message (oslo.log's debug suffix)."""
        cdef uint8_t level = self.block.lines[record.head].severity
        cdef const int32_t* tail = self.plan.lines.first_tail(leaf.format, level)
        cdef int32_t at = record.head, leaf_found, start, end
        cdef Line* line
        cdef int32_t* spans = <int32_t*>self.tail_spans.data
        if tail == NULL:
            return 0
        while at != NONE:
            line = &self.block.lines[at]
            # The message's last line has it, but noise may follow: the last one found counts.
            if line.part == PART_BODY:
                self.body_part(line, &start, &end)
                leaf_found = self.plan.lines.match_tail(
                    tail, level, self.block.data, start, end, spans, &self.state, &end)
                if leaf_found >= 0:
                    self.tail = leaf_found
                    self.tail_line = at
                    self.tail_at = end
            at = line.next if record.flags & HAS_MORE else NONE
        if self.tail == NONE:
            return 0
        if record.flags & HAS_MORE:
            # A later line's attempt may have overwritten the spans.
            line = &self.block.lines[self.tail_line]
            self.body_part(line, &start, &end)
            self.plan.lines.match_tail(tail, level, self.block.data, start, end, spans, &self.state, &end)
        return self.fields(self.plan.line_fields, self.tail, self.block.data, spans,
                           0 if self.block.ascii else CHECKED)

    cdef int find_request(self, Record* record, Line* line, int change) except -1 nogil:
        """Match the message formats against the message's first line, then their tails.

        An event printed by Python's repr is matched as the JSON it means.
        """
        cdef int32_t start, end, leaf
        cdef const int32_t* tail = self.plan.messages.first_tail(0, 0)
        cdef int32_t* spans = <int32_t*>self.request_spans.data
        cdef const uint8_t* data = self.block.data
        self.body_part(line, &start, &end)
        if self.tail != NONE and self.tail_line == record.head:
            end = self.tail_at
        if start < 0 or start >= end:
            return 0
        if change & JSON_STRING and data[start - 1] != c'"':
            change &= ~JSON_STRING
        if change & ~CHECKED:
            self.request_text.used = 0
            put(&self.request_text, data + start, end - start, change)
            data = self.request_text.data
            start = 0
            end = <int32_t>self.request_text.used
        self.event_text.used = 0
        self.message_change = 0 if self.block.ascii else CHECKED
        self.message_data = data
        if end - start > 12 and memcmp(data + start, b"Event type: ", 12) == 0 and self.read_event(
                data + start, end - start):
            self.message_data = self.event_text.data
            start = 0
            end = <int32_t>self.event_text.used
        leaf = self.plan.messages.match(self.message_data, start, end, spans, &self.state, False)
        if leaf < 0 and tail != NULL:
            leaf = self.plan.messages.match_tail(
                tail, 0, self.message_data, start, end, spans, &self.state, &end)
        if leaf < 0:
            return 0
        if self.plan.messages.leaves[leaf].flags & FOREMOST:
            if self.event_text.used == 0 and self.is_quote(record.leaf, line):
                return 0
            self.foremost = True
        if self.plan.messages.leaves[leaf].flags & JSON and self.state.flags & ESCAPED:
            self.message_change |= JSON_STRING
        self.message = leaf
        return 0

    cdef bint read_event(self, const uint8_t* text, Py_ssize_t size) except -1 with gil:
        """Put the JSON that a printed event means into the event's text; return whether it is one."""
        cdef bytes found = event_as_json((<const char*>text)[:size])
        if found is None:
            return False
        put(&self.event_text, found, len(found), 0)
        return True

    cdef bint is_quote(self, int32_t leaf, const Line* line) noexcept nogil:
        """Whether an event is quoted by a logger that acts for a request: only its sender's tell of theirs."""
        cdef const int32_t* span = self.span_of(self.plan.logger_slots, leaf, line.row, line.outer)
        if span == NULL or (span[1] - span[0] > 28 and memcmp(
                self.block.data + span[0], b"oslo.messaging.notification.", 28) == 0):
            return False
        return self.span_of(self.plan.request_slots, leaf, line.row, line.outer) != NULL

    cdef bint of_another(self, int32_t leaf, const Line* line) noexcept nogil:
        """Whether the message names a request and its line another one."""
        cdef Py_ssize_t size = 0
        cdef const int32_t* span = self.span_of(self.plan.request_slots, leaf, line.row, line.outer)
        cdef const uint8_t* text = self.in_message(self.plan.request_slots, &size)
        return text != NULL and (
            span == NULL or size != span[1] - span[0] or memcmp(text, self.block.data + span[0], size) != 0)

    cdef inline int message_fields(self) except -1 nogil:
        if self.message == NONE:
            return 0
        return self.fields(self.plan.message_fields, self.message, self.message_data,
                           <int32_t*>self.request_spans.data, self.message_change)

    cdef int find_details(self, Record* record, const Leaf* leaf) except -1 nogil:
        """Add what else lines of the body say; of several that say the same the first counts."""
        cdef int32_t at = record.head, start, end, found, known, i, j
        cdef int32_t* spans = <int32_t*>self.tail_spans.data
        cdef Line* line
        if not self.plan.lines.has_details(leaf.format):
            return 0
        while at != NONE:
            line = &self.block.lines[at]
            at = line.next
            if line.part != PART_BODY:
                continue
            self.body_part(line, &start, &end)
            if start < 0:
                continue
            found = self.plan.lines.match_detail(
                leaf.format, self.block.data, start, end, spans, &self.state)
            if found < 0:
                continue
            self.keep_ids(found)
            known = self.attribute_count
            self.fields(self.plan.line_fields, found, self.block.data, spans,
                        0 if self.block.ascii else CHECKED)
            i = known
            for j in range(known, self.attribute_count):
                if not self.has_attribute(self.attributes[j].name, known):
                    self.attributes[i] = self.attributes[j]
                    i += 1
            self.attribute_count = i
        return 0

    cdef void keep_ids(self, int32_t leaf) noexcept nogil:
        """Keep the ids of a request among the details just found, if no line before had them."""
        cdef int32_t slot, i
        cdef const int32_t* span
        for i in range(2):
            slot = self.plan.lines.slots[
                (self.plan.request_slots if i else self.plan.global_slots) * self.plan.lines.leaf_count + leaf]
            if slot < 0 or self.detailed[i].data != NULL:
                continue
            span = <const int32_t*>self.tail_spans.data + 2 * slot
            if span[0] >= 0 and not is_null_word(self.block.data + span[0], span[1] - span[0]):
                self.detailed[i] = Value(self.block.data + span[0], span[1] - span[0], 0)

    cdef inline bint has_attribute(self, int32_t name, int32_t count) noexcept nogil:
        """Whether one of the first `count` attributes has this name."""
        cdef int32_t i
        for i in range(count):
            if self.attributes[i].name == name:
                return True
        return False

    cdef int body(self, Record* record, const Leaf* leaf) except -1 nogil:
        cdef Line* line = &self.block.lines[record.head]
        cdef int32_t at = record.head, start, end
        cdef int change
        cdef bint first = True, bodiless
        if not record.flags & HAS_MORE:
            self.body_part(line, &start, &end)
            if self.tail != NONE:
                end = self.tail_at
            if start >= 0:
                change = self.text_changes(line, leaf, start)
                found(self, self.plan.special.body, self.block.data + start, end - start, change)
            return 0
        self.body_text.used = 0
        bodiless = leaf != NULL and leaf.body < 0
        while at != NONE:
            line = &self.block.lines[at]
            if line.part == PART_BODY:
                self.body_part(line, &start, &end)
                if self.tail != NONE and self.tail_line == at:
                    end = self.tail_at
                start = end if start < 0 else start
                if not (first or line.flags & CONTINUED):
                    need(&self.body_text, 1)
                    self.body_text.data[self.body_text.used] = c'\n'
                    self.body_text.used += 1
                put(&self.body_text, self.block.data + start, end - start,
                    self.text_changes(line, leaf, start))
                # What follows a head without a message is all of it.
                first = bodiless and at == record.head
            at = line.next
        found(self, self.plan.special.body, self.body_text.data, self.body_text.used, 0)
        return 0

    cdef const int32_t* span_of(self, int32_t column, int32_t leaf, int32_t row, int32_t outer) noexcept nogil:
        """The span of a column that the line's layout, or the nearest envelope, captures; NULL if none does."""
        cdef int32_t slot
        cdef const int32_t* span
        while True:
            slot = self.plan.lines.slots[column * self.plan.lines.leaf_count + leaf]
            if slot >= 0:
                span = self.block.spans + row + 2 * slot
                if span[0] >= 0 and not is_null_word(self.block.data + span[0], span[1] - span[0]):
                    return span
            if outer == NONE:
                return NULL
            leaf = self.block.envelopes[outer].leaf
            row = self.block.envelopes[outer].row
            outer = self.block.envelopes[outer].outer

    cdef int service(self, int32_t leaf, int32_t row, int32_t outer) except -1 nogil:
        """The service of the logger; where that does not say, of program, source or format."""
        cdef const int32_t* span = self.span_of(self.plan.logger_slots, leaf, row, outer)
        cdef const uint8_t* text = self.block.data
        cdef Py_ssize_t size = 0
        cdef const uint8_t* service
        cdef Value program = Value(NULL, 0, 0)
        cdef int32_t found_size, family = self.plan.services[self.plan.lines.leaves[leaf].format]
        cdef Buffer* said
        if span != NULL:
            text += span[0]
            size = span[1] - span[0]
        if self.plan.special.program != NONE and self.present >> self.plan.special.program & 1:
            program = self.values[self.plan.special.program]
        if program.data != NULL or family != NONE:
            said = &self.body_text      # free: the body is found later
            said.used = 0
            put(said, text, size, 0)
            put(said, <const uint8_t*>b"\n", 1, 0)
            put(said, program.data, program.size, program.change)
            if family != NONE:
                put(said, <const uint8_t*>b"\n", 1, 0)
                put(said, <const uint8_t*>self.plan.text_data[family], self.plan.text_sizes[family], 0)
            text = said.data
            size = said.used
        found_size = service_of(&self.services, self.find_service, text, size, &service)
        if found_size >= 0:
            found(self, self.plan.special.service_name, service, found_size, 0)
        return 0

    cdef const uint8_t* in_message(self, int32_t column, Py_ssize_t* size) noexcept nogil:
        """The text of a column that the message's layout captures, NULL if it captures none."""
        cdef int32_t slot
        cdef const int32_t* span
        if self.message == NONE:
            return NULL
        slot = self.plan.messages.slots[column * self.plan.messages.leaf_count + self.message]
        if slot < 0:
            return NULL
        span = <const int32_t*>self.request_spans.data + 2 * slot
        size[0] = span[1] - span[0]
        if span[0] < 0 or is_null_word(self.message_data + span[0], size[0]):
            return NULL
        return self.message_data + span[0]

    cdef const uint8_t* request_of(self, int32_t column, int32_t leaf, const Line* line, Py_ssize_t* size) noexcept nogil:
        """The id that a column of ids gets, NULL if none: of line, envelopes, message and details."""
        cdef const int32_t* span
        cdef const uint8_t* text = self.in_message(column, size) if self.foremost else NULL
        if text != NULL or (self.foremost and self.of_another(leaf, line)):
            return text
        span = self.span_of(column, leaf, line.row, line.outer)
        if span != NULL:
            size[0] = span[1] - span[0]
            return self.block.data + span[0]
        text = self.in_message(column, size)
        if text == NULL:
            text = self.detailed[column == self.plan.request_slots].data
            size[0] = self.detailed[column == self.plan.request_slots].size
        return text

    cdef int trace(self, int32_t leaf, const Line* line) except -1 nogil:
        """The UUID of the root request: of global_request_id, else of request_id."""
        cdef Py_ssize_t size = 0
        cdef const uint8_t* text = self.request_of(self.plan.global_slots, leaf, line, &size)
        if text == NULL:
            text = self.request_of(self.plan.request_slots, leaf, line, &size)
        if text != NULL and size == 40 and request_uuid(self.trace_id, text):
            found(self, self.plan.special.trace_id, self.trace_id, 32, 0)
        return 0

    # -- exceptions -------------------------------------------------------------------

    cdef int put_parts(self, Buffer* out, int32_t at, uint8_t part) except -1 nogil:
        """Append a record's lines of one part, from one on, joined by newlines."""
        cdef Line* line
        cdef const Leaf* leaf
        cdef int32_t start, end
        cdef Py_ssize_t first = out.used
        cdef bint begun = False
        while at != NONE:
            line = &self.block.lines[at]
            if line.part == part:
                if begun and not line.flags & CONTINUED:
                    need(out, 1)
                    out.data[out.used] = c'\n'
                    out.used += 1
                self.body_part(line, &start, &end)
                leaf = &self.plan.lines.leaves[line.leaf] if line.leaf >= 0 else NULL
                put(out, self.block.data + start, end - start, self.text_changes(line, leaf, start))
                begun = True
            at = line.next
        # The prefix before nothing that ends a printed traceback.
        if part == PART_TRACEBACK and out.used > first and out.data[out.used - 1] == c'\n':
            out.used -= 1
        return 0

    cdef int exception(self, Record* record, Line* line) except -1 nogil:
        cdef Buffer* out = &self.trace_text
        cdef int32_t slot
        cdef const int32_t* span
        cdef const uint8_t* data = self.block.data
        out.used = 0
        need(out, 1)
        if record.flags & (HAS_TRACEBACK | HAS_STACK):
            if record.flags & HAS_TRACEBACK:
                self.put_parts(out, record.head, PART_TRACEBACK)
            if record.flags & HAS_STACK:
                if record.flags & HAS_TRACEBACK:
                    need(out, 1)
                    out.data[out.used] = c'\n'
                    out.used += 1
                self.put_parts(out, record.head, PART_STACK)
        elif record.leaf < 0:
            return 0
        else:
            slot = self.plan.lines.slots[
                self.plan.trace_slots * self.plan.lines.leaf_count + record.leaf]
            if slot >= 0:
                span = self.block.spans + line.row + 2 * slot
                if span[0] >= 0 and span[0] < span[1]:
                    if data[span[0] - 1] == c'"':
                        put(out, data + span[0], span[1] - span[0], self.changes(line, NULL))
                    elif data[span[0]] == c'[':
                        put_list(out, data + span[0], span[1] - span[0], self.changes(line, NULL))
        if not record.flags & HAS_STACK:
            self.find_listed(record, line)
        if out.used == 0:
            return 0
        found(self, self.plan.special.exception_stacktrace, out.data, out.used, 0)
        return self.raised()

    cdef int find_listed(self, Record* record, Line* line) except -1 nogil:
        """Decode a traceback that is the repr of a list: all of it, or in the body if there is no other."""
        cdef int32_t start, end, at = record.head
        cdef const uint8_t* p
        cdef const uint8_t* stop
        if record.flags & HAS_TRACEBACK:
            while at != NONE and self.block.lines[at].part != PART_TRACEBACK:
                at = self.block.lines[at].next
            line = &self.block.lines[at]
        elif self.trace_text.used:
            return 0
        self.body_part(line, &start, &end)
        if start < 0:
            return 0
        p = self.block.data + start
        stop = self.block.data + end
        if self.text_changes(line, NULL, start) & JSON_STRING:
            self.message_text.used = 0      # free: the exception's message is found later
            put(&self.message_text, p, end - start, JSON_STRING)
            p = self.message_text.data
            stop = p + self.message_text.used
        while stop - p >= 25:
            if not record.flags & HAS_TRACEBACK:
                p = <const uint8_t*>memchr(p, c'[', stop - p)
            if p == NULL or stop - p < 25:
                return 0
            if (memcmp(p, b"[u'Traceback (most recent", 25) == 0
                    or memcmp(p, b"['Traceback (most recent", 24) == 0):
                return self.decode(p, stop - p, self.block.lines[at].next)
            if record.flags & HAS_TRACEBACK:
                return 0
            p += 1
        return 0

    cdef int decode(self, const uint8_t* text, Py_ssize_t size, int32_t rest) except -1 with gil:
        """Put the lines of the list, and traceback lines from ``rest`` on, in place of the traceback."""
        cdef bytes lines = joined_lines((<const char*>text)[:size])
        cdef Buffer* out = &self.trace_text
        if lines is not None:
            out.used = 0
            put(out, lines, len(lines), CHECKED)
            need(out, 1)
            out.data[out.used] = c'\n'
            out.used += 1
            self.put_parts(out, rest, PART_TRACEBACK)
            while out.used and out.data[out.used - 1] == c'\n':
                out.used -= 1
        return 0

    cdef int raised(self) except -1 nogil:
        """Find type and message of the exception the traceback ends with."""
        cdef const uint8_t* text = self.trace_text.data
        cdef Raised exception = raised(text, self.trace_text.used)
        cdef Buffer* out = &self.message_text
        cdef Py_ssize_t i
        if exception.type_start < 0:
            return 0
        found(self, self.plan.special.exception_type, text + exception.type_start,
              exception.type_end - exception.type_start, 0)
        if not exception.group:
            found(self, self.plan.special.exception_message, text + exception.message_start,
                  exception.message_end - exception.message_start, 0)
            return 0
        out.used = 0
        need(out, exception.message_end - exception.message_start + 1)
        i = exception.message_start
        while i < exception.message_end:
            out.data[out.used] = text[i]
            out.used += 1
            i += 1
            if breaks_line(text, i) and exception.message_end - i >= 4 and memcmp(text + i, b"  | ", 4) == 0:
                i += 4
        found(self, self.plan.special.exception_message, out.data, out.used, 0)
        return 0
