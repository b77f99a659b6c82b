# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True
"""The scanner: lines and layout programs to field spans, nothing copied.

A program is a tree of nodes made by program.py.  A node matches at a position
or fails; after a success its child is tried there, after a failure its sibling
at the node's own position.  Every node takes a fixed run of bytes, so a line
costs at most (nodes of the tree) x (bytes of the line), and mostly one path.
The first layout, in the order they were given, that takes the whole line wins.
"""

cimport cython
from libc.stdint cimport int64_t, uint64_t
from libc.string cimport memchr, memcmp, memcpy

from opslog._block cimport (
    BAD_TIME, ESCAPED, HAS_OFFSET, LONGEST_LINE, NONE, PIECE, SYSLOG, Block, Line,
)
from opslog._bytes cimport all_ascii, find_either, hash_bytes, load8, request_end, same, token_end
from opslog._time cimport DIRECTIVE as TIME_DIRECTIVE, time_iso, time_program

cdef extern from "string.h" nogil:
    void* memmem(const void*, size_t, const void*, size_t)
    void* memrchr(const void*, int, size_t)

cdef enum Op:
    OP_LITERAL = 0      # a: offset in literals, b: length
    OP_RUN = 1          # a: class, b: most bytes
    OP_TEXT = 2         # a, b: the literal that ends it
    OP_REST = 3
    OP_NUMBER = 4
    OP_UUID = 5
    OP_REQUEST = 6      # a: 1 if None, - and nothing are accepted
    OP_ID = 7
    OP_SOURCE = 8       # a: the byte that ends it besides a blank
    OP_SEVERITY = 9     # a: offset in words
    OP_ISO = 10         # a: 1 for iso-msecs, b: 1 if the time is not kept
    OP_TIME = 11        # a: offset in times, b: likewise
    OP_COLOURS = 12
    OP_END = 13
    OP_TOKEN = 14       # a: the byte that ends it besides blanks and brackets, b: how many
    OP_MAYBE_TOKEN = 15
    OP_URL = 16

OPS = {
    "literal": OP_LITERAL, "run": OP_RUN, "text": OP_TEXT, "rest": OP_REST,
    "number": OP_NUMBER, "uuid": OP_UUID, "request": OP_REQUEST, "id": OP_ID,
    "source": OP_SOURCE, "severity": OP_SEVERITY, "iso": OP_ISO, "time": OP_TIME,
    "colours": OP_COLOURS, "end": OP_END, "token": OP_TOKEN,
    "token?": OP_MAYBE_TOKEN, "url": OP_URL,
}
DIRECTIVE = TIME_DIRECTIVE
FLAGS = {
    "stamped": STAMPED, "follow_on": FOLLOW_ON, "coloured": COLOURED, "json": JSON, "bare": BARE,
}
ROLES = {"head": HEAD, "traceback": TRACEBACK}
WORKER_SLOTS = WORKERS
DEEPEST = MOST_DEPTH
WIDEST_TAIL = MOST_BLANKS

cdef uint8_t[256] HEX
cdef int32_t _c
for _c in range(256):
    HEX[_c] = chr(_c) in "0123456789abcdefABCDEF"


cdef void fresh(State* state) noexcept nogil:
    """Make a state valid: the remembered second is a true one."""
    memcpy(state.second_text, b"1970-01-01 00:00:00\0", 20)
    state.second = 0
    state.time = 0
    state.flags = 0
    state.severity = 0
    state.furthest = 0
    state.failed = NONE


cdef inline int32_t hex_run(const uint8_t* data, int32_t at, int32_t end, int32_t most) noexcept nogil:
    cdef int32_t stop = min(end, at + most)
    while at < stop and HEX[data[at]]:
        at += 1
    return at


