/* support/booking_buy.c - buys, and looks at what came of it. */

#include "support/booking_buy.h"

#include <stdio.h>
#include <string.h>

#include "support/test.h"

enum { PATH_SIZE_MAX = 1024, SQL_SIZE_MAX = 1024 };

static const char *next_key(struct booking_node *node)
{
    return arena_printf(node->arena, "key-%d", ++node->key_count).ptr;
}

struct answer booking_send(struct booking_node *node, const char *who, const char *method,
                           const char *body, const char *path, ...)
{
    char text[PATH_SIZE_MAX];
    va_list args;

    va_start(args, path);
    CHECK(vsnprintf(text, sizeof(text), path, args) < (int)sizeof(text));
    va_end(args);
    const struct ask ask = {.who = who,
                            .method = method,
                            .path = text,
                            .key = strcmp(method, "POST") == 0 ? next_key(node) : NULL,
                            .body = body};

    return booking_ask(node, node->arena, &ask);
}

const char *booking_hold(struct booking_node *node, const char *who,
                         const struct known_event *event, int quantity)
{
    const struct answer answer =
        booking_book(node, node->arena, who, next_key(node), event, quantity);

    CHECK_I64(201, answer.status);
    return arena_cstr(node->arena, answer_at(node->arena, &answer, "/order/id"));
}

struct answer booking_pay(struct booking_node *node, const char *who, const char *order,
                          const char *method, const char *token)
{
    const str with =
        token != NULL ? arena_printf(node->arena, ",\"token\":\"%s\"", token) : STR("");
    const str body = arena_printf(node->arena, "{\"order_id\":\"%s\",\"method\":\"%s\"%.*s}", order,
                                  method, STR_ARG(with));

    return booking_send(node, who, "POST", body.ptr, "/payment");
}

static const char *text_at(struct booking_node *node, const struct answer *answer, const char *list,
                           int index, const char *member)
{
    const str pointer = arena_printf(node->arena, "%s/%d%s", list, index, member);
    const str text = answer_at(node->arena, answer, pointer.ptr);

    return text.ptr != NULL ? arena_cstr(node->arena, text) : NULL;
}

struct bought booking_buy(struct booking_node *node, const char *who,
                          const struct known_event *event, int quantity, const char *method)
{
    struct bought bought = {.order = booking_hold(node, who, event, quantity)};
    const bool card = strcmp(method, "card") == 0;
    const struct answer answer =
        booking_pay(node, who, bought.order, method, card ? "tok_visa" : NULL);

    if (answer.status != 200)
        print_error("%.*s\n", STR_ARG(answer.body));
    CHECK_I64(200, answer.status);
    for (; bought.count < BOUGHT_MAX; bought.count++) {
        const int i = bought.count;

        bought.tickets[i] = text_at(node, &answer, "/tickets", i, "/id");
        bought.codes[i] = text_at(node, &answer, "/tickets", i, "/code");
        if (bought.tickets[i] == NULL)
            break;
    }
    return bought;
}

const char *booking_status(struct booking_node *node, const char *who, const char *path, ...)
{
    char text[PATH_SIZE_MAX];
    va_list args;

    va_start(args, path);
    CHECK(vsnprintf(text, sizeof(text), path, args) < (int)sizeof(text));
    va_end(args);
    const struct answer answer = booking_send(node, who, "GET", NULL, "%s", text);

    if (answer.status != 200)
        print_error("%.*s\n", STR_ARG(answer.body));
    CHECK_I64(200, answer.status);
    return arena_cstr(node->arena, answer_at(node->arena, &answer, "/status"));
}

int64_t booking_told(struct booking_node *node, const char *kind, const char *text)
{
    char sql[SQL_SIZE_MAX];

    CHECK(snprintf(sql, sizeof(sql),
                   "SELECT count(*) FROM outbox WHERE kind = '%s' AND payload LIKE '%%%s%%'", kind,
                   text) < (int)sizeof(sql));
    return booking_i64(node, sql);
}

void booking_check_audit(struct booking_node *node)
{
    CLEANUP(call_done) struct call call = {0};
    str found = STR_ABSENT;

    booking_node_call(node, &call);
    const err e = booking_audit(&call, &found);
    if (e != ERR_OK)
        print_error("%.*s\n", STR_ARG(found));
    CHECK_OK(e);
}
