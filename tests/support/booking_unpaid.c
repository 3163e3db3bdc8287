/* support/booking_unpaid.c - the services of a booking_node whose tests are not about money:
 * payment says yes to all. */

#include "services/booking/event.h"
#include "services/payment/payment.h"
#include "support/booking_others.h"

const char *const refund_status_names[] = {"pending", "succeeded", "failed", NULL};

static const struct json_field refund_fields[] = {
    JSON_F_ID("refund", struct payment_refund, refund, REFUND_PREFIX, JSON_OPTIONAL),
    JSON_F_ID("order", struct payment_refund, order, ORDER_PREFIX, JSON_OPTIONAL),
    JSON_F_MONEY("amount", struct payment_refund, amount, 0, MONEY_MINOR_MAX, JSON_OPTIONAL),
    JSON_F_TEXT("reason", struct payment_refund, reason, 0, 1000, JSON_OPTIONAL),
    JSON_F_LIST("lines", struct payment_refund, lines, line_count, &booking_money_line_shape, 0,
                BOOKING_LINES_MAX, JSON_OPTIONAL),
};
static const struct json_shape refund_shape = JSON_SHAPE(refund_fields, struct payment_refund);
static const struct json_field refunded_fields[] = {
    JSON_F_ENUM("status", struct payment_refunded, status, refund_status_names, JSON_OPTIONAL),
};
static const struct json_shape refunded_shape =
    JSON_SHAPE(refunded_fields, struct payment_refunded);

static err payment_refund_run([[maybe_unused]] struct call *call,
                              [[maybe_unused]] const struct payment_refund *in,
                              struct payment_refunded *ret)
{
    ret->status = REFUND_SUCCEEDED;
    return ERR_OK;
}
OP_DEFINE("payment", payment_refund, struct payment_refund, struct payment_refunded, &refund_shape,
          &refunded_shape);

static const struct json_field settle_fields[] = {
    JSON_F_ID("order", struct payment_settle_manual, order, ORDER_PREFIX, JSON_OPTIONAL),
};
static const struct json_shape settle_shape =
    JSON_SHAPE(settle_fields, struct payment_settle_manual);
static const struct json_field settled_fields[] = {
    JSON_F_ID("attempt", struct payment_settled, attempt, PAYMENT_PREFIX, JSON_OPTIONAL),
};
static const struct json_shape settled_shape = JSON_SHAPE(settled_fields, struct payment_settled);

static err payment_settle_manual_run([[maybe_unused]] struct call *call,
                                     [[maybe_unused]] const struct payment_settle_manual *in,
                                     struct payment_settled *ret)
{
    *ret = (struct payment_settled){0};
    return ERR_OK;
}
OP_DEFINE("payment", payment_settle_manual, struct payment_settle_manual, struct payment_settled,
          &settle_shape, &settled_shape);

static const struct json_field find_fields[] = {
    JSON_F_ID("method", struct payment_method_find, method, PAYMENT_METHOD_PREFIX, JSON_OPTIONAL),
};
static const struct json_shape find_shape = JSON_SHAPE(find_fields, struct payment_method_find);
static const struct json_field found_fields[] = {
    JSON_F_TOKEN("type", struct payment_method_found, type, 0, 40, JSON_OPTIONAL),
};
static const struct json_shape found_shape = JSON_SHAPE(found_fields, struct payment_method_found);

/* No vendor has any. */
static err payment_method_find_run([[maybe_unused]] struct call *call,
                                   [[maybe_unused]] const struct payment_method_find *in,
                                   [[maybe_unused]] struct payment_method_found *ret)
{
    return ERR_NOT_FOUND;
}
OP_DEFINE("payment", payment_method_find, struct payment_method_find, struct payment_method_found,
          &find_shape, &found_shape);

static const struct json_field of_fields[] = {
    JSON_F_ID("vendor", struct payment_methods_find, vendor, "vnd", JSON_OPTIONAL),
};
static const struct json_shape of_shape = JSON_SHAPE(of_fields, struct payment_methods_find);
static const struct json_field all_fields[] = {
    JSON_F_LIST("methods", struct payment_methods_found, methods, method_count,
                &event_accepted_shape, 0, EVENT_METHODS_MAX, JSON_OPTIONAL),
};
static const struct json_shape all_shape = JSON_SHAPE(all_fields, struct payment_methods_found);

