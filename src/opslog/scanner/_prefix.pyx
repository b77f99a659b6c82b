"""What a line's first bytes say of the layouts that may take it.

Prefixes are prefix.Forest's states as a table, filled in as lines need them.  Lines that
follow each other mostly begin likewise but for digits and names.  What a line was led by
is kept as ranges of bytes, each of which leads on alike: lines that stay within them are
led where it was, sixteen bytes at a time.
"""

cimport cython
from libc.stdint cimport int16_t, int32_t, int64_t, uint8_t, uint32_t, uint64_t
from libc.stdlib cimport calloc, free
from libc.string cimport memcpy, memset

from opslog.kernel._block cimport NONE
from opslog.kernel._bytes cimport within

cdef enum:
    FURTHEST = 80               # byte of a line that is looked at
    EXPLORED = 8                # bytes of any line, that the build asks for
    PATIENCE = 100_000          # times that work is not saved before packed trees are unpacked, which costs as much
    MOVE_STATE = 0xFFFF         # one more than the number of the state a byte leads to
    MOVE_LOW = 16               # the bytes around it that lead there, too: where
    MOVE_HIGH = 23              # their first and last stand
    MOVE_BYTE = 0x7F
    MOVE_SETTLED = 1 << 30      # from where further bytes make no difference
    END = 128                   # behind all moves of a state: where the line's end leads

MOST_BRANCHES = BRANCHES
LINE_END = 256                  # what stands for it where bytes are numbers: it is none

cdef uint64_t[BRANCH_WORDS] EVERY
memset(EVERY, 0xFF, sizeof(EVERY))


cdef const uint64_t* every_branch() noexcept nogil:
    return EVERY


