"""The exception finally raised, read from a traceback's text.

The text is what Python's traceback module prints, lines joined by newlines: the
tracebacks of a chain, each a header, indented frames and the exception, linked
by one of two sentences.  The last block of the chain is the one finally raised;
of an exception group it is the outermost.  Tracebacks quoted inside an
exception's message belong to the message.
"""

cdef const char* HEADER = "Traceback (most recent call last):"
cdef const char* GROUP = "  + Exception Group Traceback (most recent call last):"
cdef const char* STACK = "Stack (most recent call last):"
cdef const char* CONTEXT = "During handling of the above exception, another exception occurred:\n"
cdef const char* CAUSE = "The above exception was the direct cause of the following exception:\n"

cdef enum:
    HEADER_SIZE = 34
    GROUP_SIZE = 54
    STACK_SIZE = 30
    CONTEXT_SIZE = 68
    CAUSE_SIZE = 69


cdef inline bint begins(const uint8_t* p, const uint8_t* end, const char* text, Py_ssize_t size) noexcept nogil:
    return end - p >= size and memcmp(p, text, size) == 0


cdef inline const uint8_t* next_line(const uint8_t* p, const uint8_t* end) noexcept nogil:
    """Start of the line behind the one at p, or end + 1 behind the last."""
    while p < end and p[0] != c'\n':
        p += 1
    return p + 1


cdef inline const uint8_t* line_end(const uint8_t* p, const uint8_t* end) noexcept nogil:
    while p < end and p[0] != c'\n':
        p += 1
    return p


cdef const uint8_t* last_block(const uint8_t* text, const uint8_t* end) noexcept nogil:
    """Start of the block behind the last link of the chain.

    A blank line stands before and behind a link; oslo.log's JSONFormatter drops
    both, its FluentFormatter the second.  A traceback quoted in a message has
    more of them there, or one behind its header.
    """
    cdef const uint8_t* p = text
    cdef const uint8_t* found = text
    cdef const uint8_t* behind
    while p < end:
        behind = NULL
        if begins(p, end, CONTEXT, CONTEXT_SIZE):
            behind = p + CONTEXT_SIZE
        elif begins(p, end, CAUSE, CAUSE_SIZE):
            behind = p + CAUSE_SIZE
        if behind != NULL and p > text and behind < end:
            if behind[0] == c'\n':
                behind += 1
            if behind < end and behind[0] != c'\n' and (
                    not begins(behind, end, HEADER, HEADER_SIZE)
                    or begins(behind + HEADER_SIZE, end, b"\n  ", 3)):
                found = behind
        p = next_line(p, end)
    return found


cdef Raised raised(const uint8_t* text, Py_ssize_t size) noexcept nogil:
    """Return where type and message of the exception finally raised stand in the text."""
    cdef Raised out
    cdef const uint8_t* end = text + size
    cdef const uint8_t* p = last_block(text, end)
    cdef const uint8_t* stop
    cdef const uint8_t* q
    cdef bint headed = False
    out.type_start = -1
    out.type_end = out.message_start = out.message_end = 0
    out.group = False
    if begins(p, end, STACK, STACK_SIZE):
        return out
    if begins(p, end, GROUP, GROUP_SIZE):
        out.group = headed = True
        p = next_line(p, end)
        # Frames: "  |   File ..."; the exception: "  | name: message".
        while p < end and begins(p, end, b"  |  ", 5):
            p = next_line(p, end)
        if not begins(p, end, b"  | ", 4):
            return out
        stop = p
        while stop < end and begins(stop, end, b"  | ", 4):
            stop = next_line(stop, end)
        stop = stop - 1 if stop > p else p
        if stop > end:
            stop = end
        p += 4
    else:
        if begins(p, end, HEADER, HEADER_SIZE):
            headed = True
            p = next_line(p, end)
        while p < end and p[0] == c' ':
            headed = True
            p = next_line(p, end)
        if p >= end:
            return out
        # What a stack_info appended is not the exception's.
        stop = end
        q = p
        while q < end:
            if begins(q, end, STACK, STACK_SIZE) and q > p and line_end(q, end) - q == STACK_SIZE:
                stop = q - 1
                break
            q = next_line(q, end)
    q = p
    while q < stop and q[0] != c':' and q[0] != c'\n':
        if q[0] == c' ':
            return out          # not "name: message"
        q += 1
    if q == p:
        return out
    out.type_start = p - text
    out.type_end = q - text
    if q < stop and q[0] == c':':
        q += 1
        if q < stop and q[0] == c' ':
            q += 1
    elif q < stop:
        q = stop                # text behind a bare name is not its message
    out.message_start = q - text
    out.message_end = stop - text
    return out
