/* scenarios/note.c - how a step says that it went wrong. */
#include "scenario.h"

#include <stdarg.h>
#include <stdio.h>

void scenario_fail(struct scenario *scenario, const char *format, ...)
{
    va_list args;

    scenario->failed++;
    fprintf(stdout, "# %s:%d: ", scenario->file, scenario->line);
    va_start(args, format);
    vfprintf(stdout, format, args);
    va_end(args);
    fputc('\n', stdout);
}
