/* notify/notify_test.c - news becomes one mail, whatever fails on its way.
 *
 * Booking and identity are stood in for: one tells what a test has it tell, the other knows where
 * people can be reached. */
#include "services/notify/notify.h"

#include <assert.h>
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "services/booking/booking.h"
#include "services/identity/identity.h"
#include "support/office.h"
#include "support/scratch.h"
#include "support/smtp_sink.h"
#include "support/test.h"

/* --- The others --- */

static struct {
    err documents; /* what booking answers */
    err user;      /* what identity answers */
    const char *email;
    int asked; /* of booking */
} others;

static const struct json_field document_fields[] = {
    JSON_F_ID("user", struct booking_documents, user, USER_PREFIX, JSON_OPTIONAL),
    JSON_F_TEXT("order", struct booking_documents, order, 0, 100, JSON_OPTIONAL),
    JSON_F_TEXT("event_name", struct booking_documents, event_name, 0, 200, JSON_OPTIONAL),
    JSON_F_TEXT("total", struct booking_documents, total, 0, 100, JSON_OPTIONAL),
};
static const struct json_shape document_shape =
    JSON_SHAPE(document_fields, struct booking_documents);
static const struct json_field find_fields[] = {
    JSON_F_ID("order", struct booking_order_find, order, ORDER_PREFIX, JSON_REQUIRED),
};
static const struct json_shape find_shape = JSON_SHAPE(find_fields, struct booking_order_find);

static err booking_order_documents_run(struct call *call, const struct booking_order_find *in,
                                       struct booking_documents *ret)
{
    const struct id_text order = id_format(ORDER_PREFIX, in->order.uuid);

    others.asked++;
    if (others.documents != ERR_OK)
        return others.documents;
    *ret = (struct booking_documents){
        .user = office_user(1),
        .order = arena_str(call->arena, str_of(order.text)),
        .event_name = STR("Nile Jazz"),
        .total = STR("EGP 100.00"),
    };
    return ERR_OK;
}
OP_DEFINE("booking", booking_order_documents, struct booking_order_find, struct booking_documents,
          &find_shape, &document_shape);

static const struct json_field user_fields[] = {
    JSON_F_ID("user", struct identity_user_find, user, USER_PREFIX, JSON_REQUIRED),
};
static const struct json_shape user_shape = JSON_SHAPE(user_fields, struct identity_user_find);
static const struct json_field found_fields[] = {
    JSON_F_TEXT("email", struct identity_user_found, email, 0, 254, JSON_OPTIONAL),
    JSON_F_TEXT("name", struct identity_user_found, name, 0, 100, JSON_OPTIONAL),
    JSON_F_TEXT("locale", struct identity_user_found, locale, 0, 35, JSON_OPTIONAL),
};
static const struct json_shape found_shape = JSON_SHAPE(found_fields, struct identity_user_found);

static err identity_user_find_run([[maybe_unused]] struct call *call,
                                  [[maybe_unused]] const struct identity_user_find *in,
                                  struct identity_user_found *ret)
{
    if (others.user != ERR_OK)
        return others.user;
    *ret = (struct identity_user_found){str_of(others.email), STR("Ana"), STR("en"), STR_ABSENT};
    return ERR_OK;
}
OP_DEFINE("identity", identity_user_find, struct identity_user_find, struct identity_user_found,
          &user_shape, &found_shape);

static const struct op *const booking_ops[] = {&booking_order_documents_op, NULL};
static const struct op *const identity_ops[] = {&identity_user_find_op, NULL};
static const struct migration_list booking_migrations = {.owner = "booking"};
static const struct service booking = {
    .name = "booking", .ops = booking_ops, .migrations = &booking_migrations};
static const struct service identity = {.name = "identity", .ops = identity_ops};
static const struct service *const services[] = {&identity, &booking, &notify_service, NULL};

static void open_office(struct office *office, const char *const *settings)
{
    others.documents = ERR_OK;
    others.user = ERR_OK;
    others.email = "ana@example.org";
    others.asked = 0;
    office_open(office, &(struct office_options){.services = services, .settings = settings});
}

static struct uuid order_number(int number)
{
    return office_user(7000 + number);
}

/* As booking writes it; nobody looks yet. */
static void write_news(struct office *office, const char *kind, int number)
{
    CLEANUP(call_done) struct call call = {0};
    CLEANUP(tx_rollback) struct tx tx = {0};

    office_call(office, "booking", &call);
    CHECK_OK(tx_begin(&tx, call_db(&call)));
    CHECK_OK(outbox_add(
        &tx, &call, kind,
        arena_printf(call.arena,
                     "{\"order_id\":\"%s\",\"user_id\":\"usr_01h455vb4pex5vsknk084sn02q\","
                     "\"event_id\":\"evt_01h455vb4pex5vsknk084sn02q\","
                     "\"total\":{\"amount\":10000,\"currency\":\"EGP\"},\"news_of_tomorrow\":1}",
                     id_format(ORDER_PREFIX, order_number(number)).text)));
    CHECK_OK(tx_commit(&tx));
    outbox_wake(call.self);
}

