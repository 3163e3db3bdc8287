/* platform/mail/smtp_test.c - sends to a real SMTP server beside the test
 * (support/smtp_sink.py). */

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "platform/mail/mail.h"
#include "support/scratch.h"
#include "support/smtp_sink.h"
#include "support/test.h"

static const char from_text[] = "Box Office <tickets@example.org>";
static const str from = {from_text, sizeof(from_text) - 1};
static const char message_text[] = "Subject: x\r\n\r\nhello\r\n";
static const str message = {message_text, sizeof(message_text) - 1};

#define OPTIONS(...) ((const char *const[]){__VA_ARGS__ __VA_OPT__(, ) NULL})

static struct mailer *open_mailer(struct arena *arena, const char *scheme, int64_t port,
                                  struct smtp_options options)
{
    struct mailer *mailer = NULL;

    options.url = arena_printf(arena, "%s:%d", scheme, (int)port).ptr;
    CHECK_OK(mailer_open_smtp(&options, &mailer));
    return mailer;
}

static err send_to(struct arena *arena, struct mailer *mailer, const char *to)
{
    return mailer->send(mailer, arena, from, str_of(to), message);
}

static bool contains(str text, const char *part)
{
    return text.ptr != NULL && memmem(text.ptr, text.size, part, strlen(part)) != NULL;
}

TEST(a_message_arrives_as_it_was_sent)
{
    CLEANUP(arena_close_at) struct arena *arena = arena_open(0);
    CLEANUP(smtp_sink_close)
    struct smtp_sink sink = smtp_sink_open(arena, scratch_dir(arena), OPTIONS());
    struct mailer *mailer =
        open_mailer(arena, "smtp://127.0.0.1", sink.port, (struct smtp_options){0});
    /* Every kind of line that a dot could end or shorten. */
    static const char dots[] = "Subject: dots\r\n\r\n.\r\n..\r\n.a\r\n...b\r\n\r\n.\r\n.";

    CHECK_OK(mailer->send(mailer, arena, from, STR("ana@example.org"),
                          arena_printf(arena, "%s\r\n", dots)));
    CHECK_STR(arena_printf(arena, "%s\r\n", dots).ptr, smtp_sink_message(arena, &sink, 1));
    const str envelope = smtp_sink_envelope(arena, &sink, 1);
    CHECK(contains(envelope, "\"from\": \"tickets@example.org\""));
    CHECK(contains(envelope, "\"to\": [\"ana@example.org\"]"));
    CHECK(contains(envelope, "\"tls\": false"));
    CHECK(contains(envelope, "\"bare_line_ends\": 0"));
    mailer->close(mailer);
}

TEST(a_composed_message_of_a_megabyte_arrives_whole)
{
    CLEANUP(arena_close_at) struct arena *arena = arena_open(0);
    CLEANUP(smtp_sink_close)
    struct smtp_sink sink = smtp_sink_open(arena, scratch_dir(arena), OPTIONS("--tls"));
    struct mailer *mailer =
        open_mailer(arena, "smtp://localhost", sink.port,
                    (struct smtp_options){.require_tls = true, .ca_file = sink.ca});
    char *bytes = arena_alloc(arena, 1 << 20);
    str composed = STR_ABSENT;

    rng_fill(rng_system(), bytes, 1 << 20);
    const struct mail mail = {
        .from = from,
        .to_address = STR("ana@example.org"),
        .subject = STR("\xf0\x9f\x8e\xab"),
        .text = STR(".\n..\n"),
        .attachments = {{.content_type = STR("application/octet-stream"),
                         .body = {bytes, 1 << 20}}},
        .attachment_count = 1,
        .message_id = STR("ord_1@example.org"),
    };
    CHECK_OK(mail_compose(arena, &mail, rng_system(), &composed));
    CHECK_OK(mailer->send(mailer, arena, from, mail.to_address, composed));
    CHECK(str_eq(composed, smtp_sink_message(arena, &sink, 1)));
    CHECK(contains(smtp_sink_envelope(arena, &sink, 1), "\"bare_line_ends\": 0"));
    mailer->close(mailer);
}

