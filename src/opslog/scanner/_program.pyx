"""Layout programs: a line to the layout it has and its field spans, nothing copied.

A program is a tree of nodes made by compiler.py.  A node matches at a position
or fails; after a success its child is tried there, after a failure its sibling
at the node's own position.  Every node takes a fixed run of bytes, so a line
costs at most (nodes of the tree) x (bytes of the line), and mostly one path.
The first layout, in the order they were given, that takes the whole line wins.
"""

cimport cython
from libc.stdint cimport int16_t
from libc.string cimport memcpy

from opslog.kernel._block cimport NONE, SKIMMED
from opslog.scanner._json cimport begins_pair
from opslog.scanner._nodes cimport (OP_ADDRESS, OP_COLORS, OP_END, OP_ID, OP_ISO, OP_LITERAL, OP_MAYBE_INT, OP_MAYBE_TOKEN, OP_NAME, OP_NUMBER, OP_POINTER, OP_PRI, OP_QUOTED, OP_REQUEST, OP_RESOURCE, OP_REST, OP_RUN, OP_SEVERITY, OP_SOURCE, OP_STRUCTURE, OP_TEXT, OP_TIME, OP_TOKEN, OP_URL, OP_UUID, is_left, match_literal, match_node, may_begin, next_branch)
from opslog.scanner._ops cimport WORD_GROUPS as GROUPS_OF_WORDS, WORD_INTS
from opslog.scanner._prefix cimport BRANCH_WORDS, Prefixes, every_branch
from opslog.scanner._shortcut cimport Left, MOST_NODES, Route, Shortcuts, Step, route_of
from opslog.scanner._state cimport MatchState, begin_state
from opslog.scanner._time cimport DIRECTIVE as TIME_DIRECTIVE

cdef extern from "string.h" nogil:
    void* memrchr(const void*, int, size_t)

OPS = {
    "literal": OP_LITERAL, "run": OP_RUN, "text": OP_TEXT, "rest": OP_REST,
    "number": OP_NUMBER, "uuid": OP_UUID, "request": OP_REQUEST, "id": OP_ID,
    "source": OP_SOURCE, "severity": OP_SEVERITY, "iso": OP_ISO, "time": OP_TIME,
    "colors": OP_COLORS, "end": OP_END, "token": OP_TOKEN,
    "token?": OP_MAYBE_TOKEN, "url": OP_URL, "resource": OP_RESOURCE, "int?": OP_MAYBE_INT,
    "pri": OP_PRI, "address": OP_ADDRESS, "quoted": OP_QUOTED,
    "structure": OP_STRUCTURE, "name": OP_NAME, "pointer": OP_POINTER,
}
DIRECTIVE = TIME_DIRECTIVE
WORD_GROUPS = GROUPS_OF_WORDS
FLAGS = {
    "stamped": STAMPED, "follow_on": FOLLOW_ON, "colored": COLORED, "json": JSON, "bare": BARE,
    "utc": UTC, "graded": GRADED,
    "envelope": ENVELOPE, "stream": STREAM, "octal": OCTAL, "newlines": NEWLINES,
    "indented": INDENTED, "unfinished": UNFINISHED, "weak": WEAK, "hollow": HOLLOW, "alone": ALONE,
    "unlogged": UNLOGGED, "second": SECOND, "foremost": FOREMOST, "lined": LINED, "keyed": KEYED,
    "stored": STORED,
}
ROLES = {"head": HEAD, "traceback": TRACEBACK}
WORKER_SLOTS = WORKERS
DEEPEST = MOST_DEPTH
WIDEST_TAIL = MOST_BLANKS
BEHIND_ALL = LAST
NODE_SIZE, LEAF_SIZE, WORD_SIZE = sizeof(Node), sizeof(Leaf), WORD_INTS * sizeof(int32_t)


def _made_of(tables):
    return Program(**tables)


