"""What is asked of a row's texts before it is written: whether they must be looked at first."""

from libc.stdint cimport uint8_t


cdef class Screen:
    """Asked by the writers of rows, in any thread; one that knows nothing holds back every text."""

    cdef int holds(self, const uint8_t* begin, const uint8_t* end) except -1 nogil:
        """Whether this text is held back."""
        return True

    cdef int named(self, const uint8_t* name, Py_ssize_t size) except -1 nogil:
        """Whether the rows are held back, for an attribute of this name."""
        return True
