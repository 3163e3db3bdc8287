/* support/booking_ask.c - the requests that tests of booking send most. */

#include "support/booking_node.h"
#include "support/test.h"

struct answer booking_ask(const struct booking_node *node, struct arena *arena,
                          const struct ask *ask)
{
    return http_ask(node->server, arena, ask);
}

struct answer booking_book(const struct booking_node *node, struct arena *arena, const char *who,
                           const char *key, const struct known_event *event, int64_t quantity)
{
    const str body = arena_printf(
        arena, "{\"event_id\":\"%s\",\"items\":[{\"ticket_type_id\":\"%s\",\"quantity\":%lld}]}",
        event->id_text, event->type_texts[0], (long long)quantity);
    const struct ask ask = {.who = who,
                            .method = "POST",
                            .path = "/tickets/book",
                            .key = key,
                            .body = arena_cstr(arena, body)};

    return booking_ask(node, arena, &ask);
}

str booking_available(const struct booking_node *node, struct arena *arena,
                      const struct known_event *event)
{
    const str path = arena_printf(arena, "/events/%s/tickets", event->id_text);
    const struct ask ask = {.method = "HEAD", .path = arena_cstr(arena, path)};
    const struct answer answer = booking_ask(node, arena, &ask);

    CHECK_I64(200, answer.status);
    return answer_header(&answer, "Tickets-Available");
}
