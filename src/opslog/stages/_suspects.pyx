"""Which texts may hold a secret: one pass over the bytes of a column, for few of which rules are asked.

A text is suspected for a word, with what has to stand behind it, or for base64 of a text.

The file is longer than others because the words and what has to stand behind them are looked at in one pass.
"""

from collections.abc import Callable

from libc.stdint cimport int32_t, uint8_t, uint32_t
from libc.string cimport memcmp, memcpy, memset

from opslog.kernel._bytes cimport all_ascii, utf8_length
from opslog.kernel._screen cimport Screen

cdef enum:
    HASHES = 32768              # of three classes of bytes
    BEGINS = 32768              # bytes; a bit for each three of them
    CLASSES = 64                # of the bytes with which words begin; all others are one
    MOST_WORDS = 2048           # one of two bytes counts for each third
    LONGEST = 80                # bytes of a name
    LONGEST_URL = 5000
    RUN = 16                    # letters of base64 that are looked into
    ROOM = 192                  # bytes of what name_begin and name_end find together
    PLAIN_RUN = 1000            # PLAIN
    REMEMBERED = 4096           # names of which is known whether they are secrets'

cdef struct Word:
    int32_t begin, size, kind, number, next
    uint8_t last                # its last byte, a small letter if it is one

cdef struct Known:
    int32_t size
    bint secret
    uint8_t[ROOM] name

ANYWHERE, NAME, URL, BYTES, PLAIN = -1, -2, -3, -4, PLAIN_RUN
"""What a word has to be: itself, part of a secret's name with a value, before an @, the begin of a list of a text's
bytes; from 0, so many bytes follow, and if PLAIN is added just so many letters and digits."""

cdef uint8_t[256] NAMES, RUNS, PLAINS, SIXTY_FOUR, ENCODES_BEFORE, ENCODES_BEHIND
cdef int _c
for _c in range(256):
    NAMES[_c] = chr(_c).isalnum() and _c < 128 or _c in b"_.-"
    RUNS[_c] = NAMES[_c] or _c in b"+/=$,*%"
    PLAINS[_c] = chr(_c).isalnum() and _c < 128
    # Beside a name: what is encoded may have another name.
    ENCODES_BEFORE[_c] = _c in b"\\%+&;#^?\x1b"
    ENCODES_BEHIND[_c] = _c in b"\\%+&#^\x1b"
    SIXTY_FOUR[_c] = 255
