"""Layout programs: a line to the layout it has and its field spans, nothing copied.

A program is a tree of nodes made by program.py.  A node matches at a position
or fails; after a success its child is tried there, after a failure its sibling
at the node's own position.  Every node takes a fixed run of bytes, so a line
costs at most (nodes of the tree) x (bytes of the line), and mostly one path.
The first layout, in the order they were given, that takes the whole line wins.
"""

cimport cython
from libc.stdint cimport INT64_MIN, int16_t, int64_t, uint16_t
from libc.string cimport memcpy

from opslog.kernel._block cimport NONE
from opslog.kernel._bytes cimport find_text, lowest_bit
from opslog.scanner._ops cimport (address, colors, identity, literal, maybe_int, number, pri, quoted, request, resource, severity, source_file, structure, token, transaction, url, uuid)
from opslog.scanner._prefix cimport BRANCH_WORDS, Prefixes, TREES, every_branch
from opslog.scanner._shortcut cimport Route, Routes
from opslog.scanner._time cimport DIRECTIVE as TIME_DIRECTIVE, time_iso, time_program

cdef extern from "string.h" nogil:
    void* memrchr(const void*, int, size_t)

cdef enum:
    MANY = 512                  # lines of one tree in a row, from which on a route is used

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
    OP_ISO = 10         # a: 1 for iso-msecs, b: 1 if the time is not kept
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

OPS = {
    "literal": OP_LITERAL, "run": OP_RUN, "text": OP_TEXT, "rest": OP_REST,
    "number": OP_NUMBER, "uuid": OP_UUID, "request": OP_REQUEST, "id": OP_ID,
    "source": OP_SOURCE, "severity": OP_SEVERITY, "iso": OP_ISO, "time": OP_TIME,
    "colors": OP_COLORS, "end": OP_END, "token": OP_TOKEN,
    "token?": OP_MAYBE_TOKEN, "url": OP_URL, "resource": OP_RESOURCE, "int?": OP_MAYBE_INT,
    "pri": OP_PRI, "address": OP_ADDRESS, "quoted": OP_QUOTED,
    "structure": OP_STRUCTURE,
}
DIRECTIVE = TIME_DIRECTIVE
STREAK = MANY
FLAGS = {
    "stamped": STAMPED, "follow_on": FOLLOW_ON, "colored": COLORED, "json": JSON, "bare": BARE,
    "utc": UTC, "graded": GRADED,
    "envelope": ENVELOPE, "stream": STREAM, "octal": OCTAL, "newlines": NEWLINES,
    "indented": INDENTED, "unfinished": UNFINISHED, "weak": WEAK, "hollow": HOLLOW, "alone": ALONE,
    "unlogged": UNLOGGED, "foremost": FOREMOST,
}
ROLES = {"head": HEAD, "traceback": TRACEBACK}
WORKER_SLOTS = WORKERS
DEEPEST = MOST_DEPTH
WIDEST_TAIL = MOST_BLANKS

cdef void fresh(State* state) noexcept nogil:
    """Make a state valid: the remembered second is a true one."""
    memcpy(state.second_text, b"1970-01-01 00:00:00\0", 20)
    state.second = 0
    state.time = 0
    state.flags = 0
    state.severity = 0
    state.reference = INT64_MIN
    state.tree = 0
    state.furthest = 0
    state.failed = NONE
    state.paths = NULL
    state.route = NULL
    state.streak = 0


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
        return transaction(data, at, end) if node.a == 2 else request(data, at, end, node.a)
    elif op == OP_TEXT:
        found = find_text(data + at, data + end, self.literals + node.a, node.b)
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
    elif op == OP_ADDRESS:
        return address(data, at, end)
    elif op == OP_MAYBE_INT:
        return maybe_int(data, at, end)
    else:                       # OP_NUMBER
        return number(data, at, end)


cdef inline bint begins(const uint64_t* first, const uint8_t* data, int32_t at, int32_t end) noexcept nogil:
    """Whether what stands at `at` may begin a node with these first bytes."""
    return at >= end or data[at] > 127 or first[data[at] >> 6] >> (data[at] & 63) & 1


