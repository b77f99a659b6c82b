# Colors of style.py, as bytes.

from libc.stdint cimport int32_t, uint8_t
from libc.string cimport memcpy

from opslog.kernel._text cimport Buffer

ctypedef struct Color:
    uint8_t[8] code
    int32_t size


cdef inline Color color_of(str code):
    """Return a color of style.py."""
    cdef Color made
    cdef bytes text = code.encode()
    made.size = <int32_t>min(len(text), 8)
    memcpy(made.code, <const char*>text, made.size)
    return made


cdef inline void put_color(Buffer* out, const Color* color) noexcept nogil:
    """Write a color; `out` has room for it."""
    memcpy(out.data + out.used, color.code, color.size)
    out.used += color.size
