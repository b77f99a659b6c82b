# The nodes of a program, and what each matches: the position behind what it accepts, or -1.

from libc.stdint cimport int16_t, int32_t, int64_t, uint8_t, uint16_t, uint64_t

from opslog.kernel._bytes cimport find_text, lowest_bit
from opslog.scanner._names cimport name
from opslog.scanner._ops cimport (address, colors, identity, is_no_name, literal, maybe_int, number, pointer, pri, quoted, request, resource, severity, source_file, structure, token, transaction, url, uuid)
from opslog.scanner._prefix cimport BRANCHES, BRANCH_WORDS
from opslog.scanner._state cimport MatchState
from opslog.scanner._time cimport time_iso, time_program

cdef enum Op:
    OP_LITERAL = 0      # a: offset in literals, b: length
    OP_RUN = 1          # a: class, b: most bytes
    OP_TEXT = 2         # a, b: the literal that ends it
    OP_REST = 3
    OP_NUMBER = 4
    OP_UUID = 5
    OP_REQUEST = 6      # a: 1 if None, - and nothing are accepted, 2 for what is no other id
    OP_ID = 7
    OP_SOURCE = 8       # a: the byte that ends it besides a blank, b: 1 for Go
    OP_SEVERITY = 9     # a: offset in words
    OP_ISO = 10         # a: 1 for iso-msecs, 2 for iso-zone, b: 1 if the time is not kept
    OP_TIME = 11        # a: offset in times, b: likewise
    OP_COLORS = 12
    OP_END = 13
    OP_TOKEN = 14       # a: the byte that ends it besides blanks and brackets, b: how many
    OP_MAYBE_TOKEN = 15
    OP_URL = 16
    OP_RESOURCE = 17
    OP_PRI = 18
    OP_MAYBE_INT = 19
    OP_ADDRESS = 20
    OP_QUOTED = 21
    OP_STRUCTURE = 22
    OP_NAME = 23        # a: 1 for loggers, 2 for labels, 3 for units
    OP_POINTER = 24

ctypedef struct Node:
    int32_t op
    int32_t a
    int32_t b
    int32_t slot                # capture number, -1: not kept
    int32_t child               # next node of the layout
    int32_t sibling             # tried where this node or what follows it fails
    int32_t leaf                # layout variant that ends here, -1
    int32_t order               # number of the first layout that goes through here
    int32_t then                # literal that must follow: offset in literals, length
    int32_t then_size
    uint8_t more                # captures besides `slot` that end here: those before are written
    uint8_t naming              # which of all these must be no level word, as bits
    int16_t branch              # number by which Prefixes tells it from its siblings, 0: not
    int32_t width               # blanks fill the capture up to it: behind, before if negative
    uint64_t word               # a literal of at most 8 bytes
    uint64_t then_word

ctypedef struct Tables:         # what the arguments of nodes point into
    const uint8_t* literals
    const uint8_t* classes      # 256 bytes each: whether a byte belongs to it
    const int32_t* words        # vocabularies, see severity()
    const int32_t* times        # programs of timestamps, see time_program()


cdef inline int32_t match_op(const Tables* tables, const Node* node, const uint8_t* data, int32_t at, int32_t end,
                             int32_t* row, MatchState* state) noexcept nogil:
    """Return the position behind what the node, which is no literal, matches at `at`, or -1."""
    cdef int32_t p = at, stop, op = node.op, count = 0
    cdef int64_t time
    cdef uint16_t flags
    cdef const void* found
    # One chain of comparisons with constants: it becomes a jump table.
    if op == OP_TOKEN or op == OP_MAYBE_TOKEN:
        while count < node.b:
            # All but the last end at the blank between them.
            stop = p
            p = token(data, p, end, <uint8_t>node.a if count == node.b - 1 else c' ')
            if p == stop and op == OP_TOKEN:
                return -1
            count += 1
            if count < node.b:
                row[2 * (node.slot + count) - 1] = p
                if p >= end or data[p] != c' ':
                    return -1
                p += 1
                row[2 * (node.slot + count)] = p
        return p
    elif op == OP_ISO or op == OP_TIME:
        time = state.time
        flags = state.flags
        if op == OP_ISO:
            p = time_iso(data, at, end, node.a == 1, node.a == 2, state)
        else:
            p = time_program(tables.times + node.a, data, at, end, state)
        if node.b:
            state.time = time
            state.flags = flags
        return p
    elif op == OP_SEVERITY:
        return severity(tables.words + node.a, data, at, end, state)
    elif op == OP_REQUEST:
        return transaction(data, at, end) if node.a == 2 else request(data, at, end, node.a)
    elif op == OP_TEXT:
        found = find_text(data + at, data + end, tables.literals + node.a, node.b)
        return -1 if found == NULL else <int32_t>(<const uint8_t*>found - data)
    elif op == OP_END:
        return at if at == end else -1
    elif op == OP_ID:
        return identity(data, at, end)
    elif op == OP_UUID:
        return uuid(data, at, end)
    elif op == OP_COLORS:
        return colors(data, at, end)
    elif op == OP_SOURCE:
        return source_file(data, at, end, <uint8_t>node.a, node.b)
    elif op == OP_URL:
        return url(data, at, end)
    elif op == OP_RESOURCE:
        return resource(data, at, end)
    elif op == OP_PRI:
        return pri(data, at, end, state)
    elif op == OP_QUOTED:
        return quoted(data, at, end)
    elif op == OP_STRUCTURE:
        return structure(data, at, end)
    elif op == OP_NAME:
        return name(node.a, data, at, end)
    elif op == OP_POINTER:
        return pointer(data, at, end)
    elif op == OP_ADDRESS:
        return address(data, at, end)
    elif op == OP_MAYBE_INT:
        return maybe_int(data, at, end)
    else:                       # OP_NUMBER
        return number(data, at, end)


