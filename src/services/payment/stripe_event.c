/* payment/stripe_event.c - sees to what Stripe has told: asks again for what it is about, and moves our
 * side on.
 *
 * An event is a hint. A payment that it names is driven on at once, which asks Stripe for its state; a
 * refund is looked at again, as it may fail days after it has succeeded; a dispute is shown to the
 * admins, and the ledger follows its money. Whatever does not come by webhook comes from the list of events. */
#include "services/payment/stripe_event.h"

#include "services/payment/attempt.h"
#include "services/payment/posting.h"
#include "services/payment/refund.h"
#include "services/payment/stripe_api.h"
#include "services/payment/stripe_event.sql.h"
#include "services/payment/stripe_money.h"

enum {
    ID_MAX = 255,
    PAGE_MAX = 100,
    POLL_MS = 60000,
    OVERLAP_S = 300, /* events may appear in the list a little after their time */
    LEASE_MS = 60000,
    RETRY_MS_MAX = 3600000,
    DOUBLINGS_MAX = 10,
};

/* --- Shapes --- */

struct subject_metadata {
    str payment;
    str refund;
};
struct subject { /* what the event is about, as far as we read it */
    str id;
    struct subject_metadata *metadata;
};
struct data {
    struct subject *object;
};
struct event {
    str id;
    str type;
    int64_t created_s;
    struct data *data;
};
static const struct json_field metadata_fields[] = {
    JSON_F_TOKEN("payment", struct subject_metadata, payment, 0, ID_MAX, JSON_OPTIONAL),
    JSON_F_TOKEN("refund", struct subject_metadata, refund, 0, ID_MAX, JSON_OPTIONAL),
};
static const struct json_shape metadata_shape =
    JSON_SHAPE(metadata_fields, struct subject_metadata);
static const struct json_field subject_fields[] = {
    JSON_F_TOKEN("id", struct subject, id, 0, ID_MAX, JSON_NULLABLE),
    JSON_F_OBJECT("metadata", struct subject, metadata, &metadata_shape, JSON_NULLABLE),
};
static const struct json_shape subject_shape = JSON_SHAPE(subject_fields, struct subject);
static const struct json_field data_fields[] = {
    JSON_F_OBJECT("object", struct data, object, &subject_shape, JSON_NULLABLE),
};
static const struct json_shape data_shape = JSON_SHAPE(data_fields, struct data);
static const struct json_field event_fields[] = {
    JSON_F_TOKEN("id", struct event, id, 1, ID_MAX, JSON_REQUIRED),
    JSON_F_TOKEN("type", struct event, type, 1, ID_MAX, JSON_REQUIRED),
    JSON_F_I64("created", struct event, created_s, 0, INT64_MAX, JSON_OPTIONAL),
    JSON_F_OBJECT("data", struct event, data, &data_shape, JSON_NULLABLE),
};
static const struct json_shape event_shape = JSON_SHAPE(event_fields, struct event);

struct events {
    struct event *items;
    size_t count;
    bool has_more;
};
static const struct json_field events_fields[] = {
    JSON_F_LIST("data", struct events, items, count, &event_shape, 0, PAGE_MAX, JSON_REQUIRED),
    JSON_F_BOOL("has_more", struct events, has_more, JSON_OPTIONAL),
};
static const struct json_shape events_shape = JSON_SHAPE(events_fields, struct events);

struct dispute {
    str id;
    str status;
    str reason;
    str currency;
    str intent;
    int64_t amount;
};
static const struct json_field dispute_fields[] = {
    JSON_F_TOKEN("id", struct dispute, id, 1, ID_MAX, JSON_REQUIRED),
    JSON_F_TOKEN("status", struct dispute, status, 1, ID_MAX, JSON_REQUIRED),
    JSON_F_TOKEN("reason", struct dispute, reason, 0, ID_MAX, JSON_NULLABLE),
    JSON_F_TOKEN("currency", struct dispute, currency, 3, 3, JSON_REQUIRED),
    JSON_F_TOKEN("payment_intent", struct dispute, intent, 0, ID_MAX, JSON_NULLABLE),
    JSON_F_I64("amount", struct dispute, amount, 0, INT64_MAX, JSON_REQUIRED),
};
static const struct json_shape dispute_shape = JSON_SHAPE(dispute_fields, struct dispute);

/* --- Storage --- */

static err change(struct call *call, const struct sql *sql, struct args args, int64_t *ret_count)
{
    CLEANUP(tx_rollback) struct tx tx = {0};

    TRY(tx_begin(&tx, call_db(call)));
    TRY(db_exec_count(&tx, sql, args, ret_count));
    return tx_commit(&tx);
}