cdef inline int32_t uuid(const uint8_t* data, int32_t at, int32_t end) noexcept nogil:
    cdef int32_t i
    if end - at < 36:
        return -1
    if data[at + 8] != c'-' or data[at + 13] != c'-' or data[at + 18] != c'-' or data[at + 23] != c'-':
        return -1
    for i in range(36):
        if not HEX[data[at + i]] and i != 8 and i != 13 and i != 18 and i != 23:
            return -1
    return at + 36


cdef inline int32_t request(const uint8_t* data, int32_t at, int32_t end, bint maybe) noexcept nogil:
    cdef int32_t p
    if end - at > 4 and data[at] == c'r' and data[at + 1] == c'e' and data[at + 2] == c'q' and data[at + 3] == c'-':
        p = <int32_t>(request_end(data + at + 4, data + end) - data)
        if p > at + 4:
            return p
    p = uuid(data, at, end)
    if p >= 0:
        return p
    p = hex_run(data, at, end, 32)
    if p == at + 32:
        return p
    if not maybe:
        return -1
    if end - at >= 4 and memcmp(data + at, b"None", 4) == 0:
        return at + 4
    return at + 1 if at < end and data[at] == c'-' else at


cdef inline int32_t identity(const uint8_t* data, int32_t at, int32_t end) noexcept nogil:
    cdef int32_t p = uuid(data, at, end)
    if p >= 0:
        return p
    p = hex_run(data, at, end, 64)
    if p >= at + 64:
        return at + 64
    if p >= at + 32:
        return at + 32
    if end - at >= 4 and memcmp(data + at, b"None", 4) == 0:
        return at + 4
    return at + 1 if at < end and data[at] == c'-' else -1


cdef inline int32_t colours(const uint8_t* data, int32_t at, int32_t end) noexcept nogil:
    cdef int32_t p
    while at < end:
        if data[at] == 0x1B:
            p = at + 1
        elif end - at > 4 and memcmp(data + at, b"#033", 4) == 0:
            p = at + 4
        elif end - at > 2 and data[at] == c'^' and data[at + 1] == c'[':
            p = at + 2
        else:
            return at
        if p >= end or data[p] != c'[':
            return at
        p += 1
        while p < end and (48 <= data[p] <= 57 or data[p] == c';'):
            p += 1
        if p >= end or data[p] != c'm':
            return at
        at = p + 1
    return at


cdef inline bint literal(const uint8_t* text, int32_t size, uint64_t word, const uint8_t* data,
                         int32_t at, int32_t end) noexcept nogil:
    """Whether data[at:end] begins with the text, whose first 8 bytes are `word`."""
    if size <= 8 and end - at >= 8:
        return (load8(data + at) ^ word) << (64 - 8 * size) == 0
    return end - at >= size and same(text, data + at, size)


cdef inline bint is_letter(uint8_t c) noexcept nogil:
    return <uint8_t>((c | 0x20) - 97) < 26


cdef inline int32_t severity(const int32_t* words, const uint8_t* data, int32_t at, int32_t end, State* state) noexcept nogil:
    """words: count, then per word its length, number and 16 bytes of text."""
    cdef int32_t i, size
    cdef const int32_t* word = words + 1
    for i in range(words[0]):
        size = word[0]
        if (literal(<const uint8_t*>(word + 2), size, load8(<const uint8_t*>(word + 2)), data, at, end)
                and (at + size == end or not is_letter(data[at + size]))):
            state.severity = <uint8_t>word[1]
            return at + size
        word += 6
    return -1


cdef inline int32_t source_file(const uint8_t* data, int32_t at, int32_t end, uint8_t stop) noexcept nogil:
    cdef int32_t p = <int32_t>(find_either(data + at, data + end, c' ', stop) - data)
    if p == at:
        return -1
    if data[p - 1] == c'>' or (p - at >= 3 and memcmp(data + p - 3, b".py", 3) == 0):
        return p
    if p - at >= 4 and (memcmp(data + p - 4, b".pyc", 4) == 0 or memcmp(data + p - 4, b".pyx", 4) == 0):
        return p
    return -1


