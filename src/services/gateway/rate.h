/* gateway/rate.h - whose bucket a request without an account takes from. The buckets themselves are
 * the cache's (platform/cache): all instances share them. */
#pragma once

#include <stdint.h>

#include "base/str.h"

/* The same for all addresses of one network: an IPv4 address, or the 64 bits of an IPv6 address
 * that its owner cannot change at will. */
uint64_t rate_network_key(str address);
