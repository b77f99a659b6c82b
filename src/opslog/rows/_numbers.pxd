# Captured text to numbers.

from libc.math cimport isfinite
from libc.stdint cimport int64_t, uint8_t
from libc.stdlib cimport strtod
from libc.string cimport memcpy

from opslog.kernel._text cimport MICROSECONDS, MILLISECONDS


cdef inline bint read_integer(const uint8_t* text, Py_ssize_t size, int64_t* out) noexcept nogil:
    """Read 1 to 18 digits, nothing else."""
    cdef int64_t number = 0
    cdef Py_ssize_t i
    if size < 1 or size > 18:
        return False
    for i in range(size):
        if <uint8_t>(text[i] - 48) > 9:
            return False
        number = number * 10 + (text[i] - 48)
    out[0] = number
    return True


cdef inline bint read_decimal(const uint8_t* text, Py_ssize_t size, int change, double* out) noexcept nogil:
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


cdef inline bint read_written(const uint8_t* text, Py_ssize_t size, double* out) noexcept nogil:
    """Read a decimal as opslog writes it: with as many digits as it has, or an exponent."""
    cdef char[40] whole
    cdef char* end
    if size < 16 and read_decimal(text, size, 0, out):
        return True
    if size < 1 or size >= 40 or not (<uint8_t>(text[0] - 48) < 10 or text[0] == c'-'):
        return False
    memcpy(whole, text, size)
    whole[size] = 0
    out[0] = strtod(whole, &end)
    return end == whole + size and isfinite(out[0])