cdef inline int32_t token(const uint8_t* data, int32_t at, int32_t end, uint8_t stop) noexcept nogil:
    """Position behind a token, which ends before a colour code, too."""
    cdef int32_t p = <int32_t>(token_end(data + at, data + end, stop) - data)
    if p < end and data[p] == c'[':
        if p - at >= 4 and memcmp(data + p - 4, b"#033", 4) == 0:
            return p - 4
        if p > at and data[p - 1] == c'^':
            return p - 1
    return p


cdef inline int32_t step(Program self, const Node* node, const uint8_t* data, int32_t at, int32_t end,
                         int32_t* row, State* state) noexcept nogil:
    """Return the position behind what the node matches at `at`, or -1."""
    cdef int32_t p = at, stop, op = node.op, count = 0
    cdef int64_t time
    cdef uint8_t flags
    cdef const uint8_t* table
    cdef const void* found
    # One chain of comparisons with constants: it becomes a jump table.
    if op == OP_LITERAL:
        return at + node.b if literal(self.literals + node.a, node.b, node.word, data, at, end) else -1
    elif op == OP_TOKEN or op == OP_MAYBE_TOKEN:
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
    elif op == OP_RUN:
        table = self.classes + 256 * node.a
        stop = end if end - at <= node.b else at + node.b
        while p < stop and table[data[p]]:
            p += 1
        return p if p > at else -1
    elif op == OP_REST:
        return end
    elif op == OP_ISO or op == OP_TIME:
        time = state.time
        flags = state.flags
        if op == OP_ISO:
            p = time_iso(data, at, end, node.a, state)
        else:
            p = time_program(self.times + node.a, data, at, end, state)
        if node.b:
            state.time = time
            state.flags = flags
        return p
    elif op == OP_SEVERITY:
        return severity(self.words + node.a, data, at, end, state)
    elif op == OP_REQUEST:
        return request(data, at, end, node.a)
    elif op == OP_TEXT:
        if node.b == 1:
            found = memchr(data + at, self.literals[node.a], end - at)
        else:
            found = memmem(data + at, end - at, self.literals + node.a, node.b)
        return -1 if found == NULL else <int32_t>(<const uint8_t*>found - data)
    elif op == OP_END:
        return at if at == end else -1
    elif op == OP_ID:
        return identity(data, at, end)
    elif op == OP_UUID:
        return uuid(data, at, end)
    elif op == OP_COLOURS:
        return colours(data, at, end)
    elif op == OP_SOURCE:
        return source_file(data, at, end, <uint8_t>node.a)
    elif op == OP_URL:
        if end - at < 8 or memcmp(data + at, b"http", 4) != 0:
            return -1
        stop = at + 4 + (data[at + 4] == c's')
        if end - stop < 4 or memcmp(data + stop, b"://", 3) != 0:
            return -1
        p = <int32_t>(find_either(data + stop + 3, data + end, c' ', c'"') - data)
        return p if p > stop + 3 else -1
    else:                       # OP_NUMBER
        while p < end and p < at + 18 and 48 <= data[p] <= 57:
            p += 1
        if p == at:
            return -1
        if end - p >= 2 and data[p] == c'.' and 48 <= data[p + 1] <= 57:
            p += 1
            while p < end and 48 <= data[p] <= 57:
                p += 1
        return p


cdef int32_t padded(Program self, const Node* node, const uint8_t* data, int32_t* at, int32_t end,
                    int32_t* row, State* state) noexcept nogil:
    """Match a capture that blanks fill up to the node's width; `at` moves to its value.

    Returns the position behind the value, behind which the blanks are.
    """
    cdef int32_t start = at[0], after, size, i
    if node.width < 0:
        while start < end and data[start] == c' ':
            start += 1
    after = step(self, node, data, start, end, row, state)
    if after < 0:
        return -1
    size = after - start
    if node.width < 0:
        if start - at[0] != max(0, -node.width - size):
            return -1
    else:
        for i in range(size, node.width):
            if start + i >= end or data[start + i] != c' ':
                return -1
    at[0] = start
    return after


