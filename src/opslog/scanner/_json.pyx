"""Lazy JSON and KEY=VALUE: finds the values of known keys of a line, copies nothing.

One pass over the line.  Known keys' values become spans (a string's without its
quotes, still escaped; anything else as written); other values of JSON are skipped by
counting brackets outside strings.  A line is recognised if it is one object, or
pairs, with nothing behind, and has every key a shape requires.

It is long because JSON and pairs share the table of keys and how values become spans.
"""

cimport cython
from libc.stdint cimport uint64_t
from libc.stdlib cimport calloc, free
from libc.string cimport memcmp, memcpy, memset

from opslog.kernel._block cimport BAD_TIME, ESCAPED, UNNAMED
from opslog.kernel._bytes cimport JSON_MARKS, find_either, hash_bytes, lowest_bit
from opslog.kernel._table cimport Place, begin_table, first_place, next_place, put_item
from opslog.kernel._text cimport CHECKED, JSON_STRING, Buffer, need, put
from opslog.scanner._key_order cimport KeyOrder, KnownKey, MOST_OBJECTS, NOT_KNOWN, comes, order_of, remembered
from opslog.scanner._time cimport time_epoch, time_iso, time_micros

cdef enum:
    DEEPEST = 200               # nesting skipped at most; deeper lines are not recognised
    ABSENT = -1                 # spans of keys that are not there
    MOST_SLOTS = 1024
    SLOT_WORDS = 16
    NOTHING = -2                # and of keys that are null, until a shape is found
    WORD_SIZE = 18              # bytes of a level word's entry

ctypedef struct Values:         # what a line has of the keys that are looked for
    int32_t* row                # their spans, by slot
    uint64_t[SLOT_WORDS] have   # the slots filled, as bits: of the others the row says nothing
    uint64_t some               # likewise the slots modulo 64
    bint escaped                # whether a value holds a backslash, or is no text
    int32_t count               # how many values there are in all
    int32_t keys                # how many keys the line's own object has

cdef extern from *:
    int bits_of "__builtin_popcountll" (unsigned long long) nogil

cdef uint64_t tables_made = 0

WORD = WORD_SIZE
USES = {"no_column": NO_COLUMN, "read": READ, "inside": INSIDE, "opened": OPENED}


cdef inline void fill(Values* values, int32_t slot, int32_t begin, int32_t end) noexcept nogil:
    """Give a slot its span."""
    values.row[2 * slot] = begin
    values.row[2 * slot + 1] = end
    values.have[slot >> 6] |= <uint64_t>1 << (slot & 63)
    values.some |= <uint64_t>1 << (slot & 63)


cdef inline int32_t begin_of(const Values* values, int32_t slot) noexcept nogil:
    """Where a slot's span begins: ABSENT where its key is not there, NOTHING where it is null."""
    return values.row[2 * slot] if values.have[slot >> 6] >> (slot & 63) & 1 else ABSENT


cdef inline int32_t blanks(const uint8_t* data, int32_t at, int32_t end) noexcept nogil:
    while at < end and (data[at] == c' ' or data[at] == c'\t'):
        at += 1
    return at


cdef inline int32_t string_end(const uint8_t* data, int32_t at, int32_t end, bint* escaped) noexcept nogil:
    """Position of the quote that ends the string whose first character is at `at`, or -1."""
    while at < end:
        at = <int32_t>(find_either(data + at, data + end, c'"', c'\\') - data)
        if at >= end:
            return -1
        if data[at] == c'"':
            return at
        escaped[0] = True
        at += 2
    return -1


