"""What the message formats tell of a record's message."""

cimport cython
from libc.stdint cimport int32_t, uint8_t
from libc.stdlib cimport free
from libc.string cimport memcmp, memset

from opslog.kernel._block cimport ESCAPED, NONE
from opslog.kernel._text cimport Buffer, CHECKED, JSON_STRING, need, put
from opslog.rows._fields cimport is_null_word
from opslog.rows._plan cimport Plan, slot_of
from opslog.scanner._program cimport JSON
from opslog.scanner._shortcut cimport ROUTES, Route
from opslog.scanner._state cimport begin_state

from opslog.rows.literal import event_as_json

cdef const char* EVENT = "Event type: "

cdef enum:
    EVENT_SIZE = 12


@cython.final
cdef class Message:
    """Matches messages, one after the other; what is found is good until the next one."""

    def __cinit__(self, Plan plan not None):
        self.plan = plan
        self.leaf = NONE
        need(&self.spans, 8 * plan.messages.most_slots + 8)
        begin_state(&self.state)
        self.routes = bytearray(ROUTES * sizeof(Route))
        self.state.routes = <Route*><char*>self.routes

    def __dealloc__(self):
        free(self.spans.data)
        free(self.text.data)
        free(self.event.data)

    cdef int forget(self) except -1:
        """Begin to learn shortcuts anew."""
        memset(self.state.routes, 0, ROUTES * sizeof(Route))
        return 0

    cdef int find(self, const uint8_t* data, int32_t start, int32_t end, int change, int checked) except -1 nogil:
        """Match the message formats against data[start:end], then their tails.

        An event printed by Python's repr is matched as the JSON it means.  `change` is
        what must be done with the text, `checked` is CHECKED if it may not be ASCII.
        """
        cdef const int32_t* tail = self.plan.messages.first_tail(0, 0)
        cdef int32_t* spans = <int32_t*>self.spans.data
        cdef int32_t leaf
        if change & ~CHECKED:
            self.text.used = 0
            put(&self.text, data + start, end - start, change)
            data = self.text.data
            start = 0
            end = <int32_t>self.text.used
        self.event.used = 0
        self.change = checked
        self.printed = (end - start > EVENT_SIZE and memcmp(data + start, EVENT, EVENT_SIZE) == 0
                        and self.read_event(data + start, end - start))
        if self.printed:
            data = self.event.data
            start = 0
            end = <int32_t>self.event.used
        self.data = data
        leaf = self.plan.messages.match(data, start, end, spans, &self.state, False)
        if leaf < 0 and tail != NULL:
            leaf = self.plan.messages.match_tail(tail, 0, data, start, end, spans, &self.state, &end)
        if leaf >= 0 and self.plan.messages.leaves[leaf].flags & JSON and self.state.flags & ESCAPED:
            self.change |= JSON_STRING
        self.leaf = leaf
        return 0

    cdef bint read_event(self, const uint8_t* text, Py_ssize_t size) except -1 with gil:
        """Write the JSON that a printed event means; return whether the text is one."""
        cdef bytes found = event_as_json((<const char*>text)[:size])
        if found is None:
            return False
        put(&self.event, found, len(found), 0)
        return True

    cdef const uint8_t* value_of(self, int32_t column, Py_ssize_t* size) noexcept nogil:
        """The text of a column that the message's layout captures, NULL if it captures none."""
        cdef int32_t slot
        cdef const int32_t* span
        if self.leaf == NONE:
            return NULL
        slot = slot_of(self.plan.messages, column, self.leaf)
        if slot < 0:
            return NULL
        span = <const int32_t*>self.spans.data + 2 * slot
        size[0] = span[1] - span[0]
        if span[0] < 0 or is_null_word(self.data + span[0], size[0]):
            return NULL
        return self.data + span[0]
