/* platform/cache/scripts.c - see scripts.h. SCRIPT_TAKE is bucket_fill once more: a test holds them
 * against each other. */
#include "platform/cache/scripts.h"

/* Versions have a fixed number of digits, so that texts compare as numbers do in every locale. */
static const char put[] = "local there = redis.call('GETRANGE', KEYS[1], 0, 19)\n"
                          "if #there == 20 and there > ARGV[1] then return 0 end\n"
                          "redis.call('SET', KEYS[1], ARGV[1] .. ARGV[2], 'PX', ARGV[3])\n"
                          "return 1\n";

/* A level below -burst would punish longer than anybody could have taken. 10000: the
 * BUCKET_CLOCK_BACK_MS of bucket.h. The TTL is past the moment at which the bucket is full. */
static const char take[] =
    "local levels = {}\n"
    "for i, key in ipairs(KEYS) do\n"
    "  local at, per_s = tonumber(ARGV[4 * i - 3]), tonumber(ARGV[4 * i - 2])\n"
    "  local full, taken = 1000 * ARGV[4 * i - 1], 1000 * ARGV[4 * i]\n"
    "  local there = redis.call('GET', key) or ''\n"
    "  local level, filled = string.match(there, '^(-?%d+) (%d+)$')\n"
    "  level, filled = tonumber(level) or full, tonumber(filled) or at\n"
    "  if at >= filled then\n"
    "    level, filled = level + (at - filled) * per_s, at\n"
    "  elseif filled - at > 10000 then\n"
    "    filled = at\n"
    "  end\n"
    "  level = math.max(math.min(level, full) - taken, -full)\n"
    "  redis.call('SET', key, string.format('%.0f %.0f', level, filled),\n"
    "             'PX', math.ceil(2 * full / per_s) + 60000)\n"
    "  levels[i] = level\n"
    "end\n"
    "return levels\n";

const char *const cache_scripts[SCRIPTS] = {
    [SCRIPT_PUT] = put,
    [SCRIPT_TAKE] = take,
};