cdef inline bint may_begin(const uint64_t* first, const uint8_t* data, int32_t at, int32_t end) noexcept nogil:
    """Whether what stands at `at` may begin a node with these first bytes."""
    return at >= end or data[at] > 127 or first[data[at] >> 6] >> (data[at] & 63) & 1


cdef inline bint is_left(const Node* node, const uint64_t* branches) noexcept nogil:
    """Whether the node's branch is among those left."""
    return branches[<uint16_t>node.branch >> 6] >> (node.branch & 63) & 1


cdef inline int32_t next_branch(const uint64_t* branches, int32_t branch) noexcept nogil:
    """The first branch from this one on that is left; those behind the numbered ones all are."""
    cdef int32_t word = branch >> 6
    cdef uint64_t left
    if branch >= BRANCHES:
        return branch
    left = branches[word] >> (branch & 63)
    if left:
        return branch + lowest_bit(left)
    for word in range(word + 1, BRANCH_WORDS):
        if branches[word]:
            return 64 * word + lowest_bit(branches[word])
    return BRANCHES


cdef inline bint is_padded(const Node* node, const uint8_t* data, int32_t before, int32_t start,
                           int32_t after, int32_t end) noexcept nogil:
    """Whether blanks fill the capture data[start:after] up to the node's width."""
    cdef int32_t i
    if node.width < 0:
        return start - before == max(0, -node.width - (after - start))
    for i in range(after, start + node.width):
        if i >= end or data[i] != c' ':
            return False
    return True


cdef inline bint has_no_name(const Node* node, const uint8_t* data, const int32_t* row) noexcept nogil:
    """Whether a capture that names something is a level word."""
    cdef int32_t i
    for i in range(node.more + 1):
        if node.naming >> i & 1 and is_no_name(data, row[2 * (node.slot + i)], row[2 * (node.slot + i) + 1]):
            return True
    return False


cdef inline int32_t match_literal(const Tables* tables, const Node* node, const uint8_t* data, int32_t at,
                                  int32_t end) noexcept nogil:
    """Return the position behind a literal, or -1: it keeps nothing, and nothing else of the node counts."""
    return at + node.b if literal(tables.literals + node.a, node.b, node.word, data, at, end) else -1


cdef inline int32_t match_node(const Tables* tables, const Node* node, const uint8_t* data, int32_t at, int32_t end,
                               int32_t* row, MatchState* state, int32_t* reached) noexcept nogil:
    """Return the position behind all that a node which is no literal says, or -1; its captures are in `row` then."""
    cdef int32_t position = at, after, stop
    cdef const uint8_t* table
    if node.width < 0:
        while position < end and data[position] == c' ':
            position += 1
    # What most nodes are is not worth a call.
    if node.op == OP_REST:
        after = end
    elif node.op == OP_TOKEN and node.b == 1:
        after = token(data, position, end, <uint8_t>node.a)
        if after == position:
            after = -1
    elif node.op == OP_RUN:
        table = tables.classes + 256 * node.a
        stop = end if end - position <= node.b else position + node.b
        after = position
        while after < stop and table[data[after]]:
            after += 1
        if after == position:
            after = -1
    else:
        after = match_op(tables, node, data, position, end, row, state)
    if node.width and after >= 0 and not is_padded(node, data, at, position, after, end):
        after = -1
    reached[0] = position
    if after >= 0:
        if node.slot >= 0:
            row[2 * node.slot] = position
            row[2 * (node.slot + node.more) + 1] = after
            if node.naming and has_no_name(node, data, row):
                return -1
        after = max(after, position + node.width)
        if node.then_size:
            reached[0] = after
            if literal(tables.literals + node.then, node.then_size, node.then_word, data, after, end):
                after += node.then_size
            else:
                after = -1
    return after
