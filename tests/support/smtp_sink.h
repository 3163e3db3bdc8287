/* support/smtp_sink.h - runs support/smtp_sink.py, a real SMTP server, beside a test. */
#pragma once

#include <stdint.h>

#include "base/arena.h"
#include "base/str.h"
#include "support/beside.h"

struct smtp_sink {
    struct beside beside;
    const char *dir; /* of what it received */
    const char *ca;  /* the certificate to trust; NULL without TLS */
    int64_t port;
};

/* `options` are those of the script, NULL-terminated; everything it keeps is in `dir`. Returns
 * when it listens; the test fails if it does not. */
struct smtp_sink smtp_sink_open(struct arena *arena, const char *dir, const char *const *options);
void smtp_sink_close(struct smtp_sink *sink); /* for CLEANUP too */

/* The message or the envelope (JSON) that came as the `number`th, from 1; absent if there is
 * none. */
str smtp_sink_message(struct arena *arena, const struct smtp_sink *sink, int number);
str smtp_sink_envelope(struct arena *arena, const struct smtp_sink *sink, int number);