static err keep(struct call *call, const struct event *event)
{
    const struct subject *subject = event->data != NULL ? event->data->object : NULL;
    const struct subject_metadata *metadata = subject != NULL ? subject->metadata : NULL;
    int64_t count = 0;

    return change(call, &SQL_STRIPE_EVENT_INSERT,
                  ARGS(TEXT(event->id), TEXT(event->type),
                       TEXT(subject != NULL ? subject->id : STR_ABSENT),
                       TEXT(metadata != NULL ? metadata->payment : STR_ABSENT),
                       TEXT(metadata != NULL ? metadata->refund : STR_ABSENT), I64(call->now_ms)),
                  &count);
}

err stripe_event_take(struct call *call, str json)
{
    struct event event = {0};

    json_clear(&event_shape, &event);
    if (json_read(call->arena, json, &event_shape, &event) != ERR_OK) {
        log_event(call->self->node->log, LOG_WARN, "stripe.event_unread",
                  LOG_TEXT("request", call->request_id));
        return ERR_OK; /* sent again it would be the same */
    }
    TRY(keep(call, &event));
    chore_wake(call->self, STRIPE_EVENT_CHORE);
    return ERR_OK;
}

/* --- What is done about it --- */

struct entry { /* of the inbox */
    str id;
    str type;
    str object;
    str payment;
    str refund;
    int64_t tries;
    int64_t next_ms;
};

static err see_to_payment(struct call *call, const struct entry *entry)
{
    attempt_id id = {0};

    if (entry->payment.ptr == NULL || !id_parse(PAYMENT_PREFIX, entry->payment, &id.uuid))
        return ERR_OK; /* not one of ours */
    return attempt_look_now(call, id);
}

/* "rf_..." or "rf_...:1". */
static err see_to_refund(struct call *call, const struct entry *entry)
{
    refund_id id = {0};
    str rest = entry->refund;
    str name = STR_ABSENT;

    if (rest.ptr == NULL || !str_split(&rest, ':', &name) ||
        !id_parse(REFUND_PREFIX, name, &id.uuid))
        return ERR_OK;
    const err e = refund_look(call, id);
    return e == ERR_NOT_FOUND ? ERR_OK : e;
}

static bool is_over(str status)
{
    return str_eq(status, STR("won")) || str_eq(status, STR("lost")) ||
           str_eq(status, STR("warning_closed")) || str_eq(status, STR("prevented"));
}

/* Warnings and what was prevented move no money; anything else has been withdrawn by then. */
static bool is_withdrawn(str status)
{
    return !str_starts(status, STR("warning_")) && !str_eq(status, STR("prevented"));
}

static err is_posted(struct tx *tx, struct call *call, struct uuid dispute, enum ledger_kind kind,
                     bool *ret)
{
    struct ledger_transaction found = {0};
    const err e = ledger_find_last(tx, call, LEDGER_DISPUTE, dispute, kind, &found);

    *ret = e == ERR_OK;
    return e == ERR_NOT_FOUND ? ERR_OK : e;
}

/* What has been posted stays; so whichever of the news comes first, and however often, each step is
 * posted once. */
static err post_dispute(struct tx *tx, struct call *call, const struct attempt *attempt,
                        struct uuid id, const struct dispute *dispute, int64_t minor)
{
    const bool won = str_eq(dispute->status, STR("won"));
    bool withdrawn = false;
    bool ended_won = false;
    bool ended_lost = false;

    if (!is_withdrawn(dispute->status))
        return ERR_OK;
    TRY(is_posted(tx, call, id, LEDGER_DISPUTE_WITHDRAWN, &withdrawn));
    TRY(is_posted(tx, call, id, LEDGER_DISPUTE_WON, &ended_won));
    TRY(is_posted(tx, call, id, LEDGER_DISPUTE_LOST, &ended_lost));
    if (!withdrawn)
        TRY(posting_dispute(tx, call, attempt, id, LEDGER_DISPUTE_WITHDRAWN, minor));
    if (ended_won || ended_lost || !is_over(dispute->status))
        return ERR_OK;
    return posting_dispute(tx, call, attempt, id, won ? LEDGER_DISPUTE_WON : LEDGER_DISPUTE_LOST,
                           minor);
}

static err find_disputed(struct call *call, const struct dispute *dispute, struct attempt *ret)
{
    CLEANUP(tx_rollback) struct tx tx = {0};
    CLEANUP(rows_done) struct rows rows = {0};
    attempt_id id = {0};

    TRY(tx_read(&tx, call_db(call)));
    TRY(rows_first(&rows, &tx, &SQL_STRIPE_DISPUTE_ATTEMPT, ARGS(TEXT(dispute->intent)),
                   call->arena));
    id.uuid = row_uuid(&rows, 0);
    TRY(rows_close(&rows));
    tx_rollback(&tx);
    return attempt_find(call, id, ret);
}

