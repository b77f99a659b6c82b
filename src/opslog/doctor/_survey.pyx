"""What a survey of a log wants to know of its records beside their columns."""

from libc.stdint cimport int32_t, int64_t, uint8_t, uint64_t
from libc.string cimport memchr

from opslog.assembly._records cimport Records
from opslog.kernel._block cimport HEADLESS, Line, NONE, OVERLONG, Record, TORN
from opslog.kernel._bytes cimport hash_bytes
from opslog.scanner._program cimport Program

cdef extern from "string.h" nogil:
    void* memmem(const void* haystack, size_t size, const void* needle, size_t length)

cdef enum:
    STAMP = 24                  # bytes a date may take
    DEPTH = 7                   # envelopes told, of 256 formats each

INCOMPLETE = ("", "head", "torn", "line")
"""Marks of incomplete records, as the attribute says them."""


cdef inline bint two_digits(const uint8_t* p) noexcept nogil:
    return 48 <= p[0] <= 57 and 48 <= p[1] <= 57


cdef inline bint in_date(uint8_t c) noexcept nogil:
    return (c >= 48 and c <= 58) or (c | 32 >= c'a' and c | 32 <= c'z') or memchr(b" -/,.[]()<>", c, 11) != NULL


cdef inline bint stamped(const uint8_t* p, int32_t size) noexcept nogil:
    """Whether a date, if anything, and a time of day, 10:00:00, begin the line."""
    cdef int32_t at, digits = 0
    for at in range(min(size - 7, STAMP)):
        if (p[at + 2] == c':' and p[at + 5] == c':' and two_digits(p + at)
                and two_digits(p + at + 3) and two_digits(p + at + 6)):
            return at == 0 or digits > 0
        if not in_date(p[at]):
            return False
        digits += 48 <= p[at] <= 57
    return False


def survey(Records records not None, Program program not None, int32_t[::1] leaves not None,
           int32_t[::1] lines not None, int32_t[::1] joined not None, uint8_t[::1] marks not None,
           int64_t[::1] chains not None):
    """Fill in, for each record: its layout (-1: none), how many lines it has, how many of
    them were joined that begin with a time, which of INCOMPLETE it is, and the
    formats of the envelopes around it: numbers from 1 as digits to the base 256,
    of which the innermost is the last; those beyond DEPTH are left out.
    """
    cdef int32_t i, at, envelope, depth, count = records.count
    cdef int64_t chain, place
    cdef Record* record
    cdef const Line* line
    if min(leaves.shape[0], lines.shape[0], joined.shape[0], marks.shape[0], chains.shape[0]) < count:
        raise ValueError("too little room")
    with nogil:
        for i in range(count):
            record = &records.records[i]
            line = &records.block.lines[record.head]
            leaves[i] = record.leaf
            lines[i] = record.lines
            marks[i] = (2 if record.flags & TORN else 3 if record.flags & OVERLONG
                        else 1 if record.flags & HEADLESS else 0)
            chain = 0
            place = 1
            envelope = line.outer if record.leaf >= 0 else NONE
            depth = 0
            while envelope != NONE and depth < DEPTH:
                depth += 1
                chain += place * (program.leaves[records.block.envelopes[envelope].leaf].format % 255 + 1)
                place *= 256
                envelope = records.block.envelopes[envelope].outer
            chains[i] = chain
            joined[i] = 0
            at = line.next
            while at != NONE:
                line = &records.block.lines[at]
                if line.leaf == NONE and line.outer == NONE and stamped(
                        records.block.data + line.start, line.end - line.start):
                    joined[i] += 1
                at = line.next
    return None


def hash_texts(const int32_t[::1] offsets not None, const uint8_t[::1] data not None,
               const int64_t[::1] times not None, uint64_t[::1] hashes not None):
    """Fill in the hash of each text, which lies between two offsets, and its time."""
    cdef Py_ssize_t i
    cdef uint64_t hashed
    cdef const uint8_t* text = &data[0] if data.shape[0] else NULL
    if offsets.shape[0] <= hashes.shape[0] or times.shape[0] < hashes.shape[0]:
        raise ValueError("too few texts or times")
    with nogil:
        for i in range(hashes.shape[0]):
            hashed = hash_bytes(text + offsets[i], offsets[i + 1] - offsets[i], <uint64_t>times[i])
            hashes[i] = (hashed ^ (hashed >> 32)) * <uint64_t>0x9E3779B97F4A7C15
    return None


def holds(Records records not None, const uint8_t[::1] needle not None):
    """Return whether the needle stands in the input the records were made of."""
    if needle.shape[0] == 0:
        return True
    return memmem(records.block.data, records.block.used, &needle[0], needle.shape[0]) != NULL
