# Which service a logger, a program or a format's module belongs to: asked once, then remembered.

from libc.stdint cimport int32_t, uint8_t
from libc.stdlib cimport free

from opslog.kernel._table cimport Table
from opslog.kernel._text cimport Buffer

ctypedef struct Service:
    int32_t text                # where the logger, and right behind it its service, stand in the texts
    int32_t logger_size
    int32_t service_size        # -1: nothing says which

ctypedef struct Services:       # all zeros: none is known
    Table known                 # numbers of entries, by loggers
    Buffer entries              # Service each
    Buffer texts
    Buffer telling              # what of a new logger tells its service


cdef inline void drop_services(Services* self) noexcept nogil:
    free(self.known.places)
    free(self.entries.data)
    free(self.texts.data)
    free(self.telling.data)


# Sets `service` to the name of the logger's service; returns its size, -1 if it has none.  Behind the
# logger program and format's service may stand, a newline between; the name is good until the next call.
cdef int32_t service_of(Services* self, const uint8_t* logger, Py_ssize_t size, const uint8_t** service) except -2 nogil
