/* booking/checkin.c - scans at the door.
 *
 * A scanner that lost its answer sends the same nonce again and must hear the same: so every
 * answer, refusals too, is a row of `scan`, written in the transaction of its effect. The ticket
 * itself goes by a conditional update: of two scans one finds it valid. Times within the code are
 * for scanners without a network; here the event says when. */
#include "services/booking/checkin.h"

#include <inttypes.h>
#include <string.h>

#include "services/booking/catalog.h"
#include "services/booking/checkin.sql.h"
#include "services/booking/desk.h"
#include "services/booking/state.h"

enum { TRIES_MAX = 3, BODY_SIZE_MAX = 8192 };

/* --- Rules: no I/O --- */

static struct verdict refuse(err e, int64_t fact)
{
    return (struct verdict){e, fact};
}

static bool is_dead(const struct ticket *ticket, const struct ticket_code *code,
                    const struct event *event)
{
    return code->generation < ticket->generation || event->status == EVENT_CANCELLED ||
           (ticket->status != TICKET_VALID && ticket->status != TICKET_USED);
}

struct verdict checkin_judge(const struct ticket *ticket, const struct ticket_code *code,
                             const struct event *event, event_id wanted, int64_t at_ms)
{
    if (!uuid_eq(code->event.uuid, ticket->event.uuid) || code->generation > ticket->generation)
        return refuse(ERR_INVALID_CODE, JSON_NULL);
    if (!uuid_is_zero(wanted.uuid) && !uuid_eq(wanted.uuid, ticket->event.uuid))
        return refuse(ERR_WRONG_EVENT, JSON_NULL);
    if (is_dead(ticket, code, event))
        return refuse(ERR_TICKET_CANCELLED, JSON_NULL);
    if (ticket->order_status == ORDER_PENDING && ticket->due_minor > 0)
        return refuse(ERR_PAYMENT_DUE, ticket->due_minor);
    if (event->checkin_opens_at_ms != JSON_NULL && at_ms < event->checkin_opens_at_ms)
        return refuse(ERR_TOO_EARLY, event->checkin_opens_at_ms);
    if (ticket->status == TICKET_USED)
        return refuse(ERR_ALREADY_USED, ticket->used_at_ms);
    return refuse(ERR_OK, JSON_NULL);
}

/* --- The body --- */

struct asked {
    str code;
    str device;
    str nonce;
    event_id event;
    int64_t scanned_at_ms;
    str list;
};
static const struct json_field asked_fields[] = {
    JSON_F_TEXT("code", struct asked, code, 1, CHECKIN_CODE_SIZE_MAX, JSON_REQUIRED),
    JSON_F_TOKEN("device_id", struct asked, device, 1, CHECKIN_NAME_SIZE_MAX, JSON_REQUIRED),
    JSON_F_TOKEN("nonce", struct asked, nonce, 1, CHECKIN_NAME_SIZE_MAX, JSON_REQUIRED),
    JSON_F_ID("event_id", struct asked, event, EVENT_PREFIX, JSON_NULLABLE),
    JSON_F_TIME("scanned_at", struct asked, scanned_at_ms, JSON_NULLABLE),
    JSON_F_TEXT("list_id", struct asked, list, 1, CHECKIN_NAME_SIZE_MAX, JSON_NULLABLE),
};
static const struct json_shape asked_shape = JSON_SHAPE(asked_fields, struct asked);

/* --- One scan on its way through the desk --- */

struct scan {
    struct asked asked;
    struct ticket_code code;
    uint8_t digest[SHA256_SIZE];
    struct uuid owner;
    int64_t at_ms;
    struct ticket ticket;
    const struct event *event; /* a reference, once it is known; the handler gives it back */
    struct verdict verdict;
};

static const err refusals[] = {ERR_OK,          ERR_WRONG_EVENT, ERR_TICKET_CANCELLED,
                               ERR_PAYMENT_DUE, ERR_TOO_EARLY,   ERR_ALREADY_USED};

static const char *result_name(err e)
{
    return e == ERR_OK ? "admitted" : err_name(e);
}

