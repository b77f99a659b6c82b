# The order in which the keys of JSON come, as a thread met it: lines of one program have one order.
#
# What stands from one value to the next is compared as a whole with what stood there in the line
# before.  A thread remembers this for itself, so that none waits for another.

from libc.stdint cimport int32_t, uint8_t, uint64_t
from libc.string cimport memcmp, memcpy, memset

from opslog.kernel._bytes cimport begins_with

cdef enum:
    MOST_KNOWN = 512            # keys, a power of two
    NOT_KNOWN = MOST_KNOWN      # where one is put that is not remembered
    KNOWN_BYTES = 32            # of the longest text
    MOST_OBJECTS = 256

cdef extern from *:
    """
    typedef struct {
        uint8_t text[32];
        uint64_t hash;
        int32_t size, place, key, behind;
    } opslog_known_key;
    typedef struct {
        uint64_t owner;
        opslog_known_key keys[513];
        int32_t first[256];
    } opslog_key_order;
    static __thread opslog_key_order opslog_order_of_thread;
    """
    ctypedef struct KnownKey "opslog_known_key":
        uint8_t* text           # KNOWN_BYTES, of which size count: from behind what comes before the key to its value
        uint64_t hash           # of the key
        int32_t size            # 0: none
        int32_t place           # number of its object; -1 - that of an object that it begins
        int32_t key             # its number, -1: it is not looked for
        int32_t behind          # where the key is that came behind it last
    ctypedef struct KeyOrder "opslog_key_order":
        uint64_t owner          # serial of the table that the keys are of
        KnownKey* keys          # MOST_KNOWN and one more, by hash
        int32_t* first          # by object: where its first key is
    KeyOrder ORDER_OF_THREAD "opslog_order_of_thread"


cdef inline KeyOrder* order_of(uint64_t owner) noexcept nogil:
    """What this thread remembers of the keys of a table."""
    cdef KeyOrder* order = &ORDER_OF_THREAD
    if order.owner != owner:
        memset(order, 0, sizeof(KeyOrder))
        order.owner = owner
    return order


cdef inline bint comes(const KnownKey* known, int32_t place, const uint8_t* p, int32_t room) noexcept nogil:
    """Whether the key stands at p again, with all up to its value."""
    return known.size != 0 and known.place == place and begins_with(p, room, known.text, known.size)


cdef inline KnownKey* remembered(KeyOrder* order, uint64_t hashed, int32_t place, const uint8_t* p, int32_t size) noexcept nogil:
    """The key whose text is p[:size]; if it was not remembered, its number is yet to be told: -2."""
    cdef KnownKey* known
    if size > KNOWN_BYTES or place >= MOST_OBJECTS:
        known = &order.keys[NOT_KNOWN]
        known.key = -2
        return known
    known = &order.keys[hashed & (MOST_KNOWN - 1)]
    if known.hash != hashed or known.place != place or known.size != size or memcmp(known.text, p, size) != 0:
        known.hash = hashed
        known.place = place
        known.size = size
        known.key = -2
        known.behind = NOT_KNOWN
        memcpy(known.text, p, size)
    return known
