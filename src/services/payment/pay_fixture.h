/* payment/pay_fixture.h - for tests: an office that sells events and takes money for them, with the
 * real booking. */
#pragma once

#include "support/office.h"

void sale_open(struct office *office);
/* With "name=value", ended by NULL. */
void sale_open_with(struct office *office, const char *const *settings);

/* An event of vendor 1: 100 tickets at that price, paid by `methods` (JSON). Gives the body that
 * books two of them. */
str sale_event(struct office *office, int price_minor, const char *methods);
/* Books what that body says; the order's id. */
str sale_book(struct office *office, const char *who, str booking);
/* An order of customer 1 over 2 x 50.00, payable by card. */
str sale_held(struct office *office);

/* A request of customer 1 to pay; `rest` is the body behind the order. */
struct ask sale_paying(struct office *office, const char *key, str order, const char *rest);
struct answer sale_pay(struct office *office, const char *key, str order, const char *rest);
struct answer sale_pay_card(struct office *office, const char *key, str order, const char *token);

/* Customer 1 reads what is at path and id. */
struct answer sale_get(struct office *office, const char *path, str id);
/* One number of payment's database. */
int64_t sale_i64(struct office *office, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* The ledgers of booking and payment agree in themselves. */
void sale_check_audit(struct office *office);
