/* platform/log/log.h - one line an event:
 * `2026-11-22T21:22:13.001Z info payment.settled order=ord_… ms=12`
 *
 * Written once, at the edge (dispatcher, chores, start and stop). No personal data, no tokens: ids
 * only. Values with spaces, quotes or control characters are quoted and escaped, so one event stays
 * one line. */
#pragma once

#include <stdint.h>

#include "base/clock.h"
#include "base/id.h"
#include "base/str.h"

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARN, LOG_ERROR, LOG_OFF };

struct log_value {
    const char *key; /* NULL ends a list */
    str text;
    int64_t number; /* if text is absent */
};
#define LOG_TEXT(k, s) ((struct log_value){.key = (k), .text = (s)})
#define LOG_CSTR(k, s) ((struct log_value){.key = (k), .text = str_of(s)})
#define LOG_I64(k, n)  ((struct log_value){.key = (k), .number = (n)})

struct log; /* thread-safe */

struct log *log_open(int fd, enum log_level level, const struct clock *clock);
void log_close(struct log *log);
void log_write(struct log *log, enum log_level level, const char *event,
               const struct log_value *values);
/* log_event(log, LOG_INFO, "server.ready", LOG_I64("port", 8080)) */
#define log_event(log, level, event, ...) \
    log_write((log), (level), (event),    \
              (const struct log_value[]){__VA_ARGS__ __VA_OPT__(, ){.key = NULL}})
