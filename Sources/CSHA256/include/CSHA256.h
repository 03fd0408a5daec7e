#ifndef CSHA256_H
#define CSHA256_H

#include <stddef.h>
#include <stdint.h>

/// Whether this processor has instructions for SHA-256.
int cf_sha256_is_fast(void);

/// Takes whole blocks of 64 bytes into the state, with those instructions; only where there are any.
void cf_sha256_blocks(uint32_t *state, const uint8_t *bytes, size_t count, const uint32_t *constants);

#endif
