/* platform/mail/test_reading.c - hands messages to the script and takes its answer apart.
 *
 * SUPPORT_DIR is the path of tests/support; meson.build defines it. */

#include "platform/mail/test_reading.h"

#include <string.h>

#include "support/test.h"
#include "support/tool.h"

struct mail plain_mail(void)
{
    return (struct mail){
        .from = STR("Boxoffice <tickets@example.org>"),
        .to_address = STR("ana@example.org"),
        .subject = STR("Your tickets"),
        .text = STR("Hello"),
        .message_id = STR("ord_01h455vb4pex5vsknk084sn02q@example.org"),
        .at_ms = INT64_C(1795382533123), /* 2026-11-22T21:22:13.123Z */
    };
}

str compose(struct arena *arena, const struct mail *mail)
{
    struct rng_seeded seeded;
    str message = STR_ABSENT;

    rng_seeded_init(&seeded, 1);
    CHECK_OK(mail_compose(arena, mail, &seeded.rng, &message));
    return message;
}

struct batch batch_of(struct arena *arena)
{
    return (struct batch){.arena = arena, .paths = buf_in(arena, 4096)};
}

void batch_add(struct batch *batch, const struct mail *mail)
{
    const str message = compose(batch->arena, mail);

    buf_printf(&batch->paths, " %s", tool_file(batch->arena, message, "message.eml"));
}

str batch_read(const struct batch *batch)
{
    CHECK(!batch->paths.overflow);
    return tool_output(batch->arena, "/usr/bin/python3 %s/mail_check.py%s", SUPPORT_DIR,
                       batch->paths.data);
}

str description(struct arena *arena, const struct mail *mail)
{
    struct batch batch = batch_of(arena);

    batch_add(&batch, mail);
    return batch_read(&batch);
}

str next_description(str *rest)
{
    str told = STR_ABSENT;

    CHECK(str_split(rest, '\f', &told));
    return told;
}

str value_of(str told, const char *key)
{
    str line = STR_ABSENT;

    while (str_split(&told, '\n', &line))
        if (str_starts(line, str_of(key)))
            return str_slice(line, strlen(key), line.size);
    return STR_ABSENT;
}