@cython.final
cdef class Program:
    """Compiled layouts; see program.py, which makes the tables."""

    def __init__(self, *, bytes nodes, bytes roots, bytes literals, bytes classes, bytes words,
                 bytes times, bytes tails, bytes leaves, bytes slots, bytes in_tails,
                 int32_t columns,
                 int32_t most_slots, JsonTable json=None):
        self.keep = (nodes, roots, literals, classes, words, times, tails, leaves, slots, in_tails)
        self.nodes = <const Node*><const char*>nodes
        self.roots = <const int32_t*><const char*>roots
        self.literals = literals
        self.classes = classes
        self.words = <const int32_t*><const char*>words
        self.times = <const int32_t*><const char*>times
        self.tails = <const int32_t*><const char*>tails
        self.leaves = <const Leaf*><const char*>leaves
        self.slots = <const int16_t*><const char*>slots
        self.in_tails = in_tails
        self.columns = columns
        self.leaf_count = len(leaves) // sizeof(Leaf)
        self.most_slots = max(most_slots, json.slots if json is not None else 0)
        self.json = json

    cdef int32_t walk(self, int32_t at, int32_t limit, const uint8_t* data, int32_t start,
                      int32_t end, int32_t* row, State* state, bint heads) noexcept nogil:
        """Follow the tree from node `at`; return the first layout's node before `limit`, or -1.

        Layouts share nodes, so an earlier one may be met after a later one: a
        match ends the walk only if nothing that waits has an earlier layout.
        """
        cdef int32_t[MOST_DEPTH] waiting
        cdef int32_t[MOST_DEPTH] positions
        cdef int32_t[2 * MOST_DEPTH] kept_row
        cdef State kept
        cdef int32_t depth = 0, position = start, after, reached, padded_from, best = NONE, i
        cdef const Node* node
        cdef bint earlier
        while True:
            node = &self.nodes[at]
            padded_from = position
            if node.order >= limit:
                after = -1
            elif node.width == 0:
                after = step(self, node, data, position, end, row, state)
            else:
                after = padded(self, node, data, &position, end, row, state)
            reached = position
            if after >= 0:
                if node.slot >= 0:
                    row[2 * node.slot] = position
                    row[2 * (node.slot + node.more) + 1] = after
                if node.width:
                    after = max(after, position + node.width)
                    position = padded_from
                if node.then_size:
                    reached = after
                    if literal(self.literals + node.then, node.then_size, node.then_word, data, after, end):
                        after += node.then_size
                    else:
                        after = -1
            if after >= 0:
                if node.leaf < 0:
                    if node.sibling >= 0:
                        waiting[depth] = node.sibling
                        positions[depth] = position
                        depth += 1
                    at = node.child
                    position = after
                    continue
                if not (heads and self.leaves[node.leaf].role != HEAD):
                    best = at
                    limit = node.order
                    earlier = node.sibling >= 0 and self.nodes[node.sibling].order < limit
                    for i in range(depth):
                        earlier = earlier or self.nodes[waiting[i]].order < limit
                    if not earlier:
                        return best
                    memcpy(kept_row, row, 2 * self.leaves[node.leaf].slots * sizeof(int32_t))
                    kept = state[0]
            elif reached > state.furthest:
                state.furthest = reached
                state.failed = at
            if node.sibling >= 0:
                at = node.sibling
            elif depth > 0:
                depth -= 1
                at = waiting[depth]
                position = positions[depth]
            else:
                break
        if best >= 0:
            memcpy(row, kept_row, 2 * self.leaves[self.nodes[best].leaf].slots * sizeof(int32_t))
            state[0] = kept
        return best

    cdef int32_t match(self, const uint8_t* data, int32_t start, int32_t end,
                       int32_t* row, State* state, bint heads) noexcept nogil:
        """Return the leaf of the first layout that takes data[start:end], or -1."""
        cdef int32_t found, best = NONE, limit = LAST
        cdef int32_t[2 * MOST_DEPTH] kept_row
        cdef State kept
        cdef const int32_t* root
        if start >= end:
            return -1
        if data[start] == c'{' and self.json is not None:
            found = (<JsonTable>self.json).match(data, start, end, row, state)
            if found >= 0:
                return found
        root = self.roots + self.roots[data[start]]
        while root[0] >= 0:
            if self.nodes[root[0]].order < limit:
                if best >= 0:
                    memcpy(kept_row, row, 2 * self.leaves[self.nodes[best].leaf].slots * sizeof(int32_t))
                    kept = state[0]
                found = self.walk(root[0], limit, data, start, end, row, state, heads)
                if found >= 0:
                    best = found
                    limit = self.nodes[found].order
                elif best >= 0:
                    memcpy(row, kept_row, 2 * self.leaves[self.nodes[best].leaf].slots * sizeof(int32_t))
                    state[0] = kept
            root += 1
        return self.nodes[best].leaf if best >= 0 else -1

    cdef const int32_t* first_tail(self, int32_t format, int32_t level) noexcept nogil:
        """The first tail of a format that may end a message of this level, NULL if none may.

        A tail: blanks in it, its node, the level it belongs to or 0; after the
        last one NONE.  Those with more blanks come first.
        """
        cdef const int32_t* tail = self.tails + self.tails[format]
        while tail[0] >= 0:
            if tail[2] == 0 or tail[2] == level:
                return tail
            tail += 3
        return NULL

    cdef int32_t match_tail(self, const int32_t* tail, int32_t level, const uint8_t* data,
                            int32_t start, int32_t end, int32_t* row, State* state,
                            int32_t* at) noexcept nogil:
        """Return the leaf of the first tail that ends data[start:end]; `at`: where it begins.

        A tail holds a known number of blanks, so it begins at that blank
        counted from the end, and nowhere else.
        """
        cdef int32_t[MOST_BLANKS + 1] begins
        cdef int32_t node, blanks = 0, p = end
        cdef const void* found
        while blanks < tail[0]:
            found = memrchr(data + start, c' ', p - start)
            if found == NULL:
                break
            p = <int32_t>(<const uint8_t*>found - data)
            blanks += 1
            begins[blanks] = p
        while tail[0] >= 0:
            if tail[0] <= blanks and (tail[2] == 0 or tail[2] == level):
                node = self.walk(tail[1], LAST, data, begins[tail[0]], end, row, state, False)
                if node >= 0:
                    at[0] = begins[tail[0]]
                    return self.nodes[node].leaf
            tail += 3
        return -1

    def probe(self, bytes line):
        """Match one line; return (leaf or -1, spans by slot, bytes matched, node that failed)."""
        cdef int32_t[512] row
        cdef State state
        cdef int32_t leaf, i, start = 0
        if self.most_slots > 256:
            raise ValueError("too many captures")
        for i in range(512):
            row[i] = NONE
        fresh(&state)
        while start < len(line) and line[start] == 0:
            start += 1
        leaf = self.match(line, start, <int32_t>len(line), row, &state, False)
        spans = [] if leaf < 0 else [
            (row[2 * i], row[2 * i + 1]) for i in range(self.leaves[leaf].slots)
        ]
        return leaf, spans, state.furthest, state.failed


