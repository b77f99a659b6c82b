"""Which service a logger, and what stands behind it, belongs to.

Few words in names tell a service.  All others are alike to who is asked, so that a log with
a new name in every line asks no more often than another.
"""

from libc.stdint cimport uint64_t

from opslog.kernel._bytes cimport hash_bytes, same
from opslog.kernel._table cimport Place, begin_table, first_place, next_place, put_item
from opslog.kernel._text cimport need, put

from opslog.model.services import WORDS, service_said

cdef enum:
    MOST_LOGGERS = 65536        # remembered: hostile input may have any number
    MOST_TEXT = 4 << 20         # bytes of these: it may have long ones, too
    MOST_WORD = 32              # bytes of a word that tells something

cdef Table places               # numbers of words that tell something, by the words
cdef list words = sorted(word.encode() for word in WORDS)
cdef Buffer texts               # these words, MOST_WORD each


cdef Place* word_place(const uint8_t* word, Py_ssize_t size) noexcept nogil:
    """Where a word of small letters, with zeros up to MOST_WORD behind it, stands or would."""
    cdef uint64_t hashed = hash_bytes(word, size, 0)
    cdef Place* place = first_place(&places, hashed)
    while place.item >= 0 and not (place.hash == hashed and same(texts.data + MOST_WORD * place.item, word, MOST_WORD)):
        place = next_place(&places, place)
    return place


cdef int know_words() except -1:
    cdef bytes word
    cdef int32_t number
    begin_table(&places, 64)
    for number, word in enumerate(words):
        if len(word) >= MOST_WORD:
            raise ValueError(f"{word!r} has more than {MOST_WORD - 1} letters")
        word = word.ljust(MOST_WORD, b"\0")
        put(&texts, word, MOST_WORD, 0)
        put_item(&places, word_place(word, len(words[number])), hash_bytes(word, len(words[number]), 0), number)
    return 0


know_words()


cdef inline bint is_letter(uint8_t c) noexcept nogil:
    return 97 <= c | 32 <= 122


cdef inline bint is_digit(uint8_t c) noexcept nogil:
    return 48 <= c <= 57


cdef bint tells(const uint8_t* word, Py_ssize_t size) noexcept nogil:
    cdef uint8_t[MOST_WORD] small
    cdef Py_ssize_t i
    if size >= MOST_WORD:
        return False
    for i in range(MOST_WORD):
        small[i] = word[i] | 32 if i < size else 0
    return word_place(small, size).item >= 0


cdef int put_telling(Buffer* out, const uint8_t* logger, Py_ssize_t size) except -1 nogil:
    """Append what of a logger, and what stands behind it, tells the service; a zero for anything else.

    Of the logger, which ends before the first newline, it is the first part with the separator behind it;
    what stands behind the second newline is of a format and all told.
    """
    cdef Py_ssize_t at = 0, start
    cdef bint left_out
    cdef int32_t newlines = 0
    need(out, size)
    while at < size and newlines < 2:
        start = at
        if is_letter(logger[at]):
            while at < size and is_letter(logger[at]):
                at += 1
            left_out = not tells(logger + start, at - start)
        elif is_digit(logger[at]) or logger[at] > 127:
            while at < size and (is_digit(logger[at]) or logger[at] > 127):
                at += 1
            left_out = at - start > 1 or logger[start] > 127
        else:
            at += 1
            left_out = False
            newlines += logger[start] == c'\n'
        if not left_out:
            put(out, logger + start, at - start, 0)
        elif not (out.used and out.data[out.used - 1] == c'0'):
            put(out, b"0", 1, 0)
        if newlines == 0 and (logger[start] == c'.' or logger[start] == c'/'):
            while at < size and logger[at] != c'\n':
                at += 1
    return put(out, logger + at, size - at, 0)


cdef int32_t entry_of(const Services* self, const uint8_t* logger, Py_ssize_t size) noexcept nogil:
    """The number of a logger's entry, -1 if it has none."""
    cdef uint64_t hashed = hash_bytes(logger, size, 3)
    cdef Place* place = first_place(&self.known, hashed)
    cdef const Service* entry
    while place.item >= 0:
        entry = <const Service*>self.entries.data + place.item
        if place.hash == hashed and entry.logger_size == size and same(self.texts.data + entry.text, logger, size):
            break
        place = next_place(&self.known, place)
    return place.item


cdef int32_t add_entry(Services* self, const uint8_t* logger, Py_ssize_t size, const uint8_t* service,
                       Py_ssize_t service_size) except -1 nogil:
    """Add the entry of a logger that has none; a service of -1 bytes is none."""
    cdef uint64_t hashed = hash_bytes(logger, size, 3)
    cdef Place* place = first_place(&self.known, hashed)
    cdef int32_t number = self.known.used
    cdef Service* entry
    need(&self.entries, sizeof(Service))
    entry = <Service*>self.entries.data + number
    entry[0] = Service(<int32_t>self.texts.used, <int32_t>size, <int32_t>service_size)
    put(&self.texts, logger, size, 0)
    put(&self.texts, service, service_size, 0)
    self.entries.used += sizeof(Service)
    while place.item >= 0:
        place = next_place(&self.known, place)
    put_item(&self.known, place, hashed, number)
    return number


cdef int32_t ask(Services* self, const uint8_t* telling, Py_ssize_t size) except -1 with gil:
    cdef bytes name = service_said((<const char*>telling)[:size])
    if name is None:
        return add_entry(self, telling, size, NULL, -1)
    return add_entry(self, telling, size, name, len(name))


cdef int32_t service_of(Services* self, const uint8_t* logger, Py_ssize_t size, const uint8_t** service) except -2 nogil:
    cdef const Service* entry
    cdef int32_t number
    if self.known.places == NULL or self.known.used >= MOST_LOGGERS or self.texts.used >= MOST_TEXT:
        begin_table(&self.known, 64)
        self.entries.used = self.texts.used = 0
    number = entry_of(self, logger, size)
    if number < 0:
        self.telling.used = 0
        put_telling(&self.telling, logger, size)
        number = entry_of(self, self.telling.data, self.telling.used)
        if number < 0:
            number = ask(self, self.telling.data, self.telling.used)
        if self.telling.used != size or not same(self.telling.data, logger, size):
            entry = <const Service*>self.entries.data + number
            need(&self.texts, size + max(0, entry.service_size))    # where it stands is good until there is no room
            number = add_entry(self, logger, size, self.texts.data + entry.text + entry.logger_size, entry.service_size)
    entry = <const Service*>self.entries.data + number
    service[0] = self.texts.data + entry.text + entry.logger_size
    return entry.service_size