TEST(a_check_goes_as_far_as_signing_in_and_sends_nothing)
{
    CLEANUP(arena_close_at) struct arena *arena = arena_open(0);
    CLEANUP(smtp_sink_close)
    struct smtp_sink sink = smtp_sink_open(
        arena, scratch_dir(arena), OPTIONS("--tls", "--user", "box", "--password", "secret"));
    static const struct {
        const char *password;
        err expected;
    } cases[] = {
        {"secret", ERR_OK         },
        {"wrong",  ERR_UNAVAILABLE},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        str why = STR_ABSENT;
        struct mailer *mailer = open_mailer(arena, "smtp://localhost", sink.port,
                                            (struct smtp_options){.require_tls = true,
                                                                  .ca_file = sink.ca,
                                                                  .user = "box",
                                                                  .password = cases[i].password});

        CHECK_ERR(cases[i].expected, mailer->check(mailer, arena, &why));
        CHECK((why.size > 0) == (cases[i].expected != ERR_OK));
        mailer->close(mailer);
    }
    CHECK(smtp_sink_envelope(arena, &sink, 1).ptr == NULL);
}

TEST(tls_is_taken_and_its_certificate_checked)
{
    CLEANUP(arena_close_at) struct arena *arena = arena_open(0);
    CLEANUP(smtp_sink_close)
    struct smtp_sink sink =
        smtp_sink_open(arena, scratch_dir(arena), OPTIONS("--tls", "--host", "0.0.0.0"));
    const struct {
        const char *url;
        const char *ca_file;
        err expected;
    } cases[] = {
        {"smtp://localhost", sink.ca, ERR_OK         },
        {"smtp://127.0.0.1", sink.ca, ERR_OK         },
        {"smtp://127.0.0.2", sink.ca, ERR_UNAVAILABLE}, /* another name than the certificate's */
        {"smtp://localhost", NULL,    ERR_UNAVAILABLE}, /* an issuer that nobody knows */
        {"smtp://localhost", "/none", ERR_UNAVAILABLE},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct mailer *mailer =
            open_mailer(arena, cases[i].url, sink.port,
                        (struct smtp_options){.require_tls = true, .ca_file = cases[i].ca_file});

        CHECK_ERR(cases[i].expected, send_to(arena, mailer, "ana@example.org"));
        mailer->close(mailer);
    }
    CHECK(contains(smtp_sink_envelope(arena, &sink, 2), "\"tls\": true"));
    CHECK(smtp_sink_envelope(arena, &sink, 3).ptr == NULL);
}

TEST(a_server_without_starttls_gets_nothing_if_tls_is_required)
{
    CLEANUP(arena_close_at) struct arena *arena = arena_open(0);
    CLEANUP(smtp_sink_close)
    struct smtp_sink sink =
        smtp_sink_open(arena, scratch_dir(arena), OPTIONS("--user", "box", "--password", "secret"));
    struct mailer *mailer = open_mailer(
        arena, "smtp://127.0.0.1", sink.port,
        (struct smtp_options){.require_tls = true, .user = "box", .password = "secret"});

    CHECK_ERR(ERR_UNAVAILABLE, send_to(arena, mailer, "ana@example.org"));
    CHECK(smtp_sink_envelope(arena, &sink, 1).ptr == NULL);
    mailer->close(mailer);
}

TEST(smtps_speaks_tls_from_the_first_byte)
{
    CLEANUP(arena_close_at) struct arena *arena = arena_open(0);
    CLEANUP(smtp_sink_close)
    struct smtp_sink sink = smtp_sink_open(arena, scratch_dir(arena), OPTIONS("--implicit-tls"));
    struct mailer *trusting = open_mailer(arena, "smtps://localhost", sink.port,
                                          (struct smtp_options){.ca_file = sink.ca});
    struct mailer *doubting =
        open_mailer(arena, "smtps://localhost", sink.port, (struct smtp_options){0});

    CHECK_OK(send_to(arena, trusting, "ana@example.org"));
    CHECK(contains(smtp_sink_envelope(arena, &sink, 1), "\"tls\": true"));
    CHECK_ERR(ERR_UNAVAILABLE, send_to(arena, doubting, "ana@example.org"));
    doubting->close(doubting);
    trusting->close(trusting);
}