cdef inline int64_t shift_out(const uint8_t* data, int32_t at, int32_t end) noexcept nogil:
    """Position of the next "#012" in data[at:end], or -1."""
    cdef const uint8_t* p = data + at
    cdef const uint8_t* stop = data + end
    while True:
        p = <const uint8_t*>memchr(p, c'#', stop - p)
        if p == NULL or stop - p < 4:
            return -1
        if p[1] == c'0' and p[2] == c'1' and p[3] == c'2':
            return p - data
        p += 1


cdef int add_line(Program program, Block block, int32_t first, int32_t end, int32_t stop,
                  uint8_t flags, State* state) except -1 nogil:
    """Match data[first:end] and append the line."""
    cdef Line* line
    cdef const Leaf* leaf
    cdef int32_t start = first, i, slot
    cdef int32_t* row
    cdef uint64_t worker
    block.need_lines(1)
    block.need_spans(2 * program.most_slots)
    line = &block.lines[block.line_used]
    block.line_used += 1
    while start < end and block.data[start] == 0:
        start += 1
    row = block.spans + block.span_used
    line.first = first
    line.start = start
    line.end = end
    line.stop = stop
    line.next = NONE
    line.part = 0
    line.row = NONE
    line.worker = 1
    line.severity = 0
    line.flags = flags
    state.flags = 0
    line.leaf = NONE if flags & PIECE else <int16_t>program.match(
        block.data, start, end, row, state, False)
    if line.leaf < 0:
        line.start = first
        return 0
    leaf = &program.leaves[line.leaf]
    line.row = block.span_used
    block.span_used += 2 * leaf.slots
    line.time = state.time
    line.flags |= state.flags & (HAS_OFFSET | BAD_TIME | ESCAPED)
    line.severity = <uint8_t>leaf.level if leaf.level else state.severity
    worker = 1
    for i in range(WORKERS):
        slot = leaf.worker[i]
        if slot < 0:
            break
        worker = hash_bytes(block.data + row[2 * slot], row[2 * slot + 1] - row[2 * slot], worker)
    line.worker = worker
    return 0


