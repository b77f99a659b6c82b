# Open records by worker: what writes lines of one source, told apart by a hash.  The stream
# of an envelope has a place here, too: the hash of what the envelope knows.

from libc.stdint cimport int32_t, uint8_t, uint64_t
from libc.stdlib cimport free

from opslog.kernel._block cimport NONE
from opslog.kernel._table cimport Place, Table, begin_table, first_place, next_place, put_item
from opslog.kernel._text cimport Buffer, need

cdef enum:
    FEWEST = 64                 # places of a table without workers

ctypedef struct Worker:
    uint64_t key
    int32_t head                # its open record, NONE
    int32_t orphan              # its open record of headless traceback lines, NONE
    int32_t previous            # record of the line before of its stream, NONE if it takes no text
    bint unended                # whose text the next line of the stream continues

ctypedef struct Workers:
    Table known                 # numbers of workers, by their keys
    Buffer workers


cdef inline void drop_workers(Workers* self) noexcept nogil:
    free(self.known.places)
    free(self.workers.data)


cdef inline Place* worker_place(Workers* self, uint64_t key) noexcept nogil:
    cdef Place* place = first_place(&self.known, key)
    while place.item >= 0 and place.hash != key:
        place = next_place(&self.known, place)
    return place


cdef inline Worker* find_worker(Workers* self, uint64_t key) noexcept nogil:
    """The worker, NULL if it is not known; the pointer is good until the next one is added."""
    cdef const Place* place = worker_place(self, key)
    return <Worker*>self.workers.data + place.item if place.item >= 0 else NULL


cdef inline Worker* get_worker(Workers* self, uint64_t key) except NULL nogil:
    """The worker, added if it is not known."""
    cdef Place* place = worker_place(self, key)
    cdef Worker* worker
    if place.item < 0:
        need(&self.workers, sizeof(Worker))
        worker = <Worker*>(self.workers.data + self.workers.used)
        worker[0] = Worker(key, NONE, NONE, NONE, False)
        self.workers.used += sizeof(Worker)
        put_item(&self.known, place, key, self.known.used)
        return worker
    return <Worker*>self.workers.data + place.item


cdef inline int forget_records(Workers* self, int32_t released) except -1 nogil:
    """Renumber the records without the first `released`; keep only workers that have one."""
    cdef const Worker* worker = <const Worker*>self.workers.data
    cdef const Worker* end = <const Worker*>(self.workers.data + self.workers.used)
    cdef Worker* kept = <Worker*>self.workers.data
    begin_table(&self.known, FEWEST)
    while worker < end:
        if max(worker.head, worker.orphan, worker.previous) >= released:
            kept[0] = Worker(
                worker.key,
                worker.head - released if worker.head >= released else NONE,
                worker.orphan - released if worker.orphan >= released else NONE,
                worker.previous - released if worker.previous >= released else NONE,
                worker.unended and worker.previous >= released)
            put_item(&self.known, worker_place(self, kept.key), kept.key, self.known.used)
            kept += 1
        worker += 1
    self.workers.used = <uint8_t*>kept - self.workers.data
    return 0