TEST(who_signs_in_wrongly_tries_again_later)
{
    CLEANUP(arena_close_at) struct arena *arena = arena_open(0);
    CLEANUP(smtp_sink_close)
    struct smtp_sink sink =
        smtp_sink_open(arena, scratch_dir(arena),
                       OPTIONS("--tls", "--user", "box", "--password", "p\xc3\xa4ss \"word\""));
    static const struct {
        const char *user;
        const char *password;
        err expected;
    } cases[] = {
        {"box", "p\xc3\xa4ss \"word\"", ERR_OK         },
        {"box", "p\xc3\xa4ss",          ERR_UNAVAILABLE},
        {"bix", "p\xc3\xa4ss \"word\"", ERR_UNAVAILABLE},
        {NULL,  NULL,                   ERR_UNAVAILABLE},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct mailer *mailer = open_mailer(arena, "smtp://localhost", sink.port,
                                            (struct smtp_options){.require_tls = true,
                                                                  .ca_file = sink.ca,
                                                                  .user = cases[i].user,
                                                                  .password = cases[i].password});

        CHECK_ERR(cases[i].expected, send_to(arena, mailer, "ana@example.org"));
        mailer->close(mailer);
    }
    CHECK(contains(smtp_sink_envelope(arena, &sink, 1), "\"user\": \"box\""));
    CHECK(smtp_sink_envelope(arena, &sink, 2).ptr == NULL);
}

TEST(answers_mean_later_or_never)
{
    CLEANUP(arena_close_at) struct arena *arena = arena_open(0);
    CLEANUP(smtp_sink_close)
    struct smtp_sink sink =
        smtp_sink_open(arena, scratch_dir(arena), OPTIONS("--reply", "gone@example.org=550"));
    static const struct {
        const char *from;
        const char *to;
        err expected;
    } cases[] = {
        {"a@b.co",         "reply-421@b.co",   ERR_UNAVAILABLE},
        {"a@b.co",         "reply-450@b.co",   ERR_UNAVAILABLE},
        {"a@b.co",         "reply-451@b.co",   ERR_UNAVAILABLE},
        {"a@b.co",         "reply-452@b.co",   ERR_UNAVAILABLE},
        {"a@b.co",         "reply-550@b.co",   ERR_INVALID    },
        {"a@b.co",         "reply-550.x@b.co", ERR_INVALID    },
        {"a@b.co",         "gone@example.org", ERR_INVALID    },
        {"a@b.co",         "reply-551@b.co",   ERR_INVALID    },
        {"a@b.co",         "reply-553@b.co",   ERR_INVALID    },
        {"a@b.co",         "reply-503@b.co",   ERR_UNAVAILABLE},
        {"a@b.co",         "reply-530@b.co",   ERR_UNAVAILABLE},
        {"a@b.co",         "data-421@b.co",    ERR_UNAVAILABLE},
        {"a@b.co",         "data-451@b.co",    ERR_UNAVAILABLE},
        {"a@b.co",         "data-552@b.co",    ERR_INVALID    },
        {"a@b.co",         "data-554@b.co",    ERR_INVALID    },
        {"a@b.co",         "drop@b.co",        ERR_UNAVAILABLE},
        {"reply-450@b.co", "c@d.co",           ERR_UNAVAILABLE},
        {"reply-550@b.co", "c@d.co",           ERR_UNAVAILABLE},
        {"reply-552@b.co", "c@d.co",           ERR_INVALID    },
        {"a@b.co",         "c@d.co",           ERR_OK         },
    };
    struct mailer *mailer =
        open_mailer(arena, "smtp://127.0.0.1", sink.port, (struct smtp_options){0});

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        CHECK_ERR(cases[i].expected,
                  mailer->send(mailer, arena, str_of(cases[i].from), str_of(cases[i].to), message));
    }
    CHECK(contains(smtp_sink_envelope(arena, &sink, 1), "\"to\": [\"c@d.co\"]"));
    CHECK(smtp_sink_envelope(arena, &sink, 2).ptr == NULL);
    mailer->close(mailer);
}

