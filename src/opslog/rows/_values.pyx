"""The values of one record at a time, as pointers into its block.

A layout's captures are its *fields*: each names the column it fills.  A row
touches only the fields its layouts have, while the line's bytes are in the
cache; a column that no row has costs nothing.  Three layouts can speak of one
record: the line's own, that of the message's tail and that of the message.

The file is longer than others because its one class is: which of these values
counts is one order, and all its methods read and write the state of one row.
"""

cimport cython
from libc.stdint cimport int32_t, uint8_t, uint64_t
from libc.stdio cimport snprintf
from libc.stdlib cimport free, malloc
from libc.string cimport memchr, memcmp, memcpy, memmove

from opslog.kernel._block cimport (CONTINUED, ESCAPED, Envelope, HAS_MORE, HEADLESS, HELD, Line, NONE, OVERLONG, PART_BODY, Record, TIMED, TORN, UNNAMED)
from opslog.kernel._bytes cimport request_uuid
from opslog.kernel._text cimport CHECKED, JSON_STRING, need, put
from opslog.rows._exception cimport ExceptionText
from opslog.rows._fingerprint cimport BODY, Fingerprint, ID, LOGGER, MESSAGE, SERVICE, SUMMARY, Said, TEXTS, TRACEBACK, TYPE
from opslog.rows._fields cimport facility, has_id_shape, in_brackets, is_empty, is_no_context, is_nothing, is_null_word
from opslog.rows._line_text cimport body_part, changes_of, text_changes
from opslog.rows._message cimport Message
from opslog.rows._plan cimport (AMBIGUOUS, CLOSED_BY, FACILITY, Field, ID_ONLY, HOST, INCOMPLETE, LEFT_OUT, NO_SLOT, OWN, PAIRS, RESOURCE, RESOURCE_KIND,
                                 STAMP_ONLY, slot_of)
from opslog.rows._services cimport drop_services, service_of
from opslog.scanner._json cimport JsonTable, Pair, Unnamed, host_size, next_pair
from opslog.scanner._program cimport FOREMOST, JSON, KEYED, Leaf, STORED
from opslog.scanner._state cimport begin_state

cdef enum:
    LEARNED_BYTES = 4 << 20     # of blocks: a large one learns by itself

MOST_KEPT = MOST_ATTRIBUTES - OWN_ATTRIBUTES


@cython.final
cdef class Learned:
    """What rows of a plan learned, for those that follow them: of the next block, or file."""

    def __cinit__(self, Plan plan not None):
        self.message = Message(plan)

    def __dealloc__(self):
        drop_services(&self.services)


cdef Learned learned_by(Plan plan, Block block):
    """Return what rows of the plan learned that are done; nobody else uses it."""
    cdef Learned learned = plan.learned.pop() if plan.learned else Learned(plan)
    if learned.size >= LEARNED_BYTES:       # other messages may be frequent now
        learned.message.forget()
        learned.size = 0
    learned.size += block.size
    return learned


