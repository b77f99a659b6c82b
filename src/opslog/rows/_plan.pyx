"""What the layouts of a catalog fill in the columns asked for, as tables."""

cimport cython
from libc.stdlib cimport calloc, free

from opslog.kernel._block cimport NONE
from opslog.kernel cimport _text

WITHOUT_SLOT = NO_SLOT
COLUMN_LIMIT = MOST_COLUMNS
KINDS = {
    "string": TEXT, "dictionary": CODES, "int64": INTEGER, "float64": DECIMAL, "map": PAIRS,
    "timestamp": TIMESTAMP, "level": LEVEL, "format": FORMAT, "source": SOURCE,
    "offset": OFFSET, "original": ORIGINAL,
}
CHANGES = {
    "milliseconds": _text.MILLISECONDS, "microseconds": _text.MICROSECONDS, "percent": _text.PERCENT,
}
SHAPES = {
    "any": ANY, "id": ID_ONLY, "name": NAME_ONLY, "facility": FACILITY, "host": HOST,
    "stamp": STAMP_ONLY,
    "resource": RESOURCE, "resource kind": RESOURCE_KIND,
}
FIELDS = ("column", "slot", "shape", "text", "change")
FIXED_TEXTS = [b"", b"", b"", b"", b""]
FIXED_TEXTS[INCOMPLETE] = b"incomplete"
FIXED_TEXTS[AMBIGUOUS] = b"timestamp_ambiguous"
FIXED_TEXTS[CLOSED_BY] = b"closed"
FIXED_TEXTS[LEFT_OUT] = b"attributes_left_out"
FIXED_TEXTS[OWN] = b"opslog"

@cython.final
cdef class Plan:
    """What fields the layouts of a catalog fill in the columns asked for."""

    def __init__(self, *, Program lines not None, Program messages not None, list kinds,
                 list line_fields, list message_fields, list line_owners, list message_owners,
                 dict special, list services, list texts,
                 dict slots, bint tails, bint details, bint requests):
        """``kinds``: (kind, context) per column; ``line_fields`` and ``message_fields``: per leaf
        a list of (column, slot, shape, text, change); ``line_owners`` and ``message_owners``: per
        leaf the text that is its format's name; ``texts``: bytes, first FIXED_TEXTS.
        """
        cdef int32_t i
        if len(kinds) > MOST_COLUMNS:
            raise ValueError(f"more than {MOST_COLUMNS} columns")
        if texts[:len(FIXED_TEXTS)] != FIXED_TEXTS:
            raise ValueError("the fixed texts come first")
        self.lines = lines
        self.messages = messages
        self.count = len(kinds)
        total = sum(map(len, line_fields)) + sum(map(len, message_fields))
        self.kinds = <int32_t*>calloc(self.count + 1, sizeof(int32_t))
        self.contexts = <uint8_t*>calloc(self.count + 1, 1)
        self.services = <int32_t*>calloc(len(services) + 1, sizeof(int32_t))
        self.fields = <Field*>calloc(total + 1, sizeof(Field))
        self.line_fields = <int32_t*>calloc(len(line_fields) + 1, sizeof(int32_t))
        self.message_fields = <int32_t*>calloc(len(message_fields) + 1, sizeof(int32_t))
        self.line_owners = <int32_t*>calloc(len(line_owners) + 1, sizeof(int32_t))
        self.message_owners = <int32_t*>calloc(len(message_owners) + 1, sizeof(int32_t))
        self.text_data = <const char**>calloc(len(texts) + 1, sizeof(char*))
        self.text_sizes = <int32_t*>calloc(len(texts) + 1, sizeof(int32_t))
        if (self.kinds == NULL or self.contexts == NULL or self.services == NULL or self.fields == NULL
                or self.line_fields == NULL or self.message_fields == NULL
                or self.line_owners == NULL or self.message_owners == NULL
                or self.text_data == NULL or self.text_sizes == NULL):
            raise MemoryError()
        for i, (kind, context) in enumerate(kinds):
            self.kinds[i] = KINDS[kind]
            self.contexts[i] = context
        for i, number in enumerate(services):
            self.services[i] = number
        for i, number in enumerate(line_owners):
            self.line_owners[i] = number
        for i, number in enumerate(message_owners):
            self.message_owners[i] = number
        self.texts = texts
        self.learned = []
        for i, text in enumerate(texts):
            self.text_data[i] = <bytes>text
            self.text_sizes[i] = len(<bytes>text)
        self.fill(self.message_fields, message_fields, self.fill(self.line_fields, line_fields, 0))
        self.special.body = special.get("body", NONE)
        self.special.service_name = special.get("service_name", NONE)
        self.special.program = special.get("program", NONE)
        self.special.host_name = special.get("host_name", NONE)
        self.special.trace_id = special.get("trace_id", NONE)
        self.special.global_request_id = special.get("global_request_id", NONE)
        self.special.exception_stacktrace = special.get("exception_stacktrace", NONE)
        self.special.exception_type = special.get("exception_type", NONE)
        self.special.exception_message = special.get("exception_message", NONE)
        self.special.attributes = special.get("attributes", NONE)
        self.special.logger = special.get("logger", NONE)
        self.special.fingerprint = special.get("fingerprint", NONE)
        self.body_slots = slots["body"]
        self.attribute_slots = slots["attributes"]
        self.global_slots = slots["global_request_id"]
        self.request_slots = slots["request_id"]
        self.logger_slots = slots["logger"]
        self.trace_slots = slots["exception_stacktrace"]
        self.tails = tails
        self.details = details
        self.requests = requests

    cdef int32_t fill(self, int32_t* starts, list leaves, int32_t at) except -1:
        cdef int32_t leaf
        for leaf, fields in enumerate(leaves):
            starts[leaf] = at
            for column, slot, shape, text, change in fields:
                plain = slot != NO_SLOT and shape == ANY and self.kinds[column] != PAIRS
                self.fields[at] = Field(column, slot, shape, text, change, plain, self.contexts[column])
                at += 1
        starts[len(leaves)] = at
        return at

    def __dealloc__(self):
        free(self.kinds)
        free(self.contexts)
        free(self.services)
        free(self.fields)
        free(self.line_fields)
        free(self.message_fields)
        free(self.line_owners)
        free(self.message_owners)
        free(self.text_data)
        free(self.text_sizes)