TEST(a_connection_is_used_again_and_a_lost_one_replaced)
{
    CLEANUP(arena_close_at) struct arena *arena = arena_open(0);
    const char *dir = scratch_dir(arena);
    struct smtp_sink first = smtp_sink_open(arena, dir, OPTIONS());
    const char *port = arena_printf(arena, "%d", (int)first.port).ptr;
    struct mailer *mailer =
        open_mailer(arena, "smtp://127.0.0.1", first.port, (struct smtp_options){0});

    CHECK_OK(send_to(arena, mailer, "ana@example.org"));
    CHECK_OK(send_to(arena, mailer, "ben@example.org"));
    CHECK(contains(smtp_sink_envelope(arena, &first, 1), "\"connection\": 1,"));
    CHECK(contains(smtp_sink_envelope(arena, &first, 2), "\"connection\": 1,"));
    smtp_sink_close(&first);
    CHECK_ERR(ERR_UNAVAILABLE, send_to(arena, mailer, "ana@example.org"));

    CLEANUP(smtp_sink_close)
    struct smtp_sink second = smtp_sink_open(arena, dir, OPTIONS("--port", port));
    CHECK_OK(send_to(arena, mailer, "cem@example.org"));
    CHECK(contains(smtp_sink_envelope(arena, &second, 3), "cem@example.org"));
    mailer->close(mailer);
}

TEST(a_kept_connection_that_the_server_closed_costs_no_message)
{
    CLEANUP(arena_close_at) struct arena *arena = arena_open(0);
    const char *dir = scratch_dir(arena);
    struct smtp_sink first = smtp_sink_open(arena, dir, OPTIONS());
    const char *port = arena_printf(arena, "%d", (int)first.port).ptr;
    struct mailer *mailer =
        open_mailer(arena, "smtp://127.0.0.1", first.port, (struct smtp_options){0});

    CHECK_OK(send_to(arena, mailer, "ana@example.org"));
    smtp_sink_close(&first);
    CLEANUP(smtp_sink_close)
    struct smtp_sink second = smtp_sink_open(arena, dir, OPTIONS("--port", port));
    CHECK_OK(send_to(arena, mailer, "ben@example.org"));
    CHECK(contains(smtp_sink_envelope(arena, &second, 2), "ben@example.org"));
    mailer->close(mailer);
}

TEST(what_could_be_taken_for_another_message_is_not_sent)
{
    CLEANUP(arena_close_at) struct arena *arena = arena_open(0);
    CLEANUP(smtp_sink_close)
    struct smtp_sink sink = smtp_sink_open(arena, scratch_dir(arena), OPTIONS());
    struct mailer *mailer =
        open_mailer(arena, "smtp://127.0.0.1", sink.port, (struct smtp_options){0});
    static const char *const smuggled[] = {
        "Subject: x\r\n\r\na\n.\r\nMAIL FROM:<b@c.co>\r\n",
        "Subject: x\r\n\r\na\r\n.\nMAIL FROM:<b@c.co>\r\n",
        "Subject: x\r\n\r\na\r.\rMAIL FROM:<b@c.co>\r\n",
        "Subject: x\r\n\r\na\n.\n",
        "Subject: x\r\n\r\na\r",
        "Subject: x\r\n\r\na\r\r\n",
    };
    static const char *const addresses[] = {"a@b.co>\r\nRCPT TO:<c@d.co", "a@b.co\r\nDATA",
                                            "a@b.co>", "a@b.co SIZE=1", ""};

    for (size_t i = 0; i < sizeof(smuggled) / sizeof(smuggled[0]); i++)
        CHECK_ERR(ERR_INVALID,
                  mailer->send(mailer, arena, from, STR("ana@example.org"), str_of(smuggled[i])));
    CHECK_ERR(ERR_INVALID,
              mailer->send(mailer, arena, from, STR("ana@example.org"), (str){"a\0\r\n", 4}));
    for (size_t i = 0; i < sizeof(addresses) / sizeof(addresses[0]); i++) {
        CHECK_ERR(ERR_INVALID, send_to(arena, mailer, addresses[i]));
        CHECK_ERR(ERR_INVALID, mailer->send(mailer, arena, str_of(addresses[i]),
                                            STR("ana@example.org"), message));
    }
    CHECK(smtp_sink_envelope(arena, &sink, 1).ptr == NULL);
    mailer->close(mailer);
}