cdef int32_t skip(const uint8_t* data, int32_t at, int32_t end) noexcept nogil:
    """Position behind the value at `at`, or -1."""
    cdef uint8_t[DEEPEST] closing
    cdef int32_t depth = 0, begin = at
    cdef bint escaped
    cdef uint8_t c
    while True:
        while at < end and not JSON_MARKS[data[at]]:
            at += 1
        if at >= end:
            return -1
        c = data[at]
        if c == c'"':
            at = string_end(data, at + 1, end, &escaped)
            if at < 0:
                return -1
            at += 1
            if depth == 0:
                return at
        elif c == c'{' or c == c'[':
            if depth == DEEPEST:
                return -1
            closing[depth] = c'}' if c == c'{' else c']'
            depth += 1
            at += 1
        elif c == c'}' or c == c']':
            if depth == 0:
                return at if at > begin else -1
            depth -= 1
            if closing[depth] != c:
                return -1
            at += 1
            if depth == 0:
                return at
        elif depth == 0:        # a comma or blank
            return at if at > begin else -1
        else:
            at += 1


cdef int32_t only_text(const uint8_t* data, int32_t at, int32_t end, bint* escaped) noexcept nogil:
    """Where the text of the list data[at:end] ends if it is its only item, else -1."""
    cdef bint found = False
    cdef int32_t stop
    at = blanks(data, at + 1, end)
    if at >= end or data[at] != c'"':
        return -1
    stop = string_end(data, at + 1, end, &found)
    if stop < 0 or blanks(data, stop + 1, end) != end - 1:
        return -1
    escaped[0] = escaped[0] or found
    return stop


cdef inline Place* place_of(JsonTable self, const uint8_t* text, int32_t length, int32_t parent) noexcept nogil:
    """The place of the key in its table, a free one if it is none that is looked for."""
    cdef uint64_t hashed = hash_bytes(text, length, <uint64_t>parent)
    cdef Place* place = first_place(&self.known, hashed)
    cdef const Key* key
    while place.item >= 0:
        key = &self.keys[place.item]
        if (place.hash == hashed and key.length == length and key.parent == parent
                and memcmp(self.texts + key.text, text, length) == 0):
            break
        place = next_place(&self.known, place)
    return place


cdef inline Key* lookup(JsonTable self, const uint8_t* text, int32_t length, int32_t parent) noexcept nogil:
    cdef Place* place = place_of(self, text, length, parent)
    return &self.keys[place.item] if place.item >= 0 else NULL


cdef KnownKey* find_key(JsonTable self, KeyOrder* order, const uint8_t* data, int32_t before, int32_t at, int32_t end,
                        int32_t table, int32_t place, int32_t* value) noexcept nogil:
    """The key whose text begins at `at`, and where its value does; NULL if none stands there.

    Its object, or the value before it, ends at `before`.
    """
    cdef KnownKey* known
    cdef const Key* key
    cdef uint64_t hashed
    cdef bint escaped = False
    cdef int32_t stop = string_end(data, at, end, &escaped)
    if stop < 0:
        return NULL
    value[0] = blanks(data, stop + 1, end)
    if value[0] >= end or data[value[0]] != c':':
        return NULL
    value[0] = blanks(data, value[0] + 1, end)
    if escaped:
        known = &order.keys[NOT_KNOWN]
        known.key = -1
        return known
    hashed = hash_bytes(data + at, stop - at, <uint64_t>table)
    known = remembered(order, hashed, place, data + before, value[0] - before)
    if known.key == -2:
        key = lookup(self, data + at, stop - at, table)
        known.key = <int32_t>(key - self.keys) if key != NULL else -1
    return known