static err store_dispute(struct call *call, const struct attempt *attempt,
                         const struct dispute *dispute, int64_t minor)
{
    CLEANUP(tx_rollback) struct tx tx = {0};
    CLEANUP(rows_done) struct rows rows = {0};

    TRY(tx_begin(&tx, call_db(call)));
    TRY(db_exec(&tx, &SQL_STRIPE_DISPUTE_WRITE,
                ARGS(UUID(call_uuid(call)), TEXT(dispute->id), UUID(attempt->id.uuid),
                     UUID(attempt->order.uuid), I64(minor),
                     TEXT(str_of(attempt->amount.currency.code)), TEXT(dispute->status),
                     TEXT(dispute->reason), I64(is_over(dispute->status)), I64(call->now_ms))));
    TRY(rows_first(&rows, &tx, &SQL_STRIPE_DISPUTE_FIND, ARGS(TEXT(dispute->id)), call->arena));
    const struct uuid id = row_uuid(&rows, 0);
    TRY(rows_close(&rows));
    TRY(post_dispute(&tx, call, attempt, id, dispute, minor));
    return tx_commit(&tx);
}

static err write_dispute(struct call *call, const struct dispute *dispute)
{
    struct attempt attempt = {0};
    int64_t minor = 0;
    const err e = find_disputed(call, dispute, &attempt);

    log_event(call->self->node->log, LOG_WARN, "payment.disputed", LOG_TEXT("dispute", dispute->id),
              LOG_TEXT("status", dispute->status), LOG_I64("is_ours", e == ERR_OK));
    if (e == ERR_NOT_FOUND) /* about a charge that was not made here */
        return ERR_OK;
    TRY(e);
    if (!str_eq_nocase(dispute->currency, str_of(attempt.amount.currency.code)) ||
        !stripe_minor(dispute->amount, attempt.amount.currency, &minor))
        return call_explain(call, ERR_UNAVAILABLE,
                            "a dispute about an amount that we cannot count");
    return store_dispute(call, &attempt, dispute, minor);
}

static err see_to_dispute(struct call *call, const struct entry *entry)
{
    const struct stripe_question question = {
        .method = "GET",
        .path = arena_printf(call->arena, "/v1/disputes/%.*s", STR_ARG(entry->object)),
    };
    struct stripe_answer answer = {0};
    struct dispute dispute = {0};

    if (entry->object.ptr == NULL)
        return ERR_OK;
    TRY(stripe_ask(call, &question, &answer));
    json_clear(&dispute_shape, &dispute);
    if (json_read(call->arena, answer.body, &dispute_shape, &dispute) != ERR_OK)
        return call_explain(call, ERR_UNAVAILABLE, "a dispute of Stripe's cannot be read");
    return write_dispute(call, &dispute);
}

static err see_to(struct call *call, const struct entry *entry)
{
    static const struct {
        const char *prefix;
        err (*see_to)(struct call *call, const struct entry *entry);
    } kinds[] = {
        {"payment_intent.",       see_to_payment},
        {"checkout.session.",     see_to_payment},
        {"refund.",               see_to_refund },
        {"charge.refund.updated", see_to_refund },
        {"charge.dispute.",       see_to_dispute},
    };

    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
        if (str_starts(entry->type, str_of(kinds[i].prefix)))
            return kinds[i].see_to(call, entry);
    return ERR_OK;
}

/* --- Chores --- */

static err next_due(struct call *call, struct entry *ret)
{
    CLEANUP(tx_rollback) struct tx tx = {0};
    CLEANUP(rows_done) struct rows rows = {0};

    TRY(tx_read(&tx, call_db(call)));
    TRY(rows_first(&rows, &tx, &SQL_STRIPE_EVENT_DUE, NO_ARGS, call->arena));
    *ret = (struct entry){
        .id = row_text(&rows, 0),
        .type = row_text(&rows, 1),
        .object = row_text(&rows, 2),
        .payment = row_text(&rows, 3),
        .refund = row_text(&rows, 4),
        .tries = row_i64(&rows, 5),
        .next_ms = row_i64(&rows, 6),
    };
    return rows_close(&rows);
}

/* Leases the next one that is due. ERR_NOT_FOUND: none is; *ret_next_ms then says when. */
static err take_due(struct call *call, struct entry *ret, int64_t *ret_next_ms)
{
    int64_t count = 0;

    *ret_next_ms = CLOCK_NEVER_MS;
    while (count == 0) {
        TRY(next_due(call, ret));
        if (ret->next_ms > call->now_ms) {
            *ret_next_ms = ret->next_ms;
            return ERR_NOT_FOUND;
        }
        TRY(change(call, &SQL_STRIPE_EVENT_LEASE,
                   ARGS(TEXT(ret->id), I64(ret->next_ms), I64(call->now_ms + LEASE_MS)), &count));
    }
    return ERR_OK;
}

