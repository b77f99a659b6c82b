# Timestamps in a line to microseconds since the epoch.
#
# Each function reads data[at:end] and returns the position behind what it
# accepted, or -1.  A text without an offset gives local microseconds; with one
# HAS_OFFSET is set and the value is UTC.  A text without a year is of the newest
# year in which it is not later than a day after the reference: of the source, or of
# the envelope around it, whose time it is nearest to.

from libc.stdint cimport INT64_MIN, int32_t, int64_t, uint8_t, uint64_t
from libc.string cimport memcmp, memcpy

from opslog.kernel._block cimport BAD_TIME, HAS_OFFSET
from opslog.kernel._bytes cimport same
from opslog.scanner._state cimport MatchState

cdef enum:
    DIRECTIVE = 256             # in a time program: DIRECTIVE + letter, else a literal byte
    UNPADDED = 128              # greater by it: without padding
    NO_YEAR = -1


cdef inline bint is_digit(uint8_t c) noexcept nogil:
    return <uint8_t>(c - c'0') < 10


cdef inline int32_t two(const uint8_t* p) noexcept nogil:
    """Value of two digits, or -1000 if they are none."""
    if is_digit(p[0]) and is_digit(p[1]):
        return (p[0] - c'0') * 10 + (p[1] - c'0')
    return -1000


cdef inline int64_t days(int32_t y, int32_t m, int32_t d) noexcept nogil:
    """Days since 1970-01-01 in the proleptic Gregorian calendar."""
    cdef int64_t era, doy, yoe
    if m <= 2:
        y -= 1
    era = (y if y >= 0 else y - 399) // 400
    yoe = y - era * 400
    doy = (153 * (m + (9 if m <= 2 else -3)) + 2) // 5 + d - 1
    return era * 146097 + yoe * 365 + yoe // 4 - yoe // 100 + doy - 719468


cdef inline bint is_day(int32_t y, int32_t m, int32_t d) noexcept nogil:
    if m == 2:
        return d <= (29 if y % 4 == 0 and (y % 100 != 0 or y % 400 == 0) else 28)
    return d <= (30 if m == 4 or m == 6 or m == 9 or m == 11 else 31)


cdef inline int32_t fraction(const uint8_t* data, int32_t at, int32_t end, int64_t* out) noexcept nogil:
    """Read 1 to 9 decimal digits as a fraction of a second, cut to microseconds."""
    cdef int32_t count = 0
    cdef int64_t value = 0
    while at < end and count < 9 and is_digit(data[at]):
        if count < 6:
            value = value * 10 + (data[at] - c'0')
        count += 1
        at += 1
    if count == 0:
        return -1
    while count < 6:
        value *= 10
        count += 1
    out[0] = value
    return at


cdef inline int32_t milliseconds(const uint8_t* data, int32_t at, int32_t end, int64_t* out) noexcept nogil:
    """Read 1 to 3 digits as whole milliseconds, as `%(msecs)d` prints them."""
    cdef int32_t count = 0
    cdef int64_t value = 0
    while at < end and count < 3 and is_digit(data[at]):
        value = value * 10 + (data[at] - c'0')
        count += 1
        at += 1
    if count == 0:
        return -1
    out[0] = value * 1000
    return at


cdef inline int32_t offset(const uint8_t* data, int32_t at, int32_t end, int64_t* out) noexcept nogil:
    """Read Z, +HHMM or +HH:MM; out is the offset in seconds."""
    cdef int32_t sign, h, m, p = at + 3
    if at >= end:
        return -1
    if data[at] == c'Z':
        out[0] = 0
        return at + 1
    if data[at] == c'+':
        sign = 1
    elif data[at] == c'-':
        sign = -1
    else:
        return -1
    if end - at < 5:
        return -1
    h = two(data + at + 1)
    if data[p] == c':':
        p += 1
    if end - p < 2:
        return -1
    m = two(data + p)
    if h < 0 or h > 23 or m < 0 or m > 59:
        return -1
    out[0] = sign * (h * 3600 + m * 60)
    return p + 2