cdef int32_t read_object(JsonTable self, KeyOrder* order, const uint8_t* data, int32_t at, int32_t end, int32_t table,
                         Values* values) noexcept nogil:
    """Read the object whose '{' is at `at`; return the position behind it, or -1."""
    cdef int32_t begin, stop
    cdef int32_t place = -1 - table     # before its first key, where no comma may stand
    cdef int32_t* expected = &order.first[table] if table < MOST_OBJECTS else &order.keys[NOT_KNOWN].behind
    cdef KnownKey* known
    cdef Key* key
    cdef bint escaped
    at += 1
    while at < end:
        known = &order.keys[expected[0]]
        if comes(known, place, data + at, end - at):
            at = blanks(data, at + known.size, end)
        else:
            begin = at
            at = blanks(data, at, end)
            if at < end and data[at] == c'}':
                return at + 1
            if place >= 0:
                if at >= end or data[at] != c',':
                    return -1
                at = blanks(data, at + 1, end)
            if at >= end or data[at] != c'"':
                return -1
            known = find_key(self, order, data, begin, at + 1, end, table, place, &at)
            if known == NULL:
                return -1
            expected[0] = <int32_t>(known - order.keys)
        expected = &known.behind
        place = table
        values.keys += table == 0
        key = &self.keys[known.key] if known.key >= 0 else NULL
        if at >= end:
            return -1
        begin = at
        if data[at] == c'"':
            escaped = False
            stop = string_end(data, at + 1, end, &escaped)
            if stop < 0:
                return -1
            at = stop + 1
            values.count += 1
            if key != NULL and key.slot >= 0:
                values.escaped = values.escaped or escaped
                fill(values, key.slot, begin + 1, stop)
        else:
            if data[at] == c'{' and key != NULL and key.table >= 0:
                at = read_object(self, order, data, at, end, key.table, values)
                values.count += key.slot >= 0
            else:
                while at < end and not JSON_MARKS[data[at]]:
                    at += 1
                if at == begin or at >= end or JSON_MARKS[data[at]] == 2:
                    at = skip(data, begin, end)
                values.count += 1
            if at < 0:
                return -1
            if key != NULL and key.slot >= 0:
                if at - begin == 4 and memcmp(data + begin, b"null", 4) == 0:
                    fill(values, key.slot, NOTHING, NOTHING)
                else:
                    # A list of one text stands for that text.
                    stop = only_text(data, begin, at, &values.escaped) if data[begin] == c'[' else -1
                    if stop >= 0:
                        begin = blanks(data, begin + 1, at) + 1
                    elif data[begin] == c'[' or data[begin] == c'{':
                        values.escaped = True
                    fill(values, key.slot, begin, stop if stop >= 0 else at)
    return -1


cdef int32_t next_pair(const uint8_t* data, int32_t at, int32_t end, Pair* pair) noexcept nogil:
    """Read the pair KEY=VALUE at `at`; return where the next one begins, or -1 if it is none."""
    pair.key = at
    while at < end and data[at] > c' ' and data[at] != c'=' and data[at] != c'"' and data[at] != 127:
        at += 1
    pair.key_end = at
    if at == pair.key or at >= end or data[at] != c'=':
        return -1
    at += 1
    pair.value = at
    pair.escaped = False
    if at < end and data[at] == c'"':
        pair.value += 1
        at = string_end(data, pair.value, end, &pair.escaped)
        if at < 0:
            return -1
        pair.value_end = at
        at += 1
    else:
        # structlog leaves a tab as it is.
        while at < end and (data[at] > c' ' or data[at] == c'\t') and data[at] != 127:
            at += 1
        pair.value_end = at
    if at < end and data[at] != c' ':
        return -1
    while at < end and data[at] == c' ':
        at += 1
    return at


cdef int32_t read_pairs(JsonTable self, const uint8_t* data, int32_t at, int32_t end, Values* values) noexcept nogil:
    """Read the pairs at `at`; return the position behind the last one, or -1."""
    cdef int32_t count = 0
    cdef Pair pair
    cdef Key* key
    while at < end:
        at = next_pair(data, at, end, &pair)
        count += 1
        if at < 0 or count > MOST_PAIRS:
            return -1
        key = lookup(self, data + pair.key, pair.key_end - pair.key, 0)
        values.escaped = values.escaped or pair.escaped
        if key != NULL and key.slot >= 0:
            fill(values, key.slot, pair.value, pair.value_end)
    return at


