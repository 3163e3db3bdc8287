/* platform/mail/test_reading.h - messages for this folder's tests, and what another implementation
 * reads out of them (support/mail_check.py). */
#pragma once

#include "base/arena.h"
#include "base/buf.h"
#include "base/str.h"
#include "platform/mail/mail.h"

/* A message that has everything it must have, and nothing else. */
struct mail plain_mail(void);
str compose(struct arena *arena, const struct mail *mail);

/* Messages that one run of the script reads, since it takes longer to start than to read. */
struct batch {
    struct arena *arena;
    struct buf paths;
};
struct batch batch_of(struct arena *arena);
void batch_add(struct batch *batch, const struct mail *mail);
/* What is told of all of them; next_description gives one after the other. */
str batch_read(const struct batch *batch);
str next_description(str *rest);

/* The same for a single message. */
str description(struct arena *arena, const struct mail *mail);
/* What follows `key` in its line; absent if there is no such line. */
str value_of(str told, const char *key);
