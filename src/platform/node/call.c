/* platform/node/call.c - the context of one unit of work, and what it says when it refuses.
 *
 * Every text that is noted here lives in the call's arena: an op shares the arena of its caller, so
 * that a refusal's detail is still there when it has come back. */

#include "platform/node/call.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>

#include "platform/node/node.h"

enum {
    WHAT_SIZE_MAX = 64,
    DETAIL_SIZE_MAX = 1000,
    MEMBERS_SIZE_MAX = 64 * 1024,
};

/* --- The beginning and the end of work that no request began --- */

/* "jobs-6f1c0e5d9a3b7742": one unit of work can be followed through the log. */
static str new_request_id(const struct call *call, str what)
{
    return arena_printf(call->arena, "%.*s-%016" PRIx64, STR_ARG(what),
                        rng_u64(call->self->node->rng));
}

void call_init(struct call *call, struct instance *self, const char *what)
{
    *call = (struct call){
        .self = self,
        .arena = arena_open(0),
        .now_ms = clock_now_ms(self->node->clock),
        .may_block = true,
    };
    call->request_id = new_request_id(call, str_slice(str_of(what), 0, WHAT_SIZE_MAX));
}

void call_done(struct call *call)
{
    arena_close(call->arena);
    *call = (struct call){0};
}

void call_next(struct call *call)
{
    char what[WHAT_SIZE_MAX];
    size_t size = call->request_id.size;

    while (size > 0 && call->request_id.ptr[size - 1] != '-')
        size--;
    size = size > 0 ? size - 1 : 0;
    assert(size <= WHAT_SIZE_MAX);
    for (size_t i = 0; i < size; i++) /* the id dies with what the arena holds */
        what[i] = call->request_id.ptr[i];

    arena_reset(call->arena);
    call->now_ms = clock_now_ms(call->self->node->clock);
    call->request_id = new_request_id(call, (str){what, size});
    call->traceparent = STR_ABSENT;
    call->caller = (struct caller){0};
    call->problem = (struct problem){0};
}

/* --- Why it was refused --- */

__attribute__((format(printf, 2, 0))) static str sentence(struct arena *arena, const char *format,
                                                          va_list args)
{
    char text[DETAIL_SIZE_MAX];
    const int size = vsnprintf(text, sizeof(text), format, args);

    assert(size >= 0);
    str said = str_of(text);
    if ((size_t)size > said.size) /* cut short: not within a character */
        while (said.size > 0 && !str_is_utf8(said))
            said.size--;
    return arena_str(arena, said);
}

err call_explain(struct call *call, err e, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    call->problem.detail = sentence(call->arena, format, args);
    va_end(args);
    return e;
}

err call_invalid(struct call *call, const char *pointer, const char *format, ...)
{
    struct json_errors *errors = &call->problem.errors;
    va_list args;

    if (errors->count == JSON_ERRORS_MAX)
        return ERR_INVALID;
    va_start(args, format);
    errors->items[errors->count++] = (struct json_error){
        .pointer = arena_str(call->arena, str_of(pointer)),
        .detail = sentence(call->arena, format, args),
    };
    va_end(args);
    return ERR_INVALID;
}

void call_member(struct call *call, const char *name, str json)
{
    struct buf *members = &call->problem.members;

    assert(json.size > 0);
    if (members->arena == NULL)
        *members = buf_in(call->arena, MEMBERS_SIZE_MAX);
    buf_add_char(members, ',');
    json_write_text(members, str_of(name));
    buf_add_char(members, ':');
    buf_add(members, json);
}

str call_failure(struct call *call, err e)
{
    const struct problem *problem = &call->problem;
    struct buf text = buf_in(call->arena, 4096);

    buf_add_cstr(&text, err_name(e));
    if (problem->detail.size > 0)
        buf_printf(&text, ": %.*s", STR_ARG(problem->detail));
    for (size_t i = 0; i < problem->errors.count; i++)
        buf_printf(&text, "%s %.*s: %.*s", i == 0 ? ":" : ",",
                   STR_ARG(problem->errors.items[i].pointer),
                   STR_ARG(problem->errors.items[i].detail));

    const char *trail = err_trail_take();
    if (trail[0] != '\0')
        buf_printf(&text, " (%s)", trail);
    return buf_str(&text);
}

/* --- What it works with --- */

struct db *call_db(const struct call *call)
{
    assert(call->self->db != NULL);
    return call->self->db;
}

struct uuid call_uuid(const struct call *call)
{
    return uuid_new(call->self->node->rng, call->now_ms);
}