cdef bint begins_pair(const uint8_t* data, int32_t at, int32_t end) noexcept nogil:
    """Whether a key and = stand at `at`: letters, digits, _ and . after a letter."""
    cdef int32_t begin = at
    cdef uint8_t c
    while at < end:
        c = data[at]
        if not (97 <= (c | 32) <= 122 or (at > begin and (48 <= c <= 57 or c == c'_' or c == c'.'))):
            return c == c'=' and at > begin
        at += 1
    return False


cdef inline bint has_port(const uint8_t* data, const int32_t* span) noexcept nogil:
    """Whether a host is written with its port; an IPv6 address without brackets is not."""
    return span[0] >= 0 and host_size(data + span[0], span[1] - span[0]) != span[1] - span[0]


cdef inline uint8_t level(const uint8_t* words, int32_t count, const uint8_t* text, int32_t length) noexcept nogil:
    """The number of the word that the text is, whatever its case; 0 if it is none."""
    cdef int32_t i, j
    cdef const uint8_t* word
    cdef uint8_t c
    for i in range(count):
        word = words + WORD_SIZE * i
        if word[1] != length:
            continue
        for j in range(length):
            c = text[j]
            if c'A' <= c <= c'Z':
                c += 32
            if c != word[2 + j]:
                break
        else:
            return word[0]
    return 0


cdef inline uint8_t shifted_level(JsonTable self, const Shape* shape, const uint8_t* text, int32_t length) noexcept nogil:
    """The number of a level word; slog's WARN+2 is two above WARN's."""
    cdef int32_t size = length, shift = 0, i
    cdef uint8_t found
    while size > 0 and length - size < 2 and 48 <= text[size - 1] <= 57:
        size -= 1
    if size > 1 and size < length and (text[size - 1] == c'+' or text[size - 1] == c'-'):
        for i in range(size, length):
            shift = 10 * shift + text[i] - 48
        if text[size - 1] == c'-':
            shift = -shift
        length = size - 1
    found = level(self.words + WORD_SIZE * shape.words, shape.word_count, text, length)
    if not found:
        found = level(self.words, self.common, text, length)
    return <uint8_t>min(max(found + shift, 1), 24) if found else 0


cdef inline uint8_t stored_level(const uint8_t* text, int32_t length) noexcept nogil:
    """The severity number that is written, 0 if it is none."""
    cdef int32_t number = 0, i
    for i in range(min(length, 3)):
        number = 10 * number + text[i] - 48 if 48 <= text[i] <= 57 else 100
    return <uint8_t>number if number <= 24 else 0


cdef bint is_stored(JsonTable self, int32_t shape, const uint8_t* data, const Values* values) noexcept nogil:
    """Whether the values are of the kinds that opslog writes: an object for the attributes only."""
    cdef int32_t word, slot, begin
    cdef uint64_t left
    for word in range((self.slots + 63) >> 6):
        left = values.have[word] & self.own[SLOT_WORDS * shape + word]
        while left:
            slot = 64 * word + lowest_bit(left)
            left &= left - 1
            begin = values.row[2 * slot]
            if begin < 0:
                continue
            # An object or a list is not in quotes.
            if (data[begin - 1] != c'"' and (data[begin] == c'{' or data[begin] == c'[')) != (
                    slot == self.shapes[shape].stored):
                return False
    return True


cdef inline bint when(const Shape* shape, const uint8_t* data, const Values* values, MatchState* state) noexcept nogil:
    """Read the time of a shape: its epoch seconds before its ISO text."""
    cdef int32_t slot = shape.micros
    cdef const int32_t* row = values.row
    if shape.micros < 0 and shape.epoch < 0 and shape.iso < 0:
        return True
    if slot >= 0 and begin_of(values, slot) >= 0:
        if time_micros(data, row[2 * slot], row[2 * slot + 1], state):
            return True
    slot = shape.epoch
    if slot >= 0 and begin_of(values, slot) >= 0:
        if time_epoch(data, row[2 * slot], row[2 * slot + 1], state):
            return True
    slot = shape.iso
    if slot >= 0 and begin_of(values, slot) >= 0:
        return time_iso(data, row[2 * slot], row[2 * slot + 1], False, True, state) == row[2 * slot + 1]
    return False


