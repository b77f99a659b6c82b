/* Byte searches, sixteen at a time where the machine has SSE2.
 *
 * Every function looks at [p, end) only.  The portable versions are the
 * definition; tests build the kernels with OPSLOG_PORTABLE to compare both.
 */
#ifndef OPSLOG_VECTOR_H
#define OPSLOG_VECTOR_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#if defined(__SSE2__) && !defined(OPSLOG_PORTABLE)
#include <emmintrin.h>
#define OPSLOG_SSE2 1
#endif

/* What reads whole files is worth code for newer machines, chosen where it runs. */
#if defined(__x86_64__) && defined(__GNUC__) && !defined(OPSLOG_PORTABLE)
#include <immintrin.h>
#define OPSLOG_AVX2 1
#endif

static inline int opslog_is_request(uint8_t c)
{
    return (uint8_t)(c - '0') < 10 || (uint8_t)((c | 0x20) - 'a') < 26 || c == '-';
}

static inline int opslog_is_hex(uint8_t c)
{
    /* No jump: which of both it is cannot be foreseen. */
    return ((uint8_t)(c - '0') < 10) | ((uint8_t)((c | 0x20) - 'a') < 6);
}

#ifdef OPSLOG_SSE2
/* Which of the sixteen bytes at p are hexadecimal digits, as bits. */
static inline int opslog_hex_digits(const uint8_t *p)
{
    __m128i x = _mm_loadu_si128((const __m128i *)p);
    __m128i lower = _mm_or_si128(x, _mm_set1_epi8(0x20));
    __m128i digit = _mm_and_si128(_mm_cmpgt_epi8(x, _mm_set1_epi8('0' - 1)),
                                  _mm_cmplt_epi8(x, _mm_set1_epi8('9' + 1)));
    __m128i letter = _mm_and_si128(_mm_cmpgt_epi8(lower, _mm_set1_epi8('a' - 1)),
                                   _mm_cmplt_epi8(lower, _mm_set1_epi8('f' + 1)));
    return _mm_movemask_epi8(_mm_or_si128(digit, letter));
}
#endif

/* The first blank, tab, bracket, ESC or `stop`, or end. */
static inline const uint8_t *opslog_token_end(const uint8_t *p, const uint8_t *end, uint8_t stop)
{
#ifdef OPSLOG_SSE2
    const __m128i blank = _mm_set1_epi8(' '), tab = _mm_set1_epi8('\t');
    const __m128i open = _mm_set1_epi8('['), close = _mm_set1_epi8(']');
    const __m128i escape = _mm_set1_epi8(0x1B), last = _mm_set1_epi8((char)stop);
    while (end - p >= 16) {
        __m128i x = _mm_loadu_si128((const __m128i *)p);
        __m128i hit = _mm_or_si128(
            _mm_or_si128(_mm_or_si128(_mm_cmpeq_epi8(x, blank), _mm_cmpeq_epi8(x, tab)),
                         _mm_cmpeq_epi8(x, escape)),
            _mm_or_si128(_mm_or_si128(_mm_cmpeq_epi8(x, open), _mm_cmpeq_epi8(x, close)),
                         _mm_cmpeq_epi8(x, last)));
        int mask = _mm_movemask_epi8(hit);
        if (mask)
            return p + __builtin_ctz((unsigned)mask);
        p += 16;
    }
#endif
    while (p < end && *p != ' ' && *p != '\t' && *p != '[' && *p != ']' && *p != 0x1B &&
           *p != stop)
        p++;
    return p;
}

