/* support/json_at.h - one value out of a JSON text, for tests. */
#pragma once

#include "base/arena.h"
#include "base/str.h"

/* The value at an RFC 6901 pointer (without escapes): a text as it is, anything else as compact JSON; absent if there is none. The
 * test fails if `text` is no JSON. */
str json_at(struct arena *arena, str text, const char *pointer);