cdef void take_back(const Shape* shape, const int32_t* numbers, Values* values) noexcept nogil:
    """Empty the slots that keys filled in place of others, so that no later shape finds them there."""
    cdef int32_t j, slot, other, base = shape.otherwise
    for j in range(numbers[base]):
        slot = numbers[base + 1 + 2 * j]
        other = numbers[base + 2 + 2 * j]
        if begin_of(values, slot) >= 0 and begin_of(values, slot) == begin_of(values, other):
            values.have[slot >> 6] &= ~(<uint64_t>1 << (slot & 63))


@cython.final
cdef class JsonTable:
    """Keys to look for, and the shapes (formats) they make up."""

    def __init__(self, list keys, bytes texts, bytes numbers, list shapes, int32_t slots, bytes words,
                 int32_t common, bytes uses, bint pairs):
        global tables_made
        cdef int32_t i, j, slot, paths
        cdef Key* key
        tables_made += 1
        self.serial = tables_made
        begin_table(&self.known, 256)
        self.keys = <Key*>calloc(len(keys) + 1, sizeof(Key))
        self.shapes = <Shape*>calloc(len(shapes) + 1, sizeof(Shape))
        self.needs = <uint64_t*>calloc(len(shapes) + 1, sizeof(uint64_t))
        self.own = <uint64_t*>calloc(len(shapes) + 1, SLOT_WORDS * sizeof(uint64_t))
        if self.keys == NULL or self.shapes == NULL or self.needs == NULL or self.own == NULL:
            raise MemoryError()
        self.made_of = (keys, texts, numbers, shapes, slots, words, common, uses, pairs)
        self.uses = <Use*><char*>uses
        self.key_count = len(keys)
        if slots > MOST_SLOTS:
            raise ValueError(f"more than {MOST_SLOTS} slots")
        if len(uses) != <Py_ssize_t>sizeof(Use) * len(keys) * len(shapes):
            raise ValueError("one use of each key by each shape")
        self.texts = texts
        self.numbers = <const int32_t*><const char*>numbers
        self.words = words
        self.common = common
        self.pairs = pairs
        self.slots = slots
        for i, (text, length, parent, slot, table) in enumerate(keys):
            key = &self.keys[i]
            key.text, key.length, key.parent, key.slot, key.table = text, length, parent, slot, table
            put_item(&self.known, place_of(self, self.texts + key.text, key.length, key.parent),
                     hash_bytes(self.texts + key.text, key.length, <uint64_t>key.parent), i)
        self.shape_count = len(shapes)
        for i, shape in enumerate(shapes):
            (self.shapes[i].leaf, self.shapes[i].required, self.shapes[i].one_of, self.shapes[i].otherwise, self.shapes[i].kept,
             self.shapes[i].epoch, self.shapes[i].iso, self.shapes[i].micros,
             self.shapes[i].severity, self.shapes[i].words, self.shapes[i].word_count,
             paths, self.shapes[i].host, self.shapes[i].keeps, self.shapes[i].stored) = shape
            for j in range(self.numbers[self.shapes[i].required]):
                self.needs[i] |= <uint64_t>1 << (self.numbers[self.shapes[i].required + 1 + j] & 63)
            for j in range(self.numbers[paths]):
                slot = self.numbers[paths + 1 + j]
                self.own[SLOT_WORDS * i + (slot >> 6)] |= <uint64_t>1 << (slot & 63)

    def __reduce__(self):
        return JsonTable, self.made_of

    def __dealloc__(self):
        free(self.keys)
        free(self.known.places)
        free(self.shapes)
        free(self.needs)
        free(self.own)

    cdef int32_t match(self, const uint8_t* data, int32_t at, int32_t end,
                       int32_t* row, MatchState* state) noexcept nogil:
        """Return the leaf of the first shape that what stands at `at` has, its spans in row; or -1."""
        cdef int32_t i, j, base, slot, other, own = 0
        cdef const Shape* shape
        cdef bint complete, unnamed
        cdef Values values
        cdef int32_t words = (self.slots + 63) >> 6
        memset(values.have, 0, words * sizeof(uint64_t))
        values.row = row
        values.some = 0
        values.escaped = False
        values.count = values.keys = 0
        i = read_pairs(self, data, at, end, &values) if self.pairs else read_object(
            self, order_of(self.serial), data, at, end, 0, &values)
        if i < 0 or blanks(data, i, end) != end:
            return -1
        for i in range(self.shape_count):
            if self.needs[i] & ~values.some:
                continue
            shape = &self.shapes[i]
            complete = True
            base = shape.required
            for j in range(1, self.numbers[base] + 1):
                complete = complete and begin_of(&values, self.numbers[base + j]) != ABSENT
            base = shape.one_of
            if complete and self.numbers[base]:
                complete = False
                for j in range(1, self.numbers[base] + 1):
                    complete = complete or begin_of(&values, self.numbers[base + j]) >= 0
            if not complete:
                continue
            unnamed = False
            if shape.keeps or shape.stored >= 0:
                own = 0
                for j in range(words):
                    own += bits_of(values.have[j] & self.own[SLOT_WORDS * i + j])
                unnamed = values.count != own
            if shape.stored >= 0 and (values.keys != own or not is_stored(self, i, data, &values)):
                continue
            base = shape.otherwise
            for j in range(self.numbers[base]):
                slot = self.numbers[base + 1 + 2 * j]
                other = self.numbers[base + 2 + 2 * j]
                if begin_of(&values, slot) < 0 or row[2 * slot] == row[2 * slot + 1]:
                    if begin_of(&values, other) >= 0:
                        fill(&values, slot, row[2 * other], row[2 * other + 1])
                elif shape.keeps and begin_of(&values, other) >= 0:
                    unnamed = True
            if shape.stored >= 0 and begin_of(&values, shape.iso) == ABSENT:
                state.time = 0
                state.flags |= BAD_TIME     # written without one
            elif not when(shape, data, &values, state):
                take_back(shape, self.numbers, &values)
                continue
            if values.escaped:
                state.flags |= ESCAPED
            else:
                state.flags &= ~ESCAPED
            state.flags &= ~UNNAMED
            state.severity = 0
            if shape.severity >= 0 and begin_of(&values, shape.severity) >= 0:
                at = row[2 * shape.severity]
                j = row[2 * shape.severity + 1] - at
                state.severity = (shifted_level(self, shape, data + at, j) if shape.stored < 0
                                  else stored_level(data + at, j))
            base = shape.kept
            for j in range(self.numbers[base]):
                slot = self.numbers[base + 1 + j]
                row[2 * j] = max(begin_of(&values, slot), ABSENT)
                row[2 * j + 1] = row[2 * slot + 1] if row[2 * j] >= 0 else ABSENT
            if shape.keeps and (unnamed or (shape.host >= 0 and has_port(data, row + 2 * shape.host))):
                state.flags |= UNNAMED
            return shape.leaf
        return -1

    cdef int members(self, const uint8_t* data, int32_t at, int32_t end, bint ascii, Buffer* keys, Buffer* found) except -1 nogil:
        """Find the values of the object at `at`, likewise: each under its own key."""
        find_unnamed(self, 0, data, at, end, -1, NULL, ascii, keys, keys.used, 0, found)
        return 0

    cdef int unnamed(self, int32_t leaf, const uint8_t* data, int32_t at, int32_t end, const int32_t* row,
                     bint ascii, Buffer* keys, Buffer* found) except -1 nogil:
        """Find the values of an object matched as `leaf`, its spans in row, that fill no column.

        Their keys are put behind `keys`, each an Unnamed behind `found`.
        """
        cdef int32_t shape = leaf - self.shapes[0].leaf
        at = blanks(data, at, end)
        find_unnamed(self, shape, data, at, end, 0, row, ascii, keys, keys.used, 0, found)
        return 0