static void tell(struct office *office, const char *kind, int number)
{
    write_news(office, kind, number);
    office_run_due(office);
}

/* --- What was mailed --- */

struct mails {
    int count;
    str text; /* of all of them, one after the other */
};

static void add_file(struct office *office, const char *dir, const char *name, struct buf *text)
{
    const int fd = open(arena_printf(office->arena, "%s/%s", dir, name).ptr, O_RDONLY | O_CLOEXEC);
    char chunk[4096];
    ssize_t size = 0;

    CHECK(fd >= 0);
    while ((size = read(fd, chunk, sizeof(chunk))) > 0)
        buf_add(text, (str){chunk, (size_t)size});
    (void)close(fd);
}

static struct mails mailed(struct office *office)
{
    const str path = arena_printf(office->arena, "%s/outbox", office->dir);
    struct buf text = buf_in(office->arena, 1 << 20);
    struct mails mails = {0};
    DIR *dir = opendir(path.ptr);

    assert(dir != NULL);
    /* NOLINTNEXTLINE(concurrency-mt-unsafe): a directory stream of this thread's own */
    for (const struct dirent *entry = readdir(dir); entry != NULL; entry = readdir(dir))
        if (str_ends(str_of(entry->d_name), STR(".eml"))) {
            add_file(office, path.ptr, entry->d_name, &text);
            mails.count++;
        }
    (void)closedir(dir);
    mails.text = text.size > 0 ? buf_str(&text) : STR("");
    return mails;
}

static int times(str text, const char *what)
{
    int count = 0;

    for (size_t i = 0; i < text.size; i++)
        count += str_starts(str_slice(text, i, text.size), str_of(what));
    return count;
}

static int64_t jobs_left(struct office *office)
{
    return office_i64(office, "notify", "SELECT count(*) FROM job");
}

/* --- News --- */

TEST(each_news_that_concerns_the_buyer_becomes_a_mail)
{
    static const struct {
        const char *kind;
        const char *subject; /* NULL: no mail */
    } cases[] = {
        {"order.confirmed", "Subject: Your tickets: Nile Jazz\r\n"},
        {"order.pending",   "Subject: Your booking: Nile Jazz\r\n"},
        {"order.cancelled", "Subject: Cancelled: Nile Jazz\r\n"   },
        {"order.held",      NULL                                  },
        {"order.paid",      NULL                                  },
        {"event.created",   NULL                                  },
    };
    CLEANUP(office_close) struct office office;
    int expected = 0;

    open_office(&office, NULL);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        tell(&office, cases[i].kind, (int)i);
        expected += cases[i].subject != NULL;
        const struct mails mails = mailed(&office);
        CHECK_I64(expected, mails.count);
        if (cases[i].subject != NULL)
            CHECK_I64(1, times(mails.text, cases[i].subject));
    }
    const struct mails mails = mailed(&office);
    CHECK_I64(3, times(mails.text, "To: Ana <ana@example.org>\r\n"));
    CHECK_I64(3, times(mails.text, "From: Boxoffice <tickets@localhost>\r\n"));
    CHECK_I64(0, jobs_left(&office));
}

TEST(an_order_is_mailed_about_once_for_each_news)
{
    CLEANUP(office_close) struct office office;

    open_office(&office, NULL);
    write_news(&office, "order.pending", 1);
    write_news(&office, "order.confirmed", 1);
    write_news(&office, "order.confirmed", 2);
    write_news(&office, "order.confirmed", 2); /* told twice */
    office_run_due(&office);
    CHECK_I64(3, mailed(&office).count);
    office_restart(&office);
    office_advance(&office, INT64_C(3600000));
    CHECK_I64(3, mailed(&office).count);
}

TEST(news_survives_a_restart)
{
    CLEANUP(office_close) struct office office;

    open_office(&office, NULL);
    write_news(&office, "order.confirmed", 1);
    office_restart(&office);
    CHECK_I64(0, mailed(&office).count);
    office_run_due(&office);
    CHECK_I64(1, mailed(&office).count);
    others.documents = ERR_UNAVAILABLE;
    tell(&office, "order.confirmed", 2); /* a job by now, which waits */
    CHECK_I64(1, jobs_left(&office));
    others.documents = ERR_OK;
    office_restart(&office);
    office_advance(&office, 6000);
    CHECK_I64(2, mailed(&office).count);
    CHECK_I64(0, jobs_left(&office));
}

/* --- What fails --- */

