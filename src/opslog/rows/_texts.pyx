"""Which records have one of some texts in one of some columns, without building these."""

cimport cython
from libc.stdint cimport int32_t, uint8_t, uint64_t
from libc.stdlib cimport free

from opslog.kernel._bytes cimport lowest_bit, same
from opslog.kernel._text cimport Buffer
from opslog.rows._values cimport Rows, Value, text_of


@cython.final
cdef class Matching(Rows):
    """Records whose first ``asked`` columns of the plan are compared with texts."""

    cdef uint64_t asked             # bit per column
    cdef Buffer changed             # a value that is not as it stands in the block

    def __init__(self, *args, int32_t asked):
        self.asked = (<uint64_t>1 << asked) - 1 if asked < 64 else <uint64_t>-1

    def __dealloc__(self):
        free(self.changed.data)

    def found(self, bytes texts not None, const int32_t[::1] ends not None, int32_t whole,
              int32_t[::1] numbers not None):
        """Write the numbers of the records with a text in a column into ``numbers``; return how many.

        The texts stand one behind the other; the first ``whole`` of them are the whole value, the others its
        beginning.  ``numbers`` has room for all records.
        """
        cdef int32_t i, found = 0
        cdef const uint8_t* data = texts
        cdef int32_t size = <int32_t>len(texts)
        for i in range(<int32_t>ends.shape[0]):
            if not (ends[i - 1] if i else 0) <= ends[i] <= size:
                raise IndexError(ends[i])
        if numbers.shape[0] < self.count:
            raise ValueError("fewer numbers than records")
        with nogil:
            for i in range(self.count):
                self.load(i)
                if self.has(data, ends, whole):
                    numbers[found] = self.selected[i]
                    found += 1
        return found

    cdef bint has(self, const uint8_t* texts, const int32_t[::1] ends, int32_t whole) except -1 nogil:
        """Whether the record loaded last has one."""
        cdef uint64_t left = self.present & self.asked
        cdef const Value* value
        cdef const uint8_t* data
        cdef Py_ssize_t size
        cdef int32_t i, start, length
        while left:
            value = &self.values[lowest_bit(left)]
            left &= left - 1
            data = text_of(value, &self.changed, &size)
            start = 0
            for i in range(<int32_t>ends.shape[0]):
                length = ends[i] - start
                if (length == size or (i >= whole and length < size)) and same(data, texts + start, length):
                    return True
                start = ends[i]
        return False