static int64_t retry_ms(int64_t tries)
{
    const int64_t ms = INT64_C(1000) << (tries < DOUBLINGS_MAX ? tries : DOUBLINGS_MAX + 2);

    return ms < RETRY_MS_MAX ? ms : RETRY_MS_MAX;
}

static err finish(struct call *call, const struct entry *entry, err e)
{
    int64_t count = 0;

    if (e == ERR_OK)
        return change(call, &SQL_STRIPE_EVENT_DONE, ARGS(TEXT(entry->id), I64(call->now_ms)),
                      &count);
    log_event(call->self->node->log, LOG_WARN, "stripe.event_unfinished",
              LOG_TEXT("event", entry->id), LOG_TEXT("type", entry->type),
              LOG_TEXT("error", call_failure(call, e)), LOG_I64("tries", entry->tries));
    return change(call, &SQL_STRIPE_EVENT_LATER,
                  ARGS(TEXT(entry->id), I64(call->now_ms + retry_ms(entry->tries))), &count);
}

err stripe_event_run(struct call *call, int64_t *ret_next_ms)
{
    struct entry entry = {0};
    err e = ERR_OK;

    while (!chores_stopping(call->self) && (e = take_due(call, &entry, ret_next_ms)) == ERR_OK) {
        TRY(finish(call, &entry, see_to(call, &entry)));
        call_next(call);
    }
    return e == ERR_NOT_FOUND ? ERR_OK : e;
}

/* From when on events are asked for: what was seen last, or when this begins. */
static err read_cursor(struct call *call, int64_t *ret_since_s)
{
    CLEANUP(tx_rollback) struct tx tx = {0};

    TRY(tx_read(&tx, call_db(call)));
    const err e = db_get_i64(&tx, &SQL_STRIPE_CURSOR_FIND, NO_ARGS, ret_since_s);
    if (e == ERR_NOT_FOUND)
        *ret_since_s = call->now_ms / 1000;
    return e == ERR_NOT_FOUND ? ERR_OK : e;
}

static err poll_page(struct call *call, int64_t since_s, str after, struct events *ret)
{
    const struct stripe_question question = {
        .method = "GET",
        .path = arena_printf(call->arena, "/v1/events?limit=%d&created[gte]=%lld%.*s", PAGE_MAX,
                             (long long)(since_s - OVERLAP_S), STR_ARG(after)),
    };
    struct stripe_answer answer = {0};

    TRY(stripe_ask(call, &question, &answer));
    if (json_read(call->arena, answer.body, &events_shape, ret) != ERR_OK)
        return call_explain(call, ERR_UNAVAILABLE, "Stripe's list of events cannot be read");
    return ERR_OK;
}

/* Keeps what is on the page. *newest_s grows; *ret_after: where the next page begins. */
static err keep_page(struct call *call, const struct events *page, int64_t *newest_s,
                     str *ret_after)
{
    for (size_t i = 0; i < page->count; i++) {
        TRY(keep(call, &page->items[i]));
        if (page->items[i].created_s > *newest_s)
            *newest_s = page->items[i].created_s;
    }
    if (page->count > 0)
        *ret_after = arena_printf(call->arena, "&starting_after=%.*s",
                                  STR_ARG(page->items[page->count - 1].id));
    return ERR_OK;
}

/* The newest come first: the cursor moves on only once all pages were taken. */
static err poll(struct call *call)
{
    int64_t since_s = 0;
    int64_t count = 0;
    str after = STR("");
    struct events page = {.count = 1, .has_more = true};

    TRY(read_cursor(call, &since_s));
    int64_t newest_s = since_s;
    while (page.has_more && page.count > 0) {
        TRY(poll_page(call, since_s, after, &page));
        TRY(keep_page(call, &page, &newest_s, &after));
    }
    TRY(change(call, &SQL_STRIPE_CURSOR_WRITE, ARGS(I64(newest_s)), &count));
    chore_wake(call->self, STRIPE_EVENT_CHORE);
    return ERR_OK;
}

err stripe_event_poll(struct call *call, int64_t *ret_next_ms)
{
    struct stripe *stripe = NULL;
    int64_t count = 0;

    *ret_next_ms = CLOCK_NEVER_MS;
    if (stripe_of(call, &stripe) != ERR_OK)
        return ERR_OK;
    *ret_next_ms = call->now_ms + POLL_MS;
    TRY(change(call, &SQL_STRIPE_EVENT_FORGET,
               ARGS(I64(call->now_ms - STRIPE_EVENTS_KEPT_S * INT64_C(1000))), &count));
    return poll(call);
}
