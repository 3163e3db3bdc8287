/* services/booking/import/import_lab.h - writes down what a reader of files is told, for its tests. */
#pragma once

#include "base/buf.h"
#include "services/booking/import/read.h"

#include "support/test.h"

/* What a reader is told, as text: a line an event, "!line reason", "~line what". */
struct heard {
    struct buf buf;
    size_t rows;
    size_t refused;
    err answer; /* to each row */
};

typedef err read_file(str text, const struct import_reader *reader);

struct heard heard_new(void);
void heard_done(struct heard *heard); /* for CLEANUP */
err read_as(read_file *read, str text, struct heard *heard);
/* Reads `text` and compares what was heard with `lines`. */
void check_read(read_file *read, err expected, const char *text, const char *lines);
/* The rest as rows hear it, for readers of the test's own. */
err hear_row(void *arg, const struct import_event *event);
void hear_refused(void *arg, size_t line, const char *reason);
void hear_ignored(void *arg, size_t line, const char *what);
