"""Bytes that a text has few of."""

from libc.stdint cimport uint8_t


def unusual(bytes text not None):
    """Return how many bytes are control characters that text has none of; ESC begins a color."""
    cdef const uint8_t* p = text
    cdef Py_ssize_t i, size = len(text)
    cdef uint8_t c
    cdef int found = 0
    for i in range(size):
        c = p[i]
        # Without a branch, so that many bytes are looked at at once.
        found += (c == 127) | (c < 9) | (<uint8_t>(c - 14) < 13) | (<uint8_t>(c - 28) < 4)
    return found