cdef class Rows:
    """The records numbered by ``selection`` (all if None), loaded one after the other.

    ``service``, ``program`` and ``host`` are those of records that do not say theirs, empty if
    there are none.
    """

    def __cinit__(self, Records records not None, Plan plan not None, bytes service not None, bytes program not None, bytes host not None,
                  const int32_t[::1] selection, const uint8_t[::1] ambiguous, *args, **kwargs):
        cdef int32_t i, leaf
        self.records = records
        self.block = records.block
        self.plan = plan
        if service:
            self.service = Value(service, len(service), 0)
        if program:
            self.program = Value(program, len(program), 0)
        if host:
            self.host = Value(host, len(host), 0)
        self.owners = (service, program, host, ambiguous)
        self.count = records.count if selection is None else <int32_t>selection.shape[0]
        self.selected = <int32_t*>malloc((self.count + 1) * sizeof(int32_t))
        if self.selected == NULL:
            raise MemoryError()
        for i in range(self.count):
            self.selected[i] = i if selection is None else selection[i]
            if not 0 <= self.selected[i] < records.count:
                raise IndexError(self.selected[i])
            leaf = self.record(i).leaf
            self.some_stored = self.some_stored or (leaf >= 0 and plan.lines.leaves[leaf].flags & STORED != 0)
        if ambiguous is not None:
            if ambiguous.shape[0] * 8 < self.count:
                raise ValueError("too few bits")
            self.ambiguous = &ambiguous[0]
        need(&self.tail_spans, 8 * plan.lines.most_slots + 8)
        begin_state(&self.state)
        self.learned = learned_by(plan, self.block)
        self.message = self.learned.message
        self.exception = ExceptionText(plan, records.block)
        if plan.special.fingerprint != NONE:
            self.fingerprint = Fingerprint()

    def __dealloc__(self):
        free(self.selected)
        if self.learned is not None:
            self.plan.learned.append(self.learned)
        free(self.tail_spans.data)
        free(self.body_text.data)
        free(self.keys.data)
        free(self.unnamed.data)
        free(self.said.data)

    cdef inline Record* record(self, int32_t i) noexcept nogil:
        return &self.records.records[self.selected[i]]

    cdef int load(self, int32_t i) except -1 nogil:
        """Find all values of a row; they are valid until the next one is loaded."""
        self.load_line(i)
        if self.plan.special.fingerprint != NONE and not self.present >> self.plan.special.fingerprint & 1:
            self.fingerprint_field(self.record(i))
        return 0

    cdef int load_line(self, int32_t i) except -1 nogil:
        """Find what the record's lines say."""
        cdef Record* record = self.record(i)
        cdef Line* line = &self.block.lines[record.head]
        cdef const Leaf* leaf = NULL
        cdef int change
        self.present = 0
        self.attribute_count = self.left_out = 0
        self.key_bits = 0
        self.keys.used = 0
        self.tail = NONE
        self.message.leaf = NONE
        self.foremost = False
        self.withheld = 0
        self.detail_ids[0].data = self.detail_ids[1].data = NULL
        self.is_stored = record.leaf >= 0 and self.plan.lines.leaves[record.leaf].flags & STORED != 0
        if self.is_stored:
            return self.stored_fields(record, line, &self.plan.lines.leaves[record.leaf])
        if record.leaf >= 0:
            leaf = &self.plan.lines.leaves[record.leaf]
            change = changes_of(self.block, line, leaf)
            if not record.flags & HEADLESS:
                # A tail's process id is the worker's own: it goes before the head's.
                if self.plan.tails and not leaf.flags & JSON:
                    self.find_tail(record, leaf)
            if self.plan.requests and not record.flags & HEADLESS:
                self.find_message(record, line, change)
            if self.foremost:
                self.message_fields()
                if self.plan.special.global_request_id != NONE and self.names_another(record.leaf, line):
                    self.withheld = <uint64_t>1 << self.plan.special.global_request_id
            self.fields(self.plan.line_fields, record.leaf, self.block.data,
                        self.block.spans + line.row, change)
            if line.flags & UNNAMED:
                self.unnamed_fields(record.leaf, line.start, line.end, self.block.spans + line.row, change)
            if leaf.flags & KEYED and not record.flags & HEADLESS:
                self.pair_fields(record.leaf, line, self.block.spans + line.row)
            # What the line says of its request counts more than what its message says.
            if not self.foremost:
                self.message_fields()
            if self.plan.details and not record.flags & HEADLESS:
                self.find_details(record, leaf)
            if line.outer != NONE:
                self.envelope_fields(line.outer)
            if self.plan.special.trace_id != NONE:
                self.trace_field(record.leaf, line)
            if self.plan.special.service_name != NONE and not (
                    self.present >> self.plan.special.service_name & 1):
                self.service_field(record.leaf, line.row, line.outer)
        if self.plan.special.program != NONE and self.program.data != NULL and not (
                self.present >> self.plan.special.program & 1):
            set_value(self, self.plan.special.program, self.program.data, self.program.size, 0)
        if self.plan.special.host_name != NONE and self.host.data != NULL and not (
                self.present >> self.plan.special.host_name & 1):
            set_value(self, self.plan.special.host_name, self.host.data, self.host.size, 0)
        if self.plan.special.body != NONE and not record.flags & HEADLESS:
            self.body_field(record, leaf)
        if self.plan.special.exception_stacktrace != NONE:
            self.exception_fields(record, line)
        if self.plan.special.attributes != NONE:
            self.owner = OWN
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
            if self.left_out:
                self.add_attribute(LEFT_OUT, self.left_out_text,
                                   snprintf(<char*>self.left_out_text, 12, "%d", self.left_out), 0)
            if self.attribute_count:
                self.present |= <uint64_t>1 << self.plan.special.attributes
        return 0

    cdef int envelope_fields(self, int32_t at) except -1 nogil:
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
            if envelope.flags & UNNAMED:
                self.unnamed_fields(envelope.leaf, envelope.start, envelope.end, self.block.spans + envelope.row, change)
            at = envelope.outer
        self.untimed = False
        return 0

    cdef int fields(self, const int32_t* starts, int32_t leaf, const uint8_t* data,
                    const int32_t* spans, int change) except -1 nogil:
        cdef const Field* field = self.plan.fields + starts[leaf]
        cdef const Field* end = self.plan.fields + starts[leaf + 1]
        cdef const uint8_t* text
        cdef Py_ssize_t size
        cdef int32_t start
        cdef int own
        self.owner = self.plan.owner(starts, leaf)
        while field < end:
            if field.plain and not change & JSON_STRING:
                start = spans[2 * field.slot]
                size = spans[2 * field.slot + 1] - start
                if (start >= 0 and not (self.present | self.withheld) >> field.column & 1
                        and not (field.context and is_no_context(data + start, size))):
                    set_value(self, field.column, data + start, size, change | field.change)
                field += 1
                continue
            if ((self.present | self.withheld) >> field.column & 1      # a layout before had it
                    or (field.shape == STAMP_ONLY and not self.untimed)):
                field += 1
                continue
            if field.slot == NO_SLOT:
                set_value(self, field.column, <const uint8_t*>self.plan.text_data[field.text],
                      self.plan.text_sizes[field.text], 0)
                field += 1
                continue
            text = data + spans[2 * field.slot]
            size = spans[2 * field.slot + 1] - spans[2 * field.slot]
            if spans[2 * field.slot] < 0 or (
                    self.plan.contexts[field.column] and is_no_context(text, size)) or (
                    0 < field.shape < FACILITY and has_id_shape(text, size) != (field.shape == ID_ONLY)):
                field += 1
                continue
            own = change | field.change
            if change & JSON_STRING and (text - 1)[0] != c'"':
                own &= ~JSON_STRING         # a list or object is kept as JSON
            if field.shape == FACILITY:
                text = facility(text, &size)
            elif field.shape == HOST:
                if (text[0] == c'{' or text[0] == c'[') and (text - 1)[0] != c'"':
                    field += 1
                    continue
                size = host_size(text, size)
            elif field.shape >= RESOURCE:
                text = in_brackets(text, &size, field.shape == RESOURCE_KIND)
                if text == NULL:
                    field += 1
                    continue
            if self.plan.kinds[field.column] != PAIRS:
                set_value(self, field.column, text, size, own)
            elif not is_null_word(text, size) and not (text[0] == c'{' and is_empty(text, size)):
                self.add_attribute(field.text, text, size, own)
            field += 1
        return 0

    cdef int stored_fields(self, Record* record, Line* line, const Leaf* leaf) except -1 nogil:
        """Take each column as it is written: all that is told of such a record was told before."""
        cdef const Field* field = self.plan.fields + self.plan.line_fields[record.leaf]
        cdef const Field* end = self.plan.fields + self.plan.line_fields[record.leaf + 1]
        cdef const int32_t* spans = self.block.spans + line.row
        cdef int checked = 0 if self.block.ascii else CHECKED
        cdef const uint8_t* text
        cdef Py_ssize_t size
        cdef int32_t start, slot
        cdef const Unnamed* value
        cdef int32_t most, number
        while field < end:
            start = spans[2 * field.slot]
            if start >= 0:
                text = self.block.data + start
                size = spans[2 * field.slot + 1] - start
                set_value(self, field.column, text, size, checked | (
                    JSON_STRING if line.flags & ESCAPED and memchr(text, c'\\', size) != NULL else 0))
            field += 1
        if self.plan.special.attributes == NONE:
            return 0
        slot = slot_of(self.plan.lines, self.plan.attribute_slots, record.leaf)
        if spans[2 * slot] < 0:
            return 0
        self.unnamed.used = 0
        (<JsonTable>self.plan.lines.json).members(
            self.block.data, spans[2 * slot], spans[2 * slot + 1], self.block.ascii, &self.keys, &self.unnamed)
        value = <const Unnamed*>self.unnamed.data
        number = <int32_t>(self.unnamed.used // sizeof(Unnamed))
        most = number if number <= MOST_ATTRIBUTES else MOST_ATTRIBUTES - 1
        while self.attribute_count < most:
            text = self.block.data + value.start
            size = value.end - value.start
            self.attributes[self.attribute_count] = Attribute(NONE, value.key, value.key_size, Value(
                text, size, checked | (JSON_STRING if (text - 1)[0] == c'"' and memchr(text, c'\\', size) != NULL else 0)))
            self.attribute_count += 1
            value += 1
        if most < number:
            self.attributes[most] = Attribute(LEFT_OUT, 0, 0, Value(
                self.left_out_text, snprintf(<char*>self.left_out_text, 12, "%d", number - most), 0))
            self.attribute_count += 1
        if self.attribute_count:
            self.present |= <uint64_t>1 << self.plan.special.attributes
        return 0

    cdef int add_attribute(self, int32_t name, const uint8_t* data, Py_ssize_t size, int change) except -1 nogil:
        """Add an attribute; where its key is taken already, under another one."""
        cdef Attribute attribute
        attribute.name = name
        return self.add(&attribute, data, size, change)

    cdef int unnamed_fields(self, int32_t leaf, int32_t start, int32_t end, const int32_t* spans, int change) except -1 nogil:
        """Add the values of a JSON object that fill no column, under the paths of their keys."""
        cdef Attribute attribute
        cdef const Unnamed* value
        cdef const Unnamed* last
        cdef const uint8_t* text
        cdef Py_ssize_t size
        cdef int own
        if self.plan.special.attributes == NONE:
            return 0
        self.unnamed.used = 0
        self.owner = self.plan.line_owners[leaf]
        (<JsonTable>self.plan.lines.json).unnamed(leaf, self.block.data, start, end, spans, self.block.ascii,
                                                  &self.keys, &self.unnamed)
        value = <const Unnamed*>self.unnamed.data
        last = value + self.unnamed.used // sizeof(Unnamed)
        while value < last:
            text = self.block.data + value.start
            size = value.end - value.start
            own = change & ~JSON_STRING
            if (text - 1)[0] == c'"' and memchr(text, c'\\', size) != NULL:
                own |= JSON_STRING
            attribute.name = NONE
            attribute.key_at = value.key
            attribute.key_size = value.key_size
            if value.key_size and not is_null_word(text, size) and not is_empty(text, size):
                self.add(&attribute, text, size, own)
            value += 1
        return 0

    cdef int pair_fields(self, int32_t leaf, const Line* line, const int32_t* spans) except -1 nogil:
        """Add the pairs of a line whose values fill no column."""
        cdef Attribute attribute
        cdef int32_t slots = self.plan.lines.leaves[leaf].slots
        cdef const uint8_t* data = self.block.data
        cdef int32_t at = line.start, i, checked = 0 if self.block.ascii else CHECKED
        cdef const uint8_t* text
        cdef Py_ssize_t size
        cdef Pair pair
        if self.plan.special.attributes == NONE:
            return 0
        self.owner = self.plan.line_owners[leaf]
        while at < line.end:
            at = next_pair(data, at, line.end, &pair)
            if at < 0:
                break
            i = 0
            while i < slots and spans[2 * i] != pair.value:
                i += 1
            text = data + pair.value
            size = pair.value_end - pair.value
            if i < slots or is_null_word(text, size) or ((text - 1)[0] != c'"' and is_nothing(text, size)):
                continue
            attribute.name = NONE
            attribute.key_at = self.keys.used
            put(&self.keys, data + pair.key, pair.key_end - pair.key, checked)
            attribute.key_size = self.keys.used - attribute.key_at
            self.add(&attribute, text, size, checked | (JSON_STRING if pair.escaped else 0))
        return 0

    cdef int add(self, Attribute* wanted, const uint8_t* data, Py_ssize_t size, int change) except -1 nogil:
        """Add an attribute under a key that none has."""
        cdef Attribute* attribute = &self.attributes[self.attribute_count]
        cdef const uint8_t* key
        cdef Py_ssize_t key_size
        if self.attribute_count >= MOST_ATTRIBUTES - OWN_ATTRIBUTES and self.owner != OWN:
            key = key_of(self, wanted, &key_size)
            self.left_out += not (self.repeated and self.has_key(key, key_size))
            return 0
        attribute[0] = wanted[0]
        key = key_of(self, attribute, &key_size)
        if self.has_key(key, key_size):
            if self.repeated:
                return 0
            self.make_key(attribute)
        elif attribute.name == NONE and self.is_fixed(key, key_size):
            self.make_key(attribute)
        key = key_of(self, attribute, &key_size)
        self.key_bits |= key_bit(key, key_size)
        attribute.value = Value(data, size, change)
        self.attribute_count += 1
        return 0

    cdef bint has_key(self, const uint8_t* key, Py_ssize_t size) noexcept nogil:
        """Whether an attribute of the row has this key."""
        cdef const uint8_t* other
        cdef Py_ssize_t other_size
        cdef int32_t i
        if not self.key_bits & key_bit(key, size):
            return False
        for i in range(self.attribute_count):
            other = key_of(self, &self.attributes[i], &other_size)
            if other_size == size and (other == key or memcmp(other, key, size) == 0):
                return True
        return False

    cdef bint is_fixed(self, const uint8_t* key, Py_ssize_t size) noexcept nogil:
        """Whether a key has a meaning of opslog's own."""
        cdef int32_t i
        for i in range(<int32_t>OWN):
            if self.plan.text_sizes[i] == size and memcmp(self.plan.text_data[i], key, size) == 0:
                return True
        return False

    cdef int make_key(self, Attribute* attribute) except -1 nogil:
        """Put the key behind its format's name, and a number behind it, until no attribute has it."""
        cdef Py_ssize_t size, owner = self.plan.text_sizes[self.owner], start = self.keys.used
        cdef const uint8_t* name = <const uint8_t*>self.plan.text_data[self.owner]
        cdef const uint8_t* key = key_of(self, attribute, &size)
        cdef int32_t number = 1
        cdef uint8_t[8] digits
        cdef int count, rest
        need(&self.keys, owner + size + 16)
        key = key_of(self, attribute, &size)
        if size > owner and memcmp(key, name, owner) == 0 and key[owner] == c'.':
            owner = 0                   # it stands behind the name already
        else:
            owner += 1
        memmove(self.keys.data + start + owner, key, size)
        if owner:
            memcpy(self.keys.data + start, name, owner - 1)
            self.keys.data[start + owner - 1] = c'.'
        size += owner
        attribute.name = NONE
        attribute.key_at = start
        attribute.key_size = size
        while self.has_key(self.keys.data + start, attribute.key_size):
            number += 1
            rest = number
            count = 0
            while rest:
                digits[count] = <uint8_t>(c'0' + rest % 10)
                rest //= 10
                count += 1
            attribute.key_size = size
            self.keys.data[start + size] = c'.'
            while count:
                count -= 1
                attribute.key_size += 1
                self.keys.data[start + attribute.key_size] = digits[count]
            attribute.key_size += 1
        self.keys.used = start + attribute.key_size
        return 0

    # -- the message ----------------------------------------------------------------

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
                body_part(self.plan, self.block, line, &start, &end)
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
            body_part(self.plan, self.block, line, &start, &end)
            self.plan.lines.match_tail(tail, level, self.block.data, start, end, spans, &self.state, &end)
        return self.fields(self.plan.line_fields, self.tail, self.block.data, spans,
                           0 if self.block.ascii else CHECKED)

    cdef int find_message(self, Record* record, Line* line, int change) except -1 nogil:
        """Match the message formats against the message's first line."""
        cdef int32_t start, end
        body_part(self.plan, self.block, line, &start, &end)
        if self.tail != NONE and self.tail_line == record.head:
            end = self.tail_at
        if start < 0 or start >= end:
            return 0
        if change & JSON_STRING and self.block.data[start - 1] != c'"':
            change &= ~JSON_STRING
        self.message.find(self.block.data, start, end, change, 0 if self.block.ascii else CHECKED)
        if self.message.leaf != NONE and self.plan.messages.leaves[self.message.leaf].flags & FOREMOST:
            self.foremost = self.message.printed or not self.is_quote(record.leaf, line)
            if not self.foremost:
                self.message.leaf = NONE
        return 0

    cdef inline int message_fields(self) except -1 nogil:
        if self.message.leaf == NONE:
            return 0
        return self.fields(self.plan.message_fields, self.message.leaf, self.message.data,
                           <const int32_t*>self.message.spans.data, self.message.change)

    cdef bint is_quote(self, int32_t leaf, const Line* line) noexcept nogil:
        """Whether an event is quoted by a logger that acts for a request: only its sender's tell of theirs."""
        cdef const int32_t* span = self.span_of(self.plan.logger_slots, leaf, line.row, line.outer)
        if span == NULL or (span[1] - span[0] > 28 and memcmp(
                self.block.data + span[0], b"oslo.messaging.notification.", 28) == 0):
            return False
        return self.span_of(self.plan.request_slots, leaf, line.row, line.outer) != NULL

    cdef bint names_another(self, int32_t leaf, const Line* line) noexcept nogil:
        """Whether the message names a request and its line another one."""
        cdef Py_ssize_t size = 0
        cdef const int32_t* span = self.span_of(self.plan.request_slots, leaf, line.row, line.outer)
        cdef const uint8_t* text = self.message.value_of(self.plan.request_slots, &size)
        return text != NULL and (
            span == NULL or size != span[1] - span[0] or memcmp(text, self.block.data + span[0], size) != 0)

    cdef int find_details(self, Record* record, const Leaf* leaf) except -1 nogil:
        """Add what else lines of the body say; of several that say the same the first counts."""
        cdef int32_t at = record.head, start, end, found
        cdef int32_t* spans = <int32_t*>self.tail_spans.data
        cdef Line* line
        if not self.plan.lines.has_details(leaf.format):
            return 0
        while at != NONE:
            line = &self.block.lines[at]
            at = line.next
            if line.part != PART_BODY:
                continue
            body_part(self.plan, self.block, line, &start, &end)
            if start < 0:
                continue
            found = self.plan.lines.match_detail(
                leaf.format, self.block.data, start, end, spans, &self.state)
            if found < 0:
                continue
            self.keep_detail_ids(found)
            self.repeated = True
            self.fields(self.plan.line_fields, found, self.block.data, spans,
                        0 if self.block.ascii else CHECKED)
            self.repeated = False
        return 0

    cdef void keep_detail_ids(self, int32_t leaf) noexcept nogil:
        """Keep the ids of a request among the details just found, if no line before had them."""
        cdef int32_t slot, i
        cdef const int32_t* span
        for i in range(2):
            slot = slot_of(
                self.plan.lines, self.plan.request_slots if i else self.plan.global_slots, leaf)
            if slot < 0 or self.detail_ids[i].data != NULL:
                continue
            span = <const int32_t*>self.tail_spans.data + 2 * slot
            if span[0] >= 0 and not is_null_word(self.block.data + span[0], span[1] - span[0]):
                self.detail_ids[i] = Value(self.block.data + span[0], span[1] - span[0], 0)

    cdef int body_field(self, Record* record, const Leaf* leaf) except -1 nogil:
        cdef Line* line = &self.block.lines[record.head]
        cdef int32_t at = record.head, start, end
        cdef int change
        cdef bint first = True, bodiless
        if not record.flags & HAS_MORE:
            body_part(self.plan, self.block, line, &start, &end)
            if self.tail != NONE:
                end = self.tail_at
            if start >= 0:
                change = text_changes(self.block, line, leaf, start)
                set_value(self, self.plan.special.body, self.block.data + start, end - start, change)
            return 0
        self.body_text.used = 0
        bodiless = leaf != NULL and leaf.body < 0
        while at != NONE:
            line = &self.block.lines[at]
            if line.part == PART_BODY:
                body_part(self.plan, self.block, line, &start, &end)
                if self.tail != NONE and self.tail_line == at:
                    end = self.tail_at
                start = end if start < 0 else start
                if not (first or line.flags & CONTINUED):
                    need(&self.body_text, 1)
                    self.body_text.data[self.body_text.used] = c'\n'
                    self.body_text.used += 1
                put(&self.body_text, self.block.data + start, end - start,
                    text_changes(self.block, line, leaf, start))
                # What follows a head without a message is all of it.
                first = bodiless and at == record.head
            at = line.next
        set_value(self, self.plan.special.body, self.body_text.data, self.body_text.used, 0)
        return 0

    cdef const int32_t* span_of(self, int32_t column, int32_t leaf, int32_t row, int32_t outer) noexcept nogil:
        """The span of a column that the line's layout, or the nearest envelope, captures; NULL if none does."""
        cdef int32_t slot
        cdef const int32_t* span
        while True:
            slot = slot_of(self.plan.lines, column, leaf)
            if slot >= 0:
                span = self.block.spans + row + 2 * slot
                if span[0] >= 0 and not is_null_word(self.block.data + span[0], span[1] - span[0]):
                    return span
            if outer == NONE:
                return NULL
            leaf = self.block.envelopes[outer].leaf
            row = self.block.envelopes[outer].row
            outer = self.block.envelopes[outer].outer

    cdef int service_field(self, int32_t leaf, int32_t row, int32_t outer) except -1 nogil:
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
        found_size = service_of(&self.learned.services, text, size, &service)
        if found_size >= 0:
            set_value(self, self.plan.special.service_name, service, found_size, 0)
        elif self.service.data != NULL:
            set_value(self, self.plan.special.service_name, self.service.data, self.service.size, 0)
        elif family != NONE:
            set_value(self, self.plan.special.service_name, <const uint8_t*>self.plan.text_data[family],
                      self.plan.text_sizes[family], 0)
        return 0

    cdef const uint8_t* request_id(self, int32_t column, int32_t leaf, const Line* line, Py_ssize_t* size) noexcept nogil:
        """The id that a column of ids gets, NULL if none: of line, envelopes, message and details."""
        cdef const int32_t* span
        cdef const uint8_t* text = self.message.value_of(column, size) if self.foremost else NULL
        if text != NULL or (self.foremost and self.names_another(leaf, line)):
            return text
        span = self.span_of(column, leaf, line.row, line.outer)
        if span != NULL:
            size[0] = span[1] - span[0]
            return self.block.data + span[0]
        text = self.message.value_of(column, size)
        if text == NULL:
            text = self.detail_ids[column == self.plan.request_slots].data
            size[0] = self.detail_ids[column == self.plan.request_slots].size
        return text

    cdef int trace_field(self, int32_t leaf, const Line* line) except -1 nogil:
        """The UUID of the root request: of global_request_id, else of request_id."""
        cdef Py_ssize_t size = 0
        cdef const uint8_t* text = self.request_id(self.plan.global_slots, leaf, line, &size)
        if text == NULL:
            text = self.request_id(self.plan.request_slots, leaf, line, &size)
        if text != NULL and size == 40 and request_uuid(self.trace_id, text):
            set_value(self, self.plan.special.trace_id, self.trace_id, 32, 0)
        return 0

    cdef int exception_fields(self, Record* record, Line* line) except -1 nogil:
        self.exception.find(record, line)
        if self.exception.traceback.used:
            set_value(self, self.plan.special.exception_stacktrace, self.exception.traceback.data,
                      self.exception.traceback.used, 0)
        if self.exception.type.data != NULL:
            set_value(self, self.plan.special.exception_type, self.exception.type.data,
                      self.exception.type.size, 0)
            set_value(self, self.plan.special.exception_message, self.exception.message.data,
                      self.exception.message.size, 0)
        return 0

    cdef int fingerprint_field(self, const Record* record) except -1 nogil:
        """The id of what was found so far."""
        cdef Said said
        cdef int32_t[TEXTS] columns
        cdef Py_ssize_t[TEXTS] starts
        cdef const Value* value
        cdef int i
        columns[SERVICE] = self.plan.special.service_name
        columns[LOGGER] = self.plan.special.logger
        columns[BODY] = self.plan.special.body
        columns[TYPE] = self.plan.special.exception_type
        columns[MESSAGE] = self.plan.special.exception_message
        columns[TRACEBACK] = self.plan.special.exception_stacktrace
        columns[SUMMARY] = NONE
        said.severity = self.block.lines[record.head].severity if record.leaf >= 0 else 0
        self.said.used = 0
        for i in range(TEXTS):
            value = NULL
            if columns[i] != NONE:
                if self.present >> columns[i] & 1:
                    value = &self.values[columns[i]]
            elif not said.texts[TRACEBACK].size:
                value = self.attribute_of(b"error_summary", 13)
            starts[i] = NONE
            said.texts[i].data, said.texts[i].size = NULL, 0
            if value == NULL:
                continue
            said.texts[i].data, said.texts[i].size = value.data, value.size
            if value.change:
                starts[i] = self.said.used
                put(&self.said, value.data, value.size, value.change)
                said.texts[i].size = self.said.used - starts[i]
        for i in range(TEXTS):
            if starts[i] != NONE:
                said.texts[i].data = self.said.data + starts[i]
        self.fingerprint.find(&said)
        set_value(self, self.plan.special.fingerprint, self.fingerprint.id, ID, 0)
        return 0

    cdef const Value* attribute_of(self, const char* name, Py_ssize_t size) noexcept nogil:
        """The value of an attribute, NULL if there is none."""
        cdef const uint8_t* key
        cdef Py_ssize_t length
        cdef int32_t i
        if not self.key_bits & key_bit(<const uint8_t*>name, size) and not self.is_stored:
            return NULL
        for i in range(self.attribute_count):
            key = key_of(self, &self.attributes[i], &length)
            if length == size and memcmp(key, name, size) == 0:
                return &self.attributes[i].value
        return NULL
