/* platform/crypto/encode.h - base64url into memory that the caller has; for this folder only. */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* Writes what `size` bytes need, without padding and without a NUL; gives the number of
 * characters. */
size_t base64url_write(const uint8_t *data, size_t size, char *ret_text);
