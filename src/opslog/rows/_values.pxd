# The values of one record at a time, as pointers into its block.
#
# Everything that turns records into output (Arrow columns, JSON lines) takes a
# row's values from here, so that all outputs say the same.

from libc.stdint cimport int32_t, int64_t, uint8_t, uint64_t

from opslog.assembly._records cimport Records
from opslog.kernel._block cimport Block, Line, NONE, Record
from opslog.rows._exception cimport ExceptionText
from opslog.rows._fingerprint cimport Fingerprint
from opslog.rows._message cimport Message
from opslog.rows._plan cimport MOST_COLUMNS, Plan
from opslog.rows._services cimport Services
from opslog.scanner._program cimport Leaf
from opslog.kernel._text cimport Buffer, put
from opslog.scanner._state cimport MatchState

cdef enum:
    MOST_ATTRIBUTES = 256       # of one record
    OWN_ATTRIBUTES = 4          # of these, which say something of the record itself

ctypedef struct Value:
    const uint8_t* data
    Py_ssize_t size
    int change                  # what put() must do with it

ctypedef struct Attribute:
    int32_t name                # number in the plan's texts, NONE: the key is made up
    Py_ssize_t key_at           # of a key made up: where it is in Rows.keys
    Py_ssize_t key_size
    Value value

cdef class Learned:             # by rows of a plan, one after the other
    cdef Services services
    cdef Message message        # with the shortcuts of messages so far
    cdef int64_t size           # bytes of the blocks that these serve


cdef class Rows:
    cdef Records records
    cdef Block block
    cdef Plan plan
    cdef Learned learned
    cdef Value service                  # of records of which nothing else tells it, no data if there is none
    cdef Value program                  # of records that do not say theirs, no data if there is none
    cdef Value host                     # likewise
    cdef int32_t* selected
    cdef readonly int32_t count
    cdef readonly bint some_stored      # whether any record is one as opslog writes it
    cdef const uint8_t* ambiguous       # bits: rows whose local time was ambiguous
    cdef tuple owners                   # of memory pointed to
    cdef MatchState state
    # Of the row loaded last:
    cdef bint is_stored                 # whether it is one as opslog writes it
    cdef uint64_t present               # bit per column that has a value
    cdef Value[MOST_COLUMNS] values
    cdef Attribute[MOST_ATTRIBUTES] attributes
    cdef int32_t attribute_count
    cdef int32_t left_out               # attributes that were too many
    cdef uint8_t[12] left_out_text
    cdef uint64_t key_bits              # key_bit() of each of their keys
    cdef Buffer keys                    # keys made up, one behind the other
    cdef Buffer unnamed                 # values of JSON that fill no column
    cdef int32_t owner                  # number in the plan's texts: name of the format being read
    cdef bint repeated                  # it says again what an attribute may have said already
    cdef bint untimed                   # the time is not from the envelope being read
    cdef int32_t tail                   # leaf of the tail found, NONE
    cdef int32_t tail_line
    cdef int32_t tail_at
    cdef Message message
    cdef bint foremost                  # what the message says counts before what the line says
    cdef Value[2] detail_ids            # global and own request id in details, no data if none
    cdef uint64_t withheld              # bit per column that the line must not fill
    cdef ExceptionText exception
    cdef Fingerprint fingerprint        # None if none is asked for
    cdef Buffer said                    # what it is made of, where that is something else in the block
    cdef Buffer tail_spans
    cdef Buffer body_text
    cdef uint8_t[32] trace_id

    cdef Record* record(self, int32_t i) noexcept nogil
    cdef int load(self, int32_t i) except -1 nogil
    cdef int load_line(self, int32_t i) except -1 nogil
    cdef int fields(self, const int32_t* starts, int32_t leaf, const uint8_t* data,
                    const int32_t* spans, int change) except -1 nogil
    cdef int stored_fields(self, Record* record, Line* line, const Leaf* leaf) except -1 nogil
    cdef int add_attribute(self, int32_t name, const uint8_t* data, Py_ssize_t size, int change) except -1 nogil
    cdef bint has_key(self, const uint8_t* key, Py_ssize_t size) noexcept nogil
    cdef int pair_fields(self, int32_t leaf, const Line* line, const int32_t* spans) except -1 nogil
    cdef int unnamed_fields(self, int32_t leaf, int32_t start, int32_t end, const int32_t* spans, int change) except -1 nogil
    cdef int add(self, Attribute* attribute, const uint8_t* data, Py_ssize_t size, int change) except -1 nogil
    cdef bint is_fixed(self, const uint8_t* key, Py_ssize_t size) noexcept nogil
    cdef int make_key(self, Attribute* attribute) except -1 nogil
    cdef int envelope_fields(self, int32_t at) except -1 nogil
    cdef int find_tail(self, Record* record, const Leaf* leaf) except -1 nogil
    cdef int find_message(self, Record* record, Line* line, int change) except -1 nogil
    cdef int message_fields(self) except -1 nogil
    cdef bint is_quote(self, int32_t leaf, const Line* line) noexcept nogil
    cdef bint names_another(self, int32_t leaf, const Line* line) noexcept nogil
    cdef int find_details(self, Record* record, const Leaf* leaf) except -1 nogil
    cdef void keep_detail_ids(self, int32_t leaf) noexcept nogil
    cdef int body_field(self, Record* record, const Leaf* leaf) except -1 nogil
    cdef const int32_t* span_of(self, int32_t column, int32_t leaf, int32_t row, int32_t outer) noexcept nogil
    cdef int service_field(self, int32_t leaf, int32_t row, int32_t outer) except -1 nogil
    cdef const uint8_t* request_id(self, int32_t column, int32_t leaf, const Line* line, Py_ssize_t* size) noexcept nogil
    cdef int trace_field(self, int32_t leaf, const Line* line) except -1 nogil
    cdef int exception_fields(self, Record* record, Line* line) except -1 nogil
    cdef int fingerprint_field(self, const Record* record) except -1 nogil
    cdef const Value* attribute_of(self, const char* name, Py_ssize_t size) noexcept nogil

cdef inline const uint8_t* key_of(Rows rows, const Attribute* attribute, Py_ssize_t* size) noexcept nogil:
    """The key of an attribute, and its length; valid until the next attribute is added."""
    if attribute.name != NONE:
        size[0] = rows.plan.text_sizes[attribute.name]
        return <const uint8_t*>rows.plan.text_data[attribute.name]
    size[0] = attribute.key_size
    return rows.keys.data + attribute.key_at


cdef inline uint64_t key_bit(const uint8_t* key, Py_ssize_t size) noexcept nogil:
    """The bit that stands for a key: other keys may have it, too."""
    cdef Py_ssize_t sum = size
    if size:
        sum += 5 * key[size - 1] + 11 * key[size // 2]
    return <uint64_t>1 << (sum & 63)


cdef inline void set_value(Rows rows, int32_t column, const uint8_t* data, Py_ssize_t size, int change) noexcept nogil:
    rows.values[column] = Value(data, size, change)
    rows.present |= <uint64_t>1 << column


cdef inline const uint8_t* text_of(const Value* value, Buffer* changed, Py_ssize_t* size) except? NULL nogil:
    """Return a value as a column has it: in its block, or in `changed` where that is something else."""
    if not value.change:
        size[0] = value.size
        return value.data
    changed.used = 0
    put(changed, value.data, value.size, value.change)
    size[0] = changed.used
    return changed.data
