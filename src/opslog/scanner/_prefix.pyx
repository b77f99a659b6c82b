"""What a line's first bytes say of the layouts that may take it.

Prefixes are prefix.Forest's states as a table, filled in as lines need them.  Lines that
follow each other mostly begin likewise but for digits and names.  What a line was led by
is kept as ranges of bytes, each of which leads on alike: lines that stay within them are
led where it was, sixteen bytes at a time.

Shortcuts are the nodes behind which few other layouts are left (shortcut.py), by the
leaf that took many lines in a row.
"""

cimport cython
from libc.stdint cimport int16_t, int32_t, int64_t, uint8_t, uint32_t, uint64_t
from libc.stdlib cimport calloc, free
from libc.string cimport memcpy, memset

from opslog.kernel._block cimport NONE
from opslog.kernel._bytes cimport within

cdef enum:
    FURTHEST = 80               # byte of a line that is looked at
    MOVE_STATE = 0xFFF          # one more than the number of the state a byte leads to
    MOVE_SETTLED = 0x8000       # from where further bytes make no difference
    MOVE_LOW = 16               # the bytes around it that lead there, too: where
    MOVE_HIGH = 24              # their first and last stand

MOST_BRANCHES = BRANCHES
LONGEST_SHORTCUT = MOST_NODES

cdef uint64_t[BRANCH_WORDS] EVERY
memset(EVERY, 0xFF, sizeof(EVERY))


cdef const uint64_t* every_branch() noexcept nogil:
    return EVERY


@cython.final
cdef class Prefixes:
    """The states known so far of a forest; they change how fast it is asked, never what it says."""

    def __init__(self, forest):
        self.forest = forest
        self.moves = <uint32_t*>calloc(MOST_STATES * 128, sizeof(uint32_t))
        self.branches = <uint64_t*>calloc(MOST_STATES * BRANCH_WORDS, sizeof(uint64_t))
        if self.moves == NULL or self.branches == NULL:
            raise MemoryError()
        self.add_state(0)

    def __dealloc__(self):
        free(self.moves)
        free(self.branches)

    cdef int add_state(self, int32_t state) except -1:
        """Remember what may take a line that leads to the state."""
        cdef bytes branches = self.forest.branches[state].to_bytes(8 * BRANCH_WORDS, "little")
        self.sets[state] = self.forest.told[state]
        memcpy(self.branches + BRANCH_WORDS * state, <const char*>branches, 8 * BRANCH_WORDS)
        return 0

    cdef int64_t learn_move(self, int32_t state, uint8_t byte) except -1 with gil:
        """Ask the forest where a byte leads; 0 if there is no room to remember it."""
        with self.forest.lock:
            return self.ask_forest(state, byte)

    cdef int64_t ask_forest(self, int32_t state, uint8_t byte) except -1:
        """Ask the forest, while no other thread does."""
        cdef int32_t after, low, high = 0
        cdef uint32_t move
        cdef uint64_t[2] alike
        after, found = self.forest.step(state, byte)
        if after >= MOST_STATES:
            return 0
        alike[0] = found & 0xFFFFFFFFFFFFFFFF
        alike[1] = found >> 64
        self.add_state(after)
        move = after + 1
        if self.forest.settled[after]:
            move |= MOVE_SETTLED
        while high < 128:
            low = high
            while high < 128 and alike[high >> 6] >> (high & 63) & 1:
                high += 1
            # Other threads may read meanwhile: all that is said of a byte is one word.
            for i in range(low, high):
                self.moves[128 * state + i] = move | low << MOVE_LOW | (high - 1) << MOVE_HIGH
            high += 1
        return self.moves[128 * state + byte]

    cdef int32_t follow(self, const uint8_t* data, int32_t size, BytePath* paths) except -1 nogil:
        """Return a state that the bytes lead to; what is in `paths` says only how far they are followed.

        A line may have more or fewer bytes than the one before where a state leads
        to itself: what stands behind is compared from there on.
        """
        cdef int32_t state, after, at = 0, known = 0, step, ahead, shape
        cdef int32_t stop = min(size, FURTHEST)
        cdef uint32_t move
        cdef BytePath own
        cdef BytePath* path
        if size <= 0:
            return 0
        if paths == NULL:
            memset(&own, 0, sizeof(own))
            path = &own
        else:
            # A date is mostly told apart by what stands behind it.
            shape = data[0] + (data[10] >> 4) if size > 10 else data[0]
            path = &paths[shape % PATHS]
        while True:
            step = within(data + at, path.low + known, path.high + known, min(stop - at, path.size - known))
            at += step
            known += step
            state = path.states[known]
            if at == stop or (known == path.size and path.whole):
                return state
            after = state
            while after == state:
                if at == stop or data[at] > 127:
                    return state
                move = self.moves[128 * state + data[at]]
                if not move:
                    move = <uint32_t>self.learn_move(state, data[at])
                    if not move:
                        return state
                after = (move & MOVE_STATE) - 1
                at += 1
                if known == path.size:
                    break
            if known < path.size:
                ahead = known + 1
                while ahead < path.size and path.states[ahead] == state:
                    ahead += 1
                if path.states[ahead] == after:
                    known = ahead
                    continue
                if path.whole:
                    return self.follow_apart(data, at, stop, after, path)
            path.low[known] = move >> MOVE_LOW & 0xFF
            path.high[known] = move >> MOVE_HIGH
            known += 1
            path.states[known] = <int16_t>after
            path.size = known
            if move & MOVE_SETTLED or known == PREFIX:
                # What was of no use at its end is not looked at again.
                while path.size and self.sets[path.states[path.size - 1]] == self.sets[after]:
                    path.size -= 1
                path.whole = True
                return after

    cdef bint allows(self, int32_t state, int32_t other) noexcept nogil:
        """Whether all that may take a line in one state may do so in another."""
        cdef uint64_t more = 0
        cdef int32_t i
        for i in range(BRANCH_WORDS):
            more |= self.branches[BRANCH_WORDS * state + i] & ~self.branches[BRANCH_WORDS * other + i]
        return more == 0

    cdef int32_t follow_apart(self, const uint8_t* data, int32_t at, int32_t stop, int32_t state,
                              BytePath* path) except -1 nogil:
        """Follow a line that goes another way until it tells as much as the path's end does.

        If it never does, the next line makes the path anew.
        """
        cdef int32_t wanted = path.states[path.size], known = NONE
        cdef uint32_t move
        while True:
            if self.sets[state] != known:
                if self.allows(state, wanted):
                    return state
                known = self.sets[state]
            if at >= stop or data[at] > 127:
                return state
            move = self.moves[128 * state + data[at]]
            if not move:
                move = <uint32_t>self.learn_move(state, data[at])
                if not move:
                    return state
            state = (move & MOVE_STATE) - 1
            at += 1
            if move & MOVE_SETTLED or at >= PREFIX:
                path.size = 0
                path.whole = False
                return state