/* The first byte that is no ASCII letter, digit or '-', or end. */
static inline const uint8_t *opslog_request_end(const uint8_t *p, const uint8_t *end)
{
#ifdef OPSLOG_SSE2
    while (end - p >= 16) {
        __m128i x = _mm_loadu_si128((const __m128i *)p);
        __m128i lower = _mm_or_si128(x, _mm_set1_epi8(0x20));
        __m128i digit = _mm_and_si128(_mm_cmpgt_epi8(x, _mm_set1_epi8('0' - 1)),
                                      _mm_cmplt_epi8(x, _mm_set1_epi8('9' + 1)));
        __m128i letter = _mm_and_si128(_mm_cmpgt_epi8(lower, _mm_set1_epi8('a' - 1)),
                                       _mm_cmplt_epi8(lower, _mm_set1_epi8('z' + 1)));
        __m128i good = _mm_or_si128(_mm_or_si128(digit, letter),
                                    _mm_cmpeq_epi8(x, _mm_set1_epi8('-')));
        int mask = _mm_movemask_epi8(good) ^ 0xFFFF;
        if (mask)
            return p + __builtin_ctz((unsigned)mask);
        p += 16;
    }
#endif
    while (p < end && opslog_is_request(*p))
        p++;
    return p;
}

/* The first byte that is no hexadecimal digit, or end. */
static inline const uint8_t *opslog_hex_end(const uint8_t *p, const uint8_t *end)
{
#ifdef OPSLOG_SSE2
    while (end - p >= 16) {
        int mask = opslog_hex_digits(p) ^ 0xFFFF;
        if (mask)
            return p + __builtin_ctz((unsigned)mask);
        p += 16;
    }
#endif
    while (p < end && opslog_is_hex(*p))
        p++;
    return p;
}

/* Whether the 36 bytes at p are a UUID. */
static inline int opslog_is_uuid(const uint8_t *p)
{
    if (p[8] != '-' || p[13] != '-' || p[18] != '-' || p[23] != '-')
        return 0;
#ifdef OPSLOG_SSE2
    return (opslog_hex_digits(p) | 1 << 8 | 1 << 13) == 0xFFFF &&
           (opslog_hex_digits(p + 16) | 1 << 2 | 1 << 7) == 0xFFFF &&
           (opslog_hex_digits(p + 20) | 1 << 3) == 0xFFFF;
#else
    for (int i = 0; i < 36; i++)
        if (!opslog_is_hex(p[i]) && i != 8 && i != 13 && i != 18 && i != 23)
            return 0;
    return 1;
#endif
}

/* The first a or b, or end. */
static inline const uint8_t *opslog_find_either(const uint8_t *p, const uint8_t *end, uint8_t a,
                                                uint8_t b)
{
#ifdef OPSLOG_SSE2
    const __m128i first = _mm_set1_epi8((char)a), second = _mm_set1_epi8((char)b);
    while (end - p >= 16) {
        __m128i x = _mm_loadu_si128((const __m128i *)p);
        int mask = _mm_movemask_epi8(
            _mm_or_si128(_mm_cmpeq_epi8(x, first), _mm_cmpeq_epi8(x, second)));
        if (mask)
            return p + __builtin_ctz((unsigned)mask);
        p += 16;
    }
#endif
    while (p < end && *p != a && *p != b)
        p++;
    return p;
}

/* The first decimal digit or quote, or end. */
static inline const uint8_t *opslog_find_digit_or_quote(const uint8_t *p, const uint8_t *end)
{
#ifdef OPSLOG_SSE2
    const __m128i below = _mm_set1_epi8('0' - 1), above = _mm_set1_epi8('9' + 1);
    const __m128i one = _mm_set1_epi8('\''), two = _mm_set1_epi8('"');
    while (end - p >= 16) {
        __m128i x = _mm_loadu_si128((const __m128i *)p);
        __m128i digit = _mm_and_si128(_mm_cmpgt_epi8(x, below), _mm_cmplt_epi8(x, above));
        __m128i quote = _mm_or_si128(_mm_cmpeq_epi8(x, one), _mm_cmpeq_epi8(x, two));
        int mask = _mm_movemask_epi8(_mm_or_si128(digit, quote));
        if (mask)
            return p + __builtin_ctz((unsigned)mask);
        p += 16;
    }
#endif
    while (p < end && (*p < '0' || *p > '9') && *p != '\'' && *p != '"')
        p++;
    return p;
}

