"""Which service a logger belongs to: asked once, then remembered."""

cimport cython
from libc.stdlib cimport free
from libc.string cimport memset

from opslog.kernel._bytes cimport hash_bytes, same
from opslog.kernel._text cimport need, put

cdef enum:
    MOST_SERVICES = 65536       # loggers remembered at most

ctypedef struct Service:
    uint64_t hash               # of the logger; entries without a logger are free
    int32_t logger              # offset in texts
    int32_t logger_size         # -1: free
    int32_t service
    int32_t service_size        # -1: the logger does not say


@cython.final
cdef class Services:
    """Remembers which service each logger belongs to; asks ``find`` (bytes to bytes or None).

    ``program`` is that of records which do not say theirs, empty if there is none; a
    record that does is asked for by its logger, a newline and its program.
    """

    def __cinit__(self, find, bytes program not None):
        self.find = find
        self.program = program
        self.program_data = self.program
        self.program_size = len(self.program)
        self.clear()

    def __dealloc__(self):
        free(self.texts.data)
        free(self.entries.data)

    cdef int clear(self) except -1 nogil:
        self.mask = 4 * MOST_SERVICES - 1 if self.count >= 512 else 1023
        self.texts.used = 0
        self.count = 0
        need(&self.entries, (self.mask + 1) * sizeof(Service))
        memset(self.entries.data, 0xFF, (self.mask + 1) * sizeof(Service))
        return 0

    cdef int32_t look_up(self, const uint8_t* logger, Py_ssize_t size, const uint8_t** service) except -2 nogil:
        """Set `service` to the name of the logger's service; return its size, -1 if it has none."""
        cdef uint64_t hashed = hash_bytes(logger, size, 3)
        cdef uint64_t at = hashed & self.mask
        cdef Service* entry
        while True:
            entry = <Service*>self.entries.data + at
            if entry.logger_size < 0:
                break
            if entry.hash == hashed and entry.logger_size == size and same(self.texts.data + entry.logger, logger, size):
                service[0] = self.texts.data + entry.service
                return entry.service_size
            at = (at + 1) & self.mask
        if self.count >= (512 if self.mask == 1023 else MOST_SERVICES):
            self.clear()        # many loggers: a larger table, or hostile input
            return self.look_up(logger, size, service)
        self.count += 1
        entry.hash = hashed
        entry.logger = <int32_t>self.texts.used
        entry.logger_size = <int32_t>size
        put(&self.texts, logger, size, 0)
        entry.service = <int32_t>self.texts.used
        entry.service_size = self.ask(logger, size)
        service[0] = self.texts.data + entry.service
        return entry.service_size

    cdef int32_t ask(self, const uint8_t* logger, Py_ssize_t size) except -2 with gil:
        """Append the logger's service to the texts and return its size, -1 if it has none."""
        cdef bytes name = self.find((<const char*>logger)[:size])
        if name is None:
            return -1
        put(&self.texts, name, len(name), 0)
        return <int32_t>len(name)