cdef inline bint ends_word(const uint8_t* data, int32_t at, int32_t end) noexcept nogil:
    """Whether no letter, digit or sign goes on at `at`."""
    cdef uint8_t c
    if at >= end:
        return True
    c = data[at]
    return not (is_digit(c) or c'A' <= (c & 0xDF) <= c'Z' or c == c'_' or c == c'.' or c == c':'
                or c == c'+' or c == c'-')


cdef inline int32_t zone_name(const uint8_t* data, int32_t at, int32_t end) noexcept nogil:
    """Position behind the name of a zone, or -1; ZONES of timestamps.py are the names known."""
    cdef const char* names = (
        b" UTC GMT BST IST WET WEST CET CEST EET EEST MSK SAST EAT WAT CAT PKT WIB WITA WIT SGT HKT PHT "
        b"JST KST AWST AEST AEDT ACST ACDT NZST NZDT AST ADT EST EDT CST CDT MST MDT PST PDT AKST AKDT "
        b"HST BRT ART CLT ")
    cdef int32_t size = 0, i = 0
    cdef bint signed = at < end and (data[at] == c'+' or data[at] == c'-')
    while at + size < end and size < 6 and (
            (is_digit(data[at + size]) or size == 0) if signed else c'A' <= data[at + size] <= c'Z'):
        size += 1
    if not ends_word(data, at + size, end):
        return -1
    if signed:
        return at + size if size == 3 or size == 5 else -1
    if size < 3 or size > 4:
        return -1
    while names[i + 1]:
        if names[i] == c' ' and memcmp(names + i + 1, data + at, size) == 0 and names[i + 1 + size] == c' ':
            return at + size
        i += 1
    return -1


cdef inline int32_t offset_behind(const uint8_t* data, int32_t at, int32_t end, int64_t* out) noexcept nogil:
    """Read " +HHMM", " +HH:MM", " +HHMM CEST" or " UTC", each with " m=+0.123" behind it, as Go prints it.

    The blank at `at` is there; out is the offset in seconds.
    """
    cdef int32_t q = at + 1, after
    if end - at < 4:
        return -1
    if data[q] == c'+' or data[q] == c'-':
        after = q + 6 if end - q > 3 and data[q + 3] == c':' else q + 5
        if end < after or not ends_word(data, after, end):
            return -1
        q = offset(data, q, end, out)
        if q < 0:
            return -1
        if q + 1 < end and data[q] == c' ':
            after = zone_name(data, q + 1, end)
            if after > 0:
                q = after
    elif (memcmp(data + q, b"UTC", 3) == 0 or memcmp(data + q, b"GMT", 3) == 0) and ends_word(data, q + 3, end):
        out[0] = 0
        q += 3
    else:
        return -1
    if end - q > 6 and data[q] == c' ' and data[q + 1] == c'm' and data[q + 2] == c'=' and (
            data[q + 3] == c'+' or data[q + 3] == c'-'):
        after = q + 4
        while after < end and is_digit(data[after]):
            after += 1
        if after > q + 4 and after + 1 < end and data[after] == c'.' and is_digit(data[after + 1]):
            after += 1
            while after < end and is_digit(data[after]):
                after += 1
            if ends_word(data, after, end):
                q = after
    return q