/* Whether eight digits of a hexadecimal number stand at p, letters in lower case. */
static inline int opslog_eight_digits(const uint8_t *p)
{
#ifdef OPSLOG_SSE2
    __m128i x = _mm_loadl_epi64((const __m128i *)p);
    __m128i digit = _mm_and_si128(_mm_cmpgt_epi8(x, _mm_set1_epi8('0' - 1)),
                                  _mm_cmplt_epi8(x, _mm_set1_epi8('9' + 1)));
    __m128i letter = _mm_and_si128(_mm_cmpgt_epi8(x, _mm_set1_epi8('a' - 1)),
                                   _mm_cmplt_epi8(x, _mm_set1_epi8('f' + 1)));
    return (_mm_movemask_epi8(_mm_or_si128(digit, letter)) & 0xFF) == 0xFF;
#else
    for (int i = 0; i < 8; i++)
        if ((uint8_t)(p[i] - '0') >= 10 && (uint8_t)(p[i] - 'a') >= 6)
            return 0;
    return 1;
#endif
}

/* The first eight hexadecimal digits behind `req-` or `tx`, or end.  None of these
 * letters is such a digit, so that the next search may begin behind them. */
static inline const uint8_t *opslog_find_id(const uint8_t *p, const uint8_t *end)
{
    const uint8_t *start = p;
#ifdef OPSLOG_SSE2
    const __m128i q = _mm_set1_epi8('q'), dash = _mm_set1_epi8('-');
    const __m128i t = _mm_set1_epi8('t'), x = _mm_set1_epi8('x');
    while (end - p >= 26) {
        __m128i one = _mm_loadu_si128((const __m128i *)p);
        __m128i two = _mm_loadu_si128((const __m128i *)(p + 1));
        unsigned mask = (unsigned)_mm_movemask_epi8(
            _mm_or_si128(_mm_and_si128(_mm_cmpeq_epi8(one, q), _mm_cmpeq_epi8(two, dash)),
                         _mm_and_si128(_mm_cmpeq_epi8(one, t), _mm_cmpeq_epi8(two, x))));
        while (mask) {
            const uint8_t *at = p + __builtin_ctz(mask);
            if ((*at == 't' || (at - start >= 2 && at[-1] == 'e' && at[-2] == 'r')) &&
                opslog_eight_digits(at + 2))
                return at + 2;
            mask &= mask - 1;
        }
        p += 16;
    }
#endif
    for (; end - p >= 10; p++)
        if (((p[0] == 't' && p[1] == 'x') ||
             (p[0] == 'q' && p[1] == '-' && p - start >= 2 && p[-1] == 'e' && p[-2] == 'r')) &&
            opslog_eight_digits(p + 2))
            return p + 2;
    return end;
}

/* The first `\u`, or `[` before a blank or a digit, as a list of numbers begins, or end. */
static inline const uint8_t *opslog_find_hidden(const uint8_t *p, const uint8_t *end)
{
#ifdef OPSLOG_SSE2
    const __m128i escape = _mm_set1_epi8('\\'), u = _mm_set1_epi8('u');
    const __m128i list = _mm_set1_epi8('['), zero = _mm_set1_epi8('0');
    const __m128i nine = _mm_set1_epi8(9), blank = _mm_set1_epi8(' ');
    while (end - p >= 17) {
        __m128i one = _mm_loadu_si128((const __m128i *)p);
        __m128i two = _mm_loadu_si128((const __m128i *)(p + 1));
        __m128i number = _mm_sub_epi8(two, zero);
        __m128i either = _mm_or_si128(_mm_cmpeq_epi8(_mm_min_epu8(two, blank), two),
                                      _mm_cmpeq_epi8(_mm_min_epu8(number, nine), number));
        int mask = _mm_movemask_epi8(
            _mm_or_si128(_mm_and_si128(_mm_cmpeq_epi8(one, escape), _mm_cmpeq_epi8(two, u)),
                         _mm_and_si128(_mm_cmpeq_epi8(one, list), either)));
        if (mask)
            return p + __builtin_ctz((unsigned)mask);
        p += 16;
    }
#endif
    for (; end - p >= 2; p++)
        if ((p[0] == '\\' && p[1] == 'u') ||
            (p[0] == '[' && (p[1] <= ' ' || (uint8_t)(p[1] - '0') < 10)))
            return p;
    return end;
}