/* The ticket and its event. What the caller does not sell is no ticket of his. */
static err find_ticket(struct tx *tx, struct call *call, ticket_id id, struct scan *scan)
{
    const struct caller *caller = &call->caller;
    const err e = ticket_get(tx, call, id, &scan->ticket);

    if (e == ERR_NOT_FOUND)
        return ERR_INVALID_CODE;
    TRY(e);
    event_release(scan->event);
    scan->event = catalog_find(booking_of(call)->catalog, scan->ticket.event);
    if (scan->event == NULL ||
        (caller->role != ROLE_ADMIN && !uuid_eq(caller->vendor, scan->event->vendor)))
        return ERR_INVALID_CODE;
    return ERR_OK;
}

/* ERR_NOT_FOUND: the first time that this is asked. */
static err find_answer(struct tx *tx, struct call *call, struct scan *scan)
{
    CLEANUP(rows_done) struct rows rows = {0};

    TRY(rows_first(&rows, tx, &SQL_CHECKIN_FIND,
                   ARGS(UUID(scan->owner), TEXT(scan->asked.device), TEXT(scan->asked.nonce)),
                   call->arena));
    const str digest = row_blob(&rows, 0);
    const ticket_id ticket = {row_uuid(&rows, 1)};
    const str result = row_text(&rows, 2);
    scan->verdict.fact = row_i64_or(&rows, 3, JSON_NULL);
    TRY(rows_close(&rows));
    if (digest.size != SHA256_SIZE || memcmp(digest.ptr, scan->digest, SHA256_SIZE) != 0)
        return call_explain(call, ERR_IDEMPOTENCY_MISMATCH,
                            "the nonce was used for another code by this device");
    scan->verdict.result = ERR_INTERNAL;
    for (size_t i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++)
        if (str_eq(result, str_of(result_name(refusals[i]))))
            scan->verdict.result = refusals[i];
    return find_ticket(tx, call, ticket, scan);
}

static err admit(struct tx *tx, struct call *call, struct scan *scan, bool *ret_admitted)
{
    int64_t changed = 0;

    TRY(db_exec_count(tx, &SQL_CHECKIN_USE,
                      ARGS(UUID(scan->ticket.id.uuid), I64(scan->at_ms), TEXT(scan->asked.device),
                           I64(scan->ticket.generation)),
                      &changed));
    *ret_admitted = changed == 1;
    if (changed == 0)
        return ERR_OK;
    scan->ticket.status = TICKET_USED;
    scan->ticket.used_at_ms = scan->at_ms;

    const struct ticket *ticket = &scan->ticket;
    return outbox_add(tx, call, "ticket.checked_in",
                      arena_printf(call->arena,
                                   "{\"ticket_id\":\"%s\",\"order_id\":\"%s\",\"event_id\":\"%s\","
                                   "\"ticket_type_id\":\"%s\",\"user_id\":\"%s\",\"at\":\"%s\","
                                   "\"price_minor\":%" PRId64 "}",
                                   id_format(TICKET_PREFIX, ticket->id.uuid).text,
                                   id_format(ORDER_PREFIX, ticket->order.uuid).text,
                                   id_format(EVENT_PREFIX, ticket->event.uuid).text,
                                   id_format(TICKET_TYPE_PREFIX, ticket->type.uuid).text,
                                   id_format("usr", ticket->user).text,
                                   time_format(scan->at_ms).text, ticket->price_minor));
}

static err judge(struct tx *tx, struct call *call, struct scan *scan)
{
    for (int i = 0; i < TRIES_MAX; i++) {
        bool admitted = false;

        TRY(find_ticket(tx, call, scan->code.ticket, scan));
        scan->verdict =
            checkin_judge(&scan->ticket, &scan->code, scan->event, scan->asked.event, scan->at_ms);
        if (scan->verdict.result == ERR_INVALID_CODE)
            return ERR_INVALID_CODE;
        if (scan->verdict.result != ERR_OK)
            return ERR_OK;
        TRY(admit(tx, call, scan, &admitted));
        if (admitted)
            return ERR_OK;
    }
    return ERR_STALE; /* another process changes it each time that we have looked */
}