cdef int32_t find_unnamed(JsonTable self, int32_t shape, const uint8_t* data, int32_t at, int32_t end, int32_t table,
                          const int32_t* row, bint ascii, Buffer* keys, Py_ssize_t before, Py_ssize_t before_size,
                          Buffer* found) except -2 nogil:
    """Do so in the object at `at`, whose keys stand behind keys[before:]; return the position behind it."""
    cdef int32_t key_at, key_end, begin, stop, item
    cdef bint escaped, quoted
    cdef int change
    cdef const Key* key
    cdef const Use* use
    cdef Unnamed* value
    cdef Py_ssize_t start
    cdef int checked = 0 if ascii else CHECKED
    at = blanks(data, at + 1, end)
    while data[at] != c'}':
        key_at = at + 1
        escaped = False
        key_end = string_end(data, key_at, end, &escaped)
        key = NULL if escaped else lookup(self, data + key_at, key_end - key_at, table)
        use = NULL if key == NULL else &self.uses[shape * self.key_count + <int32_t>(key - self.keys)]
        change = checked | (JSON_STRING if escaped else 0)
        at = blanks(data, blanks(data, key_end + 1, end) + 1, end)
        start = keys.used
        begin = at
        if data[at] == c'{' and use != NULL and use.inside:
            add_key(keys, before, before_size, data + key_at, key_end - key_at, change)
            if use.inside == OPENED:
                keys.used = start + before_size
            else:
                need(keys, 1)
                keys.data[keys.used] = c'.'
                keys.used += 1
            at = find_unnamed(self, shape, data, at, end, key.table, row, ascii, keys, start, keys.used - start, found)
        else:
            quoted = data[at] == c'"'
            if quoted:
                stop = string_end(data, at + 1, end, &escaped)
                at = stop + 1
                begin += 1
            else:
                stop = at = skip(data, at, end)
                item = only_text(data, begin, at, &escaped) if data[begin] == c'[' else -1
                if item >= 0:
                    stop = item
                    begin = blanks(data, begin + 1, at) + 1
                    quoted = True
            if not fills_column(self, shape, use, data, begin, stop, row) and (
                    quoted or stop - begin != 4 or memcmp(data + begin, b"null", 4) != 0):
                add_key(keys, before, before_size, data + key_at, key_end - key_at, change)
                need(found, sizeof(Unnamed))
                value = <Unnamed*>(found.data + found.used)
                found.used += sizeof(Unnamed)
                value.key = start
                value.key_size = keys.used - start
                value.start = begin
                value.end = stop
        at = blanks(data, at, end)
        if data[at] == c',':
            at = blanks(data, at + 1, end)
    return at + 1


cdef inline int add_key(Buffer* keys, Py_ssize_t before, Py_ssize_t before_size, const uint8_t* key,
                        Py_ssize_t size, int change) except -1 nogil:
    """Put a key behind keys, what stands before it in front."""
    need(keys, before_size + 1)
    memcpy(keys.data + keys.used, keys.data + before, before_size)
    keys.used += before_size
    return put(keys, key, size, change)


cdef inline bint fills_column(JsonTable self, int32_t shape, const Use* use, const uint8_t* data,
                              int32_t start, int32_t end, const int32_t* row) noexcept nogil:
    """Whether a column holds all of a value: of several keys that may fill it one does."""
    cdef const int32_t* span
    if use == NULL or use.slot == NO_COLUMN:
        return False
    if use.slot == READ:
        return True
    span = row + 2 * use.slot
    if span[0] < 0 or span[1] - span[0] != end - start or memcmp(data + span[0], data + start, end - start) != 0:
        return False
    return use.slot != self.shapes[shape].host or not has_port(data, span)
