/* platform/node/op.c - brings a call to the service that answers it.
 *
 * A service that runs here is called directly, as itself: with its own instance, but in the
 * caller's time, arena and identity. Debug builds send such calls through JSON all the same, so
 * that what does not survive the wire is found before there is one. */

#include "platform/node/op.h"

#include <assert.h>
#include <string.h>

#include "platform/node/node.h"

#ifndef NDEBUG_TRAIL

static bool is_listed(const struct service *service, const struct op *op)
{
    for (const struct op *const *listed = service->ops; listed != NULL && *listed != NULL; listed++)
        if (*listed == op)
            return true;
    return false;
}

/* What the other side would read of `from`. It is our own, so a failure is a mistake in the
 * shape. */
static err send(struct call *call, const struct op *op, const struct json_shape *shape,
                const void *from, void *to)
{
    const char *what = shape == op->in ? "in" : "ret";
    struct json_errors errors = {0};
    struct json_doc *doc = NULL;
    str detail = STR_ABSENT;

    const str text = json_encode(call->arena, shape, from);
    err e = json_parse(call->arena, text, &doc, &detail);
    if (e == ERR_OK)
        e = json_decode(call->arena, doc, shape, to, &errors);
    if (e == ERR_OK)
        return ERR_OK;
    if (errors.count > 0)
        detail = arena_printf(call->arena, "%.*s: %.*s", STR_ARG(errors.items[0].pointer),
                              STR_ARG(errors.items[0].detail));
    log_event(call->self->node->log, LOG_ERROR, "op.lost_on_wire", LOG_CSTR("op", op->name),
              LOG_CSTR("of", what), LOG_TEXT("why", detail.ptr != NULL ? detail : STR("")));
    return call_explain(call, ERR_INTERNAL, "The %s of %s does not survive the wire: %.*s", what,
                        op->name, STR_ARG(detail));
}

static err run(struct call *call, const struct op *op, const void *in, void *ret)
{
    void *sent_in = arena_alloc(call->arena, op->in->size);
    void *made = arena_alloc(call->arena, op->ret->size);
    void *sent_ret = arena_alloc(call->arena, op->ret->size);

    assert(is_listed(call->self->service, op));
    TRY(send(call, op, op->in, in, sent_in));
    TRY(op->run(call, sent_in, made));
    TRY(send(call, op, op->ret, made, sent_ret));
    memcpy(ret, sent_ret, op->ret->size);
    return ERR_OK;
}

#else

static err run(struct call *call, const struct op *op, const void *in, void *ret)
{
    return op->run(call, in, ret);
}

#endif

err op_call(struct call *call, const struct op *op, const void *in, void *ret)
{
    struct node *node = call->self->node;
    struct instance *other = node_find(node, op->service);

    assert(!tx_is_open_here()); /* else two databases could wait for each other */
    if (other == NULL && node->forward != NULL)
        return node->forward(call, op, in, ret);
    if (other == NULL || !other->is_open)
        return call_explain(call, ERR_UNAVAILABLE, "The service \"%s\" does not run here.",
                            op->service);

    struct call theirs = *call;
    theirs.self = other;
    theirs.problem = (struct problem){0};
    const err e = run(&theirs, op, in, ret);
    assert(!tx_is_open_here());
    if (e != ERR_OK)
        call->problem = theirs.problem; /* who refused says why */
    return e;
}
