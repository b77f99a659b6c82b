from libc.stdint cimport int32_t, uint8_t

from opslog.scanner._program cimport Program

cdef enum:
    MOST_COLUMNS = 64           # a row's present columns are the bits of one word

cdef enum Kind:
    TEXT
    CODES
    INTEGER
    DECIMAL
    PAIRS
    TIMESTAMP
    LEVEL
    FORMAT
    SOURCE
    OFFSET
    ORIGINAL

cdef enum Shape:
    ANY
    ID_ONLY                     # a field only if its text has the shape of an id
    NAME_ONLY                   # only if it has not
    FACILITY                    # a syslog priority, of which the facility is kept
    HOST                        # of which a port is left out
    STAMP_ONLY                  # an envelope's time, where that of the record is another
    RESOURCE                    # the id of a resource, perhaps behind its kind in brackets
    RESOURCE_KIND               # the kind before such an id

cdef enum FixedText:            # numbers in the texts of every plan
    INCOMPLETE
    AMBIGUOUS
    CLOSED_BY
    LEFT_OUT
    OWN                         # the name that keys of opslog's own stand behind

cdef enum:
    NO_SLOT = -1

ctypedef struct Field:
    int32_t column              # number among the columns asked for
    int32_t slot                # NO_SLOT: a constant, `text` is its number
    int32_t shape
    int32_t text                # attribute's name or constant's text, number in texts
    int32_t change              # what must be done with it
    bint plain                  # the text as it is, of a column of its own
    bint context                # unless it says that there is nothing

ctypedef struct Special:
    int32_t body                # numbers of columns with rules of their own, -1 not asked for
    int32_t service_name
    int32_t program
    int32_t host_name
    int32_t trace_id
    int32_t global_request_id
    int32_t exception_stacktrace
    int32_t exception_type
    int32_t exception_message
    int32_t attributes
    int32_t logger
    int32_t fingerprint

cdef class Plan:
    cdef Program lines
    cdef Program messages
    cdef Field* fields
    cdef int32_t* line_fields           # per leaf: its first field; one more at the end
    cdef int32_t* message_fields
    cdef int32_t* kinds
    cdef uint8_t* contexts
    cdef readonly int32_t count
    cdef Special special
    cdef int32_t body_slots             # rows of the lines' slot table
    cdef int32_t attribute_slots
    cdef int32_t global_slots
    cdef int32_t request_slots
    cdef int32_t logger_slots
    cdef int32_t trace_slots
    cdef int32_t* line_owners           # per leaf: the name of its format, number in texts
    cdef int32_t* message_owners
    cdef int32_t* services              # per format: text, the service if nothing else says one; -1
    cdef bint tails                     # whether tails must be looked for
    cdef bint requests
    cdef bint details                   # likewise details
    cdef readonly list texts
    cdef list learned                   # by rows that are done, for the next ones
    cdef const char** text_data
    cdef int32_t* text_sizes

    cdef inline int32_t owner(self, const int32_t* starts, int32_t leaf) noexcept nogil:
        """The name of the format of a leaf whose fields are found by `starts`."""
        return (self.line_owners if starts == self.line_fields else self.message_owners)[leaf]

    cdef int32_t fill(self, int32_t* starts, list leaves, int32_t at) except -1


cdef inline int32_t slot_of(Program program, int32_t column, int32_t leaf) noexcept nogil:
    """The slot of a column that the leaf's layout captures as it is, -1 if it does not."""
    return program.slots[column * program.leaf_count + leaf]
