/* platform/cache/scripts.h - what has to happen at once in Redis, in Lua. For this folder only.
 *
 * None of them asks for the time: it is among their arguments. */
#pragma once

enum script {
    /* KEYS[1]; version (CACHE_VERSION_SIZE digits), sealed value, TTL in ms. */
    SCRIPT_PUT,
    /* KEYS: one a bucket; for each at_ms, per_s, burst, taken. Gives the levels, in milli tokens. */
    SCRIPT_TAKE,
    SCRIPTS
};
enum { SCRIPT_SHA_SIZE = 40, CACHE_VERSION_SIZE = 20 /* decimal digits of 64 bits */ };

extern const char *const cache_scripts[SCRIPTS];