static err apply(struct tx *tx, struct desk_write *write)
{
    struct scan *scan = write->arg;
    struct call *call = write->call;
    err e = ERR_OK;

    call->problem = (struct problem){0};
    e = find_answer(tx, call, scan);
    if (e != ERR_NOT_FOUND)
        return e;
    TRY(judge(tx, call, scan));
    const str digest = {(const char *)scan->digest, sizeof(scan->digest)};
    return db_exec(tx, &SQL_CHECKIN_INSERT,
                   ARGS(UUID(scan->owner), TEXT(scan->asked.device), TEXT(scan->asked.nonce),
                        BLOB(digest), UUID(scan->ticket.id.uuid),
                        TEXT(str_of(result_name(scan->verdict.result))),
                        I64_OR_NIL(scan->verdict.fact), I64(call->now_ms)));
}

/* --- Answers --- */

static void add_time(struct call *call, const char *name, int64_t at_ms)
{
    call_member(call, name, arena_printf(call->arena, "\"%s\"", time_format(at_ms).text));
}

static err explain(struct call *call, const struct scan *scan)
{
    const err e = scan->verdict.result;
    const int64_t fact = scan->verdict.fact;
    const struct money due = {fact, scan->ticket.currency};

    if (e == ERR_ALREADY_USED) {
        add_time(call, "first_scanned_at", fact);
        return call_explain(call, e, "the ticket was first scanned at %s", time_format(fact).text);
    }
    if (e == ERR_TOO_EARLY) {
        add_time(call, "checkin_opens_at", fact);
        return call_explain(call, e, "check-in opens at %s", time_format(fact).text);
    }
    if (e == ERR_PAYMENT_DUE) {
        call_member(call, "amount_due",
                    arena_printf(call->arena, "{\"amount\":%lld,\"currency\":\"%s\"}",
                                 (long long)fact, due.currency.code));
        return call_explain(call, e, "%s are due for the order", money_format(due).text);
    }
    if (e == ERR_WRONG_EVENT)
        return call_explain(call, e, "the ticket is for another event");
    return call_explain(call, e, "the ticket has been cancelled");
}

struct admitted_view {
    str result;
    str ticket;
};
static const struct json_field admitted_fields[] = {
    JSON_F_TOKEN("result", struct admitted_view, result, 0, 20, JSON_OPTIONAL),
    JSON_F_RAW("ticket", struct admitted_view, ticket, JSON_OPTIONAL),
};
static const struct json_shape admitted_shape = JSON_SHAPE(admitted_fields, struct admitted_view);

static err answer(struct req *req, const struct scan *scan)
{
    struct call *call = &req->call;

    if (scan->verdict.result != ERR_OK)
        return explain(call, scan);
    const struct admitted_view view = {STR("admitted"),
                                       ticket_json(call, &scan->ticket, scan->event, false)};
    return reply_json(req, 200, &admitted_shape, &view);
}

/* --- Handlers --- */

static void done(struct scan *scan)
{
    event_release(scan->event);
}

static err post_checkin(struct req *req)
{
    CLEANUP(done) struct scan scan = {.asked = {.scanned_at_ms = JSON_NULL}};
    struct call *call = &req->call;
    const struct caller *caller = &call->caller;
    err e = ERR_STALE;

    TRY(req_body(req, &asked_shape, &scan.asked));
    if (scan.asked.list.ptr != NULL)
        return call_invalid(call, "/list_id", "must be left out: the event has no check-in lists");
    TRY(ticket_code_read(call->self->node->keyring, call->arena, scan.asked.code, &scan.code));
    sha256(scan.asked.code, scan.digest);
    scan.owner = uuid_is_zero(caller->vendor) ? caller->user : caller->vendor;
    scan.at_ms = call->now_ms;
    if (scan.asked.scanned_at_ms != JSON_NULL && scan.asked.scanned_at_ms < call->now_ms)
        scan.at_ms = scan.asked.scanned_at_ms;
    for (int i = 0; i < TRIES_MAX && e == ERR_STALE; i++)
        e = desk_run(call, apply, &scan);
    if (e == ERR_STALE)
        return ERR_OVERLOADED;
    TRY(e);
    return answer(req, &scan);
}

static const struct route routes[] = {
    {METHOD_POST, "/checkin", post_checkin, AUTH_VENDOR, BODY(BODY_SIZE_MAX), UNKEYED, ON_WORKER},
};
const struct route_table checkin_routes = ROUTE_TABLE(routes);