@cython.final
cdef class Program:
    """Compiled layouts; see compiler.py, which makes the tables.

    What is pickled are the tables, and what is ``known`` by then of how lines begin.
    """

    def __init__(self, *, bytes nodes, bytes firsts, bytes roots, bytes literals, bytes classes, bytes words,
                 bytes times, bytes tails, bytes details, bytes leaves, bytes closings, bytes slots, int32_t most_slots, trees,
                 known=None, JsonTable json=None, JsonTable pairs=None):
        self.made_of = dict(nodes=nodes, firsts=firsts, roots=roots, literals=literals, classes=classes, words=words,
                            times=times, tails=tails, details=details, leaves=leaves, closings=closings, slots=slots,
                            most_slots=most_slots, trees=trees, json=json, pairs=pairs)
        self.nodes = <const Node*><const char*>nodes
        self.firsts = <const uint64_t*><const char*>firsts
        self.roots = <const int32_t*><const char*>roots
        self.tables.literals = literals
        self.tables.classes = classes
        self.tables.words = <const int32_t*><const char*>words
        self.tables.times = <const int32_t*><const char*>times
        self.tails = <const int32_t*><const char*>tails
        self.details = <const int32_t*><const char*>details
        self.format_count = len(details) // sizeof(int32_t)
        self.leaves = <const Leaf*><const char*>leaves
        self.slots = <const int16_t*><const char*>slots
        self.closings = <const uint8_t*><const char*>closings
        self.leaf_count = len(leaves) // sizeof(Leaf)
        self.most_slots = max(most_slots, json.slots if json is not None else 0,
                              pairs.slots if pairs is not None else 0)
        self.json = json
        self.pairs = pairs
        self.root_count = len(roots) // sizeof(int32_t)
        prefixes, shortcuts = known or (None, ())
        self.prefixes = Prefixes(trees, prefixes)
        self.shortcuts = Shortcuts(trees, self.leaf_count, shortcuts)
        self.learned = []

    def __reduce__(self):
        known = self.prefixes.known(), self.shortcuts.known()
        return _made_of, ({**self.made_of, "known": known},)

    def prepare(self):
        """Ask for what else is asked for by lines: how any may begin, and the shortcuts."""
        self.prefixes.explore()
        self.shortcuts.ask_all()

    cdef inline bint has_earlier(self, int32_t at, int32_t limit, const uint64_t* branches) noexcept nogil:
        """Whether a node or one behind it, which are in the order of their layouts, may have one before `limit`."""
        while at >= 0 and self.nodes[at].order < limit:
            if is_left(&self.nodes[at], branches):
                return True
            at = self.nodes[at].sibling
        return False

    cdef int32_t match_tree(self, int32_t at, int32_t limit, const uint8_t* data, int32_t start,
                            int32_t end, int32_t* row, MatchState* state, bint heads,
                            const uint64_t* branches) noexcept nogil:
        """Follow the tree from node `at`; return the first layout's node before `limit`, or -1.

        Layouts share nodes, so an earlier one may be met after a later one: a
        match ends the walk only if nothing that waits has an earlier layout.
        """
        cdef int32_t[MOST_DEPTH] waiting
        cdef int32_t[MOST_DEPTH] positions
        cdef int32_t[2 * MOST_DEPTH] kept_row
        cdef MatchState kept
        cdef int32_t depth = 0, position = start, after, reached, best = NONE, i
        cdef const Node* node
        cdef bint earlier, may_match
        while True:
            node = &self.nodes[at]
            after = -1
            reached = position
            if node.sibling < 0:
                # Most nodes have nothing beside them: to try one is quicker than to ask whether it may match.
                may_match = not node.branch or is_left(node, branches)
            else:
                while node.sibling >= 0 and not is_left(node, branches):
                    node = &self.nodes[node.sibling]
                at = <int32_t>(node - self.nodes)
                may_match = is_left(node, branches) and may_begin(self.firsts + 2 * at, data, position, end)
            if may_match and node.order < limit:
                if node.op == OP_LITERAL:
                    after = match_literal(&self.tables, node, data, position, end)
                else:
                    after = match_node(&self.tables, node, data, position, end, row, state, &reached)
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
                    earlier = node.sibling >= 0 and self.has_earlier(node.sibling, limit, branches)
                    for i in range(depth):
                        earlier = earlier or self.has_earlier(waiting[i], limit, branches)
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

    cdef int32_t match_route(self, const Route* route, const uint8_t* data, int32_t start, int32_t end,
                             int32_t* row, MatchState* state, bint heads) noexcept nogil:
        """Return the node of the first layout of all, if a shortcut of the route leads to it, or -1."""
        cdef int32_t[MOST_NODES] nodes
        cdef int32_t[MOST_NODES + 1] positions
        cdef int32_t at = 0, depth = 0, after, reached
        cdef const Left* left = NULL
        cdef const Node* node
        cdef const Step* step
        positions[0] = start
        while at != NONE:
            step = &route.steps[at]
            node = &self.nodes[step.node]
            if node.op == OP_LITERAL:
                after = match_literal(&self.tables, node, data, positions[depth], end)
            else:
                after = match_node(&self.tables, node, data, positions[depth], end, row, state, &reached)
            if after < 0:
                at = step.beside
                continue
            if state.floor and self.is_skimmed(step.left, row, state):
                return step.left.settled
            nodes[depth] = step.node
            depth += 1
            positions[depth] = after
            if step.left.common:
                left = step.left
            at = step.below
        if left == NULL:
            return -1
        return self.match_tree(self.nodes[nodes[left.common - 1]].child, left.limit, data, positions[left.common],
                               end, row, state, heads, left.branches)

    cdef inline bint is_skimmed(self, const Left* left, int32_t* row, MatchState* state) noexcept nogil:
        """Whether enough is known of a line whose record nobody wants; what is not known is absent in `row` then."""
        cdef int32_t last
        if (left.settled == NONE or not 0 < state.severity < state.floor
                or left.unsure >> state.severity & 1):
            return False
        last = self.leaves[self.nodes[left.settled].leaf].slots - 1
        row[2 * last] = row[2 * last + 1] = NONE
        state.flags |= SKIMMED
        return True

    cdef inline int32_t count(self, Route* route, uint8_t first, int32_t leaf) except -2 nogil:
        """Return the leaf of a line that no shortcut led to."""
        if route != NULL:
            self.shortcuts.count_line(route, first, leaf)
        return leaf

    cdef int32_t match(self, const uint8_t* data, int32_t start, int32_t end,
                       int32_t* row, MatchState* state, bint heads) except -2 nogil:
        """Return the leaf of the first layout that takes data[start:end], or -1."""
        cdef int32_t found, best = NONE, limit = LAST
        cdef int32_t[2 * MOST_DEPTH] kept_row
        cdef MatchState kept
        cdef int32_t tree = 0, taken, place
        cdef const uint64_t* branches
        cdef Route* route = NULL
        if start >= end:
            return -1
        if data[start] == c'{' and self.json is not None:
            found = (<JsonTable>self.json).match(data, start, end, row, state)
            if found >= 0:
                return found
        if self.pairs is not None and begins_pair(data, start, end):
            found = (<JsonTable>self.pairs).match(data, start, end, row, state)
            if found >= 0:
                return found
        if self.root_count == 0:
            return -1
        if state.routes != NULL:
            route = route_of(state.routes, data + start, end - start)
            if route.size:
                found = self.match_route(route, data, start, end, row, state, heads)
                if found >= 0:
                    return self.nodes[found].leaf
        if state.tree == 0:
            # The first tree took the line before: what it takes before others need not be asked.
            best = self.match_tree(self.roots[0], limit, data, start, end, row, state, heads, every_branch())
            if best >= 0:
                limit = self.nodes[best].order
            if self.root_count == 1 or limit < self.nodes[self.roots[1]].order:
                return self.count(route, data[start], self.nodes[best].leaf) if best >= 0 else -1
            tree = 1
        place = self.prefixes.follow(data + start, end - start, state.paths)
        branches = self.prefixes.branches + BRANCH_WORDS * place
        taken = 0 if best >= 0 else NONE
        while tree < self.root_count:
            # The next tree that may take it: the branch of its root is one more than its number.
            tree = next_branch(branches, tree + 1) - 1
            if tree >= self.root_count or self.nodes[self.roots[tree]].order >= limit:
                break
            if best >= 0:
                memcpy(kept_row, row, 2 * self.leaves[self.nodes[best].leaf].slots * sizeof(int32_t))
                kept = state[0]
            found = self.match_tree(self.roots[tree], limit, data, start, end, row, state, heads, branches)
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
        state.tree = taken
        return self.count(route, data[start], self.nodes[best].leaf)

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
                            int32_t start, int32_t end, int32_t* row, MatchState* state,
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
                node = self.match_tree(tail[1], LAST, data, begins[tail[0]], end, row, state, False, every_branch())
                if node >= 0:
                    at[0] = begins[tail[0]]
                    return self.nodes[node].leaf
            tail += 4
        return -1

    cdef bint has_details(self, int32_t format) noexcept nogil:
        """Whether a format has details; the table ends with the last one that has layouts."""
        return 0 <= format < self.format_count and self.details[format] >= 0

    cdef int32_t match_detail(self, int32_t format, const uint8_t* data, int32_t start, int32_t end,
                                 int32_t* row, MatchState* state) noexcept nogil:
        """Return the leaf of the format's first detail that takes data[start:end], or -1."""
        cdef int32_t node
        if not self.has_details(format) or start >= end:
            return -1
        node = self.match_tree(self.details[format], LAST, data, start, end, row, state, False, every_branch())
        return self.nodes[node].leaf if node >= 0 else -1

    cdef bint read(self, int32_t node, const uint8_t* data, int32_t start, int32_t end, MatchState* state) noexcept nogil:
        """Whether a node placed for itself takes all of data[start:end]; it captures nothing."""
        cdef int32_t[2] row
        return self.match_tree(node, LAST, data, start, end, row, state, False, every_branch()) >= 0

    def accepts(self, int32_t node, bytes text):
        """Return whether a node placed for itself takes all of the text."""
        cdef MatchState state
        if not 0 <= node < len(self.made_of["nodes"]) // <Py_ssize_t>sizeof(Node):
            raise IndexError(node)
        begin_state(&state)
        return self.read(node, text, 0, <int32_t>len(text), &state)

    def ends(self, bytes message):
        """Return the leaf of the tail of format 0 that ends the message, or -1."""
        cdef int32_t[2 * MOST_DEPTH] row
        cdef MatchState state
        cdef int32_t at = 0
        cdef const int32_t* tail = self.first_tail(0, 0)
        begin_state(&state)
        return -1 if tail == NULL else self.match_tail(
            tail, 0, message, 0, <int32_t>len(message), row, &state, &at)

    def detail(self, int32_t number, bytes line):
        """Return the leaf of the first detail of format `number` that takes the line, or -1."""
        cdef int32_t[2 * MOST_DEPTH] row
        cdef MatchState state
        begin_state(&state)
        return self.match_detail(number, line, 0, <int32_t>len(line), row, &state)

    def probe(self, bytes line):
        """Match one line; return (leaf or -1, spans by slot, bytes matched, node that failed)."""
        cdef bytearray spans_of_line = bytearray(2 * sizeof(int32_t) * max(1, self.most_slots))
        cdef int32_t* row = <int32_t*><char*>spans_of_line
        cdef MatchState state
        cdef int32_t leaf, i, start = 0
        for i in range(2 * self.most_slots):
            row[i] = NONE
        begin_state(&state)
        while start < len(line) and line[start] == 0:
            start += 1
        leaf = self.match(line, start, <int32_t>len(line), row, &state, False)
        if leaf < 0:
            # Trees that cannot take it were not tried, but say what they expect.
            for i in range(self.root_count):
                if start < len(line):
                    self.match_tree(self.roots[i], LAST, line, start, <int32_t>len(line), row, &state, False,
                              every_branch())
        spans = [] if leaf < 0 else [
            (row[2 * i], row[2 * i + 1]) for i in range(self.leaves[leaf].slots)
        ]
        return leaf, spans, state.furthest, state.failed
