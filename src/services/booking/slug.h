/* booking/slug.h - names made comparable, and names made into a part of an address. */
#pragma once

#include "base/arena.h"
#include "base/str.h"

enum { SLUG_SIZE_MAX = 80 };

/* The name as search compares it: lower case, without accents and punctuation, one space between words. Two spellings of one
 * name are equal; empty if the name has neither letters nor digits. */
str name_fold(struct arena *arena, str name);
/* Does the folded `text` begin with the folded words of `prefix`, whole words of it? */
bool name_begins_with(str text, str prefix);
/* "jazz-im-park" for "Jazz im Park!"; letters beyond ASCII stay out. `fallback` where nothing remains. */
str slug_of(struct arena *arena, str name, str fallback);
