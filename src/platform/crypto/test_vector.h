/* platform/crypto/test_vector.h - published vectors are in hex; for this folder's tests. */
#pragma once

#include "base/arena.h"
#include "base/str.h"

/* The bytes of lower case hex. */
str bytes_of_hex(struct arena *arena, const char *hex);