static err payment_methods_find_run([[maybe_unused]] struct call *call,
                                    [[maybe_unused]] const struct payment_methods_find *in,
                                    struct payment_methods_found *ret)
{
    *ret = (struct payment_methods_found){0};
    return ERR_OK;
}
OP_DEFINE("payment", payment_methods_find, struct payment_methods_find,
          struct payment_methods_found, &of_shape, &all_shape);

static const struct json_field reserve_fields[] = {
    JSON_F_ID("order", struct payment_points_reserve, order, ORDER_PREFIX, JSON_OPTIONAL),
};
static const struct json_shape reserve_shape =
    JSON_SHAPE(reserve_fields, struct payment_points_reserve);
static const struct json_field reserved_fields[] = {
    JSON_F_I64("points", struct payment_points_reserved, points, 0, 0, JSON_OPTIONAL),
};
static const struct json_shape reserved_shape =
    JSON_SHAPE(reserved_fields, struct payment_points_reserved);

/* Nobody has any points. */
static err payment_points_reserve_run([[maybe_unused]] struct call *call,
                                      [[maybe_unused]] const struct payment_points_reserve *in,
                                      [[maybe_unused]] struct payment_points_reserved *ret)
{
    return ERR_INSUFFICIENT_POINTS;
}
OP_DEFINE("payment", payment_points_reserve, struct payment_points_reserve,
          struct payment_points_reserved, &reserve_shape, &reserved_shape);

static const struct json_field release_fields[] = {
    JSON_F_ID("order", struct payment_points_release, order, ORDER_PREFIX, JSON_OPTIONAL),
};
static const struct json_shape release_shape =
    JSON_SHAPE(release_fields, struct payment_points_release);
static const struct json_field released_fields[] = {
    JSON_F_I64("points", struct payment_points_released, points, 0, 0, JSON_OPTIONAL),
};
static const struct json_shape released_shape =
    JSON_SHAPE(released_fields, struct payment_points_released);

static err payment_points_release_run([[maybe_unused]] struct call *call,
                                      [[maybe_unused]] const struct payment_points_release *in,
                                      struct payment_points_released *ret)
{
    *ret = (struct payment_points_released){0};
    return ERR_OK;
}
OP_DEFINE("payment", payment_points_release, struct payment_points_release,
          struct payment_points_released, &release_shape, &released_shape);

static const struct json_field line_fields[] = {
    JSON_F_TEXT("label", struct booking_account_line, label, 1, 100, JSON_REQUIRED),
    JSON_F_TEXT("value", struct booking_account_line, value, 1, 1000, JSON_REQUIRED),
};
static const struct json_shape line_shape = JSON_SHAPE(line_fields, struct booking_account_line);
static const struct json_field payee_fields[] = {
    JSON_F_ID("method", struct payment_payee_find, method, PAYMENT_METHOD_PREFIX, JSON_OPTIONAL),
};
static const struct json_shape payee_shape = JSON_SHAPE(payee_fields, struct payment_payee_find);
static const struct json_field payee_found_fields[] = {
    JSON_F_LIST("lines", struct payment_payee_found, lines, line_count, &line_shape, 0, 20,
                JSON_OPTIONAL),
};
static const struct json_shape payee_found_shape =
    JSON_SHAPE(payee_found_fields, struct payment_payee_found);

static err payment_payee_find_run([[maybe_unused]] struct call *call,
                                  [[maybe_unused]] const struct payment_payee_find *in,
                                  [[maybe_unused]] struct payment_payee_found *ret)
{
    return ERR_NOT_FOUND;
}
OP_DEFINE("payment", payment_payee_find, struct payment_payee_find, struct payment_payee_found,
          &payee_shape, &payee_found_shape);

static const struct op *const payment_ops[] = {
    &payment_refund_op,         &payment_settle_manual_op,
    &payment_method_find_op,    &payment_methods_find_op,
    &payment_payee_find_op,     &payment_points_reserve_op,
    &payment_points_release_op, NULL};
static const struct migration_list payment_migrations = {.owner = "payment"}; /* it has an outbox */
static const struct service other_payment = {
    .name = "payment", .ops = payment_ops, .migrations = &payment_migrations};

const struct service *const booking_services[] = {&booking_service, &other_identity, &other_payment,
                                                  NULL};
