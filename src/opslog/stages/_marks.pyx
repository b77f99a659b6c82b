"""Where entries of maps go when others are added to some of the rows."""

from libc.stdint cimport int32_t, int64_t, uint8_t


def places(const int32_t[::1] ends not None, int64_t known, const int32_t[::1] rows not None, int32_t names, const uint8_t[::1] replaced):
    """Return the entries in their new order (int64, as bytes) and where those of each row end (int32).

    ``ends`` are the offsets of maps of ``known`` entries; ``rows``, ascending, get an entry of each
    of so many ``names``, which are numbered from ``known`` on, name by name.  Old entries of theirs that are
    ``replaced`` (None: there are none) are left out.  Raises ValueError for numbers that do not fit.
    """
    cdef Py_ssize_t count = ends.shape[0] - 1, row, mark = 0, marks = rows.shape[0], used = 0
    cdef int64_t entry
    cdef int32_t name, before = -1
    if count < 0 or names < 0 or not 0 <= ends[0] <= ends[count] <= known:
        raise ValueError("expected offsets of maps")
    if replaced is not None and replaced.shape[0] < known:
        raise ValueError("fewer entries than the maps have")
    for row in range(count):
        if ends[row] > ends[row + 1]:
            raise ValueError("expected offsets that ascend")
    for mark in range(marks):
        if not before < rows[mark] < count:
            raise ValueError("expected rows of the maps that ascend")
        before = rows[mark]
    order, new_ends = bytearray(8 * (ends[count] - ends[0] + names * marks)), bytearray(4 * (count + 1))
    cdef uint8_t[::1] chosen_bytes = order
    cdef uint8_t[::1] end_bytes = new_ends
    cdef int64_t* chosen = <int64_t*>&chosen_bytes[0] if len(order) else NULL
    cdef int32_t* new_end = <int32_t*>&end_bytes[0]
    mark = 0
    for row in range(count):
        if mark < marks and rows[mark] == row:
            for entry in range(ends[row], ends[row + 1]):
                if replaced is None or not replaced[entry]:
                    chosen[used] = entry
                    used += 1
            for name in range(names):
                chosen[used] = known + name * marks + mark
                used += 1
            mark += 1
        else:
            for entry in range(ends[row], ends[row + 1]):
                chosen[used] = entry
                used += 1
        new_end[row + 1] = <int32_t>used
    return order[:8 * used], new_ends
