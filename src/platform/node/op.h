/* platform/node/op.h - ops: the functions that services call of each other.
 *
 * booking.h declares what callers write as TRY(booking_confirm(call, &in, &ret)):
 *
 *     OP_DECLARE(booking_confirm, struct booking_confirm, struct booking_confirmed);
 *
 * and booking's .c defines it behind a function of this form:
 *
 *     static err booking_confirm_run(struct call *call, const struct booking_confirm *in,
 *                                    struct booking_confirmed *ret)
 *     OP_DEFINE("booking", booking_confirm, ..., &shape_of_in, &shape_of_ret);
 *
 * Which instance serves it, the node knows: a function here, or a forwarder. Debug builds encode
 * and decode local calls too, so the wire is always exercised. No transaction may be open
 * (asserted): the other side has a database of its own. */
#pragma once

#include "platform/json/json.h"
#include "platform/node/call.h"

struct op {
    const char *name;    /* "booking.confirm" is "booking_confirm" here */
    const char *service; /* "booking" */
    const struct json_shape *in;
    const struct json_shape *ret;
    err (*run)(struct call *call, const void *in, void *ret);
};

/* ERR_UNAVAILABLE where the service cannot be reached; else what the op returns. */
err op_call(struct call *call, const struct op *op, const void *in, void *ret);

/* NOLINTBEGIN(bugprone-macro-parentheses): a type in parentheses declares nothing. */
#define OP_DECLARE(op_name, in_type, ret_type)                                     \
    extern const struct op op_name##_op;                                           \
    static inline err op_name(struct call *call, const in_type *in, ret_type *ret) \
    {                                                                              \
        return op_call(call, &op_name##_op, in, ret);                              \
    }                                                                              \
    _Static_assert(_Alignof(in_type) > 0 && _Alignof(ret_type) > 0, "an op has an in and a ret")

#define OP_DEFINE(service_name, op_name, in_type, ret_type, in_shape, ret_shape) \
    static err op_name##_erased(struct call *call, const void *in, void *ret)    \
    {                                                                            \
        return op_name##_run(call, (const in_type *)in, (ret_type *)ret);        \
    }                                                                            \
    const struct op op_name##_op = {.name = #op_name,                            \
                                    .service = service_name,                     \
                                    .in = (in_shape),                            \
                                    .ret = (ret_shape),                          \
                                    .run = op_name##_erased}
/* NOLINTEND(bugprone-macro-parentheses) */
