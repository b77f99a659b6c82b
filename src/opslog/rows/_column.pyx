"""One Arrow column under construction: see _column.pxd."""


cdef int begin(Column* column, int kind, int32_t rows) except -1 nogil:
    """Make room for `rows` rows, all null."""
    memset(column, 0, sizeof(Column))
    column.kind = kind
    column.rows = rows
    column.last_entry = -1
    column.validity = <uint8_t*>calloc((rows + 7) // 8 + 8, 1)
    if kind == TEXT or kind == PAIRS:
        column.ends = <int32_t*>malloc((rows + 2) * sizeof(int32_t))
    elif kind == CODES:
        column.indices = <int32_t*>calloc(rows + 2, sizeof(int32_t))
    else:
        column.numbers = <int64_t*>calloc(rows + 1, sizeof(int64_t))
    if column.validity == NULL or (column.ends == NULL and column.indices == NULL and column.numbers == NULL):
        with gil:
            raise MemoryError()
    if column.ends != NULL:
        column.ends[0] = 0
    if kind == CODES or kind == PAIRS:
        add_end(&column.data_ends, 0)
        add_end(&column.key_ends, 0)
    if kind == CODES:
        begin_table(&column.codes, 256)
    return 0


cdef void drop(Column* column) noexcept nogil:
    """Free what has not been handed out."""
    free(column.validity)
    free(column.numbers)
    free(column.indices)
    free(column.ends)
    free(column.data.data)
    free(column.data_ends.data)
    free(column.keys.data)
    free(column.key_ends.data)
    free(column.codes.places)
    memset(column, 0, sizeof(Column))


cdef bint decimal(const uint8_t* text, Py_ssize_t size, int change, double* out) noexcept nogil:
    """Read decimal digits with an optional fraction, nothing else; `change` says their unit."""
    cdef int64_t number = 0
    cdef double scale = 1.0
    cdef Py_ssize_t i = 0, digits = 0
    # 15 digits are exact in a double, and so is the power of ten.
    while i < size and <uint8_t>(text[i] - 48) < 10:
        if digits < 15:
            number = number * 10 + (text[i] - 48)
            digits += number != 0
        else:
            scale /= 10.0
        i += 1
    if i and i < size and text[i] == c'.':
        i += 1
        while i < size and <uint8_t>(text[i] - 48) < 10:
            if digits < 15:
                number = number * 10 + (text[i] - 48)
                scale *= 10.0
                digits += number != 0
            i += 1
    if change & MILLISECONDS:
        scale *= 1e3
    elif change & MICROSECONDS:
        scale *= 1e6
    out[0] = number / scale
    return i > 0 and i == size
