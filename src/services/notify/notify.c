/* notify/notify.c - the notify service: hears what happened to orders and mails about it, through
 * jobs, never in a request.
 *
 * The news becomes a job in the transaction that moves the feed's cursor, so each is mailed once,
 * or at worst twice with the same Message-ID. */
#include "services/notify/notify.h"

#include "base/mem.h"
#include "platform/mail/mail.h"
#include "services/booking/booking.h"
#include "services/identity/identity.h"
#include "services/notify/order_mail.h"

enum { MAIL_TRIES_MAX = 12, MAIL_BACKOFF_S = 5 };

struct notify {
    struct mailer *mailer;
};

static const char *const news_names[] = {"order.confirmed", "order.pending", "order.cancelled",
                                         NULL};

/* --- From news to a job --- */

struct order_event { /* what booking says of an order */
    order_id order;
    str user;
    str event;
    struct money total;
    str method;
    str reason;
};
static const struct json_field event_fields[] = {
    JSON_F_ID("order_id", struct order_event, order, ORDER_PREFIX, JSON_REQUIRED),
    JSON_F_TOKEN("user_id", struct order_event, user, 0, ID_TEXT_SIZE_MAX, JSON_OPTIONAL),
    JSON_F_TOKEN("event_id", struct order_event, event, 0, ID_TEXT_SIZE_MAX, JSON_OPTIONAL),
    JSON_F_MONEY("total", struct order_event, total, 0, MONEY_MINOR_MAX, JSON_OPTIONAL),
    JSON_F_TOKEN("method", struct order_event, method, 0, 40, JSON_OPTIONAL),
    JSON_F_TOKEN("reason", struct order_event, reason, 0, 80, JSON_OPTIONAL),
};
static const struct json_shape event_shape = JSON_SHAPE(event_fields, struct order_event);

struct mail_job {
    order_id order;
    int news; /* enum order_news */
};
static const struct json_field job_fields[] = {
    JSON_F_ID("order_id", struct mail_job, order, ORDER_PREFIX, JSON_REQUIRED),
    JSON_F_ENUM("news", struct mail_job, news, news_names, JSON_REQUIRED),
};
static const struct json_shape job_shape = JSON_SHAPE(job_fields, struct mail_job);

static err take_order_news(struct call *call, struct tx *tx, const struct feed_event *event)
{
    struct order_event in = {0};
    struct mail_job job = {0};

    TRY(json_read(call->arena, event->payload, &event_shape, &in));
    job.order = in.order;
    while (news_names[job.news] != NULL && !str_eq(event->kind, str_of(news_names[job.news])))
        job.news++;
    if (news_names[job.news] == NULL)
        return ERR_OK;
    const str key = arena_printf(call->arena, "%s/%s", news_names[job.news],
                                 id_format(ORDER_PREFIX, job.order.uuid).text);
    return job_add(tx, call, "mail_order", key, call->now_ms,
                   json_encode(call->arena, &job_shape, &job));
}

/* --- From a job to a mail --- */

static err send(struct call *call, const struct mail *mail)
{
    struct notify *notify = call->self->state;
    str message = STR_ABSENT;

    TRY(mail_compose(call->arena, mail, call->self->node->rng, &message));
    return notify->mailer->send(notify->mailer, call->arena, mail->from, mail->to_address, message);
}

static err write_and_send(struct call *call, const struct mail_job *job)
{
    struct booking_order_find order = {0};
    struct booking_documents documents = {0};
    struct identity_user_find user = {0};
    struct identity_user_found buyer = {0};
    struct mail mail = {0};

    order.order = job->order;
    TRY(booking_order_documents(call, &order, &documents));
    user.user.uuid = documents.user;
    TRY(identity_user_find(call, &user, &buyer));
    const struct order_mail in = {
        .news = (enum order_news)job->news,
        .documents = &documents,
        .buyer_name = buyer.name,
        .buyer_email = buyer.email,
        .from = config_text(call->self->node->config, "mail.from"),
        .public_url = config_text(call->self->node->config, "public.url"),
        .at_ms = call->now_ms,
    };
    TRY(order_mail_write(call->arena, &in, &mail));
    return send(call, &mail);
}