cdef inline bint is_open(const Node* node, const uint64_t* branches) noexcept nogil:
    """Whether the line may be taken by the node's branch."""
    return branches[<uint16_t>node.branch >> 6] >> (node.branch & 63) & 1


cdef inline bint pads(const Node* node, const uint8_t* data, int32_t before, int32_t start,
                      int32_t after, int32_t end) noexcept nogil:
    """Whether blanks fill the capture data[start:after] up to the node's width."""
    cdef int32_t i
    if node.width < 0:
        return start - before == max(0, -node.width - (after - start))
    for i in range(after, start + node.width):
        if i >= end or data[i] != c' ':
            return False
    return True


cdef inline int32_t take(Program self, const Node* node, const uint8_t* data, int32_t at, int32_t end,
                         int32_t* row, State* state, int32_t* reached) noexcept nogil:
    """Return the position behind all that a node says, or -1; its captures are in `row` then."""
    cdef int32_t position = at, after
    if node.width < 0:
        while position < end and data[position] == c' ':
            position += 1
    after = step(self, node, data, position, end, row, state)
    if node.width and after >= 0 and not pads(node, data, at, position, after, end):
        after = -1
    reached[0] = position
    if after >= 0:
        if node.slot >= 0:
            row[2 * node.slot] = position
            row[2 * (node.slot + node.more) + 1] = after
        after = max(after, position + node.width)
        if node.then_size:
            reached[0] = after
            if literal(self.literals + node.then, node.then_size, node.then_word, data, after, end):
                after += node.then_size
            else:
                after = -1
    return after