TEST(what_fails_for_now_is_tried_again_ever_later)
{
    static const struct {
        int64_t after_s;
        int asked; /* in sum, by then */
    } cases[] = {
        {0,  1}, /* at once, then after 5, 10, 20, 40 s, give or take a tenth */
        {4,  1},
        {2,  2},
        {7,  2},
        {5,  3},
        {14, 3},
        {9,  4},
        {33, 4},
        {12, 5},
    };
    CLEANUP(office_close) struct office office;

    open_office(&office, NULL);
    others.documents = ERR_UNAVAILABLE;
    tell(&office, "order.confirmed", 1);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        office_advance(&office, cases[i].after_s * 1000);
        CHECK_I64(cases[i].asked, others.asked);
    }
    CHECK_I64(4 + 1, office_logged(&office, "job.failed"));
    others.documents = ERR_OK;
    office_advance(&office, INT64_C(90000));
    CHECK_I64(1, mailed(&office).count);
    CHECK_I64(0, jobs_left(&office));
}

TEST(what_never_works_is_kept_as_dead_and_holds_up_nobody)
{
    CLEANUP(office_close) struct office office;

    open_office(&office, NULL);
    others.documents = ERR_UNAVAILABLE;
    tell(&office, "order.confirmed", 1);
    for (int i = 0; i < 20; i++)
        office_advance(&office, INT64_C(3600000));
    CHECK_I64(12, others.asked);
    CHECK_I64(1, office_logged(&office, "job.dead"));
    CHECK_I64(1, jobs_left(&office));
    others.documents = ERR_OK;
    tell(&office, "order.confirmed", 2);
    CHECK_I64(1, mailed(&office).count);
}

TEST(what_is_refused_for_good_ends)
{
    static const struct {
        err documents;
        err user;
        const char *email;
    } cases[] = {
        {ERR_NOT_FOUND, ERR_OK,        "ana@example.org"                 },
        {ERR_OK,        ERR_NOT_FOUND, "ana@example.org"                 }, /* erased */
        {ERR_OK,        ERR_OK,        "ana@example.org\nBcc: x@evil.org"},
        {ERR_OK,        ERR_OK,        "nobody"                          },
    };
    CLEANUP(office_close) struct office office;

    open_office(&office, NULL);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        others.documents = cases[i].documents;
        others.user = cases[i].user;
        others.email = cases[i].email;
        tell(&office, "order.confirmed", (int)i);
        CHECK_I64((int)i + 1, office_logged(&office, "mail.refused"));
        CHECK_I64(0, jobs_left(&office));
    }
    CHECK_I64(0, office_logged(&office, "job.failed"));
    CHECK_I64(0, office_logged(&office, "ana@example.org")); /* ids only */
    CHECK_I64(0, mailed(&office).count);
}

/* --- A mail server --- */

TEST(a_mail_server_may_be_away_or_refuse)
{
    CLEANUP(arena_close_at) struct arena *arena = arena_open(0);
    CLEANUP(smtp_sink_close)
    struct smtp_sink sink = smtp_sink_open(arena, scratch_dir(arena), (const char *const[]){NULL});
    const char *const settings[] = {
        arena_printf(arena, "mail.smtp_url=smtp://127.0.0.1:%d", (int)sink.port).ptr,
        "mail.require_tls=off",
        "mail.from=Opera <tickets@opera.example>",
        NULL,
    };
    CLEANUP(office_close) struct office office;

    open_office(&office, settings);
    others.email = "reply-450@example.org"; /* greylisted */
    tell(&office, "order.confirmed", 1);
    CHECK_I64(1, jobs_left(&office));
    others.email = "ana@example.org";
    office_advance(&office, 6000);
    CHECK_I64(0, jobs_left(&office));
    CHECK_I64(1, times(smtp_sink_message(arena, &sink, 1), "Subject: Your tickets: Nile Jazz\r\n"));
    CHECK_I64(1, times(smtp_sink_envelope(arena, &sink, 1), "\"from\": \"tickets@opera.example\""));
    CHECK_I64(1, times(smtp_sink_envelope(arena, &sink, 1), "\"to\": [\"ana@example.org\"]"));

    others.email = "reply-550@example.org";
    tell(&office, "order.confirmed", 2);
    others.email = "data-554@example.org";
    tell(&office, "order.confirmed", 3);
    CHECK_I64(2, office_logged(&office, "mail.refused"));
    CHECK_I64(0, jobs_left(&office));
    CHECK_STR(NULL, smtp_sink_message(arena, &sink, 2));
}

/* Mail in the clear through foreign networks is a mistake in the settings. */
TEST(a_mail_server_that_cannot_be_used_stops_the_start)
{
    CLEANUP(office_close) struct office office;
    struct node *node = NULL;
    str why = STR_ABSENT;

    open_office(&office, NULL);
    office_shut(&office, 0);
    CHECK_OK(
        config_set(office.config, STR("mail.smtp_url"), STR("smtp://mail.example.org:25"), &why));
    CHECK_OK(config_set(office.config, STR("mail.require_tls"), STR("off"), &why));
    const struct node_options options = {
        .services = services,
        .clock = &office.clock.clock,
        .rng = &office.rng.rng,
        .config = office.config,
        .log = office.log,
        .data_dir = office.dir,
        .prepares = true,
    };
    CHECK_ERR(ERR_INVALID, node_open(&options, office.arena, &node, &why));
    CHECK(str_starts(why, STR("notify: ")));
}