@cython.final
cdef class Shortcuts:
    """The shortcuts asked for so far; ``count`` leaves may have one."""

    def __init__(self, finder, int32_t count):
        self.finder = finder
        self.count = count
        self.table = <Shortcut*>calloc(max(1, count), sizeof(Shortcut))
        if self.table == NULL:
            raise MemoryError()

    def __dealloc__(self):
        free(self.table)

    cdef const Shortcut* to(self, int32_t leaf) except? NULL with gil:
        """Return the shortcut to a leaf, NULL if there is none."""
        cdef Shortcut* shortcut
        if not 0 <= leaf < self.count:
            return NULL
        shortcut = &self.table[leaf]
        if not shortcut.known:
            self.ask_finder(leaf, shortcut)
        return shortcut if shortcut.size else NULL

    cdef int ask_finder(self, int32_t leaf, Shortcut* shortcut) except -1:
        cdef int32_t i
        cdef Left* left
        cdef bytes branches
        found = self.finder.find(leaf)
        # Another thread may have asked, and may use the answer already: it is the same.
        if found is not None and not shortcut.known:
            if len(found) > MOST_NODES:
                raise ValueError(f"more than {MOST_NODES} nodes")
            for i, (node, common, limit, allowed) in enumerate(found):
                left = &shortcut.left[i]
                shortcut.nodes[i] = node
                left.common = common
                left.limit = limit
                branches = allowed.to_bytes(8 * BRANCH_WORDS, "little")
                memcpy(left.branches, <const char*>branches, 8 * BRANCH_WORDS)
            shortcut.size = <int32_t>len(found)
        shortcut.known = True
        return 0
