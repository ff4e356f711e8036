/* Keccak-256 (the EVM's, not NIST's SHA3-256): one message, or many of one length side by side.
 *
 * The permutation is written once, over a type of lane: a 64-bit word, or as many of them as a vector register holds, one
 * of each message. Which one runs is found out when a module is loaded, so what is compiled here runs on any processor of
 * the platform. Nothing is exported: each of the modules has its own copy.
 */

#ifndef SETOFF_KECCAK_H
#define SETOFF_KECCAK_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define DIGEST 32
#define RATE 136 /* bytes that one permutation absorbs */
#define LANES (RATE / 8)

static const uint64_t ROUND_CONSTANTS[24] = {
    0x0000000000000001, 0x0000000000008082, 0x800000000000808A, 0x8000000080008000, 0x000000000000808B,
    0x0000000080000001, 0x8000000080008081, 0x8000000000008009, 0x000000000000008A, 0x0000000000000088,
    0x0000000080008009, 0x000000008000000A, 0x000000008000808B, 0x800000000000008B, 0x8000000000008089,
    0x8000000000008003, 0x8000000000008002, 0x8000000000000080, 0x000000000000800A, 0x800000008000000A,
    0x8000000080008081, 0x8000000000008080, 0x0000000080000001, 0x8000000080008008,
};

#define ROL(x, n) (((x) << (n)) | ((x) >> (64 - (n))))

/* theta's column parities and what they add to each column */
#define COLUMN(x) (s[x] ^ s[(x) + 5] ^ s[(x) + 10] ^ s[(x) + 15] ^ s[(x) + 20])
/* rho and pi: lane `from` goes to place `to`, rotated; column is from % 5 */
#define MOVE(to, from, n) b[to] = ROL(s[from] ^ d[(from) % 5], n)
/* chi along one row */
#define CHI(y)                                  \
    s[y] = b[y] ^ (~b[(y) + 1] & b[(y) + 2]);     \
    s[(y) + 1] = b[(y) + 1] ^ (~b[(y) + 2] & b[(y) + 3]); \
    s[(y) + 2] = b[(y) + 2] ^ (~b[(y) + 3] & b[(y) + 4]); \
    s[(y) + 3] = b[(y) + 3] ^ (~b[(y) + 4] & b[y]);   \
    s[(y) + 4] = b[(y) + 4] ^ (~b[y] & b[(y) + 1]);

#define DEFINE_PERMUTE(NAME, LANE, TARGET)                                                                   \
    TARGET static void NAME(LANE *state)                                                                     \
    {                                                                                                        \
        LANE s[25], b[25], c[5], d[5];                                                                       \
        memcpy(s, state, sizeof s);                                                                          \
        for (int round = 0; round < 24; round++) {                                                           \
            c[0] = COLUMN(0); c[1] = COLUMN(1); c[2] = COLUMN(2); c[3] = COLUMN(3); c[4] = COLUMN(4);        \
            d[0] = c[4] ^ ROL(c[1], 1); d[1] = c[0] ^ ROL(c[2], 1); d[2] = c[1] ^ ROL(c[3], 1);              \
            d[3] = c[2] ^ ROL(c[4], 1); d[4] = c[3] ^ ROL(c[0], 1);                                          \
            b[0] = s[0] ^ d[0];                                                                              \
            MOVE(1, 6, 44); MOVE(2, 12, 43); MOVE(3, 18, 21); MOVE(4, 24, 14);                               \
            MOVE(5, 3, 28); MOVE(6, 9, 20); MOVE(7, 10, 3); MOVE(8, 16, 45); MOVE(9, 22, 61);                \
            MOVE(10, 1, 1); MOVE(11, 7, 6); MOVE(12, 13, 25); MOVE(13, 19, 8); MOVE(14, 20, 18);             \
            MOVE(15, 4, 27); MOVE(16, 5, 36); MOVE(17, 11, 10); MOVE(18, 17, 15); MOVE(19, 23, 56);          \
            MOVE(20, 2, 62); MOVE(21, 8, 55); MOVE(22, 14, 39); MOVE(23, 15, 41); MOVE(24, 21, 2);           \
            CHI(0) CHI(5) CHI(10) CHI(15) CHI(20)                                                            \
            s[0] ^= ROUND_CONSTANTS[round];                                                                  \
        }                                                                                                    \
        memcpy(state, s, sizeof s);                                                                          \
    }

static inline uint64_t read_lane(const uint8_t *bytes)
{
    uint64_t lane;
    memcpy(&lane, bytes, 8);
#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    lane = __builtin_bswap64(lane);
#endif
    return lane;
}

static inline void write_lane(uint8_t *bytes, uint64_t lane)
{
#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    lane = __builtin_bswap64(lane);
#endif
    memcpy(bytes, &lane, 8);
}

/* The last block of a message: the bytes that are left, and the padding. */
static inline void pad(uint8_t block[RATE], const uint8_t *rest, size_t length)
{
    memcpy(block, rest, length);
    memset(block + length, 0, RATE - length);
    block[length] = 0x01;
    block[RATE - 1] |= 0x80;
}

#define DEFINE_ONE(NAME, PERMUTE, TARGET)                                                  \
    TARGET static void NAME(const uint8_t *message, size_t length, uint8_t digest[DIGEST]) \
    {                                                                                      \
        uint64_t state[25] = {0};                                                          \
        uint8_t block[RATE];                                                               \
        for (;;) {                                                                         \
            const uint8_t *bytes = message;                                                \
            if (length < RATE) {                                                           \
                pad(block, message, length);                                               \
                bytes = block;                                                             \
            }                                                                              \
            for (int lane = 0; lane < LANES; lane++)                                       \
                state[lane] ^= read_lane(bytes + 8 * lane);                                \
            PERMUTE(state);                                                                \
            if (bytes == block)                                                            \
                break;                                                                     \
            message += RATE;                                                               \
            length -= RATE;                                                                \
        }                                                                                  \
        for (int lane = 0; lane < DIGEST / 8; lane++)                                      \
            write_lane(digest + 8 * lane, state[lane]);                                    \
    }