cdef const char* ESCAPED_HEADER = "Traceback (most recent call last):#012"


cdef int scan_line(Program program, Block block, int32_t start, int32_t end, int32_t stop,
                   State* state) except -1 nogil:
    """Add the physical line data[start:end], split where rsyslog wrote a traceback's newlines as #012."""
    cdef int64_t hit = shift_out(block.data, start, end)
    if hit < 0 or memmem(block.data + start, end - start, ESCAPED_HEADER, 38) == NULL:
        return add_line(program, block, start, end, stop, 0, state)
    while hit >= 0:
        add_line(program, block, start, <int32_t>hit, <int32_t>hit + 4, SYSLOG, state)
        start = <int32_t>hit + 4
        hit = shift_out(block.data, start, end)
    return add_line(program, block, start, end, stop, SYSLOG, state)


def scan(Program program not None, Block block not None, int32_t most_lines):
    """Find the lines of a block and match each; return the bytes looked at.

    Stops behind `most_lines` lines, so that a block of blank lines does not
    take more memory than one of text: split the rest off and scan it, too.
    """
    cdef int32_t at = 0, size = <int32_t>block.size, end, stop
    cdef const uint8_t* newline
    cdef State state
    cdef bint piece = block.continued, hashes
    fresh(&state)
    block.line_count = block.line_used = block.span_used = 0
    block.guard()
    with nogil:
        block.ascii = all_ascii(block.data, size)
        block.need_lines(size // 128 + 16)
        block.need_spans(size // 8 + 2 * program.most_slots)
        hashes = shift_out(block.data, 0, size) >= 0
        while at < size and block.line_used < most_lines:
            newline = <const uint8_t*>memchr(block.data + at, c'\n', size - at)
            end = size if newline == NULL else <int32_t>(newline - block.data)
            stop = end if newline == NULL else end + 1
            if end - at > LONGEST_LINE:
                end = stop = at + LONGEST_LINE
                add_line(program, block, at, end, stop, PIECE if piece else 0, &state)
                piece = True
                at = stop
                continue
            if end > at and block.data[end - 1] == c'\r':
                end -= 1
            if piece or not hashes:
                add_line(program, block, at, end, stop, PIECE if piece else 0, &state)
            else:
                scan_line(program, block, at, end, stop, &state)
            piece = False
            at = stop
    block.line_count = block.line_used
    block.scanned = at
    return at
