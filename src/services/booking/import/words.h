/* services/booking/import/words.h - what the free words of calendars and web pages mean here; for import_*.c alone. */
#pragma once

#include "services/booking/import/row.h"

/* A copy whose line ends and tabs are spaces: names have one line. Absent stays absent. */
str import_one_line(struct arena *arena, str text);
/* Does it begin as the address of a web page? */
bool import_is_web(str text);
/* The event type that a word such as "Music", "MusicEvent" or "Theatre" stands for; absent: none. */
str import_type(str word);
/* "Opera House, 1 Main Street, Cairo, Egypt": what stands first is the venue, last the country, before it the city; a last part with digits in it is
 * no country. One part alone is a venue without a city. */
void import_place(struct arena *arena, str line, struct import_draft *draft);
