/* payment/till_fixture.h - for tests: an office in which payment runs alone, with booking's
 * stand-in behind it. */
#pragma once

#include "services/payment/attempt.h"
#include "services/payment/booking_stand_in.h"
#include "services/payment/provider.h"
#include "support/office.h"

/* An empty one, and no orders. */
void till_open(struct office *office);
/* `settings` as in office_options; they outlive the office. */
void till_open_with(struct office *office, const char *const *settings);
void till_call(struct office *office, struct call *call);

/* A request of POST /payment. `token` NULL: none. It lives in the office's arena. */
struct ask till_asking(struct office *office, const char *who, const char *key, order_id order,
                       const char *method, const char *token);
/* The same with a card, sent. */
struct answer till_pay(struct office *office, const char *who, const char *key, order_id order,
                       const char *token);

/* An attempt of customer 1 on a new order, of 100.00, in state CREATED. */
struct attempt till_attempt(struct office *office, const char *key);
enum attempt_state till_state(struct office *office, attempt_id id);

/* The one number that SQL gives, on payment's file. */
int64_t till_i64(struct office *office, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* Charges of an order that are in that state now. */
int64_t till_charges(struct office *office, order_id order, enum charge_status status);
/* "X'0190...'": an id in SQL. */
const char *till_sql_id(struct office *office, struct uuid id);

/* Moves the clock, a lease at a time, until nothing can be unfinished for any other reason than
 * that somebody has to do something. */
void till_settle_down(struct office *office);
/* The audit finds nothing. */
void till_check_audit(struct office *office);
