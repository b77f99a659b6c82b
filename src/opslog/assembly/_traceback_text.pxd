# What the text of a line says of tracebacks: whether it opens one, stands inside
# one, or is two torn lines glued together.

from libc.stdint cimport int32_t, uint8_t
from libc.string cimport memcmp

cdef extern from "string.h" nogil:
    void* memmem(const void*, size_t, const void*, size_t)

# What Python's traceback module prints.
cdef extern from *:
    """
    static const char opslog_header[] = "Traceback (most recent call last):";
    static const char opslog_group[] = "  + Exception Group Traceback (most recent call last):";
    static const char opslog_stack[] = "Stack (most recent call last):";
    static const char opslog_context[] =
        "During handling of the above exception, another exception occurred:";
    static const char opslog_cause[] =
        "The above exception was the direct cause of the following exception:";
    """
    const char* HEADER "opslog_header"
    const char* GROUP "opslog_group"
    const char* STACK "opslog_stack"
    const char* CONTEXT "opslog_context"
    const char* CAUSE "opslog_cause"
    const int HEADER_SIZE "(sizeof(opslog_header) - 1)"
    const int GROUP_SIZE "(sizeof(opslog_group) - 1)"
    const int STACK_SIZE "(sizeof(opslog_stack) - 1)"
    const int CONTEXT_SIZE "(sizeof(opslog_context) - 1)"
    const int CAUSE_SIZE "(sizeof(opslog_cause) - 1)"


cdef inline bint begins(const uint8_t* p, int32_t length, const char* text, int32_t size) noexcept nogil:
    # Most texts begin otherwise: without a call.
    return length >= size and p[0] == <uint8_t>text[0] and memcmp(p, text, size) == 0


cdef inline bint is_header(const uint8_t* p, int32_t n) noexcept nogil:
    """Whether the text begins a traceback; its colon may be missing."""
    return begins(p, n, HEADER, HEADER_SIZE - 1)


cdef inline bint is_list(const uint8_t* p, int32_t n) noexcept nogil:
    """Whether the text begins a traceback printed as the repr of the list of its lines."""
    return begins(p, n, b"[u'Traceback (most recent", 25) or begins(p, n, b"['Traceback (most recent", 24)


cdef inline bint opens_block(const uint8_t* p, int32_t n) noexcept nogil:
    """Whether the text begins a traceback or stack."""
    return (is_header(p, n) or begins(p, n, GROUP, 42) or is_list(p, n)
            or begins(p, n, STACK, STACK_SIZE - 1))


cdef inline bint links_blocks(const uint8_t* p, int32_t n) noexcept nogil:
    """Whether the text stands between the tracebacks of a chain."""
    return begins(p, n, CONTEXT, CONTEXT_SIZE) or begins(p, n, CAUSE, CAUSE_SIZE)


cdef inline bint names_exception(const uint8_t* p, int32_t n) noexcept nogil:
    """Whether the text begins with a dotted name that ends in Error or Exception, alone or before a colon."""
    cdef int32_t i = 0
    while i < n and (p[i] == c'.' or p[i] == c'_' or 48 <= p[i] <= 57 or 65 <= p[i] <= 90 or 97 <= p[i] <= 122):
        i += 1
    if i < n and p[i] != c':':
        return False
    return (i >= 5 and memcmp(p + i - 5, b"Error", 5) == 0) or (i >= 9 and memcmp(p + i - 9, b"Exception", 9) == 0)


cdef inline bint opens_traceback(const uint8_t* p, int32_t n) noexcept nogil:
    """Whether the text begins a traceback, printed as text or as a list."""
    return is_header(p, n) or begins(p, n, GROUP, 42) or is_list(p, n)


cdef inline bint names_origin(const uint8_t* p, int32_t n) noexcept nogil:
    """Whether the text says that what follows is what another program printed."""
    return n > 0 and (memmem(p, n, b"Remote error", 12) != NULL or memmem(p, n, b"Error from last host", 20) != NULL
                      or memmem(p, n, b"Stderr", 6) != NULL or memmem(p, n, b"Stdout", 6) != NULL)


cdef inline bint in_group(const uint8_t* p, int32_t n) noexcept nogil:
    """Whether the text is of an exception group: behind blanks stands its margin."""
    cdef int32_t i = 0
    while i < n and p[i] == c' ':
        i += 1
    return 2 <= i < n and (p[i] == c'|' or p[i] == c'+')


cdef inline bint is_quoted(const uint8_t* p, int32_t at) noexcept nogil:
    """Whether what has a level at p[at] is quoted: a label, a key or a quote stands before its time."""
    while at > 0 and (48 <= p[at - 1] <= 58 or p[at - 1] == c'-' or p[at - 1] == c'.' or p[at - 1] == c','
                      or p[at - 1] == c' ' or p[at - 1] == c'T'):
        at -= 1
        if p[at] == c':' and at > 0 and (65 <= p[at - 1] <= 90 or 97 <= p[at - 1] <= 122):
            return True
    return at > 0 and (p[at - 1] == c'"' or p[at - 1] == c"'" or p[at - 1] == c'=')


cdef inline bint inside_block(const uint8_t* p, int32_t n) noexcept nogil:
    """Whether the text can only stand inside or at the end of a traceback; Loguru marks a frame with >."""
    return n == 0 or begins(p, n, b"  ", 2) or links_blocks(p, n) or begins(p, n, b"> File \"", 8)


cdef inline bint continues_block(const uint8_t* p, int32_t n) noexcept nogil:
    """Whether the text looks so much like part of a traceback that it may stand alone."""
    return (n == 0 or links_blocks(p, n) or begins(p, n, b"    ", 4) or begins(p, n, b"  File ", 7)
            or begins(p, n, b"  | ", 4) or begins(p, n, b"  +", 3)
            or begins(p, n, b"  [Previous line repeated", 25))


cdef inline bint torn(const uint8_t* p, int32_t n, bint at_start) noexcept nogil:
    """Whether a level and a dotted logger stand together in the middle of the text, or at its start."""
    cdef int32_t i = 0, word, word_size, dots
    cdef bint known
    while i < n:
        # A level: capitals between blanks.
        if not at_start:
            while i < n and p[i] != c' ':
                i += 1
            i += 1
        at_start = False
        word = i
        while i < n and 65 <= p[i] <= 90:
            i += 1
        if i >= n or p[i] != c' ' or i - word < 4 or i - word > 8:
            continue
        word_size = i - word + 1        # with the blank
        known = (begins(p + word, word_size, b"TRACE ", 6) or begins(p + word, word_size, b"ERROR ", 6)
                 or begins(p + word, word_size, b"INFO ", 5) or begins(p + word, word_size, b"DEBUG ", 6)
                 or begins(p + word, word_size, b"WARNING ", 8)
                 or begins(p + word, word_size, b"CRITICAL ", 9))
        if not known:
            continue
        i += 1
        word = i
        dots = 0
        while i < n and (p[i] == c'.' or p[i] == c'_' or p[i] == c'-' or 48 <= p[i] <= 57
                         or 65 <= p[i] <= 90 or 97 <= p[i] <= 122):
            dots += p[i] == c'.' and i > word
            i += 1
        if dots and i < n and p[i] == c' ' and p[i - 1] != c'.' and not is_quoted(p, word - word_size):
            return True
        i = word - 1
    return False