TEST(nobody_at_home_is_later)
{
    CLEANUP(arena_close_at) struct arena *arena = arena_open(0);
    struct smtp_sink sink = smtp_sink_open(arena, scratch_dir(arena), OPTIONS());
    struct mailer *closed =
        open_mailer(arena, "smtp://127.0.0.1", sink.port, (struct smtp_options){0});
    struct mailer *nowhere = open_mailer(arena, "smtp://no-such-host.invalid", 25,
                                         (struct smtp_options){.require_tls = true});

    smtp_sink_close(&sink);
    CHECK_ERR(ERR_UNAVAILABLE, send_to(arena, closed, "ana@example.org"));
    CHECK_ERR(ERR_UNAVAILABLE, send_to(arena, nowhere, "ana@example.org"));
    nowhere->close(nowhere);
    closed->close(closed);
}

TEST(settings_that_cannot_work_or_would_send_in_the_clear_are_refused)
{
    static const struct {
        const char *url;
        const char *user;
        bool require_tls;
        err expected;
    } cases[] = {
        {"smtp://mail.example.org:587",  NULL,  true,  ERR_OK     },
        {"smtps://mail.example.org",     NULL,  false, ERR_OK     },
        {"smtp://localhost:25",          NULL,  false, ERR_OK     },
        {"smtp://LOCALHOST",             NULL,  false, ERR_OK     },
        {"smtp://127.9.9.9:25",          NULL,  false, ERR_OK     },
        {"smtp://[::1]:25",              NULL,  false, ERR_OK     },
        {"smtp://mail.example.org:25",   NULL,  false, ERR_INVALID},
        {"smtp://127.0.0.1.example.org", NULL,  false, ERR_INVALID},
        {"smtp://128.0.0.1",             NULL,  false, ERR_INVALID},
        {"smtp://[::2]",                 NULL,  false, ERR_INVALID},
        {"smtp://box:secret@localhost",  NULL,  false, ERR_INVALID},
        {"http://localhost",             NULL,  true,  ERR_INVALID},
        {"localhost:25",                 NULL,  false, ERR_INVALID},
        {"",                             NULL,  true,  ERR_INVALID},
        {NULL,                           NULL,  true,  ERR_INVALID},
        {"smtp://localhost",             "box", true,  ERR_INVALID}, /* without a password */
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct mailer *mailer = NULL;
        const struct smtp_options options = {
            .url = cases[i].url, .user = cases[i].user, .require_tls = cases[i].require_tls};

        CHECK_ERR(cases[i].expected, mailer_open_smtp(&options, &mailer));
        if (mailer != NULL)
            mailer->close(mailer);
    }
}

enum { SENDERS = 6, MESSAGES_EACH = 5 };

struct crowd {
    struct mailer *mailer;
    _Atomic int sent;
};

static void *send_some(void *arg)
{
    struct crowd *crowd = arg;
    CLEANUP(arena_close_at) struct arena *arena = arena_open(0);

    for (int i = 0; i < MESSAGES_EACH; i++)
        crowd->sent += send_to(arena, crowd->mailer, "ana@example.org") == ERR_OK;
    return NULL;
}

TEST(threads_share_a_mailer)
{
    CLEANUP(arena_close_at) struct arena *arena = arena_open(0);
    CLEANUP(smtp_sink_close)
    struct smtp_sink sink = smtp_sink_open(arena, scratch_dir(arena), OPTIONS());
    struct crowd crowd = {
        .mailer = open_mailer(arena, "smtp://127.0.0.1", sink.port, (struct smtp_options){0})};
    pthread_t threads[SENDERS];

    for (size_t i = 0; i < SENDERS; i++)
        CHECK(pthread_create(&threads[i], NULL, send_some, &crowd) == 0);
    for (size_t i = 0; i < SENDERS; i++)
        CHECK(pthread_join(threads[i], NULL) == 0);
    CHECK_I64((int64_t)SENDERS * MESSAGES_EACH, crowd.sent);
    CHECK(smtp_sink_envelope(arena, &sink, SENDERS * MESSAGES_EACH).ptr != NULL);
    CHECK(smtp_sink_envelope(arena, &sink, SENDERS * MESSAGES_EACH + 1).ptr == NULL);
    crowd.mailer->close(crowd.mailer);
}
