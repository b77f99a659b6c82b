# The hash table of all kernels: hashes to numbers.  What a number stands for, and whether it
# is what is looked for, its owner knows:
#
#     place = first_place(&table, hashed)
#     while place.item >= 0 and not (place.hash == hashed and <the item is the one>):
#         place = next_place(&table, place)
#     if place.item < 0:
#         put_item(&table, place, hashed, <number of the new item>)
#
# Open addressing: an item lies in the first free place from that of its hash on.  The table is
# never more than half full.  Hashes are kept, so that it grows without looking at the items.

from libc.stdint cimport int32_t, uint64_t
from libc.stdlib cimport free, malloc
from libc.string cimport memset

ctypedef struct Place:
    uint64_t hash
    int32_t item                # -1: free

ctypedef struct Table:          # all zeros: not yet begun
    Place* places
    uint64_t mask               # a power of two less one
    int32_t used


cdef inline Place* first_place(const Table* table, uint64_t hashed) noexcept nogil:
    return &table.places[hashed & table.mask]


cdef inline Place* next_place(const Table* table, const Place* place) noexcept nogil:
    return &table.places[<uint64_t>(place - table.places + 1) & table.mask]


cdef inline int begin_table(Table* table, uint64_t size) except -1 nogil:
    """Make it an empty table of `size` places, a power of two."""
    cdef Place* places
    if table.places == NULL or size != table.mask + 1:
        places = <Place*>malloc(size * sizeof(Place))
        if places == NULL:
            with gil:
                raise MemoryError()
        free(table.places)
        table.places = places
        table.mask = size - 1
    memset(table.places, 0xFF, size * sizeof(Place))
    table.used = 0
    return 0


cdef inline int grow_table(Table* table) except -1 nogil:
    cdef Table grown = Table(NULL, 0, 0)
    cdef Place* place
    cdef uint64_t i
    begin_table(&grown, 2 * (table.mask + 1))
    for i in range(table.mask + 1):
        if table.places[i].item >= 0:
            place = first_place(&grown, table.places[i].hash)
            while place.item >= 0:
                place = next_place(&grown, place)
            place[0] = table.places[i]
    grown.used = table.used
    free(table.places)
    table[0] = grown
    return 0


cdef inline int put_item(Table* table, Place* place, uint64_t hashed, int32_t item) except -1 nogil:
    """Fill the free place that the search for the hash ended at; places may move then."""
    place.hash = hashed
    place.item = item
    table.used += 1
    if 2 * <uint64_t>table.used > table.mask:
        return grow_table(table)
    return 0
