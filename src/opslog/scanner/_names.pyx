"""What the scanner's nodes match of names: the position behind one, or -1.

Their types stand in language/hole_types.py.  Few lines have any, so they are not among the
functions of _ops.pxd, which the compiler puts where they are called.
"""

from libc.stdint cimport int32_t, uint8_t
from libc.string cimport memcmp

from opslog.scanner._ops cimport in_name, is_letter, is_listed, is_no_name
from opslog.scanner._time cimport is_digit


cdef int32_t plain_name(const uint8_t* data, int32_t at, int32_t end) noexcept nogil:
    """Position behind a name that is no word for a level, whatever its case."""
    cdef int32_t p = at
    while p < end and in_name(data[p]):
        p += 1
    return -1 if p == at or is_no_name(data, at, p) else p


cdef bint is_file_or_host(const uint8_t* data, int32_t at, int32_t end) noexcept nogil:
    """Whether a name ends as those of files and hosts do, and loggers do not."""
    cdef int32_t p = end
    while p > at and data[p - 1] != c'.':
        p -= 1
    return p > at and is_listed(b" conf cfg ini yaml yml toml txt pem crt sock qcow2 html gz org com", data + p, end - p, 0)


cdef int32_t label(const uint8_t* data, int32_t at, int32_t end) noexcept nogil:
    """Position behind a name that is no word with a capital, which may begin a sentence."""
    cdef int32_t p = at
    cdef bint sure = at < end and not 65 <= data[at] <= 90
    while p < end and in_name(data[p]):
        sure = sure or data[p] == c'.' or data[p] == c'_'
        p += 1
    if not sure or p == at or is_listed(b" spawned exited success stopped failed done", data + at, p - at, 0):
        return -1                       # Supervisor's words, and others of messages
    if is_file_or_host(data, at, p):
        return -1
    return p


cdef int32_t in_unit(const uint8_t* data, int32_t at, int32_t end) noexcept nogil:
    """Position behind what a part of a unit's name may be made of."""
    while at < end and data[at] != c'.' and in_name(data[at]):
        at += 1
    return at


cdef int32_t unit(const uint8_t* data, int32_t at, int32_t end) noexcept nogil:
    """Position behind a unit of Juju and a hook: unit.NAME/NUMBER.HOOK."""
    cdef int32_t p, q
    if end - at < 10 or memcmp(data + at, b"unit.", 5) != 0:
        return -1
    p = in_unit(data, at + 5, end)
    if p == at + 5 or p >= end or data[p] != c'/':
        return -1
    q = p + 1
    while q < end and is_digit(data[q]):
        q += 1
    if q == p + 1 or q >= end or data[q] != c'.':
        return -1
    p = in_unit(data, q + 1, end)
    return p if p > q + 1 else -1


cdef int32_t entity(const uint8_t* data, int32_t at, int32_t end) noexcept nogil:
    """Position behind a daemon of Ceph: KIND.NAME."""
    cdef int32_t p = at + 4
    if end - at < 5 or not is_listed(b" mon. osd. mgr. mds.", data + at, 4, 0):
        return -1
    while p < end and in_name(data[p]):
        p += 1
    return p if p > at + 4 else -1


cdef bint goes_on(const uint8_t* data, int32_t at, int32_t end) noexcept nogil:
    """Whether a blank and a word stand here that make a sentence of the name before it."""
    cdef int32_t p = at + 1
    while p < end and 97 <= data[p] <= 122:
        p += 1
    return p > at + 1 and data[at] == c' ' and (p == end or data[p] == c' ') and is_listed(
        b" is are was were has have had does did not will would can cannot could must should started stopped failed"
        b" died exited returned answered became timed took needs and service services api endpoint",
        data + at + 1, p - at - 1, 0)


cdef int32_t logger_name(const uint8_t* data, int32_t at, int32_t end, bint lone) noexcept nogil:
    """Position behind a logger: parts with dots between, a word with a _ in it, or one of a project.

    The name of a file (nova.conf) or of a host (example.org) is none; where it is ``lone``,
    nor is a project with which a sentence begins (nova is down).
    """
    cdef const char* known = (
        b" nova neutron cinder glance keystone heat horizon swift ironic octavia designate barbican manila"
        b" magnum placement trove sahara mistral senlin zun murano masakari aodh ceilometer gnocchi panko"
        b" watcher cloudkitty blazar tacker vitrage freezer cyborg kuryr networking eventlet wsgi oslo"
        b" root alembic sqlalchemy urllib3 requests paramiko stevedore kazoo kombu amqp tooz websockify")
    cdef int32_t p = at
    cdef bint sure = False
    while p < end and in_name(data[p]):
        if data[p] == c'.':
            if p == at or data[p - 1] == c'.' or (p + 1 < end and is_digit(data[p + 1])):
                return -1               # 1.2 is a number, a version or an address
            sure = True
        elif data[p] == c'_':
            sure = True
        p += 1
    if p == at or data[p - 1] == c'.' or not (is_letter(data[at]) or data[at] == c'_'):
        return -1
    if is_file_or_host(data, at, p):
        return -1
    if sure:
        return p
    return p if is_listed(known, data + at, p - at, 0) and not (lone and goes_on(data, p, end)) else -1


cdef int32_t name(int32_t kind, const uint8_t* data, int32_t at, int32_t end) noexcept nogil:
    """Position behind a name; ``kind`` is the argument of its type in hole_types.py."""
    if kind == 0:
        return plain_name(data, at, end)
    if kind == 2:
        return label(data, at, end)
    if kind == 3:
        return unit(data, at, end)
    return entity(data, at, end) if kind == 4 else logger_name(data, at, end, kind == 5)
