# A block of input and what is known of its lines and records: plain C arrays,
# so that scanning, assembling and building columns need no Python objects.

from libc.stdint cimport int8_t, int16_t, int32_t, int64_t, uint8_t, uint16_t, uint32_t, uint64_t

cdef enum:
    NONE = -1
    MOST_LINES = 10000          # lines one record may own

ctypedef struct Sizes:          # in bytes of input; in heads; tests make them small
    int64_t window              # of later input, after which a record closes
    int64_t longest_line        # a longer line is cut into pieces of this length
    int64_t seam_every          # behind each multiple of this there is a seam
    int64_t seam_within         # at most this far behind it
    int64_t seam_heads          # heads in a row that make a seam

cdef Sizes SIZES

cdef enum LineFlag:
    HAS_OFFSET = 1              # the timestamp is UTC already
    BAD_TIME = 2                # shaped like a time, but no such day
    ESCAPED = 4                 # JSON: a captured string holds a backslash
    PIECE = 8                   # what follows the first piece of an overlong line
    SYSLOG = 16                 # rsyslog escapes in its text are undone
    TIMED = 32                  # a layout of it, or of an envelope around it, gave the time
    MORE = 64                   # a further part of the message that the line before began
    UNENDED = 128               # the next line of its stream continues its text
    CONTINUED = 256             # its text continues that of the record's line before
    UNNAMED = 512               # JSON: it has keys whose values fill no column
    SKIMMED = 1024              # matched no further than tells that nobody wants its record

cdef enum LinePart:
    PART_BODY = 0
    PART_TRACEBACK = 1
    PART_STACK = 2

cdef enum RecordFlag:
    CLOSED = 1
    UNRECOGNISED = 2            # format null
    HEADLESS = 4                # traceback lines whose head is missing
    TORN = 8
    IN_STACK = 16               # the last raw line was a stack line
    IN_BLOCK = 32               # the last traceback line was inside a traceback block
    HAS_TRACEBACK = 64
    HAS_STACK = 128
    HAS_MORE = 256              # follow-on lines in the body
    OVERLONG = 512              # a piece of an overlong line
    HELD = 1024                 # closed because nothing more came for a while
    IN_TEXT = 2048              # its further lines without a layout are of its traceback
    QUOTES = 4096               # a traceback in its text is of another program
    DATED = 8192                # weak lines near behind it begin no records: it has a time
    WITHIN = 16384              # begins within a line of the source that holds several

ctypedef struct Line:
    int64_t time                # microseconds: UTC or local, see HAS_OFFSET
    int64_t stamp               # likewise the time of the innermost envelope that has one, NONE
    uint64_t worker             # hash of what tells writers of one source apart
    int32_t start               # content: data[start:end]
    int32_t end
    int32_t stop                # the next line's start
    int32_t first               # the line's first byte, before skipped NULs
    int32_t row                 # index into spans, NONE without a layout
    int32_t next                # next line of the same record, NONE at the end
    int16_t leaf                # which layout matched, NONE if no one did
    uint16_t flags
    uint8_t severity            # OpenTelemetry number, 0 unknown
    uint8_t part
    uint8_t outer_severity      # what the innermost envelope that has one says, 0: none
    int32_t outer               # the envelope around it, NONE

ctypedef struct Envelope:           # an envelope around a line's layout
    uint64_t stream             # hash of what tells writers apart, as far as this envelope knows
    int32_t start               # what its layout matched: data[start:end]
    int32_t end
    int32_t row                 # index into spans
    int32_t outer               # the envelope around this one, NONE
    int16_t leaf
    uint16_t flags              # LineFlag: ESCAPED, SYSLOG, UNENDED; TIMED if the time is from here

ctypedef struct Record:
    int64_t offset              # source offset of the first byte
    int64_t end                 # source offset behind the last line
    int64_t asked               # likewise of the last line that is none of it, but was told by it
    int32_t head                # first line
    int32_t last                # last line
    int32_t lines
    int16_t leaf
    uint16_t flags

cdef class Block:
    cdef uint8_t* data          # size bytes of input, then unescaped and carried ones up to used
    cdef Py_ssize_t capacity
    cdef readonly Py_ssize_t size
    cdef readonly Py_ssize_t used
    cdef readonly int64_t offset        # source offset of data[0]
    cdef readonly bint continued        # begins inside an overlong line
    cdef Line* lines
    cdef Py_ssize_t line_capacity
    cdef readonly int32_t line_count    # lines of the block itself
    cdef int32_t line_used              # and carried ones
    cdef int32_t* spans
    cdef Py_ssize_t span_capacity
    cdef int32_t span_used
    cdef Envelope* envelopes
    cdef Py_ssize_t envelope_capacity
    cdef int32_t envelope_used
    cdef int64_t reference      # local microseconds that tell times without a year, INT64_MIN
    cdef readonly bint ascii    # no byte of the input is above 127
    cdef Py_ssize_t hidden      # longest text that may be hidden in the input, -1: not known

    cdef int need_data(self, Py_ssize_t more) except -1 nogil
    cdef int need_lines(self, Py_ssize_t more) except -1 nogil
    cdef int need_spans(self, Py_ssize_t more) except -1 nogil
    cdef int need_envelopes(self, Py_ssize_t more) except -1 nogil
    cdef void guard(self) noexcept nogil
