/* platform/http/etag.h - entity tags and the lists of them in If-Match and If-None-Match (RFC
 * 9110 8.8.3, 13.1). */
#pragma once

#include <stdbool.h>

#include "base/str.h"

enum etag_comparison { ETAG_STRONGLY, ETAG_WEAKLY };

/* "x" or W/"x", with the quotes. */
bool etag_is_valid(str etag);
/* Does the list (or "*") name `etag`? A list that breaks off counts up to there. */
bool etag_is_listed(str list, str etag, enum etag_comparison comparison);