#ifdef OPSLOG_SSE2
/* Which of sixteen bytes JSON escapes, as bits. */
static inline int opslog_escaped(__m128i x)
{
    return _mm_movemask_epi8(
        _mm_or_si128(_mm_or_si128(_mm_cmpeq_epi8(x, _mm_set1_epi8('"')),
                                  _mm_cmpeq_epi8(x, _mm_set1_epi8('\\'))),
                     _mm_cmpeq_epi8(_mm_min_epu8(x, _mm_set1_epi8(0x1F)), x)));
}
#endif

/* Copies bytes to out until one that JSON escapes; returns how many.  May write
 * up to 16 bytes behind what it returns. */
static inline size_t opslog_copy_plain(uint8_t *out, const uint8_t *p, size_t n)
{
    size_t i = 0;
#ifdef OPSLOG_SSE2
    if (n >= 16) {
        while (i < n) {
            /* The last sixteen overlap those before, which are plain. */
            size_t at = n - i >= 16 ? i : n - 16;
            __m128i x = _mm_loadu_si128((const __m128i *)(p + at));
            int mask = opslog_escaped(x);
            _mm_storeu_si128((__m128i *)(out + at), x);
            if (mask)
                return at + (size_t)__builtin_ctz((unsigned)mask);
            i = at + 16;
        }
        return n;
    }
    if (n >= 4) {
        /* Two halves that overlap, of eight bytes or of four. */
        uint64_t low, high;
        size_t half = n >= 8 ? 8 : 4;
        if (n >= 8) {
            memcpy(&low, p, 8);
            memcpy(&high, p + n - 8, 8);
        } else {
            uint32_t first, last;
            memcpy(&first, p, 4);
            memcpy(&last, p + n - 4, 4);
            low = first | (uint64_t)0x20202020 << 32;
            high = last | (uint64_t)0x20202020 << 32;
        }
        if (opslog_escaped(_mm_set_epi64x((long long)high, (long long)low)) == 0) {
            memcpy(out, &low, 8);
            memcpy(out + n - half, &high, 8);
            return n;
        }
    }
#endif
    while (i < n && p[i] >= 0x20 && p[i] != '"' && p[i] != '\\') {
        out[i] = p[i];
        i++;
    }
    return i;
}

/* Likewise until one that is no printable ASCII. */
static inline size_t opslog_copy_printable(uint8_t *out, const uint8_t *p, size_t n)
{
    size_t i = 0;
#ifdef OPSLOG_SSE2
    while (n - i >= 16) {
        __m128i x = _mm_loadu_si128((const __m128i *)(p + i));
        /* As signed numbers, bytes above 127 are less than a blank. */
        __m128i good = _mm_andnot_si128(_mm_cmpeq_epi8(x, _mm_set1_epi8(0x7F)),
                                        _mm_cmpgt_epi8(x, _mm_set1_epi8(0x1F)));
        int mask = _mm_movemask_epi8(good) ^ 0xFFFF;
        _mm_storeu_si128((__m128i *)(out + i), x);
        if (mask)
            return i + (size_t)__builtin_ctz((unsigned)mask);
        i += 16;
    }
#endif
    while (i < n && p[i] >= 0x20 && p[i] < 0x7F) {
        out[i] = p[i];
        i++;
    }
    return i;
}

/* Whether no byte is above 127. */
static inline int opslog_all_ascii(const uint8_t *p, size_t n)
{
    uint64_t seen = 0, word;
    size_t i = 0;
    for (; n - i >= 8; i += 8) {
        memcpy(&word, p + i, 8);
        seen |= word;
    }
    for (; i < n; i++)
        seen |= p[i];
    return (seen & 0x8080808080808080ULL) == 0;
}

