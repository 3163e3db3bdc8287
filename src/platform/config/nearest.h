/* platform/config/nearest.h - what somebody may have meant. Private to platform/config. */
#pragma once

#include "base/str.h"

/* Insertions, deletions and replacements between two names (Levenshtein), whatever their case;
 * of long names the beginning. */
size_t edit_distance(str a, str b);