for _c in range(64):
    SIXTY_FOUR[b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"[_c]] = _c
SIXTY_FOUR[c"-"] = 62
SIXTY_FOUR[c"_"] = 63


cdef inline bint is_hex(uint8_t c) noexcept nogil:
    return 48 <= c <= 57 or 97 <= c | 32 <= 102


cdef inline bint hex_run(const uint8_t* p, const uint8_t* end) noexcept nogil:
    cdef int32_t n = 0
    if p < end and (p[0] == c"'" or p[0] == c'"'):
        p += 1
    while p < end and is_hex(p[0]):
        p += 1
        n += 1
        if n == 8:
            return True
    return False


cdef inline bint is_mixed(const uint8_t* p, const uint8_t* end) noexcept nogil:
    """Whether a word of eight bytes or more is at p, with capitals, small letters and digits in it.

    What is no ASCII, or may encode something else, may be any of these.
    """
    cdef const uint8_t* begin = p
    cdef bint digit = False, small = False, capital = False, other
    while p < end and p[0] > 32:
        other = p[0] > 127 or ENCODES_BEFORE[p[0]]
        digit |= 48 <= p[0] <= 57 or other
        small |= 97 <= p[0] <= 122 or other
        capital |= 65 <= p[0] <= 90 or other
        p += 1
        if p - begin >= 8 and digit and small and capital:
            return True
    return False


cdef inline bint is_random(const uint8_t* p, const uint8_t* end) noexcept nogil:
    """Whether the word at p is a long one, or one of eight bytes or more with letters and digits."""
    cdef int32_t n = 0
    cdef bint digit = False, letter = False
    while p < end and p[0] > 32 and n < 24:
        digit |= 48 <= p[0] <= 57 or p[0] > 127
        letter |= 97 <= p[0] | 32 <= 122 or p[0] > 127
        p += 1
        n += 1
    return n == 24 or (n >= 8 and digit and letter)


cdef inline bint is_object(const uint8_t* p, const uint8_t* end) noexcept nogil:
    """Whether an object of Python stands at p: ``<TokenModel (...``, ``<object at 0x...``."""
    if p == end or p[0] != c"<":
        return False
    p += 1
    if p < end and not 65 <= p[0] <= 90:
        return False
    while p < end and (NAMES[p[0]] and p[0] != c"-"):
        p += 1
    return end - p > 2 and p[0] == c" " and p[1] == c"("


cdef inline bint is_bytes(const uint8_t* p, const uint8_t* end) noexcept nogil:
    """Whether the numbers of a list that begins at p are those of a text, as far as the first eight tell."""
    cdef int32_t n, number
    for n in range(8):
        while p < end and p[0] == c" ":
            p += 1
        number = 0
        while p < end and 48 <= p[0] <= 57 and number < 256:
            number = 10 * number + p[0] - 48
            p += 1
        if not (32 <= number < 256 or number == 9 or number == 10 or number == 13) or p == end or p[0] != c",":
            return False
        p += 1
    return True


cdef inline bint has_at(const uint8_t* p, const uint8_t* end) noexcept nogil:
    """Whether an @, or %40, stands in the word that goes on at p."""
    if end - p > LONGEST_URL:
        end = p + LONGEST_URL
    while p < end and p[0] > 32:
        if p[0] == c"@" or (p[0] == c"%" and end - p > 2 and p[2] == c"0" and (p[1] == c"4" or p[1] == c"2")) or (p[0] == c"&" and end - p > 1 and p[1] == c"#"):
            return True
        p += 1
    return False


cdef const uint8_t* name_end(const uint8_t* p, const uint8_t* end) noexcept nogil:
    """Return the end of the name that goes on at p."""
    cdef const uint8_t* stop = p + LONGEST
    while p < end and p < stop and NAMES[p[0]]:
        p += 1
    return p


cdef const uint8_t* name_begin(const uint8_t* begin, const uint8_t* p) noexcept nogil:
    cdef const uint8_t* stop = p - LONGEST
    while p > begin and p > stop and NAMES[(p - 1)[0]]:
        p -= 1
    return p


cdef bint begins_sentence(const uint8_t* p, const uint8_t* end) noexcept nogil:
    """Whether a word stands at p that may lead to a value: those of _SAID in named_secrets.py."""
    cdef uint8_t a = p[0]
    cdef uint8_t b, c
    if end - p < 6:
        return False
    b, c = p[1], p[2]
    return (
        (a == c"i" and b == c"s") or (a == c"w" and b == c"a" and c == c"s")
        or (a == c"h" and b == c"a" and c == c"s") or (a == c"t" and b == c"o" and (c == c" " or c == c":"))
        or (a == c"o" and b == c"f" and c == c" ") or (a == c"f" and b == c"o" and c == c"r")
        or (a == c"g" and b == c"e" and c == c"n") or (a == c"a" and b == c"u" and c == c"t")
        or (a == c"s" and b == c"t" and c == c"r") or (a == c"s" and b == c"e" and c == c"t")
        or (a == c"c" and b == c"h" and c == c"a") or (a == c"r" and b == c"e" and c == c"s")
        or (a == c"n" and b == c"o" and c == c"w")
    )


cdef bint has_value(const uint8_t* begin, const uint8_t* word, const uint8_t* p, const uint8_t* end) noexcept nogil:
    """Whether a value may stand behind the name that ends at p and holds the word at ``word``."""
    cdef const uint8_t* stop = p + 40
    cdef const uint8_t* behind = p
    cdef const uint8_t* first
    cdef uint8_t c
    if end - p < 2:
        return False
    if p[0] == c"]":
        p += 1
    c = p[0]
    if c == c":" or c == c"=":
        while p < end and p < stop and (p[0] == c":" or p[0] == c"=" or p[0] == c" "):
            p += 1
        # What keystoneauth has made of a token stays.
        return p < end and not (end - p > 4 and p[0] == c"{" and p[1] == c"S" and p[2] == c"H" and p[3] == c"A")
    if (c == c"'" or c == c'"') and end - p > 5 and p[1] == c":" and p[2] == c" " and is_object(p + 3, end):
        return False
    if c == c">" or c == c"'" or c == c'"' or c == c"\\" or c == c"[" or c == c"`" or c == c"%" or c == c"&" or c == c"," or c == c"|" or c == c"\n" or c == c"\r":
        return True
    if c == 0x1b or c == c"#" or c == c"^" or c == 0xC2 or c == 0xEF:
        return True  # colours, escaped control characters, other blanks and colons
    if c == c"/":
        return hex_run(p + 1, end)
    if c == c";":
        return NAMES[p[1]] or p[1] == c'"'  # the head of a table
    if c != c" " and c != c"\t" and c != c"+":
        return False
    while p < end and p < stop and (p[0] == c" " or p[0] == c"\t" or p[0] == c"+"):
        p += 1
    if p == end:
        return False
    if c == c"\t":
        return True
    c = p[0]
    first = name_begin(begin, word)
    if c == c"=" and first == word and first > begin and (first - 1)[0] == c"/" and behind - first < 7 and first[1] | 32 == c"o" and first[0] | 32 == c"t" and end - p > 3 and p[1] == c">" and p[2] == c" " and NAMES[p[3]]:
        return is_random(p + 3, end)  # uWSGI's "GET /v3/auth/tokens => generated"
    if (c == c"u" or c == c"b") and end - p > 2 and (p[1] == c"'" or p[1] == c'"'):
        return True
    if c == c":" or c == c"=" or c == c"-" or c == c"'" or c == c'"' or c == c"\\" or c == c"," or c == c"%" or c == c"&" or c == c"\n" or c == c"`" or c == c"|" or (c == c"v" and end - p > 3 and p[1] == c"a" and p[2] == c"l"):
        return True
    if begins_sentence(p, end) or hex_run(p, end) or is_mixed(p, end):
        return True
    return first[0] == c"-" or (first > begin and ((first - 1)[0] == c"<" or (first - 1)[0] == c":" or (first - 1)[0] == c";"))


cdef inline bint is_no_text(uint8_t c) noexcept nogil:
    """Whether no character of a text begins with this byte."""
    return (c < 32 and c != 9 and c != 10 and c != 13) or 127 <= c < 0xC2


cdef bint is_base64(const uint8_t* p, const uint8_t* end) noexcept nogil:
    """Whether the base64 that begins at p is of a text, as far as the first bytes tell."""
    cdef uint8_t[RUN] plain
    cdef int32_t i, n = 0, size
    cdef uint32_t four
    if end - p < RUN:
        return False
    # Of hardly any word are the first two bytes those of a text.
    i = ((SIXTY_FOUR[p[0]] << 2) | (SIXTY_FOUR[p[1]] >> 4)) & 255
    if is_no_text(i) or (i < 128 and is_no_text(((SIXTY_FOUR[p[1]] << 4) | (SIXTY_FOUR[p[2]] >> 2)) & 255)):
        return False
    for i in range(0, RUN, 4):
        four = ((<uint32_t>SIXTY_FOUR[p[i]] << 18) | (<uint32_t>SIXTY_FOUR[p[i + 1]] << 12)
                | (<uint32_t>SIXTY_FOUR[p[i + 2]] << 6) | SIXTY_FOUR[p[i + 3]])
        plain[n] = (four >> 16) & 255
        plain[n + 1] = (four >> 8) & 255
        plain[n + 2] = four & 255
        n += 3
    i = 0
    while i < n:
        if plain[i] < 128:
            if plain[i] == 127 or (plain[i] < 32 and plain[i] != 9 and plain[i] != 10 and plain[i] != 13):
                return False
            i += 1
            continue
        size = utf8_length(plain + i, n - i)
        if size == 0:
            return plain[i] >= 0xC2 and n - i < 4
        i += size
    return True


cdef inline uint32_t hash_of(uint32_t a, uint32_t b, uint32_t c) noexcept nogil:
    """The hash of three classes of bytes."""
    return ((a << 12 | b << 6 | c) * <uint32_t>0x9E3779B1) >> 17


cdef class Suspects(Screen):
    """Words that tell which texts may hold a secret.

    ``words``: pairs of a word, of two bytes or more of ASCII, and its kind.  ``is_secret``
    says of a name whether it is a secret's.  As a screen it holds back such texts, and the rows
    of an attribute of such a name.
    """
    cdef uint8_t[256] _classes          # of bytes: capitals are small letters
    cdef uint8_t[BEGINS] _near          # bits: which three classes are in the begin of a word
    cdef int32_t[HASHES] _first         # by the hash of three classes: the first of the words that begin so
    cdef Word[MOST_WORDS] _words
    cdef int32_t _count
    cdef bytes _text
    cdef const uint8_t* _bytes
    cdef object _is_secret
    cdef Known[REMEMBERED] _known

    def __init__(self, words: list[tuple[bytes, int]], is_secret: Callable[[str], bool]) -> None:
        cdef int32_t i, hash_
        cdef uint32_t four
        self._is_secret = is_secret
        for i in range(REMEMBERED):
            self._known[i].size = -1
        for i in range(HASHES):
            self._first[i] = -1
        memset(self._near, 0, BEGINS)
        memset(self._classes, 0, 256)
        self.shortest = 6
        begun = sorted({c for word, _ in words for c in word[:4].lower()})
        if len(begun) >= CLASSES:
            raise ValueError("words: expected them to begin with fewer different bytes")
        for i, c in enumerate(begun, 1):
            self._classes[c] = i
            self._classes[chr(c).upper().encode()[0]] = i
        self._text = b"".join(word for word, _ in words)
        self._bytes = self._text
        self._count = 0
        at = 0
        every = range(CLASSES)
        for number, (word, kind) in enumerate(words):
            a, b, *rest = (self._classes[c] for c in word[:4])
            for c in rest[:1] or every:
                if self._count == MOST_WORDS:
                    raise ValueError("words: expected fewer")
                hash_ = hash_of(a, b, c)
                self._words[self._count] = Word(at, len(word), kind, number, self._first[hash_], word[len(word) - 1] | 32)
                self._first[hash_] = self._count
                self._count += 1
                self._come_near(a, b, c)
                if rest:
                    for d in rest[1:] or every:
                        self._come_near(b, c, d)
            if not rest:
                for c in every:
                    self._come_near(c, a, b)
            at += len(word)

    cdef void _come_near(self, uint32_t a, uint32_t b, uint32_t c) noexcept:
        cdef uint32_t h = a << 12 | b << 6 | c
        self._near[h >> 3] |= <uint8_t>(1 << (h & 7))

    cdef inline int32_t _at(self, const uint8_t* p) noexcept nogil:
        """Return the first entry of words that may begin with the three bytes at p, or -1."""
        return self._first[hash_of(self._classes[p[0]], self._classes[p[1]], self._classes[p[2]])]

    cdef int _secret(self, const uint8_t* begin, const uint8_t* first, const uint8_t* stop, const uint8_t* end) except -1 nogil:
        """Return whether the name from ``first`` up to ``stop`` is a secret's, or part of one that is encoded."""
        cdef int32_t size
        if (first > begin and ENCODES_BEFORE[(first - 1)[0]]) or (stop < end and ENCODES_BEHIND[stop[0]]):
            return True
        if first > begin + 1 and (first - 1)[0] == c"[" and ((first - 2)[0] == 0x1b or (first - 2)[0] == c"^" or (first - 2)[0] == c"3"):
            return True  # a colour
        while stop > first and ((stop - 1)[0] == c"." or (stop - 1)[0] == c"-"):
            stop -= 1
        size = stop - first
        if first > begin and (first - 1)[0] == c" " and (size == 3 or size == 4) and first[0] | 32 == c"k":
            return True  # "secret key"
        return self._asked(first, size)

    cdef int _asked(self, const uint8_t* name, int32_t size) except -1 nogil:
        """Return whether a name, of ASCII and at most ROOM bytes, is a secret's."""
        cdef uint32_t h = 2166136261
        cdef Known* known
        cdef int32_t i
        for i in range(size):
            h = (h ^ name[i]) * 16777619
        with gil:  # what is remembered is shared by all threads
            known = &self._known[(h ^ (h >> 15)) % REMEMBERED]
            if known.size != size or memcmp(known.name, name, size):
                known.size = -1
                known.secret = self._is_secret((<const char*>name)[:size].decode("ascii"))
                memcpy(known.name, name, size)
                known.size = size
            return known.secret

    cdef int holds(self, const uint8_t* begin, const uint8_t* end) except -1 nogil:
        return self._suspect(begin, end)

    cdef int named(self, const uint8_t* name, Py_ssize_t size) except -1 nogil:
        return size > ROOM or not all_ascii(name, size) or self._asked(name, <int32_t>size)

    cdef int32_t _word(self, const uint8_t* begin, const uint8_t* p, const uint8_t* end, int32_t number) except -2 nogil:
        """Return which entry is of a word at p with what it has to have behind it, or -1."""
        cdef const uint8_t* text = self._bytes
        cdef const Word* word
        cdef const uint8_t* stop
        cdef int32_t i, found, wanted
        cdef uint8_t* run
        cdef uint8_t a, b
        while number >= 0:
            word = &self._words[number]
            found = number
            number = word.next
            if end - p < word.size or p[word.size - 1] | 32 != word.last:
                continue
            for i in range(word.size):
                a, b = p[i], text[word.begin + i]
                if word.kind < 0 and 65 <= a <= 90:
                    a |= 32
                if a != b:
                    break
            else:
                if word.kind == -1:
                    return found
                if word.kind == -2:
                    stop = name_end(p + word.size, end)
                    if has_value(begin, p, stop, end) and self._secret(begin, name_begin(begin, p), stop, end):
                        return found
                    continue
                if word.kind == -4:
                    if is_bytes(p + 1, end):
                        return found
                    continue
                if word.kind == -3:
                    if has_at(p + word.size, end):
                        return found
                    continue
                wanted, run = word.kind, RUNS
                if wanted >= PLAIN_RUN:
                    wanted, run = wanted - PLAIN_RUN, PLAINS
                i = 0
                while i < wanted and p + word.size + i < end and run[p[word.size + i]]:
                    i += 1
                if i == wanted and not (run is PLAINS and p + word.size + i < end and PLAINS[p[word.size + i]]):
                    return found
        return -1

    cdef bint _base64(self, const uint8_t* begin, const uint8_t* end) noexcept nogil:
        """Whether base64 of a text may be there: of 16 letters or more, one is each sixteenth byte."""
        cdef const uint8_t* p = begin + RUN - 1
        cdef const uint8_t* q
        while p < end:
            if SIXTY_FOUR[p[0]] == 255:
                p += RUN
                continue
            q = p
            while q > begin and SIXTY_FOUR[(q - 1)[0]] != 255:
                q -= 1
            while p < end and SIXTY_FOUR[p[0]] != 255:
                p += 1
            while p - q >= RUN:
                if is_base64(q, p):
                    return True
                while q < p and q[0] != c"/":
                    q += 1
                q += 1
            p += RUN - 1
        return False

    cdef int _suspect(self, const uint8_t* begin, const uint8_t* end) except -1 nogil:
        cdef const uint8_t* p = begin
        cdef const uint8_t* last = end - 3
        cdef uint32_t a, b, c, h
        cdef int32_t number
        if end - begin < self.shortest:
            return False
        # Each second byte: there is that of a word with which it begins, or the one behind or before.
        a = self._classes[p[0]]
        while p <= last:
            b, c = self._classes[p[1]], self._classes[p[2]]
            h = a << 12 | b << 6 | c
            if self._near[h >> 3] >> (h & 7) & 1:
                number = self._first[hash_of(a, b, c)]
                if number >= 0 and self._word(begin, p, end, number) >= 0:
                    return True
                if p > begin:
                    number = self._at(p - 1)
                    if number >= 0 and self._word(begin, p - 1, end, number) >= 0:
                        return True
                if p < last:
                    number = self._at(p + 1)
                    if number >= 0 and self._word(begin, p + 1, end, number) >= 0:
                        return True
            a = c
            p += 2
        if p == last + 1:
            number = self._at(p - 1)
            if number >= 0 and self._word(begin, p - 1, end, number) >= 0:
                return True
        return self._base64(begin, end)

    def hits(self, text: bytes) -> list[tuple[int, int, int]]:
        """Return the words found: the number of each (-1: base64), where it begins and ends.

        Of a name that is where the whole name begins and ends; no name is there twice.
        """
        cdef const uint8_t* begin = <const uint8_t*>text
        cdef const uint8_t* end = begin + len(text)
        cdef const uint8_t* p = begin
        cdef const uint8_t* named = begin
        cdef const uint8_t* first
        cdef int32_t number
        found = []
        if end - begin < self.shortest:
            return found
        while p + 2 < end:
            number = self._at(p)
            while number >= 0:
                number = self._word(begin, p, end, number)
                if number < 0:
                    break
                if self._words[number].kind != -2:
                    found.append((self._words[number].number, p - begin, p + self._words[number].size - begin))
                elif p >= named:
                    first = name_begin(begin, p)
                    named = name_end(p + self._words[number].size, end)
                    found.append((self._words[number].number, first - begin, named - begin))
                number = self._words[number].next
            p += 1
        if self._base64(begin, end):
            found.append((-1, 0, 0))
        return found

    def text(self, text: bytes) -> bool:
        """Return whether ``text`` may hold a secret."""
        cdef const uint8_t* p = <const uint8_t*>text
        return self._suspect(p, p + len(text))

    def base64(self, text: bytes) -> bool:
        """Return whether base64 of a text may be in ``text``."""
        cdef const uint8_t* p = <const uint8_t*>text
        return self._base64(p, p + len(text))

    def rows(self, const int32_t[::1] offsets, const uint8_t[::1] data, Py_ssize_t first, Py_ssize_t count) -> list[int]:
        """Return which of ``count`` texts from ``first`` on may hold a secret, from 0 on."""
        cdef Py_ssize_t row
        found = []
        if not count or not data.shape[0]:
            return found
        for row in range(count):
            if self._suspect(&data[0] + offsets[first + row], &data[0] + offsets[first + row + 1]):
                found.append(row)
        return found