cdef inline int32_t time_iso(const uint8_t* data, int32_t at, int32_t end, bint msecs, bint zone,
                               MatchState* state) noexcept nogil:
    """Read YYYY-MM-DD[ T]HH:MM:SS with optional fraction and offset.

    With msecs a fraction of less than three digits counts whole milliseconds,
    and a second one (",123.123") is skipped.  With zone an offset may stand behind a
    blank, as Go prints it.
    """
    cdef const uint8_t* p = data + at
    cdef int32_t q, after, h1, h2, y, mo, d, h, mi, s
    cdef int64_t us = 0, seconds, shift
    if end - at < 19:
        return -1
    if same(p, state.second_text, 19):
        seconds = state.second
        state.flags &= ~(HAS_OFFSET | BAD_TIME)
    else:
        h1 = two(p); h2 = two(p + 2); mo = two(p + 5); d = two(p + 8)
        h = two(p + 11); mi = two(p + 14); s = two(p + 17)
        if (h1 < 0 or h2 < 0 or p[4] != c'-' or mo < 1 or mo > 12 or p[7] != c'-'
                or d < 1 or d > 31 or (p[10] != c' ' and p[10] != c'T')
                or h < 0 or h > 23 or p[13] != c':' or mi < 0 or mi > 59
                or p[16] != c':' or s < 0 or s > 60):
            return -1
        y = h1 * 100 + h2
        state.flags &= ~(HAS_OFFSET | BAD_TIME)
        seconds = days(y, mo, d) * 86400 + h * 3600 + mi * 60 + s
        if is_day(y, mo, d):
            memcpy(state.second_text, p, 19)
            state.second = seconds
        else:
            state.flags |= BAD_TIME
    q = at + 19
    if q + 1 < end and (data[q] == c'.' or data[q] == c',') and is_digit(data[q + 1]):
        after = fraction(data, q + 1, end, &us)
        if msecs and after - q <= 3:
            milliseconds(data, q + 1, end, &us)
        q = after
        if (msecs and end - q >= 4 and data[q] == c'.' and is_digit(data[q + 1])
                and is_digit(data[q + 2]) and is_digit(data[q + 3])):
            q += 4
    after = offset(data, q, end, &shift)
    if after < 0 and zone and q < end and data[q] == c' ':
        after = offset_behind(data, q, end, &shift)
    if after > 0:
        q = after
        seconds -= shift
        state.flags |= HAS_OFFSET
    state.time = seconds * 1000000 + us
    return q


cdef inline int64_t one_day() noexcept nogil:
    return <int64_t>86400 * 1000000


