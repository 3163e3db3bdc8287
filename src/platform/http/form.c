/* platform/http/form.c - a route's multipart body: its size, its parts, and how a refusal names the
 * part that is wrong. */

#include "platform/http/form.h"

#include "platform/http/internal.h"

enum { NAME_SHOWN_MAX = 64 };

/* RFC 6901, of a name that may be anybody's. */
static const char *pointer_of(struct arena *arena, str name)
{
    struct buf pointer = buf_in(arena, NAME_SHOWN_MAX * 2 + 2);

    buf_add_char(&pointer, '/');
    for (size_t i = 0; i < name.size && i < NAME_SHOWN_MAX; i++) {
        if (name.ptr[i] == '~' || name.ptr[i] == '/')
            buf_add_cstr(&pointer, name.ptr[i] == '~' ? "~0" : "~1");
        else if ((unsigned char)name.ptr[i] >= ' ')
            buf_add_char(&pointer, name.ptr[i]);
    }
    return pointer.data;
}

err req_form(struct req *req, const struct part_rule *rules, size_t count, struct part *ret)
{
    struct call *call = &req->call;
    struct form form = {.rules = rules, .count = count, .parts = ret};

    if (exchange_of(req)->body_size > req->route->body_max)
        return call_explain(call, ERR_TOO_LARGE, "The body may have at most %zu bytes.",
                            req->route->body_max);
    const str body = req->body.ptr != NULL ? req->body : STR("");
    const err e = multipart_read(call->arena, req_header(req, STR("content-type")), body, &form);
    if (e == ERR_OK)
        return ERR_OK;
    if (form.fault.name.ptr == NULL)
        return call_explain(call, e, "%s", form.fault.detail);
    (void)call_invalid(call, pointer_of(call->arena, form.fault.name), "%s", form.fault.detail);
    return e;
}