/* Where the m bytes of a short text stand first in [p, end), or NULL; m is at least 1. */
static inline const uint8_t *opslog_find_text(const uint8_t *p, const uint8_t *end,
                                              const uint8_t *text, size_t m)
{
    if (m == 1)
        return (const uint8_t *)memchr(p, text[0], (size_t)(end - p));
#ifdef OPSLOG_SSE2
    const __m128i first = _mm_set1_epi8((char)text[0]), last = _mm_set1_epi8((char)text[m - 1]);
    while (end - p >= (ptrdiff_t)(m + 15)) {
        __m128i x = _mm_loadu_si128((const __m128i *)p);
        __m128i y = _mm_loadu_si128((const __m128i *)(p + m - 1));
        unsigned mask = (unsigned)_mm_movemask_epi8(
            _mm_and_si128(_mm_cmpeq_epi8(x, first), _mm_cmpeq_epi8(y, last)));
        while (mask) {
            const uint8_t *at = p + __builtin_ctz(mask);
            if (memcmp(at + 1, text + 1, m - 1) == 0)
                return at;
            mask &= mask - 1;
        }
        p += 16;
    }
#endif
    return (const uint8_t *)memmem(p, (size_t)(end - p), text, m);
}

#ifdef OPSLOG_AVX2
/* What opslog_find_text_or_hidden says, but for the last bytes: a place there may be none. */
__attribute__((target("avx2"))) static inline const uint8_t *
opslog_find_text_or_hidden_avx2(const uint8_t *p, const uint8_t *end, const uint8_t *text, size_t m)
{
    const __m256i first = _mm256_set1_epi8((char)text[0]);
    const __m256i last = _mm256_set1_epi8((char)text[m - 1]);
    const __m256i escape = _mm256_set1_epi8('\\'), u = _mm256_set1_epi8('u');
    const __m256i list = _mm256_set1_epi8('['), zero = _mm256_set1_epi8('0');
    const __m256i nine = _mm256_set1_epi8(9), blank = _mm256_set1_epi8(' ');
    for (; end - p >= (ptrdiff_t)(m + 32); p += 32) {
        __m256i one = _mm256_loadu_si256((const __m256i *)p);
        __m256i two = _mm256_loadu_si256((const __m256i *)(p + 1));
        __m256i far = _mm256_loadu_si256((const __m256i *)(p + m - 1));
        __m256i number = _mm256_sub_epi8(two, zero);
        __m256i either = _mm256_or_si256(_mm256_cmpeq_epi8(_mm256_min_epu8(two, blank), two),
                                         _mm256_cmpeq_epi8(_mm256_min_epu8(number, nine), number));
        __m256i hidden = _mm256_or_si256(
            _mm256_and_si256(_mm256_cmpeq_epi8(one, escape), _mm256_cmpeq_epi8(two, u)),
            _mm256_and_si256(_mm256_cmpeq_epi8(one, list), either));
        __m256i plain =
            _mm256_and_si256(_mm256_cmpeq_epi8(one, first), _mm256_cmpeq_epi8(far, last));
        unsigned mask = (unsigned)_mm256_movemask_epi8(_mm256_or_si256(plain, hidden));
        while (mask) {
            const uint8_t *at = p + __builtin_ctz(mask);
            if (*at == '\\' || *at == '[' || memcmp(at, text, m) == 0)
                return at;
            mask &= mask - 1;
        }
    }
    return p;
}
#endif

/* The first place where the m bytes of a text stand, or that opslog_find_hidden finds, or end.
 * The text begins with neither `\` nor `[`; m is at least 1.  *hidden keeps what was found
 * behind p, so that a search that goes on from place to place passes over no byte twice; NULL
 * before the first. */
static inline const uint8_t *opslog_find_text_or_hidden(const uint8_t *p, const uint8_t *end,
                                                        const uint8_t *text, size_t m,
                                                        const uint8_t **hidden)
{
    const uint8_t *found;
#ifdef OPSLOG_AVX2
    if (__builtin_cpu_supports("avx2")) {
        p = opslog_find_text_or_hidden_avx2(p, end, text, m);
        if (end - p >= (ptrdiff_t)(m + 32))
            return p;
    }
#endif
    if (*hidden == NULL || *hidden < p)
        *hidden = opslog_find_hidden(p, end);
    if (end - *hidden > (ptrdiff_t)(m - 1))
        end = *hidden + m - 1;
    found = opslog_find_text(p, end, text, m);
    return found ? found : *hidden;
}