cdef inline int32_t year_of(int64_t time) noexcept nogil:
    """Year of microseconds since the epoch."""
    cdef int64_t day = time // one_day() - (time % one_day() < 0) + 719468
    cdef int64_t era = day // 146097 - (day % 146097 < 0)
    cdef int64_t doe = day - era * 146097
    cdef int64_t yoe = (doe - doe // 1460 + doe // 36524 - doe // 146096) // 365
    # Years of this reckoning begin on 1 March.
    return <int32_t>(era * 400 + yoe + (doe - (365 * yoe + yoe // 4 - yoe // 100) >= 306))


cdef inline int64_t nearest_year() noexcept nogil:
    """How much later than a time a reference is that gives the year nearest to the time."""
    return 182 * one_day() + one_day() // 2 - one_day()


cdef inline int32_t newest_year(int32_t mo, int32_t d, int64_t time, int64_t reference) noexcept nogil:
    """The newest year in which this day, and time of day, is at most a day after the reference."""
    cdef int64_t latest = reference + one_day()
    cdef int32_t y = year_of(latest)
    while (mo == 2 and d == 29 and not is_day(y, mo, d)) or days(y, mo, d) * one_day() + time > latest:
        y -= 1
    return y


cdef inline int32_t unpadded(const uint8_t* data, int32_t at, int32_t end, int32_t* out) noexcept nogil:
    """Read two digits, one digit, or a blank and one digit."""
    cdef bint blank = at < end and data[at] == c' '
    at += blank
    if at >= end or not is_digit(data[at]):
        return -1
    out[0] = data[at] - c'0'
    at += 1
    if at < end and is_digit(data[at]):
        if blank:
            return -1
        out[0] = out[0] * 10 + (data[at] - c'0')
        at += 1
    return at


cdef inline int32_t padded_day(const uint8_t* data, int32_t at, int32_t end, int32_t* out) noexcept nogil:
    """Read one or two digits behind any number of blanks."""
    while at < end and data[at] == c' ':
        at += 1
    return unpadded(data, at, end, out)


cdef inline int32_t seconds_with_exponent(const uint8_t* data, int32_t at, int32_t end, int64_t* seconds,
                                          int64_t* us) noexcept nogil:
    """Read seconds as 1.7e+09 has them: one digit, others behind a point, an exponent from 8 to 10."""
    cdef int64_t value = 0
    cdef int32_t count = 0, exponent, i
    cdef uint8_t[19] digits
    if at >= end or not is_digit(data[at]):
        return -1
    digits[0] = data[at] - c'0'
    at += 1
    if at < end and data[at] == c'.':
        at += 1
        while at < end and count < 18 and is_digit(data[at]):
            count += 1
            digits[count] = data[at] - c'0'
            at += 1
        if not count:
            return -1
    if end - at < 4 or data[at] != c'e' or data[at + 1] != c'+':
        return -1
    exponent = two(data + at + 2)
    if exponent < 8 or exponent > 10:
        return -1
    for i in range(exponent + 7):       # with six places behind the point
        value = value * 10 + (digits[i] if i <= count else 0)
    if exponent + 7 <= count and digits[exponent + 7] >= 5:
        value += 1
    seconds[0] = value // 1000000
    us[0] = value % 1000000
    return at + 4


cdef inline int32_t month(const uint8_t* p) noexcept nogil:
    cdef const char* table = "JanFebMarAprMayJunJulAugSepOctNovDec"
    cdef int32_t m
    for m in range(12):
        if memcmp(p, table + 3 * m, 3) == 0:
            return m + 1
    return -1


cdef inline int32_t foreign_month(const uint8_t* data, int32_t at, int32_t end, int32_t* out) noexcept nogil:
    """Read the longest month of FOREIGN_MONTHS: six bytes or zeros, then its number."""
    cdef const char* table = (
        b"jan\000\000\000\001janv.\000\001ene\000\000\000\001gen\000\000\000\001sty\000\000\000\001\321\217\320\275\320\262\001J\303\244n\000\000\0011\354\233\224\000\000\0011\346\234\210\000\000\001"
        b"feb\000\000\000\002f\303\251vr.\002fev\000\000\000\002lut\000\000\000\002\321\204\320\265\320\262\0022\354\233\224\000\000\0022\346\234\210\000\000\002"
        b"M\303\244r\000\000\003mar\000\000\000\003mars\000\000\003mrt\000\000\000\003\320\274\320\260\321\200\0033\354\233\224\000\000\0033\346\234\210\000\000\003"
        b"apr\000\000\000\004avril\000\004abr\000\000\000\004kwi\000\000\000\004\320\260\320\277\321\200\0044\354\233\224\000\000\0044\346\234\210\000\000\004"
        b"Mai\000\000\000\005mai\000\000\000\005may\000\000\000\005mag\000\000\000\005mei\000\000\000\005maj\000\000\000\005\320\274\320\260\321\217\0055\354\233\224\000\000\0055\346\234\210\000\000\005"
        b"jun\000\000\000\006juin\000\000\006giu\000\000\000\006cze\000\000\000\006\320\270\321\216\320\275\0066\354\233\224\000\000\0066\346\234\210\000\000\006"
        b"jul\000\000\000\007juil.\000\007lug\000\000\000\007lip\000\000\000\007\320\270\321\216\320\273\0077\354\233\224\000\000\0077\346\234\210\000\000\007"
        b"aug\000\000\000\010ao\303\273t\000\010ago\000\000\000\010sie\000\000\000\010\320\260\320\262\320\263\0108\354\233\224\000\000\0108\346\234\210\000\000\010"
        b"sep\000\000\000\011sept.\000\011set\000\000\000\011wrz\000\000\000\011\321\201\320\265\320\275\0119\354\233\224\000\000\0119\346\234\210\000\000\011"
        b"Okt\000\000\000\012oct\000\000\000\012oct.\000\000\012ott\000\000\000\012out\000\000\000\012okt\000\000\000\012pa\305\272\000\000\012\320\276\320\272\321\202\01210\354\233\224\000\01210\346\234\210\000\012"
        b"nov\000\000\000\013nov.\000\000\013lis\000\000\000\013\320\275\320\276\321\217\01311\354\233\224\000\01311\346\234\210\000\013"
        b"Dez\000\000\000\014dec\000\000\000\014dez\000\000\000\014des\000\000\000\014d\303\251c.\000\014dic\000\000\000\014gru\000\000\000\014\320\264\320\265\320\272\01412\354\233\224\000\01412\346\234\210\000\014"
    )
    cdef int32_t i, size, longest = 0
    for i in range(93):
        size = 3
        while size < 6 and table[7 * i + size] != 0:
            size += 1
        if size > longest and size <= end - at and memcmp(data + at, table + 7 * i, size) == 0:
            out[0] = table[7 * i + 6]
            longest = size
    return at + longest if longest else -1


cdef inline bint weekday(const uint8_t* p) noexcept nogil:
    cdef const char* table = "MonTueWedThuFriSatSun"
    cdef int32_t d
    for d in range(7):
        if memcmp(p, table + 3 * d, 3) == 0:
            return True
    return False


cdef inline int32_t time_program(const int32_t* program, const uint8_t* data, int32_t at, int32_t end, MatchState* state) noexcept nogil:
    """Read a timestamp by the program of a strftime pattern (count, then its steps)."""
    cdef int32_t y = NO_YEAR, mo = 1, d = 1, h = 0, mi = 0, s = 0, i, code, v, count
    cdef int64_t us = 0, shift = 0, epoch = -1
    state.flags &= ~(HAS_OFFSET | BAD_TIME)
    for i in range(1, program[0] + 1):
        code = program[i]
        if code < DIRECTIVE:
            if at >= end or data[at] != code:
                return -1
            at += 1
            continue
        code -= DIRECTIVE
        if code == c'f':
            at = fraction(data, at, end, &us)
        elif code == c'N':
            count = at
            at = fraction(data, at, end, &us)
            if at - count != 9 or (at < end and is_digit(data[at])):
                return -1
        elif code == c'L':
            at = milliseconds(data, at, end, &us)
        elif code == c'z':
            at = offset(data, at, end, &shift)
            state.flags |= HAS_OFFSET
        elif code == c'Z':
            if end - at < 3 or (memcmp(data + at, b"UTC", 3) != 0 and memcmp(data + at, b"GMT", 3) != 0):
                return -1
            at += 3
            state.flags |= HAS_OFFSET
        elif code == c's':
            count = 0
            epoch = 0
            while at < end and count < 11 and is_digit(data[at]):
                epoch = epoch * 10 + (data[at] - c'0')
                at += 1
                count += 1
            if count == 0:
                return -1
            state.flags |= HAS_OFFSET
        elif code == c'g':
            at = seconds_with_exponent(data, at, end, &epoch, &us)
            state.flags |= HAS_OFFSET
        elif code == UNPADDED + c'm':
            if at < end and data[at] == c' ':
                return -1
            at = unpadded(data, at, end, &mo)
            if mo < 1 or mo > 12:
                return -1
        elif code == c'b' or code == c'a':
            if end - at < 3:
                return -1
            if code == c'b':
                mo = month(data + at)
                if mo < 0:
                    return -1
            elif not weekday(data + at):
                return -1
            at += 3
        elif code == c'B':
            at = foreign_month(data, at, end, &mo)
        elif code == c'e':
            at = padded_day(data, at, end, &d)
            if d < 1 or d > 31:
                return -1
        elif code == c'k':
            at = unpadded(data, at, end, &h)
            if h > 23:
                return -1
        elif code == c'I':
            if at < end and data[at] == c' ':
                return -1
            at = unpadded(data, at, end, &h)
            if h < 1 or h > 12:
                return -1
            h %= 12
        elif code == c'p':
            if end - at < 2 or (memcmp(data + at, b"AM", 2) != 0 and memcmp(data + at, b"am", 2) != 0
                                and memcmp(data + at, b"PM", 2) != 0 and memcmp(data + at, b"pm", 2) != 0):
                return -1
            if h < 12 and (data[at] == c'P' or data[at] == c'p'):
                h += 12
            at += 2
        else:
            if end - at < 2:
                return -1
            v = two(data + at)
            if code == c'Y':
                if end - at < 4 or v < 0:
                    return -1
                y = two(data + at + 2)
                if y < 0:
                    return -1
                y += v * 100
                at += 2
            elif code == c'y':
                # POSIX strptime: 69-99 are 19xx, 00-68 are 20xx.
                y = v + (2000 if v < 69 else 1900)
                if v < 0:
                    return -1
            elif code == c'm':
                mo = v
                if v < 1 or v > 12:
                    return -1
            elif code == c'd':
                d = v
                if v < 1 or v > 31:
                    return -1
            elif code == c'H':
                h = v
                if v < 0 or v > 23:
                    return -1
            elif code == c'M':
                mi = v
                if v < 0 or v > 59:
                    return -1
            else:
                s = v
                if v < 0 or v > 60:
                    return -1
            at += 2
        if at < 0:
            return -1
    if epoch < 0:
        if y == NO_YEAR and state.reference != INT64_MIN:
            y = newest_year(mo, d, (h * 3600 + mi * 60 + s) * <int64_t>1000000 + us, state.reference)
        if y == NO_YEAR or not is_day(y, mo, d):
            state.flags |= BAD_TIME
        epoch = days(y, mo, d) * 86400 + h * 3600 + mi * 60 + s
    state.time = (epoch - shift) * 1000000 + us
    return at


cdef inline bint time_epoch(const uint8_t* data, int32_t at, int32_t end, MatchState* state) noexcept nogil:
    """Read all of data[at:end] as time since the epoch with a decimal fraction.

    Up to 11 digits are seconds, up to 14 milliseconds, up to 17 microseconds, up to 19 nanoseconds.
    """
    cdef uint64_t whole = 0
    cdef int64_t us = 0
    cdef int32_t count = 0, places, i
    state.flags &= ~(HAS_OFFSET | BAD_TIME)
    while at < end and count < 20 and is_digit(data[at]):
        whole = whole * 10 + (data[at] - c'0')
        at += 1
        count += 1
    if count == 0 or count == 20:
        return False
    places = 6 if count < 12 else 3 if count < 15 else 0
    if count > 17:
        whole //= 1000
    for i in range(places):
        whole *= 10
    if at < end and data[at] == c'.':
        at += 1
        count = 0
        while at < end and is_digit(data[at]):
            if count < places:
                us = us * 10 + (data[at] - c'0')
            elif count == places and data[at] >= c'5':
                us += 1         # repr() of a float is rounded, so round what it prints
            count += 1
            at += 1
        while count < places:
            us *= 10
            count += 1
    if at != end:
        return False
    state.time = <int64_t>whole + us
    state.flags |= HAS_OFFSET
    return True


cdef inline bint time_micros(const uint8_t* data, int32_t at, int32_t end, MatchState* state) noexcept nogil:
    """Read all of data[at:end] as microseconds since the epoch."""
    cdef int64_t value = 0
    if at >= end or end - at > 18:
        return False
    while at < end:
        if not is_digit(data[at]):
            return False
        value = value * 10 + (data[at] - c'0')
        at += 1
    state.flags &= ~BAD_TIME
    state.flags |= HAS_OFFSET
    state.time = value
    return True
