/* booking/import/ics.h - the content lines of an iCalendar file (RFC 5545 3.1): unfolded, cut into name, parameters and value. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/str.h"

enum { ICS_LINE_SIZE_MAX = 1024 * 1024 };

struct ics {
    str rest;
    size_t line; /* of the first byte of rest; the first is 1 */
};

struct ics_line {
    size_t line; /* where it begins */
    str name;    /* "DTSTART", in any case */
    str params;  /* "TZID=Europe/Berlin;VALUE=DATE-TIME" */
    str value;   /* raw: see ics_text */
};

enum ics_result {
    ICS_LINE,
    ICS_BROKEN, /* no content line, or too long: only ret->line is set */
    ICS_END,
};

/* A byte order mark is skipped. */
void ics_open(struct ics *ics, str text);
/* The next line that is not empty; slices of the text, or of the arena where it was folded. */
enum ics_result ics_next(struct ics *ics, struct arena *arena, struct ics_line *ret);
/* The first value of a parameter, without its quotes, RFC 6868 decoded; absent if there is none. */
str ics_param(struct arena *arena, const struct ics_line *line, const char *name);
/* A TEXT value (3.3.11) as people read it. */
str ics_text(struct arena *arena, str value);
/* Cuts the text before the first comma that is not escaped off *rest, as str_split does. */
bool ics_split(str *rest, str *ret_part);