@cython.final
cdef class Prefixes:
    """The states known so far of a forest; they change how fast it is asked, never what it says."""

    def __init__(self, trees, known=None):
        """Begin with the states that ``known`` returned, if there are any."""
        self.trees = trees
        self.patience = PATIENCE if trees.packed else 0
        self.moves = <uint32_t*>calloc(MOST_STATES * MOVES, sizeof(uint32_t))
        self.branches = <uint64_t*>calloc(MOST_STATES * BRANCH_WORDS, sizeof(uint64_t))
        if self.moves == NULL or self.branches == NULL:
            raise MemoryError()
        if known is None:
            self.add_state(0, trees.forest)
            self.count = 1
        else:
            self.count, moves, sets, branches = known
            memcpy(self.moves, <const char*>moves, len(moves))
            memcpy(self.sets, <const char*>sets, len(sets))
            memcpy(self.branches, <const char*>branches, len(branches))

    def known(self):
        """Return the states made so far: how many, and their tables."""
        cdef int32_t n = self.count
        return (n, <bytes>(<const char*>self.moves)[:n * MOVES * sizeof(uint32_t)],
                <bytes>(<const char*>self.sets)[:n * sizeof(int32_t)],
                <bytes>(<const char*>self.branches)[:n * BRANCH_WORDS * sizeof(uint64_t)])

    def explore(self):
        """Ask for all states that the first few ASCII bytes of any line lead to, and where all known ones end."""
        cdef int32_t state, byte
        cdef int64_t move
        cdef set known = {0}, last = {0}, found
        for _ in range(EXPLORED):
            found = set()
            for state in last:
                for byte in range(128):
                    move = self.moves[MOVES * state + byte] or self.ask_forest(state, byte)
                    if move and not move & MOVE_SETTLED:
                        found.add((move & MOVE_STATE) - 1)
            last = found - known
            known |= last
        for state in range(self.count):
            if not self.moves[MOVES * state + END]:
                self.ask_forest(state, END)

    def __dealloc__(self):
        free(self.moves)
        free(self.branches)

    cdef int add_state(self, int32_t state, forest) except -1:
        """Remember what may take a line that leads to the state."""
        cdef bytes branches = forest.branches[state].to_bytes(8 * BRANCH_WORDS, "little")
        self.sets[state] = forest.told[state]
        memcpy(self.branches + BRANCH_WORDS * state, <const char*>branches, 8 * BRANCH_WORDS)
        return 0

    cdef int64_t learn_move(self, int32_t state, uint8_t byte) except -1 nogil:
        """Ask the forest where a byte leads; 0 if there is no room to remember it, or it is not worth asking."""
        if self.patience > 0:
            self.patience -= 1
            return 0
        return 0 if self.full else self.ask_forest(state, byte)

    cdef int64_t ask_forest(self, int32_t state, uint8_t byte) except -1 with gil:
        forest = self.trees.forest
        with forest.lock:
            return self.remember_move(state, byte, forest)

    cdef int64_t remember_move(self, int32_t state, uint8_t byte, forest) except -1:
        """Ask the forest, while no other thread does."""
        cdef int32_t after, low, high = 0
        cdef uint32_t move
        cdef uint64_t[2] alike
        after, found = forest.step(state, LINE_END if byte == END else byte)
        if after >= MOST_STATES:
            # Each further line would ask in vain.
            self.full = True
            return 0
        alike[0] = found & 0xFFFFFFFFFFFFFFFF
        alike[1] = found >> 64
        self.add_state(after, forest)
        self.count = max(self.count, after + 1)
        move = after + 1
        if forest.settled[after]:
            move |= MOVE_SETTLED
        if byte == END:
            self.moves[MOVES * state + END] = move
            return move
        while high < 128:
            low = high
            while high < 128 and alike[high >> 6] >> (high & 63) & 1:
                high += 1
            # Other threads may read meanwhile: all that is said of a byte is one word.
            for i in range(low, high):
                self.moves[MOVES * state + i] = move | low << MOVE_LOW | (high - 1) << MOVE_HIGH
            high += 1
        return self.moves[MOVES * state + byte]

    cdef int32_t follow(self, const uint8_t* data, int32_t size, BytePath* paths) except -1 nogil:
        """Return a state that the bytes lead to; what is in `paths` says only how far they are followed.

        A line may have more or fewer bytes than the one before where a state leads
        to itself: what stands behind is compared from there on.
        """
        cdef int32_t state, after, at = 0, known = 0, step, ahead, shape
        cdef int32_t stop = min(size, FURTHEST)
        cdef uint32_t move
        cdef BytePath* path
        if size <= 0:
            return 0
        if paths == NULL:
            return self.follow_alone(data, size)
        # A date is mostly told apart by what stands behind it.
        shape = data[0] + (data[10] >> 4) if size > 10 else data[0]
        path = &paths[shape % PATHS]
        while True:
            step = within(data + at, path.low + known, path.high + known, min(stop - at, path.size - known))
            at += step
            known += step
            state = path.states[known]
            if at == stop or (known == path.size and path.whole):
                return self.ended(state) if at == size else state
            after = state
            while after == state:
                if at == stop or data[at] > 127:
                    return self.ended(state) if at == size else state
                move = self.moves[MOVES * state + data[at]]
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
                    return self.follow_apart(data, at, size, after, path)
            path.low[known] = move >> MOVE_LOW & MOVE_BYTE
            path.high[known] = move >> MOVE_HIGH & MOVE_BYTE
            known += 1
            path.states[known] = <int16_t>after
            path.size = known
            if move & MOVE_SETTLED or known == PREFIX:
                # What was of no use at its end is not looked at again.
                while path.size and self.sets[path.states[path.size - 1]] == self.sets[after]:
                    path.size -= 1
                path.whole = True
                return after

    cdef int32_t follow_alone(self, const uint8_t* data, int32_t size) except -1 nogil:
        """Follow a line that shares nothing with those before."""
        cdef int32_t state = 0, at = 0, stop = min(size, FURTHEST)
        cdef uint32_t move
        while at < stop and data[at] <= 127:
            move = self.moves[MOVES * state + data[at]]
            if not move:
                move = <uint32_t>self.learn_move(state, data[at])
                if not move:
                    return state
            state = <int32_t>(move & MOVE_STATE) - 1
            at += 1
            if move & MOVE_SETTLED:
                break
        return self.ended(state) if at == size else state

    cdef bint allows(self, int32_t state, int32_t other) noexcept nogil:
        """Whether all that may take a line in one state may do so in another."""
        cdef uint64_t more = 0
        cdef int32_t i
        for i in range(BRANCH_WORDS):
            more |= self.branches[BRANCH_WORDS * state + i] & ~self.branches[BRANCH_WORDS * other + i]
        return more == 0

    cdef int32_t ended(self, int32_t state) except -1 nogil:
        """Return the state behind a line that ends in one: what needs more bytes does not take it."""
        cdef uint32_t move = self.moves[MOVES * state + END]
        if not move:
            move = <uint32_t>self.learn_move(state, END)
        return <int32_t>(move & MOVE_STATE) - 1 if move else state

    cdef int32_t follow_apart(self, const uint8_t* data, int32_t at, int32_t size, int32_t state,
                              BytePath* path) except -1 nogil:
        """Follow a line that goes another way until it tells as much as the path's end does.

        If it never does, the next line makes the path anew.
        """
        cdef int32_t wanted = path.states[path.size], known = NONE, stop = min(size, FURTHEST)
        cdef uint32_t move
        while True:
            if self.sets[state] != known:
                if self.allows(state, wanted):
                    return state
                known = self.sets[state]
            if at >= stop or data[at] > 127:
                return self.ended(state) if at == size else state
            move = self.moves[MOVES * state + data[at]]
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
