"""Which records still belong to the request whose id they carry.

A thread keeps the context of its last request until the next one sets its own.
What is logged in between carries the id of a request that has ended.  Read in
the order of a process's log, such a record is known by itself, where a call
has no context yet and the line names a user; or by what came before it under the same
id: the answer, or the request's own work, and then a line that is written where a
call begins; or the logger that told of its beginning tells of one again.

The ids of processes lie in a table of fixed size: new ones push out the stalest.
"""

cimport cython
from libc.stdint cimport int32_t, int64_t, uint8_t, uint64_t
from libc.stdlib cimport calloc, free

from opslog.kernel._bytes cimport hash_bytes

cdef enum:
    WAYS = 4
    SECOND = 1_000_000
    CLOSING = 5 * SECOND        # silence behind an answer within which the same request goes on
    ACCEPTED = 60 * SECOND      # the same behind 202: the work is done later; and until a caller calls again
    PAUSE = SECOND              # silence behind which a line that begins a call begins another one;
                                # CLOSING while the call whose beginning was told is not answered
    TOGETHER = 5 * SECOND       # two tellers of one answer

cdef enum Kind:                 # what a record is; contexts.py has the same numbers
    WORK = 0
    OPENS = 1                   # written where a call begins, in the context of the one before
    NEXT = 2                    # the same, or the first of the call's own
    MAY_OPEN = 3                # the same, or any of the call's own
    BEGINS = 4                  # method and target of a call, no status yet
    ANSWER = 5
    CLIENT = 6                  # of a library that calls others, in whatever context
    KIND = 7
    ADOPTED = 8                 # bit: the program works under the id it is sent

cdef enum Flag:
    WORKED = 1                  # something but the beginning was logged
    ANSWERED = 2
    LATER = 4                   # the answer was 202
    LEFT = 8                    # what comes now is another's
    TOLD = 16                   # and that one was answered, too

ctypedef struct Context:
    uint64_t key                # hash of process and id, 0: nothing
    int64_t last                # microseconds
    int64_t own                 # the same of its own records
    int64_t answered
    uint64_t answer             # hash of target and status
    int64_t place               # of the first record of another's call
    int64_t teller              # logger of the answer
    int64_t begun               # logger that told of the beginning, 0: none did
    int32_t flags


cdef void leave(Context* context, int64_t place) noexcept nogil:
    """From ``place`` on the records are those of another call."""
    context.flags = LEFT
    context.place = place
    context.begun = 0


@cython.final
cdef class Contexts:
    """The ids that processes have logged under, and what is known of each; one for each run."""

    cdef Context* table
    cdef readonly Py_ssize_t places
    cdef readonly Py_ssize_t forgotten      # ids whose places others took

    def __cinit__(self, Py_ssize_t places):
        self.places = max(1, places // WAYS) * WAYS
        self.table = <Context*>calloc(self.places, sizeof(Context))
        if self.table == NULL:
            raise MemoryError()

    def __dealloc__(self):
        free(self.table)

    def find_calls(self, const uint64_t[::1] processes not None, const int32_t[::1] id_ends not None,
                   const uint8_t[::1] ids, const uint8_t[::1] kinds not None, const int64_t[::1] times not None,
                   const int64_t[::1] places not None, const int32_t[::1] target_ends not None,
                   const uint8_t[::1] targets, const int64_t[::1] statuses not None,
                   const int64_t[::1] tellers not None, int64_t[::1] calls not None):
        """Fill ``calls``: -1 for records of the request whose id they carry, or without one.

        Else the place of the first record of the call that a record belongs to.  Arguments are columns of
        records in the order of their source: a number for each process; ends and bytes of ids; Kind; times;
        places in the source; ends and bytes of targets; HTTP statuses; a number for each logger.
        """
        cdef Py_ssize_t n = calls.shape[0], i, room = 0 if ids is None else ids.shape[0]
        cdef Py_ssize_t wide = 0 if targets is None else targets.shape[0]
        cdef int32_t begin, end
        cdef uint64_t answer
        if (min(processes.shape[0], kinds.shape[0], times.shape[0], places.shape[0], statuses.shape[0],
                tellers.shape[0]) < n or min(id_ends.shape[0], target_ends.shape[0]) < n + 1):
            raise ValueError("columns are not of one length")
        with nogil:
            for i in range(n):
                begin, end = id_ends[i], id_ends[i + 1]
                calls[i] = -1
                if not 0 <= begin < end <= room:
                    continue
                answer = 0
                if kinds[i] & KIND == ANSWER:
                    answer = 1
                    if 0 <= target_ends[i] < target_ends[i + 1] <= wide:
                        answer = hash_bytes(&targets[target_ends[i]], target_ends[i + 1] - target_ends[i], statuses[i]) | 1
                calls[i] = self.take(hash_bytes(&ids[begin], end - begin, processes[i]) | 1, kinds[i], times[i],
                                     places[i], answer, statuses[i], tellers[i])

    cdef int64_t take(self, uint64_t key, int kind, int64_t time, int64_t place, uint64_t answer, int64_t status,
                      int64_t teller) noexcept nogil:
        cdef Context* context = self.find(key)
        cdef bint adopted = kind & ADOPTED
        cdef int64_t silence = time - context.last
        cdef bint again, anew
        kind &= KIND
        if context.key != key:
            self.forgotten += context.key != 0
            context[0] = Context(key, time, time, 0, 0, -1, 0, 0, 0)
            silence = 0
        again = (kind == ANSWER and context.answer == answer and context.teller != teller
                 and time - context.answered <= TOGETHER)
        anew = kind == BEGINS and not adopted and context.begun == teller   # a logger tells of a beginning once
        if not context.flags & LEFT:
            if context.flags & ANSWERED:
                if again or (adopted and not OPENS <= kind <= MAY_OPEN):
                    pass
                elif (kind != WORK and kind != CLIENT) or silence > (ACCEPTED if context.flags & LATER else CLOSING):
                    leave(context, place)
            elif anew or kind == OPENS or (kind == NEXT and context.flags & WORKED) or (
                    kind == NEXT and silence > PAUSE) or (
                    kind == MAY_OPEN and silence > (CLOSING if context.begun else PAUSE)):
                leave(context, place)
        elif (adopted and silence <= CLOSING and time - context.own <= ACCEPTED
                and (kind == WORK or kind == BEGINS or kind == ANSWER)):
            context.flags = 0           # another call of the same caller, right behind what opened it
        elif anew or (context.flags & TOLD and not again) or (
                context.flags & WORKED and (kind == OPENS or kind == NEXT)):
            leave(context, place)
        context.last = max(context.last, time)
        if kind == ANSWER and not again:
            context.answered, context.answer, context.teller = time, answer, teller
            if context.flags & LEFT:
                context.flags |= TOLD
            else:
                context.flags = ANSWERED | (LATER if status == 202 else 0)
        elif kind == WORK or kind == BEGINS:
            context.flags |= WORKED
        if kind == BEGINS:
            context.begun = teller
        if context.flags & LEFT:
            return context.place
        context.own = max(context.own, time)
        return -1

    cdef Context* find(self, uint64_t key) noexcept nogil:
        """Return the place of a key, or the one it is to take."""
        cdef Context* group = &self.table[key % <uint64_t>(self.places // WAYS) * WAYS]
        cdef Context* place = group
        cdef int i
        for i in range(WAYS):
            if group[i].key == key:
                return &group[i]
            if group[i].key == 0:
                place = &group[i]
            elif place.key != 0 and group[i].last < place.last:
                place = &group[i]
        return place