/* WIDTH messages of one length at once. */
#define DEFINE_SIDE_BY_SIDE(NAME, LANE, WIDTH, PERMUTE, TARGET)                                                    \
    TARGET static void NAME(const uint8_t *const *messages, size_t length, uint8_t *const *digests)               \
    {                                                                                                             \
        LANE state[25];                                                                                           \
        uint8_t blocks[WIDTH][RATE];                                                                              \
        memset(state, 0, sizeof state);                                                                           \
        for (size_t at = 0;; at += RATE) {                                                                        \
            const int is_last = length - at < RATE;                                                               \
            const uint8_t *bytes[WIDTH];                                                                          \
            for (int each = 0; each < WIDTH; each++) {                                                            \
                bytes[each] = messages[each] + at;                                                                \
                if (is_last) {                                                                                    \
                    pad(blocks[each], bytes[each], length - at);                                                  \
                    bytes[each] = blocks[each];                                                                   \
                }                                                                                                 \
            }                                                                                                     \
            for (int lane = 0; lane < LANES; lane++) {                                                            \
                uint64_t words[WIDTH];                                                                            \
                LANE all;                                                                                         \
                for (int each = 0; each < WIDTH; each++)                                                          \
                    words[each] = read_lane(bytes[each] + 8 * lane);                                              \
                memcpy(&all, words, sizeof all);                                                                  \
                state[lane] ^= all;                                                                               \
            }                                                                                                     \
            PERMUTE(state);                                                                                       \
            if (is_last)                                                                                          \
                break;                                                                                            \
        }                                                                                                         \
        for (int lane = 0; lane < DIGEST / 8; lane++) {                                                           \
            uint64_t words[WIDTH];                                                                                \
            memcpy(words, &state[lane], sizeof words);                                                            \
            for (int each = 0; each < WIDTH; each++)                                                              \
                write_lane(digests[each] + 8 * lane, words[each]);                                                \
        }                                                                                                         \
    }

typedef void (*HashOne)(const uint8_t *message, size_t length, uint8_t digest[DIGEST]);
typedef void (*HashSideBySide)(const uint8_t *const *messages, size_t length, uint8_t *const *digests);

DEFINE_PERMUTE(permute_words, uint64_t, )
DEFINE_ONE(hash_by_words, permute_words, )

#if defined(__x86_64__) && defined(__GNUC__)
#define BMI __attribute__((target("bmi,bmi2")))
#define AVX2 __attribute__((target("avx2,bmi,bmi2")))
#define AVX512 __attribute__((target("avx512f,avx512vl,avx512dq,bmi,bmi2")))
typedef uint64_t Four __attribute__((vector_size(32)));
typedef uint64_t Eight __attribute__((vector_size(64)));

DEFINE_PERMUTE(permute_words_bmi, uint64_t, BMI)
DEFINE_ONE(hash_by_words_bmi, permute_words_bmi, BMI)
DEFINE_PERMUTE(permute_four, Four, AVX2)
DEFINE_SIDE_BY_SIDE(hash_four, Four, 4, permute_four, AVX2)
DEFINE_PERMUTE(permute_eight, Eight, AVX512)
DEFINE_SIDE_BY_SIDE(hash_eight, Eight, 8, permute_eight, AVX512)
#endif

#define MAX_WIDTH 8

static HashOne hash_one = hash_by_words;
static HashSideBySide hash_side_by_side = NULL;
static size_t side_by_side = 1; /* messages that `hash_side_by_side` takes */

/* Choose by what this processor has, at most `widest` messages side by side; called when a module is loaded. */
static void choose_keccak(size_t widest)
{
    hash_one = hash_by_words;
    hash_side_by_side = NULL;
    side_by_side = 1;
#if defined(__x86_64__) && defined(__GNUC__)
    __builtin_cpu_init();
    if (__builtin_cpu_supports("bmi") && __builtin_cpu_supports("bmi2") && widest > 0)
        hash_one = hash_by_words_bmi;
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq") &&
        widest >= 8) {
        hash_side_by_side = hash_eight;
        side_by_side = 8;
    }
    else if (__builtin_cpu_supports("avx2") && widest >= 4) {
        hash_side_by_side = hash_four;
        side_by_side = 4;
    }
#else
    (void)widest;
#endif
}

/* `count` messages of one length; no digest may lie where a later message does. */
static void hash_many(const uint8_t *const *messages, size_t length, size_t count, uint8_t *const *digests)
{
    size_t at = 0;
    for (; side_by_side > 1 && at + side_by_side <= count; at += side_by_side)
        hash_side_by_side(messages + at, length, digests + at);
    if (side_by_side > 1 && count - at > 1) { /* some of the places stay without use */
        const uint8_t *left[MAX_WIDTH];
        uint8_t unused[DIGEST], *to[MAX_WIDTH];
        for (size_t each = 0; each < side_by_side; each++) {
            left[each] = messages[at + each < count ? at + each : at];
            to[each] = at + each < count ? digests[at + each] : unused;
        }
        hash_side_by_side(left, length, to);
        return;
    }
    for (; at < count; at++)
        hash_one(messages[at], length, digests[at]);
}

#endif