@cython.final
cdef class Program:
    """Compiled layouts; see program.py, which makes the tables."""

    def __init__(self, *, bytes nodes, bytes firsts, bytes roots, bytes literals, bytes classes, bytes words,
                 bytes times, bytes tails, bytes details, bytes leaves, bytes slots, int32_t most_slots, forest, ways,
                 JsonTable json=None):
        self.keep = (nodes, firsts, roots, literals, classes, words, times, tails, details, leaves, slots)
        self.nodes = <const Node*><const char*>nodes
        self.firsts = <const uint64_t*><const char*>firsts
        self.roots = <const int32_t*><const char*>roots
        self.literals = literals
        self.classes = classes
        self.words = <const int32_t*><const char*>words
        self.times = <const int32_t*><const char*>times
        self.tails = <const int32_t*><const char*>tails
        self.details = <const int32_t*><const char*>details
        self.format_count = len(details) // sizeof(int32_t)
        self.leaves = <const Leaf*><const char*>leaves
        self.slots = <const int16_t*><const char*>slots
        self.leaf_count = len(leaves) // sizeof(Leaf)
        self.most_slots = max(most_slots, json.slots if json is not None else 0)
        self.json = json
        self.root_count = len(roots) // sizeof(int32_t)
        self.prefixes = Prefixes(forest)
        self.routes = Routes(ways, self.leaf_count)

    cdef inline bint earlier(self, int32_t at, int32_t limit, const uint64_t* branches) noexcept nogil:
        """Whether a node or one behind it, which are in the order of their layouts, may have one before `limit`."""
        while at >= 0 and self.nodes[at].order < limit:
            if is_open(&self.nodes[at], branches):
                return True
            at = self.nodes[at].sibling
        return False

    cdef int32_t walk(self, int32_t at, int32_t limit, const uint8_t* data, int32_t start,
                      int32_t end, int32_t* row, State* state, bint heads, const uint64_t* branches) noexcept nogil:
        """Follow the tree from node `at`; return the first layout's node before `limit`, or -1.

        Layouts share nodes, so an earlier one may be met after a later one: a
        match ends the walk only if nothing that waits has an earlier layout.
        """
        cdef int32_t[MOST_DEPTH] waiting
        cdef int32_t[MOST_DEPTH] positions
        cdef int32_t[2 * MOST_DEPTH] kept_row
        cdef State kept
        cdef int32_t depth = 0, position = start, after, reached, best = NONE, i
        cdef const Node* node
        cdef bint earlier
        while True:
            node = &self.nodes[at]
            while node.sibling >= 0 and not is_open(node, branches):
                node = &self.nodes[node.sibling]
            at = <int32_t>(node - self.nodes)
            after = -1
            reached = position
            if (node.order < limit and is_open(node, branches)
                    and begins(self.firsts + 2 * at, data, position, end)):
                after = take(self, node, data, position, end, row, state, &reached)
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
                    earlier = node.sibling >= 0 and self.earlier(node.sibling, limit, branches)
                    for i in range(depth):
                        earlier = earlier or self.earlier(waiting[i], limit, branches)
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

    cdef int32_t along(self, const Route* route, const uint8_t* data, int32_t start, int32_t end,
                       int32_t* row, State* state, bint heads) noexcept nogil:
        """Return the node of the first layout of all, if a route leads to it, or -1."""
        cdef int32_t i, reached, position = start, common = start
        cdef const Node* node
        for i in range(route.size):
            node = &self.nodes[route.nodes[i]]
            position = take(self, node, data, position, end, row, state, &reached)
            if position < 0:
                return -1
            if i == route.common - 1:
                common = position
        node = &self.nodes[route.nodes[route.common - 1]]
        return self.walk(node.child, route.limit, data, common, end, row, state, heads, route.branches)

    cdef void note(self, int32_t tree, int32_t leaf, State* state) noexcept nogil:
        """Take note of the tree that took a line; many in a row are worth a route."""
        if tree != state.tree:
            state.tree = tree
            state.streak = 0
        state.streak += 1
        if state.streak == MANY:
            state.route = self.routes.of(leaf)

    cdef int32_t match(self, const uint8_t* data, int32_t start, int32_t end,
                       int32_t* row, State* state, bint heads) noexcept nogil:
        """Return the leaf of the first layout that takes data[start:end], or -1."""
        cdef int32_t found, best = NONE, limit = LAST
        cdef int32_t[2 * MOST_DEPTH] kept_row
        cdef State kept
        cdef int32_t tree = 0, taken, place
        cdef uint64_t left
        cdef const uint64_t* branches
        if start >= end:
            return -1
        if data[start] == c'{' and self.json is not None:
            found = (<JsonTable>self.json).match(data, start, end, row, state)
            if found >= 0:
                return found
        if self.root_count == 0:
            return -1
        if state.route != NULL:
            found = self.along(state.route, data, start, end, row, state, heads)
            if found >= 0:
                return self.nodes[found].leaf
        if state.tree == 0:
            # The first tree took the line before: what it takes before others need not be asked.
            best = self.walk(self.roots[0], limit, data, start, end, row, state, heads, every_branch())
            if best >= 0:
                limit = self.nodes[best].order
            if self.root_count == 1 or limit < self.nodes[self.roots[1]].order:
                return self.nodes[best].leaf if best >= 0 else -1
            tree = 1
        place = self.prefixes.follow(data + start, end - start, state.paths)
        left = self.prefixes.trees[place]
        branches = self.prefixes.branches + BRANCH_WORDS * place
        taken = 0 if best >= 0 else NONE
        while tree < self.root_count:
            # The next tree that may take it; those from the last bit on share that.
            if tree < TREES - 1:
                if not left >> tree:
                    break
                tree += lowest_bit(left >> tree)
            elif not left >> (TREES - 1):
                break
            if tree >= self.root_count or self.nodes[self.roots[tree]].order >= limit:
                break
            if best >= 0:
                memcpy(kept_row, row, 2 * self.leaves[self.nodes[best].leaf].slots * sizeof(int32_t))
                kept = state[0]
            found = self.walk(self.roots[tree], limit, data, start, end, row, state, heads, branches)
            if found >= 0:
                best = found
                taken = tree
                limit = self.nodes[found].order
            elif best >= 0:
                memcpy(row, kept_row, 2 * self.leaves[self.nodes[best].leaf].slots * sizeof(int32_t))
                state[0] = kept
            tree += 1
        if best < 0:
            return -1
        self.note(taken, self.nodes[best].leaf, state)
        return self.nodes[best].leaf

    cdef const int32_t* first_tail(self, int32_t format, int32_t level) noexcept nogil:
        """The first tail of a format that may end a message of this level, NULL if none may.

        A tail: blanks in it, its node, the level it belongs to or 0, the byte it ends
        in or -1; after the last one NONE.  Those with more blanks come first.
        """
        cdef const int32_t* tail = self.tails + self.tails[format]
        while tail[0] >= 0:
            if tail[2] == 0 or tail[2] == level:
                return tail
            tail += 4
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
        while tail[0] >= 0 and tail[3] >= 0 and (end == start or data[end - 1] != tail[3]):
            tail += 4
        while blanks < tail[0]:
            found = memrchr(data + start, c' ', p - start)
            if found == NULL:
                break
            p = <int32_t>(<const uint8_t*>found - data)
            blanks += 1
            begins[blanks] = p
        while tail[0] >= 0:
            if tail[0] <= blanks and (tail[2] == 0 or tail[2] == level):
                node = self.walk(tail[1], LAST, data, begins[tail[0]], end, row, state, False, every_branch())
                if node >= 0:
                    at[0] = begins[tail[0]]
                    return self.nodes[node].leaf
            tail += 4
        return -1

    cdef bint has_details(self, int32_t format) noexcept nogil:
        """Whether a format has details; the table ends with the last one that has layouts."""
        return 0 <= format < self.format_count and self.details[format] >= 0

    cdef int32_t match_detail(self, int32_t format, const uint8_t* data, int32_t start, int32_t end,
                                 int32_t* row, State* state) noexcept nogil:
        """Return the leaf of the format's first detail that takes data[start:end], or -1."""
        cdef int32_t node
        if not self.has_details(format) or start >= end:
            return -1
        node = self.walk(self.details[format], LAST, data, start, end, row, state, False, every_branch())
        return self.nodes[node].leaf if node >= 0 else -1

    cdef bint read(self, int32_t node, const uint8_t* data, int32_t start, int32_t end, State* state) noexcept nogil:
        """Whether a node placed for itself takes all of data[start:end]; it captures nothing."""
        cdef int32_t[2] row
        return self.walk(node, LAST, data, start, end, row, state, False, every_branch()) >= 0

    def accepts(self, int32_t node, bytes text):
        """Return whether a node placed for itself takes all of the text."""
        cdef State state
        if not 0 <= node < len(self.keep[0]) // <Py_ssize_t>sizeof(Node):
            raise IndexError(node)
        fresh(&state)
        return self.read(node, text, 0, <int32_t>len(text), &state)

    def ends(self, bytes message):
        """Return the leaf of the tail of format 0 that ends the message, or -1."""
        cdef int32_t[2 * MOST_DEPTH] row
        cdef State state
        cdef int32_t at = 0
        cdef const int32_t* tail = self.first_tail(0, 0)
        fresh(&state)
        return -1 if tail == NULL else self.match_tail(
            tail, 0, message, 0, <int32_t>len(message), row, &state, &at)

    def detail(self, int32_t number, bytes line):
        """Return the leaf of the first detail of format `number` that takes the line, or -1."""
        cdef int32_t[2 * MOST_DEPTH] row
        cdef State state
        fresh(&state)
        return self.match_detail(number, line, 0, <int32_t>len(line), row, &state)

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
        if leaf < 0:
            # Trees that cannot take it were not tried, but say what they expect.
            for i in range(self.root_count):
                if start < len(line):
                    self.walk(self.roots[i], LAST, line, start, <int32_t>len(line), row, &state, False,
                              every_branch())
        spans = [] if leaf < 0 else [
            (row[2 * i], row[2 * i + 1]) for i in range(self.leaves[leaf].slots)
        ]
        return leaf, spans, state.furthest, state.failed