/* What was refused for good (an address that does not exist, an order or a buyer that is gone)
 * would be so again. */
static err mail_order(struct call *call, str payload)
{
    struct mail_job job = {0};

    TRY(json_read(call->arena, payload, &job_shape, &job));
    const err e = write_and_send(call, &job);
    if (e == ERR_OK || err_status(e) >= 500)
        return e;
    log_event(call->self->node->log, LOG_WARN, "mail.refused",
              LOG_CSTR("order", id_format(ORDER_PREFIX, job.order.uuid).text),
              LOG_CSTR("news", news_names[job.news]), LOG_TEXT("request", call->request_id),
              LOG_TEXT("error", call_failure(call, e)));
    return ERR_OK;
}

/* --- The service --- */

static err open_mailer(struct call *call, struct mailer **ret)
{
    struct node *node = call->self->node;
    const str url = config_text(node->config, "mail.smtp_url");

    if (url.ptr == NULL)
        return mailer_open_files(arena_printf(call->arena, "%s/outbox", node->data_dir).ptr, ret);
    const struct smtp_options options = {
        .url = arena_cstr(call->arena, url),
        .user = arena_cstr(call->arena, config_text(node->config, "mail.smtp_user")),
        .password = arena_cstr(call->arena, config_text(node->config, "mail.smtp_password")),
        .require_tls = config_on(node->config, "mail.require_tls"),
    };
    const err e = mailer_open_smtp(&options, ret);
    return e == ERR_INVALID
               ? call_explain(call, e,
                              "mail.smtp_url wants an address such as smtp://mail.example.org:587, "
                              "and mail.require_tls may be off "
                              "for a host of this machine only")
               : e;
}

err notify_check(struct call *call, str *ret_why)
{
    struct notify *notify = call->self->state;

    return notify->mailer->check(notify->mailer, call->arena, ret_why);
}

static err open_notify(struct instance *self, struct call *call)
{
    struct notify *notify = mem_new(struct notify);

    const err e = open_mailer(call, &notify->mailer);
    if (e == ERR_OK)
        self->state = notify;
    else
        mem_free(notify);
    return e;
}

static void close_notify(struct instance *self)
{
    struct notify *notify = self->state;

    notify->mailer->close(notify->mailer);
    mem_free(notify);
    self->state = NULL;
}

static const struct setting setting_rows[] = {
    SETTING_STRING("mail.smtp_url", "",
                   "Where mail goes, such as smtp://mail.example.org:587; without one it is "
                   "written to the data directory's outbox."),
    SETTING_STRING("mail.smtp_user", "", "The name to sign in to the mail server with."),
    SETTING_STRING("mail.smtp_password", "", "The password that goes with it."),
    SETTING_ON_OFF("mail.require_tls", 1,
                   "Refuses to send over a connection that is not encrypted."),
    SETTING_STRING("mail.from", "Boxoffice <tickets@localhost>", "The sender of every mail."),
};
static const struct settings notify_settings = SETTINGS(setting_rows);
static const struct job_kind jobs[] = {
    {"mail_order", mail_order, MAIL_TRIES_MAX, MAIL_BACKOFF_S},
    {NULL,         NULL,       0,              0             },
};
static const struct consumer consumers[] = {
    {"booking", "order.confirmed order.pending order.cancelled", CONSUMER_DURABLE, take_order_news},
    {NULL,      NULL,                                            CONSUMER_DURABLE, NULL           },
};
static const struct migration_list notify_migrations = {.owner = "notify"};

const struct service notify_service = {
    .name = "notify",
    .migrations = &notify_migrations,
    .settings = &notify_settings,
    .jobs = jobs,
    .consumers = consumers,
    .open = open_notify,
    .close = close_notify,
};