/* How many of the n bytes at p, from the first on, are from low to high, each from its own. */
static inline size_t opslog_within(const uint8_t *p, const uint8_t *low, const uint8_t *high,
                                   size_t n)
{
    size_t i = 0;
#ifdef OPSLOG_SSE2
    while (i < n && n >= 16) {
        /* The last sixteen overlap those before, which are within. */
        size_t at = n - i >= 16 ? i : n - 16;
        __m128i x = _mm_loadu_si128((const __m128i *)(p + at));
        __m128i l = _mm_loadu_si128((const __m128i *)(low + at));
        __m128i h = _mm_loadu_si128((const __m128i *)(high + at));
        __m128i good = _mm_and_si128(_mm_cmpeq_epi8(_mm_max_epu8(x, l), x),
                                     _mm_cmpeq_epi8(_mm_min_epu8(x, h), x));
        int mask = _mm_movemask_epi8(good) ^ 0xFFFF;
        if (mask)
            return at + (size_t)__builtin_ctz((unsigned)mask);
        i = at + 16;
    }
#endif
    while (i < n && low[i] <= p[i] && p[i] <= high[i])
        i++;
    return i;
}

/* memcmp() == 0 without a call for the short texts of a log line. */
static inline int opslog_same(const uint8_t *a, const uint8_t *b, size_t n)
{
    uint64_t x, y;
    if (n >= 8) {
        size_t i = 0;
        for (; i + 8 <= n; i += 8) {
            memcpy(&x, a + i, 8);
            memcpy(&y, b + i, 8);
            if (x != y)
                return 0;
        }
        memcpy(&x, a + n - 8, 8);
        memcpy(&y, b + n - 8, 8);
        return x == y;
    }
    for (size_t i = 0; i < n; i++)
        if (a[i] != b[i])
            return 0;
    return 1;
}

/* Whether p, of which room bytes may be read, begins with the first n bytes of text, of 32. */
static inline int opslog_begins_with(const uint8_t *p, ptrdiff_t room, const uint8_t *text,
                                     size_t n)
{
#ifdef OPSLOG_SSE2
    if (room >= 32) {
        unsigned low = (unsigned)_mm_movemask_epi8(_mm_cmpeq_epi8(
            _mm_loadu_si128((const __m128i *)p), _mm_loadu_si128((const __m128i *)text)));
        unsigned high = (unsigned)_mm_movemask_epi8(
            _mm_cmpeq_epi8(_mm_loadu_si128((const __m128i *)(p + 16)),
                           _mm_loadu_si128((const __m128i *)(text + 16))));
        return ((low | high << 16) | (unsigned)(0xFFFFFFFFULL << n)) == 0xFFFFFFFFU;
    }
#endif
    return room >= (ptrdiff_t)n && memcmp(p, text, n) == 0;
}

/* Marks of what ends a number or word of JSON: 1; of what begins or ends something else: 2. */
static const uint8_t opslog_json_marks[256] = {
    [' '] = 1, ['\t'] = 1, [','] = 1, ['"'] = 2, ['{'] = 2, ['['] = 2, ['}'] = 2, [']'] = 2};

/* Writes the UUID of the request id p[0:40] ("req-" and a UUID) as 32 lower-case
 * hex digits; returns whether it is one.  Without one, out is scribbled over. */
static inline int opslog_request_uuid(uint8_t *out, const uint8_t *p)
{
    int good = 1;
    if (memcmp(p, "req-", 4) != 0 || p[12] != '-' || p[17] != '-' || p[22] != '-' || p[27] != '-')
        return 0;
    memcpy(out, p + 4, 8);
    memcpy(out + 8, p + 13, 4);
    memcpy(out + 12, p + 18, 4);
    memcpy(out + 16, p + 23, 4);
    memcpy(out + 20, p + 28, 12);
#ifdef OPSLOG_SSE2
    for (int i = 0; i < 32; i += 16) {
        __m128i x = _mm_loadu_si128((const __m128i *)(out + i));
        good &= opslog_hex_digits(out + i) == 0xFFFF;
        _mm_storeu_si128((__m128i *)(out + i), _mm_or_si128(x, _mm_set1_epi8(0x20)));
    }
#else
    for (int i = 0; i < 32; i++) {
        uint8_t c = out[i];
        out[i] = c | 0x20;
        good &= opslog_is_hex(c);
    }
#endif
    return good;
}

#endif
