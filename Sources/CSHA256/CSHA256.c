#include "CSHA256.h"

#if defined(__x86_64__)

#include <cpuid.h>
#include <immintrin.h>

int cf_sha256_is_fast(void) {
  unsigned a, b, c, d;
  // Intel SDM, CPUID: leaf 1 has SSSE3 and SSE4.1, leaf 7 has SHA.
  if (!__get_cpuid(1, &a, &b, &c, &d) || !(c & bit_SSSE3) || !(c & bit_SSE4_1)) return 0;
  return __get_cpuid_count(7, 0, &a, &b, &c, &d) && (b & (1u << 29));
}

// The instructions work on the state as two vectors of other order than FIPS 180-4 names it: A B E F and C D G H.
__attribute__((target("sha,sse4.1,ssse3"))) void cf_sha256_blocks(
  uint32_t *state, const uint8_t *bytes, size_t count, const uint32_t *constants
) {
  const __m128i big_endian = _mm_set_epi64x(0x0c0d0e0f08090a0bll, 0x0405060700010203ll);
  __m128i low = _mm_shuffle_epi32(_mm_loadu_si128((const __m128i *)state), 0xb1);
  __m128i high = _mm_shuffle_epi32(_mm_loadu_si128((const __m128i *)(state + 4)), 0x1b);
  __m128i abef = _mm_alignr_epi8(low, high, 8);
  __m128i cdgh = _mm_blend_epi16(high, low, 0xf0);
  for (; count > 0; count--, bytes += 64) {
    const __m128i abef_before = abef, cdgh_before = cdgh;
    __m128i w[4];
#pragma clang loop unroll(full)
    for (int four = 0; four < 16; four++) {
      if (four < 4) {
        w[four] = _mm_shuffle_epi8(_mm_loadu_si128((const __m128i *)(bytes + 16 * four)), big_endian);
      } else {
        // The message schedule, four words at a time: 16, 12, 8 and 4 words back.
        const __m128i back16 = w[four & 3], back12 = w[(four + 1) & 3];
        const __m128i back8 = w[(four + 2) & 3], back4 = w[(four + 3) & 3];
        const __m128i sum = _mm_add_epi32(_mm_sha256msg1_epu32(back16, back12), _mm_alignr_epi8(back4, back8, 4));
        w[four & 3] = _mm_sha256msg2_epu32(sum, back4);
      }
      const __m128i k = _mm_loadu_si128((const __m128i *)(constants + 4 * four));
      const __m128i wk = _mm_add_epi32(w[four & 3], k);
      cdgh = _mm_sha256rnds2_epu32(cdgh, abef, wk);
      abef = _mm_sha256rnds2_epu32(abef, cdgh, _mm_shuffle_epi32(wk, 0x0e));
    }
    abef = _mm_add_epi32(abef, abef_before);
    cdgh = _mm_add_epi32(cdgh, cdgh_before);
  }
  const __m128i feba = _mm_shuffle_epi32(abef, 0x1b);
  const __m128i dchg = _mm_shuffle_epi32(cdgh, 0xb1);
  _mm_storeu_si128((__m128i *)state, _mm_blend_epi16(feba, dchg, 0xf0));
  _mm_storeu_si128((__m128i *)(state + 4), _mm_alignr_epi8(dchg, feba, 8));
}

#else

int cf_sha256_is_fast(void) { return 0; }

void cf_sha256_blocks(uint32_t *state, const uint8_t *bytes, size_t count, const uint32_t *constants) {
  (void)state, (void)bytes, (void)count, (void)constants;
}

#endif
