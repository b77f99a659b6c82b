# Which service a logger belongs to: asked once, then remembered.

from libc.stdint cimport int32_t, uint8_t, uint64_t
from libc.stdlib cimport free

from opslog.kernel._bytes cimport hash_bytes, same
from opslog.kernel._table cimport Place, Table, begin_table, first_place, next_place, put_item
from opslog.kernel._text cimport Buffer, need, put

cdef enum:
    MOST_LOGGERS = 65536        # remembered: hostile input may have any number

ctypedef struct Service:
    int32_t text                # where the logger, and right behind it its service, stand in the texts
    int32_t logger_size
    int32_t service_size        # -1: nothing says which

ctypedef struct Services:       # all zeros: none is known
    Table known                 # numbers of entries, by loggers
    Buffer entries              # Service each
    Buffer texts


cdef inline void drop_services(Services* self) noexcept nogil:
    free(self.known.places)
    free(self.entries.data)
    free(self.texts.data)


cdef inline bint is_logger(const Services* self, int32_t number, const uint8_t* logger, Py_ssize_t size) noexcept nogil:
    cdef const Service* entry = <const Service*>self.entries.data + number
    return entry.logger_size == size and same(self.texts.data + entry.text, logger, size)


cdef inline int32_t service_of(Services* self, object find, const uint8_t* logger, Py_ssize_t size,
                               const uint8_t** service) except -2 nogil:
    """Set `service` to the name of the logger's service; return its size, -1 if it has none.

    `find` (bytes to bytes or None) is asked for it; the name is good until the next call.
    """
    cdef uint64_t hashed = hash_bytes(logger, size, 3)
    cdef Place* place
    cdef const Service* entry
    cdef int32_t number
    if self.known.places == NULL or self.known.used >= MOST_LOGGERS:
        begin_table(&self.known, 64)
        self.entries.used = self.texts.used = 0
    place = first_place(&self.known, hashed)
    while place.item >= 0 and not (place.hash == hashed and is_logger(self, place.item, logger, size)):
        place = next_place(&self.known, place)
    number = place.item
    if number < 0:
        number = self.known.used
        add_service(self, find, logger, size)
        put_item(&self.known, place, hashed, number)
    entry = <const Service*>self.entries.data + number
    service[0] = self.texts.data + entry.text + entry.logger_size
    return entry.service_size


cdef inline int add_service(Services* self, object find, const uint8_t* logger, Py_ssize_t size) except -1 with gil:
    """Append the logger and its service to the entries."""
    cdef bytes name = find((<const char*>logger)[:size])
    cdef Service* entry
    need(&self.entries, sizeof(Service))
    entry = <Service*>(self.entries.data + self.entries.used)
    entry.text = <int32_t>self.texts.used
    entry.logger_size = <int32_t>size
    entry.service_size = -1 if name is None else <int32_t>len(name)
    put(&self.texts, logger, size, 0)
    if name is not None:
        put(&self.texts, name, len(name), 0)
    self.entries.used += sizeof(Service)
    return 0
