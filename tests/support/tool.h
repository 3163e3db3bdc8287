/* support/tool.h - runs other people's programs, to have what we write read by other code. */
#pragma once

#include "base/arena.h"
#include "base/str.h"

/* What the shell command wrote to standard output. The test fails unless it ends with exit status
 * 0, so a tool that is not installed is a failure too. */
str tool_output(struct arena *arena, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* The path of a new file of that name in a directory of its own; gone once the arena is reset. */
const char *tool_file(struct arena *arena, str bytes, const char *name);
